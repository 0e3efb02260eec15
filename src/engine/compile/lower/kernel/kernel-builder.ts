// Builds the body of one kernel: the value of any node at any index inside its loops.
// `value(node, index)` follows virtual nodes down to loads, turning movement into index arithmetic (index-values.ts) and
// everything else into expressions; loops and what is known in them are scopes.ts's, loads and stores memory-access.ts's.
// The lane axis is the one that a vector runs over.
// Input: nodes, buffers of the materialised ones, values bound by the caller (accumulators). Output: statements.

import { InternalError } from '../../../ir/errors.js';
import { type Node, isOp } from '../../../ir/node.js';
import { OP_CLASS } from '../../../ir/op.js';
import * as L from '../../../loop/loop.js';
import type { Buffer, Expr, Stmt, ValueType, Var } from '../../../loop/loop.js';
import * as math from '../../../loop/math/math.js';
import { type Index, atomIndex, dynamic, flatten } from '../../indices/index-expr.js';
import { type Guard, broadcastIndex, readsOf } from '../../indices/movement.js';
import { isPartOfSum, rangeOf } from './bounds.js';
import { MOST_NESTED, guardKey } from './index-values.js';
import { MemoryAccess } from './memory-access.js';
import { FITTED, VALUE_TYPE } from './dtype-values.js';
import { BINARY_VALUES, CAST_VALUES, UNARY_VALUES } from './op-values.js';
import type { Value } from './scopes.js';
import { gatherKey, indexKey } from '../../indices/trace.js';

/** What the builder asks of the kernel it builds for. */
export interface KernelContext {
  /** The buffer of a materialised node that this kernel loads; undefined for one it computes itself. */
  buffer(node: Node): Buffer | undefined;
  scalar(node: Node<'scalar'>): Var;
  /** The record that an index out of range is reported in, made on first use. */
  errorRecord(): Buffer;
}

export class KernelBuilder extends MemoryAccess {
  private readonly context: KernelContext;
  private readonly bound = new Map<Node, Value>();
  private readonly tiles = new Map<Node, { buffer: Buffer; at: (index: readonly Index[]) => Index }>();

  constructor(context: KernelContext, lanes: number) {
    super(lanes);
    this.context = context;
  }

  /** The value that `node` has wherever this kernel mentions it. */
  bind(node: Node, expr: Expr): void {
    this.bound.set(node, { expr, depth: this.depth });
  }

  unbind(node: Node): void {
    this.bound.delete(node);
  }

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
        return this.cast(node, operands);
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

  private cast(node: Node, operands: readonly Value[]): Value {
    const convert = CAST_VALUES[VALUE_TYPE[node.src[0].dtype]][VALUE_TYPE[node.dtype]];
    const fit = FITTED[node.dtype];
    if (fit === undefined) return this.map(operands, ([x]) => convert(x));
    const bind = this.binder(operands[0].depth);
    return this.map(operands, ([x]) => fit(bind('wide', convert(x)), bind));
  }

  private operand(node: Node, i: number, index: readonly Index[], guards: readonly Guard[]): Value {
    const src = node.src[i];
    return this.value(src, broadcastIndex(index, src.shape), guards);
  }

  private map(operands: readonly Value[], make: (exprs: Expr[]) => Expr): Value {
    return { expr: make(operands.map((o) => o.expr)), depth: operands.reduce((d, o) => Math.max(d, o.depth), 0) };
  }

  /** Binds a subexpression of a composed operator (a polynomial's partial result). */
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
    inner[node.arg.axis] = atomIndex(dynamic(safe, size, `${gatherKey(node, index)}${guardKey(guards)}`));
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
