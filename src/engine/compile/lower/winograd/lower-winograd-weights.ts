// The weights of a convolution as Winograd's products see them, and their gradient back from those (winograd.ts).

import type { Node } from '../../../ir/node.js';
import * as L from '../../../loop/loop.js';
import type { Buffer, Expr } from '../../../loop/loop.js';
import type { Group } from '../../plan/group.js';
import {
  type Axis,
  type Index,
  addConstant,
  addIndex,
  atomIndex,
  constantIndex,
  flatten,
  newAxis,
  scaleIndex,
} from '../../indices/index-expr.js';
import { KernelBuilder } from '../kernel/kernel-builder.js';
import type { Lowering } from '../kernel/lowering.js';
import { splitRange } from '../kernel/parallel.js';
import { storeVector } from '../kernel/epilogue.js';
import { bothWays, ofKernel, ofWeights } from './winograd-tiles.js';

/** Fewer weights than this are done by one thread. */
const FEW_WEIGHTS = 1024;

/** Shares rows among the threads; columns are done a vector at a time, `count` of whose lanes are real. */
function overMatrix(
  k: KernelBuilder,
  rows: number,
  columns: number,
  vector: (row: Axis, column: Index, count: number) => void,
): void {
  const { lanes } = k;
  const row = newAxis(rows);
  const range = splitRange(k, rows, rows * columns < FEW_WEIGHTS, 1);
  const whole = columns - (columns % lanes);
  k.loop('row', range.from, range.to, 1, row, () => {
    const counter = newAxis(Math.max(1, whole / lanes));
    const at = (first: Index) => addIndex(first, atomIndex(k.laneAxis));
    const body = () => vector(row, at(scaleIndex(atomIndex(counter), lanes)), lanes);
    k.loop('v', L.int(0), L.int(whole), lanes, counter, body, lanes);
    if (whole < columns) vector(row, at(constantIndex(whole)), columns - whole);
  });
}

/** The first `count` lanes of each vector of a square. */
function storeSquare(
  k: KernelBuilder,
  out: Buffer,
  square: readonly (readonly Expr[])[],
  at: (i: number, j: number) => Index,
  count: number,
): void {
  square.forEach((line, i) =>
    line.forEach((expr, j) => storeVector(k, out, at(i, j), { expr, depth: k.depth }, 'float32', count)),
  );
}

/** [16, rows, columns] of the weights [rows, columns, 3, 3], or of [columns, rows, 3, 3] turned around. */
export function lowerWinogradWeights(group: Group, lowering: Lowering): KernelBuilder {
  const node = group.members[0] as Node<'winogradWeights'>;
  const k = new KernelBuilder(lowering.context, lowering.target.lanes);
  const out = lowering.output(node as Node);
  if (out === undefined) return k;
  const [w] = node.src;
  const { turned } = node.arg;
  const [, rows, columns] = node.shape;
  overMatrix(k, rows, columns, (row, column, count) => {
    const guards = count < k.lanes ? [{ index: column, size: columns }] : [];
    const taps = [0, 1, 2].map((i) =>
      [0, 1, 2].map((j) => {
        const tap = (turned ? [2 - i, 2 - j] : [i, j]).map(constantIndex);
        const at = turned ? [column, atomIndex(row)] : [atomIndex(row), column];
        return L.splat(k.value(w, [...at, ...tap], guards).expr, k.lanes);
      }),
    );
    const origin = addIndex(scaleIndex(atomIndex(row), columns), column);
    const at = (i: number, j: number) => addConstant(origin, (4 * i + j) * rows * columns);
    storeSquare(k, out, bothWays(k, taps, ofWeights), at, count);
  });
  return k;
}

/** Gᵀ S G: [16, O, C] → [O, C, 3, 3]. */
export function lowerWinogradKernel(group: Group, lowering: Lowering): KernelBuilder {
  const node = group.members[0] as Node<'winogradKernel'>;
  const k = new KernelBuilder(lowering.context, lowering.target.lanes);
  const out = lowering.output(node as Node);
  if (out === undefined) return k;
  const [sums] = node.src;
  const [, rows, columns] = sums.shape;
  overMatrix(k, rows, columns, (row, column, count) => {
    const guards = count < k.lanes ? [{ index: column, size: columns }] : [];
    const square = [0, 1, 2, 3].map((i) =>
      [0, 1, 2, 3].map((j) =>
        L.splat(k.value(sums, [constantIndex(4 * i + j), atomIndex(row), column], guards).expr, k.lanes),
      ),
    );
    const at = (i: number, j: number) =>
      flatten([atomIndex(row), column, constantIndex(i), constantIndex(j)], node.shape);
    storeSquare(k, out, bothWays(k, square, ofKernel), at, count);
  });
  return k;
}
