import { type Tensor, cat, compile, manualSeed, noGrad, scalarTensor, tensor } from 'nabla';
import { blobs, circles, moons, spirals } from 'nabla/data';
import { Linear, bceWithLogits } from 'nabla/nn';
import { Adam, SGD } from 'nabla/optim';

export interface Settings {
  data: string;
  /** Points of your own: x, y and class (0 or 1), with semicolons between them. */
  own: string;
  /** The class of points that are drawn; the computation does not ask for it. */
  pen: string;
  points: number;
  noise: number;
  /** Widths of the hidden layers. */
  hidden: string;
  activation: string;
  optimizer: string;
  rate: number;
  penalty: string;
  strength: number;
  steps: number;
  seed: number;
}

const SETS = {
  circles: (options: object) => circles({ ...options, factor: 0.4 }),
  moons: (options: object) => moons(options),
  spirals: (options: object) => spirals({ ...options, classes: 2 }),
  xor: (options: object) =>
    blobs({
      ...options,
      centers: [
        [-1, -1],
        [-1, 1],
        [1, 1],
        [1, -1],
      ],
    }),
};
const ACTIVATIONS = {
  tanh: (x: Tensor) => x.tanh(),
  relu: (x: Tensor) => x.relu(),
  sigmoid: (x: Tensor) => x.sigmoid(),
  linear: (x: Tensor) => x,
};
const REACH = { circles: 1.5, moons: 2.5, spirals: 1.25, xor: 2.2, own: 1.5 };
const GRID = 40;
const STEPS_A_FRAME = 10;

function choose<T>(what: string, table: Record<string, T>, name: string): T {
  const chosen = table[name];
  if (chosen === undefined) throw new Error(`${what}: '${name}'. Use one of ${Object.keys(table).join(', ')}.`);
  return chosen;
}

/** Points that were drawn; from twelve on every fourth is kept for testing. */
function ownPoints(text: string, isTest: boolean) {
  const all = text
    .split(';')
    .filter((part) => part.trim())
    .map((part) => part.trim().split(/\s+/).map(Number));
  if (
    all.length === 0 ||
    !all.every((one) => one.length === 3 && one.every(Number.isFinite) && (one[2] === 0 || one[2] === 1))
  )
    throw new Error('Own points: x y class, such as 0.5 -0.2 1; -1 0 0. Click the plane to draw some.');
  const rows = all.length < 12 ? all : all.filter((_, i) => (i % 4 === 3) === isTest);
  return { xy: Float32Array.from(rows.flatMap(([x, y]) => [x, y])), classes: Float32Array.from(rows, ([, , c]) => c) };
}

/** Points of two classes, moved to the middle of the picture. */
function pointsOf({ data, noise, own }: Settings, samples: number, seed: number, isTest = false) {
  if (data === 'own') {
    const { xy, classes } = ownPoints(own, isTest);
    const rows = classes.length;
    return { xy, classes, x: tensor(xy, { shape: [rows, 2] }), y: tensor(classes, { shape: [rows, 1] }) };
  }
  const set = choose('data', SETS, data)({ samples, noise, seed });
  const [dx, dy] = data === 'moons' ? [-0.5, -0.25] : [0, 0];
  const xy = set.column('x').map((value, i) => value + (i % 2 === 0 ? dx : dy));
  const classes = Float32Array.from(set.column('y'), (label) => label % 2);
  return { xy, classes, x: tensor(xy, { shape: [samples, 2] }), y: tensor(classes, { shape: [samples, 1] }) };
}

/** Trains a network on points of the plane and gives what it thinks of every place, ten steps a frame. */
export async function* run(settings: Settings) {
  manualSeed(settings.seed);
  const train = pointsOf(settings, settings.points, settings.seed);
  const test = pointsOf(settings, 200, settings.seed + 1000, true);
  const reach = choose('data', REACH, settings.data);
  const axis = (i: number) => reach * ((2 * (i + 0.5)) / GRID - 1);
  const places = Float32Array.from({ length: 2 * GRID * GRID }, (_, i) =>
    axis(i % 2 ? Math.floor(i / 2 / GRID) : (i >> 1) % GRID),
  );
  const grid = tensor(places, { shape: [GRID * GRID, 2] });

  const widths = settings.hidden
    .split(',')
    .map((text) => text.trim())
    .filter(Boolean)
    .map(Number);
  if (widths.length > 6 || !widths.every((w) => Number.isInteger(w) && w >= 1 && w <= 64))
    throw new Error('Hidden layers: up to six widths from 1 to 64, with commas between them, such as 16, 16.');
  const activate = choose('activation', ACTIVATIONS, settings.activation);
  const layers = widths.map((width, i) => new Linear(widths[i - 1] ?? 2, width));
  const last = new Linear(widths.at(-1) ?? 2, 1);
  const hiddenOf = (x: Tensor): Tensor[] => {
    const outputs: Tensor[] = [];
    for (const layer of layers) outputs.push(activate(layer.forward(outputs.at(-1) ?? x)));
    return outputs;
  };
  const logitsOf = (x: Tensor): Tensor => last.forward(hiddenOf(x).at(-1) ?? x);

  const all = [...layers, last];
  const parameters = all.flatMap((layer) => [...layer.parameters()]);
  const weights = all.map((layer) => layer.weight);
  const optimizer =
    settings.optimizer === 'adam'
      ? new Adam(parameters, { lr: settings.rate })
      : new SGD(parameters, { lr: settings.rate, momentum: 0.9 });
  const penaltyOf = (w: Tensor): Tensor => (settings.penalty === 'l1' ? w.abs().sum() : w.pow(2).sum().mul(0.5));

  // Captured at its first call; later calls replay the program. What a control moves is asked for anew at each.
  const strength = scalarTensor(() => settings.strength);
  const trainStep = compile(async (x: Tensor, y: Tensor) => {
    optimizer.zeroGrad();
    let loss: Tensor = bceWithLogits(logitsOf(x), y);
    if (settings.penalty !== 'none') for (const w of weights) loss = loss.add(penaltyOf(w).mul(strength));
    loss.backward();
    await optimizer.step();
    return loss;
  });
  // All that the pictures show in one row of numbers: one program, and one read.
  const look = compile(() =>
    noGrad(() => {
      const testLogits = logitsOf(test.x);
      const right = testLogits.gt(0).eq(test.y.gt(0.5)).to('float32').mean();
      const maps: Tensor[] = [logitsOf(grid).sigmoid(), ...hiddenOf(grid)];
      const parts: Tensor[] = [bceWithLogits(logitsOf(train.x), train.y), bceWithLogits(testLogits, test.y), right];
      return cat([...parts, ...maps.map((map) => map.T)].map((part: Tensor) => part.flatten()));
    }),
  );

  for (let step = 0; ; step++) {
    if (step % STEPS_A_FRAME === 0 || step === settings.steps) {
      const numbers = Float32Array.from(await (await look()).data());
      const [trainLoss = NaN, testLoss = NaN, accuracy = NaN] = numbers;
      let at = 3;
      const next = (size: number) => numbers.subarray(at, (at += size));
      yield {
        values: { step, 'training loss': trainLoss, 'test loss': testLoss, 'test accuracy': accuracy },
        reach,
        size: GRID,
        train: { xy: train.xy, classes: train.classes },
        test: { xy: test.xy, classes: test.classes },
        region: next(GRID * GRID),
        neurons: widths.map((width) => next(width * GRID * GRID)),
        widths,
      };
      if (step === settings.steps) return;
    }
    for (const group of optimizer.groups) group.lr = settings.rate;
    await trainStep(train.x, train.y);
  }
}
