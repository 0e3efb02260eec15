// `nabla train cartpole-ppo`: a pole is kept upright on a cart, by proximal policy optimisation. An epoch is 5,120 steps, its
// validation 20 episodes played without exploring; the weights of the best epoch are tested on 100 other episodes.

import { PPO, make } from '../../rl/index.js';
import { defineRun } from '../../train/index.js';
import { reportEpisode } from './episode-report.js';

const create = () => make('CartPole-v1');

export default defineRun({
  name: 'cartpole-ppo',
  title: 'Learning to balance a pole on a cart (CartPole-v1, PPO)',
  settings: {
    epochs: 20,
    lr: 0.001,
    batchSize: 256,
    environments: 8,
    stepsPerEpoch: 5120,
    gamma: 0.99,
    entropyWeight: 0,
  },

  create({ epochs, lr, batchSize, environments, stepsPerEpoch, gamma, entropyWeight, seed }) {
    const agent = new PPO(create, {
      steps: epochs * stepsPerEpoch,
      stepsPerEpoch,
      environments,
      lr,
      batchSize,
      gamma,
      entropyWeight,
      seed,
    });
    return {
      ...agent.plan(),
      epochs,
      test: agent.evaluation({ episodes: 100, seed: 2_000_000 }),
      report: (page) => reportEpisode(page, create, (seen) => agent.act(seen), { every: 2, delay: 40 }),
    };
  },
});
