// The axes of an element-wise or row kernel: those of its group, with neighbours that every access walks as one merged, and
// the axis that vectors run along.
// Input: a group. Output: a nest of kept and reduced axes with the place of each member in it. Not here: loops.

import { fewestLanes } from '../kernel/vector-blocks.js';
import type { Node } from '../../../ir/node.js';
import type { Group } from '../../plan/group.js';
import { isReduction } from '../../graph/kinds.js';
import {
  type Axis,
  type Index,
  atomIndex,
  coefficientOf,
  dependsOn,
  flatten,
  isDynamic,
  newAxis,
  substitute,
  unflatten,
} from '../../indices/index-expr.js';
import type { Lowering } from '../kernel/lowering.js';
import { type Stream, streamsBelow } from '../../plan/stream.js';
import { lookupsOf, trace } from '../../indices/trace.js';

/** A group rewritten onto fewer, longer axes. */
export interface Nest {
  readonly kept: readonly Axis[];
  readonly reduced: readonly Axis[];
  readonly place: ReadonlyMap<Node, readonly Index[]>;
  readonly operand: ReadonlyMap<Node, readonly Index[]>;
  /** Every position that the kernel touches, for choosing the vector axis. */
  readonly accesses: readonly Access[];
}

interface Access {
  readonly at: Index;
  /** Where run-time parts of it are read. */
  readonly lookups: readonly Index[];
}

function stores(group: Group, options: Lowering): Node[] {
  return group.members.filter((n) => options.output(n) !== undefined);
}

function accessesOf(
  group: Group,
  options: Lowering,
  place: ReadonlyMap<Node, readonly Index[]>,
  operand: ReadonlyMap<Node, readonly Index[]>,
): Access[] {
  const accesses: Access[] = [];
  const add = (at: Index): void => {
    accesses.push({ at, lookups: isDynamic(at) ? lookupsOf(at, options.isMaterialised) : [] });
  };
  for (const node of stores(group, options)) add(flatten(place.get(node) as readonly Index[], node.shape));
  for (const node of group.members) {
    const reduction = isReduction(node);
    const start = reduction ? node.src[0] : node;
    const at = (reduction ? operand.get(node) : place.get(node)) as readonly Index[];
    trace(start, at, options.isMaterialised, {
      materialised(n, index) {
        if (place.has(n)) return n === node;
        add(flatten(index, n.shape));
        return false;
      },
      integer: add,
      streamed: (n, index) => add(flatten(index, n.shape)),
    });
  }
  return accesses;
}

/** Streamed products below the members. */
export function streamsOf(group: Group, options: Lowering): Map<Node, Stream> {
  const streams = new Map<Node, Stream>();
  for (const node of group.members) {
    const reduction = isReduction(node);
    const at = (reduction ? group.operand : group.place).get(node) as readonly Index[];
    const isBelow = (n: Node) => options.isMaterialised(n) && n !== node;
    streamsBelow(reduction ? node.src[0] : node, at, isBelow, streams);
  }
  return streams;
}

/** Merges neighbouring axes that every access walks as one; all but the rows of a streamed product. */
export function collapse(group: Group, options: Lowering, mayMerge: boolean): Nest {
  let { place, operand } = group;
  const accesses = accessesOf(group, options, place, operand);
  const live = group.axes.map((axis, i) => ({ axis, reduced: group.reduced[i] })).filter(({ axis }) => axis.size !== 1);
  const runs: { axes: Axis[]; reduced: boolean }[] = [];
  for (const { axis, reduced } of live) {
    const last = runs[runs.length - 1];
    const previous = last?.axes[last.axes.length - 1];
    const isOne = mayMerge && last?.reduced === reduced;
    if (isOne && accesses.every(({ at }) => walksAsOne(at, previous as Axis, axis))) last.axes.push(axis);
    else runs.push({ axes: [axis], reduced });
  }
  const kept: Axis[] = [];
  const reducedAxes: Axis[] = [];
  const replace: [Axis, Index][] = [];
  for (const run of runs) {
    const merged = run.axes.length === 1 ? run.axes[0] : newAxis(run.axes.reduce((n, a) => n * a.size, 1));
    (run.reduced ? reducedAxes : kept).push(merged);
    if (run.axes.length === 1) continue;
    const parts = unflatten(
      atomIndex(merged),
      run.axes.map((a) => a.size),
    );
    run.axes.forEach((a, i) => replace.push([a, parts[i]]));
  }
  if (replace.length > 0) {
    const apply = (index: readonly Index[]) =>
      index.map((x) => replace.reduce((y, [axis, by]) => substitute(y, axis, by), x));
    place = new Map([...place].map(([n, index]) => [n, apply(index)]));
    operand = new Map([...operand].map(([n, index]) => [n, apply(index)]));
  }
  return { kept, reduced: reducedAxes, place, operand, accesses: accessesOf(group, options, place, operand) };
}

function walksAsOne(x: Index, outer: Axis, inner: Axis): boolean {
  const a = coefficientOf(x, outer);
  const b = coefficientOf(x, inner);
  return a !== undefined && b !== undefined && a === b * inner.size;
}

/** The axis along which most accesses are contiguous; undefined where vectors do not pay. */
function chooseVectorAxis(nest: Nest, lanes: number): Axis | undefined {
  let best: Axis | undefined;
  let bestScore = 0;
  for (const axis of [...nest.kept, ...nest.reduced]) {
    if (axis.size < lanes) continue;
    let score = 0.5;
    for (const x of nest.accesses) {
      // What does not move along the reduced axes is read or written once a row, which costs next to nothing.
      if (nest.reduced.length > 0 && !nest.reduced.some((a) => dependsOn(x.at, a))) continue;
      // What is looked up at another place for each element is read one by one.
      const c = x.lookups.some((y) => dependsOn(y, axis)) ? undefined : coefficientOf(x.at, axis);
      if (c === undefined) score -= 2;
      else if (c === 1) score += 4;
      else if (c === 2 || c === -1) score += 2;
      else if (c === 0) score += 1;
      else score -= 2;
    }
    if (score >= bestScore) {
      best = axis;
      bestScore = score;
    }
  }
  return best;
}

/** The vector axis and the width of the vectors: the widest that the axis has room for. */
export function chooseVector(nest: Nest, widest: number): [Axis | undefined, number] {
  for (let lanes = widest; lanes >= fewestLanes(widest); lanes /= 2) {
    const axis = chooseVectorAxis(nest, lanes);
    if (axis !== undefined) return [axis, lanes];
  }
  return [undefined, widest];
}
