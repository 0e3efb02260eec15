// Hooks on gradients: functions that see the whole gradient of a value on its way back, and may replace it.
//   A hook belongs to a storage (an input or parameter, whatever is written into it), or to a node of the graph. Nodes that mean the
//   same are one node; from its first hook on, a node is no longer found for equal expressions, which are values of their own.
// It knows nothing of tensors.

import { type Node, forget, isOp } from '../ir/node.js';
import type { Storage } from '../ir/storage.js';

export type GradientHook = (gradient: Node) => Node;

/** What a hook belongs to. */
export type HookTarget = Node | Storage;

const hooksOf = new WeakMap<HookTarget, Set<GradientHook>>();
/** Nobody has ever asked for a hook: nothing is looked up. */
let isUnused = true;

export function targetOf(node: Node): HookTarget {
  return isOp(node, 'leaf') ? node.arg.storage : node;
}

/** Adds a hook, which `remove` takes away again. */
export function addGradientHook(target: HookTarget, hook: GradientHook): { remove(): void } {
  isUnused = false;
  if ('op' in target) forget(target);
  let hooks = hooksOf.get(target);
  if (hooks === undefined) hooksOf.set(target, (hooks = new Set()));
  const entry: GradientHook = (gradient) => hook(gradient); // the same function may be given twice
  hooks.add(entry);
  return { remove: () => void hooks.delete(entry) };
}

/** What the hooks make of the whole gradient of a node, in the order in which they were added. */
export function throughHooks(node: Node, gradient: Node): Node {
  if (isUnused) return gradient;
  let passed = gradient;
  for (const hook of hooksOf.get(targetOf(node)) ?? []) passed = hook(passed);
  return passed;
}
