// compile(fn): runs a function once, records what the engine did, and from then on replays it, without building the graph
// again, as long as all that shaped it is as it was: shapes and numbers among the arguments, gradient mode, the modes and
// fields of modules, options of optimisers, which tensors require gradients (guards). In-place updates (an optimiser's step),
// random draws, gradients left in `grad` and numbers that are asked anew (learning rates) are part of the recording.
// What a guard cannot see (a variable of JavaScript) a check does: now and then the function itself runs, is recorded again,
// and both recordings are compared; what differs is named, and the function is then no longer replayed.

import { checkFunction } from '../engine/ir/arguments.js';
import { type OptionNames, checkOptions } from '../engine/ir/options.js';
import { type CapturedRun, beganState, differenceOf } from '../engine/capture.js';
import { debug } from '../engine/device/debug.js';
import { getDefaultDevice, getEnvironment, restIfDue, run } from '../engine/engine.js';
import { CaptureError } from '../engine/ir/errors.js';
import { refuseOtherCopy } from '../engine/ir/copies.js';
import { formatShape, sameShape } from '../engine/ir/shape.js';
import type { Storage } from '../engine/ir/storage.js';
import { type Guard, isRecording } from '../engine/recording.js';
import { type Argument, type Captured, type Fn, type Result, captureCall, replayCall } from './captured-call.js';
import { isGradEnabled } from './grad-mode.js';
import { type AnyTensor, GRADIENT_ACCESS, Tensor } from './tensor.js';

export interface CompileOptions {
  /**
   * Which calls run the function itself besides, to compare: `true` each of them, a number every so many. By default the
   * 1st, 2nd, 4th, 8th, … replay. With `check` given a difference is a CaptureError, otherwise a warning on the console.
   * NABLA_CHECK_CAPTURE sets it for all functions that are compiled from then on.
   */
  readonly check?: boolean | number | undefined;
  /** Told of a difference instead of the console, with `check` not given. */
  readonly onDifference?: ((text: string) => void) | undefined;
}

const COMPILE_OPTIONS: OptionNames<CompileOptions> = { check: true, onDifference: true };

export interface CompiledFunction<A extends readonly Argument[], R extends Result> {
  (...args: A): Promise<R>;
  /** How often the function has been captured so far: once for each combination of what shapes it. */
  readonly captures: number;
  /** The next call runs the function itself besides, to compare: after something that may have changed what it does. */
  checkNext(): void;
}

/** Captures that a function keeps for one combination of arguments, and in all: the ones used last. */
const MOST_VARIANTS = 8;
const MOST_CAPTURES = 64;

/**
 * A function that is captured at its first call for each combination of argument shapes and modes, and replayed afterwards.
 * Takes tensors (each call others, but for those that require gradients or are overwritten) and numbers; returns a tensor, an array or a
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
  checkFunction('compile', fn);
  checkOptions('compile', options, COMPILE_OPTIONS);
  const compiled = new Compiled(fn as unknown as Fn, options); // it is called with what A says, below
  const call = (...args: A) => compiled.call(args) as Promise<R>;
  const properties = {
    captures: { get: () => compiled.captures },
    checkNext: { value: () => compiled.checkNext() },
  };
  return Object.defineProperties(call, properties) as CompiledFunction<A, R>;
}

class Compiled {
  captures = 0;
  private readonly fn: Fn;
  private readonly options: CompileOptions;
  private readonly captured = new Captures();
  private replays = 0;
  private isCheckWanted = false;
  /** What calls have overwritten: as an argument it means that very tensor, which changes on the way. */
  private readonly overwritten = new WeakSet<Storage>();
  /** The last call that was looked up, which the next one resembles as a rule. */
  private last: Signature | undefined;
  /** Why the function is not replayed any more. */
  private difference: string | undefined;
  /** As the environment has it; looked up once, since that takes longer than a whole replay of a small function. */
  private readonly checkEvery: number | undefined;

  constructor(fn: Fn, options: CompileOptions) {
    this.fn = fn;
    this.options = options;
    this.checkEvery = options.check === undefined ? checkFromEnvironment() : Number(options.check);
  }

  async call(args: readonly Argument[]): Promise<Result> {
    if (isRecording()) return this.fn(...args);
    run([]); // what waits from before is not part of the step
    const signature = this.last?.fits(args, this.isState) === true ? this.last : this.signatureOf(args);
    const { key, shapes } = signature;
    const found = this.captured.find(key);
    if (found !== undefined) {
      if (this.isCheckDue()) {
        this.captured.remove(key, found);
        return await this.check(found, shapes, args);
      }
      const result = replayCall(found, args);
      const waiting = restIfDue();
      if (waiting !== undefined) await waiting;
      return result;
    }
    const { captured, result } = await captureCall(this.fn, args, this.isState);
    this.captures++;
    const { obstacle } = captured.capture;
    if (obstacle !== undefined) debug(1, () => `compile: this call will not be replayed: ${obstacle}`);
    this.store(shapes, args, captured);
    return result;
  }

  private signatureOf(args: readonly Argument[]): Signature {
    return (this.last = new Signature(shapesOf(args), this.stateAmong(args), args));
  }

  checkNext(): void {
    this.isCheckWanted = true;
  }

  private isCheckDue(): boolean {
    const every = this.checkEvery;
    const number = ++this.replays;
    if (this.isCheckWanted) {
      this.isCheckWanted = false;
      return every !== 0;
    }
    if (every !== undefined) return every > 0 && number % every === 0;
    return (number & (number - 1)) === 0;
  }

  /** The function itself, recorded again: its result is right in any case. */
  private async check(old: Captured, shapes: string, args: readonly Argument[]): Promise<Result> {
    const { captured, result } = await captureCall(this.fn, args, this.isState);
    const { obstacle } = captured.capture;
    let text = obstacle === undefined ? await differenceOf(old.capture, captured.capture) : undefined;
    if (text !== undefined && beganState(old.capture, captured.capture)) text = undefined;
    this.difference ??= text;
    this.store(shapes, args, captured);
    if (text === undefined) return result;
    const { onDifference } = this.options;
    const message = `compile: a replay would not have done what the function does: ${text}.`;
    if (this.checkEvery !== undefined) throw new CaptureError(`${message} ${ADVICE}`);
    const told = `${message} It is run itself from now on, and no longer replayed. ${ADVICE}`;
    if (onDifference === undefined) console.warn(`nabla: ${told}`);
    else onDifference(told);
    return result;
  }

  private store(shapes: string, args: readonly Argument[], captured: Captured): void {
    const { obstacle, assigned } = captured.capture;
    const before = this.stateAmong(args);
    for (const storage of assigned) this.overwritten.add(storage);
    const state = this.stateAmong(args);
    if (this.difference !== undefined) this.captured.clear();
    // One that has just been found to overwrite an argument was captured for any tensor: the next call is, for this very one.
    else if (obstacle === undefined && state === before) this.captured.add(shapes + state, captured);
  }

  /**
   * Whether an argument means that very tensor, and not its numbers: one that is overwritten, or that collects gradients, which
   * the function may do under its other name, too.
   */
  private readonly isState = (a: Argument): boolean =>
    a instanceof Tensor && a.storage !== undefined && (a.requiresGrad || this.overwritten.has(a.storage));

  private stateAmong(args: readonly Argument[]): string {
    let text = '';
    for (let i = 0; i < args.length; i++)
      if (this.isState(args[i])) text += `#${i}=${(args[i] as AnyTensor).storage?.id}`;
    return text;
  }
}

/** Captures by the key of their arguments: those used last, up to a number for each key and in all. */
class Captures {
  private readonly lists = new Map<string, Captured[]>();
  private size = 0;

  /** One whose guards hold. */
  find(key: string): Captured | undefined {
    const list = this.lists.get(key);
    if (list === undefined) return undefined;
    for (let i = list.length - 1; i >= 0; i--) {
      const found = list[i];
      // The cache of programs is bounded: what is not used for long is let go, and then its capture.
      const { runs, guards } = found.capture;
      if (runs.some(isEvicted)) {
        this.size -= list.splice(i, 1).length;
        continue;
      }
      const broken = guards.find(isBroken);
      if (broken !== undefined) {
        debug(1, () => `compile: a capture does not hold: ${broken.what} has changed`);
        continue;
      }
      if (i < list.length - 1) list.push(...list.splice(i, 1));
      if (this.size > MOST_CAPTURES / 2) this.moveToEnd(key, list);
      return found;
    }
    return undefined;
  }

  add(key: string, captured: Captured): void {
    const list = this.lists.get(key) ?? [];
    list.push(captured);
    this.size++;
    if (list.length > MOST_VARIANTS) this.size -= list.splice(0, 1).length;
    this.moveToEnd(key, list);
    for (const [oldest, { length }] of this.lists) {
      if (this.size <= MOST_CAPTURES) return;
      this.lists.delete(oldest);
      this.size -= length;
    }
  }

  remove(key: string, captured: Captured): void {
    const list = this.lists.get(key);
    const at = list?.indexOf(captured) ?? -1;
    if (list !== undefined && at >= 0) this.size -= list.splice(at, 1).length;
  }

  clear(): void {
    this.lists.clear();
    this.size = 0;
  }

  private moveToEnd(key: string, list: Captured[]): void {
    this.lists.delete(key);
    this.lists.set(key, list);
  }
}

const isBroken = (guard: Guard): boolean => !guard.holds();
const isEvicted = ({ program }: CapturedRun): boolean => program.isDisposed;

const ADVICE =
  'Pass what changes as an argument, or as scalarTensor(() => number), which is asked at each call; ' +
  'compile: false in a Trainer runs every step itself.';

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

/** What a capture is made for, and the arguments that gave it: those of the next call are compared with them without any text. */
class Signature {
  /** Gradient mode, default device, shapes and numbers. */
  readonly shapes: string;
  readonly key: string;
  private readonly isGrad = isGradEnabled();
  private readonly device = getDefaultDevice();
  /** Undefined where something else decides as well. The tensors themselves are not held. */
  private readonly args: readonly (number | Described)[] | undefined;

  constructor(shapes: string, state: string, args: readonly Argument[]) {
    this.shapes = shapes;
    this.key = shapes + state;
    const parts = args.map((a) => (typeof a === 'number' ? a : describe(a)));
    this.args = state === '' && isComplete(parts) ? parts : undefined;
  }

  fits(given: readonly Argument[], isState: (a: Argument) => boolean): boolean {
    const { args } = this;
    if (args?.length !== given.length) return false;
    if (this.isGrad !== isGradEnabled() || this.device !== getDefaultDevice()) return false;
    for (let i = 0; i < args.length; i++) if (!isAlike(args[i], given[i]) || isState(given[i])) return false;
    return true;
  }
}

/** What the key says of a stored tensor that requires no gradient. */
type Described = Pick<Storage, 'shape' | 'dtype' | 'device'>;

function describe({ storage }: AnyTensor): Described | undefined {
  if (storage === undefined || storage.requiresGrad) return undefined;
  const { shape, dtype, device } = storage;
  return { shape, dtype, device };
}

const isComplete = (parts: readonly (number | Described | undefined)[]): parts is readonly (number | Described)[] =>
  !parts.includes(undefined);

function isAlike(known: number | Described, a: Argument): boolean {
  if (typeof known === 'number' || typeof a === 'number') return Object.is(known, a);
  if (!(a instanceof Tensor)) return false;
  const { storage } = a;
  if (storage === undefined || storage.requiresGrad) return false;
  return sameShape(storage.shape, known.shape) && storage.dtype === known.dtype && storage.device === known.device;
}

function shapesOf(args: readonly Argument[]): string {
  let key = `${isGradEnabled() ? '' : 'no grad;'}${getDefaultDevice()}`;
  for (const a of args) {
    if (a instanceof Tensor) key += `;${a.dtype}${a.device}${formatShape(a.shape)}${gradientKey(a)}`;
    else if (typeof a === 'number') key += Object.is(a, -0) ? ';-0' : `;${a}`;
    else {
      refuseOtherCopy('compile', a);
      throw new CaptureError('compile: arguments are tensors and numbers. Pass everything else through a closure.');
    }
  }
  return key;
}

/** A gradient that is there already decides what `backward` does. */
function gradientKey(t: AnyTensor): string {
  if (!t.requiresGrad) return '';
  return GRADIENT_ACCESS.get(t) === undefined ? 'g' : 'G';
}
