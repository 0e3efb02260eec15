// The checks before training: what passes, what does not, and that nothing is left changed.
import { beforeEach, expect, test } from 'vitest';
import { ArgumentError, type AnyTensor, type Tensor, manualSeed, setDevice } from '../../index.js';
import { DataLoader, digits } from '../../data/index.js';
import { BatchNorm1d, Dropout, Flatten, Linear, ReLU, Sequential } from '../../nn/index.js';
import { Adam, SGD } from '../../optim/index.js';
import { checkInitialLoss, findLearningRate, overfitOneBatch, readErrors } from '../index.js';
import { suggest } from './find-rate.js';

beforeEach(() => {
  setDevice('cpu');
  manualSeed(0);
});

const createModel = () =>
  new Sequential(
    new Flatten(),
    new Linear(64, 32),
    new BatchNorm1d(32),
    new ReLU(),
    new Dropout(0.5),
    new Linear(32, 10),
  );
const loader = () => new DataLoader(digits().subset([...Array(320).keys()]), { batchSize: 32, shuffle: true, seed: 1 });

test('the first loss of 10 classes is log(10)', () => {
  expect(checkInitialLoss(2.35, { classes: 10 })).toMatchObject({ passed: true, value: 2.35, expected: Math.log(10) });
  const high = checkInitialLoss(30, { classes: 10 });
  expect(high.passed).toBe(false);
  expect(high.text).toBe(
    'The first loss is 30.0, log(10) is 2.30: the model is sure of wrong answers before it has seen any. Weights or inputs are too large, or labels are off.',
  );
  expect(checkInitialLoss(0.1, { classes: 10 }).text).toContain('knows the answer already');
  expect(checkInitialLoss(NaN, { classes: 10 }).passed).toBe(false);
  expect(() => checkInitialLoss(1, { classes: 1 })).toThrow(ArgumentError);
});

test('one batch can be learned by heart, and the model stays as it is', async () => {
  const model = createModel();
  const before = await model.parameters()[0].data();
  const batch = digits().batch([...Array(16).keys()]);
  const check = await overfitOneBatch(model, batch);
  expect(check).toMatchObject({ event: 'check', name: 'overfit-one-batch', passed: true });
  expect(await model.parameters()[0].data()).toEqual(before);
  expect(model.layers[4].training).toBe(true);
});

test('one batch cannot be learned by a model that does not see it', async () => {
  const model = createModel();
  const batch = digits().batch([...Array(16).keys()]);
  const blind = { x: (batch.x as Tensor).mul(0) as AnyTensor, y: batch.y as AnyTensor };
  const check = await overfitOneBatch(model, blind, { steps: 60 });
  expect(check.passed).toBe(false);
  expect(check.text).toContain('cannot be learned by heart');
  await expect(overfitOneBatch(model, 5)).rejects.toThrow('the batch is not { x, y }');
});

test('the range test suggests a rate and leaves model and optimiser alone', async () => {
  const model = createModel();
  const optimizer = new Adam(model.parameters(), { lr: 0.5 });
  const before = await Promise.all(Object.values(model.stateDict()).map((t) => t.data()));
  const curve = await findLearningRate({ model, optimizer, train: loader(), from: 1e-6, to: 100, steps: 80 });
  expect(curve.suggestion).toBeGreaterThan(1e-4);
  expect(curve.suggestion).toBeLessThan(1);
  expect(curve.rates.length).toBe(curve.smooth.length);
  expect(await Promise.all(Object.values(model.stateDict()).map((t) => t.data()))).toEqual(before);
  expect(optimizer.groups[0].lr).toBe(0.5);
  expect(optimizer.stepCount).toBe(0);
});

test('SGD diverges before the last rate', async () => {
  const model = createModel();
  const curve = await findLearningRate({
    model,
    optimizer: new SGD(model.parameters(), { momentum: 0.9 }),
    train: loader(),
    from: 1e-4,
    to: 1e4,
    steps: 60,
  });
  expect(curve.diverged).toBe(true);
  expect(curve.rates.length).toBeLessThan(60);
  await expect(
    findLearningRate({ ...curve, model, optimizer: new SGD(model.parameters()), train: loader(), from: 0 }),
  ).rejects.toThrow(ArgumentError);
});

test('a curve that does not fall has no suggestion', () => {
  expect(suggest([1e-3, 1e-2, 1e-1, 1], [2.3, 2.3, 2.31, 9]).suggestion).toBeUndefined();
  const { steepest, tenthOfMinimum, suggestion } = suggest([1e-4, 1e-3, 1e-2, 1e-1, 1, 10], [2.3, 2.2, 1, 0.5, 0.4, 5]);
  expect([steepest, tenthOfMinimum, suggestion]).toEqual([1e-2, 0.1, 1e-2]);
});

test('errors are read by bias and variance: the example of lecture 6', () => {
  const reading = readErrors({ best: 0.01, training: 0.05, validation: 0.08 });
  expect(reading.verdict).toBe('both');
  expect(reading.bias).toBeCloseTo(0.04);
  expect(reading.variance).toBeCloseTo(0.03);
  expect(readErrors({ training: 0.01, validation: 0.12 }).verdict).toBe('overfitting');
  expect(readErrors({ training: 0.15, validation: 0.16 }).verdict).toBe('underfitting');
  expect(readErrors({ best: 0.14, training: 0.15, validation: 0.16 }).verdict).toBe('good');
  expect(readErrors({ training: 0.01, validation: 0.02, test: 0.1 }).verdict).toBe('overfitted-validation');
  expect(readErrors({ training: 0.1, validation: 0.05 }).verdict).toBe('validation-easier');
  expect(() => readErrors({ training: -1, validation: 0 })).toThrow(ArgumentError);
});
