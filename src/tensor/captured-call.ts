// One call of a compiled function: recorded and made ready for replays (`captureCall`), or replayed (`replayCall`).
// Arguments are told apart from everything else by stand-ins; results, and gradients that the call leaves, are found again in
// the slots of the capture. Knows nothing of when a capture holds: that is compile.ts.

import { isFloat } from '../engine/ir/dtype.js';
import { type Capture, captureOf, handOver } from '../engine/capture.js';
import { dropPending, freeStorage, replay, rest, run, storageOf } from '../engine/engine.js';
import * as build from '../engine/ir/build.js';
import { refuseOtherCopy } from '../engine/ir/copies.js';
import { CaptureError } from '../engine/ir/errors.js';
import type { Node } from '../engine/ir/node.js';
import { formatShape } from '../engine/ir/shape.js';
import type { Storage } from '../engine/ir/storage.js';
import { type Guard, Recording, record } from '../engine/recording.js';
import { isRetainedHere } from './gradient-hooks.js';
import { type GradientEffect, type GradientResult, settleGradients } from './gradient-log.js';
import { type AnyTensor, GRADIENT_ACCESS, Tensor, standFor, wrapStorage } from './tensor.js';

export type Argument = AnyTensor | number;
export type Result = AnyTensor | readonly AnyTensor[] | Readonly<Record<string, AnyTensor>> | void;
export type Fn = (...args: readonly Argument[]) => Result | Promise<Result>;

/** Where a result comes from in a replay. */
type ResultSource =
  | { readonly slot: number }
  | { readonly argument: number }
  /** A tensor from outside: it is handed out itself. */
  | { readonly tensor: AnyTensor }
  /** A copy of what a storage from outside holds at the end of the call. */
  | { readonly copied: Storage };

/** A tensor whose `grad` is meant: one from outside, or an argument. */
type GradientTarget = { readonly owner: AnyTensor } | { readonly argument: number };

/** What a replay leaves in a tensor's `grad`. */
interface Effect {
  readonly target: GradientTarget;
  readonly source: ResultSource | undefined;
}

export interface Captured {
  readonly capture: Capture;
  /** The arguments that are tensors, by position, in the order of the first slots; gradients that are read come next. */
  readonly tensorArguments: readonly number[];
  readonly readGradients: readonly GradientTarget[];
  readonly effects: readonly Effect[];
  readonly results: readonly ResultSource[];
  /** Slots that one run fills for another, and nobody has in his hands after a replay. */
  readonly passing: readonly number[];
  /** Puts result tensors into the form that the function returned. */
  readonly rebuild: (tensors: AnyTensor[]) => Result;
}

/** The tensor's storage, computed first where it is not there yet. */
function inputStorage(t: AnyTensor): Storage {
  return t.storage ?? storageOf(t.node);
}

type Found = { readonly argument: number } | { readonly tensor: AnyTensor } | { readonly node: Node };
type HandOut = (node: Node) => { readonly source: ResultSource; readonly tensor: AnyTensor };

/** Arguments that are state (`isState`) are passed themselves: the capture is for these very tensors. */
export async function captureCall(
  fn: Fn,
  args: readonly Argument[],
  isState: (a: Argument) => boolean,
): Promise<{ captured: Captured; result: Result }> {
  const recording = new Recording();
  const given = args.map((a, i) =>
    a instanceof Tensor && !isState(a)
      ? standFor(a, inputStorage(a), `argument ${i} of a compiled function`, recording)
      : a,
  );
  const tensorArguments = given.flatMap((a, i) => (a instanceof Tensor && a !== args[i] ? [i] : []));
  const replaced = tensorArguments.map((i) => given[i] as Tensor);
  const stands = replaced.map((t) => t.storage as Storage);
  const done = await record(
    recording,
    async () => {
      try {
        return await fn(...(given as Argument[]));
      } catch (error) {
        dropPending(recording); // what the function asked for and did not carry out
        throw error;
      }
    },
    (result: Result) => {
      const { tensors, rebuild } = takeApart(result);
      const found = tensors.map((t): Found => sourceOf(t, given, recording));
      run(found.flatMap((source) => ('node' in source ? [source.node] : [])));
      return { found, rebuild, gradients: settleGradients(recording, replaced, GRADIENT_ACCESS) };
    },
  );
  const { gradients, found, rebuild } = done;
  guardFlags(recording, gradients);
  const { capture, slotOf } = captureOf(recording, [...stands, ...gradients.inputs.map(({ stand }) => stand)]);

  const handOut = handingOut(slotOf);
  const results = found.map((source) => {
    if ('node' in source) return handOut(source.node);
    return { source, tensor: 'tensor' in source ? source.tensor : (args[source.argument] as AnyTensor) };
  });
  const effects = gradients.effects.map((effect) => effectOf(effect, args, given, handOut));
  // What was built on the arguments and not handed out belongs to this call alone.
  for (const stand of stands) stand.version++;
  const readGradients = gradients.inputs.map(({ owner }) => targetOf(owner, given));
  const captured = {
    capture,
    tensorArguments,
    readGradients,
    effects,
    results: results.map(({ source }) => source),
    passing: passingOf(
      capture,
      [...results, ...effects].map(({ source }) => source),
    ),
    rebuild,
  };
  await rest();
  return { captured, result: rebuild(results.map(({ tensor }) => tensor)) };
}

function passingOf(
  { inputs, temporaries }: Capture,
  handedOut: readonly (ResultSource | undefined)[],
): readonly number[] {
  const isHandedOut = new Set(handedOut.map((source) => (source !== undefined && 'slot' in source ? source.slot : -1)));
  return temporaries.flatMap((_, i) => (isHandedOut.has(inputs + i) ? [] : [inputs + i]));
}

/** Gives each computed node's storage to one tensor, which outlives the call. */
function handingOut(slotOf: (storage: Storage) => number | undefined): HandOut {
  const known = new Map<Node, ReturnType<HandOut>>();
  return (node) => {
    const before = known.get(node);
    if (before !== undefined) return before;
    const slot = slotOf(node.storage as Storage);
    const tensor = wrapStorage(slot === undefined ? (node.storage as Storage) : handOver(node));
    const handed = { tensor, source: slot === undefined ? { tensor } : { slot } };
    known.set(node, handed);
    return handed;
  };
}

/** Leaves the gradient where a call without `compile` would, and says how a replay does. */
function effectOf(
  effect: GradientEffect<AnyTensor, Tensor>,
  args: readonly Argument[],
  given: readonly Argument[],
  handOut: HandOut,
): Effect {
  const { owner, node, copied, otherwise } = effect;
  const target = targetOf(owner, given);
  const handed = node && handOut(node);
  const tensor = handed?.tensor ?? otherwise;
  if ('argument' in target) checkReached(args, target.argument, tensor !== undefined);
  GRADIENT_ACCESS.set(ownerOf(target, args), tensor as Tensor | undefined);
  if (copied !== undefined) return { target, source: { copied } };
  return { target, source: handed?.source ?? (otherwise && { tensor: otherwise }) };
}

/** Where a returned tensor comes from. */
function sourceOf(t: AnyTensor, given: readonly Argument[], recording: Recording): Found {
  const argument = given.indexOf(t);
  if (argument >= 0) return { argument };
  if (!t.isLeaf && isRetainedHere(t))
    throw new CaptureError(
      'compile: the function returns a tensor that retains its gradient, which would not come along. Return its grad beside it, and call retainGrad() on nothing that is returned.',
    );
  const { storage, node } = t;
  if (storage !== undefined && !recording.made.has(storage)) return { tensor: t };
  if (node.op !== 'leaf') return { node };
  return { node: build.copy(node) };
}

const targetOf = (owner: AnyTensor, given: readonly Argument[]): GradientTarget => {
  const argument = (given as readonly unknown[]).indexOf(owner);
  return argument < 0 ? { owner } : { argument };
};

function ownerOf(target: GradientTarget, args: readonly Argument[]): AnyTensor {
  return 'owner' in target ? target.owner : (args[target.argument] as AnyTensor);
}

/** A gradient that reaches an argument would have to go on to what the argument was computed from. */
function checkReached(args: readonly Argument[], argument: number, isReached: boolean): void {
  if (!isReached || (args[argument] as AnyTensor).isLeaf) return;
  throw new CaptureError(
    `compile: a gradient reaches argument ${argument}, which was computed from tensors that require gradients, and would end there. Compute it inside, or pass its detach().`,
  );
}

/** Whether tensors require gradients is part of the structure: of all that the call read, and of all it switched. */
function guardFlags(recording: Recording, { effects }: GradientResult<AnyTensor, Tensor>): void {
  const { flags, guards, runs, stands } = recording;
  const isStand = new Set([...stands.values()].flatMap((list) => list.map(({ storage }) => storage)));
  const seen = new Set<Storage>();
  const watched: Storage[] = [];
  const before: boolean[] = [];
  const watch = (storage: Storage): void => {
    if (!isFloat(storage.dtype) || isStand.has(storage) || seen.has(storage)) return;
    seen.add(storage);
    watched.push(storage);
    before.push(flags.get(storage) ?? storage.requiresGrad);
  };
  for (const { owner } of effects) if (owner.storage !== undefined) watch(owner.storage);
  for (const storage of flags.keys()) watch(storage);
  const results = new Set<Storage>();
  for (const { inputs, outputs, assigned } of runs) {
    for (const storage of inputs) if (!results.has(storage)) watch(storage);
    outputs.forEach((storage, i) => !assigned[i] && results.add(storage));
  }
  guards.push(flagGuard(watched, before));
}

/** A function of its own: a guard lives as long as its capture, and must not hold what the call has used. */
function flagGuard(watched: readonly Storage[], before: readonly boolean[]): Guard {
  const changed = (): Storage | undefined => {
    for (let i = 0; i < watched.length; i++) if (watched[i].requiresGrad !== before[i]) return watched[i];
    return undefined;
  };
  return {
    holds: () => changed() === undefined,
    get what() {
      const { name, shape } = changed() ?? { name: undefined, shape: [] };
      return `requiresGrad of ${name ?? `a tensor ${formatShape(shape)}`}`;
    },
  };
}

/** An object with fields: a Map or a Set has none, whatever is in it. */
function isRecord(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  return Object.keys(value).length > 0 || Object.getPrototypeOf(value) === Object.prototype;
}

function takeApart(result: Result): { tensors: AnyTensor[]; rebuild: (tensors: AnyTensor[]) => Result } {
  if (result === undefined) return { tensors: [], rebuild: () => undefined };
  if (result instanceof Tensor) return { tensors: [result], rebuild: ([t]) => t };
  const isTensor = (t: unknown): t is AnyTensor => t instanceof Tensor;
  if (Array.isArray(result) && result.every(isTensor)) return { tensors: [...result], rebuild: (tensors) => tensors };
  if (isRecord(result) && Object.values(result).every(isTensor)) {
    const keys = Object.keys(result);
    const rebuild = (tensors: AnyTensor[]) => Object.fromEntries(keys.map((k, i) => [k, tensors[i]]));
    return { tensors: Object.values(result), rebuild };
  }
  refuseOtherCopy('compile', result);
  for (const part of Object.values(result ?? {})) refuseOtherCopy('compile', part);
  throw new CaptureError(
    'compile: the function returned something other than a tensor, an array or a record of tensors. Return tensors and read them outside.',
  );
}

export function replayCall(captured: Captured, args: readonly Argument[]): Result {
  const { capture, tensorArguments, readGradients, effects, results, passing, rebuild } = captured;
  const inputs: Storage[] = [];
  for (let i = 0; i < tensorArguments.length; i++) inputs.push(inputStorage(args[tensorArguments[i]] as AnyTensor));
  for (const target of readGradients) inputs.push(inputStorage(GRADIENT_ACCESS.get(ownerOf(target, args)) as Tensor));
  const slots = replay(capture, inputs);
  const made: AnyTensor[] = [];
  for (let i = 0; i < effects.length; i++) {
    const { target, source } = effects[i];
    GRADIENT_ACCESS.set(ownerOf(target, args), source && (tensorOf(source, args, slots, made) as Tensor));
  }
  for (let i = 0; i < passing.length; i++) freeStorage(slots[passing[i]]);
  const tensors: AnyTensor[] = [];
  for (let i = 0; i < results.length; i++) tensors.push(tensorOf(results[i], args, slots, made));
  return rebuild(tensors);
}

/** `made` are the tensors of slots so far: each has one. */
function tensorOf(
  source: ResultSource,
  args: readonly Argument[],
  slots: readonly Storage[],
  made: AnyTensor[],
): AnyTensor {
  if ('tensor' in source) return source.tensor;
  if ('argument' in source) return args[source.argument] as AnyTensor;
  if ('copied' in source) return GRADIENT_ACCESS.wrapNode(build.copy(build.leaf(source.copied) as Node));
  return (made[source.slot] ??= wrapStorage(slots[source.slot]));
}
