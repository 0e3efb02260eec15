// The weight gradients of a recurrent layer, joined: those to its inputs and to its states are products of the same gradients
// of the gates, transposed, with different matrices. The gradients of all steps are a large stack (stacks.ts), dear to read and
// to bring into order; one product with the matrices side by side does both once.
// A stack is [step, batch, gate]; where a product sums over [batch, step], what it is multiplied with is turned instead.
// Input and output: a list of nodes in order.

import { type Node, isOp } from '../../ir/node.js';
import {
  type Index,
  addIndex,
  atomIndex,
  divIndex,
  flatten,
  modIndex,
  newAxis,
  scaleIndex,
} from '../indices/index-expr.js';
import { isWideConcat, readsOf } from '../indices/movement.js';
import { type Rewritten, derive, newList } from './rewrite.js';

/** Elements of a stack that no longer stays in a cache. */
const LARGE_STACK = 256 << 10;
/** Columns of all matrices together up to which a product is bound by reading the stack. */
const MOST_COLUMNS = 512;

interface Member {
  readonly node: Node;
  readonly stack: Node;
  readonly gates: number;
  /** It sums over [batch, step] instead of [step, batch]. */
  readonly isTurned: boolean;
}

export function joinGradients(nodes: readonly Node[]): Rewritten {
  const groups = groupsOf(nodes);
  const groupOf = new Map<Node, Group>();
  for (const g of groups) for (const m of g.members) groupOf.set(m.node, g);
  const now = new Map<Node, Node>();
  const { out, push } = newList();
  const current = (n: Node): Node => now.get(n) as Node;
  const needs = (n: Node): readonly Node[] => {
    const group = groupOf.get(n);
    return group === undefined ? n.src : group.members.flatMap((m) => [m.stack, m.node.src[1]]);
  };
  const make = (node: Node): void => {
    const group = groupOf.get(node);
    if (group === undefined) {
      const src = node.src.map(current);
      now.set(
        node,
        push(src.every((s, i) => s === node.src[i]) ? node : derive(node, node.op, src, node.arg, node.shape)),
      );
      return;
    }
    const whole = productOf(group.members, current, push);
    let from = 0;
    for (const { node: member } of group.members) {
      const arg = { start: [0, from], size: member.shape, step: [1, 1] };
      now.set(member, push(derive(member, 'slice', [whole], arg, member.shape)));
      from += member.shape[1];
    }
  };
  // In order, except that a joined product waits for all of its operands.
  for (const first of nodes) {
    const waiting = [first];
    while (waiting.length > 0) {
      const node = waiting[waiting.length - 1];
      const missing = now.has(node) ? [] : needs(node).filter((s) => !now.has(s));
      for (const s of missing) waiting.push(s);
      if (missing.length === 0) {
        if (!now.has(node)) make(node);
        waiting.pop();
      }
    }
  }
  return { nodes: out, now };
}

interface Group {
  readonly members: Member[];
}

function groupsOf(nodes: readonly Node[]): Group[] {
  const byStack = new Map<Node, Member[]>();
  for (const n of nodes) {
    const member = memberOf(n);
    if (member === undefined) continue;
    const known = byStack.get(member.stack);
    if (known === undefined) byStack.set(member.stack, [member]);
    else known.push(member);
  }
  return [...byStack.values()].flatMap((all) => {
    const members = all.filter((m) => m.gates === all[0].gates);
    const columns = members.reduce((sum, m) => sum + m.node.shape[1], 0);
    return members.length > 1 && columns <= MOST_COLUMNS && areIndependent(nodes, members) ? [{ members }] : [];
  });
}

/** matmul(transposed view of a stack, matrix)? */
function memberOf(node: Node): Member | undefined {
  if (node.op !== 'matmul' || node.shape.length !== 2) return undefined;
  const [left] = node.src;
  if (!isOp(left, 'permute')) return undefined;
  const [length, gates] = left.src[0].shape;
  const [k, m] = [newAxis(length), newAxis(gates)];
  let [base] = left.src as readonly Node[];
  let index: readonly Index[] = [atomIndex(k), atomIndex(m)];
  while (base.op === 'reshape' || base.op === 'permute' || base.op === 'detach') {
    if (base.op !== 'detach') [{ index }] = readsOf(base, index);
    [base] = base.src;
  }
  if (!isWideConcat(base) || base.shape.length !== 2 || base.size < LARGE_STACK || base.size !== length * gates) {
    return undefined;
  }
  const [steps] = base.shape;
  if (length % steps !== 0) return undefined;
  const at = flatten(index, base.shape).key;
  const column = atomIndex(m);
  const straight = addIndex(scaleIndex(atomIndex(k), gates), column);
  const turned = addIndex(
    addIndex(
      scaleIndex(modIndex(atomIndex(k), steps), (length / steps) * gates),
      scaleIndex(divIndex(atomIndex(k), steps), gates),
    ),
    column,
  );
  if (at === straight.key) return { node, stack: base, gates, isTurned: false };
  return at === turned.key ? { node, stack: base, gates, isTurned: true } : undefined;
}

/** Does none of the matrices depend on another of the products? */
function areIndependent(nodes: readonly Node[], members: readonly Member[]): boolean {
  const after = new Set<Node>(members.map((m) => m.node));
  for (const n of nodes) if (n.src.some((s) => after.has(s))) after.add(n);
  return members.every((m) => !after.has(m.stack) && !after.has(m.node.src[1]));
}

/** [gates, columns of all matrices] */
function productOf(members: readonly Member[], current: (n: Node) => Node, push: (n: Node) => Node): Node {
  const [{ node: like, gates, stack }] = members;
  const [steps] = stack.shape;
  const length = stack.size / gates;
  const reshaped = (n: Node, shape: readonly number[]): Node => push(derive(n, 'reshape', [n], { shape }, shape));
  const permuted = (n: Node, axes: readonly number[]): Node =>
    push(
      derive(
        n,
        'permute',
        [n],
        { axes },
        axes.map((a) => n.shape[a]),
      ),
    );
  const matrices = members.map(({ node, isTurned }) => {
    const matrix = current(node.src[1]);
    if (!isTurned) return matrix;
    const columns = matrix.shape[1];
    const turned = permuted(reshaped(matrix, [length / steps, steps, columns]), [1, 0, 2]);
    return reshaped(turned, [length, columns]);
  });
  const width = matrices.reduce((sum, m) => sum + m.shape[1], 0);
  const right = push(derive(matrices[0], 'concat', matrices, { axis: 1 }, [length, width]));
  const left = permuted(reshaped(current(stack), [length, gates]), [1, 0]);
  return push(derive(like, 'matmul', [left, right], null, [gates, width]));
}
