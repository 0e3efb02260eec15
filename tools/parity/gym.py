# Random walks through Gymnasium's environments, for src/rl/gymnasium.test.ts: the state after each reset, the actions, what the environment
# drew, and what it answered. Writes test/fixtures/rl/gymnasium.json.
#   python tools/parity/gym.py
import json
import pathlib

import gymnasium
import numpy as np

STEPS = 1000
NAMES = [
    ("CartPole-v1", {}),
    ("MountainCar-v0", {}),
    ("MountainCarContinuous-v0", {}),
    ("Acrobot-v1", {}),
    ("Pendulum-v1", {}),
    ("FrozenLake-v1", {"is_slippery": True}),
    ("FrozenLake-v1", {"is_slippery": False}),
    ("FrozenLake8x8-v1", {"is_slippery": True}),
    ("CliffWalking-v1", {}),
]


class Recorded:
    """The generator of an environment, with what random() gave."""

    def __init__(self, generator):
        self.generator = generator
        self.drawn = []

    def random(self, *args):
        value = self.generator.random(*args)
        self.drawn.append(value)
        return value

    def __getattr__(self, name):
        return getattr(self.generator, name)


def rounded(value):
    # what decides between 1e-6 and more, and no digit beyond it
    return int(value) if float(value).is_integer() else round(float(value), 7)


def state_of(env):
    inner = env.unwrapped
    return [float(v) for v in np.atleast_1d(inner.state if hasattr(inner, "state") else inner.s)]


def walk(name, options):
    env = gymnasium.make(name, **options)
    random = np.random.default_rng(7)
    env.reset(seed=5)
    recorded = Recorded(env.unwrapped.np_random)
    env.unwrapped.np_random = recorded
    is_slippery = options.get("is_slippery", False)
    resets, actions, observations, rewards, ends, draws = [], [], [], [], [], []
    env.reset()
    resets.append([0, *state_of(env)])
    for i in range(STEPS):
        space = env.action_space
        if isinstance(space, gymnasium.spaces.Discrete):
            action = int(random.integers(space.n))
            actions.append(action)
        else:
            action = random.uniform(space.low, space.high).round(4).astype(np.float32)
            actions.append([float(str(v)) for v in action])
        recorded.drawn.clear()
        observation, reward, terminated, truncated, _ = env.step(action)
        if is_slippery:
            draws.append(round(recorded.drawn[0], 6))
        observations.append([rounded(v) for v in np.atleast_1d(observation)])
        rewards.append(round(float(reward), 7))
        ends.append(int(terminated) + 2 * int(truncated))
        if terminated or truncated:
            env.reset()
            resets.append([i + 1, *state_of(env)])
    constant = rewards[0] if len(set(rewards)) == 1 else None
    return {
        "name": name,
        "options": {"slippery": options["is_slippery"]} if options else {},
        "resets": resets,
        "actions": actions,
        "draws": draws,
        "observations": observations,
        "rewards": rewards if constant is None else constant,
        "ends": [[i, end] for i, end in enumerate(ends) if end],
    }


walks = [walk(name, options) for name, options in NAMES]
path = pathlib.Path(__file__).parents[2] / "test/fixtures/rl/gymnasium.json"
path.parent.mkdir(parents=True, exist_ok=True)
path.write_text(json.dumps({"gymnasium": gymnasium.__version__, "walks": walks}, separators=(",", ":")) + "\n")
print(path, path.stat().st_size)
