// What an environment is: something that is reset and then takes one action after the other. As Gymnasium's Env, with the kinds of
// observations and actions as types, and with a state that can be kept, so that a training that was broken off goes on exactly.
// `EnvironmentBase` does for one's own what all have in common: seeds, checks, the order of calls, pictures.
// Must not know: agents.

import type { ImageBytes } from '../io/png.js';
import { HostRandom, nextHostRandom } from '../tensor/host-random.js';
import {
  ArgumentError,
  type OptionNames,
  checkNumbers,
  checkOptions,
  checkWhole,
  wrongKind,
} from '../tensor/library.js';
import { Canvas, type Window } from './drawing/canvas.js';
import type { Space } from './spaces.js';

/** What else an environment has to tell; not for learning. */
export type Info = Readonly<Record<string, unknown>>;

export interface Reset<O> {
  readonly observation: O;
  readonly info: Info;
}

export interface Step<O> {
  readonly observation: O;
  readonly reward: number;
  /** The episode is over: what was reached is the goal, a failure, an end of the task. Nothing comes after it. */
  readonly terminated: boolean;
  /** The episode was cut off, for example by a limit of steps; it would have gone on. */
  readonly truncated: boolean;
  readonly info: Info;
}

export interface ResetOptions {
  /** Seeds the environment's random numbers; without it they go on, and the first ones follow `manualSeed`. */
  readonly seed?: number;
}

export const RESET_OPTIONS: OptionNames<ResetOptions> = { seed: true };

/** Gymnasium: Env. `O` is the kind of observations, `A` that of actions. */
export interface Environment<O = Float32Array, A = number> {
  readonly observationSpace: Space<O>;
  readonly actionSpace: Space<A>;
  /** Begins an episode. */
  reset(options?: ResetOptions): Reset<O>;
  /** Takes an action. Throws ArgumentError for one that is not in the space, before `reset`, and after the end of an episode. */
  step(action: A): Step<O>;
  /** A picture of how things are: RGB, for `encodePng` and `encodeApng`. */
  render(): ImageBytes;
  /** The same as lines of text. */
  renderText(): string;
  /** All that the next steps depend on, random numbers included; undefined where an environment cannot say. */
  state(): readonly number[] | undefined;
  /** Goes on from what `state` gave; the observation there. */
  restore(state: readonly number[]): O;
}

/** What an action leads to, besides what is seen then. */
export interface Outcome {
  readonly reward: number;
  readonly terminated: boolean;
  readonly truncated?: boolean;
  readonly info?: Info;
}

const PHASES = ['new', 'running', 'ended'] as const;

/**
 * An environment of one's own: spaces, how an episode begins, and what an action does.
 *
 *     class Corridor extends EnvironmentBase<number, number> {
 *       readonly observationSpace = new Discrete(5);
 *       readonly actionSpace = new Discrete(2);
 *       override values = [0];
 *       protected begin() {
 *         this.values = [2];
 *       }
 *       protected observe() {
 *         return this.values[0];
 *       }
 *       protected advance(action: number) {
 *         this.values = [this.values[0] + (action === 1 ? 1 : -1)];
 *         const isThere = this.values[0] === 4;
 *         return { reward: isThere ? 1 : 0, terminated: isThere || this.values[0] === 0 };
 *       }
 *     }
 */
export abstract class EnvironmentBase<O = Float32Array, A = number> implements Environment<O, A> {
  abstract readonly observationSpace: Space<O>;
  abstract readonly actionSpace: Space<A>;
  /**
   * What the dynamics go on from, as numbers; assign to put the environment somewhere. With it the state can be kept; leave it
   * undefined where numbers do not say it.
   */
  values: readonly number[] | undefined = undefined;
  /** The environment's random numbers, seeded by `reset`. */
  protected random = new HostRandom(0);
  private isSeeded = false;
  private phase: (typeof PHASES)[number] = 'new';

  /** Puts the environment at the beginning of an episode. */
  protected abstract begin(): void;
  /** What is seen now. */
  protected abstract observe(): O;
  /** What an action of the space does. */
  protected abstract advance(action: A): Outcome;
  /** Draws how things are; nothing by default. */
  protected draw(_canvas: Canvas): void {}
  /** The part of the world that pictures show, and their size in pixels. */
  protected window(): Window {
    return { left: 0, right: 1, bottom: 0, top: 1, width: 200, height: 200 };
  }

  reset(options: ResetOptions = {}): Reset<O> {
    const op = `${this.name}.reset`;
    checkOptions(op, options, RESET_OPTIONS);
    const { seed } = options;
    if (seed !== undefined) checkWhole(op, 'seed', seed);
    if (seed !== undefined || !this.isSeeded)
      this.random = seed === undefined ? nextHostRandom() : new HostRandom(seed);
    this.isSeeded = true;
    this.phase = 'running';
    this.begin();
    return { observation: this.observe(), info: {} };
  }

  step(action: A): Step<O> {
    if (this.phase !== 'running') {
      const what =
        this.phase === 'new'
          ? 'step() before reset(). Call reset() first'
          : 'the episode has ended. Call reset() to begin another';
      throw new ArgumentError(`${this.name}: ${what}.`);
    }
    if (!this.actionSpace.contains(action))
      throw wrongKind(`${this.name}.step`, 'the action', action, `Use one of ${this.actionSpace.toString()}`);
    const { reward, terminated, truncated = false, info = {} } = this.advance(action);
    if (terminated || truncated) this.phase = 'ended';
    return { observation: this.observe(), reward, terminated, truncated, info };
  }

  render(): ImageBytes {
    const canvas = new Canvas(this.window());
    this.draw(canvas);
    return canvas.image();
  }

  renderText(): string {
    const { width, height, ...world } = this.window();
    const canvas = Canvas.forText(world, width / height);
    this.draw(canvas);
    return canvas.text();
  }

  state(): readonly number[] | undefined {
    if (this.values === undefined) return undefined;
    const random = this.random.state();
    return [PHASES.indexOf(this.phase), random.length, ...random, ...this.values];
  }

  restore(state: readonly number[]): O {
    const op = `${this.name}.restore`;
    checkNumbers(op, 'the state', state);
    const [phase, length] = state;
    if (PHASES[phase] === undefined || this.values === undefined || state.length !== 2 + length + this.values.length)
      throw new ArgumentError(`${op}: this is not a state of this environment. Give what state() gave.`);
    this.phase = PHASES[phase];
    this.random = new HostRandom(0);
    this.random.restore(state.slice(2, 2 + length));
    this.isSeeded = true;
    this.values = state.slice(2 + length);
    return this.observe();
  }

  /** For messages. */
  protected get name(): string {
    return this.constructor.name;
  }
}
