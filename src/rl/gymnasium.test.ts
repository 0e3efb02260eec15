// The environments walk as Gymnasium's do: 1,000 random steps of each, from the same states, with what was drawn there. The walks were
// recorded by tools/parity/gym.py.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Acrobot } from './environments/acrobot.js';
import { CartPole } from './environments/cart-pole.js';
import { CliffWalking, FrozenLake } from './environments/grid-world.js';
import { MountainCar, MountainCarContinuous } from './environments/mountain-car.js';
import { Pendulum } from './environments/pendulum.js';
import type { EnvironmentBase } from './environment.js';
import { TimeLimit } from './wrappers.js';

interface Walk {
  readonly name: string;
  readonly options: { readonly slippery?: boolean };
  /** The number of the step before which an episode begins, and its first state. */
  readonly resets: readonly (readonly number[])[];
  readonly actions: readonly (number | readonly number[])[];
  readonly draws: readonly number[];
  readonly observations: readonly (readonly number[])[];
  /** One number where it is always the same. */
  readonly rewards: number | readonly number[];
  /** The numbers of steps that end an episode: 1 terminated, 2 truncated, 3 both. */
  readonly ends: readonly (readonly [number, number])[];
}

const file = new URL('../../test/fixtures/rl/gymnasium.json', import.meta.url);
const { walks } = JSON.parse(readFileSync(file, 'utf8')) as { readonly walks: readonly Walk[] };

type AnyEnvironment = EnvironmentBase<Float32Array | number, Float32Array | number>;
const CREATE: Readonly<Record<string, readonly [create: (options: Walk['options']) => unknown, maxSteps: number]>> = {
  'CartPole-v1': [() => new CartPole(), 500],
  'MountainCar-v0': [() => new MountainCar(), 200],
  'MountainCarContinuous-v0': [() => new MountainCarContinuous(), 999],
  'Acrobot-v1': [() => new Acrobot(), 500],
  'Pendulum-v1': [() => new Pendulum(), 200],
  'FrozenLake-v1': [(options) => new FrozenLake(options), 100],
  'FrozenLake8x8-v1': [(options) => new FrozenLake({ map: '8x8', ...options }), 200],
  'CliffWalking-v1': [() => new CliffWalking(), 1e9],
};

describe.each(walks)('$name $options', (walk) => {
  const [create, maxSteps] = CREATE[walk.name];

  test('1,000 steps', () => {
    const environment = create(walk.options) as AnyEnvironment;
    const limited = new TimeLimit(environment, maxSteps);
    const resets = new Map(walk.resets.map(([step, ...state]) => [step, state]));
    const ends = new Map(walk.ends);
    let worst = 0;
    for (let i = 0; i < walk.actions.length; i++) {
      const state = resets.get(i);
      if (state !== undefined) {
        limited.reset({ seed: i });
        environment.values = state;
      }
      const given = walk.actions[i];
      const action = typeof given === 'number' ? given : Float32Array.from(given);
      environment['random'].uniform = () => walk.draws[i] ?? 0.5;
      const { observation, reward, terminated, truncated } = limited.step(action);
      const seen = typeof observation === 'number' ? [observation] : [...observation];
      seen.forEach((value, j) => (worst = Math.max(worst, Math.abs(value - walk.observations[i][j]))));
      expect(seen.length).toBe(walk.observations[i].length);
      expect(reward).toBeCloseTo(typeof walk.rewards === 'number' ? walk.rewards : walk.rewards[i], 6);
      expect([i, Number(terminated) + 2 * Number(truncated)]).toEqual([i, ends.get(i) ?? 0]);
    }
    expect(worst).toBeLessThan(1e-6);
  });
});
