// Running results along a dimension, and their opposite. Names and meaning are PyTorch's.

import { checkWhole } from '../engine/ir/arguments.js';
import * as build from '../engine/ir/build.js';
import type { DType } from '../engine/ir/dtype.js';
import { ShapeError } from '../engine/ir/errors.js';
import type { Node } from '../engine/ir/node.js';
import { type OptionNames, checkOptions } from '../engine/ir/options.js';
import { type Shape, normalizeDim } from '../engine/ir/shape.js';
import { cat } from '../tensor/movement.js';
import { asFloat, asNumber } from '../tensor/operands.js';
import { isFloat } from '../tensor/order.js';
import { positions } from '../tensor/reductions.js';
import * as scans from '../tensor/scans.js';
import type { DimArg } from '../tensor/shape-types/axis.js';
import { type Counted, type Extreme, type Tensor, nodeOf, wrap } from '../tensor/tensor.js';

/** Running product along `dim`; int32 wraps around at 2³¹. PyTorch: torch.cumprod. */
export function cumprod<X extends Shape, D extends DType, Dim extends number>(
  x: Tensor<X, D>,
  dim: Dim & DimArg<'cumprod', X, Dim>,
): Tensor<X, Counted<D>> {
  return wrap(scans.cumprod(nodeOf(x, 'cumprod'), dim));
}

/** Running maximum along `dim` and where it is, the last place of equal ones; NaN counts as largest. PyTorch: torch.cummax. */
export function cummax<X extends Shape, D extends DType, Dim extends number>(
  x: Tensor<X, D>,
  dim: Dim & DimArg<'cummax', X, Dim>,
): Extreme<X, D> {
  return runningExtreme('cummax', nodeOf(x, 'cummax'), dim);
}

/** Running minimum along `dim` and where it is, the last place of equal ones; NaN counts as smallest. PyTorch: torch.cummin. */
export function cummin<X extends Shape, D extends DType, Dim extends number>(
  x: Tensor<X, D>,
  dim: Dim & DimArg<'cummin', X, Dim>,
): Extreme<X, D> {
  return runningExtreme('cummin', nodeOf(x, 'cummin'), dim);
}

function runningExtreme<X extends Shape, D extends DType>(
  op: 'cummax' | 'cummin',
  x: Node,
  dim: number,
): Extreme<X, D> {
  const axis = normalizeDim(dim, x.shape.length, op);
  const plain = asNumber(build.detach(x));
  const extremes = build.running(op === 'cummax' ? 'max' : 'min', plain, axis);
  // An element is the extreme so far where it equals it; the last place of one is the largest.
  const isReached = isFloat(x)
    ? build.binary('or', build.binary('ne', plain, plain), build.binary('eq', plain, extremes))
    : build.binary('eq', plain, extremes);
  const places = build.expand(positions(x.shape.length, axis, x.shape[axis] ?? 1), x.shape);
  const reached = build.where(isReached, places, build.constant(0, 'int32') as Node);
  const indices = build.running('max', reached, axis);
  // The gradient goes to the element that is the extreme.
  const values = x.requiresGrad || x.dtype === 'bool' ? build.gather(x, axis, indices) : extremes;
  return { values: wrap(values), indices: wrap(indices) };
}

/** Running log Σ exp along `dim`, without overflow. PyTorch: torch.logcumsumexp. */
export function logcumsumexp<X extends Shape, Dim extends number>(
  x: Tensor<X, DType>,
  dim: Dim & DimArg<'logcumsumexp', X, Dim>,
): Tensor<X> {
  const node = asFloat(nodeOf(x, 'logcumsumexp'));
  const axis = normalizeDim(dim, node.shape.length, 'logcumsumexp');
  return wrap(scans.running('logaddexp', node, axis, logaddexp));
}

/** log(eᵃ + eᵇ) as the larger one and what the other adds; equal infinities are themselves. */
function logaddexp(a: Node, b: Node): Node {
  const largest = build.binary('max', a, b);
  const distance = build.sub(a, b);
  const isNumber = build.binary('eq', distance, distance);
  const more = build.unary('log1p', build.unary('exp', build.neg(build.unary('abs', distance))));
  const value = build.where(isNumber, build.add(largest, more), largest);
  if (!a.requiresGrad && !b.requiresGrad) return value;
  const safe = build.where(isNumber, distance, build.constant(0, a.dtype) as Node);
  const backward = (gradient: unknown): Node[] => [
    build.mul(gradient as Node, build.unary('sigmoid', safe)),
    build.mul(gradient as Node, build.unary('sigmoid', build.neg(safe))),
  ];
  return build.custom(value, [a, b], { name: 'logcumsumexp', backward });
}

interface DiffOptions<D extends DType> {
  /** How often differences are taken; 1 by default. */
  readonly n?: number;
  /** The last dimension by default. */
  readonly dim?: number;
  /** Put in front and behind before the differences are taken. */
  readonly prepend?: Tensor<Shape, D>;
  readonly append?: Tensor<Shape, D>;
}

const DIFF_OPTIONS: OptionNames<DiffOptions<DType>> = { n: true, dim: true, prepend: true, append: true };

/** Differences of neighbours along a dimension, which is shorter by one for each time; of truth values whether they differ. PyTorch: torch.diff. */
export function diff<D extends DType>(x: Tensor<Shape, D>, options: DiffOptions<NoInfer<D>> = {}): Tensor<number[], D> {
  const given = nodeOf(x, 'diff');
  checkOptions('diff', options, DIFF_OPTIONS);
  const { n = 1, dim = -1, prepend, append } = options;
  checkWhole('diff', 'n', n);
  if (given.shape.length === 0) throw new ShapeError('diff: a tensor of rank 0 has no neighbours.', [given.shape]);
  const axis = normalizeDim(dim, given.shape.length, 'diff');
  if (n === 0) return wrap(given);
  const parts = [given];
  if (prepend !== undefined) parts.unshift(nodeOf(prepend, 'diff', 'prepend'));
  if (append !== undefined) parts.push(nodeOf(append, 'diff', 'append'));
  for (const { shape } of parts) {
    if (shape.length !== given.shape.length)
      throw new ShapeError(`diff: prepend and append have the rank of the tensor, ${given.shape.length}`, [
        shape,
        given.shape,
      ]);
  }
  let out = cat(parts, axis);
  for (let i = 0; i < n && out.shape[axis] > 0; i++) out = differences(out, axis);
  return wrap(out);
}

function differences(x: Node, axis: number): Node {
  const n = x.shape[axis];
  const before = build.sliceAxis(x, axis, 0, n - 1);
  const after = n === 1 ? before : build.sliceAxis(x, axis, 1, n);
  return x.dtype === 'bool' ? build.binary('ne', after, before) : build.sub(after, before);
}
