// One update of PPO and of DQN, and one question to a policy, timed when asked: a line with a case's name in, milliseconds out. Started by
// rl_speed.py, which takes turns with PyTorch. Needs dist/ (npm run build).
import { createInterface } from 'node:readline';
import { manualSeed } from '../../dist/index.js';
import { DQN, PPO, make } from '../../dist/rl/index.js';
import { Trainer } from '../../dist/train/index.js';

manualSeed(0);
const create = () => make('CartPole-v1');

/** Updates of an agent from one batch again and again, as a Trainer makes them: the clock runs between the steps that it tells. */
function updates(agent, name) {
  let kept;
  const source = {
    length: Infinity,
    async *batches() {
      for await (const batch of agent.batches(0)) kept ??= batch;
      for (;;) yield kept;
    },
  };
  return async (ms) => {
    const times = [];
    let last;
    const trainer = new Trainer({
      ...agent.plan(),
      train: source,
      validation: undefined,
      checkpoint: undefined,
      restoreBest: false,
      epochs: 1,
      schedule: undefined,
      callbacks: [
        {
          onStep(running) {
            const now = performance.now();
            if (last !== undefined) times.push(now - last);
            last = now;
            if (times.reduce((sum, t) => sum + t, 0) > ms) running.stop();
          },
        },
      ],
    });
    await trainer.fit();
    return { name, times: times.slice(5) };
  };
}

const small = { steps: 4096, stepsPerEpoch: 1024 };
const actor = new PPO(create);
const seen = Array.from({ length: 8 }, () => create().reset({ seed: 1 }).observation);
const CASES = {
  'PPO update, 256 samples': updates(new PPO(create, small)),
  'DQN update, 64 samples': updates(new DQN(create, small)),
  'acting, 8 observations': async (ms) => {
    const times = [];
    for (const end = performance.now() + ms; performance.now() < end;) {
      const begin = performance.now();
      await actor.asker.ask(seen);
      times.push(performance.now() - begin);
    }
    return { times };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { times } = await CASES[line](500);
  times.sort((a, b) => a - b);
  console.log(times[Math.floor(times.length / 2)]);
}
process.exit(0);
