// Matrix products and convolutions: a packed, register-tiled kernel.
//   for each block of columns, for each block of k:
//     pack B into panels [k][columns of a tile]  (reading through views, padding and windows)
//     for each block of rows (A read in place, or packed where its rows are not contiguous):
//       for each tile of rows × columns: the inner loop over k with all accumulators in registers
// The last block of k ends with the epilogue: whatever element-wise members the group has, at the tile's elements.
// Threads share the columns, the rows or the batch, whichever gives them most to do; each packs for itself.
// Input: a group with one contraction. Output: the kernel's statements. Forms of contractions: contraction.ts; sizes and axes:
// contraction-frame.ts; what is read in place: contraction-operands.ts; what becomes of a tile: contraction-ends.ts.

import { type Node, isOp } from '../../../ir/node.js';
import * as L from '../../../loop/loop.js';
import type { Buffer, Expr, Var } from '../../../loop/loop.js';
import { type Contraction, contractionsOf, product, transposed } from '../../indices/contraction.js';
import { StreamedOperand } from './streamed-operand.js';
import { type Split, chooseSplit, rowsForEach } from './contraction-shares.js';
import { ContractionFrame, LONGEST_K } from './contraction-frame.js';
import { TileEnds } from './contraction-ends.js';
import { FEW_TILES, Operands } from './contraction-operands.js';
import type { Touched } from '../kernel/epilogue.js';
import type { Group } from '../../plan/group.js';
import { isContraction } from '../../graph/kinds.js';
import {
  type Axis,
  type Index,
  ZERO,
  addConstant,
  addIndex,
  atomIndex,
  constantIndex,
  distance,
  newAxis,
  scaleIndex,
} from '../../indices/index-expr.js';
import { KernelBuilder } from '../kernel/kernel-builder.js';
import { hasStreams } from '../../plan/stream.js';
import type { Lowering } from '../kernel/lowering.js';
import { PanelPacker } from './pack-panels.js';
import { type Range, onlyFirstThread, onlyLastThread, splitFolded, splitRange } from '../kernel/parallel.js';

/**
 * Elements of A and of B that one block may have, and half of what C may have: fewer are faster, even where the cache is
 * larger, unless A would be packed again for each of several blocks of B.
 */
const BLOCK = 128 << 10;
/** Elements of A in a block that is packed row by row. */
const BLOCK_OF_ROWS = 64 << 10;
/** Lines of one row that are asked for at once. */
const ASKED_AT_ONCE = 8;
/** Terms of a sum that takes longer than asking for it. */
const LONG_SUM = 64;
/** Fewer multiply-adds than this run on one thread. */
const SERIAL_MACS = 32 << 10;

export function lowerContraction(group: Group, lowering: Lowering): KernelBuilder {
  const builder = new KernelBuilder(lowering.context, lowering.target.lanes);
  const node = group.members.find(isContraction) as Node;
  for (const form of contractionsOf(node)) new ContractionLowering(builder, node, form, group, lowering).lower();
  return builder;
}

export interface AloneOptions {
  /** The rows of B are the panels that the inner loop reads. */
  readonly isPacked?: boolean;
  /** Where it does not hold, the product is added to what `output` has. */
  readonly isFirst?: Expr;
  /** As large as `output`, where very many products are added: what the sums have lost by rounding. */
  readonly lost?: Buffer;
}

/** A product as part of another kernel: the calling thread computes all of it, and stores it in `output`. */
export function contractAlone(
  builder: KernelBuilder,
  node: Node,
  form: Contraction,
  output: Buffer,
  lowering: Lowering,
  options: AloneOptions = {},
): void {
  const group = { members: [node] };
  const own: Lowering = { ...lowering, output: (n) => (n === node ? output : undefined) };
  new ContractionLowering(builder, node, form, group, own, options).lower();
}

/** Vectors of B at base + k · stride. */
interface Operand {
  readonly buffer: Buffer;
  readonly base: Expr;
  readonly stride: number;
}

/** One form: the whole result, or the part of it that the form computes. */
class ContractionLowering {
  private readonly k: KernelBuilder;
  private readonly f: ContractionFrame;
  private readonly lowering: Lowering;
  private readonly node: Node;
  private readonly split: Split;
  private readonly alone: AloneOptions;
  private readonly serial: boolean;
  private readonly packer: PanelPacker;

  private readonly streamed: StreamedOperand | undefined;

  /** Only tiles that the diagonal crosses, and those below. */
  private readonly isHalf: boolean;
  private readonly packsA: boolean;
  private readonly strideB: number | undefined;
  private readonly packsAllPanels: boolean;
  private readonly blockRows: number; // in tiles
  private readonly blockPanels: number;
  private readonly panelB: Buffer | undefined;
  private readonly panelA: Buffer | undefined;
  private readonly operands: Operands;
  private readonly ends: TileEnds;

  constructor(
    k: KernelBuilder,
    node: Node,
    form: Contraction,
    group: Pick<Group, 'members'>,
    lowering: Lowering,
    alone?: AloneOptions,
  ) {
    this.lowering = lowering;
    this.alone = alone ?? {};
    this.k = k;
    this.node = node;
    const { target } = lowering;
    const { members } = group;
    // Vectors run along n; a narrow n with many rows is better computed transposed.
    const isStreamed = node.op === 'matmul' && hasStreams(node.src[0], lowering.isMaterialised);
    this.isHalf = isOp(node, 'matmul') && node.arg !== null;
    const isNarrow =
      !isStreamed && !this.isHalf && product(form.n) < target.lanes && product(form.m) >= 2 * target.lanes;
    const oriented = isNarrow ? transposed(form) : form;
    const operandsOf = (frame: ContractionFrame) =>
      new Operands(frame, lowering.isMaterialised, this.alone.isPacked === true);
    const type = node.dtype === 'float64' ? 'f64' : 'f32';
    const first = new ContractionFrame(k, oriented, type, target);
    const isFew = first.tileAxis.size <= FEW_TILES && alone === undefined;
    // B stands in panels already: there is nothing to pack, and nothing to gain from sums in parts.
    const isInPanels = isFew && operandsOf(first).strideOfB() === first.columns;
    const ownRows = isInPanels ? rowsForEach(first.M, lowering.threads, target.tileRows) : undefined;
    const f = isInPanels ? new ContractionFrame(k, oriented, type, target, LONGEST_K, ownRows) : first;
    this.f = f;
    this.operands = operandsOf(f);
    this.packer = new PanelPacker(f, lowering);
    this.serial = f.batch * f.M * f.N * f.K < SERIAL_MACS;
    this.split = alone !== undefined ? 'alone' : ownRows !== undefined ? 'rows' : chooseSplit(f, this.isHalf);

    this.packsA = this.operands.strideOfA() === undefined;
    const panelElements = Math.max(f.blockK, 1) * f.columns;
    const [ofCache, most] = [
      target.l2Bytes / 2 / L.ELEMENT_BYTES[type],
      (BLOCK * L.ELEMENT_BYTES.f32) / L.ELEMENT_BYTES[type],
    ];
    const isRepeated = this.packsA && f.panels * panelElements > most;
    const block = isRepeated ? ofCache : Math.min(ofCache, most);
    const rowsIn = (elements: number) =>
      Math.max(f.rows, Math.floor(elements / Math.max(f.blockK, 1) / f.rows) * f.rows);
    const isSmaller = this.packsA && this.packer.readsRowsOfA && f.M > rowsIn(block);
    const rowsOfBlock = rowsIn(isSmaller ? BLOCK_OF_ROWS : block);
    this.blockRows = Math.ceil(Math.min(f.M, rowsOfBlock) / f.rows);
    const oneRowBlock = this.blockRows * f.rows >= f.M;
    this.strideB = this.operands.strideOfB();
    this.packsAllPanels = !oneRowBlock || this.split === 'rows';
    const byB = this.packsAllPanels ? Math.floor(block / panelElements) : Infinity;
    const byC = f.isBlocked && !isStreamed ? Math.floor((2 * block) / Math.max(f.M, 1) / f.columns) : Infinity;
    this.blockPanels = Math.min(f.panels, Math.max(1, Math.min(byB, byC)));
    this.streamed = isStreamed ? new StreamedOperand(k, f, lowering, this.blockRows) : undefined;
    const panels = this.packsAllPanels ? this.blockPanels : 1;
    this.panelB = this.strideB === undefined ? lowering.scratch('B', this.packer.sizeB(panels), type) : undefined;
    this.ends = new TileEnds(f, lowering, node, members, this.alone.isFirst, this.alone.lost);
    this.panelA = this.packsA ? lowering.scratch('A', this.packer.sizeA(this.blockRows), type) : undefined;
  }

  /** Are all panels of B there at once, so that A is walked once for all of them? */
  private get isOneBlock(): boolean {
    return this.packsAllPanels && this.split !== 'columns' && this.blockPanels >= this.f.panels;
  }

  lower(): void {
    const { f } = this;
    if (f.M * f.N * f.batch === 0) return;
    if (f.K === 0) this.ends.fillWithoutSum();
    else this.overBatch(() => this.overColumns());
  }

  // -------------------------------------------------------------- loops

  private overBatch(inside: () => void): void {
    const count = this.f.batch;
    if (this.f.batchAxes.length === 0) {
      inside();
      return;
    }
    const range =
      this.split === 'batch' ? splitRange(this.k, count, this.serial, 1) : { from: L.int(0), to: L.int(count) };
    this.k.loop('batch', range.from, range.to, 1, undefined, (variable) => {
      this.k.bindAxes(this.f.batchAxes, variable);
      inside();
    });
  }

  private overColumns(): void {
    const full = Math.floor(this.f.N / this.f.columns);
    const tail = this.f.N - full * this.f.columns;
    if (full > 0) {
      if (this.isOneBlock && tail > 0) {
        this.columnBlock(L.int(0), L.int(full), { first: full * this.f.columns, count: tail });
        return;
      }
      if (this.split !== 'columns') this.columnBlocks({ from: L.int(0), to: L.int(full) });
      else if (!this.isHalf || this.serial) this.columnBlocks(splitRange(this.k, full, this.serial, 1));
      else splitFolded(this.k, full, (range) => this.columnBlocks(range));
    }
    if (tail > 0) {
      const work = () => this.tailPanel(full * this.f.columns, tail);
      if (this.split !== 'columns' || this.serial) {
        if (this.split === 'columns') onlyFirstThread(this.k, work);
        else work();
      } else onlyLastThread(this.k, work);
    }
  }

  private columnBlocks({ from, to }: Range): void {
    if (this.blockPanels >= Math.floor(this.f.N / this.f.columns)) {
      this.columnBlock(from, to);
      return;
    }
    this.k.loop('nb', from, to, this.blockPanels, undefined, (first) => {
      this.columnBlock(first, this.k.define('to', L.binary('min', L.add(first, L.int(this.blockPanels)), to)));
    });
  }

  /** Panels [from, to), and the last one if it is `tail`: all blocks of k, all rows. */
  private columnBlock(from: Expr, to: Expr, tail?: { readonly first: number; readonly count: number }): void {
    this.f.overK(() => {
      const panel = this.f.blockK * this.f.columns;
      const { panelB } = this;
      const atTail = L.mul(L.sub(to, from), L.int(panel));
      if (panelB !== undefined && tail !== undefined)
        this.packer.packB(panelB, atTail, constantIndex(tail.first), tail.count);
      if (panelB !== undefined && this.packsAllPanels) {
        this.k.loop('p', from, to, 1, this.f.panelAxis, (p) => {
          this.packer.packB(
            panelB,
            L.mul(L.sub(p, from), L.int(panel)),
            scaleIndex(atomIndex(this.f.panelAxis), this.f.columns),
            this.f.columns,
          );
        });
      }
      this.overRowBlocks(this.firstTile(from), (tiles) => {
        this.k.loop('p', from, to, 1, this.f.panelAxis, (p) => {
          let at: Expr = L.int(0);
          if (this.packsAllPanels) at = this.k.define('at', L.mul(L.sub(p, from), L.int(panel)));
          else if (panelB !== undefined)
            this.packer.packB(panelB, at, scaleIndex(atomIndex(this.f.panelAxis), this.f.columns), this.f.columns);
          this.tiles(
            tiles,
            at,
            scaleIndex(atomIndex(this.f.panelAxis), this.f.columns),
            this.f.columns,
            this.firstTile(p),
          );
        });
        if (tail !== undefined)
          this.tiles(tiles, atTail, constantIndex(tail.first), tail.count, this.firstTile(this.tailAt));
      });
    });
  }

  /** The last panel, `count` columns wide: its vectors are filled up with zeros. */
  private tailPanel(first: number, count: number): void {
    const column = constantIndex(first);
    this.f.overK(() => {
      if (this.panelB !== undefined) this.packer.packB(this.panelB, L.int(0), column, count);
      this.overRowBlocks(this.firstTile(this.tailAt), (tiles) => this.tiles(tiles, L.int(0), column, count));
    });
  }

  /** The number of the last panel, where that is a narrow one. */
  private get tailAt(): Expr {
    return L.int(Math.floor(this.f.N / this.f.columns));
  }

  /** The first tile of rows that is wanted of the columns from a panel on: the one with the diagonal, where that counts. */
  private firstTile(panel: Expr): Expr | undefined {
    if (!this.isHalf) return undefined;
    return L.binary('divs', L.mul(panel, L.int(this.f.columns)), L.int(this.f.rows));
  }

  /** Blocks of rows, in tiles [from, to) of the rows that this thread has. */
  private overRowBlocks(first: Expr | undefined, inside: (tiles: { from: Expr; to: Expr }) => void): void {
    const count = this.f.tileAxis.size;
    const all = { from: first === undefined ? L.int(0) : this.k.define('first', first), to: L.int(count) };
    const range = this.split === 'rows' ? splitRange(this.k, count, this.serial, 1) : all;
    const block = (from: Expr, to: Expr) => {
      this.streamed?.compute(from);
      if (this.panelA !== undefined) this.packer.packA(this.panelA, from, to);
      inside({ from, to });
    };
    if (this.blockRows >= count) block(range.from, range.to);
    else {
      this.k.loop('mb', range.from, range.to, this.blockRows, undefined, (from) => {
        block(from, this.k.define('to', L.binary('min', L.add(from, L.int(this.blockRows)), range.to)));
      });
    }
  }

  // -------------------------------------------------------------- tiles

  /** All tiles [from, to) against one panel. */
  private tiles(tiles: { from: Expr; to: Expr }, panel: Expr, column: Index, count: number, first?: Expr): void {
    const whole = Math.floor(this.f.M / this.f.rows);
    const rest = this.f.M - whole * this.f.rows;
    const origin = tiles.from;
    const to = rest === 0 ? tiles.to : L.binary('min', tiles.to, L.int(whole));
    if (whole > 0) {
      // An axis of their own says that all rows of these tiles are there: their addresses are linear.
      const wholeTile = newAxis(whole);
      const from = first === undefined ? origin : this.k.define('from', L.binary('max', origin, first));
      this.k.loop('t', from, this.k.define('to', to), 1, wholeTile, (t) => {
        this.tile(scaleIndex(atomIndex(wholeTile), this.f.rows), this.f.rows, panel, column, count, L.sub(t, origin));
      });
    }
    if (rest > 0) {
      const hasRest = L.compare('le', L.int(whole + 1), tiles.to);
      const body = this.k.block(() =>
        this.tile(constantIndex(whole * this.f.rows), rest, panel, column, count, L.sub(L.int(whole), origin)),
      );
      if (this.split === 'rows' || this.blockRows < this.f.tileAxis.size) this.k.emit(L.when(hasRest, body));
      else for (const s of body) this.k.emit(s);
    }
  }

  private tile(row: Index, rows: number, panel: Expr, column: Index, count: number, tileInBlock: Expr): void {
    const vectors = Math.ceil(count / this.f.W);
    const width = vectors * this.f.W;
    const accumulators: Var[][] = [];
    for (let r = 0; r < rows; r++) {
      accumulators.push(
        Array.from({ length: vectors }, (_, j) =>
          this.k.define('acc', this.ends.startValue(addConstant(row, r), column, j, count), true),
        ),
      );
    }
    const kk = newAxis(Math.max(this.f.blockK, 2));
    const strideA = this.packsA ? this.f.rows : (this.operands.strideOfA() as number);
    const baseA = this.packsA ? this.k.define('tileA', L.mul(tileInBlock, L.int(this.packer.tileStrideA))) : undefined;
    const zeros = this.f.innerK.map(() => ZERO);
    const inPlace = Array.from({ length: rows }, (_, r) =>
      this.packsA ? undefined : this.operands.direct(this.f.a(addConstant(row, r), zeros)),
    );
    // Rows at constant distances from the first one need no address of their own.
    const rowOffsets = inPlace.map((d) => (d === undefined ? undefined : distance(d.flat, inPlace[0]?.flat ?? d.flat)));
    const rowBase = inPlace.map((d, r) =>
      d === undefined || (r > 0 && rowOffsets[r] !== undefined)
        ? undefined
        : this.k.define('row', this.k.integer(d.flat).expr),
    );
    const ofB = this.operandB(panel, column, width, zeros);
    this.overSum(kk, rows, vectors, row, column, (k) => {
      // Not named: what moves with k is added to an address that does not.
      const at = L.add(ofB.base, L.mul(k, L.int(ofB.stride)));
      const b = Array.from({ length: vectors }, (_, j) =>
        this.k.define('b', L.load(ofB.buffer, L.add(at, L.int(j * this.f.W)), this.f.W)),
      );
      const step = L.mul(k, L.int(strideA));
      for (let r = 0; r < rows; r++) {
        const base = this.packsA ? baseA : (rowBase[r] ?? rowBase[0]);
        const offset = this.packsA ? r : rowBase[r] === undefined ? (rowOffsets[r] as number) : 0;
        const index = L.add(L.add(base as Expr, step), L.int(offset));
        const buffer = this.packsA
          ? (this.panelA as Buffer)
          : (this.lowering.context.buffer((inPlace[r] as { node: Node }).node) as Buffer);
        const a = this.k.define('a', L.splat(L.load(buffer, index), this.f.W));
        for (let j = 0; j < vectors; j++) this.k.emit(L.set(accumulators[r][j], L.fma(a, b[j], accumulators[r][j])));
      }
      // Rows that follow one another: those of the next tile are asked for, as many elements as this step has used.
      const isDense = rowOffsets.every((offset, r) => offset === r * this.f.K) && !this.f.isBlocked;
      if (rowBase[0] !== undefined && isDense && strideA === 1 && rows > 1) {
        const buffer = this.lowering.context.buffer((inPlace[0] as { node: Node }).node) as Buffer;
        const next = L.add(L.add(rowBase[0], L.mul(k, L.int(rows))), L.int(rows * this.f.K));
        this.k.emit(L.prefetch(buffer, next, false));
      }
    });
    this.ends.finish(accumulators, this.again(row), column, count);
  }

  /**
   * The row as if it were another: C compilers would keep the addresses of results in registers through the loop over k,
   * which has none to spare.
   */
  private again(row: Index): Index {
    const { k } = this;
    const [term, ...more] = row.terms;
    if (term === undefined || more.length > 0) return row;
    const axis = newAxis(term.atom.size);
    k.bindAxis(axis, k.define('t', L.unary('same', k.integer(atomIndex(term.atom)).expr)));
    return addConstant(scaleIndex(atomIndex(axis), term.coefficient), row.constant);
  }

  /** Where the inner loop reads B: a packed panel, or the rows of B itself. */
  private operandB(panel: Expr, column: Index, width: number, zeros: readonly Index[]): Operand {
    if (this.panelB !== undefined) return { buffer: this.panelB, base: this.k.define('panel', panel), stride: width };
    const { node, flat } = this.operands.direct(this.f.b(column, zeros)) as { node: Node; flat: Index };
    const buffer = this.lowering.context.buffer(node) as Buffer;
    return { buffer, base: this.k.define('panel', this.k.integer(flat).expr), stride: this.strideB as number };
  }

  /**
   * The loop over k. Rows of a large result lie far apart, a few cache lines each: those that the epilogue writes and reads,
   * asked for before, have arrived when it ends. (Partial sums are read first anyway.) Where they are many, they are asked for
   * a few at a time, since a processor waits for only so many lines at once, and the loop with it.
   */
  private overSum(kk: Axis, rows: number, vectors: number, row: Index, column: Index, step: (k: Expr) => void): void {
    const { f, k, alone } = this;
    const isAsked =
      this.lowering.output(this.node)?.kind !== 'scratch' && alone.isFirst === undefined && f.K >= LONG_SUM;
    const asked = (at: Index): Touched[] => (isAsked ? this.ends.touchedInRow(at, vectors, column) : []);
    const ask = (lines: readonly Touched[]) => {
      for (const { buffer, flat, isWritten } of lines) k.emit(L.prefetch(buffer, k.integer(flat).expr, isWritten));
    };
    const turns = Math.ceil(asked(row).length / ASKED_AT_ONCE);
    if (turns <= 1) {
      for (let r = 0; r < rows; r++) ask(asked(addConstant(row, r)));
      k.loop('k', L.int(0), f.lengthK, 1, kk, step);
      return;
    }
    const axis = newAxis(rows);
    const part = Math.ceil(f.blockK / (rows * turns));
    const isEven = part * rows * turns === f.blockK && !f.isRagged;
    k.loop('r', L.int(0), L.int(rows), 1, axis, (r) => {
      const lines = asked(addIndex(row, atomIndex(axis)));
      for (let turn = 0; turn < turns; turn++) {
        ask(lines.slice(turn * ASKED_AT_ONCE, (turn + 1) * ASKED_AT_ONCE));
        const from = k.define('from', L.mul(L.add(L.mul(r, L.int(turns)), L.int(turn)), L.int(part)));
        const next = L.add(from, L.int(part));
        k.loop('k', from, k.define('to', isEven ? next : L.binary('min', next, f.lengthK)), 1, kk, step);
      }
    });
  }
}
