// compile(fn): runs a function once, records what the engine did, and from then on replays it, without building the graph
// again, as long as all that shaped it is as it was: shapes and numbers among the arguments, gradient mode, the modes and
// fields of modules, options of optimisers, which tensors require gradients (guards). In-place updates (an optimiser's step),
// random draws, gradients left in `grad` and numbers that are asked anew (learning rates) are part of the recording.
// What a guard cannot see (a variable of JavaScript) a check does: now and then the function itself runs, is recorded again,
// and both recordings are compared; what differs is named, and the function is then no longer replayed.

import { type Capture, captureOf, differenceOf, handOver } from '../engine/capture.js';
import { getDefaultDevice, getEnvironment, replay, rest, run, storageOf } from '../engine/engine.js';
import * as build from '../engine/ir/build.js';
import { CaptureError, InternalError } from '../engine/ir/errors.js';
import type { Node } from '../engine/ir/node.js';
import { formatShape } from '../engine/ir/shape.js';
import type { Storage } from '../engine/ir/storage.js';
import { Recording, isRecording, record } from '../engine/recording.js';
import { isGradEnabled } from './grad-mode.js';
import { type GradientResult, settleGradients } from './gradient-log.js';
import { type AnyTensor, GRADIENT_ACCESS, Tensor, standFor, wrapStorage } from './tensor.js';

type Argument = AnyTensor | number;
type Result = AnyTensor | readonly AnyTensor[] | Readonly<Record<string, AnyTensor>> | void;
type Fn = (...args: readonly Argument[]) => Result | Promise<Result>;

export interface CompileOptions {
  /**
   * Which calls run the function itself besides, to compare: `true` each of them, a number every so many. By default the
   * 1st, 2nd, 4th, 8th, … replay. With `check` given a difference is a CaptureError, otherwise a warning on the console.
   * NABLA_CHECK_CAPTURE sets it for all compiled functions.
   */
  readonly check?: boolean | number | undefined;
  /** Told of a difference instead of the console, with `check` not given. */
  readonly onDifference?: ((text: string) => void) | undefined;
}

export interface CompiledFunction<A extends readonly Argument[], R extends Result> {
  (...args: A): Promise<R>;
  /** How often the function has been captured so far: once for each combination of what shapes it. */
  readonly captures: number;
}

/** Where a result comes from in a replay. */
type ResultSource =
  | { readonly slot: number }
  | { readonly argument: number }
  /** A tensor from outside: it is handed out itself. */
  | { readonly tensor: AnyTensor };

/** A tensor whose `grad` is meant: one from outside, or an argument. */
type GradientTarget = { readonly owner: AnyTensor } | { readonly argument: number };

/** What a replay leaves in a tensor's `grad`. */
interface Effect {
  readonly target: GradientTarget;
  readonly source: ResultSource | undefined;
}

interface Captured {
  readonly capture: Capture;
  /** The arguments that are tensors, by position, in the order of the first slots; gradients that are read come next. */
  readonly tensorArguments: readonly number[];
  readonly readGradients: readonly GradientTarget[];
  readonly effects: readonly Effect[];
  readonly results: readonly ResultSource[];
  /** Puts result tensors into the form that the function returned. */
  readonly rebuild: (tensors: AnyTensor[]) => Result;
}

/** Captures that a function keeps for one combination of arguments, and in all: the ones used last. */
const MOST_VARIANTS = 8;
const MOST_CAPTURES = 64;

/**
 * A function that is captured at its first call for each combination of argument shapes and modes, and replayed afterwards.
 * Takes tensors (by value: what the body overwrites meanwhile does not change them) and numbers; returns a tensor, an array or a
 * record of tensors, or nothing. No gradient flows through results: call `backward()` inside.
 *
 *     const step = compile(async (x: Tensor<[number, 784]>, y: Tensor<[number], 'int32'>) => {
 *       optimizer.zeroGrad();
 *       const loss = crossEntropy(model.forward(x), y);
 *       loss.backward();
 *       await optimizer.step();
 *       return loss;
 *     });
 *
 * The body is captured again when a module's mode or field, an option of an optimiser, `requiresGrad` or a number among the
 * arguments has changed. A number that changes from call to call belongs into a tensor, or into `scalarTensor(() => number)`,
 * which is asked anew at each call. The function has no other effects outside (it does not run in a replay) and reads no
 * values. PyTorch: torch.compile; JAX: jit.
 */
export function compile<A extends readonly Argument[], R extends Result>(
  fn: (...args: A) => R | Promise<R>,
  options: CompileOptions = {},
): CompiledFunction<A, R> {
  const compiled = new Compiled(fn as unknown as Fn, options);
  const call = (...args: A) => compiled.call(args) as Promise<R>;
  return Object.defineProperty(call, 'captures', { get: () => compiled.captures }) as CompiledFunction<A, R>;
}

class Compiled {
  captures = 0;
  private readonly fn: Fn;
  private readonly options: CompileOptions;
  /** Captures by the key of their arguments, the one used last at the end of each list, and of the map. */
  private readonly known = new Map<string, Captured[]>();
  private stored = 0;
  private replays = 0;
  /** What calls have overwritten: as an argument it means that very tensor, which changes on the way. */
  private readonly overwritten = new WeakSet<Storage>();
  /** Why the function is not replayed any more. */
  private difference: string | undefined;

  constructor(fn: Fn, options: CompileOptions) {
    this.fn = fn;
    this.options = options;
  }

  async call(args: readonly Argument[]): Promise<Result> {
    if (isRecording()) return this.fn(...args);
    run([]); // what waits from before is not part of the step
    const shapes = keyOf(args);
    const key = shapes + this.stateAmong(args);
    const variants = this.known.get(key);
    const found = variants?.findLast(({ capture }) => capture.guards.every((guard) => guard.holds()));
    if (variants !== undefined && found !== undefined) {
      if (!this.isCheckDue()) {
        use(this.known, key, variants, found);
        const result = replayCall(found, args);
        await rest();
        return result;
      }
      this.forget(key, found);
      return await this.check(found, shapes, args);
    }
    const { captured, result } = await captureCall(this.fn, args);
    this.captures++;
    this.store(shapes, args, captured);
    return result;
  }

  private isCheckDue(): boolean {
    const { check } = this.options;
    const every = check === undefined ? checkFromEnvironment() : Number(check);
    const number = ++this.replays;
    if (every !== undefined) return every > 0 && number % every === 0;
    return (number & (number - 1)) === 0;
  }

  /** The function itself, recorded again: its result is right in any case. */
  private async check(old: Captured, shapes: string, args: readonly Argument[]): Promise<Result> {
    const { captured, result } = await captureCall(this.fn, args);
    const text = await differenceOf(old.capture, captured.capture);
    if (text === undefined) {
      this.store(shapes, args, captured);
      return result;
    }
    this.difference = text;
    const { check, onDifference } = this.options;
    const message = `compile: a replay would not have done what the function does: ${text}.`;
    if ((check ?? checkFromEnvironment()) !== undefined) throw new CaptureError(`${message} ${ADVICE}`);
    const told = `${message} It is run itself from now on, and no longer replayed. ${ADVICE}`;
    if (onDifference === undefined) console.warn(`nabla: ${told}`);
    else onDifference(told);
    return result;
  }

  /** The arguments that are state: each means that very tensor. */
  private stateAmong(args: readonly Argument[]): string {
    let text = '';
    args.forEach((a, i) => {
      if (a instanceof Tensor && a.storage !== undefined && this.overwritten.has(a.storage))
        text += `#${i}=${a.storage.id}`;
    });
    return text;
  }

  private store(shapes: string, args: readonly Argument[], captured: Captured): void {
    const { obstacle, assigned } = captured.capture;
    if (obstacle !== undefined || this.difference !== undefined) return;
    for (const storage of assigned) this.overwritten.add(storage);
    const shapes = keyOf(args);
    const key = shapes + this.stateAmong(args);
    const variants = this.known.get(key) ?? [];
    variants.push(captured);
    this.stored++;
    if (variants.length > MOST_VARIANTS) {
      variants.shift();
      this.stored--;
    }
    this.known.delete(key);
    this.known.set(key, variants);
    if (this.stored <= MOST_CAPTURES) return;
    const [oldest, list] = this.known.entries().next().value as [string, Captured[]];
    this.known.delete(oldest);
    this.stored -= list.length;
  }

  private forget(key: string, captured: Captured): void {
    const variants = this.known.get(key);
    const at = variants?.indexOf(captured) ?? -1;
    if (variants === undefined || at < 0) return;
    variants.splice(at, 1);
    this.stored--;
  }
}

const ADVICE =
  'Pass what changes as an argument, or as scalarTensor(() => number), which is asked at each call; ' +
  'compile: false in a Trainer runs every step itself.';

/** Marks a capture and its key as used last. */
function use(known: Map<string, Captured[]>, key: string, variants: Captured[], found: Captured): void {
  if (variants[variants.length - 1] !== found) {
    variants.splice(variants.indexOf(found), 1);
    variants.push(found);
  }
  if (known.size < MOST_CAPTURES / 2) return;
  known.delete(key);
  known.set(key, variants);
}

function checkFromEnvironment(): number | undefined {
  const value = getEnvironment('NABLA_CHECK_CAPTURE');
  if (value === undefined || value === '') return undefined;
  const every = Number(value);
  if (Number.isInteger(every) && every >= 0) return every;
  throw new CaptureError(
    `compile: NABLA_CHECK_CAPTURE is '${value}'. Set it to 1 to check every call of compiled functions, to n for every n-th, to 0 for none.`,
  );
}

// ---------------------------------------------------------------- arguments and results

function keyOf(args: readonly Argument[]): string {
  let key = `${isGradEnabled() ? '' : 'no grad;'}${getDefaultDevice()}`;
  for (const a of args) {
    if (a instanceof Tensor) key += `;${a.dtype}${a.device}[${a.shape.join()}]${gradientKey(a)}`;
    else if (typeof a === 'number') key += Object.is(a, -0) ? ';-0' : `;${a}`;
    else
      throw new CaptureError('compile: arguments are tensors and numbers. Pass everything else through a closure.');
  }
  return key;
}

/** A gradient that is there already decides what `backward` does. */
function gradientKey(t: AnyTensor): string {
  if (!t.requiresGrad) return '';
  return GRADIENT_ACCESS.get(t) === undefined ? 'g' : 'G';
}

/** The tensor's storage, computed first where it is not there yet. */
function inputStorage(t: AnyTensor): Storage {
  return t.storage ?? storageOf(t.node);
}

type Found = ResultSource | { readonly node: Node };

async function captureCall(fn: Fn, args: readonly Argument[]): Promise<{ captured: Captured; result: Result }> {
  const recording = new Recording();
  const given = args.map((a, i) =>
    a instanceof Tensor ? standFor(a, inputStorage(a), `argument ${i} of a compiled function`, recording) : a,
  );
  const tensorArguments = given.flatMap((a, i) => (a instanceof Tensor ? [i] : []));
  const stands = tensorArguments.map((i) => (given[i] as Tensor).storage as Storage);
  const done = await record(
    recording,
    () => fn(...(given as Argument[])),
    (result: Result) => {
      const { tensors, rebuild } = takeApart(result);
      const found = tensors.map((t): Found => sourceOf(t, given, recording));
      run(found.flatMap((source) => ('node' in source ? [source.node] : [])));
      return { found, rebuild, gradients: settleGradients(recording, given, GRADIENT_ACCESS) };
    },
  );
  const { gradients, found, rebuild } = done;
  guardFlags(recording, gradients);
  const { capture, slotOf } = captureOf(recording, [...stands, ...gradients.inputs.map(({ stand }) => stand)]);

  const handedOver = new Map<Node, { source: ResultSource; tensor: AnyTensor }>();
  const handOut = (node: Node): { source: ResultSource; tensor: AnyTensor } => {
    const slot = slotOf(node.storage as Storage);
    const tensor = wrapStorage(slot === undefined ? (node.storage as Storage) : handOver(node)) as AnyTensor;
    return { tensor, source: slot === undefined ? { tensor } : { slot } };
  };
  const results = found.map((source) => {
    if ('tensor' in source) return { source, tensor: source.tensor };
    if ('argument' in source) return { source, tensor: args[source.argument] as AnyTensor };
    if ('slot' in source) throw new InternalError('compile: a result has a slot before it is captured');
    const known = handedOver.get(source.node) ?? handOut(source.node);
    handedOver.set(source.node, known);
    return known;
  });
  const effects = gradients.effects.map(({ owner, node, otherwise }): Effect => {
    const argument = (given as readonly unknown[]).indexOf(owner);
    checkReached(args, argument, node !== undefined || otherwise !== undefined);
    const target = argument < 0 ? { owner } : { argument };
    if (node === undefined) return { target, source: otherwise && { tensor: otherwise as AnyTensor } };
    const { source, tensor } = handedOver.get(node) ?? handOut(node);
    handedOver.set(node, { source, tensor });
    setGradient(target, args, tensor as Tensor);
    return { target, source };
  });
  // What was built on the arguments and not handed out belongs to this call alone.
  for (const stand of stands) stand.version++;
  for (const { target, source } of effects) {
    if (source === undefined || 'tensor' in source) setGradient(target, args, source?.tensor as Tensor | undefined);
  }
  const readGradients = gradients.inputs.map(({ owner }) => targetOf(owner, given));
  const captured = {
    capture,
    tensorArguments,
    readGradients,
    effects,
    results: results.map(({ source }) => source),
    rebuild,
  };
  await rest();
  return { captured, result: rebuild(results.map(({ tensor }) => tensor)) };
}

/** Where a returned tensor comes from. */
function sourceOf(t: AnyTensor, given: readonly Argument[], recording: Recording): Found {
  const argument = given.indexOf(t);
  if (argument >= 0) return { argument };
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

function setGradient(target: GradientTarget, args: readonly Argument[], gradient: Tensor | undefined): void {
  GRADIENT_ACCESS.set(ownerOf(target, args), gradient);
}

/** A gradient that reaches an argument would have to go on to what the argument was computed from. */
function checkReached(args: readonly Argument[], argument: number, isReached: boolean): void {
  if (argument < 0 || !isReached || (args[argument] as AnyTensor).isLeaf) return;
  throw new CaptureError(
    `compile: a gradient reaches argument ${argument}, which was computed from tensors that require gradients, and would end there. Compute it inside, or pass its detach().`,
  );
}

/** Whether tensors require gradients is part of the structure: of all that the call read, and of all it switched. */
function guardFlags(recording: Recording, { effects }: GradientResult): void {
  const { flags, guards, runs, stands } = recording;
  const isStand = new Set([...stands.values()].flatMap((list) => list.map(({ storage }) => storage)));
  const seen = new Set<Storage>();
  const watch = (storage: Storage): void => {
    if (storage.dtype !== 'float32' || isStand.has(storage) || seen.has(storage)) return;
    seen.add(storage);
    const flag = flags.get(storage) ?? storage.requiresGrad;
    const what = `requiresGrad of ${storage.name ?? `a tensor ${formatShape(storage.shape)}`}`;
    guards.push({ what, holds: () => storage.requiresGrad === flag });
  };
  for (const { owner } of effects) if (owner.storage !== undefined) watch(owner.storage);
  for (const storage of flags.keys()) watch(storage);
  const results = new Set<Storage>();
  for (const { inputs, outputs, assigned } of runs) {
    for (const storage of inputs) if (!results.has(storage)) watch(storage);
    outputs.forEach((storage, i) => !assigned[i] && results.add(storage));
  }
}

function takeApart(result: Result): { tensors: AnyTensor[]; rebuild: (tensors: AnyTensor[]) => Result } {
  if (result === undefined) return { tensors: [], rebuild: () => undefined };
  if (result instanceof Tensor) return { tensors: [result], rebuild: ([t]) => t };
  const isTensor = (t: unknown): t is AnyTensor => t instanceof Tensor;
  if (Array.isArray(result) && result.every(isTensor))
    return { tensors: [...(result as AnyTensor[])], rebuild: (tensors) => tensors };
  if (typeof result === 'object' && result !== null && Object.values(result).every(isTensor)) {
    const keys = Object.keys(result);
    const rebuild = (tensors: AnyTensor[]) => Object.fromEntries(keys.map((k, i) => [k, tensors[i]]));
    return { tensors: Object.values(result as Record<string, AnyTensor>), rebuild };
  }
  throw new CaptureError(
    'compile: the function returned something other than a tensor, an array or a record of tensors. Return tensors and read them outside.',
  );
}

function replayCall(captured: Captured, args: readonly Argument[]): Result {
  const { capture, tensorArguments, readGradients, effects, results, rebuild } = captured;
  const inputs = tensorArguments.map((i) => inputStorage(args[i] as AnyTensor));
  for (const target of readGradients) inputs.push(inputStorage(GRADIENT_ACCESS.get(ownerOf(target, args)) as Tensor));
  const slots = replay(capture, inputs);
  const tensors = new Map<number, AnyTensor>();
  const tensorOf = (source: ResultSource): AnyTensor => {
    if ('tensor' in source) return source.tensor;
    if ('argument' in source) return args[source.argument] as AnyTensor;
    let tensor = tensors.get(source.slot);
    if (tensor === undefined) tensors.set(source.slot, (tensor = wrapStorage(slots[source.slot]) as AnyTensor));
    return tensor;
  };
  for (const { target, source } of effects) setGradient(target, args, source && (tensorOf(source) as Tensor));
  return rebuild(results.map(tensorOf));
}
