import { type Tensor, compile, manualSeed, noGrad } from 'nabla';
import { HostRandom, digits } from 'nabla/data';
import { Dropout, Flatten, Linear, ReLU, Sequential, crossEntropy } from 'nabla/nn';
import { SGD } from 'nabla/optim';
import { gridSearch, logUniform, randomSearch, uniform } from 'nabla/train';

export interface Settings {
  /** Values of each hyper-parameter in the grid; as many trials at random. */
  points: number;
  /** Steps of each training. */
  steps: number;
  seed: number;
}

/** Where no trial has been made yet. */
const NOTHING = { u: 0, v: 0, rate: NaN, dropout: NaN, loss: Infinity };
const SPACE = { rate: logUniform(1e-4, 3), dropout: uniform(0, 0.6) };

/** Tries learning rates and dropout on digits, once in a grid and once at random, a trial a frame. */
export async function* run(settings: Settings) {
  const { train, val } = digits().split({ train: 0.3, val: 0.3 }, { seed: 1 });
  const every = (length: number) => Array.from({ length }, (_, i) => i);
  const validation = val.batch(every(val.length));

  /** Validation loss of a network that was trained with these. */
  const lossOf = async ([u, v]: readonly number[]) => {
    manualSeed(settings.seed);
    const random = new HostRandom(settings.seed);
    const hidden = [new Flatten(), new Linear(64, 32), new ReLU(), new Dropout(SPACE.dropout.at(v))] as const;
    const model = new Sequential(...hidden, new Linear(32, 10));
    const optimizer = new SGD(model.parameters(), { lr: SPACE.rate.at(u), momentum: 0.9 });
    const step = compile(async (x: Tensor<[number, 1, 8, 8]>, y: Tensor<[number], 'int32'>) => {
      optimizer.zeroGrad();
      const loss = crossEntropy(model.forward(x), y);
      loss.backward();
      await optimizer.step();
      return loss;
    });
    for (let i = 0; i < settings.steps; i++) {
      const { x, y } = train.batch(Array.from({ length: 32 }, () => random.below(train.length)));
      await step(x, y);
    }
    model.eval();
    const loss = await noGrad(() => crossEntropy(model.forward(validation.x), validation.y)).item();
    return Number.isFinite(loss) ? loss : Infinity;
  };

  const random = new HostRandom(settings.seed, 7);
  const searches = [gridSearch({ points: settings.points }), randomSearch()].map((strategy) => ({
    strategy,
    trials: [] as { u: number; v: number; rate: number; dropout: number; loss: number }[],
  }));
  for (let trial = 0; trial < settings.points ** 2; trial++) {
    for (const { strategy, trials } of searches) {
      const point = strategy.suggest(SPACE, trial, [], random) ?? [0, 0];
      const [u, v] = point;
      trials.push({ u, v, rate: SPACE.rate.at(u), dropout: SPACE.dropout.at(v), loss: await lossOf(point) });
      const [grid, free] = searches.map((s) => s.trials.reduce((a, b) => (b.loss < a.loss ? b : a), NOTHING));
      yield {
        values: {
          trials: trial + 1,
          'grid, lowest loss': grid.loss,
          'at a rate of': grid.rate,
          'random, lowest loss': free.loss,
          'at the rate': free.rate,
        },
        searches: searches.map((s) => s.trials),
        points: settings.points,
      };
    }
  }
}
