// Estimators against scikit-learn on the tables that come with the package. What has one solution agrees to 1e-6, scores of what has not
// to 0.005. The numbers are those of tools/parity/classic.py.
import { expect, test } from 'vitest';
import { DIABETES, type Row, SETS, fixture, near, parts, rowsOf } from '../../test/support/classic.js';
import {
  BaggingClassifier,
  DecisionTreeClassifier,
  DecisionTreeRegressor,
  GaussianNaiveBayes,
  KMeans,
  KNeighborsClassifier,
  KNeighborsRegressor,
  MinMaxScaler,
  StandardScaler,
  VotingClassifier,
} from './index.js';

test('scalers', async () => {
  const { mean, variance, standard: z, minMax } = fixture['scalers'] as Row;
  const { x } = SETS['wine'];
  const scaler = await new StandardScaler().fit(x);
  await near(scaler.mean, mean);
  await near(scaler.variance, variance);
  await near(await scaler.transform(x.slice(0, 2)), z);
  await near(await (await new MinMaxScaler({ range: [-1, 2] }).fit(x)).transform(x.slice(0, 2)), minMax);
});

test.each(Object.keys(SETS))('nearest neighbours: %s', async (name) => {
  const { a, ya, b, yb } = parts(SETS[name]);
  for (const row of (fixture['neighbours'] as Row)['classes'][name] as Row[]) {
    const { k, distance, weights, labels, score, distances, proba } = row;
    const tied = new Set<number>(row['tied']);
    const model = await new KNeighborsClassifier({ k, distance, weights }).fit(a, ya);
    const predicted = await model.predict(b);
    const wrong = predicted.flatMap((label, i) => (String(label) === labels[i] || tied.has(i) ? [] : [i]));
    expect(wrong).toEqual([]);
    await near(await model.score(b, yb), score, tied.size > 0 ? 0.005 : 1e-9);
    await near((await model.neighbors(b.slice(0, 5))).distances.select(1, k - 1), distances);
    await near(await model.predictProba(b.slice(0, 5)), proba);
  }
});

test('nearest neighbours: numbers', async () => {
  const { a, ya, b, yb } = parts(DIABETES);
  const scaler = await new StandardScaler().fit(a);
  for (const { k, weights, predicted, score } of (fixture['neighbours'] as Row)['numbers'] as Row[]) {
    const model = await new KNeighborsRegressor({ k, weights }).fit(await scaler.transform(a), ya);
    const rows = await scaler.transform(b);
    await near((await model.predict(rows)).subarray(0, 20), predicted);
    await near(await model.score(rows, yb), score);
  }
});

test('k-means', async () => {
  for (const row of fixture['clusters'] as Row[]) {
    const x = await rowsOf(row['set'], row['scaled']);
    const init = (row['init'] as readonly number[]).map((i) => x[i]);
    const model = await new KMeans({ clusters: init.length, init }).fit(x);
    expect(model.labels.join('')).toBe(row['labels']);
    await near(model.centers, row['centers']);
    await near(model.inertia, row['inertia']);
    expect(model.iterations).toBe(row['iterations']);
    await near(await model.transform(x.slice(0, 2)), row['far']);
    const found = await new KMeans({ clusters: init.length, starts: 10 }).fit(x);
    expect(found.inertia / (row['best'] as number)).toBeLessThan(1.005);
    const quick = await new KMeans({ clusters: init.length, batchSize: 100, starts: 5 }).fit(x);
    expect(quick.inertia / (row['best'] as number)).toBeLessThan(1.05);
  }
});

test('naive Bayes', async () => {
  for (const [name, { labels, score, proba, means, variances }] of Object.entries(
    fixture['bayes'] as Readonly<Record<string, Row>>,
  )) {
    const { a, ya, b, yb } = parts(SETS[name]);
    const model = await new GaussianNaiveBayes().fit(a, ya);
    expect((await model.predict(b)).join('')).toBe(labels);
    await near(await model.score(b, yb), score);
    await near(await model.predictProba(b.slice(0, 3)), proba);
    if (means === undefined) continue;
    await near(model.means, means);
    await near(model.variances, variances);
  }
});

test('decision trees', async () => {
  for (const row of (fixture['trees'] as Row)['classes'] as Row[]) {
    const { criterion, maxDepth, minSamplesLeaf, ccpAlpha } = row;
    const { a, ya, b, yb } = parts(SETS[row['set']]);
    const model = await new DecisionTreeClassifier({ criterion, maxDepth, minSamplesLeaf, ccpAlpha }).fit(a, ya);
    expect([model.leaves, model.depth]).toEqual([row['leaves'], row['depth']]);
    await near(await model.score(a, ya), row['train'], 0.005);
    const score = await model.score(b, yb);
    expect(score).toBeGreaterThanOrEqual(row['least'] - 0.005);
    expect(score).toBeLessThanOrEqual(row['most'] + 0.005);
    if (row['importances'] !== null) await near(model.importances, row['importances']);
  }
  const { a, ya, b, yb } = parts(DIABETES);
  for (const { maxDepth, minSamplesLeaf, ccpAlpha, leaves, predicted, score } of (fixture['trees'] as Row)[
    'numbers'
  ] as Row[]) {
    const model = await new DecisionTreeRegressor({ maxDepth, minSamplesLeaf, ccpAlpha }).fit(a, ya);
    expect(model.leaves).toBe(leaves);
    await near((await model.predict(b)).subarray(0, 20), predicted);
    await near(await model.score(b, yb), score);
  }
});

test('forests and votes', async () => {
  const { forest, votes } = fixture['ensembles'] as Row as Readonly<Record<string, Row>>;
  for (const [name, score] of Object.entries(forest)) {
    const { a, ya, b, yb } = parts(SETS[name]);
    const estimator = new DecisionTreeClassifier({ maxFeatures: 'sqrt' });
    const model = await new BaggingClassifier({ estimator, count: 100, outOfBag: true }).fit(a, ya);
    expect(Math.abs((await model.score(b, yb)) - score)).toBeLessThan(0.02);
    expect(Math.abs(model.outOfBagScore - score)).toBeLessThan(0.05);
  }
  const { a, ya, b } = parts(SETS['wine']);
  const estimators = [
    new KNeighborsClassifier({ k: 3 }),
    new GaussianNaiveBayes(),
    new DecisionTreeClassifier({ maxDepth: 2, minSamplesLeaf: 5 }),
  ];
  for (const voting of ['hard', 'soft'] as const) {
    const model = await new VotingClassifier({ estimators, voting, weights: [1, 2, 1.5] }).fit(a, ya);
    expect((await model.predict(b)).join('')).toBe(votes[voting]);
  }
});
