// The end of a tile of a contraction: its sums are added to those of earlier blocks of k, kept for the next block, or, after the
// last one, given to the epilogue, which computes whatever element-wise members the group has.
// Input: accumulators, and where their tile stands. Output: statements.

import type { Node } from '../../../ir/node.js';
import * as L from '../../../loop/loop.js';
import type { Buffer, Expr, Var } from '../../../loop/loop.js';
import type { ContractionFrame } from './contraction-frame.js';
import { type Touched, finish, storeVector, touched } from '../kernel/epilogue.js';
import {
  type Index,
  addConstant,
  addIndex,
  atomIndex,
  constantIndex,
  flatten,
  newAxis,
  scaleIndex,
} from '../../indices/index-expr.js';
import type { KernelBuilder } from '../kernel/kernel-builder.js';
import { splitRange } from '../kernel/parallel.js';
import { plus } from '../kernel/compensated-sums.js';
import type { Lowering } from '../kernel/lowering.js';

/** Elements of an array from which a tile asks for its part: smaller ones are used by every tile. */
const PREFETCHED = 4 << 10;
/** Tiles of more elements have their epilogue in a loop. */
const LARGE_TILE = 64;
/** Blocks of k whose sums are simply added; with more, what rounding loses is kept, too. */
export const MANY_BLOCKS = 128;

export class TileEnds {
  private readonly k: KernelBuilder;
  private readonly f: ContractionFrame;
  private readonly lowering: Lowering;
  private readonly node: Node;
  private readonly members: readonly Node[];
  /** Where it does not hold, the product is added to what its output has. */
  private readonly isFirst: Expr | undefined;
  /** Where a tile waits for its epilogue, if that is done row by row. */
  private readonly tile: Buffer | undefined;
  /** What the partial sums of very many blocks have lost by rounding. */
  private readonly lost: Buffer | undefined;
  /** Partial sums between blocks of k, where no stored member can hold them: all are of another dtype. */
  private readonly sums: Buffer | undefined;

  constructor(
    f: ContractionFrame,
    lowering: Lowering,
    node: Node,
    members: readonly Node[],
    isFirst: Expr | undefined,
    lost: Buffer | undefined,
  ) {
    this.k = f.k;
    this.f = f;
    this.lowering = lowering;
    this.node = node;
    this.members = members;
    this.isFirst = isFirst;
    const row = scaleIndex(atomIndex(f.tileAxis), f.rows);
    const result = { node, index: f.place(row, f.column(0)), guards: [] };
    const isLong = members.length > 1 || f.laneStep(result, () => true) !== 1;
    this.tile =
      isLong && f.rows * f.columns > LARGE_TILE ? lowering.scratch('C', f.rows * f.columns, f.type) : undefined;
    const last = this.flatLost(constantIndex(f.M - 1), constantIndex(f.N - 1));
    this.lost =
      lost ?? (f.blocks > MANY_BLOCKS && f.type === 'f32' ? lowering.scratch('lost', last.constant + 1) : undefined);
    const needsSums = f.isBlocked && this.holder() === undefined;
    this.sums = needsSums ? lowering.scratch('sums', last.constant + 1, f.type) : undefined;
  }

  /** Do tiles begin with zero, and earlier sums are added at their ends? */
  private get isAdded(): boolean {
    return (this.f.isBlocked && this.isFirst === undefined) || this.lost !== undefined;
  }

  finish(accumulators: readonly (readonly Var[])[], row: Index, column: Index, count: number): void {
    if (this.tile !== undefined) {
      this.finishByRows(this.tile, accumulators, row, column, count);
      return;
    }
    const each = (act: (acc: Expr, row: Index, j: number) => void) => () =>
      accumulators.forEach((vectors, r) => vectors.forEach((acc, j) => act(acc, addConstant(row, r), j)));
    const finish = each((acc, at, j) => this.epilogue(this.total(acc, at, column, j, count), at, column, j, count));
    if (!this.f.isBlocked) {
      finish();
      return;
    }
    const add = each((acc, at, j) => this.storePartial(this.total(acc, at, column, j, count), at, column, j, count));
    const rest = this.k.block(() =>
      this.k.emit(L.when(this.f.isLast as Expr, this.k.block(finish), this.k.block(add))),
    );
    if (this.isFirst !== undefined) for (const s of rest) this.k.emit(s);
    else {
      const start = each((acc, at, j) => {
        this.storePartial(acc, at, column, j, count);
        this.storeLost(this.f.zero(this.f.W), at, column, j, count);
      });
      this.k.emit(L.when(this.f.isFirst as Expr, this.k.block(start), rest));
    }
  }

  /** With what the blocks of k before this one have summed, unless the tile has started from that. */
  private total(acc: Expr, row: Index, column: Index, j: number, count: number): Expr {
    if (!this.isAdded) return acc;
    const { k } = this;
    const before = this.partialSum(row, column, j, count);
    if (this.lost === undefined) return k.define('acc', L.add(acc, before));
    const lost = this.sumSoFar(this.lost, this.flatLost(row, this.f.column(j, column)), column, j, count);
    const next = plus(k, k.define('before', before), lost, acc);
    this.storeLost(next.lost, row, column, j, count);
    return next.sum;
  }

  /** Through scratch memory, in a loop over the rows: what is done at the end is long, and stands there once. */
  private finishByRows(
    tile: Buffer,
    accumulators: readonly (readonly Var[])[],
    row: Index,
    column: Index,
    count: number,
  ): void {
    const { f, k } = this;
    const at = (r: Index, j: number) => k.integer(addConstant(scaleIndex(r, f.columns), j * f.W)).expr;
    accumulators.forEach((vectors, r) =>
      vectors.forEach((acc, j) => k.emit(L.store(tile, at(constantIndex(r), j), acc))),
    );
    const axis = newAxis(accumulators.length);
    k.loop('r', L.int(0), L.int(accumulators.length), 1, axis, () => {
      const r = atomIndex(axis);
      const here = addIndex(row, r);
      accumulators[0].forEach((_, j) => {
        let acc: Expr = k.define('acc', L.load(tile, at(r, j), f.W));
        if (!f.isBlocked) {
          acc = this.total(acc, here, column, j, count);
          this.epilogue(acc, here, column, j, count);
          return;
        }
        acc = this.total(acc, here, column, j, count);
        const finish = k.block(() => this.epilogue(acc, here, column, j, count));
        const partial = k.block(() => this.storePartial(acc, here, column, j, count));
        k.emit(L.when(f.isLast as Expr, finish, partial));
      });
    });
  }

  /** The stored member of the same dtype that holds partial sums between blocks of k; undefined if there is none. */
  private holder(): Node | undefined {
    const { output, inPlace, places } = this.lowering;
    const canHold = (n: Node) => output(n) !== undefined && places.get(n)?.axis === undefined;
    return (
      this.members.find((n) => n === this.node && canHold(n)) ??
      this.members.find((n) => n.dtype === this.node.dtype && canHold(n) && !inPlace.has(n))
    );
  }

  /** Where the partial sums of these results stand. */
  private partialAt(row: Index, column: Index, j: number): { buffer: Buffer; flat: Index } {
    const c = this.f.column(j, column);
    if (this.sums !== undefined) return { buffer: this.sums, flat: this.flatLost(row, c) };
    return { buffer: this.lowering.output(this.holder() as Node) as Buffer, flat: this.flatC(row, c) };
  }

  private flatC(row: Index, column: Index): Index {
    return flatten(this.f.place(row, column), this.node.shape);
  }

  /** The same for each batch, since one follows the other. */
  private flatLost(row: Index, column: Index): Index {
    const { f, node } = this;
    const batch = f.c.batch.map(() => constantIndex(0));
    return flatten(f.c.place(batch, f.mIndex(row), f.nIndex(column)), node.shape);
  }

  /** Where the accumulators begin. */
  startValue(row: Index, column: Index, j: number, count: number): Expr {
    return this.isFirst !== undefined && this.tile === undefined && !this.isAdded
      ? this.partialSum(row, column, j, count)
      : this.f.zero(this.f.W);
  }

  /** What the blocks of k before this one have summed. */
  private partialSum(row: Index, column: Index, j: number, count: number): Expr {
    const { buffer, flat } = this.partialAt(row, column, j);
    return this.sumSoFar(buffer, flat, column, j, count);
  }

  /** What stands at `flat`; nothing in the first block. */
  private sumSoFar(buffer: Buffer, flat: Index, column: Index, j: number, count: number): Expr {
    const c = this.f.column(j, column);
    const guards = count % this.f.W === 0 ? [] : [{ index: c, size: this.f.N }];
    const loaded = this.k.loadNow(buffer, flat, Math.min(buffer.size, this.node.size), guards);
    const { isFirst: isFirstBlock } = this.f;
    const { isFirst = isFirstBlock as Expr } = this;
    const nothing =
      isFirstBlock === undefined || isFirst === isFirstBlock ? isFirst : L.binary('and', isFirst, isFirstBlock);
    return L.select(L.splat(nothing, this.f.W), this.f.zero(this.f.W), loaded);
  }

  private storePartial(acc: Expr, row: Index, column: Index, j: number, count: number): void {
    const { buffer, flat } = this.partialAt(row, column, j);
    storeVector(this.k, buffer, flat, { expr: acc, depth: this.k.depth }, this.node.dtype, count - j * this.f.W);
  }

  private storeLost(value: Expr, row: Index, column: Index, j: number, count: number): void {
    if (this.lost === undefined) return;
    const flat = this.flatLost(row, this.f.column(j, column));
    storeVector(this.k, this.lost, flat, { expr: value, depth: this.k.depth }, 'float32', count - j * this.f.W);
  }

  /** Everything the group computes from these W results. */
  epilogue(acc: Expr, row: Index, column: Index, j: number, count: number): void {
    const c = this.f.column(j, column);
    const place = this.f.place(row, c);
    const guards = count % this.f.W === 0 ? [] : [{ index: c, size: this.f.N }];
    finish(this.k, this.lowering, this.members, this.node, acc, place, guards, count - j * this.f.W);
  }

  /** The lines that the epilogue of a row of a tile writes and reads, in large arrays. */
  touchedInRow(row: Index, vectors: number, column: Index): Touched[] {
    const { f, lowering, members, node } = this;
    return Array.from({ length: vectors }, (_, j) => f.place(row, addConstant(column, j * f.W))).flatMap((place) =>
      touched(lowering, members, node, place, PREFETCHED),
    );
  }

  /** A sum over nothing is zero; the epilogue still runs. */
  fillWithoutSum(): void {
    const { f, k } = this;
    const row = newAxis(f.M);
    const whole = Math.floor(f.N / f.W);
    const counter = newAxis(Math.max(1, whole));
    const range = splitRange(k, f.M, false, 1);
    f.overBatch(() =>
      k.loop('m', range.from, range.to, 1, row, () => {
        const zero = f.zero(f.W);
        k.loop('n', L.int(0), L.int(whole), 1, counter, () =>
          this.epilogue(zero, atomIndex(row), scaleIndex(atomIndex(counter), f.W), 0, f.W),
        );
        if (f.N > whole * f.W) this.epilogue(zero, atomIndex(row), constantIndex(whole * f.W), 0, f.N - whole * f.W);
      }),
    );
  }
}
