// The shim as functions of JavaScript, by koffi.
// Node's modules are asked for at run time, so that a bundler for browsers finds nothing to resolve.

import { DistributedError } from '../error.js';
import type { Job, Transport } from '../transport.js';
import { type MpiInstallation, findLaunch, findMpi, shimLibrary } from './find.js';
import { COMBINE, ELEMENT, JOB, STATUS } from './shim-source.js';

const { createRequire } = process.getBuiltinModule('node:module');

/** A function of C: called, or called on another thread. */
interface Foreign<A extends readonly unknown[], R> {
  (...args: A): R;
  async(...args: [...A, (error: Error | null, result: R) => void]): void;
}

type Bytes = Uint8Array | null;

interface Shim {
  open: Foreign<[limit: number, numbers: Int32Array], number>;
  start: Foreign<
    [
      kind: number,
      input: Bytes,
      out: Bytes,
      count: number,
      element: number,
      combine: number,
      root: number,
      counts: Int32Array | null,
      label: string,
    ],
    number
  >;
  wait: Foreign<[number: number], number>;
  waitTimed: Foreign<[number: number, seconds: Float64Array], number>;
  limit: Foreign<[seconds: number], void>;
  hint: Foreign<[text: string], void>;
  text: Foreign<[out: Uint8Array, length: number], void>;
  peer: Foreign<[rank: number, host: Uint8Array, length: number, pid: Float64Array], void>;
  close: Foreign<[], number>;
  abort: Foreign<[code: number], void>;
}

interface Koffi {
  load(path: string, options: { readonly global: boolean }): { func(prototype: string): unknown };
}

function loadKoffi(): Koffi {
  try {
    return createRequire(import.meta.url)('koffi') as Koffi;
  } catch (error) {
    throw new DistributedError(
      `init: the package koffi, by which nabla calls MPI, cannot be loaded (${(error as Error).message.split('\n')[0]}). Install it: npm install koffi.`,
    );
  }
}

function bind(path: string): Shim {
  let library: ReturnType<Koffi['load']>;
  try {
    // Global: the parts that Open MPI loads later look for its own symbols.
    library = loadKoffi().load(path, { global: true });
  } catch (error) {
    if (error instanceof DistributedError) throw error;
    throw new DistributedError(
      `init: the library of MPI cannot be loaded (${(error as Error).message.split('\n')[0]}). Set LD_LIBRARY_PATH to where its libmpi is.`,
    );
  }
  // What a prototype in C takes, no type can read from it.
  const func = (prototype: string) => library.func(prototype) as never;
  return {
    open: func('int nabla_mpi_open(double limit, void *numbers)'),
    start: func(
      'int64_t nabla_mpi_start(int kind, void *input, void *out, double count, int element, int combine, int root, void *counts, const char *label)',
    ),
    wait: func('int nabla_mpi_wait(int64_t number)'),
    waitTimed: func('int nabla_mpi_wait_timed(int64_t number, void *seconds)'),
    limit: func('void nabla_mpi_limit(double seconds)'),
    hint: func('void nabla_mpi_hint(const char *text)'),
    text: func('void nabla_mpi_text(void *out, int length)'),
    peer: func('void nabla_mpi_peer(int rank, void *host, int length, void *pid)'),
    close: func('int nabla_mpi_close(void)'),
    abort: func('void nabla_mpi_abort(int code)'),
  };
}

/** The text in a buffer of C. */
function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(bytes.subarray(0, end < 0 ? bytes.length : end));
}

export class MpiTransport implements Transport {
  readonly rank: number;
  readonly size: number;
  readonly name: string;
  readonly #shim: Shim;
  readonly #seconds = new Float64Array(1);
  /** What jobs under way use: it must not be collected. */
  readonly #held = new Map<number, Job>();

  /** Joins the job that a launcher has started. Throws DistributedError where that cannot be. */
  constructor(timeLimit: number) {
    const launch = findLaunch();
    const mpi: MpiInstallation = findMpi(launch?.family);
    this.name = `${mpi.family} ${mpi.version}`;
    this.#shim = bind(shimLibrary(mpi));
    const numbers = new Int32Array(2);
    const how = this.#shim.open(timeLimit, numbers);
    if (how !== STATUS.done) throw new DistributedError(`init: ${this.#text() || `${this.name} does not start.`}`);
    [this.rank, this.size] = numbers;
    if (launch?.size !== undefined && launch.size !== this.size)
      throw new DistributedError(
        `init: the launcher has started ${launch.size} processes, and ${this.name} knows of ${this.size}: it is not the MPI of this launcher. Name the mpicc of the launcher's MPI in NABLA_MPICC.`,
      );
  }

  start(job: Job): number {
    const { kind, input = null, out = null, count, element, combine = 'sum', root = 0, counts = null, label } = job;
    if (count > 0x7fffffff)
      throw new DistributedError(`${label}: ${count} elements are more than MPI takes at once. Pass it in parts.`);
    const number = this.#shim.start(
      JOB[kind],
      input,
      out,
      count,
      ELEMENT[element],
      COMBINE[combine],
      root,
      counts,
      label,
    );
    if (number < 0) throw this.#failure(this.#lost);
    this.#held.set(Number(number), job);
    return Number(number);
  }

  wait(number: number): void {
    const how = this.#shim.waitTimed(number, this.#seconds);
    this.#held.delete(number);
    if (how !== STATUS.done) throw this.#failure(how);
  }

  async waitAsync(number: number): Promise<void> {
    const how = await new Promise<number>((resolve, reject) =>
      this.#shim.wait.async(number, (error, result) => (error === null ? resolve(result) : reject(error))),
    );
    this.#held.delete(number);
    if (how !== STATUS.done) throw this.#failure(how);
  }

  get secondsWaited(): number {
    return this.#seconds[0];
  }

  peer(rank: number): { readonly host: string; readonly pid: number } {
    const host = new Uint8Array(64);
    const pid = new Float64Array(1);
    this.#shim.peer(rank, host, host.length, pid);
    return { host: textOf(host), pid: pid[0] };
  }

  hint(text: string): void {
    this.#shim.hint(text);
  }

  setTimeLimit(seconds: number): void {
    this.#shim.limit(seconds);
  }

  close(): void {
    const how = this.#shim.close();
    if (how !== STATUS.done) throw this.#failure(how);
  }

  abort(code: number): void {
    this.#shim.abort(code);
  }

  #text(): string {
    const bytes = new Uint8Array(1024);
    this.#shim.text(bytes, bytes.length);
    return textOf(bytes);
  }

  /** How the job was lost. */
  #lost: number = STATUS.fault;

  #failure(how: number): DistributedError {
    this.#lost = how;
    return new DistributedError(this.#text(), this.rank, how === STATUS.died || how === STATUS.late);
  }
}
