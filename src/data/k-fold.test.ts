// Folds: disjoint and complete for any input, no group on both sides, classes shared out; against scikit-learn.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import fixture from '../../test/fixtures/data.json' with { type: 'json' };
import { ArgumentError } from '../tensor/library.js';
import { ArrayDataset } from './dataset.js';
import { kFold } from './k-fold.js';
import { splitIndices } from './split.js';

const labels = fc.array(fc.record({ label: fc.nat(3), group: fc.nat(12) }), { minLength: 4, maxLength: 60 });
const countOf = (list: ArrayLike<number>, value: number): number => Array.from(list).filter((v) => v === value).length;

test('each item is validated once and trains the other folds; the same seed gives the same folds', () => {
  fc.assert(
    fc.property(
      labels,
      fc.integer({ min: 2, max: 4 }),
      fc.integer(),
      fc.boolean(),
      fc.boolean(),
      (items, k, seed, s, g) => {
        const stratify = s ? items.map(({ label }) => label) : undefined;
        const groups = g ? items.map(({ group }) => group) : undefined;
        fc.pre(groups === undefined || new Set(groups).size >= k);
        fc.pre(g || stratify === undefined || stratify.every((label) => countOf(stratify, label) >= k));
        const folds = kFold(items.length, k, { stratify, groups, seed });
        const validated = folds.flatMap(({ validation }) => [...validation]).sort((a, b) => a - b);
        expect(validated).toEqual(items.map((_, i) => i));
        for (const { train, validation } of folds) {
          expect([...train, ...validation].sort((a, b) => a - b)).toEqual(validated);
          const held = new Set(validation);
          expect(train.some((i) => held.has(i))).toBe(false);
          if (groups !== undefined) {
            const heldGroups = new Set(Array.from(validation, (i) => groups[i]));
            expect(train.some((i) => heldGroups.has(groups[i]))).toBe(false);
          } else if (stratify !== undefined) {
            for (const label of new Set(stratify)) {
              const share = countOf(stratify, label) / k;
              const inFold = countOf(
                Array.from(validation, (i) => stratify[i]),
                label,
              );
              expect(Math.abs(inFold - share)).toBeLessThan(1);
            }
          } else expect(Math.abs(validation.length - items.length / k)).toBeLessThan(1);
        }
        expect(kFold(items.length, k, { stratify, groups, seed })).toEqual(folds);
      },
    ),
  );
});

test.each(Object.entries(fixture.folds))('%s without shuffling is the same as in scikit-learn', (name, expected) => {
  const [splitter, k] = name.split(' ');
  const folds = kFold(fixture.classes.length, Number(k), {
    shuffle: false,
    stratify: splitter.startsWith('Stratified') ? fixture.classes : undefined,
    groups: splitter.includes('Group') ? fixture.groups : undefined,
  });
  expect(folds.map(({ validation }) => [...validation])).toEqual(expected);
});

test('a grouped split keeps groups whole, leaves nothing out, and comes near the asked sizes', () => {
  fc.assert(
    fc.property(labels, fc.double({ min: 0.1, max: 0.9, noNaN: true }), fc.integer(), (items, share, seed) => {
      const groups = items.map(({ group }) => group);
      const [a, b] = splitIndices(items.length, [share, 1 - share], { groups, seed });
      expect([...a, ...b].sort((p, q) => p - q)).toEqual(items.map((_, i) => i));
      const inA = new Set(Array.from(a, (i) => groups[i]));
      expect(b.some((i) => inA.has(groups[i]))).toBe(false);
      const largest = Math.max(...groups.map((g) => countOf(groups, g)));
      expect(Math.abs(a.length - share * items.length)).toBeLessThanOrEqual(largest + 0.5);
    }),
  );
});

test('datasets: folds and splits by the name of a field', () => {
  const y = Int32Array.from({ length: 12 }, (_, i) => i % 3);
  const data = new ArrayDataset({ y: { data: y, shape: [] }, person: { data: y.map((_, i) => i >> 1), shape: [] } });
  for (const { train, validation } of data.folds(3, { stratify: 'y', groups: 'person' })) {
    expect(train.length + validation.length).toBe(12);
    const held = new Set(validation.column('person'));
    expect(train.column('person').some((p) => held.has(p))).toBe(false);
  }
  const { train, test: rest } = data.split({ train: 0.5, test: 0.5 }, { groups: 'person' });
  expect([train.length, rest.length]).toEqual([6, 6]);
  expect(data.split({ a: 0.5 }, { stratify: y }).a.length).toBe(6);
});

test.each([
  [() => kFold(5, 1), 'kFold: 1 folds of 5 items.'],
  [() => kFold(5, 6), 'kFold: 6 folds of 5 items.'],
  [() => kFold(4, 2, { stratify: [1, 2] }), 'kFold: stratify has 2 entries for 4 items.'],
  [() => kFold(4, 3, { groups: [1, 1, 2, 2] }), 'kFold: 2 groups for 3 folds.'],
  [() => kFold(4, 2, { stratify: [1, 1, 1, 2] }), 'kFold: a class has 1 items, and there are 2 folds.'],
  [() => splitIndices(4, [0.5], { groups: [1] }), 'split: 1 labels for 4 items.'],
  [() => splitIndices(1, [0.5], { groups: [1], classes: [1] }), 'split: stratify and groups together'],
])('%# bad arguments are named', (make, message) => {
  expect(make).toThrow(ArgumentError);
  expect(make).toThrow(message);
});
