// Functions of two or three numbers, element by element; operands broadcast.

import { checkNumber } from '../engine/ir/arguments.js';
import * as build from '../engine/ir/build.js';
import type { DType } from '../engine/ir/dtype.js';
import type { Node } from '../engine/ir/node.js';
import { type OptionNames, checkOptions } from '../engine/ir/options.js';
import type { Shape } from '../engine/ir/shape.js';
import { arithmetic, clamp as clampTo } from '../tensor/elementwise.js';
import { asFloat, asNumber, promoted } from '../tensor/operands.js';
import type { Broadcast } from '../tensor/shape-types/broadcast.js';
import { type AnyTensor, type Promoted, type Tensor, nodeOf, wrap } from '../tensor/tensor.js';
import {
  absOf,
  add,
  binary,
  both,
  constant,
  div,
  either,
  floatOf,
  floatPairOf,
  hasSign,
  isBelow,
  isEqual,
  isNaN,
  mul,
  nan,
  neg,
  not,
  pairOf,
  plus,
  squareOf,
  sub,
  tensorsOf,
  times,
  unary,
  where,
  withSlopes,
} from './operands.js';

type Any<S extends Shape> = Tensor<S, DType>;

/** The angle of the point (x, y), −π to π. PyTorch: torch.atan2. */
export function atan2<S extends Shape, B extends Shape = []>(y: Any<S>, x: Any<B> | number): Tensor<Broadcast<S, B>> {
  const [t, u] = floatPairOf('atan2', y, x);
  const [a, b] = [absOf(build.detach(t)), absOf(build.detach(u))];
  const [low, high] = [binary('min', a, b), binary('max', a, b)];
  const isSame = binary('eq', a, b); // 0 / 0 and ∞ / ∞ too
  const zeroOrOne = where(isEqual(high, 0), constant(0, high), constant(1, high));
  const octant = unary('atan', where(isSame, zeroOrOne, div(low, where(isSame, constant(1, high), high))));
  const quarter = where(binary('lt', b, a), sub(constant(Math.PI / 2, octant), octant), octant);
  const half = where(hasSign(u), sub(constant(Math.PI, quarter), quarter), quarter);
  const value = where(hasSign(t), neg(half), half);
  return wrap(
    withSlopes('atan2', [t, u], value, (g) => {
      const r = length(t, u);
      const [s, c] = [div(t, r), div(u, r)];
      const by = div(g, r);
      const isOrigin = isEqual(r, 0);
      const zero = constant(0, r);
      return [where(isOrigin, zero, mul(by, c)), where(isOrigin, zero, neg(mul(by, s)))];
    }),
  );
}

/** √(x² + y²) without overflow. */
function length(x: Node, y: Node): Node {
  const [a, b] = [absOf(x), absOf(y)];
  const [low, high] = [binary('min', a, b), binary('max', a, b)];
  const isEdge = either(isEqual(high, 0), isEqual(high, Infinity));
  const ratio = div(low, where(isEdge, constant(1, high), high));
  const inside = mul(high, unary('sqrt', plus(squareOf(where(isEdge, constant(0, ratio), ratio)), 1)));
  const isInfinite = either(isEqual(a, Infinity), isEqual(b, Infinity)); // beside NaN, too
  return where(isInfinite, constant(Infinity, high), where(isEdge, high, inside));
}

/** √(x² + y²), which does not overflow on the way. PyTorch: torch.hypot. */
export function hypot<S extends Shape, B extends Shape = []>(x: Any<S>, y: Any<B> | number): Tensor<Broadcast<S, B>> {
  const [t, u] = floatPairOf('hypot', x, y);
  const value = length(build.detach(t), build.detach(u));
  return wrap(withSlopes('hypot', [t, u], value, (g, out) => [mul(g, div(t, out)), mul(g, div(u, out))]));
}

/** The remainder of x / y with the sign of x, exactly, as C's fmod. An int32 divisor of 0 gives 0. PyTorch: torch.fmod. */
export function fmod<S extends Shape, D extends DType, B extends Shape = [], E extends DType = D>(
  x: Tensor<S, D>,
  y: Tensor<B, E> | number,
): Tensor<Broadcast<S, B>, Promoted<D, E>> {
  const [t, u] = pairOf('fmod', x, y).map(asNumber);
  const [a, b] = [absOf(build.detach(t)), absOf(build.detach(u))];
  const rest = binary('mod', a, b);
  const value = where(hasSign(t), neg(rest), rest);
  if (t.dtype === 'int32') return wrap(value);
  return wrap(withSlopes('fmod', [t, u], value, (g) => [g, neg(mul(g, unary('trunc', div(t, u))))]));
}

// ---------------------------------------------------------------- logarithms of sums, products with logarithms

/** max(x, y) and e^−|x − y|; equal infinities have no difference. */
function ordered(x: Node, y: Node): { most: Node; distance: Node } {
  const most = binary('max', x, y);
  return { most, distance: where(binary('eq', x, y), constant(0, x), absOf(sub(x, y))) };
}

/** log(eˣ + eʸ), which does not overflow. PyTorch: torch.logaddexp. */
export function logaddexp<S extends Shape, B extends Shape = []>(
  x: Any<S>,
  y: Any<B> | number,
): Tensor<Broadcast<S, B>> {
  const [t, u] = floatPairOf('logaddexp', x, y);
  const { most, distance } = ordered(build.detach(t), build.detach(u));
  const value = add(most, unary('log1p', unary('exp', neg(distance))));
  return wrap(withSlopes('logaddexp', [t, u], value, (g) => shares(g, sub(t, u))));
}

/** log₂(2ˣ + 2ʸ), which does not overflow. PyTorch: torch.logaddexp2. */
export function logaddexp2<S extends Shape, B extends Shape = []>(
  x: Any<S>,
  y: Any<B> | number,
): Tensor<Broadcast<S, B>> {
  const [t, u] = floatPairOf('logaddexp2', x, y);
  const { most, distance } = ordered(build.detach(t), build.detach(u));
  const power = unary('exp', times(distance, -Math.LN2));
  const value = add(most, times(unary('log1p', power), Math.LOG2E));
  return wrap(withSlopes('logaddexp2', [t, u], value, (g) => shares(g, times(sub(t, u), Math.LN2))));
}

const shares = (g: Node, d: Node): [Node, Node] => [mul(g, unary('sigmoid', d)), mul(g, unary('sigmoid', neg(d)))];

/** x · f(y), 0 where x is 0 unless y is NaN; the slope of f is 1 / `below`. */
function timesLog(op: 'xlogy' | 'xlog1py', x: Node, y: Node): Node {
  const [f, below, edge] =
    op === 'xlogy' ? (['log', (v: Node) => v, 0] as const) : (['log1p', (v: Node) => plus(v, 1), -1] as const);
  const [t, u] = [build.detach(x), build.detach(y)];
  const isZero = isEqual(t, 0);
  const safe = where(both(isZero, not(isNaN(u))), constant(1, u), u);
  const value = where(isZero, where(isNaN(u), nan(u), constant(0, u)), mul(t, unary(f, safe)));
  return withSlopes(op, [x, y], value, (g) => {
    const isFlat = both(isEqual(x, 0), binary('le', y, constant(edge, y)));
    const log = unary(f, where(isFlat, constant(1, y), y));
    return [where(isFlat, constant(0, g), mul(g, log)), mul(g, div(x, below(y)))];
  });
}

/** x · log y, and 0 where x is 0. PyTorch: torch.xlogy. */
export function xlogy<S extends Shape, B extends Shape = []>(x: Any<S>, y: Any<B> | number): Tensor<Broadcast<S, B>> {
  return wrap(timesLog('xlogy', ...floatPairOf('xlogy', x, y)));
}

/** x · log(1 + y), and 0 where x is 0. PyTorch: torch.special.xlog1py. */
export function xlog1py<S extends Shape, B extends Shape = []>(x: Any<S>, y: Any<B> | number): Tensor<Broadcast<S, B>> {
  return wrap(timesLog('xlog1py', ...floatPairOf('xlog1py', x, y)));
}

// ---------------------------------------------------------------- signs and extremes

/** |x| with the sign of y, −0 included; slope 0 at 0. PyTorch: torch.copysign. */
export function copysign<S extends Shape, B extends Shape = []>(
  x: Any<S>,
  y: Any<B> | number,
): Tensor<Broadcast<S, B>> {
  const a = absOf(floatOf(x, 'copysign', 'the first operand'));
  // −0 as a number would lose its sign on the way
  if (typeof y === 'number') return wrap(y < 0 || Object.is(y, -0) ? neg(a) : a);
  const [t, u] = floatPairOf('copysign', x, y);
  return wrap(where(hasSign(u), neg(absOf(t)), absOf(t)));
}

/** 0 where x is below 0, 1 above, the value at 0; no gradient. PyTorch: torch.heaviside. */
export function heaviside<S extends Shape, D extends DType, B extends Shape = [], E extends DType = D>(
  x: Tensor<S, D>,
  values: Tensor<B, E> | number,
): Tensor<Broadcast<S, B>, Promoted<D, E>> {
  const [t, u] = pairOf('heaviside', x, values).map((n) => build.detach(asNumber(n)));
  const step = where(isBelow(t, 0), constant(0, t), constant(1, t));
  const known = where(isEqual(t, 0), u, step);
  return wrap(t.dtype === 'int32' ? known : where(isNaN(t), t, known));
}

function extremeOf(op: 'fmax' | 'fmin', x: AnyTensor, y: AnyTensor | number): Node {
  const [t, u] = pairOf(op, x, y).map(asNumber);
  const wins = op === 'fmax' ? binary('le', u, t) : binary('le', t, u);
  return where(either(wins, isNaN(u)), t, u);
}

/** The larger one; a number rather than NaN. PyTorch: torch.fmax. */
export function fmax<S extends Shape, D extends DType, B extends Shape = [], E extends DType = D>(
  x: Tensor<S, D>,
  y: Tensor<B, E> | number,
): Tensor<Broadcast<S, B>, Promoted<D, E>> {
  return wrap(extremeOf('fmax', x, y));
}

/** The smaller one; a number rather than NaN. PyTorch: torch.fmin. */
export function fmin<S extends Shape, D extends DType, B extends Shape = [], E extends DType = D>(
  x: Tensor<S, D>,
  y: Tensor<B, E> | number,
): Tensor<Broadcast<S, B>, Promoted<D, E>> {
  return wrap(extremeOf('fmin', x, y));
}

/**
 * x limited to [min, max]: numbers, or tensors that broadcast with it; either may be left out. Where min is above max, max. A bound that
 * is a tensor has the gradient where it is taken. PyTorch: torch.clamp.
 */
export function clamp<D extends DType>(
  x: Tensor<Shape, D>,
  min: AnyTensor | number | undefined,
  max?: AnyTensor | number,
): Tensor<number[], D> {
  const t = nodeOf(x, 'clamp', 'the input');
  const bound = (value: AnyTensor | number | undefined, what: string): Node | number | undefined =>
    value === undefined || typeof value === 'number' ? value : nodeOf(value, 'clamp', what);
  const [low, high] = [bound(min, 'min'), bound(max, 'max')];
  if (typeof low !== 'object' && typeof high !== 'object') return wrap(clampTo(t, low, high));
  const above = low === undefined ? t : arithmetic('max', t, low);
  return wrap(high === undefined ? above : arithmetic('min', above, high));
}

// ---------------------------------------------------------------- three operands

/** start + weight · (end − start); the weight is a number or a tensor. PyTorch: torch.lerp. */
export function lerp<S extends Shape, B extends Shape>(
  start: Tensor<S>,
  end: Tensor<B>,
  weight: AnyTensor | number,
): Tensor<Broadcast<S, B>> {
  const [a, b] = tensorsOf('lerp', start, end).map(asFloat);
  const w = typeof weight === 'number' ? build.scalar(weight, a.dtype) : floatOf(weight, 'lerp', 'the weight');
  const d = sub(b, a);
  if (typeof weight === 'number') {
    checkNumber('lerp', 'the weight', weight);
    return wrap(weight < 0.5 ? add(a, mul(w, d)) : sub(b, mul(d, build.scalar(1 - weight, a.dtype))));
  }
  // from the nearer end, so that a weight of 1 is the end exactly
  const near = add(build.detach(a), mul(build.detach(w), build.detach(d)));
  const far = sub(build.detach(b), mul(build.detach(d), sub(constant(1, w), build.detach(w))));
  const value = where(isBelow(absOf(build.detach(w)), 0.5), near, far);
  const [from, to, part] = [a, b, w].map((n) => build.expand(n, value.shape));
  return wrap(
    withSlopes('lerp', [from, to, part], value, (g) => [
      mul(g, sub(constant(1, part), part)),
      mul(g, part),
      mul(g, sub(to, from)),
    ]),
  );
}

export interface ScaledTermOptions {
  /** What the product or the quotient is multiplied by. Default 1. */
  readonly value?: number;
}

const SCALED_TERM_OPTIONS: OptionNames<ScaledTermOptions> = { value: true };

function withTerm(op: string, input: AnyTensor, term: Node, options: ScaledTermOptions | undefined): Node {
  const base = nodeOf(input, op, 'the input');
  checkOptions(op, options, SCALED_TERM_OPTIONS);
  const { value = 1 } = options ?? {};
  checkNumber(op, 'value', value);
  return build.add(...promoted(base, value === 1 ? term : mul(...promoted(term, value, op)), op));
}

/** input + value · a · b. PyTorch: torch.addcmul. */
export function addcmul(input: AnyTensor, a: AnyTensor, b: AnyTensor, options?: ScaledTermOptions): Tensor<number[]> {
  const [x, y] = tensorsOf('addcmul', a, b).map(asNumber);
  return wrap(withTerm('addcmul', input, mul(x, y), options));
}

/** input + value · a / b. PyTorch: torch.addcdiv. */
export function addcdiv(input: AnyTensor, a: AnyTensor, b: AnyTensor, options?: ScaledTermOptions): Tensor<number[]> {
  const [x, y] = tensorsOf('addcdiv', a, b).map(asFloat);
  return wrap(withTerm('addcdiv', input, div(x, y), options));
}
