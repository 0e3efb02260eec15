// Splits: disjoint, of the asked sizes, the same for the same seed, with the classes shared out.
import { expect, test } from 'vitest';
import { ArgumentError } from '../tensor/library.js';
import { splitIndices } from './split.js';
import fc from 'fast-check';

const flat = (lists: readonly Int32Array[]): number[] => lists.flatMap((list) => [...list]);

test('parts are disjoint and of the asked sizes, with and without classes', () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(
      sizes,
      fc.integer({ min: 0, max: 30 }),
      fc.integer(),
      fc.boolean(),
      (counts, rest, seed, stratified) => {
        const length = counts.reduce((a, b) => a + b, 0) + rest;
        fc.pre(counts.reduce((a, b) => a + b, 0) > 1);
        const classes = stratified ? Int32Array.from({ length }, (_, i) => (i * 7) % 5) : undefined;
        const parts = splitIndices(length, counts, { seed, classes });
        expect(parts.map((p) => p.length)).toEqual(counts);
        const all = flat(parts);
        expect(new Set(all).size).toBe(all.length);
        expect(all.every((i) => i >= 0 && i < length)).toBe(true);
        expect(splitIndices(length, counts, { seed, classes })).toEqual(parts);
      },
    ),
  );
});

test('fractions that add up to 1 leave nothing out', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2000 }), fc.double({ min: 0, max: 1, noNaN: true }), (length, share) => {
      const parts = splitIndices(length, [share, 1 - share]);
      expect(flat(parts).sort((a, b) => a - b)).toEqual(Array.from({ length }, (_, i) => i));
      expect(Math.abs(parts[0].length - share * length)).toBeLessThanOrEqual(0.5 + 1e-6);
    }),
  );
});

test('a stratified split keeps the share of every class to within one item', () => {
  const classes = Int32Array.from({ length: 1000 }, (_, i) => (i % 10 === 0 ? 0 : i % 3));
  const [train, test] = splitIndices(1000, [0.8, 0.2], { classes, seed: 3 });
  for (const label of [0, 1, 2]) {
    const total = classes.filter((c) => c === label).length;
    expect(Math.abs(train.filter((i) => classes[i] === label).length - 0.8 * total)).toBeLessThanOrEqual(1);
    expect(Math.abs(test.filter((i) => classes[i] === label).length - 0.2 * total)).toBeLessThanOrEqual(1);
  }
});

test('other seeds give other parts; without shuffling items stay in order', () => {
  expect(splitIndices(100, [0.5], { seed: 1 })).not.toEqual(splitIndices(100, [0.5], { seed: 2 }));
  expect(splitIndices(5, [2, 3], { shuffle: false })).toEqual([Int32Array.of(0, 1), Int32Array.of(2, 3, 4)]);
});

test.each([[[0.7, 0.7]], [[5, 6]], [[-1]], [[Number.NaN]], [[]], [[1.5]]])('parts %j are refused', (parts) => {
  expect(() => splitIndices(10, parts)).toThrow(ArgumentError);
});
