// Several processes where there is next to nothing to share out, and one that leaves the others to themselves.

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { build, obstacle, runRanks, startRanks } from './ranks.js';

const command = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

const TITLE = obstacle === undefined ? 'at the edges' : `at the edges (skipped: ${obstacle})`;

it.each(['train', 'search'])('%s without --distributed is not done by each of several processes', (name) => {
  build();
  const env = { ...process.env, OMPI_COMM_WORLD_SIZE: '2' };
  const { status, stderr } = spawnSync(process.execPath, [command, name, 'digits'], { env, encoding: 'utf8' });
  expect(status).toBe(2);
  expect(stderr).toBe(
    'nabla: a launcher of MPI has started 2 processes, each of which would do all of the work. Add --distributed, or start one.\n',
  );
});

describe.skipIf(obstacle !== undefined)(TITLE, () => {
  beforeAll(build, 120_000);

  it('several processes train as one does: 3', { timeout: 60_000 }, async () => {
    const lines = (await runRanks(3, ['edges.mjs'])) as { name: string; value: unknown }[];
    const {
      nothing,
      NaN: nans,
      measures,
      gradients,
      'one parameter': one,
      ...cases
    } = Object.fromEntries(lines.map((l) => [l.name, l.value]));
    expect(Object.keys(cases).length).toBe(5);
    for (const [name, distance] of Object.entries(cases)) expect([name, Number(distance) < 1e-5]).toEqual([name, true]);
    const { factors, state } = one as { factors: number[][]; state: string[] };
    expect(state).toEqual(['exp_avg.0', 'exp_avg_sq.0']);
    expect(factors[0][0]).toBeCloseTo(0.7, 5);
    expect(factors).toEqual([factors[0], factors[0], factors[0]]);
    expect(nothing).toEqual([[], [0, 3], [0, 3], [[], [], []], [0, 2]]);
    expect(nans).toBe(0);
    expect(measures).toBe(2 * 3);
    expect(gradients).toEqual(Array.from({ length: 3 }, () => Array.from({ length: 4 }, () => [true, true, 2])));
  });

  it('a process that ends its program while others train ends the job, and its part is not made up', async () => {
    const { status, stdout, stderr } = await startRanks(2, ['edges.mjs', 'leave']).ended;
    expect(status).not.toBe(0);
    expect(stderr).toMatch(
      /nabla: gradients, bucket 1 of 1: rank 1 \(process \d+ on .+\) does not take part: its program has come to its end\./,
    );
    expect(stdout.split('\n').filter((line) => line.includes('gradients')).length).toBe(2);
  }, 60_000);
});
