// Each process of a search that a launcher has started keeps one worker: a process of its own, so that a trial that brings it down
// (memory, a fault in a library) does not end the job. One that has died is started again.

import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { CliError } from '../errors.js';
import type { WorkerOrder } from './worker.js';

/** Deaths after which something is wrong with this machine, and not with a trial. */
const MOST_DEATHS = 10;
/** What launchers of MPI tell their processes. */
const OF_A_LAUNCHER = /^(?:OMPI_|PMI_|PMIX_|MPI_|HYDI?_|SLURM_)/;

/** Keeps a worker running until it is told to stop; ends then, or throws CliError where it dies again and again. */
export class WorkerKeeper {
  readonly ended: Promise<void>;
  #child: ChildProcess | undefined;
  #isStopped = false;

  constructor(order: Omit<WorkerOrder, 'isAgain'>) {
    this.ended = this.#keep(order);
    this.ended.catch(() => {}); // it is awaited later
  }

  /** Ends the worker, whatever it does. */
  stop(): void {
    this.#isStopped = true;
    this.#child?.kill('SIGKILL');
  }

  async #keep(order: Omit<WorkerOrder, 'isAgain'>): Promise<void> {
    for (let deaths = 1; !this.#isStopped; deaths++) {
      const how = await this.#runOnce({ ...order, isAgain: deaths > 1 });
      if (how === undefined) return;
      if (deaths === MOST_DEATHS)
        throw new CliError(`the worker of rank ${order.rank} has died ${deaths} times, the last time by ${how}.`);
    }
  }

  /** How it has died; undefined where it has ended because it was not needed any more. */
  #runOnce(order: WorkerOrder): Promise<string | undefined> {
    const environment = Object.entries(process.env).filter(([name]) => !OF_A_LAUNCHER.test(name));
    const child = fork(fileURLToPath(new URL('../search/worker.js', import.meta.url)), [], {
      env: Object.fromEntries(environment), // it is none of the launcher's own
      execArgv: [],
    });
    this.#child = child;
    child.send(order);
    return new Promise((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('exit', (code, signal) =>
        resolve(code === 0 || this.#isStopped ? undefined : (signal ?? `exit ${code}`)),
      );
    });
  }
}
