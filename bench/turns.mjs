// Two builds by turns: npm run bench -- W1 I1 M1 --against FOLDER, where FOLDER is another checkout, built. Each runs in a process
// of its own, and they take turns of 0.4 s, so that what else the machine does meets both. The ratio of a pair of processes is
// the median of the ratios of neighbouring turns, theirs to ours: above 1 where this checkout is faster. Which physical pages a
// process gets decides up to 30 % of a memory-bound kernel for as long as it lives, so that one pair says nothing: there are
// several, and `ratio` is their median.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as nabla from 'nabla';
import { microCases } from './micro-cases.mjs';
import { round } from './timing.mjs';

const TURN_MS = 400;
/** A turn has at least this many steps in it: long steps get longer turns. */
const LEAST_STEPS = 3;
const WARM_MS = 1000;
const PAIRS = 5;

export const here = fileURLToPath(new URL('..', import.meta.url));

/** A workload in a process of its own; `turn(milliseconds)` resolves to what a step took in it. */
export async function startWorker(folder, workload, env = {}) {
  const child = fork(fileURLToPath(new URL('turn-worker.mjs', import.meta.url)), [folder, workload], {
    env: { ...process.env, ...env },
  });
  await once(child, 'message');
  const turn = async (milliseconds) => {
    child.send({ milliseconds });
    return (await once(child, 'message'))[0];
  };
  return { turn, stop: () => child.kill() };
}

export const middle = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];

/** Turns of both checkouts in two new processes. */
async function pairOfProcesses(name, folders, milliseconds) {
  const workers = [];
  for (const folder of folders) workers.push(await startWorker(folder, name));
  let turnMs = TURN_MS;
  for (const { turn } of workers) turnMs = Math.max(turnMs, LEAST_STEPS * (await turn(WARM_MS)).median);
  const [ours, theirs] = [[], []];
  for (const start = performance.now(); performance.now() - start < milliseconds;) {
    ours.push(await workers[0].turn(turnMs));
    theirs.push(await workers[1].turn(turnMs));
  }
  for (const { stop } of workers) stop();
  return { ours, theirs, ratio: middle(ours.map((turn, i) => theirs[i].median / turn.median)) };
}

/** Lines for a workload (all cases of M1) of this checkout against another one. */
export async function againstOther(workload, against, seconds, report) {
  const names = workload === 'M1' ? microCases(nabla).map(({ name }) => `M1.${name}`) : [workload];
  for (const name of names) {
    const pairs = [];
    for (let i = 0; i < PAIRS; i++)
      pairs.push(await pairOfProcesses(name, [here, resolve(against)], (seconds * 1000) / PAIRS));
    const [ours, theirs] = ['ours', 'theirs'].map((side) => pairs.flatMap((pair) => pair[side]));
    const ratios = pairs.map(({ ratio }) => ratio).sort((a, b) => a - b);
    const least = (turns) => Math.min(...turns.map(({ least: ms }) => ms));
    report({
      workload: name,
      ms_median: round(middle(ours.map(({ median }) => median)), 4),
      against_ms: round(middle(theirs.map(({ median }) => median)), 4),
      ratio: round(middle(ratios)),
      ratios: ratios.map((ratio) => round(ratio)),
      ratio_of_least: round(least(theirs) / least(ours)),
      turns: ours.length,
    });
  }
}
