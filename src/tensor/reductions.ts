// Reductions, softmax and ordering, on graph nodes. Primitive reductions keep their axes with size 1; here axes are
// given as users do (negative, several, none) and dropped unless kept.

import { markProbabilities } from './probabilities.js';
import * as build from '../engine/ir/build.js';
import { ArgumentError, ShapeError } from '../engine/ir/errors.js';
import type { Node } from '../engine/ir/node.js';
import { formatShape, normalizeDim, normalizeDims, shown } from '../engine/ir/shape.js';
import { asBool, asFloat, asNumber, asSummand, checkNumber } from './operands.js';

export type Dim = number | readonly number[] | undefined;

const constant = (value: number): Node => build.constant(value) as Node;

/** Drops the axes, which have size 1. */
function drop(x: Node, axes: readonly number[]): Node {
  return build.reshape(
    x,
    x.shape.filter((_, i) => !axes.includes(i)),
  );
}

function reduced(
  op: 'sum' | 'prod' | 'reduceMax' | 'reduceMin',
  name: string,
  x: Node,
  dim: Dim,
  keepdim: boolean,
): Node {
  const axes = normalizeDims(dim, x.shape.length, name);
  const isSum = op === 'sum' || op === 'prod';
  const out = build.reduce(op, isSum ? asSummand(x) : asNumber(x), axes);
  return keepdim ? out : drop(out, axes);
}

export const sum = (x: Node, dim: Dim, keepdim: boolean): Node => reduced('sum', 'sum', x, dim, keepdim);
export const prod = (x: Node, dim: Dim, keepdim: boolean): Node => reduced('prod', 'prod', x, dim, keepdim);
export const amax = (x: Node, dim: Dim, keepdim: boolean): Node => reduced('reduceMax', 'amax', x, dim, keepdim);
export const amin = (x: Node, dim: Dim, keepdim: boolean): Node => reduced('reduceMin', 'amin', x, dim, keepdim);

function countOf(x: Node, axes: readonly number[]): number {
  return axes.reduce((n, a) => n * x.shape[a], 1);
}

/**
 * The sum divided by the count, not multiplied by its reciprocal: 41 · (1/41) is less than 1, and equal numbers shall have no
 * variance. 0/0 is NaN as in PyTorch.
 */
function meanOf(x: Node, axes: readonly number[]): Node {
  return build.div(build.sum(x, axes), constant(countOf(x, axes)));
}

export function mean(x: Node, dim: Dim, keepdim: boolean): Node {
  const axes = normalizeDims(dim, x.shape.length, 'mean');
  const out = meanOf(asFloat(x), axes);
  return keepdim ? out : drop(out, axes);
}

export function variance(x: Node, dim: Dim, keepdim: boolean, correction: number, op = 'var'): Node {
  const axes = normalizeDims(dim, x.shape.length, op);
  checkNumber(correction, op, 'correction');
  const f = asFloat(x);
  const n = countOf(x, axes);
  const centred = build.sub(f, meanOf(f, axes));
  const out = build.div(build.sum(build.mul(centred, centred), axes), constant(Math.max(n - correction, 0)));
  return keepdim ? out : drop(out, axes);
}

/** √x, with slope 0 instead of ∞ at 0: of a sum of squares, whose terms have slope 0 there. */
function rootOfSquares(x: Node): Node {
  return whereNotZero(x, (y) => build.unary('sqrt', y));
}

/** f(x), and 0 with slope 0 where x is 0. */
function whereNotZero(x: Node, f: (x: Node) => Node): Node {
  const isZero = build.binary('eq', x, constant(0));
  return build.where(isZero, constant(0), f(build.where(isZero, constant(1), x)));
}

export function std(x: Node, dim: Dim, keepdim: boolean, correction: number): Node {
  return rootOfSquares(variance(x, dim, keepdim, correction, 'std'));
}

export function norm(x: Node, p: number, dim: Dim, keepdim: boolean): Node {
  const f = asFloat(x);
  const a = build.unary('abs', f);
  normalizeDims(dim, x.shape.length, 'norm');
  checkNumber(p, 'norm', 'p');
  if (p === Infinity) return amax(a, dim, keepdim);
  if (p === 1) return sum(a, dim, keepdim);
  if (p === 2) return rootOfSquares(sum(build.mul(f, f), dim, keepdim));
  if (!(p > 0)) throw new ArgumentError(`norm: p is ${p}. Use a number above 0 or Infinity.`);
  const raised = (y: Node): Node => build.binary('pow', y, build.scalar(p));
  const power = p < 1 ? whereNotZero(a, raised) : raised(a); // below 1 the slope at 0 would be ∞
  return whereNotZero(sum(power, dim, keepdim), (y) => build.binary('pow', y, build.scalar(1 / p)));
}

/** Whether any element is true: their number is not 0. */
export function any(x: Node, dim: Dim, keepdim: boolean, name = 'any'): Node {
  return asBool(reduced('sum', name, build.cast(asBool(x), 'int32'), dim, keepdim));
}

export function all(x: Node, dim: Dim, keepdim: boolean): Node {
  return build.unary('not', any(build.unary('not', asBool(x)), dim, keepdim, 'all'));
}

// ---------------------------------------------------------------- softmax

/**
 * The maximum along axes, as a number to subtract before exponentials are added up: no gradient flows through it, and NaN,
 * which gets into the sum anyway, needs no attention.
 */
function shift(x: Node, axes: readonly number[]): Node {
  return build.detach(build.reduce('reduceFmax', x, axes));
}

export function softmax(x: Node, dim: number): Node {
  const f = asFloat(x);
  const axis = normalizeDim(dim, x.shape.length, 'softmax');
  if (f.shape.length === 0) return build.reshape(softmax(build.reshape(f, [1]), 0), []);
  if (f.size === 0) return f; // also along an axis without elements
  const e = build.unary('exp', build.sub(f, shift(f, [axis])));
  // One division a row instead of one an element would be faster, and doubles the error of the gradient.
  const value = build.div(e, build.sum(e, [axis]));
  if (!f.requiresGrad) return markProbabilities(value);
  // y · (g − Σ g·y) needs the result alone; the derivatives of exp, sum and quotient would keep the exponentials too.
  const backward = (gradient: unknown): Node[] => {
    const g = gradient as Node;
    return [build.mul(result, build.sub(g, build.sum(build.mul(g, result), [axis])))];
  };
  const result: Node = build.custom(value, [f], { name: 'softmax', backward });
  return markProbabilities(result);
}

export function logSoftmax(x: Node, dim: number): Node {
  const f = asFloat(x);
  const axis = normalizeDim(dim, x.shape.length, 'logSoftmax');
  if (f.shape.length === 0) return build.reshape(logSoftmax(build.reshape(f, [1]), 0), []);
  if (f.size === 0) return f;
  const shifted = build.sub(f, shift(f, [axis]));
  return build.sub(shifted, build.unary('log', build.sum(build.unary('exp', shifted), [axis])));
}

export function logsumexp(x: Node, dim: Dim, keepdim: boolean): Node {
  const f = asFloat(x);
  const axes = normalizeDims(dim, x.shape.length, 'logsumexp');
  // of none: log 0
  const top = countOf(f, axes) === 0 ? (build.constant(0) as Node) : shift(f, axes);
  // an infinite maximum would give ∞ − ∞
  const safe = build.where(
    build.binary('lt', build.unary('abs', top), build.constant(Infinity) as Node),
    top,
    build.constant(0) as Node,
  );
  const out = build.add(build.unary('log', build.sum(build.unary('exp', build.sub(f, safe)), axes)), safe);
  return keepdim ? out : drop(out, axes);
}

// ---------------------------------------------------------------- positions and order

const LAST_INDEX = 0x7fffffff;

/** 0, 1, 2, … along one axis of a shape of this rank. */
export function positions(rank: number, axis: number, size: number): Node {
  return build.reshape(
    build.iota(size),
    Array.from({ length: rank }, (_, i) => (i === axis ? size : 1)),
  );
}

/** Index of the first extreme element; a NaN counts as the extreme, as in PyTorch. */
export function argExtreme(
  op: 'reduceMax' | 'reduceMin',
  name: string,
  x: Node,
  dim: number | undefined,
  keepdim: boolean,
): Node {
  const source = dim === undefined ? build.reshape(x, [x.size]) : x;
  const axis = dim === undefined ? 0 : normalizeDim(dim, x.shape.length, name);
  const rank = source.shape.length;
  if (source.shape[axis] === 0)
    throw new ShapeError(`${name}: ${formatShape(x.shape)} has no elements to reduce`, [x.shape]);
  if (rank === 0) return build.constant(0, 'int32') as Node;
  const number = asNumber(build.detach(source));
  const hit = build.binary(
    'or',
    build.binary('eq', number, build.reduce(op, number, [axis])),
    build.binary('ne', number, number),
  );
  const at = build.where(hit, positions(rank, axis, source.shape[axis]), build.constant(LAST_INDEX, 'int32') as Node);
  const first = build.reduce('reduceMin', at, [axis]);
  if (dim === undefined) return build.reshape(first, keepdim ? x.shape.map(() => 1) : []);
  return keepdim ? first : drop(first, [axis]);
}

/** The extreme along one axis and where it is; its gradient goes to that element alone. */
export function extreme(
  op: 'reduceMax' | 'reduceMin',
  name: string,
  x: Node,
  dim: number,
  keepdim: boolean,
): { values: Node; indices: Node } {
  const axis = normalizeDim(dim, x.shape.length, name);
  const indices = argExtreme(op, name, x, dim, true);
  const values = build.gather(x, axis, indices);
  return keepdim ? { values, indices } : { values: drop(values, [axis]), indices: drop(indices, [axis]) };
}

export function argsort(x: Node, dim: number, descending: boolean, op = 'sort'): Node {
  return build.argsort(asNumber(x), normalizeDim(dim, x.shape.length, op), descending);
}

export function topk(x: Node, k: number, dim: number, largest: boolean): { values: Node; indices: Node } {
  const axis = normalizeDim(dim, x.shape.length, 'topk');
  const size = x.shape[axis] ?? 1;
  if (!Number.isInteger(k) || k < 0 || k > size)
    throw new ArgumentError(`topk: k is ${shown(k)}, dimension ${axis} has size ${size}. Use 0 to ${size}.`);
  const indices = build.sliceAxis(argsort(x, axis, largest), axis, 0, k);
  return { values: build.gather(x, axis, indices), indices };
}

export function cumsum(x: Node, dim: number): Node {
  return build.cumsum(asSummand(x), normalizeDim(dim, x.shape.length, 'cumsum'));
}
