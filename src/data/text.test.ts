// Vocabularies and windows of text.
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { ArgumentError, IndexError, setDevice } from '../index.js';
import { CharVocabulary, DataLoader, TokenWindows, WordVocabulary, tokenizeWords } from './index.js';

beforeAll(() => setDevice('reference'));

test('characters: encoding and decoding are inverse, whatever the text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const vocabulary = CharVocabulary.of(text);
      expect(vocabulary.decode(vocabulary.encode(text))).toBe(text);
      expect(vocabulary.size).toBe(new Set(text).size);
    }),
  );
  expect(CharVocabulary.of('hello 🙂').tokens).toEqual([' ', 'e', 'h', 'l', 'o', '🙂']);
  expect(() => CharVocabulary.of('ab').encode('abc')).toThrow('"c" (character 2) is not among the 2 characters');
  expect(() => CharVocabulary.of('ab').decode([2])).toThrow(IndexError);
});

test('words: by frequency, with limits and an unknown word', () => {
  expect(tokenizeWords('Cafe\u0301 CAF\u00c9')).toEqual(['caf\u00e9', 'caf\u00e9']); // composed, whatever was given
  expect(tokenizeWords('\u0939\u093f\u0928\u094d\u0926\u0940 x\u0304y')).toEqual([
    '\u0939\u093f\u0928\u094d\u0926\u0940',
    'x\u0304y',
  ]);
  expect(tokenizeWords("Don't stop, 3 times!")).toEqual(["don't", 'stop', ',', '3', 'times', '!']);
  const texts = ['b a b', 'c a b', 'd'];
  expect(WordVocabulary.of(texts).tokens).toEqual(['<unk>', 'b', 'a', 'c', 'd']);
  const small = WordVocabulary.of(texts, { minFrequency: 2, specials: ['<pad>', '<unk>'] });
  expect(small.tokens).toEqual(['<pad>', '<unk>', 'b', 'a']);
  expect([...small.encode('a z b')]).toEqual([3, 1, 2]);
  expect(small.decode([3, 1])).toBe('a <unk>');
  expect(WordVocabulary.of(texts, { maxSize: 2 }).tokens).toEqual(['<unk>', 'b']);
  expect(() => WordVocabulary.of(texts, { specials: [] }).encode('z')).toThrow("'z' is not known");
  expect(() => new WordVocabulary(['a', 'a'])).toThrow(ArgumentError);
});

test('windows: y is x one token later; with the default stride every token is a target once', async () => {
  const tokens = Int32Array.from({ length: 11 }, (_, i) => i);
  const windows = new TokenWindows(tokens, { length: 3 });
  expect(windows.length).toBe(3);
  const targets: number[] = [];
  for await (const { x, y } of new DataLoader(windows, { batchSize: 2 })) {
    const [inputs, next] = [await x.data(), await y.data()];
    expect([...next]).toEqual(Array.from(inputs, (t) => t + 1));
    targets.push(...next);
  }
  expect(targets).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(new TokenWindows(tokens, { length: 10, stride: 1 }).length).toBe(1);
  expect(new TokenWindows(tokens, { length: 4, stride: 2 }).get(3)).toEqual({
    x: Int32Array.of(6, 7, 8, 9),
    y: Int32Array.of(7, 8, 9, 10),
  });
  expect(() => new TokenWindows(tokens, { length: 11 })).toThrow('11 tokens are too few for windows of 11');
  expect(() => new TokenWindows(tokens, { length: 2, stride: 0 })).toThrow(ArgumentError);
  expect(() => windows.gather([3])).toThrow(IndexError);
});
