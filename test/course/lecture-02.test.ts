// Lecture 2, machine learning basics: linear prediction, least squares, maximum likelihood, logistic regression.
// The closed-form solution, nearest neighbours, k-means and PCA wait for nabla/classic.
import { expect, test } from 'vitest';
import { type Tensor, grad, manualSeed, randn, valueAndGrad } from 'nabla';
import { Linear, bceLoss, bceWithLogits } from 'nabla/nn';
import { kFold } from 'nabla/data';
import { SGD } from 'nabla/optim';
import { chain, course, expectExact, expectPrinted, expectSame, given, set } from '../support/course.js';

course('lecture 2', () => {
  test('cross validation: in five runs each sample is validated once and trained on four times', () => {
    const folds = kFold(50, 5);
    expect(folds.map(({ train, validation }) => [train.length, validation.length])).toEqual(Array(5).fill([40, 10]));
    const validated = folds.flatMap(({ validation }) => [...validation]).toSorted((a, b) => a - b);
    expect(validated).toEqual(Array.from({ length: 50 }, (_, i) => i));
    for (const { train, validation } of folds) expect([...train].filter((i) => validation.includes(i))).toEqual([]);
  });

  // One slide prints the outside temperature of the first building as −25, the next as 25.
  test('linear prediction: the temperatures of the two buildings are −6.8 (or 25.2) and −4.8', async () => {
    const theta = given([0.2, 0.64, 0, 1, 0.14]);
    const rows = [
      [1, -25, 50, 2, 50],
      [1, 25, 50, 2, 50],
      [1, -10, 50, 0, 10],
    ];
    await expectExact(given(rows).matmul(theta), [-6.8, 25.2, -4.8]);
    const model = set(new Linear(4, 1), { weight: [[0.64, 0, 1, 0.14]], bias: [0.2] });
    const features = given(rows.map((row) => row.slice(1)));
    await expectExact(chain(model).forward(features), [[-6.8], [25.2], [-4.8]]);
  });

  test('least squares: the gradient of (Xθ − y)ᵀ(Xθ − y) is 2XᵀXθ − 2Xᵀy', async () => {
    manualSeed(1);
    const [x, y, theta] = [randn([6, 3]) as Tensor, randn([6, 1]) as Tensor, randn([3, 1]) as Tensor];
    const slope = grad((t: Tensor) => x.matmul(t).sub(y).square().sum())(theta);
    const normal = x.T.matmul(x).matmul(theta).sub(x.T.matmul(y)).mul(2);
    await expectSame(slope, normal as Tensor);
  });

  test('least squares: gradient descent ends where XᵀXθ = Xᵀy', async () => {
    const x = given([
      [1, 0],
      [1, 1],
      [1, 2],
    ]);
    const y = given([1, 2, 4]);
    const theta = given([0, 0], true);
    const optimizer = new SGD([theta], { lr: 0.2, momentum: 0.5 });
    for (let i = 0; i < 120; i++) {
      optimizer.zeroGrad();
      x.matmul(theta).sub(y).square().mean().backward();
      await optimizer.step();
    }
    await expectPrinted(theta, [5 / 6, 3 / 2], 4); // the solution of 3a + 3b = 7, 3a + 5b = 10
  });

  test('maximum likelihood: the Gaussian log-likelihood is −n/2·log(2πσ²) − ‖y − Xθ‖²/2σ², steepest along the residuals', async () => {
    manualSeed(2);
    const [n, sigma] = [5, 0.7];
    const [x, y, theta] = [randn([n, 2]) as Tensor, randn([n]) as Tensor, randn([2]) as Tensor];
    const logLikelihood = (t: Tensor): Tensor => {
      const exponent = y
        .sub(x.matmul(t) as Tensor)
        .square()
        .mul(-1 / (2 * sigma ** 2));
      return exponent
        .exp()
        .mul((2 * Math.PI * sigma ** 2) ** -0.5)
        .log()
        .sum() as Tensor;
    };
    const { value, grads } = valueAndGrad(logLikelihood)(theta);
    const residual = y.sub(x.matmul(theta) as Tensor) as Tensor;
    const quadratic = residual
      .square()
      .sum()
      .mul(-1 / (2 * sigma ** 2));
    const expected = quadratic.sub((n / 2) * Math.log(2 * Math.PI * sigma ** 2));
    await expectPrinted(value, Number(await expected.item()), 5);
    const slope = residual.matmul(x).div(sigma ** 2) as Tensor;
    await expectPrinted(grads[0], (await slope.array()) as number[], 4);
  });

  test('logistic regression: the cost is −log ŷ where the label is 1 and −log(1 − ŷ) where it is 0', async () => {
    const p = given([0.8, 0.2]);
    const each = { reduction: 'none' } as const;
    await expectPrinted(bceLoss(p, given([1, 1]), each), [0.2231, 1.6094], 4);
    await expectPrinted(bceLoss(p, given([0, 0]), each), [1.6094, 0.2231], 4);
    expect(bceLoss(p, given([1, 0])).shape).toEqual([]);
  });

  test('logistic regression: the slope of the cost is Xᵀ(σ(Xθ) − y)/n', async () => {
    manualSeed(3);
    const [x, theta] = [randn([8, 3]) as Tensor, randn([3]) as Tensor];
    const y = randn([8]).gt(0).to('float32') as Tensor;
    const slope = grad((t: Tensor) => bceWithLogits(x.matmul(t) as Tensor, y) as Tensor)(theta);
    const error = x.matmul(theta).sigmoid().sub(y) as Tensor;
    await expectSame(slope, error.matmul(x).div(8) as Tensor);
  });
});
