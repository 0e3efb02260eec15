// Random tensors of distributions whose parameters are numbers. PyTorch has them as methods that fill a tensor; here they make one.
// All numbers come from the one generator (tensor/random.ts): the same seed gives the same numbers.

import { checkNumber } from '../engine/ir/arguments.js';
import type { FloatDType } from '../engine/ir/dtype.js';
import { ArgumentError } from '../engine/ir/errors.js';
import type { Node } from '../engine/ir/node.js';
import { type Shape, checkShape } from '../engine/ir/shape.js';
import * as random from '../tensor/random.js';
import type { Writable } from '../tensor/shape-types/shape.js';
import { type Tensor, wrap } from '../tensor/tensor.js';
import { type DrawOptions, drawn } from './draws.js';
import { add, constant, div, mul, plus, scalar, times, unary } from './operands.js';

/** Uniform in [from, to). PyTorch: Tensor.uniform_. */
export function uniform<const S extends Shape, D extends FloatDType = 'float32'>(
  shape: S,
  from = 0,
  to = 1,
  options?: DrawOptions<D>,
): Tensor<Writable<S>, NoInfer<D>> {
  const op = 'uniform';
  checkShape(shape, op);
  checkNumber(op, 'the lower end', from);
  checkNumber(op, 'the upper end', to);
  if (!(from <= to && Number.isFinite(to - from)))
    throw new ArgumentError(`${op}: the range is ${from} to ${to}. Use finite numbers, the smaller one first.`);
  const draw = (dtype: FloatDType): Node => {
    const u = random.uniform(shape, dtype);
    return add(mul(u, scalar(to - from, u)), scalar(from, u));
  };
  return wrap(drawn(op, options, draw));
}

/** Cauchy's distribution around a median: density σ / (π((x − median)² + σ²)). PyTorch: Tensor.cauchy_. */
export function cauchy<const S extends Shape, D extends FloatDType = 'float32'>(
  shape: S,
  median = 0,
  sigma = 1,
  options?: DrawOptions<D>,
): Tensor<Writable<S>, NoInfer<D>> {
  const op = 'cauchy';
  checkShape(shape, op);
  checkNumber(op, 'the median', median);
  checkPositive(op, 'sigma', sigma);
  const draw = (dtype: FloatDType): Node => {
    const u = random.uniform(shape, dtype);
    return add(mul(unary('tan', times(plus(u, -0.5), Math.PI)), scalar(sigma, u)), scalar(median, u));
  };
  return wrap(drawn(op, options, draw));
}

/** e to the power of normal numbers with this mean and standard deviation. PyTorch: Tensor.log_normal_. */
export function logNormal<const S extends Shape, D extends FloatDType = 'float32'>(
  shape: S,
  mean = 1,
  std = 2,
  options?: DrawOptions<D>,
): Tensor<Writable<S>, NoInfer<D>> {
  const op = 'logNormal';
  checkShape(shape, op);
  checkNumber(op, 'the mean', mean);
  checkPositive(op, 'the standard deviation', std);
  const draw = (dtype: FloatDType): Node => {
    const n = random.normal(shape, dtype);
    return unary('exp', add(mul(n, scalar(std, n)), scalar(mean, n)));
  };
  return wrap(drawn(op, options, draw));
}

/** The number of trials up to the first success of probability p: 1, 2, …. PyTorch: Tensor.geometric_. */
export function geometric<const S extends Shape, D extends FloatDType = 'float32'>(
  shape: S,
  p: number,
  options?: DrawOptions<D>,
): Tensor<Writable<S>, NoInfer<D>> {
  const op = 'geometric';
  checkShape(shape, op);
  if (!(typeof p === 'number' && p > 0 && p < 1))
    throw new ArgumentError(`${op}: the probability is ${String(p)}. Use a number between 0 and 1.`);
  const draw = (dtype: FloatDType): Node => {
    const u = random.uniform(shape, dtype);
    const rest: Node = unary('log1p', times(u, -1)); // log(1 − u), which is 0 at most
    return plus(unary('floor', div(rest, constant(Math.log1p(-p), u))), 1);
  };
  return wrap(drawn(op, options, draw));
}

function checkPositive(op: string, what: string, value: number): void {
  checkNumber(op, what, value);
  if (!(value > 0 && value < Infinity)) throw new ArgumentError(`${op}: ${what} is ${value}. Use a number above 0.`);
}
