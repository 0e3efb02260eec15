// Builds the body of one kernel: loops, and the value of any node at any index inside them.
// `value(node, index)` follows virtual nodes down to loads, turning movement into index arithmetic and everything else
// into expressions. Each expression is bound in the outermost loop that knows its variables (so loop-invariant code
// stands outside by construction), once (so shared subexpressions are computed once).
// The lane axis is the one that a vector runs over: an index that moves by 1 with it is a vector load, by 0 a scalar
// in every lane, by anything else lane by lane.
// Input: nodes, buffers of the materialised ones, values bound by the caller (accumulators). Output: statements.

import { InternalError } from '../../../ir/errors.js';
import type { DType } from '../../../ir/dtype.js';
import { type Node, isOp } from '../../../ir/node.js';
import { OP_CLASS } from '../../../ir/op.js';
import * as L from '../../../loop/loop.js';
import type { Buffer, Expr, Stmt, ValueType, Var } from '../../../loop/loop.js';
import * as math from '../../../loop/math.js';
import {
  type Atom,
  type Axis,
  type Index,
  atomIndex,
  coefficientOf,
  constantIndex,
  dependsOn,
  dynamic,
  flatten,
  newAxis,
  splitByAxis,
  substitute,
} from '../../index/index-expr.js';
import { type Guard, broadcastIndex, readsOf } from '../../index/movement.js';
import { isPartOfSum, rangeOf } from './bounds.js';
import { BINARY_VALUES, CAST_VALUES, UNARY_VALUES } from './op-values.js';
import { gatherKey, indexKey } from '../../index/trace.js';

/** An expression and the loop depth at which its variables are known. */
export interface Value {
  readonly expr: Expr;
  readonly depth: number;
}

interface Scope {
  readonly body: Stmt[];
  readonly memo: Map<string, Value>;
}

interface AxisBinding {
  readonly expr: Expr;
  readonly depth: number;
  /** The variable counts elements, the axis blocks of `unit` elements. */
  readonly unit: number;
}

export const VALUE_TYPE: Record<DType, ValueType> = { float32: 'f32', int32: 'i32', bool: 'bool' };

/** Elements beyond either end of a buffer that may be read (not used): the heap keeps this much slack. */
const OVERREAD = 1024;

/** Terms and conditions in one expression: compilers of C take no parentheses within hundreds of others. */
const MOST_NESTED = 32;

/** What the builder asks of the kernel it builds for. */
export interface KernelContext {
  /** The buffer of a materialised node that this kernel loads; undefined for one it computes itself. */
  buffer(node: Node): Buffer | undefined;
  scalar(node: Node<'scalar'>): Var;
  /** The record that an index out of range is reported in, made on first use. */
  errorRecord(): Buffer;
}

export class KernelBuilder {
  /** Lanes of a vector; see `withLanes`. */
  lanes: number;
  private readonly laneAxes = new Map<number, Axis>();
  readonly tid = L.variable('tid', 'i32');
  readonly threads = L.variable('threads', 'i32');
  /** Set where work is shared among the threads. */
  isParallel = false;
  private readonly context: KernelContext;
  private readonly scopes: Scope[] = [{ body: [], memo: new Map() }];
  private readonly axes = new Map<number, AxisBinding>();
  private readonly bound = new Map<Node, Value>();
  private readonly tiles = new Map<Node, { buffer: Buffer; at: (index: readonly Index[]) => Index }>();

  constructor(context: KernelContext, lanes: number) {
    this.context = context;
    this.lanes = lanes;
  }

  /** The axis whose elements are the lanes of a vector. */
  get laneAxis(): Axis {
    let axis = this.laneAxes.get(this.lanes);
    if (axis === undefined) this.laneAxes.set(this.lanes, (axis = newAxis(this.lanes)));
    return axis;
  }

  /** Vectors of another width while `build` runs. */
  withLanes(lanes: number, build: () => void): void {
    const outer = this.lanes;
    this.lanes = lanes;
    build();
    this.lanes = outer;
  }

  get depth(): number {
    return this.scopes.length - 1;
  }

  /** The statements of the kernel, once all loops are closed. */
  body(): Stmt[] {
    if (this.scopes.length !== 1) throw new InternalError('compile: a loop was left open.');
    return this.scopes[0].body;
  }

  emit(statement: Stmt): void {
    this.scopes[this.depth].body.push(statement);
  }

  /** Statements made by `build`, in a scope of their own. */
  block(build: () => void): Stmt[] {
    this.scopes.push({ body: [], memo: new Map() });
    build();
    return (this.scopes.pop() as Scope).body;
  }

  /** A loop; `axis` (if given) is bound to its variable. */
  loop(
    name: string,
    from: Expr,
    to: Expr,
    step: number,
    axis: Axis | undefined,
    build: (variable: Var) => void,
    unit = 1,
  ): void {
    const variable = L.variable(name, 'i32');
    const body = this.block(() => {
      if (axis !== undefined) this.bindAxis(axis, variable, unit);
      build(variable);
    });
    this.emit(L.loop(variable, from, to, step, body));
  }

  /** Loops over all of `axes`, the first outermost. */
  nest(axes: readonly Axis[], inside: () => void): void {
    const [first, ...rest] = axes;
    if (first === undefined) inside();
    else this.loop('at', L.int(0), L.int(first.size), 1, first, () => this.nest(rest, inside));
  }

  bindAxis(axis: Axis, expr: Expr, unit = 1): void {
    this.axes.set(axis.id, { expr, depth: this.depth, unit });
  }

  /** Binds `axes` to what they are at a row-major position. */
  bindAxes(axes: readonly Axis[], position: Expr): void {
    let rest = position;
    for (let i = axes.length - 1; i > 0; i--) {
      const size = L.int(axes[i].size);
      this.bindAxis(axes[i], this.define('at', L.binary('rems', rest, size)));
      rest = this.define('rest', L.binary('divs', rest, size));
    }
    if (axes.length > 0) this.bindAxis(axes[0], rest);
  }

  /** `let` in the current scope. */
  define(name: string, value: Expr, mutable = false): Var {
    const v = L.variable(name, value.type, value.lanes);
    this.emit(L.define(v, value, mutable));
    return v;
  }

  /** The value that `node` has wherever this kernel mentions it. */
  bind(node: Node, expr: Expr): void {
    this.bound.set(node, { expr, depth: this.depth });
  }

  unbind(node: Node): void {
    this.bound.delete(node);
  }

  private defineAt(depth: number, name: string, expr: Expr): Expr {
    if (expr.kind === 'var' || expr.kind === 'const') return expr;
    const v = L.variable(name, expr.type, expr.lanes);
    this.scopes[depth].body.push(L.define(v, expr));
    return v;
  }

  private recall(key: string): Value | undefined {
    for (let d = this.depth; d >= 0; d--) {
      const found = this.scopes[d].memo.get(key);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  private remember(key: string, name: string, expr: Expr, depth: number): Value {
    const value = { expr: this.defineAt(depth, name, expr), depth };
    this.scopes[depth].memo.set(key, value);
    return value;
  }

  // -------------------------------------------------------------- integers

  /** The integer `index` as a scalar expression; it must not contain the lane axis. */
  integer(index: Index): Value {
    if (index.terms.length === 0) return { expr: L.int(index.constant), depth: 0 };
    const found = this.recall(`i${index.key}`);
    if (found !== undefined) return found;
    // Terms are added from the outermost loop inwards, so that each partial sum is bound where it is known.
    const byDepth = new Map<number, Expr[]>();
    for (const { atom, coefficient } of index.terms) {
      const { expr, depth } = this.scaledAtom(atom, coefficient);
      const list = byDepth.get(depth);
      if (list === undefined) byDepth.set(depth, [expr]);
      else list.push(expr);
    }
    let sum: Expr | undefined;
    let depth = 0;
    for (const d of [...byDepth.keys()].sort((a, b) => a - b)) {
      for (const e of byDepth.get(d) as Expr[]) sum = sum === undefined ? e : L.add(sum, e);
      depth = d;
      sum = this.defineAt(d, 'i', sum as Expr);
    }
    const total = L.add(sum as Expr, L.int(index.constant));
    const value = { expr: total, depth };
    this.scopes[depth].memo.set(`i${index.key}`, value);
    return value;
  }

  private scaledAtom(atom: Atom, coefficient: number): Value {
    if (atom.kind === 'axis') {
      const axis = this.axes.get(atom.id);
      if (axis === undefined) throw new InternalError(`compile: axis ${atom.key} is used outside its loop.`);
      if (coefficient % axis.unit === 0) {
        return { expr: L.mul(axis.expr, L.int(coefficient / axis.unit)), depth: axis.depth };
      }
      return { expr: L.mul(L.binary('divs', axis.expr, L.int(axis.unit)), L.int(coefficient)), depth: axis.depth };
    }
    const { expr, depth } = this.atom(atom);
    return { expr: L.mul(expr, L.int(coefficient)), depth };
  }

  private atom(atom: Exclude<Atom, Axis>): Value {
    if (atom.kind === 'dynamic') return atom.value as Value;
    const key = `i${atom.key}`;
    const found = this.recall(key);
    if (found !== undefined) return found;
    const x = this.integer(atom.x);
    return this.remember(
      key,
      atom.kind,
      L.binary(atom.kind === 'div' ? 'divs' : 'rems', x.expr, L.int(atom.by)),
      x.depth,
    );
  }

  private hasLane(index: Index): boolean {
    return dependsOn(index, this.laneAxis);
  }

  private atLane(index: Index, lane: number): Index {
    return substitute(index, this.laneAxis, constantIndex(lane));
  }

  /** The integer as a value: a vector if it moves with the lane axis. */
  integerValue(index: Index): Value {
    if (!this.hasLane(index)) return this.integer(index);
    const step = coefficientOf(index, this.laneAxis);
    if (step !== undefined) {
      const base = this.integer(this.atLane(index, 0));
      const offsets = L.pack(Array.from({ length: this.lanes }, (_, i) => L.int(i * step)));
      return { expr: L.add(L.splat(base.expr, this.lanes), offsets), depth: base.depth };
    }
    // Quotients and remainders of the lanes are put together where they are known, and moved from there.
    const { moving, still } = splitByAxis(index, this.laneAxis);
    const vector = this.vectorOf(moving);
    const base = this.integer(still);
    return { expr: L.add(vector.expr, L.splat(base.expr, this.lanes)), depth: Math.max(vector.depth, base.depth) };
  }

  private vectorOf(index: Index): Value {
    const key = `v${this.lanes}:${index.key}`;
    const found = this.recall(key);
    if (found !== undefined) return found;
    const parts = Array.from({ length: this.lanes }, (_, i) => this.integer(this.atLane(index, i)));
    const depth = Math.max(...parts.map((p) => p.depth));
    return this.remember(key, 'lanes', L.pack(parts.map((p) => p.expr)), depth);
  }

  // -------------------------------------------------------------- conditions

  private condition(every: readonly Guard[]): Value | undefined {
    let all: Value | undefined;
    const guards = every.filter((g) => g.index.min < 0 || g.index.max >= g.size);
    const scalars = guards.filter((g) => !this.hasLane(g.index));
    const vectors = guards.filter((g) => this.hasLane(g.index));
    [...scalars, ...vectors].forEach((g, i) => {
      const c = this.guardValue(g);
      if (i > 0 && i % MOST_NESTED === 0) all = this.named('inside', all as Value);
      all = all === undefined ? c : this.combine(all, c);
    });
    return all;
  }

  private named(name: string, { expr, depth }: Value): Value {
    return { expr: this.defineAt(depth, name, expr), depth };
  }

  private combine(a: Value, b: Value): Value {
    return { expr: L.binary('and', a.expr, b.expr), depth: Math.max(a.depth, b.depth) };
  }

  private guardValue(g: Guard): Value {
    const key = `c${g.index.key}<${g.size}`;
    const found = this.recall(key);
    if (found !== undefined) return found;
    if (!this.hasLane(g.index)) {
      const { expr, depth } = this.integer(g.index);
      return this.remember(key, 'inside', L.compare('ltu', expr, L.int(g.size)), depth);
    }
    const { expr, depth } = this.integerValue(g.index);
    const low = g.index.min < 0 ? L.compare('le', L.int(0), expr) : undefined;
    const high = g.index.max >= g.size ? L.compare('lt', expr, L.int(g.size)) : undefined;
    const both = low === undefined ? (high as Expr) : high === undefined ? low : L.binary('and', low, high);
    return this.remember(key, 'inside', both, depth);
  }

  // -------------------------------------------------------------- loads and stores

  /** Element `index` of a stored node; `guards` are the conditions under which anybody looks at the result. */
  private load(node: Node, buffer: Buffer, index: readonly Index[], guards: readonly Guard[]): Value {
    const flat = flatten(index, node.shape);
    const raw = this.loadFlat(buffer, flat, node.size, guards);
    if (node.dtype !== 'bool') return raw;
    return { expr: L.compare('ne', raw.expr, L.int(0)), depth: raw.depth };
  }

  private loadFlat(buffer: Buffer, flat: Index, size: number, guards: readonly Guard[]): Value {
    const key = `l${buffer.id}:${flat.key}:${guardKey(guards)}`;
    const found = this.recall(key);
    if (found !== undefined) return found;
    const made = this.makeLoad(buffer, flat, size, guards);
    return this.remember(key, buffer.name, made.expr, made.depth);
  }

  private makeLoad(buffer: Buffer, flat: Index, size: number, guards: readonly Guard[]): Value {
    const uniform = guards.filter((g) => !this.hasLane(g.index));
    const byLane = guards.filter((g) => this.hasLane(g.index));
    const step = this.hasLane(flat) ? coefficientOf(flat, this.laneAxis) : 0;
    const beyond = (x: Index, most: number): number => Math.max(0, -x.min, x.max - most + 1);
    // Guards along the vector say how far it may stick out; those that jump along it (a row ends in it) do not.
    const overhang = byLane.every((g) => coefficientOf(g.index, this.laneAxis) !== undefined)
      ? Math.max(0, ...byLane.map((g) => beyond(g.index, g.size)))
      : beyond(flat, size);
    const inside = flat.min >= 0 && flat.max < size;
    const vectorStep = step === 1 || step === -1 || step === 2;
    if (this.hasLane(flat) && !(vectorStep && (inside || overhang <= OVERREAD)))
      return this.loadLanes(buffer, flat, size, guards);
    if (!this.hasLane(flat) && byLane.length > 0 && !inside) {
      return this.loadLanes(buffer, flat, size, guards);
    }
    let at = this.integer(this.atLane(flat, step === -1 ? this.lanes - 1 : 0));
    const condition = inside ? undefined : this.condition(uniform);
    if (condition !== undefined) {
      at = { expr: L.select(condition.expr, at.expr, L.int(0)), depth: Math.max(condition.depth, at.depth) };
    }
    if (step === 0) return { expr: L.load(buffer, at.expr), depth: at.depth };
    if (step === 1) return { expr: L.load(buffer, at.expr, this.lanes), depth: at.depth };
    const lanes = this.lanes;
    const first = L.load(buffer, at.expr, lanes);
    if (step === -1) {
      return {
        expr: L.shuffle(
          first,
          first,
          Array.from({ length: lanes }, (_, i) => lanes - 1 - i),
        ),
        depth: at.depth,
      };
    }
    // Every second element: two loads whose second starts one early, so that nothing beyond the last lane is read.
    const second = L.load(buffer, L.add(at.expr, L.int(lanes - 1)), lanes);
    const pick = Array.from({ length: lanes }, (_, i) => (2 * i < lanes ? 2 * i : 2 * i + 1));
    return { expr: L.shuffle(first, second, pick), depth: at.depth };
  }

  private loadLanes(buffer: Buffer, flat: Index, size: number, guards: readonly Guard[]): Value {
    const parts = Array.from({ length: this.lanes }, (_, lane) => {
      const own = guards.map((g) => ({ index: this.atLane(g.index, lane), size: g.size }));
      return this.loadFlat(buffer, this.atLane(flat, lane), size, own);
    });
    return { expr: L.pack(parts.map((p) => p.expr)), depth: Math.max(...parts.map((p) => p.depth)) };
  }

  /** Stores `value` (of a node with this dtype) at `flat`, lane by lane where the lanes are not neighbours. */
  store(buffer: Buffer, flat: Index, value: Value, dtype: DType): void {
    const raw =
      dtype === 'bool'
        ? L.select(value.expr, L.literal(1, 'i32', value.expr.lanes), L.literal(0, 'i32', value.expr.lanes))
        : value.expr;
    if (!this.hasLane(flat)) {
      this.emit(L.store(buffer, this.integer(flat).expr, raw));
      return;
    }
    const vector = this.defineAt(this.depth, 'out', L.splat(raw, this.lanes));
    if (coefficientOf(flat, this.laneAxis) === 1) {
      this.emit(L.store(buffer, this.integer(this.atLane(flat, 0)).expr, vector));
      return;
    }
    for (let lane = 0; lane < this.lanes; lane++) this.storeLane(buffer, flat, vector, lane);
  }

  /** Stores the first `count` lanes only. */
  storeLanes(buffer: Buffer, flat: Index, value: Value, dtype: DType, count: number): void {
    const { expr } = value;
    const raw =
      dtype === 'bool' ? L.select(expr, L.literal(1, 'i32', expr.lanes), L.literal(0, 'i32', expr.lanes)) : expr;
    const vector = this.defineAt(this.depth, 'out', L.splat(raw, this.lanes));
    for (let lane = 0; lane < count; lane++) this.storeLane(buffer, flat, vector, lane);
  }

  /** A load that is not remembered: of memory that this kernel also writes. */
  loadNow(buffer: Buffer, flat: Index, size: number, guards: readonly Guard[], lanes = this.lanes): Expr {
    if (lanes === 1) return this.makeLoad(buffer, flat, size, guards).expr;
    if (this.hasLane(flat) && coefficientOf(flat, this.laneAxis) !== 1) {
      const parts = Array.from({ length: this.lanes }, (_, lane) => {
        const own = guards.map((g) => ({ index: this.atLane(g.index, lane), size: g.size }));
        const made = this.makeLoad(buffer, this.atLane(flat, lane), size, own);
        return this.defineAt(this.depth, 'c', made.expr);
      });
      return L.pack(parts);
    }
    return L.splat(this.makeLoad(buffer, flat, size, guards).expr, this.lanes);
  }

  /** `value` where the guards hold, else zero. */
  masked(value: Value, guards: readonly Guard[]): Expr {
    const condition = this.condition(guards);
    if (condition === undefined) return value.expr;
    return L.select(condition.expr, value.expr, L.literal(0, value.expr.type));
  }

  storeLane(buffer: Buffer, flat: Index, vector: Expr, lane: number): void {
    this.emit(L.store(buffer, this.integer(this.atLane(flat, lane)).expr, L.extract(vector, lane)));
  }

  // -------------------------------------------------------------- values

  /** Element `index` of `node`, computed from what is stored and bound. */
  value(node: Node, index: readonly Index[], guards: readonly Guard[] = []): Value {
    const bound = this.bound.get(node);
    if (bound !== undefined) return bound;
    const key = `${node.slot}:${indexKey(index)}${guardKey(guards)}`;
    const found = this.recall(key);
    if (found !== undefined) return found;
    const made = this.makeValue(node, index, guards);
    return this.remember(key, node.op, made.expr, made.depth);
  }

  /** In the current scope, element `index` of `node` is known to be `expr`. */
  assume(node: Node, index: readonly Index[], expr: Expr): void {
    this.remember(`${node.slot}:${indexKey(index)}`, node.op, expr, this.depth);
  }

  /** From here on, elements of a streamed product are found in `buffer`. */
  placeTile(node: Node, buffer: Buffer, at: (index: readonly Index[]) => Index): void {
    this.tiles.set(node, { buffer, at });
  }

  private makeValue(node: Node, index: readonly Index[], guards: readonly Guard[]): Value {
    const buffer = this.context.buffer(node);
    if (buffer !== undefined) return this.load(node, buffer, index, guards);
    const tile = this.tiles.get(node);
    if (tile !== undefined) return this.loadFlat(tile.buffer, tile.at(index), tile.buffer.size, guards);
    const type = VALUE_TYPE[node.dtype];
    switch (OP_CLASS[node.op]) {
      case 'leaf':
        return this.leafValue(node, index, type);
      case 'unary': {
        const x = this.operand(node, 0, index, guards);
        const range = rangeOf(node.src[0]);
        return this.map([x], ([e]) =>
          UNARY_VALUES[node.op as keyof typeof UNARY_VALUES](e, type, this.binder(x.depth), range),
        );
      }
      case 'binary': {
        const a = this.operand(node, 0, index, guards);
        const b = this.operand(node, 1, index, guards);
        const bind = this.binder(Math.max(a.depth, b.depth));
        const operandType = VALUE_TYPE[node.src[0].dtype];
        if (isPartOfSum(node)) return this.map([a, b], ([x, y]) => L.binary('part', x, y));
        return this.map([a, b], ([x, y]) =>
          BINARY_VALUES[node.op as keyof typeof BINARY_VALUES](x, y, operandType, bind),
        );
      }
      case 'map': {
        const operands = node.src.map((_, i) => this.operand(node, i, index, guards));
        if (node.op === 'where') return this.map(operands, ([c, a, b]) => L.select(c, a, b));
        if (isOp(node, 'bitcast')) {
          return this.map(operands, ([x]) =>
            L.convert(node.arg.dtype === 'int32' ? 'bits.f32.i32' : 'bits.i32.f32', x),
          );
        }
        return this.map(operands, ([x]) => CAST_VALUES[VALUE_TYPE[node.src[0].dtype]][type](x));
      }
      case 'identity':
        return this.value(node.src[0], index, guards);
      case 'movement':
      case 'reduce':
        if (isOp(node, 'gather')) return this.gather(node, index, guards);
        if (OP_CLASS[node.op] === 'movement' || node.op === 'fold') return this.moved(node, index, guards, type);
        throw new InternalError(`compile: ${node.op} was not computed before its use in a kernel.`);
      default:
        throw new InternalError(`compile: ${node.op} cannot be part of a kernel's expression.`);
    }
  }

  private operand(node: Node, i: number, index: readonly Index[], guards: readonly Guard[]): Value {
    const src = node.src[i];
    return this.value(src, broadcastIndex(index, src.shape), guards);
  }

  private map(operands: readonly Value[], make: (exprs: Expr[]) => Expr): Value {
    return { expr: make(operands.map((o) => o.expr)), depth: operands.reduce((d, o) => Math.max(d, o.depth), 0) };
  }

  /** Binds a subexpression of a composed operator (a polynomial's partial result). */
  private binder(depth: number): math.Bind {
    return math.binder(this.scopes[depth].body);
  }

  private leafValue(node: Node, index: readonly Index[], type: ValueType): Value {
    if (isOp(node, 'const')) return { expr: L.literal(node.arg.value, type), depth: 0 };
    if (isOp(node, 'scalar')) return { expr: this.context.scalar(node), depth: 0 };
    if (isOp(node, 'iota')) return this.integerValue(index[0]);
    if (isOp(node, 'random')) {
      const key0 = this.value(node.src[0], []);
      const key1 = this.value(node.src[1], []);
      const counter = this.integerValue(flatten(index, node.shape));
      const lanes = counter.expr.lanes;
      const [x0] = math.threefry2x32(
        L.splat(key0.expr, lanes),
        L.splat(key1.expr, lanes),
        counter.expr,
        L.literal(0, 'i32', lanes),
        this.binder(counter.depth),
      );
      return { expr: x0, depth: counter.depth };
    }
    throw new InternalError(`compile: ${node.op} has no buffer.`);
  }

  /** The first read whose guards hold, else zero; a fold adds all of them. */
  private moved(node: Node, index: readonly Index[], guards: readonly Guard[], type: ValueType): Value {
    const zero: Value = { expr: L.literal(0, type), depth: 0 };
    const reads = readsOf(node, index);
    let result = zero;
    for (let i = reads.length - 1; i >= 0; i--) {
      const read = reads[i];
      const inner = read.guards.length === 0 ? guards : [...guards, ...read.guards];
      const value = this.value(read.src, read.index, inner);
      const condition = this.condition(read.guards);
      const otherwise = node.op === 'fold' ? zero : result;
      const chosen =
        condition === undefined ? value : this.map([condition, value, otherwise], ([c, a, b]) => L.select(c, a, b));
      result = node.op === 'fold' && result !== zero ? this.map([result, chosen], ([a, b]) => L.add(a, b)) : chosen;
      if (i > 0 && i % MOST_NESTED === 0) result = this.named(node.op, result);
    }
    return result;
  }

  private gather(node: Node<'gather'>, index: readonly Index[], guards: readonly Guard[]): Value {
    const at = this.value(node.src[1], index, guards);
    if (at.expr.lanes === 1) return this.gatherAt(node, at, index, guards);
    const parts = Array.from({ length: this.lanes }, (_, lane) => {
      const own = guards.map((g) => ({ index: this.atLane(g.index, lane), size: g.size }));
      const place = index.map((i) => this.atLane(i, lane));
      return this.gatherAt(node, this.ofLane(this.value(node.src[1], place, own), lane), place, own);
    });
    return {
      expr: L.pack(parts.map((p, lane) => this.ofLane(p, lane).expr)),
      depth: Math.max(...parts.map((p) => p.depth)),
    };
  }

  /** The element of one lane, where what was asked for a lane came as a vector: a bound result (a sum of each lane's column) does. */
  private ofLane(x: Value, lane: number): Value {
    return x.expr.lanes === 1 ? x : { expr: L.extract(x.expr, lane), depth: x.depth };
  }

  private gatherAt(node: Node<'gather'>, at: Value, index: readonly Index[], guards: readonly Guard[]): Value {
    const [x] = node.src;
    const size = x.shape[node.arg.axis];
    const safe = this.checkedIndex(node, at, size, guards);
    const inner = [...index];
    inner[node.arg.axis] = atomIndex(dynamic(safe, size, gatherKey(node, index)));
    return this.value(x, inner, guards);
  }

  /** A run-time index, checked: one out of range is written to the error record and replaced by 0. */
  checkedIndex(node: Node, at: Value, size: number, guards: readonly Guard[]): Value {
    const known = this.condition(guards.filter((g) => !this.hasLane(g.index)));
    const inside = L.compare('ltu', at.expr, L.int(size));
    const outside = L.unary('not', inside);
    const depth = Math.max(at.depth, known?.depth ?? 0);
    const record = this.context.errorRecord();
    const report: Stmt[] = [
      L.store(record, L.int(1), L.int(node.slot)),
      L.store(record, L.int(2), at.expr),
      L.store(record, L.int(3), L.int(size)),
      L.store(record, L.int(0), L.int(1)),
    ];
    this.scopes[depth].body.push(L.when(known === undefined ? outside : L.binary('and', known.expr, outside), report));
    return { expr: this.defineAt(at.depth, 'at', L.select(inside, at.expr, L.int(0))), depth: at.depth };
  }
}

function guardKey(guards: readonly Guard[]): string {
  let key = '';
  for (const g of guards) key += `?${g.index.key}<${g.size}`;
  return key;
}
