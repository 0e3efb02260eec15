// The CPU device: compiles a graph to a program, the program to WebAssembly, and runs it on the runtime's heap and
// threads. All policy lies elsewhere: what to fuse in compile/, how to print it in emit/, who runs it in runtime.ts.

import { type CompiledGraph, compileGraph } from '../../compile/compile.js';
import { emitProgram } from '../../emit/wasm/emit.js';
import type { DType } from '../../ir/dtype.js';
import { IndexError } from '../../ir/errors.js';
import { WASM_TARGET } from '../../loop/target.js';
import type { Device, DeviceMemory, Executable, Graph, TypedArray } from '../device.js';
import { type Buffer, CpuRuntime, type LoadedProgram } from './runtime.js';

export interface CpuDeviceOptions {
  readonly threads?: number;
  readonly heapBytes?: number;
  /** False: one thread, unshared memory. */
  readonly shared?: boolean;
  /** False: one kernel for each materialised node, to test fusion against. */
  readonly fuse?: boolean;
  readonly name?: string;
}

const bits = new DataView(new ArrayBuffer(4));

function floatBits(value: number): number {
  bits.setFloat32(0, value, true);
  return bits.getInt32(0, true);
}

export class CpuDevice implements Device {
  readonly name: string;
  readonly runtime: CpuRuntime;
  private readonly options: CpuDeviceOptions;

  constructor(options: CpuDeviceOptions = {}) {
    this.name = options.name ?? 'cpu';
    this.options = options;
    this.runtime = new CpuRuntime({ threads: options.threads, heapBytes: options.heapBytes, shared: options.shared });
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

  free(buffer: unknown): void {
    this.runtime.free(buffer as Buffer);
  }

  compile(graph: Graph): Executable {
    const compiled = compileGraph(graph, { target: WASM_TARGET, fuse: this.options.fuse });
    const { relaxed, shared } = this.runtime.features;
    const bytes = emitProgram(compiled.program, { relaxed, shared, maxPages: this.runtime.maxPages });
    const { argumentCount, arenaBytes, scratchBytes } = compiled.program;
    const loaded = this.runtime.load({ bytes, argumentCount, arenaBytes, scratchBytes });
    return new CpuExecutable(this.runtime, compiled, loaded, graph);
  }

  memory(): DeviceMemory {
    return this.runtime.memory();
  }

  details(): Readonly<Record<string, string | number | boolean>> {
    const { simd, relaxed, shared } = this.runtime.features;
    return {
      tier: 'WebAssembly',
      threads: this.runtime.threads,
      simd,
      'fused multiply-add': relaxed,
      'shared memory': shared,
    };
  }

  dispose(): Promise<void> {
    return this.runtime.dispose();
  }
}

class CpuExecutable implements Executable {
  readonly kernels: readonly string[];
  private readonly runtime: CpuRuntime;
  private readonly compiled: CompiledGraph;
  private readonly loaded: LoadedProgram;
  private readonly scalarIsFloat: readonly boolean[];
  private readonly words: Int32Array;

  constructor(runtime: CpuRuntime, compiled: CompiledGraph, loaded: LoadedProgram, graph: Graph) {
    this.runtime = runtime;
    this.compiled = compiled;
    this.loaded = loaded;
    this.kernels = compiled.program.stages.flat().map((c) => compiled.program.kernels[c.kernel].name);
    this.scalarIsFloat = graph.scalars.map((s) => s.dtype === 'float32');
    this.words = new Int32Array(compiled.program.argumentCount);
  }

  run(inputs: readonly unknown[], scalars: ArrayLike<number>, outputs: readonly unknown[]): void {
    const { words } = this;
    const { inputWord, outputWord, scalarWord } = this.compiled;
    words[0] = this.runtime.errorAddress;
    for (let i = 0; i < inputs.length; i++) words[inputWord + i] = (inputs[i] as Buffer).address;
    for (let i = 0; i < outputs.length; i++) words[outputWord + i] = (outputs[i] as Buffer).address;
    for (let i = 0; i < scalars.length; i++) {
      words[scalarWord + i] = this.scalarIsFloat[i] ? floatBits(scalars[i]) : scalars[i] | 0;
    }
    this.loaded.run(words);
    const error = this.runtime.takeError();
    if (error !== undefined) {
      const node = this.compiled.nodes[error.node];
      const { axis } = node.arg as { readonly axis: number };
      throw new IndexError(
        `${node.op}: index ${error.index} is out of range for dimension ${axis} with size ${error.size}.`,
        error.index,
        error.size,
      );
    }
  }

  dispose(): void {
    this.loaded.dispose();
  }
}
