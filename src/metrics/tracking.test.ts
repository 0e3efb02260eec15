// Scores of tracking: py-motmetrics' numbers on made-up films, and films by hand; assignments against all permutations.
import { expect, test } from 'vitest';
import cases from '../../test/fixtures/tracking.json' with { type: 'json' };
import { HostRandom } from '../data/index.js';
import { assignRows } from './assignment.js';
import { TrackingMetrics } from './index.js';

const objects = (rows: readonly (readonly number[])[]) => rows.map(([id, ...position]) => ({ id, position }));

test.each(cases)('film %# has the scores that py-motmetrics gives it', async ({ maxDistance, frames, wanted }) => {
  const metric = new TrackingMetrics({ maxDistance });
  for (const { truth, found } of frames) metric.update(objects(found), objects(truth));
  const scores = await metric.compute();
  const names = Object.keys(wanted) as (keyof typeof wanted)[];
  const rounded = (of: Readonly<Record<string, number>>) => names.map((name) => `${name} ${of[name].toFixed(10)}`);
  expect(rounded({ ...scores })).toEqual(rounded(wanted));
});

test('by hand: a switch in the middle, a false alarm, a miss', async () => {
  const metric = new TrackingMetrics({ maxDistance: 1 });
  metric.update(objects([[7, 0, 0]]), objects([[1, 0, 0.5]]));
  metric.update(
    objects([
      [7, 1, 0],
      [9, 8, 8],
    ]),
    objects([[1, 1, 0]]),
  );
  metric.update(objects([[8, 2, 0]]), objects([[1, 2, 0]]));
  metric.update([], objects([[1, 3, 0]]));
  expect(await metric.compute()).toEqual({
    mota: 1 - 3 / 4,
    idf1: 4 / 8,
    idPrecision: 2 / 4,
    idRecall: 2 / 4,
    misses: 1,
    falseAlarms: 1,
    switches: 1,
    objects: 4,
  });
  metric.reset();
  expect((await metric.compute()).mota).toBeNaN();
});

test('assignments are the best of all', () => {
  const permutations = (list: number[]): number[][] =>
    list.length === 0 ? [[]] : list.flatMap((x, i) => permutations(list.toSpliced(i, 1)).map((rest) => [x, ...rest]));
  const random = new HostRandom(3);
  for (let round = 0; round < 60; round++) {
    const [rows, columns] = [1 + random.below(5), 1 + random.below(5)];
    const costs = Array.from({ length: rows * columns }, () =>
      round % 2 === 0 ? random.between(-1, 1) : random.below(4),
    );
    const found = assignRows(costs, rows, columns);
    const sum = (list: readonly number[]): number =>
      list.reduce(
        (total, column, row) =>
          column < 0 || column >= columns || row >= rows ? total : total + costs[row * columns + column],
        0,
      );
    expect(found.filter((column) => column >= 0)).toHaveLength(Math.min(rows, columns));
    expect(new Set(found.filter((column) => column >= 0)).size).toBe(Math.min(rows, columns));
    const size = Math.max(rows, columns);
    const best = Math.min(...permutations(Array.from({ length: size }, (_, i) => i)).map(sum));
    expect(sum([...found])).toBeCloseTo(best, 10);
  }
});

test('what is wrong is said', () => {
  const metric = new TrackingMetrics({ maxDistance: 1 });
  expect(() =>
    metric.update(
      objects([
        [1, 0, 0],
        [1, 2, 2],
      ]),
      [],
    ),
  ).toThrow('TrackingMetrics: the tracks have two of the id 1');
  expect(() => new TrackingMetrics({ maxDistance: -1 })).toThrow('maxDistance is -1');
});
