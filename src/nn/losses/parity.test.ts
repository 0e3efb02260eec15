// Losses against PyTorch: value and gradient, on every tier, and labels that are out of range.
import { describe, expect, test } from 'vitest';
import { type AnyTensor, IndexError, type Tensor, realize, setDevice, tensor } from '../../index.js';
import { weighted } from '../../../test/support/layer-parity.js';
import { type Packed, expectClose, isPacked, readFixture, unpack } from '../../../test/support/pytorch.js';
import { TIERS, countNativeRuns } from '../../../test/support/tiers.js';
import * as nn from '../index.js';

interface LossCase {
  readonly loss: keyof typeof lossOf;
  readonly x: Packed;
  readonly target: Packed;
  readonly options: Readonly<Record<string, unknown>>;
  readonly y: Packed;
  readonly gradX: Packed;
}

/** Labels of 1 and −1 in this shape. */
function signs(shape: readonly number[]): AnyTensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return tensor(
    Float32Array.from({ length: size }, (_, i) => (i % 3 === 1 ? -1 : 1)),
    { shape },
  );
}

const ctc =
  (steps: readonly number[], counts: readonly number[]): AnyLoss =>
  (x, target, options) =>
    nn.ctcLoss((x as Tensor).logSoftmax(-1), target, steps, counts, options);

type AnyLoss = (x: AnyTensor, target: AnyTensor, options: object) => AnyTensor;

const lossOf = {
  cosineEmbeddingLoss: (x: AnyTensor, y: AnyTensor, options: object) =>
    nn.cosineEmbeddingLoss(x, y, signs(x.shape.slice(0, 1)), options),
  marginRankingLoss: (x: AnyTensor, y: AnyTensor, options: object) =>
    nn.marginRankingLoss(x, y, signs(x.shape), options),
  hingeEmbeddingLoss: (x: AnyTensor, _: AnyTensor, options: object) =>
    nn.hingeEmbeddingLoss(x, signs(x.shape), options),
  softMarginLoss: (x: AnyTensor, _: AnyTensor, options: object) => nn.softMarginLoss(x, signs(x.shape), options),
  gaussianNllLoss: (x: AnyTensor, y: AnyTensor, options: object) =>
    nn.gaussianNllLoss(x, y, (x as Tensor).square(), options),
  multiMarginLoss: nn.multiMarginLoss,
  multilabelMarginLoss: nn.multilabelMarginLoss,
  multilabelSoftMarginLoss: nn.multilabelSoftMarginLoss,
  poissonNllLoss: nn.poissonNllLoss,
  focalLoss: nn.focalLoss,
  ctcLoss: ctc([6, 6, 6], [4, 4, 3]),
  ctcLossOf: ctc([6, 5, 3], [3, 4, 0]),
  ctcLossShort: ctc([4, 4, 4], [4, 4, 3]),
  ctcLossJoined: ctc([6, 5, 3], [2, 0, 3]),
  ctcLossOne: ctc([6], [3]),
  bceLoss: nn.bceLoss,
  bceWithLogits: nn.bceWithLogits,
  crossEntropy: nn.crossEntropy,
  diceLoss: nn.diceLoss,
  hingeLoss: nn.hingeLoss,
  huberLoss: nn.huberLoss,
  klDivLoss: nn.klDivLoss,
  l1Loss: nn.l1Loss,
  mseLoss: nn.mseLoss,
  nllLoss: nn.nllLoss,
  ntXentLoss: nn.ntXentLoss,
  smoothL1Loss: nn.smoothL1Loss,
  /** The negatives are the positives in reverse. */
  tripletMarginLoss: (x: AnyTensor, target: AnyTensor, options: object) =>
    nn.tripletMarginLoss(x, target, (target as unknown as Tensor).flip(0) as AnyTensor, options),
};

const { cases } = readFixture<{ cases: Record<string, LossCase> }>('losses.safetensors');

function lossAndGradient({ loss, x, target, options }: LossCase): [AnyTensor, AnyTensor] {
  const input = unpack(x, true);
  const given = Object.entries(options).map(([key, v]) => [key, isPacked(v) ? unpack(v) : v]);
  const y = (lossOf[loss] as AnyLoss)(input as AnyTensor, unpack(target) as AnyTensor, Object.fromEntries(given));
  weighted(y as unknown as Tensor).backward();
  return [y, input.grad as unknown as AnyTensor];
}

test('every loss has its cases', () => {
  const seen = new Set(Object.values(cases).map(({ loss }) => loss));
  expect([...seen].sort()).toEqual(Object.keys(lossOf).sort());
  const exported = Object.keys(nn).filter((name) => /^[a-z].*Loss$/.test(name));
  const elsewhere = 'tripletMarginWithDistanceLoss'; // takes a function: its cases are test/opinfo-more.test.ts
  for (const name of exported) expect([...Object.keys(lossOf), elsewhere]).toContain(name);
});

describe.each(TIERS)('on $device', ({ device, tolerance }) => {
  // One program: a call of the C compiler for each loss would take its time.
  const computed = async (): Promise<Map<string, [AnyTensor, AnyTensor]>> => {
    setDevice(device);
    const all = new Map(Object.entries(cases).map(([name, fixture]) => [name, lossAndGradient(fixture)] as const));
    await realize(...[...all.values()].flat());
    return all;
  };
  let all: ReturnType<typeof computed> | undefined;

  test.each(Object.keys(cases))(
    '%s',
    async (name) => {
      const [y, gradient] = (await (all ??= computed())).get(name)!;
      await expectClose(y, cases[name].y, 'loss', tolerance, 0.01);
      await expectClose(gradient, cases[name].gradX, 'gradient', tolerance, 0.01);
    },
    300_000,
  );

  test('a label or index out of range is an IndexError when it is computed', async () => {
    setDevice(device);
    const logits = tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    for (const bad of [3, -1, -101]) {
      const labels = tensor([0, bad], { dtype: 'int32' });
      for (const loss of [nn.crossEntropy, nn.nllLoss, nn.hingeLoss] as AnyLoss[]) {
        await expect((loss(logits, labels, {}) as Tensor).item()).rejects.toThrow(IndexError);
      }
    }
    // −100 counts nowhere, as in PyTorch; without a label that counts the mean is that of nothing.
    const ignored = tensor([0, -100], { dtype: 'int32' });
    expect(await nn.crossEntropy(logits, ignored).item()).toBeCloseTo(2.407606, 5);
    expect(await nn.crossEntropy(logits, ignored, { reduction: 'none' }).array()).toEqual([
      expect.closeTo(2.407606, 5),
      0,
    ]);
    expect(await nn.nllLoss(logits, ignored).item()).toBe(-1);
    expect(await nn.crossEntropy(logits, tensor([-100, -100], { dtype: 'int32' })).item()).toBe(NaN);
    await expect(nn.crossEntropy(logits, ignored, { ignoreIndex: -1 }).item()).rejects.toThrow(
      'crossEntropy: label -100 is no class. Use 0 to 2, or ignoreIndex (-1) for what counts nowhere.',
    );
    await expect(nn.hingeLoss(logits, ignored).item()).rejects.toThrow(
      'hingeLoss: label -100 is no class. Use 0 to 2.',
    );
    const p = tensor([0.5, 1.5]);
    const divergences = nn.klDivLoss(tensor([-0.3, -0.3]), tensor([-0.5, 0]), { reduction: 'none' });
    expect([...(await divergences.data())]).toEqual([NaN, 0]); // a target below 0 has no logarithm
    await expect(nn.bceLoss(p, tensor([0, 1])).item()).rejects.toThrow(
      'bceLoss: 1 of 2 probabilities are outside 0 to 1. Call sigmoid() first, or use bceWithLogits.',
    );
    for (const wrong of [-0.5, 1.5])
      await expect(nn.bceLoss(tensor([0.5, 0.5]), tensor([0, wrong])).item()).rejects.toThrow(
        'bceLoss: 1 of 2 targets are outside 0 to 1. Use 0, 1 or what lies between.',
      );
    await expect(nn.diceLoss(p.reshape([1, 2]), tensor([[0, 1]])).item()).rejects.toThrow('diceLoss: 1 of 2');
    expect(await nn.crossEntropy(logits, tensor([0, 1], { dtype: 'int32' })).item()).toBeCloseTo(1.9076, 4);
    const rows = new nn.Embedding(4, 2).forward(tensor([1, 4], { dtype: 'int32' }));
    await expect(rows.data()).rejects.toThrow(IndexError);
  });
});

const runs = countNativeRuns();
test('natively nothing ran as WebAssembly instead', () => expect(runs.instead).toBe(0));
