// Lecture 10, architectures: LeNet, residual and inception blocks, 1×1 and depth-wise convolutions, upsampling, U-Net.
import { expect, test } from 'vitest';
import { type Tensor, cat, conv2d, interpolate, manualSeed, maxPool2dWithIndices, randn, zeros } from 'nabla';
import {
  AvgPool2d,
  Conv2d,
  ConvTranspose2d,
  DepthwiseSeparableConv2d,
  Flatten,
  Linear,
  MaxPool2d,
  MaxUnpool2d,
  type Module,
  Parallel,
  ReLU,
  Residual,
  Sequential,
  Tanh,
} from 'nabla/nn';
import { TopKError } from 'nabla/metrics';
import {
  InceptionBlock,
  alexnet2012,
  lenet5,
  plain34,
  resnet152,
  resnet34,
  unet,
  vgg11,
  vgg13,
  vgg16,
  vgg16c,
  vgg19,
  xception,
} from 'nabla/models';
import { ReduceLROnPlateau, SGD } from 'nabla/optim';
import { chain, course, expectExact, expectSame, given, set, variable } from '../support/course.js';

const sizes = (model: { parameters(): readonly { size: number }[] }): number =>
  model.parameters().reduce((sum, p) => sum + p.size, 0);

course('lecture 10', () => {
  test('LeNet: six filters first, sizes shrink to 16×5×5, 120, 84, 10, and about 60k parameters', () => {
    const lenet = new Sequential(
      new Sequential(new Conv2d(1, 6, 5), new Tanh(), new AvgPool2d(2)),
      new Sequential(new Conv2d(6, 16, 5), new Tanh(), new AvgPool2d(2)),
      new Sequential(new Conv2d(16, 120, 5), new Tanh(), new Flatten()),
      new Sequential(new Linear(120, 84), new Tanh(), new Linear(84, 10)),
    );
    const summary = lenet.summary(zeros([1, 1, 32, 32]));
    const maps = summary.rows.filter((row) => /^(Conv|Avg)/.test(row.module)).map((row) => row.outputs[0].slice(1));
    expect(maps).toEqual([
      [6, 28, 28],
      [6, 14, 14],
      [16, 10, 10],
      [16, 5, 5],
      [120, 1, 1],
    ]);
    expect(summary.parameters).toBe(61_706);
  });

  test('top-1 and top-5 error: the share of samples whose label is not among the best, the five best', async () => {
    const scores = given([
      [0.3, 0.2, 0.15, 0.12, 0.1, 0.08, 0.05],
      [0.3, 0.2, 0.15, 0.12, 0.1, 0.08, 0.05],
      [0.3, 0.2, 0.15, 0.12, 0.1, 0.08, 0.05],
      [0.3, 0.2, 0.15, 0.12, 0.1, 0.08, 0.05],
    ]);
    const labels = given([0, 2, 4, 6]).to('int32');
    const error = async (k: number): Promise<number> => {
      const metric = new TopKError(k);
      metric.update(scores, labels);
      return metric.compute();
    };
    expect(await error(1)).toBe(0.75);
    expect(await error(5)).toBe(0.25);
  });

  test('VGG: same 3×3 convolutions keep the size, 2×2 pools halve it five times from 224 to 7', () => {
    const model = chain(...[1, 2, 3, 4, 5].flatMap(() => [new Conv2d(1, 1, 3, { padding: 1 }), new MaxPool2d(2)]));
    expect(model.forward(zeros([1, 1, 224, 224])).shape).toEqual([1, 1, 7, 7]);
  });

  test('residual block with weights near zero: x^{L+1} = f(x^{L−1})', async () => {
    const layer = () =>
      set(new Linear(3, 3), {
        weight: [
          [0, 0, 0],
          [0, 0, 0],
          [0, 0, 0],
        ],
        bias: [0, 0, 0],
      });
    const block = chain(new Residual([layer(), new ReLU(), layer()]), new ReLU());
    const x = given([[1, -2, 3]]);
    await expectSame(block.forward(x), x.relu());
  });

  test('a residual block of another size needs a shortcut that converts the dimensions', () => {
    const body = [new Conv2d(4, 8, 3, { stride: 2, padding: 1 }), new ReLU()] as const;
    const x = zeros([1, 4, 8, 8]);
    expect(() => chain(new Residual(body)).forward(x)).toThrow(/shortcut/);
    expect(chain(new Residual(body, new Conv2d(4, 8, 1, { stride: 2 }))).forward(x).shape).toEqual([1, 8, 4, 4]);
  });

  test('the training of ResNet: a rate of 0.1, divided by 10 where the loss stops falling', () => {
    const optimizer = new SGD([variable([1])], { lr: 0.1, momentum: 0.9, weightDecay: 1e-5 });
    const plateau = new ReduceLROnPlateau(optimizer, { patience: 1 });
    const rates = [3, 2, 1, 1, 1, 0.5, 0.5, 0.5].map((loss) => {
      plateau.step(loss);
      return Number(optimizer.groups[0].lr.toFixed(6));
    });
    expect(rates).toEqual([0.1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.001]);
  });

  test('1×1 convolution with the kernel 2: the 5×5 image keeps its size and doubles', async () => {
    const rows = [
      [-5, 3, 2, -5, 3],
      [4, 3, 2, 1, -3],
      [1, 0, 3, 3, 5],
      [-2, 0, 1, 4, 4],
      [5, 6, 7, 9, -1],
    ];
    const y = conv2d(given([[rows]]), given([[[[2]]]]) as never);
    await expectExact(y, [
      [
        [
          [-10, 6, 4, -10, 6],
          [8, 6, 4, 2, -6],
          [2, 0, 6, 6, 10],
          [-4, 0, 2, 8, 8],
          [10, 12, 14, 18, -2],
        ],
      ],
    ]);
  });

  test('a 1×1 convolution is a fully connected layer over the channels of each pixel; 5 filters give 5 channels', async () => {
    manualSeed(1);
    const conv = new Conv2d(3, 5, 1);
    const linear = new Linear(3, 5);
    linear.weight.assign_((conv.weight as Tensor).reshape([5, 3]) as never);
    linear.bias?.assign_(conv.bias as never);
    const x = randn([1, 3, 4, 4]) as Tensor;
    const pixels = x.permute([0, 2, 3, 1]) as Tensor;
    const y = chain(conv).forward(x);
    expect(y.shape).toEqual([1, 5, 4, 4]);
    await expectSame(y.permute([0, 2, 3, 1]) as Tensor, chain(linear).forward(pixels));
  });

  test('inception block: branches of same convolutions and a 3×3 pool of stride 1 join along the channels', () => {
    const block = new Parallel([
      new Conv2d(200, 64, 1),
      new Sequential(new Conv2d(200, 96, 1), new Conv2d(96, 128, 3, { padding: 1 })),
      new Sequential(new Conv2d(200, 16, 1), new Conv2d(16, 32, 5, { padding: 2 })),
      new Sequential(new MaxPool2d(3, { stride: 1, padding: 1 }), new Conv2d(200, 32, 1)),
    ]);
    expect(chain(block).forward(zeros([1, 200, 32, 32])).shape).toEqual([1, 64 + 128 + 32 + 32, 32, 32]);
  });

  test('computational cost: 5×5 from 200 to 92 channels on 32×32 takes 470 million multiplications, through 16 channels 40 million', () => {
    const x = zeros([1, 200, 32, 32]);
    const direct = new Conv2d(200, 92, 5, { padding: 2 }).summary(x).multiplyAdds;
    const reduced = new Sequential(new Conv2d(200, 16, 1), new Conv2d(16, 92, 5, { padding: 2 })).summary(x);
    expect(direct).toBe(5 * 5 * 200 * 32 * 32 * 92);
    expect(Math.round(direct / 1e6)).toBe(471);
    expect(reduced.multiplyAdds).toBe(1 * 1 * 200 * 32 * 32 * 16 + 5 * 5 * 16 * 32 * 32 * 92);
    expect(Math.round(reduced.multiplyAdds / 1e6)).toBe(41);
  });

  test('depth-wise separable: 1,228,800 multiplications of 256 kernels 5×5×3 become 4800 + 49,152', () => {
    const x = zeros([1, 3, 12, 12]); // 8×8 places
    expect(new Conv2d(3, 256, 5).summary(x).multiplyAdds).toBe(1_228_800);
    const separable = new DepthwiseSeparableConv2d(3, 256, 5);
    const work = separable
      .summary(x)
      .rows.map((row) => row.multiplyAdds)
      .filter((n) => n > 0);
    expect(work).toEqual([4800, 49_152]);
    expect(new Conv2d(3, 3, 5, { groups: 3 }).summary(x).multiplyAdds).toBe(4800);
    expect(separable.forward(x).shape).toEqual([1, 256, 8, 8]);
  });

  test('groups: with groups of 3 a filter sees one channel alone, and the depth stays', async () => {
    const layer = new Conv2d(3, 3, 3, { groups: 3 });
    expect(layer.weight.shape).toEqual([3, 1, 3, 3]);
    const x = variable([[[[1]], [[1]], [[1]]]]).expand([1, 3, 5, 5]) as Tensor;
    const y = chain(layer).forward(x);
    expect(y.shape).toEqual([1, 3, 3, 3]);
    manualSeed(2);
    const z = randn([1, 3, 5, 5], { requiresGrad: true }) as Tensor;
    chain(layer).forward(z).slice(1, 0, 1).sum().backward();
    await expectExact((z.grad as Tensor).slice(1, 1, 3).abs().sum(), 0);
  });

  test('fully convolutional: the classifier behind 7×7 becomes a 7×7 convolution, and a larger image a map of scores', async () => {
    manualSeed(3);
    const fc = new Linear(8 * 7 * 7, 10);
    const conv = new Conv2d(8, 10, 7);
    conv.weight.assign_((fc.weight as Tensor).reshape([10, 8, 7, 7]) as never);
    conv.bias?.assign_(fc.bias as never);
    const x = randn([1, 8, 7, 7]) as Tensor;
    const gap = chain(conv).forward(x).flatten(1).sub(chain(new Flatten(), fc).forward(x)).abs().max();
    expect(Number(await gap.item())).toBeLessThan(1e-5);
    expect(conv.forward(zeros([1, 8, 12, 14])).shape).toEqual([1, 10, 6, 8]);
  });

  test('fully convolutional: five halvings leave H/32 × W/32', () => {
    const model = chain(...[1, 2, 3, 4, 5].map(() => new MaxPool2d(2)));
    expect(model.forward(zeros([1, 1, 320, 480])).shape).toEqual([1, 1, 10, 15]);
  });

  test('upsampling by interpolation: ×10, nearest, bilinear and bicubic', async () => {
    const x = given([
      [
        [
          [1, 2],
          [3, 4],
        ],
      ],
    ]);
    for (const mode of ['nearest', 'bilinear', 'bicubic'] as const) {
      expect((interpolate(x, { scaleFactor: 10, mode }) as Tensor).shape).toEqual([1, 1, 20, 20]);
    }
    const nearest = interpolate(x, { scaleFactor: 2, mode: 'nearest' }) as Tensor;
    await expectExact(nearest, [
      [
        [
          [1, 1, 2, 2],
          [1, 1, 2, 2],
          [3, 3, 4, 4],
          [3, 3, 4, 4],
        ],
      ],
    ]);
  });

  test('upsampling by unpooling: values go back to where the maxima were, the rest is 0', async () => {
    const x = given([
      [
        [
          [1, 5],
          [3, 2],
        ],
      ],
    ]);
    const { values, indices } = maxPool2dWithIndices(x, 2);
    const y = new MaxUnpool2d(2).forward(values as Tensor, indices as Tensor<number[], 'int32'>);
    await expectExact(y, [
      [
        [
          [0, 5],
          [0, 0],
        ],
      ],
    ]);
  });

  test('U-Net: two unpadded 3×3 convolutions take 4 pixels, a pool halves, an up-convolution doubles and halves the channels', () => {
    const double = (from: number, to: number) => [
      new Conv2d(from, to, 3),
      new ReLU(),
      new Conv2d(to, to, 3),
      new ReLU(),
    ];
    const first = chain(...double(1, 4)).forward(zeros([1, 1, 44, 44]));
    expect(first.shape).toEqual([1, 4, 40, 40]);
    const bottom = chain(new MaxPool2d(2), ...double(4, 8)).forward(first);
    expect(bottom.shape).toEqual([1, 8, 16, 16]);
    const up = chain(new ConvTranspose2d(8, 4, 2, { stride: 2 })).forward(bottom);
    expect(up.shape).toEqual([1, 4, 32, 32]);
    const joined = cat([first.slice(2, 4, 36).slice(3, 4, 36) as Tensor, up], 1) as Tensor;
    expect(joined.shape).toEqual([1, 8, 32, 32]);
    expect(chain(...double(8, 4), new Conv2d(4, 2, 1)).forward(joined).shape).toEqual([1, 2, 28, 28]);
    expect(sizes(new Conv2d(64, 2, 1))).toBe(130); // the last layer: 64 channels to two classes
  });

  test('AlexNet: 227×227×3, same convolutions behind the first one, about 60 million parameters, a thousand LeNets', () => {
    const summary = alexnet2012().summary([1, 3, 227, 227]);
    const maps = summary.rows.filter((row) => /^(Conv|MaxPool)/.test(row.module)).map((row) => row.outputs[0].slice(1));
    expect(maps).toEqual([
      [96, 55, 55],
      [96, 27, 27],
      [256, 27, 27],
      [256, 13, 13],
      [384, 13, 13],
      [384, 13, 13],
      [256, 13, 13],
      [256, 6, 6],
    ]);
    expect(Math.floor(summary.parameters / 1e6)).toBe(60);
    expect(Math.round(summary.parameters / lenet5().parameterCount)).toBe(988);
  });

  test('VGG: columns A to E have 11, 13, 16, 16 and 19 layers with weights, and 133, 133, 134, 138 and 144 million parameters', () => {
    const columns = [vgg11(), vgg13(), vgg16c(), vgg16(), vgg19()];
    const weighted = (model: Module): number =>
      model.namedModules().filter(([, m]) => m instanceof Conv2d || m instanceof Linear).length;
    expect(columns.map(weighted)).toEqual([11, 13, 16, 16, 19]);
    expect(columns.map((model) => Math.round(model.parameterCount / 1e6))).toEqual([133, 133, 134, 138, 144]);
    expect(Math.round(vgg11({ norm: 'response' }).parameterCount / 1e6)).toBe(133); // A-LRN
  });

  test('ResNet-152: 60 million parameters; the plain net of 34 layers is ResNet-34 without its shortcuts', () => {
    expect(Math.floor(resnet152().parameterCount / 1e6)).toBe(60);
    const keys = (model: Module): string[] => Object.keys(model.stateDict());
    expect(keys(plain34())).toEqual(keys(resnet34()).filter((key) => !key.includes('downsample')));
  });

  test('inception: naive, the pooling hands on all channels; reduced, it does not take up almost all of the output', () => {
    const naive = new InceptionBlock(192, { one: 64, three: 128, five: 32 });
    const widths = { one: 64, reduceThree: 96, three: 128, reduceFive: 16, five: 32, pool: 32 };
    const reduced = new InceptionBlock(192, widths);
    const x = [1, 192, 28, 28] as const;
    expect([naive.outChannels, reduced.outChannels]).toEqual([416, 256]);
    expect(reduced.forward(zeros(x)).shape).toEqual([1, 256, 28, 28]);
    expect(reduced.summary(x).multiplyAdds).toBeLessThan(naive.summary(x).multiplyAdds / 2);
  });

  test('Xception: 36 convolutional layers, nearly all of them depth-wise separable, in modules with skip connections', () => {
    const paths = xception()
      .namedModules()
      .map(([path]) => path);
    const separable = paths
      .filter((path) => path.endsWith('.pointwise'))
      .map((path) => path.replace(/\.pointwise$/, ''));
    expect(separable).toHaveLength(34);
    expect([...separable, 'conv1', 'conv2'].every((path) => paths.includes(path))).toBe(true); // 36
    expect(paths.filter((path) => /^block\d+$/.test(path))).toHaveLength(12);
  });

  test('U-Net: 572×572 becomes 388×388, and the last layer maps 64 channels to the classes', () => {
    const model = unet({ padded: false });
    expect(model.forward(zeros([1, 1, 572, 572])).shape).toEqual([1, 2, 388, 388]);
    expect(model.out.weight.shape).toEqual([2, 64, 1, 1]);
    const depths = model.down.map((block) => block.namedParameters()[0][1].shape[0]);
    expect(depths).toEqual([64, 128, 256, 512, 1024]);
  });
});
