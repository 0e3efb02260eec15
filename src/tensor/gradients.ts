// Who collects the gradients of a leaf, and how they are taken back when what they belong to cannot be computed: a batch
// with a label out of range, or too large for the memory, must not spoil the sum that the next batches add to.
// Input: leaves, gradients, what the engine has dropped. It must not know how gradients are computed.

import { whenDropped } from '../engine/engine.js';
import { type Node, topologicalOrder } from '../engine/ir/node.js';
import type { Storage } from '../engine/ir/storage.js';
import type { Shape } from '../engine/ir/shape.js';

/** A tensor, as far as gradients are concerned. */
export interface Differentiable {
  readonly node: Node;
  readonly storage: Storage | undefined;
  readonly shape: Shape;
  readonly device: string;
  grad: Differentiable | undefined;
}

interface Addition {
  /** The sum before it. */
  readonly before: Differentiable | undefined;
  /** What `backward()` was called on. */
  readonly source: Node;
}

const owners = new WeakMap<Storage, WeakRef<Differentiable>>();
/** What has been added to a leaf's gradient since it had none. */
const additions = new WeakMap<Differentiable, Addition[]>();

export function rememberOwner(storage: Storage, owner: Differentiable): void {
  owners.set(storage, new WeakRef(owner));
}

/** The tensor that collects the gradients of a leaf. */
export function ownerOf(storage: Storage): Differentiable | undefined {
  return owners.get(storage)?.deref();
}

/** `sum` is the new gradient of `owner`, which `source.backward()` has added to. */
export function setGradient(owner: Differentiable, sum: Differentiable, source: Node): void {
  const before = owner.grad;
  const list = before === undefined ? [] : (additions.get(owner) ?? []);
  list.push({ before, source });
  additions.set(owner, list);
  owner.grad = sum;
}

whenDropped(({ nodes, parameters }) => {
  for (const storage of parameters) {
    const owner = ownerOf(storage);
    if (owner !== undefined) takeBack(owner, nodes);
  }
});

function takeBack(owner: Differentiable, dropped: ReadonlySet<Node>): void {
  const list = additions.get(owner) ?? [];
  const first = list.findIndex((a) => dropped.has(a.source));
  if (first >= 0 && owner.grad !== undefined) owner.grad = list.splice(first)[0].before;
  while (owner.grad !== undefined && topologicalOrder([owner.grad.node]).some((n) => dropped.has(n))) {
    owner.grad = list.pop()?.before;
  }
}
