// Concatenations of many parts of one size, as recurrent networks make of their steps, brought into one form: the parts one
// after the other, and a view of that. The same parts concatenated along another axis are then the same memory, and each
// part can be computed where it belongs (place-parts.ts): nothing is copied.
// Input and output: a list of nodes in order.

import { type Node, isOp } from '../../ir/node.js';
import { sameShape, sizeOf } from '../../ir/shape.js';
import { isWideConcat } from '../indices/movement.js';
import { type Rewritten, derive, rewrite } from './rewrite.js';

/** Shorter pieces would be read one by one. */
const SHORTEST_PIECE = 16;

type Push = (n: Node) => Node;

export function stackParts(nodes: readonly Node[]): Rewritten {
  const stacks = new Map<string, Node>();
  const unions = unionsOf(nodes.filter(isStack));
  const now = new Map<Node, Node>();
  return rewrite(nodes, (node, push, original) => {
    if (!isStack(node)) {
      now.set(original, node);
      return undefined;
    }
    const keyOf = (list: readonly Node[]) => list.map((p) => p.slot).join();
    const stackWith = (parts: readonly Node[]): Node => {
      const stack = stacks.get(keyOf(parts)) ?? stackOf(node, parts, push);
      stacks.set(keyOf(parts), stack);
      return stack;
    };
    const parts = node.src.map(withoutViews);
    const backwards = stacks.get(keyOf([...parts].reverse()));
    if (backwards !== undefined) return viewOf(node, flipped(backwards, push), push);
    const union = unions.get(original);
    // Parts that come later may need this stack.
    if (union?.parts.every((n) => now.has(n)) !== true) {
      for (const each of union?.stacks ?? []) unions.delete(each);
      return viewOf(node, stackWith(parts), push);
    }
    const whole = stackWith(union.parts.map((n) => withoutViews(now.get(n) as Node)));
    const arg = { start: [union.from, 0], size: [parts.length, whole.shape[1]], step: [1, 1] };
    return viewOf(node, push(derive(whole, 'slice', [whole], arg, arg.size)), push);
  });
}

/** The part of a larger stack that a stack is. */
interface Union {
  readonly parts: readonly Node[];
  readonly from: number;
  /** All that are part of it. */
  readonly stacks: readonly Node[];
}

/**
 * Two stacks of the same steps, one of them a few steps later (the states before each step, and after it), are cut from one
 * that has the parts of both.
 */
function unionsOf(stacks: readonly Node[]): Map<Node, Union> {
  const unions = new Map<Node, Union>();
  const partsOf = new Map(stacks.map((n) => [n, n.src.map(withoutViews)]));
  for (const [first, a] of partsOf) {
    for (const [second, b] of partsOf) {
      const from = a.indexOf(b[0]);
      if (from < 1 || unions.has(first) || unions.has(second)) continue;
      const isLater = a.slice(from).every((part, i) => i >= b.length || b[i] === part);
      if (!isLater) continue;
      const union = { parts: [...a, ...b.slice(a.length - from)], stacks: [first, second] };
      unions.set(first, { ...union, from: 0 });
      unions.set(second, { ...union, from });
    }
  }
  return unions;
}

/** A concatenation that is brought into this form. */
function isStack(node: Node): node is Node<'concat'> & Node {
  if (!isOp(node, 'concat') || !isWideConcat(node as Node)) return false;
  const [first] = node.src;
  if (node.src.some((part) => !sameShape(part.shape, first.shape))) return false;
  return sizeOf(first.shape.slice(node.arg.axis)) >= SHORTEST_PIECE;
}

/** The node whose numbers, in the same order, `node` is. */
function withoutViews(node: Node): Node {
  let base = node;
  while (base.op === 'reshape' || base.op === 'detach') [base] = base.src;
  return base;
}

/** The last part first. */
function flipped(stack: Node, push: Push): Node {
  const arg = { start: [stack.shape[0] - 1, 0], size: stack.shape, step: [-1, 1] };
  return push(derive(stack, 'slice', [stack], arg, stack.shape));
}

/** [parts, elements of a part] */
function stackOf(like: Node, parts: readonly Node[], push: Push): Node {
  const row = [1, parts[0].size];
  const rows = parts.map((p) => push(derive(p, 'reshape', [p], { shape: row }, row)));
  return push(derive(like, 'concat', rows, { axis: 0 }, [parts.length, parts[0].size]));
}

/** The concatenation along its own axis: [parts, before, own, after] → [before, parts · own, after]. */
function viewOf(node: Node<'concat'>, stack: Node, push: Push): Node {
  const { axis } = node.arg;
  const part = node.src[0].shape;
  const [before, rest] = [sizeOf(part.slice(0, axis)), sizeOf(part.slice(axis))];
  const count = node.src.length;
  const shape = [count, before, rest];
  let view = stack;
  if (before > 1) {
    view = push(derive(view, 'reshape', [view], { shape }, shape));
    view = push(derive(view, 'permute', [view], { axes: [1, 0, 2] }, [before, count, rest]));
  }
  return derive(node as Node, 'reshape', [view], { shape: node.shape }, node.shape);
}

/** The parts of a stack, if a concatenation is one: the node that each is a view of. */
export function partsOfStack(node: Node): readonly Node[] | undefined {
  if (!isOp(node, 'concat') || node.arg.axis !== 0 || node.shape.length !== 2) return undefined;
  return node.src.map(withoutViews);
}
