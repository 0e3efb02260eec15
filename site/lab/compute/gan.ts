import { type Tensor, compile, manualSeed, noGrad, randn, tensor } from 'nabla';
import { HostRandom } from 'nabla/data';
import { LeakyReLU, Linear, ReLU, Sequential, bceWithLogits } from 'nabla/nn';
import { Adam } from 'nabla/optim';

export interface Settings {
  data: string;
  generator: number;
  discriminator: number;
  /** Updates of the discriminator for each of the generator. */
  turns: number;
  steps: number;
  seed: number;
}

const BATCH = 128;
const GRID = 32;
const REACH = 2.2;
const STEPS_A_FRAME = 5;

/** Middles of the clouds of which the data are made. */
const CENTRES: Record<string, readonly (readonly [number, number])[]> = {
  ring: Array.from({ length: 8 }, (_, i) => [1.4 * Math.cos((i * Math.PI) / 4), 1.4 * Math.sin((i * Math.PI) / 4)]),
  two: [[-1, -0.6], [1, 0.6]], // prettier-ignore
  grid: Array.from({ length: 9 }, (_, i) => [1.2 * ((i % 3) - 1), 1.2 * (Math.floor(i / 3) - 1)]),
  line: Array.from({ length: 12 }, (_, i) => [-1.6 + (3.2 * i) / 11, 0.9 * Math.sin(2 * (-1.6 + (3.2 * i) / 11))]),
};

/** Trains a generator against a discriminator in the plane. */
export async function* run(settings: Settings) {
  const centres = CENTRES[settings.data];
  if (!centres) throw new Error(`data: '${settings.data}'. Use one of ${Object.keys(CENTRES).join(', ')}.`);
  manualSeed(settings.seed);
  const random = new HostRandom(settings.seed);
  const real = (count: number) =>
    Float32Array.from(
      Array.from({ length: count }, () => {
        const [x, y] = centres[random.below(centres.length)];
        return [x + 0.08 * random.normal(), y + 0.08 * random.normal()];
      }).flat(),
    );
  const make = new Sequential(new Linear(4, 48), new ReLU(), new Linear(48, 48), new ReLU(), new Linear(48, 2));
  const judge = new Sequential(
    new Linear(2, 48),
    new LeakyReLU(0.2),
    new Linear(48, 48),
    new LeakyReLU(0.2),
    new Linear(48, 1),
  );
  const [maker, judging] = [
    new Adam(make.parameters(), { lr: settings.generator, betas: [0.5, 0.99] }),
    new Adam(judge.parameters(), { lr: settings.discriminator, betas: [0.5, 0.99] }),
  ];
  const [yes, no] = [
    tensor(new Float32Array(BATCH).fill(1), { shape: [BATCH, 1] }),
    tensor(new Float32Array(BATCH), { shape: [BATCH, 1] }),
  ];
  const tell = compile(async (truth: Tensor<[number, 2]>) => {
    judging.zeroGrad();
    // Made without a gradient: this turn teaches the discriminator alone.
    const made = noGrad(() => make.forward(randn([BATCH, 4])));
    const loss: Tensor = bceWithLogits(judge.forward(truth), yes).add(bceWithLogits(judge.forward(made), no));
    loss.backward();
    await judging.step();
    return loss;
  });
  const fool = compile(async () => {
    maker.zeroGrad();
    const loss: Tensor = bceWithLogits(judge.forward(make.forward(randn([BATCH, 4]))), yes);
    loss.backward();
    await maker.step();
    return loss;
  });
  const axis = (i: number) => REACH * ((2 * (i + 0.5)) / GRID - 1);
  const grid = tensor(
    Float32Array.from({ length: 2 * GRID * GRID }, (_, i) => axis(i % 2 ? Math.floor(i / 2 / GRID) : (i >> 1) % GRID)),
    { shape: [GRID * GRID, 2] },
  );
  const shown = real(300);
  const noise = randn([300, 4]);
  await noise.data();
  const losses: { tell: number; fool: number }[] = [];
  let [told, fooled] = [NaN, NaN];
  for (let step = 0; ; step++) {
    if (step % STEPS_A_FRAME === 0 || step === settings.steps) {
      losses.push({ tell: told, fool: fooled });
      const [made, field] = noGrad(() => [make.forward(noise), judge.forward(grid).sigmoid()] as const);
      const points = await made.data();
      const near = centres.map(() => 0);
      for (let i = 0; i < 300; i++) {
        const distances = centres.map(([x, y]) => Math.hypot(points[2 * i] - x, points[2 * i + 1] - y));
        const at = distances.indexOf(Math.min(...distances));
        if (distances[at] < 0.3) near[at]++;
      }
      yield {
        values: {
          step,
          'loss of the discriminator': told,
          'of the generator': fooled,
          'clouds found': `${near.filter((n) => n >= 5).length} of ${centres.length}`,
        },
        real: shown,
        made: points,
        field: await field.data(),
        size: GRID,
        reach: REACH,
        losses,
        every: STEPS_A_FRAME,
      };
      if (step === settings.steps) return;
    }
    for (const group of maker.groups) group.lr = settings.generator;
    for (const group of judging.groups) group.lr = settings.discriminator;
    for (let turn = 0; turn < settings.turns; turn++)
      told = await (await tell(tensor(real(BATCH), { shape: [BATCH, 2] }))).item();
    fooled = await (await fool()).item();
  }
}
