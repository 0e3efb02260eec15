// Decoding of connectionist temporal classification against all ways through the steps; lengths, texts, language models, wrong calls.
import { beforeAll, expect, test } from 'vitest';
import { type AnyTensor, manualSeed, randn, setDevice, tensor, zeros } from 'nabla';
import { ctcLoss } from 'nabla/nn';
import { type CtcBeamOptions, ctcBeamSearch, ctcGreedyDecode } from 'nabla/text';

beforeAll(() => setDevice('cpu'));

/** The probabilities of all sequences, summed over all ways [steps, classes] that give them. */
function allSequences(probabilities: readonly (readonly number[])[], blank: number): Map<string, number> {
  const found = new Map<string, number>();
  const walk = (t: number, ids: readonly number[], before: number, p: number): void => {
    if (t === probabilities.length) {
      found.set(ids.join(), (found.get(ids.join()) ?? 0) + p);
      return;
    }
    for (const [c, share] of probabilities[t].entries())
      walk(t + 1, c === blank || c === before ? ids : [...ids, c], c, p * share);
  };
  walk(0, [], blank, 1);
  return found;
}

const rowsOf = async (logits: AnyTensor): Promise<number[][][]> => (await logits.softmax(-1).array()) as number[][][];

test.each([
  { steps: 5, classes: 3, blank: 0 },
  { steps: 4, classes: 4, blank: 3 },
  { steps: 6, classes: 2, blank: 1 },
])('every sequence has its probability: $steps steps of $classes classes', async ({ steps, classes, blank }) => {
  manualSeed(steps);
  const logits = randn([2, steps, classes]).mul(2);
  const rows = await rowsOf(logits);
  const found = await ctcBeamSearch(logits, { blank, beamWidth: 10_000, count: 10_000 });
  for (const [n, hypotheses] of found.entries()) {
    const wanted = [...allSequences(rows[n], blank)].sort(([, a], [, b]) => b - a);
    expect(hypotheses.length).toBe(wanted.length);
    expect(hypotheses[0].ids.join()).toBe(wanted[0][0]);
    const all = new Map(wanted);
    for (const { ids, score } of hypotheses) expect(Math.exp(score)).toBeCloseTo(all.get(ids.join()) ?? 0, 5);
    // and the loss knows the same
    const [{ ids, score }] = hypotheses;
    const loss = ctcLoss(logits.select(0, n).logSoftmax(-1), tensor(Int32Array.from(ids)), [steps], [ids.length], {
      blank,
      reduction: 'sum',
    });
    expect(await loss.item()).toBeCloseTo(-score, 4);
  }
});

test('a sequence whose ways are many beats the best way', async () => {
  // the best way is blank, blank with 0.36; "1" has 0.24 · 2 + 0.16
  const probabilities = tensor([
    [0.6, 0.4],
    [0.6, 0.4],
  ]);
  const options = { input: 'probabilities', tokens: ['', 'a'] } as const;
  const [greedy] = await ctcGreedyDecode(probabilities, options);
  expect([greedy.text, greedy.ids]).toEqual(['', []]);
  expect(Math.exp(greedy.score)).toBeCloseTo(0.36, 6);
  const [[best]] = await ctcBeamSearch(probabilities, options);
  expect(best.text).toBe('a');
  expect(Math.exp(best.score)).toBeCloseTo(0.64, 6);
});

const steps = (...classes: number[]): number[][] =>
  classes.map((c) => Array.from({ length: 4 }, (_, i) => (i === c ? 9 : 0)));

test('repetitions, blanks, lengths, both orders', async () => {
  const tokens = ['_', 'a', 'b', ' '];
  const logits = tensor([steps(1, 1, 0, 1, 3, 3, 2), steps(0, 2, 2, 2, 0, 0, 1)]);
  const greedy = await ctcGreedyDecode(logits, { tokens });
  expect(greedy.map(({ text }) => text)).toEqual(['aa b', 'ba']);
  expect(greedy[0].steps).toEqual([0, 3, 4, 6]);
  const beams = await ctcBeamSearch(logits, { tokens });
  expect(beams.map(([{ text }]) => text)).toEqual(['aa b', 'ba']);
  const lengths = [4, 6];
  for (const given of [lengths, tensor(Int32Array.from(lengths))]) {
    expect((await ctcGreedyDecode(logits, { tokens, lengths: given })).map(({ text }) => text)).toEqual(['aa', 'b']);
    expect((await ctcBeamSearch(logits, { tokens, lengths: given })).map(([{ text }]) => text)).toEqual(['aa', 'b']);
  }
  const turned = await ctcGreedyDecode(logits.transpose(0, 1), { tokens, timeFirst: true });
  expect(turned.map(({ text }) => text)).toEqual(['aa b', 'ba']);
  expect((await ctcGreedyDecode(logits.select(0, 1), { tokens })).map(({ text }) => text)).toEqual(['ba']);
  expect(await ctcGreedyDecode(zeros([0, 3, 4]))).toEqual([]);
  expect((await ctcBeamSearch(zeros([1, 0, 4])))[0][0]).toEqual({ ids: [], text: '', score: 0 });
});

test('a narrow beam finds what a wide one finds in easy cases, and few tokens a step are enough', async () => {
  manualSeed(4);
  const logits = randn([3, 40, 30]).mul(3);
  const wide = await ctcBeamSearch(logits, { beamWidth: 100 });
  const narrow = await ctcBeamSearch(logits, { beamWidth: 100, tokensPerStep: 12 });
  for (const [n, [{ ids, score }]] of wide.entries()) {
    expect(narrow[n][0].ids).toEqual(ids);
    expect(Math.abs(narrow[n][0].score - score)).toBeLessThan(0.05);
    const [greedy] = await ctcGreedyDecode(logits.select(0, n));
    expect(score).toBeGreaterThanOrEqual(greedy.score);
  }
});

test('language models and bonuses', async () => {
  manualSeed(5);
  const logits = randn([1, 5, 3]);
  const [rows] = await rowsOf(logits);
  // a model that likes 1 after 2, and 2 after 1
  const languageModel = (prefix: readonly number[], next: number): number =>
    prefix.length > 0 && prefix[prefix.length - 1] === next ? -2 : -0.5;
  const settings: CtcBeamOptions[] = [
    { languageModel },
    { languageModel, languageWeight: 0.3, tokenBonus: 0.7 },
    { wordBonus: 1.5, separator: 2 },
  ];
  for (const options of settings) {
    const { languageWeight = 1, tokenBonus = 0, wordBonus = 0 } = options;
    const wanted = [...allSequences(rows, 0)].map(([key, p]) => {
      const ids = key === '' ? [] : key.split(',').map(Number);
      const added = ids.map((id, i) => {
        const isWord = id !== 2 && (i === 0 || ids[i - 1] === 2);
        const heard = options.languageModel === undefined ? 0 : languageWeight * languageModel(ids.slice(0, i), id);
        return heard + tokenBonus + (isWord ? wordBonus : 0);
      });
      return { ids, score: Math.log(p) + added.reduce((a, b) => a + b, 0) };
    });
    wanted.sort((a, b) => b.score - a.score);
    const [found] = await ctcBeamSearch(logits, { ...options, beamWidth: 1000, count: 5 });
    expect(found.map(({ ids }) => ids)).toEqual(wanted.slice(0, 5).map(({ ids }) => ids));
    for (const [i, { score }] of found.entries()) expect(score).toBeCloseTo(wanted[i].score, 4);
  }
});

test('what does not fit is said', async () => {
  const logits = zeros([2, 3, 4]);
  const refused: [() => Promise<unknown>, string][] = [
    [() => ctcGreedyDecode(zeros([4])), 'ctcGreedyDecode: input [4]: needs [N, T, C] or [T, C]'],
    [() => ctcGreedyDecode(logits, { blank: 4 }), 'ctcGreedyDecode: blank is 4, and there are 4 classes.'],
    [
      () => ctcGreedyDecode(logits, { tokens: ['a'] }),
      'ctcGreedyDecode: 1 tokens for 4 classes. Give one for each, the blank as well.',
    ],
    [() => ctcGreedyDecode(logits, { lengths: [1] }), 'ctcGreedyDecode: 1 lengths for 2 samples. Give one for each.'],
    [() => ctcBeamSearch(logits, { lengths: [1, 9] }), 'ctcBeamSearch: a length is 9, and there are 3 steps.'],
    [() => ctcBeamSearch(logits, { beamWidth: 0 }), 'ctcBeamSearch: beamWidth is 0. Use a whole number of at least 1.'],
    [
      () => ctcBeamSearch(logits, { wordBonus: 1 }),
      'ctcBeamSearch: wordBonus needs to know where words end. Give the separator.',
    ],
    [
      () => ctcBeamSearch(logits, { languageModel: () => NaN }),
      'ctcBeamSearch: what languageModel gives is NaN. Use a number.',
    ],
    [
      () => ctcBeamSearch(logits, { beam_width: 3 } as object),
      "ctcBeamSearch: there is no option 'beam_width'. Did you mean beamWidth?",
    ],
  ];
  for (const [call, message] of refused) await expect(call()).rejects.toThrow(message);
});
