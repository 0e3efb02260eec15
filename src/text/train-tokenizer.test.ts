// The trained tokenizer has the tokens, merges and numbers of huggingface/tokenizers' trainer; hidden tokens are chosen as BERT's are.
import { describe, expect, test } from 'vitest';
import { manualSeed, ones, tensor } from '../index.js';
import { readFixture } from '../../test/support/pytorch.js';
import { loadTokenizer, maskTokens, tokenizerFrom, trainTokenizer } from './index.js';

interface Trained {
  readonly vocabularySize: number;
  readonly minFrequency: number;
  readonly tokens: readonly string[];
  readonly merges: readonly string[];
  readonly encoded: readonly { readonly text: string; readonly ids: readonly number[] }[];
}

const { texts, cases } = readFixture<{ texts: string[]; cases: Trained[] }>('trained-tokenizer.json');

describe('trainTokenizer', () => {
  test.each(cases)('$vocabularySize tokens, pairs of $minFrequency', async (expected) => {
    const { vocabularySize, minFrequency } = expected;
    const json = trainTokenizer(texts, { vocabularySize, minFrequency });
    const tokens = Object.entries(json.model.vocab).sort(([, a], [, b]) => a - b);
    expect(tokens.map(([token]) => token)).toEqual(expected.tokens);
    expect(json.model.merges.map((merge) => merge.join(' '))).toEqual(expected.merges);
    const tokenizer = await tokenizerFrom(json);
    expect(tokenizer.vocabularySize).toBe(expected.tokens.length);
    expect(tokenizer.padId).toBe(0);
    for (const { text, ids } of expected.encoded) expect(tokenizer.encode(text).ids).toEqual(ids);
    expect(tokenizer.decode(tokenizer.encode('Zwei Mädchen, 🙂!').ids)).toBe(' Zwei Mädchen, 🙂!');
    const bytes = new TextEncoder().encode(JSON.stringify(json));
    expect((await loadTokenizer(bytes)).encode('street').ids).toEqual(tokenizer.encode('street').ids);
  });

  test('what is wrong is said', async () => {
    const train =
      (...args: unknown[]) =>
      () =>
        Reflect.apply(trainTokenizer, undefined, args);
    expect(train('a text')).toThrow('trainTokenizer: the argument is');
    expect(train([1])).toThrow('trainTokenizer: a text is 1. Give a text.');
    expect(train(['a'], { vocabularySize: 258 })).toThrow('Use a whole number of at least 259');
    expect(train(['a'], { specialTokens: ['x', 'x'] })).toThrow("special token 'x' comes twice");
    expect(train(['a'], { size: 3 })).toThrow("'size'");
    expect(Object.keys(trainTokenizer([]).model.vocab)).toHaveLength(259);
    await expect(tokenizerFrom({ a: 1 })).rejects.toThrow(
      'tokenizerFrom: the object is no tokenizer: it has no model.',
    );
    await expect(tokenizerFrom({ model: { type: 'none' } })).rejects.toThrow('tokenizerFrom: @huggingface/tokenizers');
  });
});

describe('maskTokens', () => {
  test('15 % are chosen, of these 80 % hidden, 10 % changed; never padding; the same for a seed', async () => {
    const [rows, columns, vocabularySize] = [200, 100, 50];
    const given = Int32Array.from({ length: rows * columns }, (_, i) => (i % columns < 80 ? 4 + (i % 46) : 0));
    const options = { maskId: 3, vocabularySize, specialIds: [0, 2] };
    const draw = async () => {
      manualSeed(1);
      const { ids, labels } = maskTokens(tensor(given, { shape: [rows, columns] }), options);
      return [await ids.data(), await labels.data()];
    };
    const [ids, labels] = await draw();
    const chosen = [...labels.keys()].filter((i) => labels[i] !== -100);
    expect(chosen.length / (rows * 80)).toBeCloseTo(0.15, 1);
    const share = (is: (i: number) => boolean) => chosen.filter((i) => is(i)).length / chosen.length;
    expect(share((i) => labels[i] === given[i] && given[i] !== 0)).toBe(1);
    expect(Math.abs(share((i) => ids[i] === 3) - 0.802)).toBeLessThan(0.03);
    expect(Math.abs(share((i) => ids[i] === given[i]) - 0.102)).toBeLessThan(0.03);
    expect([...ids.keys()].every((i) => labels[i] !== -100 || ids[i] === given[i])).toBe(true);
    expect(ids.every((id) => id >= 0 && id < vocabularySize)).toBe(true);
    expect(await draw()).toEqual([ids, labels]);
  });

  test('what is wrong is said', () => {
    const mask =
      (...args: unknown[]) =>
      () =>
        Reflect.apply(maskTokens, undefined, args);
    const ids = tensor(Int32Array.of(1, 2), { shape: [1, 2] });
    expect(mask([[1]], { maskId: 3, vocabularySize: 9 })).toThrow('maskTokens: the ids');
    expect(mask(ones([1, 2]), { maskId: 3, vocabularySize: 9 })).toThrow(
      "maskTokens: ids are float32. Convert with to('int32').",
    );
    expect(mask(ids)).toThrow('maskTokens');
    expect(mask(ids, { maskId: -1, vocabularySize: 9 })).toThrow('maskId is -1');
    expect(mask(ids, { maskId: 3, vocabularySize: 9, probability: 2 })).toThrow(
      'probability is 2. Use a number above 0, up to 1.',
    );
  });
});
