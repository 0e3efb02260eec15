// What tensors do with gradients besides collecting them in leaves: hooks that see and replace them, and tensors in the middle of a graph
// that retain theirs. In a compiled function a hook of its own is part of what is captured; one from outside would not be called by a
// replay, so that such a call runs itself each time.
// Must not know: the Tensor class (it uses this file).

import { type GradientHook, type HookTarget, addGradientHook, targetOf } from '../engine/grad/hooks.js';
import { type Node, forget } from '../engine/ir/node.js';
import type { Storage } from '../engine/ir/storage.js';
import { type Guard, type Recording, addWitness, currentRecording } from '../engine/recording.js';
import type { Differentiable } from './gradients.js';

/** Takes a hook away again. */
export interface HookHandle {
  remove(): void;
}

/** How many hooks a storage has, and how often that has changed anywhere. */
const counts = new WeakMap<Storage, number>();
let changes = 0;

function count(target: HookTarget, by: number): void {
  if ('op' in target) return;
  counts.set(target, (counts.get(target) ?? 0) + by);
  changes++;
}

const OUTSIDE = 'a hook on a gradient is added or removed that outlives the call';

/** A hook on the gradient of a storage or node. */
export function hookGradient(target: HookTarget, hook: GradientHook): HookHandle {
  const home = currentRecording();
  if (!('op' in target)) home?.refuse(OUTSIDE);
  const called: GradientHook = (gradient) => {
    const recording = currentRecording();
    if (recording !== home) recording?.refuse('a tensor has a hook on its gradient, which no replay would call');
    return hook(gradient);
  };
  const added = addGradientHook(target, called);
  count(target, 1);
  let isThere = true;
  return {
    remove() {
      if (!isThere) return;
      isThere = false;
      const recording = currentRecording();
      if (recording !== home) recording?.refuse(OUTSIDE);
      added.remove();
      count(target, -1);
    },
  };
}

addWitness(() => (recording) => {
  const storages = new Set(recording.runs.flatMap(({ inputs }) => inputs.filter((s) => s.requiresGrad)));
  recording.guards.push(hookGuard([...storages]));
});

/** A function of its own: a guard must not hold what the call has used. */
function hookGuard(storages: readonly Storage[]): Guard {
  let seen = changes;
  return {
    what: 'hooks on gradients',
    holds() {
      if (seen === changes) return true;
      if (storages.some((storage) => (counts.get(storage) ?? 0) > 0)) return false;
      seen = changes;
      return true;
    },
  };
}

// ---------------------------------------------------------------- retained gradients

const retaining = new WeakMap<HookTarget, Set<WeakRef<Differentiable>>>();
/** The recorded call that a tensor was asked to retain its gradient in. */
const homes = new WeakMap<Differentiable, Recording>();

/** The gradients of the node go to this tensor, too. */
export function retain(node: Node, owner: Differentiable): void {
  const target = targetOf(node);
  if ('op' in target) forget(target);
  const owners = retaining.get(target) ?? new Set();
  retaining.set(target, owners);
  if ([...owners].some((reference) => reference.deref() === owner)) return;
  owners.add(new WeakRef(owner));
  const recording = currentRecording();
  if (recording !== undefined) homes.set(owner, recording);
}

export function isRetained(node: Node): boolean {
  return retaining.has(targetOf(node));
}

/** Who retains the gradient of a node. */
export function retainersOf(node: Node): Differentiable[] {
  return [...(retaining.get(targetOf(node)) ?? [])].flatMap((reference) => reference.deref() ?? []);
}

/** Whether the tensor's gradient is the current recorded call's own, and goes with it. */
export function isRetainedHere(owner: Differentiable): boolean {
  const home = homes.get(owner);
  return home !== undefined && home === currentRecording();
}
