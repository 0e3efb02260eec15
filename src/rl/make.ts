// The environments by their names in Gymnasium, with the limits of steps that they have there.

import { ArgumentError, type OptionNames, checkOptions, checkWhole } from '../tensor/library.js';
import { Acrobot } from './environments/acrobot.js';
import { CartPole } from './environments/cart-pole.js';
import { CliffWalking, FrozenLake, type FrozenLakeOptions } from './environments/grid-world.js';
import { MountainCar, MountainCarContinuous } from './environments/mountain-car.js';
import { Pendulum } from './environments/pendulum.js';
import type { Environment } from './environment.js';
import { TimeLimit } from './wrappers.js';

export interface MakeOptions {
  /** Steps after which an episode is cut off; Infinity for none. Default: as in Gymnasium. */
  readonly maxSteps?: number;
}

const MAKE_OPTIONS: OptionNames<MakeOptions> = { maxSteps: true };
const LAKE_OPTIONS: OptionNames<FrozenLakeOptions & MakeOptions> = { ...MAKE_OPTIONS, map: true, slippery: true };

/** What `make` makes, by name. */
export interface Environments {
  readonly 'CartPole-v1': Environment<Float32Array, number>;
  readonly 'MountainCar-v0': Environment<Float32Array, number>;
  readonly 'MountainCarContinuous-v0': Environment<Float32Array, Float32Array>;
  readonly 'Acrobot-v1': Environment<Float32Array, number>;
  readonly 'Pendulum-v1': Environment<Float32Array, Float32Array>;
  readonly 'FrozenLake-v1': Environment<number, number>;
  readonly 'FrozenLake8x8-v1': Environment<number, number>;
  readonly 'CliffWalking-v1': Environment<number, number>;
}

export type EnvironmentName = keyof Environments;
/** What can be said about an environment when it is made. */
export type OptionsOf<K extends EnvironmentName> = K extends `FrozenLake${string}`
  ? FrozenLakeOptions & MakeOptions
  : MakeOptions;

type Row<E> = readonly [create: (options: FrozenLakeOptions) => E, maxSteps: number];

const ROWS: { readonly [K in EnvironmentName]: Row<Environments[K]> } = {
  'CartPole-v1': [() => new CartPole(), 500],
  'MountainCar-v0': [() => new MountainCar(), 200],
  'MountainCarContinuous-v0': [() => new MountainCarContinuous(), 999],
  'Acrobot-v1': [() => new Acrobot(), 500],
  'Pendulum-v1': [() => new Pendulum(), 200],
  'FrozenLake-v1': [(options) => new FrozenLake(options), 100],
  'FrozenLake8x8-v1': [(options) => new FrozenLake({ map: '8x8', ...options }), 200],
  'CliffWalking-v1': [() => new CliffWalking(), Infinity],
};

/** The names that `make` knows. */
export const ENVIRONMENT_NAMES = Object.keys(ROWS) as readonly EnvironmentName[];

/**
 * An environment by its name, with its limit of steps. Throws ArgumentError for names that are not in `ENVIRONMENT_NAMES`.
 * Gymnasium: make.
 *
 *     const env = make('FrozenLake-v1', { slippery: false });
 */
export function make<K extends EnvironmentName>(name: K, options?: OptionsOf<K>): Environments[K];
export function make(name: EnvironmentName, options: FrozenLakeOptions & MakeOptions = {}): unknown {
  if (!Object.hasOwn(ROWS, name))
    throw new ArgumentError(`make: there is no environment '${String(name)}'. Use ${ENVIRONMENT_NAMES.join(', ')}.`);
  checkOptions('make', options, name.startsWith('FrozenLake') ? LAKE_OPTIONS : MAKE_OPTIONS);
  const [create, usual] = ROWS[name];
  const { maxSteps = usual, ...own } = options;
  const environment: Environment<never, never> = create(own) as never; // the signature above says of what
  if (maxSteps === Infinity) return environment;
  checkWhole('make', 'maxSteps', maxSteps, 1);
  return new TimeLimit(environment, maxSteps);
}
