// Loads and stores: an index that moves by 1 with the lanes is a vector load, by 0 a scalar one, by −1 or 2 a shuffled one, and
// anything else is put together lane by lane; guards say what may not be read.

import type { DType } from '../../../ir/dtype.js';
import type { Node } from '../../../ir/node.js';
import * as L from '../../../loop/loop.js';
import type { Buffer, Expr } from '../../../loop/loop.js';
import { type Index, coefficientOf, flatten } from '../../indices/index-expr.js';
import type { Guard } from '../../indices/movement.js';
import { LOADED, STORED } from './dtype-values.js';
import { IndexValues, guardKey } from './index-values.js';
import type { Value } from './scopes.js';

/** Elements beyond either end of a buffer that may be read (not used): the heap keeps this much slack. */
const OVERREAD = 1024;

export class MemoryAccess extends IndexValues {
  /** Element `index` of a stored node; `guards` are the conditions under which anybody looks at the result. */
  protected load(node: Node, buffer: Buffer, index: readonly Index[], guards: readonly Guard[]): Value {
    const flat = flatten(index, node.shape);
    const raw = this.loadFlat(buffer, flat, node.size, guards);
    const change = LOADED[node.dtype];
    return change === undefined ? raw : { expr: change(raw.expr, this.binder(raw.depth)), depth: raw.depth };
  }

  protected loadFlat(buffer: Buffer, flat: Index, size: number, guards: readonly Guard[]): Value {
    const key = `l${buffer.id}:${flat.key}:${guardKey(guards)}`;
    const found = this.recall(key);
    if (found !== undefined) return found;
    const made = this.makeLoad(buffer, flat, size, guards);
    return this.remember(key, buffer.name, made.expr, made.depth);
  }

  protected makeLoad(buffer: Buffer, flat: Index, size: number, guards: readonly Guard[]): Value {
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

  protected loadLanes(buffer: Buffer, flat: Index, size: number, guards: readonly Guard[]): Value {
    const parts = Array.from({ length: this.lanes }, (_, lane) => {
      const own = guards.map((g) => ({ index: this.atLane(g.index, lane), size: g.size }));
      return this.loadFlat(buffer, this.atLane(flat, lane), size, own);
    });
    return { expr: L.pack(parts.map((p) => p.expr)), depth: Math.max(...parts.map((p) => p.depth)) };
  }

  /** What memory holds of a value. */
  private stored({ expr }: Value, dtype: DType): Expr {
    const change = STORED[dtype];
    return change === undefined ? expr : change(expr, this.binder(this.depth));
  }

  /** Stores `value` (of a node with this dtype) at `flat`, lane by lane where the lanes are not neighbours. */
  store(buffer: Buffer, flat: Index, value: Value, dtype: DType): void {
    const raw = this.stored(value, dtype);
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
    const raw = this.stored(value, dtype);
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
}
