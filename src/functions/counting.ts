// Counts of equal elements, and of elements in intervals. Names and meaning are PyTorch's. How many different elements there are is known
// only when they are read: unique, and bincount without a length, are awaited.

import { checkNumber, checkWhole } from '../engine/ir/arguments.js';
import * as build from '../engine/ir/build.js';
import type { DType } from '../engine/ir/dtype.js';
import { ArgumentError, CaptureError, DTypeError, ShapeError } from '../engine/ir/errors.js';
import type { Node } from '../engine/ir/node.js';
import { type OptionNames, checkOptions } from '../engine/ir/options.js';
import { type Shape, checkShape, formatShape, normalizeDim, sameShape, sizeOf } from '../engine/ir/shape.js';
import { fromHost } from '../tensor/from-host.js';
import { inRange } from '../tensor/indexing.js';
import { isRecording } from '../tensor/library.js';
import { asFloat } from '../tensor/operands.js';
import { type AnyTensor, type Tensor, nodeOf, wrap } from '../tensor/tensor.js';

function refuseCapture(op: string, advice: string): void {
  if (!isRecording()) return;
  throw new CaptureError(
    `${op}: how large the result is, is known only when the elements are read, and a compiled function reads nothing while it is being captured. ${advice}`,
  );
}

// ---------------------------------------------------------------- different elements

interface UniqueOptions {
  /** The result is sorted in any case, as PyTorch's default is; false allows any order. */
  readonly sorted?: boolean;
  /** Also, for each element, where its value is among the different ones. */
  readonly returnInverse?: boolean;
  /** Also how often each one is there. */
  readonly returnCounts?: boolean;
  /** Whole slices along this dimension are compared; without it single elements. */
  readonly dim?: number;
}

const UNIQUE_OPTIONS: OptionNames<UniqueOptions> = {
  sorted: true,
  returnInverse: true,
  returnCounts: true,
  dim: true,
};

interface Distinct<D extends DType> {
  readonly values: Tensor<number[], D>;
}
interface Inverse {
  readonly inverse: Tensor<number[], 'int32'>;
}
interface Counts {
  readonly counts: Tensor<[number], 'int32'>;
}

/**
 * The different elements, sorted, as a vector; NaN differs from itself. With returnInverse or returnCounts an object { values, inverse,
 * counts }. Reads the elements; no gradient flows through. PyTorch: torch.unique.
 */
export function unique<D extends DType>(
  x: Tensor<Shape, D>,
  options: UniqueOptions & { readonly returnInverse: true; readonly returnCounts: true },
): Promise<Distinct<D> & Inverse & Counts>;
export function unique<D extends DType>(
  x: Tensor<Shape, D>,
  options: UniqueOptions & { readonly returnInverse: true },
): Promise<Distinct<D> & Inverse>;
export function unique<D extends DType>(
  x: Tensor<Shape, D>,
  options: UniqueOptions & { readonly returnCounts: true },
): Promise<Distinct<D> & Counts>;
export function unique<D extends DType>(x: Tensor<Shape, D>, options?: UniqueOptions): Promise<Tensor<number[], D>>;
export async function unique(x: AnyTensor, options: UniqueOptions = {}): Promise<unknown> {
  const op = 'unique';
  const { shape } = nodeOf(x, op);
  checkOptions(op, options, UNIQUE_OPTIONS);
  const { returnInverse = false, returnCounts = false, dim } = options;
  const axis = dim === undefined ? undefined : normalizeDim(dim, shape.length, op);
  refuseCapture(op, 'Count labels whose number is known with bincount(x, { length }).');
  const data = await x.data();
  const { device, dtype } = x;
  const found = axis === undefined ? distinctNumbers(data, returnInverse) : distinctSlices(data, shape, axis);
  const sizes = axis === undefined ? [found.count] : shape.with(axis, found.count);
  const values = fromHost(op, found.values, sizes, dtype, device);
  if (!returnInverse && !returnCounts) return values;
  const vector = (numbers: readonly number[] | Int32Array, size: Shape): AnyTensor =>
    fromHost(op, Int32Array.from(numbers), size, 'int32', device);
  return {
    values,
    ...(returnInverse && { inverse: vector(found.inverse, axis === undefined ? shape : [shape[axis] ?? 1]) }),
    ...(returnCounts && { counts: vector(found.counts, [found.count]) }),
  };
}

interface Found {
  readonly values: ArrayLike<number>;
  readonly count: number;
  readonly inverse: Int32Array;
  readonly counts: readonly number[];
}

function distinctNumbers(data: Float32Array | Float64Array | Int32Array | Uint8Array, isInverseWanted: boolean): Found {
  const sorted = data.slice().sort(); // NaN last
  const values: number[] = [];
  const counts: number[] = [];
  for (const value of sorted) {
    if (value === values.at(-1)) counts[counts.length - 1]++;
    else {
      values.push(value);
      counts.push(1);
    }
  }
  const inverse = new Int32Array(isInverseWanted ? data.length : 0);
  let lastNaN = values.findIndex((value) => Number.isNaN(value));
  for (let i = 0; i < inverse.length; i++) inverse[i] = Number.isNaN(data[i]) ? lastNaN++ : placeOf(data[i], values);
  return { values, count: values.length, inverse, counts };
}

/** In a sorted list that has it; NaN stands last. */
function placeOf(value: number, sorted: readonly number[]): number {
  let [from, to] = [0, sorted.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (sorted[middle] < value) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** Slices along an axis, compared number by number. */
function distinctSlices(data: ArrayLike<number>, shape: Shape, axis: number): Found {
  const n = shape[axis] ?? 1;
  const [outer, inner] = [sizeOf(shape.slice(0, axis)), sizeOf(shape.slice(axis + 1))];
  const at = (slice: number, k: number): number => data[(Math.floor(k / inner) * n + slice) * inner + (k % inner)];
  const compare = (a: number, b: number): number => {
    for (let k = 0; k < outer * inner; k++) {
      const [p, q] = [at(a, k), at(b, k)];
      if (p !== q) return p < q ? -1 : p > q ? 1 : Number(Number.isNaN(p)) - Number(Number.isNaN(q)) || a - b;
    }
    return 0;
  };
  const isSame = (a: number, b: number): boolean => {
    for (let k = 0; k < outer * inner; k++) if (at(a, k) !== at(b, k)) return false;
    return true;
  };
  const order = Array.from({ length: n }, (_, i) => i).sort(compare);
  const inverse = new Int32Array(n);
  const firsts: number[] = [];
  const counts: number[] = [];
  order.forEach((slice, i) => {
    if (i > 0 && isSame(slice, order[i - 1])) counts[counts.length - 1]++;
    else {
      firsts.push(slice);
      counts.push(1);
    }
    inverse[slice] = firsts.length - 1;
  });
  const count = firsts.length;
  const values = new Float64Array(outer * count * inner);
  firsts.forEach((slice, i) => {
    for (let k = 0; k < outer * inner; k++)
      values[(Math.floor(k / inner) * count + i) * inner + (k % inner)] = at(slice, k);
  });
  return { values, count, inverse, counts };
}

// ---------------------------------------------------------------- whole numbers

interface BincountOptions {
  /** Added up instead of counted, one for each element. */
  readonly weights?: AnyTensor;
  /** The result has at least so many counts. */
  readonly minLength?: number;
  /** The result has so many counts, which no element may reach; nothing is read then, and compiled functions can count, too. */
  readonly length?: number;
}

const BINCOUNT_OPTIONS: OptionNames<BincountOptions> = { weights: true, minLength: true, length: true };
/** Sums are float32 of float32, else float64. */
type SumDType<D extends DType> = DType extends D ? 'float32' | 'float64' : D extends 'float32' ? 'float32' : 'float64';
type CountDType<O> = O extends { readonly weights: Tensor<Shape, infer D> } ? SumDType<D> : 'int32';

/**
 * How often 0, 1, 2, … are in an int32 vector; with `weights` the sums of those that belong to each, in float64 unless they are float32. To know how many counts there are it
 * reads the largest element; with `length` it need not. PyTorch: torch.bincount; JAX: jnp.bincount for `length`.
 */
export function bincount<const N extends number, const O extends BincountOptions>(
  x: Tensor<Shape, 'int32'>,
  options: O & { readonly length: N },
): Tensor<[N], CountDType<O>>;
export function bincount<const O extends BincountOptions = {}>(
  x: Tensor<Shape, 'int32'>,
  options?: O,
): Promise<Tensor<[number], CountDType<O>>>;
export function bincount(x: Tensor<Shape, 'int32'>, options: BincountOptions = {}): unknown {
  const op = 'bincount';
  const node = nodeOf(x, op);
  checkOptions(op, options, BINCOUNT_OPTIONS);
  const { weights, minLength = 0, length } = options;
  if (node.dtype !== 'int32')
    throw new DTypeError(`${op}: ${node.dtype} is counted as int32. Convert with to('int32').`, [node.dtype]);
  if (node.shape.length !== 1) throw new ShapeError(`${op}: ${formatShape(node.shape)} is not a vector`, [node.shape]);
  checkWhole(op, 'minLength', minLength);
  const weight = weights === undefined ? undefined : summed(nodeOf(weights, op, 'weights'));
  if (weight !== undefined && !sameShape(weight.shape, node.shape))
    throw new ShapeError(`${op}: weights ${formatShape(weight.shape)} for elements ${formatShape(node.shape)}`, [
      weight.shape,
      node.shape,
    ]);
  if (length === undefined) return countRead(x, weight, minLength);
  checkWhole(op, 'length', length);
  if (length < minLength)
    throw new ArgumentError(`${op}: length is ${length}, and minLength ${minLength}. Leave one of them out.`);
  return wrap(counted(node, weight, length));
}

const summed = (weights: Node): Node => (weights.dtype === 'float32' ? weights : build.cast(weights, 'float64'));

async function countRead(x: Tensor<Shape, 'int32'>, weight: Node | undefined, minLength: number): Promise<AnyTensor> {
  refuseCapture('bincount', 'Say how many counts there are: bincount(x, { length }).');
  if (x.size === 0) return wrap(counted(x.node, weight, minLength));
  const { min, max } = { min: x.min(), max: x.max() };
  max.keep();
  const [least, most] = [await min.item(), await max.item()];
  if (least < 0) throw new ArgumentError(`bincount: an element is ${least}. Use 0 and above.`);
  return wrap(counted(x.node, weight, Math.max(minLength, most + 1)));
}

function counted(x: Node, weight: Node | undefined, length: number): Node {
  checkShape([length], 'bincount');
  if (x.size === 0) return build.filled(0, [length], weight?.dtype ?? 'int32');
  if (length === 0)
    throw new ArgumentError('bincount: length is 0, and there are elements. Give the number of counts.');
  const at = inRange(x, length, `bincount: element {index} is outside 0 to ${length - 1}.`);
  const each = weight ?? build.filled(1, x.shape, 'int32');
  return build.scatterAdd(build.filled(0, [length], each.dtype), 0, at, each);
}

// ---------------------------------------------------------------- intervals

interface HistcOptions {
  /** The ends of the range, both included; 0 and 0, as all equal ones, stand for those of the elements. */
  readonly min?: number;
  readonly max?: number;
}

const HISTC_OPTIONS: OptionNames<HistcOptions> = { min: true, max: true };

/** How many elements lie in each of `bins` equal intervals; those outside, and NaN, are not counted. PyTorch: torch.histc. */
export function histc<N extends number = 100>(
  x: Tensor<Shape, DType>,
  bins?: N,
  options: HistcOptions = {},
): Tensor<[N]> {
  const op = 'histc';
  const f = asFloat(build.detach(nodeOf(x, op)));
  const count: number = bins === undefined ? 100 : bins;
  checkWhole(op, 'the number of bins', count, 1);
  checkOptions(op, options, HISTC_OPTIONS);
  const { min = 0, max = 0 } = options;
  checkNumber(op, 'min', min);
  checkNumber(op, 'max', max);
  if (min > max || !Number.isFinite(max - min))
    throw new ArgumentError(`${op}: the range is ${min} to ${max}. Use finite numbers, the smaller one first.`);
  checkShape([count + 1], op);
  if (f.size === 0) return wrap(build.filled(0, [count], f.dtype));
  const flat = build.reshape(f, [f.size]);
  const [low, high] = range(flat, min, max);
  const whole = (value: number): Node => build.constant(value, 'int32') as Node;
  const isInside = build.binary('and', build.binary('le', low, flat), build.binary('le', flat, high));
  const place = build.div(build.mul(build.sub(flat, low), build.scalar(count, f.dtype)), build.sub(high, low));
  const bin = build.binary('min', build.cast(place, 'int32'), whole(count - 1));
  // What lies outside goes into one more.
  const at = build.where(isInside, bin, whole(count));
  const counts = build.scatterAdd(build.filled(0, [count + 1], 'int32'), 0, at, build.filled(1, flat.shape, 'int32'));
  return wrap(build.cast(build.sliceAxis(counts, 0, 0, count), f.dtype));
}

/** The ends as they are given, or those of the elements; of equal elements one less and one more. */
function range(x: Node, min: number, max: number): [Node, Node] {
  if (min < max) return [build.scalar(min, x.dtype), build.scalar(max, x.dtype)];
  const [low, high] = [build.reduce('reduceMin', x, [0]), build.reduce('reduceMax', x, [0])];
  const isPoint = build.binary('eq', low, high);
  const one = build.constant(1, x.dtype) as Node;
  return [build.where(isPoint, build.sub(low, one), low), build.where(isPoint, build.add(high, one), high)];
}
