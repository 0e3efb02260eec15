/* oxlint-disable import/namespace -- every public function is looked up by its name */
// Arguments of a wrong kind in nabla/classic: options, rows, targets, and everything around the estimators. `sweep.mjs` says what each is
// tried with.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as classic from 'nabla/classic';
import { iris } from 'nabla/data';
import * as nn from 'nabla/nn';
import { I, Options, argument, sweep } from './sweep.mjs';

const folder = mkdtempSync(join(tmpdir(), 'nabla-classic-kinds-'));
const before = process.cwd();
beforeAll(() => process.chdir(folder)); // texts are paths of files that are written
afterAll(() => {
  process.chdir(before);
  rmSync(folder, { recursive: true });
});

const X = [
  [0, 0],
  [1, 1],
  [0, 1],
  [2, 0.5],
];
const rows = argument('list')(X);
const classes = I([0, 1, 0, 1]);
const numbers = I([0.5, 1, 2, 3]);
const { StandardScaler, KNeighborsClassifier, KMeans, LinearRegression, PCA, DecisionTreeClassifier } = classic;

/** Estimators that can be fitted to X, and what they learn from besides. */
const ESTIMATORS = {
  BaggingClassifier: [{ count: 2 }, classes],
  BaggingRegressor: [{ count: 2 }, numbers],
  DecisionTreeClassifier: [{}, classes],
  DecisionTreeRegressor: [{}, numbers],
  GaussianNaiveBayes: [{}, classes],
  KMeans: [{ clusters: 2 }],
  KNeighborsClassifier: [{ k: 2 }, classes],
  KNeighborsRegressor: [{ k: 2 }, numbers],
  Lasso: [{}, numbers],
  LinearRegression: [{}, numbers],
  LinearSVM: [{}, classes],
  LogisticRegression: [{}, classes],
  MinMaxScaler: [{}],
  OneHotEncoder: [{}],
  PCA: [{}],
  Ridge: [{}, numbers],
  SoftmaxRegression: [{}, classes],
  StandardScaler: [{}],
  VotingClassifier: [{ estimators: [new DecisionTreeClassifier()] }, classes],
  VotingRegressor: [{ estimators: [new LinearRegression()] }, numbers],
};

describe('a wrong kind of argument is an error of its own', () => {
  it.each(Object.keys(ESTIMATORS))('%s', async (name) => {
    const [options, targets] = ESTIMATORS[name];
    const make = () => new classic[name](options);
    const optional = name.startsWith('Voting') ? I(options) : Options(options);
    expect(await sweep(name, (o) => new classic[name](o), [optional])).toEqual([]);
    for (const option of Object.keys(make().options)) {
      const free = ['maxDepth', 'maxFeatures', 'priors', 'weights', 'batchSize', 'components'].includes(option);
      const kinds = argument(
        'undefined',
        ...(free ? ['null'] : []),
        ...(option === 'init' ? ['list', 'tensor', 'tensors'] : []),
        ...(ALLOWED[typeof make().options[option]] ?? []),
      );
      const given = kinds(make().options[option]);
      expect(await sweep(name, (value) => new classic[name]({ ...options, [option]: value }), [given])).toEqual([]);
    }
    const args = targets === undefined ? [rows] : [rows, targets];
    expect(await sweep(`${name}.fit`, (...values) => make().fit(...values), args)).toEqual([]);
    const fitted = await make().fit(...args.map(({ value }) => value));
    for (const method of ['predict', 'transform', 'predictProba', 'decisionFunction', 'neighbors'])
      if (method in fitted && !(method === 'predictProba' && fitted.givesProbabilities === false))
        expect(await sweep(`${name}.${method}`, (value) => fitted[method](value), [rows])).toEqual([]);
    if ('score' in fitted)
      expect(await sweep(`${name}.score`, (...values) => fitted.score(...values), args)).toEqual([]);
    if ('inverseTransform' in fitted)
      expect(
        await sweep(`${name}.inverseTransform`, (value) => fitted.inverseTransform(value), [
          argument('list')(await fitted.transform(X)),
        ]),
      ).toEqual([]);
    expect(
      await sweep(`${name}.save`, (path) => fitted.save(path), [argument('string')(join(folder, 'model'))]),
    ).toEqual([]);
  });

  it.each(Object.keys(CALLS()))('%s', async (name) => {
    const [call, ...args] = CALLS()[name];
    expect(await sweep(name, call, args)).toEqual([]);
  });
});

/** Values of a kind that an option may take besides its own one. */
const ALLOWED = { number: ['number'], boolean: ['boolean'], object: ['number'] };

/** Made when they are asked for: fitted estimators are promised. */
function CALLS() {
  const knn = new KNeighborsClassifier({ k: 1 });
  return {
    tableOf: [classic.tableOf, I(iris())],
    pipeline: [(a, b) => classic.pipeline(a, b), I(new StandardScaler()), I(knn)],
    crossValidate: [(...a) => classic.crossValidate(...a), I(knn), rows, classes, Options({ folds: 2 })],
    gridSearch: [
      (...a) => classic.gridSearch(...a),
      I(knn),
      argument('object')({ k: [1, 2] }),
      rows,
      classes,
      I({ folds: 2 }),
    ],
    loadEstimator: [
      async (path) => classic.loadEstimator(path).catch(unlessMissing),
      argument('string')(join(folder, 'nothing')),
    ],
    decisionRegions: [
      async (m, x, y, o) => classic.decisionRegions(m === knn ? await knn.fit(X, classes.value) : m, x, y, o),
      I(knn),
      rows,
      classes,
      Options({ resolution: 4 }),
    ],
    kMeansSteps: [
      classic.kMeansSteps,
      rows,
      argument('list')([
        [0, 0],
        [1, 1],
      ]),
      Options({}),
    ],
    regressionChart: [
      async (m, x, y) => classic.regressionChart(m, x, y),
      argument('object')({}),
      I([[0], [1]]),
      argument('float32array')([0, 1]),
    ],
    componentImages: [
      async (pca, shape) => classic.componentImages(pca === 'own' ? await new PCA().fit(X) : pca, shape),
      I('own'),
      I([1, 2]),
    ],
    averageNetworks: [classic.averageNetworks, argument('list')([new nn.Linear(2, 2)]), Options({})],
    'KMeans.copy': [(changes) => new KMeans().copy(changes), Options({ clusters: 3 })],
  };
}

function unlessMissing(error) {
  if (!/cannot be read/.test(error.message)) throw error;
}

/** What nobody calls, and what is made by others. */
const OTHERS = new Set(
  'Classifier Estimator InvertibleTransformer NotFittedError Regressor Transformer NetworkAverage'.split(' '),
);

it('covers every public function of nabla/classic', () => {
  const seen = new Set([...Object.keys(ESTIMATORS), ...Object.keys(CALLS())]);
  const missing = Object.entries(classic).filter(
    ([name, value]) => typeof value === 'function' && !seen.has(name) && !OTHERS.has(name),
  );
  expect(missing.map(([name]) => name)).toEqual([]);
});
