import { type Tensor, compile, manualSeed, noGrad, tensor } from 'nabla';
import { HostRandom, digits } from 'nabla/data';
import { Autoencoder, VAE, vaeLoss } from 'nabla/models';
import { bceWithLogits } from 'nabla/nn';
import { Adam } from 'nabla/optim';

export interface Settings {
  model: string;
  /** Weight of the divergence from the normal distribution. */
  beta: number;
  /** The place that is decoded. */
  x: number;
  y: number;
  steps: number;
  seed: number;
}

const REACH = 3;
const SIDE = 11;
const BATCH = 64;
const STEPS_A_FRAME = 10;

function create({ model, beta, seed }: Settings) {
  manualSeed(seed);
  const { train, test } = digits().split({ train: 0.8, test: 0.2 }, { seed: 0 });
  const options = { inFeatures: 64, latent: 2, hidden: [96, 48] };
  const held = test.batch(Array.from({ length: test.length }, (_, i) => i));
  const random = new HostRandom(seed);
  const next = () => train.batch(Array.from({ length: BATCH }, () => random.below(train.length))).x;
  const labels = [...test.column('y')];
  const key = `${model} ${beta} ${seed}`;
  const learn = (optimizer: Adam, lossOf: (x: Tensor) => Tensor) =>
    compile(async (x: Tensor<[number, 1, 8, 8]>) => {
      optimizer.zeroGrad();
      const loss = lossOf(x);
      loss.backward();
      await optimizer.step();
      return loss;
    });
  if (model === 'vae') {
    const vae = new VAE(options);
    const update = learn(new Adam(vae.parameters(), { lr: 0.003 }), (x) => vaeLoss(vae.forward(x), x, { beta }));
    const encode = (x: Tensor): Tensor => vae.encode(x).mean;
    return {
      key,
      labels,
      held: held.x,
      encode,
      decode: (z: Tensor): Tensor => vae.decode(z),
      step: () => update(next()),
      steps: 0,
    };
  }
  const plain = new Autoencoder(options);
  const update = learn(new Adam(plain.parameters(), { lr: 0.003 }), (x) =>
    bceWithLogits(plain.forward(x), x, { reduction: 'sum' }).div(BATCH),
  );
  const encode = (x: Tensor): Tensor => plain.encode(x);
  return {
    key,
    labels,
    held: held.x,
    encode,
    decode: (z: Tensor): Tensor => plain.decode(z),
    step: () => update(next()),
    steps: 0,
  };
}

/** The model of the last start: another place does not have to wait for another training. */
let known: ReturnType<typeof create> | undefined;

/** Trains an autoencoder with two numbers in the middle, and shows the plane of those. */
export async function* run(settings: Settings) {
  const key = `${settings.model} ${settings.beta} ${settings.seed}`;
  if (known?.key !== key || known.steps > settings.steps) known = create(settings);
  const model = known;
  let loss = NaN;
  for (;;) {
    // An autoencoder puts its points where it likes: the window follows them. Those of a VAE are about normal.
    const points = await noGrad(() => model.encode(model.held)).data();
    const most = Math.max(...points.map(Math.abs));
    const reach = settings.model === 'vae' ? REACH : Math.max(REACH, most);
    const place = (i: number) => reach * ((2 * (i + 0.5)) / SIDE - 1);
    const grid = Array.from({ length: SIDE * SIDE }, (_, i) => [
      place(i % SIDE),
      place(SIDE - 1 - Math.floor(i / SIDE)),
    ]);
    // −3 … 3 as the controls have it, in the window.
    const chosen = [(settings.x * reach) / REACH, (settings.y * reach) / REACH];
    const z = tensor(Float32Array.from([...grid, chosen].flat()), { shape: [SIDE * SIDE + 1, 2] });
    const pictures = await noGrad(() => model.decode(z).sigmoid()).data();
    const rebuilt = noGrad((): Tensor => model.decode(model.encode(model.held)).sigmoid());
    const error = await rebuilt.sub(model.held.reshape(rebuilt.shape)).pow(2).mean().item();
    yield {
      values: { step: model.steps, loss, 'mean squared error, test': error },
      points,
      labels: model.labels,
      reach,
      side: SIDE,
      pictures: pictures.subarray(0, 64 * SIDE * SIDE),
      chosen,
      picture: pictures.subarray(64 * SIDE * SIDE),
    };
    if (model.steps >= settings.steps) return;
    for (let i = 0; i < STEPS_A_FRAME && model.steps < settings.steps; i++, model.steps++)
      loss = await (await model.step()).item();
  }
}
