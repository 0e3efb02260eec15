// Products of a matrix with its own transpose, XᵀX and X·Xᵀ, are symmetric: the lower half is computed, and the upper one is its mirror image.
// BLAS: syrk. A product that is marked as half leaves what lies above the diagonal undefined, but for tiles that the diagonal
// crosses.
// Input and output: a list of nodes in order; who read such a product reads the two halves put together.

import { type Node, isOp } from '../../ir/node.js';
import { type Rewritten, derive, rewrite } from './rewrite.js';

/** Smaller results are a few tiles, most of which the diagonal crosses; shorter sums take no longer than their mirror image. */
const LEAST_ROWS = 96;
const LEAST_SUM = 1024;

export function halveSymmetric(nodes: readonly Node[]): Rewritten {
  return rewrite(nodes, (node, push) => {
    if (!isSymmetric(node)) return undefined;
    const half = push(derive(node, 'matmul', node.src, { half: true }, node.shape));
    const last = node.shape.length - 1;
    const n = node.shape[last];
    const axes = node.shape.map((_, i) => (i < last - 1 ? i : 2 * last - 1 - i));
    const mirrored = push(derive(half, 'permute', [half], { axes }, node.shape));
    const places = push({ ...derive(node, 'iota', [], { size: n }, [n]), dtype: 'int32' });
    const along = (axis: number): Node => {
      const shape = node.shape.map((_, i) => (i === axis ? n : 1));
      const line = push(derive(places, 'reshape', [places], { shape }, shape));
      const square = node.shape.map((_, i) => (i < last - 1 ? 1 : n));
      return push(derive(line, 'expand', [line], { shape: square }, square));
    };
    const [row, column] = [along(last - 1), along(last)];
    const isAbove: Node = { ...derive(row, 'lt', [row, column], null, row.shape), dtype: 'bool' };
    return derive(node, 'where', [push(isAbove), mirrored, half], null, node.shape);
  });
}

function isSymmetric(node: Node): boolean {
  if (!isOp(node, 'matmul') || node.arg !== null) return false;
  const [a, b] = node.src;
  const isLong = a.shape[a.shape.length - 1] >= LEAST_SUM;
  return isLong && node.shape[node.shape.length - 1] >= LEAST_ROWS && (isTransposeOf(a, b) || isTransposeOf(b, a));
}

/** Are the last two axes of `x` exchanged, and no others? */
function isTransposeOf(node: Node, x: Node): boolean {
  if (!isOp(node, 'permute') || node.src[0] !== x) return false;
  const last = x.shape.length - 1;
  return node.arg.axes.every((axis, i) => axis === (i < last - 1 ? i : 2 * last - 1 - i));
}
