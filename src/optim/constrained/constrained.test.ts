// Constraints: problems of Hock and Schittkowski, the dual of a support vector machine, lasso and consensus by ADMM; and what is said
// where there is no solution.
import { expect, test } from 'vitest';
import { type Tensor, cat, tensor } from '../../index.js';
import { type ConstrainedMethod, admmConsensus, admmLasso, minimizeConstrained } from '../index.js';
import { fixture, wide } from '../../../test/support/minima.js';

type Vector = Tensor<[number], 'float64'>;
const el = (x: Vector, i: number): Vector => x.slice(0, i, i + 1) as Vector;
const els = (x: Vector): Vector[] => Array.from({ length: x.size }, (_, i) => el(x, i));
const METHODS: readonly ConstrainedMethod[] = ['augmented-lagrangian', 'primal-dual'];

const near = async (x: Vector, wanted: readonly number[], tolerance: number): Promise<void> => {
  const off = Math.max(...Array.from(await x.data(), (value, i) => Math.abs(value - wanted[i])));
  expect(off).toBeLessThan(tolerance);
};

test.each(METHODS)('%s: the point of a line nearest to 0, with its multiplier', async (method) => {
  const found = await minimizeConstrained((x) => x.square().sum(), [3, -1], {
    method,
    equalities: (x) => x.sum().sub(1),
  });
  expect([found.reason, found.converged]).toEqual(['optimal', true]);
  await near(found.x, [0.5, 0.5], 1e-7);
  expect(found.multipliers.equalities[0]).toBeCloseTo(-1, 6);
  // A constraint that is loose has no multiplier.
  const loose = await minimizeConstrained((x) => x.square().sum(), [3, -1], { method, inequalities: (x) => x.sub(1) });
  await near(loose.x, [0, 0], 1e-5);
  expect(Math.max(...loose.multipliers.inequalities)).toBeLessThan(1e-5);
});

test.each(METHODS)('%s: Rosen and Suzuki (Hock and Schittkowski 43)', async (method) => {
  const { x: wanted, value } = fixture.constrained.hs43;
  const found = await minimizeConstrained(
    (x) => {
      const [a, b, c, d] = els(x);
      return x
        .square()
        .mul(wide([1, 1, 2, 1]))
        .sum()
        .sub(a.add(b).mul(5))
        .sub(c.mul(21))
        .add(d.mul(7));
    },
    [0, 0, 0, 0],
    {
      method,
      inequalities: (x) => {
        const [a, b, c, d] = els(x);
        const s = x.square();
        return cat([
          s.sum().add(a).sub(b).add(c).sub(d).sub(8),
          s
            .mul(wide([1, 2, 1, 2]))
            .sum()
            .sub(a)
            .sub(d)
            .sub(10),
          s
            .mul(wide([2, 1, 1, 0]))
            .sum()
            .add(a.mul(2))
            .sub(b)
            .sub(d)
            .sub(5),
        ]);
      },
    },
  );
  expect(found.reason).toBe('optimal');
  expect(found.value).toBeCloseTo(value, 5);
  await near(found.x, wanted, 1e-4);
});

test('augmented-lagrangian: problems that are not convex (Hock and Schittkowski 7 and 71)', async () => {
  const seven = await minimizeConstrained((x) => el(x, 0).square().add(1).log().sub(el(x, 1)), [2, 2], {
    equalities: (x) => el(x, 0).square().add(1).square().add(el(x, 1).square()).sub(4),
  });
  expect(seven.reason).toBe('optimal');
  expect(seven.value).toBeCloseTo(fixture.constrained.hs7.value, 6);
  const last = await minimizeConstrained(
    (x) => {
      const [a, b, c, d] = els(x);
      return a.mul(d).mul(a.add(b).add(c)).add(c);
    },
    [1, 5, 5, 1],
    {
      equalities: (x) => x.square().sum().sub(40).reshape([1]),
      inequalities: (x) => cat([x.prod().neg().add(25).reshape([1]), x.neg().add(1), x.sub(5)]),
    },
  );
  expect(last.reason).toBe('optimal');
  expect(last.value).toBeCloseTo(fixture.constrained.hs71.value, 5);
});

test.each(METHODS)('%s: the dual of a support vector machine, as scikit-learn solves it', async (method) => {
  const { points, labels, c, weight, bias } = fixture.named.svm;
  const [x, y] = [tensor(Float64Array.from(points.flat()), { shape: [24, 2] }), wide(labels)];
  const signed = x.mul(y.reshape([24, 1]));
  const gram = signed.matmul(signed.T);
  const found = await minimizeConstrained(
    (alpha) => alpha.matmul(gram).mul(alpha).sum().mul(0.5).sub(alpha.sum()),
    new Array<number>(24).fill(0.5),
    {
      method,
      equalities: (alpha) => alpha.mul(y).sum(),
      inequalities: (alpha) => cat([alpha.neg(), alpha.sub(c)]),
      tolerance: 1e-7,
    },
  );
  expect(found.violation).toBeLessThan(1e-6);
  const w = found.x.matmul(signed);
  await near(w as Vector, weight, 1e-3);
  // The multiplier of Σ αy = 0 is the bias.
  expect(Math.abs(Math.abs(found.multipliers.equalities[0]) - Math.abs(bias))).toBeLessThan(1e-3);
});

test('lasso: the coefficients of scikit-learn, zeros where it has zeros', async () => {
  const { a, b, lambda, x: wanted } = fixture.named.lasso;
  const [features, target] = [tensor(Float64Array.from(a.flat()), { shape: [30, 8] }), wide(b)];
  const found = await admmLasso(features, target, lambda, { relativeTolerance: 1e-9 });
  expect(found.reason).toBe('residuals');
  await near(found.x, wanted, 1e-6);
  const zeros = (list: ArrayLike<number>): number[] => Array.from(list).flatMap((v, i) => (v === 0 ? [i] : []));
  expect(zeros(await found.x.data())).toEqual(zeros(wanted));
  expect((await admmLasso(features, target, 1e6)).value).toBeGreaterThan(found.value);
  const nothing = await admmLasso(features, wide([NaN, ...b.slice(1)]), 1);
  expect(nothing.reason).toBe('not-finite');
});

test('consensus: each function sees its own data, and all agree on what the whole would give', async () => {
  const parts = [[1, 2, 9], [4], [0, 5]];
  const found = await admmConsensus(
    parts.map((list) => (x: Vector) => x.sub(wide(list)).square().sum()),
    [0],
  );
  expect(found.reason).toBe('residuals');
  await near(found.x, [3.5], 1e-4);
});

test('what has no solution is said', async () => {
  for (const method of METHODS) {
    const infeasible = await minimizeConstrained((x) => x.square().sum(), [1], {
      method,
      equalities: (x) => cat([x, x.sub(1)]),
      maxIterations: 20,
    });
    expect(['infeasible', 'iterations'], `${method}`).toContain(infeasible.reason);
    expect(infeasible.violation).toBeGreaterThan(0.1);
    const falling = await minimizeConstrained((x) => x.sum(), [1, 1], {
      method,
      equalities: (x) => el(x, 0),
      maxIterations: 20,
    });
    expect(['unbounded', 'iterations', 'infeasible', 'precision'], `${method}`).toContain(falling.reason);
    expect(falling.converged).toBe(false);
    const broken = await minimizeConstrained((x) => x.log().sum(), [-1], { method, equalities: (x) => x.sub(1) });
    expect(broken.reason).toBe('not-finite');
  }
});

test.each([
  [
    () => minimizeConstrained((x) => x.sum(), [1], {}),
    'minimizeConstrained: there are no constraints. Give equalities or inequalities, or call minimize.',
  ],
  [() => minimizeConstrained((x) => x.sum(), [1], undefined as never), 'minimizeConstrained: the options are missing.'],
  [
    () => minimizeConstrained((x) => x.sum(), [1], { equalities: 3 as never }),
    'minimizeConstrained: equalities is 3. Pass a function.',
  ],
  [
    () => minimizeConstrained((x) => x.sum(), [1], { equalities: () => 3 as never }),
    'minimizeConstrained: what equalities returned is 3.',
  ],
  [
    () => minimizeConstrained((x) => x.sum(), [1], { constraints: [] } as never),
    "minimizeConstrained: there is no option 'constraints'.",
  ],
  [() => admmLasso(tensor([[1, 2]]), tensor([1, 2]), 1), 'admmLasso: A is [1, 2], b [2]. Give [m, n] and [m].'],
  [() => admmLasso(tensor([[1, 2]]), tensor([1]), -1), 'admmLasso: lambda is -1. Use a number of at least 0.'],
  [() => admmConsensus([], [1]), 'admmConsensus: there are no functions. Give at least one.'],
  [() => admmConsensus([(x: Vector) => x.sum()], [1], { rho: 0 }), 'admmConsensus: rho is 0. Use a number above 0.'],
])('wrong call %#', async (call, message) => {
  await expect(call()).rejects.toThrow(message);
});
