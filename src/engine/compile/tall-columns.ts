// Sums down columns of many rows: walking one block of columns at a time would touch a page for each row. Instead the rows
// are read one after the other, with the partial result of every column in memory of the thread's own, and a few rows at a
// time, so that a partial result is read and written once for these.
// Input: reductions of the same rows and columns. Output: loops; what an element is, and what becomes of the results, is
// lower-loop.ts's.

import type { Node } from '../ir/node.js';
import * as L from '../loop/loop.js';
import type { Buffer, Expr, Var } from '../loop/loop.js';
import { type Axis, type Index, ZERO, addConstant, atomIndex, newAxis, scaleIndex } from './index-expr.js';
import type { KernelBuilder } from './kernel-builder.js';
import type { Lowering } from './lower-group.js';
import type { Range } from './parallel.js';
import { combineOf, identityOf } from './reductions.js';
import { type Block, overBlocks } from './vector-blocks.js';

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

/** The columns [from, to). */
export function overTallColumns(k: KernelBuilder, columns: Range, tall: TallColumns, lowering: Lowering): void {
  const sums = new Map(
    tall.reductions.map((n) => [n, lowering.scratch('sums', tall.along.size, n.dtype === 'float32' ? 'f32' : 'i32')]),
  );
  const eachColumn = (inside: (node: Node, sums: Buffer, block: Block) => void) =>
    overBlocks(k, tall.along, columns, 1, (block) => {
      for (const [node, buffer] of sums) inside(node, buffer, block);
    });
  eachColumn((node, buffer, { at: [at], lanes }) =>
    k.store(buffer, at, { expr: identityOf(node, lanes), depth: 0 }, node.dtype),
  );
  overRowBlocks(k, tall.reduced, (rows) =>
    eachColumn((node, buffer, block) => {
      const { lanes, at } = block;
      const combine = combineOf(node);
      const before = k.loadNow(buffer, at[0], buffer.size, [], lanes);
      const total = rows.reduce((sum, row) => combine(sum, L.splat(tall.element(node, block, row), lanes)), before);
      k.store(buffer, at[0], { expr: total, depth: k.depth }, node.dtype);
    }),
  );
  overBlocks(k, tall.along, columns, 1, (block) => {
    const { lanes, at } = block;
    const result = (node: Node, buffer: Buffer) => k.define(node.op, k.loadNow(buffer, at[0], buffer.size, [], lanes));
    tall.finish(block, new Map([...sums].map(([node, buffer]) => [node, result(node, buffer)])));
  });
}

/** All rows, `ROW_BLOCK` at a time. */
function overRowBlocks(k: KernelBuilder, reduced: readonly Axis[], inside: (rows: readonly Row[]) => void): void {
  const inner = reduced[reduced.length - 1];
  const whole = inner.size - (inner.size % ROW_BLOCK);
  const rowAt = (index: Index): Row => new Map([[inner, index]]);
  k.nest(reduced.slice(0, -1), () => {
    if (whole > 0) {
      const block = newAxis(whole / ROW_BLOCK);
      k.loop('rows', L.int(0), L.int(block.size), 1, block, () => {
        const first = scaleIndex(atomIndex(block), ROW_BLOCK);
        inside(Array.from({ length: ROW_BLOCK }, (_, j) => rowAt(addConstant(first, j))));
      });
    }
    for (let row = whole; row < inner.size; row++) inside([rowAt(addConstant(ZERO, row))]);
  });
}
