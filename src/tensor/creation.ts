// Making tensors: from JavaScript data, filled, counted, random. Data goes to the device at once; filled and random
// tensors take no memory until something needs them stored.

import { type OptionNames, checkOptions } from '../engine/ir/options.js';
import { getDefaultDevice, getDevice, storageFrom, storageOf } from '../engine/engine.js';
import * as build from '../engine/ir/build.js';
import { type DType, type FloatDType, fitsInt32, isFloat } from '../engine/ir/dtype.js';
import { ArgumentError, DTypeError, GradError, ShapeError } from '../engine/ir/errors.js';
import type { Node } from '../engine/ir/node.js';
import { type Shape, checkShape, formatShape, shown, sizeOf } from '../engine/ir/shape.js';
import { flattenNested } from './nested.js';
import { checkDType, defaultDType, numberAs, realDType } from './operands.js';
import { positions } from './reductions.js';
import * as random from './random.js';
import type { NestedArray, NestedArrayArg, ShapeOf } from './shape-types/nested-array.js';
import type { Writable } from './shape-types/shape.js';
import { type AnyTensor, Tensor, wrap, wrapStorage, checkTensor, nodeOf } from './tensor.js';
import { typedArrayKind } from './typed-arrays.js';

export interface CreationOptions<D extends DType = DType> {
  readonly dtype?: D;
  readonly device?: string;
  /** Collect gradients in `grad`; real numbers only. */
  readonly requiresGrad?: boolean;
}

const CREATION_OPTIONS: OptionNames<CreationOptions> = { dtype: true, device: true, requiresGrad: true };

export interface TensorOptions<D extends DType = DType, S extends Shape = Shape> extends CreationOptions<D> {
  /** Shape of flat data. */
  readonly shape?: S;
}

const TENSOR_OPTIONS: OptionNames<TensorOptions> = { shape: true, dtype: true, device: true, requiresGrad: true };

type Booleans = boolean | readonly Booleans[];
type IntegerArray = Int8Array | Uint8Array | Uint8ClampedArray | Int16Array | Uint16Array | Int32Array | Uint32Array;

/** float32 (the default dtype) for numbers, bool for booleans, what it holds for a typed array. */
type DTypeOf<A> = A extends readonly []
  ? 'float32'
  : A extends Booleans
    ? 'bool'
    : A extends IntegerArray
      ? 'int32'
      : A extends Float64Array
        ? 'float64'
        : 'float32';

/** Can a dtype of integers hold the number, fractions cut off? */
function fits(value: number, dtype: 'int32' | 'uint8'): boolean {
  return dtype === 'int32' ? fitsInt32(value) : value > -1 && value < 256;
}

/** Integers must fit int32: a typed array of wider ones is checked. */
function checkRange(data: ArrayLike<number>, dtype: DType): void {
  if (dtype !== 'int32' && dtype !== 'uint8') return;
  for (let i = 0; i < data.length; i++) {
    if (!fits(data[i], dtype)) {
      throw new ArgumentError(`tensor: element ${i} is ${data[i]}, which ${dtype} cannot hold. Use dtype 'float32'.`);
    }
  }
}

/** A number that fills or bounds a tensor of this dtype. */
function checkNumber(value: number, dtype: DType, op: string, name: string): void {
  if (typeof value !== 'number') throw new ArgumentError(`${op}: ${name} is ${shown(value)}. Use a number.`);
  if ((dtype === 'int32' || dtype === 'uint8') && !fits(value, dtype))
    throw new ArgumentError(`${op}: ${name} is ${value}, which ${dtype} cannot hold. Use dtype 'float32'.`);
}

/** Of the typed arrays of real numbers; the others are of whole ones. */
const TYPED_ARRAY_DTYPES: Readonly<Partial<Record<string, DType>>> = {
  Float16Array: 'float32',
  Float32Array: 'float32',
  Float64Array: 'float64',
};

interface Numbers {
  readonly data: ArrayLike<number>;
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/** What a caller calls numbers: a typed array of any realm, or nested arrays. */
function numbersOf(values: unknown): Numbers {
  const kind = typedArrayKind(values);
  if (kind === undefined) {
    const { data, shape, allBoolean } = flattenNested(values);
    return { data, shape, dtype: allBoolean ? 'bool' : defaultDType() };
  }
  if (kind === 'BigInt64Array' || kind === 'BigUint64Array')
    throw new DTypeError('tensor: 64-bit integers are not supported. Convert them to Int32Array or Float32Array.', []);
  const data = values as ArrayLike<number>;
  return { data, shape: [data.length], dtype: TYPED_ARRAY_DTYPES[kind] ?? 'int32' };
}

/**
 * A tensor of the given numbers: nested arrays (literal sizes are known to the compiler), a number, or a typed array
 * with a shape. dtype: float32 for numbers, bool for booleans, int32 for integer typed arrays, or as asked.
 * Throws ShapeError for ragged arrays or a shape that does not fit. PyTorch: torch.tensor.
 *
 *     tensor([[1, 2, 3], [4, 5, 6]])                      // Tensor<[2, 3]>
 *     tensor(new Float32Array(6), { shape: [2, 3] })
 */
export function tensor<const A extends NestedArray, const S extends Shape = ShapeOf<A>, D extends DType = DTypeOf<A>>(
  values: A & NestedArrayArg<A>,
  options: TensorOptions<D, S> = {},
): Tensor<Writable<S>, NoInfer<D>> {
  checkOptions('tensor', options, TENSOR_OPTIONS);
  return fromData(values, options) as Tensor<Writable<S>, D>;
}

function fromData(values: unknown, options: TensorOptions): unknown {
  if (values instanceof Tensor)
    throw new ArgumentError('tensor: the argument is a tensor already. Use detach() for one without gradient.');
  const { data, ...given } = numbersOf(values);
  let { shape, dtype } = given;
  if (options.shape !== undefined) {
    checkShape(options.shape, 'tensor');
    if (sizeOf(options.shape) !== data.length) {
      throw new ShapeError(
        `tensor: ${data.length} numbers do not fill shape ${formatShape(options.shape)}, which has ${sizeOf(options.shape)}.`,
        [options.shape],
      );
    }
    ({ shape } = options as { shape: Shape });
  }
  if (options.dtype !== undefined) ({ dtype } = options as { dtype: DType });
  checkDType(dtype, 'tensor');
  checkRange(data, dtype);
  return leafOf(data, shape, dtype, options);
}

function leafOf(data: ArrayLike<number>, shape: Shape, dtype: DType, options: CreationOptions): AnyTensor {
  if (options.requiresGrad === true && !isFloat(dtype))
    throw new GradError(`tensor: only tensors of real numbers have gradients, not ${dtype}.`);
  const storage = storageFrom(
    data,
    [...shape],
    dtype,
    options.device ?? getDefaultDevice(),
    `given ${formatShape(shape)}`,
  );
  storage.requiresGrad = options.requiresGrad === true;
  return wrapStorage(storage);
}

/** A lazy node, or, where the options ask for a device or gradients, a stored tensor with its numbers. */
function made<S extends Shape, D extends DType>(node: Node, options: CreationOptions): Tensor<S, D> {
  if (options.requiresGrad !== true && (options.device === undefined || options.device === getDefaultDevice()))
    return wrap(node);
  if (options.device !== undefined) getDevice(options.device);
  if (options.device !== undefined && options.device !== getDefaultDevice()) {
    throw new ArgumentError(
      `creation: make it on the default device and move it with to('${options.device}'), or call setDevice('${options.device}') first.`,
    );
  }
  const storage = storageOf(build.detach(node));
  if (!isFloat(node.dtype))
    throw new GradError(`creation: only tensors of real numbers have gradients, not ${node.dtype}.`);
  storage.requiresGrad = true;
  return wrapStorage(storage);
}

/**
 * Every element `value`; float32 unless the dtype says otherwise. Throws ArgumentError for a number that int32 cannot hold.
 * PyTorch: torch.full.
 */
export function full<const S extends Shape, D extends DType = 'float32'>(
  shape: S,
  value: number,
  options: CreationOptions<D> = {},
): Tensor<Writable<S>, NoInfer<D>> {
  return filled('full', shape, value, options);
}

function filled<S extends Shape, D extends DType>(
  op: string,
  shape: S,
  value: number,
  options: CreationOptions<D>,
): Tensor<Writable<S>, NoInfer<D>> {
  checkShape(shape, op);
  checkOptions(op, options, CREATION_OPTIONS);
  const dtype: DType = options.dtype ?? defaultDType();
  checkDType(dtype, op);
  checkNumber(value, dtype, op, 'the value');
  return made(build.filled(value, [...shape], dtype), options);
}

export function zeros<const S extends Shape, D extends DType = 'float32'>(
  shape: S,
  options: CreationOptions<D> = {},
): Tensor<Writable<S>, NoInfer<D>> {
  return filled('zeros', shape, 0, options);
}

export function ones<const S extends Shape, D extends DType = 'float32'>(
  shape: S,
  options: CreationOptions<D> = {},
): Tensor<Writable<S>, NoInfer<D>> {
  return filled('ones', shape, 1, options);
}

/** `base` (10) to the powers of `count` numbers from start to end, both included, which are numbers or tensors of rank 0. PyTorch: torch.logspace. */
export function logspace<N extends number, D extends FloatDType = 'float32'>(
  start: number | Tensor<[], DType>,
  end: number | Tensor<[], DType>,
  count: N,
  options: LogspaceOptions<D> = {},
): Tensor<[N], NoInfer<D>> {
  const op = 'logspace';
  checkOptions(op, options, LOGSPACE_OPTIONS);
  const { base = 10, ...given } = options;
  if (!Number.isInteger(count) || count < 0)
    throw new ArgumentError(`${op}: count is ${shown(count)}. Use a whole number, 0 or more.`);
  checkFinite(base, op, 'base');
  const dtype = realDType(options.dtype, op);
  if (typeof start !== 'number' || typeof end !== 'number') {
    checkShape([count], op);
    // in float64: what a power loses its result loses many times over
    const powers = spaced(endOf(op, 'start', start, 'float64'), endOf(op, 'end', end, 'float64'), count);
    return made(build.cast(build.binary('pow', build.scalar(base, 'float64'), powers), dtype), {
      ...given,
      dtype: dtype as D,
    });
  }
  for (const [name, value] of Object.entries({ start, end })) checkFinite(value, op, name);
  const step = count > 1 ? (end - start) / (count - 1) : 0;
  // as in linspace, both ends are there exactly
  const power = (i: number): number => (i < count / 2 ? start + i * step : end - (count - 1 - i) * step);
  const values = Float64Array.from({ length: count }, (_, i) => base ** power(i));
  return tensor(values, { ...given, shape: [count], dtype: dtype as D }); // the default one where D is not given
}

export interface LogspaceOptions<D extends FloatDType = FloatDType> extends CreationOptions<D> {
  /** Default 10. */
  readonly base?: number;
}

const LOGSPACE_OPTIONS: OptionNames<LogspaceOptions> = { ...CREATION_OPTIONS, base: true };

/** Every element `value`, in the shape and the dtype of `like`. PyTorch: torch.full_like. */
export function fullLike<S extends Shape, D extends DType>(like: Tensor<S, D>, value: number): Tensor<S, D> {
  checkTensor(like, 'fullLike', 'the argument');
  return wrap(build.expand(numberAs(value, like.dtype, 'fullLike', 'the value'), like.shape));
}

export function zerosLike<S extends Shape, D extends DType>(like: Tensor<S, D>): Tensor<S, D> {
  checkTensor(like, 'zerosLike', 'the argument');
  return wrap(build.filled(0, like.shape, like.dtype));
}

export function onesLike<S extends Shape, D extends DType>(like: Tensor<S, D>): Tensor<S, D> {
  checkTensor(like, 'onesLike', 'the argument');
  return wrap(build.filled(1, like.shape, like.dtype));
}

function checkFinite(value: number, op: string, name: string): void {
  if (typeof value !== 'number' || !Number.isFinite(Math.fround(value)))
    throw new ArgumentError(`${op}: ${name} is ${shown(value)}. Use a finite number.`);
}

// oxlint-disable-next-line typescript/no-explicit-any -- int32 or float32, which only the run decides: fits both
type Either = any;

/** The dtype that `arange` gives these numbers: known where they are literals. */
type RangeDType<N extends number> = number extends N ? Either : `${N}` extends `${bigint}` ? 'int32' : 'float32';

/** float32 if one of several is. */
type RangeDTypes<N extends number> = [RangeDType<N>] extends ['int32']
  ? 'int32'
  : number extends N
    ? Either
    : 'float32';

/**
 * start, start + step, … below end (above it for a negative step). int32 if all are whole numbers, else float32. Throws
 * ArgumentError where int32 cannot hold the numbers; dtype 'float32' can.
 */
export function arange<
  const A extends number,
  const B extends number = 0,
  const C extends number = 1,
  D extends DType = RangeDTypes<A | B | C>,
>(start: A, end?: B, step?: C, options?: CreationOptions<D>): Tensor<[number], NoInfer<D>>;
export function arange(start: number, end?: number, step = 1, options: CreationOptions = {}): AnyTensor {
  checkOptions('arange', options, CREATION_OPTIONS);
  const [from, to] = end === undefined ? [0, start] : [start, end];
  if (!(step !== 0 && Number.isFinite(step)))
    throw new ArgumentError(`arange: step is ${shown(step)}. Use a number other than 0.`);
  for (const [name, value] of [
    ['start', from],
    ['end', to],
  ] as const) {
    checkFinite(value, 'arange', name);
  }
  const count = Math.max(0, Math.ceil((to - from) / step));
  checkShape([count], 'arange');
  const whole = [from, to, step].every((n) => Number.isInteger(n));
  const dtype = options.dtype ?? (whole ? 'int32' : defaultDType());
  checkDType(dtype, 'arange');
  if (dtype === 'int32' && count > 0) {
    checkNumber(from, dtype, 'arange', 'start');
    checkNumber(from + (count - 1) * step, dtype, 'arange', 'the last number');
  }
  // Whole numbers are counted as such, unless they are beyond what int32 holds.
  const counts = whole && [from, from + count * step, step].every(fitsInt32);
  const type: DType = counts ? 'int32' : isFloat(dtype) ? dtype : 'float32';
  const counted = build.cast(build.iota(count), type);
  const node = build.add(build.mul(counted, build.scalar(count > 1 ? step : 0, type)), build.scalar(from, type));
  return made(build.cast(build.expand(node, [count]), dtype), options);
}

/**
 * `count` numbers from start to end, both included; none for 0, and start alone for 1. The ends are numbers, or tensors of rank 0, to which
 * no gradient flows. PyTorch: torch.linspace.
 */
export function linspace<N extends number, D extends FloatDType = 'float32'>(
  start: number | Tensor<[], DType>,
  end: number | Tensor<[], DType>,
  count: N,
  options: CreationOptions<D> = {},
): Tensor<[N], NoInfer<D>> {
  checkOptions('linspace', options, CREATION_OPTIONS);
  if (!Number.isInteger(count) || count < 0)
    throw new ArgumentError(`linspace: count is ${shown(count)}. Use a whole number, 0 or more.`);
  checkShape([count], 'linspace');
  const dtype = realDType(options.dtype, 'linspace');
  const [from, to] = [endOf('linspace', 'start', start, dtype), endOf('linspace', 'end', end, dtype)];
  const isKnown = typeof start === 'number' && typeof end === 'number';
  const known = isKnown && count > 1 ? (end - start) / (count - 1) : undefined;
  return made(spaced(from, to, count, known), options);
}

/** `count` numbers from one to another of the same dtype, whose distance may be known. */
function spaced(from: Node, to: Node, count: number, known?: number): Node {
  if (count === 1) return build.expand(from, [1]);
  const { dtype } = from;
  const step =
    known === undefined
      ? build.binary('div', build.sub(to, from), build.constant(Math.max(count - 1, 1), dtype) as Node)
      : build.scalar(known, dtype);
  const back = known === undefined ? build.unary('neg', step) : build.scalar(-known, dtype);
  // The first half counts from the start, the second one back from the end: both are there exactly.
  const i = build.iota(count);
  const last = build.constant(count - 1, 'int32') as Node;
  const at = (position: Node, origin: Node, by: Node): Node =>
    build.add(build.mul(build.cast(position, dtype), by), origin);
  const isFirstHalf = build.binary('lt', i, build.constant(count / 2, 'int32') as Node);
  return build.where(isFirstHalf, at(i, from, step), at(build.sub(last, i), to, back));
}

/** An end of linspace or logspace: a finite number, or a tensor of rank 0. */
function endOf(op: string, name: string, value: number | Tensor<[], DType>, dtype: DType): Node {
  if (typeof value === 'number') {
    checkFinite(value, op, name);
    return build.scalar(value, dtype);
  }
  const node = nodeOf(value, op, name);
  if (node.shape.length > 0)
    throw new ShapeError(
      `${op}: ${name} ${formatShape(node.shape)} is not a number. Give one, or a tensor of rank 0.`,
      [node.shape],
    );
  return build.cast(build.detach(node), dtype);
}

/** Ones on the diagonal. */
export function eye<N extends number, M extends number = N, D extends DType = 'float32'>(
  rows: N,
  columns?: M,
  options: CreationOptions<D> = {},
): Tensor<[N, M], NoInfer<D>> {
  checkOptions('eye', options, CREATION_OPTIONS);
  const width = columns ?? rows;
  checkShape([rows, width], 'eye');
  const diagonal = build.binary('eq', positions(2, 0, rows), positions(2, 1, width));
  const dtype = options.dtype ?? defaultDType();
  checkDType(dtype, 'eye');
  return made(build.cast(diagonal, dtype), options);
}

/** A dtype of real numbers, the default one unless another is asked for. */
function listed(shape: Shape, op: string): Shape {
  checkShape(shape, op);
  return [...shape];
}

/** Uniform in [0, 1). */
export function rand<const S extends Shape, D extends FloatDType = 'float32'>(
  shape: S,
  options: CreationOptions<D> = {},
): Tensor<Writable<S>, NoInfer<D>> {
  checkShape(shape, 'rand');
  checkOptions('rand', options, CREATION_OPTIONS);
  return made(random.uniform(listed(shape, 'rand'), realDType(options.dtype, 'rand')), options);
}

/** Normal with mean 0 and variance 1. */
export function randn<const S extends Shape, D extends FloatDType = 'float32'>(
  shape: S,
  options: CreationOptions<D> = {},
): Tensor<Writable<S>, NoInfer<D>> {
  checkShape(shape, 'randn');
  checkOptions('randn', options, CREATION_OPTIONS);
  return made(random.normal(listed(shape, 'randn'), realDType(options.dtype, 'randn')), options);
}

/** Whole numbers in [low, high), int32. */
export function randint<const S extends Shape>(
  low: number,
  high: number,
  shape: S,
  options: CreationOptions = {},
): Tensor<Writable<S>, 'int32'> {
  checkOptions('randint', options, CREATION_OPTIONS);
  return made(random.integers(low, high, listed(shape, 'randint')), options);
}

/** 0 … n − 1 in random order, int32. */
export function randperm<N extends number>(n: N): Tensor<[N], 'int32'> {
  return wrap(random.permutation(n));
}

/** A rank-0 tensor whose number is asked anew at each run: a learning rate, a step count. */
export function scalarTensor(get: () => number): Tensor<[]> {
  return wrap(build.scalar({ value: get(), get }));
}
