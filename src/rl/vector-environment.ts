// Several copies of an environment that take their steps together, so that a network is asked once for all of them. Copies whose
// episode has ended begin another by themselves.

import {
  ArgumentError,
  type OptionNames,
  checkChoice,
  checkFunction,
  checkList,
  checkOptions,
  checkWhole,
} from '../tensor/library.js';
import { type Environment, type Info, RESET_OPTIONS, type ResetOptions, type Step } from './environment.js';
import type { Space } from './spaces.js';
import { checkEnvironment } from './wrappers.js';

export interface VectorOptions {
  /**
   * When a copy begins its next episode. 'next-step' (Gymnasium's default): the step after the last one begins it, takes no account of
   * the action, and has reward 0. 'same-step': the last step gives the first observation of the next episode, and its own last one in
   * `finals`. 'disabled': `reset` has to be called for all.
   */
  readonly autoreset?: 'next-step' | 'same-step' | 'disabled';
}

const VECTOR_OPTIONS: OptionNames<VectorOptions> = { autoreset: true };

export interface VectorReset<O> {
  readonly observations: readonly O[];
  readonly infos: readonly Info[];
}

/** One entry for each copy. */
export interface VectorStep<O> {
  readonly observations: readonly O[];
  readonly rewards: readonly number[];
  readonly terminated: readonly boolean[];
  readonly truncated: readonly boolean[];
  readonly infos: readonly Info[];
  /** With 'same-step', for copies whose episode has ended: the last observation of that. */
  readonly finals: readonly (O | undefined)[];
}

/** Gymnasium: vector.SyncVectorEnv. */
export class VectorEnvironment<O = Float32Array, A = number> {
  readonly environments: readonly Environment<O, A>[];
  private readonly autoreset: 'next-step' | 'same-step' | 'disabled';
  /** Copies whose episode has ended and was not followed by another. */
  private ended: boolean[] = [];

  /** Throws ArgumentError unless `create` makes environments, and `count` is a whole number of at least 1. */
  constructor(create: () => Environment<O, A>, count: number, options: VectorOptions = {}) {
    checkFunction('VectorEnvironment', create);
    checkWhole('VectorEnvironment', 'count', count, 1);
    checkOptions('VectorEnvironment', options, VECTOR_OPTIONS);
    const { autoreset = 'next-step' } = options;
    checkChoice('VectorEnvironment', 'autoreset', autoreset, ['next-step', 'same-step', 'disabled']);
    this.environments = Array.from({ length: count }, create);
    this.environments.forEach((environment) => checkEnvironment('VectorEnvironment', environment));
    if (count > 1 && this.environments[0] === this.environments[1])
      throw new ArgumentError(
        'VectorEnvironment: the function returns the same environment twice. Make one at each call.',
      );
    this.autoreset = autoreset;
  }

  get count(): number {
    return this.environments.length;
  }

  /** Of one copy. */
  get observationSpace(): Space<O> {
    return this.environments[0].observationSpace;
  }

  get actionSpace(): Space<A> {
    return this.environments[0].actionSpace;
  }

  /** Begins an episode in all copies; copy i gets the seed plus i. */
  reset(options: ResetOptions = {}): VectorReset<O> {
    checkOptions('VectorEnvironment.reset', options, RESET_OPTIONS);
    const { seed } = options;
    if (seed !== undefined) checkWhole('VectorEnvironment.reset', 'seed', seed);
    this.ended = this.environments.map(() => false);
    const begun = this.environments.map((environment, i) =>
      environment.reset(seed === undefined ? {} : { seed: seed + i }),
    );
    return { observations: begun.map(({ observation }) => observation), infos: begun.map(({ info }) => info) };
  }

  /** An action for each copy. */
  step(actions: readonly A[]): VectorStep<O> {
    checkList('VectorEnvironment.step', 'actions', actions, 'actions, one for each environment');
    if (actions.length !== this.count)
      throw new ArgumentError(
        `VectorEnvironment.step: ${actions.length} actions for ${this.count} environments. Give one for each.`,
      );
    const finals = new Array<O | undefined>(this.count).fill(undefined);
    const steps = this.environments.map((environment, i): Step<O> => {
      if (this.autoreset === 'next-step' && this.ended[i]) {
        this.ended[i] = false;
        return { ...environment.reset(), reward: 0, terminated: false, truncated: false };
      }
      const step = environment.step(actions[i]);
      const isOver = step.terminated || step.truncated;
      if (isOver && this.autoreset === 'same-step') {
        finals[i] = step.observation;
        return { ...step, observation: environment.reset().observation };
      }
      this.ended[i] = isOver;
      return step;
    });
    return {
      observations: steps.map(({ observation }) => observation),
      rewards: steps.map(({ reward }) => reward),
      terminated: steps.map(({ terminated }) => terminated),
      truncated: steps.map(({ truncated }) => truncated),
      infos: steps.map(({ info }) => info),
      finals,
    };
  }
}
