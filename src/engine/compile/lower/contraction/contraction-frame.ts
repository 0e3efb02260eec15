// The coordinates of one contraction's kernel: its sizes, the loop axes over batch, tiles of rows, panels of columns and
// blocks of k, and the operands' elements at any point of them. k is walked in blocks: axes before `cut` one by one,
// axis `cut` in chunks, the rest whole.
// Must not know: how panels are packed (pack-panels.ts) or what is done in a tile (lower-contraction.ts).

import * as L from '../../../loop/loop.js';
import type { Expr, FloatType } from '../../../loop/loop.js';
import type { Target } from '../../../loop/target.js';
import { type Contraction, type Element, WHOLE_K, product } from '../../indices/contraction.js';
import {
  type Axis,
  type Index,
  addConstant,
  addIndex,
  atomIndex,
  coefficientOf,
  flatten,
  newAxis,
  scaleIndex,
  unflatten,
} from '../../indices/index-expr.js';
import type { KernelBuilder } from '../kernel/kernel-builder.js';
import { type IsMaterialised, trace } from '../../indices/trace.js';

/** Blocks of k, where it is too long to be walked whole. */
const BLOCK_K = 512;
/** Where B stands in panels already, up to this length. */
export const LONGEST_K = 2048;

export class ContractionFrame {
  readonly k: KernelBuilder;
  readonly c: Contraction;
  readonly M: number;
  readonly N: number;
  readonly K: number;
  readonly batch: number;
  readonly W: number;
  /** Of operands and sums. */
  readonly type: FloatType;
  /** Rows and columns of a tile. */
  readonly rows: number;
  readonly columns: number;

  readonly batchAxes: readonly Axis[];
  readonly tileAxis: Axis;
  /** Panels of full width. */
  readonly panelAxis: Axis;
  /** All panels. */
  readonly panels: number;

  readonly chunk: number;
  /** Elements of a full block of k. */
  readonly blockK: number;
  /** Blocks of k. */
  readonly blocks: number;
  readonly isBlocked: boolean;
  /** Position within the chunk, then the axes after the cut. */
  readonly innerK: readonly Axis[];
  /** Elements of the current block, and positions of its chunk: less than usual in the last one. */
  lengthK: Expr = L.int(0);
  chunkLength: Expr = L.int(0);
  isFirst: Expr | undefined;
  isLast: Expr | undefined;
  private readonly cut: number;
  private readonly outerK: readonly Axis[];
  private readonly chunkAxis: Axis;

  constructor(k: KernelBuilder, c: Contraction, type: FloatType, target: Target, wholeK = WHOLE_K, rows?: number) {
    this.k = k;
    this.c = c;
    this.M = product(c.m);
    this.N = product(c.n);
    this.K = product(c.k);
    this.batch = product(c.batch);
    this.W = target.lanes;
    this.type = type;
    // Tiles of equal height, as far as M allows: the last one should not be a thin rest.
    this.rows = rows ?? Math.ceil(Math.max(1, this.M) / Math.ceil(Math.max(1, this.M) / target.tileRows));
    this.columns = target.lanes * target.tileVectors;
    this.batchAxes = c.batch.map((n) => newAxis(n));
    this.tileAxis = newAxis(Math.max(1, Math.ceil(this.M / this.rows)));
    this.panelAxis = newAxis(Math.max(1, Math.floor(this.N / this.columns)));
    this.panels = Math.max(1, Math.ceil(this.N / this.columns));

    [this.cut, this.chunk] = chooseBlocks(c.k, this.K, wholeK);
    this.blockK = this.chunk * product(c.k.slice(this.cut + 1));
    this.outerK = c.k.slice(0, this.cut).map((n) => newAxis(n));
    this.chunkAxis = newAxis(Math.ceil(c.k[this.cut] / this.chunk));
    this.innerK = [newAxis(this.chunk), ...c.k.slice(this.cut + 1).map((n) => newAxis(n))];
    this.blocks = product(c.k.slice(0, this.cut)) * this.chunkAxis.size;
    this.isBlocked = this.blocks > 1;
  }

  /** 0 in each of some lanes. */
  zero(lanes = 1): Expr {
    return L.literal(0, this.type, lanes);
  }

  /** Is the last chunk shorter? */
  get isRagged(): boolean {
    return this.c.k[this.cut] % this.chunk !== 0;
  }

  // -------------------------------------------------------------- indices

  batchIndex(): Index[] {
    return this.batchAxes.map((a) => atomIndex(a));
  }

  mIndex(row: Index): Index[] {
    return unflatten(row, this.c.m);
  }

  nIndex(column: Index): Index[] {
    return unflatten(column, this.c.n);
  }

  inner(): Index[] {
    return this.innerK.map((a) => atomIndex(a));
  }

  /** k axes at the start of the current block plus `inner`, one index for the cut axis and each after it. */
  kIndex(inner: readonly Index[]): Index[] {
    const first = addIndex(scaleIndex(atomIndex(this.chunkAxis), this.chunk), inner[0]);
    return [...this.outerK.map((a) => atomIndex(a)), first, ...inner.slice(1)];
  }

  /** The position in the block of the element at `inner`. */
  blockPosition(inner: readonly Index[]): Index {
    return flatten(inner, [this.chunk, ...this.c.k.slice(this.cut + 1)]);
  }

  a(row: Index, inner: readonly Index[]): Element {
    return this.c.a(this.batchIndex(), this.mIndex(row), this.kIndex(inner));
  }

  /** The same where rows may lie beyond the last one, for loads that are guarded against that. */
  aOrBeyond(row: Index, inner: readonly Index[]): Element {
    return this.c.a(this.batchIndex(), unflatten(row, this.c.m, true), this.kIndex(inner));
  }

  b(column: Index, inner: readonly Index[]): Element {
    return this.c.b(this.batchIndex(), this.nIndex(column), this.kIndex(inner));
  }

  /** The same where columns may lie beyond the last one, for loads that are guarded against that. */
  bOrBeyond(column: Index, inner: readonly Index[]): Element {
    return this.c.b(this.batchIndex(), unflatten(column, this.c.n, true), this.kIndex(inner));
  }

  place(row: Index, column: Index): Index[] {
    return this.c.place(this.batchIndex(), this.mIndex(row), this.nIndex(column));
  }

  /** Columns of vector j of a panel, one a lane. */
  column(j: number, panel: Index = scaleIndex(atomIndex(this.panelAxis), this.columns)): Index {
    return addIndex(addConstant(panel, j * this.W), atomIndex(this.k.laneAxis));
  }

  /** The larger of the two below: 0 uniform, 1 neighbours; beyond 2 lane by lane. */
  laneStep(element: Element, isMaterialised: IsMaterialised): number {
    const steps = element.guards.map((g) => coefficientOf(g.index, this.k.laneAxis));
    const ofGuards = steps.map((c) => (c === undefined ? Infinity : Math.min(Math.abs(c), 1)));
    return Math.max(this.loadStep(element, isMaterialised), ...ofGuards);
  }

  /** The largest step of any load of `element` along the lanes, wherever its guards lie. */
  loadStep(element: Element, isMaterialised: IsMaterialised): number {
    let worst = 0;
    const note = (index: Index, most: number) => {
      const c = coefficientOf(index, this.k.laneAxis);
      worst = Math.max(worst, c === undefined ? Infinity : Math.min(Math.abs(c), most));
    };
    trace(element.node, element.index, isMaterialised, {
      materialised: (n, index) => {
        note(flatten(index, n.shape), Infinity);
        return false;
      },
      integer: (index) => note(index, 1),
      streamed: (n, index) => note(flatten(index, n.shape), Infinity),
    });
    return worst;
  }

  // -------------------------------------------------------------- loops

  /** Loops over the blocks of k. */
  overK(inside: () => void): void {
    const { size } = this.chunkAxis;
    const extent = this.c.k[this.cut];
    const tail = this.blockK / this.chunk;
    const block = () => {
      const left = () => L.sub(L.int(extent), this.k.integer(scaleIndex(atomIndex(this.chunkAxis), this.chunk)).expr);
      this.chunkLength = this.isRagged
        ? this.k.define('length', L.binary('min', L.int(this.chunk), left()))
        : L.int(this.chunk);
      this.lengthK = L.mul(this.chunkLength, L.int(tail));
      if (this.isBlocked) {
        const positions = [...this.outerK, this.chunkAxis]
          .filter((a) => a.size > 1)
          .map((a) => ({ a, at: this.k.integer(atomIndex(a)).expr }));
        const all = (test: (a: Axis) => number) =>
          positions.map(({ a, at }) => L.compare('eq', at, L.int(test(a)))).reduce((x, y) => L.binary('and', x, y));
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

  /** Loops over `axes` of the current block. */
  overBlockK(axes: readonly Axis[], inside: () => void, at = 0): void {
    if (at === axes.length) inside();
    else if (axes[at].size === 1) this.overBlockK(axes, inside, at + 1);
    else {
      const to = axes[at] === this.innerK[0] ? this.chunkLength : L.int(axes[at].size);
      this.k.loop('kp', L.int(0), to, 1, axes[at], () => this.overBlockK(axes, inside, at + 1));
    }
  }

  /** A loop over the batch, on one thread. */
  overBatch(inside: () => void): void {
    if (this.batchAxes.length === 0) {
      inside();
      return;
    }
    this.k.loop('batch', L.int(0), L.int(this.batch), 1, undefined, (v) => {
      this.k.bindAxes(this.batchAxes, v);
      inside();
    });
  }
}

/** Which axis of k is cut into chunks, and how long they are. */
function chooseBlocks(sizes: readonly number[], total: number, wholeK: number): [cut: number, chunk: number] {
  if (total <= wholeK) return [0, sizes[0]];
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
