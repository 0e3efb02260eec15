import { type Tensor, compile, manualSeed } from 'nabla';
import { HostRandom, digits } from 'nabla/data';
import { Linear, crossEntropy, init } from 'nabla/nn';
import { SGD } from 'nabla/optim';

export interface Settings {
  activation: string;
  start: string;
  /** σ where the weights are normal by hand. */
  deviation: number;
  rate: number;
  steps: number;
  seed: number;
}

const LAYERS = 10;
const WIDTH = 100;
const SAMPLES = 128;
const BINS = 40;

const ACTIVATIONS: Record<string, (x: Tensor) => Tensor> = {
  tanh: (x) => x.tanh(),
  relu: (x) => x.relu(),
  sigmoid: (x) => x.sigmoid(),
};
const STARTS: Record<string, (w: Tensor, deviation: number) => void> = {
  zero: (w) => void init.zeros_(w),
  normal: (w, deviation) => void init.normal_(w, 0, deviation),
  xavier: (w) => void init.xavierNormal_(w),
  kaiming: (w) => void init.kaimingNormal_(w),
  orthogonal: (w) => void init.orthogonal_(w),
};

function choose<T>(what: string, table: Record<string, T>, name: string): T {
  const chosen = table[name];
  if (chosen === undefined) throw new Error(`${what}: '${name}'. Use one of ${Object.keys(table).join(', ')}.`);
  return chosen;
}

const mean = (numbers: Float32Array) => numbers.reduce((sum, v) => sum + v, 0) / numbers.length;
const meanSquare = (numbers: Float32Array) => numbers.reduce((sum, v) => sum + v * v, 0) / numbers.length;

/** How many numbers lie in each of equal pieces of a range; what lies outside is left out. */
function histogram(numbers: Float32Array, [low, high]: readonly number[]): number[] {
  const counts = new Array<number>(BINS).fill(0);
  for (const v of numbers)
    if (v >= low && v <= high) counts[Math.min(BINS - 1, Math.floor(((v - low) / (high - low)) * BINS))]++;
  return counts;
}

/** Ten layers that learn digits: what they hand on and what comes back, as histograms, a training step a frame. */
export async function* run(settings: Settings) {
  manualSeed(settings.seed);
  const activate = choose('activation', ACTIVATIONS, settings.activation);
  const start = choose('start', STARTS, settings.start);
  const set = digits();
  const random = new HostRandom(settings.seed);
  const layers = Array.from({ length: LAYERS }, (_, i) => new Linear<number, number>(i === 0 ? 64 : WIDTH, WIDTH));
  const head = new Linear<number, number>(WIDTH, 10);
  for (const { weight, bias } of [...layers, head]) {
    start(weight, settings.deviation);
    if (bias) init.zeros_(bias);
  }
  const parameters = [...layers, head].flatMap((layer) => [...layer.parameters()]);
  const optimizer = new SGD(parameters, { lr: settings.rate });
  const outputsOf = (x: Tensor): Tensor[] => {
    const outputs: Tensor[] = [];
    for (const layer of layers) outputs.push(activate(layer.forward(outputs.at(-1) ?? x)));
    return outputs;
  };
  const update = compile(async (x: Tensor, y: Tensor<[number], 'int32'>) => {
    optimizer.zeroGrad();
    const outputs = outputsOf(x).map((output) => output.retainGrad());
    const loss: Tensor = crossEntropy(head.forward(outputs[LAYERS - 1]), y);
    loss.backward();
    const found = outputs.flatMap((output) => [output.detach(), output.grad ?? output.mul(0)]);
    // Computed together with the update: afterwards the weights are others.
    for (const one of found) one.keep();
    await optimizer.step();
    return [loss, ...found];
  });

  const range = settings.activation === 'relu' ? [0, 4] : settings.activation === 'tanh' ? [-1, 1] : [0, 1];
  const losses: number[] = [];
  for (let step = 0; step <= settings.steps; step++) {
    const { x, y } = set.batch(Array.from({ length: SAMPLES }, () => random.below(set.length)));
    // Zero mean and unit variance, about.
    const input: Tensor = x.reshape([SAMPLES, 64]).sub(0.3).div(0.38);
    const [loss, ...found] = await update(input, y);
    losses.push(await loss.item());
    const numbers = await Promise.all(found.map((t) => t.data()));
    const each = Array.from({ length: LAYERS }, (_, layer) => {
      const [activations, gradients] = [numbers[2 * layer], numbers[2 * layer + 1]];
      return {
        activations: histogram(activations, range),
        // On a logarithmic axis: a gradient of 10⁻⁸ is a place like any other.
        gradients: histogram(
          gradients.map((g) => Math.log10(Math.abs(g) + 1e-12)),
          [-12, 0],
        ),
        variance: meanSquare(activations) - mean(activations) ** 2,
        gradient: Math.sqrt(meanSquare(gradients)),
      };
    });
    yield {
      values: {
        step,
        loss: losses[step],
        'variance of layer 1': each[0].variance,
        'of layer 10': each[LAYERS - 1].variance,
        'gradient at layer 1': each[0].gradient,
        'at layer 10': each[LAYERS - 1].gradient,
      },
      layers: each,
      losses,
      range,
    };
  }
}
