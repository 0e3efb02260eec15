// Losses at large logits, losses that PyTorch does not have against their definitions, and bad input. Parity: ../parity.test.ts.
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type AnyTensor, type Tensor, setDevice, tensor } from '../../index.js';
import { expectNear } from '../../../test/support/pytorch.js';
import * as nn from '../index.js';

const number = async (t: AnyTensor): Promise<number[]> => [...(await t.data())].map(Number);

afterEach(() => vi.restoreAllMocks());

describe.each(['reference', 'cpu'])('on %s', (device) => {
  test('logits of ±1e4 give finite losses and gradients', async () => {
    setDevice(device);
    const extremes = tensor(
      [
        [1e4, -1e4, 0],
        [-1e4, 1e4, 1e4],
      ],
      { requiresGrad: true },
    );
    const losses: [Tensor, number][] = [
      [
        nn.crossEntropy(extremes, tensor(Int32Array.of(1, 0)), { labelSmoothing: 0.1 }) as Tensor,
        (19_000 + 56_000 / 3 + Math.LN2) / 2,
      ],
      [
        nn.bceWithLogits(
          extremes,
          tensor([
            [0, 1, 1],
            [1, 0, 0],
          ]).to('float32'),
        ) as Tensor,
        (5e4 + Math.LN2) / 6,
      ],
      [nn.hingeLoss(extremes, tensor(Int32Array.of(1, 0))) as Tensor, (20_001 + 10_001 + 20_001 + 20_001) / 2],
    ];
    // by the definition: only the wrong class, whatever the sign of the margin
    const scores = tensor([
      [1, 3],
      [2, 0.5],
    ]);
    const ofMargin = (margin: number) =>
      nn.hingeLoss(scores, tensor(Int32Array.of(0, 0)), { margin, reduction: 'none' });
    expect(await ofMargin(-1).array()).toEqual([1, 0]);
    expect(await ofMargin(-3).array()).toEqual([0, 0]);
    expect(await ofMargin(1).array()).toEqual([3, 0]);
    for (const [loss, wanted] of losses) {
      extremes.grad = undefined;
      loss.backward();
      expectNear(await number(loss as AnyTensor), [wanted], 'loss', 1e-6);
      for (const g of await number(extremes.grad as unknown as AnyTensor)) expect(Number.isFinite(g)).toBe(true);
    }
  });

  test('ntXentLoss is the cross entropy of finding the other view', async () => {
    setDevice(device);
    const [a, b] = [
      [
        [1, 0],
        [0, 2],
      ],
      [
        [1, 1],
        [-1, 3],
      ],
    ];
    const all = [...a, ...b].map(([x, y]) => [x / Math.hypot(x, y), y / Math.hypot(x, y)]);
    const wanted = all.map(([x, y], i) => {
      const similar = all.map(([u, v]) => Math.exp((x * u + y * v) / 0.2));
      const sum = similar.reduce((total, s, j) => (j === i ? total : total + s), 0);
      return -Math.log(similar[(i + 2) % 4] / sum);
    });
    const options = { temperature: 0.2, reduction: 'none' } as const;
    expectNear(await number(nn.ntXentLoss(tensor(a), tensor(b), options) as AnyTensor), wanted, 'loss', 1e-5);
  });

  test('diceLoss of each sample', async () => {
    setDevice(device);
    const p = tensor([
      [0.5, 1, 0, 0],
      [0, 0, 0, 0],
    ]).to('float32');
    const y = tensor([
      [1, 1, 0, 0],
      [0, 0, 0, 0],
    ]).to('float32');
    const wanted = [1 - (2 * 1.5 + 1) / (1.5 + 2 + 1), 0];
    expectNear(await number(nn.diceLoss(p, y, { reduction: 'none' }) as AnyTensor), wanted, 'loss', 1e-6);
  });

  test('diceCrossEntropy: sums over the batch, a class that is nowhere, labels that do not count', async () => {
    setDevice(device);
    const logits = [1, -0.5, 2, 0.5, -1, 0, 0.3, 1.5, -2, 1, 0.2, 0.1].map((v) => v); // [2, 3, 2]
    const labels = [0, -100, 1, 1];
    const x = tensor(logits).to('float32').reshape([2, 3, 2]);
    const y = tensor(labels, { dtype: 'int32' }).reshape([2, 2]);
    const [overlap, p, truth] = [0, 0, 0].map(() => [0, 0, 0]);
    let entropy = 0;
    labels.forEach((label, i) => {
      if (label < 0) return;
      const scores = [0, 1, 2].map((c) => Math.exp(logits[6 * Math.floor(i / 2) + 2 * c + (i % 2)]));
      const all = scores.reduce((a, b) => a + b);
      entropy -= Math.log(scores[label] / all) / 3;
      truth[label]++;
      scores.forEach((score, c) => {
        p[c] += score / all;
        if (c === label) overlap[c] += score / all;
      });
    });
    const dice = [0, 1, 2].reduce((sum, c) => sum + (1 - (2 * overlap[c] + 0.5) / (p[c] + truth[c] + 0.5)) / 3, 0);
    const found = nn.diceCrossEntropy(x, y, { diceWeight: 2, smooth: 0.5 });
    expectNear(await number(found as AnyTensor), [entropy + 2 * dice], 'loss', 1e-5);
  });
});

test('probabilities in the place of logits are named, once', () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const logits = tensor([
    [1, 2, 3],
    [3, 2, 1],
  ]).to('float32') as Tensor;
  const labels = tensor(Int32Array.of(0, 2));
  nn.crossEntropy(logits as AnyTensor, labels);
  nn.crossEntropy(logits.logSoftmax(1) as unknown as AnyTensor, labels);
  expect(warn).not.toHaveBeenCalled();
  for (let i = 0; i < 2; i++) nn.crossEntropy(logits.softmax(1) as unknown as AnyTensor, labels);
  nn.bceWithLogits(logits.sigmoid() as AnyTensor, logits as AnyTensor);
  expect(warn).toHaveBeenCalledTimes(1);
  expect(warn).toHaveBeenCalledWith(expect.stringContaining('crossEntropy takes logits and was given probabilities'));
});

test('bad input', () => {
  const x = tensor([[0.5, 1, 0.25]]);
  const y = tensor([[0.5, 1, 0.125]]);
  const labels = tensor(Int32Array.of(1));
  const bad: [() => unknown, string][] = [
    [() => nn.crossEntropy(x, labels, { weight: tensor([0.5, 1.5]) }), 'crossEntropy: weight [2] does not fit [1, 3]'],
    [() => nn.crossEntropy(x, labels, { labelSmoothing: 2 }), 'crossEntropy: labelSmoothing is 2.'],
    [() => nn.crossEntropy(x, tensor([0.5])), 'crossEntropy: labels are float32.'],
    [() => nn.hingeLoss(x, tensor([0.5])), 'hingeLoss: labels are float32.'],
    [() => nn.hingeLoss(x, tensor(Int32Array.of(1, 2))), 'hingeLoss: labels [2] do not fit [1, 3]'],
    [() => nn.huberLoss(x, y, { delta: 0 }), 'huberLoss: delta is 0. Use a number above 0.'],
    [() => nn.smoothL1Loss(x, y, { beta: -1 }), 'smoothL1Loss: beta is -1. Use a number of at least 0.'],
    [() => Reflect.apply(nn.mseLoss, undefined, [x, labels]), 'mseLoss: [1, 3] x [1]: shapes differ'],
    [() => Reflect.apply(nn.klDivLoss, undefined, [x, labels]), 'klDivLoss: [1, 3] x [1]: shapes differ'],
    [() => nn.tripletMarginLoss(x, y, x, { margin: 0 }), 'tripletMarginLoss: margin is 0. Use a number above 0.'],
    [() => nn.ntXentLoss(x, y, { temperature: 0 }), 'ntXentLoss: temperature is 0. Use a number above 0.'],
    [() => nn.ntXentLoss(tensor([0.5]), tensor([0.5])), 'ntXentLoss: views [1]: needs [N, D]'],
    [() => nn.l1Loss(x, y, { reduction: 'max' as never }), "l1Loss: reduction is 'max'. Use 'mean', 'sum' or 'none'."],
  ];
  for (const [run, message] of bad) expect(run).toThrow(message);
});
