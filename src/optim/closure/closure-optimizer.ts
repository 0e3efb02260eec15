// Optimisers whose step evaluates the loss several times, by a closure: parameters as one vector in JavaScript's memory, hyper-parameters,
// and state that saves and resumes. A subclass says how a step goes.

import { tensor } from '../../tensor/creation.js';
import { ArgumentError, checkHas, checkOptions, formatShape, isRecording, updateAtOnce } from '../../tensor/library.js';
import { type AnyTensor, type Tensor, realize } from '../../tensor/tensor.js';
import type { StopReason } from '../minimize/search.js';
import type { Numbers } from '../minimize/vectors.js';
import { type Group, type OptimizerState, parametersOf } from '../optimizer.js';

/** What one call of `step` did. */
export interface StepReport {
  /** The loss before the step, and after it. */
  readonly loss: number;
  readonly value: number;
  /** The largest component of the gradient, in size, where the step ended. */
  readonly gradientNorm: number;
  readonly iterations: number;
  /** Of the closure. */
  readonly evaluations: number;
  /** Why the step ended. */
  readonly reason: StopReason;
}

/** Vectors of an optimiser's state, by name. */
export type HostState = Readonly<Record<string, { readonly shape: readonly number[]; readonly data: Numbers }>>;

export abstract class ClosureOptimizer<Options extends object> {
  /** One group: what goes along a line is one vector. Hyper-parameters may be changed between steps. */
  readonly groups: readonly [Group<Options>];
  /** Calls of `step()` so far. */
  stepCount = 0;
  /** State that was loaded, until the next step reads it. */
  private loaded: { readonly tensors: OptimizerState['tensors']; readonly numbers: Promise<Numbers[]> } | undefined;

  constructor(params: Iterable<Tensor>, defaults: Options & object, options: Partial<Options>) {
    const { name } = new.target;
    checkOptions(name, options, defaults);
    const list = parametersOf(name, params);
    if (list.length === 0) throw new ArgumentError(`${name}: no parameters. Pass model.parameters().`);
    const known = new Set<Tensor>();
    for (const p of list) {
      if (!p.isLeaf)
        throw new ArgumentError(
          `${name}: ${String(p)} was computed. Pass parameters, or tensors made with requiresGrad.`,
        );
      if (known.has(p)) throw new ArgumentError(`${name}: ${String(p)} is listed twice. List each parameter once.`);
      known.add(p);
    }
    const group: Group<Options> = { ...defaults, ...options, params: list };
    this.check(group);
    this.groups = [group];
  }

  protected abstract check(options: Options): void;

  /** What a step goes on from. */
  protected abstract hostState(): HostState;

  /** Takes over what `hostState` gave; state that is not there is as before the first step. */
  protected abstract restoreHost(state: HostState): void;

  /** What is wrong with the names and shapes of state tensors; undefined where they are those of this optimiser. */
  protected abstract checkShapes(shapes: Readonly<Record<string, readonly number[]>>): string | undefined;

  protected get group(): Group<Options> {
    return this.groups[0];
  }

  protected get parameters(): readonly Tensor[] {
    return this.group.params;
  }

  protected get size(): number {
    return this.parameters.reduce((sum, p) => sum + p.size, 0);
  }

  /** Vectors of this optimiser: in float32 where all parameters are, so that saved state is what a step would go on from. */
  protected newVector(size: number): Numbers {
    const isWide = this.parameters.some((p) => (p.dtype as string) === 'float64');
    return isWide ? new Float64Array(size) : new Float32Array(size);
  }

  /** Forgets the gradients of all parameters. */
  zeroGrad(): void {
    for (const p of this.parameters) p.grad = undefined;
  }

  /** Before a step: loaded state is read, and hyper-parameters that were changed are checked. */
  protected async begin(): Promise<void> {
    const { name } = this.constructor;
    if (isRecording())
      throw new ArgumentError(
        `${name}: step() inside of compile: it reads the loss to decide how to go on. Compile the closure instead, and call step(closure) outside.`,
      );
    this.check(this.group);
    await this.takeLoaded();
  }

  private async takeLoaded(): Promise<void> {
    const { loaded } = this;
    if (loaded === undefined) return;
    const numbers = await loaded.numbers;
    const entries = Object.entries(loaded.tensors).map(
      ([name, { shape }], i) => [name, { shape, data: numbers[i] }] as const,
    );
    this.restoreHost(Object.fromEntries(entries));
    this.loaded = undefined;
  }

  protected async readParameters(): Promise<Numbers> {
    return await this.read(this.parameters);
  }

  /** The gradients that the parameters have; 0 where there is none. */
  protected async readGradients(loss: AnyTensor): Promise<{ value: number; gradient: Numbers }> {
    const gradients = this.parameters.map((p) => p.grad);
    const there = gradients.filter((g) => g !== undefined);
    if (there.length === 0)
      throw new ArgumentError(
        `${this.constructor.name}: no parameter has a gradient after the closure. Call zeroGrad() and loss.backward() in it, with a loss of these very parameters.`,
      );
    await realize(loss, ...there);
    const value = await loss.item();
    return { value, gradient: await this.read(gradients) };
  }

  private async read(list: readonly (AnyTensor | Tensor | undefined)[]): Promise<Numbers> {
    const vector = this.newVector(this.size);
    let at = 0;
    for (const [i, { size }] of this.parameters.entries()) {
      const t = list[i];
      if (t !== undefined) vector.set((await t.data()) as ArrayLike<number>, at);
      at += size;
    }
    return vector;
  }

  protected async writeParameters(vector: Numbers): Promise<void> {
    await updateAtOnce(() => {
      let from = 0;
      for (const p of this.parameters) {
        const { shape, dtype, device } = p;
        const numbers = vector.slice(from, (from += p.size));
        p.assign_(tensor(numbers, { shape, dtype, device }));
      }
    });
  }

  /** Hyper-parameters, step count and state. The tensors are copies: steps do not change them. */
  stateDict(): OptimizerState {
    const { params, ...options } = this.group;
    const tensors =
      this.loaded?.tensors ??
      Object.fromEntries(
        Object.entries(this.hostState()).map(([name, { shape, data }]) => [
          name,
          tensor(data, { shape, dtype: data instanceof Float64Array ? 'float64' : 'float32' }),
        ]),
      );
    return { step: this.stepCount, groups: [{ ...options, count: params.length }], tensors };
  }

  /** Takes over hyper-parameters, step count and state; throws ArgumentError if they are of another optimiser, and has then changed nothing. */
  loadStateDict(state: OptimizerState): void {
    checkHas('loadStateDict', 'the state', state, ['groups', 'tensors', 'step'], 'Pass what stateDict() gave');
    const fail = (what: string): never => {
      throw new ArgumentError(`loadStateDict: ${what}. Load it into the ${this.constructor.name} that saved it.`);
    };
    const [given = {}, ...others] = state.groups;
    const { count, params: _params, ...options } = given;
    if (others.length > 0) fail(`the state has ${state.groups.length} groups of parameters, this optimiser one`);
    if (count !== this.parameters.length)
      fail(`the state is of ${String(count)} parameters, this optimiser has ${this.parameters.length}`);
    if (!Number.isInteger(state.step) || state.step < 0) fail(`the number of steps is ${String(state.step)}`);
    for (const [name, value] of Object.entries(options)) {
      const own = (this.group as Readonly<Record<string, unknown>>)[name];
      if (!Object.hasOwn(this.group, name) || (own !== null && value !== null && typeof own !== typeof value))
        fail(`${name} is ${JSON.stringify(value)}`);
    }
    this.check({ ...this.group, ...options });
    const { tensors } = state;
    const shapes = Object.fromEntries(Object.entries(tensors).map(([name, t]) => [name, t.shape]));
    const misfit = this.checkShapes(shapes);
    if (misfit !== undefined) fail(`${misfit} (the state has ${describeShapes(shapes)})`);
    Object.assign(this.group, structuredClone(options));
    this.stepCount = state.step;
    const numbers = Promise.all(Object.values(tensors).map(async (t) => this.copyOf(await t.data())));
    numbers.catch(() => {}); // the next step throws it
    this.loaded = { tensors, numbers };
  }

  private copyOf(data: ArrayLike<number>): Numbers {
    return data instanceof Float64Array ? data.slice() : Float32Array.from(data);
  }
}

function describeShapes(shapes: Readonly<Record<string, readonly number[]>>): string {
  const list = Object.entries(shapes).map(([name, shape]) => `${name} ${formatShape(shape)}`);
  return list.length === 0 ? 'none' : list.join(', ');
}
