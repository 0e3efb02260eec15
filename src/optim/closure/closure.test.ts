// Optimisers with a closure: L-BFGS on PyTorch's path, states that go on bit for bit, second-order methods on small networks.
import { expect, test } from 'vitest';
import { type Tensor, compile, manualSeed, randn, setDevice, tensor } from '../../index.js';
import { diabetes } from '../../data/index.js';
import { Linear, Sequential, Tanh, crossEntropy, mseLoss } from '../../nn/index.js';
import { GaussNewton, LBFGS, type LBFGSOptions, LevenbergMarquardt, NewtonCG } from '../index.js';
import { fixture } from '../../../test/support/minima.js';

const NAMES: Readonly<Record<string, keyof LBFGSOptions>> = {
  max_iter: 'maxIter',
  max_eval: 'maxEval',
  history_size: 'historySize',
  line_search_fn: 'lineSearchFn',
};

interface Network {
  readonly parameters: Tensor[];
  loss(): Tensor;
}

type Values = readonly number[] | readonly number[][];

function network(name: string, dtype: 'float32' | 'float64'): Network {
  const given = fixture.lbfgs[name];
  const made = (values: Values, requiresGrad = false): Tensor =>
    tensor(values as never, { dtype, requiresGrad }) as unknown as Tensor;
  const [w1, b1, w2, b2] = given.start.map((values) => made(values, true));
  const [x, y] = [made(given.x), made(given.y)];
  return {
    parameters: [w1, b1, w2, b2],
    loss: () => {
      const hidden = (x.matmul(w1.T) as Tensor).add(b1).tanh() as Tensor;
      const fit = (hidden.matmul(w2.T) as Tensor).add(b2).sub(y).square().mean() as Tensor;
      const sizes = [w1, b1, w2, b2].map((p) => p.square().sum() as Tensor);
      return fit.add(sizes.reduce((sum, size) => sum.add(size) as Tensor).mul(given.ridge)) as Tensor;
    },
  };
}

const optionsOf = (name: string): Partial<LBFGSOptions> =>
  Object.fromEntries(Object.entries(fixture.lbfgs[name].options).map(([key, value]) => [NAMES[key] ?? key, value]));

async function numbersOf(parameters: readonly Tensor[]): Promise<number[]> {
  return (await Promise.all(parameters.map((p) => p.data()))).flatMap((data) => Array.from(data as ArrayLike<number>));
}

function closureOf(optimizer: { zeroGrad(): void }, loss: () => Tensor): () => Tensor {
  return () => {
    optimizer.zeroGrad();
    const value = loss();
    value.backward();
    return value;
  };
}

test.each(Object.keys(fixture.lbfgs))(
  'LBFGS, %s: fifty steps on the path of PyTorch, plain and compiled',
  async (name) => {
    for (const isCompiled of [false, true]) {
      const { parameters, loss } = network(name, 'float64');
      const optimizer = new LBFGS(parameters, optionsOf(name));
      const plain = closureOf(optimizer, loss);
      const closure = isCompiled ? compile(plain) : plain;
      let evaluations = 0;
      for (const [step, wanted] of fixture.lbfgs[name].path.entries()) {
        const report = await optimizer.step(closure);
        evaluations += report.evaluations;
        // Rounding grows on the way, for PyTorch as well.
        const [drift, driftOfParameters] = wanted.drift;
        const off = Math.abs(report.loss - wanted.loss) / wanted.loss;
        expect(off, `loss of step ${step}`).toBeLessThan(1e-10 + 30 * drift);
        if (drift < 1e-9) expect(evaluations, `step ${step}`).toBe(wanted.evaluations);
        if (wanted.parameters === undefined) continue;
        const now = await numbersOf(parameters);
        const furthest = Math.max(...now.map((value, i) => Math.abs(value - wanted.parameters![i])));
        expect(furthest, `parameters after step ${step}`).toBeLessThan(1e-10 + 30 * driftOfParameters);
      }
    }
  },
);

test('LBFGS in float32: the same path for the first steps', async () => {
  const name = 'strong Wolfe, four iterations';
  const { parameters, loss } = network(name, 'float32');
  const optimizer = new LBFGS(parameters, optionsOf(name));
  for (const { loss: wanted } of fixture.lbfgs[name].path.slice(0, 5)) {
    const report = await optimizer.step(closureOf(optimizer, loss));
    expect(Math.abs(report.loss - wanted) / wanted).toBeLessThan(1e-3);
  }
});

const data = (() => {
  manualSeed(4);
  const x: Tensor = randn([40, 2]);
  const y: Tensor = x
    .slice(1, 0, 1)
    .sin()
    .add(x.slice(1, 1, 2).square().mul(0.5));
  return { x, y: y.detach() as Tensor };
})();

const smallNetwork = () => {
  manualSeed(2);
  return new Sequential(new Linear(2, 6), new Tanh(), new Linear(6, 1));
};

type Stepper = { step(closure: () => Tensor): Promise<{ loss: number; value: number; reason: string }> };
const makers = {
  LBFGS: (p: Tensor[]) => new LBFGS(p, { maxIter: 3, lineSearchFn: 'strong_wolfe', historySize: 4 }),
  NewtonCG: (p: Tensor[]) => new NewtonCG(p),
  GaussNewton: (p: Tensor[]) => new GaussNewton(p, { solver: 'cg' }),
  LevenbergMarquardt: (p: Tensor[]) => new LevenbergMarquardt(p),
  'LevenbergMarquardt by products': (p: Tensor[]) => new LevenbergMarquardt(p, { solver: 'cg' }),
  'LevenbergMarquardt by singular values': (p: Tensor[]) => new LevenbergMarquardt(p, { solver: 'exact' }),
} as const;

/** The closure that an optimiser takes: loss and gradients, the loss, or the residuals. */
function closureFor(
  name: string,
  optimizer: { zeroGrad(): void },
  model: ReturnType<typeof smallNetwork>,
): () => Tensor {
  const residuals = (): Tensor => model.forward(data.x as Tensor<[number, 2]>).sub(data.y) as Tensor;
  if (name === 'LBFGS') return closureOf(optimizer, () => residuals().square().mean() as Tensor);
  return name === 'NewtonCG' ? () => residuals().square().mean() as Tensor : residuals;
}

test.each(Object.keys(makers) as (keyof typeof makers)[])('%s: a saved state goes on bit for bit', async (name) => {
  const steps = async (optimizer: Stepper, closure: () => Tensor, count: number): Promise<void> => {
    for (let i = 0; i < count; i++) await optimizer.step(closure);
  };
  const model = smallNetwork();
  const whole = makers[name]([...model.parameters()]);
  const closure = closureFor(name, whole, model);
  await steps(whole, closure, 4);
  const state = whole.stateDict();
  const weights = await Promise.all([...model.parameters()].map((p) => p.data()));
  await steps(whole, closure, 4);

  const other = smallNetwork();
  [...other.parameters()].forEach((p, i) =>
    p.assign_(tensor(weights[i] as Float32Array, { shape: p.shape }) as unknown as Tensor),
  );
  const resumed = makers[name]([...other.parameters()]);
  const packed = JSON.parse(JSON.stringify({ step: state.step, groups: state.groups })) as typeof state;
  resumed.loadStateDict({ ...packed, tensors: state.tensors });
  expect(Object.keys(resumed.stateDict().tensors)).toEqual(Object.keys(state.tensors));
  await steps(resumed, closureFor(name, resumed, other), 4);
  expect(resumed.stepCount).toBe(8);
  expect(await numbersOf([...other.parameters()])).toEqual(await numbersOf([...model.parameters()]));
  const [a, b] = [whole.stateDict().tensors, resumed.stateDict().tensors];
  for (const key of Object.keys(a)) expect(await b[key].data()).toEqual(await a[key].data());
});

test.each(Object.keys(makers) as (keyof typeof makers)[])('%s makes a loss small', async (name) => {
  const model = smallNetwork();
  const optimizer = makers[name]([...model.parameters()]) as Stepper & { zeroGrad(): void };
  const closure = closureFor(name, optimizer, model);
  const { loss } = await optimizer.step(closure);
  let last = loss;
  for (let i = 0; i < 40; i++) last = (await optimizer.step(closure)).value;
  expect(last / loss).toBeLessThan(0.03);
});

test.each(['float64', 'float32'] as const)(
  'rows of data in %s: the path of all residuals at once and of singular values',
  async (dtype) => {
    const paths: number[][] = [];
    for (const way of ['rows', 'normal', 'exact'] as const) {
      const model = smallNetwork().to(dtype);
      const [x, y] = [data.x.to(dtype), data.y.to(dtype)] as unknown as [Tensor<[number, 2]>, Tensor];
      const optimizer = new LevenbergMarquardt(model.parameters(), {
        maxIterations: 6,
        solver: way === 'rows' ? null : way,
      });
      const { value, iterations } =
        way === 'rows'
          ? await optimizer.step((u, v) => model.forward(u).sub(v), [x, y])
          : await optimizer.step(() => model.forward(x).sub(y));
      paths.push([iterations, value, ...(await numbersOf([...model.parameters()]))]);
    }
    for (const path of paths)
      for (const [i, value] of path.entries()) expect(value).toBeCloseTo(paths[0][i], dtype === 'float64' ? 8 : 4);
  },
);

test('rows whose residuals depend on other rows are refused, and so are rows of different numbers', async () => {
  const model = smallNetwork();
  const x = data.x as Tensor<[number, 2]>;
  const optimizer = new LevenbergMarquardt(model.parameters());
  await expect(optimizer.step((u, v) => model.forward(u).sub(v).sub(v.mean()), [x, data.y])).rejects.toThrow(
    'LevenbergMarquardt: residuals of single rows are others than those of all rows at once',
  );
  await expect(optimizer.step((u, v) => model.forward(u).sub(v), [x, data.y.slice(0, 0, 3) as Tensor])).rejects.toThrow(
    'LevenbergMarquardt: rows[1] has shape [3, 1], and rows[0] [40, 2]. Give the same number of rows in each.',
  );
});

test.each([1, 2, 3])(
  'Levenberg-Marquardt on diabetes, seed %i: a loss that damping in the units of columns does not reach',
  async (seed) => {
    const set = diabetes();
    const { x: raw, y: target } = set.batch(Array.from({ length: set.length }, (_, i) => i));
    const x = raw
      .to('float64')
      .sub(raw.to('float64').mean(0))
      .div(raw.to('float64').std(0))
      .detach() as unknown as Tensor<[number, 10]>;
    const targets = target.reshape([set.length, 1]).to('float64');
    const y = targets.sub(targets.mean(0)).div(targets.std(0)).detach() as unknown as Tensor<[number, 1]>;
    manualSeed(seed);
    const model = new Sequential(new Linear(10, 8), new Tanh(), new Linear(8, 1)).to('float64');
    const optimizer = new LevenbergMarquardt(model.parameters(), { maxIterations: 40 });
    const { value, iterations } = await optimizer.step((u, v) => model.forward(u).sub(v), [x, y]);
    expect(iterations).toBe(40);
    expect((2 * value) / set.length).toBeLessThan(0.3); // 0.32 with the scale of Moré's, which SciPy calls x_scale='jac'
  },
);

test('NewtonCG takes any loss: a classifier', async () => {
  manualSeed(3);
  const model = new Sequential(new Linear(2, 8), new Tanh(), new Linear(8, 3));
  const labels = data.x.abs().argmax(1) as unknown as Tensor<[number], 'int32'>;
  const optimizer = new NewtonCG(model.parameters(), { maxIterations: 20 });
  const { loss, value, iterations } = await optimizer.step(
    () => crossEntropy(model.forward(data.x as Tensor<[number, 2]>), labels) as unknown as Tensor,
  );
  expect(value).toBeLessThan(0.1 * loss);
  expect(iterations).toBeGreaterThan(3);
});

test('a step that leads to NaN is taken back, and says so', async () => {
  const p = tensor([2], { requiresGrad: true, dtype: 'float64' }) as unknown as Tensor;
  const optimizer = new LBFGS([p], { lr: 100 });
  const report = await optimizer.step(closureOf(optimizer, () => p.log().mul(-1).add(p.mul(2)).sum() as Tensor));
  expect(report.reason).toBe('not-finite');
  expect(await p.data()).toEqual(Float64Array.of(2));
  p.assign_(tensor([-1], { dtype: 'float64' }) as unknown as Tensor);
  const next = await optimizer.step(closureOf(optimizer, () => p.log().sum() as Tensor));
  expect([next.reason, next.evaluations]).toEqual(['not-finite', 1]);
  expect(await p.data()).toEqual(Float64Array.of(-1));
});

test('reasons of a step', async () => {
  const p = tensor([3, 4], { requiresGrad: true, dtype: 'float64' }) as unknown as Tensor;
  const optimizer = new LBFGS([p], { lineSearchFn: 'strong_wolfe' });
  const closure = closureOf(optimizer, () => p.square().sum() as Tensor);
  expect((await optimizer.step(closure)).reason).toBe('gradient');
  expect((await optimizer.step(closure)).evaluations).toBe(1);
  optimizer.groups[0].lr = 0.5; // may be changed between steps
  expect(optimizer.stateDict().groups[0]).toMatchObject({ lr: 0.5, count: 1 });
});

const parameter = (): Tensor[] => [tensor([1, 2], { requiresGrad: true }) as unknown as Tensor];
test.each([
  [() => new LBFGS([]), 'LBFGS: no parameters. Pass model.parameters().'],
  [() => new LBFGS(new Linear(1, 1) as never), 'is a module. Pass its parameters: model.parameters().'],
  [
    () => new LBFGS(parameter(), { line_search_fn: 'strong_wolfe' } as never),
    "LBFGS: there is no option 'line_search_fn'. Did you mean lineSearchFn?",
  ],
  [() => new LBFGS(parameter(), { lineSearchFn: 'wolfe' as never }), "LBFGS: lineSearchFn is 'wolfe'."],
  [() => new LBFGS(parameter(), { maxIter: 0 }), 'LBFGS: maxIter is 0. Use a whole number of at least 1.'],
  [() => new LBFGS(parameter(), { lr: -1 }), 'LBFGS: lr is -1. Use a number of at least 0.'],
  [
    () => new LBFGS([parameter()[0].mul(2) as Tensor]),
    'was computed. Pass parameters, or tensors made with requiresGrad.',
  ],
  [
    () => new GaussNewton(parameter(), { solver: 'svd' as never }),
    "GaussNewton: solver is 'svd'. Use 'normal', 'exact' or 'cg'.",
  ],
  [() => new LevenbergMarquardt(parameter(), { damping: 0 }), 'LevenbergMarquardt: damping is 0.'],
  [
    () => new LBFGS(parameter()).loadStateDict(new LevenbergMarquardt(parameter()).stateDict()),
    'loadStateDict: maxIterations is 1. Load it into the LBFGS that saved it.',
  ],
])('wrong call %#', (call, message) => {
  expect(call).toThrow(message);
});

test.each([
  [() => new LBFGS(parameter()).step(undefined as never), 'LBFGS: the closure is missing. Pass a function.'],
  [
    () => new LBFGS(parameter()).step(() => 3 as never),
    'LBFGS: what the closure returned is 3. Return the loss, a tensor.',
  ],
  [
    () => new LBFGS(parameter()).step(() => tensor([1, 2]) as never),
    'LBFGS: the closure returned shape [2], not one number. Take its mean().',
  ],
  [
    () => new LBFGS(parameter()).step(() => tensor(1) as never),
    'LBFGS: no parameter has a gradient after the closure.',
  ],
  [
    () => new LevenbergMarquardt(parameter()).step(() => tensor([1, 2]), 3 as never),
    'LevenbergMarquardt: rows is 3. Give a list of tensors.',
  ],
  [
    () => new GaussNewton(parameter()).step(() => tensor([1, 2]), [3] as never),
    'GaussNewton: rows[0] is 3. Give tensors whose first dimension counts rows.',
  ],
  [
    () => new NewtonCG(parameter()).step(() => tensor([1, 2]) as never),
    'NewtonCG: the function returned shape [2], not one number.',
  ],
])('wrong step %#', async (call, message) => {
  await expect(call()).rejects.toThrow(message);
});

test('mseLoss of a module through a closure, on the reference device', async () => {
  setDevice('reference');
  const model = smallNetwork();
  const optimizer = new LBFGS(model.parameters(), { lineSearchFn: 'strong_wolfe' });
  const x = randn([20, 2]);
  const y = x.square().sum(1, { keepdim: true }).detach();
  const report = await optimizer.step(closureOf(optimizer, () => mseLoss(model.forward(x), y) as unknown as Tensor));
  expect(report.value).toBeLessThan(0.3 * report.loss);
  setDevice('cpu');
});
