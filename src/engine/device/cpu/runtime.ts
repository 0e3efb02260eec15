// The CPU device without its compiler: buffers on the heap, and WebAssembly programs run by a pool of threads.
// Input: bytes of modules that export run(from, to, tid, threads, table, arena, scratch) and how many stages there are, and words for their argument
// tables; output: the contents of buffers. Runs and uploads take effect in the order given, and `download` waits for
// them; in a browser page with shared memory the calls return earlier. It must not know graphs or kernels.

import { type DType, brainBits, brainValue, bytesOf, halfBits, halfValue } from '../../ir/dtype.js';
import { ArgumentError, DeviceError, IndexError } from '../../ir/errors.js';
import { LATE_ERROR_OFFSET } from '../../loop/loop.js';
import type { DeviceMemory, TypedArray } from '../device.js';
import { CONTROL } from './threads/control.js';
import { type ThreadPool, LocalThreadPool, type Regions, RemoteThreadPool } from './threads/thread-pool.js';
import type { FailedRun } from './threads/driver.js';
import { checkWebAssembly, hasRelaxedSimd, hasSimd } from './platform/features.js';
import { type Block, Heap } from './heap.js';
import { detectPlatform } from './platform/detect-platform.js';
import type { Platform } from './platform/platform.js';
import { chooseHeapLimit, chooseThreads } from './settings.js';

/** Of an argument: an address, or half of a float64. */
const WORD_BYTES = 4;
/** Between the scratch regions of two threads: reads beyond the edges, and prefetching, stay apart. */
const SCRATCH_GAP = 512;
/** An arena is not made smaller for less than this when the program that needed it is gone. */
const ARENA_WORTH_KEEPING = 16 << 20;

export interface CpuOptions {
  /** Default: NABLA_THREADS, else the number of cores, at most 8. */
  readonly threads?: number | undefined;
  /** Limit of the heap; default: NABLA_HEAP_MB, else 4 GiB. */
  readonly heapBytes?: number | undefined;
  /** False: one thread on a memory of its own, as in a browser page without cross-origin isolation. */
  readonly shared?: boolean | undefined;
}

export interface CpuFeatures {
  readonly simd: boolean;
  readonly relaxed: boolean;
  /** Whether modules have to import a shared memory. */
  readonly shared: boolean;
}

/** A tensor's bytes on the heap. */
export type Buffer = Block;

export interface ProgramCode {
  readonly bytes: Uint8Array;
  readonly argumentCount: number;
  readonly arenaBytes: number;
  readonly scratchBytes: number; // for each thread
}

export interface LoadedProgram {
  readonly id: number;
  /** `words`: for each argument the address of a buffer, or the bits of a float or an integer. They are copied. */
  run(words: Int32Array): void;
  dispose(): void;
}

/** A program outside WebAssembly: `place` gives the addresses that one run of it needs. */
export interface ReservedProgram {
  place(words: Int32Array): Omit<Regions, 'staging'>;
  dispose(): void;
}

export interface IndexErrorRecord {
  readonly node: number;
  readonly index: number;
  readonly size: number;
}

/** A part of the heap that all programs share, as large as the largest of them needs. */
interface Region {
  readonly label: string;
  block: Block | undefined;
}

export class CpuRuntime {
  readonly threads: number;
  readonly features: CpuFeatures;
  /** The heap's maximum, which modules declare when they import it. */
  readonly maxPages: number;
  /** Address of the record that kernels fill when an index lies outside its axis: flag, node, index, size. */
  readonly errorAddress = CONTROL.address + 4 * CONTROL.error;
  /** Makes the error of a run that has failed; neither it nor any run given since has changed anything. */
  whenLost: ((failed: FailedRun) => Error) | undefined;
  /** How often that has happened. */
  lostRuns = 0;
  readonly #heap: Heap;
  readonly #pool: ThreadPool;
  readonly #loaded = new Map<number, { readonly arenaBytes: number }>();
  readonly #regions = {
    table: { label: 'the argument table', block: undefined } as Region,
    arena: { label: 'the arena (intermediate results of a program)', block: undefined } as Region,
    scratch: { label: "the threads' scratch memory", block: undefined } as Region,
    staging: { label: 'program code', block: undefined } as Region,
  };
  #scratchStride = 0;
  #nextProgram = 1;
  #disposed = false;

  constructor(options: CpuOptions = {}) {
    const platform = detectPlatform();
    checkWebAssembly();
    const shared = platform.shared && options.shared !== false;
    this.threads = shared ? chooseThreads(options.threads, platform) : 1;
    this.features = { shared, ...detectFeatures(platform) };
    this.#heap = new Heap({
      shared,
      limitBytes: chooseHeapLimit(options.heapBytes, platform),
      reservedBytes: CONTROL.end,
    });
    this.maxPages = this.#heap.maxPages;
    const { memory } = this.#heap;
    this.#pool =
      platform.mayBlock || !shared
        ? new LocalThreadPool(platform, memory, this.threads)
        : new RemoteThreadPool(platform, memory, this.threads, (failed) => this.#lose(failed));
  }

  /** All of the heap as bytes, for other code that works on it; another object when it has grown. */
  get heapBytes(): Uint8Array {
    return this.#heap.u8;
  }

  /** Threads that take part now: 1 until the others have started. */
  get workingThreads(): number {
    return this.#pool.working();
  }

  /** Whether other threads were wanted and could not be had: one does all. */
  get isAlone(): boolean {
    return this.#pool.isAlone();
  }

  /** How far runs have got that are done later than they were given; undefined where there are none. */
  progress(): { readonly given: number; readonly done: number } | undefined {
    return this.#pool.progress();
  }

  #lose(failed: FailedRun): Error {
    this.lostRuns++;
    if (this.whenLost !== undefined) return this.whenLost(failed);
    return new IndexError(
      `run: index ${failed.index} is out of range for size ${failed.size}.`,
      failed.index,
      failed.size,
    );
  }

  /** Resolves when all threads take part (or after `timeout` milliseconds); for tests and benchmarks. */
  async whenReady(timeout = 10_000): Promise<void> {
    const end = performance.now() + timeout;
    while (this.workingThreads < this.threads && performance.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  // ------------------------------------------------------------ buffers

  allocate(size: number, dtype: DType, label: string): Buffer {
    this.#checkAlive();
    return this.#heap.allocate(size * bytesOf(dtype), `tensor ${label}`);
  }

  upload(buffer: Buffer, data: ArrayLike<number>, dtype: DType): void {
    this.#checkAlive();
    if (data.length * bytesOf(dtype) > buffer.byteLength) {
      throw new ArgumentError(
        `upload: ${data.length} numbers do not fit a buffer of ${buffer.byteLength} bytes. Pass as many as the tensor has.`,
      );
    }
    if (this.#pool.idle()) {
      fill(this.#heap.memory.buffer, buffer.address, data, dtype);
      return;
    }
    const copy = new ArrayBuffer(data.length * bytesOf(dtype));
    fill(copy, 0, data, dtype);
    this.#pool.write(buffer.address, new Uint8Array(copy));
  }

  /** A copy of the first `size` elements as they are after all that was given so far. */
  async download(buffer: Buffer, size: number, dtype: DType): Promise<TypedArray> {
    this.#checkAlive();
    if (this.#pool.idle()) return this.read(buffer, size, dtype);
    const bytes = await this.#pool.read(buffer.address, size * bytesOf(dtype));
    return readNumbers(bytes.buffer, 0, size, dtype);
  }

  /** `download` without waiting: right only when nothing is pending, as always in Node. */
  read(buffer: Buffer, size: number, dtype: DType): TypedArray {
    this.#checkAlive();
    return readNumbers(this.#heap.u8.buffer, buffer.address, size, dtype);
  }

  /** `download` if nothing is pending. */
  peek(buffer: Buffer, size: number, dtype: DType): TypedArray | undefined {
    return !this.#disposed && this.#pool.idle() ? this.read(buffer, size, dtype) : undefined;
  }

  /** The bytes of a buffer where they lie, if nothing is pending. They move when the heap grows. */
  bytes({ address, byteLength }: Buffer): Uint8Array | undefined {
    if (this.#disposed || !this.#pool.idle()) return undefined;
    return new Uint8Array(this.#heap.memory.buffer, address, byteLength);
  }

  /** Later work may use the place again, and is ordered after all that was given so far. */
  free(buffer: Buffer): void {
    if (!this.#disposed) this.#heap.free(buffer);
  }

  memory(): DeviceMemory {
    return this.#heap.statistics();
  }

  // ------------------------------------------------------------ programs

  load(program: ProgramCode): LoadedProgram {
    this.#checkAlive();
    this.#reserve(program);
    const id = this.#nextProgram++;
    this.#pool.load(id, program.bytes, this.#regions.staging.block!.address);
    const { argumentCount, arenaBytes } = program;
    this.#loaded.set(id, { arenaBytes });
    return {
      id,
      run: (words) => this.#run(id, words, argumentCount),
      dispose: () => this.#unload(id),
    };
  }

  /** Room for a program that other code runs on this heap; the result puts the words of a run where it will look. */
  reserve(program: Omit<ProgramCode, 'bytes'>): ReservedProgram {
    this.#checkAlive();
    this.#reserve({ bytes: new Uint8Array(0), ...program });
    const id = this.#nextProgram++;
    this.#loaded.set(id, { arenaBytes: program.arenaBytes });
    return {
      place: (words) => {
        this.#checkAlive();
        const { table, arena, scratch } = this.#regions;
        const { i32 } = this.#heap;
        const at = table.block!.address >>> 2;
        for (let i = 0; i < words.length; i++) i32[at + i] = words[i]!;
        return {
          table: table.block!.address,
          arena: arena.block!.address,
          scratch: scratch.block!.address,
          scratchStride: this.#scratchStride,
        };
      },
      dispose: () => this.#forget(id),
    };
  }

  #run(id: number, words: Int32Array, argumentCount: number): void {
    this.#checkAlive();
    if (words.length !== argumentCount || !this.#loaded.has(id)) {
      throw new DeviceError(
        `run: program ${id} takes ${argumentCount} arguments and was given ${words.length}${this.#loaded.has(id) ? '' : ' after its disposal'}.`,
      );
    }
    const { table, arena, scratch, staging } = this.#regions;
    this.#pool.run(id, words, {
      table: table.block!.address,
      arena: arena.block!.address,
      scratch: scratch.block!.address,
      scratchStride: this.#scratchStride,
      staging: staging.block!.address,
    });
  }

  #unload(id: number): void {
    if (this.#loaded.has(id) && !this.#disposed) this.#pool.drop(id);
    this.#forget(id);
  }

  #forget(id: number): void {
    if (!this.#loaded.delete(id) || this.#disposed) return;
    const { arena } = this.#regions;
    if (arena.block!.byteLength <= ARENA_WORTH_KEEPING) return;
    let needed = 0;
    for (const { arenaBytes } of this.#loaded.values()) needed = Math.max(needed, arenaBytes);
    if (arena.block!.byteLength <= 2 * needed + ARENA_WORTH_KEEPING) return;
    this.#heap.free(arena.block!);
    arena.block = this.#heap.allocate(needed, arena.label);
  }

  /** The first index error that kernels have recorded since the last call. Where runs are done later, `whenLost` tells. */
  takeError(): IndexErrorRecord | undefined {
    if (this.#pool.progress() !== undefined) return undefined;
    const words = this.#heap.i32;
    const early = this.errorAddress >>> 2;
    const late = (this.errorAddress + LATE_ERROR_OFFSET) >>> 2;
    if (words[early] === 0 && words[late] === 0) return undefined;
    const at = words[early] === 0 ? late : early;
    words[early] = 0;
    words[late] = 0;
    return { node: words[at + 1]!, index: words[at + 2]!, size: words[at + 3]! };
  }

  /** Makes the shared regions large enough for one more program. They hold nothing between runs. */
  #reserve({ bytes, argumentCount, arenaBytes, scratchBytes }: ProgramCode): void {
    const { table, arena, scratch, staging } = this.#regions;
    const stride = Math.ceil(scratchBytes / 64) * 64 + SCRATCH_GAP;
    this.#enlarge(table, argumentCount * WORD_BYTES);
    this.#enlarge(arena, arenaBytes);
    this.#enlarge(scratch, Math.max(stride, this.#scratchStride) * this.threads);
    this.#enlarge(staging, this.threads > 1 ? bytes.length : 0);
    this.#scratchStride = Math.max(stride, this.#scratchStride);
  }

  #enlarge(region: Region, byteLength: number): void {
    if (region.block !== undefined && region.block.byteLength >= byteLength) return;
    const old = region.block;
    if (old !== undefined) this.#heap.free(old);
    region.block = undefined;
    try {
      region.block = this.#heap.allocate(byteLength, region.label);
    } finally {
      // Without room for more, programs that were loaded before keep what they had.
      if (region.block === undefined && old !== undefined) {
        region.block = this.#heap.allocate(old.byteLength, region.label);
      }
    }
  }

  /** Ends the threads. Buffers and programs can no longer be used. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    this.#loaded.clear();
    await this.#pool.dispose();
  }

  #checkAlive(): void {
    if (this.#disposed)
      throw new DeviceError('cpu: the device has been disposed. Create tensors anew to start it again.');
  }
}

function fill(target: ArrayBufferLike, address: number, data: ArrayLike<number>, dtype: DType): void {
  if (dtype === 'float32') new Float32Array(target, address, data.length).set(data);
  else if (dtype === 'float64') new Float64Array(target, address, data.length).set(data);
  else if (dtype === 'int32') new Int32Array(target, address, data.length).set(data);
  else if (dtype === 'uint8') new Uint8Array(target, address, data.length).set(data);
  else if (dtype === 'float16' || dtype === 'bfloat16') {
    const bitsOf = dtype === 'float16' ? halfBits : brainBits;
    const out = new Uint16Array(target, address, data.length);
    for (let i = 0; i < out.length; i++) out[i] = bitsOf(data[i]);
  } else {
    const out = new Int32Array(target, address, data.length);
    for (let i = 0; i < out.length; i++) out[i] = data[i] === 0 ? 0 : 1;
  }
}

function readNumbers(source: ArrayBufferLike, address: number, size: number, dtype: DType): TypedArray {
  if (dtype === 'float32') return new Float32Array(source, address, size).slice();
  if (dtype === 'float64') return new Float64Array(source, address, size).slice();
  if (dtype === 'uint8') return new Uint8Array(source, address, size).slice();
  if (dtype === 'float16' || dtype === 'bfloat16')
    return Float32Array.from(new Uint16Array(source, address, size), dtype === 'float16' ? halfValue : brainValue);
  const numbers = new Int32Array(source, address, size);
  return dtype === 'int32' ? numbers.slice() : Uint8Array.from(numbers);
}

function detectFeatures(platform: Platform): { simd: boolean; relaxed: boolean } {
  const found = { simd: hasSimd(), relaxed: false };
  platform.compiling(() => (found.relaxed = hasRelaxedSimd()));
  return found;
}
