// The arithmetic of Winograd's tiles (winograd.ts), and small things that its lowerings share.

import type { Node } from '../../../ir/node.js';
import * as L from '../../../loop/loop.js';
import type { Expr, Var } from '../../../loop/loop.js';
import type { KernelBuilder } from '../kernel/kernel-builder.js';
import { derive } from '../../graph/rewrite.js';

type Line = (x: readonly Expr[]) => Expr[];

/** S X Sᵀ, for the transform of a line x → S x. */
export function bothWays(k: KernelBuilder, square: readonly (readonly Expr[])[], line: Line): Expr[][] {
  const named = (values: readonly Expr[]): Var[] => values.map((v) => k.define('t', v));
  const columns = square[0].map((_, j) => named(line(square.map((row) => row[j]))));
  return columns[0].map((_, i) => named(line(columns.map((column) => column[i]))));
}

/** Bᵀ: four elements under a tile. */
export const ofInput: Line = ([a, b, c, d]) => [L.sub(a, c), L.add(b, c), L.sub(c, b), L.sub(b, d)];

/** The same as sums of two: row i is element FIRST[i] plus SIGN[i] times element SECOND[i]. */
export const FIRST = [0, 1, 2, 1];
export const SECOND = [2, 2, 1, 3];
export const SIGN = [-1, 1, -1, -1];

/** Aᵀ: the two results of a tile. */
export const ofOutput: Line = ([a, b, c, d]) => [L.add(L.add(a, b), c), L.sub(L.sub(b, c), d)];

/** A: gradients of two results. */
export const ofGradient: Line = ([a, b]) => [a, L.add(a, b), L.sub(a, b), L.unary('neg', b)];

/** G: the three weights of a line. */
export const ofWeights: Line = ([a, b, c]) => {
  const half = L.float(0.5, a.lanes);
  const outer = L.add(a, c);
  return [a, L.mul(half, L.add(outer, b)), L.mul(half, L.sub(outer, b)), c];
};

/** Gᵀ: gradients of three weights. */
export const ofKernel: Line = ([a, b, c, d]) => {
  const half = L.float(0.5, a.lanes);
  const sum = L.mul(half, L.add(b, c));
  return [L.add(a, sum), L.mul(half, L.sub(b, c)), L.add(d, sum)];
};

/** A node for memory of the kernel's own. */
export function leafLike(node: Node, shape: readonly number[]): Node {
  return derive(node, 'leaf', [], null, shape);
}
