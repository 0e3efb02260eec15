// The cache of compiled programs: found by the key of a graph, bounded by bytes. When it is full, the programs that were
// used longest ago are disposed of on their device. A recording (compile(fn)) holds programs too: it asks whether they are
// still there before a replay, and says that it used them.
// Input: keys and ways to compile. Output: programs. It must not know graphs or storages.

import type { Executable } from './device/device.js';
import { ArgumentError } from './ir/errors.js';
import { sameKey } from './ir/graph/linearise.js';

export interface CachedProgram {
  /** What it was compiled from: equal keys, equal programs. */
  readonly key: Int32Array;
  readonly executable: Executable;
  /** It was evicted, and cannot be run any more. */
  readonly isDisposed: boolean;
}

interface Entry {
  readonly hash: number;
  readonly key: Int32Array;
  readonly executable: Executable;
  readonly bytes: number;
  isDisposed: boolean;
}

/** What the bookkeeping of an entry takes, beside its key. */
const ENTRY_BYTES = 200;
/** These are never evicted, however large they are: what a step consists of must not throw itself out. */
const ALWAYS_KEPT = 16;
const DEFAULT_LIMIT_BYTES = 128 << 20;

export class ProgramCache {
  limitBytes: number;
  #bytes = 0;
  readonly #buckets = new Map<number, Entry[]>();
  /** In the order of their last use. */
  readonly #entries = new Set<Entry>();
  /** The last of them. */
  #latest: Entry | undefined;

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** About what all programs hold, in memory of JavaScript, of code and on the heap. */
  get bytes(): number {
    return this.#bytes;
  }

  find(hash: number, key: Int32Array): CachedProgram | undefined {
    const entry = this.#buckets.get(hash)?.find((e) => sameKey(e.key, key));
    if (entry !== undefined) this.touch(entry);
    return entry;
  }

  add(hash: number, key: Int32Array, executable: Executable): CachedProgram {
    const bytes = executable.bytes + key.byteLength + ENTRY_BYTES;
    const entry: Entry = { hash, key, executable, bytes, isDisposed: false };
    const bucket = this.#buckets.get(hash);
    if (bucket === undefined) this.#buckets.set(hash, [entry]);
    else bucket.push(entry);
    this.#entries.add(entry);
    this.#latest = entry;
    this.#bytes += bytes;
    this.#evict();
    return entry;
  }

  /** It was used just now. */
  touch(program: CachedProgram): void {
    const entry = program as Entry;
    if (entry === this.#latest || entry.isDisposed) return;
    this.#latest = entry;
    this.#entries.delete(entry);
    this.#entries.add(entry);
  }

  /** Forgets everything without disposing of it: for devices that are gone. */
  clear(): void {
    for (const entry of this.#entries) entry.isDisposed = true;
    this.#entries.clear();
    this.#buckets.clear();
    this.#bytes = 0;
  }

  #evict(): void {
    for (const entry of this.#entries) {
      if (this.#bytes <= this.limitBytes || this.#entries.size <= ALWAYS_KEPT) return;
      this.#entries.delete(entry);
      this.#bytes -= entry.bytes;
      const rest = (this.#buckets.get(entry.hash) as Entry[]).filter((e) => e !== entry);
      if (rest.length === 0) this.#buckets.delete(entry.hash);
      else this.#buckets.set(entry.hash, rest);
      entry.isDisposed = true;
      entry.executable.dispose();
    }
  }
}

/** What the program says, else NABLA_PROGRAM_MB, else 128 MiB. */
export function programLimitBytes(option?: number): number {
  if (option !== undefined) return option * 2 ** 20;
  const host = globalThis as { process?: { env?: Readonly<Record<string, string | undefined>> } };
  const variable = host.process?.env?.['NABLA_PROGRAM_MB'];
  if (variable === undefined || variable === '') return DEFAULT_LIMIT_BYTES;
  const megabytes = Number(variable);
  if (megabytes > 0) return megabytes * 2 ** 20;
  throw new ArgumentError(
    `programs: NABLA_PROGRAM_MB=${variable} is no size. Set it to a positive number of MiB, or leave it out.`,
  );
}
