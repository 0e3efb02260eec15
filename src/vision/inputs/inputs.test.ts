// The input as parameter: values by hand on linear networks, and what the functions promise on a trained one.
import { beforeAll, expect, test } from 'vitest';
import { digits } from '../../data/index.js';
import { type Tensor, arange, manualSeed, noGrad, rand, randn, tensor } from '../../index.js';
import { Conv2d, Flatten, GlobalAvgPool2d, Linear, MaxPool2d, ReLU, Sequential, crossEntropy } from '../../nn/index.js';
import { Adam } from '../../optim/index.js';
import { type Pictures, fgsm, gradCam, gramMatrix, pgd, saliency, transferStyle, visualise } from '../index.js';

const distance = (a: Tensor, b: Tensor): Promise<number> => a.sub(b).abs().amax().item();
const labels = tensor([0, 2, 1], { dtype: 'int32' });

test('saliency of a linear network is the largest weight of its channels', async () => {
  manualSeed(0);
  const [w, x] = [randn([2 * 3 * 4, 3]), rand([3, 2, 3, 4])];
  const maps = saliency((at) => at.reshape([3, 24]).matmul(w), x, { classes: labels });
  const weights = w.transpose(0, 1).indexSelect(0, labels).reshape([3, 2, 3, 4]).abs().amax(1);
  expect(maps.shape).toEqual([3, 3, 4]);
  expect(await distance(maps, weights.div(weights.amax([1, 2], { keepdim: true })))).toBeLessThan(1e-6);
  const free = saliency((at) => at.reshape([3, 24]).matmul(w), x);
  const largest = x.reshape([3, 24]).matmul(w).argmax(1);
  const same = saliency((at) => at.reshape([3, 24]).matmul(w), x, { classes: tensor(await largest.data()) });
  expect(await distance(free, same)).toBe(0);
});

test('Grad-CAM of a mean and a linear layer is the class activation map', async () => {
  manualSeed(1);
  const layer = new Conv2d(2, 4, 3, { padding: 1 });
  const head = new Linear(4, 3);
  const x = rand([3, 2, 6, 6]);
  const maps = gradCam((at) => head.forward(layer.forward(at).mean([2, 3])), layer, x, { classes: labels });
  const rows = head.weight.indexSelect(0, labels).reshape([3, 4, 1, 1]);
  const cam: Tensor = layer.forward(x).mul(rows).sum(1).relu();
  const wanted = cam.div(cam.amax([1, 2], { keepdim: true }).maximum(1e-30));
  expect(await distance(maps, wanted.detach())).toBeLessThan(1e-5);
  expect(layer.weight.grad).toBeUndefined(); // parameters are left alone
});

test('place by place Grad-CAM is what each place adds to the logit of a linear layer', async () => {
  manualSeed(1);
  const layer = new Conv2d(2, 4, 3, { padding: 1 });
  const head = new Linear(4 * 36, 3);
  const x = rand([3, 2, 6, 6]);
  const at = (pictures: Pictures) => head.forward(layer.forward(pictures).flatten(1).reshape([3, 144]));
  const maps = gradCam(at, layer, x, { classes: labels, weights: 'place' });
  const rows = head.weight.indexSelect(0, labels).reshape([3, 4, 6, 6]);
  const added: Tensor = layer.forward(x).mul(rows).sum(1).relu();
  const wanted = added.div(added.amax([1, 2], { keepdim: true }).maximum(1e-30));
  expect(await distance(maps, wanted.detach())).toBeLessThan(1e-5);
});

test('FGSM and PGD of a linear network are known', async () => {
  manualSeed(2);
  const w = randn([12, 2]);
  const classify = (at: Pictures) => at.reshape([2, 12]).matmul(w);
  const x = rand([2, 1, 3, 4]);
  const y = tensor([0, 1], { dtype: 'int32' });
  const slope = w
    .slice(1, 1, 2)
    .sub(w.slice(1, 0, 1))
    .reshape([1, 12]); // away from 0 is towards 1
  const away = slope.mul(tensor([[1], [-1]])).reshape([2, 1, 3, 4]);
  const moved = (by: number): Tensor => x.add(away.sign().mul(by)).clamp(0, 1);
  expect(await distance(fgsm(classify, x, y, { epsilon: 0.1 }), moved(0.1))).toBeLessThan(1e-6);
  expect(await distance(fgsm(classify, x, y, { epsilon: 0.1, targeted: true }), moved(-0.1))).toBeLessThan(1e-6);
  const found = await pgd(classify, x, y, { epsilon: 0.1, steps: 3 });
  expect(await distance(found, moved(0.1))).toBeLessThan(1e-6); // 2.5 times as far as it may go, from anywhere
  const open = await pgd(classify, x, y, { epsilon: 0.5, steps: 2, stepSize: 0.1, randomStart: false, range: [-9, 9] });
  expect(await distance(open, x.add(away.sign().mul(0.2)))).toBeLessThan(1e-6);
});

const network = () =>
  new Sequential(
    new Conv2d(1, 12, 3, { padding: 1 }),
    new ReLU(),
    new MaxPool2d(2),
    new Conv2d(12, 24, 3, { padding: 1 }),
    new ReLU(),
    new Flatten(),
    new Linear(24 * 4 * 4, 10),
  );

let model: ReturnType<typeof network>;
const { train, test: rest } = digits().split({ train: 0.8, test: 0.2 });
const classify = (at: Pictures) => model.forward(at);

beforeAll(async () => {
  manualSeed(0);
  model = network();
  const optimizer = new Adam(model.parameters(), { lr: 5e-3 });
  const { x, y } = train.batch(Array.from({ length: 512 }, (_, i) => i));
  for (let step = 0; step < 60; step++) {
    optimizer.zeroGrad();
    crossEntropy(model.forward(x), y).backward();
    await optimizer.step();
  }
  model.eval();
}, 60_000);

test('small changes change the names that a trained network gives, and stay small', async () => {
  const { x, y } = rest.batch(Array.from({ length: 200 }, (_, i) => i));
  const right = (at: Pictures): Promise<number> =>
    noGrad(() => model.forward(at).argmax(1).eq(y).to('float32').mean()).item();
  const options = { epsilon: 0.12 };
  const [fast, small] = [fgsm(classify, x, y, options), await pgd(classify, x, y, options)];
  const [clean, afterFast, afterSmall] = [await right(x), await right(fast), await right(small)];
  expect(clean).toBeGreaterThan(0.9);
  expect(afterFast).toBeLessThan(clean - 0.15);
  expect(afterSmall).toBeLessThanOrEqual(afterFast);
  for (const found of [fast, small]) expect(await distance(found, x)).toBeLessThan(0.12 + 1e-6);
  expect([await small.amin().item(), await small.amax().item()]).toEqual([0, 1]);
});

test('a picture that was made for a class is named so, more surely than any digit', async () => {
  manualSeed(3);
  const made = await visualise((x) => model.forward(x).select(1, 7), { shape: [2, 1, 8, 8], steps: 60 });
  const logits = noGrad(() => model.forward(made));
  expect(await logits.argmax(1).array()).toEqual([7, 7]);
  const { x } = rest.batch(Array.from({ length: 200 }, (_, i) => i));
  const digitsAt7 = noGrad(() => model.forward(x)).select(1, 7);
  expect(await logits.select(1, 7).amin().item()).toBeGreaterThan(await digitsAt7.amax().item());
  const smooth = await visualise((x) => model.forward(x).select(1, 7), {
    shape: [2, 1, 8, 8],
    steps: 60,
    smoothness: 5,
  });
  const rough = (t: Pictures) =>
    t
      .slice(2, 1, 8)
      .sub(t.slice(2, 0, 7))
      .square()
      .sum()
      .item();
  expect(await rough(smooth)).toBeLessThan(0.8 * (await rough(made)));
});

test('Gram matrices, by hand', async () => {
  const maps = tensor([1, 2, 3, 4, 0, -1, 2, 0]).to('float32').reshape([1, 2, 2, 2]);
  expect(await gramMatrix(maps).array()).toEqual([
    [
      [30 / 8, 4 / 8],
      [4 / 8, 5 / 8],
    ],
  ]);
});

test('style transfer: the strokes of one picture on the things of another', async () => {
  manualSeed(4);
  const first = new Sequential(new Conv2d(1, 8, 3, { padding: 1 }), new ReLU());
  const second = new Sequential(new MaxPool2d(2), new Conv2d(8, 8, 3, { padding: 1 }), new ReLU());
  const run = (at: Pictures) => second.forward(first.forward(at));
  const { x } = rest.batch([3]);
  const stripes: Pictures = arange(8).remainder(2).to('float32').reshape([1, 1, 1, 8]).expand([1, 1, 8, 8]);
  const made = await transferStyle(run, x, stripes, {
    content: [second],
    style: [first],
    steps: 60,
    styleWeight: 5,
    smoothness: 0.1,
  });
  expect(made.shape).toEqual([1, 1, 8, 8]);
  expect([await made.amin().item(), await made.amax().item()]).toSatisfy(
    ([low, high]: number[]) => low >= 0 && high <= 1,
  );
  const off = async (layer: (at: Pictures) => Tensor, a: Pictures, b: Pictures): Promise<number> =>
    noGrad(() => layer(a).sub(layer(b)).square().sum()).item();
  const strokes = (at: Pictures): Tensor => gramMatrix(first.forward(at));
  expect(await off(strokes, made, stripes)).toBeLessThan(0.3 * (await off(strokes, x, stripes)));
  expect(await off(run, made, x)).toBeLessThan(await off(run, stripes, x));
  expect(first.parameters()[0].grad).toBeUndefined();
  await expect(transferStyle(run, x, stripes, { content: [], style: [first] })).rejects.toThrow('content has no layer');
  await expect(transferStyle(run, x, stripes, { content: [new ReLU()], style: [first] })).rejects.toThrow(
    'layer 0 gave 0 tensors',
  );
});

test('what is wrong is said', async () => {
  const x = rand([2, 1, 8, 8]);
  const y = tensor([1, 2], { dtype: 'int32' });
  expect(() => saliency((at) => at, x)).toThrow(
    'saliency: the function returned [2, 1, 8, 8] for 2 pictures: needs logits',
  );
  expect(() => saliency(classify, x, { classes: labels })).toThrow(
    'saliency: classes [3]: need [2], one for each picture',
  );
  expect(() => gradCam(classify, model, x)).toThrow('gradCam: the layer gave [2, 10]: needs maps [N, K, h, w]');
  expect(() => gradCam(classify, new GlobalAvgPool2d(), x)).toThrow('gradCam: the layer was called 0 times');
  expect(() => fgsm(classify, x, y, { epsilon: -1 })).toThrow('fgsm: epsilon is -1. Use a number of at least 0.');
  expect(() => fgsm(classify, x, y, { range: [1, 0] })).toThrow('fgsm: range is [1,0]. Use two numbers');
  await expect(pgd(classify, x, y, { steps: 0 })).rejects.toThrow('pgd: steps is 0. Use a whole number of at least 1.');
  await expect(visualise(classify, { shape: [1, 1, 8, 0] })).rejects.toThrow('visualise: shape is [1, 1, 8, 0]');
  await expect(visualise(classify, { shape: [1, 1, 8, 8], lr: 0 })).rejects.toThrow('visualise: lr is 0');
});
