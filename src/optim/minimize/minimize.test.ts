// minimize against SciPy on the standard test functions, and what it does where there is nothing to find.
import { describe, expect, test } from 'vitest';
import { type Tensor, tensor } from '../../index.js';
import { minimize, type MinimizeMethod, type MinimizeOptions } from '../index.js';
import { fixture, valueOf, wide } from '../../../test/support/minima.js';

const METHODS: Readonly<Record<MinimizeMethod, string | undefined>> = {
  'gradient-descent': undefined,
  cg: 'CG',
  bfgs: 'BFGS',
  'l-bfgs': 'L-BFGS-B',
  newton: 'trust-exact',
  'newton-cg': 'Newton-CG',
  'trust-exact': 'trust-exact',
  'trust-ncg': 'trust-ncg',
};
const all = Object.keys(METHODS) as MinimizeMethod[];
type Vector = Tensor<[number], 'float64'>;

/** Minima that a method of SciPy has found, and where there are several. */
const LOCAL = new Set(['rosenbrock10', 'rosenbrock100', 'trigonometric']);
/** Residuals whose sum of squares is badly scaled for a tolerance of 1e-5 of the gradient: least squares solves them. */
const BAD = new Set(['meyer', 'osborne1']);

const median = (list: number[]): number => list.toSorted((a, b) => a - b)[list.length >> 1];

describe.each(all.filter((method) => METHODS[method] !== undefined))('%s', (method) => {
  const ratios: number[] = [];
  const names = Object.keys(fixture.problems).filter((name) => !BAD.has(name));
  test.each(names)('%s: the minimum that SciPy knows', async (name) => {
    const { start, scipy } = fixture.problems[name];
    const found = await minimize(valueOf(name), [...start], { method });
    const best = Math.min(...Object.values(scipy).flatMap(({ value }) => (value === null ? [] : [value])));
    const theirs = scipy[METHODS[method] as string];
    ratios.push(found.evaluations / theirs.evaluations);
    if (LOCAL.has(name) && found.value > best + 1e-4) {
      expect(found.converged).toBe(true);
      return;
    }
    expect(found.value, `${found.reason} after ${found.evaluations}`).toBeLessThan(best * 1.0001 + 1e-6);
  });
  test('with at most 1.5 times the evaluations in the median', () => {
    expect(ratios.length).toBe(names.length);
    expect(median(ratios)).toBeLessThanOrEqual(1.5);
  });
});

test('Newton solves a quadratic in one step, and so does gradient descent with exact steps where it is round', async () => {
  const quadratic = (x: Vector) =>
    x
      .sub(wide([1, -2, 3]))
      .square()
      .mul(wide([1, 10, 100]))
      .sum();
  const newton = await minimize(quadratic, [5, 5, 5], { method: 'newton' });
  expect([newton.iterations, newton.evaluations, newton.hessians]).toEqual([1, 2, 1]);
  expect(await newton.x.array()).toEqual([expect.closeTo(1, 12), expect.closeTo(-2, 12), expect.closeTo(3, 12)]);
  const round = (x: Vector) => x.sub(2).square().sum();
  const descent = await minimize(round, [5, -5], { method: 'gradient-descent', lineSearch: 'exact' });
  expect([descent.iterations, descent.reason]).toEqual([1, 'gradient']);
});

test('conjugate gradients of every formula, and every line search, find the minimum', async () => {
  const options: MinimizeOptions[] = [
    ...(['polak-ribiere', 'fletcher-reeves', 'hestenes-stiefel'] as const).map((formula) => ({
      method: 'cg' as const,
      formula,
    })),
    ...(['strong-wolfe', 'backtracking', 'goldstein'] as const).map((lineSearch) => ({
      method: 'bfgs' as const,
      lineSearch,
    })),
    { method: 'gradient-descent', maxIterations: 20_000 },
    { method: 'l-bfgs', historySize: 3 },
  ];
  for (const option of options) {
    const { x, reason } = await minimize(valueOf('beale'), [1, 1], option);
    expect(reason, `${JSON.stringify(option)}`).toBe('gradient');
    const [a, b] = (await x.array()) as number[];
    expect(Math.hypot(a - 3, b - 0.5)).toBeLessThan(1e-3);
  }
});

test('x has the form of the start: a tensor, a list, an object of tensors, in their dtypes', async () => {
  const start = { w: tensor([[1, 2]]), b: tensor(3, { dtype: 'float64' }) };
  const found = await minimize((p) => p.w.sum().square().add(p.b.sub(1).square()), start);
  expect(found.x.w.shape).toEqual([1, 2]);
  expect([found.x.w.dtype, found.x.b.dtype]).toEqual(['float32', 'float64']);
  expect(await found.x.b.item()).toBeCloseTo(1, 5);
  const pair = await minimize(([a, b]) => a.sub(b).square().add(a.sub(4).square()), [tensor(0), tensor(1)] as const);
  expect(await pair.x[1].item()).toBeCloseTo(4, 4);
  const one = await minimize((x) => x.sub(2).square(), tensor(0, { dtype: 'float64' }));
  expect(await one.x.item()).toBeCloseTo(2, 9);
});

test('the history tells each iteration, the callback ends it, and so does the signal', async () => {
  const seen: number[] = [];
  const found = await minimize(valueOf('rosenbrock2'), [-1.2, 1], {
    keepPath: true,
    callback: ({ iteration }) => {
      seen.push(iteration);
      return iteration === 5;
    },
  });
  expect([found.reason, found.iterations, found.converged]).toEqual(['callback', 5, false]);
  expect(seen).toEqual([0, 1, 2, 3, 4, 5]);
  expect(found.history.map(({ x }) => x?.length)).toEqual([2, 2, 2, 2, 2, 2]);
  expect(found.history.every(({ value }, i, list) => i === 0 || value < list[i - 1].value)).toBe(true);
  const controller = new AbortController();
  controller.abort();
  expect((await minimize(valueOf('rosenbrock2'), [-1.2, 1], { signal: controller.signal })).reason).toBe('aborted');
  expect((await minimize(valueOf('rosenbrock2'), [-1.2, 1], { maxIterations: 3 })).reason).toBe('iterations');
  expect((await minimize(valueOf('rosenbrock2'), [-1.2, 1], { maxEvaluations: 7 })).reason).toBe('evaluations');
  expect((await minimize(valueOf('rosenbrock2'), [-1.2, 1], { valueTolerance: 1e-3 })).reason).toBe('value');
  expect((await minimize(valueOf('rosenbrock2'), [-1.2, 1], { stepTolerance: 1e-2 })).reason).toBe('step');
});

const HARD: Readonly<
  Record<string, readonly [(x: Vector) => Tensor<number[], 'float64'>, number[], readonly string[]]>
> = {
  flat: [(x) => x.mul(0).sum() as never, [1, 2], ['gradient']],
  'without x': [() => tensor(3, { dtype: 'float64' }) as never, [1], ['gradient']],
  'a line': [(x) => x.sum() as never, [1, 2], ['unbounded']],
  'minus a square': [(x) => x.square().sum().neg() as never, [1, 2], ['unbounded']],
  'minus exp': [(x) => x.exp().sum().neg() as never, [1, 2], ['unbounded']],
  'NaN at the start': [(x) => x.log().sum() as never, [-1], ['not-finite']],
  'infinite at the start': [(x) => x.log().neg().sum() as never, [0], ['not-finite']],
  'log with a border': [(x) => x.sub(x.log()).sum() as never, [20], ['gradient']],
  'a kink': [(x) => x.abs().sum() as never, [1, 0.3], ['gradient', 'precision', 'evaluations']],
  saddle: [
    (x) =>
      x
        .slice(0, 0, 1)
        .square()
        .sub(x.slice(0, 1, 2).square())
        .sum() as never,
    [1, 1e-3],
    ['unbounded'],
  ],
  'a valley without end': [(x) => x.neg().exp().sum() as never, [0], ['gradient']],
};

test.each(Object.keys(HARD))('%s: an answer or a named reason, by every method', async (name) => {
  const [fn, start, reasons] = HARD[name];
  for (const method of all) {
    const found = await minimize(fn, start, { method, maxEvaluations: 2000, maxIterations: 2000 });
    expect(reasons, `${method}: ${found.reason} at ${found.value}`).toContain(found.reason);
    expect(found.message.length).toBeGreaterThan(10);
  }
});

const square = (x: Vector) => x.square().sum();
test.each([
  [() => minimize(3 as never, [1]), 'minimize: the function is 3. Pass a function.'],
  [
    () => minimize(square, 'x' as never),
    "minimize: the start is 'x'. Give a tensor, a list of numbers, or a list or object of tensors.",
  ],
  [() => minimize(square, []), 'minimize: the start has no numbers. Give at least one.'],
  [
    () => minimize((x) => x.square(), [1, 2]),
    'minimize: the function returned shape [2], not one number. Reduce it with sum() or mean().',
  ],
  [
    () => minimize((() => 3) as never, [1, 2]),
    'minimize: what the function returned is 3. Return a tensor of one element.',
  ],
  [
    () => minimize((x) => x.argmax(0), [1, 2]),
    'minimize: the function returned int32, which has no gradient. Return float32 or float64.',
  ],
  [
    () => minimize((x) => x.sum(), tensor([1, 2], { dtype: 'int32' })),
    "minimize: the start has int32 numbers, which have no gradient. Convert them with to('float64').",
  ],
  [
    () => minimize(square, [1], { method: 'BFGS' as never }),
    "minimize: method is 'BFGS'. Use 'gradient-descent', 'cg', 'bfgs', 'l-bfgs', 'newton', 'newton-cg', 'trust-exact' or 'trust-ncg'.",
  ],
  [
    () => minimize(square, [1], { method: 'bfgs', historySize: 3 }),
    "minimize: method 'bfgs' has no option 'historySize'. It is one of 'l-bfgs'.",
  ],
  [() => minimize(square, [1], { tolerance: 3 } as never), "minimize: there is no option 'tolerance'."],
  [
    () => minimize(square, [1], { gradientTolerance: -1 }),
    'minimize: gradientTolerance is -1. Use a number of at least 0.',
  ],
  [
    () => minimize(square, [1], { maxIterations: 1.5 }),
    'minimize: maxIterations is 1.5. Use a whole number of at least 1.',
  ],
  [() => minimize(square, [1], { callback: 3 as never }), 'minimize: callback is 3. Pass a function.'],
])('wrong call %#', async (call, message) => {
  await expect(call()).rejects.toThrow(message);
});
