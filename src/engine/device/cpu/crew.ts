// The threads of the CPU device, seen from the thread that owns the heap: one interface, two ways of working.
// LocalCrew: the caller is thread 0 and takes part (Node, web workers; also a page without shared memory, alone).
// RemoteCrew: all threads are workers, the caller posts commands and may await them (a browser page with shared memory).
// Input: program bytes, addresses; output: effects on the heap, in the order given. It must not know buffers or dtypes.

import { InternalError } from '../../ir/errors.js';
import { CONTROL } from './control.js';
import { type DriverAnswer, type DriverMessage, type ThreadStart, startThread } from './driver.js';
import type { Platform, ThreadHandle } from './platform.js';
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

export interface Crew {
  /** All of them; the first launches are done by one, until the others have started. */
  readonly threads: number;
  /** How many work now. */
  working(): number;
  load(id: number, bytes: Uint8Array, staging: number): void;
  run(id: number, words: Int32Array, regions: Regions): void;
  drop(id: number): void;
  /** Puts bytes into the heap, after all that was given before. */
  write(address: number, bytes: Uint8Array): void;
  /** Whether all that was given is done, so that the caller may touch the heap itself. */
  idle(): boolean;
  /** Resolves when all that was given so far is done; rejects with its failure. */
  settled(): Promise<void>;
  dispose(): Promise<void>;
}

/** The program of a worker: it defines start(data, port). */
const WORKER_CODE = `const __name = (f) => f; const start = (data, port) => (${startThread})(${createThread}, data, port)`;

function spawnThread(platform: Platform, memory: WebAssembly.Memory, tid: number, threads: number): ThreadHandle {
  const data: ThreadStart = { memory, control: CONTROL, tid, threads };
  return platform.spawn(WORKER_CODE, data, `nabla thread ${tid}`);
}

export class LocalCrew implements Crew {
  readonly threads: number;
  readonly #memory: WebAssembly.Memory;
  readonly #leader: Thread;
  readonly #followers: ThreadHandle[] = [];

  constructor(platform: Platform, memory: WebAssembly.Memory, threads: number) {
    this.threads = threads;
    this.#memory = memory;
    this.#leader = createThread({ memory, control: CONTROL, tid: 0, threads, compiling: platform.compiling });
    for (let tid = 1; tid < threads; tid++) {
      const follower = spawnThread(platform, memory, tid, threads);
      // One that cannot start never reports ready, and thread 0 goes on alone.
      follower.listen(
        () => {},
        () => {},
      );
      this.#followers.push(follower);
    }
  }

  working(): number {
    return this.#leader.together() ? this.threads : 1;
  }

  load(id: number, bytes: Uint8Array, staging: number): void {
    try {
      this.#leader.load(id, bytes, staging);
    } catch (error) {
      this.#leader.drop(id);
      throw asFault(error);
    }
  }

  run(id: number, words: Int32Array, { table, arena, scratch, scratchStride, staging }: Regions): void {
    new Int32Array(this.#memory.buffer, table, words.length).set(words);
    try {
      this.#leader.run(id, table, arena, scratch, scratchStride, staging);
    } catch (error) {
      throw asFault(error);
    }
  }

  drop(id: number): void {
    this.#leader.drop(id);
  }

  write(address: number, bytes: Uint8Array): void {
    new Uint8Array(this.#memory.buffer, address, bytes.length).set(bytes);
  }

  idle(): boolean {
    return true;
  }

  settled(): Promise<void> {
    return Promise.resolve();
  }

  async dispose(): Promise<void> {
    await Promise.all(this.#followers.splice(0).map((follower) => follower.terminate()));
  }
}

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class RemoteCrew implements Crew {
  readonly threads: number;
  readonly #memory: WebAssembly.Memory;
  readonly #workers: ThreadHandle[] = [];
  readonly #words: Int32Array;
  readonly #waiting = new Map<number, Waiting>();
  #posted = 0;
  #tickets = 0;
  #broken: string | undefined;

  constructor(platform: Platform, memory: WebAssembly.Memory, threads: number) {
    this.threads = threads;
    this.#memory = memory;
    this.#words = new Int32Array(memory.buffer, CONTROL.address, CONTROL.words);
    for (let tid = 0; tid < threads; tid++) this.#workers.push(spawnThread(platform, memory, tid, threads));
    this.#workers[0]!.listen(
      (answer) => this.#receive(answer as DriverAnswer),
      (reason) => this.#break(reason),
    );
  }

  working(): number {
    return Atomics.load(this.#words, CONTROL.ready) === this.threads - 1 ? this.threads : 1;
  }

  load(id: number, bytes: Uint8Array, staging: number): void {
    this.#post({ kind: 'load', id, bytes, staging });
  }

  run(id: number, words: Int32Array, regions: Regions): void {
    this.#post({ kind: 'run', id, words, ...regions });
  }

  drop(id: number): void {
    this.#post({ kind: 'drop', id });
  }

  write(address: number, bytes: Uint8Array): void {
    if (this.idle()) new Uint8Array(this.#memory.buffer, address, bytes.length).set(bytes);
    else this.#post({ kind: 'write', address, bytes });
  }

  idle(): boolean {
    return Atomics.load(this.#words, CONTROL.finished) === this.#posted;
  }

  settled(): Promise<void> {
    const ticket = this.#tickets++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(ticket, { resolve, reject });
      this.#post({ kind: 'fence', ticket });
    });
  }

  dispose(): Promise<void> {
    this.#break('the device has been disposed');
    return Promise.all(this.#workers.splice(0).map((worker) => worker.terminate())).then(() => {});
  }

  #post(message: DriverMessage): void {
    if (this.#broken !== undefined) {
      const error = asFault(this.#broken);
      if (message.kind !== 'fence') throw error;
      this.#settle(message.ticket, error);
      return;
    }
    this.#posted = (this.#posted + 1) | 0; // wraps as the counter in shared memory does
    this.#workers[0]!.post(message);
  }

  #receive({ ticket, failure }: DriverAnswer): void {
    this.#settle(ticket, failure === undefined ? undefined : asFault(failure));
  }

  #settle(ticket: number, error: Error | undefined): void {
    const waiting = this.#waiting.get(ticket);
    this.#waiting.delete(ticket);
    if (error === undefined) waiting?.resolve();
    else waiting?.reject(error);
  }

  /** Worker 0 is gone: nothing that waits for it will ever come. */
  #break(reason: string): void {
    this.#broken ??= reason;
    for (const ticket of this.#waiting.keys()) this.#settle(ticket, asFault(reason));
  }
}

function asFault(error: unknown): InternalError {
  return new InternalError(`cpu: a program failed: ${error instanceof Error ? error.message : String(error)}`);
}
