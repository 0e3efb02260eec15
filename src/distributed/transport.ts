// How bytes go from one process to the others: what the collective calls of `World` are made of, and all that they know of MPI.
// Calls are made in the same order by all processes. `start` gives a number, `wait` ends when that job has ended, `waitAsync` lets the
// event loop go on meanwhile.

import type { COMBINE, ELEMENT, JOB } from './mpi/shim-source.js';

export interface Job {
  readonly kind: keyof typeof JOB;
  /** What this process gives; for allReduce and broadcast it is `out`. */
  readonly input?: Uint8Array | undefined;
  readonly out?: Uint8Array | undefined;
  /** Elements that this process gives; of a reduceScatter, those that it gets. */
  readonly count: number;
  readonly element: keyof typeof ELEMENT;
  readonly combine?: keyof typeof COMBINE | undefined;
  readonly root?: number | undefined;
  /** Elements of each process, for allGather and gather. */
  readonly counts?: Int32Array | undefined;
  /** What it is, for messages: `allReduce of float32 [3, 4]`. */
  readonly label: string;
}

export interface Transport {
  readonly rank: number;
  readonly size: number;
  /** What carries the bytes: `Open MPI 4.1.4`. */
  readonly name: string;
  /** Begins a job; the memory stays where it is until it is done. Throws DistributedError where the job is lost. */
  start(job: Job): number;
  wait(number: number): void;
  waitAsync(number: number): Promise<void>;
  /** Seconds that `wait` has taken so far. */
  readonly secondsWaited: number;
  /** The host and process of a rank. */
  peer(rank: number): { readonly host: string; readonly pid: number };
  /** Said when the job ends before its time: how to go on. */
  hint(text: string): void;
  setTimeLimit(seconds: number): void;
  /** Waits for all others, and ends. */
  close(): void;
  /** Has all processes of the job end when this one does, which has failed with this exit code. */
  abort(code: number): void;
}

/** A world of one: what is given is what comes back. */
export class AloneTransport implements Transport {
  readonly rank = 0;
  readonly size = 1;
  readonly name = 'one process';
  readonly secondsWaited = 0;

  start({ input, out }: Job): number {
    if (input !== undefined && out !== undefined) out.set(input.subarray(0, out.byteLength));
    return 0;
  }
  wait(): void {}
  async waitAsync(): Promise<void> {}
  peer(): { readonly host: string; readonly pid: number } {
    return { host: 'this machine', pid: process.pid };
  }
  hint(): void {}
  setTimeLimit(): void {}
  close(): void {}
  abort(): void {}
}
