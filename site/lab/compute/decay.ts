import { type Tensor, compile, manualSeed, noGrad, tensor } from 'nabla';
import { moons } from 'nabla/data';
import { Linear, bceWithLogits } from 'nabla/nn';
import { Adam, AdamW } from 'nabla/optim';

export interface Settings {
  strength: number;
  width: number;
  points: number;
  noise: number;
  rate: number;
  steps: number;
  seed: number;
}

const KINDS = ['none', 'L2 in the loss', 'L1 in the loss', 'decay (AdamW)'] as const;
const STEPS_A_FRAME = 20;

/** Points of two classes. */
function pointsOf(samples: number, noise: number, seed: number) {
  const set = moons({ samples, noise, seed });
  return {
    x: tensor(set.column('x'), { shape: [samples, 2] }),
    y: tensor(Float32Array.from(set.column('y')), { shape: [samples, 1] }),
  };
}

/** Trains one network four times, with different pulls on its weights, from the same start. */
export async function* run(settings: Settings) {
  const { strength, width, points, noise, rate, seed } = settings;
  const train = pointsOf(points, noise, seed);
  const test = pointsOf(1000, noise, seed + 1000);
  const networks = KINDS.map((kind) => {
    manualSeed(seed);
    const layers = [new Linear(2, width), new Linear(width, width), new Linear(width, 1)];
    const [first, second, last] = layers;
    const lossOf = ({ x, y }: { x: Tensor; y: Tensor }): Tensor =>
      bceWithLogits(last.forward(second.forward(first.forward(x).tanh()).tanh()), y);
    const parameters = layers.flatMap((layer) => [...layer.parameters()]);
    const optimizer =
      kind === 'decay (AdamW)'
        ? // Decoupled decay shrinks each weight by lr · decay a step, whatever its gradient is like. 100 λ pulls about as
          // much as λ does in the loss, and no step takes more than nine tenths.
          new AdamW(parameters, { lr: rate, weightDecay: Math.min(100 * strength, 0.9 / rate) })
        : new Adam(parameters, { lr: rate });
    const step = compile(async () => {
      optimizer.zeroGrad();
      let loss = lossOf(train);
      for (const { weight } of layers) {
        if (kind === 'L2 in the loss')
          loss = loss.add(
            weight
              .pow(2)
              .sum()
              .mul(strength / 2),
          );
        if (kind === 'L1 in the loss') loss = loss.add(weight.abs().sum().mul(strength));
      }
      loss.backward();
      await optimizer.step();
      return loss;
    });
    return { kind, layers, lossOf, step, losses: { train: [] as number[], test: [] as number[] } };
  });
  const at: number[] = [];
  for (let step = 0; ; step++) {
    if (step % STEPS_A_FRAME === 0 || step === settings.steps) {
      at.push(step);
      for (const { lossOf, losses } of networks) {
        losses.train.push(await noGrad(() => lossOf(train)).item());
        losses.test.push(await noGrad(() => lossOf(test)).item());
      }
      const weights = await Promise.all(
        networks.map(async ({ layers }) =>
          (await Promise.all(layers.map(({ weight }) => weight.data()))).flatMap((data) => [...data]),
        ),
      );
      const small = weights.map((w) => w.filter((v) => Math.abs(v) < 0.01).length / w.length);
      const norm = weights.map((w) => Math.sqrt(w.reduce((sum, v) => sum + v * v, 0)));
      yield {
        values: {
          step,
          '‖w‖ without': norm[0],
          'with L2': norm[1],
          'with L1': norm[2],
          'near zero by L1': `${Math.round(100 * small[2])} %`,
        },
        at,
        networks: networks.map(({ kind, losses }, i) => ({ kind, losses, small: small[i], norm: norm[i] })),
        weights,
      };
      if (step === settings.steps) return;
    }
    for (const network of networks) await network.step();
  }
}
