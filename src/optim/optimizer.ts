// The optimiser base: parameter groups, state, and one engine run a step. A subclass says how one parameter moves, in
// tensor operations; everything of a step (all parameters, all state, and whatever waits to be read) is one program.
// Hyper-parameters are plain numbers on the groups. Kernels ask for them at each run, so changing one never recompiles,
// and a step captured by `compile(fn)` sees the change; only what is 0 or off at the capture stays so.

import { scalarTensor, tensor } from '../tensor/creation.js';
import {
  DTypeError,
  ArgumentError,
  checkOptions,
  currentRecording,
  eachRun,
  formatShape,
  shown,
  type Guard,
  inUnit,
  type Recording,
  runPending,
  sameShape,
  StaleTensorError,
  updateAtOnce,
  checkHas,
} from '../tensor/library.js';
import { isPromise } from '../tensor/not-a-tensor.js';
import { type AnyTensor, type Tensor, checkTensor } from '../tensor/tensor.js';

/** Parameters, or lists of them with hyper-parameters of their own. */
export type Params<Options> = Iterable<Tensor> | Iterable<ParamGroup<Options>>;

export type ParamGroup<Options> = Partial<Options> & { readonly params: Iterable<Tensor> };

/** A group in use: its parameters and its hyper-parameters, which may be changed between steps. */
export type Group<Options> = { readonly params: readonly Tensor[] } & Options;

export interface OptimizerState {
  /** Calls of `step()` so far. */
  readonly step: number;
  /** Updates of each parameter so far; all are `step` unless given. */
  readonly steps?: readonly number[];
  /** Hyper-parameters of each group, and the number of its parameters. */
  readonly groups: readonly Readonly<Record<string, unknown>>[];
  /** State tensors by `name.number of the parameter`, under PyTorch's names. */
  readonly tensors: Readonly<Record<string, AnyTensor>>;
}

/** How often the parameters have been updated, this time included; counts on in replays. */
export interface Clock {
  readonly step: number;
}

/** The state of one parameter: a tensor of its shape by name, full of `start` (0 unless given) at first. */
export type Slots = (name: string, start?: number) => Tensor;

export abstract class Optimizer<Options extends object, Rates> {
  readonly groups: Group<Options>[] = [];
  /** Calls of `step()` so far. */
  stepCount = 0;
  private readonly defaults: Options;
  /** Of all parameters, in the order of the groups. */
  private readonly steps: number[] = [];
  private readonly slots: Map<string, Tensor>[] = [];
  /** What state that an update has asked for was full of at first. */
  private readonly starts = new WeakMap<Tensor, number>();

  /** `defaults` are complete: their names are the options there are. */
  constructor(params: Params<Options>, defaults: Options & object, options: Partial<Options> = {}) {
    checkOptions(new.target.name, options, defaults);
    this.defaults = { ...defaults, ...options };
    const list = [...iterableOf<Tensor | ParamGroup<Options>>(new.target.name, params)];
    const isGroup = (p: Tensor | ParamGroup<Options>): p is ParamGroup<Options> =>
      typeof p === 'object' && p !== null && 'params' in p;
    // Options may be absent from a group: the defaults are added below.
    const groups = list.length > 0 && list.every(isGroup) ? list : [{ params: list } as unknown as ParamGroup<Options>];
    for (const group of groups) this.addParamGroup(group);
  }

  /** Takes over more parameters, with hyper-parameters of their own. */
  addParamGroup(group: ParamGroup<Options>): void {
    const name = this.constructor.name;
    const params = parametersOf(name, group.params);
    if (params.length === 0) throw new ArgumentError(`${name}: no parameters. Pass model.parameters().`);
    const known = new Set(this.groups.flatMap((g) => g.params));
    for (const p of params) {
      if (!p.isLeaf)
        throw new ArgumentError(
          `${name}: ${String(p)} was computed. Pass parameters, or tensors made with requiresGrad.`,
        );
      if (known.has(p)) throw new ArgumentError(`${name}: ${String(p)} is listed twice. List each parameter once.`);
      known.add(p);
    }
    const { params: _params, ...options } = group;
    checkOptions(name, options, this.defaults as object);
    const complete = { ...this.defaults, ...group, params };
    this.check(complete);
    this.groups.push(complete);
    for (const _ of params) {
      this.steps.push(0);
      this.slots.push(new Map());
    }
  }

  /** Throws an ArgumentError for hyper-parameters outside their range. */
  protected abstract check(options: Options): void;

  /** The numbers of an update that are the same for all parameters of a group that have had as many updates. */
  protected abstract rates(group: Group<Options>, clock: Clock): Rates;

  /** The new value of parameter p with gradient g; state is overwritten with `assign_`. */
  protected abstract move(p: Tensor, g: Tensor, rates: Rates, slots: Slots): Tensor;

  /** Forgets the gradients of all parameters. */
  zeroGrad(): void {
    for (const group of this.groups) for (const p of group.params) p.grad = undefined;
  }

  /**
   * One update of all parameters that have a gradient, together with whatever waits to be read. If it fails (an index out of
   * range, memory that is not there), it has changed nothing: parameters, state and counts are as before, and gradients
   * that took part in it are forgotten.
   */
  async step(): Promise<void> {
    if (hasStepChecks) for (const { params } of this.groups) for (const p of params) stepChecks.get(p)?.();
    currentRecording()?.guards.push(this.guard());
    try {
      await updateAtOnce(() => this.update());
    } catch (error) {
      const isOvertaken = error instanceof StaleTensorError && error.message.includes('has been overwritten');
      if (!isOvertaken || this.stepCount < 1) throw error;
      throw new StaleTensorError(
        `${error.message} Gradients of an earlier step may be among it: call zeroGrad() before backward().`,
      );
    }
  }

  /**
   * A captured step holds for the same groups, and for options that are on or off as they were: what they are beyond that
   * is asked anew at each run.
   */
  private guard(): Guard {
    const before = this.groups.map((group) => ({ group, params: [...group.params], options: switches(group) }));
    const isSame = ({ group, params, options }: (typeof before)[number], i: number): boolean =>
      this.groups[i] === group && sameElements(group.params, params) && sameSwitches(group, options);
    const holds = (): boolean => this.groups.length === before.length && before.every(isSame);
    const recording = currentRecording();
    const options = before.map(({ group }) => ({ ...group }));
    recording?.whenDone(() => {
      const changed = options.some((old, i) => !sameOptions(before[i].group, old, recording));
      if (changed) recording.refuse(`it changes an option of ${this.constructor.name}`);
    });
    return { what: `the groups or options of ${this.constructor.name}`, holds };
  }

  private clockOf(index: number): Clock {
    const { steps } = this;
    return {
      get step() {
        return steps[index];
      },
    };
  }

  private update(): void {
    const moves: (() => void)[] = [];
    const clocks = new Map<number, Clock>();
    const active: number[] = [];
    let number = 0;
    for (const group of this.groups) {
      const rates = new Map<Clock, Rates>();
      for (const p of group.params) {
        const i = number++;
        const g = p.grad;
        if (g === undefined) continue;
        active.push(i);
        const clock = valueAt(clocks, this.steps[i], () => this.clockOf(i));
        moves.push(() => {
          const shared = valueAt(rates, clock, () => this.rates(group, clock));
          p.assign_(this.move(p, g, shared, this.slotsOf(i, p)));
        });
      }
    }
    const firsts = new Map<number, number>();
    for (const i of active) if (!firsts.has(this.steps[i])) firsts.set(this.steps[i], i);
    const leaders = active.map((i) => firsts.get(this.steps[i]) as number);
    currentRecording()?.guards.push({
      what: `how often ${this.constructor.name} has updated each parameter`,
      holds: () => {
        const { steps } = this;
        for (let k = 0; k < active.length; k++) if (steps[active[k]] !== steps[leaders[k]]) return false;
        return true;
      },
    });
    eachRun(
      () => {
        this.stepCount++;
        for (const i of active) this.steps[i]++;
      },
      () => {
        this.stepCount--;
        for (const i of active) this.steps[i]--;
      },
    );
    for (const move of moves) move();
  }

  private slotsOf(index: number, p: Tensor): Slots {
    return (name, start = 0) => {
      const slot = valueAt(this.slots[index], name, () => filledLike(p, start));
      if (slot.dtype !== p.dtype)
        throw new DTypeError(
          `${this.constructor.name}: parameter ${index} is ${p.dtype}, its ${name} ${slot.dtype}: it was converted after a step. Make the optimiser after to('${p.dtype}').`,
          [p.dtype, slot.dtype],
        );
      this.starts.set(slot, start);
      return slot;
    };
  }

  /** Hyper-parameters, step counts and all state tensors. The tensors are the optimiser's own: steps go on to change them. */
  stateDict(): OptimizerState & { readonly steps: readonly number[] } {
    const tensors = this.slots.flatMap((slots, i) => [...slots].map(([name, t]) => [`${name}.${i}`, t]));
    const groups = this.groups.map(({ params, ...options }) => ({ ...options, count: params.length }));
    return { step: this.stepCount, steps: [...this.steps], groups, tensors: Object.fromEntries(tensors) };
  }

  /**
   * Takes over hyper-parameters, step counts and state; state that is not given is as before the first step. Throws ArgumentError
   * if they are of other parameters, or out of range, and has then changed nothing.
   */
  loadStateDict(state: OptimizerState): void {
    checkHas('loadStateDict', 'the state', state, ['groups', 'tensors', 'step'], 'Pass what stateDict() gave');
    const params = this.groups.flatMap((g) => g.params);
    const sizes = this.groups.map((g) => g.params.length).join(', ');
    const given = state.groups.map((g) => g.count).join(', ');
    const fail = (what: string): never => {
      throw new ArgumentError(`loadStateDict: ${what}. Load it into the optimiser that saved it.`);
    };
    if (sizes !== given) fail(`the state has groups of [${given}] parameters, this optimiser [${sizes}]`);
    const entries = Object.entries(state.tensors).map(([key, value]) => {
      const dot = key.lastIndexOf('.');
      const number = key.slice(dot + 1);
      const index = Number(number);
      const p = /^\d+$/.test(number) ? params[index] : undefined;
      if (dot < 1 || p === undefined) return fail(`${key} belongs to no parameter`);
      if (!sameShape(p.shape, value.shape)) {
        fail(`${key} is ${formatShape(value.shape)}, its parameter ${formatShape(p.shape)}`);
      }
      if (value.dtype !== p.dtype) fail(`${key} is ${value.dtype}, its parameter ${p.dtype}`);
      return { p, value, name: key.slice(0, dot), index };
    });
    const options = state.groups.map(({ count: _count, params: _params, ...rest }) => structuredClone(rest));
    this.groups.forEach((group, i) => {
      const wrong = Object.entries(options[i]).find(([name, value]) => !isAlike(valueOf(group, name), value));
      if (wrong !== undefined) fail(`${wrong[0]} is ${JSON.stringify(wrong[1])}`);
      this.check({ ...group, ...options[i] });
    });
    for (const count of [state.step, ...(state.steps ?? [])])
      if (!Number.isInteger(count) || count < 0) fail(`a number of steps is ${String(count)}`);
    const unit = inUnit(() => {
      this.clearSlots(new Set(Object.keys(state.tensors)));
      for (const { p, value, name, index } of entries) {
        const slot = valueAt(this.slots[index], name, () => filledLike(p, 0));
        if (slot !== value) slot.assign_(value.detach());
      }
    });
    runPending(unit);
    this.groups.forEach((group, i) => Object.assign(group, options[i]));
    this.stepCount = state.step;
    this.steps.forEach((_, i) => (this.steps[i] = state.steps?.[i] ?? state.step));
  }

  /** All state but that under `kept` is as before the first step. Captured steps hold the tensors, so they stay. */
  private clearSlots(kept: ReadonlySet<string>): void {
    this.slots.forEach((slots, i) => {
      for (const [name, slot] of slots) {
        if (kept.has(`${name}.${i}`)) continue;
        const start = this.starts.get(slot);
        if (start === undefined) slots.delete(name); // loaded, and never used
        else slot.assign_(filledLike(slot, start));
      }
    });
  }
}

/** What has to hold of a parameter before it is updated. */
const stepChecks = new WeakMap<Tensor, () => void>();
let hasStepChecks = false;

/** Calls `check` before each update of a parameter by any optimiser, replays apart: it throws where gradients are not ready. */
export function checkBeforeStep(p: Tensor, check: () => void): void {
  hasStepChecks = true;
  stepChecks.set(p, check);
}

/** What parameters were passed as; a module or a single tensor is none. */
export function iterableOf<T>(name: string, params: Iterable<unknown>): Iterable<T> {
  const given: unknown = params;
  if (typeof given === 'function')
    throw new ArgumentError(`${name}: the parameters are a function. Call it: model.parameters().`);
  if (typeof given === 'object' && given !== null) {
    if ('parameters' in given && typeof given.parameters === 'function')
      throw new ArgumentError(`${name}: ${shown(given)} is a module. Pass its parameters: model.parameters().`);
    if ('dtype' in given) throw new ArgumentError(`${name}: ${String(given)} is one tensor. Pass a list: [tensor].`);
    if (isPromise(given)) throw new ArgumentError(`${name}: the parameters are a promise. Await it first.`);
    if (Symbol.iterator in given) return given as Iterable<T>;
  }
  throw new ArgumentError(`${name}: ${shown(given)} is not a list of parameters. Pass model.parameters().`);
}

/** The parameters as a list of tensors. */
export function parametersOf(name: string, params: Iterable<unknown>): Tensor[] {
  const list = [...iterableOf<Tensor>(name, params)];
  for (const p of list) checkTensor(p, name, 'a parameter');
  return list;
}

/** Throws unless it is an optimiser, or has groups as one. */
export function checkOptimizer(name: string, optimizer: { readonly groups: readonly object[] }): void {
  const groups: unknown = optimizer?.groups;
  if (!Array.isArray(groups))
    throw new ArgumentError(`${name}: ${shown(optimizer)} is not an optimiser. Pass the optimiser itself.`);
}

const valueOf = (options: object, name: string): unknown =>
  Object.hasOwn(options, name) ? (options as Record<string, unknown>)[name] : undefined;

/** Whether a value can be that of an option that has the value `known` now; anything can where nothing is known. */
function isAlike(known: unknown, value: unknown): boolean {
  if (known === undefined || known === null) return true;
  if (!Array.isArray(known)) return typeof known === typeof value;
  return Array.isArray(value) && value.length === known.length && value.every((v) => typeof v === 'number');
}

type Switches = readonly (readonly [name: string, value: unknown])[];

/** What of an option is part of the structure: whether a number is 0, everything else whole. */
const switchOf = (value: unknown): unknown => (typeof value === 'number' ? value === 0 : value);

function switches(group: object): Switches {
  return Object.entries(group).flatMap(([name, value]) =>
    name === 'params' ? [] : [[name, Array.isArray(value) ? undefined : switchOf(value)] as const],
  );
}

/** A rate that a scheduler has moved is moved in replays, too. */
function sameOptions(group: object, old: object, recording: Recording): boolean {
  return Object.entries(old).every(
    ([name, value]) =>
      Object.is((group as Record<string, unknown>)[name], value) || (name === 'lr' && recording.isMoved(group)),
  );
}

function sameElements(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function sameSwitches(group: object, options: Switches): boolean {
  for (const [name, before] of options) {
    const value = (group as Record<string, unknown>)[name];
    if (!Array.isArray(value) && switchOf(value) !== before) return false;
  }
  return true;
}

function filledLike(p: Tensor, value: number): Tensor {
  return tensor(new Float64Array(p.size).fill(value), { shape: p.shape, dtype: p.dtype, device: p.device });
}

function valueAt<K, V>(map: Map<K, V>, key: K, create: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = create()));
  return value;
}

/** A number that kernels ask for at each run. */
export function number(get: () => number): Tensor {
  return scalarTensor(get);
}

/** Throws unless low ≤ value (and value < high). */
export function checkRange(value: number, what: string, low: number, high = Infinity): void {
  if (value >= low && value < high) return;
  const range = high === Infinity ? `at least ${low}` : `at least ${low} and below ${high}`;
  throw new ArgumentError(`${what} is ${value}. Use a number of ${range}.`);
}
