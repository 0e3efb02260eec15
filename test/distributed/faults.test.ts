// What happens when one of several processes is killed, or hangs: the job ends within seconds, somebody says why and how to go on, and the run that
// is taken up is that of a run that was never broken off. Exhaustively: tools/distributed/kills.mjs.

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type Ended, build, isHydra, obstacle, runRanks, startRanks } from './ranks.js';

const RANKS = 2;
const TITLE = obstacle === undefined ? 'a process of several' : `a process of several (skipped: ${obstacle})`;

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'nabla-faults-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

interface Outcome {
  readonly begun: number;
  readonly reason: string;
  readonly step: number;
  readonly digests: readonly number[];
}

const outcomeOf = async (folder: string): Promise<Outcome> =>
  (await runRanks(RANKS, ['long-run.mjs', folder])).at(-1) as Outcome;

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}

const within = async (ended: Promise<Ended>, seconds: number): Promise<Ended | 'it goes on'> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'it goes on'>(
    (resolve) => (timer = setTimeout(() => resolve('it goes on'), seconds * 1000)),
  );
  const first = await Promise.race([ended, late]);
  clearTimeout(timer);
  return first;
};

describe.skipIf(obstacle !== undefined)(TITLE, () => {
  beforeAll(build, 120_000);

  it('is killed: the others end, and the run goes on bit for bit', { timeout: 120_000 }, async () => {
    const whole = await outcomeOf(newFolder());
    expect(whole).toMatchObject({ begun: 0, reason: 'completed', step: 288 });
    expect(new Set(whole.digests).size).toBe(1);
    const folder = newFolder();
    const { child, ended } = startRanks(RANKS, ['long-run.mjs', folder]);
    await Promise.race([ended, until(() => existsSync(join(folder, 'run/checkpoint.safetensors')))]);
    const pid = Number(readFileSync(join(folder, 'process-1'), 'utf8'));
    process.kill(pid, 'SIGKILL');
    const end = await within(ended, 10);
    if (end === 'it goes on') child.kill('SIGKILL');
    expect(end).toMatchObject({ status: expect.any(Number) });
    const { status, stdout, stderr } = end as Ended;
    expect(status).not.toBe(0);
    if (isHydra) expect(stdout).toContain(`PID ${pid} RUNNING AT`);
    else
      expect(stderr).toMatch(
        new RegExp(
          `nabla: rank 1 \\(process ${pid} on .+\\) has died, and the job ends\\. Go on from the last checkpoint: resume\\('`,
        ),
      );
    const resumed = await outcomeOf(folder);
    expect(resumed.begun).toBeGreaterThan(0);
    expect(resumed).toMatchObject({ reason: 'completed', step: 288, digests: whole.digests });
  });

  it('hangs: it is named after the time limit', { timeout: 60_000 }, async () => {
    const { child, ended } = startRanks(RANKS, ['long-run.mjs', newFolder(), 'sleep', '1'], { NABLA_MPI_TIMEOUT: '2' });
    const end = await within(ended, 30);
    if (end === 'it goes on') child.kill('SIGKILL');
    expect((end as Ended).status).not.toBe(0);
    expect((end as Ended).stderr).toMatch(
      /nabla: .*: after 2 seconds rank 1 \(process \d+ on .+\) has not come\. It hangs/,
    );
  });
});
