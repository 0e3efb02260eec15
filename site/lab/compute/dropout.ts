import { type Tensor, compile, dropout, manualSeed, noGrad, rand, tensor } from 'nabla';
import { moons } from 'nabla/data';
import { Linear, bceWithLogits } from 'nabla/nn';
import { Adam } from 'nabla/optim';

export interface Settings {
  /** Probability that a neuron is left out. */
  drop: number;
  width: number;
  points: number;
  noise: number;
  members: number;
  steps: number;
  seed: number;
}

const GRID = 32;
const SHOWN = 8;
const STEPS_A_FRAME = 20;

/** Points of two classes, moved to the middle of the picture. */
function pointsOf(samples: number, noise: number, seed: number) {
  const set = moons({ samples, noise, seed });
  const xy = set.column('x').map((value, i) => value - (i % 2 === 0 ? 0.5 : 0.25));
  const classes = Float32Array.from(set.column('y'));
  return { xy, classes, x: tensor(xy, { shape: [samples, 2] }), y: tensor(classes, { shape: [samples, 1] }) };
}

/** Trains a network with dropout and one without, and looks at the thinned networks that share its weights. */
export async function* run(settings: Settings) {
  const { drop, width, points, noise, members, seed } = settings;
  const train = pointsOf(points, noise, seed);
  const test = pointsOf(1000, noise, seed + 1000);
  const axis = (i: number) => 2 * ((2 * (i + 0.5)) / GRID - 1);
  const grid = tensor(
    Float32Array.from({ length: 2 * GRID * GRID }, (_, i) => axis(i % 2 ? Math.floor(i / 2 / GRID) : (i >> 1) % GRID)),
    { shape: [GRID * GRID, 2] },
  );
  const create = (p: number) => {
    manualSeed(seed);
    const [first, second, last] = [new Linear(2, width), new Linear(width, width), new Linear(width, 1)];
    /** `thin` changes what the two hidden layers say. */
    const forward = (x: Tensor, thin: (h: Tensor, layer: number) => Tensor): Tensor => {
      const h = thin(first.forward(x).relu(), 0);
      return last.forward(thin(second.forward(h).relu(), 1));
    };
    const optimizer = new Adam(
      [first, second, last].flatMap((layer) => [...layer.parameters()]),
      { lr: 0.01 },
    );
    const step = compile(async () => {
      optimizer.zeroGrad();
      // Every sample of every step has neurons of its own left out; those that stay are 1 / (1 − p) times as loud.
      const loss: Tensor = bceWithLogits(
        forward(train.x, (h) => (p > 0 ? dropout(h, p) : h)),
        train.y,
      );
      loss.backward();
      await optimizer.step();
      return loss;
    });
    return { forward, step, losses: [] as number[] };
  };
  const networks = [create(drop), create(0)];
  const whole = (h: Tensor): Tensor => h;
  const at: number[] = [];
  for (let step = 0; ; step++) {
    if (step % STEPS_A_FRAME === 0 || step === settings.steps) {
      at.push(step);
      const [first] = networks;
      // Masks [members, 1, width]: a thinned network leaves out the same neurons at every place.
      const masks = [0, 1].map((): Tensor =>
        rand([members, 1, width])
          .ge(drop)
          .to('float32')
          .div(1 - drop),
      );
      const thinned = (x: Tensor): Tensor => first.forward(x, (h, layer) => h.mul(masks[layer])).sigmoid();
      const rightOf = (p: Tensor): Tensor => p.gt(0.5).eq(test.y.gt(0.5)).to('float32');
      const found = noGrad(() => {
        const ensemble = thinned(test.x);
        return {
          region: first.forward(grid, whole).sigmoid(),
          parts: thinned(grid).slice(0, 0, Math.min(SHOWN, members)),
          whole: rightOf(first.forward(test.x, whole).sigmoid()).mean(),
          single: rightOf(ensemble).mean(),
          mean: rightOf(ensemble.mean(0)).mean(),
          losses: networks.map(({ forward }): Tensor => bceWithLogits(forward(test.x, whole), test.y)),
        };
      });
      for (const [i, { losses }] of networks.entries()) losses.push(await found.losses[i].item());
      yield {
        values: {
          step,
          'accuracy of one thinned network': await found.single.item(),
          [`of the mean of ${members}`]: await found.mean.item(),
          'of the whole network': await found.whole.item(),
        },
        at,
        losses: networks.map(({ losses }) => losses),
        size: GRID,
        region: await found.region.data(),
        parts: await found.parts.data(),
        count: Math.min(SHOWN, members),
        train: { xy: train.xy, classes: train.classes },
      };
      if (step === settings.steps) return;
    }
    for (const network of networks) await network.step();
  }
}
