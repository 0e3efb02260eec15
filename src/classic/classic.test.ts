// Estimators as a person uses them: fit, predict, score, options, files; and what is said to wrong calls.
import { expect, test } from 'vitest';
import { ArgumentError, FormatError, ShapeError, tensor, zeros } from '../index.js';
import { iris } from '../data/index.js';
import {
  BaggingClassifier,
  DecisionTreeClassifier,
  DecisionTreeRegressor,
  GaussianNaiveBayes,
  KMeans,
  KNeighborsClassifier,
  KNeighborsRegressor,
  LinearSVM,
  MinMaxScaler,
  NotFittedError,
  OneHotEncoder,
  StandardScaler,
  VotingClassifier,
  crossValidate,
  gridSearch,
  loadEstimator,
  pipeline,
  tableOf,
} from './index.js';

const { x, y } = tableOf(iris());
const names = y.map((label) => ['setosa', 'versicolor', 'virginica'][label]);
const flower = [[5, 3, 1, 0.2]];

test('classifiers: numbers stay numbers, texts texts; files hold options and state', async () => {
  const models = [
    new KNeighborsClassifier({ k: 3, weights: 'distance' }),
    new GaussianNaiveBayes(),
    new DecisionTreeClassifier({ maxDepth: 3 }),
    new BaggingClassifier({ outOfBag: true, features: 2 }),
    new VotingClassifier({ estimators: [new GaussianNaiveBayes(), new DecisionTreeClassifier()], voting: 'soft' }),
    pipeline(new StandardScaler(), new LinearSVM()),
  ];
  for (const model of models) {
    expect(model.isFitted).toBe(false);
    await expect(model.predict(x)).rejects.toThrow(NotFittedError);
    const fitted = await model.fit(x, names);
    expect(await fitted.predict(flower)).toEqual(['setosa']);
    expect(fitted.classes).toEqual(['setosa', 'versicolor', 'virginica']);
    expect(await fitted.score(x, names)).toBeGreaterThan(0.93);
    const again = await loadEstimator(await fitted.toBytes());
    expect(again.constructor).toBe(model.constructor);
    expect(await (again as typeof fitted).predict(x)).toEqual(await fitted.predict(x));
    expect((await (await model.copy().fit(x, y)).predict(flower))[0]).toBe(0);
    expect(model.classes).toEqual(['setosa', 'versicolor', 'virginica']);
  }
});

test('rows are tensors, lists or typed arrays', async () => {
  const rows = await x.array();
  const model = await new KNeighborsClassifier().fit(rows, Int32Array.from(y));
  const expected = await model.predict(x);
  for (const given of [rows, rows.map((row) => Float32Array.from(row)), tensor(rows, { dtype: 'float64' })])
    expect(await model.predict(given)).toEqual(expected);
  const { indices, distances } = await model.neighbors(flower, 2);
  expect([indices.shape, distances.dtype]).toEqual([[1, 2], 'float64']);
});

test('wrong rows and targets are named', async () => {
  const model = new KNeighborsClassifier({ k: 2 });
  const cases: [unknown, unknown, RegExp][] = [
    [x, y.slice(1), /KNeighborsClassifier.fit: x has 150 rows, and y has 149/],
    [x, y.map(() => 1), /all rows are of one class, 1/],
    [[], [], /x has no rows/],
    [[[]], [1], /no columns/],
    [
      [
        [1, NaN],
        [2, 3],
      ],
      [0, 1],
      /x has NaN in row 0, column 1/,
    ],
    [[[1, 2], [3]], [0, 1], /row 1 of x has 1 numbers, and row 0 has 2/],
    [[1, 2], [0, 1], /x is a list of numbers. Give a list of rows/],
    [[[1], ['a']], [0, 1], /x\[1\]\[0\] is 'a'. Give numbers/],
    [zeros([2, 1, 2]), [0, 1], /x has shape \[2, 1, 2\].*x.flatten\(1\)/],
    [x, y.map((v) => v + 0.5), /y\[0\] is 0.5, which is no class/],
    [x, y.map((v, i) => (i === 3 ? 'a' : v)), /y has texts and numbers/],
    ['rows', y, /x is 'rows'. Give a tensor \[rows, features\]/],
    [x, undefined, /y is missing/],
    [[[1, 2]], [0], /all rows are of one class/],
  ];
  for (const [rows, labels, message] of cases) {
    const wrong = model.fit(rows as number[][], labels as number[]);
    await expect(wrong).rejects.toThrow(message);
    await expect(wrong).rejects.toThrow(/^(?!.*undefined)/);
  }
  await model.fit(
    [
      [0, 0],
      [1, 1],
    ],
    [0, 1],
  );
  await expect(model.predict([[1]])).rejects.toThrow(ShapeError);
  await expect(model.predict([[1]])).rejects.toThrow('x has 1 column, and this was fitted to 2');
  await expect(new KNeighborsClassifier({ k: 3 }).fit([[0], [1]], [0, 1])).rejects.toThrow(
    'k is 3, and there are 2 rows. Use at most 2.',
  );
  await expect(new KMeans({ clusters: 3 }).fit([[0], [1]])).rejects.toThrow('3 clusters of 2 rows. Use at most 2.');
  await expect(new KNeighborsRegressor({ k: 1 }).fit([[0], [1]], [0, Infinity])).rejects.toThrow('y[1] is Infinity');
});

test('options that nobody knows, or of a wrong kind, are refused when they are given', () => {
  const wrong: [() => unknown, RegExp][] = [
    [() => new KNeighborsClassifier({ n_neighbors: 3 } as object), /there is no option 'n_neighbors'/],
    [() => new KNeighborsClassifier({ k: 0 }), /k is 0/],
    [() => new KNeighborsRegressor({ distance: 'l2' as 'euclidean' }), /distance is 'l2'. Use 'euclidean'/],
    [() => new KMeans({ tolerance: -1 }), /tolerance is -1/],
    [() => new KMeans({ init: 'kmeans' as 'random' }), /init is 'kmeans'/],
    [() => new DecisionTreeClassifier({ criterion: 'mse' as 'gini' }), /criterion is 'mse'/],
    [() => new DecisionTreeRegressor({ maxDepth: 0 }), /maxDepth is 0/],
    [() => new LinearSVM({ c: 0 }), /c is 0. Use a number above 0/],
    [() => new MinMaxScaler({ range: [1, 0] }), /range is \[1, 0\]/],
    [() => new GaussianNaiveBayes({ priors: [0.5, 0.6] }), /probabilities with sum 1/],
    [() => new BaggingClassifier({ samples: 1.5 }), /samples is 1.5/],
    [() => new VotingClassifier({ estimators: [] }), /there are no estimators/],
    [() => new VotingClassifier({ estimators: [new LinearSVM()], voting: 'soft' }), /LinearSVM gives no probabilities/],
    [
      () => pipeline(new KNeighborsClassifier() as never, new StandardScaler()),
      /step 0, KNeighborsClassifier, transforms nothing/,
    ],
    [() => pipeline(), /no steps/],
  ];
  for (const [make, message] of wrong) {
    expect(make).toThrow(ArgumentError);
    expect(make).toThrow(message);
  }
});

test('scalers go there and back; a constant column does not become NaN', async () => {
  const rows = [
    [1, 5, -1],
    [2, 5, 0],
    [4, 5, 3],
  ];
  const standard = await new StandardScaler().fit(rows);
  const scaled = await standard.transform(rows);
  expect((await scaled.array()).map((row) => row[1])).toEqual([0, 0, 0]);
  expect(await scaled.mean(0).array()).toEqual([0, 0, 0].map((v) => expect.closeTo(v, 12)));
  expect(await (await standard.inverseTransform(scaled)).array()).toEqual(
    rows.map((row) => row.map((v) => expect.closeTo(v, 12))),
  );
  const range = await new MinMaxScaler({ range: [-1, 1], clip: true }).fit(rows);
  expect(await (await range.transform([[10, 5, 1]])).array()).toEqual([[1, -1, 0]]);
  expect(await (await range.inverseTransform(await range.transform(rows))).array()).toEqual(rows);
});

test('one-hot: categories in order, unseen ones, what is dropped', async () => {
  const rows = [
    ['red', 2],
    ['green', 1],
    ['red', 1],
  ];
  const encoder = await new OneHotEncoder().fit(rows);
  expect(encoder.categories).toEqual([
    ['green', 'red'],
    [1, 2],
  ]);
  expect(encoder.names).toEqual(['0=green', '0=red', '1=1', '1=2']);
  const coded = await encoder.transform(rows);
  expect(await coded.array()).toEqual([
    [0, 1, 0, 1],
    [1, 0, 1, 0],
    [0, 1, 1, 0],
  ]);
  expect(await encoder.inverseTransform(coded)).toEqual(rows);
  await expect(encoder.transform([['blue', 1]])).rejects.toThrow(
    "column 0 has 'blue' in row 0, which fit() has not seen",
  );
  const lenient = await new OneHotEncoder({ unseen: 'ignore', dropFirst: true }).fit(rows);
  expect(
    await (
      await lenient.transform([
        ['blue', 1],
        ['red', 2],
      ])
    ).array(),
  ).toEqual([
    [0, 0],
    [1, 1],
  ]);
  const again = await loadEstimator(await lenient.toBytes(), OneHotEncoder);
  expect(again.categories).toEqual(lenient.categories);
});

test('cross-validation leaves the estimator alone; a grid search finds k and fits the best', async () => {
  const model = new KNeighborsClassifier();
  const { scores, mean } = await crossValidate(model, x, names, { folds: 3, trainScores: true });
  expect([scores.length, model.isFitted]).toEqual([3, false]);
  expect(mean).toBeGreaterThan(0.93);
  const chain = pipeline(new StandardScaler(), new KNeighborsClassifier());
  const { best, params, score, study } = await gridSearch(
    chain,
    { k: [1, 5, 100], 'StandardScaler.withStd': [true, false] },
    x,
    y,
  );
  expect(study.trials).toHaveLength(6);
  expect(params.k).toBe(5);
  expect(score).toBeGreaterThan(0.95);
  expect(best.steps[1].options).toMatchObject({ k: 5 });
  await expect(gridSearch(chain, { neighbours: [1] }, x, y)).rejects.toThrow("there is no option 'neighbours'");
  await expect(crossValidate(model, x, y, { folds: 1 })).rejects.toThrow('folds is 1');
});

test('files of other things are refused', async () => {
  const bytes = await (await new KMeans({ clusters: 2 }).fit(x)).toBytes();
  await expect(loadEstimator(bytes, StandardScaler)).rejects.toThrow('the file holds a KMeans, not a StandardScaler');
  const text = new TextDecoder('latin1').decode(bytes);
  const changed = (from: string, to: string) =>
    Uint8Array.from(text.replace(from, to.padEnd(from.length)), (c) => c.charCodeAt(0));
  await expect(loadEstimator(changed('nabla-classic', 'nabla-unknown'))).rejects.toThrow(FormatError);
  await expect(loadEstimator(changed('KMeans', 'KMeanz'))).rejects.toThrow("there is no estimator 'KMeanz'");
  await expect(loadEstimator(changed('\\"features\\":4', '\\"features\\":5'))).rejects.toThrow(
    "'centers' of the KMeans is missing or damaged",
  );
  await expect(loadEstimator(bytes.subarray(0, bytes.length - 8))).rejects.toThrow(FormatError);
});
