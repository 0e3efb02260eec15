// Models of sequences: padding counts nowhere, a step at a time gives what all at once gives, they learn, attention finds what it copies.
import { describe, expect, test } from 'vitest';
import { SequenceDataset, dates, movingShapes } from '../data/index.js';
import { type Tensor, compile, manualSeed, noGrad, randint, tensor, zeros } from '../index.js';
import { bceWithLogits, crossEntropy } from '../nn/index.js';
import { Adam } from '../optim/index.js';
import { generateBatch } from '../text/index.js';
import {
  Captioner,
  FrameForecaster,
  LSTMClassifier,
  Seq2SeqGRU,
  Seq2SeqTransformer,
  TransformerClassifier,
} from './index.js';

const ids = (rows: number[][]) => tensor(Int32Array.from(rows.flat()), { shape: [rows.length, rows[0].length] });
const largest = async (x: Tensor) => x.abs().amax().item();

describe('classifiers of texts', () => {
  test.each([
    ['LSTMClassifier', () => new LSTMClassifier({ vocabulary: 12, classes: 2, width: 16, hidden: 16, dropout: 0 })],
    [
      'TransformerClassifier',
      () => new TransformerClassifier({ vocabulary: 12, classes: 2, width: 16, layers: 1, dropout: 0 }),
    ],
  ] as const)(
    '%s: padding changes nothing; learns which of two tokens comes first',
    async (_, make) => {
      manualSeed(0);
      const model = make();
      const short = ids([[5, 6, 7]]);
      const long = ids([[5, 6, 7, 0, 0, 0, 0]]);
      expect(await largest(model.forward(short).sub(model.forward(long)))).toBeLessThan(1e-5);
      // 1 then 2: class 0; 2 then 1: class 1
      const texts = Array.from({ length: 64 }, (__, i) => {
        const length = 4 + (i % 5);
        const row = Array.from({ length: 8 }, (___, t) => (t < length ? 3 + ((i * 7 + t * 5) % 9) : 0));
        const [a, b] = [i % 3, 3 + (i % (length - 3))];
        [row[a], row[b]] = i % 2 === 0 ? [1, 2] : [2, 1];
        return row;
      });
      const [x, y] = [ids(texts), tensor(Int32Array.from(texts, (__, i) => i % 2))];
      const optimizer = new Adam(model.parameters(), { lr: 0.01 });
      const step = compile(async () => {
        optimizer.zeroGrad();
        const loss = crossEntropy(model.forward(x), y);
        loss.backward();
        await optimizer.step();
        return loss;
      });
      for (let i = 0; i < 60; i++) await step();
      const right = noGrad(() => model.forward(x).argmax(1).eq(y).to('float32').mean());
      expect(await right.item()).toBeGreaterThan(0.95);
    },
    30_000,
  );

  test('what is wrong is said', () => {
    const make = (of: Function, options: unknown) => () => Reflect.construct(of, [options]);
    expect(make(LSTMClassifier, undefined)).toThrow('LSTMClassifier');
    expect(make(LSTMClassifier, { vocabulary: 0, classes: 2 })).toThrow('LSTMClassifier: vocabulary is 0');
    expect(make(LSTMClassifier, { vocabulary: 5, classes: 2, padId: -1 })).toThrow('padId is -1');
    expect(make(TransformerClassifier, { vocabulary: 5, classes: 2, width: 10 })).toThrow(
      '4 heads do not divide width 10',
    );
    const model = new LSTMClassifier({ vocabulary: 5, classes: 2 });
    expect(() => Reflect.apply(model.forward, model, [zeros([1, 2])])).toThrow('LSTMClassifier: ids are float32');
  });
});

const translators = {
  Seq2SeqTransformer: () =>
    new Seq2SeqTransformer({ vocabulary: 24, width: 32, layers: 1, contextLength: 16, dropout: 0 }),
  Seq2SeqGRU: () => new Seq2SeqGRU({ vocabulary: 24, width: 32, hidden: 32, contextLength: 16, dropout: 0 }),
};

describe.each(Object.entries(translators))('%s', (name, make) => {
  /** Reversed: 3 4 5 2 → 1 5 4 3 2. */
  const batch = (count: number) => {
    const lengths = Array.from({ length: count }, (_, i) => 3 + (i % 4));
    const rows = lengths.map((length, i) => Array.from({ length }, (_, t) => 3 + ((i * 11 + t * 7 + i * t) % 20)));
    const data = new SequenceDataset({
      x: rows.map((row) => Int32Array.from([...row, 2])),
      y: rows.map((row) => Int32Array.from([1, ...row.toReversed(), 2])),
    });
    return { rows, ...data.batch(rows.map((_, i) => i)) };
  };

  test('padding counts nowhere, weights of attention add up to 1, the past sees no future', async () => {
    manualSeed(1);
    const model = make();
    model.eval();
    const [x, y] = [ids([[5, 6, 7, 2]]), ids([[1, 9, 8]])];
    const logits = model.forward(x, y);
    expect(logits.shape).toEqual([1, 3, 24]);
    const padded = model.forward(ids([[5, 6, 7, 2, 0, 0]]), ids([[1, 9, 8, 0]])).slice(1, 0, 3);
    expect(await largest(logits.sub(padded))).toBeLessThan(1e-5);
    const other = model.forward(x, ids([[1, 9, 11]])).slice(1, 0, 2);
    expect(await largest(logits.slice(1, 0, 2).sub(other))).toBeLessThan(1e-6);
    const weights = model.attention(ids([[5, 6, 7, 2, 0, 0]]), y);
    expect(weights.shape).toEqual([1, 3, 6]);
    expect(await largest(weights.sum(2).sub(1))).toBeLessThan(1e-5);
    expect(await largest(weights.slice(2, 4, 6))).toBe(0);
  });

  test('learns to reverse; token by token, in batches and by beams it says what it says at once', async () => {
    manualSeed(2);
    const model = make();
    const { rows, x, y } = batch(64);
    const optimizer = new Adam(model.parameters(), { lr: 0.01 });
    const next = y.slice(1, 1, 8).reshape([-1]);
    const step = compile(async () => {
      optimizer.zeroGrad();
      const logits = model.forward(x, y.slice(1, 0, 7)).reshape([-1, 24]);
      const loss = crossEntropy(logits, next, { ignoreIndex: 0, labelSmoothing: 0.05 });
      loss.backward();
      await optimizer.step();
      return loss;
    });
    for (let i = 0; i < 120; i++) await step();
    model.eval();
    const some = rows.slice(0, 8);
    const sources = some.map((row) => [...row, 2]);
    const greedy = await generateBatch(model, sources, { stop: [2], maxNewTokens: 10 });
    expect(greedy).toEqual(some.map((row) => row.toReversed()));
    const beams = await generateBatch(model, sources.slice(0, 3), { stop: [2], maxNewTokens: 10, numBeams: 3 });
    expect(beams).toEqual(greedy.slice(0, 3));
    if (name === 'Seq2SeqTransformer') return; // its heads need not look where they copy from
    const weights = await noGrad(() => model.attention(ids([sources[3]]), ids([[1, ...greedy[3]]]))).array();
    const looks = weights[0].map((row) => row.indexOf(Math.max(...row)));
    expect(looks[0]).toBeGreaterThan(looks[greedy[3].length - 1]); // backwards
  }, 60_000);

  test('what is wrong is said', () => {
    const model = make();
    expect(() => model.forward(ids([[3, 2]]), ids([[1], [1]]))).toThrow(
      `${name}.forward: source [1, 2] and answer [2, 1]`,
    );
    expect(() => model.forward(ids([[3, 2]]), randint(3, 9, [1, 17]))).toThrow('at most 16 positions');
    expect(() => Reflect.construct(model.constructor, [{ vocabulary: 5, startId: 5 }])).toThrow(
      'startId is 5, of 5 tokens',
    );
    expect(() => Reflect.construct(model.constructor, [{ vocabulary: 5, dropout: 2 }])).toThrow(`${name}: dropout`);
    expect(() => Reflect.construct(model.constructor, [{ vocabularySize: 5 }])).toThrow(name);
  });
});

test('dates have characters and numbers of one vocabulary', () => {
  expect(dates({ samples: 3 }).target[0]).toMatch(/^\d{4}-\d\d-\d\d$/);
});

describe('Captioner', () => {
  test.each(['transformer', 'gru'] as const)(
    '%s: tells colours apart, and writes what it says at once',
    async (decoder) => {
      manualSeed(3);
      const model = new Captioner({ vocabulary: 8, size: 16, decoder, width: 16, layers: 1, dropout: 0 });
      // three plain pictures: tokens 3, 4, 5 twice, then the end
      const pictures = tensor(
        [0, 1, 2].map((k) =>
          [0, 1, 2].map((c) => Array.from({ length: 16 }, () => new Array<number>(16).fill(c === k ? 1 : 0))),
        ),
      );
      const captions = ids([0, 1, 2].map((k) => [1, 3 + k, 3 + k, 2]));
      const optimizer = new Adam(model.parameters(), { lr: 0.02 });
      const step = compile(async () => {
        optimizer.zeroGrad();
        const logits = model.forward(pictures, captions.slice(1, 0, 3)).reshape([-1, 8]);
        const loss = crossEntropy(logits, captions.slice(1, 1, 4).reshape([-1]));
        loss.backward();
        await optimizer.step();
        return loss;
      });
      for (let i = 0; i < 50; i++) await step();
      const starts = [[1], [1], [1]];
      const found = await generateBatch(model.about(pictures), starts, { stop: [2], maxNewTokens: 6 });
      expect(found).toEqual([
        [3, 3],
        [4, 4],
        [5, 5],
      ]);
      const beams = await generateBatch(model.about(pictures), starts, { stop: [2], maxNewTokens: 6, numBeams: 2 });
      expect(beams).toEqual(found);
      expect(model.attention(pictures, captions).shape).toEqual([3, 4, 2, 2]);
    },
    60_000,
  );

  test('what is wrong is said', () => {
    const make = (options: unknown) => () => Reflect.construct(Captioner, [options]);
    expect(make({ vocabulary: 8, size: 12 })).toThrow('Captioner: size is 12. Use a multiple of 8');
    expect(make({ vocabulary: 8, decoder: 'lstm' })).toThrow("decoder is 'lstm'. Use 'transformer' or 'gru'.");
    expect(make({ vocabulary: 8, width: 7 })).toThrow('Captioner');
    const model = new Captioner({ vocabulary: 8, size: 16 });
    expect(() => model.forward(zeros([1, 1, 16, 16]), ids([[1]]))).toThrow(
      'Captioner.forward: pictures [1, 1, 16, 16]: needs [N, 3, 16, 16]',
    );
  });
});

describe('FrameForecaster', () => {
  test('learns films better than standing still, and goes on from its own pictures', async () => {
    manualSeed(4);
    const data = movingShapes({ samples: 16, frames: 6, shapes: 1 });
    const { x } = data.batch(Array.from({ length: 16 }, (_, i) => i));
    const model = new FrameForecaster({ hidden: 8, layers: 1 });
    const optimizer = new Adam(model.parameters(), { lr: 0.02 });
    const [seen, behind] = [x.slice(1, 0, 5), x.slice(1, 1, 6)];
    const step = compile(async () => {
      optimizer.zeroGrad();
      const loss = bceWithLogits(model.forward(seen), behind);
      loss.backward();
      await optimizer.step();
      return loss;
    });
    for (let i = 0; i < 100; i++) await step();
    const last = behind.slice(1, 4, 5);
    const error = await noGrad(() => model.forecast(seen, 1))
      .sub(last)
      .square()
      .mean()
      .item();
    expect(error).toBeLessThan(0.7 * (await seen.slice(1, 4, 5).sub(last).square().mean().item()));
    const two = noGrad(() => model.forecast(seen, 2));
    expect(two.shape).toEqual([16, 2, 1, 16, 16]);
    const [first] = two.split([1, 1], 1);
    const both = noGrad(() => model.forward(tensor(0).add(seen).reshape([16, 5, 1, 16, 16])));
    expect(await largest(both.slice(1, 4, 5).sigmoid().sub(first))).toBeLessThan(1e-5);
  }, 60_000);

  test('what is wrong is said', () => {
    const model = new FrameForecaster();
    expect(() => model.forward(zeros([1, 2, 16, 16]))).toThrow(
      'FrameForecaster.forward: films [1, 2, 16, 16]: needs [N, T, 1, H, W]',
    );
    expect(() => model.forecast(zeros([1, 2, 1, 8, 8]), 0)).toThrow('the count is 0');
    expect(() => new FrameForecaster({ kernelSize: 2 })).toThrow('kernelSize is 2. Use an odd number.');
  });
});
