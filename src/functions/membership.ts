// Which elements are among others, and runs of equal ones. Names and meaning are PyTorch's.

import * as build from '../engine/ir/build.js';
import { type DType, promote } from '../engine/ir/dtype.js';
import { CaptureError } from '../engine/ir/errors.js';
import { type OptionNames, checkOptions } from '../engine/ir/options.js';
import { type Shape, normalizeDim, sizeOf } from '../engine/ir/shape.js';
import { fromHost } from '../tensor/from-host.js';
import { isRecording } from '../tensor/library.js';
import { asNumber, numberNode } from '../tensor/operands.js';
import { type AnyTensor, type Tensor, nodeOf, wrap } from '../tensor/tensor.js';
import { not } from './operands.js';
import { searchsorted } from './searching.js';

export interface IsinOptions {
  /** Whether it asks which are not there. Default false. */
  readonly invert?: boolean;
}

const ISIN_OPTIONS: OptionNames<IsinOptions> = { invert: true };

/** Whether each element is among those of `others`; NaN never is. PyTorch: torch.isin. */
export function isin<S extends Shape>(
  x: Tensor<S, DType>,
  others: Tensor<Shape, DType> | number,
  options: IsinOptions = {},
): Tensor<S, 'bool'> {
  const op = 'isin';
  const node = build.detach(nodeOf(x, op));
  const given = typeof others === 'number' ? numberNode(others, node.dtype, op) : nodeOf(others, op, 'the others');
  checkOptions(op, options, ISIN_OPTIONS);
  const { invert = false } = options;
  if (given.size === 0 || node.size === 0) {
    return wrap(build.expand(build.cast(build.constant(Number(invert), 'int32'), 'bool'), node.shape));
  }
  const dtype = promote(promote(node.dtype, given.dtype), 'int32');
  const values = build.cast(asNumber(node), dtype);
  const list = build.reshape(build.cast(asNumber(build.detach(given)), dtype), [given.size]);
  const sorted = build.gather(list, 0, build.argsort(list, 0, false));
  const flat = build.reshape(values, [values.size]);
  const place = searchsorted(wrap(sorted), wrap<[number], DType>(flat)).node;
  const last = build.constant(given.size - 1, 'int32');
  const found = build.binary('eq', build.gather(sorted, 0, build.binary('min', place, last)), flat);
  return wrap(build.reshape(invert ? not(found) : found, node.shape));
}

export interface UniqueConsecutiveOptions {
  /** Also, for each element, in which run it is. */
  readonly returnInverse?: boolean;
  /** Also how long each run is. */
  readonly returnCounts?: boolean;
  /** Whole slices along this dimension are compared; without it single elements. */
  readonly dim?: number;
}

const UNIQUE_CONSECUTIVE_OPTIONS: OptionNames<UniqueConsecutiveOptions> = {
  returnInverse: true,
  returnCounts: true,
  dim: true,
};

interface Values<D extends DType> {
  readonly values: Tensor<number[], D>;
}
interface Inverse {
  readonly inverse: Tensor<number[], 'int32'>;
}
interface Counts {
  readonly counts: Tensor<[number], 'int32'>;
}

/**
 * The elements (or slices along a dimension) without those that equal the one before them. With returnInverse or returnCounts an object
 * { values, inverse, counts }. Reads the elements; no gradient flows through. PyTorch: torch.unique_consecutive.
 */
export function uniqueConsecutive<D extends DType>(
  x: Tensor<Shape, D>,
  options: UniqueConsecutiveOptions & { readonly returnInverse: true; readonly returnCounts: true },
): Promise<Values<D> & Inverse & Counts>;
export function uniqueConsecutive<D extends DType>(
  x: Tensor<Shape, D>,
  options: UniqueConsecutiveOptions & { readonly returnInverse: true },
): Promise<Values<D> & Inverse>;
export function uniqueConsecutive<D extends DType>(
  x: Tensor<Shape, D>,
  options: UniqueConsecutiveOptions & { readonly returnCounts: true },
): Promise<Values<D> & Counts>;
export function uniqueConsecutive<D extends DType>(
  x: Tensor<Shape, D>,
  options?: UniqueConsecutiveOptions,
): Promise<Tensor<number[], D>>;
export async function uniqueConsecutive(x: AnyTensor, options: UniqueConsecutiveOptions = {}): Promise<unknown> {
  const op = 'uniqueConsecutive';
  const { shape } = nodeOf(x, op);
  checkOptions(op, options, UNIQUE_CONSECUTIVE_OPTIONS);
  const axis = options.dim === undefined ? undefined : normalizeDim(options.dim, shape.length, op);
  if (isRecording())
    throw new CaptureError(
      `${op}: how large the result is, is known only when the elements are read, and a compiled function reads nothing while it is being captured.`,
    );
  const data = await x.data();
  const n = axis === undefined ? data.length : (shape[axis] ?? 1);
  const [outer, inner] = axis === undefined ? [1, 1] : [sizeOf(shape.slice(0, axis)), sizeOf(shape.slice(axis + 1))];
  const at = (slice: number, k: number): number => data[(Math.floor(k / inner) * n + slice) * inner + (k % inner)];
  const isSame = (a: number, b: number): boolean => {
    for (let k = 0; k < outer * inner; k++) if (at(a, k) !== at(b, k)) return false;
    return true;
  };
  const inverse = new Int32Array(n);
  const firsts: number[] = [];
  const counts: number[] = [];
  for (let i = 0; i < n; i++) {
    if (i > 0 && isSame(i, i - 1)) counts[counts.length - 1]++;
    else {
      firsts.push(i);
      counts.push(1);
    }
    inverse[i] = firsts.length - 1;
  }
  const count = firsts.length;
  const values = new Float64Array(outer * count * inner);
  firsts.forEach((slice, i) => {
    for (let k = 0; k < outer * inner; k++)
      values[(Math.floor(k / inner) * count + i) * inner + (k % inner)] = at(slice, k);
  });
  const { device, dtype } = x;
  const result = fromHost(op, values, axis === undefined ? [count] : shape.with(axis, count), dtype, device);
  const { returnInverse = false, returnCounts = false } = options;
  if (!returnInverse && !returnCounts) return result;
  const vector = (numbers: Int32Array, size: Shape): AnyTensor => fromHost(op, numbers, size, 'int32', device);
  return {
    values: result,
    ...(returnInverse && { inverse: vector(inverse, axis === undefined ? shape : [n]) }),
    ...(returnCounts && { counts: vector(Int32Array.from(counts), [count]) }),
  };
}
