// What a compiled function does with the `grad` of tensors from outside, so that each replay does the same:
// gradients that are there before it are inputs, those that it leaves are results, and those that it forgets are forgotten.
// Input: reads and writes of `grad` while a call is recorded. Output: guards, and inputs and effects for compile.ts.

import { run, settle, storageOf } from '../engine/engine.js';
import * as build from '../engine/ir/build.js';
import { areReadable } from '../engine/ir/graph/linearise.js';
import { type Node, isOp } from '../engine/ir/node.js';
import { type Storage, createStorage, standIn } from '../engine/ir/storage.js';
import { type Guard, type Recording, currentRecording, withoutRecording } from '../engine/recording.js';
import type { Differentiable } from './gradients.js';

/** How the log gets at a tensor's gradient without being told of it. */
export interface GradientAccess<Owner extends Differentiable, T extends Owner> {
  get(owner: Owner): T | undefined;
  set(owner: Owner, gradient: T | undefined): void;
  wrap(storage: Storage): T;
  wrapNode(node: Node): T;
  /** What each recorded call has met. */
  readonly logs: WeakMap<Recording, Map<Owner, Entry<T>>>;
}

interface Entry<T> {
  /** Before the call. */
  readonly before: T | undefined;
  /** Read before it was written. */
  readonly isRead: boolean;
  /** What stands for the gradient that was there. */
  readonly stand: Storage | undefined;
  /** The tensor in the call that has it. */
  readonly given: T | undefined;
}

/**
 * What a call has left in `owner.grad`: a value that it has computed, or a copy of what a storage from outside holds, which nobody has to make
 * before it is read, or else this (nothing, or one overwritten since).
 */
export interface GradientEffect<Owner, T> {
  readonly owner: Owner;
  readonly node: Node | undefined;
  readonly copied?: Storage;
  readonly otherwise: T | undefined;
}

export interface GradientResult<Owner, T> {
  /** Tensors whose gradients the call reads, and the storages that stood for them. */
  readonly inputs: readonly { readonly owner: Owner; readonly stand: Storage }[];
  readonly effects: readonly GradientEffect<Owner, T>[];
}

/** To be called before `owner.grad` is read or written. */
export function noteGradient<Owner extends Differentiable, T extends Owner>(
  owner: Owner,
  isRead: boolean,
  access: GradientAccess<Owner, T>,
): void {
  const recording = currentRecording();
  if (recording === undefined) return;
  let log = access.logs.get(recording);
  if (log === undefined) access.logs.set(recording, (log = new Map()));
  if (log.has(owner)) return;
  const before = access.get(owner);
  if (!isRead || before === undefined) {
    log.set(owner, { before, isRead, stand: undefined, given: before });
    return;
  }
  if (!isComputable(before)) {
    const given = overwritten(owner, access);
    access.set(owner, given);
    log.set(owner, { before: given, isRead, stand: undefined, given });
    return;
  }
  const storage = withoutRecording(recording, () => before.storage ?? storageOf(before.node));
  settle(storage);
  const stand = standIn(storage);
  recording.addStand(storage, { storage: stand });
  const given = access.wrap(stand);
  access.set(owner, given);
  log.set(owner, { before, isRead, stand, given });
}

function leafStorage(node: Node): Storage | undefined {
  return isOp(node, 'leaf') ? node.arg.storage : undefined;
}

/** The storage that a gradient is a copy of, and nothing else, unless a replay has another one in its place. */
function copiedStorage({ node }: Differentiable, isReplaced: (storage: Storage) => boolean): Storage | undefined {
  if (node.storage !== undefined || !isOp(node, 'detach')) return undefined;
  const storage = leafStorage(node.src[0]);
  return storage === undefined || isReplaced(storage) ? undefined : storage;
}

function isComputable(gradient: Differentiable): boolean {
  return !gone.has(gradient) && (gradient.storage !== undefined || areReadable([gradient.node])[0]);
}

/** What decides how a call goes on from a gradient: there is none, one, or one that was overwritten. */
function stateOf(gradient: Differentiable | undefined): 'none' | 'some' | 'overwritten' {
  if (gradient === undefined) return 'none';
  return gone.has(gradient) ? 'overwritten' : 'some';
}

/**
 * At the end of the recorded call: computes what it leaves, and says what a replay needs and does. `replaced` are the tensors that
 * stand for arguments, whose gradients are part of the capture's key.
 */
export function settleGradients<Owner extends Differentiable, T extends Owner>(
  recording: Recording,
  replaced: readonly unknown[],
  access: GradientAccess<Owner, T>,
): GradientResult<Owner, T> {
  const log = [...(access.logs.get(recording) ?? [])];
  const stands = new Set([...recording.stands.values()].flatMap((list) => list.map(({ storage }) => storage)));
  // A gradient that is an argument itself is a copy of it: the argument is another one in the next call.
  const left = log.map(([owner, { given }]) => {
    const gradient = access.get(owner);
    const storage = gradient && (gradient.storage ?? leafStorage(gradient.node));
    const isArgument = gradient !== given && storage !== undefined && stands.has(storage);
    return isArgument ? access.wrapNode(build.copy((gradient as T).node)) : gradient;
  });
  const isReadable = areReadable(left.flatMap((gradient) => gradient?.node ?? []));
  let next = 0;
  const live = left.map((gradient) => gradient !== undefined && isReadable[next++]);
  const made = new Set(recording.runs.flatMap(({ outputs, assigned }) => outputs.filter((_, i) => !assigned[i])));
  const isReplaced = (storage: Storage): boolean => stands.has(storage) || made.has(storage);
  const copied = left.map((gradient, i) => (live[i] ? copiedStorage(gradient as T, isReplaced) : undefined));
  run(left.flatMap((gradient, i) => (live[i] && copied[i] === undefined ? ((gradient as T).node as Node) : [])));
  const inputs: { owner: Owner; stand: Storage }[] = [];
  const effects: GradientEffect<Owner, T>[] = [];
  log.forEach(([owner, { before, isRead, stand, given }], i) => {
    if (isRead && !replaced.includes(owner)) {
      recording.guards.push(gradientGuard(owner, stateOf(before), access));
    }
    if (stand !== undefined) inputs.push({ owner, stand });
    const gradient = left[i];
    if (isRead && gradient === given) access.set(owner, before);
    else if (gradient === undefined) effects.push({ owner, node: undefined, otherwise: undefined });
    else if (!live[i]) effects.push({ owner, node: undefined, otherwise: overwritten(owner, access) });
    else if (copied[i] !== undefined) effects.push({ owner, node: undefined, copied: copied[i], otherwise: gradient });
    else if (gradient.node.storage === undefined) effects.push({ owner, node: undefined, otherwise: gradient });
    else effects.push({ owner, node: gradient.node, otherwise: undefined });
  });
  return { inputs, effects };
}

/** A function of its own: a guard must not hold what the call has used. */
function gradientGuard<Owner extends Differentiable, T extends Owner>(
  owner: Owner,
  state: ReturnType<typeof stateOf>,
  access: GradientAccess<Owner, T>,
): Guard {
  return { what: 'a gradient that was there', holds: () => stateOf(access.get(owner)) === state };
}

/** A buffer that is never looked at. */
const NO_BUFFER = {};
/** Gradients that stand for ones that nobody can compute any more. */
const gone = new WeakSet<Differentiable>();

/** A gradient that nobody can compute any more, without the graph that it came from. */
function overwritten<Owner extends Differentiable, T extends Owner>(
  { shape, device }: Owner,
  access: GradientAccess<Owner, T>,
): T {
  const storage = createStorage(device, 'float32', [], 1, NO_BUFFER);
  storage.name = 'the weights before an update in a compiled function';
  const gradient = build.expand(build.leaf(storage) as Node, shape);
  storage.version++;
  const marker = access.wrapNode(gradient);
  gone.add(marker);
  return marker;
}
