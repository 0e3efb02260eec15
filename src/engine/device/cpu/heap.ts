// The heap of the CPU device: one WebAssembly memory that all programs and threads work on, and an allocator over it.
// Input: sizes in bytes; output: blocks at addresses that are multiples of 64. The memory starts small and grows up to
// a limit. Kernels may read up to 4 KiB beyond either side of a buffer, so the heap keeps more than that unused
// before the first block and after the last one. Addresses may exceed 2^31: they are kept as unsigned numbers.
// It must not know tensors, programs or threads.

import type { DeviceMemory } from '../device.js';
import { OutOfMemoryError } from '../../ir/errors.js';
import { Blocks, roundToClass } from './blocks.js';

const PAGE = 65536;
const ALIGNMENT = 64;
/** Bytes before the first block and behind the last one. */
export const SLACK = 4096 + 512;
const MAX_PAGES = 65536; // 4 GiB, all that a 32-bit address reaches
const INITIAL_PAGES = 64; // 4 MiB; pages cost nothing before they are touched
const SMALLEST_MAX_PAGES = 1024; // 64 MiB: below this it is not worth trying

/** A piece of the heap. `address` is a multiple of 64; `byteLength` is what was asked for. */
export class Block {
  readonly address: number;
  readonly byteLength: number;
  /** The allocator's number; negative once freed. */
  number: number;
  constructor(address: number, byteLength: number, number: number) {
    this.address = address;
    this.byteLength = byteLength;
    this.number = number;
  }
}

/** The block from `bytes` on; it is no block of its own, and freeing it does nothing. */
export function partOf({ address, byteLength }: Block, bytes: number): Block {
  return new Block(address + bytes, byteLength - bytes, -1);
}

export interface HeapOptions {
  readonly shared: boolean;
  readonly limitBytes?: number | undefined;
  /** Bytes at the start that the allocator leaves alone. */
  readonly reservedBytes: number;
}

export class Heap {
  readonly memory: WebAssembly.Memory;
  readonly shared: boolean;
  /** The memory's maximum; an importing module has to declare at least this one. */
  readonly maxPages: number;
  readonly #blocks: Blocks;
  #f32: Float32Array;
  #i32: Int32Array;
  #u8: Uint8Array;
  #pages = INITIAL_PAGES;
  #used = 0;
  #peak = 0;
  #count = 0;

  constructor({ shared, limitBytes = MAX_PAGES * PAGE, reservedBytes }: HeapOptions) {
    this.shared = shared;
    const wanted = Math.min(MAX_PAGES, Math.max(INITIAL_PAGES, Math.floor(limitBytes / PAGE)));
    [this.memory, this.maxPages] = createMemory(wanted, shared);
    [this.#f32, this.#i32, this.#u8] = createViews(this.memory);
    const first = Math.ceil(Math.max(reservedBytes, SLACK) / ALIGNMENT);
    this.#blocks = new Blocks(first, unitsIn(this.#pages));
  }

  // Views of the whole memory, renewed after growth: use them at once, never keep one.
  get f32(): Float32Array {
    return this.#f32;
  }
  get i32(): Int32Array {
    return this.#i32;
  }
  get u8(): Uint8Array {
    return this.#u8;
  }

  get limitBytes(): number {
    return this.maxPages * PAGE;
  }

  /** `label` says in an out-of-memory error what the block was for, e.g. `tensor weight`. */
  allocate(byteLength: number, label: string): Block {
    const units = Math.max(1, Math.ceil(byteLength / ALIGNMENT));
    const number = this.#blocks.take(units) ?? this.#growAndTake(units);
    if (number === undefined) throw this.#outOfMemory(byteLength, label);
    this.#used += this.#blocks.size(number) * ALIGNMENT;
    this.#peak = Math.max(this.#peak, this.#used);
    this.#count++;
    return new Block(this.#blocks.start(number) * ALIGNMENT, byteLength, number);
  }

  /** Freeing a block twice does nothing. */
  free(block: Block): void {
    if (block.number < 0) return;
    this.#used -= this.#blocks.size(block.number) * ALIGNMENT;
    this.#count--;
    this.#blocks.give(block.number);
    block.number = -1;
  }

  statistics(): DeviceMemory {
    return {
      usedBytes: this.#used,
      peakBytes: this.#peak,
      reservedBytes: this.#pages * PAGE,
      limitBytes: this.limitBytes,
      buffers: this.#count,
    };
  }

  /** For tests: the stretches of the heap in address order, in bytes. */
  layout(): { start: number; size: number; taken: boolean }[] {
    return [...this.#blocks.list()].map(({ start, size, taken }) => ({
      start: start * ALIGNMENT,
      size: size * ALIGNMENT,
      taken,
    }));
  }

  #growAndTake(units: number): number | undefined {
    const missing = (roundToClass(units) - this.#blocks.freeAtEnd) * ALIGNMENT;
    const needed = Math.ceil(missing / PAGE);
    const room = this.maxPages - this.#pages;
    if (needed > room) return undefined;
    // A quarter more than now, so that a growing heap does not grow at every allocation.
    const generous = Math.min(room, Math.max(needed, this.#pages >>> 2));
    if (!this.#grow(generous) && !this.#grow(needed)) return undefined;
    return this.#blocks.take(units);
  }

  #grow(pages: number): boolean {
    try {
      this.memory.grow(pages);
    } catch {
      return false; // the system has no more
    }
    [this.#f32, this.#i32, this.#u8] = createViews(this.memory);
    this.#blocks.extend(unitsIn(this.#pages + pages) - unitsIn(this.#pages));
    this.#pages += pages;
    return true;
  }

  #outOfMemory(byteLength: number, label: string): OutOfMemoryError {
    return new OutOfMemoryError(
      `allocate: ${label} of ${byteLength} bytes does not fit: ${this.#used} of ${this.limitBytes} bytes are in use. ` +
        `Use a smaller batch, let go of tensors that are no longer needed (or free them with 'using')` +
        (this.maxPages < MAX_PAGES
          ? ', or raise the limit (configure({ heapMB }) or NABLA_HEAP_MB, at most 4096).'
          : '.'),
      byteLength,
      this.limitBytes,
    );
  }
}

/** Units of the allocator that end before the slack at the end of a memory of so many pages. */
function unitsIn(pages: number): number {
  return (pages * PAGE - SLACK) / ALIGNMENT;
}

/** The largest memory up to `pages` that the system lets us reserve: some browsers and small machines refuse 4 GiB. */
function createMemory(pages: number, shared: boolean): [WebAssembly.Memory, number] {
  for (let maximum = pages; ; maximum = maximum >>> 1) {
    try {
      return [new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum, shared }), maximum];
    } catch (error) {
      if (maximum >>> 1 >= SMALLEST_MAX_PAGES) continue;
      const bytes = maximum * PAGE;
      throw new OutOfMemoryError(
        `cpu: the system refuses a heap of ${bytes} bytes (${String(error)}). Close other programs, or set less: configure({ heapMB }) or NABLA_HEAP_MB.`,
        bytes,
        bytes,
      );
    }
  }
}

function createViews(memory: WebAssembly.Memory): [Float32Array, Int32Array, Uint8Array] {
  const { buffer } = memory;
  return [new Float32Array(buffer), new Int32Array(buffer), new Uint8Array(buffer)];
}
