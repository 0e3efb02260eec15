// Random tensors of distributions whose parameters are tensors, and draws from weights. All numbers come from the one generator
// (tensor/random.ts): the same seed gives the same numbers, and a captured call draws new ones each time.

import { checkGiven, checkNumber, checkWhole } from '../engine/ir/arguments.js';
import * as build from '../engine/ir/build.js';
import type { DType, FloatDType } from '../engine/ir/dtype.js';
import { ArgumentError, ShapeError } from '../engine/ir/errors.js';
import type { Node } from '../engine/ir/node.js';
import { type OptionNames, checkOptions } from '../engine/ir/options.js';
import { type Shape, broadcastShapes, checkShape, formatShape, normalizeDim, shown } from '../engine/ir/shape.js';
import { asFloat, promoted } from '../tensor/operands.js';
import { checkedWhere } from '../tensor/ranges.js';
import * as random from '../tensor/random.js';
import { argExtreme, positions, softmax } from '../tensor/reductions.js';
import type { Writable } from '../tensor/shape-types/shape.js';
import { type AnyTensor, type Tensor, nodeOf, wrap } from '../tensor/tensor.js';
import { type DrawOptions, drawn } from './draws.js';
import {
  add,
  binary,
  both,
  constant,
  div,
  isAbove,
  isBelow,
  isEqual,
  mul,
  neg,
  not,
  plus,
  polynomial,
  scalar,
  times,
  unary,
  where,
} from './operands.js';

/** The parameter as float numbers, through which no gradient flows. */
const parameter = (x: AnyTensor, op: string, what: string): Node => build.detach(asFloat(nodeOf(x, op, what)));

/** Uniform in (0, 1): fine steps near 0, where logarithms need them. */
function openUniform(shape: Shape, dtype: FloatDType = 'float32'): Node {
  if (dtype === 'float64') return plus(random.uniform(shape, dtype), 2 ** -54);
  const upper = binary('shr', random.bits(shape), build.constant(1, 'int32') as Node);
  const value = build.cast(upper, 'float32');
  return times(plus(value, 0.5), 2 ** -31);
}

/** Exponential with mean 1. */
const exponentials = (shape: Shape, dtype?: FloatDType): Node => neg(unary('log1p', neg(openUniform(shape, dtype))));

/** Gumbel's distribution: the largest of log-weights with it added is a draw from the weights. */
const gumbels = (shape: Shape): Node => neg(unary('log', exponentials(shape)));

/** float64 where the tensor is, else float32. */
type Drawn<D extends DType> = D extends 'float64' ? 'float64' : 'float32';
const drawnAs = (dtype: DType): 'float64' | 'float32' => (dtype === 'float64' ? dtype : 'float32');

/** Uniform in [0, 1), of the shape of `like`; float64 where that is, else float32. PyTorch: torch.rand_like. */
export function randLike<S extends Shape, D extends DType>(like: Tensor<S, D>): Tensor<S, Drawn<D>> {
  const { shape, dtype } = nodeOf(like, 'randLike');
  return wrap(random.uniform(shape, drawnAs(dtype)));
}

/** Normal with mean 0 and variance 1, of the shape of `like`; float64 where that is, else float32. PyTorch: torch.randn_like. */
export function randnLike<S extends Shape, D extends DType>(like: Tensor<S, D>): Tensor<S, Drawn<D>> {
  const { shape, dtype } = nodeOf(like, 'randnLike');
  return wrap(random.normal(shape, drawnAs(dtype)));
}

/** Whole numbers in [low, high), int32, of the shape of `like`. PyTorch: torch.randint_like. */
export function randintLike<S extends Shape>(like: Tensor<S, DType>, low: number, high: number): Tensor<S, 'int32'> {
  return wrap(random.integers(low, high, nodeOf(like, 'randintLike').shape));
}

/** 1 with the probability that p gives, else 0, as float32. A p outside 0 to 1 is an IndexError when numbers are read. PyTorch: torch.bernoulli. */
export function bernoulli<S extends Shape>(p: Tensor<S>): Tensor<S> {
  const t = parameter(p, 'bernoulli', 'the probability');
  const isOutside = not(both(binary('le', constant(0, t), t), binary('le', t, constant(1, t))));
  const q = checkedWhere(t, isOutside, `bernoulli: {index} of ${t.size} probabilities are outside 0 to 1.`);
  return wrap(build.cast(binary('lt', build.cast(random.uniform(t.shape), t.dtype), q), t.dtype));
}

/**
 * Normal with this mean and standard deviation: tensors, which broadcast, or numbers with a shape, and a dtype if another one than float32
 * is wanted. No gradient flows to them: write mean + std · randn for one. PyTorch: torch.normal.
 */
export function normal<const S extends Shape, D extends FloatDType = 'float32'>(
  mean: number,
  std: number,
  shape: S,
  options?: DrawOptions<D>,
): Tensor<Writable<S>, NoInfer<D>>;
export function normal<S extends Shape>(mean: Tensor<S>, std?: number): Tensor<S>;
export function normal<S extends Shape>(mean: Tensor<Shape> | number, std: Tensor<S>): Tensor<S>;
export function normal(
  mean: AnyTensor | number,
  std: AnyTensor | number = 1,
  shape?: Shape,
  options?: DrawOptions,
): AnyTensor {
  const of = (value: AnyTensor | number, what: string): Node => {
    if (typeof value !== 'number') return parameter(value, 'normal', what);
    checkNumber('normal', what, value);
    return build.scalar(value);
  };
  const [m, s] = [of(mean, 'the mean'), of(std, 'the standard deviation')];
  if (typeof std === 'number' && std < 0)
    throw new ArgumentError(`normal: the standard deviation is ${std}. Use a number of at least 0.`);
  const areNumbers = typeof mean === 'number' && typeof std === 'number';
  if (areNumbers !== (shape !== undefined))
    throw new ArgumentError('normal: give a shape with two numbers, and none with tensors: normal(0, 1, [2, 3]).');
  if (typeof mean === 'number' && typeof std === 'number' && shape !== undefined) {
    checkShape(shape, 'normal');
    const draw = (dtype: FloatDType): Node => {
      const n = random.normal(shape, dtype);
      return add(mul(n, scalar(std, n)), scalar(mean, n));
    };
    return wrap(drawn('normal', options, draw));
  }
  if (options !== undefined)
    throw new ArgumentError(
      'normal: options are for numbers with a shape. The dtype of tensors is the dtype of the result.',
    );
  const size = broadcastShapes(m.shape, s.shape, 'normal');
  const spread =
    typeof std === 'number' ? s : checkedWhere(s, isBelow(s, 0), `normal: {index} standard deviations are below 0.`);
  const noise = mul(...promoted(spread, random.normal(size), 'normal'));
  return wrap(build.expand(add(...promoted(m, noise, 'normal')), size));
}

/** Exponential with this rate: density λ·e^−λx, mean 1/λ. PyTorch: Tensor.exponential_. */
export function exponential<const S extends Shape, D extends FloatDType = 'float32'>(
  shape: S,
  rate = 1,
  options?: DrawOptions<D>,
): Tensor<Writable<S>, NoInfer<D>> {
  checkShape(shape, 'exponential');
  checkNumber('exponential', 'the rate', rate);
  if (!(rate > 0)) throw new ArgumentError(`exponential: the rate is ${rate}. Use a number above 0.`);
  const draw = (dtype: FloatDType): Node => {
    const e = exponentials(shape, dtype);
    return rate === 1 ? e : div(e, scalar(rate, e));
  };
  return wrap(drawn('exponential', options, draw));
}

// ---------------------------------------------------------------- Poisson

/** Below it probabilities are added up; above, a normal number is bent. */
const MOST_SUMMED = 10;
/** So many are enough: beyond, the probabilities of a rate below 10 are less than 2⁻²⁴. */
const MOST_EVENTS = 32;

/** How many of P(0), P(0) + P(1), … are not above u. */
function countByInversion(rate: Node): Node {
  const u = build.cast(random.uniform(rate.shape), rate.dtype);
  let p = unary('exp', neg(rate));
  let below = p;
  let count = build.cast(binary('le', below, u), rate.dtype);
  for (let k = 1; k < MOST_EVENTS; k++) {
    p = times(mul(p, rate), 1 / k);
    const next = add(below, p);
    // where nothing is added any more, u is among the last few numbers below 1
    const isBeyond = both(binary('le', next, u), binary('lt', below, next));
    count = add(count, build.cast(isBeyond, rate.dtype));
    below = next;
  }
  return count;
}

/** The quantile of a normal number w, as a series in 1/√λ (Giles 2016), cut off to a whole number: at 10 one draw in 7000 is another one. */
function countByNormal(rate: Node): Node {
  const w = build.cast(random.normal(rate.shape), rate.dtype);
  const root = unary('sqrt', rate);
  const square = mul(w, w);
  const second = plus(times(square, 1 / 6), 1 / 3);
  const third = neg(mul(w, plus(times(square, 1 / 72), 1 / 36)));
  const fourth = polynomial(square, [1 / 270, 7 / 810, -8 / 405]);
  const correction = add(second, add(div(third, root), div(fourth, rate)));
  return unary('floor', binary('max', add(rate, add(mul(root, w), correction)), constant(0, rate)));
}

/** Numbers of events at these rates, as float32. A rate below 0 is an IndexError when numbers are read. PyTorch: torch.poisson. */
export function poisson<S extends Shape>(rate: Tensor<S>): Tensor<S> {
  const given = parameter(rate, 'poisson', 'the rate');
  const says = `poisson: {index} of ${given.size} rates are below 0, or not numbers.`;
  const t = checkedWhere(given, not(binary('le', constant(0, given), given)), says);
  const isLarge = isAbove(t, MOST_SUMMED);
  const [low, high] = [binary('min', t, constant(MOST_SUMMED, t)), binary('max', t, constant(MOST_SUMMED, t))];
  return wrap(where(isLarge, countByNormal(high), countByInversion(low)));
}

// ---------------------------------------------------------------- draws from weights

export interface MultinomialOptions {
  /** May the same position be drawn again? Default false. */
  readonly replacement?: boolean;
}

const MULTINOMIAL_OPTIONS: OptionNames<MultinomialOptions> = { replacement: true };

/**
 * `count` positions drawn from weights [n], or from each row of [m, n] → int32 [count] or [m, count], each with a probability that is
 * its share of the weights. Without replacement (the default) no position twice: there have to be as many weights above 0. Weights that are
 * negative or no numbers, and too few above 0, are an IndexError when numbers are read. PyTorch: torch.multinomial.
 */
export function multinomial(
  weights: AnyTensor,
  count: number,
  options?: MultinomialOptions,
): Tensor<number[], 'int32'> {
  const op = 'multinomial';
  const given = parameter(weights, op, 'the weights');
  checkWhole(op, 'the count', count, 1);
  checkOptions(op, options, MULTINOMIAL_OPTIONS);
  const replaces = options?.replacement ?? false;
  if (given.shape.length !== 1 && given.shape.length !== 2)
    throw new ShapeError(`${op}: weights ${formatShape(given.shape)}: needs [n] or [m, n]`, [given.shape]);
  const rows = given.shape.length === 2 ? given : build.reshape(given, [1, given.size]);
  const [, n] = rows.shape;
  if (n === 0 || (!replaces && count > n))
    throw new ArgumentError(
      `${op}: ${count} draws from ${n} weights. ${n === 0 ? 'Give at least one.' : `Use at most ${n}, or { replacement: true }.`}`,
    );
  const isWrong = not(both(binary('le', constant(0, rows), rows), isBelow(rows, Infinity)));
  const clean = checkedWhere(
    rows,
    isWrong,
    `${op}: {index} of ${rows.size} weights are negative, infinite or not numbers.`,
  );
  const positive = build.sum(build.cast(isAbove(clean, 0), 'int32'), [1]);
  const needed = replaces ? 1 : count;
  const safe = checkedWhere(
    clean,
    isBelow(positive, needed),
    `${op}: {index} rows have fewer than ${needed} weights above 0.`,
  );
  const drawn = replaces ? drawAgain(safe, positive, count) : drawOnce(safe, count);
  return wrap(given.shape.length === 2 ? drawn : build.reshape(drawn, [count]));
}

/** The largest of the log-weights with Gumbel noise are draws without replacement (Vieira 2014, Kool et al. 2019). */
function drawOnce(weights: Node, count: number): Node {
  const keys = add(unary('log', weights), build.cast(gumbels(weights.shape), weights.dtype));
  if (count === 1) return argExtreme('reduceMax', 'multinomial', keys, 1, true);
  return build.sliceAxis(build.argsort(keys, 1, true), 1, 0, count);
}

/** Where a uniform part of the total lies among the running sums: a binary search of all draws together. */
function drawAgain(weights: Node, positive: Node, count: number): Node {
  const [m, n] = weights.shape;
  if (count === 1) return drawOnce(weights, 1);
  // positions without weight go to the end, so that no rounding of a sum can choose one
  const order = build.argsort(build.cast(isEqual(weights, 0), 'int32'), 1, false);
  const sums = build.cumsum(build.gather(weights, 1, order), 1);
  const total = build.sliceAxis(sums, 1, n - 1, n);
  const v = mul(build.cast(random.uniform([m, count]), weights.dtype), total);
  const int = (value: number): Node => build.constant(value, 'int32') as Node;
  let at = build.expand(int(0), [m, count]);
  for (let step = 2 ** Math.floor(Math.log2(n)); step >= 1; step /= 2) {
    const next = add(at, int(step));
    const isInside = binary('le', next, int(n));
    const before = build.gather(sums, 1, where(isInside, add(next, int(-1)), int(0)));
    at = where(both(isInside, binary('le', before, v)), next, at);
  }
  return build.gather(order, 1, binary('min', at, binary('max', add(positive, int(-1)), int(0))));
}

export interface GumbelSoftmaxOptions {
  /** The temperature: towards 0 one element takes all. Default 1. */
  readonly tau?: number;
  /** 1 for the largest and 0 elsewhere, with the gradient of the soft result. Default false. */
  readonly hard?: boolean;
  /** Default −1. */
  readonly dim?: number;
}

const GUMBEL_SOFTMAX_OPTIONS: OptionNames<GumbelSoftmaxOptions> = { tau: true, hard: true, dim: true };

/** A draw from softmax(logits) that has a gradient (Jang et al. 2017, Maddison et al. 2017). PyTorch: F.gumbel_softmax. */
export function gumbelSoftmax<S extends Shape>(logits: Tensor<S>, options?: GumbelSoftmaxOptions): Tensor<S> {
  const op = 'gumbelSoftmax';
  const x = asFloat(nodeOf(logits, op, 'the logits'));
  checkOptions(op, options, GUMBEL_SOFTMAX_OPTIONS);
  const { tau = 1, hard = false, dim = -1 } = options ?? {};
  checkGiven(checkNumber, op, { tau });
  if (!(tau > 0)) throw new ArgumentError(`${op}: tau is ${shown(tau)}. Use a number above 0.`);
  const axis = normalizeDim(dim, x.shape.length, op);
  const noisy = add(x, build.cast(gumbels(x.shape), x.dtype));
  const soft = softmax(tau === 1 ? noisy : div(noisy, scalar(tau, x)), axis);
  if (!hard || x.size === 0) return wrap(soft);
  if (x.shape.length === 0) return wrap(soft); // the only element takes all
  const first = argExtreme('reduceMax', op, soft, axis, true);
  const chosen = build.cast(binary('eq', positions(x.shape.length, axis, x.shape[axis]), first), x.dtype);
  return wrap(build.custom(chosen, [soft], { name: op, backward: (g) => [g] }));
}
