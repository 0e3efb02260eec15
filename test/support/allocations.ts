// How many bytes are asked for at once: typed arrays made while a test runs are looked at. Call `watchAllocations` in a test file.
import { afterAll, beforeAll, vi } from 'vitest';

/** Bytes asked for at once since it was last set to 0. */
export interface Allocations {
  largest: number;
}

export function watchAllocations(): Allocations {
  const seen = { largest: 0 };
  beforeAll(() => {
    const names = ['Uint8Array', 'Int8Array', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array', 'Float32Array'];
    for (const name of [...names, 'Float64Array', 'BigInt64Array', 'BigUint64Array'] as const) {
      const Original = globalThis[name as 'Uint8Array'];
      const note = (length: unknown) => {
        if (typeof length === 'number') seen.largest = Math.max(seen.largest, length * Original.BYTES_PER_ELEMENT);
      };
      class Counted extends Original {
        constructor(...args: readonly unknown[]) {
          if (!(args[0] instanceof ArrayBuffer)) note(args[0]);
          super(...(args as [number]));
        }
        static get [Symbol.species]() {
          return Original;
        }
        static override from(...args: readonly unknown[]) {
          note((args[0] as { length?: number }).length);
          return Original.from(...(args as [number[]]));
        }
        static override [Symbol.hasInstance](value: unknown): boolean {
          return value instanceof Original;
        }
      }
      vi.stubGlobal(name, Counted);
    }
  });
  afterAll(() => {
    vi.unstubAllGlobals();
  });
  return seen;
}
