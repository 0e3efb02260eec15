// What the engine asks of a device. The engine hands over whole graphs; how a device computes one (interpreting it,
// compiling it to kernels) is its own business. Buffers are opaque handles.
// `run` may return before the work is done, but work is done in the order it was given, and `download` waits for it.

import type { DType } from '../ir/dtype.js';
import type { Graph } from '../ir/graph/graph.js';

export type TypedArray = Float32Array | Int32Array | Uint8Array | Float64Array;

export interface Executable {
  /**
   * outputs[i] belongs to graph.outputs[i]; for an assigned output it is the input's own buffer. `states[i]` is equal in two
   * runs only if input watched[i] holds the same numbers.
   */
  run(
    inputs: readonly unknown[],
    scalars: ArrayLike<number>,
    outputs: readonly unknown[],
    states?: readonly string[],
  ): void;
  /** Inputs of which something is kept from run to run; none if absent. */
  readonly watched?: readonly number[];
  /** Kernels per run and, where the device has them, their names: for tests and the debug prints. */
  readonly kernels: readonly string[];
  /** About what it holds until it is disposed of: code in all threads, data structures, kept results. */
  readonly bytes: number;
  dispose(): void;
}

export interface DeviceMemory {
  /** Bytes in buffers that are in use, the same at its highest, and bytes reserved from the system. */
  readonly usedBytes: number;
  readonly peakBytes: number;
  readonly reservedBytes: number;
  readonly limitBytes: number;
  readonly buffers: number;
}

export interface Device {
  readonly name: string;
  /** A buffer of `size` elements; its contents are undefined. `label` names the tensor in an out-of-memory error. */
  allocate(size: number, dtype: DType, label: string): unknown;
  upload(buffer: unknown, data: ArrayLike<number>, dtype: DType): void;
  /** float32 → Float32Array, float64 → Float64Array, int32 → Int32Array, bool → Uint8Array; the reference device gives Float64Array for float32. */
  download(buffer: unknown, size: number, dtype: DType): Promise<TypedArray>;
  /** What `download` would give, if that is known without waiting. */
  peek?(buffer: unknown, size: number, dtype: DType): TypedArray | undefined;
  /** The memory itself, where the host sees it and nothing is under way: to be used at once, and never kept. */
  bytes?(buffer: unknown): Uint8Array | undefined;
  free(buffer: unknown): void;
  /** The same memory from element `offset` on, as an input of a program; it is freed with its buffer. */
  from(buffer: unknown, offset: number, dtype: DType): unknown;
  compile(graph: Graph): Executable;
  /** Where runs are done later than given: how many were given, and how many of them are known to be done. */
  progress?(): { readonly given: number; readonly done: number } | undefined;
  /** There: calls `listener` when run number `first` has failed and it and all given since have changed nothing. */
  onLostRuns?(listener: (first: number, error: Error) => void): void;
  memory(): DeviceMemory;
  /** What a person may want to know of it: threads, instruction sets. */
  details(): Readonly<Record<string, string | number | boolean>>;
  /** Ends threads and frees the heap. */
  dispose(): Promise<void>;
}

export type { Graph, GraphOutput } from '../ir/graph/graph.js';
