// The threads of the CPU device, seen from the thread that owns the heap: one interface, two ways of working.
// LocalThreadPool: the caller is thread 0 and takes part (Node, web workers; also a page without shared memory, alone).
// RemoteThreadPool: all threads are workers, the caller posts commands and may await them (a browser page with shared memory).
// Input: program bytes, addresses; output: effects on the heap, in the order given. It must not know buffers or dtypes.

import { DeviceError, InternalError } from '../../../ir/errors.js';
import { CONTROL } from './control.js';
import {
  type DriverAnswer,
  type DriverMessage,
  type DriverPort,
  type FailedRun,
  type ThreadStart,
  startThread,
} from './driver.js';
import type { Platform, ThreadHandle } from '../platform/platform.js';
import { type Thread, createThread } from './thread.js';

/** Regions of the heap that a run works with; byte addresses. */
export interface Regions {
  readonly table: number;
  readonly arena: number;
  readonly scratch: number;
  readonly scratchStride: number;
  /** Room for the bytes of the largest program, on their way to other threads. */
  readonly staging: number;
}

export interface ThreadPool {
  /** All of them; the first launches are done by one, until the others have started. */
  readonly threads: number;
  /** How many work now. */
  working(): number;
  /** Whether others cannot start, so that one thread does all. */
  isAlone(): boolean;
  load(id: number, bytes: Uint8Array, staging: number): void;
  run(id: number, words: Int32Array, regions: Regions): void;
  drop(id: number): void;
  /** Puts bytes into the heap, after all that was given before. */
  write(address: number, bytes: Uint8Array): void;
  /** Whether all that was given is done, so that the caller may touch the heap itself. */
  idle(): boolean;
  /** Runs given so far, and those of them that are known to be done; undefined where each is done when `run` returns. */
  progress(): { readonly given: number; readonly done: number } | undefined;
  /** A copy of a piece of the heap as it is after all that was given before; rejects with the failure of that. */
  read(address: number, byteLength: number): Promise<Uint8Array<ArrayBuffer>>;
  dispose(): Promise<void>;
}

/** The program of a worker: it defines start(data, port). */
const WORKER_CODE = `const __name = (f) => f; const start = (data, port) => (${startThread})(${createThread}, data, port)`;

/**
 * How long threads spin before they sleep (waking one takes 20 to 50 µs): about as long as the host code between two
 * steps takes. With fewer cores than threads, spinning only keeps the others from working.
 */
function chooseSpin(platform: Platform, threads: number): number {
  return threads > platform.cores ? 0 : 0.5;
}

function spawnThread(platform: Platform, memory: WebAssembly.Memory, tid: number, threads: number): ThreadHandle {
  const spinMilliseconds = chooseSpin(platform, threads);
  const data: ThreadStart = { memory, control: CONTROL, tid, threads, spinMilliseconds };
  return platform.spawn(WORKER_CODE, data, `nabla thread ${tid}`);
}

export class LocalThreadPool implements ThreadPool {
  readonly threads: number;
  readonly #memory: WebAssembly.Memory;
  readonly #leader: Thread;
  readonly #followers: ThreadHandle[] = [];
  /** Why one of them is gone. What is on the heap is as it was. */
  #lost: DeviceError | undefined;
  #isRefused = false;

  constructor(platform: Platform, memory: WebAssembly.Memory, threads: number) {
    this.threads = threads;
    this.#memory = memory;
    const { compiling } = platform;
    const spinMilliseconds = chooseSpin(platform, threads);
    this.#leader = createThread({ memory, control: CONTROL, tid: 0, threads, spinMilliseconds, compiling });
    try {
      for (let tid = 1; tid < threads; tid++) this.#followers.push(spawnThread(platform, memory, tid, threads));
      this.#followers.forEach((follower, i) => {
        follower.listen(ignore, (reason) => {
          if (!this.#leader.together()) warnOfOneThread(platform, reason);
          this.#lost ??= hasEnded(i + 1, threads, reason);
        });
      });
    } catch (error) {
      // Where one cannot start, now or later, not all report ready, and thread 0 goes on alone.
      this.#isRefused = true;
      warnOfOneThread(platform, String(error));
    }
  }

  isAlone(): boolean {
    return (this.#isRefused || this.#lost !== undefined) && !this.#leader.together();
  }

  working(): number {
    return this.#leader.together() ? this.threads : 1;
  }

  /** A thread that ended before all had started is not missed: thread 0 goes on alone. */
  #checkFollowers(): void {
    if (this.#lost !== undefined && this.#leader.together()) throw this.#lost;
  }

  load(id: number, bytes: Uint8Array, staging: number): void {
    this.#checkFollowers();
    try {
      this.#leader.load(id, bytes, staging);
    } catch (error) {
      this.#leader.drop(id);
      throw asFault(error);
    }
  }

  run(id: number, words: Int32Array, { table, arena, scratch, scratchStride, staging }: Regions): void {
    this.#checkFollowers();
    new Int32Array(this.#memory.buffer, table, words.length).set(words);
    try {
      this.#leader.run(id, table, arena, scratch, scratchStride, staging);
    } catch (error) {
      throw asFault(error);
    }
  }

  drop(id: number): void {
    if (this.#lost === undefined) this.#leader.drop(id); // else nothing runs any more
  }

  write(address: number, bytes: Uint8Array): void {
    new Uint8Array(this.#memory.buffer, address, bytes.length).set(bytes);
  }

  idle(): boolean {
    return true;
  }

  progress(): undefined {
    return undefined;
  }

  async read(address: number, byteLength: number): Promise<Uint8Array<ArrayBuffer>> {
    return copyBytes(this.#memory, address, byteLength);
  }

  async dispose(): Promise<void> {
    await Promise.all(this.#followers.splice(0).map((follower) => follower.terminate()));
  }
}

interface Driver {
  post(message: DriverMessage): void;
}

interface Waiting {
  /** Runs given before. */
  readonly runs: number;
  readonly resolve: (bytes: Uint8Array<ArrayBuffer>) => void;
  readonly reject: (error: Error) => void;
}

export class RemoteThreadPool implements ThreadPool {
  readonly threads: number;
  readonly #memory: WebAssembly.Memory;
  readonly #workers: ThreadHandle[] = [];
  /** The first of them, unless it cannot start. */
  #driver: Driver | undefined;
  readonly #words: Int32Array;
  readonly #waiting = new Map<number, Waiting>();
  readonly #whenLost: (failed: FailedRun) => Error;
  #posted = 0;
  #tickets = 0;
  #runs = 0;
  #runsDone = 0;
  #isAlone = false;
  #lost: { readonly run: number; readonly error: Error } | undefined;
  #broken: DeviceError | undefined;
  /** What was posted before the driver has done anything: where it cannot start, another one does it. */
  #untouched: DriverMessage[] | undefined = [];
  readonly #platform: Platform;

  /** `whenLost`: a run has failed, and none given since was done; gives the error for those who read. */
  constructor(platform: Platform, memory: WebAssembly.Memory, threads: number, whenLost: (failed: FailedRun) => Error) {
    this.threads = threads;
    this.#memory = memory;
    this.#platform = platform;
    this.#whenLost = whenLost;
    this.#words = new Int32Array(memory.buffer, CONTROL.address, CONTROL.words);
    try {
      for (let tid = 0; tid < threads; tid++) this.#workers.push(spawnThread(platform, memory, tid, threads));
      this.#driver = this.#workers[0];
      this.#workers.forEach((worker, tid) => {
        const failed = (reason: string): void => {
          if (this.working() === threads && threads > 1) this.#break(hasEnded(tid, threads, reason));
          else if (tid > 0) this.#goOnAlone(reason);
          else if (this.#isUntouched()) this.#driveHere(reason);
          else this.#break(hasEnded(tid, threads, reason));
        };
        worker.listen((answer) => this.#receive(answer as DriverAnswer), failed);
      });
    } catch (error) {
      this.#driveHere(String(error));
    }
  }

  isAlone(): boolean {
    return this.#isAlone;
  }

  /** Not all report ready, and the driver does the work. */
  #goOnAlone(reason: string): void {
    if (!this.#isAlone && this.#broken === undefined) warnOfOneThread(this.#platform, reason);
    this.#isAlone = true;
  }

  /** Whether the driver has done nothing yet. */
  #isUntouched(): boolean {
    return this.#untouched !== undefined && Atomics.load(this.#words, CONTROL.finished) === 0;
  }

  /** The driver cannot start: its program runs in the page instead, on one thread, from the first message on. */
  #driveHere(reason: string): void {
    if (this.#broken !== undefined) return;
    this.#goOnAlone(reason);
    for (const worker of this.#workers.splice(0)) void worker.terminate();
    const posted = this.#untouched ?? [];
    this.#untouched = undefined;
    this.#driver = driveInPage(this.#memory, (answer) => this.#receive(answer));
    for (const message of posted) this.#driver.post(message);
  }

  working(): number {
    return Atomics.load(this.#words, CONTROL.ready) === this.threads - 1 ? this.threads : 1;
  }

  load(id: number, bytes: Uint8Array, staging: number): void {
    this.#post({ kind: 'load', id, bytes, staging });
  }

  run(id: number, words: Int32Array, regions: Regions): void {
    this.#post({ kind: 'run', id, words, ...regions });
    this.#runs++;
  }

  progress(): { given: number; done: number } {
    if (this.idle()) this.#runsDone = this.#runs;
    return { given: this.#runs, done: this.#runsDone };
  }

  drop(id: number): void {
    this.#post({ kind: 'drop', id });
  }

  write(address: number, bytes: Uint8Array): void {
    if (this.idle()) new Uint8Array(this.#memory.buffer, address, bytes.length).set(bytes);
    else this.#post({ kind: 'write', address, bytes });
  }

  idle(): boolean {
    const finished = Atomics.load(this.#words, CONTROL.finished) === this.#posted;
    return finished && Atomics.load(this.#words, CONTROL.driverFailed) === 0; // a failure is fetched by the next read
  }

  read(address: number, byteLength: number): Promise<Uint8Array<ArrayBuffer>> {
    const ticket = this.#tickets++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(ticket, { runs: this.#runs, resolve, reject });
      this.#post({ kind: 'read', address, byteLength, ticket });
    });
  }

  dispose(): Promise<void> {
    this.#break(new DeviceError('cpu: the device has been disposed. Create tensors anew to start it again.'));
    return Promise.all(this.#workers.splice(0).map((worker) => worker.terminate())).then(() => {});
  }

  #post(message: DriverMessage): void {
    if (this.#broken !== undefined) {
      if (message.kind !== 'read') throw this.#broken;
      this.#settle(message.ticket, this.#broken);
      return;
    }
    this.#posted = (this.#posted + 1) | 0; // wraps as the counter in shared memory does
    if (this.#isUntouched())
      this.#untouched?.push(message.kind === 'run' ? { ...message, words: message.words.slice() } : message);
    else this.#untouched = undefined;
    this.#driver!.post(message);
  }

  #receive({ ticket, bytes, failure, failed }: DriverAnswer): void {
    if (failed !== undefined) {
      if (this.#lost?.run !== failed.run) {
        this.#lost = { run: failed.run, error: this.#whenLost(failed) };
        this.#runsDone = this.#runs; // or never will be
        this.#post({ kind: 'resume' });
      }
      this.#settle(ticket, this.#lost.error);
      return;
    }
    this.#runsDone = Math.max(this.#runsDone, this.#waiting.get(ticket)?.runs ?? 0);
    this.#settle(ticket, failure === undefined ? bytes : asFault(failure));
  }

  #settle(ticket: number, outcome: Uint8Array<ArrayBuffer> | Error): void {
    const waiting = this.#waiting.get(ticket);
    this.#waiting.delete(ticket);
    if (outcome instanceof Error) waiting?.reject(outcome);
    else waiting?.resolve(outcome);
  }

  /** Worker 0 is gone: nothing that waits for it will ever come. */
  #break(reason: DeviceError): void {
    this.#broken ??= reason;
    for (const ticket of this.#waiting.keys()) this.#settle(ticket, this.#broken);
  }
}

const ignore = (): void => {};

function hasEnded(tid: number, threads: number, reason: string): DeviceError {
  return new DeviceError(
    `cpu: thread ${tid} of ${threads} has ended (${reason}), so nothing can be computed on this device any more. ` +
      `Tensors that have their numbers can still be read; then call disposeDevices() and create tensors anew.`,
  );
}

let isWarned = false;

/** Said once: nothing is wrong with the results, but they take longer than they need. */
function warnOfOneThread({ name }: Platform, reason: string): void {
  if (isWarned) return;
  isWarned = true;
  const advice =
    name === 'node'
      ? ''
      : ` Where a Content-Security-Policy forbids them, add blob: to worker-src (worker-src 'self' blob:).`;
  console.warn(`nabla: cpu: threads cannot start (${reason}), so one does all the work.${advice}`);
}

/** The program of thread 0 on the calling thread. Answers come after the call, as they do from a worker. */
function driveInPage(memory: WebAssembly.Memory, receive: (answer: DriverAnswer) => void): Driver {
  const port: DriverPort = {
    onmessage: null,
    postMessage: (answer) => queueMicrotask(() => receive(answer)),
  };
  startThread(createThread, { memory, control: CONTROL, tid: 0, threads: 1, spinMilliseconds: 0 }, port);
  return { post: (message) => port.onmessage?.({ data: message }) };
}

function copyBytes(memory: WebAssembly.Memory, address: number, byteLength: number): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(byteLength);
  copy.set(new Uint8Array(memory.buffer, address, byteLength));
  return copy;
}

function asFault(error: unknown): InternalError {
  return new InternalError(`cpu: a program failed: ${error instanceof Error ? error.message : String(error)}`);
}
