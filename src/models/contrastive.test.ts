// SimCLR: its loss is NT-Xent of what the projection gives (which has PyTorch's numbers, see nn/losses/parity.test.ts), and features that it
// learns from digits without labels tell them apart better than random ones. Transfer: what is opened when, and at which rates.
import { expect, test } from 'vitest';
import { SoftmaxRegression, StandardScaler, pipeline } from '../classic/index.js';
import { ArrayDataset, DataLoader, digits } from '../data/index.js';
import { type Image, compose, randomAffine, toFloat, twoViews } from '../data/transforms/index.js';
import { type Tensor, manualSeed, noGrad, rand } from '../index.js';
import { BatchNorm1d, LeakyReLU, Linear, ReLU, Sequential, ntXentLoss } from '../nn/index.js';
import { Adam, SGD, layerwiseGroups } from '../optim/index.js';
import { Trainer, unfreezeStepwise } from '../train/index.js';
import { SimCLR, cnnBody } from './index.js';

test('the loss is that of the projections', async () => {
  manualSeed(0);
  const model = new SimCLR({
    encoder: cnnBody({ channels: 1, stages: [[4]] }),
    features: 4,
    projection: 3,
    temperature: 0.2,
  });
  model.eval();
  const [a, b] = [rand([5, 1, 6, 6]), rand([5, 1, 6, 6])];
  const wanted = await ntXentLoss(model.forward(a), model.forward(b), { temperature: 0.2 }).item();
  expect(await model.loss(a, b).item()).toBeCloseTo(wanted, 5);
  expect(() => model.loss(a, rand([4, 1, 6, 6]))).toThrow(
    'SimCLR.loss: views [5, 1, 6, 6] and [4, 1, 6, 6]: need one shape',
  );
  expect(() => new SimCLR({ encoder: new Linear(2, 2), features: 4, temperature: 0 })).toThrow('temperature is 0');
  expect(() => new SimCLR({ encoder: 3 as never, features: 4 })).toThrow('SimCLR: encoder');
  const other = new SimCLR({ encoder: cnnBody({ channels: 1, stages: [[4]] }), features: 8 });
  expect(() => other.forward(a)).toThrow('SimCLR: the encoder gives [5, 4]: need [N, 8]');
});

test('two views differ, belong together, and are the same again for the same random numbers', async () => {
  const change = twoViews(compose(randomAffine({ degrees: 20, translate: [0.1, 0.1] }), toFloat()));
  const views = digits().transformedSamples(change);
  const loader = () => new DataLoader(views, { batchSize: 4, seed: 1 });
  const read = async () => {
    for await (const { a, b } of loader()) return [[...(await a.data())], [...(await b.data())]];
    return [];
  };
  const [first, again] = [await read(), await read()];
  expect(first).toEqual(again);
  expect(first[0]).not.toEqual(first[1]);
});

test('features learned without labels are worth more than random ones', async () => {
  manualSeed(0);
  const { train, test: asked } = digits().split({ train: 0.5, test: 0.5 }, { stratify: 'y' });
  const change = twoViews(
    compose(randomAffine({ degrees: 15, translate: [0.15, 0.15], scale: [0.8, 1.2] }), toFloat()),
  );
  const create = () => cnnBody({ channels: 1, stages: [[8], [16]] });
  const [encoder, random] = [create(), create()];
  const model = new SimCLR({ encoder, features: 16, projection: 16 });
  await new Trainer({
    model,
    optimizer: new Adam(model.parameters(), { lr: 5e-3 }),
    train: new DataLoader(train.transformedSamples(change), { batchSize: 128, shuffle: true, dropLast: true, seed: 0 }),
    forward: (_, { a, b }) => model.loss(a, b),
    epochs: 10,
  }).fit();
  const all = (set: typeof train) => set.batch(Array.from({ length: set.length }, (_, i) => i));
  const probe = async (body: typeof encoder): Promise<number> => {
    body.eval();
    const [known, unknown] = [all(train), all(asked)];
    const linear = pipeline(new StandardScaler(), new SoftmaxRegression());
    await linear.fit(
      noGrad(() => body.forward(known.x)),
      await known.y.data(),
    );
    return await linear.score(
      noGrad(() => body.forward(unknown.x)),
      await unknown.y.data(),
    );
  };
  const [learned, before] = [await probe(encoder), await probe(random)];
  expect(learned).toBeGreaterThan(before + 0.1);
}, 60_000);

test('parts are opened from the end, each with a rate of its own', async () => {
  manualSeed(0);
  const parts = [
    new Linear(2, 4, { bias: false }),
    new Sequential(new BatchNorm1d(4), new LeakyReLU()),
    new Linear(4, 1),
  ] as const;
  const model = new Sequential(...parts);
  const groups = layerwiseGroups(parts, { lr: 0.1, decay: 0.5 });
  expect(groups.map(({ lr }) => lr)).toEqual([0.025, 0.05, 0.1]);
  const data = new ArrayDataset({
    x: { data: Float32Array.from({ length: 16 }, (_, i) => Math.sin(i)), shape: [2] },
    y: { data: new Float32Array(8).fill(1), shape: [1] },
  });
  const weights = async () => await Promise.all(model.parameters().map(async (p) => [...(await p.data())].join()));
  const seen = [await weights()];
  const means = [[...(await model.buffers()[0].data())].join()];
  await new Trainer({
    model,
    optimizer: new SGD(groups),
    train: new DataLoader(data, { batchSize: 8 }),
    loss: (output, target) =>
      output
        .sub(target as Tensor)
        .square()
        .mean(),
    callbacks: [
      unfreezeStepwise(parts, { every: 2 }),
      {
        async onEpochEnd() {
          seen.push(await weights());
          means.push([...(await model.buffers()[0].data())].join());
        },
      },
    ],
    epochs: 5,
  }).fit();
  const moved = seen.slice(1).map((now, i) => now.map((text, k) => text !== seen[i][k]));
  // the weight at the beginning, two of the batch normalisation, two of the head
  const [head, middle, all] = ['00011', '01111', '11111'].map((row) => [...row].map((flag) => flag === '1'));
  expect(moved).toEqual([head, head, middle, middle, all]);
  expect(means.slice(1).map((text, i) => text !== means[i])).toEqual([false, false, true, true, true]);
});

test('what is no part is refused', () => {
  expect(() => unfreezeStepwise([])).toThrow('unfreezeStepwise: there are no parts.');
  expect(() => unfreezeStepwise([3 as never])).toThrow('unfreezeStepwise: part 0');
  expect(() => unfreezeStepwise([new ReLU()], { every: 0 })).toThrow('unfreezeStepwise: every is 0');
  expect(() => layerwiseGroups([new ReLU()], { lr: -1 })).toThrow('layerwiseGroups: lr is -1.');
  expect(() => layerwiseGroups([new ReLU()], { lr: 1, decay: 2 })).toThrow('layerwiseGroups: decay is 2.');
  expect(() => layerwiseGroups([3 as never], { lr: 1 })).toThrow('layerwiseGroups: part 0 is no module.');
  expect(() => twoViews(3 as never)).toThrow('twoViews');
  const view = twoViews((image: Image) => ({ data: Float32Array.from(image.data), shape: image.shape }));
  expect(() => view({ x: { data: new Uint8Array(3), shape: [1, 2, 2] } }, undefined as never)).toThrow(
    'twoViews: 3 numbers',
  );
});
