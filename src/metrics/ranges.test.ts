// Labels that are no class, and scores that may be probabilities or logits: on every device, for every family of metrics.
import { beforeEach, describe, expect, test } from 'vitest';
import { type AnyTensor, IndexError, setDevice, tensor } from '../index.js';
import { bceWithLogits } from '../nn/index.js';
import {
  AUROC,
  Accuracy,
  AveragePrecision,
  CalibrationError,
  CohenKappa,
  ConfusionMatrix,
  Dice,
  F1,
  IoU,
  MatthewsCorrelation,
  MeanIoU,
  type Metric,
  Perplexity,
  Precision,
  R2Score,
  Recall,
  TopKAccuracy,
} from './index.js';

const ints = (...numbers: number[]) => tensor(Int32Array.from(numbers));
const scores = () =>
  tensor([
    [1, 2, 3],
    [3, 1, 2],
  ]);
const of = async (metric: Metric<unknown>, output: AnyTensor, target: AnyTensor): Promise<unknown> => {
  metric.update(output, target);
  return metric.compute();
};

const CLASSES = {
  Accuracy,
  Precision,
  Recall,
  F1,
  MeanIoU,
  CohenKappa,
  MatthewsCorrelation,
  ConfusionMatrix,
  CalibrationError,
  Perplexity,
  AUROC,
  AveragePrecision,
};
const BINARY = {
  Accuracy,
  Precision,
  Recall,
  F1,
  IoU,
  Dice,
  MeanIoU,
  CohenKappa,
  ConfusionMatrix,
  AUROC,
  AveragePrecision,
};

describe.each(['reference', 'cpu'])('%s', (device) => {
  beforeEach(() => setDevice(device));

  test.each(Object.entries(CLASSES))('%s: a label of no class', async (name, Kind) => {
    for (const wrong of [3, -1, -100]) {
      const result = of(new Kind(), scores(), ints(0, wrong));
      await expect(result).rejects.toThrow(
        `${name}: label ${wrong} is no class. Use 0 to 2, or pass { ignoreIndex } for what counts nowhere.`,
      );
      await expect(result).rejects.toThrow(IndexError);
    }
    await of(new Kind({ ignoreIndex: -100 }), scores(), ints(2, -100));
  });

  test.each(Object.entries(BINARY))('%s: a label that is neither 0 nor 1', async (name, Kind) => {
    for (const target of [ints(0, 1, 2), tensor([0, 1, 2]), tensor([0, 1, -1])])
      await expect(of(new Kind(), tensor([0.1, 0.2, 0.9]), target)).rejects.toThrow(
        new RegExp(`^${name}: label (2|-1) is no class\\. Use 0 to 1`),
      );
  });

  test('TopKAccuracy: label, ConfusionMatrix and F1: prediction of no class; Accuracy only compares', async () => {
    await expect(of(new TopKAccuracy(1), scores(), ints(0, 3))).rejects.toThrow('TopKAccuracy: label 3 is no class');
    for (const Kind of [ConfusionMatrix, F1])
      await expect(of(new Kind({ numClasses: 3 }), ints(0, 5), ints(0, 1))).rejects.toThrow(
        `${Kind.name}: prediction 5 is no class. Use 0 to 2.`,
      );
    expect(await of(new Accuracy(), ints(7, -5), ints(7, 5))).toBe(0.5);
  });

  test('scores that all lie in [0, 1] are probabilities, others are logits, and what is known decides', async () => {
    const target = ints(0, 0, 1);
    expect(await of(new IoU(), tensor([0.1, 0.2, 0.9]), target)).toBe(1);
    for (const Kind of [Accuracy, Precision, F1, Dice, MeanIoU, CohenKappa])
      expect(await of(new Kind(), tensor([0.1, 0.2, 0.9]), target)).toBe(1);
    expect(await of(new Accuracy(), tensor([-0.1, -0.2, 0.4]), target)).toBe(1); // one is below 0
    expect(await of(new Accuracy(), tensor([-3, -1, 1.5]), target)).toBe(1);
    expect(await of(new Accuracy(), tensor([[0.1], [0.2], [0.9]]), target)).toBe(1);
    expect(await of(new Accuracy({ threshold: 0 }), tensor([0.1, 0.2, 0.9]), target)).toBeCloseTo(1 / 3, 6);
    expect(await of(new Accuracy(), tensor([[-3], [-1], [3]]).sigmoid(), target)).toBe(1);
    const multi = tensor([
      [0.1, 0.9],
      [0.8, 0.2],
    ]);
    expect(await of(new F1(), multi, ints(0, 1, 1, 0).reshape([2, 2]))).toBe(1);
    // A loss of logits has been given these: small numbers stay logits.
    const logits = tensor([0.3, 0.4]);
    bceWithLogits(logits, tensor([1, 1]));
    expect(await of(new Accuracy(), logits, ints(1, 1))).toBe(1);
    expect(await of(new Accuracy(), logits.reshape([2, 1]), ints(1, 1))).toBe(1);
  });

  test('probabilities of classes are not made probabilities again', async () => {
    const p = [
      [0.7, 0.2, 0.1],
      [0.1, 0.8, 0.1],
      [0.3, 0.3, 0.4],
    ];
    const target = ints(0, 1, 2);
    const confidence = (0.3 + 0.2 + 0.6) / 3; // each is right: 1 − its probability, in bins of their own
    expect(await of(new CalibrationError(), tensor(p), target)).toBeCloseTo(confidence, 6);
    const logits = tensor(p.map((row) => row.map((v) => Math.log(v))));
    expect(await of(new CalibrationError(), logits, target)).toBeCloseTo(confidence, 6);
    expect(await of(new AUROC(), tensor(p), target)).toBe(1);
  });

  test('R² of constant targets: 0 where they are missed, 1 where they are met, whatever their rounding', async () => {
    for (const value of [1, 0.1, 0.3, 1e6 + 0.1, 1 / 3]) {
      const constant = (n: number, v: number) => tensor(new Array<number>(n).fill(v));
      for (const off of [0, 0.5]) {
        const r2 = new R2Score();
        for (const n of [3, 7, 100]) r2.update(constant(n, value + off), constant(n, value));
        expect(await r2.compute()).toBe(off === 0 ? 1 : 0);
      }
    }
  });
});
