// Parameters and multiply-adds against what is published: those of torchvision's weights (`meta`), of papers, and of the course.
// Also what all networks for images share: options, errors, another head.
import { beforeAll, expect, test } from 'vitest';
import { type Tensor, noGrad, rand, setDevice } from 'nabla';
import type { Module } from 'nabla/nn';
import * as models from 'nabla/models';

const isComplete = process.env['NABLA_PARITY'] === 'all';

/** A network, billions of multiply-adds to three digits, the side of its images, and its parameters. */
type Row = readonly [name: string, build: () => Module, work: number, side: number, parameters: number];

const QUICK: readonly Row[] = [
  ['alexnet', models.alexnet, 0.714, 224, 61_100_840],
  ['vgg11', models.vgg11, 7.609, 224, 132_863_336],
  ['vgg16', models.vgg16, 15.47, 224, 138_357_544],
  ['resnet18', models.resnet18, 1.814, 224, 11_689_512],
  ['resnet50', models.resnet50, 4.089, 224, 25_557_032],
  ['googlenet', () => models.googlenet({ auxLogits: false }), 1.498, 224, 6_624_904],
  ['efficientnet_b0', models.efficientnetB0, 0.386, 224, 5_288_548],
  ['mobilenet_v2', models.mobilenetV2, 0.301, 224, 3_504_872],
  ['mobilenet_v3_small', models.mobilenetV3Small, 0.057, 224, 2_542_856],
  ['squeezenet1_0', models.squeezenet10, 0.819, 224, 1_248_424],
  ['shufflenet_v2_x1_0', models.shufflenetV2, 0.145, 224, 2_278_604],
  ['convnext_tiny', models.convnextTiny, 4.456, 224, 28_589_128],
  ['vit_b_16', models.vitB16, 17.564, 224, 86_567_656],
  ['swin_t', models.swinT, 4.491, 224, 28_288_354],
  ['lraspp_mobilenet_v3_large', models.lraspp, 2.086, 520, 3_221_538],
];

const OTHERS: readonly Row[] = [
  ['vgg13', models.vgg13, 11.308, 224, 133_047_848],
  ['vgg19', models.vgg19, 19.632, 224, 143_667_240],
  ['resnet34', models.resnet34, 3.664, 224, 21_797_672],
  ['resnet101', models.resnet101, 7.801, 224, 44_549_160],
  ['resnet152', models.resnet152, 11.514, 224, 60_192_808],
  ['resnext50_32x4d', models.resnext50, 4.23, 224, 25_028_904],
  ['wide_resnet50_2', models.wideResnet50, 11.398, 224, 68_883_240],
  ['inception_v3', models.inceptionV3, 5.713, 299, 27_161_264],
  ['efficientnet_b1', models.efficientnetB1, 0.687, 240, 7_794_184],
  ['efficientnet_b2', models.efficientnetB2, 1.088, 288, 9_109_994],
  ['efficientnet_b3', models.efficientnetB3, 1.827, 300, 12_233_232],
  ['efficientnet_b4', models.efficientnetB4, 4.394, 380, 19_341_616],
  ['efficientnet_b5', models.efficientnetB5, 10.266, 456, 30_389_784],
  ['efficientnet_b6', models.efficientnetB6, 19.068, 528, 43_040_704],
  ['efficientnet_b7', models.efficientnetB7, 37.746, 600, 66_347_960],
  ['densenet121', models.densenet121, 2.834, 224, 7_978_856],
  ['densenet161', models.densenet161, 7.728, 224, 28_681_000],
  ['densenet169', models.densenet169, 3.36, 224, 14_149_480],
  ['densenet201', models.densenet201, 4.291, 224, 20_013_928],
  ['mobilenet_v3_large', models.mobilenetV3Large, 0.217, 224, 5_483_032],
  ['squeezenet1_1', models.squeezenet11, 0.349, 224, 1_235_496],
  ['shufflenet_v2_x0_5', models.shufflenetV2Half, 0.04, 224, 1_366_792],
  ['convnext_small', models.convnextSmall, 8.684, 224, 50_223_688],
  ['convnext_base', models.convnextBase, 15.355, 224, 88_591_464],
  ['vit_b_32', models.vitB32, 4.409, 224, 88_224_232],
  ['vit_l_16', models.vitL16, 61.555, 224, 304_326_632],
  ['swin_s', models.swinS, 8.741, 224, 49_606_258],
  ['swin_b', models.swinB, 15.431, 224, 87_768_224],
  ['fcn_resnet50', () => models.fcn({ auxLoss: true }), 152.717, 520, 35_322_218],
  ['deeplabv3_resnet50', () => models.deeplabV3({ auxLoss: true }), 178.722, 520, 42_004_074],
];

beforeAll(() => setDevice('cpu'));

test('parameters and multiply-adds of one image are those that torchvision states', () => {
  const found = (isComplete ? [...QUICK, ...OTHERS] : QUICK).map(([name, build, , side, parameters]) => {
    const summary = build().summary([1, 3, side, side]);
    expect({ name, parameters: summary.parameters }).toEqual({ name, parameters });
    return [name, Math.round(summary.multiplyAdds / 1e6) / 1000];
  });
  expect(Object.fromEntries(found)).toEqual(
    Object.fromEntries((isComplete ? [...QUICK, ...OTHERS] : QUICK).map(([name, , work]) => [name, work])),
  );
});

test('parameters of the papers', () => {
  expect(models.alexnet2012().parameterCount).toBe(60_965_224);
  expect(models.vgg16c().parameterCount).toBe(133_638_952);
  expect(models.vgg11({ norm: 'response' }).parameterCount).toBe(models.vgg11().parameterCount);
  expect(models.plain34().parameterCount).toBe(21_797_672 - 172_032 - 2 * 896); // without the 1×1 shortcuts
  const twice = (from: number, to: number) => 9 * to * (from + to) + 2 * to;
  const widths = [64, 128, 256, 512];
  const down = twice(1, 64) + twice(64, 128) + twice(128, 256) + twice(256, 512) + twice(512, 1024);
  const up = widths.map((n) => 4 * 2 * n * n + n + twice(2 * n, n)).reduce((a, b) => a + b);
  expect(models.unet().parameterCount).toBe(down + up + 130); // 31.0 million
  const encoder = 14_714_688 + 2 * 4224; // the convolutions of VGG-16, and their normalisations
  expect(models.segnet().encoder.reduce((sum, block) => sum + block.parameterCount, 0)).toBe(encoder);
});

test('an input that is no batch of images, or has other channels, is refused by the name of the network', () => {
  const model = models.resnet18({ classes: 10, smallImages: true });
  // @ts-expect-error no batch
  expect(() => model.forward(rand([3, 32, 32]))).toThrow(
    'ResNet: input [3, 32, 32]: needs [N, C, H, W]. Make a batch of one image with unsqueeze(0)',
  );
  // @ts-expect-error one channel
  expect(() => model.forward(rand([2, 1, 32, 32]))).toThrow(
    'ResNet: input [2, 1, 32, 32]: channel dimension 1 is not inChannels 3',
  );
  expect(() => models.vgg16({ dropout: 2 })).toThrow('VGG: dropout is 2. Use a number from 0 to 1.');
  expect(() => models.googlenet({ classes: 0 })).toThrow('GoogLeNet: classes is 0. Use a whole number of at least 1.');
  expect(() => models.vitB16({ patchSize: 15 })).toThrow('patches of 15 do not divide an image of 224');
  expect(() => models.vitB16({ imageSize: 32 }).forward(rand([1, 3, 48, 48]))).toThrow('are not imageSize 32');
  expect(() => models.unet().forward(rand([1, 1, 40, 40]))).toThrow('height and width are not multiples of 16');
});

type ImageNetwork = Module & { forward(x: Tensor): Tensor };

test('small images, other channels and classes, another head', () => {
  const options = { classes: 7, inChannels: 1, smallImages: true } as const;
  const small = [
    models.resnet18,
    models.densenet121,
    models.efficientnetB0,
    models.mobilenetV2,
    models.mobilenetV3Small,
    models.shufflenetV2,
    models.squeezenet11,
    models.vgg11,
  ];
  const shapeOf = (model: ImageNetwork, x: Tensor): unknown => noGrad(() => model.eval().forward(x)).shape;
  for (const build of small) expect(shapeOf(build(options), rand([2, 1, 32, 32]))).toEqual([2, 7]);
  const vit = models.vitB16({ imageSize: 64, patchSize: 8, layers: 1, heads: 2, width: 8 });
  const others = [vit, models.swinT(), models.alexnet(), models.convnextTiny(), models.xception()];
  for (const model of [...small.map((build) => build()), ...others]) {
    const changed = model.newHead(5);
    expect(changed).toBe(model);
    expect(shapeOf(changed, rand([2, 3, 64, 64]))).toEqual([2, 5]);
  }
});

test('auxiliary classifiers speak in training alone', () => {
  const shapesOf = (out: Tensor | readonly Tensor[]): unknown =>
    Array.isArray(out) ? out.map((t: Tensor) => t.shape) : (out as Tensor).shape;
  const [small, large] = [rand([2, 3, 64, 64]), rand([2, 3, 299, 299])];
  const [google, inception] = [models.googlenet({ classes: 4 }), models.inceptionV3({ classes: 4 })];
  const logits = [2, 4];
  expect(shapesOf(google.forward(small))).toEqual([logits, logits, logits]);
  expect(shapesOf(inception.forward(large))).toEqual([logits, logits]);
  expect(shapesOf(google.eval().forward(small))).toEqual(logits);
  expect(shapesOf(inception.eval().forward(large))).toEqual(logits);
  const plain = models.googlenet({ classes: 4, auxLogits: false });
  expect(plain.forward(small).shape).toEqual(logits);
});

test('segmentation gives logits for each pixel', () => {
  const x = rand([1, 3, 64, 96]);
  expect(models.fcn().forward(x).out.shape).toEqual([1, 21, 64, 96]);
  expect(models.deeplabV3({ classes: 3, auxLoss: true }).forward(rand([2, 3, 64, 64])).aux.shape).toEqual([
    2, 3, 64, 64,
  ]);
  expect(models.segnet({ classes: 5 }).forward(x).shape).toEqual([1, 5, 64, 96]);
  expect(models.unet({ inChannels: 3 }).forward(x).shape).toEqual([1, 2, 64, 96]);
  expect(models.unet({ padded: false }).forward(rand([1, 1, 572, 572])).shape).toEqual([1, 2, 388, 388]);
});
