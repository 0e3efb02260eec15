// The search for hyper-parameters: known optima are found, every trial is kept, an interrupted search goes on, parallel
// trials run in processes, those that fall behind end.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { afterAll, describe, expect, expectTypeOf, test } from 'vitest';
import { ArgumentError, FormatError, tensor } from 'nabla';
import { HostRandom } from '../../tensor/host-random.js';
import {
  type Trial,
  bayesianSearch,
  choice,
  formatStudy,
  gridSearch,
  integer,
  logUniform,
  randomSearch,
  refineSearch,
  search,
  successiveHalving,
  uniform,
} from './index.js';
import { GaussianProcess } from './gaussian-process.js';

const work = mkdtempSync(join(tmpdir(), 'nabla-search-test-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));

// ---------------------------------------------------------------- test functions with known optima

/** Three minima of 0.397887 (Branin 1972). */
const branin = ({ x, y }: { x: number; y: number }): number =>
  (y - (5.1 / (4 * Math.PI ** 2)) * x * x + (5 / Math.PI) * x - 6) ** 2 +
  10 * (1 - 1 / (8 * Math.PI)) * Math.cos(x) +
  10;
const braninSpace = { x: uniform(-5, 10), y: uniform(0, 15) };

/** Minimum of −3.86278 at (0.1146, 0.5556, 0.8525) (Hartman 1973). */
function hartmann({ a, b, c }: { a: number; b: number; c: number }): number {
  const A = [
    [3, 10, 30],
    [0.1, 10, 35],
    [3, 10, 30],
    [0.1, 10, 35],
  ];
  const P = [
    [3689, 1170, 2673],
    [4699, 4387, 7470],
    [1091, 8732, 5547],
    [381, 5743, 8828],
  ];
  const x = [a, b, c];
  return [1, 1.2, 3, 3.2].reduce(
    (sum, alpha, i) => sum - alpha * Math.exp(-x.reduce((s, v, j) => s + A[i][j] * (v - P[i][j] * 1e-4) ** 2, 0)),
    0,
  );
}
const unit = uniform(0, 1);

describe('known optima', () => {
  test.each([0, 1])('Bayesian search finds the minimum of Branin to 0.01 in 40 trials (seed %i)', async (seed) => {
    const study = await search(braninSpace, branin, { trials: 40, seed });
    expect(study.best.value).toBeLessThan(0.397887 + 0.01);
  });

  test('Bayesian search finds the minimum of Hartmann 3 to 0.05 in 50 trials', async () => {
    const study = await search({ a: unit, b: unit, c: unit }, hartmann, { trials: 50 });
    expect(study.best.value).toBeLessThan(-3.86278 + 0.05);
  });

  test('it beats random search on average', async () => {
    const means = await Promise.all(
      [bayesianSearch(), randomSearch()].map(async (strategy) => {
        const studies = await Promise.all(
          [0, 1, 2, 3].map((seed) => search(braninSpace, branin, { trials: 30, seed, strategy })),
        );
        return studies.reduce((sum, s) => sum + s.best.value / 4, 0);
      }),
    );
    expect(means[0]).toBeLessThan(means[1]);
  });

  test('refining comes close in 100 trials; maximising, too', async () => {
    const strategy = refineSearch({ perRound: 20 });
    const up = (params: { x: number; y: number }) => -branin(params);
    const study = await search(braninSpace, up, { trials: 100, strategy, direction: 'maximize', seed: 1 });
    expect(study.best.value).toBeGreaterThan(-0.45);
  });

  test('choices, whole numbers and logarithms together', async () => {
    const space = { lr: logUniform(1e-5, 1), width: integer(1, 64), act: choice(['relu', 'tanh', 'none']) };
    const study = await search(
      space,
      ({ lr, width, act }) =>
        (Math.log10(lr) + 2) ** 2 + ((width - 40) / 20) ** 2 + { relu: 0, tanh: 0.5, none: 2 }[act],
      { trials: 40 },
    );
    expectTypeOf(study.best.params).toEqualTypeOf<{ lr: number; width: number; act: 'relu' | 'tanh' | 'none' }>();
    const { lr, width, act } = study.best.params;
    expect(act).toBe('relu');
    expect(Math.abs(Math.log10(lr) + 2)).toBeLessThan(0.3);
    expect(Math.abs(width - 40)).toBeLessThan(8);
  });
});

test('a Gaussian process goes through its points and is unsure elsewhere', () => {
  const points = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 1].map((x) => [x]);
  const f = (x: number) => Math.sin(6 * x);
  const model = new GaussianProcess(
    points,
    points.map(([x]) => f(x)),
    new HostRandom(1),
  );
  for (const [x] of points) expect(model.predict([x]).mean).toBeCloseTo(f(x), 2);
  expect(Math.abs(model.predict([0.45]).mean - f(0.45))).toBeLessThan(0.01);
  expect(model.predict([0.8]).variance).toBeGreaterThan(10 * model.predict([0.5]).variance);
});

describe('spaces', () => {
  test('values and places are each other’s inverse', () => {
    const dimensions = [uniform(-2, 3), logUniform(1e-6, 10), integer(-3, 12), choice(['a', 'b', 3, true])];
    fc.assert(
      fc.property(fc.constantFrom(...dimensions), fc.double({ min: 0, max: 1, noNaN: true }), (d, u) => {
        const value = d.at(u) as never;
        const again = d.at(d.place(value));
        if (typeof value === 'number' && !Number.isInteger(value)) expect(again).toBeCloseTo(value, 10);
        else expect(again).toEqual(value);
      }),
    );
  });

  test('grids', async () => {
    const seen: unknown[] = [];
    const space = { a: choice(['x', 'y']), b: integer(1, 3), c: uniform(0, 1) };
    await search(space, (p) => seen.push({ ...p }), { strategy: gridSearch({ points: 3 }), trials: 100 });
    expect(seen).toHaveLength(18);
    expect(new Set(seen.map((p) => JSON.stringify(p))).size).toBe(18);
    expect(seen[0]).toEqual({ a: 'x', b: 1, c: 0 });
    expect(
      logUniform(0.001, 1)
        .grid(4)
        .map((v) => Number(v.toPrecision(6))),
    ).toEqual([0.001, 0.01, 0.1, 1]);
  });

  test('bad input', async () => {
    const circle: unknown[] = [];
    circle.push(circle);
    const bad: [() => unknown, string][] = [
      [() => uniform(1, 1), 'uniform: bounds 1 and 1 are not valid.'],
      [() => logUniform(0, 1), 'logUniform: bounds 0 and 1 are not valid. Use numbers above 0'],
      [() => integer(0.5, 2), 'integer: bounds 0.5 and 2 are not whole numbers.'],
      [() => choice([]), 'choice: there is nothing to choose from.'],
      [() => choice([1n]), 'choice: a value is'],
      [() => choice([Math.max, Math.min]), 'choice: a value is'],
      [() => choice([{ start: tensor([1]) }]), 'choice: a value is'],
      [() => choice([circle]), 'List numbers, texts or plain objects: trials are written as JSON.'],
      [() => uniform(0, 1).place(2), 'uniform(0, 1): 2 is outside.'],
      [() => refineSearch({ shrink: 1 }), 'refineSearch: shrink is 1.'],
      [() => successiveHalving({ factor: 1 }), 'successiveHalving: factor is 1.'],
    ];
    for (const [run, message] of bad) {
      expect(run).toThrow(ArgumentError);
      expect(run).toThrow(message);
    }
    await expect(search({}, () => 0)).rejects.toThrow('search: the space is empty.');
    await expect(search({ a: unit }, () => 0, { trials: 0 })).rejects.toThrow('search: trials is 0.');
    await expect(search({ a: unit }, () => 'low' as never, { trials: 1 })).rejects.toThrow('returned string');
  });
});

describe('a search', () => {
  const space = { x: uniform(-1, 1) };

  test('is the same for the same seed', async () => {
    const values = async (seed: number) =>
      (await search(space, ({ x }) => x * x, { trials: 12, seed })).trials.map((t) => t.params.x);
    expect(await values(3)).toEqual(await values(3));
    expect(await values(3)).not.toEqual(await values(4));
  });

  test('goes on from its folder to the trials of an unbroken one', async () => {
    const folder = join(work, 'resume');
    const objective = ({ x }: { x: number }) => (x - 0.3) ** 2;
    const whole = await search(space, objective, { trials: 15 });
    await search(space, objective, { trials: 6, folder });
    const file = join(folder, 'search.jsonl');
    writeFileSync(file, `${readFileSync(file, 'utf8')}{"number":6,"par`); // killed while writing
    let calls = 0;
    const rest = await search(space, (p) => ++calls && objective(p), { trials: 15, folder });
    expect(calls).toBe(9);
    const results = (trials: readonly Trial[]) =>
      trials.map(({ number, params, value }) => ({ number, params, value }));
    expect(results(rest.trials)).toEqual(results(whole.trials));
    await expect(search({ x: uniform(0, 1) }, objective, { folder })).rejects.toThrow(FormatError);
  });

  test('damaged trials are named, whatever is in their place', async () => {
    const folder = join(work, 'damaged');
    await search({ x: uniform(0, 1) }, ({ x }) => x, { trials: 3, folder });
    const file = join(folder, 'search.jsonl');
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    const odd = { toString: 1, valueOf: 2 };
    const changes: [Record<string, unknown>, string][] = [
      [{ seconds: 'x' }, "'seconds' is damaged"],
      [{ value: odd }, "'value' is damaged"],
      [{ value: 'NaN' }, 'it has no result'],
      [{ state: 'done' }, "'state' is damaged"],
      [{ reports: [[1]] }, "'reports' is damaged"],
      [{ number: -1 }, "'number' is damaged"],
      [{ params: { x: '0.5' } }, 'uniform(0, 1): 0.5 is outside'],
      [{ params: { x: odd } }, 'is outside'],
    ];
    for (const [change, message] of changes) {
      const trial = JSON.stringify({ ...(JSON.parse(lines[2]) as object), ...change });
      writeFileSync(file, [lines[0], lines[1], trial, lines[3], ''].join('\n'));
      const again = search({ x: uniform(0, 1) }, ({ x }) => x, { trials: 3, folder });
      await expect(again).rejects.toThrow(FormatError);
      await expect(again).rejects.toThrow(message);
    }
    for (const header of [null, 1, { ...(JSON.parse(lines[0]) as object), seed: odd, space: odd }]) {
      writeFileSync(file, [JSON.stringify(header), ...lines.slice(1), ''].join('\n'));
      await expect(search({ x: uniform(0, 1) }, ({ x }) => x, { folder })).rejects.toThrow(/belongs to another search/);
    }
  });

  test('failures: thrown, or recorded; results that are not numbers do not win', async () => {
    const fails = ({ x }: { x: number }) => {
      if (x > 0) throw new Error('too high');
      return x < -0.5 ? NaN : x;
    };
    await expect(search(space, fails, { trials: 30, strategy: randomSearch() })).rejects.toThrow('too high');
    const study = await search(space, fails, { trials: 30, strategy: randomSearch(), catchErrors: true });
    expect(new Set(study.trials.map((t) => t.error))).toEqual(
      new Set([undefined, 'too high', 'the result is not a number']),
    );
    expect(study.best.value).toBeLessThan(0);
    expect(formatStudy(study, { rows: 3 }).split('\n')).toHaveLength(6);
  });

  test('stops when asked', async () => {
    const controller = new AbortController();
    const onTrial = ({ number }: Trial) => number === 4 && controller.abort();
    const study = await search(space, ({ x }) => x, {
      trials: 50,
      signal: controller.signal,
      onTrial: (t) => void onTrial(t),
    });
    expect(study.trials).toHaveLength(5);
  });

  test('successive halving ends what falls behind and keeps the best', async () => {
    let steps = 0;
    const study = await search(
      space,
      async ({ x }, trial) => {
        for (let step = 1; step <= 27; step++) {
          steps++;
          if (!(await trial.report(Math.abs(x) + 1 / step, step))) return NaN;
        }
        return Math.abs(x) + 1 / 27;
      },
      { trials: 40, strategy: randomSearch(), pruner: successiveHalving({ min: 1, factor: 3 }) },
    );
    const pruned = study.trials.filter((t) => t.state === 'pruned');
    expect(pruned.length).toBeGreaterThan(20);
    expect(steps).toBeLessThan((40 * 27) / 3);
    const best = Math.min(...study.trials.map((t) => Math.abs(t.params.x)));
    expect(Math.abs(study.best.params.x)).toBeLessThan(best + 0.1);
  });

  test('parallel trials in processes of their own', async () => {
    const file = join(work, 'objective.mjs');
    writeFileSync(
      file,
      `export default async ({ x }, trial) => {
        if (x > 0.9) process.exit(3);
        await trial.report(x, 1);
        return (x - 0.25) ** 2 + 0 * process.pid;
      };`,
    );
    const study = await search(space, pathToFileURL(file), { trials: 12, parallel: 2, catchErrors: true, seed: 2 });
    expect(study.trials.map((t) => t.number)).toEqual(Array.from({ length: 12 }, (_, i) => i));
    for (const t of study.trials) {
      if (t.params.x > 0.9) expect(t.error).toContain('its process ended (exit 3)');
      else expect([t.state, t.reports]).toEqual(['completed', [[1, t.params.x]]]);
    }
    await expect(search(space, pathToFileURL(join(work, 'missing.mjs')), { trials: 2 })).rejects.toThrow('missing.mjs');
    expect(existsSync(file)).toBe(true);
  });
});
