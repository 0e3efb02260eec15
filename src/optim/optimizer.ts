// The optimiser base: parameter groups, state, and one engine run per step. A subclass says how a parameter moves, in
// tensor operations; everything of one step (all parameters, all state, and the loss that waits to be read) is one
// program. Hyper-parameters are plain numbers on the groups; kernels ask for them at each run, so changing one never
// recompiles.

import { scalarTensor, zeros } from '../tensor/creation.js';
import { noGrad } from '../tensor/grad-mode.js';
import { ArgumentError, eachRun, storedValue } from '../tensor/library.js';
import { type AnyTensor, Tensor, realize } from '../tensor/tensor.js';

/** Parameters that share hyper-parameters. */
export interface ParamGroup<Options> {
  readonly params: readonly Tensor[];
  readonly options?: Partial<Options>;
}

export type Params<Options> = Iterable<Tensor> | readonly (Partial<Options> & { readonly params: Iterable<Tensor> })[];

/** A group in use: its parameters and its hyper-parameters, which may be changed between steps. */
export type Group<Options> = { params: Tensor[] } & Options;

export interface OptimizerState {
  readonly step: number;
  readonly groups: readonly Readonly<Record<string, unknown>>[];
  /** State tensors by `name.parameter number`. */
  readonly tensors: Readonly<Record<string, AnyTensor>>;
}

export abstract class Optimizer<Options extends object> {
  readonly groups: Group<Options>[];
  /** Steps taken so far. */
  stepCount = 0;
  private readonly slots = new Map<string, Tensor[]>();
  private readonly all: Tensor[];

  constructor(params: Params<Options>, defaults: Options, check: (options: Options) => void) {
    const list = [...(params as Iterable<unknown>)];
    const grouped = list.length > 0 && list.every((p) => typeof p === 'object' && p !== null && 'params' in p);
    const entries = grouped
      ? (list as (Partial<Options> & { params: Iterable<Tensor> })[])
      : [{ params: list as Tensor[] } as unknown as Partial<Options> & { params: Iterable<Tensor> }];
    this.groups = entries.map((entry) => ({ ...defaults, ...entry, params: [...entry.params] }));
    this.all = this.groups.flatMap((g) => g.params);
    if (this.all.length === 0)
      throw new ArgumentError(`${this.constructor.name}: no parameters. Pass model.parameters().`);
    if (new Set(this.all).size !== this.all.length)
      throw new ArgumentError(`${this.constructor.name}: a parameter is listed twice.`);
    for (const p of this.all) {
      if (!p.isLeaf)
        throw new ArgumentError(
          `${this.constructor.name}: ${String(p)} was computed, only inputs and parameters can be optimised.`,
        );
    }
    for (const g of this.groups) check(g);
  }

  /** State of the optimiser for every parameter, zero at the start: it exists from the first step, so all steps are one program. */
  protected slot(name: string): Tensor[] {
    let tensors = this.slots.get(name);
    if (tensors === undefined) {
      tensors = this.all.map((p) => new Tensor(storedValue(zeros(p.shape))));
      this.slots.set(name, tensors);
    }
    return tensors;
  }

  /** Forgets the gradients. */
  zeroGrad(): void {
    for (const p of this.all) p.grad = undefined;
  }

  /** Assigns new values to the group's parameters that have a gradient. `at(i)` is the number of the group's i-th parameter among all. */
  protected abstract update(group: Group<Options>, first: number): void;

  /** One update of all parameters that have a gradient. */
  async step(): Promise<void> {
    eachRun(() => {
      this.stepCount++;
    });
    noGrad(() => {
      let first = 0;
      for (const group of this.groups) {
        this.update(group, first);
        first += group.params.length;
      }
    });
    await realize();
  }

  /** A hyper-parameter, or anything computed from them, as a number that kernels ask for at each run. */
  protected number(get: () => number): Tensor {
    return scalarTensor(get) as unknown as Tensor;
  }

  /** Hyper-parameters, the step count and all state tensors. */
  stateDict(): OptimizerState {
    const tensors: Record<string, AnyTensor> = {};
    for (const [name, list] of this.slots) list.forEach((t, i) => (tensors[`${name}.${i}`] = t));
    const groups = this.groups.map(({ params, ...options }) => ({ ...options, count: params.length }));
    return { step: this.stepCount, groups, tensors };
  }

  loadStateDict(state: OptimizerState): void {
    const sizes = this.groups.map((g) => g.params.length).join();
    const given = state.groups.map((g) => g.count).join();
    if (sizes !== given)
      throw new ArgumentError(
        `loadStateDict: the state has groups of [${given}] parameters, this optimiser [${sizes}].`,
      );
    for (const [name, list] of this.slots) {
      list.forEach((t, i) => {
        const value = state.tensors[`${name}.${i}`];
        if (value === undefined) throw new ArgumentError(`loadStateDict: ${name}.${i} is missing.`);
        t.assign_(value);
      });
    }
    this.groups.forEach((g, i) => {
      const { count, ...options } = state.groups[i];
      void count;
      Object.assign(g, options);
    });
    this.stepCount = state.step;
  }
}

/** Throws unless lo ≤ value (and value < hi). */
export function checkRange(value: number, what: string, lo: number, hi = Infinity): void {
  if (!(value >= lo && value < hi))
    throw new ArgumentError(
      `${what} is ${value}. Use a number of at least ${lo}${hi === Infinity ? '' : ` and below ${hi}`}.`,
    );
}
