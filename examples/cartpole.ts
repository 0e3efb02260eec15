// A pole learns to stand on a cart: PPO on CartPole-v1, told epoch by epoch, then an episode in the terminal and as an animation.
//   npm run build && node --experimental-strip-types examples/cartpole.ts     (Node 22), or through any TypeScript runner

import { writeFileSync } from 'node:fs';
import { manualSeed } from 'nabla';
import { encodeApng } from 'nabla/io';
import { PPO, make, playEpisode } from 'nabla/rl';

manualSeed(0);
const create = () => make('CartPole-v1');
const agent = new PPO(create, { steps: 50_000, stepsPerEpoch: 5000 });

// 8 poles are balanced at the same time; after each epoch 20 others are, without exploring
await agent.learn({
  callbacks: [
    {
      onEpochEnd: (_, { epoch, train, validation }) => {
        const [learning, tested] = [train.return, validation?.return ?? NaN].map((value) =>
          value.toFixed(0).padStart(4),
        );
        console.log(`epoch ${String(epoch).padStart(2)}: return while exploring ${learning}, without ${tested}`);
      },
    },
  ],
});

const { mean } = await agent.evaluate({ episodes: 100 });
console.log(`mean return of 100 episodes: ${mean.toFixed(1)} of 500`);

const { texts } = await playEpisode(create(), (seen) => agent.act(seen), { seed: 1, record: 'texts' });
console.log(`\nafter ${texts.length - 1} steps:\n${texts[texts.length - 1]}`);

const { pictures } = await playEpisode(create(), (seen) => agent.act(seen), { seed: 1, record: 'pictures', every: 2 });
writeFileSync('cartpole.png', encodeApng(pictures, { delay: 40 }));
console.log('\ncartpole.png: the episode as an animation, for a browser');
