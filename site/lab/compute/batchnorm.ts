import { type Tensor, compile, manualSeed, noGrad } from 'nabla';
import { HostRandom, digits } from 'nabla/data';
import { BatchNorm1d, Linear, crossEntropy } from 'nabla/nn';
import { SGD } from 'nabla/optim';

export interface Settings {
  batch: number;
  rate: number;
  /** Weight of a new batch in the running statistics. */
  momentum: number;
  steps: number;
  seed: number;
}

const WIDTHS = [64, 48, 48, 48];
const HELD_OUT = 256;
const STEPS_A_FRAME = 5;

/** Trains a network with batch normalisation and one without on digits, and looks at one neuron's statistics. */
export async function* run(settings: Settings) {
  const { batch, momentum, seed } = settings;
  const { train, test } = digits().split({ train: 0.8, test: 0.2 }, { seed: 0 });
  const random = new HostRandom(seed);
  const heldOut = test.batch(Array.from({ length: HELD_OUT }, (_, i) => i));
  const flat = (x: Tensor): Tensor => x.reshape([x.shape[0], 64]);

  const create = (isNormed: boolean) => {
    manualSeed(seed);
    const linears = WIDTHS.slice(1).map((width, i) => new Linear(WIDTHS[i], width));
    const norms = WIDTHS.slice(1).map((width) => new BatchNorm1d(width, { momentum }));
    const head = new Linear(48, 10);
    const forward = (x: Tensor, normalise: (h: Tensor, layer: number) => Tensor): Tensor => {
      let h = flat(x);
      for (const [i, linear] of linears.entries()) {
        const sums: Tensor = linear.forward(h);
        h = (isNormed ? normalise(sums, i) : sums).relu();
      }
      return head.forward(h);
    };
    const modules = [...linears, ...(isNormed ? norms : []), head];
    const optimizer = new SGD(
      modules.flatMap((m) => [...m.parameters()]),
      { lr: settings.rate, momentum: 0.9 },
    );
    const step = compile(async (x: Tensor<[number, 1, 8, 8]>, y: Tensor<[number], 'int32'>) => {
      optimizer.zeroGrad();
      const loss: Tensor = crossEntropy(
        forward(x, (h, i) => norms[i].forward(h)),
        y,
      );
      loss.backward();
      await optimizer.step();
      return loss;
    });
    /** As at test time: with the running statistics. */
    const evaluated = (h: Tensor, i: number): Tensor => {
      norms[i].eval();
      const y: Tensor = norms[i].forward(h);
      norms[i].train();
      return y;
    };
    /** As in training, in batches of the same size side by side, and without changing the running statistics. */
    const trained = (h: Tensor, i: number): Tensor => {
      const { weight, bias } = norms[i];
      const groups: Tensor = h.reshape([h.shape[0] / batch, batch, h.shape[1]]);
      const middle: Tensor = groups.sub(groups.mean(1, { keepdim: true }));
      const y: Tensor = middle.div(groups.var(1, { keepdim: true, correction: 0 }).add(1e-5).sqrt()).reshape(h.shape);
      return weight && bias ? y.mul(weight).add(bias) : y;
    };
    return { linears, norms, forward, step, evaluated, trained, losses: [] as number[] };
  };
  const [normed, plain] = [create(true), create(false)];
  const at: number[] = [];
  const history: { step: number; mean: number; deviation: number; runningMean: number; runningDeviation: number }[] =
    [];
  const right = (logits: Tensor, y: Tensor<[number], 'int32'>): Tensor => logits.argmax(1).eq(y).to('float32').mean();

  for (let step = 0; ; step++) {
    const { x, y } = train.batch(Array.from({ length: batch }, () => random.below(train.length)));
    if (step % STEPS_A_FRAME === 0 || step === settings.steps) {
      at.push(step);
      const sums = noGrad((): Tensor => normed.linears[0].forward(flat(x)));
      const some = noGrad((): Tensor => normed.linears[0].forward(flat(heldOut.x)));
      const [mean, variance] = [sums.mean(0), sums.var(0, { correction: 0 })];
      const { runningMean, runningVar } = normed.norms[0];
      // As many whole batches as there are.
      const count = batch * Math.floor(HELD_OUT / batch);
      const found = noGrad(() => ({
        evaluated: normed.evaluated(some, 0).select(1, 0),
        trained: normed.trained(some.slice(0, 0, count), 0).select(1, 0),
        logits: normed.forward(heldOut.x, normed.evaluated),
        inBatches: normed.forward(heldOut.x.slice(0, 0, count), normed.trained),
        plain: plain.forward(heldOut.x, (h) => h),
      }));
      normed.losses.push(await crossEntropy(found.logits, heldOut.y).item());
      plain.losses.push(await crossEntropy(found.plain, heldOut.y).item());
      history.push({
        step,
        mean: (await mean.data())[0],
        deviation: Math.sqrt((await variance.data())[0]),
        runningMean: runningMean ? (await runningMean.data())[0] : 0,
        runningDeviation: runningVar ? Math.sqrt((await runningVar.data())[0]) : 1,
      });
      yield {
        values: {
          step,
          'accuracy, evaluation mode': await right(found.logits, heldOut.y).item(),
          'training mode': await right(found.inBatches, heldOut.y.slice(0, 0, count)).item(),
          'without batch norm': await right(found.plain, heldOut.y).item(),
        },
        at,
        losses: [normed.losses, plain.losses],
        history,
        trained: [...(await found.trained.data())],
        evaluated: [...(await found.evaluated.data())],
      };
      if (step === settings.steps) return;
    }
    await normed.step(x, y);
    await plain.step(x, y);
  }
}
