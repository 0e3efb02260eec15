// The reference device: interprets a graph node by node with the meanings in evaluate.ts, in float64.
// It is the oracle of the tests and the arithmetic of the gradient check. Results of dtype float32 are not rounded.

import { type DType, castValue } from '../../ir/dtype.js';
import { InternalError, OutOfMemoryError } from '../../ir/errors.js';
import type { Node } from '../../ir/node.js';
import type { Device, DeviceMemory, Executable, Graph, TypedArray } from '../device.js';
import { evaluate } from './evaluate.js';
import type { Given, Value } from './value.js';

interface Buffer {
  data: Float64Array;
}

const BYTES = Float64Array.BYTES_PER_ELEMENT;
/** About what a node of a graph takes. */
const NODE_BYTES = 400;

export class ReferenceDevice implements Device {
  readonly name = 'reference';
  readonly #buffers = new Set<Buffer>();
  readonly #parts = new WeakSet<Buffer>();
  #used = 0;
  #peak = 0;

  allocate(size: number, _dtype: DType, label: string): Buffer {
    let data: Float64Array;
    try {
      data = new Float64Array(size);
    } catch {
      throw new OutOfMemoryError(
        `allocate: ${label} needs ${size * BYTES} bytes, more than the system gives. Use a smaller batch.`,
        size * BYTES,
        Infinity,
      );
    }
    const buffer = { data };
    this.#buffers.add(buffer);
    this.#used += data.byteLength;
    this.#peak = Math.max(this.#peak, this.#used);
    return buffer;
  }

  upload(buffer: unknown, data: ArrayLike<number>, dtype: DType): void {
    const target = this.#own(buffer).data;
    for (let i = 0; i < data.length; i++) target[i] = castValue(data[i], dtype);
  }

  async download(buffer: unknown, size: number, dtype: DType): Promise<TypedArray> {
    return this.peek(buffer, size, dtype);
  }

  peek(buffer: unknown, size: number, dtype: DType): TypedArray {
    const data = this.#own(buffer).data.slice(0, size);
    if (dtype === 'int32') return Int32Array.from(data);
    return dtype === 'bool' || dtype === 'uint8' ? Uint8Array.from(data) : data;
  }

  free(buffer: unknown): void {
    const own = this.#own(buffer);
    this.#buffers.delete(own);
    this.#used -= own.data.byteLength;
  }

  from(buffer: unknown, offset: number): Buffer {
    const part = { data: this.#own(buffer).data.subarray(offset) };
    this.#parts.add(part);
    return part;
  }

  compile(graph: Graph): Executable {
    return {
      kernels: graph.nodes.filter((node) => node.op !== 'leaf' && node.op !== 'scalar').map((node) => node.op),
      bytes: graph.nodes.length * NODE_BYTES,
      run: (inputs, scalars, outputs) => {
        const results = interpret(
          graph,
          inputs.map((buffer) => (this.#parts.has(buffer as Buffer) ? (buffer as Buffer) : this.#own(buffer)).data),
          scalars,
        );
        // Copied before the first is written: an assigned output may be the input of another.
        const copies = graph.outputs.map(({ node }) => results.get(node)!.data.slice());
        copies.forEach((data, i) => this.#own(outputs[i]).data.set(data));
      },
      dispose: () => {},
    };
  }

  memory(): DeviceMemory {
    const usedBytes = this.#used;
    const buffers = this.#buffers.size;
    return { usedBytes, peakBytes: this.#peak, reservedBytes: usedBytes, limitBytes: Infinity, buffers };
  }

  details(): Readonly<Record<string, string | number | boolean>> {
    return { arithmetic: 'float64, one thread' };
  }

  async dispose(): Promise<void> {
    this.#buffers.clear();
    this.#used = 0;
  }

  #own(buffer: unknown): Buffer {
    if (!this.#buffers.has(buffer as Buffer))
      throw new InternalError('reference: a buffer that is not, or no longer, in use.');
    return buffer as Buffer;
  }
}

/** Computes every node of the graph once, in order. */
function interpret(graph: Graph, inputs: readonly Float64Array[], scalars: ArrayLike<number>): Map<Node, Value> {
  const leaves = new Map(graph.inputs.map((node, i) => [node, inputs[i]]));
  const numbers = new Map(graph.scalars.map((node, i) => [node, scalars[i]]));
  const given: Given = { leaf: (node) => leaves.get(node)!, scalar: (node) => numbers.get(node)! };
  const values = new Map<Node, Value>();
  for (const node of graph.nodes) {
    values.set(
      node,
      evaluate(
        node,
        node.src.map((s) => values.get(s)!),
        given,
      ),
    );
  }
  return values;
}
