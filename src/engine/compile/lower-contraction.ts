// Matrix products and convolutions: a packed, register-tiled kernel.
//   for each block of columns, for each block of k:
//     pack B into panels [k][columns of a tile]  (reading through views, padding and windows)
//     for each block of rows (A read in place, or packed where its rows are not contiguous):
//       for each tile of rows × columns: the inner loop over k with all accumulators in registers
// The last block of k ends with the epilogue: whatever element-wise members the group has, at the tile's elements.
// Threads share the columns, the rows or the batch, whichever gives them most to do; each packs for itself.
// Input: a group with one contraction. Output: the kernel's statements. Forms of contractions: contraction.ts.

import { OP_CLASS } from '../ir/op.js';
import type { Node } from '../ir/node.js';
import * as L from '../loop/loop.js';
import type { Buffer, Expr, Var } from '../loop/loop.js';
import { type Contraction, type Element, contractionOf, transposed } from './contraction.js';
import { type Group, isContraction } from './group.js';
import {
  dynamic,
  type Axis,
  type Index,
  ZERO,
  addConstant,
  addIndex,
  atomIndex,
  coefficientOf,
  constantIndex,
  flatten,
  newAxis,
  scaleIndex,
  unflatten,
} from './index-expr.js';
import { KernelBuilder } from './kernel-builder.js';
import type { Lowering } from './lower-group.js';
import { readsOf } from './movement.js';
import { splitRange } from './parallel.js';
import { trace } from './trace.js';
import { transposeVectors } from './transpose.js';

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);

/** k is walked whole up to this length, else in blocks of at most BLOCK_K. */
const WHOLE_K = 768;
const BLOCK_K = 512;
/** Elements of A that one block of rows may have: half the second-level cache. */
const BLOCK_A = 64 << 10;
/** Elements of packed B, or of C, that one block of columns may have. */
const BLOCK_B = 96 << 10;
/** Fewer multiply-adds than this run on one thread. */
const SERIAL_MACS = 32 << 10;

export function lowerContraction(group: Group, lowering: Lowering): KernelBuilder {
  return new ContractionLowering(group, lowering).lower();
}

type Split = 'columns' | 'rows' | 'batch';

class ContractionLowering {
  private readonly k: KernelBuilder;
  private readonly lowering: Lowering;
  private readonly node: Node;
  private readonly members: readonly Node[];
  private readonly c: Contraction;
  private readonly M: number;
  private readonly N: number;
  private readonly W: number;
  private readonly rows: number;
  private readonly columns: number; // of a tile
  private readonly split: Split;
  private readonly serial: boolean;

  // k in blocks: axes before `cut` are walked one by one, axis `cut` in chunks, the rest whole.
  private readonly cut: number;
  private readonly chunk: number;
  private readonly blockK: number; // elements of a full block
  private readonly blocked: boolean;
  private readonly outerK: readonly Axis[];
  private readonly chunkAxis: Axis;
  private readonly innerK: readonly Axis[]; // position within the chunk, then the axes after the cut

  private readonly batchAxes: readonly Axis[];
  private readonly tileAxis: Axis;
  private readonly panelAxis: Axis;

  private readonly packsA: boolean;
  private readonly packsTransposed: boolean;
  private readonly packsAllPanels: boolean;
  private readonly blockRows: number; // in tiles
  private readonly blockPanels: number;
  private readonly panelB: Buffer;
  private readonly panelA: Buffer | undefined;
  private table: Buffer | undefined;
  private lines: Buffer | undefined;
  private lengthK: Expr = L.int(0);
  private isFirst: Expr | undefined;
  private isLast: Expr | undefined;

  constructor(group: Group, lowering: Lowering) {
    this.lowering = lowering;
    const { target } = lowering;
    this.k = new KernelBuilder(lowering.context, target.lanes);
    this.node = group.members.find(isContraction) as Node;
    this.members = group.members;
    this.W = target.lanes;
    const form = contractionOf(this.node);
    // Vectors run along n; a narrow n with many rows is better computed transposed.
    this.c = product(form.n) < this.W && product(form.m) >= 2 * this.W ? transposed(form) : form;
    this.M = product(this.c.m);
    this.N = product(this.c.n);
    this.rows = target.tileRows;
    this.columns = target.lanes * target.tileVectors;

    const K = product(this.c.k);
    [this.cut, this.chunk] = chooseBlocks(this.c.k, K);
    const tail = product(this.c.k.slice(this.cut + 1));
    this.blockK = this.chunk * tail;
    this.outerK = this.c.k.slice(0, this.cut).map((n) => newAxis(n));
    this.chunkAxis = newAxis(Math.ceil(this.c.k[this.cut] / this.chunk));
    this.innerK = [newAxis(this.chunk), ...this.c.k.slice(this.cut + 1).map((n) => newAxis(n))];
    this.blocked = product(this.c.k.slice(0, this.cut)) * this.chunkAxis.size > 1;

    this.batchAxes = this.c.batch.map((n) => newAxis(n));
    this.tileAxis = newAxis(Math.max(1, Math.ceil(this.M / this.rows)));
    this.panelAxis = newAxis(Math.max(1, Math.ceil(this.N / this.columns)));

    const batch = product(this.c.batch);
    const panels = this.panelAxis.size;
    this.serial = batch * this.M * this.N * K < SERIAL_MACS;
    this.split = batch >= 8 ? 'batch' : panels >= 16 || panels >= this.tileAxis.size ? 'columns' : 'rows';

    const rowsOfBlock = Math.max(this.rows, Math.floor(BLOCK_A / Math.max(this.blockK, 1) / this.rows) * this.rows);
    this.blockRows = Math.ceil(Math.min(this.M, rowsOfBlock) / this.rows);
    const oneRowBlock = this.blockRows * this.rows >= this.M;
    this.packsAllPanels = !oneRowBlock || this.split === 'rows';
    this.packsA = this.strideOfA() === undefined;
    const byB = this.packsAllPanels ? Math.floor(BLOCK_B / Math.max(this.blockK, 1) / this.columns) : Infinity;
    const byC = this.blocked ? Math.floor((2 * BLOCK_B) / Math.max(this.M, 1) / this.columns) : Infinity;
    this.blockPanels = Math.min(panels, Math.max(1, Math.min(byB, byC)));
    const panelSize = this.blockK * this.columns;
    this.panelB = lowering.scratch('B', panelSize * (this.packsAllPanels ? this.blockPanels : 1) + this.columns);
    this.panelA = this.packsA ? lowering.scratch('A', this.blockRows * this.rows * this.blockK) : undefined;
    this.packsTransposed = this.chooseTransposedPacking();
  }

  lower(): KernelBuilder {
    if (this.M * this.N * product(this.c.batch) === 0) return this.k;
    if (product(this.c.k) === 0) {
      this.fillWithoutK();
      return this.k;
    }
    this.overBatch(() => this.overColumns());
    return this.k;
  }

  // -------------------------------------------------------------- indices

  private batchIndex(): Index[] {
    return this.batchAxes.map((a) => atomIndex(a));
  }

  private mIndex(row: Index): Index[] {
    return unflatten(row, this.c.m);
  }

  private nIndex(column: Index): Index[] {
    return unflatten(column, this.c.n);
  }

  /** k axes at the start of the current block plus `inner`, one index for the cut axis and each after it. */
  private kIndex(inner: readonly Index[]): Index[] {
    const first = addIndex(scaleIndex(atomIndex(this.chunkAxis), this.chunk), inner[0]);
    return [...this.outerK.map((a) => atomIndex(a)), first, ...inner.slice(1)];
  }

  private elementA(row: Index, inner: readonly Index[]): Element {
    return this.c.a(this.batchIndex(), this.mIndex(row), this.kIndex(inner));
  }

  private elementB(column: Index, inner: readonly Index[]): Element {
    return this.c.b(this.batchIndex(), this.nIndex(column), this.kIndex(inner));
  }

  /** Where an operand's element is stored, if it is reached through unconditional views alone. */
  private direct(element: Element): { node: Node; flat: Index } | undefined {
    let { node, index, guards } = element;
    while (guards.length === 0) {
      if (node.op === 'leaf' || this.lowering.isMaterialised(node)) {
        return node.dtype === 'float32' ? { node, flat: flatten(index, node.shape) } : undefined;
      }
      if (OP_CLASS[node.op] === 'identity') node = node.src[0];
      else if (OP_CLASS[node.op] === 'movement' && node.op !== 'gather' && node.op !== 'concat') {
        const reads = readsOf(node, index);
        if (reads.length !== 1) return undefined;
        ({ src: node, index, guards } = { src: reads[0].src, index: reads[0].index, guards: reads[0].guards });
      } else return undefined;
    }
    return undefined;
  }

  /** Distance between neighbouring k in A where A is read in place; undefined where it must be packed. */
  private strideOfA(): number | undefined {
    const stride = this.strideOfRow(0);
    for (let r = 1; r < this.rows; r++) if (this.strideOfRow(r) !== stride) return undefined;
    return stride;
  }

  /** The same for row `r` of every tile. */
  private strideOfRow(r: number): number | undefined {
    const inner = this.innerK.map((a) => atomIndex(a));
    const found = this.direct(this.elementA(addConstant(scaleIndex(atomIndex(this.tileAxis), this.rows), r), inner));
    if (found === undefined) return undefined;
    let stride: number | undefined;
    let reach = 1;
    for (let i = this.innerK.length - 1; i >= 0; i--) {
      const { size } = this.innerK[i];
      if (size === 1) continue;
      const c = coefficientOf(found.flat, this.innerK[i]);
      if (c === undefined) return undefined;
      stride ??= c;
      if (c !== stride * reach) return undefined;
      reach *= size;
    }
    // A far stride wastes a cache line an element: pack where each row is used often.
    const far = (stride ?? 1) !== 1 && this.M * product(this.c.k) > 4096 && this.panelAxis.size >= 8;
    return far ? undefined : (stride ?? 1);
  }

  /** Contiguous along k and not along n: read vectors along k and transpose them. */
  private chooseTransposedPacking(): boolean {
    const last = this.innerK[this.innerK.length - 1];
    if (last.size < this.W) return false;
    const lane = this.k.laneAxis;
    const inner = this.innerK.map((a) => atomIndex(a));
    const alongN = this.worstLane(this.elementB(this.column(0), inner));
    if (alongN <= 1) return false;
    const vectorK = [...inner];
    vectorK[vectorK.length - 1] = addIndex(
      scaleIndex(atomIndex(newAxis(Math.floor(last.size / this.W))), this.W),
      atomIndex(lane),
    );
    return this.worstLane(this.elementB(scaleIndex(atomIndex(this.panelAxis), this.columns), vectorK)) <= 1;
  }

  /** 0 or 1 if all loads below are uniform or contiguous along the lane axis, more if not. */
  private worstLane(element: Element): number {
    let worst = 0;
    const note = (index: Index, cost: number) => {
      const c = coefficientOf(index, this.k.laneAxis);
      worst = Math.max(worst, c === undefined ? 3 : c === 0 || c === 1 ? c : cost);
    };
    for (const g of element.guards) note(g.index, 1);
    trace(element.node, element.index, this.lowering.isMaterialised, {
      materialised: (n, index) => {
        note(flatten(index, n.shape), 2);
        return false;
      },
      integer: (index) => note(index, 1),
    });
    return worst;
  }

  /** Columns of vector j of the current panel, one a lane. */
  private column(j: number, panel: Index = scaleIndex(atomIndex(this.panelAxis), this.columns)): Index {
    return addIndex(addConstant(panel, j * this.W), atomIndex(this.k.laneAxis));
  }

  // -------------------------------------------------------------- loops

  private overBatch(inside: () => void): void {
    const count = product(this.c.batch);
    if (this.batchAxes.length === 0) {
      inside();
      return;
    }
    const range =
      this.split === 'batch' ? splitRange(this.k, count, this.serial, 1) : { from: L.int(0), to: L.int(count) };
    this.k.loop('batch', range.from, range.to, 1, undefined, (variable) => {
      this.bindFlat(this.batchAxes, variable);
      inside();
    });
  }

  private bindFlat(axes: readonly Axis[], flat: Expr): void {
    let rest = flat;
    for (let i = axes.length - 1; i >= 0; i--) {
      if (i === 0) this.k.bindAxis(axes[i], rest);
      else {
        this.k.bindAxis(axes[i], this.k.define('g', L.binary('rems', rest, L.int(axes[i].size))));
        rest = this.k.define('rest', L.binary('divs', rest, L.int(axes[i].size)));
      }
    }
  }

  private overColumns(): void {
    const full = Math.floor(this.N / this.columns);
    const tail = this.N - full * this.columns;
    if (full > 0) {
      const range =
        this.split === 'columns' ? splitRange(this.k, full, this.serial, 1) : { from: L.int(0), to: L.int(full) };
      const single = this.blockPanels >= full;
      if (single) this.columnBlock(range.from, range.to);
      else {
        this.k.loop('nb', range.from, range.to, this.blockPanels, undefined, (from) => {
          const to = this.k.define('to', L.binary('min', L.add(from, L.int(this.blockPanels)), range.to));
          this.columnBlock(from, to);
        });
      }
    }
    if (tail > 0) {
      const work = () => this.tailPanel(full * this.columns, tail);
      if (this.split !== 'columns' || this.serial) {
        if (this.split === 'columns') this.onlyFirstThread(work);
        else work();
      } else this.onlyLastThread(work);
    }
  }

  private onlyFirstThread(work: () => void): void {
    this.k.emit(L.when(L.compare('eq', this.k.tid, L.int(0)), this.k.block(work)));
  }

  private onlyLastThread(work: () => void): void {
    const last = L.compare('eq', this.k.tid, L.sub(this.k.threads, L.int(1)));
    this.k.emit(L.when(last, this.k.block(work)));
  }

  /** Panels [from, to): all blocks of k, all rows. */
  private columnBlock(from: Expr, to: Expr): void {
    this.overK(() => {
      const panel = this.blockK * this.columns;
      if (this.packsAllPanels) {
        this.k.loop('p', from, to, 1, this.panelAxis, (p) => {
          this.packPanel(
            L.mul(L.sub(p, from), L.int(panel)),
            scaleIndex(atomIndex(this.panelAxis), this.columns),
            this.columns,
          );
        });
      }
      this.overRowBlocks((tiles) => {
        this.k.loop('p', from, to, 1, this.panelAxis, (p) => {
          let at: Expr = L.int(0);
          if (this.packsAllPanels) at = this.k.define('at', L.mul(L.sub(p, from), L.int(panel)));
          else this.packPanel(at, scaleIndex(atomIndex(this.panelAxis), this.columns), this.columns);
          this.tiles(tiles, at, scaleIndex(atomIndex(this.panelAxis), this.columns), this.columns);
        });
      });
    });
  }

  /** The last panel, `count` columns wide: its vectors are filled up with zeros. */
  private tailPanel(first: number, count: number): void {
    const column = constantIndex(first);
    this.overK(() => {
      this.packPanel(L.int(0), column, count);
      this.overRowBlocks((tiles) => this.tiles(tiles, L.int(0), column, count));
    });
  }

  private overK(inside: () => void): void {
    const { size } = this.chunkAxis;
    const extent = this.c.k[this.cut];
    const tail = this.blockK / this.chunk;
    const block = () => {
      const ragged = extent % this.chunk !== 0;
      const length = ragged
        ? this.k.define(
            'length',
            L.binary(
              'min',
              L.int(this.chunk),
              L.sub(L.int(extent), this.k.integer(scaleIndex(atomIndex(this.chunkAxis), this.chunk)).expr),
            ),
          )
        : L.int(this.chunk);
      this.chunkLength = length;
      this.lengthK = L.mul(length, L.int(tail));
      if (this.blocked) {
        const flags = [...this.outerK, this.chunkAxis]
          .filter((a) => a.size > 1)
          .map((a) => ({ a, at: this.k.integer(atomIndex(a)).expr }));
        const all = (test: (a: Axis) => number) =>
          flags.map(({ a, at }) => L.compare('eq', at, L.int(test(a)))).reduce((x, y) => L.binary('and', x, y));
        this.isFirst = this.k.define(
          'first',
          all(() => 0),
        );
        this.isLast = this.k.define(
          'last',
          all((a) => a.size - 1),
        );
      }
      inside();
    };
    const nest = (axes: readonly Axis[]): void => {
      if (axes.length === 0) {
        if (size === 1) block();
        else this.k.loop('kb', L.int(0), L.int(size), 1, this.chunkAxis, block);
      } else if (axes[0].size === 1) nest(axes.slice(1));
      else this.k.loop('ko', L.int(0), L.int(axes[0].size), 1, axes[0], () => nest(axes.slice(1)));
    };
    nest(this.outerK);
  }

  private chunkLength: Expr = L.int(0);

  /** Blocks of rows, in tiles [from, to) of the rows that this thread has. */
  private overRowBlocks(inside: (tiles: { from: Expr; to: Expr }) => void): void {
    const count = this.tileAxis.size;
    const range =
      this.split === 'rows' ? splitRange(this.k, count, this.serial, 1) : { from: L.int(0), to: L.int(count) };
    const block = (from: Expr, to: Expr) => {
      if (this.packsA) this.packA(from, to);
      inside({ from, to });
    };
    if (this.blockRows >= count) block(range.from, range.to);
    else {
      this.k.loop('mb', range.from, range.to, this.blockRows, undefined, (from) => {
        block(from, this.k.define('to', L.binary('min', L.add(from, L.int(this.blockRows)), range.to)));
      });
    }
  }

  // -------------------------------------------------------------- packing

  /** Loops over the current block of k; `inside` gets the position of each in the block. */
  private overBlockK(axes: readonly Axis[], inside: () => void, at = 0): void {
    if (at === axes.length) inside();
    else if (axes[at].size === 1) this.overBlockK(axes, inside, at + 1);
    else {
      const to = at === 0 ? this.chunkLength : L.int(axes[at].size);
      this.k.loop('kp', L.int(0), to, 1, axes[at], () => this.overBlockK(axes, inside, at + 1));
    }
  }

  private blockPosition(inner: readonly Index[]): Index {
    return flatten(inner, [this.chunk, ...this.c.k.slice(this.cut + 1)]);
  }

  /** B[k, column …] → panel[k][columns]; columns from `count` on are zero. */
  private packPanel(at: Expr, column: Index, count: number): void {
    const vectors = Math.ceil(count / this.W);
    const width = vectors * this.W;
    const base = this.k.define('panel', at);
    const bound = newAxis(2 ** 30);
    this.k.bindAxis(bound, base);
    const guards = (c: Index) => (count % this.W === 0 ? [] : [{ index: c, size: this.N }]);
    const put = (position: Index, value: Expr) =>
      this.k.emit(L.store(this.panelB, this.k.integer(addIndex(atomIndex(bound), position)).expr, value));
    const byColumns = (inner: readonly Index[]) => {
      for (let j = 0; j < vectors; j++) {
        const c = this.column(j, column);
        const e = this.elementB(c, inner);
        const g = guards(c);
        const value = this.k.value(e.node, e.index, [...e.guards, ...g]);
        const masked = e.guards.length + g.length === 0 ? value.expr : this.k.masked(value, [...e.guards, ...g]);
        put(addConstant(scaleIndex(this.blockPosition(inner), width), j * this.W), L.splat(masked, this.W));
      }
    };
    const inner = this.innerK.map((a) => atomIndex(a));
    if (!this.packsTransposed) {
      this.overBlockK(this.innerK, () => byColumns(inner));
      return;
    }
    if (this.c.n.length > 1 && this.W > 4) {
      this.packGathered(column, count, put);
      return;
    }
    // Vectors along the last axis of k, transposed W × W at a time.
    const last = this.innerK[this.innerK.length - 1];
    const isChunk = this.innerK.length === 1;
    const size: Expr = isChunk ? this.chunkLength : L.int(last.size);
    this.overBlockK(this.innerK.slice(0, -1), () => {
      const whole = this.k.define('whole', L.sub(size, L.binary('rems', size, L.int(this.W))));
      const counter = newAxis(Math.max(1, Math.floor(last.size / this.W)));
      this.k.loop(
        'kv',
        L.int(0),
        whole,
        this.W,
        counter,
        () => {
          const start = scaleIndex(atomIndex(counter), this.W);
          const alongK = [...inner.slice(0, -1), addIndex(start, atomIndex(this.k.laneAxis))];
          for (let j = 0; j < vectors; j++) {
            const columns: Expr[] = [];
            for (let i = 0; i < this.W; i++) {
              if (j * this.W + i >= count) columns.push(L.float(0, this.W));
              else {
                const e = this.elementB(addConstant(column, j * this.W + i), alongK);
                const value = this.k.value(e.node, e.index, e.guards);
                columns.push(L.splat(e.guards.length === 0 ? value.expr : this.k.masked(value, e.guards), this.W));
              }
            }
            transposeVectors(this.k, columns).forEach((row, i) => {
              const position = this.blockPosition([...inner.slice(0, -1), addConstant(start, i)]);
              put(addConstant(scaleIndex(position, width), j * this.W), row);
            });
          }
        },
        this.W,
      );
      if (isChunk || last.size % this.W !== 0) this.k.loop('kt', whole, size, 1, last, () => byColumns(inner));
    });
  }

  /**
   * Columns that do not follow one another in memory (taps and channels of a weight gradient), each contiguous along the
   * last axis of k: a loop over the columns copies a line of each to scratch memory, and from there they are transposed.
   * Where a column lies is worked out once a panel and kept in a table.
   */
  private packGathered(column: Index, count: number, put: (position: Index, value: Expr) => void): void {
    const { k, W } = this;
    const last = this.innerK[this.innerK.length - 1];
    const axes = this.c.n.length;
    const span = Math.ceil(last.size / W) * W;
    const width = Math.ceil(count / W) * W;
    const table = (this.table ??= this.lowering.scratch('columns', axes * this.columns, 'i32'));
    const lines = (this.lines ??= this.lowering.scratch('lines', this.columns * span));
    const which = newAxis(this.columns);
    k.loop('c', L.int(0), L.int(count), 1, which, () => {
      this.nIndex(addIndex(column, atomIndex(which))).forEach((index, a) => {
        const at = addConstant(scaleIndex(atomIndex(which), axes), a);
        k.emit(L.store(table, k.integer(at).expr, k.integer(index).expr));
      });
    });
    if (count < width) {
      const rest = newAxis((width - count) * span);
      k.loop('z', L.int(0), L.int(rest.size), 1, rest, () =>
        k.emit(L.store(lines, k.integer(addConstant(atomIndex(rest), count * span)).expr, L.float(0))),
      );
    }
    const inner = this.innerK.map((a) => atomIndex(a));
    const isChunk = this.innerK.length === 1;
    const size: Expr = isChunk ? this.chunkLength : L.int(last.size);
    const hasTail = isChunk || last.size % W !== 0;
    const counter = newAxis(Math.max(1, Math.floor(last.size / W)));
    const start = scaleIndex(atomIndex(counter), W);
    this.overBlockK(this.innerK.slice(0, -1), () => {
      const whole = k.define('whole', L.sub(size, L.binary('rems', size, L.int(W))));
      k.loop('c', L.int(0), L.int(count), 1, which, () => {
        const place = this.c.n.map((extent, a) => {
          const at = k.integer(addConstant(scaleIndex(atomIndex(which), axes), a)).expr;
          return atomIndex(dynamic({ expr: k.define('n', L.load(table, at)), depth: k.depth }, extent, `column${a}`));
        });
        const copy = (at: Index, to: Index) => {
          const e = this.c.b(this.batchIndex(), place, this.kIndex([...inner.slice(0, -1), at]));
          const value = k.value(e.node, e.index, e.guards);
          const masked = e.guards.length === 0 ? value.expr : k.masked(value, e.guards);
          const line = k.integer(addIndex(scaleIndex(atomIndex(which), span), to)).expr;
          k.emit(L.store(lines, line, to === start ? L.splat(masked, W) : masked));
        };
        k.loop('kv', L.int(0), whole, W, counter, () => copy(addIndex(start, atomIndex(k.laneAxis)), start), W);
        if (hasTail) k.loop('kt', whole, size, 1, last, () => copy(atomIndex(last), atomIndex(last)));
      });
      const transpose = () => {
        for (let j = 0; j * W < width; j++) {
          const columns = Array.from({ length: W }, (_, i) =>
            L.load(lines, k.integer(addConstant(start, (j * W + i) * span)).expr, W),
          );
          transposeVectors(k, columns).forEach((row, i) => {
            const position = this.blockPosition([...inner.slice(0, -1), addConstant(start, i)]);
            put(addConstant(scaleIndex(position, width), j * W), row);
          });
        }
      };
      k.loop('kv', L.int(0), whole, W, counter, transpose, W);
      if (!hasTail) return;
      k.loop('kt', whole, size, 1, last, () => {
        const position = scaleIndex(this.blockPosition(inner), width);
        const some = newAxis(width);
        k.loop('c', L.int(0), L.int(width), 1, some, () => {
          const line = addIndex(scaleIndex(atomIndex(some), span), atomIndex(last));
          put(addIndex(position, atomIndex(some)), L.load(lines, k.integer(line).expr));
        });
      });
    });
  }

  /** A[rows, k] → [tile][k][row of the tile]; rows beyond M are zero. */
  private packA(from: Expr, to: Expr): void {
    const a = this.panelA as Buffer;
    const tile = this.blockK * this.rows;
    this.k.loop('ta', from, to, 1, this.tileAxis, (t) => {
      const base = this.k.define('tile', L.mul(L.sub(t, from), L.int(tile)));
      const bound = newAxis(2 ** 30);
      this.k.bindAxis(bound, base);
      const inner = this.innerK.map((x) => atomIndex(x));
      this.overBlockK(this.innerK, () => {
        const position = addIndex(atomIndex(bound), scaleIndex(this.blockPosition(inner), this.rows));
        for (let r = 0; r < this.rows;) {
          const vector = this.rows - r >= this.W;
          const row = addConstant(scaleIndex(atomIndex(this.tileAxis), this.rows), r);
          const at = vector ? addIndex(row, atomIndex(this.k.laneAxis)) : row;
          const guard = this.M % this.rows === 0 ? [] : [{ index: at, size: this.M }];
          const e = this.elementA(at, inner);
          const guards = [...e.guards, ...guard];
          const value = this.k.value(e.node, e.index, guards);
          const masked = guards.length === 0 ? value.expr : this.k.masked(value, guards);
          this.k.emit(
            L.store(a, this.k.integer(addConstant(position, r)).expr, vector ? L.splat(masked, this.W) : masked),
          );
          r += vector ? this.W : 1;
        }
      });
    });
  }

  // -------------------------------------------------------------- tiles

  /** All tiles [from, to) against one panel. */
  private tiles(tiles: { from: Expr; to: Expr }, panel: Expr, column: Index, count: number): void {
    const whole = Math.floor(this.M / this.rows);
    const rest = this.M - whole * this.rows;
    const origin = tiles.from;
    const to = rest === 0 ? tiles.to : L.binary('min', tiles.to, L.int(whole));
    if (whole > 0) {
      this.k.loop('t', tiles.from, this.k.define('to', to), 1, this.tileAxis, (t) => {
        this.tile(scaleIndex(atomIndex(this.tileAxis), this.rows), this.rows, panel, column, count, L.sub(t, origin));
      });
    }
    if (rest > 0) {
      const hasRest = L.compare('le', L.int(whole + 1), tiles.to);
      const body = this.k.block(() =>
        this.tile(constantIndex(whole * this.rows), rest, panel, column, count, L.sub(L.int(whole), origin)),
      );
      if (this.split === 'rows' || this.blockRows < this.tileAxis.size) this.k.emit(L.when(hasRest, body));
      else for (const s of body) this.k.emit(s);
    }
  }

  private tile(row: Index, rows: number, panel: Expr, column: Index, count: number, tileInBlock: Expr): void {
    const vectors = Math.ceil(count / this.W);
    const width = vectors * this.W;
    const accumulators: Var[][] = [];
    for (let r = 0; r < rows; r++) {
      accumulators.push(
        Array.from({ length: vectors }, (_, j) =>
          this.k.define('acc', this.startValue(addConstant(row, r), column, j, count), true),
        ),
      );
    }
    const kk = newAxis(Math.max(this.blockK, 2));
    const strideA = this.packsA ? this.rows : (this.strideOfA() as number);
    const baseA = this.packsA ? this.k.define('tileA', L.mul(tileInBlock, L.int(this.blockK * this.rows))) : undefined;
    const zeros = this.innerK.map(() => ZERO);
    const inPlace = Array.from({ length: rows }, (_, r) =>
      this.packsA ? undefined : this.direct(this.elementA(addConstant(row, r), zeros)),
    );
    const rowBase = inPlace.map((d) =>
      d === undefined ? undefined : this.k.define('row', this.k.integer(d.flat).expr),
    );
    const panelBase = this.k.define('panel', panel);
    this.k.loop('k', L.int(0), this.lengthK, 1, kk, (k) => {
      const at = this.k.define('at', L.add(panelBase, L.mul(k, L.int(width))));
      const b = Array.from({ length: vectors }, (_, j) =>
        this.k.define('b', L.load(this.panelB, L.add(at, L.int(j * this.W)), this.W)),
      );
      const step = this.k.define('ka', L.mul(k, L.int(strideA)));
      for (let r = 0; r < rows; r++) {
        const index = this.packsA ? L.add(L.add(baseA as Expr, step), L.int(r)) : L.add(rowBase[r] as Expr, step);
        const buffer = this.packsA
          ? (this.panelA as Buffer)
          : (this.lowering.context.buffer((inPlace[r] as { node: Node }).node) as Buffer);
        const a = this.k.define('a', L.splat(L.load(buffer, index), this.W));
        for (let j = 0; j < vectors; j++) this.k.emit(L.set(accumulators[r][j], L.fma(a, b[j], accumulators[r][j])));
      }
    });
    const finish = () => {
      for (let r = 0; r < rows; r++) {
        for (let j = 0; j < vectors; j++) this.epilogue(accumulators[r][j], addConstant(row, r), column, j, count);
      }
    };
    if (!this.blocked) {
      finish();
      return;
    }
    const partial = () => {
      for (let r = 0; r < rows; r++) {
        for (let j = 0; j < vectors; j++) this.storePartial(accumulators[r][j], addConstant(row, r), column, j, count);
      }
    };
    this.k.emit(L.when(this.isLast as Expr, this.k.block(finish), this.k.block(partial)));
  }

  private place(row: Index, column: Index): Index[] {
    return this.c.place(this.batchIndex(), this.mIndex(row), this.nIndex(column));
  }

  /** The stored float32 member that holds partial sums between blocks of k. */
  private partialSums(): { buffer: Buffer; node: Node } {
    const holder =
      this.members.find((n) => n === this.node && this.lowering.output(n) !== undefined) ??
      (this.members.find(
        (n) => n.dtype === 'float32' && this.lowering.output(n) !== undefined && !this.lowering.inPlace.has(n),
      ) as Node);
    return { buffer: this.lowering.output(holder) as Buffer, node: holder };
  }

  private flatC(row: Index, column: Index): Index {
    return flatten(this.place(row, column), this.node.shape);
  }

  private startValue(row: Index, column: Index, j: number, count: number): Expr {
    if (!this.blocked) return L.float(0, this.W);
    const { buffer } = this.partialSums();
    const c = this.column(j, column);
    const guards = count % this.W === 0 ? [] : [{ index: c, size: this.N }];
    const loaded = this.k.loadNow(buffer, this.flatC(row, c), this.node.size, guards);
    return L.select(L.splat(this.isFirst as Expr, this.W), L.float(0, this.W), loaded);
  }

  private storePartial(acc: Expr, row: Index, column: Index, j: number, count: number): void {
    this.storeTile(
      this.partialSums().buffer,
      this.flatC(row, this.column(j, column)),
      { expr: acc, depth: this.k.depth },
      'float32',
      count - j * this.W,
    );
  }

  private storeTile(
    buffer: Buffer,
    flat: Index,
    value: { expr: Expr; depth: number },
    dtype: Node['dtype'],
    lanes: number,
  ): void {
    if (lanes >= this.W) this.k.store(buffer, flat, value, dtype);
    else this.k.storeLanes(buffer, flat, value, dtype, lanes);
  }

  /** Everything the group computes from these W results. */
  private epilogue(acc: Expr, row: Index, column: Index, j: number, count: number): void {
    const c = this.column(j, column);
    const place = this.place(row, c);
    const guards = count % this.W === 0 ? [] : [{ index: c, size: this.N }];
    this.k.bind(this.node, acc);
    const position = flatten(place, this.node.shape);
    const pending: (() => void)[] = [];
    for (const member of this.members) {
      const buffer = this.lowering.output(member);
      if (buffer === undefined) continue;
      const index = member === this.node ? place : unflatten(position, member.shape);
      const value = this.k.value(member, index, guards);
      const flat = flatten(index, member.shape);
      pending.push(() => this.storeTile(buffer, flat, value, member.dtype, count - j * this.W));
    }
    for (const store of pending) store();
    this.k.unbind(this.node);
  }

  /** A sum over nothing is zero; the epilogue still runs. */
  private fillWithoutK(): void {
    const work = () => {
      const row = newAxis(this.M);
      this.overBatchSerial(() =>
        this.k.loop('m', L.int(0), L.int(this.M), 1, row, () => {
          for (let first = 0; first < this.N; first += this.W) {
            this.epilogue(
              L.float(0, this.W),
              atomIndex(row),
              constantIndex(first),
              0,
              Math.min(this.W, this.N - first),
            );
          }
        }),
      );
    };
    this.onlyFirstThread(work);
  }

  private overBatchSerial(inside: () => void): void {
    if (this.batchAxes.length === 0) {
      inside();
      return;
    }
    this.k.loop('batch', L.int(0), L.int(product(this.c.batch)), 1, undefined, (v) => {
      this.bindFlat(this.batchAxes, v);
      inside();
    });
  }
}

/** Which axis of k is cut into chunks, and how long they are. */
function chooseBlocks(sizes: readonly number[], total: number): [cut: number, chunk: number] {
  if (total <= WHOLE_K) return [0, sizes[0]];
  let inner = 1;
  for (let i = sizes.length - 1; i >= 0; i--) {
    if (inner * sizes[i] > BLOCK_K || i === 0) {
      const most = Math.max(1, Math.floor(BLOCK_K / inner));
      const blocks = Math.ceil(sizes[i] / most);
      return [i, Math.ceil(sizes[i] / blocks)];
    }
    inner *= sizes[i];
  }
  return [0, sizes[0]];
}
