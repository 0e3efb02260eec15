// A reduction with few results and many operands would run on one thread and add thousands of numbers one after the
// other. It is split in two: first partial results over chunks of the longest reduced axis, then their combination.
// That is parallel and, for sums, as accurate as pairwise summation. Sums over the rows of a large matrix are split too:
// each thread then reads whole rows, one after the other, as memory likes it.
// Input and output: a list of nodes in order; users of a split node are rewritten.

import type { Node } from '../ir/node.js';
import { isReduction } from './group.js';
import { type Rewritten, derive, rewrite } from './rewrite.js';

const FEW_RESULTS = 16;
const MANY_OPERANDS = 16384;
/** Sums of rows: elements and columns from which they are split. */
const LARGE_MATRIX = 1 << 20;
const MANY_COLUMNS = 256;
const CHUNKS = [64, 32, 48, 50, 40, 25, 20, 16, 128, 100, 10, 8];

export function splitReductions(nodes: readonly Node[]): Rewritten {
  return rewrite(nodes, (current, push) => {
    const split = isReduction(current) ? chunked(current) : undefined;
    if (split === undefined) return undefined;
    // [.., n, ..] → [.., chunks, n/chunks, ..] → reduce all but the chunks → reduce the chunks
    const { axis, chunks } = split;
    const operand = current.src[0];
    const { axes } = current.arg as { axes: readonly number[] };
    const shape = [
      ...operand.shape.slice(0, axis),
      chunks,
      operand.shape[axis] / chunks,
      ...operand.shape.slice(axis + 1),
    ];
    const view = push(derive(operand, 'reshape', [operand], { shape }, shape));
    const inner = axes.map((a) => (a >= axis ? a + 1 : a));
    const partial = push(
      derive(
        current,
        current.op,
        [view],
        { axes: inner },
        shape.map((n, i) => (inner.includes(i) ? 1 : n)),
      ),
    );
    const total = push(
      derive(
        current,
        current.op,
        [partial],
        { axes: [axis] },
        partial.shape.map((n, i) => (i === axis ? 1 : n)),
      ),
    );
    return derive(current, 'reshape', [total], { shape: current.shape }, current.shape);
  });
}

function chunked(node: Node): { axis: number; chunks: number } | undefined {
  const operand = node.src[0];
  const { axes } = node.arg as { axes: readonly number[] };
  const few = node.size > 0 && node.size <= FEW_RESULTS && operand.size / node.size >= MANY_OPERANDS;
  const tall =
    operand.size >= LARGE_MATRIX &&
    axes.every((a, i) => a === i) &&
    node.size >= MANY_COLUMNS &&
    operand.size / node.size >= MANY_COLUMNS;
  if (!few && !tall) return undefined;
  for (const axis of [...axes].sort((a, b) => operand.shape[b] - operand.shape[a])) {
    const chunks = CHUNKS.find((c) => operand.shape[axis] % c === 0 && operand.shape[axis] > c);
    if (chunks !== undefined) return { axis, chunks };
  }
  return undefined;
}
