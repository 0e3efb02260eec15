// Line searches: the conditions that each promises, what it says where there is no step, and the exact step of a quadratic.
import { expect, test } from 'vitest';
import { type Tensor, tensor } from '../../index.js';
import { type LinePoint, alongLine, backtracking, exactStep, goldstein, strongWolfe } from '../index.js';

type Line = (t: number) => LinePoint;

/** Functions of one number that fall at 0: Moré and Thuente's of 1994, and others. */
const LINES: Readonly<Record<string, Line>> = {
  'rational, convex then concave': (t) => ({ value: -t / (t * t + 2), slope: (t * t - 2) / (t * t + 2) ** 2 }),
  'nearly flat, then steep': (t) => {
    const s = t + 0.004;
    return { value: s ** 5 - 2 * s ** 4, slope: 5 * s ** 4 - 8 * s ** 3 };
  },
  'a parabola far away': (t) => ({ value: (t - 1e4) ** 2, slope: 2 * (t - 1e4) }),
  'a parabola close by': (t) => ({ value: (t - 1e-6) ** 2, slope: 2 * (t - 1e-6) }),
  cosh: (t) => ({ value: Math.cosh(t - 2), slope: Math.sinh(t - 2) }),
  'waves on a slope': (t) => ({ value: (t - 3) ** 2 + Math.sin(5 * t), slope: 2 * (t - 3) + 5 * Math.cos(5 * t) }),
  'log, no number beyond 4': (t) => ({ value: -Math.log(4 - t) - 2 * t, slope: 1 / (4 - t) - 2 }),
};

const firsts = [1e-3, 0.1, 1, 10, 1000];
const cases = Object.entries(LINES).flatMap(([name, line]) => firsts.map((step) => ({ name, line, step })));

test.each(cases)('strongWolfe fulfils both conditions: $name from $step', async ({ line, step }) => {
  for (const [c1, c2] of [
    [1e-4, 0.9],
    [1e-3, 0.1],
    [0.1, 0.2],
  ] as const) {
    const start = line(0);
    const found = await strongWolfe(line, { step, c1, c2 });
    expect(found.reason).toBe('satisfied');
    expect(found.value).toBeLessThanOrEqual(start.value + c1 * found.step * start.slope);
    expect(Math.abs(found.slope)).toBeLessThanOrEqual(-c2 * start.slope);
    expect(found.evaluations).toBeLessThanOrEqual(30);
  }
});

test.each(cases)('backtracking and goldstein fulfil theirs: $name from $step', async ({ line, step }) => {
  const { value, slope } = line(0);
  const short = await backtracking(line, { step, c1: 0.1 });
  expect(short.reason).toBe('satisfied');
  expect(short.value).toBeLessThanOrEqual(value + 0.1 * short.step * slope);
  const halved = await backtracking(line, { step, c1: 0.1, shrink: 0.5 });
  expect(Math.abs(Math.log2(step / halved.step) % 1)).toBeCloseTo(0, 9);
  const middle = await goldstein(line, { step });
  if (middle.reason !== 'satisfied') return; // the condition may hold nowhere that halving looks
  expect(middle.value).toBeLessThanOrEqual(value + 0.25 * middle.step * slope);
  expect(middle.value).toBeGreaterThanOrEqual(value + 0.75 * middle.step * slope);
});

test('exactStep is gᵀg / gᵀHg on a quadratic, and says where a parabola has no minimum ahead', async () => {
  const h = [2, 20];
  const [x, g] = [
    [3, -2],
    [6, -40],
  ];
  const line: Line = (t) => ({
    value: x.reduce((sum, v, i) => sum + 0.5 * h[i] * (v - t * g[i]) ** 2, 0),
    slope: -x.reduce((sum, v, i) => sum + h[i] * (v - t * g[i]) * g[i], 0),
  });
  const best = (6 ** 2 + 40 ** 2) / (2 * 6 ** 2 + 20 * 40 ** 2);
  const found = await exactStep(line);
  expect(found.step).toBeCloseTo(best, 12);
  expect(Math.abs(found.slope)).toBeLessThan(1e-9);
  expect((await exactStep((t) => ({ value: -(t ** 2) - t, slope: -2 * t - 1 }))).reason).toBe('max-step');
});

test.each([
  ['it rises', (t: number) => ({ value: t, slope: 1 }), 'not-descent'],
  ['it is flat', () => ({ value: 1, slope: 0 }), 'not-descent'],
  ['it falls for ever', (t: number) => ({ value: -t, slope: -1 }), 'max-step'],
  ['NaN at 0', () => ({ value: NaN, slope: NaN }), 'not-finite'],
  ['NaN everywhere else', (t: number) => ({ value: t === 0 ? 1 : NaN, slope: -1 }), 'not-finite'],
  ['its slope is a lie', (t: number) => ({ value: t === 0 ? 0 : 1, slope: -1 }), 'precision'],
] as const)('%s: a name for it, and no step', async (_, line, reason) => {
  const found = await strongWolfe(line as Line);
  expect(found.reason).toBe(reason);
  if (reason !== 'max-step') expect(found.step).toBe(0);
  expect(['not-descent', 'not-finite', 'precision', 'satisfied', 'evaluations']).toContain(
    (await backtracking(line as Line)).reason,
  );
  expect((await goldstein(line as Line)).evaluations).toBeLessThanOrEqual(41);
});

test('alongLine is a function of tensors along a direction, in float64', async () => {
  const x = tensor([1, 2], { dtype: 'float64' }) as unknown as Tensor;
  const direction = tensor([-1, 0.5], { dtype: 'float64' }) as unknown as Tensor;
  const line = alongLine((v) => v.pow(3).sum(), x, direction);
  for (const step of [0, 0.1, 1 / 3]) {
    const [a, b] = [1 - step, 2 + step / 2];
    const at = await line(step);
    expect(at.value).toBeCloseTo(a ** 3 + b ** 3, 12);
    expect(at.slope).toBeCloseTo(-3 * a ** 2 + 1.5 * b ** 2, 12);
  }
});

test.each([
  [() => strongWolfe(1 as never), 'strongWolfe: 1 is not a function. Pass one: strongWolfe(() => …).'],
  [
    () => strongWolfe((() => 3) as never),
    'strongWolfe: what the function returned is 3. Return { value, slope }, two numbers.',
  ],
  [() => strongWolfe(LINES.cosh, { c1: 0.5, c2: 0.1 }), 'strongWolfe: c2 is 0.1. Use a number between 0.5 and 1.'],
  [() => strongWolfe(LINES.cosh, { step: -1 }), 'strongWolfe: step is -1. Use a number above 0.'],
  [() => strongWolfe(LINES.cosh, { C1: 1 } as never), "strongWolfe: there is no option 'C1'. Did you mean c1?"],
  [() => goldstein(LINES.cosh, { c: 0.6 }), 'goldstein: c is 0.6. Use a number between 0 and 0.5.'],
  [() => backtracking(LINES.cosh, { shrink: 1 }), 'backtracking: shrink is 1. Use a number between 0 and 1.'],
  [
    () => backtracking(LINES.cosh, { maxEvaluations: 0 }),
    'backtracking: maxEvaluations is 0. Use a whole number of at least 1.',
  ],
])('wrong call %#', async (call, message) => {
  await expect(call()).rejects.toThrow(message);
});
