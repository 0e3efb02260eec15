import { type Tensor, compile, manualSeed, noGrad } from 'nabla';
import { DataLoader, HostRandom, digits } from 'nabla/data';
import { Flatten, Linear, ReLU, Sequential, crossEntropy } from 'nabla/nn';
import { Adam, SGD, cosine, inverseTimeDecay, stepDecay } from 'nabla/optim';
import { type RateCurve, findLearningRate } from 'nabla/train';

export interface Settings {
  optimizer: string;
  /** The rate under your hand; four others are trained beside it. */
  rate: number;
  schedule: string;
  batch: number;
  steps: number;
  seed: number;
}

type Images = Tensor<[number, 1, 8, 8]>;
type Labels = Tensor<[number], 'int32'>;

const OTHERS = [0.0001, 0.001, 0.01, 0.1];
const STEPS_A_FRAME = 5;

/** What a rate becomes in the course of training. */
const SCHEDULES: Record<string, (step: number, rate: number, steps: number) => number> = {
  constant: (_, rate) => rate,
  step: (step, rate, steps) => stepDecay(step, rate, Math.ceil(steps / 3)),
  inverse: (step, rate, steps) => inverseTimeDecay(step, rate, 10 / steps),
  cosine: (step, rate, steps) => cosine(step, steps, rate),
};

/** Trains one network with five learning rates on digits, all from the same weights and with the same batches. */
export async function* run(settings: Settings) {
  const scheduled = SCHEDULES[settings.schedule];
  if (!scheduled) throw new Error(`schedule: '${settings.schedule}'. Use one of ${Object.keys(SCHEDULES).join(', ')}.`);
  const { train, test } = digits().split({ train: 0.75, test: 0.25 }, { seed: 0 });
  const create = (rate: number) => {
    manualSeed(settings.seed);
    const hidden = [new Flatten(), new Linear(64, 48), new ReLU(), new Linear(48, 48), new ReLU()] as const;
    const model = new Sequential(...hidden, new Linear(48, 10));
    const optimizer =
      settings.optimizer === 'adam'
        ? new Adam(model.parameters(), { lr: rate })
        : new SGD(model.parameters(), { lr: rate, momentum: settings.optimizer === 'momentum' ? 0.9 : 0 });
    const lossOf = (x: Images, y: Labels): Tensor => crossEntropy(model.forward(x), y);
    const step = compile(async (x: Images, y: Labels) => {
      optimizer.zeroGrad();
      const loss = lossOf(x, y);
      loss.backward();
      await optimizer.step();
      return loss;
    });
    const losses: number[] = [];
    return { rate, model, optimizer, lossOf, step, losses };
  };
  const networks = [settings.rate, ...OTHERS].map(create);
  const searched = create(settings.rate);
  const heldOut = test.batch(Array.from({ length: test.length }, (_, i) => i));
  const random = new HostRandom(settings.seed);
  const at: number[] = [];
  let finder: RateCurve | undefined;

  for (let step = 0; ; step++) {
    if (step % STEPS_A_FRAME === 0 || step === settings.steps) {
      at.push(step);
      for (const { lossOf, losses } of networks) losses.push(await noGrad(() => lossOf(heldOut.x, heldOut.y)).item());
      const last = networks.map(({ losses }) => losses.at(-1) ?? NaN);
      const best = last.reduce((b, loss, i) => (loss < last[b] || !Number.isFinite(last[b]) ? i : b), 0);
      yield {
        values: {
          step,
          'loss of your rate': last[0],
          'best rate now': networks[best].rate,
          // Rounded: engines differ in the last digit of a power.
          'finder suggests': finder?.suggestion ? Number(finder.suggestion.toPrecision(3)) : 'not yet',
        },
        at,
        networks: networks.map(({ rate, losses }) => ({ rate, losses })),
        finder,
      };
      if (step === settings.steps) return;
    }
    // After the first picture, so that there is something to look at from the beginning.
    finder ??= await findLearningRate({
      model: searched.model,
      optimizer: searched.optimizer,
      train: new DataLoader(train, { batchSize: settings.batch, shuffle: true, seed: settings.seed }),
      from: 1e-5,
      to: 10,
      steps: 80,
    });
    const batch = train.batch(Array.from({ length: settings.batch }, () => random.below(train.length)));
    for (const { rate, optimizer, step: update } of networks) {
      for (const group of optimizer.groups) group.lr = scheduled(step, rate, settings.steps);
      await update(batch.x, batch.y);
    }
  }
}
