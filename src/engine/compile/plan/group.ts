// A group is a set of materialised nodes that one kernel computes in one loop nest.
// Its domain is a list of axes, some of them reduced. Every member has a place: the index of its element in terms of
// the axes. Members on the full domain have a value for each point of it, members on the rows one for each kept point.
// `formGroup` says whether given nodes can form a group: it places all of them and checks, by tracing each member's
// expression, that whatever one member reads of another is the value of the same iteration.

import { isContraction, isReduction } from '../graph/kinds.js';
import type { Node } from '../../ir/node.js';
import { type CompilerOp, OP_CLASS } from '../../ir/op.js';
import { type Shape, sameShape, sizeOf } from '../../ir/shape.js';
import { costOf } from './costs.js';
import { isWideConcat } from '../indices/movement.js';
import {
  type Axis,
  type Index,
  ZERO,
  atomIndex,
  dependsOn,
  flatten,
  newAxis,
  unflatten,
} from '../indices/index-expr.js';
import { type IsMaterialised, indexKey, trace } from '../indices/trace.js';

export type GroupKind =
  | 'loop'
  | 'contraction'
  | 'concat'
  | 'cumsum'
  | 'argsort'
  | 'scatterAdd'
  | 'dense'
  | Exclude<CompilerOp, 'winograd'>;

export interface Group {
  readonly kind: GroupKind;
  /** In computing order. */
  readonly members: readonly Node[];
  readonly axes: readonly Axis[];
  /** axes[i] is summed over (or otherwise reduced). */
  readonly reduced: readonly boolean[];
  /** Index of the element of each member; a reduction's has no reduced axis in it. */
  readonly place: ReadonlyMap<Node, readonly Index[]>;
  /** Index of the operand element that a reduction adds in this iteration. */
  readonly operand: ReadonlyMap<Node, readonly Index[]>;
  /** Materialised nodes outside the group (inputs included) that it reads. */
  readonly reads: ReadonlySet<Node>;
}

const MOST_MEMBERS = 24;
/** Buffers and numbers that a kernel of several members reads. Engines take functions of 1000 parameters at most. */
const MOST_OPERANDS = 256;
/** What they cost together (costs.ts): compilers take more than twice as long for a kernel of twice the size. */
const MOST_WORK = 512;
/** With fewer rows than this a row kernel leaves threads idle; element-wise work does not join it then. */
const FEWEST_ROWS = 8;
const SMALL_WORK = 8192;

/** The index of `shape`'s element at the row-major position that `index` has in `from`. */
function transfer(index: readonly Index[], from: Shape, to: Shape): Index[] {
  if (sameShape(from, to)) return [...index];
  const a = from.flatMap((n, i) => (n === 1 ? [] : [i]));
  const b = to.flatMap((n, i) => (n === 1 ? [] : [i]));
  if (a.length === b.length && a.every((axis, i) => from[axis] === to[b[i]])) {
    const out: Index[] = to.map(() => ZERO);
    b.forEach((axis, i) => (out[axis] = index[a[i]]));
    return out;
  }
  return unflatten(flatten(index, from), to);
}

interface Domain {
  readonly shape: Shape;
  readonly axes: readonly Axis[];
  readonly index: readonly Index[];
  readonly reduced: readonly boolean[];
  readonly rowShape: Shape;
  readonly rowIndex: readonly Index[];
}

function domainOf(seed: Node): Domain {
  const shape = isReduction(seed) ? seed.src[0].shape : seed.shape;
  const reducedAxes: readonly number[] = isReduction(seed) ? (seed.arg as { axes: readonly number[] }).axes : [];
  const axes = shape.map((n) => newAxis(n));
  const index = axes.map((a) => atomIndex(a));
  const reduced = shape.map((_, i) => reducedAxes.includes(i));
  return {
    shape,
    axes,
    index,
    reduced,
    rowShape: shape.filter((_, i) => !reduced[i]),
    rowIndex: index.filter((_, i) => !reduced[i]),
  };
}

/** Does the group stay one node, whatever else there is? */
export function isAlone({ kind }: Group): boolean {
  return kind !== 'loop' && kind !== 'contraction';
}

/** Can two groups become one, as far as can be said without looking at what they compute? */
export function mayJoin(a: Group, b: Group): boolean {
  if (isAlone(a) || isAlone(b) || a.members.length + b.members.length > MOST_MEMBERS) return false;
  const contractions = (a.kind === 'contraction' ? 1 : 0) + (b.kind === 'contraction' ? 1 : 0);
  return contractions < 2 && (contractions === 0 || !(a.members.some(isReduction) || b.members.some(isReduction)));
}

/** Tries to put `nodes` (in order) into one kernel; undefined where they do not share a loop nest. */
export function formGroup(nodes: readonly Node[], isMaterialised: IsMaterialised): Group | undefined {
  if (nodes.length > MOST_MEMBERS) return undefined;
  const contraction = nodes.filter(isContraction);
  const reductions = nodes.filter(isReduction);
  const special = nodes.find((n) => (OP_CLASS[n.op] === 'kernel' && !isContraction(n)) || isWideConcat(n));
  if (special !== undefined) return nodes.length === 1 ? specialGroup(special, isMaterialised) : undefined;
  if (contraction.length > 1 || (contraction.length === 1 && reductions.length > 0)) return undefined;
  const seed = contraction[0] ?? reductions[0] ?? nodes[0];
  const domain = domainOf(seed);
  const size = sizeOf(domain.shape);
  const rows = sizeOf(domain.rowShape);
  const place = new Map<Node, readonly Index[]>();
  const operand = new Map<Node, readonly Index[]>();

  for (const node of nodes) {
    if (isReduction(node)) {
      const at = placeReduction(node, domain);
      if (at === undefined) return undefined;
      place.set(node, at.place);
      operand.set(node, at.operand);
    } else if (node.size === size) {
      if (reductions.length > 0 && rows < FEWEST_ROWS && size > SMALL_WORK) return undefined;
      place.set(node, transfer(domain.index, domain.shape, node.shape));
    } else if (node.size === rows && reductions.length > 0) {
      place.set(node, transfer(domain.rowIndex, domain.rowShape, node.shape));
    } else return undefined;
  }

  const reads = new Set<Node>();
  const numbers = new Set<Node>();
  let work = 0;
  for (const node of nodes) {
    if (isContraction(node)) {
      const operands = new Set<Node>();
      for (const s of node.src) collectReads(s, isMaterialised, operands);
      for (const n of operands) {
        if (place.has(n)) return undefined; // a contraction reads whole rows of its operands
        reads.add(n);
      }
      continue;
    }
    const start = isReduction(node) ? node.src[0] : node;
    const at = (isReduction(node) ? operand.get(node) : place.get(node)) as readonly Index[];
    let fits = true;
    trace(start, at, isMaterialised, {
      materialised(n, index) {
        if (n === node) return true;
        const own = place.get(n);
        if (own === undefined) reads.add(n);
        else if (indexKey(own) !== indexKey(index)) fits = false;
        return false;
      },
      streamed(n) {
        const operands = new Set<Node>();
        for (const s of n.src) collectReads(s, isMaterialised, operands);
        for (const x of operands) {
          if (place.has(x)) fits = false;
          else reads.add(x);
        }
      },
      computed(n) {
        if (n.op === 'scalar') numbers.add(n);
        work += costOf(n.op);
      },
    });
    if (!fits || (nodes.length > 1 && (work > MOST_WORK || reads.size + numbers.size > MOST_OPERANDS)))
      return undefined;
  }
  return {
    kind: contraction.length > 0 ? 'contraction' : 'loop',
    members: nodes,
    axes: domain.axes,
    reduced: domain.reduced,
    place,
    operand,
    reads,
  };
}

function placeReduction(node: Node, domain: Domain): { place: Index[]; operand: Index[] } | undefined {
  const src = node.src[0];
  if (src.size !== sizeOf(domain.shape) || node.size !== sizeOf(domain.rowShape)) return undefined;
  const { axes } = node.arg as { axes: readonly number[] };
  const operand = transfer(domain.index, domain.shape, src.shape);
  const kept = domain.axes.filter((_, i) => !domain.reduced[i]);
  const reduced = domain.axes.filter((_, i) => domain.reduced[i]);
  for (let d = 0; d < operand.length; d++) {
    const wrong = axes.includes(d) ? kept : reduced;
    if (wrong.some((a) => dependsOn(operand[d], a))) return undefined;
  }
  return { place: operand.map((x, d) => (axes.includes(d) ? ZERO : x)), operand };
}

function specialGroup(node: Node, isMaterialised: IsMaterialised): Group {
  const axes = node.shape.map((n) => newAxis(n));
  const reads = new Set<Node>();
  for (const s of node.src) collectReads(s, isMaterialised, reads);
  return {
    kind: node.op as GroupKind,
    members: [node],
    axes,
    reduced: axes.map(() => false),
    place: new Map([[node, axes.map((a) => atomIndex(a))]]),
    operand: new Map(),
    reads,
  };
}

/** Inputs and materialised nodes below `node`; the operands of a kernel of its own are views of those. */
export function collectReads(node: Node, isMaterialised: IsMaterialised, into: Set<Node>): void {
  const seen = new Set<Node>();
  const open = [node];
  for (let n = open.pop(); n !== undefined; n = open.pop()) {
    if (seen.has(n)) continue;
    seen.add(n);
    if (n.op === 'leaf' || isMaterialised(n)) into.add(n);
    else for (let i = n.src.length - 1; i >= 0; i--) open.push(n.src[i]);
  }
}
