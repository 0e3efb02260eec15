// Distances between vectors: of pairs, and of each with each.

import { checkChoice, checkGiven, checkNumber } from '../engine/ir/arguments.js';
import * as build from '../engine/ir/build.js';
import type { DType } from '../engine/ir/dtype.js';
import { ArgumentError, ShapeError } from '../engine/ir/errors.js';
import type { Node } from '../engine/ir/node.js';
import { type OptionNames, checkOptions } from '../engine/ir/options.js';
import { type Shape, broadcastShapes, formatShape, sizeOf } from '../engine/ir/shape.js';
import { tensor } from '../tensor/creation.js';
import { asFloat, promoted } from '../tensor/operands.js';
import { mean } from '../tensor/reductions.js';
import { type AnyTensor, type Tensor, nodeOf, wrap } from '../tensor/tensor.js';
import { normOf } from './norms.js';
import {
  absOf,
  add,
  binary,
  constant,
  div,
  isEqual,
  mul,
  sub,
  tensorsOf,
  times,
  unary,
  where,
  withSlope,
  withSlopes,
} from './operands.js';

function checkPower(op: string, p: unknown): void {
  checkNumber(op, 'p', p);
  if (!((p as number) >= 0))
    throw new ArgumentError(`${op}: p is ${String(p)}. Use a number of at least 0, or Infinity.`);
}

export interface PairwiseDistanceOptions {
  /** Of the norm. Default 2. */
  readonly p?: number;
  /** Added to the difference, so that the root has a gradient. Default 1e-6. */
  readonly eps?: number;
  /** Default false. */
  readonly keepdim?: boolean;
}

const PAIRWISE_DISTANCE_OPTIONS: OptionNames<PairwiseDistanceOptions> = { p: true, eps: true, keepdim: true };

/** ‖a − b + eps‖ₚ over the last dimension; the operands broadcast. PyTorch: F.pairwise_distance. */
export function pairwiseDistance(a: AnyTensor, b: AnyTensor, options?: PairwiseDistanceOptions): Tensor<number[]> {
  const op = 'pairwiseDistance';
  const [x, y] = tensorsOf(op, a, b).map(asFloat);
  checkOptions(op, options, PAIRWISE_DISTANCE_OPTIONS);
  const { p = 2, eps = 1e-6, keepdim = false } = options ?? {};
  checkGiven(checkNumber, op, { p, eps });
  if (x.shape.length === 0) throw new ShapeError(`${op}: a number has no distance. Give vectors.`, [x.shape]);
  const difference = add(sub(x, y), build.scalar(eps, x.dtype));
  return wrap(normOf(op, difference, p, -1, keepdim));
}

export interface CdistOptions {
  /** Of the norm: 0 counts what differs, Infinity takes the largest difference. Default 2. */
  readonly p?: number;
  /**
   * Whether distances with p = 2 come from a matrix product, √(a² + b² − 2ab), which is quick and inexact where points are near each
   * other: by default for more than 25 points. The names are PyTorch's.
   */
  readonly computeMode?:
    | 'use_mm_for_euclid_dist_if_necessary'
    | 'use_mm_for_euclid_dist'
    | 'donot_use_mm_for_euclid_dist';
}

const CDIST_OPTIONS: OptionNames<CdistOptions> = { p: true, computeMode: true };
const MODES = ['use_mm_for_euclid_dist_if_necessary', 'use_mm_for_euclid_dist', 'donot_use_mm_for_euclid_dist'];
/** As many points are few. */
const FEW = 25;

/** Every distance of a row of a [.., P, M] and one of b [.., R, M] → [.., P, R]; slope 0 where it is 0. PyTorch: torch.cdist. */
export function cdist(a: Tensor<Shape, DType>, b: Tensor<Shape, DType>, options?: CdistOptions): Tensor<number[]> {
  const op = 'cdist';
  const [x, y] = promoted(nodeOf(a, op, 'the first points'), nodeOf(b, op, 'the second points'), op).map(asFloat);
  checkOptions(op, options, CDIST_OPTIONS);
  const { p = 2, computeMode = MODES[0] } = options ?? {};
  checkPower(op, p);
  checkChoice(op, 'computeMode', computeMode, MODES);
  const [m, n] = [x.shape, y.shape].map((shape) => shape[shape.length - 1]);
  if (x.shape.length < 2 || y.shape.length < 2 || m !== n)
    throw new ShapeError(
      `${op}: ${formatShape(x.shape)} x ${formatShape(y.shape)}: needs [.., P, M] and [.., R, M] of the same M`,
      [x.shape, y.shape],
    );
  const batch = broadcastShapes(x.shape.slice(0, -2), y.shape.slice(0, -2), op, [x.shape, y.shape]);
  const [left, right] = [x, y].map((t) => build.expand(t, [...batch, ...t.shape.slice(-2)]));
  const [points, others] = [x, y].map((t) => t.shape[t.shape.length - 2]);
  if (m === 0 || points === 0 || others === 0) return wrap(build.filled(0, [...batch, points, others], x.dtype));
  const isMany = points > FEW || others > FEW;
  const usesProduct = computeMode === MODES[1] || (computeMode === MODES[0] && isMany);
  return wrap(p === 2 && usesProduct ? euclidean(left, right) : differences(op, left, right, p));
}

/** From all differences [.., P, R, M], which are not stored. */
function differences(op: string, x: Node, y: Node, p: number): Node {
  const lead = x.shape.slice(0, -2);
  const [points, width] = x.shape.slice(-2);
  const others = y.shape[y.shape.length - 2];
  const d = sub(build.reshape(x, [...lead, points, 1, width]), build.reshape(y, [...lead, 1, others, width]));
  if (p !== Infinity) return normOf(op, d, p, -1, false);
  // equal differences have the whole gradient each, as in PyTorch
  const last = d.shape.length - 1;
  const size = absOf(build.detach(d));
  const largest = withSlope(op, d, build.reduce('reduceMax', size, [last]), (g, out) =>
    where(binary('eq', absOf(d), out), mul(g, unary('sign', d)), constant(0, d)),
  );
  return build.reshape(largest, largest.shape.slice(0, last));
}

/** √(a² + b² − 2ab) of points from whose coordinates a common centre has been subtracted. */
function euclidean(x: Node, y: Node): Node {
  const centre = build.detach(mean(y, -2, true));
  const [a, b] = [sub(x, centre), sub(y, centre)];
  const [u, v] = [build.detach(a), build.detach(b)];
  const last = u.shape.length - 1;
  const squares = (t: Node): Node => build.sum(mul(t, t), [last]);
  const product = build.matmul(u, build.transposeLast(v));
  const square = sub(add(squares(u), build.transposeLast(squares(v))), times(product, 2));
  const value = unary('sqrt', binary('max', square, constant(0, square)));
  return withSlopes('cdist', [a, b], value, (g, out) => {
    const isZero = isEqual(out, 0);
    const w = where(isZero, constant(0, g), div(g, where(isZero, constant(1, out), out)));
    // Σⱼ wᵢⱼ (aᵢ − bⱼ), and the same the other way round
    const pulled = (weights: Node, own: Node, other: Node): Node =>
      sub(mul(own, build.sum(weights, [last])), build.matmul(weights, other));
    return [pulled(w, a, b), pulled(build.transposeLast(w), b, a)];
  });
}

/** The distances of all pairs of rows of x [n, M], i before j → [n·(n − 1) / 2]. PyTorch: F.pdist. */
export function pdist(x: Tensor<Shape, DType>, p = 2): Tensor<[number]> {
  const node = asFloat(nodeOf(x, 'pdist', 'the points'));
  checkPower('pdist', p);
  if (node.shape.length !== 2)
    throw new ShapeError(`pdist: points ${formatShape(node.shape)}: needs [n, M]`, [node.shape]);
  const [n, width] = node.shape;
  const pairs: number[] = [];
  for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) pairs.push(i * n + j);
  if (pairs.length === 0 || width === 0) return wrap(build.filled(0, [pairs.length], node.dtype));
  const all = build.reshape(differences('pdist', node, node, p), [sizeOf([n, n])]);
  return wrap(build.gather(all, 0, tensor(Int32Array.from(pairs)).node));
}
