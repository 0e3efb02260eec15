// Sums down columns of many rows: walking one block of columns at a time would touch a page for each row. Instead the rows
// are read one after the other, with the partial result of every column in memory of the thread's own, and a few rows at a
// time, so that a partial result is read and written once for these.
// Input: reductions of the same rows and columns. Output: loops; what an element is, and what becomes of the results, is
// lower-loop.ts's.

import type { Node } from '../../../ir/node.js';
import * as L from '../../../loop/loop.js';
import type { Buffer, Expr, Var } from '../../../loop/loop.js';
import { type Axis, type Index, ZERO, addConstant, atomIndex, newAxis, scaleIndex } from '../../indices/index-expr.js';
import { VALUE_TYPE, elementOf } from '../kernel/dtype-values.js';
import type { KernelBuilder } from '../kernel/kernel-builder.js';
import { isFloatSum, isLongSum, nestInChains, plus } from '../kernel/compensated-sums.js';
import type { Lowering } from '../kernel/lowering.js';
import type { Range } from '../kernel/parallel.js';
import { combineOf, identityOf, inPairs } from '../kernel/reductions.js';
import { type Block, overBlocks } from '../kernel/vector-blocks.js';

/** Elements from which columns are summed row by row, and the narrowest and widest rows that are. */
const TALL_ELEMENTS = 16 << 10;
const NARROWEST = 64;
const WIDEST = 64 << 10;
/** Rows at a time. */
const ROW_BLOCK = 4;

export function isTall(rows: number, columns: number): boolean {
  return rows * columns > TALL_ELEMENTS && columns >= NARROWEST && columns <= WIDEST;
}

/** Numbers for the axes that are walked. */
type Row = ReadonlyMap<Axis, Index>;

export interface TallColumns {
  readonly reductions: readonly Node[];
  /** The axes that are reduced, and the one along a row. */
  readonly reduced: readonly Axis[];
  readonly along: Axis;
  /** What a reduction takes of a row in the block of columns. */
  readonly element: (node: Node, block: Block, row: Row) => Expr;
  /** With the results of a block of columns. */
  readonly finish: (block: Block, results: ReadonlyMap<Node, Var>) => void;
}

/** The sum of each column in this thread's memory, and, where a sum is long, where it moves to now and then (compensated-sums.ts). */
interface Sums {
  readonly partial: Buffer;
  readonly total: { readonly sum: Buffer; readonly lost: Buffer } | undefined;
}

/** The columns [from, to). */
export function overTallColumns(k: KernelBuilder, columns: Range, tall: TallColumns, lowering: Lowering): void {
  const additions = tall.reduced.reduce((n, a) => n * a.size, 1) / ROW_BLOCK;
  const isLong = isLongSum(tall.reductions, additions);
  const memory = (name: string, node: Node) => lowering.scratch(name, tall.along.size, elementOf(node.dtype));
  const sums = new Map<Node, Sums>(
    tall.reductions.map((n) => {
      const total = isLong && isFloatSum(n) ? { sum: memory('sums', n), lost: memory('lost', n) } : undefined;
      return [n, { partial: memory('sums', n), total }];
    }),
  );
  const eachColumn = (inside: (node: Node, sums: Sums, block: Block) => void) =>
    overBlocks(k, tall.along, columns, 1, (block) => {
      for (const [node, own] of sums) inside(node, own, block);
    });
  const put = (node: Node, buffer: Buffer, block: Block, expr: Expr) =>
    k.store(buffer, block.at[0], { expr, depth: k.depth }, node.dtype);
  const take = (buffer: Buffer, { at, lanes }: Block) => k.loadNow(buffer, at[0], buffer.size, [], lanes);
  eachColumn((node, { partial, total }, block) => {
    const buffers = total === undefined ? [partial] : [partial, total.sum, total.lost];
    for (const buffer of buffers) put(node, buffer, block, identityOf(node, block.lanes));
  });
  const inside = (rows: readonly Row[]): void =>
    eachColumn((node, { partial }, block) => {
      const elements = rows.map((row) => L.splat(tall.element(node, block, row), block.lanes));
      put(node, partial, block, combineOf(node)(take(partial, block), inPairs(elements, combineOf(node))));
    });
  const rest = (): void =>
    eachColumn((node, { partial, total }, block) => {
      if (total === undefined) return;
      const [sum, lost] = [total.sum, total.lost].map((buffer) => k.define('before', take(buffer, block)));
      const next = plus(k, sum, lost, take(partial, block));
      put(node, total.lost, block, next.lost);
      put(node, total.sum, block, next.sum);
      put(node, partial, block, L.literal(0, VALUE_TYPE[node.dtype], block.lanes));
    });
  overRowBlocks(k, tall.reduced, inside, isLong ? rest : undefined);
  overBlocks(k, tall.along, columns, 1, (block) => {
    const result = (node: Node, { partial, total }: Sums) =>
      k.define(node.op, take(total === undefined ? partial : total.sum, block));
    tall.finish(block, new Map([...sums].map(([node, own]) => [node, result(node, own)])));
  });
}

/** All rows, `ROW_BLOCK` at a time; `rest`, if any, comes often enough for long sums. */
function overRowBlocks(
  k: KernelBuilder,
  reduced: readonly Axis[],
  inside: (rows: readonly Row[]) => void,
  rest: (() => void) | undefined,
): void {
  const inner = reduced[reduced.length - 1];
  const others = reduced.slice(0, -1);
  const whole = inner.size - (inner.size % ROW_BLOCK);
  const rowAt = (index: Index): Row => new Map([[inner, index]]);
  const left = Array.from({ length: inner.size - whole }, (_, j) => rowAt(addConstant(ZERO, whole + j)));
  const block = newAxis(whole / ROW_BLOCK);
  const first = scaleIndex(atomIndex(block), ROW_BLOCK);
  const blockOfRows = Array.from({ length: ROW_BLOCK }, (_, j) => rowAt(addConstant(first, j)));
  if (rest === undefined) {
    k.nest(others, () => {
      if (whole > 0) k.nest([block], () => inside(blockOfRows));
      for (const row of left) inside([row]);
    });
    return;
  }
  if (whole > 0) nestInChains(k, [...others, block], 1, () => inside(blockOfRows), rest);
  if (left.length > 0) nestInChains(k, others, left.length, () => left.forEach((row) => inside([row])), rest);
}
