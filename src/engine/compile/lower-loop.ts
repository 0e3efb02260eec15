// Element-wise and row kernels: a group of maps and reductions becomes one loop nest.
// Kept axes are outside and split over the threads; for each row the reduced axes are walked once per phase: a phase
// computes the reductions whose operands are known and stores what has become computable (softmax: maximum; sum of
// exponentials; quotient). One axis is the vector axis, chosen where most accesses are contiguous; if it is a kept
// axis a row is a block of columns, if it is a reduced one partial results are kept per lane and combined at the end.
// Input: a group. Output: the statements of its kernel, through a KernelBuilder. The axes: loop-nest.ts.

import type { DType } from '../ir/dtype.js';
import type { Node } from '../ir/node.js';
import * as L from '../loop/loop.js';
import type { Buffer, Expr, Var } from '../loop/loop.js';
import { isReduction, type Group } from './group.js';
import {
  type Axis,
  type Index,
  ZERO,
  addConstant,
  addIndex,
  atomIndex,
  dependsOn,
  flatten,
  isDynamic,
  newAxis,
  scaleIndex,
  substitute,
  unflatten,
} from './index-expr.js';
import { KernelBuilder, type Value, VALUE_TYPE } from './kernel-builder.js';
import type { Lowering } from './lower-group.js';
import type { Touched } from './epilogue.js';
import { type Nest, chooseVector, collapse, streamsOf, widthsOf } from './loop-nest.js';
import { farAhead } from './ask-ahead.js';
import { nextRows } from './next-row.js';
import { splitRange } from './parallel.js';
import { STORE_COST, costOf } from './materialise.js';
import { StreamTile } from './stream-tile.js';
import type { Stream } from './stream.js';
import { indexKey, trace } from './trace.js';

/** Parallel loops shorter than this many elements run on one thread: waking the others costs more. */
const SERIAL_WORK = 4096;
/** Reductions over at most this many elements are unrolled into straight code. */
const UNROLLED_REDUCTION = 16;

export function lowerLoop(group: Group, options: Lowering): KernelBuilder {
  const streams = streamsOf(group, options);
  const nest = collapse(group, options, streams.size === 0);
  return new LoopLowering(group, nest, options, [...streams.values()]).lower();
}

// ---------------------------------------------------------------- lowering

const lowest = (dtype: DType): number => (dtype === 'int32' ? -0x80000000 : -Infinity);

const IDENTITY: Record<string, (dtype: DType) => number> = {
  sum: () => 0,
  prod: () => 1,
  reduceMax: lowest,
  reduceMin: (dtype) => (dtype === 'int32' ? 0x7fffffff : Infinity),
  reduceFmax: lowest,
};

const COMBINE: Record<string, (a: Expr, b: Expr) => Expr> = {
  sum: (a, b) => L.add(a, b),
  prod: (a, b) => L.mul(a, b),
  reduceMax: (a, b) => L.binary('max', a, b),
  reduceMin: (a, b) => L.binary('min', a, b),
  reduceFmax: (a, b) => L.select(L.compare('lt', a, b), b, a), // one instruction, where max needs three for NaN
};

interface Carried {
  readonly node: Node;
  readonly index: readonly Index[];
  /** The phase that computes it. */
  readonly from: number;
  readonly buffer: Buffer;
}

/** Elements of a cache line. */
const CACHE_LINE = 16;

/** Longest row whose intermediate values are kept in memory of the thread's own. */
const LONGEST_CARRIED_ROW = 16384;

/** One block of the vector axis: `count` steps of `lanes` elements from the loop variable on. */
interface Block {
  readonly lanes: number;
  readonly at: readonly Index[]; // index of the vector axis in each step
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
  private readonly phaseOf = new Map<Node, number>();
  private readonly lastPhase: number;
  private readonly carried: readonly Carried[];
  private readonly asked: ReadonlyMap<number, readonly Touched[]>;
  private block: Block = { lanes: 1, at: [] };

  constructor(group: Group, nest: Nest, options: Lowering, streams: readonly Stream[]) {
    this.group = group;
    this.streams = streams;
    this.nest = nest;
    this.options = options;
    [this.vector, this.lanes] = chooseVector(nest, options.target.lanes);
    this.k = new KernelBuilder(options.context, this.lanes);
    this.reductions = group.members.filter(isReduction);
    this.lastPhase = this.assignPhases();
    this.carried = this.vectorIsReduced ? this.findCarried() : [];
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

  /** Phase 1 computes the reductions that need no other reduction of this kernel, and so on. */
  private assignPhases(): number {
    let last = 1;
    const needs = new Map<Node, number>(); // the latest phase among the reductions below a member
    for (const node of this.group.members) {
      let phase = 0;
      const reduction = isReduction(node);
      const at = (reduction ? this.nest.operand.get(node) : this.nest.place.get(node)) as readonly Index[];
      trace(reduction ? node.src[0] : node, at, this.options.isMaterialised, {
        materialised: (n) => {
          if (n === node) return true;
          const below = needs.get(n);
          if (below !== undefined) phase = Math.max(phase, below);
          return false;
        },
      });
      if (reduction) phase++;
      needs.set(node, phase);
      const own = reduction ? phase : phase + 1;
      this.phaseOf.set(node, own);
      if (reduction || this.options.output(node) !== undefined) last = Math.max(last, own);
    }
    for (const node of this.options.inPlace) if (this.phaseOf.has(node)) this.phaseOf.set(node, last);
    return last;
  }

  /** Expensive values that two phases need: the first writes them to memory of the thread's own, the second reads them. */
  private findCarried(): Carried[] {
    const rowSize = this.nest.reduced.reduce((n, a) => n * a.size, 1);
    if (rowSize > LONGEST_CARRIED_ROW) return [];
    const seen = new Map<string, { node: Node; index: readonly Index[]; phases: Set<number> }>();
    for (const member of this.group.members) {
      const reduction = isReduction(member);
      if (!reduction && this.options.output(member) === undefined) continue;
      const at = (reduction ? this.nest.operand.get(member) : this.nest.place.get(member)) as readonly Index[];
      trace(reduction ? member.src[0] : member, at, this.options.isMaterialised, {
        materialised: (n) => this.nest.place.has(n) && !isReduction(n),
        computed: (node, index) => {
          if (costOf(node.op) <= STORE_COST || node.dtype !== 'float32') return;
          if (index.some(isDynamic) || !index.some((x) => dependsOn(x, this.vector as Axis))) return;
          const key = `${node.slot}:${indexKey(index)}`;
          const entry = seen.get(key) ?? { node, index, phases: new Set<number>() };
          entry.phases.add(this.phaseOf.get(member) as number);
          seen.set(key, entry);
        },
      });
    }
    return [...seen.values()]
      .filter(({ phases }) => phases.size > 1)
      .map(({ node, index, phases }) => ({
        node,
        index,
        from: Math.min(...phases),
        buffer: this.options.scratch('row', rowSize),
      }));
  }

  /** What the phases of a row ask for ahead. */
  private findAsked(): ReadonlyMap<number, readonly Touched[]> {
    const { kept, reduced, operand, place } = this.nest;
    if (this.vector !== undefined && reduced.length === 0 && this.lanes >= CACHE_LINE) {
      const placeOf = (n: Node) => place.get(n) as readonly Index[];
      return new Map([[this.lastPhase, farAhead(this.group.members, placeOf, this.vector, this.options)]]);
    }
    if (this.vector === undefined || reduced.length !== 1 || !this.vectorIsReduced || kept.length === 0)
      return new Map();
    const walks = {
      members: this.group.members,
      at: (n: Node) => (isReduction(n) ? operand : place).get(n) as readonly Index[],
      phaseOf: (n: Node) => this.phaseOf.get(n) as number,
      lastPhase: this.lastPhase,
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

  /** Where in its row a carried value stands: the vector axis is innermost. */
  private positionInRow(at: Index): Index {
    const others = this.nest.reduced.filter((a) => a !== this.vector);
    const axes = [...others.map((a) => atomIndex(a)), at];
    return flatten(axes, [...others.map((a) => a.size), (this.vector as Axis).size]);
  }

  private recallCarried(phase: number): void {
    for (const { node, index, from, buffer } of this.carried) {
      if (phase <= from) continue;
      for (const at of this.block.at) {
        const known = this.k.loadNow(buffer, this.positionInRow(at), buffer.size, [], this.block.lanes);
        this.k.assume(node, this.indexOf(index, at), known);
      }
    }
  }

  private saveCarried(phase: number): void {
    for (const { node, index, from, buffer } of this.carried) {
      if (phase !== from) continue;
      for (const at of this.block.at) {
        this.k.store(buffer, this.positionInRow(at), this.k.value(node, this.indexOf(index, at)), 'float32');
      }
    }
  }

  private isRowLevel(node: Node): boolean {
    const place = this.nest.place.get(node) as readonly Index[];
    return this.nest.reduced.length > 0 && !place.some((x) => this.nest.reduced.some((a) => dependsOn(x, a)));
  }

  // Rows: the kept axes that are not the vector axis.
  private overRows(): void {
    const rows = this.nest.kept.filter((a) => a !== this.vector);
    const total = [...this.nest.kept, ...this.nest.reduced].reduce((n, a) => n * a.size, 1);
    const rowCount = rows.reduce((n, a) => n * a.size, 1);
    const vectorKept = this.vector !== undefined && !this.vectorIsReduced;
    const { lanes } = this;
    const serial = total < SERIAL_WORK;
    if (vectorKept && rowCount < FEW_ROWS && (this.vector as Axis).size / lanes > rowCount) {
      const size = (this.vector as Axis).size;
      const range = splitRange(this.k, size, serial, 4 * lanes);
      this.nestRows(rows, () => this.overColumns(range.from, range.to));
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
      if (prefix > 1) this.decode(shared, variable);
      this.nestRows(rows.slice(prefix), () => this.row());
    });
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
      if (shared.length > 1) this.decode(shared, variable);
      const first = k.define('first', k.integer(scaleIndex(atomIndex(blockAxis), rows)).expr);
      for (const tile of tiles) tile.compute(k, first, L.int(0));
      const last = k.define('last', L.binary('min', L.add(first, L.int(rows)), L.int(height)));
      k.loop('row', first, last, 1, rowAxis, () => this.phases());
    });
  }

  /** Axis values from a row number. */
  private decode(axes: readonly Axis[], row: Var): void {
    let rest: Expr = row;
    for (let i = axes.length - 1; i >= 0; i--) {
      const { size } = axes[i];
      if (i === 0) this.k.bindAxis(axes[i], rest);
      else {
        this.k.bindAxis(axes[i], this.k.define('at', L.binary('rems', rest, L.int(size))));
        rest = this.k.define('rest', L.binary('divs', rest, L.int(size)));
      }
    }
  }

  private nestRows(axes: readonly Axis[], inside: () => void): void {
    if (axes.length === 0) {
      inside();
      return;
    }
    this.k.loop('at', L.int(0), L.int(axes[0].size), 1, axes[0], () => this.nestRows(axes.slice(1), inside));
  }

  private row(): void {
    if (this.vector === undefined || this.vectorIsReduced) this.phases();
    else this.overColumns(L.int(0), L.int(this.vector.size));
  }

  /** Many rows below few columns' width: walking one block of columns at a time would touch a page for each row. */
  private get isTall(): boolean {
    const rows = this.nest.reduced.reduce((n, a) => n * a.size, 1);
    const columns = (this.vector as Axis).size;
    const onlySums = this.lastPhase === 1 && this.outputsOf((n) => !this.isRowLevel(n)).length === 0;
    return (
      this.reductions.length > 0 &&
      onlySums &&
      rows * columns > TALL_ELEMENTS &&
      columns >= 64 &&
      columns <= WIDEST_TALL
    );
  }

  /** Row by row, with the partial result of every column in memory of the thread's own. */
  private overTallColumns(from: Expr, to: Expr): void {
    const axis = this.vector as Axis;
    const sums = new Map(
      this.reductions.map((n) => [n, this.options.scratch('sums', axis.size, n.dtype === 'float32' ? 'f32' : 'i32')]),
    );
    const eachColumn = (inside: (node: Node, sums: Buffer, at: Index) => void) =>
      this.blocks(axis, from, to, 1, () => {
        for (const [node, buffer] of sums) inside(node, buffer, this.block.at[0]);
      });
    eachColumn((node, buffer, at) => {
      const start = L.literal(IDENTITY[node.op](node.dtype), VALUE_TYPE[node.dtype], this.block.lanes);
      this.k.store(buffer, at, { expr: start, depth: 0 }, node.dtype);
    });
    this.overRowBlocks((rows) =>
      eachColumn((node, buffer, at) => {
        const operand = this.nest.operand.get(node) as readonly Index[];
        let total: Expr = this.k.loadNow(buffer, at, buffer.size, [], this.block.lanes);
        for (const row of rows) {
          this.fixed = row;
          const value = this.k.value(node.src[0], this.indexOf(operand, at));
          total = COMBINE[node.op](total, L.splat(value.expr, this.block.lanes));
        }
        this.fixed = new Map();
        this.k.store(buffer, at, { expr: total, depth: this.k.depth }, node.dtype);
      }),
    );
    this.blocks(axis, from, to, 1, () => {
      for (const [node, buffer] of sums) {
        this.results.set(node, [
          this.k.define(node.op, this.k.loadNow(buffer, this.block.at[0], buffer.size, [], this.block.lanes)),
        ]);
      }
      this.bindStep(0);
      this.storeAll(this.outputsOf((n) => this.isRowLevel(n)));
    });
  }

  /** All rows, a few at a time, so that a partial result is read and written once for these. */
  private overRowBlocks(inside: (rows: readonly ReadonlyMap<Axis, Index>[]) => void): void {
    const inner = this.nest.reduced[this.nest.reduced.length - 1];
    const whole = inner.size - (inner.size % ROW_BLOCK);
    const rowAt = (index: Index) => new Map([[inner, index]]);
    this.nestRows(this.nest.reduced.slice(0, -1), () => {
      if (whole > 0) {
        const block = newAxis(whole / ROW_BLOCK);
        this.k.loop('rows', L.int(0), L.int(block.size), 1, block, () => {
          const first = scaleIndex(atomIndex(block), ROW_BLOCK);
          inside(Array.from({ length: ROW_BLOCK }, (_, j) => rowAt(addConstant(first, j))));
        });
      }
      for (let row = whole; row < inner.size; row++) inside([rowAt(addConstant(ZERO, row))]);
    });
  }

  /** The vector axis as blocks of columns: several vectors, one vector, single elements. */
  private overColumns(from: Expr, to: Expr): void {
    if (this.isTall) {
      this.overTallColumns(from, to);
      return;
    }
    const axis = this.vector as Axis;
    const { lanes } = this;
    const unroll = this.reductions.length > 0 && axis.size >= 4 * lanes ? 4 : 1;
    this.blocks(axis, from, to, unroll, () => this.phases());
  }

  /**
   * Loops over [from, to) of `axis` in blocks of several vectors, then one vector, then single elements; a range whose
   * size is known takes narrower vectors before it comes to single elements.
   */
  private blocks(axis: Axis, from: Expr, to: Expr, unroll: number, inside: () => void): void {
    const isWhole = from.kind === 'const' && to.kind === 'const';
    let start: Expr = from;
    const widest = { lanes: this.lanes, count: 1 };
    const narrower = isWhole ? widthsOf(remaining(from, to), this.lanes).filter((n) => n > 1 && n < this.lanes) : [];
    const steps = [widest, ...narrower.map((lanes) => ({ lanes, count: 1 }))];
    if (unroll > 1) steps.unshift({ lanes: this.lanes, count: unroll });
    for (const { lanes, count } of steps) {
      const width = lanes * count;
      if (isWhole && remaining(start, to) < width) continue;
      const span = L.sub(to, start);
      const whole = L.sub(span, L.binary('rems', span, L.int(width)));
      const end = isWhole
        ? L.int((start as { value: number }).value + remaining(start, to) - (remaining(start, to) % width))
        : this.k.define('end', L.add(start, whole));
      const counter = newAxis(Math.floor(axis.size / lanes));
      const body = (): void => {
        const base = scaleIndex(atomIndex(counter), lanes);
        const lane = atomIndex(this.k.laneAxis);
        const at = Array.from({ length: count }, (_, j) => addIndex(addConstant(base, j * lanes), lane));
        this.withBlock({ lanes, at }, inside);
      };
      this.k.withLanes(lanes, () => this.k.loop('v', start, end, width, counter, body, lanes));
      start = end;
    }
    if (isWhole && remaining(start, to) <= 0) return;
    this.k.loop('v', start, to, 1, axis, () => this.withBlock({ lanes: 1, at: [atomIndex(axis)] }, inside));
  }

  private withBlock(block: Block, inside: () => void): void {
    const outer = this.block;
    this.block = block;
    inside();
    this.block = outer;
  }

  // -------------------------------------------------------------- phases

  private phases(): void {
    for (let phase = 1; phase <= this.lastPhase; phase++) this.phase(phase);
    // Row-level outputs, which need the reductions only.
    if (this.nest.reduced.length === 0) return;
    this.storeAll(this.outputsOf((n) => this.isRowLevel(n)));
  }

  private outputsOf(wanted: (node: Node) => boolean): Node[] {
    return this.group.members.filter((n) => this.options.output(n) !== undefined && wanted(n));
  }

  private phase(phase: number): void {
    const reductions = this.reductions.filter((n) => this.phaseOf.get(n) === phase);
    const outputs = this.outputsOf((n) => !isReduction(n) && !this.isRowLevel(n) && this.phaseOf.get(n) === phase);
    if (reductions.length === 0 && outputs.length === 0) return;
    if (this.nest.reduced.length === 0) {
      this.askAhead(phase);
      this.storeAll(outputs);
      return;
    }
    if (this.vectorIsReduced) this.reduceAlongVector(phase, reductions, outputs);
    else this.reduceColumns(reductions, outputs);
  }

  /** Accumulators: for each reduction one for each of `count` steps. */
  private accumulators(reductions: readonly Node[], count: number, lanes: number): Map<Node, Var[]> {
    const made = new Map<Node, Var[]>();
    for (const node of reductions) {
      const start = L.literal(IDENTITY[node.op](node.dtype), VALUE_TYPE[node.dtype], lanes);
      made.set(
        node,
        Array.from({ length: count }, () => this.k.define('acc', start, true)),
      );
    }
    return made;
  }

  private accumulate(accumulators: Map<Node, Var[]>, extra: readonly Index[] | undefined): void {
    for (const [node, vars] of accumulators) {
      const steps = extra ?? this.block.at;
      steps.forEach((at, j) => {
        const acc = vars[j % vars.length];
        if (!this.vectorIsReduced) this.bindStep(j); // results of earlier phases, of this step's columns
        const value = this.k.value(node.src[0], this.indexOf(this.nest.operand.get(node) as readonly Index[], at));
        this.k.emit(L.set(acc, COMBINE[node.op](acc, L.splat(value.expr, acc.lanes))));
      });
    }
  }

  /** The vector axis is reduced: lanes hold partial results, combined when the row is done. */
  private reduceAlongVector(phase: number, reductions: readonly Node[], outputs: readonly Node[]): void {
    const axis = this.vector as Axis;
    const { lanes } = this;
    const unroll = reductions.length > 0 && axis.size >= 8 * lanes ? (reductions.length > 2 ? 2 : 4) : 1;
    const partial = new Map(
      widthsOf(axis.size, lanes).map((n) => [n, this.accumulators(reductions, n === lanes ? unroll : 1, n)]),
    );
    const others = this.nest.reduced.filter((a) => a !== axis);
    this.nestRows(others, () =>
      this.blocks(axis, L.int(0), L.int(axis.size), unroll, () => {
        this.askAhead(phase);
        this.recallCarried(phase);
        this.accumulate(partial.get(this.block.lanes) as Map<Node, Var[]>, undefined);
        this.storeAll(outputs);
        this.saveCarried(phase);
      }),
    );
    for (const node of reductions) {
      const combine = COMBINE[node.op];
      const parts = [...partial].map(([n, accumulators]) => {
        const total = (accumulators.get(node) as Expr[]).reduce(combine);
        return n === 1 ? total : this.acrossLanes(this.k.define('vector', total), combine);
      });
      this.k.bind(node, this.k.define(node.op, parts.reduce(combine)));
    }
  }

  /** The lanes of a vector combined, the upper half with the lower one, again and again. */
  private acrossLanes(vector: Var, combine: (a: Expr, b: Expr) => Expr): Expr {
    const { lanes } = vector;
    let halves = vector;
    for (let half = lanes / 2; half >= 1; half /= 2) {
      const turned = L.shuffle(
        halves,
        halves,
        Array.from({ length: lanes }, (_, i) => (i + half) % lanes),
      );
      halves = this.k.define('half', combine(halves, this.k.define('turned', turned)));
    }
    return L.extract(halves, 0);
  }

  /** The vector axis is kept (or there is none): every lane reduces its own column. */
  private reduceColumns(reductions: readonly Node[], outputs: readonly Node[]): void {
    const steps = Math.max(this.block.at.length, 1);
    const accumulators = this.accumulators(reductions, steps, this.block.lanes);
    const inside = () => {
      this.accumulate(accumulators, this.block.at.length === 0 ? [ZERO] : undefined);
      this.storeAll(outputs);
    };
    const count = this.nest.reduced.reduce((n, a) => n * a.size, 1);
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
    } else this.nestRows(this.nest.reduced, inside);
    for (const [node, vars] of accumulators) {
      this.results.set(
        node,
        vars.map((v) => this.k.define(node.op, v)),
      );
    }
    this.bindStep(0);
  }

  /** Reduced axes that straight code has given a number. */
  private fixed: ReadonlyMap<Axis, Index> = new Map();
  /** Results of finished reductions, one for each step of the block. */
  private readonly results = new Map<Node, Var[]>();

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

/** Elements from which columns are summed row by row, and the widest row that is. */
const TALL_ELEMENTS = 16 << 10;
const WIDEST_TALL = 64 << 10;
const ROW_BLOCK = 4;

/** Elements of a block of streamed rows. */
const STREAMED_BLOCK = 192 << 10;
/** Rows that are few enough to look for more parallelism in the vector axis. */
const FEW_ROWS = 16;
function remaining(from: Expr, to: Expr): number {
  return (to as { value: number }).value - (from as { value: number }).value;
}
