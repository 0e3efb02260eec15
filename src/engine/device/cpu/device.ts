// The CPU device: has a graph translated to WebAssembly, and runs it on the runtime's heap and threads. All policy lies
// elsewhere: what to fuse in compile/, how to print it in emit/, what is kept for other processes in persistent/, who runs it in runtime.ts.

import type { CompiledGraph } from '../../compile/compile.js';
import { cutGraph } from '../../compile/graph/partition.js';
import { debug, debugLevel } from '../debug.js';
import { type DType, bytesOf, wideOf } from '../../ir/dtype.js';
import { type Indexed, IndexError, type LinAlgError, failedMatrix, outOfRange } from '../../ir/errors.js';
import { type Node, isOp } from '../../ir/node.js';
import { formatShape } from '../../ir/shape.js';
import type { Device, DeviceMemory, Executable, Graph, TypedArray } from '../device.js';
import { PiecewiseExecutable } from '../in-pieces.js';
import { nodeProcess } from './native/host.js';
import { NativeTier, nativeToolchain } from './native/tier.js';
import { type KernelTime, NativeTwin, type TierSource, type TwinOptions, refuseWebAssembly } from './native/twin.js';
import { detectPlatform } from './platform/detect-platform.js';
import type { FailedRun } from './threads/driver.js';
import { type Buffer, CpuRuntime, type IndexErrorRecord, type LoadedProgram } from './runtime.js';
import { type TierMode, checkNativeSettings, chooseTier, keepsPrograms, warnOfMisspeltNames } from './settings.js';
import { partOf } from './heap.js';
import { type WebAssemblyCode, type WebAssemblyPrologue, toC, toWebAssembly } from './persistent/translation.js';

export interface CpuDeviceOptions {
  readonly threads?: number;
  readonly heapBytes?: number;
  /** False: one thread, unshared memory. */
  readonly shared?: boolean;
  /** False: one kernel for each materialised node, to test fusion against. */
  readonly fuse?: boolean;
  /** Elements from which products are streamed instead of stored, where they can be (compile/stream.ts). */
  readonly leastStreamed?: number;
  /** Operators and operands from which a graph becomes several programs (partition.ts). */
  readonly mostWeight?: number;
  /** Check every program before it is emitted. Default: only with NABLA_DEBUG=4. */
  readonly verify?: boolean;
  /** Which tier runs programs. Default: NABLA_CPU, else `auto`. */
  readonly tier?: TierMode;
  /** Measure each kernel of native programs; see `profile()`. */
  readonly profile?: boolean;
  readonly name?: string;
}

const bits = new DataView(new ArrayBuffer(8));

/** Puts a number where a kernel takes it from: the bits of a float, or an integer. */
function writeScalar(words: Int32Array, at: number, value: number, dtype: DType): void {
  const computed = wideOf(dtype) ?? dtype;
  if (computed === 'float32') bits.setFloat32(0, value, true);
  else if (dtype === 'float64') bits.setFloat64(0, value, true);
  else bits.setInt32(0, value | 0, true);
  words[at] = bits.getInt32(0, true);
  if (dtype === 'float64') words[at + 1] = bits.getInt32(4, true);
}

export class CpuDevice implements Device {
  readonly name: string;
  readonly runtime: CpuRuntime;
  private readonly options: CpuDeviceOptions;
  private readonly mode: TierMode;
  private readonly keepsPrograms: boolean;
  private readonly twins = new Set<NativeTwin>();
  private native: NativeTier | null | undefined;
  /** One function for all twins: made while a program is compiled, it would hold on to what was compiled. */
  private readonly tier: TierSource = (wait) => this.nativeTier(wait);
  /** Of the programs by their numbers, for errors that come later. */
  private readonly nodes = new Map<number, WeakRef<readonly Node[]>>();
  private lostListener: ((first: number, error: Error) => void) | undefined;

  constructor(options: CpuDeviceOptions = {}) {
    this.name = options.name ?? 'cpu';
    this.options = options;
    this.mode = checkSettings(options);
    this.keepsPrograms = keepsPrograms(detectPlatform());
    this.runtime = new CpuRuntime({ threads: options.threads, heapBytes: options.heapBytes, shared: options.shared });
    this.runtime.whenLost = (failed) => this.lose(failed);
    debug(1, () => `device ${this.name}: ${describe(this.details())}`);
  }

  progress(): { readonly given: number; readonly done: number } | undefined {
    return this.runtime.progress();
  }

  onLostRuns(listener: (first: number, error: Error) => void): void {
    this.lostListener = listener;
  }

  private lose(failed: FailedRun): Error {
    const error = indexError(failed, this.nodes.get(failed.program)?.deref() ?? []);
    this.lostListener?.(failed.run, error);
    return error;
  }

  allocate(size: number, dtype: DType, label: string): Buffer {
    return this.runtime.allocate(size, dtype, label);
  }

  upload(buffer: unknown, data: ArrayLike<number>, dtype: DType): void {
    this.runtime.upload(buffer as Buffer, data, dtype);
  }

  download(buffer: unknown, size: number, dtype: DType): Promise<TypedArray> {
    return this.runtime.download(buffer as Buffer, size, dtype);
  }

  peek(buffer: unknown, size: number, dtype: DType): TypedArray | undefined {
    return this.runtime.peek(buffer as Buffer, size, dtype);
  }

  bytes(buffer: unknown): Uint8Array | undefined {
    return this.runtime.bytes(buffer as Buffer);
  }

  free(buffer: unknown): void {
    this.runtime.free(buffer as Buffer);
  }

  from(buffer: unknown, offset: number, dtype: DType): Buffer {
    return partOf(buffer as Buffer, offset * bytesOf(dtype));
  }

  compile(graph: Graph): Executable {
    const pieces = cutGraph(graph, this.options.mostWeight);
    if (pieces === undefined) return this.compileWhole(graph);
    debug(2, () => `a graph of ${graph.nodes.length} nodes in ${pieces.pieces.length} programs`);
    return new PiecewiseExecutable(this, pieces, (piece) => this.compileWhole(piece));
  }

  private compileWhole(graph: Graph): CpuExecutable {
    const { fuse, leastStreamed, profile = false } = this.options;
    const verify = this.options.verify ?? debugLevel() >= 4;
    const { relaxed, shared } = this.runtime.features;
    const { maxPages, threads } = this.runtime;
    const how = { fuse, leastStreamed, verify, threads, keeps: this.keepsPrograms && !profile };
    const tier = this.mode === 'native' ? this.nativeTier(true) : undefined; // where there is none, the first run says so
    const native = tier ? toC(graph, { ...how, target: tier.target, profile }) : undefined;
    const twinOf = (mode: TwinOptions['mode']): NativeTwin => {
      const made = new NativeTwin(this.runtime, this.tier, native ?? graph, { ...how, mode, profile });
      if (profile) this.twins.add(made);
      return made;
    };
    if (native?.isWhole === true) {
      const { compiled, source } = native; // no WebAssembly beside it
      return new CpuExecutable(this.runtime, compiled, undefined, graph, twinOf('native'), undefined, source.length);
    }
    const { main, prologue } = toWebAssembly(graph, { ...how, relaxed, shared, maxPages });
    const { bytes, compiled } = main;
    const loaded = this.load(main);
    const twin = this.mode === 'wasm' || nodeProcess() === undefined ? undefined : twinOf(this.mode);
    const heldNodes = twin === undefined ? 0 : graph.nodes.length;
    const held = codeBytes(bytes.length, threads) + heldNodes * NODE_BYTES;
    const before = prologue === undefined ? undefined : new Prologue(this.runtime, prologue, this.load(prologue.code));
    return new CpuExecutable(this.runtime, compiled, loaded, graph, twin, before, held);
  }

  private load({ bytes, compiled }: WebAssemblyCode): LoadedProgram {
    const { argumentCount, arenaBytes, scratchBytes } = compiled.program;
    const loaded = this.runtime.load({ bytes, argumentCount, arenaBytes, scratchBytes });
    this.nodes.set(loaded.id, new WeakRef(compiled.nodes));
    return loaded;
  }

  /** Native kernels that have run so far, with the time of thread 0 in them: only with the option `profile`. */
  profile(): KernelTime[] {
    return [...this.twins].flatMap((twin) => twin.times());
  }

  /** Made when the first program is hot. */
  private nativeTier(wait: boolean): NativeTier | null | undefined {
    this.native ??= NativeTier.create(this.runtime.threads, wait);
    return this.native;
  }

  memory(): DeviceMemory {
    return this.runtime.memory();
  }

  details(): Readonly<Record<string, string | number | boolean>> {
    const { simd, relaxed, shared } = this.runtime.features;
    return {
      tier: this.describeTier(),
      threads: this.runtime.isAlone ? 1 : this.runtime.threads,
      simd,
      'fused multiply-add': relaxed,
      'shared memory': shared,
    };
  }

  private describeTier(): string {
    const toolchain = this.mode === 'wasm' ? 'not wanted' : nativeToolchain();
    if (typeof toolchain === 'string') return 'WebAssembly';
    const native = `native (${toolchain.target.name}, ${toolchain.command})`;
    return this.mode === 'native' ? native : `WebAssembly, then ${native}`;
  }

  dispose(): Promise<void> {
    this.native?.dispose();
    this.native = null;
    return this.runtime.dispose();
  }
}

/** The tier. Throws where a setting means nothing, or where native code alone is wanted and there is no compiler. */
function checkSettings(options: CpuDeviceOptions): TierMode {
  const platform = detectPlatform();
  warnOfMisspeltNames(Object.keys(nodeProcess()?.env ?? {}), (line) => console.error(line));
  const mode = chooseTier(options.tier, platform);
  if (mode !== 'wasm') checkNativeSettings(platform);
  const toolchain = mode === 'native' ? nativeToolchain() : undefined;
  if (typeof toolchain === 'string') throw refuseWebAssembly(`there is no C compiler (${toolchain})`);
  return mode;
}

function describe(details: Readonly<Record<string, string | number | boolean>>): string {
  return Object.entries(details)
    .map(([key, value]) => `${key} ${String(value)}`)
    .join(', ');
}

/** Throws what the last run has reported, if anything. Nothing that it was given has been overwritten then. */
function throwIndexError(runtime: CpuRuntime, { nodes }: CompiledGraph): void {
  const error = runtime.takeError();
  if (error !== undefined) throw indexError(error, nodes);
}

function indexError({ node: number, index, size }: IndexErrorRecord, nodes: readonly Node[]): IndexError | LinAlgError {
  const node = nodes.find(({ slot }) => slot === number);
  if (node === undefined) return new IndexError(`run: index ${index} is out of range for size ${size}.`, index, size);
  if (isOp(node, 'dense')) return failedMatrix(node.arg, index, size);
  return outOfRange(isOp(node, 'checkIndex') ? node.arg.op : node.op, node.arg as Indexed, index, size);
}

/** About what a node of a graph that is kept for the native tier takes. */
const NODE_BYTES = 800;
/** Measured: machine code, which threads share, is so many times as large as WebAssembly; each thread has an instance. */
const MACHINE_CODE = 16;
const INSTANCE_BYTES = 32 << 10;

function codeBytes(wasmBytes: number, threads: number): number {
  return MACHINE_CODE * wasmBytes + threads * INSTANCE_BYTES;
}

/** The program that runs before another where a watched input has changed, and its results. Always WebAssembly, since it seldom runs. */
class Prologue {
  readonly watched: readonly number[];
  private readonly runtime: CpuRuntime;
  private readonly compiled: CompiledGraph;
  private readonly loaded: LoadedProgram;
  private readonly kept: WebAssemblyPrologue['kept'];
  /** Of its code and its results. */
  readonly bytes: number;
  private buffers: Buffer[] = [];
  private states: readonly string[] | undefined;
  private lostRuns = 0;

  constructor(runtime: CpuRuntime, { code, kept, watched }: WebAssemblyPrologue, loaded: LoadedProgram) {
    const own = codeBytes(code.bytes.length, runtime.threads);
    this.bytes = kept.reduce((sum, { size, dtype }) => sum + size * bytesOf(dtype), own);
    this.runtime = runtime;
    this.compiled = code.compiled;
    this.loaded = loaded;
    this.kept = kept;
    this.watched = watched;
  }

  /** Its results, computed anew unless the watched inputs are as they were. */
  results(inputs: readonly unknown[], states: readonly string[] | undefined): readonly Buffer[] {
    const isDone = this.lostRuns === this.runtime.lostRuns;
    const isSame = isDone && states !== undefined && this.states?.every((s, i) => s === states[i]) === true;
    if (isSame) return this.buffers;
    this.states = undefined;
    // One after the other: those that there was room for are not lost if the next does not fit.
    for (const { size, dtype, op, shape } of this.kept.slice(this.buffers.length)) {
      this.buffers.push(this.runtime.allocate(size, dtype, `${op} ${formatShape(shape)}`));
    }
    const { program, inputWord, outputWord } = this.compiled;
    const words = new Int32Array(program.argumentCount);
    words[0] = this.runtime.errorAddress;
    inputs.forEach((input, i) => (words[inputWord + i] = (input as Buffer).address));
    this.buffers.forEach((buffer, i) => (words[outputWord + i] = buffer.address));
    this.loaded.run(words);
    throwIndexError(this.runtime, this.compiled);
    this.lostRuns = this.runtime.lostRuns;
    this.states = states;
    return this.buffers;
  }

  dispose(): void {
    this.loaded.dispose();
    for (const buffer of this.buffers) this.runtime.free(buffer);
    this.buffers = [];
    this.states = undefined;
  }
}

class CpuExecutable implements Executable {
  readonly kernels: readonly string[];
  readonly bytes: number;
  readonly watched: readonly number[] | undefined;
  private readonly prologue: Prologue | undefined;
  private readonly runtime: CpuRuntime;
  private readonly compiled: CompiledGraph;
  /** Undefined where there is native code alone. */
  private readonly loaded: LoadedProgram | undefined;
  private readonly scalarDTypes: readonly DType[];
  /** Reading the environment takes longer than a small program. */
  private readonly isTimed = debugLevel() >= 2;
  private readonly words: Int32Array;
  private readonly twin: NativeTwin | undefined;

  constructor(
    runtime: CpuRuntime,
    compiled: CompiledGraph,
    loaded: LoadedProgram | undefined,
    graph: Graph,
    twin: NativeTwin | undefined,
    prologue: Prologue | undefined,
    bytes: number,
  ) {
    this.bytes = bytes + (prologue?.bytes ?? 0);
    this.runtime = runtime;
    this.compiled = compiled;
    this.loaded = loaded;
    this.twin = twin;
    this.prologue = prologue;
    this.watched = prologue?.watched;
    this.kernels = compiled.program.stages.flatMap((s) => s.calls).map((c) => compiled.program.kernels[c.kernel].name);
    this.scalarDTypes = graph.scalars.map((s) => s.dtype);
    this.words = new Int32Array(compiled.program.argumentCount);
  }

  run(
    given: readonly unknown[],
    scalars: ArrayLike<number>,
    outputs: readonly unknown[],
    states?: readonly string[],
  ): void {
    const { words, prologue } = this;
    const inputs = prologue === undefined ? given : [...given, ...prologue.results(given, states)];
    const { inputWord, outputWord, scalarWords } = this.compiled;
    words[0] = this.runtime.errorAddress;
    for (let i = 0; i < inputs.length; i++) words[inputWord + i] = (inputs[i] as Buffer).address;
    for (let i = 0; i < outputs.length; i++) words[outputWord + i] = (outputs[i] as Buffer).address;
    for (let i = 0; i < scalars.length; i++) writeScalar(words, scalarWords[i], scalars[i], this.scalarDTypes[i]);
    const { twin } = this;
    const isNative = twin?.isReady() === true;
    if (this.isTimed) this.timedRun(words, isNative);
    else this.perform(words, isNative);
    throwIndexError(this.runtime, isNative ? (twin.compiled as CompiledGraph) : this.compiled);
  }

  private perform(words: Int32Array, isNative: boolean): void {
    if (isNative) this.twin?.run(words);
    else if (this.loaded === undefined) throw refuseWebAssembly('the program has none');
    else if (this.twin === undefined) this.loaded.run(words);
    else {
      const start = performance.now();
      this.loaded.run(words);
      this.twin.note(performance.now() - start);
    }
  }

  private timedRun(words: Int32Array, isNative: boolean): void {
    const start = performance.now();
    this.perform(words, isNative);
    const ms = performance.now() - start;
    const { kernels, stages } = this.compiled.program;
    const flops = stages.flatMap((s) => s.calls).reduce((sum, call) => sum + kernels[call.kernel].flops, 0);
    debug(
      2,
      () =>
        `${isNative ? 'native ' : ''}run of ${kernels.length} kernels: ${ms.toFixed(3)} ms, ${(flops / ms / 1e6).toFixed(1)} GFLOP/s`,
    );
  }

  dispose(): void {
    this.loaded?.dispose();
    this.twin?.dispose();
    this.prologue?.dispose();
  }
}
