// What a worker thread of a DataLoader does: make the dataset from its module, then samples by their positions.
// Messages in and out are those of worker-pool.ts.
//
// `serveDataset` is turned into text and started in workers. It must therefore refer to nothing outside itself: no imports,
// no constants of this file, and methods instead of named inner functions (bundlers wrap those in helpers).

import type { HostRandom } from '../tensor/host-random.js';

export type ToThread =
  | { readonly kind: 'open'; readonly module: string; readonly args: unknown }
  | {
      readonly kind: 'make';
      readonly id: number;
      readonly positions: Int32Array;
      readonly seed: number;
      readonly epoch: number;
    };

export type FromThread =
  | { readonly kind: 'ready'; readonly length: number }
  | { readonly kind: 'made'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failed'; readonly id: number | undefined; readonly index?: number; readonly error: ThreadError };

/** An error as it travels between threads. */
export interface ThreadError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
}

/** The thread's end of the line to the loader. */
export interface ThreadPort {
  post(message: FromThread, transfer: readonly ArrayBuffer[]): void;
  listen(listener: (message: ToThread) => void): void;
}

/** The methods of a dataset that matter here. */
interface Served {
  readonly length: number;
  get?(index: number, random: HostRandom): unknown;
  gather?(positions: Int32Array, randomOf: (position: number) => HostRandom): unknown;
}

interface ServedModule {
  readonly default?: (args: unknown) => Served | Promise<Served>;
}

export function serveDataset(
  port: ThreadPort,
  load: (url: string) => Promise<ServedModule>,
  Random: new (...name: number[]) => HostRandom,
) {
  let dataset: Served | undefined;
  const server = {
    async open(module: string, args: unknown): Promise<void> {
      try {
        const { default: make } = await load(module);
        if (typeof make !== 'function') throw new TypeError(`${module} has no default export that makes a dataset`);
        dataset = await make(args);
        port.post({ kind: 'ready', length: dataset.length }, []);
      } catch (error) {
        port.post({ kind: 'failed', id: undefined, error: server.describe(error) }, []);
      }
    },

    async make({ id, positions, seed, epoch }: Extract<ToThread, { kind: 'make' }>): Promise<void> {
      const made = dataset!;
      let index: number | undefined;
      try {
        let value: unknown;
        if (typeof made.gather === 'function') {
          value = await made.gather(positions, (position) => new Random(seed, epoch, position));
        } else {
          value = await Promise.all(
            Array.from(positions, async (position) => {
              try {
                return await made.get!(position, new Random(seed, epoch, position));
              } catch (error) {
                index ??= position;
                throw error;
              }
            }),
          );
        }
        const memory = new ArrayBuffer(server.measure(value, 0));
        port.post({ kind: 'made', id, value: server.copy(value, memory, { used: 0 }) }, [memory]);
      } catch (error) {
        // The error of one sample arrives wrapped by a dataset that makes whole batches.
        const own = error as { name?: string; index?: number; cause?: unknown };
        const isSample = own?.name === 'SampleError';
        const cause = server.describe(isSample ? own.cause : error);
        port.post({ kind: 'failed', id, index: isSample ? own.index : index, error: cause }, []);
      }
    },

    describe(error: unknown): ThreadError {
      const known = error instanceof Error;
      return {
        name: known ? error.name : 'Error',
        message: known ? error.message : String(error),
        stack: known ? error.stack : undefined,
      };
    },

    /** Bytes of all typed arrays in `value`, behind `used` bytes; refuses what cannot be sent. */
    measure(value: unknown, used: number): number {
      if (ArrayBuffer.isView(value)) return Math.ceil(used / 8) * 8 + value.byteLength;
      if (typeof value === 'function' || typeof value === 'symbol')
        throw new TypeError(`a ${typeof value} cannot be sent from a worker. Return numbers, strings and typed arrays`);
      if (typeof value !== 'object' || value === null) return used;
      const prototype: unknown = Object.getPrototypeOf(value);
      if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) {
        throw new TypeError(
          `a ${value.constructor?.name} cannot be sent from a worker. Return numbers, strings, typed arrays, { data, shape } and records of them`,
        );
      }
      let end = used;
      for (const part of Object.values(value)) end = server.measure(part, end);
      return end;
    },

    /** The same value with its arrays in `memory`: one transfer, and the dataset keeps what is its own. */
    copy(value: unknown, memory: ArrayBuffer, place: { used: number }): unknown {
      if (ArrayBuffer.isView(value)) {
        const source = value as Float32Array;
        const from = Math.ceil(place.used / 8) * 8;
        place.used = from + source.byteLength;
        const kind = source instanceof Uint8Array ? Uint8Array : source.constructor;
        const target = new (kind as typeof Float32Array)(memory, from, source.length);
        target.set(source);
        return target;
      }
      if (typeof value !== 'object' || value === null) return value;
      if (Array.isArray(value)) return value.map((part) => server.copy(part, memory, place));
      return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, server.copy(part, memory, place)]));
    },
  };
  port.listen((message) => {
    if (message.kind === 'open') void server.open(message.module, message.args);
    else void server.make(message);
  });
}
