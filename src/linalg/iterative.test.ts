// Iterative solvers: solutions, why they end, and what they refuse.
import { expect, test } from 'vitest';
import { type Tensor, tensor, zeros } from '../index.js';
import { conjugateGradient, gaussSeidel, incompleteCholesky, jacobi } from './index.js';

type Matrix = Tensor<number[], 'float64'>;
const vector = (data: readonly number[]): Matrix => tensor(Float64Array.from(data), { dtype: 'float64' });

/** The matrix of −u″ on a line of n points, and a right side. */
function poisson(n: number): { readonly a: Matrix; readonly b: Matrix } {
  const data = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    data[i * n + i] = 2.1;
    if (i > 0) data[i * n + i - 1] = -1;
    if (i < n - 1) data[i * n + i + 1] = -1;
  }
  return {
    a: tensor(data, { dtype: 'float64' }).reshape([n, n]),
    b: vector(Array.from({ length: n }, (_, i) => Math.sin(i + 1))),
  };
}

async function errorOf(a: Matrix, x: Tensor<readonly number[], 'float64'>, b: Matrix): Promise<number> {
  return b.sub(a.matmul(x)).abs().amax().item();
}

test('each solver comes to the solution, and its history says how', async () => {
  const { a, b } = poisson(30);
  const dense = (x: Tensor<readonly number[], 'float64'>): Matrix => a.matmul(x) as Matrix;
  const runs = {
    jacobi: await jacobi(a, b, { maxIterations: 2000 }),
    'jacobi of a function': await jacobi(dense, b, {
      diagonal: vector(new Array<number>(30).fill(2.1)),
      maxIterations: 2000,
    }),
    gaussSeidel: await gaussSeidel(a, b, { maxIterations: 2000 }),
    sor: await gaussSeidel(a, b, { omega: 1.6 }),
    cg: await conjugateGradient(a, b),
    'cg of a function': await conjugateGradient(dense, b),
    'cg, jacobi': await conjugateGradient(a, b, { preconditioner: 'jacobi' }),
    'cg, incomplete Cholesky': await conjugateGradient(a, b, { preconditioner: 'incompleteCholesky' }),
    'cg, own': await conjugateGradient(a, b, { preconditioner: (r) => r.div(2.1) as Matrix }),
  };
  for (const [name, { x, converged, reason, residuals, iterations }] of Object.entries(runs)) {
    expect([name, reason, converged]).toEqual([name, 'converged', true]);
    expect(residuals.length).toBe(iterations + 1);
    expect(residuals.at(-1)).toBeLessThanOrEqual(1e-8 * Math.hypot(...Array.from(await b.data())));
    expect(await errorOf(a, x, b)).toBeLessThan(1e-7);
  }
  expect(runs.gaussSeidel.iterations).toBeLessThan(0.6 * runs.jacobi.iterations);
  expect(runs.sor.iterations).toBeLessThan(0.5 * runs.gaussSeidel.iterations);
  expect(runs.cg.iterations).toBeLessThanOrEqual(30);
  // Of a tridiagonal matrix the incomplete factor is the factor.
  expect(runs['cg, incomplete Cholesky'].iterations).toBeLessThanOrEqual(2);
});

test('why they end', async () => {
  const { a, b } = poisson(10);
  const reasons = {
    few: (await jacobi(a, b, { maxIterations: 3 })).reason,
    diverged: (
      await jacobi(
        tensor(
          [
            [1, 9],
            [9, 1],
          ],
          { dtype: 'float64' },
        ) as unknown as Matrix,
        vector([1, 1]),
        { maxIterations: 500 },
      )
    ).reason,
    indefinite: (
      await conjugateGradient(
        tensor(
          [
            [1, 0],
            [0, -1],
          ],
          { dtype: 'float64' },
        ) as unknown as Matrix,
        vector([1, 2]),
      )
    ).reason,
    nan: (await conjugateGradient(a, vector([NaN, 1, 1, 1, 1, 1, 1, 1, 1, 1]))).reason,
    zero: await conjugateGradient(a, vector(new Array<number>(10).fill(0))),
    exact: (await gaussSeidel(a, b, { x0: (await conjugateGradient(a, b, { tolerance: 1e-14 })).x })).iterations,
  };
  expect(reasons).toMatchObject({
    few: 'maxIterations',
    diverged: 'diverged',
    indefinite: 'indefinite',
    nan: 'notFinite',
    zero: { converged: true, iterations: 0 },
    exact: 0,
  });
});

test('an incomplete factor has no more entries than the matrix', async () => {
  const a = tensor(
    [
      [4, 1, 0, 1],
      [1, 4, 1, 0],
      [0, 1, 4, 1],
      [1, 0, 1, 4],
    ],
    { dtype: 'float64' },
  );
  const l = await (await incompleteCholesky(a)).array();
  expect(l[3][1]).toBe(0);
  expect(l[3][0]).toBeCloseTo(0.5, 12);
});

test('what is refused', async () => {
  const { a, b } = poisson(4);
  const cases: [() => Promise<unknown>, string][] = [
    [() => jacobi(a, vector([1, 2])), 'jacobi: the matrix [4, 4] is not [2, 2], as the right side [2] needs.'],
    [() => jacobi((x) => x, b), 'jacobi: A is a function, whose diagonal is not known. Pass it: { diagonal }.'],
    [
      () =>
        jacobi(
          tensor(
            [
              [0, 1],
              [1, 0],
            ],
            { dtype: 'float64' },
          ) as unknown as Matrix,
          vector([1, 1]),
        ),
      "jacobi: element 0 of A's diagonal is 0.",
    ],
    [() => gaussSeidel(a, b, { omega: 2 }), 'gaussSeidel: omega is 2. Use a number between 0 and 2.'],
    [() => gaussSeidel(((x: Matrix) => x) as never, b), 'gaussSeidel: it needs the rows of A'],
    [() => conjugateGradient(a, b, { tolerance: -1 }), 'conjugateGradient: the tolerance is -1. Use 0 or more.'],
    [() => conjugateGradient(a, b, { maxIterations: 1.5 }), 'conjugateGradient: maxIterations is 1.5.'],
    [
      () => conjugateGradient(a, b, { preconditioner: 'ilu' as never }),
      "conjugateGradient: there is no preconditioner 'ilu'.",
    ],
    [() => conjugateGradient(a, b, { steps: 3 } as never), "conjugateGradient: there is no option 'steps'."],
    [() => conjugateGradient(() => vector([1]), b), 'conjugateGradient: what the function returned is float64 [1]'],
    [
      () => conjugateGradient(a, zeros([4, 1]) as never),
      'conjugateGradient: the right side [4, 1] is not a vector [n].',
    ],
    [() => incompleteCholesky(a.mul(-1) as Matrix), 'incompleteCholesky: element 0 of the diagonal is -2.1'],
  ];
  for (const [run, message] of cases) await expect(run()).rejects.toThrow(message);
});
