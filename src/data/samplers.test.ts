// Samplers: what each promises about the items of an epoch, for any sizes and seeds; ranks against PyTorch.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import fixture from '../../test/fixtures/data.json' with { type: 'json' };
import { ArgumentError } from '../tensor/library.js';
import {
  DistributedSampler,
  RandomSampler,
  SequentialSampler,
  StratifiedSampler,
  WeightedRandomSampler,
} from './samplers.js';

const sorted = (list: ArrayLike<number>): number[] => Array.from(list).sort((a, b) => a - b);
const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const size = fc.integer({ min: 1, max: 80 });

test('sequential and random orders hold every item once; an order follows from seed and epoch', () => {
  fc.assert(
    fc.property(size, fc.integer(), fc.nat(9), (n, seed, epoch) => {
      expect([...new SequentialSampler(n).order()]).toEqual(upTo(n));
      const sampler = new RandomSampler({ length: n }, { seed });
      expect(sorted(sampler.order(epoch))).toEqual(upTo(n));
      expect(new RandomSampler(n, { seed }).order(epoch)).toEqual(sampler.order(epoch));
    }),
  );
  expect(new RandomSampler(50).order(0)).not.toEqual(new RandomSampler(50).order(1));
  expect(new RandomSampler(50, { numSamples: 7 }).order(3)).toHaveLength(7);
  const many = new RandomSampler(5, { replacement: true, numSamples: 1000 }).order(0);
  expect(sorted([...new Set(many)])).toEqual(upTo(5));
});

test('weights are the shares with replacement; without, an item comes once and never with weight 0', () => {
  const weights = [1, 0, 2, 5];
  const drawn = new WeightedRandomSampler(weights, 20_000, { seed: 1 }).order(0);
  weights.forEach((w, item) => {
    expect(Math.abs(drawn.filter((i) => i === item).length / 20_000 - w / 8)).toBeLessThan(0.015); // 4 deviations
  });
  fc.assert(
    fc.property(fc.array(fc.nat(5), { minLength: 1, maxLength: 30 }), fc.integer(), (list, seed) => {
      const possible = list.flatMap((w, i) => (w > 0 ? [i] : []));
      fc.pre(possible.length > 0);
      const sampler = new WeightedRandomSampler(list, possible.length, { replacement: false, seed });
      expect(sorted(sampler.order(0))).toEqual(possible);
    }),
  );
  const firsts = upTo(4000).map(
    (epoch) => new WeightedRandomSampler([1, 3], 1, { replacement: false }).order(epoch)[0],
  );
  expect(Math.abs(firsts.filter((i) => i === 1).length / 4000 - 0.75)).toBeLessThan(0.03);
});

test('every batch of a stratified order has the mix of classes, and every item comes once', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(4), { minLength: 1, maxLength: 200 }),
      fc.integer({ min: 1, max: 40 }),
      fc.integer(),
      (classes, batchSize, seed) => {
        const order = new StratifiedSampler(classes, { batchSize, seed }).order(1);
        expect(sorted(order)).toEqual(upTo(classes.length));
        for (let from = 0; from < order.length; from += batchSize) {
          const batch = Array.from(order.subarray(from, from + batchSize), (i) => classes[i]);
          for (const label of new Set(classes)) {
            const share = (classes.filter((c) => c === label).length * batch.length) / classes.length;
            expect(Math.abs(batch.filter((c) => c === label).length - share)).toBeLessThan(2);
          }
        }
      },
    ),
  );
});

test('ranks share an epoch as in PyTorch, and in a random order that all agree upon', () => {
  for (const { length, order, ...options } of fixture.distributed) {
    const sampler = new DistributedSampler(length, { ...options, shuffle: false });
    expect([...sampler.order(0)]).toEqual(order);
    expect(sampler.length).toBe(order.length);
  }
  const ranks = upTo(4).map((rank) => new DistributedSampler(20, { numReplicas: 4, rank, seed: 5 }).order(2));
  expect(sorted(ranks.flatMap((r) => [...r]))).toEqual(upTo(20));
});

test.each([
  [() => new SequentialSampler(-1), 'SequentialSampler: the length is -1. Use a whole number of at least 0.'],
  [() => new RandomSampler(3, { numSamples: 4 }), 'RandomSampler: numSamples is 4, of 3 items.'],
  [() => new WeightedRandomSampler([1, -2], 1), 'WeightedRandomSampler: weight 1 is -2.'],
  [() => new WeightedRandomSampler([0, 0], 1), '0 of 2 weights are above 0'],
  [() => new WeightedRandomSampler([1, 0], 2, { replacement: false }), '2 items are asked for without replacement'],
  [() => new StratifiedSampler([1], { batchSize: 0 }), 'StratifiedSampler: batchSize is 0.'],
  [() => new DistributedSampler(4, { numReplicas: 2, rank: 2 }), 'rank 2 of 2 processes. Use 0 to 1.'],
])('%# bad arguments are named', (make, message) => {
  expect(make).toThrow(ArgumentError);
  expect(make).toThrow(message);
});
