// Loss modules give what the functions give with their options, and refuse what the functions refuse; ctcLoss against all alignments
// counted one by one.
import { describe, expect, test } from 'vitest';
import { type AnyTensor, IndexError, type Tensor, rand, manualSeed, tensor, zeros } from '../../index.js';
import * as nn from '../index.js';

const x = tensor([[0.5, -1, 2], [0.25, 1, -2]]); // prettier-ignore
const y = tensor([[0.25, 1, 0], [1, 0.5, 0.75]]); // prettier-ignore
const labels = tensor(Int32Array.of(2, 0));
const several = tensor(Int32Array.of(2, 0, -1, 1, -1, 0), { shape: [2, 3] });
const one = tensor([1, -1]);
const signs = tensor([[1, -1, 1], [-1, 1, 1]]); // prettier-ignore
const p = x.sigmoid();
const logp = rand([5, 2, 4]).logSoftmax(2);

const number = async (t: AnyTensor): Promise<number> => Number(await t.item());

/** A module with an option, and the function with it. */
const ROWS: Record<string, [AnyTensor, AnyTensor]> = {
  MSELoss: [new nn.MSELoss({ reduction: 'sum' }).forward(x, y), nn.mseLoss(x, y, { reduction: 'sum' })],
  L1Loss: [new nn.L1Loss().forward(x, y), nn.l1Loss(x, y)],
  HuberLoss: [new nn.HuberLoss({ delta: 0.5 }).forward(x, y), nn.huberLoss(x, y, { delta: 0.5 })],
  SmoothL1Loss: [new nn.SmoothL1Loss({ beta: 0.5 }).forward(x, y), nn.smoothL1Loss(x, y, { beta: 0.5 })],
  CrossEntropyLoss: [
    new nn.CrossEntropyLoss({ labelSmoothing: 0.1 }).forward(x, labels),
    nn.crossEntropy(x, labels, { labelSmoothing: 0.1 }),
  ],
  NLLLoss: [new nn.NLLLoss({ ignoreIndex: 2 }).forward(x, labels), nn.nllLoss(x, labels, { ignoreIndex: 2 })],
  BCEWithLogitsLoss: [
    new nn.BCEWithLogitsLoss({ posWeight: tensor([1, 2, 3]) }).forward(x, y),
    nn.bceWithLogits(x, y, { posWeight: tensor([1, 2, 3]) }),
  ],
  BCELoss: [new nn.BCELoss({ reduction: 'sum' }).forward(p, y), nn.bceLoss(p, y, { reduction: 'sum' })],
  KLDivLoss: [
    new nn.KLDivLoss({ reduction: 'batchMean' }).forward(x, y),
    nn.klDivLoss(x, y, { reduction: 'batchMean' }),
  ],
  HingeLoss: [new nn.HingeLoss({ margin: 2 }).forward(x, labels), nn.hingeLoss(x, labels, { margin: 2 })],
  DiceLoss: [new nn.DiceLoss({ smooth: 2 }).forward(p, y), nn.diceLoss(p, y, { smooth: 2 })],
  DiceCrossEntropyLoss: [
    new nn.DiceCrossEntropyLoss({ diceWeight: 2 }).forward(x, labels),
    nn.diceCrossEntropy(x, labels, { diceWeight: 2 }),
  ],
  TripletMarginLoss: [
    new nn.TripletMarginLoss({ swap: true }).forward(x, y, p),
    nn.tripletMarginLoss(x, y, p, { swap: true }),
  ],
  NTXentLoss: [new nn.NTXentLoss({ temperature: 2 }).forward(x, y), nn.ntXentLoss(x, y, { temperature: 2 })],
  CosineEmbeddingLoss: [
    new nn.CosineEmbeddingLoss({ margin: -0.5 }).forward(x, y, one),
    nn.cosineEmbeddingLoss(x, y, one, { margin: -0.5 }),
  ],
  MarginRankingLoss: [
    new nn.MarginRankingLoss({ margin: 1 }).forward(x, y, signs),
    nn.marginRankingLoss(x, y, signs, { margin: 1 }),
  ],
  HingeEmbeddingLoss: [
    new nn.HingeEmbeddingLoss({ margin: 2 }).forward(x, signs),
    nn.hingeEmbeddingLoss(x, signs, { margin: 2 }),
  ],
  SoftMarginLoss: [
    new nn.SoftMarginLoss({ reduction: 'sum' }).forward(x, signs),
    nn.softMarginLoss(x, signs, { reduction: 'sum' }),
  ],
  MultiMarginLoss: [new nn.MultiMarginLoss({ p: 2 }).forward(x, labels), nn.multiMarginLoss(x, labels, { p: 2 })],
  MultiLabelMarginLoss: [
    new nn.MultiLabelMarginLoss({ reduction: 'sum' }).forward(x, several),
    nn.multilabelMarginLoss(x, several, { reduction: 'sum' }),
  ],
  MultiLabelSoftMarginLoss: [
    new nn.MultiLabelSoftMarginLoss({ weight: tensor([1, 2, 3]) }).forward(x, y),
    nn.multilabelSoftMarginLoss(x, y, { weight: tensor([1, 2, 3]) }),
  ],
  PoissonNLLLoss: [new nn.PoissonNLLLoss({ full: true }).forward(x, y), nn.poissonNllLoss(x, y, { full: true })],
  GaussianNLLLoss: [
    new nn.GaussianNLLLoss({ full: true }).forward(x, y, 0.5),
    nn.gaussianNllLoss(x, y, 0.5, { full: true }),
  ],
  FocalLoss: [new nn.FocalLoss({ gamma: 3 }).forward(x, y), nn.focalLoss(x, y, { gamma: 3 })],
  CTCLoss: [
    new nn.CTCLoss({ blank: 3 }).forward(logp, several.add(1), [5, 5], [2, 1]),
    nn.ctcLoss(logp, several.add(1), [5, 5], [2, 1], { blank: 3 }),
  ],
};

describe('modules', () => {
  test('all of them', () => {
    const exported = Object.keys(nn).filter((name) => /^[A-Z].*Loss$/.test(name));
    expect(Object.keys(ROWS).sort()).toEqual(exported.sort());
  });

  test.each(Object.entries(ROWS))('%s', async (_, [given, wanted]) => {
    const value = await number(wanted);
    expect(Number.isFinite(value)).toBe(true);
    expect(await number(given)).toBe(value);
  });

  test('are modules: they print their options, and are parts of others', () => {
    expect(String(new nn.HuberLoss({ delta: 0.5 }))).toBe('HuberLoss({ delta: 0.5 })');
    expect(String(new nn.MSELoss())).toBe('MSELoss()');
    expect(new nn.MSELoss().parameters()).toEqual([]);
    const wrong = { reducton: 'sum' } as never;
    expect(() => new nn.MSELoss(wrong)).toThrow("MSELoss: there is no option 'reducton'. Did you mean reduction?");
  });
});

test('ctcLoss is the sum over all alignments', async () => {
  manualSeed(4);
  const [length, classes] = [4, 3];
  const logits = rand([length, 1, classes]).logSoftmax(2) as Tensor;
  const probabilities = [...(await logits.exp().data())];
  for (const target of [[1], [1, 2], [1, 1], [2, 1, 2], []]) {
    let total = 0;
    for (let code = 0; code < classes ** length; code++) {
      const path = Array.from({ length }, (_, t) => Math.floor(code / classes ** t) % classes);
      const said = path.filter((c, t) => c !== 0 && c !== path[t - 1]);
      if (said.join() !== target.join()) continue;
      total += path.reduce((product, c, t) => product * probabilities[t * classes + c], 1);
    }
    const given = tensor(Int32Array.from(target), { shape: [1, target.length] });
    const loss = nn.ctcLoss(logits, given, [length], [target.length], { reduction: 'sum' });
    expect(await number(loss)).toBeCloseTo(-Math.log(total), 5);
  }
  const long = tensor(Int32Array.of(1, 1, 1), { shape: [1, 3] });
  expect(await number(nn.ctcLoss(logits, long, [length], [3]))).toBe(Infinity);
  expect(await number(nn.ctcLoss(logits, long, [length], [3], { zeroInfinity: true }))).toBe(0);
});

test('bad input', async () => {
  const wrong: [() => unknown, string][] = [
    [() => nn.ctcLoss(x, several, [2], [1]), 'ctcLoss: labels [2, 3]: needs [1, S]'],
    [() => nn.ctcLoss(logp, several, [5], [2, 1]), 'ctcLoss: 1 lengths of steps for 2 samples. Give one each.'],
    [() => nn.ctcLoss(logp, several, [5, 6], [2, 1]), 'ctcLoss: a length of steps is 6. Use at most 5.'],
    [() => nn.ctcLoss(logp, several, [5, 5], [2, 1], { blank: 4 }), 'ctcLoss: blank is 4. Use a class, 0 to 3.'],
    [() => nn.ctcLoss(logp, labels, [5, 5], [2, 1]), 'ctcLoss: 2 labels, the lengths add up to 3'],
    [() => nn.multiMarginLoss(x, labels, { p: 3 }), 'multiMarginLoss: p is 3. Use 1 or 2.'],
    [() => nn.multiMarginLoss(x, x), 'multiMarginLoss: labels are float32.'],
    [
      () => Reflect.apply(nn.multilabelMarginLoss, undefined, [x, labels]),
      'multilabelMarginLoss: [2, 3] x [2]: shapes differ',
    ],
    [() => nn.cosineEmbeddingLoss(x, y, signs), 'cosineEmbeddingLoss: embeddings [2, 3] and labels [2, 3]: needs'],
    [() => nn.marginRankingLoss(x, y, one), 'marginRankingLoss: [2, 3] x [2]: shapes differ'],
    [() => nn.gaussianNllLoss(x, y, zeros([3])), 'gaussianNllLoss: variance [3] does not fit [2, 3]: needs'],
  ];
  for (const [run, message] of wrong) expect(run).toThrow(message);
  await expect(nn.gaussianNllLoss(x, y, -1).item()).rejects.toThrow(IndexError);
  await expect(nn.gaussianNllLoss(x, y, -1).item()).rejects.toThrow('gaussianNllLoss: 6 of 6 variances are below 0.');
  const lengths = tensor(Int32Array.of(5, 7));
  await expect(nn.ctcLoss(logp, several.abs(), lengths, [2, 1]).item()).rejects.toThrow(
    'ctcLoss: 1 lengths of steps are below 0 or above 5.',
  );
});
