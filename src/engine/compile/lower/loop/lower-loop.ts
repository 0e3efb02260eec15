// Element-wise and row kernels: a group of maps and reductions becomes one loop nest.
// Kept axes are outside and split over the threads; for each row the reduced axes are walked once per phase: a phase
// computes the reductions whose operands are known and stores what has become computable (softmax: maximum; sum of
// exponentials; quotient). One axis is the vector axis, chosen where most accesses are contiguous; if it is a kept
// axis a row is a block of columns, if it is a reduced one partial results are kept per lane and combined at the end.
// Input: a group. Output: the statements of its kernel, through a KernelBuilder. The axes: loop-nest.ts.

import type { Node } from '../../../ir/node.js';
import * as L from '../../../loop/loop.js';
import type { Buffer, Expr, Var } from '../../../loop/loop.js';
import { farAhead } from './prefetch.js';
import { CarriedValues } from './cached-rows.js';
import type { Touched } from '../kernel/epilogue.js';
import type { Group } from '../../plan/group.js';
import { isReduction } from '../../graph/kinds.js';
import {
  type Axis,
  type Index,
  ZERO,
  addConstant,
  atomIndex,
  dependsOn,
  flatten,
  newAxis,
  scaleIndex,
  substitute,
  unflatten,
} from '../../indices/index-expr.js';
import { KernelBuilder } from '../kernel/kernel-builder.js';
import type { Value } from '../kernel/scopes.js';
import { Accumulators, isLongSum, nestInChains, overLongVector } from '../kernel/compensated-sums.js';
import { type Nest, chooseVector, collapse, streamsOf } from './loop-nest.js';
import { widthsOf, type Block, overBlocks } from '../kernel/vector-blocks.js';
import type { Lowering } from '../kernel/lowering.js';
import { nextRows } from './prefetch-rows.js';
import { operandAxis, overSquares } from './squares.js';
import { type Range, splitRange } from '../kernel/parallel.js';
import { type Phases, phasesOf } from './phases.js';
import { acrossLanes, combineOf } from '../kernel/reductions.js';
import type { Stream } from '../../plan/stream.js';
import { StreamTile } from '../kernel/stream-tile.js';
import { isTall, overTallColumns } from './tall-columns.js';

/** Parallel loops shorter than this many elements run on one thread: waking the others costs more. */
const SERIAL_WORK = 4096;
/** Reductions over at most this many elements are unrolled into straight code. */
const UNROLLED_REDUCTION = 16;
/** Elements of a cache line. */
const CACHE_LINE = 16;
/** Elements of a block of streamed rows. */
const STREAMED_BLOCK = 192 << 10;
/** Rows that are few enough to look for more parallelism in the vector axis. */
const FEW_ROWS = 16;

export function lowerLoop(group: Group, options: Lowering): KernelBuilder {
  const streams = streamsOf(group, options);
  const nest = collapse(group, options, streams.size === 0);
  return new LoopLowering(group, nest, options, [...streams.values()]).lower();
}

class LoopLowering {
  private readonly group: Group;
  private readonly nest: Nest;
  private readonly options: Lowering;
  private readonly streams: readonly Stream[];
  private readonly vector: Axis | undefined;
  private readonly lanes: number;
  private readonly k: KernelBuilder;
  private readonly reductions: readonly Node[];
  private readonly phases: Phases;
  private readonly carried: CarriedValues | undefined;
  private readonly asked: ReadonlyMap<number, readonly Touched[]>;
  /** Where the vector axis stands. */
  private block: Block = { lanes: 1, at: [] };
  /** Reduced axes that straight code has given a number. */
  private fixed: ReadonlyMap<Axis, Index> = new Map();
  /** Results of finished reductions, one for each step of the block. */
  private readonly results = new Map<Node, Var[]>();

  constructor(group: Group, nest: Nest, options: Lowering, streams: readonly Stream[]) {
    this.group = group;
    this.streams = streams;
    this.nest = nest;
    this.options = options;
    [this.vector, this.lanes] = chooseVector(nest, options.target.lanes);
    this.k = new KernelBuilder(options.context, this.lanes);
    this.reductions = group.members.filter(isReduction);
    this.phases = phasesOf(group, nest, options);
    if (this.vector !== undefined && this.vectorIsReduced)
      this.carried = new CarriedValues(group, nest, this.vector, this.phases, options);
    this.asked = this.findAsked();
  }

  lower(): KernelBuilder {
    if (this.streams.length > 0) this.overStreamedRows();
    else this.overRows();
    return this.k;
  }

  private get vectorIsReduced(): boolean {
    return this.vector !== undefined && this.nest.reduced.includes(this.vector);
  }

  /** What the phases of a row ask for ahead. */
  private findAsked(): ReadonlyMap<number, readonly Touched[]> {
    const { kept, reduced, operand, place } = this.nest;
    if (this.vector !== undefined && reduced.length === 0 && this.lanes >= CACHE_LINE) {
      const placeOf = (n: Node) => place.get(n) as readonly Index[];
      return new Map([[this.phases.last, farAhead(this.group.members, placeOf, this.vector, this.options)]]);
    }
    if (this.vector === undefined || reduced.length !== 1 || !this.vectorIsReduced || kept.length === 0)
      return new Map();
    const walks = {
      members: this.group.members,
      at: (n: Node) => (isReduction(n) ? operand : place).get(n) as readonly Index[],
      phaseOf: (n: Node) => this.phases.of.get(n) as number,
      lastPhase: this.phases.last,
      row: kept[kept.length - 1],
      along: this.vector,
    };
    return nextRows(walks, this.options);
  }

  /** One element of each cache line of this block. */
  private askAhead(phase: number): void {
    const { k, block } = this;
    for (const { buffer, flat, isWritten } of this.asked.get(phase) ?? []) {
      block.at.forEach((at, j) => {
        if ((j * block.lanes) % CACHE_LINE !== 0 || block.lanes === 1) return;
        const first = substitute(at, k.laneAxis, ZERO);
        k.emit(L.prefetch(buffer, k.integer(substitute(flat, this.vector as Axis, first)).expr, isWritten));
      });
    }
  }

  private isRowLevel(node: Node): boolean {
    const place = this.nest.place.get(node) as readonly Index[];
    return this.nest.reduced.length > 0 && !place.some((x) => this.nest.reduced.some((a) => dependsOn(x, a)));
  }

  // Rows: the kept axes that are not the vector axis.
  private overRows(): void {
    const outputs = this.outputsOf(() => true);
    const across =
      this.vector === undefined || !outputs.every((n) => n.dtype === 'float32' || n.dtype === 'int32')
        ? undefined
        : operandAxis(this.nest, this.vector, this.lanes, outputs.length);
    if (across !== undefined) {
      this.overSquares(across, outputs);
      return;
    }
    const rows = this.nest.kept.filter((a) => a !== this.vector);
    const total = [...this.nest.kept, ...this.nest.reduced].reduce((n, a) => n * a.size, 1);
    const rowCount = rows.reduce((n, a) => n * a.size, 1);
    const vectorKept = this.vector !== undefined && !this.vectorIsReduced;
    const { lanes } = this;
    const serial = total < SERIAL_WORK;
    if (vectorKept && rowCount < FEW_ROWS && (this.vector as Axis).size / lanes > rowCount) {
      const size = (this.vector as Axis).size;
      const range = splitRange(this.k, size, serial, 4 * lanes);
      this.k.nest(rows, () => this.overColumns(range));
      return;
    }
    // The shortest prefix of the rows that gives the threads enough to share.
    let prefix = 0;
    let count = 1;
    while (prefix < rows.length && count < FEW_ROWS) count *= rows[prefix++].size;
    if (prefix === 0) {
      this.k.emit(
        L.when(
          L.compare('eq', this.k.tid, L.int(0)),
          this.k.block(() => this.row()),
        ),
      );
      return;
    }
    const range = splitRange(this.k, count, serial, 1);
    const shared = rows.slice(0, prefix);
    this.k.loop('row', range.from, range.to, 1, prefix === 1 ? shared[0] : undefined, (variable) => {
      if (prefix > 1) this.k.bindAxes(shared, variable);
      this.k.nest(rows.slice(prefix), () => this.row());
    });
  }

  /** Squares of what is transposed on the way, then the rows and the columns that are left. */
  private overSquares(across: Axis, outputs: readonly Node[]): void {
    const { k, nest, lanes } = this;
    const along = this.vector as Axis;
    const others = nest.kept.filter((a) => a !== across && a !== along);
    const placeOf = (node: Node) => nest.place.get(node) as readonly Index[];
    const store = (node: Node, place: readonly Index[], expr: Expr): void =>
      k.store(this.options.output(node) as Buffer, flatten(place, node.shape), { expr, depth: k.depth }, node.dtype);
    overSquares(k, { across, along, others, outputs, placeOf, store });
    const [tall, wide] = [across, along].map((a) => a.size - (a.size % lanes));
    const row = (from: Expr, to: Expr, columns: Range): void =>
      k.nest(others, () => k.loop('row', from, to, 1, across, () => this.overColumns(columns)));
    if (tall < across.size) row(L.int(tall), L.int(across.size), splitRange(k, along.size, false, 4 * lanes));
    if (wide === along.size) return;
    const rows = splitRange(k, tall, false, lanes);
    row(rows.from, rows.to, { from: L.int(wide), to: L.int(along.size) });
  }

  /** Blocks of rows whose streamed products are computed as a whole, each by one thread. */
  private overStreamedRows(): void {
    const { k } = this;
    const [{ node, index }] = this.streams;
    const [height, width] = node.shape.slice(-2);
    const rowAxis = this.nest.kept.find((a) => dependsOn(index[index.length - 2], a)) as Axis;
    const others = this.nest.kept.filter((a) => a !== rowAxis);
    const tileRows =
      this.options.target.tileRows * Math.max(1, Math.floor(STREAMED_BLOCK / width / this.options.target.tileRows));
    const tiles = this.streams.map((s) => new StreamTile(s, tileRows, width, this.options));
    const { rows } = tiles[0];
    const blockAxis = newAxis(Math.ceil(height / rows));
    const shared = [...others, blockAxis];
    const range = splitRange(
      k,
      shared.reduce((n, a) => n * a.size, 1),
      false,
      1,
    );
    k.loop('block', range.from, range.to, 1, shared.length === 1 ? blockAxis : undefined, (variable) => {
      if (shared.length > 1) k.bindAxes(shared, variable);
      const first = k.define('first', k.integer(scaleIndex(atomIndex(blockAxis), rows)).expr);
      for (const tile of tiles) tile.compute(k, first, L.int(0));
      const last = k.define('last', L.binary('min', L.add(first, L.int(rows)), L.int(height)));
      k.loop('row', first, last, 1, rowAxis, () => this.walks());
    });
  }

  private row(): void {
    if (this.vector === undefined || this.vectorIsReduced) this.walks();
    else this.overColumns({ from: L.int(0), to: L.int(this.vector.size) });
  }

  /** The vector axis as blocks of columns: several vectors, one vector, single elements. */
  private overColumns(range: Range): void {
    const axis = this.vector as Axis;
    if (this.isTall) {
      this.overTallColumns(range);
      return;
    }
    const unroll = this.reductions.length > 0 && axis.size >= 4 * this.lanes ? 4 : 1;
    overBlocks(this.k, axis, range, unroll, (block) => this.within(block, () => this.walks()));
  }

  private get isTall(): boolean {
    const rows = this.nest.reduced.reduce((n, a) => n * a.size, 1);
    const onlyReduces = this.phases.last === 1 && this.outputsOf((n) => !this.isRowLevel(n)).length === 0;
    return this.reductions.length > 0 && onlyReduces && isTall(rows, (this.vector as Axis).size);
  }

  private overTallColumns(range: Range): void {
    const { k, nest, reductions } = this;
    const tall = {
      reductions,
      reduced: nest.reduced,
      along: this.vector as Axis,
      element: (node: Node, block: Block, row: ReadonlyMap<Axis, Index>): Expr => {
        this.fixed = row;
        const value = this.within(block, () => this.operandOf(node, block.at[0]));
        this.fixed = new Map();
        return value;
      },
      finish: (block: Block, results: ReadonlyMap<Node, Var>) =>
        this.within(block, () => {
          for (const [node, result] of results) this.results.set(node, [result]);
          this.bindStep(0);
          this.storeAll(this.outputsOf((n) => this.isRowLevel(n)));
        }),
    };
    overTallColumns(k, range, tall, this.options);
  }

  private within<T>(block: Block, inside: () => T): T {
    const outer = this.block;
    this.block = block;
    const made = inside();
    this.block = outer;
    return made;
  }

  // -------------------------------------------------------------- phases

  /** All walks along a row or down a block of columns. */
  private walks(): void {
    for (let phase = 1; phase <= this.phases.last; phase++) this.walk(phase);
    // Row-level outputs, which need the reductions only.
    if (this.nest.reduced.length === 0) return;
    this.storeAll(this.outputsOf((n) => this.isRowLevel(n)));
  }

  private outputsOf(wanted: (node: Node) => boolean): Node[] {
    return this.group.members.filter((n) => this.options.output(n) !== undefined && wanted(n));
  }

  private walk(phase: number): void {
    const reductions = this.reductions.filter((n) => this.phases.of.get(n) === phase);
    const outputs = this.outputsOf((n) => !isReduction(n) && !this.isRowLevel(n) && this.phases.of.get(n) === phase);
    if (reductions.length === 0 && outputs.length === 0) return;
    if (this.nest.reduced.length === 0) {
      this.askAhead(phase);
      this.storeAll(outputs);
      return;
    }
    if (this.vectorIsReduced) this.reduceAlongVector(phase, reductions, outputs);
    else this.reduceColumns(reductions, outputs);
  }

  private accumulate(accumulators: Accumulators, extra: readonly Index[] | undefined): void {
    for (const node of accumulators.nodes) {
      const vars = accumulators.of(node);
      const steps = extra ?? this.block.at;
      steps.forEach((at, j) => {
        const acc = vars[j % vars.length];
        if (!this.vectorIsReduced) this.bindStep(j); // results of earlier phases, of this step's columns
        this.k.emit(L.set(acc, combineOf(node)(acc, L.splat(this.operandOf(node, at), acc.lanes))));
      });
    }
  }

  /** What a reduction takes at this index of the vector axis. */
  private operandOf(node: Node, at: Index): Expr {
    return this.k.value(node.src[0], this.indexOf(this.nest.operand.get(node) as readonly Index[], at)).expr;
  }

  /** The vector axis is reduced: lanes hold partial results, combined when the row is done. */
  private reduceAlongVector(phase: number, reductions: readonly Node[], outputs: readonly Node[]): void {
    const axis = this.vector as Axis;
    const { lanes } = this;
    const unroll = reductions.length > 0 && axis.size >= 8 * lanes ? (reductions.length > 2 ? 2 : 4) : 1;
    const others = this.nest.reduced.filter((a) => a !== axis);
    const turns = Math.ceil(axis.size / (lanes * unroll));
    const isLong = isLongSum(
      reductions,
      others.reduce((n, a) => n * a.size, turns),
    );
    const partial = new Map(
      widthsOf(axis.size, lanes).map((n) => {
        const form = { count: n === lanes ? unroll : 1, lanes: n, isLong, isOne: true };
        return [n, new Accumulators(this.k, reductions, form)];
      }),
    );
    const { k } = this;
    const index = this.indexOf.bind(this);
    const inside = (block: Block): void =>
      this.within(block, () => {
        this.askAhead(phase);
        this.carried?.recall(k, phase, block, index);
        this.accumulate(partial.get(block.lanes) as Accumulators, undefined);
        this.storeAll(outputs);
        this.carried?.save(k, phase, block, index);
      });
    const rest = (): void => partial.forEach((a) => a.rest());
    const span = { from: L.int(0), to: L.int(axis.size) };
    const along = () => overBlocks(k, axis, span, unroll, inside);
    if (!isLong) k.nest(others, along);
    else if (isLongSum(reductions, turns)) k.nest(others, () => overLongVector(k, axis, unroll, inside, rest));
    else nestInChains(k, others, turns, along, rest);
    for (const node of reductions) {
      const combine = combineOf(node);
      const parts = [...partial].map(([n, accumulators]) => {
        const total = accumulators.combined(node);
        return n === 1 ? total : acrossLanes(k, k.define('vector', total), combine);
      });
      k.bind(node, k.define(node.op, parts.reduce(combine)));
    }
  }

  /** The vector axis is kept (or there is none): every lane reduces its own column. */
  private reduceColumns(reductions: readonly Node[], outputs: readonly Node[]): void {
    const steps = Math.max(this.block.at.length, 1);
    const count = this.nest.reduced.reduce((n, a) => n * a.size, 1);
    const form = { count: steps, lanes: this.block.lanes, isLong: isLongSum(reductions, count), isOne: false };
    const accumulators = new Accumulators(this.k, reductions, form);
    const inside = () => {
      this.accumulate(accumulators, this.block.at.length === 0 ? [ZERO] : undefined);
      this.storeAll(outputs);
    };
    if (count <= UNROLLED_REDUCTION) {
      for (let i = 0; i < count; i++) {
        const at = unflatten(
          addConstant(ZERO, i),
          this.nest.reduced.map((a) => a.size),
        );
        this.fixed = new Map(this.nest.reduced.map((a, j) => [a, at[j]]));
        inside();
      }
      this.fixed = new Map();
    } else if (form.isLong) nestInChains(this.k, this.nest.reduced, 1, inside, () => accumulators.rest());
    else this.k.nest(this.nest.reduced, inside);
    for (const node of reductions) {
      this.results.set(
        node,
        accumulators.each(node).map((v) => this.k.define(node.op, v)),
      );
    }
    this.bindStep(0);
  }

  private bindStep(step: number): void {
    for (const [node, vars] of this.results) this.k.bind(node, vars[Math.min(step, vars.length - 1)]);
  }

  private indexOf(index: readonly Index[], at: Index): Index[] {
    let out = [...index];
    if (this.vector !== undefined && this.block.at.length > 0) {
      const axis = this.vector;
      out = out.map((x) => substitute(x, axis, at));
    }
    for (const [axis, value] of this.fixed) out = out.map((x) => substitute(x, axis, value));
    return out;
  }

  /** All values first, then all stores: an update in place must not be seen by another member. */
  private storeAll(outputs: readonly Node[]): void {
    if (outputs.length === 0) return;
    const rowLevelOfVector = this.vectorIsReduced && outputs.every((n) => this.isRowLevel(n));
    const steps: readonly Index[] = this.block.at.length === 0 || rowLevelOfVector ? [ZERO] : this.block.at;
    const pending: (() => void)[] = [];
    steps.forEach((at, step) => {
      if (!this.vectorIsReduced) this.bindStep(step);
      for (const node of outputs) {
        const place = this.indexOf(this.nest.place.get(node) as readonly Index[], at);
        const value: Value = this.k.value(node, place);
        const flat = flatten(place, node.shape);
        pending.push(() => this.k.store(this.options.output(node) as Buffer, flat, value, node.dtype));
      }
    });
    if (!this.vectorIsReduced) this.bindStep(0);
    for (const store of pending) store();
  }
}
