import { type Tensor, compile, manualSeed, maxPool2d, noGrad, tensor } from 'nabla';
import { HostRandom, digits } from 'nabla/data';
import { Conv2d, Linear, crossEntropy } from 'nabla/nn';
import { Adam } from 'nabla/optim';

export interface Settings {
  /** 'drawn' for the pixels below, or the number of a picture of the test set. */
  picture: string;
  /** 8 × 8 pixels from 0 (paper) to f (ink), row by row. */
  pixels: string;
  /** Steps of training before the network rests. */
  steps: number;
  seed: number;
}

const STEPS_A_FRAME = 5;
const BATCH = 64;

/** A small network of two convolutions, and what it has learned so far. */
function create(seed: number) {
  manualSeed(seed);
  const { train, test } = digits().split({ train: 0.8, test: 0.2 }, { seed: 0 });
  const [first, second, last] = [new Conv2d(1, 6, 3, { padding: 1 }), new Conv2d(6, 12, 3), new Linear(12 * 3 * 3, 10)];
  const outputsOf = (x: Tensor): Tensor[] => {
    const one: Tensor = first.forward(x).relu(); // [N, 6, 8, 8]
    const two: Tensor = second.forward(one).relu(); // [N, 12, 6, 6]
    const pooled: Tensor = maxPool2d(two, 2); // [N, 12, 3, 3]
    return [one, two, pooled, last.forward(pooled.reshape([x.shape[0], 108]))];
  };
  const optimizer = new Adam(
    [first, second, last].flatMap((layer) => [...layer.parameters()]),
    { lr: 0.003 },
  );
  const update = compile(async (x: Tensor<[number, 1, 8, 8]>, y: Tensor<[number], 'int32'>) => {
    optimizer.zeroGrad();
    const loss: Tensor = crossEntropy(outputsOf(x)[3], y);
    loss.backward();
    await optimizer.step();
    return loss;
  });
  const random = new HostRandom(seed);
  const step = async () => {
    // Moved by a pixel now and then, as people do not draw in the middle.
    const { x, y } = train.batch(Array.from({ length: BATCH }, () => random.below(train.length)));
    const [down, right] = [random.below(3) - 1, random.below(3) - 1];
    await update(x.roll(down, 2).roll(right, 3), y);
  };
  return { seed, test, outputsOf, first, step, steps: 0 };
}

/** The network of the last start: another drawing does not have to wait for another training. */
let known: ReturnType<typeof create> | undefined;

/** Trains on digits, and shows what every layer makes of one picture. */
export async function* run(settings: Settings) {
  if (known?.seed !== settings.seed || known.steps > settings.steps) known = create(settings.seed);
  const network = known;
  const { test, outputsOf } = network;
  const heldOut = test.batch(Array.from({ length: test.length }, (_, i) => i));
  for (;;) {
    const isDrawn = settings.picture === 'drawn';
    const picture = isDrawn
      ? Float32Array.from({ length: 64 }, (_, i) => (Number.parseInt(settings.pixels[i] ?? '0', 16) || 0) / 15)
      : await test.batch([Number(settings.picture)]).x.data();
    const x: Tensor = tensor(picture, { shape: [1, 1, 8, 8] });
    const [outputs, logits] = noGrad(() => [outputsOf(x), outputsOf(heldOut.x)[3]] as const);
    const [one, two, pooled, scores] = outputs;
    const probabilities = await scores.softmax(1).data();
    const answer = probabilities.indexOf(Math.max(...probabilities));
    yield {
      values: {
        step: network.steps,
        'test accuracy': await logits.argmax(1).eq(heldOut.y).to('float32').mean().item(),
        answer,
        probability: probabilities[answer],
      },
      picture,
      kernels: await network.first.weight.data(),
      maps: await Promise.all([one, two, pooled].map((t) => t.data())),
      probabilities: [...probabilities],
    };
    if (network.steps >= settings.steps) return;
    for (let i = 0; i < STEPS_A_FRAME && network.steps < settings.steps; i++, network.steps++) await network.step();
  }
}
