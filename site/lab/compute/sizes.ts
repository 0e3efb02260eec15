import { type Tensor, compile, manualSeed, noGrad, rand, realize, tensor } from 'nabla';
import { moons } from 'nabla/data';
import { Parameter, bceWithLogits } from 'nabla/nn';
import { AdamW } from 'nabla/optim';

export interface Settings {
  /** Which of the networks is shown. */
  width: string;
  points: number;
  noise: number;
  rate: number;
  decay: number;
  steps: number;
  seed: number;
}

const WIDTHS = [1, 2, 4, 8, 16, 64];
const GRID = 40;
const STEPS_A_FRAME = 20;

/** Points of two classes, moved to the middle of the picture. */
function pointsOf(samples: number, noise: number, seed: number) {
  const set = moons({ samples, noise, seed });
  const xy = set.column('x').map((value, i) => value - (i % 2 === 0 ? 0.5 : 0.25));
  const classes = Float32Array.from(set.column('y'));
  return { xy, classes, x: tensor(xy, { shape: [samples, 2] }), y: tensor(classes, { shape: [samples, 1] }) };
}

/** Trains networks of six widths side by side on few noisy points. */
export async function* run(settings: Settings) {
  const { points, noise, seed } = settings;
  const train = pointsOf(points, noise, seed);
  const validation = pointsOf(200, noise, seed + 1000);
  const test = pointsOf(400, noise, seed + 2000);
  const axis = (i: number) => 2 * ((2 * (i + 0.5)) / GRID - 1);
  const grid = tensor(
    Float32Array.from({ length: 2 * GRID * GRID }, (_, i) => axis(i % 2 ? Math.floor(i / 2 / GRID) : (i >> 1) % GRID)),
    { shape: [GRID * GRID, 2] },
  );
  // All networks are one batch of matrices [networks, from, to] as wide as the widest; of the others some neurons are switched off.
  manualSeed(seed);
  const most = WIDTHS[WIDTHS.length - 1];
  const uniform = (from: number, to: number, fans: readonly number[]) => {
    const bounds = tensor(
      fans.map((fan) => 1 / Math.sqrt(fan)),
      { dtype: 'float32' },
    ).reshape([WIDTHS.length, 1, 1]);
    return new Parameter(rand([WIDTHS.length, from, to]).mul(2).sub(1).mul(bounds));
  };
  const weights = [
    uniform(2, most, WIDTHS.map(() => 2)),
    uniform(most, most, WIDTHS),
    uniform(most, 1, WIDTHS),
  ]; // prettier-ignore
  const biases = [
    uniform(
      1,
      most,
      WIDTHS.map(() => 2),
    ),
    uniform(1, most, WIDTHS),
    uniform(1, 1, WIDTHS),
  ];
  const isOn = tensor(
    Float32Array.from({ length: WIDTHS.length * most }, (_, i) => Number(i % most < WIDTHS[Math.floor(i / most)])),
    { shape: [WIDTHS.length, 1, most] },
  );
  const forward = (x: Tensor, which: readonly [from: number, to: number] = [0, WIDTHS.length]): Tensor => {
    const of = (t: Tensor): Tensor => t.slice(0, ...which);
    let h: Tensor = x.unsqueeze(0);
    for (let i = 0; i < 2; i++) h = h.matmul(of(weights[i])).add(of(biases[i])).tanh().mul(of(isOn));
    return h.matmul(of(weights[2])).add(of(biases[2])); // [networks, points, 1]
  };
  /** One loss for each network. */
  const lossesOf = ({ x, y }: { x: Tensor; y: Tensor }): Tensor => {
    const logits = forward(x);
    return bceWithLogits(logits, y.unsqueeze(0).expand(logits.shape), { reduction: 'none' }).mean([1, 2]);
  };
  const optimizer = new AdamW([...weights, ...biases], { lr: settings.rate, weightDecay: settings.decay });
  const update = compile(async () => {
    optimizer.zeroGrad();
    // The losses depend on different weights: their sum trains each network as if it were alone.
    const loss: Tensor = lossesOf(train).sum();
    loss.backward();
    await optimizer.step();
    return loss;
  });
  const losses = { train: [] as number[][], validation: [] as number[][], test: [] as number[][] };
  const at: number[] = [];
  for (let step = 0; ; step++) {
    if (step % STEPS_A_FRAME === 0 || step === settings.steps) {
      at.push(step);
      const shown = Math.max(0, WIDTHS.indexOf(Number(settings.width)));
      const found = noGrad(
        () =>
          [lossesOf(train), lossesOf(validation), lossesOf(test), forward(grid, [shown, shown + 1]).sigmoid()] as const,
      );
      await realize(...found);
      losses.train.push([...(await found[0].data())]);
      losses.validation.push([...(await found[1].data())]);
      losses.test.push([...(await found[2].data())]);
      const curveOf = (rows: readonly number[][], i: number) => rows.map((row) => row[i]);
      const validated = curveOf(losses.validation, shown);
      // Where early stopping would have stopped.
      const best = validated.indexOf(Math.min(...validated));
      const width = WIDTHS[shown];
      yield {
        values: {
          step,
          'training loss': losses.train[at.length - 1][shown],
          'validation loss': validated[at.length - 1],
          'lowest at step': at[best],
          parameters: 4 * width + width ** 2 + width + 1,
        },
        at,
        best,
        shown: {
          train: curveOf(losses.train, shown),
          validation: validated,
          test: curveOf(losses.test, shown),
        },
        all: WIDTHS.map((w, i) => ({
          width: w,
          train: losses.train[at.length - 1][i],
          validation: losses.validation[at.length - 1][i],
          test: losses.test[at.length - 1][i],
          lowest: Math.min(...curveOf(losses.validation, i)),
        })),
        train: { xy: train.xy, classes: train.classes },
        size: GRID,
        region: await found[3].data(),
      };
      if (step === settings.steps) return;
    }
    await update();
  }
}
