// Expensive values that two walks along a row need: the first writes them to memory of the thread's own, the second reads
// them.
// Input: a group, its nest and phases. Output: stores and loads in the walks of lower-loop.ts.

import { isFloat, wideOf } from '../../../ir/dtype.js';
import type { Node } from '../../../ir/node.js';
import type { Buffer } from '../../../loop/loop.js';
import type { Group } from '../../plan/group.js';
import { isReduction } from '../../graph/kinds.js';
import { type Axis, type Index, atomIndex, dependsOn, flatten, isDynamic } from '../../indices/index-expr.js';
import { elementOf } from '../kernel/dtype-values.js';
import type { KernelBuilder } from '../kernel/kernel-builder.js';
import type { Nest } from './loop-nest.js';
import type { Lowering } from '../kernel/lowering.js';
import { costOf, STORE_COST } from '../../plan/costs.js';
import type { Phases } from './phases.js';
import { indexKey, trace } from '../../indices/trace.js';
import type { Block } from '../kernel/vector-blocks.js';

/** Longest row whose values are kept. */
const LONGEST_ROW = 16384;

interface Value {
  readonly node: Node;
  readonly index: readonly Index[];
  /** The phase that computes it. */
  readonly from: number;
  readonly buffer: Buffer;
}

export class CarriedValues {
  private readonly values: readonly Value[];
  private readonly nest: Nest;
  private readonly vector: Axis;

  /** `vector` is the axis along a row. */
  constructor(group: Group, nest: Nest, vector: Axis, phases: Phases, lowering: Lowering) {
    this.nest = nest;
    this.vector = vector;
    this.values = this.find(group, phases, lowering);
  }

  private find(group: Group, phases: Phases, lowering: Lowering): Value[] {
    const { nest } = this;
    const rowSize = nest.reduced.reduce((n, a) => n * a.size, 1);
    if (rowSize > LONGEST_ROW) return [];
    const seen = new Map<string, { node: Node; index: readonly Index[]; phases: Set<number> }>();
    for (const member of group.members) {
      const reduction = isReduction(member);
      if (!reduction && lowering.output(member) === undefined) continue;
      const at = (reduction ? nest.operand : nest.place).get(member) as readonly Index[];
      trace(reduction ? member.src[0] : member, at, lowering.isMaterialised, {
        materialised: (n) => nest.place.has(n) && !isReduction(n),
        computed: (node, index) => {
          if (costOf(node.op) <= STORE_COST || !isFloat(node.dtype) || wideOf(node.dtype) !== undefined) return;
          if (index.some(isDynamic) || !index.some((x) => dependsOn(x, this.vector))) return;
          const key = `${node.slot}:${indexKey(index)}`;
          const entry = seen.get(key) ?? { node, index, phases: new Set<number>() };
          entry.phases.add(phases.of.get(member) as number);
          seen.set(key, entry);
        },
      });
    }
    return [...seen.values()]
      .filter((v) => v.phases.size > 1)
      .map(({ node, index, phases: needed }) => ({
        node,
        index,
        from: Math.min(...needed),
        buffer: lowering.scratch('row', rowSize, elementOf(node.dtype)),
      }));
  }

  /** What earlier phases have written is known in this block. */
  recall(
    k: KernelBuilder,
    phase: number,
    block: Block,
    indexOf: (index: readonly Index[], at: Index) => Index[],
  ): void {
    for (const { node, index, from, buffer } of this.values) {
      if (phase <= from) continue;
      for (const at of block.at) {
        k.assume(node, indexOf(index, at), k.loadNow(buffer, this.position(at), buffer.size, [], block.lanes));
      }
    }
  }

  /** Writes what this phase is the first to compute. */
  save(k: KernelBuilder, phase: number, block: Block, indexOf: (index: readonly Index[], at: Index) => Index[]): void {
    for (const { node, index, from, buffer } of this.values) {
      if (phase !== from) continue;
      for (const at of block.at) k.store(buffer, this.position(at), k.value(node, indexOf(index, at)), node.dtype);
    }
  }

  /** Where in its row a value stands: the vector axis is innermost. */
  private position(at: Index): Index {
    const others = this.nest.reduced.filter((a) => a !== this.vector);
    return flatten([...others.map((a) => atomIndex(a)), at], [...others.map((a) => a.size), this.vector.size]);
  }
}
