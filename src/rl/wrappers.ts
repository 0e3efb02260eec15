// Wrappers: an environment around another one that changes something about it.

import type { ImageBytes } from '../io/png.js';
import { ArgumentError, checkHas, checkNumbers, checkWhole } from '../tensor/library.js';
import type { Environment, Reset, ResetOptions, Step } from './environment.js';
import type { Space } from './spaces.js';

/** Throws ArgumentError unless `value` is an environment. */
export function checkEnvironment(op: string, value: unknown): void {
  const wanted = "Pass an environment: make('CartPole-v1'), or an object of a class that extends EnvironmentBase";
  checkHas(op, 'the environment', value, ['reset', 'step', 'observationSpace', 'actionSpace'], wanted);
}

/** Passes everything on; a class that extends it changes what it wants to. Gymnasium: Wrapper. */
export class Wrapper<O = Float32Array, A = number> implements Environment<O, A> {
  readonly environment: Environment<O, A>;

  constructor(environment: Environment<O, A>) {
    checkEnvironment(new.target.name, environment);
    this.environment = environment;
  }

  get observationSpace(): Space<O> {
    return this.environment.observationSpace;
  }

  get actionSpace(): Space<A> {
    return this.environment.actionSpace;
  }

  reset(options: ResetOptions = {}): Reset<O> {
    return this.environment.reset(options);
  }

  step(action: A): Step<O> {
    return this.environment.step(action);
  }

  render(): ImageBytes {
    return this.environment.render();
  }

  renderText(): string {
    return this.environment.renderText();
  }

  state(): readonly number[] | undefined {
    return this.environment.state();
  }

  restore(state: readonly number[]): O {
    return this.environment.restore(state);
  }
}

/** Cuts episodes off after `maxSteps` steps: `truncated` is then true. Gymnasium: TimeLimit. */
export class TimeLimit<O = Float32Array, A = number> extends Wrapper<O, A> {
  readonly maxSteps: number;
  private steps = 0;

  /** Throws ArgumentError unless `maxSteps` is a whole number of at least 1. */
  constructor(environment: Environment<O, A>, maxSteps: number) {
    super(environment);
    checkWhole('TimeLimit', 'maxSteps', maxSteps, 1);
    this.maxSteps = maxSteps;
  }

  override reset(options: ResetOptions = {}): Reset<O> {
    const begun = this.environment.reset(options);
    this.steps = 0;
    return begun;
  }

  override step(action: A): Step<O> {
    if (this.steps >= this.maxSteps)
      throw new ArgumentError('TimeLimit: the episode has ended. Call reset() to begin another.');
    const step = this.environment.step(action);
    this.steps++;
    return this.steps >= this.maxSteps ? { ...step, truncated: true } : step;
  }

  override state(): readonly number[] | undefined {
    const inner = this.environment.state();
    return inner && [this.steps, ...inner];
  }

  override restore(state: readonly number[]): O {
    checkNumbers('TimeLimit.restore', 'the state', state);
    const [steps, ...inner] = state;
    const observation = this.environment.restore(inner);
    this.steps = steps;
    return observation;
  }
}
