// Linear estimators and principal components against scikit-learn on the tables that come with the package, to 1e-6. The numbers are those of
// tools/parity/classic.py.
import { expect, test } from 'vitest';
import { DIABETES, type Row, SETS, fixture, near, rowsOf, standard } from '../../test/support/classic.js';
import {
  KNeighborsClassifier,
  Lasso,
  LinearRegression,
  LinearSVM,
  LogisticRegression,
  PCA,
  Ridge,
  SoftmaxRegression,
  crossValidate,
} from './index.js';

test('principal components', async () => {
  for (const row of fixture['components'] as Row[]) {
    const x = await rowsOf(row['set'], row['scaled']);
    const both = ['covariance', 'svd'] as const;
    for (const solver of row['set'] === 'digits' ? both.slice(0, 1) : both) {
      const model = await new PCA({ components: row['components'], solver }).fit(x);
      expect(model.components.shape[0]).toBe(row['kept']);
      await near(model.components, row['directions']);
      await near(model.explainedVariance, row['variance']);
      await near(model.explainedVarianceRatio, row['ratio']);
      await near(model.singularValues, row['singular']);
      await near(model.noiseVariance, row['noise']);
      const some = await model.transform(x.slice(0, 2));
      await near(some, row['transformed']);
      await near(await model.inverseTransform(some.slice(0, 0, 1)), row['back']);
      const white = await new PCA({ components: row['components'], solver, whiten: true }).fit(x);
      await near(await white.transform(x.slice(0, 2)), row['white']);
      await near(await white.inverseTransform(await white.transform(x.slice(0, 1))), row['back']);
    }
  }
});

test('linear regression', async () => {
  const { x, y } = DIABETES;
  const { linear, through, smallest } = fixture['linear'] as Row as Readonly<Record<string, Row>>;
  for (const solver of ['qr', 'normal'] as const) {
    const model = await new LinearRegression({ solver }).fit(x, y);
    await near(model.coefficients, linear['coefficients']);
    await near(model.intercept, linear['intercept']);
    await near(model.sigma, linear['sigma']);
    await near(await model.score(x, y), linear['score']);
    const origin = await new LinearRegression({ solver, intercept: false }).fit(x, y);
    await near(origin.coefficients, through['coefficients']);
  }
  const z = await standard(x);
  const [slow, exact] = [
    await new LinearRegression({ solver: 'gradient', maxIterations: 100_000 }).fit(z, y),
    await new LinearRegression().fit(z, y),
  ];
  expect(slow.converged).toBe(true);
  await near(slow.coefficients, await exact.coefficients.array());
  expect(slow.history.every((cost, i) => i === 0 || cost <= slow.history[i - 1] * (1 + 1e-12))).toBe(true);
  const few = await new LinearRegression().fit(x.slice(0, 6), y.slice(0, 6));
  await near(few.coefficients, smallest['coefficients']);
  expect(few.rank).toBe(smallest['rank']);
});

test('ridge and lasso', async () => {
  const { x, y } = DIABETES;
  const { ridge, wide, lasso } = fixture['linear'] as Row;
  for (const { alpha, coefficients, intercept, score } of ridge as Row[]) {
    const model = await new Ridge({ alpha }).fit(x, y);
    await near(model.coefficients, coefficients);
    await near(model.intercept, intercept);
    await near(await model.score(x, y), score);
  }
  await near((await new Ridge({ alpha: 2 }).fit(x.slice(0, 6), y.slice(0, 6))).coefficients, wide['coefficients']);
  const z = await standard(x);
  for (const { alpha, coefficients, intercept, score } of lasso as Row[]) {
    const model = await new Lasso({ alpha, tolerance: 1e-12, maxIterations: 100_000 }).fit(z, y);
    await near(model.coefficients, coefficients);
    await near(model.intercept, intercept);
    await near(await model.score(z, y), score);
    expect(model.zeros).toBe((coefficients as number[]).filter((w) => w === 0).length);
    const quick = await new Lasso({ alpha }).fit(z, y);
    expect([quick.converged, quick.gap >= -1e-9]).toEqual([true, true]);
  }
});

test('logistic regression', async () => {
  const x = await rowsOf('breastCancer', true);
  const { y } = SETS['breastCancer'];
  for (const { penalty, c, coefficients, intercept, score, proba } of (fixture['logistic'] as Row)[
    'breastCancer'
  ] as Row[]) {
    for (const solver of penalty === 'l1'
      ? (['newton', 'gradient'] as const)
      : (['newton', 'l-bfgs', 'gradient'] as const)) {
      const model = await new LogisticRegression({ penalty, c, solver, tolerance: 1e-11, maxIterations: 20_000 }).fit(
        x,
        y,
      );
      expect(model.converged, `${solver} ${c}: ${model.reason}`).toBe(true);
      await near(model.coefficients, coefficients, penalty === 'l1' ? 2e-6 : 1e-6);
      await near(model.intercept, intercept);
      await near(await model.score(x, y), score);
      await near(await model.predictProba(x.slice(0, 2)), proba);
    }
  }
  const two = SETS['iris'].y.flatMap((label, i) => (label > 0 ? [i] : []));
  const { none } = fixture['logistic'] as Row as Readonly<Record<string, Row>>;
  const model = await new LogisticRegression({ penalty: 'none', tolerance: 1e-10 }).fit(
    two.map((i) => SETS['iris'].x[i]),
    two.map((i) => SETS['iris'].y[i]),
  );
  await near(model.coefficients, none['coefficients']);
  await near(model.intercept, none['intercept']);
});

test('softmax regression', async () => {
  for (const row of fixture['softmax'] as Row[]) {
    const { penalty, c, coefficients, intercept, score, proba } = row;
    const x = await rowsOf(row['set'], row['scaled']);
    const { y } = SETS[row['set']];
    for (const solver of penalty === 'l1' ? (['newton'] as const) : (['newton', 'l-bfgs'] as const)) {
      const model = await new SoftmaxRegression({ penalty, c, solver, tolerance: 1e-11 }).fit(x, y);
      expect(model.converged).toBe(true);
      await near(model.coefficients, coefficients, 2e-6);
      const b = await model.intercept.array();
      const mean = b.reduce((sum, v) => sum + v, 0) / b.length;
      await near(
        b.map((v) => v - mean),
        intercept,
        2e-6,
      );
      await near(await model.score(x, y), score);
      await near(await model.predictProba(x.slice(0, 2)), proba);
    }
  }
});

test('linear support vector machines', async () => {
  for (const { set, loss, c, coefficients, intercept, score } of fixture['machines'] as Row[]) {
    const x = await rowsOf(set, true);
    const model = await new LinearSVM({ loss, c, tolerance: 1e-9, maxIterations: 100_000 }).fit(x, SETS[set].y);
    expect(model.converged).toBe(true);
    await near(model.coefficients, coefficients);
    await near(model.intercept, intercept);
    await near(await model.score(x, SETS[set].y), score);
  }
});

test('cross-validation', async () => {
  const wanted = fixture['validation'] as Row;
  const flowers = await crossValidate(new KNeighborsClassifier(), SETS['iris'].x, SETS['iris'].y, { shuffle: false });
  await near(flowers.scores, wanted['iris']);
  const patients = await crossValidate(new Ridge(), DIABETES.x, DIABETES.y, { shuffle: false, folds: 4 });
  await near(patients.scores, wanted['diabetes']);
});
