import { manualSeed } from 'nabla';
import { clipGradNorm_ } from 'nabla/optim';
import { A2C, make } from 'nabla/rl';

export interface Settings {
  rate: number;
  gamma: number;
  /** Weight of the entropy: how much it is paid for trying. */
  entropy: number;
  /** Updates for each picture. */
  speed: number;
  updates: number;
  seed: number;
}

/** An actor-critic learns to balance a pole, while one episode is shown. */
export async function* run(settings: Settings) {
  manualSeed(settings.seed);
  const create = () => make('CartPole-v1');
  const { rate, gamma, entropy, seed } = settings;
  const agent = new A2C(create, { lr: rate, gamma, entropyWeight: entropy, seed, environments: 16, horizon: 8 });
  const shown = create();
  let { observation } = shown.reset({ seed });
  let [episode, done] = [0, 0];
  const history: { updates: number; mean: number; shown: number }[] = [];
  let last = 0;
  // Batches never end: each is 8 steps of 16 carts.
  let batches = agent.batches(0)[Symbol.asyncIterator]();
  for (;;) {
    const action = await agent.act(observation);
    yield {
      values: {
        step: done,
        'mean of the last episodes': agent.measured()['return'] ?? 0,
        'steps of this episode': episode,
        'the one before': last,
      },
      observation: [...observation],
      action,
      history,
    };
    if (done >= settings.updates) return;
    const { observation: next, terminated, truncated } = shown.step(action);
    [observation, episode] = [next, episode + 1];
    if (terminated || truncated) {
      history.push({ updates: done, mean: agent.measured()['return'] ?? 0, shown: episode });
      [last, episode] = [episode, 0];
      ({ observation } = shown.reset());
    }
    for (let i = 0; i < settings.speed && done < settings.updates; i++, done++) {
      let batch = await batches.next();
      if (batch.done) {
        batches = agent.batches(0)[Symbol.asyncIterator]();
        batch = await batches.next();
      }
      agent.optimizer.zeroGrad();
      agent.loss(batch.value).backward();
      clipGradNorm_(agent.model.parameters(), 0.5);
      await agent.optimizer.step();
    }
  }
}
