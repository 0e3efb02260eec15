// Products of vectors, matrices and tensors under their own names.

import { checkGiven, checkNumber, checkWhole } from '../engine/ir/arguments.js';
import * as build from '../engine/ir/build.js';
import type { DType } from '../engine/ir/dtype.js';
import { ArgumentError } from '../engine/ir/errors.js';
import type { Node } from '../engine/ir/node.js';
import { type OptionNames, checkOptions } from '../engine/ir/options.js';
import { type Shape, broadcastShapes, normalizeDim } from '../engine/ir/shape.js';
import { asNumber, promoted } from '../tensor/operands.js';
import { type AnyTensor, type Promoted, type Tensor, nodeOf, wrap } from '../tensor/tensor.js';
import { contract } from './contract.js';
import { misfit, multiplied } from './multiplied.js';

function pair(op: string, a: AnyTensor, b: AnyTensor, names: readonly [string, string]): [Node, Node] {
  return promoted(nodeOf(a, op, names[0]), nodeOf(b, op, names[1]), op).map(asNumber) as [Node, Node];
}

const VECTORS = ['the first vector', 'the second vector'] as const;
const MATRICES = ['the first matrix', 'the second matrix'] as const;
const TENSORS = ['the first tensor', 'the second tensor'] as const;

/** Labels of consecutive dimensions: 'a', 'b', … */
const letters = (from: number, count: number): string[] =>
  Array.from({ length: count }, (_, i) => String.fromCharCode(97 + from + i));

/** [m], [n] → [m, n], each element of the one times each of the other. PyTorch: torch.outer. */
export function outer<D extends DType, E extends DType>(
  a: Tensor<Shape, D>,
  b: Tensor<Shape, E>,
): Tensor<[number, number], Promoted<D, E>> {
  const [x, y] = pair('outer', a, b, VECTORS);
  if (x.shape.length !== 1 || y.shape.length !== 1) throw misfit('outer', x.shape, y.shape, 'needs two vectors');
  return wrap(build.mul(build.reshape(x, [x.size, 1]), build.reshape(y, [1, y.size])));
}

function dotOf(op: string, a: AnyTensor, b: AnyTensor): Node {
  const [x, y] = pair(op, a, b, VECTORS);
  if (x.shape.length !== 1 || y.shape.length !== 1) throw misfit(op, x.shape, y.shape, 'needs two vectors');
  if (x.size !== y.size) throw misfit(op, x.shape, y.shape, `sizes ${x.size} and ${y.size} differ`);
  return build.reshape(build.sum(build.mul(x, y), [0]), []);
}

/** Σ aᵢ·bᵢ of two vectors of the same size. PyTorch: torch.dot. */
export function dot<D extends DType, E extends DType>(
  a: Tensor<Shape, D>,
  b: Tensor<Shape, E>,
): Tensor<[], Promoted<D, E>> {
  return wrap(dotOf('dot', a, b));
}

/** As dot: the numbers are real. PyTorch: torch.vdot. */
export function vdot<D extends DType, E extends DType>(
  a: Tensor<Shape, D>,
  b: Tensor<Shape, E>,
): Tensor<[], Promoted<D, E>> {
  return wrap(dotOf('vdot', a, b));
}

/** The product of two operands of these ranks over the last axis of the first and the one before the last of the second. */
function multiply(op: string, a: AnyTensor, b: AnyTensor, ranks: readonly [number, number], needs: string): Node {
  const [x, y] = pair(op, a, b, MATRICES);
  if (x.shape.length !== ranks[0] || y.shape.length !== ranks[1]) throw misfit(op, x.shape, y.shape, needs);
  return multiplied(op, x, y);
}

/** [m, n] · [n] → [m]. PyTorch: torch.mv. */
export function mv<D extends DType, E extends DType>(
  matrix: Tensor<Shape, D>,
  vector: Tensor<Shape, E>,
): Tensor<[number], Promoted<D, E>> {
  return wrap(multiply('mv', matrix, vector, [2, 1], 'needs a matrix and a vector'));
}

/** [m, k] · [k, n] → [m, n]; nothing broadcasts. PyTorch: torch.mm. */
export function mm<D extends DType, E extends DType>(
  a: Tensor<Shape, D>,
  b: Tensor<Shape, E>,
): Tensor<[number, number], Promoted<D, E>> {
  return wrap(multiply('mm', a, b, [2, 2], 'needs two matrices'));
}

/** [b, m, k] · [b, k, n] → [b, m, n]; nothing broadcasts. PyTorch: torch.bmm. */
export function bmm<D extends DType, E extends DType>(
  a: Tensor<Shape, D>,
  b: Tensor<Shape, E>,
): Tensor<[number, number, number], Promoted<D, E>> {
  return wrap(multiply('bmm', a, b, [3, 3], 'needs two batches of matrices'));
}

// ---------------------------------------------------------------- with something added

export interface AddProductOptions {
  /** Of what is added; 0 leaves it out, NaN and ∞ in it too. Default 1. */
  readonly beta?: number;
  /** Of the product. Default 1. */
  readonly alpha?: number;
}

const ADD_PRODUCT_OPTIONS: OptionNames<AddProductOptions> = { beta: true, alpha: true };

const scaled = (x: Node, by: number, op: string): Node => (by === 1 ? x : build.mul(...promoted(x, by, op)));

/** beta · input + alpha · product, the input broadcast to the product's shape and no further. */
function added(op: string, input: AnyTensor, product: Node, options: AddProductOptions | undefined): Node {
  const base = asNumber(nodeOf(input, op, 'what is added'));
  checkOptions(op, options, ADD_PRODUCT_OPTIONS);
  const { beta = 1, alpha = 1 } = options ?? {};
  checkGiven(checkNumber, op, { beta, alpha });
  const { shape } = product;
  const lead = shape.length - base.shape.length;
  if (lead < 0 || base.shape.some((n, i) => n !== 1 && n !== shape[lead + i]))
    throw misfit(op, base.shape, shape, 'what is added does not broadcast to the product');
  const right = scaled(product, alpha, op);
  if (beta === 0) return build.cast(right, promoted(base, right, op)[0].dtype);
  return build.add(...promoted(scaled(base, beta, op), right, op));
}

/** beta · input + alpha · (a · b) for matrices [m, k] and [k, n]. PyTorch: torch.addmm. */
export function addmm(
  input: AnyTensor,
  a: AnyTensor,
  b: AnyTensor,
  options?: AddProductOptions,
): Tensor<[number, number]> {
  const product = multiply('addmm', a, b, [2, 2], 'needs two matrices');
  return wrap(added('addmm', input, product, options));
}

/** beta · input + alpha · (matrix · vector). PyTorch: torch.addmv. */
export function addmv(
  input: AnyTensor,
  matrix: AnyTensor,
  vector: AnyTensor,
  options?: AddProductOptions,
): Tensor<[number]> {
  const product = multiply('addmv', matrix, vector, [2, 1], 'needs a matrix and a vector');
  return wrap(added('addmv', input, product, options));
}

/** beta · input + alpha · Σ over the batch of a · b, for [b, m, k] and [b, k, n]. PyTorch: torch.addbmm. */
export function addbmm(
  input: AnyTensor,
  a: AnyTensor,
  b: AnyTensor,
  options?: AddProductOptions,
): Tensor<[number, number]> {
  const each = multiply('addbmm', a, b, [3, 3], 'needs two batches of matrices');
  const product = build.reshape(build.sum(each, [0]), each.shape.slice(1));
  return wrap(added('addbmm', input, product, options));
}

/** beta · input + alpha · (a · b) for [b, m, k] and [b, k, n]. PyTorch: torch.baddbmm. */
export function baddbmm(
  input: AnyTensor,
  a: AnyTensor,
  b: AnyTensor,
  options?: AddProductOptions,
): Tensor<[number, number, number]> {
  const product = multiply('baddbmm', a, b, [3, 3], 'needs two batches of matrices');
  return wrap(added('baddbmm', input, product, options));
}

// ---------------------------------------------------------------- tensors

/**
 * Σ over the last `dims` dimensions of a and the first of b (default 2), or over the dimensions listed for each of them. PyTorch:
 * torch.tensordot.
 */
export function tensordot<D extends DType, E extends DType>(
  a: Tensor<Shape, D>,
  b: Tensor<Shape, E>,
  dims: number | readonly [readonly number[], readonly number[]] = 2,
): Tensor<number[], Promoted<D, E>> {
  const op = 'tensordot';
  const [x, y] = pair(op, a, b, TENSORS);
  const [m, n] = [x.shape.length, y.shape.length];
  let lists = dims as readonly [readonly number[], readonly number[]];
  if (Array.isArray(dims)) {
    if (dims.length !== 2 || !dims.every((list) => Array.isArray(list)) || dims[0].length !== dims[1].length)
      throw new ArgumentError(`${op}: give a number of dimensions, or two lists of the same length: [[0], [1]].`);
  } else {
    checkWhole(op, 'dims', dims);
    if ((dims as number) > Math.min(m, n))
      throw new ArgumentError(
        `${op}: ${String(dims)} dimensions of ranks ${m} and ${n}. Use at most ${Math.min(m, n)}.`,
      );
    const count = dims as number;
    lists = [Array.from({ length: count }, (_, i) => m - count + i), Array.from({ length: count }, (_, i) => i)];
  }
  const left = lists[0].map((d) => normalizeDim(d, m, op));
  const right = lists[1].map((d) => normalizeDim(d, n, op));
  if (new Set(left).size < left.length || new Set(right).size < right.length)
    throw new ArgumentError(`${op}: a dimension is listed twice.`);
  left.forEach((d, i) => {
    const [n1, n2] = [x.shape[d], y.shape[right[i]]];
    // a size of 1 repeats, as in PyTorch
    if (n1 !== n2 && n1 !== 1 && n2 !== 1) throw misfit(op, x.shape, y.shape, `sizes ${n1} and ${n2} differ`);
  });
  const of = letters(0, m);
  const other = letters(m, n).map((label, i) => (right.includes(i) ? of[left[right.indexOf(i)]] : label));
  const free = [...of, ...other].filter((label, i, all) => all.indexOf(label) === all.lastIndexOf(label) && i >= 0);
  return wrap(
    contract(
      [
        { node: x, labels: of },
        { node: y, labels: other },
      ],
      free,
    ),
  );
}

/** Σ over the last dimension of both: [.., k], [.., k] → [.., ..]; a number multiplies. PyTorch: torch.inner. */
export function inner<D extends DType, E extends DType>(
  a: Tensor<Shape, D>,
  b: Tensor<Shape, E>,
): Tensor<number[], Promoted<D, E>> {
  const [x, y] = pair('inner', a, b, TENSORS);
  const [m, n] = [x.shape.length, y.shape.length];
  if (m === 0 || n === 0) return wrap(build.mul(x, y));
  if (x.shape[m - 1] !== y.shape[n - 1])
    throw misfit('inner', x.shape, y.shape, `last dimensions ${x.shape[m - 1]} and ${y.shape[n - 1]} differ`);
  const of = [...letters(0, m - 1), 'Z'];
  const other = [...letters(m, n - 1), 'Z'];
  return wrap(
    contract(
      [
        { node: x, labels: of },
        { node: y, labels: other },
      ],
      [...of.slice(0, -1), ...other.slice(0, -1)],
    ),
  );
}

/** Each element of a times the whole of b, as blocks: [m, n], [p, q] → [m·p, n·q], for any ranks. PyTorch: torch.kron. */
export function kron<D extends DType, E extends DType>(
  a: Tensor<Shape, D>,
  b: Tensor<Shape, E>,
): Tensor<number[], Promoted<D, E>> {
  const [x, y] = pair('kron', a, b, TENSORS);
  const rank = Math.max(x.shape.length, y.shape.length);
  const wide = (shape: Shape): number[] => [...new Array<number>(rank - shape.length).fill(1), ...shape];
  const [p, q] = [wide(x.shape), wide(y.shape)];
  const blocks = build.mul(
    build.reshape(
      x,
      p.flatMap((n) => [n, 1]),
    ),
    build.reshape(
      y,
      q.flatMap((n) => [1, n]),
    ),
  );
  return wrap(
    build.reshape(
      blocks,
      p.map((n, i) => n * q[i]),
    ),
  );
}

/** The vector product along a dimension of size 3; the others broadcast. PyTorch: torch.linalg.cross. */
export function cross<D extends DType, E extends DType>(
  a: Tensor<Shape, D>,
  b: Tensor<Shape, E>,
  dim = -1,
): Tensor<number[], Promoted<D, E>> {
  const [x, y] = pair('cross', a, b, TENSORS);
  if (x.shape.length !== y.shape.length) throw misfit('cross', x.shape, y.shape, 'ranks differ');
  const shape = broadcastShapes(x.shape, y.shape, 'cross');
  const axis = normalizeDim(dim, shape.length, 'cross');
  if (x.shape[axis] !== 3 || y.shape[axis] !== 3)
    throw misfit('cross', x.shape, y.shape, `dimension ${axis} needs size 3 in both`);
  const part = (t: Node, i: number): Node => build.sliceAxis(build.expand(t, shape), axis, i % 3, (i % 3) + 1);
  const parts = [0, 1, 2].map((i) =>
    build.sub(build.mul(part(x, i + 1), part(y, i + 2)), build.mul(part(x, i + 2), part(y, i + 1))),
  );
  return wrap(build.concat(parts, axis));
}
