// What is searched for, as one flat vector of float64 and in the form that the user's function takes: a tensor, a list or object of
// tensors, or a plain list of numbers, which the function gets as a float64 tensor.
// Must not know: what is done with it.

import { cat } from '../../tensor/functions.js';
import { tensor } from '../../tensor/creation.js';
import { ArgumentError, type DType, checkNumbers, isFloat, wrongKind } from '../../tensor/library.js';
import { type AnyTensor, Tensor } from '../../tensor/tensor.js';
import { type Tree, leavesOf, withLeaves } from '../../tensor/trees.js';

/** What a search starts from. */
export type SearchStart = Tree | readonly number[] | Float64Array;

/** What the function takes, for a start. */
export type SearchPoint<X> = X extends readonly number[] | Float64Array ? Tensor<[number], 'float64'> : X;

export class Unknowns {
  readonly size: number;
  readonly device: string;
  private readonly form: unknown;
  private readonly leaves: readonly AnyTensor[];

  constructor(op: string, start: SearchStart) {
    this.form = isNumbers(start) ? asTensor(op, start) : start;
    this.leaves = leavesOf(this.form).map((leaf) => leaf.tensor);
    if (this.leaves.length === 0)
      throw wrongKind(op, 'the start', start, 'Give a tensor, a list of numbers, or a list or object of tensors');
    for (const leaf of this.leaves) {
      if (!isFloat(leaf.dtype))
        throw new ArgumentError(
          `${op}: the start has ${leaf.dtype} numbers, which have no gradient. Convert them with to('float64').`,
        );
      if (leaf.device !== this.leaves[0].device)
        throw new ArgumentError(
          `${op}: the start lies on ${this.leaves[0].device} and ${leaf.device}. Move all to one device.`,
        );
    }
    this.size = this.leaves.reduce((sum, leaf) => sum + leaf.size, 0);
    this.device = this.leaves[0].device;
    if (this.size === 0) throw new ArgumentError(`${op}: the start has no numbers. Give at least one.`);
  }

  /** All numbers are float64. */
  get isWide(): boolean {
    return this.leaves.every((leaf) => (leaf.dtype as string) === 'float64');
  }

  /** The numbers of the start. */
  async read(): Promise<Float64Array> {
    const flat = new Float64Array(this.size);
    let at = 0;
    for (const part of await Promise.all(this.leaves.map((leaf) => leaf.data()))) {
      flat.set(part as ArrayLike<number>, at);
      at += part.length;
    }
    return flat;
  }

  /** A flat float64 tensor of these numbers. */
  flat(numbers: Float64Array): Tensor {
    return as(tensor(numbers, { dtype: 'float64', device: this.device }), 'float64');
  }

  /** The flat tensor as the user's function takes it: parts of it, in their shapes and dtypes. */
  formed(flat: Tensor): unknown {
    return this.restored(this.parts(flat));
  }

  /** The tensors of the start, from a flat one. */
  parts(flat: Tensor): Tensor[] {
    let from = 0;
    return this.leaves.map((leaf) =>
      as(flat.slice(0, from, (from += leaf.size)).reshape(leaf.shape) as Tensor, leaf.dtype),
    );
  }

  /** Tensors in the form of the start. */
  restored(parts: readonly Tensor[]): unknown {
    return withLeaves(this.form, parts);
  }

  /** Numbers as stored tensors in the form of the start. */
  result(numbers: Float64Array): unknown {
    let from = 0;
    const parts = this.leaves.map(({ shape, dtype, device, size }) =>
      tensor(numbers.slice(from, (from += size)), { shape, dtype, device }),
    );
    return withLeaves(this.form, parts);
  }
}

/** One flat float64 tensor of a list of tensors. */
export function joined(parts: readonly AnyTensor[]): Tensor {
  return cat(parts.map((part) => as(part, 'float64').reshape([part.size]) as Tensor)) as Tensor;
}

/** The tensor in another dtype; typed loosely, since dtypes are known at run time here. */
export function as(t: AnyTensor, dtype: DType): Tensor {
  return (t.dtype === dtype ? t : t.to(dtype)) as unknown as Tensor;
}

function isNumbers(start: unknown): start is readonly number[] | Float64Array {
  return ArrayBuffer.isView(start) || (Array.isArray(start) && (start.length === 0 || typeof start[0] === 'number'));
}

function asTensor(op: string, start: readonly number[] | Float64Array): AnyTensor {
  checkNumbers(op, 'the start', start);
  return tensor(Float64Array.from(start), { dtype: 'float64' });
}

/** Throws unless it is one number: a tensor of floats with one element. */
export function checkedScalar(op: string, result: unknown): Tensor {
  if (!(result instanceof Tensor))
    throw wrongKind(op, 'what the function returned', result, 'Return a tensor of one element');
  if (result.size !== 1)
    throw new ArgumentError(
      `${op}: the function returned shape [${result.shape.join(', ')}], not one number. Reduce it with sum() or mean().`,
    );
  if (!isFloat(result.dtype as DType))
    throw new ArgumentError(
      `${op}: the function returned ${result.dtype}, which has no gradient. Return float32 or float64.`,
    );
  return result;
}
