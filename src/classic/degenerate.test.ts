// Problems that are hardly any: constant, repeated and dependent columns, repeated rows, numbers near the ends of float64, classes of one row, one class
// alone, separable and inseparable classes; and what is no problem at all: NaN, infinity, no rows. Every estimator ends in finite numbers or
// in a named error, and none hangs. NABLA_PARITY=all: a thousand problems.
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

const SEEDS = process.env['NABLA_PARITY'] === 'all' ? 1000 : 60;
const KINDS = [
  'plain',
  'constant',
  'constant everywhere',
  'repeated columns',
  'dependent columns',
  'repeated rows',
  'huge',
  'tiny',
  'mixed',
  'whole',
  'one class',
  'NaN',
  'infinite',
  'no rows',
] as const;
/** What no estimator can learn from. */
const IMPOSSIBLE: ReadonlySet<string> = new Set(['NaN', 'infinite', 'no rows']);

interface Problem {
  readonly name: string;
  readonly kind: (typeof KINDS)[number];
  readonly x: number[][];
  readonly y: number[];
}

/** A shape that all share, so that programs are compiled once; what is degenerate about it is drawn. */
function problem(seed: number): Problem {
  const random = new HostRandom(seed, 0xde6);
  const kind = KINDS[seed % KINDS.length];
  const x = Array.from({ length: kind === 'no rows' ? 0 : 8 }, () => Array.from({ length: 3 }, () => random.normal()));
  if (kind === 'constant everywhere') for (const row of x) row.fill(3);
  if (kind === 'dependent columns') for (const row of x) row[2] = 2 * row[0] - 3 * row[1];
  if (kind === 'NaN') x[random.below(8)][random.below(3)] = NaN;
  if (kind === 'infinite') x[random.below(8)][random.below(3)] = random.uniform() < 0.5 ? Infinity : -Infinity;
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
  const classOf = (row: readonly number[], i: number): number =>
    i < 2 ? i : random.uniform() < 0.3 ? i % 2 : row[0] > 0 ? 1 : 0;
  const y = x.map((row, i) => (kind === 'one class' ? 1 : classOf(row, i)));
  return { name: `${seed}, ${kind}`, kind, x, y };
}

/** What is wrong with how it ended. */
async function outcome(
  isImpossible: boolean,
  run: () => Promise<ArrayLike<number | string>>,
): Promise<string | undefined> {
  try {
    const numbers = Array.from(await run());
    if (isImpossible) return 'gives numbers';
    const wrong = numbers.find((v) => typeof v === 'number' && !Number.isFinite(v));
    return wrong === undefined ? undefined : `gives ${wrong}`;
  } catch (error) {
    return error instanceof NablaError && error.name !== 'InternalError' ? undefined : String(error);
  }
}

test('every estimator ends in finite numbers or in a named error', async () => {
  const faults: string[] = [];
  for (let seed = 0; seed < SEEDS; seed++) {
    const { name, kind, x, y } = problem(seed);
    const ended = (run: () => Promise<ArrayLike<number | string>>): Promise<string | undefined> =>
      outcome(IMPOSSIBLE.has(kind), run);
    const note = (what: string, fault: string | undefined) =>
      fault !== undefined && faults.push(`${name}: ${what} ${fault}`);
    for (const make of classifiers) {
      const model = make();
      note(
        `${model.constructor.name} ${JSON.stringify(model.options)}`,
        await ended(async () => (await model.fit(x, y)).predict(x)),
      );
      if (!model.isFitted || !model.givesProbabilities) continue;
      note(`${model.constructor.name} probabilities`, await ended(async () => (await model.predictProba(x)).data()));
    }
    for (const make of regressors) {
      const model = make();
      note(
        `${model.constructor.name} ${JSON.stringify(model.options)}`,
        await ended(async () => (await model.fit(x, y)).predict(x)),
      );
    }
    note('KMeans', await ended(async () => (await new KMeans({ clusters: 3 }).fit(x)).centers.data()));
    note(
      'KMeans, batches',
      await ended(async () =>
        (await new KMeans({ clusters: 3, batchSize: 4, maxIterations: 20 }).fit(x)).centers.data(),
      ),
    );
    for (const transformer of [
      new PCA({ whiten: true }),
      new PCA({ components: 0.9, solver: 'covariance' }),
      new StandardScaler(),
      new MinMaxScaler(),
    ])
      note(transformer.constructor.name, await ended(async () => (await transformer.fitTransform(x)).data()));
  }
  expect(faults).toEqual([]);
}, 600_000);
