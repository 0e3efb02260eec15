// leastSquares against SciPy: the standard test problems, robust losses, and what it does where there is nothing to find.
import { describe, expect, test } from 'vitest';
import { type Tensor, arange, tensor } from '../../index.js';
import { leastSquares, type LeastSquaresMethod, type RobustLoss } from '../index.js';
import { RESIDUALS, fixture, wide } from '../../../test/support/minima.js';

type Vector = Tensor<[number], 'float64'>;
const median = (list: number[]): number => list.toSorted((a, b) => a - b)[list.length >> 1];

describe.each(['lm', 'levenberg'] as const)('%s', (method) => {
  const ratios: number[] = [];
  const names = Object.keys(fixture.problems).filter(
    (name) => method === 'lm' || !['meyer', 'rosenbrock100'].includes(name),
  );
  test.each(names)('%s: the minimum that SciPy knows', async (name) => {
    const { start, scipy } = fixture.problems[name];
    const { lm, trf } = scipy;
    const found = await leastSquares(RESIDUALS[name], [...start], { method, maxEvaluations: 2000 });
    ratios.push(found.evaluations / lm.evaluations);
    const best = Math.min(lm.value as number, trf.value as number);
    expect(2 * found.value, `${found.reason} after ${found.evaluations}`).toBeLessThan(best * (1 + 1e-6) + 1e-8);
    expect(found.converged).toBe(true);
  });
  test('with at most 1.5 times the evaluations of MINPACK in the median', () => {
    expect(ratios.length).toBe(names.length);
    expect(median(ratios)).toBeLessThanOrEqual(1.5);
  });
});

const { t, y, scale, fits } = fixture.robust;
const line = (p: Vector): Vector =>
  wide(t)
    .mul(p.slice(0, 0, 1))
    .add(p.slice(0, 1, 2))
    .sub(wide(y)) as Vector;

test.each(Object.keys(fits) as RobustLoss[])(
  'loss %s: the line that SciPy fits, by every method and solver',
  async (loss) => {
    const wanted = fits[loss];
    const methods: LeastSquaresMethod[] = loss === 'linear' ? ['lm', 'levenberg', 'gauss-newton'] : ['lm', 'levenberg'];
    for (const method of methods)
      for (const solver of ['exact', 'cg'] as const) {
        const tight = { valueTolerance: 1e-14, stepTolerance: 1e-12, gradientTolerance: 1e-10 };
        const found = await leastSquares(line, [2, 0], { method, solver, loss, lossScale: scale, ...tight });
        const x = (await found.x.array()) as number[];
        for (const [i, value] of wanted.x.entries())
          expect(x[i], `${method}, ${solver}: ${found.reason}`).toBeCloseTo(value, 5);
        expect(found.value).toBeCloseTo(wanted.cost, 8);
      }
  },
);

test('Gauss-Newton solves a linear problem in one step, with fewer residuals than unknowns too', async () => {
  const found = await leastSquares(line, [5, 5], { method: 'gauss-newton' });
  expect([found.iterations, found.reason, found.jacobians]).toEqual([1, 'gradient', 2]);
  const wideProblem = await leastSquares((x: Vector) => x.sum().sub(3).reshape([1]) as never, [0, 0, 0], {
    method: 'gauss-newton',
  });
  expect(await wideProblem.x.array()).toEqual([1, 1, 1].map((v) => expect.closeTo(v, 9))); // the nearest of all solutions
});

test('a curve fitted to data: the parameters in their own form, residuals and history', async () => {
  const time: Vector = arange(0, 10, 1, { dtype: 'float64' }) as Vector;
  const data = time.mul(-0.5).exp().mul(3).add(1).detach();
  const found = await leastSquares((p) => p.height.mul(time.mul(p.rate).neg().exp()).add(p.floor).sub(data), {
    height: tensor(1, { dtype: 'float64' }),
    rate: tensor(0.1, { dtype: 'float64' }),
    floor: tensor(0, { dtype: 'float64' }),
  });
  expect(found.converged).toBe(true);
  expect(await found.x.height.item()).toBeCloseTo(3, 8);
  expect(await found.x.rate.item()).toBeCloseTo(0.5, 8);
  expect(found.residuals.shape).toEqual([10]);
  expect(found.history.length).toBe(found.iterations + 1);
});

test.each([
  ['NaN at the start', (x: Vector) => x.log(), [-1, -2], ['not-finite']],
  ['no dependence', (x: Vector) => x.mul(0).add(1), [1, 2], ['gradient']],
  ['columns of zeros', (x: Vector) => x.slice(0, 0, 1).sub(3), [0, 7], ['gradient']],
  ['twice the same unknown', (x: Vector) => x.sum().sub(3).reshape([1]), [0, 0], ['gradient', 'value', 'step']],
  ['a border', (x: Vector) => x.log().sub(1), [20], ['gradient', 'value', 'step']],
  ['infinite slope', (x: Vector) => x.sqrt(), [0], ['not-finite', 'gradient']],
  ['no minimum', (x: Vector) => x.neg().exp(), [0], ['gradient', 'value', 'step']],
] as const)('%s: an answer or a named reason, by every method', async (_, fn, start, reasons) => {
  for (const method of ['lm', 'levenberg', 'gauss-newton'] as const)
    for (const solver of ['exact', 'cg'] as const) {
      const found = await leastSquares(fn as never, [...start], { method, solver, maxEvaluations: 500 });
      expect([...reasons, 'precision'], `${method}, ${solver}`).toContain(found.reason);
    }
});

test.each([
  [
    () => leastSquares(line, [1, 1], { method: 'LM' as never }),
    "leastSquares: method is 'LM'. Use 'gauss-newton', 'levenberg' or 'lm'.",
  ],
  [
    () => leastSquares(line, [1, 1], { loss: 'soft_l1' as never }),
    "leastSquares: loss is 'soft_l1'. Use 'linear', 'huber', 'softL1', 'cauchy' or 'arctan'.",
  ],
  [() => leastSquares(line, [1, 1], { lossScale: 0 }), 'leastSquares: lossScale is 0. Use a number above 0.'],
  [() => leastSquares(line, [1, 1], { f_scale: 1 } as never), "leastSquares: there is no option 'f_scale'."],
  [
    () => leastSquares((() => [1]) as never, [1]),
    'leastSquares: what the function returned is a list. Return a tensor of residuals.',
  ],
  [
    () => leastSquares((x) => x.gt(1), [1]),
    'leastSquares: the function returned bool, which has no gradient. Return float32 or float64.',
  ],
  [() => leastSquares(3 as never, [1]), 'leastSquares: the function is 3. Pass a function.'],
])('wrong call %#', async (call, message) => {
  await expect(call()).rejects.toThrow(message);
});

test('tensors from outside stay, also where they are the result', async () => {
  const y = wide([1, 2]).mul(1.5).detach();
  const given = wide([1, 2]);
  await leastSquares(() => given, [1], { maxEvaluations: 3 });
  await leastSquares(() => y, [1], { maxEvaluations: 3 });
  expect([await given.array(), await y.array()]).toEqual([
    [1, 2],
    [1.5, 3],
  ]);
});
