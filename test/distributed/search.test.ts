// nabla search --distributed: every process has a worker, process 0 hands out the trials, and the trial of a worker that dies goes to another.

import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { build, obstacle, startRanks } from './ranks.js';

const dist = fileURLToPath(new URL('../../dist', import.meta.url));
const TITLE = obstacle === undefined ? 'a search on two processes' : `a search on two processes (skipped: ${obstacle})`;

/** A number becomes 3; each trial writes down which process it was in, and the process of the second one dies once. */
function writeRun(folder: string): string {
  const from = (name: string) => JSON.stringify(pathToFileURL(join(dist, name)).href);
  const path = join(folder, 'run.mjs');
  writeFileSync(
    path,
    `import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
    import { tensor } from ${from('index.js')};
    import { Module, Parameter } from ${from('nn/index.js')};
    import { SGD } from ${from('optim/index.js')};
    class Point extends Module {
      at = new Parameter(tensor([0]));
    }
    const here = (name) => new URL(name, import.meta.url);
    export default {
      name: 'point',
      title: 'A number becomes 3',
      settings: { epochs: 3, lr: 0.1, dies: 'no' },
      choices: { dies: ['no', 'once', 'always'] },
      create({ epochs, lr, dies }) {
        const isTrial = process.send !== undefined;
        const model = new Point();
        const batches = { length: 4, async *batches() { for (let i = 0; i < 4; i++) yield { x: tensor([3]) }; } };
        const forward = (m, { x }) => m.at.sub(x).pow(2).mean();
        const dying = {
          onEpochEnd(_, { epoch }) {
            if (!isTrial || epoch !== 2 || dies === 'no' || (dies === 'once' && existsSync(here('died')))) return;
            writeFileSync(here('died'), String(process.pid));
            process.kill(process.pid, 'SIGKILL');
          },
        };
        if (isTrial) appendFileSync(here('processes'), process.pid + '\\n');
        return { model, optimizer: new SGD(model.parameters(), { lr }), train: batches, validation: batches, forward, epochs, callbacks: [dying] };
      },
    };`,
  );
  return path;
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'nabla-search-ranks-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const searching = (folder: string, dies: string) =>
  startRanks(2, [
    join(dist, 'cli/main.js'),
    ...`search ${writeRun(folder)} --distributed --space lr=0.01,0.1,0.2,0.05 --strategy grid`.split(' '),
    ...`--set dies=${dies} --json --out ${join(folder, 'found')}`.split(' '),
  ]).ended;

describe.skipIf(obstacle !== undefined)(TITLE, () => {
  beforeAll(build, 120_000);

  it('has all trials, those of a worker that died included', { timeout: 60_000 }, async () => {
    const folder = newFolder();
    const { status, stdout, stderr } = await searching(folder, 'once');
    expect(stderr).toMatch(
      /^nabla: the worker of rank [01] \(process \d+ on .+\) has died; trial \d goes to another one\.$/m,
    );
    expect(status).toBe(0);
    const trials = stdout
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as { number: number; state: string; reports: [number, number][] });
    expect(trials.map(({ number }) => number).toSorted()).toEqual([0, 1, 2, 3]);
    // What was reported before the death does not count twice.
    for (const { state, reports } of trials)
      expect([state, reports.map(([step]) => step)]).toEqual(['completed', [1, 2]]);
    const workers = new Set(readFileSync(join(folder, 'processes'), 'utf8').trim().split('\n'));
    expect(workers.size).toBeGreaterThan(1);
    expect(workers.has(readFileSync(join(folder, 'died'), 'utf8'))).toBe(true);
    expect(readdirSync(join(folder, 'found'))).toEqual(expect.arrayContaining(['search.svg', 'trial-004']));
  });

  it('ends where a trial takes every worker with it', { timeout: 60_000 }, async () => {
    const { status, stderr } = await searching(newFolder(), 'always');
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/search: trial \d: 3 workers have died over it, the last was the worker of rank [01]/);
  });
});
