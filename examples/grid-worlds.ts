// Learning with a table. Along a cliff, Q-learning learns the shortest way and falls now and then while it explores; SARSA, which knows that
// it explores, learns a way with a distance. On a slippery lake, what is learned comes near to what dynamic programming computes.
//   npm run build && node --experimental-strip-types examples/grid-worlds.ts     (Node 22), or through any TypeScript runner

import { CliffWalking, FrozenLake, QLearning, Sarsa, TimeLimit, linearSchedule, make, valueIteration } from 'nabla/rl';

const mean = (numbers: readonly number[]): number => numbers.reduce((sum, x) => sum + x, 0) / numbers.length;

const cliff = new CliffWalking();
for (const Agent of [QLearning, Sarsa]) {
  const agent = new Agent(new TimeLimit(new CliffWalking(), 200), {
    lr: linearSchedule(0.5, 0.02),
    gamma: 1,
    epsilon: 0.1,
  });
  const returns = agent.learn({ episodes: 2000 });
  console.log(`${Agent.name}: mean return of the last 1000 episodes ${mean(returns.slice(1000)).toFixed(1)}`);
  console.log(`${cliff.arrows(agent.policy())}\n`);
}

const lake = new FrozenLake({ slippery: true });
const { values, policy } = valueIteration(lake);
const learner = new QLearning(make('FrozenLake-v1'), {
  lr: linearSchedule(0.2, 0.01),
  epsilon: linearSchedule(1, 0.1),
});
learner.learn({ episodes: 20_000 });
console.log('The lake, the best policy, and the one that was learned:');
const [map, best, learned] = [
  lake.map.map((row) => [...row].join(' ')),
  lake.arrows(policy),
  lake.arrows(learner.policy()),
];
map.forEach((row, i) => console.log(`${row}     ${best.split('\n')[i]}     ${learned.split('\n')[i]}`));
console.log(`What the start is worth: ${values[0].toFixed(3)}, learned ${learner.value(0).toFixed(3)}`);
