// Spaces, the order of calls, limits, copies side by side, states that are kept, pictures, environments of one's own.
import { describe, expect, test } from 'vitest';
import { ArgumentError, manualSeed } from '../index.js';
import { HostRandom } from '../tensor/host-random.js';
import {
  Box,
  CartPole,
  CliffWalking,
  Discrete,
  ENVIRONMENT_NAMES,
  EnvironmentBase,
  FrozenLake,
  GridWorld,
  MultiDiscrete,
  TableEnvironment,
  TimeLimit,
  VectorEnvironment,
  make,
  playEpisode,
} from './index.js';

/** Five places in a row; the right end is worth 1, the left end nothing. */
class Corridor extends EnvironmentBase<number, number> {
  readonly observationSpace = new Discrete(5);
  readonly actionSpace = new Discrete(2);
  override values: readonly number[] = [2];

  protected begin(): void {
    this.values = [2];
  }

  protected observe(): number {
    return this.values[0];
  }

  protected advance(action: number) {
    this.values = [this.values[0] + (action === 1 ? 1 : -1)];
    const isThere = this.values[0] === 4;
    return { reward: isThere ? 1 : 0, terminated: isThere || this.values[0] === 0 };
  }
}

describe('spaces', () => {
  const random = new HostRandom(3);

  test('samples are of the space, and other values are not', () => {
    const spaces = [
      new Discrete(3, -1),
      new Box(-1, [1, 2]),
      new Box(-Infinity, Infinity, [2, 2]),
      new Box([0, -Infinity], [Infinity, 0]),
      new MultiDiscrete([2, 5]),
    ];
    for (const space of spaces)
      for (let i = 0; i < 200; i++)
        expect([String(space), space.contains(space.sample(random))]).toEqual([String(space), true]);
    expect([-2, 2, 0.5, '0', undefined].map((v) => spaces[0].contains(v))).toEqual([false, false, false, false, false]);
    expect([[0], [0, 3], [NaN, 0], 'ab', 0].map((v) => spaces[1].contains(v))).toEqual(new Array(5).fill(false));
    expect(spaces.map(String)).toEqual([
      'Discrete(3, -1)',
      'Box(-1, [1, 2], [2])',
      'Box(-Infinity, Infinity, [2, 2])',
      'Box([0, -Infinity], [Infinity, 0], [2])',
      'MultiDiscrete([2, 5])',
    ]);
    expect([...new Box(-1, 1, [3]).clip([-5, 0.5, 7])]).toEqual([-1, 0.5, 1]);
  });

  test('wrong ones are named', () => {
    expect(() => new Discrete(0)).toThrow('Discrete: n is 0. Use a whole number of at least 1.');
    expect(() => new Box(1, 0, [2])).toThrow('Box: low is 1 and high 0 at 0');
    expect(() => new Box([0, 0], [1])).toThrow('Box: high has 1 numbers, the shape [2] 2');
    expect(() => new Box('a' as never, 1)).toThrow(/Box: low is 'a'\. Use a number or a list/);
    expect(() => new MultiDiscrete([2, 0])).toThrow('MultiDiscrete: count 1 is 0');
    expect(() => new Discrete(2).sample(undefined as never)).toThrow(/Discrete\.sample: the generator is missing/);
  });
});

describe('episodes', () => {
  test('calls out of order, and actions that are none', () => {
    const env = new CartPole();
    expect(() => env.step(0)).toThrow('CartPole: step() before reset(). Call reset() first.');
    env.reset({ seed: 0 });
    expect(() => env.step(2)).toThrow('CartPole.step: the action is 2. Use one of Discrete(2).');
    expect(() => env.step(0.5)).toThrow(ArgumentError);
    expect(() => env.reset({ sed: 1 } as never)).toThrow(
      "CartPole.reset: there is no option 'sed'. Did you mean seed?",
    );
    expect(() => env.reset({ seed: -1 })).toThrow('CartPole.reset: seed is -1');
    while (!env.step(0).terminated);
    expect(() => env.step(0)).toThrow('CartPole: the episode has ended. Call reset() to begin another.');
  });

  test('seeds', () => {
    const first = (seed?: number) => [...make('CartPole-v1').reset(seed === undefined ? {} : { seed }).observation];
    expect(first(4)).toEqual(first(4));
    expect(first(4)).not.toEqual(first(5));
    manualSeed(1);
    const drawn = [first(), first()];
    expect(drawn[0]).not.toEqual(drawn[1]);
    manualSeed(1);
    expect([first(), first()]).toEqual(drawn);
  });

  test('a limit cuts off, and says so', () => {
    const env = new TimeLimit(new CliffWalking(), 3);
    env.reset();
    const ends = [0, 0, 0]
      .map((action) => env.step(action))
      .map(({ terminated, truncated }) => [terminated, truncated]);
    expect(ends).toEqual([
      [false, false],
      [false, false],
      [false, true],
    ]);
    expect(() => env.step(0)).toThrow('TimeLimit: the episode has ended');
    env.reset();
    expect(env.step(0).truncated).toBe(false);
    expect(() => new TimeLimit(new CartPole(), 0)).toThrow('TimeLimit: maxSteps is 0');
    expect(() => new TimeLimit({} as never, 3)).toThrow(/TimeLimit: the environment is a plain object/);
  });

  test.each(ENVIRONMENT_NAMES)('%s goes on from its state', (name) => {
    const [a, b] = [make<typeof name>(name), make<typeof name>(name)];
    const random = new HostRandom(1);
    let seen: unknown = a.reset({ seed: 2 }).observation;
    const act = (env: typeof a, action: unknown) => env.step(action as never);
    for (let i = 0; i < 20; i++) {
      const step = act(a, a.actionSpace.sample(random));
      seen = step.terminated || step.truncated ? a.reset().observation : step.observation;
    }
    expect(b.restore(a.state() ?? [])).toEqual(seen);
    for (let i = 0; i < 30; i++) {
      const action = a.actionSpace.sample(random);
      const [x, y] = [act(a, action), act(b, action)];
      expect(x).toEqual(y);
      if (x.terminated || x.truncated) expect(a.reset()).toEqual(b.reset());
    }
    expect(() => b.restore([1, 2])).toThrow(/restore: this is not a state/);
  });
});

describe('copies side by side', () => {
  const step = (env: VectorEnvironment<number, number>, action: number) => {
    const { observations, rewards, terminated, finals } = env.step([action]);
    return [observations[0], rewards[0], terminated[0], finals[0]];
  };

  test('the next step begins an episode, as in Gymnasium', () => {
    const env = new VectorEnvironment(() => new Corridor(), 1);
    env.reset();
    expect([1, 1, 1, 1].map((a) => step(env, a))).toEqual([
      [3, 0, false, undefined],
      [4, 1, true, undefined],
      [2, 0, false, undefined],
      [3, 0, false, undefined],
    ]);
  });

  test('the same step begins one, and keeps the last observation', () => {
    const env = new VectorEnvironment(() => new Corridor(), 1, { autoreset: 'same-step' });
    env.reset();
    expect([1, 1, 1].map((a) => step(env, a))).toEqual([
      [3, 0, false, undefined],
      [2, 1, true, 4],
      [3, 0, false, undefined],
    ]);
  });

  test('none begins by itself', () => {
    const env = new VectorEnvironment(() => new Corridor(), 1, { autoreset: 'disabled' });
    env.reset();
    env.step([0]);
    env.step([0]);
    expect(() => env.step([0])).toThrow('Corridor: the episode has ended');
  });

  test('each copy has a seed of its own, and the same as alone', () => {
    const env = new VectorEnvironment(() => make('CartPole-v1'), 3);
    const alone = [7, 8, 9].map((seed) => make('CartPole-v1').reset({ seed }).observation);
    expect(env.reset({ seed: 7 }).observations).toEqual(alone);
    expect(() => env.step([0, 1])).toThrow('VectorEnvironment.step: 2 actions for 3 environments');
  });

  test('wrong ones are named', () => {
    const one = new Corridor();
    expect(() => new VectorEnvironment(() => one, 2)).toThrow(/returns the same environment twice/);
    expect(() => new VectorEnvironment(one as never, 2)).toThrow(/Corridor is not a function/);
    expect(() => new VectorEnvironment(() => one, 1, { autoreset: 'never' as never })).toThrow(/autoreset is 'never'/);
    expect(() => new VectorEnvironment(() => 3 as never, 1)).toThrow(/VectorEnvironment: the environment is 3/);
  });
});

describe('tables and maps', () => {
  test('tiles: walls, rewards, ways back', () => {
    const env = new GridWorld({ map: ['S#G', '.B.'], tiles: { B: { returns: true, reward: -5 } }, stepReward: -1 });
    env.reset();
    const walk = (...actions: number[]) =>
      actions.map((a) => env.step(a)).map(({ observation, reward }) => [observation, reward]);
    // right into the wall, down, right to B and back to the start
    expect(walk(2, 1, 2)).toEqual([
      [0, -1],
      [3, -1],
      [0, -5],
    ]);
    expect(env.renderText()).toBe('[S] #  G \n .  B  . ');
    expect(env.arrows([0, 0, 0, 2, 3, 1])).toBe('← # G\n→ ↑ ↓');
    expect(() => new GridWorld({ map: ['..'] })).toThrow('GridWorld: the map has no S');
    expect(() => new GridWorld({ map: ['S.', '.'] })).toThrow('of the same length');
    expect(() => new GridWorld({ map: ['S'], moves: ['north' as never] })).toThrow("GridWorld: 'north' is no move");
    expect(() => new GridWorld({ map: ['S'], success: 2 })).toThrow('GridWorld: success is 2');
    expect(() => new FrozenLake({ map: '5x5' as never })).toThrow("FrozenLake: there is no map '5x5'");
    expect(() => make('CartPole-v1', { slippery: true } as never)).toThrow("make: there is no option 'slippery'");
    expect(() => make('Pong' as never)).toThrow("make: there is no environment 'Pong'. Use CartPole-v1, ");
  });

  test('probabilities have to add up, and states have to be there', () => {
    const one = (probability: number, next: number) => () => [{ probability, next, reward: 0, terminated: false }];
    expect(() => new TableEnvironment({ states: 2, actions: 1, start: [0], transitions: one(0.5, 0) })).toThrow(
      'after action 0 in state 0 the probabilities add up to 0.5',
    );
    expect(() => new TableEnvironment({ states: 2, actions: 1, start: [0], transitions: one(1, 2) })).toThrow(
      'the state is 2',
    );
    expect(() => new TableEnvironment({ states: 2, actions: 1, start: [], transitions: one(1, 0) })).toThrow(
      'start is empty',
    );
  });
});

describe('pictures', () => {
  test.each(ENVIRONMENT_NAMES)('%s', (name) => {
    const env = make<typeof name>(name);
    env.reset({ seed: 0 });
    const { data, shape } = env.render();
    expect(data.length).toBe(shape[0] * shape[1] * shape[2]);
    expect(shape[0]).toBe(3);
    const painted = data.filter((v) => v < 250).length / data.length;
    expect(painted).toBeGreaterThan(0.01);
    const lines = env.renderText().split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(60);
    expect(env.renderText().trim()).not.toBe('');
  });

  test('an episode as pictures and as texts', async () => {
    const right = () => 1;
    const { texts, ...rest } = await playEpisode(new FrozenLake({ slippery: false }), () => 2, {
      record: 'texts',
      maxSteps: 4,
    });
    expect(rest).toEqual({ return: 0, steps: 4, end: 'left', pictures: [] });
    expect(texts).toHaveLength(5);
    expect(texts[3]).toMatch(/^ S {2}F {2}F \[F\]/);
    const played = await playEpisode(new Corridor(), right, { record: 'pictures', every: 5 });
    expect(played).toMatchObject({ return: 1, steps: 2, end: 'terminated', pictures: { length: 2 } });
    await expect(playEpisode(new Corridor(), right, { record: 'film' as never })).rejects.toThrow(/record is 'film'/);
    await expect(playEpisode(new Corridor(), 3 as never)).rejects.toThrow('playEpisode: 3 is not a function');
  });
});
