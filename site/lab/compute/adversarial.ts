import { type Tensor, compile, manualSeed, noGrad, tensor } from 'nabla';
import { HostRandom, digits } from 'nabla/data';
import { Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential, crossEntropy } from 'nabla/nn';
import { Adam } from 'nabla/optim';
import { fgsm, pgd } from 'nabla/vision';

export interface Settings {
  picture: number;
  epsilon: number;
  method: string;
  /** The digit that it is to be taken for, or 'none': anything but what it is. */
  target: string;
  /** Steps of training with attacked pictures as well, as a defence. */
  defence: boolean;
  steps: number;
  seed: number;
}

const BATCH = 64;
const STEPS_A_FRAME = 10;
const CURVE = [0, 0.03, 0.06, 0.1, 0.15, 0.2, 0.3, 0.4];

function create({ seed, defence }: Settings) {
  manualSeed(seed);
  const { train, test } = digits().split({ train: 0.8, test: 0.2 }, { seed: 0 });
  const features = [new Conv2d(1, 12, 3, { padding: 1 }), new ReLU(), new MaxPool2d(2), new Flatten()] as const;
  const model = new Sequential(...features, new Linear(192, 48), new ReLU(), new Linear(48, 10));
  const optimizer = new Adam(model.parameters(), { lr: 0.003 });
  const classify = (x: Tensor<[number, number, number, number]>) => model.forward(x);
  const random = new HostRandom(seed);
  const update = compile(async (x: Tensor<[number, 1, 8, 8]>, y: Tensor<[number], 'int32'>) => {
    optimizer.zeroGrad();
    let loss: Tensor = crossEntropy(model.forward(x), y);
    // Adversarial training: the pictures that fool it now are learned, too.
    if (defence) loss = loss.add(crossEntropy(model.forward(fgsm(classify, x, y, { epsilon: 0.15 })), y));
    loss.backward();
    await optimizer.step();
    return loss;
  });
  const step = async () => {
    const { x, y } = train.batch(Array.from({ length: BATCH }, () => random.below(train.length)));
    await update(x, y);
  };
  return { key: `${seed} ${defence}`, test, model, classify, step, steps: 0 };
}

/** The network of the last start: another picture does not have to wait for another training. */
let known: ReturnType<typeof create> | undefined;

/** Trains a network on digits, and changes one of them a little, so that it is taken for another. */
export async function* run(settings: Settings) {
  if (known?.key !== `${settings.seed} ${settings.defence}` || known.steps > settings.steps) known = create(settings);
  const network = known;
  const { test, model, classify, step } = network;
  for (;;) {
    manualSeed(settings.seed);
    const { epsilon, target, method } = settings;
    const one = test.batch([settings.picture]);
    const targeted = target !== 'none';
    const label = targeted ? tensor(Int32Array.of(Number(target)), { shape: [1], dtype: 'int32' }) : one.y;
    const attacked =
      method === 'pgd'
        ? await pgd(classify, one.x, label, { epsilon, targeted, steps: 10 })
        : fgsm(classify, one.x, label, { epsilon, targeted });
    const [before, after] = await Promise.all(
      [one.x, attacked].map((x) => noGrad(() => classify(x).softmax(1)).data()),
    );
    const many = test.batch(Array.from({ length: 128 }, (_, i) => i));
    const accuracies: number[] = [];
    for (const e of CURVE) {
      const x = fgsm(classify, many.x, many.y, { epsilon: e });
      accuracies.push(await classify(x).argmax(1).eq(many.y).to('float32').mean().item());
    }
    const answer = (p: Float32Array) => p.indexOf(Math.max(...p));
    const [picture, changed] = await Promise.all([one.x.data(), attacked.data()]);
    yield {
      values: {
        step: network.steps,
        'test accuracy': accuracies[0],
        'taken for': `${answer(before)} (${(100 * Math.max(...before)).toFixed(0)} %)`,
        'after the attack': `${answer(after)} (${(100 * Math.max(...after)).toFixed(0)} %)`,
        'largest change of a pixel': Math.max(...changed.map((v, i) => Math.abs(v - picture[i]))),
      },
      label: await one.y.item(),
      picture,
      changed,
      before: [...before],
      after: [...after],
      curve: CURVE.map((e, i) => [e, accuracies[i]] as [number, number]),
      epsilon,
      parameters: model.parameterCount,
    };
    if (network.steps >= settings.steps) return;
    for (let i = 0; i < STEPS_A_FRAME && network.steps < settings.steps; i++, network.steps++) await step();
  }
}
