// Problems that are hardly any: constant and repeated columns, repeated rows, two rows, numbers near the ends of float64, classes of one row, separable
// and inseparable classes. Every estimator ends in finite numbers or in a named error, and none hangs.
import { expect, test } from 'vitest';
import { HostRandom } from '../data/index.js';
import { NablaError } from '../index.js';
import {
  BaggingClassifier,
  type Classifier,
  DecisionTreeClassifier,
  DecisionTreeRegressor,
  GaussianNaiveBayes,
  KMeans,
  KNeighborsClassifier,
  KNeighborsRegressor,
  Lasso,
  LinearRegression,
  LinearSVM,
  LogisticRegression,
  MinMaxScaler,
  PCA,
  type Regressor,
  Ridge,
  SoftmaxRegression,
  StandardScaler,
} from './index.js';

const classifiers: (() => Classifier)[] = [
  () => new KNeighborsClassifier({ k: 2, weights: 'distance' }),
  () => new KNeighborsClassifier({ k: 1, distance: 'cosine' }),
  () => new GaussianNaiveBayes(),
  () => new DecisionTreeClassifier({ criterion: 'entropy', ccpAlpha: 0.01 }),
  () => new BaggingClassifier({ count: 3, outOfBag: true }),
  () => new LinearSVM({ maxIterations: 200 }),
  () => new LogisticRegression({ maxIterations: 200 }),
  () => new LogisticRegression({ penalty: 'none', maxIterations: 50 }),
  () => new LogisticRegression({ penalty: 'l1', maxIterations: 50 }),
  () => new SoftmaxRegression({ solver: 'gradient', maxIterations: 100 }),
  () => new SoftmaxRegression({ solver: 'l-bfgs', maxIterations: 100 }),
];
const regressors: (() => Regressor)[] = [
  () => new KNeighborsRegressor({ k: 2 }),
  () => new DecisionTreeRegressor(),
  () => new LinearRegression(),
  () => new LinearRegression({ solver: 'normal' }),
  () => new LinearRegression({ solver: 'gradient', maxIterations: 500 }),
  () => new Ridge(),
  () => new Lasso({ maxIterations: 300 }),
];

interface Problem {
  readonly name: string;
  readonly x: number[][];
  readonly y: number[];
}

/** A shape that all share, so that programs are compiled once; what is degenerate about it is drawn. */
function problem(seed: number): Problem {
  const random = new HostRandom(seed, 0xde6);
  const kind = ['plain', 'constant', 'repeated columns', 'repeated rows', 'huge', 'tiny', 'mixed', 'whole'][
    random.below(8)
  ];
  const x = Array.from({ length: 8 }, () => Array.from({ length: 3 }, () => random.normal()));
  if (kind === 'constant') for (const row of x) row[1] = 7;
  if (kind === 'repeated columns') for (const row of x) row[2] = row[0];
  if (kind === 'repeated rows') x.forEach((row, i) => i >= 4 && row.splice(0, 3, ...x[i - 4]));
  const scales: Record<string, number[]> = {
    huge: [1e120, 1e120, 1e120],
    tiny: [1e-160, 1e-160, 1e-160],
    mixed: [1e8, 1, 1e-8],
  };
  for (const row of x)
    row.forEach((v, j) => (row[j] = kind === 'whole' ? Math.round(v) : v * (scales[kind]?.[j] ?? 1)));
  const y = x.map((row, i) => (i < 2 ? i : random.uniform() < 0.3 ? i % 2 : row[0] > 0 ? 1 : 0));
  return { name: `${seed}, ${kind}`, x, y };
}

async function outcome(run: () => Promise<ArrayLike<number | string>>): Promise<string | undefined> {
  try {
    const numbers = Array.from(await run());
    const wrong = numbers.find((v) => typeof v === 'number' && !Number.isFinite(v));
    return wrong === undefined ? undefined : `gives ${wrong}`;
  } catch (error) {
    return error instanceof NablaError && error.name !== 'InternalError' ? undefined : String(error);
  }
}

test('every estimator ends in finite numbers or in a named error', async () => {
  const faults: string[] = [];
  for (let seed = 0; seed < 30; seed++) {
    const { name, x, y } = problem(seed);
    const note = (what: string, fault: string | undefined) =>
      fault !== undefined && faults.push(`${name}: ${what} ${fault}`);
    for (const make of classifiers) {
      const model = make();
      note(
        `${model.constructor.name} ${JSON.stringify(model.options)}`,
        await outcome(async () => (await model.fit(x, y)).predict(x)),
      );
      if (!model.isFitted || !model.givesProbabilities) continue;
      note(`${model.constructor.name} probabilities`, await outcome(async () => (await model.predictProba(x)).data()));
    }
    for (const make of regressors) {
      const model = make();
      note(
        `${model.constructor.name} ${JSON.stringify(model.options)}`,
        await outcome(async () => (await model.fit(x, y)).predict(x)),
      );
    }
    note('KMeans', await outcome(async () => (await new KMeans({ clusters: 3 }).fit(x)).centers.data()));
    note(
      'KMeans, batches',
      await outcome(async () =>
        (await new KMeans({ clusters: 3, batchSize: 4, maxIterations: 20 }).fit(x)).centers.data(),
      ),
    );
    for (const transformer of [
      new PCA({ whiten: true }),
      new PCA({ components: 0.9, solver: 'covariance' }),
      new StandardScaler(),
      new MinMaxScaler(),
    ])
      note(transformer.constructor.name, await outcome(async () => (await transformer.fitTransform(x)).data()));
  }
  expect(faults).toEqual([]);
}, 60_000);
