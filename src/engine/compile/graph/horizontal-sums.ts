// Long sums of similar terms, as unrolled recurrent networks make them, computed at once:
//   slices of a gradient, each padded with zeros to the whole → one concatenation;
//   products of matrices A₁·B₁ + A₂·B₂ + … → [A₁ A₂ …] · [B₁; B₂; …], one product that stores one result.
// Input and output: a list of nodes in order.

import { type Node, isOp } from '../../ir/node.js';
import { sameShape } from '../../ir/shape.js';
import { baseOfView } from './kinds.js';
import { type Rewritten, derive, rewrite } from './rewrite.js';

/** Shorter sums are left alone. */
const FEWEST_TERMS = 4;

type Push = (n: Node) => Node;

export function joinSums(nodes: readonly Node[], outputs: readonly Node[]): Rewritten {
  const inner = innerSums(nodes, outputs);
  const open = new Set<Node>(); // rewritten inner sums
  return rewrite(nodes, (node, push, original) => {
    if (node.op !== 'add') return undefined;
    if (inner.has(original)) {
      open.add(node);
      return undefined;
    }
    const terms: Node[] = [];
    const stack = [node];
    while (stack.length > 0) {
      const n = stack.pop() as Node;
      if (open.has(n) || n === node) stack.push(n.src[1], n.src[0]);
      else terms.push(n);
    }
    if (terms.length < FEWEST_TERMS || !terms.every((t) => sameShape(t.shape, node.shape))) return undefined;
    const joined = joinProducts(joinPads(terms, push), push);
    if (joined.length === terms.length) return undefined;
    const [first, ...rest] = joined;
    if (rest.length === 0) return derive(node, 'detach', [first], null, node.shape);
    return rest.reduce(
      (sum, term, i) =>
        i === rest.length - 1
          ? derive(node, 'add', [sum, term], null, node.shape)
          : push(derive(node, 'add', [sum, term], null, node.shape)),
      first,
    );
  });
}

/** Sums that nobody uses but another sum. */
function innerSums(nodes: readonly Node[], outputs: readonly Node[]): Set<Node> {
  const users = new Map<Node, Node | undefined>(); // undefined: several
  for (const n of nodes) for (const s of n.src) users.set(s, users.has(s) ? undefined : n);
  const wanted = new Set(outputs);
  return new Set(nodes.filter((n) => n.op === 'add' && users.get(n)?.op === 'add' && !wanted.has(n)));
}

/** The terms that are kept, and in the place of at least `FEWEST_TERMS` members of a class what `join` makes of them. */
function joinClasses(
  terms: readonly Node[],
  classOf: (n: Node) => string | undefined,
  join: (members: Node[]) => Node | undefined,
): Node[] {
  const classes = new Map<string, Node[]>();
  for (const t of terms) {
    const key = classOf(t);
    if (key === undefined) continue;
    const known = classes.get(key);
    if (known === undefined) classes.set(key, [t]);
    else known.push(t);
  }
  const gone = new Set<Node>();
  const made: Node[] = [];
  for (const members of classes.values()) {
    const joined = members.length < FEWEST_TERMS ? undefined : join(members);
    if (joined === undefined) continue;
    for (const t of members) gone.add(t);
    made.push(joined);
  }
  return [...terms.filter((t) => !gone.has(t)), ...made];
}

// ---------------------------------------------------------------- padded slices

/** The only axis along which a node is padded. */
function paddedAxis(node: Node): number | undefined {
  if (!isOp(node, 'pad')) return undefined;
  const { lo, hi } = node.arg;
  const axes = lo.flatMap((n, i) => (n !== 0 || hi[i] !== 0 ? [i] : []));
  return axes.length === 1 ? axes[0] : undefined;
}

function joinPads(terms: readonly Node[], push: Push): Node[] {
  const classOf = (n: Node): string | undefined => paddedAxis(n)?.toString();
  return joinClasses(terms, classOf, (pads) => {
    const axis = paddedAxis(pads[0]) as number;
    const start = (n: Node): number => (n as Node<'pad'>).arg.lo[axis];
    const sorted = [...pads].sort((a, b) => start(a) - start(b));
    let at = start(sorted[0]);
    const lo = at;
    for (const n of sorted) {
      if (start(n) !== at) return undefined; // a gap, or two that overlap
      at += n.src[0].shape[axis];
    }
    const [like] = pads;
    const shape = like.shape.with(axis, at - lo);
    const parts = sorted.map((n) => n.src[0]);
    const whole = push(derive(like, 'concat', parts, { axis }, shape));
    if (sameShape(shape, like.shape)) return whole;
    const around = like.shape.map((_, i) => (i === axis ? lo : 0));
    const behind = like.shape.map((n, i) => (i === axis ? n - at : 0));
    return push(derive(like, 'pad', [whole], { lo: around, hi: behind }, like.shape));
  });
}

// ---------------------------------------------------------------- products

/** Products, as they are or all transposed in the same way. */
function joinProducts(terms: readonly Node[], push: Push): Node[] {
  const product = (n: Node): Node => (isOp(n, 'permute') ? n.src[0] : n);
  const classOf = (n: Node): string | undefined => {
    const { op, src, shape } = product(n);
    return op === 'matmul' && shape.length === 2 ? [n, ...src].map(orderOf).join(' ') : undefined;
  };
  return joinClasses(terms, classOf, (found) => {
    // In the order of time: gradients come last step first, what they are multiplied with does not.
    const earliest = new Map(
      found.map((n) => [n, product(n).src.reduce((least, s) => Math.min(least, baseOfView(s).slot), Infinity)]),
    );
    const members = [...found].sort((a, b) => (earliest.get(a) as number) - (earliest.get(b) as number));
    const products = members.map(product);
    const [first] = products;
    const operand = (i: number, axis: number): Node =>
      joinOperands(
        products.map((p) => p.src[i]),
        axis,
        push,
      );
    const joined = push(derive(first, 'matmul', [operand(0, 1), operand(1, 0)], null, first.shape));
    const [like] = members;
    return like === first ? joined : push(derive(like, 'permute', [joined], like.arg, like.shape));
  });
}

function orderOf(n: Node): string {
  return isOp(n, 'permute') ? n.arg.axes.join() : '';
}

/** Operands side by side along `axis`; transposed ones are joined as they are stored, and transposed together. */
function joinOperands(parts: readonly Node[], axis: number, push: Push): Node {
  const [first] = parts;
  if (isOp(first, 'permute')) {
    const { axes } = first.arg;
    const stored = joinOperands(
      parts.map((p) => p.src[0]),
      axes[axis],
      push,
    );
    return push(
      derive(
        first,
        'permute',
        [stored],
        first.arg,
        axes.map((i) => stored.shape[i]),
      ),
    );
  }
  const length = parts.reduce((sum, p) => sum + p.shape[axis], 0);
  return push(derive(first, 'concat', parts, { axis }, first.shape.with(axis, length)));
}
