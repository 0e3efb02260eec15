// `nabla train frozen-lake`: over the ice to the goal, and into no hole. Deep Q-learning whose network is a table: one weight for each
// state and action. The report shows the policy as arrows beside the best there is, which value iteration finds.

import { zeros_ } from '../../nn/init-in-place.js';
import { Linear } from '../../nn/index.js';
import { DQN, FrozenLake, make, valueIteration } from '../../rl/index.js';
import { defineRun } from '../../train/index.js';
import { reportEpisode } from './episode-report.js';

const NAMES = { '4x4': 'FrozenLake-v1', '8x8': 'FrozenLake8x8-v1' } as const;

/** A table of values by state and action, as a network over one-hot states. */
function table(states: number, actions: number) {
  const layer = new Linear(states, actions, { bias: false });
  zeros_(layer.weight);
  return layer;
}

export default defineRun({
  name: 'frozen-lake',
  title: 'Finding the way over a frozen lake (FrozenLake-v1, Q-learning)',
  settings: { map: '4x4', slippery: true, epochs: 20, lr: 0.01, batchSize: 256, stepsPerEpoch: 5120, gamma: 0.99 },
  choices: { map: Object.keys(NAMES) },

  create({ map, slippery, epochs, lr, batchSize, stepsPerEpoch, gamma, seed }) {
    const size = map === '8x8' ? '8x8' : '4x4';
    const create = () => make(NAMES[size], { slippery });
    const agent = new DQN(create, {
      network: table,
      steps: epochs * stepsPerEpoch,
      stepsPerEpoch,
      environments: 16,
      epsilon: [1, 0.1, 0.8],
      lr,
      batchSize,
      gamma,
      updates: 32,
      evaluationEpisodes: 200,
      seed,
    });
    return {
      ...agent.plan(),
      epochs,
      test: agent.evaluation({ episodes: 1000, seed: 2_000_000 }),
      async report(page) {
        const lake = new FrozenLake({ map: size, slippery });
        const learned: number[] = [];
        for (let state = 0; state < lake.observationSpace.n; state++) learned.push(await agent.act(state));
        const { policy } = valueIteration(lake, { gamma });
        page.line('What was learned, and the best there is:');
        page.line();
        const best = lake.arrows(policy).split('\n');
        lake
          .arrows(learned)
          .split('\n')
          .forEach((line, row) => page.line(`  ${line}     ${best[row]}`));
        page.line();
        await reportEpisode(page, create, (seen) => agent.act(seen), { every: 1, delay: 300 });
      },
    };
  },
});
