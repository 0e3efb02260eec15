// A reduction with few results and many operands would run on one thread and add thousands of numbers one after the
// other. It is split in two: first partial results over chunks of the longest reduced axis, then their combination.
// That is parallel. Sums over the rows of a large matrix are split too:
// each thread then reads whole rows, one after the other, as memory likes it.
// Input and output: a list of nodes in order; users of a split node are rewritten.

import type { Node } from '../../ir/node.js';
import { isReduction } from './kinds.js';
import { type Rewritten, derive, rewrite } from './rewrite.js';

const FEW_RESULTS = 16;
const MANY_OPERANDS = 16384;
/** Sums of rows: elements and columns from which they are split. */
const LARGE_MATRIX = 1 << 20;
const MANY_COLUMNS = 256;
const CHUNKS = [64, 32, 48, 50, 40, 25, 20, 16, 128, 100, 10, 8];

/** Where an axis has none of these divisors, the elements that are left over are reduced for themselves. */
const RAGGED_CHUNKS = 64;
const LONG_AXIS = 64 * RAGGED_CHUNKS;

/** What puts two partial results together. */
const COMBINED: Partial<Record<Node['op'], Node['op']>> = {
  sum: 'add',
  prod: 'mul',
  reduceMax: 'max',
  reduceMin: 'min',
};

export function splitReductions(nodes: readonly Node[]): Rewritten {
  return rewrite(nodes, (current, push) => {
    const split = isReduction(current) ? chunked(current) : undefined;
    if (split === undefined) return undefined;
    const { axis, chunks } = split;
    const operand = current.src[0];
    const length = operand.shape[axis];
    const left = length % chunks;
    if (left === 0) return inChunks(current, operand, axis, chunks, push);
    const whole = part(operand, axis, 0, length - left, push);
    const rest = part(operand, axis, length - left, left, push);
    const results = [
      push(inChunks(current, whole, axis, chunks, push)),
      push(derive(current, current.op, [rest], current.arg, current.shape)),
    ];
    return derive(current, COMBINED[current.op] as Node['op'], results, null, current.shape);
  });
}

function part(x: Node, axis: number, from: number, length: number, push: (n: Node) => Node): Node {
  const size = x.shape.map((n, i) => (i === axis ? length : n));
  const start = x.shape.map((_, i) => (i === axis ? from : 0));
  return push(derive(x, 'slice', [x], { start, size, step: size.map(() => 1) }, size));
}

/** [.., n, ..] → [.., chunks, n/chunks, ..] → reduce all but the chunks → reduce the chunks */
function inChunks(current: Node, operand: Node, axis: number, chunks: number, push: (n: Node) => Node): Node {
  const { axes } = current.arg as { axes: readonly number[] };
  const shape = [
    ...operand.shape.slice(0, axis),
    chunks,
    operand.shape[axis] / chunks,
    ...operand.shape.slice(axis + 1),
  ];
  const view = push(derive(operand, 'reshape', [operand], { shape }, shape));
  const inner = axes.map((a) => (a >= axis ? a + 1 : a));
  const partialShape = shape.map((n, i) => (inner.includes(i) ? 1 : n));
  const partial = push(derive(current, current.op, [view], { axes: inner }, partialShape));
  const totalShape = partialShape.map((n, i) => (i === axis ? 1 : n));
  const total = push(derive(current, current.op, [partial], { axes: [axis] }, totalShape));
  return derive(current, 'reshape', [total], { shape: current.shape }, current.shape);
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
  const longest = [...axes].sort((a, b) => operand.shape[b] - operand.shape[a]);
  for (const axis of longest) {
    const chunks = CHUNKS.find((c) => operand.shape[axis] % c === 0 && operand.shape[axis] > c);
    if (chunks !== undefined) return { axis, chunks };
  }
  const isRagged = COMBINED[node.op] !== undefined && operand.shape[longest[0]] >= LONG_AXIS;
  return isRagged ? { axis: longest[0], chunks: RAGGED_CHUNKS } : undefined;
}
