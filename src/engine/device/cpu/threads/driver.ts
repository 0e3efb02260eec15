// Thread 0 of the CPU device when it is not the thread of the caller: a browser page may not block, so a worker leads
// for it. Input: messages from the page, dealt with in order; output: effects on the shared heap, copies of what
// it asks to read, and a count of the messages dealt with. The other threads are started by the page and led from here.
// The page learns of an index out of range when it reads; what it has given since may build on the run that failed, so
// nothing is run any more until the page says that it knows.
//
// `startThread` is the program of every worker; like createThread it is turned into text and refers to nothing outside.

import type { Control } from './control.js';
import type { createThread } from './thread.js';

/** What the page sends. Everything that touches the heap goes this way while earlier work is pending. */
export type DriverMessage =
  | { readonly kind: 'load'; readonly id: number; readonly bytes: Uint8Array; readonly staging: number }
  | {
      readonly kind: 'run';
      readonly id: number;
      readonly words: Int32Array;
      readonly table: number;
      readonly arena: number;
      readonly scratch: number;
      readonly scratchStride: number;
      readonly staging: number;
    }
  | { readonly kind: 'drop'; readonly id: number }
  | { readonly kind: 'resume' }
  | { readonly kind: 'write'; readonly address: number; readonly bytes: Uint8Array }
  | { readonly kind: 'read'; readonly address: number; readonly byteLength: number; readonly ticket: number };

/** The run (the first is 1) in which an index was out of range, and what the kernel has reported. */
export interface FailedRun {
  readonly run: number;
  readonly program: number;
  readonly node: number;
  readonly index: number;
  readonly size: number;
}

/** What comes back: a copy of the bytes that were to be read, or the failure of anything since the last answer. */
export interface DriverAnswer {
  readonly ticket: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly failure: string | undefined;
  readonly failed: FailedRun | undefined;
}

/** What a worker is started with. */
export interface ThreadStart {
  readonly memory: WebAssembly.Memory;
  readonly control: Control;
  readonly tid: number;
  readonly threads: number;
  readonly spinMilliseconds: number;
}

/** The part of a web worker's global scope that is used here. */
export interface DriverPort {
  postMessage(message: DriverAnswer, transfer: ArrayBuffer[]): void;
  onmessage: ((event: { data: DriverMessage }) => void) | null;
}

export function startThread(create: typeof createThread, start: ThreadStart, port: DriverPort | undefined): void {
  const { memory, control } = start;
  const thread = create(start);
  if (start.tid > 0 || port === undefined) {
    thread.follow();
    return;
  }
  const words = new Int32Array(memory.buffer, control.address, control.words);
  const state: { failure: string | undefined; failed: FailedRun | undefined; runs: number } = {
    failure: undefined,
    failed: undefined,
    runs: 0,
  };
  port.onmessage = ({ data }) => {
    try {
      switch (data.kind) {
        case 'load':
          thread.load(data.id, data.bytes, data.staging);
          break;
        case 'run': {
          state.runs++;
          if (state.failed !== undefined) break;
          const table = thread.bytesAt(data.table, data.words.byteLength);
          new Int32Array(table.buffer, table.byteOffset, data.words.length).set(data.words);
          thread.run(data.id, data.table, data.arena, data.scratch, data.scratchStride, data.staging);
          const at = [control.error, control.lateError].find((i) => words[i] !== 0);
          if (at === undefined) break;
          state.failed = {
            run: state.runs,
            program: data.id,
            node: words[at + 1]!,
            index: words[at + 2]!,
            size: words[at + 3]!,
          };
          words[control.error] = 0;
          words[control.lateError] = 0;
          Atomics.store(words, control.driverFailed, 1);
          break;
        }
        case 'resume':
          state.failed = undefined;
          Atomics.store(words, control.driverFailed, state.failure === undefined ? 0 : 1);
          break;
        case 'drop':
          thread.drop(data.id);
          break;
        case 'write':
          thread.bytesAt(data.address, data.bytes.length).set(data.bytes);
          break;
        case 'read': {
          const bytes = new Uint8Array(data.byteLength);
          bytes.set(thread.bytesAt(data.address, data.byteLength));
          port.postMessage({ ticket: data.ticket, bytes, failure: state.failure, failed: state.failed }, [
            bytes.buffer,
          ]);
          state.failure = undefined;
          Atomics.store(words, control.driverFailed, state.failed === undefined ? 0 : 1);
        }
      }
    } catch (error) {
      state.failure ??= String((error as Error).message ?? error);
      Atomics.store(words, control.driverFailed, 1);
    }
    Atomics.add(words, control.finished, 1);
  };
}
