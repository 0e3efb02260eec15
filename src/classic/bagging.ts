// Bagging: copies of one estimator, each fitted to rows drawn at random, whose results are averaged.

import { HostRandom } from '../tensor/host-random.js';
import { ArgumentError, type OptionNames, checkNumber, checkWhole } from '../tensor/library.js';
import { DecisionTreeClassifier, DecisionTreeRegressor } from './decision-tree.js';
import {
  type ClassState,
  Classifier,
  type Estimator,
  type Fitted,
  Regressor,
  ProbabilityClassifier,
} from './estimator.js';
import type { Encoded } from './labels.js';
import { checkMembers, sharesOf } from './members.js';
import { type Matrix, rowsAt, tensorOf, zeroMatrix } from './rows.js';
import { checkFlag } from './scalers.js';
import { accuracyOf, r2Of } from './scores.js';
import { checkFields, orNull } from './state-check.js';

interface BaggingSettings {
  /** Number of copies. Default 10. */
  readonly count?: number;
  /** Rows of each copy: a share of all, or a number above 1. Default 1, all. */
  readonly samples?: number;
  /** Features of each copy: a share of all, or a number above 1. Default 1, all. */
  readonly features?: number;
  /** Draw rows with replacement. Default true. */
  readonly bootstrap?: boolean;
  /** Also score each row by the copies that have not seen it. Default false. */
  readonly outOfBag?: boolean;
  /** Default 0. */
  readonly seed?: number;
}

export interface BaggingClassifierOptions extends BaggingSettings {
  /** What is copied. Default: a decision tree. */
  readonly estimator?: Classifier;
}

export interface BaggingRegressorOptions extends BaggingSettings {
  /** What is copied. Default: a decision tree. */
  readonly estimator?: Regressor;
}

const BAGGING_NAMES: OptionNames<BaggingSettings> = {
  count: true,
  samples: true,
  features: true,
  bootstrap: true,
  outOfBag: true,
  seed: true,
};

const BAGGING_DEFAULTS: Required<BaggingSettings> = {
  count: 10,
  samples: 1,
  features: 1,
  bootstrap: true,
  outOfBag: false,
  seed: 0,
};

function checkBagging(name: string, { count, samples, features, bootstrap, outOfBag, seed }: BaggingSettings): void {
  checkWhole(name, 'count', count, 1);
  checkWhole(name, 'seed', seed, -Infinity);
  checkFlag(name, 'bootstrap', bootstrap);
  checkFlag(name, 'outOfBag', outOfBag);
  for (const [what, value] of Object.entries({ samples, features })) {
    checkNumber(name, what, value);
    if (!(value! > 0) || (value! > 1 && !Number.isInteger(value)))
      throw new ArgumentError(`${name}: ${what} is ${value}. Use a share from 0 to 1, or a whole number above 1.`);
  }
}

/** Which rows and which features a copy sees. */
interface Draw {
  readonly rows: Int32Array;
  readonly features: Int32Array;
}

function drawFor(x: Matrix, options: Required<BaggingSettings>, random: HostRandom, op: string): Draw {
  const sizeOf = (share: number, all: number, what: string): number => {
    const size = share <= 1 ? Math.max(1, Math.round(share * all)) : share;
    if (size > all) throw new ArgumentError(`${op}: ${what} is ${share}, and there are ${all}.`);
    return size;
  };
  const count = sizeOf(options.samples, x.rows, 'samples');
  const width = sizeOf(options.features, x.columns, 'features');
  const all = (n: number): Int32Array => Int32Array.from({ length: n }, (_, i) => i);
  const rows = options.bootstrap
    ? Int32Array.from({ length: count }, () => random.below(x.rows))
    : random.shuffle(all(x.rows)).slice(0, count);
  const features = width === x.columns ? all(width) : random.shuffle(all(x.columns)).slice(0, width).sort();
  return { rows, features };
}

function columnsAt(x: Matrix, columns: ArrayLike<number>): Matrix {
  if (columns.length === x.columns) return x;
  const out = zeroMatrix(x.rows, columns.length, x.data);
  for (let i = 0, at = 0; i < x.rows; i++)
    for (let j = 0; j < columns.length; j++, at++) out.data[at] = x.data[i * x.columns + columns[j]];
  return out;
}

/** A copy whose random numbers are its own, where it has any. */
function seededCopy<E extends Estimator>(estimator: E, seed: number): E {
  return 'seed' in estimator.options ? estimator.copy({ seed }) : estimator.copy();
}

interface BaggedClassState extends ClassState {
  readonly estimators: readonly Classifier[];
  readonly columns: readonly Int32Array[];
  readonly outOfBagScore: number | null;
}

/**
 * Copies of a classifier, each fitted to rows drawn at random; the mean of their probabilities decides (or their votes, where they have
 * none). scikit-learn: BaggingClassifier.
 *
 *     const forest = new BaggingClassifier({ estimator: new DecisionTreeClassifier({ maxFeatures: 'sqrt' }), count: 100 });
 */
export class BaggingClassifier extends ProbabilityClassifier<BaggingClassifierOptions, BaggedClassState> {
  constructor(options?: BaggingClassifierOptions) {
    super(
      options,
      { estimator: true, ...BAGGING_NAMES },
      { estimator: new DecisionTreeClassifier(), ...BAGGING_DEFAULTS },
    );
    if (!(this.options.estimator instanceof Classifier))
      throw new ArgumentError('BaggingClassifier: estimator is no classifier. Give one: new DecisionTreeClassifier().');
    checkBagging('BaggingClassifier', this.options);
  }

  /** The fitted copies. */
  get estimators(): readonly Classifier[] {
    return this.fitted('estimators').estimators;
  }

  /** Share of rows that the copies which have not seen them get right; NaN without `outOfBag`. */
  get outOfBagScore(): number {
    return this.fitted('outOfBagScore').outOfBagScore ?? NaN;
  }

  protected async learn(x: Matrix, { y, classes }: Encoded): Promise<BaggedClassState> {
    const options = this.options as Required<BaggingClassifierOptions>;
    const random = new HostRandom(options.seed, 0xba66);
    const estimators: Classifier[] = [];
    const columns: Int32Array[] = [];
    const votes = zeroMatrix(x.rows, classes.length);
    for (let i = 0; i < options.count; i++) {
      const draw = drawFor(x, options, random, this.call('fit'));
      const own = rowsWithTwoClasses(draw.rows, y);
      const copy = seededCopy(options.estimator, random.bits());
      const seen = columnsAt(x, draw.features);
      await copy.fit(
        tensorOf(rowsAt(seen, own)),
        Array.from(own, (row) => classes[y[row]]),
      );
      estimators.push(copy);
      columns.push(draw.features);
      if (!options.outOfBag) continue;
      const rest = unseen(x.rows, own);
      if (rest.length > 0) addShares(votes, rest, await sharesOf(copy, rowsAt(seen, rest), classes));
    }
    const outOfBagScore = options.outOfBag ? outOfBagAccuracy(votes, y) : null;
    return { features: x.columns, classes, estimators, columns, outOfBagScore };
  }

  protected async probabilities(x: Matrix): Promise<Matrix> {
    const { estimators, columns, classes } = this.fitted('predict');
    const out = zeroMatrix(x.rows, classes.length);
    const all = Int32Array.from({ length: x.rows }, (_, i) => i);
    for (const [i, estimator] of estimators.entries())
      addShares(out, all, await sharesOf(estimator, columnsAt(x, columns[i]), classes));
    for (let i = 0; i < out.data.length; i++) out.data[i] /= estimators.length;
    return out;
  }

  protected checkState(state: Fitted): void {
    checkFields('BaggingClassifier', state, {
      features: 'count',
      classes: 'labels',
      estimators: 'object',
      columns: 'object',
      outOfBagScore: orNull('number'),
    });
    checkMembers('BaggingClassifier', state, (e) => e instanceof Classifier);
  }
}

interface BaggedNumberState extends Fitted {
  readonly features: number;
  readonly estimators: readonly Regressor[];
  readonly columns: readonly Int32Array[];
  readonly outOfBagScore: number | null;
}

/** Copies of a regressor, each fitted to rows drawn at random; their mean is predicted. scikit-learn: BaggingRegressor. */
export class BaggingRegressor extends Regressor<BaggingRegressorOptions, BaggedNumberState> {
  constructor(options?: BaggingRegressorOptions) {
    super(
      options,
      { estimator: true, ...BAGGING_NAMES },
      { estimator: new DecisionTreeRegressor(), ...BAGGING_DEFAULTS },
    );
    if (!(this.options.estimator instanceof Regressor))
      throw new ArgumentError('BaggingRegressor: estimator is no regressor. Give one: new DecisionTreeRegressor().');
    checkBagging('BaggingRegressor', this.options);
  }

  /** The fitted copies. */
  get estimators(): readonly Regressor[] {
    return this.fitted('estimators').estimators;
  }

  /** R² of the rows by the copies that have not seen them; NaN without `outOfBag`. */
  get outOfBagScore(): number {
    return this.fitted('outOfBagScore').outOfBagScore ?? NaN;
  }

  protected async learn(x: Matrix, y: Float64Array): Promise<BaggedNumberState> {
    const options = this.options as Required<BaggingRegressorOptions>;
    const random = new HostRandom(options.seed, 0xba66);
    const estimators: Regressor[] = [];
    const columns: Int32Array[] = [];
    const [sums, counts] = [new Float64Array(x.rows), new Float64Array(x.rows)];
    for (let i = 0; i < options.count; i++) {
      const { rows, features } = drawFor(x, options, random, this.call('fit'));
      const copy = seededCopy(options.estimator, random.bits());
      const seen = columnsAt(x, features);
      await copy.fit(
        tensorOf(rowsAt(seen, rows)),
        Float64Array.from(rows, (row) => y[row]),
      );
      estimators.push(copy);
      columns.push(features);
      const rest = options.outOfBag ? unseen(x.rows, rows) : [];
      if (rest.length === 0) continue;
      const predicted = await copy.predict(tensorOf(rowsAt(seen, rest)));
      rest.forEach((row, k) => {
        sums[row] += predicted[k];
        counts[row]++;
      });
    }
    const known = Array.from(counts.keys()).filter((row) => counts[row] > 0);
    const own = Float64Array.from(known, (row) => y[row]);
    const means = Float64Array.from(known, (row) => sums[row] / counts[row]);
    return { features: x.columns, estimators, columns, outOfBagScore: options.outOfBag ? r2Of(own, means) : null };
  }

  protected async estimate(x: Matrix): Promise<Float64Array> {
    const { estimators, columns } = this.fitted('predict');
    const out = new Float64Array(x.rows);
    for (const [i, estimator] of estimators.entries()) {
      const predicted = await estimator.predict(tensorOf(columnsAt(x, columns[i])));
      predicted.forEach((value, row) => (out[row] += value / estimators.length));
    }
    return out;
  }

  protected checkState(state: Fitted): void {
    checkFields('BaggingRegressor', state, {
      features: 'count',
      estimators: 'object',
      columns: 'object',
      outOfBagScore: orNull('number'),
    });
    checkMembers('BaggingRegressor', state, (e) => e instanceof Regressor);
  }
}

/** A draw of one class only cannot be learned from: one row of another class takes the place of its first. */
function rowsWithTwoClasses(rows: Int32Array, y: Int32Array): Int32Array {
  if (rows.some((row) => y[row] !== y[rows[0]])) return rows;
  const other = y.findIndex((label) => label !== y[rows[0]]);
  if (rows.length === 1) return Int32Array.of(rows[0], other);
  const mixed = rows.slice();
  mixed[0] = other;
  return mixed;
}

function unseen(rows: number, drawn: Int32Array): number[] {
  const isDrawn = new Uint8Array(rows);
  for (const row of drawn) isDrawn[row] = 1;
  return Array.from(isDrawn.keys()).filter((row) => isDrawn[row] === 0);
}

function addShares(to: Matrix, rows: ArrayLike<number>, shares: Matrix): void {
  const width = to.columns;
  for (let i = 0; i < rows.length; i++)
    for (let c = 0; c < width; c++) to.data[rows[i] * width + c] += shares.data[i * width + c];
}

function outOfBagAccuracy(votes: Matrix, y: Int32Array): number {
  const width = votes.columns;
  const [truth, predicted]: [number[], number[]] = [[], []];
  for (let i = 0; i < votes.rows; i++) {
    const own = Array.from(votes.data.subarray(i * width, (i + 1) * width));
    if (own.every((share) => share === 0)) continue;
    truth.push(y[i]);
    predicted.push(own.indexOf(own.reduce((a, b) => Math.max(a, b))));
  }
  return truth.length === 0 ? NaN : accuracyOf(truth, predicted);
}
