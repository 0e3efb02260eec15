// The native tier: C programs compiled in the background, kept on disk, and run by a pool of POSIX threads on the heap
// that the WebAssembly tier uses. Whatever goes wrong leaves tier 1 in place, with one line at NABLA_DEBUG=1.
//
// The cache is a folder of its own (made with mode 0700), and only files that are called as its own are ever removed from
// it. A file's name is the digest of everything it depends on (source, flags, compiler, processor) and the digest of its
// contents; a file whose contents do not have that digest is never loaded. Files appear under their names by renaming, after
// they have run in a process of their own (trial.ts), so several processes may share the folder.
// Input: C source. Output: something that runs.

import type { Target } from '../../../loop/target.js';
import { debug } from '../../debug.js';
import { cacheFolder, findCached, isSound } from './cache.js';
import { ANSWER_BYTES, type CompileJob, serveCompiler } from './compile-worker.js';
import { THREAD_POOL_SOURCE } from './thread-pool-source.js';
import { nodeProcess } from './host.js';
import { SUPERVISOR } from './supervisor.js';
import { COMPILER_TIMEOUT_MS, type Toolchain, findToolchain } from './toolchain.js';
import { TRIAL_SOURCE } from './trial.js';

/** Bytes that the cache may grow to. */
const MOST_CACHE_BYTES = 256 << 20;
const ERROR_BYTES = 512;

/** A compiled program: its address in this process, and the library that it is in. */
export interface NativeProgram {
  readonly address: unknown;
  readonly path: string;
}

/** The functions of thread-pool-source.ts. */
interface ThreadPoolLibrary {
  create(threads: number, cores: number): unknown;
  threads(pool: unknown): number;
  destroy(pool: unknown): void;
  open(path: string, error: Uint8Array, size: number): unknown;
  close(pool: unknown, path: string): void;
  useLargePages(heap: Uint8Array, size: number): void;
  run(
    pool: unknown,
    program: unknown,
    heap: Uint8Array,
    table: number,
    arena: number,
    scratch: number,
    stride: number,
    active: number,
    profile: Float64Array | null,
  ): void;
}

/** Where the words of a program lie in the heap. */
export interface NativeRegions {
  readonly table: number;
  readonly arena: number;
  readonly scratch: number;
  readonly scratchStride: number;
}

/** A program on its way: ask now and then whether it has come. */
export interface Pending {
  /** Calls the compiler, unless the cache had the program or it has been called. */
  start(): void;
  /** undefined: not yet; null: never. */
  poll(): NativeProgram | null | undefined;
  wait(): NativeProgram | null;
  /** Why it never comes. */
  failure(): string;
}

/** A file on its way: its path, null if there will be none. */
interface CompiledSource {
  /** Where the compiling thread writes: see CompileJob. */
  readonly answer: SharedArrayBuffer;
  start(): void;
  poll(): string | null | undefined;
  wait(): string | null;
  /** Why there will be none. */
  failure(): string;
}

/** What is the same for all devices of the process: compiler, cache, library, worker. */
class NativeCompiler {
  readonly toolchain: Toolchain;
  private readonly trial: CompiledSource;
  private readonly poolSource: CompiledSource;
  private bound: ThreadPoolLibrary | undefined;
  private readonly process: NodeJS.Process;
  private readonly folder: string;
  private worker: { postMessage(job: CompileJob): void } | undefined;
  #unanswered: SharedArrayBuffer[] = [];

  constructor(process: NodeJS.Process, toolchain: Toolchain, folder: string) {
    this.process = process;
    this.toolchain = toolchain;
    this.folder = folder;
    // The trial comes first: the compiling thread takes its jobs in order.
    const isForLibraries = (flag: string) => flag === '-shared';
    this.trial = this.request(TRIAL_SOURCE, {
      flags: toolchain.flags.filter((f) => !isForLibraries(f)),
      suffix: '.run',
    });
    this.trial.start();
    this.poolSource = this.requestLibrary(THREAD_POOL_SOURCE, new Uint32Array(0));
    this.poolSource.start();
  }

  /** The functions that run programs: undefined while they are being compiled. Throws if they cannot be had. */
  library(wait: boolean): ThreadPoolLibrary | undefined {
    if (this.bound !== undefined) return this.bound;
    const path = wait ? this.poolSource.wait() : this.poolSource.poll();
    if (path === undefined) return undefined;
    if (path === null) throw new Error(`the threads cannot be compiled: ${this.poolSource.failure()}`);
    this.bound = bindLibrary(this.process, path);
    return this.bound;
  }

  /** A library that has passed its trial with these words. */
  requestLibrary(source: string, words: Uint32Array): CompiledSource {
    const trial = { program: this.trial.answer, words };
    return this.request(source, { flags: this.toolchain.flags, suffix: '.so', trial });
  }

  /** The path of the compiled source, from the cache or from the compiler. */
  private request(source: string, job: Pick<CompileJob, 'flags' | 'suffix' | 'trial'>): CompiledSource {
    const { createHash } = this.process.getBuiltinModule('node:crypto');
    const { command, identity } = this.toolchain;
    const key = createHash('sha256')
      .update([source, command, ...job.flags, identity].join('\0'))
      .digest('hex')
      .slice(0, 32);
    const answer = new SharedArrayBuffer(ANSWER_BYTES);
    const words = new Int32Array(answer, 0, 2);
    const cached = findCached(this.process, this.folder, key);
    if (cached !== undefined) {
      const bytes = new TextEncoder().encode(cached);
      new Uint8Array(answer, 8).set(bytes);
      words.set([1, bytes.length]);
      return { answer, start() {}, poll: () => cached, wait: () => cached, failure: () => '' };
    }
    let isStarted = false;
    let failure = 'the compiler does not end';
    const start = (): void => {
      if (isStarted) return;
      isStarted = true;
      const { folder } = this;
      const limits = { timeout: COMPILER_TIMEOUT_MS, mostBytes: MOST_CACHE_BYTES };
      const isOpen = (other: SharedArrayBuffer): boolean => Atomics.load(new Int32Array(other), 0) === 0;
      this.#unanswered = [...this.#unanswered.filter(isOpen), answer];
      this.compiler().postMessage({ command, source, folder, key, answer, ...job, ...limits });
    };
    const read = (): string | null | undefined => {
      const state = Atomics.load(words, 0);
      if (state === 0) return undefined;
      const text = new TextDecoder().decode(new Uint8Array(answer, 8, words[1]).slice());
      if (state === 1 && isSound(this.process, text)) return text;
      failure = state === 1 ? `${text} has been removed or damaged` : `the compiler failed: ${text}`;
      debug(1, () => `native tier: ${failure}`);
      return null;
    };
    return {
      answer,
      start,
      poll: read,
      wait: () => {
        start();
        Atomics.wait(words, 0, 0, COMPILER_TIMEOUT_MS * 3);
        return read() ?? null;
      },
      failure: () => failure,
    };
  }

  /** Nothing that was asked of the thread will be answered; the next job starts another one. */
  #compilerEnded(worker: unknown): void {
    if (this.worker !== worker) return;
    this.worker = undefined;
    const text = new TextEncoder().encode('the compiling thread has ended');
    for (const answer of this.#unanswered.splice(0)) {
      const words = new Int32Array(answer, 0, 2);
      if (Atomics.load(words, 0) !== 0) continue;
      new Uint8Array(answer, 8).set(text);
      words[1] = text.length;
      Atomics.store(words, 0, 2);
      Atomics.notify(words, 0);
    }
  }

  private compiler(): { postMessage(job: CompileJob): void } {
    if (this.worker !== undefined) return this.worker;
    const { Worker } = this.process.getBuiltinModule('node:worker_threads');
    const code = `const __name = (f) => f; const { parentPort, workerData } = require('node:worker_threads');
      (${serveCompiler})(parentPort, process.getBuiltinModule, process, workerData)`;
    const worker = new Worker(code, { eval: true, name: 'nabla compiler', execArgv: [], workerData: SUPERVISOR });
    worker.unref();
    const { terminate } = worker;
    const ended = (): void => this.#compilerEnded(worker);
    worker.on('exit', ended).on('error', ended);
    worker.terminate = () => {
      ended(); // at once: whoever waits for an answer blocks this thread and would not hear of the end
      return terminate.call(worker);
    };
    worker.unref(); // once more: listening keeps the process alive
    this.worker = worker;
    return worker;
  }
}

function bindLibrary(process: NodeJS.Process, path: string): ThreadPoolLibrary {
  const { createRequire } = process.getBuiltinModule('node:module');
  const koffi = createRequire(import.meta.url)('koffi') as {
    load(path: string): { func(prototype: string): (...args: unknown[]) => unknown };
  };
  const library = koffi.load(path);
  // What a prototype in C takes, no type can read from it.
  const bind = (prototype: string) => library.func(prototype) as never;
  return {
    create: bind('void *nabla_create(int threads, int cores)'),
    threads: bind('int nabla_threads(void *pool)'),
    destroy: bind('void nabla_destroy(void *pool)'),
    open: bind('void *nabla_open(const char *path, void *error, int size)'),
    close: bind('void nabla_close(void *pool, const char *path)'),
    useLargePages: bind('void nabla_use_large_pages(void *heap, size_t size)'),
    run: bind(
      'void nabla_run(void *pool, void *program, void *heap, uint table, uint arena, uint scratch, uint stride, int active, void *profile)',
    ),
  };
}

let toolchain: Toolchain | string | undefined;

/** The compiler of this machine, or why there is none; asked for once. */
export function nativeToolchain(): Toolchain | string {
  const process = nodeProcess();
  if (process === undefined || process.platform === 'win32') return 'not on this platform';
  return (toolchain ??= findToolchain(process));
}

let shared: NativeCompiler | null | undefined;
let failure = '';

/** Why there is no native tier, once one has been asked for in vain. */
export function nativeFailure(): string {
  return failure;
}

/** One for the process; null where there can be none, which is said once. */
function nativeCompiler(): NativeCompiler | null {
  if (shared !== undefined) return shared;
  shared = null;
  try {
    const process = nodeProcess();
    const found = nativeToolchain();
    if (process === undefined || typeof found === 'string') throw new Error(String(found));
    shared = new NativeCompiler(process, found, cacheFolder(process));
    debug(1, () => `native tier: ${found.command} for ${found.target.name}`);
  } catch (error) {
    giveUp(error);
  }
  return shared;
}

function giveUp(error: unknown): void {
  shared = null;
  failure = (error as Error).message;
  debug(1, () => `native tier: not available: ${failure}`);
}

/** The native tier of one device: its pool of threads. */
export class NativeTier {
  readonly target: Target;
  private readonly compiler: NativeCompiler;
  private readonly library: ThreadPoolLibrary;
  private readonly pool: unknown;
  /** As it was at the last run. */
  private heap: Uint8Array | undefined;

  private constructor(compiler: NativeCompiler, library: ThreadPoolLibrary, threads: number) {
    this.compiler = compiler;
    this.library = library;
    this.target = compiler.toolchain.target;
    const cores = nodeProcess()?.getBuiltinModule('node:os').availableParallelism() ?? 1;
    this.pool = library.create(threads, cores);
  }

  /** undefined: not yet, ask again; null: never (no compiler, no cache folder, no way to call C). */
  static create(threads: number, wait: boolean): NativeTier | null | undefined {
    const compiler = nativeCompiler();
    if (compiler === null) return null;
    try {
      const library = compiler.library(wait);
      return library === undefined ? undefined : new NativeTier(compiler, library, threads);
    } catch (error) {
      giveUp(error);
      return null;
    }
  }

  /** Looks the program up in the cache; the compiler is called by `start` or `wait`, and the trial gets these words. */
  request(source: string, trial: Uint32Array): Pending {
    const job = this.compiler.requestLibrary(source, trial);
    let program: NativeProgram | null | undefined;
    let failure: string | undefined;
    const open = (path: string | null | undefined): NativeProgram | null | undefined => {
      if (path === undefined || path === null) return (program = path);
      const opened = this.open(path);
      if (typeof opened !== 'string') return (program = opened);
      failure = opened;
      debug(1, () => `native tier: ${opened}`);
      return (program = null);
    };
    return {
      start: () => job.start(),
      poll: () => (program === undefined ? open(job.poll()) : program),
      wait: () => (program === undefined ? (open(job.wait()) ?? null) : program),
      failure: () => failure ?? job.failure(),
    };
  }

  /** The program, or why it cannot be loaded. */
  private open(path: string): NativeProgram | string {
    const error = new Uint8Array(ERROR_BYTES);
    const address = this.library.open(path, error, ERROR_BYTES);
    if (address !== null) return { address, path };
    return new TextDecoder().decode(error.subarray(0, error.indexOf(0)));
  }

  /** `profile` gets the milliseconds of thread 0 in each kernel, if the program was emitted for that. */
  run(
    program: NativeProgram,
    heap: Uint8Array,
    regions: NativeRegions,
    threads: number,
    profile: Float64Array | null,
  ): void {
    const { table, arena, scratch, scratchStride } = regions;
    if (heap !== this.heap) {
      this.heap = heap;
      this.library.useLargePages(heap, heap.byteLength);
    }
    this.library.run(this.pool, program.address, heap, table, arena, scratch, scratchStride, threads, profile);
  }

  /** Unloads a program that will not run again. */
  close(program: NativeProgram): void {
    this.library.close(this.pool, program.path);
  }

  dispose(): void {
    this.library.destroy(this.pool);
  }
}
