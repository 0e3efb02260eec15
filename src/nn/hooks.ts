// Hooks: functions that are called before and after a module's `forward`, and when a gradient has gone back through it.
//   A module without hooks pays nothing: the first hook puts a function in front of its `forward`, the last to be removed
//   takes it away again.
// Gradients are tensors like any other, computed when somebody reads them: a hook that wants their numbers later calls `keep()`.
// Hooks run when the graph is built: a compiled function that meets one is run itself at each call, and not replayed.

import { customOp } from '../tensor/custom-op.js';
import { cat } from '../tensor/functions.js';
import type { HookHandle } from '../tensor/gradient-hooks.js';
import { ArgumentError, currentRecording, checkFunction } from '../tensor/library.js';
import { Tensor } from '../tensor/tensor.js';

export type { HookHandle };

/** Sees the arguments of `forward`; may return others, as a list. */
export type ForwardPreHook<M = object> = (module: M, inputs: readonly unknown[]) => readonly unknown[] | void;
/** Sees arguments and result of `forward`; may return another result. */
export type ForwardHook<M = object> = (module: M, inputs: readonly unknown[], output: OutputOf<M>) => unknown;

/** What the module's `forward` returns. */
export type OutputOf<M> = M extends { forward(...inputs: never[]): infer Output } ? Output : unknown;

/**
 * Sees the gradients of the tensors among the arguments (undefined for one that requires none) and of the results; may
 * return others for the arguments.
 */
export type BackwardHook<M = object> = (
  module: M,
  gradInputs: readonly (Tensor | undefined)[],
  gradOutputs: readonly (Tensor | undefined)[],
) => readonly (Tensor | undefined)[] | void;

interface HookOf<M> {
  readonly before: ForwardPreHook<M>;
  readonly after: ForwardHook<M>;
  readonly backward: BackwardHook<M>;
}

type Hooks = { readonly [K in keyof HookOf<object>]: Set<HookOf<object>[K]> };

type Forward = (...inputs: readonly unknown[]) => unknown;

const hooksOf = new WeakMap<object, Hooks>();
let changes = 0;

/** How often hooks have been added or removed, anywhere. */
export function hookChanges(): number {
  return changes;
}

const watching = new WeakSet<object>();

/**
 * A hook that a replay of a compiled function need not call: all that it finds is tensors that the function returns, or
 * holds for the next call as for this one.
 */
export function watchOnly<H extends ForwardHook<never>>(hook: H): H {
  watching.add(hook);
  return hook;
}

/** Whether calls of the module have to call hooks, each of them. */
export function mustCallHooks(module: object): boolean {
  const hooks = hooksOf.get(module);
  if (hooks === undefined) return false;
  return [hooks.before, hooks.after, hooks.backward].some((list) => [...list].some((hook) => !watching.has(hook)));
}

/** Adds a hook to one of the lists of a module. */
export function addHook<M extends object, K extends keyof Hooks>(module: M, list: K, hook: HookOf<M>[K]): HookHandle {
  checkFunction(module.constructor.name, hook, 'the hook');
  const { forward } = Object.getPrototypeOf(module) as { forward?: Forward };
  if (typeof forward !== 'function')
    throw new ArgumentError(`${module.constructor.name}: hooks need a module with a forward method.`);
  let hooks = hooksOf.get(module);
  if (hooks === undefined) {
    hooks = { before: new Set(), after: new Set(), backward: new Set() };
    hooksOf.set(module, hooks);
    const hooked: Forward = (...inputs) => call(module, hooks as Hooks, forward, inputs);
    // not enumerable: neither state nor copied
    Object.defineProperty(module, 'forward', { value: hooked, configurable: true, enumerable: false });
  }
  const entries = hooks[list] as Set<unknown>;
  const entry = hook;
  entries.add(entry);
  changes++;
  return {
    remove() {
      entries.delete(entry);
      changes++;
      if (hooksOf.get(module) !== hooks || hooks.before.size + hooks.after.size + hooks.backward.size > 0) return;
      hooksOf.delete(module);
      delete (module as { forward?: Forward }).forward;
    },
  };
}

function call(module: object, hooks: Hooks, forward: Forward, given: readonly unknown[]): unknown {
  const recording = currentRecording();
  if (recording !== undefined && mustCallHooks(module))
    recording.refuse(`${module.constructor.name} has a hook, which no replay would call`);
  let inputs = given;
  for (const hook of hooks.before) {
    const changed = hook(module, inputs);
    if (changed === undefined) continue;
    if (!Array.isArray(changed))
      throw new ArgumentError(
        `${module.constructor.name}: a forward pre-hook returns a list of arguments, or nothing.`,
      );
    inputs = changed as readonly unknown[];
  }
  let output = hooks.backward.size > 0 ? watched(module, hooks, forward, inputs) : forward.apply(module, [...inputs]);
  for (const hook of hooks.after) {
    const changed = hook(module, inputs, output);
    if (changed !== undefined) output = changed;
  }
  return output;
}

// ---------------------------------------------------------------- gradients

const isTrained = (value: unknown): value is Tensor => value instanceof Tensor && value.requiresGrad;

/** The tensors in arguments or results that gradients flow through, with `change` applied to all of them at once. */
function mapTrained(values: unknown, change: (found: readonly Tensor[]) => readonly Tensor[]): unknown {
  const found: Tensor[] = [];
  const collect = (value: unknown): void => {
    if (isTrained(value)) found.push(value);
    else if (Array.isArray(value)) value.forEach(collect);
  };
  collect(values);
  if (found.length === 0) return values;
  const changed = change(found);
  let next = 0;
  const put = (value: unknown): unknown => {
    if (isTrained(value)) return changed[next++];
    return Array.isArray(value) ? value.map(put) : value;
  };
  return put(values);
}

/** The same tensors; `see` gets their gradients together, once, and says which ones go on. */
function passThrough(
  tensors: readonly Tensor[],
  see: (gradients: readonly Tensor[]) => readonly Tensor[],
): readonly Tensor[] {
  const flat = tensors.map((t) => t.reshape([t.size]));
  const joined = flat.length === 1 ? flat[0] : cat(flat);
  const apart = (all: Tensor): readonly Tensor[] => {
    let from = 0;
    return tensors.map((t) => all.slice(0, from, (from += t.size)).reshape(t.shape));
  };
  const identity = customOp({
    name: 'backwardHook',
    forward: (_ctx, x) => x,
    backward: (_ctx, gradient) => {
      const passed = see(apart(gradient)).map((g) => g.reshape([g.size]));
      return [passed.length === 1 ? passed[0] : cat(passed)];
    },
  });
  return apart(identity(joined));
}

/** `forward` with identities around it that report the gradients. */
function watched(module: object, hooks: Hooks, forward: Forward, given: readonly unknown[]): unknown {
  let gradOutputs: readonly Tensor[] = [];
  const tensorsAmong = given.filter((value) => value instanceof Tensor);
  const trained = tensorsAmong.filter(isTrained);
  const report = (gradients: readonly Tensor[]): readonly Tensor[] => {
    let current: readonly (Tensor | undefined)[] = tensorsAmong.map((t) => gradients[trained.indexOf(t)]);
    for (const hook of hooks.backward) current = hook(module, current, gradOutputs) ?? current;
    return current.filter((g) => g !== undefined);
  };
  // Only the tensors that are arguments themselves: those in lists and options are left alone.
  const seen = trained.length === 0 ? [] : passThrough(trained, report);
  let next = 0;
  const inputs = given.map((value) => (isTrained(value) ? seen[next++] : value));
  const output = forward.apply(module, inputs);
  return mapTrained(output, (found) =>
    passThrough(found, (gradients) => {
      gradOutputs = gradients;
      if (trained.length === 0) report([]);
      return gradients;
    }),
  );
}
