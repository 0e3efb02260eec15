// Random functions, good and bad: every search ends in an answer or in a named reason. 40 of them; NABLA_PARITY=all takes 1,000.
import { expect, test } from 'vitest';
import { leastSquares, minimize, type LeastSquaresMethod, type MinimizeMethod } from '../index.js';
import { randomProblem } from '../../../test/support/random-problems.js';

const METHODS: MinimizeMethod[] = [
  'bfgs',
  'l-bfgs',
  'newton',
  'trust-exact',
  'cg',
  'newton-cg',
  'trust-ncg',
  'gradient-descent',
];
const FITS: LeastSquaresMethod[] = ['lm', 'levenberg', 'gauss-newton'];
const REASONS = ['gradient', 'value', 'step', 'precision', 'iterations', 'evaluations', 'unbounded', 'not-finite'];

const count = process.env['NABLA_PARITY'] === 'all' ? 1000 : 40;

test(`${count} random problems end in an answer or a named reason`, { timeout: 20 * count * 100 }, async () => {
  const seen = new Map<string, number>();
  for (let i = 0; i < count; i++) {
    const { kind, start, value, residuals } = randomProblem(i);
    const method = METHODS[(i + Math.floor(i / 20)) % METHODS.length];
    const found = await minimize(value, start, { method, maxIterations: 500, maxEvaluations: 2000 });
    const what = `${i}, ${kind}, ${method}: ${found.reason} with ${found.value}, gradient ${found.gradientNorm}`;
    seen.set(found.reason, (seen.get(found.reason) ?? 0) + 1);
    expect(REASONS, `${what}`).toContain(found.reason);
    if (found.converged) expect(found.gradientNorm, `${what}`).toBeLessThanOrEqual(1e-5);
    const first = found.history[0].value;
    if (Number.isFinite(first)) expect(found.value, `${what}`).toBeLessThanOrEqual(first);
    else expect(['not-finite', 'unbounded'], `${what}`).toContain(found.reason);
    expect((await found.x.data()).every(Number.isFinite), `${what}`).toBe(true);

    const fit = FITS[i % FITS.length];
    const solver = i % 5 === 0 ? 'cg' : 'exact';
    const fitted = await leastSquares(residuals, start, { method: fit, solver, maxEvaluations: 500 });
    const which = `${i}, ${kind}, ${fit} by ${solver}: ${fitted.reason} with ${fitted.value}`;
    expect(REASONS, `${which}`).toContain(fitted.reason);
    const before = fitted.history[0]?.value ?? NaN;
    if (Number.isFinite(before)) expect(fitted.value, `${which}`).toBeLessThanOrEqual(before);
    expect((await fitted.x.data()).every(Number.isFinite), `${which}`).toBe(true);
  }
  expect(seen.size).toBeGreaterThan(2);
});
