// What agents with a table of values have in common: Q, one number for each state and action, learned while acting.
// Must not know: how a step changes the table.

import { HostRandom } from '../../tensor/host-random.js';
import {
  ArgumentError,
  type OptionNames,
  checkFunction,
  checkNumber,
  checkOptions,
  checkWhole,
} from '../../tensor/library.js';
import { argmaxOf } from '../agents/policy.js';
import type { Environment } from '../environment.js';
import { Discrete } from '../spaces.js';
import { checkEnvironment } from '../wrappers.js';

/** A number, or one for each moment of a training: `progress` goes from 0 to 1. */
export type Scheduled = number | ((progress: number) => number);

/** From one number to another in a straight line, reached after `share` of the training (all of it by default). */
export function linearSchedule(from: number, to: number, share = 1): (progress: number) => number {
  checkNumber('linearSchedule', 'from', from);
  checkNumber('linearSchedule', 'to', to);
  checkNumber('linearSchedule', 'share', share);
  if (!(share > 0 && share <= 1))
    throw new ArgumentError(`linearSchedule: share is ${share}. Use a number above 0, at most 1.`);
  return (progress) => from + (to - from) * Math.min(1, progress / share);
}

export interface TableAgentOptions {
  /** How far a value moves to what was seen. Default 0.1. */
  readonly lr?: Scheduled;
  /** What a reward is worth a step later. Default 0.99. */
  readonly gamma?: number;
  /** Share of random actions. Default: from 1 to 0.05 in the first half of a training. */
  readonly epsilon?: Scheduled;
  /** Values at the beginning; high ones make the agent try everything. Default 0. */
  readonly initial?: number;
  /** Default 0. */
  readonly seed?: number;
}

const TABLE_AGENT_OPTIONS: OptionNames<TableAgentOptions> = {
  lr: true,
  gamma: true,
  epsilon: true,
  initial: true,
  seed: true,
};

export interface TableLearnOptions {
  readonly episodes: number;
  /** Steps after which an episode is left, for environments without a limit. Default 10,000. */
  readonly maxSteps?: number;
  /** Called after each episode, with its number (from 1) and its return. */
  readonly onEpisode?: (episode: number, reward: number) => void;
}

const LEARN_OPTIONS: OptionNames<TableLearnOptions> = { episodes: true, maxSteps: true, onEpisode: true };

const isSchedule = (value: unknown): value is (progress: number) => number => typeof value === 'function';

export abstract class TableAgent {
  readonly environment: Environment<number, number>;
  readonly states: number;
  readonly actions: number;
  /** Values by state and action, row by row. */
  readonly q: Float64Array;
  protected readonly gamma: number;
  protected readonly random: HostRandom;
  private readonly lr: Scheduled;
  private readonly epsilon: Scheduled;
  private readonly seed: number;
  private isBegun = false;

  /** Throws ArgumentError for environments whose observations and actions are not numbers from 0 on. */
  constructor(environment: Environment<number, number>, options: TableAgentOptions = {}) {
    const { name } = new.target;
    checkEnvironment(name, environment);
    checkOptions(name, options, TABLE_AGENT_OPTIONS);
    const { lr = 0.1, gamma = 0.99, epsilon = linearSchedule(1, 0.05, 0.5), initial = 0, seed = 0 } = options;
    for (const [what, value] of Object.entries({ lr, epsilon })) if (!isSchedule(value)) checkNumber(name, what, value);
    checkNumber(name, 'gamma', gamma);
    checkNumber(name, 'initial', initial);
    checkWhole(name, 'seed', seed);
    this.environment = environment;
    this.states = countOf(name, 'observations', environment.observationSpace);
    this.actions = countOf(name, 'actions', environment.actionSpace);
    this.q = new Float64Array(this.states * this.actions).fill(initial);
    this.lr = lr;
    this.gamma = gamma;
    this.epsilon = epsilon;
    this.seed = seed;
    this.random = new HostRandom(seed, 2);
  }

  /** What a step changes; `next` is the action that will be taken then. */
  protected abstract target(reward: number, state: number, next: number, epsilon: number): number;

  /** The best action by the table; the first of several. */
  act(state: number): number {
    this.checkState('act', state);
    return argmaxOf(this.q, state * this.actions, this.actions);
  }

  /** The largest value of a state. */
  value(state: number): number {
    this.checkState('value', state);
    return this.q[state * this.actions + this.act(state)];
  }

  /** The best action of each state. */
  policy(): number[] {
    return Array.from({ length: this.states }, (_, state) => this.act(state));
  }

  /** Plays episodes and learns from each step; gives their returns. */
  learn(options: TableLearnOptions): number[] {
    const op = `${this.constructor.name}.learn`;
    checkOptions(op, options, LEARN_OPTIONS);
    const { episodes, maxSteps = 10_000, onEpisode } = options ?? {};
    checkWhole(op, 'episodes', episodes, 1);
    checkWhole(op, 'maxSteps', maxSteps, 1);
    if (onEpisode !== undefined) checkFunction(op, onEpisode, 'onEpisode');
    const returns: number[] = [];
    for (let episode = 0; episode < episodes; episode++) {
      const progress = episode / episodes;
      const total = this.playAndLearn(at(this.lr, progress), at(this.epsilon, progress), maxSteps);
      returns.push(total);
      onEpisode?.(episode + 1, total);
    }
    return returns;
  }

  private playAndLearn(lr: number, epsilon: number, maxSteps: number): number {
    const { environment, q, actions } = this;
    let { observation: state } = environment.reset(this.isBegun ? {} : { seed: this.seed });
    this.isBegun = true;
    let action = this.choose(state, epsilon);
    let total = 0;
    for (let i = 0; i < maxSteps; i++) {
      const { observation, reward, terminated, truncated } = environment.step(action);
      total += reward;
      const next = this.choose(observation, epsilon);
      const wanted = terminated ? reward : this.target(reward, observation, next, epsilon);
      const place = state * actions + action;
      q[place] += lr * (wanted - q[place]);
      if (terminated || truncated) break;
      [state, action] = [observation, next];
    }
    return total;
  }

  /** At random for a share of `epsilon`, else one of the best. */
  private choose(state: number, epsilon: number): number {
    const { random, actions, q } = this;
    if (random.uniform() < epsilon) return random.below(actions);
    const start = state * actions;
    const most = q[start + argmaxOf(q, start, actions)];
    const best = Array.from({ length: actions }, (_, i) => i).filter((i) => q[start + i] === most);
    return best[random.below(best.length)];
  }

  private checkState(what: string, state: number): void {
    if (Number.isInteger(state) && state >= 0 && state < this.states) return;
    throw new ArgumentError(
      `${this.constructor.name}.${what}: state is ${String(state)}. Use a whole number from 0 to ${this.states - 1}.`,
    );
  }
}

const at = (value: Scheduled, progress: number): number => (isSchedule(value) ? value(progress) : value);

function countOf(op: string, what: string, space: unknown): number {
  if (space instanceof Discrete && space.start === 0) return space.n;
  throw new ArgumentError(
    `${op}: ${what} are of ${String(space)}. A table needs a Discrete from 0 on: use an agent with a network.`,
  );
}
