// Training beside other programs that want the processor: npm run bench -- BUSY [--against FOLDER] [--tier T] [--threads n]
// Steps of a GRU, of W1 and of W6, on both tiers, with 1, 2 and 4 threads, while 0, 1, 2 and 4 processes do nothing but
// count. `fair` is the time that the step has a right to: what it takes alone, times what its threads lose when all
// that want a core get equal parts of the machine (on a scheduler that balances perfectly: one thread beside two processes on
// two cores is given half a core rather than two thirds). With --against, another checkout (built) takes every second turn.

import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { round } from './timing.mjs';
import { here, middle, startWorker } from './turns.mjs';

const WORKLOADS = ['GRU', 'W1', 'W6'];
const TIERS = ['wasm', 'native'];
const THREADS = [1, 2, 4];
const BUSY = [0, 1, 2, 4];
const TURN_MS = 300;
const TURNS = 5;

const cores = availableParallelism();

/** What the cores do for a program of so many threads when so many others want one: at most all of one for each thread. */
const speed = (threads, busy) => threads * Math.min(1, cores / (threads + busy));
const fairFactor = (threads, busy) => speed(threads, 0) / speed(threads, busy);

async function startTraining(folder, workload, tier, threads) {
  const worker = await startWorker(folder, workload, { NABLA_CPU: tier, NABLA_THREADS: String(threads) });
  await worker.turn(TURN_MS);
  return worker;
}

/** Counts until it is killed, or is an orphan. */
const COUNT = 'const parent = process.ppid; while (process.ppid === parent) for (let i = 0; i < 1e8; i++);';
const startBusy = () => spawn(process.execPath, ['-e', COUNT], { stdio: 'ignore' });

/** Milliseconds of a step of each training, by turns. */
async function byTurns(trainings, name) {
  const seen = trainings.map(() => []);
  for (let i = 0; i < TURNS; i++)
    for (const [k, { turn }] of trainings.entries()) seen[k].push((await turn(TURN_MS))[name]);
  return seen.map(middle);
}

export async function busy(report, { against, tier: onlyTier, threads: onlyThreads }) {
  const folders = against === undefined ? [here] : [here, resolve(against)];
  for (const workload of WORKLOADS) {
    for (const tier of onlyTier === undefined ? TIERS : [onlyTier]) {
      for (const threads of onlyThreads === undefined ? THREADS : [Number(onlyThreads)]) {
        const trainings = [];
        for (const folder of folders) trainings.push(await startTraining(folder, workload, tier, threads));
        await besideOthers(
          trainings,
          (line) => report({ workload: `BUSY.${workload}`, tier, threads, ...line }),
          threads,
        );
        for (const training of trainings) training.stop();
      }
    }
  }
}

/** A line for each number of busy processes. */
async function besideOthers(trainings, report, threads) {
  let alone;
  for (const count of BUSY) {
    const others = Array.from({ length: count }, startBusy);
    if (count > 0) await new Promise((r) => setTimeout(r, 200));
    const [own, other] = await byTurns(trainings, count === 0 ? 'median' : 'mean');
    for (const process of others) process.kill();
    alone ??= own;
    const fair = alone * fairFactor(threads, count);
    report({
      busy: count,
      ms: round(own),
      fair_ms: round(fair),
      of_fair: round(own / fair, 2),
      ...(other !== undefined && { against_ms: round(other), ratio: round(own / other, 3) }),
    });
  }
}
