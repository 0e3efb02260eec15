// The Tensor: an n-dimensional array of numbers that are computed when somebody reads them. Methods check their
// arguments, append to the graph and return at once; gradients, devices and memory are the engine's work.
// S is the shape as far as it is known when compiling (`number` is a size known at run time only), D the dtype.
// Names, defaults and numerics are PyTorch's. Only wiring here: what a method computes stands in the file of its topic.

// For who compiles without the library that names Symbol.dispose: kept in the declarations.
/// <reference lib="esnext.disposable" preserve="true" />

import { checkFunction, checkList } from '../engine/ir/arguments.js';
import type { TypedArray } from '../engine/device/device.js';
import { checkOptions } from '../engine/ir/options.js';
import {
  freeStorage,
  getDefaultDevice,
  getDevice,
  keep,
  peek,
  read,
  readStored,
  rest,
  runWithRoom,
  settle,
  storageFrom,
} from '../engine/engine.js';
import { leafGradients } from '../engine/grad/backward.js';
import { targetOf } from '../engine/grad/hooks.js';
import { markProbabilities } from './probabilities.js';
import * as build from '../engine/ir/build.js';
import { markCopy } from '../engine/ir/copies.js';
import { type DType, type DataOf, isDType, isFloat } from '../engine/ir/dtype.js';
import { ArgumentError, DTypeError, GradError, ShapeError } from '../engine/ir/errors.js';
import { freedError } from '../engine/ir/graph/linearise.js';
import type { Node } from '../engine/ir/node.js';
import type { OpArgs } from '../engine/ir/op.js';
import { standsForSamples } from '../engine/ir/placeholder.js';
import { type Shape, formatShape, sameShape, shown } from '../engine/ir/shape.js';
import { notATensor } from './not-a-tensor.js';
import { numberText } from './number-text.js';
import { type Storage, standIn } from '../engine/ir/storage.js';
import { comesFrom } from '../engine/prepare/parts.js';
import * as arranging from './arranging.js';
import { writtenAt } from './assign-at.js';
import * as elementwise from './elementwise.js';
import { unsupportedDType } from './foreign-dtypes.js';
import { checkNumber, numberAs } from './operands.js';
import { isGradEnabled } from './grad-mode.js';
import { ownerOf, rememberOwner, setGradient } from './gradients.js';
import { type HookHandle, hookGradient, isRetained, isRetainedHere, retain, retainersOf } from './gradient-hooks.js';
import * as indexing from './indexing.js';
import { matmul } from './matmul.js';
import * as movement from './movement.js';
import { type NestedOf, nest } from './nested.js';
import * as order from './order.js';
import {
  DTYPE_OPTION,
  type DTypeOption,
  type ReduceOptions,
  SUM_OPTIONS,
  type SumOptions,
  TOPK_OPTIONS,
  type TopkOptions,
  VARIANCE_OPTIONS,
  type VarianceOptions,
  inDType,
  inReal,
  kept,
} from './reduce-options.js';
import * as reductions from './reductions.js';
import { cumprod } from './scans.js';
import type { DimArg, NewDimArg } from './shape-types/axis.js';
import type { Broadcast, BroadcastArg, Expand, ExpandArg } from './shape-types/broadcast.js';
import type { IndexSelect, Resize, Slice } from './shape-types/indexing.js';
import type { MatMul, MatMulArg } from './shape-types/matmul.js';
import type { Counted, Promoted, Real, Summed } from './shape-types/promotion.js';
import type { Permute, PermuteArg, Squeeze, Transpose, Unsqueeze } from './shape-types/movement.js';
import type { Reduce } from './shape-types/reduce.js';
import type { SeenShape, Sizes } from './shape-types/shape.js';
import type { Flatten, FlattenArg, Reshape, ReshapeArg } from './shape-types/reshape.js';
import { type GradientAccess, noteGradient } from './gradient-log.js';
import { type Recording, currentRecording, isRecording, setFlag } from '../engine/recording.js';
import { GraphValue, StoredValue, type Value } from './values.js';

export type { DTypeOption, ReduceOptions, SumOptions } from './reduce-options.js';
export type { Counted, Promoted, Real, Summed } from './shape-types/promotion.js';

/** Any tensor. */
export type AnyTensor = Tensor<Shape, DType>;

export class Tensor<S extends Shape = Shape, out D extends DType = 'float32'> {
  // Types only, by which tensors are compared, and before all other members: see shape-types/shape.ts.
  declare readonly '~sizes': Sizes<S>;
  declare readonly '~dtype': D;

  private value: Value;
  private gradient: Tensor<S, D> | undefined = undefined;

  static {
    markCopy(this);
  }

  /** @internal Use `tensor()`, `zeros()` and the like. */
  constructor(value: Value) {
    this.value = value;
  }

  // -------------------------------------------------------------- what it is

  /** @internal The graph node of the current value. */
  get node(): Node {
    const { node } = this.value;
    const storage = this.storage ?? node.storage;
    if (storage !== undefined && storage.buffer === null) throw freedError(storage);
    return node;
  }

  /** @internal The storage of an input or parameter; undefined for a computed tensor. */
  get storage(): Storage | undefined {
    return this.value instanceof StoredValue ? this.value.storage : undefined;
  }

  get shape(): SeenShape<S> {
    return (this.value instanceof StoredValue ? this.value.storage.shape : this.value.node.shape) as SeenShape<S>;
  }

  get dtype(): D {
    return (this.value instanceof StoredValue ? this.value.storage.dtype : this.value.node.dtype) as D;
  }

  /** Number of dimensions. */
  get rank(): number {
    return this.shape.length;
  }

  /** Number of elements. */
  get size(): number {
    return this.value instanceof StoredValue ? this.value.storage.size : this.value.node.size;
  }

  /** Name of the device that holds or will compute it. */
  get device(): string {
    return this.storage?.device ?? this.node.device ?? getDefaultDevice();
  }

  get requiresGrad(): boolean {
    return this.value instanceof StoredValue ? this.value.storage.requiresGrad : this.value.node.requiresGrad;
  }

  /** Made by the user, not computed: gradients are collected in its `grad`. */
  get isLeaf(): boolean {
    return this.value instanceof StoredValue;
  }

  /** Switches gradients on or off for an input or parameter. PyTorch: requires_grad_. */
  requiresGrad_(flag = true): this {
    const { storage } = this;
    if (storage === undefined)
      throw new GradError('requiresGrad_: this tensor was computed, not given. Call it on an input or a parameter.');
    if (flag && !isFloat(storage.dtype)) {
      throw new GradError(
        `requiresGrad_: only tensors of real numbers have gradients, this one is ${storage.dtype}. Convert with to('float32').`,
      );
    }
    setFlag(storage, flag);
    if (flag) rememberOwner(storage, this as Tensor);
    return this;
  }

  /** A name that errors and printed graphs show. */
  named(name: string): this {
    if (this.storage !== undefined) this.storage.name = name;
    return this;
  }

  toString(): string {
    return `Tensor(${formatShape(this.shape)}, ${this.dtype}, ${this.device}${this.requiresGrad ? ', requiresGrad' : ''})`;
  }

  /** What `console.log` shows in Node: the numbers, rounded as NumPy does, once they are known. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    const data = this.peek();
    return data === undefined ? `${this.toString()}, not computed yet: await t.data() or show(t)` : textOf(this, data);
  }

  private peek(): ArrayLike<number> | undefined {
    const storage = this.storage ?? this.value.node.storage;
    if (storage === undefined || storage.buffer === null || storage.size > MOST_PRINTED) return undefined;
    // A value that waits to be written is yet to come.
    return this.value instanceof StoredValue && this.value.isPending ? undefined : peek(this.node);
  }

  // -------------------------------------------------------------- reading

  /**
   * The numbers in row-major order: Float32Array (of float16 and bfloat16, too), Float64Array, Int32Array, or Uint8Array, for bool of 0
   * and 1.
   */
  async data(): Promise<DataOf[D]> {
    return (await this.read()) as DataOf[D];
  }

  private read(): Promise<TypedArray> {
    const { value } = this;
    return value instanceof StoredValue && !value.isPending ? readStored(value.storage) : read(this.node);
  }

  /** The number of a tensor with one element. Throws ArgumentError for any other. */
  async item(): Promise<number> {
    if (this.size !== 1)
      throw new ArgumentError(
        `item: ${formatShape(this.shape)} has ${this.size} elements, not one. Use data() or array().`,
      );
    return (await this.read())[0];
  }

  /** The numbers as nested arrays; a rank-0 tensor gives its number. */
  async array<X extends Shape, Y extends DType>(this: Tensor<X, Y>): Promise<NestedOf<X, Y>> {
    const nested: unknown = nest(await this.read(), this.shape, this.dtype === 'bool');
    return nested as NestedOf<X, Y>; // `nest` follows the shape, as the type does
  }

  /** Computes this tensor together with the next update, so that it can still be read afterwards. */
  keep(): this {
    keep(this.node);
    return this;
  }

  /** Frees the memory of the result now. Any later use is an error. */
  [Symbol.dispose](): void {
    const storage = this.storage ?? this.value.node.storage;
    if (storage !== undefined) freeStorage(storage);
  }

  // -------------------------------------------------------------- gradients

  /** The sum of all gradients that `backward()` has brought here; undefined until the first. */
  get grad(): Tensor<S, D> | undefined {
    if (isRecording() && !isRetainedHere(this)) noteGradient(this, true, GRADIENT_ACCESS);
    return this.gradient;
  }
  set grad(gradient: Tensor<S, D> | undefined) {
    if (isRecording() && !isRetainedHere(this)) noteGradient(this, false, GRADIENT_ACCESS);
    this.gradient = gradient;
  }

  /**
   * Adds the gradient of this tensor with respect to every leaf that requires it to the leaf's `grad`.
   * A tensor with more than one element needs a `seed` of its shape. PyTorch: Tensor.backward.
   */
  backward(seed?: AnyTensor): void {
    if (seed !== undefined) checkTensor(seed, 'backward', 'the seed');
    const { node } = this;
    if (!node.requiresGrad)
      throw new GradError(
        'backward: nothing here requires a gradient. Set requiresGrad on an input or parameter, and do not call it under noGrad.',
      );
    if (seed === undefined && this.size !== 1) {
      throw new GradError(
        `backward: the tensor has shape ${formatShape(this.shape)}, not one element. Reduce it to a scalar or pass a seed of its shape.`,
      );
    }
    if (seed !== undefined && !sameShape(seed.shape, this.shape)) {
      throw new GradError(
        `backward: seed ${formatShape(seed.shape)} does not have the shape ${formatShape(this.shape)} of the tensor.`,
      );
    }
    if (standsForSamples(node))
      throw new GradError(
        'backward: gradients inside of vmap are those of each sample, and belong to no leaf. Take them with grad(fn): vmap(grad(fn)).',
      );
    const one = build.expand(build.constant(1) as Node, node.shape);
    keep(node);
    for (const [at, gradient] of leafGradients(node, seed === undefined ? one : seed.node, isRetained)) {
      const leaf = at.op === 'leaf' ? ownerOf((at.arg as OpArgs['leaf']).storage) : undefined;
      const retainers = retainersOf(at);
      if (retainers.length > 0) keep(gradient);
      for (const owner of leaf === undefined ? retainers : [leaf, ...retainers]) {
        comesFrom(gradient, node);
        const sum = owner.grad === undefined ? gradient : build.add(owner.grad.node, gradient);
        setGradient(owner, wrapNode(build.detach(sum)), node);
      }
    }
  }

  /**
   * Calls `hook(gradient)` whenever the whole gradient of this tensor has been found; it may return another one of the same shape and
   * dtype, which goes on in its place, to `grad` of a leaf too. The gradient is a tensor to be read or kept like any other. Expressions
   * that are equal are one value: their hook sees the sum. Throws GradError where no gradient is required. PyTorch: Tensor.register_hook.
   *
   *     const handle = hidden.registerHook((g) => g.clamp(-1, 1));
   *     handle.remove();
   */
  registerHook(hook: (gradient: Tensor<S, D>) => Tensor<S, D> | void): HookHandle {
    checkFunction('registerHook', hook, 'the hook');
    if (!this.requiresGrad)
      throw new GradError(
        'registerHook: this tensor requires no gradient. Set requiresGrad on an input or parameter, and do not call it under noGrad.',
      );
    return hookGradient(this.storage ?? targetOf(this.node), (gradient) => {
      const changed: unknown = hook(wrapNode(gradient));
      return changed === undefined ? gradient : replaced(changed, gradient);
    });
  }

  /**
   * `backward()` leaves the gradient of this computed tensor in its `grad`, too, where it adds up over calls as in leaves, which have theirs
   * anyway. It is computed together with the next update. PyTorch: Tensor.retain_grad.
   */
  retainGrad(): this {
    if (!this.requiresGrad)
      throw new GradError(
        'retainGrad: this tensor requires no gradient. Set requiresGrad on an input or parameter, and do not call it under noGrad.',
      );
    if (!this.isLeaf) retain(this.node, this);
    return this;
  }

  /** The same numbers, through which no gradient flows. */
  detach(): Tensor<S, D> {
    return wrapNode(build.detach(this.node));
  }

  /**
   * Overwrites this input or parameter with `value` when the engine runs next (a read, `realize()`, an optimiser's
   * step). Tensors computed from the old value must be read before, or kept.
   */
  assign_(value: AnyTensor): this {
    checkTensor(value, 'assign_', 'the value');
    this.meansItself();
    if (!(this.value instanceof StoredValue))
      throw new ArgumentError('assign_: this tensor was computed, not given. Assign to an input or a parameter.');
    const { shape, dtype } = this.value.storage;
    if (!sameShape(value.shape, shape))
      throw new ShapeError(`assign_: ${formatShape(value.shape)} into ${formatShape(shape)}: shapes differ`, [
        value.shape,
        shape,
      ]);
    if (value.dtype !== dtype)
      throw new DTypeError(`assign_: ${value.dtype} into ${dtype}. Convert with to('${dtype}').`, [value.dtype, dtype]);
    if (!this.value.takeFirst(value.storage)) this.value.assign(build.detach(value.node));
    return this;
  }

  /** An argument of a recorded call that is written to: what was passed is overwritten, under all its names. */
  private meansItself(): void {
    const base = this.storage?.base;
    if (base !== undefined) for (const stand of currentRecording()?.stands.get(base) ?? []) stand.overwritten?.();
  }

  /**
   * Overwrites a part of this input or buffer with `value`, a number or a tensor of its dtype that broadcasts to `x.index(...index)`, when
   * the engine runs next; from now on the tensor means the new numbers. Positions are given as in `index`, and may be int32 tensors: a compiled
   * step writes at a position that is an argument. Where one dimension has positions and the others are taken whole, or from 0 on, only what is
   * written is touched: a row of a cache costs a row. Of positions that repeat the last one wins. No gradient flows through what is written.
   * Throws IndexError for a position out of range; one in a tensor is found when it is computed, before anything is overwritten. PyTorch:
   * x[…] = value under no_grad, Tensor.index_copy_.
   *
   *     cache.assignAt_([null, null, position], key); // [1, heads, length, width], position an int32 tensor
   */
  assignAt_(index: readonly IndexArgument[], value: AnyTensor | number): this {
    checkList('assignAt_', 'the index', index, 'positions, one for each dimension');
    if (this.storage === undefined)
      throw new ArgumentError(
        'assignAt_: this tensor was computed, not given. Write into an input or a buffer (new Buffer(zeros(…)) of nabla/nn); indexPut gives a new tensor.',
      );
    const { dtype } = this;
    const given =
      typeof value === 'number'
        ? numberAs(value, dtype, 'assignAt_', 'the value')
        : nodeOf(value, 'assignAt_', 'the value');
    if (given.dtype !== dtype)
      throw new DTypeError(`assignAt_: ${given.dtype} into ${dtype}. Convert with to('${dtype}').`, [
        given.dtype,
        dtype,
      ]);
    this.meansItself(); // before it is read
    return this.assign_(wrapNode(writtenAt(build.detach(this.node), index.map(indexItem), build.detach(given))));
  }

  // -------------------------------------------------------------- conversion

  /** Another dtype. float32 → int32 truncates towards zero; what int32 cannot hold becomes its nearest end, NaN becomes 0. */
  to<E extends DType>(dtype: E): Tensor<S, E>;
  /** Another device, by name; the numbers are copied. */
  to(device: string): Promise<Tensor<S, D>>;
  to(target: string): unknown {
    if (isDType(target)) return wrap(build.cast(this.node, target));
    if (typeof target !== 'string')
      throw new ArgumentError(`to: ${shown(target)} is neither a dtype nor a device. Write to('int32') or to('cpu').`);
    const dtype = unsupportedDType(target);
    if (dtype !== undefined) throw dtype;
    return moveTo(this, target);
  }

  // -------------------------------------------------------------- arithmetic (operands broadcast as in NumPy)

  add<X extends Shape, Y extends DType>(this: Tensor<X, Y>, other: number): Tensor<X, Y>;
  add<X extends Shape, Y extends DType, B extends Shape, E extends DType>(
    this: Tensor<X, Y>,
    other: Tensor<B, E> & BroadcastArg<'add', X, B>,
  ): Tensor<Broadcast<X, B>, Promoted<Y, E>>;
  add(other: Operand): unknown {
    return wrap(elementwise.arithmetic('add', this.node, operand(other, 'add')));
  }

  sub<X extends Shape, Y extends DType>(this: Tensor<X, Y>, other: number): Tensor<X, Y>;
  sub<X extends Shape, Y extends DType, B extends Shape, E extends DType>(
    this: Tensor<X, Y>,
    other: Tensor<B, E> & BroadcastArg<'sub', X, B>,
  ): Tensor<Broadcast<X, B>, Promoted<Y, E>>;
  sub(other: Operand): unknown {
    return wrap(elementwise.arithmetic('sub', this.node, operand(other, 'sub')));
  }

  mul<X extends Shape, Y extends DType>(this: Tensor<X, Y>, other: number): Tensor<X, Y>;
  mul<X extends Shape, Y extends DType, B extends Shape, E extends DType>(
    this: Tensor<X, Y>,
    other: Tensor<B, E> & BroadcastArg<'mul', X, B>,
  ): Tensor<Broadcast<X, B>, Promoted<Y, E>>;
  mul(other: Operand): unknown {
    return wrap(elementwise.arithmetic('mul', this.node, operand(other, 'mul')));
  }

  /** True division: integers give float32. */
  div<X extends Shape, Y extends DType>(this: Tensor<X, Y>, other: number): Tensor<X, Real<Y>>;
  div<X extends Shape, Y extends DType, B extends Shape, E extends DType>(
    this: Tensor<X, Y>,
    other: Tensor<B, E> & BroadcastArg<'div', X, B>,
  ): Tensor<Broadcast<X, B>, Real<Promoted<Y, E>>>;
  div(other: Operand): unknown {
    return wrap(elementwise.divide(this.node, operand(other, 'div')));
  }

  pow<X extends Shape, Y extends DType>(this: Tensor<X, Y>, exponent: number): Tensor<X, Real<Y>>;
  pow<X extends Shape, Y extends DType, B extends Shape, E extends DType>(
    this: Tensor<X, Y>,
    exponent: Tensor<B, E> & BroadcastArg<'pow', X, B>,
  ): Tensor<Broadcast<X, B>, Real<Promoted<Y, E>>>;
  pow(exponent: Operand): unknown {
    return wrap(elementwise.power(this.node, operand(exponent, 'pow')));
  }

  /** Remainder with the sign of the divisor, as Python's %. */
  remainder<X extends Shape, Y extends DType>(this: Tensor<X, Y>, other: number): Tensor<X, Y>;
  remainder<X extends Shape, Y extends DType, B extends Shape, E extends DType>(
    this: Tensor<X, Y>,
    other: Tensor<B, E> & BroadcastArg<'mod', X, B>,
  ): Tensor<Broadcast<X, B>, Promoted<Y, E>>;
  remainder(other: Operand): unknown {
    return wrap(elementwise.arithmetic('mod', this.node, operand(other, 'remainder')));
  }

  /** Division rounded down. An int32 divisor of 0 gives 0. */
  floorDivide<X extends Shape, Y extends DType>(this: Tensor<X, Y>, other: number): Tensor<X, Y>;
  floorDivide<X extends Shape, Y extends DType, B extends Shape, E extends DType>(
    this: Tensor<X, Y>,
    other: Tensor<B, E> & BroadcastArg<'floorDivide', X, B>,
  ): Tensor<Broadcast<X, B>, Promoted<Y, E>>;
  floorDivide(other: Operand): unknown {
    return wrap(elementwise.floorDivide(this.node, operand(other, 'floorDivide')));
  }

  maximum<X extends Shape, Y extends DType>(this: Tensor<X, Y>, other: number): Tensor<X, Y>;
  maximum<X extends Shape, Y extends DType, B extends Shape, E extends DType>(
    this: Tensor<X, Y>,
    other: Tensor<B, E> & BroadcastArg<'max', X, B>,
  ): Tensor<Broadcast<X, B>, Promoted<Y, E>>;
  maximum(other: Operand): unknown {
    return wrap(elementwise.arithmetic('max', this.node, operand(other, 'maximum')));
  }

  minimum<X extends Shape, Y extends DType>(this: Tensor<X, Y>, other: number): Tensor<X, Y>;
  minimum<X extends Shape, Y extends DType, B extends Shape, E extends DType>(
    this: Tensor<X, Y>,
    other: Tensor<B, E> & BroadcastArg<'min', X, B>,
  ): Tensor<Broadcast<X, B>, Promoted<Y, E>>;
  minimum(other: Operand): unknown {
    return wrap(elementwise.arithmetic('min', this.node, operand(other, 'minimum')));
  }

  /** this + weight · (end − this) */
  lerp(end: Tensor<S, D>, weight: number): Tensor<S, D> {
    const [a, b] = [this.node, nodeOf(end, 'lerp', 'the end')];
    checkNumber(weight, 'lerp', 'the weight');
    return wrap(build.add(a, build.mul(build.sub(b, a), build.scalar(weight))));
  }

  neg<X extends Shape, Y extends DType>(this: Tensor<X, Y>): Tensor<X, Counted<Y>> {
    return wrap(elementwise.number('neg', this.node));
  }
  abs<X extends Shape, Y extends DType>(this: Tensor<X, Y>): Tensor<X, Counted<Y>> {
    return wrap(elementwise.number('abs', this.node));
  }
  /** -1, 0 or 1; 0 for NaN. */
  sign<X extends Shape, Y extends DType>(this: Tensor<X, Y>): Tensor<X, Counted<Y>> {
    return wrap(elementwise.number('sign', this.node));
  }
  square<X extends Shape, Y extends DType>(this: Tensor<X, Y>): Tensor<X, Counted<Y>> {
    return wrap(elementwise.square(this.node));
  }
  relu<X extends Shape, Y extends DType>(this: Tensor<X, Y>): Tensor<X, Counted<Y>> {
    return wrap(elementwise.number('relu', this.node));
  }
  exp(): Tensor<S, Real<D>> {
    return wrap(elementwise.float('exp', this.node));
  }
  /** eˣ − 1, accurate near 0. */
  expm1(): Tensor<S, Real<D>> {
    return wrap(elementwise.float('expm1', this.node));
  }
  log(): Tensor<S, Real<D>> {
    return wrap(elementwise.float('log', this.node));
  }
  /** log(1 + x), accurate near 0. */
  log1p(): Tensor<S, Real<D>> {
    return wrap(elementwise.float('log1p', this.node));
  }
  log2(): Tensor<S, Real<D>> {
    return wrap(elementwise.float('log2', this.node));
  }
  log10(): Tensor<S, Real<D>> {
    return wrap(elementwise.float('log10', this.node));
  }
  sqrt(): Tensor<S, Real<D>> {
    return wrap(elementwise.float('sqrt', this.node));
  }
  rsqrt(): Tensor<S, Real<D>> {
    return wrap(elementwise.rsqrt(this.node));
  }
  reciprocal(): Tensor<S, Real<D>> {
    return wrap(elementwise.float('recip', this.node));
  }
  sin(): Tensor<S, Real<D>> {
    return wrap(elementwise.float('sin', this.node));
  }
  cos(): Tensor<S, Real<D>> {
    return wrap(elementwise.float('cos', this.node));
  }
  tan(): Tensor<S, Real<D>> {
    return wrap(elementwise.float('tan', this.node));
  }
  sinh(): Tensor<S, Real<D>> {
    return wrap(elementwise.float('sinh', this.node));
  }
  cosh(): Tensor<S, Real<D>> {
    return wrap(elementwise.float('cosh', this.node));
  }
  tanh(): Tensor<S, Real<D>> {
    return wrap(elementwise.float('tanh', this.node));
  }
  asin(): Tensor<S, Real<D>> {
    return wrap(elementwise.float('asin', this.node));
  }
  acos(): Tensor<S, Real<D>> {
    return wrap(elementwise.float('acos', this.node));
  }
  atan(): Tensor<S, Real<D>> {
    return wrap(elementwise.float('atan', this.node));
  }
  erf(): Tensor<S, Real<D>> {
    return wrap(elementwise.float('erf', this.node));
  }
  sigmoid(): Tensor<S, Real<D>> {
    return wrap(markProbabilities(elementwise.float('sigmoid', this.node)));
  }
  /** x · Φ(x), with the exact error function. */
  gelu(): Tensor<S, Real<D>> {
    return wrap(elementwise.gelu(this.node));
  }
  softplus(): Tensor<S, Real<D>> {
    return wrap(elementwise.softplus(this.node));
  }
  floor(): Tensor<S, D> {
    return wrap(elementwise.rounding('floor', this.node));
  }
  ceil(): Tensor<S, D> {
    return wrap(elementwise.rounding('ceil', this.node));
  }
  /** To the nearest whole number, halves to the even one. */
  round(): Tensor<S, D> {
    return wrap(elementwise.rounding('round', this.node));
  }
  trunc(): Tensor<S, D> {
    return wrap(elementwise.rounding('trunc', this.node));
  }
  /** Limits to [min, max]; either may be left out. */
  clamp(min: number | undefined, max?: number): Tensor<S, D> {
    return wrap(elementwise.clamp(this.node, min, max));
  }
  isNaN(): Tensor<S, 'bool'> {
    return wrap(elementwise.isNaN(this.node));
  }
  isFinite(): Tensor<S, 'bool'> {
    return wrap(elementwise.isFinite(this.node));
  }
  isInf(): Tensor<S, 'bool'> {
    return wrap(elementwise.isInf(this.node));
  }

  // -------------------------------------------------------------- comparison and logic (results are bool)

  eq<X extends Shape>(this: Tensor<X, DType>, other: number): Tensor<X, 'bool'>;
  eq<X extends Shape, B extends Shape, E extends DType>(
    this: Tensor<X, DType>,
    other: Tensor<B, E> & BroadcastArg<'eq', X, B>,
  ): Tensor<Broadcast<X, B>, 'bool'>;
  eq(other: Operand): unknown {
    return wrap(elementwise.comparison('eq', this.node, operand(other, 'eq')));
  }
  ne<X extends Shape>(this: Tensor<X, DType>, other: number): Tensor<X, 'bool'>;
  ne<X extends Shape, B extends Shape, E extends DType>(
    this: Tensor<X, DType>,
    other: Tensor<B, E> & BroadcastArg<'ne', X, B>,
  ): Tensor<Broadcast<X, B>, 'bool'>;
  ne(other: Operand): unknown {
    return wrap(elementwise.comparison('ne', this.node, operand(other, 'ne')));
  }
  lt<X extends Shape>(this: Tensor<X, DType>, other: number): Tensor<X, 'bool'>;
  lt<X extends Shape, B extends Shape, E extends DType>(
    this: Tensor<X, DType>,
    other: Tensor<B, E> & BroadcastArg<'lt', X, B>,
  ): Tensor<Broadcast<X, B>, 'bool'>;
  lt(other: Operand): unknown {
    return wrap(elementwise.comparison('lt', this.node, operand(other, 'lt')));
  }
  le<X extends Shape>(this: Tensor<X, DType>, other: number): Tensor<X, 'bool'>;
  le<X extends Shape, B extends Shape, E extends DType>(
    this: Tensor<X, DType>,
    other: Tensor<B, E> & BroadcastArg<'le', X, B>,
  ): Tensor<Broadcast<X, B>, 'bool'>;
  le(other: Operand): unknown {
    return wrap(elementwise.comparison('le', this.node, operand(other, 'le')));
  }
  gt<X extends Shape>(this: Tensor<X, DType>, other: number): Tensor<X, 'bool'>;
  gt<X extends Shape, B extends Shape, E extends DType>(
    this: Tensor<X, DType>,
    other: Tensor<B, E> & BroadcastArg<'gt', X, B>,
  ): Tensor<Broadcast<X, B>, 'bool'>;
  gt(other: Operand): unknown {
    return wrap(elementwise.reversed('lt', this.node, operand(other, 'gt')));
  }
  ge<X extends Shape>(this: Tensor<X, DType>, other: number): Tensor<X, 'bool'>;
  ge<X extends Shape, B extends Shape, E extends DType>(
    this: Tensor<X, DType>,
    other: Tensor<B, E> & BroadcastArg<'ge', X, B>,
  ): Tensor<Broadcast<X, B>, 'bool'>;
  ge(other: Operand): unknown {
    return wrap(elementwise.reversed('le', this.node, operand(other, 'ge')));
  }
  logicalAnd<X extends Shape, B extends Shape, E extends DType>(
    this: Tensor<X, DType>,
    other: Tensor<B, E> & BroadcastArg<'and', X, B>,
  ): Tensor<Broadcast<X, B>, 'bool'> {
    return wrap(elementwise.logical('and', this.node, nodeOf(other, 'logicalAnd', 'the other operand')));
  }
  logicalOr<X extends Shape, B extends Shape, E extends DType>(
    this: Tensor<X, DType>,
    other: Tensor<B, E> & BroadcastArg<'or', X, B>,
  ): Tensor<Broadcast<X, B>, 'bool'> {
    return wrap(elementwise.logical('or', this.node, nodeOf(other, 'logicalOr', 'the other operand')));
  }
  logicalXor<X extends Shape, B extends Shape, E extends DType>(
    this: Tensor<X, DType>,
    other: Tensor<B, E> & BroadcastArg<'xor', X, B>,
  ): Tensor<Broadcast<X, B>, 'bool'> {
    return wrap(elementwise.logical('xor', this.node, nodeOf(other, 'logicalXor', 'the other operand')));
  }
  logicalNot(): Tensor<S, 'bool'> {
    return wrap(elementwise.logicalNot(this.node));
  }

  // -------------------------------------------------------------- reductions

  /**
   * Sum over `dim` (one, several, or all), as exact as pairwise summation. Truth values count as int32; int32 wraps around at
   * 2³¹: convert large numbers with to('float32').
   */
  sum<
    X extends Shape,
    Y extends DType,
    const Dim extends number | readonly number[] | undefined = undefined,
    K extends boolean = false,
    E extends DType = Summed<Y>,
  >(this: Tensor<X, Y>, dim?: Dim & DimArg<'sum', X, Dim>, options?: SumOptions<K, E>): Tensor<Reduce<X, Dim, K>, E> {
    const keepdim = kept('sum', options, SUM_OPTIONS);
    return wrap(inDType('sum', this.node, options, (x) => reductions.sum(x, dim, keepdim)));
  }
  /** Mean over `dim`; integers give float32, an empty mean is NaN. */
  mean<
    X extends Shape,
    Y extends DType,
    const Dim extends number | readonly number[] | undefined = undefined,
    K extends boolean = false,
    E extends DType = Real<Y>,
  >(this: Tensor<X, Y>, dim?: Dim & DimArg<'mean', X, Dim>, options?: SumOptions<K, E>): Tensor<Reduce<X, Dim, K>, E> {
    const keepdim = kept('mean', options, SUM_OPTIONS);
    return wrap(inReal('mean', this.node, options, (x) => reductions.mean(x, dim, keepdim)));
  }
  /** Product over `dim`; int32 wraps around at 2³¹. */
  prod<
    X extends Shape,
    Y extends DType,
    const Dim extends number | readonly number[] | undefined = undefined,
    K extends boolean = false,
    E extends DType = Summed<Y>,
  >(this: Tensor<X, Y>, dim?: Dim & DimArg<'prod', X, Dim>, options?: SumOptions<K, E>): Tensor<Reduce<X, Dim, K>, E> {
    const keepdim = kept('prod', options, SUM_OPTIONS);
    return wrap(inDType('prod', this.node, options, (x) => reductions.prod(x, dim, keepdim)));
  }
  /** Maximum over `dim`; equal maxima share the gradient. PyTorch: amax. */
  amax<
    X extends Shape,
    Y extends DType,
    const Dim extends number | readonly number[] | undefined = undefined,
    K extends boolean = false,
  >(
    this: Tensor<X, Y>,
    dim?: Dim & DimArg<'amax', X, Dim>,
    options?: ReduceOptions<K>,
  ): Tensor<Reduce<X, Dim, K>, Counted<Y>> {
    return wrap(reductions.amax(this.node, dim, kept('amax', options)));
  }
  /** Minimum over `dim`; equal minima share the gradient. PyTorch: amin. */
  amin<
    X extends Shape,
    Y extends DType,
    const Dim extends number | readonly number[] | undefined = undefined,
    K extends boolean = false,
  >(
    this: Tensor<X, Y>,
    dim?: Dim & DimArg<'amin', X, Dim>,
    options?: ReduceOptions<K>,
  ): Tensor<Reduce<X, Dim, K>, Counted<Y>> {
    return wrap(reductions.amin(this.node, dim, kept('amin', options)));
  }
  /** The largest element of all; with `dim`, the largest along it and its index. NaN counts as largest. */
  max<Y extends DType>(this: Tensor<Shape, Y>): Tensor<[], Counted<Y>>;
  max<X extends Shape, Y extends DType, Dim extends number, K extends boolean = false>(
    this: Tensor<X, Y>,
    dim: Dim & DimArg<'max', X, Dim>,
    options?: ReduceOptions<K>,
  ): Extreme<Reduce<X, Dim, K>, Y>;
  max(dim?: number, options?: ReduceOptions): unknown {
    return this.extreme('reduceMax', 'max', dim, options);
  }
  /** The smallest element of all; with `dim`, the smallest along it and its index. NaN counts as smallest. */
  min<Y extends DType>(this: Tensor<Shape, Y>): Tensor<[], Counted<Y>>;
  min<X extends Shape, Y extends DType, Dim extends number, K extends boolean = false>(
    this: Tensor<X, Y>,
    dim: Dim & DimArg<'min', X, Dim>,
    options?: ReduceOptions<K>,
  ): Extreme<Reduce<X, Dim, K>, Y>;
  min(dim?: number, options?: ReduceOptions): unknown {
    return this.extreme('reduceMin', 'min', dim, options);
  }
  private extreme(
    op: 'reduceMax' | 'reduceMin',
    name: string,
    dim: number | undefined,
    options: ReduceOptions | undefined,
  ): unknown {
    if (dim === undefined)
      return wrap(
        op === 'reduceMax'
          ? reductions.amax(this.node, undefined, false)
          : reductions.amin(this.node, undefined, false),
      );
    const { values, indices } = reductions.extreme(op, name, this.node, dim, kept(name, options));
    return { values: wrap(values), indices: wrap(indices) };
  }
  /** Index of the first maximum, int32; without `dim` in the flattened tensor. */
  argmax<X extends Shape, Dim extends number | undefined = undefined, K extends boolean = false>(
    this: Tensor<X, DType>,
    dim?: Dim & DimArg<'argmax', X, Dim>,
    options?: ReduceOptions<K>,
  ): Tensor<Reduce<X, Dim, K>, 'int32'> {
    return wrap(reductions.argExtreme('reduceMax', 'argmax', this.node, dim, kept('argmax', options)));
  }
  argmin<X extends Shape, Dim extends number | undefined = undefined, K extends boolean = false>(
    this: Tensor<X, DType>,
    dim?: Dim & DimArg<'argmin', X, Dim>,
    options?: ReduceOptions<K>,
  ): Tensor<Reduce<X, Dim, K>, 'int32'> {
    return wrap(reductions.argExtreme('reduceMin', 'argmin', this.node, dim, kept('argmin', options)));
  }
  /** Variance; `correction` 1 divides by n − 1 (the default), 0 by n. */
  var<
    X extends Shape,
    Y extends DType,
    const Dim extends number | readonly number[] | undefined = undefined,
    K extends boolean = false,
  >(
    this: Tensor<X, Y>,
    dim?: Dim & DimArg<'var', X, Dim>,
    options?: VarianceOptions<K>,
  ): Tensor<Reduce<X, Dim, K>, Real<Y>> {
    checkOptions('var', options, VARIANCE_OPTIONS);
    return wrap(reductions.variance(this.node, dim, options?.keepdim ?? false, options?.correction ?? 1));
  }
  std<
    X extends Shape,
    Y extends DType,
    const Dim extends number | readonly number[] | undefined = undefined,
    K extends boolean = false,
  >(
    this: Tensor<X, Y>,
    dim?: Dim & DimArg<'std', X, Dim>,
    options?: VarianceOptions<K>,
  ): Tensor<Reduce<X, Dim, K>, Real<Y>> {
    checkOptions('std', options, VARIANCE_OPTIONS);
    return wrap(reductions.std(this.node, dim, options?.keepdim ?? false, options?.correction ?? 1));
  }
  /** (Σ |x|ᵖ)^(1/p); p = 2 by default, Infinity for the maximum. */
  norm<
    X extends Shape,
    Y extends DType,
    const Dim extends number | readonly number[] | undefined = undefined,
    K extends boolean = false,
  >(
    this: Tensor<X, Y>,
    p = 2,
    dim?: Dim & DimArg<'norm', X, Dim>,
    options?: ReduceOptions<K>,
  ): Tensor<Reduce<X, Dim, K>, Real<Y>> {
    return wrap(reductions.norm(this.node, p, dim, kept('norm', options)));
  }
  any<X extends Shape, const Dim extends number | readonly number[] | undefined = undefined, K extends boolean = false>(
    this: Tensor<X, DType>,
    dim?: Dim & DimArg<'any', X, Dim>,
    options?: ReduceOptions<K>,
  ): Tensor<Reduce<X, Dim, K>, 'bool'> {
    return wrap(reductions.any(this.node, dim, kept('any', options)));
  }
  all<X extends Shape, const Dim extends number | readonly number[] | undefined = undefined, K extends boolean = false>(
    this: Tensor<X, DType>,
    dim?: Dim & DimArg<'all', X, Dim>,
    options?: ReduceOptions<K>,
  ): Tensor<Reduce<X, Dim, K>, 'bool'> {
    return wrap(reductions.all(this.node, dim, kept('all', options)));
  }
  softmax<X extends Shape, Y extends DType, Dim extends number, E extends DType = Real<Y>>(
    this: Tensor<X, Y>,
    dim: Dim & DimArg<'softmax', X, Dim>,
    options?: DTypeOption<E>,
  ): Tensor<X, E> {
    checkOptions('softmax', options, DTYPE_OPTION);
    return wrap(inReal('softmax', this.node, options, (x) => reductions.softmax(x, dim)));
  }
  logSoftmax<X extends Shape, Y extends DType, Dim extends number, E extends DType = Real<Y>>(
    this: Tensor<X, Y>,
    dim: Dim & DimArg<'logSoftmax', X, Dim>,
    options?: DTypeOption<E>,
  ): Tensor<X, E> {
    checkOptions('logSoftmax', options, DTYPE_OPTION);
    return wrap(inReal('logSoftmax', this.node, options, (x) => reductions.logSoftmax(x, dim)));
  }
  logsumexp<X extends Shape, Y extends DType, const Dim extends number | readonly number[], K extends boolean = false>(
    this: Tensor<X, Y>,
    dim: Dim & DimArg<'logsumexp', X, Dim>,
    options?: ReduceOptions<K>,
  ): Tensor<Reduce<X, Dim, K>, Real<Y>> {
    return wrap(reductions.logsumexp(this.node, dim, kept('logsumexp', options)));
  }
  /** Running sum along `dim`, as exact as `sum`; int32 wraps around at 2³¹. */
  cumsum<X extends Shape, Y extends DType, Dim extends number, E extends DType = Summed<Y>>(
    this: Tensor<X, Y>,
    dim: Dim & DimArg<'cumsum', X, Dim>,
    options?: DTypeOption<E>,
  ): Tensor<X, E> {
    checkOptions('cumsum', options, DTYPE_OPTION);
    return wrap(inDType('cumsum', this.node, options, (x) => reductions.cumsum(x, dim)));
  }
  /** Running product along `dim`; int32 wraps around at 2³¹. */
  cumprod<X extends Shape, Y extends DType, Dim extends number, E extends DType = Counted<Y>>(
    this: Tensor<X, Y>,
    dim: Dim & DimArg<'cumprod', X, Dim>,
    options?: DTypeOption<E>,
  ): Tensor<X, E> {
    checkOptions('cumprod', options, DTYPE_OPTION);
    return wrap(inDType('cumprod', this.node, options, (x) => cumprod(x, dim)));
  }
  /** The lower median of all; with `dim`, along it, and where it is. NaN if one is NaN. */
  median<Y extends DType>(this: Tensor<Shape, Y>): Tensor<[], Counted<Y>>;
  median<X extends Shape, Y extends DType, Dim extends number, K extends boolean = false>(
    this: Tensor<X, Y>,
    dim: Dim & DimArg<'median', X, Dim>,
    options?: ReduceOptions<K>,
  ): Extreme<Reduce<X, Dim, K>, Counted<Y>>;
  median(dim?: number, options?: ReduceOptions): unknown {
    const keepdim = kept('median', options);
    if (dim === undefined) return wrap(order.medianOfAll('median', this.node, false));
    const { values, indices } = order.medianAlong('median', this.node, dim, keepdim, false);
    return { values: wrap(values), indices: wrap(indices) };
  }
  /** Indices that sort along `dim`, stable; NaN counts as largest. */
  argsort(dim = -1, descending = false): Tensor<S, 'int32'> {
    return wrap(reductions.argsort(this.node, dim, descending, 'argsort'));
  }
  sort(dim = -1, descending = false): Extreme<S, D> {
    const indices = reductions.argsort(this.node, dim, descending);
    return { values: wrap(indexing.gather(this.node, dim, indices)), indices: wrap(indices) };
  }
  /** The k largest (or smallest) along `dim`, sorted. */
  topk<X extends Shape, Y extends DType, N extends number, Dim extends number = -1>(
    this: Tensor<X, Y>,
    k: N,
    dim?: Dim & DimArg<'topk', X, Dim>,
    options: TopkOptions = {},
  ): Extreme<Resize<X, Dim, N>, Y> {
    checkOptions('topk', options, TOPK_OPTIONS);
    const { values, indices } = reductions.topk(this.node, k, dim ?? -1, options.largest ?? true);
    return { values: wrap(values), indices: wrap(indices) };
  }

  // -------------------------------------------------------------- contraction

  /** Matrix product of the last two dimensions; vectors and batches as torch.matmul. */
  matmul<X extends Shape, Y extends DType, B extends Shape>(
    this: Tensor<X, Y>,
    other: Tensor<B, NoInfer<Y>> & MatMulArg<X, B>,
  ): Tensor<MatMul<X, B>, Y> {
    return wrap(matmul(this.node, nodeOf(other, 'matmul', 'the other matrix')));
  }

  // -------------------------------------------------------------- movement

  /** Other sizes, same order; one of them may be -1. */
  reshape<X extends Shape, Y extends DType, const To extends readonly number[]>(
    this: Tensor<X, Y>,
    shape: To & ReshapeArg<X, To>,
  ): Tensor<Reshape<X, To>, Y> {
    return wrap(movement.reshape(this.node, shape));
  }
  permute<X extends Shape, Y extends DType, const Order extends readonly number[]>(
    this: Tensor<X, Y>,
    order: Order & PermuteArg<X, Order>,
  ): Tensor<Permute<X, Order>, Y> {
    return wrap(movement.permute(this.node, order));
  }
  transpose<X extends Shape, Y extends DType, A extends number, B extends number>(
    this: Tensor<X, Y>,
    a: A & DimArg<'transpose', X, A>,
    b: B & DimArg<'transpose', X, B>,
  ): Tensor<Transpose<X, A, B>, Y> {
    return wrap(movement.transpose(this.node, a, b));
  }
  /** The transpose of a matrix. */
  get T(): Tensor<Flipped<S>, D> {
    if (this.rank !== 2)
      throw new ShapeError(`T: ${formatShape(this.shape)} is not a matrix. Use transpose or permute.`, [this.shape]);
    return wrap(movement.transpose(this.node, 0, 1));
  }
  unsqueeze<X extends Shape, Y extends DType, Dim extends number>(
    this: Tensor<X, Y>,
    dim: Dim & NewDimArg<'unsqueeze', X, Dim>,
  ): Tensor<Unsqueeze<X, Dim>, Y> {
    return wrap(movement.unsqueeze(this.node, dim));
  }
  /** Without its dimensions of size 1, or without those of `dim`, one or several, that have size 1. */
  squeeze<X extends Shape, Y extends DType, const Dim extends number | readonly number[] | undefined = undefined>(
    this: Tensor<X, Y>,
    dim?: Dim & DimArg<'squeeze', X, Dim>,
  ): Tensor<Squeeze<X, Dim>, Y> {
    return wrap(movement.squeeze(this.node, dim));
  }
  /** Repeats dimensions of size 1 without copying; -1 keeps a size. */
  expand<X extends Shape, Y extends DType, const To extends readonly number[]>(
    this: Tensor<X, Y>,
    shape: To & ExpandArg<X, To>,
  ): Tensor<Expand<X, To>, Y> {
    return wrap(movement.expand(this.node, shape));
  }
  flatten<X extends Shape, Y extends DType, Start extends number = 0, End extends number = -1>(
    this: Tensor<X, Y>,
    ...[start, end]: [start?: Start & FlattenArg<X, Start, End>, end?: End]
  ): Tensor<Flatten<X, Start, End>, Y> {
    return wrap(movement.flatten(this.node, start ?? 0, end ?? -1));
  }
  /** [before, after] for each dimension, or for the last ones. */
  pad(pairs: readonly (readonly [number, number])[], value = 0): Tensor<number[], D> {
    return wrap(movement.pad(this.node, pairs, value));
  }
  /** The tensor beside itself, counts[i] times along dimension i; more counts than dimensions put some in front. */
  repeat(counts: readonly number[]): Tensor<number[], D> {
    return wrap(arranging.repeat(this.node, counts));
  }
  /** Dimension `source` (or several) at place `destination`; the others keep their order. */
  movedim(source: number | readonly number[], destination: number | readonly number[]): Tensor<number[], D> {
    return wrap(arranging.movedim(this.node, source, destination));
  }
  /** The elements (i, i + offset) of the matrices in dimensions dim1 and dim2, along a new last dimension. */
  diagonal(offset = 0, dim1 = 0, dim2 = 1): Tensor<number[], D> {
    return wrap(arranging.diagonal(this.node, offset, dim1, dim2));
  }
  /** The slices along `dim`, without that dimension. */
  unbind<X extends Shape, Y extends DType, Dim extends number = 0>(
    this: Tensor<X, Y>,
    dim?: Dim & DimArg<'unbind', X, Dim>,
  ): Tensor<Reduce<X, Dim>, Y>[] {
    return arranging.unbind(this.node, dim ?? 0).map((n) => wrap(n));
  }
  /** Position `at` of `dim`, which goes. */
  select<X extends Shape, Y extends DType, Dim extends number>(
    this: Tensor<X, Y>,
    dim: Dim & DimArg<'select', X, Dim>,
    at: number,
  ): Tensor<Reduce<X, Dim>, Y> {
    return wrap(movement.select(this.node, dim, at, 'select'));
  }
  /** `length` positions of `dim` from `start` on, which may count from the end. */
  narrow<X extends Shape, Y extends DType, Dim extends number, N extends number>(
    this: Tensor<X, Y>,
    dim: Dim & DimArg<'narrow', X, Dim>,
    start: number,
    length: N,
  ): Tensor<Resize<X, Dim, N>, Y> {
    return wrap(arranging.narrow(this.node, dim, start, length));
  }
  /** The same numbers in memory of their own, which later updates leave as they are; gradients flow through. */
  clone(): Tensor<S, D> {
    return wrap<S, D>(arranging.clone(this.node)).keep();
  }
  /** start (inclusive) to end (exclusive) along `dim`; negative positions count from the end. */
  slice<
    X extends Shape,
    Y extends DType,
    Dim extends number,
    Start extends number = 0,
    End extends number | undefined = undefined,
    Step extends number = 1,
  >(
    this: Tensor<X, Y>,
    dim: Dim & DimArg<'slice', X, Dim>,
    start?: Start,
    end?: End,
    step?: Step,
  ): Tensor<Slice<X, Dim, Start, End, Step>, Y> {
    return wrap(movement.slice(this.node, dim, start, end, step ?? 1));
  }
  flip(...dims: number[]): Tensor<S, D> {
    return wrap(movement.flip(this.node, dims));
  }
  roll(shift: number, dim: number): Tensor<S, D> {
    return wrap(movement.roll(this.node, shift, dim));
  }
  /** Parts of the given size (the last one may be smaller) or of the given sizes. */
  split<X extends Shape, Y extends DType, Dim extends number = 0>(
    this: Tensor<X, Y>,
    sizes: number | readonly number[],
    dim?: Dim & DimArg<'split', X, Dim>,
  ): Tensor<Resize<X, Dim, number>, Y>[] {
    return movement.split(this.node, sizes, dim ?? 0).map((n) => wrap(n));
  }
  /** At most `count` parts of equal size, the last one perhaps smaller. */
  chunk<X extends Shape, Y extends DType, Dim extends number = 0>(
    this: Tensor<X, Y>,
    count: number,
    dim?: Dim & DimArg<'chunk', X, Dim>,
  ): Tensor<Resize<X, Dim, number>, Y>[] {
    return movement.chunk(this.node, count, dim ?? 0).map((n) => wrap(n));
  }
  /** Lower triangle of the last two dimensions; the rest is zero. */
  tril(diagonal = 0): Tensor<S, D> {
    return wrap(movement.triangle(this.node, diagonal, true));
  }
  triu(diagonal = 0): Tensor<S, D> {
    return wrap(movement.triangle(this.node, diagonal, false));
  }

  // -------------------------------------------------------------- indexing

  /**
   * A part of each dimension in turn: a number (drops it), [start, end, step], null (all of it), or int32 positions, of which
   * negative ones count from the end too. Positions in several dimensions broadcast and go together: x.index(rows, columns) are
   * the elements at (rows[i], columns[i]). NumPy and PyTorch: x[rows, columns]. For every row with every column see indexGrid.
   */
  index(...items: IndexArgument[]): Tensor<number[], D> {
    return wrap(indexing.index(this.node, items.map(indexItem)));
  }
  /** As index, but int32 vectors in several dimensions are a grid: every row with every column. NumPy: x[np.ix_(rows, columns)]. */
  indexGrid(...items: IndexArgument[]): Tensor<number[], D> {
    return wrap(indexing.indexGrid(this.node, items.map(indexItem)));
  }
  /** out[i][j] = this[index[i][j]][j] for dim 0. PyTorch: gather. */
  gather<I extends Shape>(dim: number, index: Tensor<I, 'int32'>): Tensor<I, D> {
    return wrap(indexing.gather(this.node, dim, nodeOf(index, 'gather', 'the index')));
  }
  /** This tensor with source[i][j] added at [index[i][j]][j] for dim 0. PyTorch: scatter_add. */
  scatterAdd<I extends Shape>(dim: number, index: Tensor<I, 'int32'>, source: Tensor<I, D>): Tensor<S, D> {
    return wrap(
      indexing.scatterAdd(
        this.node,
        dim,
        nodeOf(index, 'scatterAdd', 'the index'),
        nodeOf(source, 'scatterAdd', 'the source'),
      ),
    );
  }
  /** The listed positions of one dimension. */
  indexSelect<X extends Shape, Y extends DType, Dim extends number, I extends Shape>(
    this: Tensor<X, Y>,
    dim: Dim & DimArg<'indexSelect', X, Dim>,
    index: Tensor<I, 'int32'>,
  ): Tensor<IndexSelect<X, Dim, I>, Y> {
    return wrap(indexing.indexSelect(this.node, dim, nodeOf(index, 'indexSelect', 'the index')));
  }
  /** `value`, a number or a tensor of rank 0, where the mask is true; both broadcast. The dtype stays. PyTorch: masked_fill. */
  maskedFill<X extends Shape, Y extends DType, M extends Shape>(
    this: Tensor<X, Y>,
    mask: Tensor<M, 'bool'>,
    value: number | Tensor<[], DType>,
  ): Tensor<Broadcast<X, M>, Y> {
    const filled = typeof value === 'number' ? value : nodeOf(value, 'maskedFill', 'the value');
    return wrap(elementwise.maskedFill(this.node, nodeOf(mask, 'maskedFill', 'the mask'), filled));
  }
  /** int32 classes → float32 with a 1 at each class. A class outside 0 … classes − 1 is an IndexError when numbers are read. */
  oneHot<X extends Shape, C extends number>(this: Tensor<X, DType>, classes: C): Tensor<[...X, C]> {
    return wrap(indexing.oneHot(this.node, classes));
  }
}

/** A matrix's shape, the other way round. */
type Flipped<S extends Shape> = S extends readonly [infer M extends number, infer N extends number]
  ? [N, M]
  : [number, number];

export interface Extreme<S extends Shape, D extends DType> {
  readonly values: Tensor<S, D>;
  readonly indices: Tensor<S, 'int32'>;
}

export type IndexArgument =
  | number
  | null
  | undefined
  | readonly [start?: number | null, end?: number | null, step?: number]
  | Tensor<Shape, 'int32'>;

function indexItem(item: IndexArgument): indexing.IndexItem {
  return item instanceof Tensor ? item.node : item;
}

type Operand = number | { readonly node: Node };

function operand(other: Operand, op: string): Node | number {
  if (typeof other === 'number') return other;
  if (!(other instanceof Tensor)) throw notATensor(op, 'the other operand', other);
  return other.node;
}

/** Throws ArgumentError unless `t` is a tensor; `what` names the argument. */
export function checkTensor(t: unknown, op: string, what = 'the argument'): void {
  if (!(t instanceof Tensor)) throw notATensor(op, what, t);
}

/** The node of what has to be a tensor. */
export function nodeOf(t: AnyTensor, op: string, what = 'the argument'): Node {
  if (!(t instanceof Tensor)) throw notATensor(op, what, t);
  return t.node;
}

/** The nodes of what has to be a list of tensors. */
export function nodesOf(tensors: readonly AnyTensor[], op: string): Node[] {
  if (!Array.isArray(tensors)) {
    const isOne: boolean = tensors instanceof Tensor;
    if (isOne) throw new ArgumentError(`${op}: the tensors are one list. Write ${op}([a, b]).`);
    throw new ArgumentError(`${op}: ${shown(tensors)} is not a list of tensors. Write ${op}([a, b]).`);
  }
  return tensors.map((t, i) => nodeOf(t, op, `tensor ${i}`));
}

/** The gradient itself, without a recorded call being told of it. */
export const GRADIENT_ACCESS: GradientAccess<AnyTensor, Tensor> = {
  logs: new WeakMap(),
  get: (owner) => owner['gradient'] as Tensor | undefined,
  set: (owner, gradient) => (owner['gradient'] = gradient),
  wrap: (storage) => wrapStorage(storage),
  wrapNode: (node) => wrapNode(node),
};

function wrapNode<S extends Shape, D extends DType>(node: Node): Tensor<S, D> {
  return new Tensor<S, D>(new GraphValue(node));
}

/** A tensor of a node made by an operation: under noGrad no gradient flows through it. */
export function wrap<S extends Shape, D extends DType>(node: Node): Tensor<S, D> {
  return wrapNode(isGradEnabled() ? node : build.detach(node));
}

/** What a hook has returned in the place of a gradient. */
function replaced(changed: unknown, gradient: Node): Node {
  const { shape, dtype } = gradient;
  if (!(changed instanceof Tensor)) {
    const isPromise = typeof changed === 'object' && changed !== null && 'then' in changed;
    const what = isPromise ? 'a promise' : shown(changed);
    throw new GradError(
      `registerHook: the hook returned ${what} in the place of a gradient. Return a tensor of its shape, or nothing.`,
    );
  }
  if (!sameShape(changed.shape, shape) || changed.dtype !== dtype)
    throw new GradError(
      `registerHook: the hook returned ${changed.dtype} ${formatShape(changed.shape)} in the place of a gradient that is ${dtype} ${formatShape(shape)}. Return one of its shape and dtype.`,
    );
  return changed.node;
}

/** What stands for `t` in a recorded call: the same numbers in a storage of its own, until the call overwrites `t`. */
export function standFor(t: AnyTensor, base: Storage, name: string, recording: Recording): Tensor {
  settle(base);
  const storage = standIn(base);
  storage.requiresGrad = t.requiresGrad;
  storage.name ??= name;
  const stand = wrapStorage(storage) as Tensor;
  recording.addStand(base, { storage, overwritten: () => (stand['value'] = t['value']) });
  stand['gradient'] = t['gradient'] as Tensor | undefined;
  return stand;
}

/** A tensor of a storage: an input or a parameter. */
export function wrapStorage<S extends Shape, D extends DType>(storage: Storage): Tensor<S, D> {
  const t = new Tensor<S, D>(new StoredValue(storage));
  if (storage.requiresGrad) rememberOwner(storage, t as Tensor);
  return t;
}

/** Larger tensors are not copied only to print their corners. */
const MOST_PRINTED = 1 << 24;

function textOf(t: AnyTensor, data: ArrayLike<number>): string {
  return `${t.toString()}${t.rank === 0 ? ' ' : '\n'}${numberText(data, t.shape, t.dtype)}`;
}

/**
 * Computes the tensor, prints what it is and its numbers as NumPy does (aligned columns, eight digits behind the point at
 * most, the middle of large tensors left out), and gives the text.
 *
 *     await show(x.matmul(w));
 */
export async function show(t: AnyTensor): Promise<string> {
  checkTensor(t, 'show');
  const text = textOf(t, await read(t.node));
  console.log(text);
  return text;
}

async function moveTo(t: AnyTensor, device: string): Promise<AnyTensor> {
  getDevice(device); // an unknown name is an error before anything is read
  if (device === t.device) return t;
  const data = await read(t.node);
  const moved = storageFrom(data, t.shape, t.dtype, device, 'to');
  return wrapStorage(moved);
}

/**
 * Computes the tensors (all at once, as one program) and everything that waits: pending updates and kept tensors.
 * Without arguments only what waits.
 */
export async function realize(...tensors: AnyTensor[]): Promise<void> {
  await runWithRoom(tensors.map((t) => nodeOf(t, 'realize')));
  await rest();
}
