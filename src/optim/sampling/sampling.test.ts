// Genetic algorithm, Metropolis-Hastings, simulated annealing: each finds what is known, twice the same from one seed, and says why it ended.
import { expect, test } from 'vitest';
import { type Tensor, manualSeed } from '../../index.js';
import { effectiveSampleSize, evolve, evolveBits, metropolisHastings, rHat, simulatedAnnealing } from '../index.js';
import { HostRandom } from '../../tensor/host-random.js';

type Rows = Tensor<[number, number], 'float64'>;

/** Rastrigin's function: 10·n + Σ (x² − 10·cos 2πx), with 11ⁿ minima in [−5, 5]. */
const rastrigin = (p: Rows) =>
  p
    .square()
    .sub(
      p
        .mul(2 * Math.PI)
        .cos()
        .mul(10),
    )
    .add(10)
    .sum(1);

test('evolve finds the lowest of many minima, the same from the same seed', async () => {
  const bounds = [
    [-5.12, 5.12],
    [-5.12, 5.12],
    [-5.12, 5.12],
  ] as const;
  const found = await evolve(rastrigin, bounds, { seed: 3, target: 1e-3 });
  expect(found.reason).toBe('target');
  expect(Math.max(...Array.from(await found.x.data(), Math.abs))).toBeLessThan(0.01);
  expect(found.history.every(({ best }, i, list) => i === 0 || best <= list[i - 1].best)).toBe(true);
  const again = await evolve(rastrigin, bounds, { seed: 3, target: 1e-3 });
  expect([again.value, again.generations]).toEqual([found.value, found.generations]);
  manualSeed(1);
  expect((await evolve(rastrigin, bounds, { generations: 3 })).reason).toBe('generations');
});

test('evolveBits solves a knapsack', async () => {
  // The best of all 2¹² choices is looked for one by one.
  const [value, weight, limit] = [[9, 3, 8, 7, 6, 1, 4, 9, 2, 5, 8, 3], [7, 3, 5, 4, 6, 1, 3, 8, 2, 4, 5, 3], 20];
  let best = 0;
  for (let choice = 0; choice < 4096; choice++) {
    const pick = (list: number[]): number => list.reduce((sum, v, i) => sum + ((choice >> i) & 1) * v, 0);
    if (pick(weight) <= limit) best = Math.max(best, pick(value));
  }
  const { tensor } = await import('../../index.js');
  const [v, w] = [value, weight].map((list) => tensor(Float64Array.from(list)));
  const cost = (p: Rows) => p.mul(w).sum(1).sub(limit).relu().mul(100).sub(p.mul(v).sum(1));
  const found = await evolveBits(cost, 12, { seed: 1 });
  expect(-found.value).toBe(best);
  expect(found.reason).toBe('patience');
});

test('metropolisHastings: mean, deviation and correlation of a normal distribution; R-hat near 1, a good acceptance rate', async () => {
  // Covariance [[4, 1.8], [1.8, 1]] around (3, −1)
  const { tensor } = await import('../../index.js');
  const precision = tensor(Float64Array.of(1, -1.8, -1.8, 4), { shape: [2, 2] }).div(4 - 1.8 ** 2);
  const middle = tensor(Float64Array.of(3, -1));
  const log = (x: Rows) => x.sub(middle).matmul(precision).mul(x.sub(middle)).sum(1).mul(-0.5);
  const found = await metropolisHastings(log, [0, 0], { seed: 5, samples: 2500, burnIn: 1000 });
  expect(found.reason).toBe('samples');
  expect(found.samples.shape).toEqual([4, 2500, 2]);
  for (const rate of found.acceptanceRate) expect(Math.abs(rate - 0.3)).toBeLessThan(0.15);
  for (const value of found.rHat) expect(value).toBeLessThan(1.02);
  for (const size of found.effectiveSampleSize) expect(size).toBeGreaterThan(500);
  expect(Math.abs(found.mean[0] - 3)).toBeLessThan(0.25);
  expect(Math.abs(found.mean[1] + 1)).toBeLessThan(0.15);
  expect(Math.abs(found.deviation[0] - 2)).toBeLessThan(0.2);
  expect(Math.abs(found.deviation[1] - 1)).toBeLessThan(0.1);
  const again = await metropolisHastings(log, [0, 0], { seed: 5, samples: 10, burnIn: 0 });
  const once = await metropolisHastings(log, [0, 0], { seed: 5, samples: 10, burnIn: 0 });
  expect(await again.samples.data()).toEqual(await once.samples.data());
});

test('a density with a border is not left, and one that is 0 at the start has no walk', async () => {
  const exponential = (x: Rows) => x.sum(1).neg().add(x.gt(0).all(1).to('float64').log());
  const found = await metropolisHastings(exponential, [1], { seed: 2, samples: 1500 });
  expect(Math.abs(found.mean[0] - 1)).toBeLessThan(0.15);
  expect(Math.min(...(await found.samples.data()))).toBeGreaterThan(0);
  expect((await metropolisHastings(exponential, [-5], { seed: 2, samples: 4, stepSize: 0.1 })).reason).toBe(
    'not-finite',
  );
});

test('R-hat and effective sample size: of independent numbers, of a slow walk, of chains that differ', () => {
  const random = new HostRandom(1);
  const independent = Array.from({ length: 4 }, () => Array.from({ length: 1000 }, () => random.normal()));
  expect(rHat(independent)).toBeCloseTo(1, 1);
  expect(effectiveSampleSize(independent)).toBeGreaterThan(3000);
  // An autoregression with coefficient 0.9 has (1 − 0.9) / (1 + 0.9) of the samples.
  const walk = independent.map((list) => {
    let x = 0;
    return list.map((v) => (x = 0.9 * x + v));
  });
  expect(Math.abs(effectiveSampleSize(walk) / 4000 - 0.1 / 1.9)).toBeLessThan(0.025);
  expect(rHat(independent.map((list, i) => list.map((v) => v + i)))).toBeGreaterThan(1.3);
  expect([rHat([[1, 1, 1, 1]]), effectiveSampleSize([[1, 1, 1, 1]])]).toEqual([1, 4]);
});

test('simulatedAnnealing finds a short tour, the same from the same seed', async () => {
  // Cities on a circle: the shortest tour goes around it.
  const count = 12;
  const city = (i: number): [number, number] => [
    Math.cos((2 * Math.PI * i) / count),
    Math.sin((2 * Math.PI * i) / count),
  ];
  const length = (tour: readonly number[]): number =>
    tour.reduce((sum, at, i) => {
      const [[a, b], [c, d]] = [city(at), city(tour[(i + 1) % count])];
      return sum + Math.hypot(a - c, b - d);
    }, 0);
  const start = new HostRandom(9).shuffle(Array.from({ length: count }, (_, i) => i));
  const best = 2 * count * Math.sin(Math.PI / count);
  const anneal = () =>
    simulatedAnnealing(length, start as readonly number[], {
      neighbour: (tour, random) => {
        const [from, to] = [random.below(count), random.below(count)].sort((a, b) => a - b);
        return [...tour.slice(0, from), ...tour.slice(from, to + 1).reverse(), ...tour.slice(to + 1)];
      },
      seed: 4,
      target: best + 1e-9,
    });
  const found = await anneal();
  expect([found.reason, found.value]).toEqual(['target', expect.closeTo(best, 9)]);
  expect((await anneal()).steps).toBe(found.steps);
  const bad = await simulatedAnnealing(() => NaN, 1, { neighbour: (x) => x });
  expect(bad.reason).toBe('not-finite');
});

test.each([
  [() => evolve(rastrigin, []), 'evolve: there are no bounds. Give [low, high] for each gene.'],
  [() => evolve(rastrigin, [[1, -1]]), 'evolve: bounds 0 are [1, -1]. Give two numbers, the lower one first.'],
  [() => evolve(rastrigin, [[0, 1]], { elite: 100 }), 'evolve: elite is 100 of a population of 100. Use fewer.'],
  [() => evolve((p) => p.sum(), [[0, 1]]), 'evolve: the cost of [100, 1] has shape [], not [100].'],
  [() => evolveBits((p) => p.sum(1), 0), 'evolveBits: the number of bits is 0. Use a whole number of at least 1.'],
  [
    () => metropolisHastings((x) => x.sum(), [0]),
    'metropolisHastings: the log density of [4, 1] has shape [], not [4].',
  ],
  [
    () => metropolisHastings((x) => x.sum(1), []),
    'metropolisHastings: the start is []. Give at least one number, and finite ones.',
  ],
  [
    () => metropolisHastings((x) => x.sum(1), [0], { chains: 0 }),
    'metropolisHastings: chains is 0. Use a whole number of at least 1.',
  ],
  [
    () => simulatedAnnealing((x: number) => x, 1, {} as never),
    'simulatedAnnealing: neighbour is missing. Pass a function.',
  ],
  [
    () => simulatedAnnealing((() => 'a') as never, 1, { neighbour: (x) => x }),
    'simulatedAnnealing: the cost is a. Return a number.',
  ],
])('wrong call %#', async (call, message) => {
  await expect(call()).rejects.toThrow(message);
});
