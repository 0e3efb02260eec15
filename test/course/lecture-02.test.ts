// Lecture 2, machine learning basics: linear prediction, least squares, maximum likelihood, logistic regression.
// Nearest neighbours, the closed-form solution, k-means and PCA.
import { expect, test } from 'vitest';
import { type Tensor, grad, manualSeed, randn, valueAndGrad } from 'nabla';
import { KMeans, KNeighborsClassifier, LinearRegression, PCA, tableOf } from 'nabla/classic';
import { Linear, bceLoss, bceWithLogits } from 'nabla/nn';
import { blobs, kFold } from 'nabla/data';
import { inv, lstsq } from 'nabla/linalg';
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

  test('least squares: the closed-form solution is (XᵀX)⁻¹Xᵀy, and its slope is 0', async () => {
    manualSeed(4);
    const [x, y] = [randn([12, 3]) as Tensor, randn([12]) as Tensor];
    const theta = inv(x.T.matmul(x) as Tensor).matmul(x.T.matmul(y)) as Tensor;
    const slope = grad((t: Tensor) => x.matmul(t).sub(y).square().sum())(theta);
    expect(Number(await slope.abs().max().item())).toBeLessThan(1e-4);
    await expectSame(lstsq(x, y).solution, theta);
    for (const solver of ['normal', 'qr'] as const) {
      const model = await new LinearRegression({ solver, intercept: false }).fit(x, y);
      await expectPrinted(model.coefficients, (await theta.array()) as number[], 4);
    }
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

  test('nearest neighbour: L1 and L2 distance do not agree on which of two points is nearer', async () => {
    const points = [
      [3, 0],
      [2, 2],
    ];
    for (const [distance, nearest] of [
      ['manhattan', 'a'], // 3 and 4
      ['euclidean', 'b'], // 3 and √8
    ] as const) {
      const model = await new KNeighborsClassifier({ k: 1, distance }).fit(points, ['a', 'b']);
      expect(await model.predict([[0, 0]])).toEqual([nearest]);
    }
  });

  test('nearest neighbour: the one nearest knows all training data; on test data five are better; k is chosen on validation data', async () => {
    const { x, y } = tableOf(
      blobs({
        samples: 500,
        centers: [
          [0, 0],
          [2.5, 0],
          [1.2, 2],
        ],
        seed: 3,
      }),
    );
    const [rows, labels] = [await x.array(), y];
    const [train, validation, rest] = [
      [0, 300],
      [300, 400],
      [400, 500],
    ].map(([from, to]) => ({
      x: rows.slice(from, to),
      y: labels.slice(from, to),
    }));
    const scores = new Map<number, number>();
    for (const k of [1, 5, 15, 299]) {
      const model = await new KNeighborsClassifier({ k }).fit(train.x, train.y);
      if (k === 1) expect(await model.score(train.x, train.y)).toBe(1);
      scores.set(k, await model.score(validation.x, validation.y));
    }
    expect(scores.get(5)).toBeGreaterThan(scores.get(1)!);
    expect(scores.get(299)).toBeLessThan(scores.get(5)!); // almost everybody votes: the commonest class wins
    const [k] = [...scores].reduce((best, own) => (own[1] > best[1] ? own : best));
    const chosen = await new KNeighborsClassifier({ k }).fit(train.x, train.y);
    const one = await new KNeighborsClassifier({ k: 1 }).fit(train.x, train.y);
    expect(await chosen.score(rest.x, rest.y)).toBeGreaterThan(await one.score(rest.x, rest.y));
  });

  test('k-means: each row belongs to the nearest centre, each centre is the mean of its rows, and no step raises the cost', async () => {
    const { x } = tableOf(blobs({ samples: 60, seed: 1 }));
    const model = await new KMeans({ clusters: 3, seed: 2 }).fit(x);
    expect(await model.predict(x)).toEqual(model.labels);
    const [rows, centers] = [await x.array(), await model.centers.array()];
    centers.forEach((center, c) => {
      const own = rows.filter((_, i) => model.labels[i] === c);
      center.forEach((v, j) => expect(v).toBeCloseTo(own.reduce((sum, row) => sum + row[j], 0) / own.length, 4));
    });
    expect(model.history.every((cost, i) => i === 0 || cost <= model.history[i - 1] * (1 + 1e-6))).toBe(true);
  });

  test('PCA: the components of the rows do not vary together, and the first has the largest variance', async () => {
    manualSeed(5);
    const x = (randn([40, 3]) as Tensor).matmul(
      given([
        [2, 1, 0],
        [0, 1, 0.5],
        [0, 0, 0.3],
      ]),
    ) as Tensor;
    const pca = await new PCA().fit(x);
    const z = (await pca.transform(x)) as Tensor;
    const variances = (await pca.explainedVariance.array()) as number[];
    expect(variances).toEqual(variances.toSorted((a, b) => b - a));
    const covariance = z.T.matmul(z).div(39) as Tensor;
    await expectPrinted(
      covariance,
      variances.map((v, i) => variances.map((_, j) => (i === j ? v : 0))),
      4,
    );
  });
});
