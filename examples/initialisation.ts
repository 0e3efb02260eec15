// Starting weights decide whether a deep network can learn: ten layers of 500 neurons, unit Gaussian input, and five ways
// to draw the weights. For each layer: the variance of its outputs, a histogram of them, and the size of its weights' gradient.
// Small weights let outputs and gradients vanish. Big ones saturate tanh: the slope of most neurons is near 0, and what little
// gets through is multiplied by the big weights of every layer below, so that the gradient depends on the depth all the more.
//   npm run build && node --experimental-strip-types examples/initialisation.ts     (Node 22), or through any TypeScript runner

import { type Tensor, manualSeed, randn, realize } from 'nabla';
import { Linear, ReLU, Sequential, Tanh, init } from 'nabla/nn';

const [LAYERS, WIDTH, SAMPLES] = [10, 500, 500];

const experiments = [
  { name: 'tanh, small numbers: σ = 0.01', activation: Tanh, fill: (w: Tensor) => init.normal_(w, 0, 0.01) },
  { name: 'tanh, big numbers: σ = 1', activation: Tanh, fill: (w: Tensor) => init.normal_(w, 0, 1) },
  { name: 'tanh, Xavier: σ² = 1/n', activation: Tanh, fill: (w: Tensor) => init.xavierNormal_(w) },
  { name: 'ReLU, Xavier: σ² = 1/n', activation: ReLU, fill: (w: Tensor) => init.xavierNormal_(w) },
  { name: 'ReLU, Kaiming: σ² = 2/n', activation: ReLU, fill: (w: Tensor) => init.kaimingNormal_(w) },
];

/** How often numbers fall into equal pieces of [low, high], drawn with blocks of eight heights. */
function histogram(numbers: Float32Array, low: number, high: number, pieces = 40): string {
  const counts = new Array<number>(pieces).fill(0);
  for (const x of numbers) {
    const piece = Math.floor(((x - low) / (high - low)) * pieces);
    counts[Math.min(pieces - 1, Math.max(0, piece))]++;
  }
  const most = Math.max(...counts);
  return counts.map((count) => (count === 0 ? ' ' : '▁▂▃▄▅▆▇█'[Math.round((count / most) * 7)])).join('');
}

function variance(numbers: Float32Array): number {
  const mean = numbers.reduce((a, b) => a + b, 0) / numbers.length;
  return numbers.reduce((sum, x) => sum + (x - mean) ** 2, 0) / numbers.length;
}

for (const { name, activation, fill } of experiments) {
  manualSeed(0);
  const linears = Array.from({ length: LAYERS }, () => new Linear(WIDTH, WIDTH, { bias: false }));
  const model = new Sequential(...linears.flatMap((linear) => [linear, new activation()]));
  for (const { weight } of linears) fill(weight);

  const outputs: Tensor[] = [];
  model.apply((m) => {
    if (m instanceof activation) m.registerForwardHook((_module, _inputs, y) => void outputs.push(y));
  });
  // A loss that pushes every output about alike
  const loss = model
    .forward(randn([SAMPLES, WIDTH]))
    .mul(randn([SAMPLES, WIDTH]))
    .sum();
  loss.backward();
  const gradients = linears.flatMap(({ weight }) => weight.grad ?? []);
  realize(...outputs, ...gradients);

  console.log(`\n${name}`);
  console.log('layer  variance  gradient  outputs');
  for (const [i, output] of outputs.entries()) {
    const numbers = await output.data();
    const size = Math.sqrt(variance(await gradients[i].data()));
    const [low, high] = activation === Tanh ? [-1, 1] : [0, 3];
    const columns = [`${i + 1}`.padStart(5), ...[variance(numbers), size].map((v) => v.toExponential(2).padEnd(8))];
    const shown = activation === Tanh ? numbers : numbers.filter((x) => x > 0); // the killed half would dwarf the rest
    console.log(`${columns.join('  ')}  ${low} ${histogram(shown, low, high)} ${high}`);
  }
}
