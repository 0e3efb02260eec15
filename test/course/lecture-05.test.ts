// Lecture 5, scaling optimisation: gradient descent and its relatives, Jacobian and Hessian, steps of second order.
// The lecture has formulas and few numbers: each update is compared with its formula, written out in tensor operations.
import { expect, test } from 'vitest';
import { type Tensor, grad, hessian, jacobian, manualSeed, randn, tensor } from 'nabla';
import { conjugateGradient, gaussSeidel, jacobi, cholesky, lu, qr, solve, solveTriangular } from 'nabla/linalg';
import { mseLoss } from 'nabla/nn';
import { ArrayDataset, DataLoader } from 'nabla/data';
import {
  Adam,
  LBFGS,
  LevenbergMarquardt,
  type Optimizer,
  RMSprop,
  SGD,
  alongLine,
  backtracking,
  exactStep,
  inverseTimeDecay,
  leastSquares,
  minimize,
} from 'nabla/optim';
import { course, expectExact, expectPrinted, expectSame, given, variable } from '../support/course.js';

/** A valley that is steep along the second dimension: L = θ₁² + 10·θ₂². */
const valley = (theta: Tensor): Tensor =>
  theta
    .square()
    .mul(given([1, 10]))
    .sum() as Tensor;
const slopeAt = (theta: Tensor): Tensor => grad(valley)(theta);
const START = [3, -2];

async function descend(make: (theta: Tensor) => Optimizer<object, unknown>, steps: number): Promise<Tensor> {
  const theta = variable(START);
  const optimizer = make(theta);
  for (let i = 0; i < steps; i++) {
    optimizer.zeroGrad();
    valley(theta).backward();
    await optimizer.step();
  }
  return theta;
}

const loose = <O>(optimizer: O): Optimizer<object, unknown> => optimizer as Optimizer<object, unknown>;

course('lecture 5', () => {
  test('one sample: θ ← θ − α·∇L', async () => {
    const theta = await descend((t) => loose(new SGD([t], { lr: 0.04 })), 1);
    await expectExact(theta, [3 - 0.04 * 6, -2 + 0.04 * 40]);
  });

  test('many samples: the gradient is the mean of those of the samples; without 1/n the rate is another', async () => {
    manualSeed(1);
    const [x, y, w] = [randn([6, 2]) as Tensor, randn([6]) as Tensor, randn([2]) as Tensor];
    const loss = (reduction: 'mean' | 'sum', from: number, to: number) => (v: Tensor) =>
      mseLoss(x.slice(0, from, to).matmul(v) as Tensor, y.slice(0, from, to) as Tensor, { reduction }) as Tensor;
    const samples = [0, 1, 2, 3, 4, 5].map((i) => grad(loss('sum', i, i + 1))(w));
    const sum = samples.reduce((a, b) => a.add(b) as Tensor);
    await expectSame(grad(loss('mean', 0, 6))(w), sum.div(6) as Tensor);
    await expectSame(grad(loss('sum', 0, 6))(w), sum);
  });

  test('line search: along the gradient g of a quadratic the best rate is gᵀg / gᵀHg, where L has no slope in α', async () => {
    const theta = given(START);
    const g = slopeAt(theta);
    const h = hessian(valley, theta);
    const best = g.matmul(g).div(g.matmul(h.matmul(g)) as Tensor) as Tensor;
    const along = (alpha: Tensor): Tensor => valley(theta.sub(g.mul(alpha)) as Tensor);
    const rest = Math.abs(Number(await grad(along)(best).item()));
    expect(rest).toBeLessThan(2e-3); // beside a slope of −gᵀg = −1636 at α = 0
    await expectExact(grad(along)(given(0)), -1636);
  });

  test('2²⁰ images in mini-batches of 64 are 16,384 iterations an epoch', () => {
    const images = new ArrayDataset({ x: { data: new Int32Array(2 ** 20), shape: [] } } as never);
    expect(new DataLoader(images as never, { batchSize: 64 }).length).toBe(16_384);
  });

  test('Robbins and Monro: the rates α/n', () => {
    expect([1, 2, 3, 10].map((n) => inverseTimeDecay(n - 1, 0.5, 1))).toEqual([0.5, 0.25, 0.5 / 3, 0.05]);
  });

  test('momentum: v ← βv − α∇L, θ ← θ + v, for five steps', async () => {
    let [theta, v] = [given(START), given([0, 0])];
    for (let i = 0; i < 5; i++) {
      v = v.mul(0.9).sub(slopeAt(theta).mul(0.02) as Tensor) as Tensor;
      theta = theta.add(v) as Tensor;
    }
    const own = await descend((t) => loose(new SGD([t], { lr: 0.02, momentum: 0.9 })), 5);
    await expectPrinted(own, (await theta.array()) as number[], 5);
  });

  test('momentum: steps grow up to α/(1 − β) where all gradients agree', async () => {
    const w = variable([0]);
    const optimizer = new SGD([w], { lr: 0.1, momentum: 0.9 });
    let before = 0;
    let step = 0;
    for (let i = 0; i < 100; i++) {
      optimizer.zeroGrad();
      w.sum().backward();
      await optimizer.step();
      const now = Number(await w.sum().item());
      [step, before] = [before - now, now];
    }
    expect(step).toBeCloseTo(1, 3);
  });

  // The lecture keeps θ and looks ahead; nabla, as PyTorch, keeps the place that was looked ahead to, θ + βv.
  test('Nesterov: the gradient is taken at θ + βv, for five steps', async () => {
    let [theta, v] = [given(START), given([0, 0])];
    for (let i = 0; i < 5; i++) {
      const ahead = theta.add(v.mul(0.9) as Tensor) as Tensor;
      v = v.mul(0.9).sub(slopeAt(ahead).mul(0.02) as Tensor) as Tensor;
      theta = theta.add(v) as Tensor;
    }
    const own = await descend((t) => loose(new SGD([t], { lr: 0.02, momentum: 0.9, nesterov: true })), 5);
    await expectPrinted(own, (await theta.add(v.mul(0.9) as Tensor).array()) as number[], 5);
  });

  test('RMSProp: s ← βs + (1 − β)·g∘g, θ ← θ − α·g / (√s + ε), for five steps', async () => {
    let [theta, s] = [given(START), given([0, 0])];
    for (let i = 0; i < 5; i++) {
      const g = slopeAt(theta);
      s = s.mul(0.9).add(g.mul(g).mul(0.1) as Tensor) as Tensor;
      theta = theta.sub(g.mul(0.01).div(s.sqrt().add(1e-8) as Tensor) as Tensor) as Tensor;
    }
    const own = await descend((t) => loose(new RMSprop([t], { lr: 0.01, alpha: 0.9, eps: 1e-8 })), 5);
    await expectPrinted(own, (await theta.array()) as number[], 5);
  });

  test('RMSProp: the first step is equally long in the steep and in the flat direction', async () => {
    const own = await descend((t) => loose(new RMSprop([t], { lr: 0.01, alpha: 0.9, eps: 1e-8 })), 1);
    const step = 0.01 / Math.sqrt(0.1);
    await expectPrinted(own, [3 - step, -2 + step], 5);
  });

  const adam = (steps: number, corrected: boolean): Tensor => {
    let [theta, m, v] = [given(START), given([0, 0]), given([0, 0])];
    for (let k = 1; k <= steps; k++) {
      const g = slopeAt(theta);
      m = m.mul(0.9).add(g.mul(0.1) as Tensor) as Tensor;
      v = v.mul(0.999).add(g.mul(g).mul(0.001) as Tensor) as Tensor;
      const [mean, square] = corrected ? [m.div(1 - 0.9 ** k), v.div(1 - 0.999 ** k)] : [m, v];
      theta = theta.sub(mean.mul(0.1).div(square.sqrt().add(1e-8) as Tensor) as Tensor) as Tensor;
    }
    return theta;
  };

  test('Adam: five steps with bias-corrected moments, β₁ = 0.9, β₂ = 0.999, ε = 10⁻⁸ by default', async () => {
    const own = await descend((t) => loose(new Adam([t], { lr: 0.1 })), 5);
    await expectPrinted(own, (await adam(5, true).array()) as number[], 5);
  });

  test('Adam: at k = 0 the step is α; without the correction it would be √10 times as long', async () => {
    await expectPrinted(await descend((t) => loose(new Adam([t], { lr: 0.1 })), 1), [2.9, -1.9], 5);
    const long = 0.1 * Math.sqrt(10);
    await expectPrinted(adam(1, false), [3 - long, -2 + long], 4);
  });

  test('gradient, Jacobian and Hessian of ℝᵐ have m, n×m and m×m elements; k parameters have a Hessian of k²', async () => {
    const x = given([1, 2, 3]);
    const f = (v: Tensor): Tensor => v.prod() as Tensor;
    await expectExact(grad(f)(x), [6, 3, 2]);
    const curvature = hessian(f, x);
    await expectExact(curvature, [
      [0, 3, 2],
      [3, 0, 1],
      [2, 1, 0],
    ]);
    expect(curvature.size).toBe(3 ** 2);
    const pairs = (v: Tensor): Tensor => v.slice(0, 0, 2).mul(v.slice(0, 1, 3)) as Tensor;
    await expectExact(jacobian(pairs, x), [
      [2, 1, 0],
      [0, 3, 2],
    ]);
  });

  test('Newton: the Taylor series of second order of a quadratic is the quadratic, and the step θ − H⁻¹∇L its minimum', async () => {
    const theta = given(START);
    const [g, h] = [slopeAt(theta), hessian(valley, theta)];
    await expectExact(h, [
      [2, 0],
      [0, 20],
    ]);
    const move = given([-0.5, 4]);
    const taylor = valley(theta)
      .add(move.matmul(g))
      .add(move.matmul(h.matmul(move)).mul(0.5));
    await expectSame(valley(theta.add(move) as Tensor), taylor as Tensor);
    await expectSame(h.matmul(theta), g); // H·(θ − 0) = ∇L: the step leads to 0
  });

  // The minimum of these data is known by construction: y is X·(2, −1) plus residuals orthogonal to both columns of X.
  const regression = () => {
    const x = given([
      [1, 1],
      [1, 2],
      [1, 3],
      [1, 4],
    ]);
    const minimum = given([2, -1]);
    const residuals = given([1, -1, -1, 1]);
    const y = x.matmul(minimum).add(residuals) as Tensor;
    const residual = (theta: Tensor): Tensor => y.sub(x.matmul(theta) as Tensor) as Tensor;
    return { x, minimum, residual, cost: (theta: Tensor) => residual(theta).square().sum() as Tensor };
  };

  test('Newton on linear regression: H = 2XᵀX, and one step from anywhere is the least-squares solution', async () => {
    const { x, minimum, cost } = regression();
    const start = given([10, 7]);
    const h = hessian(cost, start);
    await expectSame(h, x.T.matmul(x).mul(2) as Tensor);
    await expectExact(grad(cost)(minimum), [0, 0]);
    await expectSame(h.matmul(start.sub(minimum) as Tensor), grad(cost)(start));
  });

  test('Gauss-Newton: 2JᵀJ is the Hessian where the residuals are linear, and ∇f = 2Jᵀr', async () => {
    const { residual, cost } = regression();
    const at = given([3, 1]);
    const j = jacobian(residual, at);
    await expectSame(j.T.matmul(j).mul(2) as Tensor, hessian(cost, at));
    await expectSame(j.T.matmul(residual(at)).mul(2) as Tensor, grad(cost)(at));
  });

  // The lecture prints (JᵀJ + λI)·δ = ∇f: for λ → 0 that is twice the step of Gauss-Newton, whose equation has 2JᵀJ.
  test('Levenberg: with 2JᵀJ + λI the step shrinks from that of Gauss-Newton towards ∇f/λ', async () => {
    const { minimum, residual, cost } = regression();
    const at = given([3, 1]);
    const [j, g] = [jacobian(residual, at), grad(cost)(at)];
    const normal = j.T.matmul(j).mul(2) as Tensor;
    await expectSame(normal.matmul(at.sub(minimum) as Tensor), g);
    const lambda = 1e6;
    const damped = normal.add(
      given([
        [lambda, 0],
        [0, lambda],
      ]),
    ) as Tensor;
    const error = damped
      .matmul(g.div(lambda) as Tensor)
      .sub(g)
      .abs()
      .max();
    const size = Number(await g.abs().max().item());
    expect(Number(await error.item()) / size).toBeLessThan(1e-3);
  });

  type Vector = Tensor<[number], 'float64'>;
  /** L = θ₁² + 10·θ₂², in float64. */
  const wideValley = (v: Vector) =>
    v
      .slice(0, 0, 1)
      .square()
      .add(v.slice(0, 1, 2).square().mul(10))
      .sum();
  const banana = (v: Vector) => {
    const [x, y] = [v.slice(0, 0, 1), v.slice(0, 1, 2)];
    return y.sub(x.square()).square().mul(100).add(x.sub(1).square()).sum();
  };
  const close = async (x: Vector, wanted: readonly number[], tolerance = 1e-6): Promise<void> => {
    const off = Array.from(await x.data(), (value, i) => Math.abs(value - wanted[i]));
    expect(Math.max(...off)).toBeLessThan(tolerance);
  };

  test('line search: the exact step along −g is gᵀg / gᵀHg, and backtracking stops where the loss has fallen enough', async () => {
    const line = alongLine(valley, given(START), slopeAt(given(START)).neg() as Tensor);
    const exact = await exactStep(line);
    expect(Math.abs(exact.step - 1636 / (2 * 36 + 20 * 1600))).toBeLessThan(1e-6);
    const found = await backtracking(line, { step: 1, c1: 0.5, shrink: 0.5 });
    expect(found.value).toBeLessThanOrEqual(49 - 0.5 * found.step * 1636);
    expect([found.reason, Number.isInteger(Math.log2(found.step))]).toEqual(['satisfied', true]);
  });

  test('Newton as an optimiser: a quadratic in one step, without a learning rate', async () => {
    const found = await minimize(wideValley, START, { method: 'newton' });
    expect([found.iterations, found.reason]).toEqual([1, 'gradient']);
    await close(found.x, [0, 0], 1e-12);
  });

  test.each(['bfgs', 'l-bfgs', 'cg'] as const)(
    '%s: gradients alone, and far fewer of them than gradient descent',
    async (method) => {
      const found = await minimize(banana, [-1.2, 1], { method });
      await close(found.x, [1, 1], 1e-3);
      const descent = await minimize(banana, [-1.2, 1], {
        method: 'gradient-descent',
        maxEvaluations: 10 * found.evaluations,
      });
      expect(descent.reason).toBe('evaluations');
      expect(descent.value).toBeGreaterThan(found.value);
    },
  );

  test('L-BFGS on parameters, step by step, with a closure', async () => {
    const theta = variable(START);
    const optimizer = new LBFGS([theta], { lineSearchFn: 'strong_wolfe' });
    const { reason, iterations } = await optimizer.step(() => {
      optimizer.zeroGrad();
      const loss = valley(theta);
      loss.backward();
      return loss;
    });
    expect(['gradient', 'step', 'value']).toContain(reason);
    expect(iterations).toBeLessThan(12);
    await expectPrinted(theta, [0, 0], 4);
  });

  test('Gauss-Newton, Levenberg and Levenberg-Marquardt fit a curve', async () => {
    const t = tensor(Float64Array.of(0, 1, 2, 3, 4));
    const y = t.mul(-0.7).exp().mul(2).detach();
    const residual = (p: Vector) =>
      t
        .mul(p.slice(0, 1, 2))
        .exp()
        .mul(p.slice(0, 0, 1))
        .sub(y);
    for (const method of ['gauss-newton', 'levenberg', 'lm'] as const) {
      const found = await leastSquares(residual, [1, -0.3], { method });
      expect(found.converged).toBe(true);
      await close(found.x, [2, -0.7]);
    }
  });

  test('Levenberg-Marquardt as an optimiser of linear regression: the least-squares solution', async () => {
    const { x, minimum, residual } = regression();
    const theta = variable([10, 7]);
    const optimizer = new LevenbergMarquardt([theta], { maxIterations: 30 });
    const { value } = await optimizer.step(() => residual(theta));
    expect(x.shape).toEqual([4, 2]);
    expect(value).toBeCloseTo(2, 4); // half of the four squares that are left
    await expectPrinted(theta, (await minimum.array()) as number[], 3);
  });

  /** Symmetric, positive definite, and its diagonal outweighs its rows: every method of the lecture works. */
  const system = (): Tensor =>
    given([
      [4, -1, 0.5],
      [-1, 5, 1],
      [0.5, 1, 3],
    ]);
  const side = (): Tensor => given([1, -2, 4]);

  test('direct solvers: LU, QR and Cholesky factors give back A, and the same solution of Ax = b', async () => {
    const [a, b] = [system(), side()];
    const column: Tensor = b.unsqueeze(1) as Tensor;
    const x = solve(a, b);
    await expectSame(a.matmul(x) as Tensor, b);
    const { p, l, u } = lu(a);
    await expectSame(p.matmul(l).matmul(u) as Tensor, a);
    const below = solveTriangular(l, p.T.matmul(column) as Tensor, { upper: false, unitriangular: true });
    await expectSame(solveTriangular(u, below, { upper: true }).flatten(), x);
    const { q, r } = qr(a);
    await expectSame(q.matmul(r) as Tensor, a);
    await expectSame(
      q.T.matmul(q) as Tensor,
      given([
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
      ]),
    );
    await expectSame(solveTriangular(r, q.T.matmul(column) as Tensor, { upper: true }).flatten(), x);
    const c = cholesky(a);
    await expectSame(c.matmul(c.T) as Tensor, a);
    const half = solveTriangular(c, column, { upper: false });
    await expectSame(solveTriangular(c.T, half, { upper: true }).flatten(), x);
  });

  test('iterative solvers: Jacobi and Gauss-Seidel come to it, conjugate gradients in at most n = 3 iterations', async () => {
    const [a, b] = [system(), side()];
    const x = solve(a, b);
    const runs = {
      jacobi: await jacobi(a, b, { tolerance: 1e-6, maxIterations: 200 }),
      gaussSeidel: await gaussSeidel(a, b, { tolerance: 1e-6, maxIterations: 200 }),
      cg: await conjugateGradient(a, b, { tolerance: 1e-6 }),
    };
    for (const [name, run] of Object.entries(runs)) {
      expect([name, run.reason]).toEqual([name, 'converged']);
      await expectPrinted(run.x.sub(x) as Tensor, [0, 0, 0], 5);
    }
    expect(runs.gaussSeidel.iterations).toBeLessThan(runs.jacobi.iterations);
    expect(runs.cg.iterations).toBeLessThanOrEqual(3);
  });
});
