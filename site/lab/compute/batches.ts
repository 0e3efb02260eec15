import { type Tensor, compile, manualSeed, noGrad, tensor } from 'nabla';
import { HostRandom } from 'nabla/data';
import { SGD } from 'nabla/optim';

export interface Settings {
  /** The batch size under your hand; beside it 1 and all of the samples. */
  batch: number;
  rate: number;
  noise: number;
  /** Samples that each may see. */
  samples: number;
  seed: number;
}

const POINTS = 256;
const SIZE = 60;
const REACH = 3;
const DRAWS = 400;
const TRUE = [1.2, -0.6];

type Inputs = Tensor<[number, 2]>;
type Targets = Tensor<[number, 1]>;

/** A line is fitted by gradient descent with three sizes of batches; each frame all have seen as many samples more. */
export async function* run(settings: Settings) {
  manualSeed(settings.seed);
  const random = new HostRandom(settings.seed);
  const inputs = Float32Array.from({ length: 2 * POINTS }, (_, i) => (i % 2 === 0 ? random.normal() : 1));
  const targets = Float32Array.from(
    { length: POINTS },
    (_, i) => TRUE[0] * inputs[2 * i] + TRUE[1] + settings.noise * random.normal(),
  );
  const x: Inputs = tensor(inputs, { shape: [POINTS, 2] });
  const y: Targets = tensor(targets, { shape: [POINTS, 1] });
  const rowsOf = (indices: Int32Array): [Inputs, Targets] => {
    const chosen = tensor(indices, { dtype: 'int32' });
    return [x.indexSelect(0, chosen), y.indexSelect(0, chosen)];
  };
  const drawn = (size: number): Int32Array => Int32Array.from({ length: size }, () => random.below(POINTS));

  const axis = (i: number) => REACH * ((2 * (i + 0.5)) / SIZE - 1);
  const grid = tensor(
    Float32Array.from({ length: 2 * SIZE * SIZE }, (_, i) =>
      axis(i < SIZE * SIZE ? i % SIZE : Math.floor(i / SIZE) - SIZE),
    ),
    { shape: [2, SIZE * SIZE] },
  );
  const surface = Float32Array.from(await x.matmul(grid).sub(y).pow(2).mean(0).data());

  const create = (size: number) => {
    const weights: Tensor<[2, 1]> = tensor([[-2.4], [2.2]], { requiresGrad: true });
    const optimizer = new SGD([weights], { lr: settings.rate });
    const step = compile(async (inputs: Inputs, targets: Targets) => {
      optimizer.zeroGrad();
      inputs.matmul(weights).sub(targets).pow(2).mean().backward();
      await optimizer.step();
    });
    const path: [number, number][] = [[-2.4, 2.2]];
    return { size, weights, step, path, losses: [] as number[], seen: 0 };
  };
  const runs = [1, settings.batch, POINTS].map(create);

  // The noise of the gradient where all begin: its standard deviation over many batches.
  const begin: Tensor<[2, 1]> = tensor([[-2.4], [2.2]]);
  const gradients = x.matmul(begin).sub(y).mul(x).mul(2); // one row a sample
  const deviation = async (size: number) => {
    const means = Array.from({ length: DRAWS }, () =>
      gradients.indexSelect(0, tensor(drawn(size), { dtype: 'int32' })).mean(0),
    );
    const rows = await Promise.all(means.map((mean) => mean.data()));
    const centre = [0, 1].map((c) => rows.reduce((sum, row) => sum + row[c], 0) / DRAWS);
    return Math.sqrt(rows.reduce((sum, row) => sum + (row[0] - centre[0]) ** 2 + (row[1] - centre[1]) ** 2, 0) / DRAWS);
  };
  const deviations = [await deviation(1), await deviation(settings.batch)];
  const at: number[] = [];

  for (let seen = 0; ; seen += POINTS) {
    at.push(seen);
    for (const one of runs) {
      while (one.seen + one.size <= seen) {
        await one.step(...(one.size === POINTS ? ([x, y] as const) : rowsOf(drawn(one.size))));
        one.seen += one.size;
        const [a, b] = await one.weights.detach().data();
        one.path.push([a, b]);
      }
      one.losses.push(await noGrad(() => x.matmul(one.weights).sub(y).pow(2).mean()).item());
    }
    yield {
      values: {
        'samples seen': seen,
        'steps of yours': runs[1].path.length - 1,
        'its loss': runs[1].losses.at(-1) ?? NaN,
        'gradient noise of one sample': Number(deviations[0].toPrecision(3)),
        'of your batch': Number(deviations[1].toPrecision(3)),
      },
      surface,
      size: SIZE,
      reach: REACH,
      runs: runs.map(({ size, path, losses }) => ({ size, path: [...path], losses: [...losses] })),
      at: [...at],
    };
    if (seen >= settings.samples) return;
  }
}
