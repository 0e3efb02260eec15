// Lecture 8, regularisation: weight decay, dropout, batch norm and its relatives.
import { expect, test } from 'vitest';
import { type Tensor, manualSeed, randn } from 'nabla';
import {
  BatchNorm1d,
  BatchNorm2d,
  Dropout,
  GroupNorm,
  InstanceNorm2d,
  LayerNorm,
  Linear,
  Sequential,
  mseLoss,
} from 'nabla/nn';
import { ArrayDataset, DataLoader, HostRandom } from 'nabla/data';
import { functional as F, randomCrop } from 'nabla/data/transforms';
import { Adam, AdamW, SGD } from 'nabla/optim';
import { Trainer } from 'nabla/train';
import { course, expectExact, expectPrinted, expectSame, given, numbers, set, variable } from '../support/course.js';

const largest = async (x: unknown): Promise<number> => Number(await (x as Tensor).abs().max().item());

course('lecture 8', () => {
  test('pre-processing: data minus its mean is centred, and divided by its deviation has variance 1', async () => {
    const x = given([
      [1, 10],
      [3, 30],
      [5, 20],
    ]);
    const centred = x.sub(x.mean(0, { keepdim: true }) as Tensor) as Tensor;
    await expectExact(centred, [
      [-2, -10],
      [0, 10],
      [2, 0],
    ]);
    const normalised = centred.div(x.std(0, { keepdim: true }) as Tensor) as Tensor;
    await expectExact(normalised.var(0), [1, 1]);
  });

  test('augmentation: flips make two images of one, ten crops of 224×224 are four corners and the centre, twice', () => {
    const image = { data: Float32Array.from({ length: 256 * 256 }, (_, i) => i), shape: [1, 256, 256] as const };
    const mirrored = F.horizontalFlip(image);
    expect([mirrored.data[0], mirrored.data[255]]).toEqual([255, 0]);
    const crops = F.tenCrop(image, 224);
    expect(crops.map((crop) => crop.shape)).toEqual(Array(10).fill([1, 224, 224]));
    // upper left pixel of each: corners at 0 and 32, the centre at 16
    const corner = (y: number, x: number): number => 256 * y + x;
    const first = [corner(0, 0), corner(0, 32), corner(32, 0), corner(32, 32), corner(16, 16)];
    expect(crops.slice(0, 5).map((crop) => crop.data[0])).toEqual(first);
    expect(crops[5].data[0]).toBe(255);
  });

  test('augmentation: an image with a short side of L in [256, 480] gives random crops of 224×224', () => {
    const image = { data: new Float32Array(30 * 40).map((_, i) => i), shape: [1, 30, 40] as const };
    const random = new HostRandom(1);
    for (const side of [256, 480]) {
      const scaled = F.resize(image, side);
      expect(scaled.shape).toEqual([1, side, Math.floor((side * 40) / 30)]);
      expect(randomCrop(224)(scaled, random).shape).toEqual([1, 224, 224]);
    }
  });

  test('ensembles: the squared error of the mean of k models with uncorrelated errors is one k-th', async () => {
    manualSeed(7);
    const errors = randn([10, 4000]) as Tensor;
    for (const k of [1, 2, 5, 10]) {
      const error = Number(await errors.slice(0, 0, k).mean(0).square().mean().item());
      expect(Math.abs(error * k - 1)).toBeLessThan(0.1);
    }
  });

  /** A step on L = 3·w with L2 regularisation, from w = 2. */
  const step = async (make: (w: Tensor) => { step(): Promise<void> }, penalty: number): Promise<Tensor> => {
    const w = variable([2]);
    w.mul(3)
      .add(w.square().mul(penalty / 2))
      .sum()
      .backward();
    await make(w).step();
    return w;
  };

  // The slide scales λ by no learning rate: its λ is α·λ of the optimiser.
  test('L2 regularisation is weight decay in gradient descent: (1 − λ)θ − α∇L', async () => {
    const [alpha, decay] = [0.1, 0.5];
    const expected = [(1 - alpha * decay) * 2 - alpha * 3];
    await expectExact(await step((w) => new SGD([w], { lr: alpha }), decay), expected);
    await expectExact(await step((w) => new SGD([w], { lr: alpha, weightDecay: decay }), 0), expected);
  });

  test('not so in Adam: there L2 is lost in the normalisation, and AdamW decays beside it', async () => {
    const [alpha, decay] = [0.1, 0.5];
    await expectPrinted(await step((w) => new Adam([w], { lr: alpha }), decay), [2 - alpha], 5);
    await expectPrinted(await step((w) => new Adam([w], { lr: alpha, weightDecay: decay }), 0), [2 - alpha], 5);
    const decoupled = (1 - alpha * decay) * 2 - alpha;
    await expectPrinted(await step((w) => new AdamW([w], { lr: alpha, weightDecay: decay }), 0), [decoupled], 5);
  });

  // The script (VIII.2) has the example: an impatience of 3.
  test('early stopping: after three epochs in which the validation loss rose, training ends', async () => {
    const points = (target: number) =>
      new ArrayDataset({
        x: { data: Float32Array.of(1, 1), shape: [1] as const },
        y: { data: Float32Array.of(target, target), shape: [1] as const },
      });
    const model = set(new Linear(1, 1, { bias: false }), { weight: [[0]] });
    const trainer = new Trainer({
      model,
      optimizer: new SGD(model.parameters(), { lr: 0.1 }),
      train: new DataLoader(points(10), { batchSize: 2 }),
      validation: new DataLoader(points(3), { batchSize: 2 }),
      loss: (output: Tensor, y: Tensor) => mseLoss(output, y) as Tensor,
      epochs: 50,
      earlyStopping: { patience: 3 },
    } as never);
    const { reason, epoch, history } = await trainer.fit();
    // w = 2, 3.6, 4.88, 5.904, 6.7232, …: nearest to 3 after the second epoch
    const losses = history.map((e) => (e as { validation?: { loss: number } }).validation?.loss ?? NaN);
    expect(losses.map((v) => Number(v.toFixed(2)))).toEqual([1, 0.36, 3.53, 8.43, 13.86]);
    expect([reason, epoch]).toEqual(['early-stopping', 5]);
  });

  /** z = θ₁x₁ + θ₂x₂ with dropout of one half on x: θ = (2, 3), x = (5, 7). */
  const neuron = () => new Sequential(new Dropout(0.5), set(new Linear(2, 1, { bias: false }), { weight: [[2, 3]] }));
  const batch = (n: number) => given([[5, 7]]).expand([n, 2]) as Tensor<[number, 2]>;

  test('dropout: over the four masks E[z] = ½(θ₁x₁ + θ₂x₂), the output with weights times p', async () => {
    const masks = given([
      [0, 0],
      [1, 0],
      [0, 1],
      [1, 1],
    ]);
    const all = masks.mul(batch(4) as unknown as Tensor).matmul(given([2, 3])) as Tensor;
    await expectExact(all.mean(), 15.5);
    await expectExact(
      batch(1)
        .matmul(given([[2], [3]]) as unknown as Tensor<[2, 1]>)
        .mul(0.5),
      [[15.5]],
    );
  });

  test('dropout in nabla (as in PyTorch) doubles what stays, so that the test needs no factor: 0, 20, 42 or 62, 31 on average', async () => {
    manualSeed(1);
    const model = neuron();
    const z = model.forward(batch(8000));
    const seen = new Set((await numbers(z)).map((v) => Math.round(v)));
    expect([...seen].sort((a, b) => a - b)).toEqual([0, 20, 42, 62]);
    expect(Number(await z.mean().item())).toBeGreaterThan(30);
    expect(Number(await z.mean().item())).toBeLessThan(32);
    model.eval();
    await expectExact(model.forward(batch(1)), [[31]]);
  });

  test('Monte-Carlo dropout: the mean of 100 passes in training mode comes near the pass without dropout', async () => {
    manualSeed(2);
    const model = new Sequential(new Dropout(0.1), new Linear(6, 3));
    const x = randn([1, 6]).detach();
    const many = model.forward(x.expand([100, 6])).mean(0) as Tensor;
    const deviation = await largest(model.forward(x.expand([100, 6])).std(0));
    expect(deviation).toBeGreaterThan(0);
    model.eval();
    const gap = await largest(many.sub(model.forward(x).reshape([3]) as Tensor));
    expect(gap).toBeLessThan(4 * (deviation / 10) + 1e-6);
  });

  const features = (): Tensor<[number, number]> =>
    given([
      [1, 10],
      [3, 30],
      [5, 20],
      [7, 0],
    ]) as never;

  test('batch norm in training: mean 0 and variance 1 of each feature over the batch', async () => {
    const y = new BatchNorm1d(2, { eps: 0 }).forward(features() as never) as Tensor;
    await expectPrinted(y.mean(0), [0, 0], 5);
    await expectPrinted(y.square().mean(0), [1, 1], 5);
    const r5 = Math.sqrt(5);
    await expectPrinted(y.slice(1, 0, 1), [[-3 / r5], [-1 / r5], [1 / r5], [3 / r5]], 5);
  });

  test('batch norm can undo itself: γ = √Var and β = E give back the input', async () => {
    const norm = set(new BatchNorm1d(2, { eps: 0 }), { weight: [Math.sqrt(5), Math.sqrt(125)], bias: [4, 15] });
    await expectPrinted(norm.forward(features() as never), (await features().array()) as number[][], 4);
  });

  // nabla's momentum (as PyTorch's) is 1 − β_m, and the running variance is that of a sample (n − 1).
  test('batch norm at test time: running means β_m·μ + (1 − β_m)·μ_batch, and a single sample will do', async () => {
    const beta = 0.75;
    const norm = new BatchNorm1d(2, { momentum: 1 - beta, eps: 0 });
    await norm.forward(features() as never).array();
    await expectExact(norm.runningMean as Tensor, [(1 - beta) * 4, (1 - beta) * 15]);
    await expectExact(norm.runningVar as Tensor, [beta + ((1 - beta) * 20) / 3, beta + ((1 - beta) * 500) / 3]);
    await norm.forward(features() as never).array();
    await expectExact(norm.runningMean as Tensor, [(1 - beta ** 2) * 4, (1 - beta ** 2) * 15]);
    norm.eval();
    const one = given([[4, 15]]);
    const expected = one.sub(norm.runningMean as Tensor).div((norm.runningVar as Tensor).sqrt()) as Tensor;
    await expectSame(norm.forward(one as never) as Tensor, expected);
  });

  test('layer, instance, group and batch norm are means over other axes of N×C×H×W', async () => {
    manualSeed(3);
    const x = (randn([3, 4, 5, 5]) as Tensor).add(2) as Tensor<[3, 4, 5, 5]>;
    const centred: [unknown, number[]][] = [
      [new BatchNorm2d(4).forward(x), [0, 2, 3]],
      [new LayerNorm([4, 5, 5]).forward(x), [1, 2, 3]],
      [new InstanceNorm2d(4).forward(x), [2, 3]],
      [(new GroupNorm(2, 4).forward(x) as Tensor).reshape([3, 2, 2, 5, 5]), [2, 3, 4]],
    ];
    for (const [y, axes] of centred) expect(await largest((y as Tensor).mean(axes))).toBeLessThan(1e-5);
    expect(await largest((centred[0][0] as Tensor).mean([1, 2, 3]))).toBeGreaterThan(1e-2);
  });

  test('what BN gives: the output does not feel the scale of the weights before it', async () => {
    manualSeed(4);
    const [x, layer] = [randn([16, 3]), new Linear(3, 5, { bias: false })];
    const norm = new BatchNorm1d(5, { eps: 0 });
    const before = (await (norm.forward(layer.forward(x)) as Tensor).array()) as number[][];
    layer.weight.assign_((layer.weight as Tensor).mul(100) as never);
    await expectPrinted(norm.forward(layer.forward(x)), before, 4);
  });
});
