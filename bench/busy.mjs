// Training beside other programs that want the processor: npm run bench -- busy [--against FOLDER] [--json]
// Steps of a GRU, of W1 and of W6, on both tiers, with 1, 2 and 4 threads, while 0, 1, 2 and 4 processes do nothing but
// count. `fair` is the time that the step has a right to: what it takes alone, times what its threads lose when all
// that want a core get equal parts of the machine. With --against, another checkout (built) takes every second turn.

import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { round } from './timing.mjs';

const WORKLOADS = ['GRU', 'W1', 'W6'];
const TIERS = ['wasm', 'native'];
const THREADS = [1, 2, 4];
const BUSY = [0, 1, 2, 4];
const TURN_MS = 200;
const TURNS = 5;

const here = fileURLToPath(new URL('..', import.meta.url));
const cores = availableParallelism();

/** What the cores do for a program of so many threads when so many others want one: at most all of one for each thread. */
const speed = (threads, busy) => threads * Math.min(1, cores / (threads + busy));
export const fairFactor = (threads, busy) => speed(threads, 0) / speed(threads, busy);

async function startTraining(folder, workload, tier, threads) {
  const child = fork(fileURLToPath(new URL('busy-worker.mjs', import.meta.url)), [folder, workload], {
    env: { ...process.env, NABLA_CPU: tier, NABLA_THREADS: String(threads) },
  });
  await once(child, 'message');
  const turn = async (milliseconds) => {
    child.send({ milliseconds });
    return (await once(child, 'message'))[0];
  };
  await turn(TURN_MS);
  return { turn, stop: () => child.kill() };
}

const startBusy = () => spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' });
const middle = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];

/** Milliseconds of a step of each training, by turns. */
async function byTurns(trainings, name) {
  const seen = trainings.map(() => []);
  for (let i = 0; i < TURNS; i++)
    for (const [k, { turn }] of trainings.entries()) seen[k].push((await turn(TURN_MS))[name]);
  return seen.map(middle);
}

export async function busy(report, { against, only } = {}) {
  const folders = against === undefined ? [here] : [here, resolve(against)];
  const chosen = (list, part) => (only?.[part] === undefined ? list : only[part]);
  for (const workload of chosen(WORKLOADS, 'workloads')) {
    for (const tier of chosen(TIERS, 'tiers')) {
      for (const threads of chosen(THREADS, 'threads')) {
        const trainings = [];
        for (const folder of folders) trainings.push(await startTraining(folder, workload, tier, threads));
        let alone;
        for (const count of BUSY) {
          const others = Array.from({ length: count }, startBusy);
          if (count > 0) await new Promise((r) => setTimeout(r, 200));
          const times = await byTurns(trainings, count === 0 ? 'median' : 'mean');
          for (const other of others) other.kill();
          alone ??= times[0];
          const fair = alone * fairFactor(threads, count);
          report({
            workload: `busy.${workload}`,
            tier,
            threads,
            busy: count,
            ms: round(times[0]),
            fair_ms: round(fair),
            of_fair: round(times[0] / fair, 2),
            ...(against !== undefined && { against_ms: round(times[1]), ratio: round(times[0] / times[1], 3) }),
          });
        }
        for (const training of trainings) training.stop();
      }
    }
  }
}
