// `nabla train cartpole-dqn`: a pole is kept upright on a cart, by double deep Q-learning. An epoch is 2,560 steps, its validation 20
// episodes played without exploring; the weights of the best epoch are tested on 100 other episodes.

import { DQN, make } from '../../rl/index.js';
import { defineRun } from '../../train/index.js';
import { reportEpisode } from './episode-report.js';

const create = () => make('CartPole-v1');

export default defineRun({
  name: 'cartpole-dqn',
  title: 'Learning to balance a pole on a cart (CartPole-v1, DQN)',
  settings: { epochs: 20, lr: 0.001, batchSize: 64, stepsPerEpoch: 2560, gamma: 0.99, capacity: 50_000, double: true },

  create({ epochs, lr, batchSize, stepsPerEpoch, gamma, capacity, double, seed }) {
    const agent = new DQN(create, {
      steps: epochs * stepsPerEpoch,
      stepsPerEpoch,
      lr,
      batchSize,
      gamma,
      capacity,
      double,
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
