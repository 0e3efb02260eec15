// What waits for the next run falls into parts that have nothing to do with each other: a training step, an old tensor that
// is kept, the first values of another model. They run together; where that fails, each is tried alone, so that
// what cannot be computed strikes nobody else.
// Two things are of one part if they share something computed from data (not from parameters and constants alone, which
// all batches have in common), if one is a gradient of the other, if one reads what the other overwrites, or if they were
// said to belong together.
// Input: nodes and updates. Output: parts, those without updates first, since they read what others overwrite.

import { type Node, isOp, topologicalOrder } from '../ir/node.js';
import { OP_CLASS, type ScalarSource } from '../ir/op.js';
import type { Storage } from '../ir/storage.js';

/** Updates that are made all or not at all, and how to take back what JavaScript has counted with them. */
export interface Unit {
  readonly undo: (() => void)[];
}

export interface Update {
  readonly storage: Storage;
  readonly value: Node;
  readonly unit: Unit | undefined;
}

export interface Part<U extends Update> {
  readonly roots: readonly Node[];
  readonly assigns: readonly U[];
}

/** What a part would have computed, for those who have to forget it. */
export interface Dropped {
  readonly nodes: ReadonlySet<Node>;
  readonly scalars: ReadonlySet<ScalarSource>;
  /** Leaves that gradients flow to. */
  readonly parameters: readonly Storage[];
}

/** What `backward()` was called on, by the gradients that it gave. */
const sources = new WeakMap<Node, Node>();

/** If `source` cannot be computed, nobody shall use `gradient`, whatever numbers it has. */
export function comesFrom(gradient: Node, source: Node): void {
  sources.set(gradient, source);
}

const isGiven = (n: Node): boolean => n.storage !== undefined || n.op === 'leaf';

/** Nodes of `order` that are computed from data; scalars and random numbers are data, parameters and state are not. */
function fromData(order: readonly Node[], state: ReadonlySet<Storage>): ReadonlySet<Node> {
  const found = new Set<Node>();
  for (const n of order) {
    if (n.storage !== undefined) found.add(n);
    else if (isOp(n, 'leaf')) {
      const { storage } = n.arg;
      if (!storage.requiresGrad && !state.has(storage)) found.add(n);
    } else if (n.op === 'scalar' || n.op === 'random' || n.src.some((s) => found.has(s))) found.add(n);
  }
  return found;
}

class UnionFind {
  private readonly parent = new Map<object, object>();

  find(x: object): object {
    let root = x;
    for (let p = this.parent.get(root); p !== undefined; p = this.parent.get(root)) root = p;
    for (let at = x; at !== root;) {
      const next = this.parent.get(at) as object;
      this.parent.set(at, root);
      at = next;
    }
    return root;
  }

  join(a: object, b: object): void {
    const [x, y] = [this.find(a), this.find(b)];
    if (x !== y) this.parent.set(x, y);
  }
}

export function partsOf<U extends Update>({ roots, assigns }: Part<U>): Part<U>[] {
  const state = new Set(assigns.map((a) => a.storage));
  const order = topologicalOrder([...roots, ...assigns.map((a) => a.value)]);
  const data = fromData(order, state);
  const sets = new UnionFind();
  const joinSource = (x: object, gradient: Node): void => {
    const source = sources.get(gradient);
    if (source !== undefined) sets.join(x, source);
  };
  for (const n of order) {
    if (!data.has(n) || isGiven(n)) continue;
    for (const s of n.src) if (data.has(s) && !isGiven(s)) sets.join(n, s);
    joinSource(n, n);
  }
  const writer = new Map(assigns.map((a) => [a.storage, a]));
  for (const a of assigns) {
    sets.join(a, a.value);
    if (a.unit !== undefined) sets.join(a, a.unit);
    for (const n of topologicalOrder([a.value])) {
      const other = isOp(n, 'leaf') && n.storage === undefined ? writer.get(n.arg.storage) : undefined;
      if (other !== undefined) sets.join(a, other);
      joinSource(a, n);
    }
  }
  const parts = new Map<object, { roots: Node[]; assigns: U[] }>();
  const partOf = (x: object) => {
    const key = sets.find(x);
    let part = parts.get(key);
    if (part === undefined) parts.set(key, (part = { roots: [], assigns: [] }));
    return part;
  };
  for (const root of roots) partOf(root).roots.push(root);
  for (const assign of assigns) partOf(assign).assigns.push(assign);
  const all = [...parts.values()];
  return [...all.filter((p) => p.assigns.length === 0), ...all.filter((p) => p.assigns.length > 0)];
}

export function describeDropped({ roots, assigns }: Part<Update>): Dropped {
  const order = topologicalOrder([...roots, ...assigns.map((a) => a.value)]);
  const computed = order.filter((n) => !isGiven(n) && OP_CLASS[n.op] !== 'leaf');
  const data = fromData(order, new Set());
  const leaves = order.flatMap((n) => (isOp(n, 'leaf') && n.storage === undefined ? [n.arg.storage] : []));
  return {
    // Without an update only what comes from data: other batches have the rest in common with it.
    nodes: new Set(assigns.length > 0 ? computed : computed.filter((n) => data.has(n) || roots.includes(n))),
    scalars: new Set(order.flatMap((n) => (isOp(n, 'scalar') && n.storage === undefined ? [n.arg] : []))),
    parameters: [...new Set(leaves)].filter((s) => s.requiresGrad),
  };
}
