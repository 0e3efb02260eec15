// Matrices made of several tensors or of their elements: blocks, combinations, powers. Names and meaning are PyTorch's.

import { checkGiven, checkNumber, checkWhole } from '../engine/ir/arguments.js';
import * as build from '../engine/ir/build.js';
import type { DType } from '../engine/ir/dtype.js';
import { ArgumentError, ShapeError } from '../engine/ir/errors.js';
import type { Node } from '../engine/ir/node.js';
import { type OptionNames, checkOptions } from '../engine/ir/options.js';
import { type Shape, formatShape } from '../engine/ir/shape.js';
import { tensor } from '../tensor/creation.js';
import * as movement from '../tensor/movement.js';
import { asNumber, promoted } from '../tensor/operands.js';
import { type AnyTensor, type Counted, type Tensor, nodeOf, nodesOf, wrap } from '../tensor/tensor.js';
import * as scans from '../tensor/scans.js';
import { meshgrid } from './arranging.js';

/** Vectors as the columns of a matrix; matrices are joined along dimension 1. PyTorch: torch.column_stack. */
export function columnStack<const Ts extends readonly AnyTensor[]>(tensors: Ts): Tensor<number[], Ts[number]['dtype']> {
  const columns = nodesOf(tensors, 'columnStack').map((x) => (x.shape.length < 2 ? build.reshape(x, [x.size, 1]) : x));
  return wrap(movement.cat(columns, 1, 'columnStack'));
}

/** A matrix with the given ones along its diagonal and zeros elsewhere; vectors are rows. PyTorch: torch.block_diag. */
export function blockDiag<D extends DType>(...matrices: readonly Tensor<Shape, D>[]): Tensor<number[], D> {
  const op = 'blockDiag';
  if (matrices.length === 0) throw new ArgumentError(`${op}: no matrices. Give at least one.`);
  const blocks = nodesOf(matrices, op).map((x) => {
    if (x.shape.length > 2) throw new ShapeError(`${op}: ${formatShape(x.shape)} is not a matrix`, [x.shape]);
    return x.shape.length === 2 ? x : build.reshape(x, [1, x.size]);
  });
  const width = blocks.reduce((sum, { shape }) => sum + shape[1], 0);
  let before = 0;
  const rows = blocks.map((block) => {
    const n = block.shape[1];
    const row = build.pad(block, [0, before], [0, width - before - n]);
    before += n;
    return row;
  });
  return wrap(movement.cat(rows, 0, op));
}

/** All combinations of one element of each vector, as rows. Of one vector itself. PyTorch: torch.cartesian_prod. */
export function cartesianProd<D extends DType>(...vectors: readonly Tensor<Shape, D>[]): Tensor<number[], D> {
  const op = 'cartesianProd';
  const nodes = nodesOf(vectors, op);
  if (nodes.length === 0) throw new ArgumentError(`${op}: no vectors. Give at least one.`);
  for (const { shape } of nodes)
    if (shape.length !== 1) throw new ShapeError(`${op}: ${formatShape(shape)} is not a vector`, [shape]);
  if (nodes.length === 1) return wrap(nodes[0]);
  const columns = meshgrid(vectors).map(({ node }) => build.reshape(node, [node.size, 1]));
  return wrap(build.concat(columns, 1));
}

export interface CombinationOptions {
  /** How many elements are in each. Default 2. */
  readonly r?: number;
  /** Whether an element may be there several times. Default false. */
  readonly withReplacement?: boolean;
}

const COMBINATION_OPTIONS: OptionNames<CombinationOptions> = { r: true, withReplacement: true };

/** The positions of all combinations of r of n elements, in order. */
function combinationsOf(n: number, r: number, repeated: boolean): number[][] {
  let rows: number[][] = [[]];
  for (let k = 0; k < r; k++) {
    rows = rows.flatMap((row) => {
      const last = row.at(-1);
      const from = last === undefined ? 0 : repeated ? last : last + 1;
      return Array.from({ length: Math.max(n - from, 0) }, (_, i) => [...row, from + i]);
    });
  }
  return rows;
}

/** All choices of `r` elements of a vector, as rows, in the order of the vector. PyTorch: torch.combinations. */
export function combinations<D extends DType>(
  x: Tensor<Shape, D>,
  options: CombinationOptions = {},
): Tensor<number[], D> {
  const op = 'combinations';
  const node = nodeOf(x, op);
  if (node.shape.length !== 1) throw new ShapeError(`${op}: ${formatShape(node.shape)} is not a vector`, [node.shape]);
  checkOptions(op, options, COMBINATION_OPTIONS);
  const { r = 2, withReplacement = false } = options;
  checkWhole(op, 'r', r, 0);
  if (r === 0) return wrap(build.filled(0, [0], node.dtype));
  const rows = combinationsOf(node.size, r, withReplacement);
  const at = tensor(Int32Array.from(rows.flat()), { device: x.device });
  if (rows.length === 0) return wrap(build.filled(0, [0, r], node.dtype));
  return wrap(build.reshape(build.gather(node, 0, at.node), [rows.length, r]));
}

export interface VanderOptions {
  /** How many powers. Default: as many as elements. */
  readonly n?: number;
  /** From x⁰ on, or down to it. Default false: down. */
  readonly increasing?: boolean;
}

const VANDER_OPTIONS: OptionNames<VanderOptions> = { n: true, increasing: true };

/** The powers of the elements of vectors along the last dimension: [...] → [..., n]. PyTorch: torch.vander, torch.linalg.vander. */
export function vander<D extends DType>(
  x: Tensor<Shape, D>,
  options: VanderOptions = {},
): Tensor<number[], Counted<D>> {
  const op = 'vander';
  const given = asNumber(nodeOf(x, op));
  const node = given.shape.length === 0 ? build.reshape(given, [1]) : given;
  checkOptions(op, options, VANDER_OPTIONS);
  const { n = node.shape.at(-1) ?? 0, increasing = false } = options;
  checkWhole(op, 'n', n, 0);
  const powers = powersOf(node, n);
  const last = node.shape.length;
  return wrap(increasing || n === 0 ? powers : build.flip(powers, [last]));
}

/** x⁰, x¹, …: a running product. */
function powersOf(x: Node, n: number): Node {
  const { shape } = x;
  if (n === 0) return build.filled(0, [...shape, 0], x.dtype);
  const ones = build.filled(1, [...shape, 1], x.dtype);
  if (n === 1) return ones;
  const more = build.expand(build.reshape(x, [...shape, 1]), [...shape, n - 1]);
  return build.concat([ones, scans.cumprod(more, shape.length)], shape.length);
}

/** The outer product β·x + α·u·vᵀ of vectors, added to a matrix. PyTorch: torch.addr. */
export function addr(
  x: AnyTensor,
  u: AnyTensor,
  v: AnyTensor,
  options: { readonly beta?: number; readonly alpha?: number } = {},
): Tensor<number[]> {
  const op = 'addr';
  checkOptions(op, options, { beta: true, alpha: true });
  const [a, b] = [nodeOf(u, op, 'the first vector'), nodeOf(v, op, 'the second vector')];
  if (a.shape.length !== 1 || b.shape.length !== 1)
    throw new ShapeError(`${op}: ${formatShape(a.shape)} and ${formatShape(b.shape)}: needs two vectors`, [
      a.shape,
      b.shape,
    ]);
  const [p, q] = promoted(a, b, op);
  const { alpha = 1, beta = 1 } = options;
  checkGiven(checkNumber, op, { alpha, beta });
  const outer: Tensor = wrap(build.mul(build.reshape(p, [p.size, 1]), build.reshape(q, [1, q.size])));
  const scaled = alpha === 1 ? outer : outer.mul(alpha);
  if (beta === 0) return scaled;
  const given: Tensor = wrap(nodeOf(x, op));
  return (beta === 1 ? given : given.mul(beta)).add(scaled);
}
