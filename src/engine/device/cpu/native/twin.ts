// The native twin of a program: the same graph compiled for the processor at hand. It is asked for when the program has
// become hot, and takes over between two runs once the compiler is done; the heap and the argument table are the same.
// Input: a graph, and how long its runs take. Output: a program to run instead, from some moment on.

import type { CompiledGraph } from '../../../compile/compile.js';
import { DeviceError } from '../../../ir/errors.js';
import { OutOfMemoryError } from '../../../ir/errors.js';
import type { Graph } from '../../device.js';
import { debug } from '../../debug.js';
import type { CpuRuntime, ReservedProgram } from '../runtime.js';
import type { TierMode } from '../settings.js';
import { type CTranslation, type TranslationOptions, toC } from '../persistent/translation.js';
import { type NativeProgram, type NativeTier, type Pending, nativeFailure } from './tier.js';

/** After this many runs that took so long together a program is looked up in the cache: that takes some milliseconds. */
const WARM_RUNS = 3;
const WARM_MILLISECONDS = 50;
/** After runs of so long the compiler is called: it takes a core for seconds, which a shorter job never gets back. */
const HOT_MILLISECONDS = 5000;

export interface TwinOptions extends TranslationOptions {
  readonly mode: Exclude<TierMode, 'wasm'>;
  readonly profile: boolean;
}

/** What a profile says of one kernel, over all its runs. */
export interface KernelTime {
  readonly name: string;
  readonly runs: number;
  /** Of thread 0, whose share is that of every thread. */
  readonly milliseconds: number;
  /** Of all threads, in one run. */
  readonly shapes: string;
  readonly flops: number;
  readonly bytes: number;
}

/** The device's native tier: undefined while it is being made, null if there is none. */
export type TierSource = (wait: boolean) => NativeTier | null | undefined;

/** Who wants native code alone wants its bits, or its speed: WebAssembly instead, unsaid, would be neither. */
export function refuseWebAssembly(reason: string): DeviceError {
  return new DeviceError(
    `cpu: NABLA_CPU=native wants native code alone, and ${reason}. ` +
      `Install gcc or clang or name a compiler in NABLA_CC, or set NABLA_CPU to auto, which goes on in WebAssembly.`,
  );
}

export class NativeTwin {
  private readonly runtime: CpuRuntime;
  private readonly tier: TierSource;
  private readonly options: TwinOptions;
  private graph: Graph | undefined;
  private runs = 0;
  private nativeRuns = 0;
  private milliseconds = 0;
  private pending: Pending | undefined;
  private reserved: ReservedProgram | undefined;
  private program: NativeProgram | undefined;
  /** What runs natively; its node numbers are those of index errors. */
  compiled: CompiledGraph | undefined;
  /** Of thread 0 in each kernel, over all runs, when profiling. */
  kernelMilliseconds: Float64Array | null = null;

  /** A graph becomes C when it is time; where native code alone is wanted it has done so. */
  constructor(runtime: CpuRuntime, tier: TierSource, graph: Graph | CTranslation, options: TwinOptions) {
    this.runtime = runtime;
    this.tier = tier;
    this.options = options;
    if ('source' in graph) this.ask(graph);
    else this.graph = graph;
  }

  /** Whether the next run is native. */
  isReady(): boolean {
    if (this.program !== undefined) return true;
    if (this.graph === undefined && this.pending === undefined) return false;
    const isWarm = this.runs >= WARM_RUNS && this.milliseconds >= WARM_MILLISECONDS;
    if (this.graph !== undefined && (isWarm || this.options.mode === 'native')) this.prepare(this.graph);
    if (this.pending === undefined) return false;
    if (this.milliseconds >= HOT_MILLISECONDS) this.pending.start();
    const program = this.options.mode === 'native' ? this.pending.wait() : this.pending.poll();
    if (program === undefined) return false;
    if (program === null && this.options.mode === 'native') throw refuseWebAssembly(this.pending.failure());
    this.pending = undefined;
    if (program === null) return false; // tier 1 goes on for good
    this.program = program;
    debug(1, () => `native tier: takes a program over after ${this.runs} runs of WebAssembly`);
    return true;
  }

  /** A run of tier 1 took so long. */
  note(milliseconds: number): void {
    this.runs++;
    this.milliseconds += milliseconds;
  }

  private prepare(graph: Graph): void {
    const tier = this.tier(this.options.mode === 'native');
    if (tier === undefined) return;
    if (tier === null && this.options.mode === 'native') throw refuseWebAssembly(nativeFailure());
    this.graph = undefined;
    if (tier === null) return;
    try {
      this.ask(toC(graph, { ...this.options, target: tier.target }));
    } catch (error) {
      if (!(error instanceof OutOfMemoryError)) throw error;
      debug(1, () => `native tier: a program stays with WebAssembly: ${error.message}`); // which has its memory
    }
  }

  /** Has the program made, or found. */
  private ask({ compiled, source, trial }: CTranslation): void {
    if (this.options.profile) this.kernelMilliseconds = new Float64Array(compiled.program.kernels.length + 1);
    debug(3, () => source);
    this.reserved = this.runtime.reserve(compiled.program);
    this.compiled = compiled;
    this.pending = this.tier(false)?.request(source, trial);
  }

  run(words: Int32Array): void {
    const { runtime, reserved, compiled, program } = this;
    const tier = this.tier(false);
    if (tier === undefined || tier === null || reserved === undefined) return;
    if (compiled === undefined || program === undefined) return;
    this.nativeRuns++;
    const threads = compiled.program.serial ? 1 : runtime.threads;
    tier.run(program, runtime.heapBytes, reserved.place(words), threads, this.kernelMilliseconds);
  }

  /** The kernels in the order of the program, if it was profiled. */
  times(): KernelTime[] {
    const times = this.kernelMilliseconds;
    if (times === null || this.compiled === undefined) return [];
    const waiting = { name: '(waiting for other threads)', shapes: '', flops: 0, bytes: 0 };
    return [...this.compiled.program.kernels, waiting].map(({ name, shapes, flops, bytes }, i) => ({
      name,
      shapes,
      flops,
      bytes,
      runs: this.nativeRuns,
      milliseconds: times[i],
    }));
  }

  dispose(): void {
    this.graph = undefined;
    this.pending = undefined;
    this.reserved?.dispose();
    if (this.program !== undefined) this.tier(false)?.close(this.program);
    this.program = undefined;
  }
}
