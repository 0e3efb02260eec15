// Operands of a contraction copied into the order in which the inner loop reads them:
//   B → [k][columns of a panel], A → [tile][k][rows of the tile].
// Reading goes through views, padding and windows. Where the elements of a vector do not follow one another along the
// columns (rows) but do along k, lines along k are read and transposed in registers.

import * as L from '../../../loop/loop.js';
import type { Buffer, Expr } from '../../../loop/loop.js';
import type { ContractionFrame } from './contraction-frame.js';
import { product, type Element } from '../../indices/contraction.js';
import {
  type Axis,
  type Index,
  addConstant,
  addIndex,
  atomIndex,
  constantIndex,
  dependsOn,
  dynamic,
  flatten,
  newAxis,
  scaleIndex,
  unflatten,
} from '../../indices/index-expr.js';
import type { Lowering } from '../kernel/lowering.js';
import type { Guard } from '../../indices/movement.js';
import { transposeVectors } from '../kernel/transpose.js';

/** A line along k is at least so many vectors long, if the block has them: addresses are worked out once a line. */
const LINE_VECTORS = 4;
/** Elements of k that are packed for one tile before the next. */
const GROUP = 8;

/** The last axes of a block of k, seen as one. */
interface Line {
  readonly axes: readonly Axis[];
  readonly size: number;
}

type Put = (position: Index, value: Expr) => void;

export class PanelPacker {
  private readonly f: ContractionFrame;
  private readonly lowering: Lowering;
  private readonly modeB: { kind: 'columns'; axes: readonly Axis[] } | { kind: 'squares' | 'lines'; line: Line };
  private readonly modeA: { kind: 'rows' | 'elements' } | { kind: 'squares'; line: Line };
  private table: Buffer | undefined;
  private lines: Buffer | undefined;

  constructor(frame: ContractionFrame, lowering: Lowering) {
    this.f = frame;
    this.lowering = lowering;
    this.modeB = this.chooseB();
    this.modeA = this.chooseA();
  }

  /** Do neighbouring rows of A lie next to each other, so that a vector has several of them? */
  get readsRowsOfA(): boolean {
    return this.modeA.kind === 'rows';
  }

  /** Elements of scratch memory that a panel of B needs. */
  sizeB(panels: number): number {
    return panels * this.f.blockK * this.f.columns + this.f.columns;
  }

  sizeA(tiles: number): number {
    return tiles * this.tileStrideA;
  }

  /** Elements from one packed tile of A to the next: room for the vector that the last k's rows do not fill. */
  get tileStrideA(): number {
    const { rows, blockK, W } = this.f;
    return rows * blockK + (rows % W === 0 ? 0 : W);
  }

  // -------------------------------------------------------------- lines along k

  /** The last axes of k together, from `least` elements on if there are as many; never the chunk of a ragged block. */
  private lineOf(least: number): Line {
    const { innerK, isRagged } = this.f;
    let first = innerK.length - 1;
    const stop = isRagged ? 1 : 0;
    while (first > stop && product(innerK.slice(first).map((a) => a.size)) < least) first--;
    const axes = innerK.slice(first);
    return { axes, size: product(axes.map((a) => a.size)) };
  }

  /** The axes of the block before the line. */
  private before(line: Line): readonly Axis[] {
    return this.f.innerK.slice(0, this.f.innerK.length - line.axes.length);
  }

  /** Indices of the block's axes, `at` along the line. */
  private along(line: Line, at: Index): Index[] {
    return [
      ...this.before(line).map((a) => atomIndex(a)),
      ...unflatten(
        at,
        line.axes.map((a) => a.size),
      ),
    ];
  }

  private position(line: Line, at: Index): Index {
    const outer = this.before(line);
    const sizes = outer.map((a) => a.size);
    const index = outer.map((a) => atomIndex(a));
    return addIndex(scaleIndex(flatten(index, sizes), line.size), at);
  }

  /** Does the line end earlier in the last chunk? Its length then is `chunkLength`. */
  private isRagged(line: Line): boolean {
    return this.f.isRagged && line.axes[0] === this.f.innerK[0];
  }

  private lengthOf(line: Line): Expr {
    return this.isRagged(line) ? this.f.chunkLength : L.int(line.size);
  }

  private vectorOf(counter: Axis): Index {
    return addIndex(scaleIndex(atomIndex(counter), this.f.W), atomIndex(this.f.k.laneAxis));
  }

  private step(element: Element): number {
    return this.f.laneStep(element, this.lowering.isMaterialised);
  }

  /** Loops over whole vectors of the line, then over what is left. */
  private overLine(line: Line, vector: (start: Index, counter: Axis) => void, rest: (start: Index) => void): void {
    const { k, W } = this.f;
    const counter = newAxis(Math.max(1, Math.floor(line.size / W)));
    const length = this.lengthOf(line);
    const whole = k.define('whole', L.sub(length, L.binary('rems', length, L.int(W))));
    k.loop('kv', L.int(0), whole, W, counter, () => vector(scaleIndex(atomIndex(counter), W), counter), W);
    if (!this.isRagged(line) && line.size % W === 0) return;
    const single = newAxis(line.size);
    k.loop('kt', whole, length, 1, single, () => rest(atomIndex(single)));
  }

  private masked(element: Element, more: readonly Guard[] = []): Expr {
    const { k } = this.f;
    const guards = [...element.guards, ...more];
    const value = k.value(element.node, element.index, guards);
    return guards.length === 0 ? value.expr : k.masked(value, guards);
  }

  // -------------------------------------------------------------- B

  private chooseB(): PanelPacker['modeB'] {
    const { f } = this;
    const element = f.b(f.column(0), f.inner());
    if (this.step(element) <= 1) return { kind: 'columns', axes: f.innerK };
    // Neighbours in memory, though a row of the image may end among them: the masks are those of a tap, so taps come first.
    if (f.loadStep(element, this.lowering.isMaterialised) <= 1) {
      const isTap = (a: Axis) => element.guards.some(({ index }) => dependsOn(index, a));
      return { kind: 'columns', axes: [...f.innerK.filter(isTap), ...f.innerK.filter((a) => !isTap(a))] };
    }
    const panel = scaleIndex(atomIndex(f.panelAxis), f.columns);
    if (f.c.n.length > 1 && f.W > 4) {
      // Columns lie anywhere: each is copied to scratch memory along the last axis, which may be short.
      const line = this.lineOf(LINE_VECTORS * f.W);
      const last = f.innerK[f.innerK.length - 1];
      const inner = f.inner();
      inner[inner.length - 1] = this.vectorOf(newAxis(Math.max(1, Math.ceil(last.size / f.W))));
      if (line.size >= f.W && last.size > 1 && this.step(f.b(panel, inner)) <= 2) return { kind: 'lines', line };
    } else {
      const line = this.lineOf(1);
      const vector = this.vectorOf(newAxis(Math.floor(line.size / f.W)));
      if (line.size >= f.W && this.step(f.b(panel, this.along(line, vector))) <= 1) return { kind: 'squares', line };
    }
    return { kind: 'columns', axes: f.innerK };
  }

  /** B[k, column …] → buffer[at + k·width …]; columns from `count` on are zero. */
  packB(buffer: Buffer, at: Expr, column: Index, count: number): void {
    const { k, W } = this.f;
    const base = newAxis(2 ** 30);
    k.bindAxis(base, k.define('panel', at));
    const put: Put = (position, value) =>
      k.emit(L.store(buffer, k.integer(addIndex(atomIndex(base), position)).expr, value));
    const width = Math.ceil(count / W) * W;
    if (this.modeB.kind === 'columns')
      this.f.overBlockK(this.modeB.axes, () => this.byColumns(column, count, this.f.inner(), put));
    else if (this.modeB.kind === 'squares') this.bySquares(this.modeB.line, column, count, width, put);
    else this.byLines(this.modeB.line, column, count, width, put);
  }

  /** Vectors along the columns. */
  private byColumns(column: Index, count: number, inner: readonly Index[], put: Put, at?: Index): void {
    const { W } = this.f;
    const width = Math.ceil(count / W) * W;
    const position = scaleIndex(at ?? this.f.blockPosition(inner), width);
    for (let j = 0; j * W < width; j++) {
      const c = this.f.column(j, column);
      const isWhole = count % W === 0;
      const element = isWhole ? this.f.b(c, inner) : this.f.bOrBeyond(c, inner);
      const beyond = isWhole ? [] : [{ index: c, size: this.f.N }];
      put(addConstant(position, j * W), L.splat(this.masked(element, beyond), W));
    }
  }

  /** Vectors along the line, W columns at a time. */
  private bySquares(line: Line, column: Index, count: number, width: number, put: Put): void {
    const { k, W } = this.f;
    const squares = (start: Index) => {
      const alongK = this.along(line, addIndex(start, atomIndex(k.laneAxis)));
      for (let j = 0; j < width; j += W) {
        const columns = Array.from({ length: W }, (_, i) =>
          j + i >= count ? this.f.zero(W) : L.splat(this.masked(this.f.b(addConstant(column, j + i), alongK)), W),
        );
        transposeVectors(k, columns).forEach((row, i) =>
          put(addConstant(scaleIndex(this.position(line, addConstant(start, i)), width), j), row),
        );
      }
    };
    const rest = (at: Index) => this.byColumns(column, count, this.along(line, at), put, this.position(line, at));
    this.f.overBlockK(this.before(line), () => this.overLine(line, squares, rest));
  }

  /**
   * Columns that do not follow one another in memory (taps and channels of a weight gradient): a loop over the columns
   * copies a line of each to scratch memory, and from there they are transposed. A row of the line is copied in whole
   * vectors; what is too much at its end, the next row overwrites. Where a column lies is worked out once a panel and
   * kept in a table.
   */
  private byLines(line: Line, column: Index, count: number, width: number, put: Put): void {
    const { f } = this;
    const { k, W } = f;
    const axes = f.c.n.length;
    const span = Math.ceil(line.size / W) * W + W;
    const table = (this.table ??= this.lowering.scratch('columns', axes * f.columns, 'i32'));
    const lines = (this.lines ??= this.lowering.scratch('lines', f.columns * span, f.type));
    const which = newAxis(f.columns);
    k.loop('c', L.int(0), L.int(count), 1, which, () => {
      f.nIndex(addIndex(column, atomIndex(which))).forEach((index, a) => {
        const at = addConstant(scaleIndex(atomIndex(which), axes), a);
        k.emit(L.store(table, k.integer(at).expr, k.integer(index).expr));
      });
    });
    if (count < width) {
      const rest = newAxis((width - count) * span);
      k.loop('z', L.int(0), L.int(rest.size), 1, rest, () =>
        k.emit(L.store(lines, k.integer(addConstant(atomIndex(rest), count * span)).expr, this.f.zero())),
      );
    }
    const lineAt = (c: Index, at: Index): Expr => k.integer(addIndex(scaleIndex(c, span), at)).expr;
    f.overBlockK(this.before(line), () => {
      k.loop('c', L.int(0), L.int(count), 1, which, () => this.copyLine(line, table, lines, which, lineAt));
      const square = (start: Index, count: number) => {
        for (let j = 0; j < width; j += W) {
          const columns = Array.from({ length: W }, (_, i) => L.load(lines, lineAt(constantIndex(j + i), start), W));
          transposeVectors(k, columns)
            .slice(0, count)
            .forEach((row, i) =>
              put(addConstant(scaleIndex(this.position(line, addConstant(start, i)), width), j), row),
            );
        }
      };
      if (!this.isRagged(line)) {
        const whole = Math.floor(line.size / W);
        const counter = newAxis(Math.max(1, whole));
        k.loop('kv', L.int(0), L.int(whole), 1, counter, () => square(scaleIndex(atomIndex(counter), W), W));
        if (line.size % W !== 0) square(constantIndex(whole * W), line.size % W);
        return;
      }
      this.overLine(
        line,
        (start) => square(start, W),
        (at) => {
          const position = scaleIndex(this.position(line, at), width);
          const some = newAxis(width);
          k.loop('c', L.int(0), L.int(width), 1, some, () =>
            put(addIndex(position, atomIndex(some)), L.load(lines, lineAt(atomIndex(some), at))),
          );
        },
      );
    });
  }

  /** One column's line to scratch memory, row by row of its last axis. */
  private copyLine(line: Line, table: Buffer, lines: Buffer, which: Axis, lineAt: (c: Index, at: Index) => Expr): void {
    const { f } = this;
    const { k, W } = f;
    const place = f.c.n.map((extent, a) => {
      const at = k.integer(addConstant(scaleIndex(atomIndex(which), f.c.n.length), a)).expr;
      return atomIndex(dynamic({ expr: k.define('n', L.load(table, at)), depth: k.depth }, extent, `column${a}`));
    });
    const rows = line.axes.slice(0, -1);
    const last = line.axes[line.axes.length - 1];
    const extent = f.c.k[f.c.k.length - 1];
    const length = this.isRagged(line) ? this.lengthOf(line) : L.int(last.size);
    f.overBlockK(rows, () => {
      const counter = newAxis(Math.ceil(last.size / W));
      k.loop(
        'kv',
        L.int(0),
        length,
        W,
        counter,
        () => {
          const inner = [...f.inner().slice(0, -1), this.vectorOf(counter)];
          const at = f.kIndex(inner);
          const e = f.c.b(f.batchIndex(), place, at);
          // Beyond the end of the row anything may be read: it is not used.
          const beyond = { index: at[at.length - 1], size: extent };
          const value = k.value(e.node, e.index, [...e.guards, beyond]);
          const masked = e.guards.length === 0 ? value.expr : k.masked(value, e.guards);
          const row = flatten(
            rows.map((a) => atomIndex(a)),
            rows.map((a) => a.size),
          );
          const to = addIndex(scaleIndex(row, last.size), scaleIndex(atomIndex(counter), W));
          k.emit(L.store(lines, lineAt(atomIndex(which), to), L.splat(masked, W)));
        },
        W,
      );
    });
  }

  // -------------------------------------------------------------- A

  private chooseA(): PanelPacker['modeA'] {
    const { f } = this;
    if (this.step(f.aOrBeyond(addIndex(this.row(0), atomIndex(f.k.laneAxis)), f.inner())) <= 1) return { kind: 'rows' };
    const line = this.lineOf(LINE_VECTORS * f.W);
    const vector = this.vectorOf(newAxis(Math.max(1, Math.floor(line.size / f.W))));
    const isLine = line.size >= f.W && this.step(f.a(this.row(0), this.along(line, vector))) <= 1;
    return isLine ? { kind: 'squares', line } : { kind: 'elements' };
  }

  /** A[rows, k] of tiles [from, to) → buffer; rows beyond M hold anything. */
  packA(buffer: Buffer, from: Expr, to: Expr): void {
    const { f, modeA } = this;
    const { k } = f;
    const overTiles = (inside: (put: Put) => void) =>
      k.loop('ta', from, to, 1, f.tileAxis, (t) => {
        const base = newAxis(2 ** 30);
        k.bindAxis(base, k.define('tile', L.mul(L.sub(t, from), L.int(this.tileStrideA))));
        inside((position, value) =>
          k.emit(L.store(buffer, k.integer(addIndex(atomIndex(base), position)).expr, value)),
        );
      });
    if (modeA.kind === 'squares') overTiles((put) => this.squaresOfA(modeA.line, put));
    else {
      // Neighbours along the rows: each k is read for all tiles, as far as it goes, before the next.
      const atK = (put: Put) => this.rowsAt(f.inner(), f.blockPosition(f.inner()), put);
      if (modeA.kind === 'rows') this.overGroups(overTiles);
      else overTiles((put) => f.overBlockK(f.innerK, () => atK(put)));
    }
  }

  /** A few k together: what is stored for a tile is then longer than a cache line. */
  private overGroups(overTiles: (inside: (put: Put) => void) => void): void {
    const { k } = this.f;
    const line = this.lineOf(1);
    const at = (position: Index, put: Put) =>
      this.rowsAt(this.along(line, position), this.position(line, position), put);
    const counter = newAxis(Math.max(1, Math.floor(line.size / GROUP)));
    const single = newAxis(line.size);
    this.f.overBlockK(this.before(line), () => {
      const length = this.lengthOf(line);
      const whole = k.define('whole', L.sub(length, L.binary('rems', length, L.int(GROUP))));
      k.loop(
        'kg',
        L.int(0),
        whole,
        GROUP,
        counter,
        () =>
          overTiles((put) => {
            for (let i = 0; i < GROUP; i++) at(addConstant(scaleIndex(atomIndex(counter), GROUP), i), put);
          }),
        GROUP,
      );
      k.loop('kt', whole, length, 1, single, () => overTiles((put) => at(atomIndex(single), put)));
    });
  }

  private row(r: number): Index {
    return addConstant(scaleIndex(atomIndex(this.f.tileAxis), this.f.rows), r);
  }

  private elementOfA(row: Index, inner: readonly Index[]): Expr {
    const isWhole = this.f.M % this.f.rows === 0;
    const e = isWhole ? this.f.a(row, inner) : this.f.aOrBeyond(row, inner);
    const beyond = isWhole ? [] : [{ index: row, size: this.f.M }];
    const value = this.f.k.value(e.node, e.index, [...e.guards, ...beyond]);
    return e.guards.length === 0 ? value.expr : this.f.k.masked(value, e.guards);
  }

  /** All rows of the tile at one k. What a vector holds beyond them, the next k's overwrite. */
  private rowsAt(inner: readonly Index[], position: Index, put: Put): void {
    const { k, W, rows } = this.f;
    const isVector = this.modeA.kind === 'rows';
    for (let r = 0; r < rows; r += isVector ? W : 1) {
      const row = isVector ? addIndex(this.row(r), atomIndex(k.laneAxis)) : this.row(r);
      const value = this.elementOfA(row, inner);
      put(addConstant(scaleIndex(position, rows), r), isVector ? L.splat(value, W) : value);
    }
  }

  /** Vectors along the line, transposed. */
  private squaresOfA(line: Line, put: Put): void {
    const { k, W, rows } = this.f;
    const squares = (start: Index) => {
      const alongK = this.along(line, addIndex(start, atomIndex(k.laneAxis)));
      const groups: Expr[][] = [];
      for (let r = 0; r < rows; r += W) {
        const vectors = Array.from({ length: W }, (_, i) =>
          r + i < rows ? L.splat(this.elementOfA(this.row(r + i), alongK), W) : this.f.zero(W),
        );
        groups.push(transposeVectors(k, vectors));
      }
      for (let i = 0; i < W; i++) {
        const position = scaleIndex(this.position(line, addConstant(start, i)), rows);
        groups.forEach((group, g) => put(addConstant(position, g * W), group[i]));
      }
    };
    const rest = (at: Index) => this.rowsAt(this.along(line, at), this.position(line, at), put);
    this.f.overBlockK(this.before(line), () => this.overLine(line, squares, rest));
  }
}
