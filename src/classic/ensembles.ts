// Ensembles: many estimators that vote or are averaged. Bagging fits copies of one to random rows; voting fits different ones to the same.

import { HostRandom } from '../tensor/host-random.js';
import {
  ArgumentError,
  FormatError,
  type OptionNames,
  checkList,
  checkNumber,
  checkNumbers,
  checkWhole,
} from '../tensor/library.js';
import {
  type ClassState,
  Classifier,
  type Estimator,
  type Fitted,
  Regressor,
  ProbabilityClassifier,
} from './estimator.js';
import { DecisionTreeClassifier, DecisionTreeRegressor } from './decision-tree.js';
import type { Encoded, Label } from './labels.js';
import { type Matrix, readRows, rowsAt, tensorOf, zeroMatrix } from './rows.js';
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

/** Probabilities of a member in the order of all classes; a vote where it gives none. */
async function sharesOf(member: Classifier, x: Matrix, classes: readonly Label[]): Promise<Matrix> {
  const out = zeroMatrix(x.rows, classes.length);
  const places = new Map(classes.map((label, i) => [label, i]));
  const rows = tensorOf(x);
  if (!member.givesProbabilities) {
    const predicted = await member.predict(rows);
    predicted.forEach((label, i) => (out.data[i * classes.length + places.get(label)!] = 1));
    return out;
  }
  const own = member.classes.map((label) => places.get(label)!);
  const { data } = await readRows('predictProba', await member.predictProba(rows));
  for (let i = 0; i < x.rows; i++)
    for (let c = 0; c < own.length; c++) out.data[i * classes.length + own[c]] = data[i * own.length + c];
  return out;
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

function checkMembers(name: string, state: Fitted, isMember: (e: unknown) => boolean): void {
  const { estimators, columns, features } = state as Partial<Record<string, unknown>>;
  const areMembers =
    Array.isArray(estimators) &&
    estimators.length > 0 &&
    estimators.every((e) => isMember(e) && (e as Estimator).isFitted);
  const isColumn = (list: unknown): boolean =>
    list instanceof Int32Array && list.every((c) => c >= 0 && c < (features as number));
  const haveColumns =
    columns === undefined ||
    (Array.isArray(columns) &&
      Array.isArray(estimators) &&
      columns.length === estimators.length &&
      columns.every(isColumn));
  if (!areMembers || !haveColumns) throw new FormatError(`loadEstimator: the estimators of the ${name} are damaged.`);
}

// ---------------------------------------------------------------- voting

export interface VotingClassifierOptions {
  /** What votes: different classifiers. */
  readonly estimators: readonly Classifier[];
  /** The commonest class ('hard', default), or the mean of the probabilities ('soft'). */
  readonly voting?: 'hard' | 'soft';
  /** What each one counts. Default: all alike. */
  readonly weights?: readonly number[] | null;
}

export interface VotingRegressorOptions {
  /** What is averaged: different regressors. */
  readonly estimators: readonly Regressor[];
  /** What each one counts. Default: all alike. */
  readonly weights?: readonly number[] | null;
}

interface VotingClassState extends ClassState {
  readonly estimators: readonly Classifier[];
}

function checkVoters(
  name: string,
  estimators: unknown,
  weights: unknown,
  isVoter: (e: unknown) => boolean,
  of: string,
): void {
  checkList(name, 'estimators', estimators, of);
  const list = estimators as readonly unknown[];
  if (list.length === 0) throw new ArgumentError(`${name}: there are no estimators. Give at least one.`);
  const wrong = list.findIndex((e) => !isVoter(e));
  if (wrong >= 0) throw new ArgumentError(`${name}: estimator ${wrong} is not one of ${of}.`);
  if (weights === null) return;
  checkNumbers(name, 'weights', weights);
  const numbers = weights as readonly number[];
  if (numbers.length !== list.length || numbers.some((w) => !(w >= 0)) || numbers.every((w) => w === 0))
    throw new ArgumentError(
      `${name}: weights are ${JSON.stringify(weights)} for ${list.length} estimators. Give a number of at least 0 for each.`,
    );
}

/**
 * Different classifiers, fitted to the same rows, that vote; of equals the first class in order. scikit-learn: VotingClassifier.
 *
 *     new VotingClassifier({ estimators: [new GaussianNaiveBayes(), new DecisionTreeClassifier()], voting: 'soft' });
 */
export class VotingClassifier extends ProbabilityClassifier<Required<VotingClassifierOptions>, VotingClassState> {
  constructor(options: VotingClassifierOptions) {
    super(
      options,
      { estimators: true, voting: true, weights: true },
      { estimators: [], voting: 'hard', weights: null },
    );
    const { estimators, voting, weights } = this.options;
    checkVoters('VotingClassifier', estimators, weights, (e) => e instanceof Classifier, 'classifiers');
    if (voting !== 'hard' && voting !== 'soft')
      throw new ArgumentError(`VotingClassifier: voting is ${String(voting)}. Use 'hard' or 'soft'.`);
    const mute = estimators.find((e) => !e.givesProbabilities);
    if (voting === 'soft' && mute !== undefined)
      throw new ArgumentError(`VotingClassifier: ${mute.constructor.name} gives no probabilities. Use voting: 'hard'.`);
  }

  /** The fitted voters. */
  get estimators(): readonly Classifier[] {
    return this.fitted('estimators').estimators;
  }

  override copy(changes: Readonly<Record<string, unknown>> = {}): this {
    return super.copy({ estimators: this.options.estimators.map((e) => e.copy()), ...changes });
  }

  protected async learn(x: Matrix, { y, classes }: Encoded): Promise<VotingClassState> {
    const labels = Array.from(y, (place) => classes[place]);
    const estimators = this.options.estimators.map((e) => e.copy());
    const rows = tensorOf(x);
    for (const estimator of estimators) await estimator.fit(rows, labels);
    return { features: x.columns, classes, estimators };
  }

  /** Shares of the votes, or the mean of the probabilities. */
  protected async probabilities(x: Matrix): Promise<Matrix> {
    const { estimators, classes } = this.fitted('predict');
    const { voting, weights } = this.options;
    const counts = weights ?? estimators.map(() => 1);
    const total = counts.reduce((a, b) => a + b, 0);
    const out = zeroMatrix(x.rows, classes.length);
    const rows = tensorOf(x);
    const places = new Map(classes.map((label, i) => [label, i]));
    for (const [i, estimator] of estimators.entries()) {
      const share = counts[i] / total;
      if (voting === 'soft') {
        const { data } = await sharesOf(estimator, x, classes);
        for (let k = 0; k < data.length; k++) out.data[k] += share * data[k];
      } else {
        const predicted = await estimator.predict(rows);
        predicted.forEach((label, row) => (out.data[row * classes.length + places.get(label)!] += share));
      }
    }
    return out;
  }

  protected checkState(state: Fitted): void {
    checkFields('VotingClassifier', state, { features: 'count', classes: 'labels', estimators: 'object' });
    checkMembers('VotingClassifier', state, (e) => e instanceof Classifier);
  }
}

interface VotingNumberState extends Fitted {
  readonly features: number;
  readonly estimators: readonly Regressor[];
}

/** The mean of different regressors, fitted to the same rows. scikit-learn: VotingRegressor. */
export class VotingRegressor extends Regressor<Required<VotingRegressorOptions>, VotingNumberState> {
  constructor(options: VotingRegressorOptions) {
    super(options, { estimators: true, weights: true }, { estimators: [], weights: null });
    const { estimators, weights } = this.options;
    checkVoters('VotingRegressor', estimators, weights, (e) => e instanceof Regressor, 'regressors');
  }

  /** The fitted members. */
  get estimators(): readonly Regressor[] {
    return this.fitted('estimators').estimators;
  }

  override copy(changes: Readonly<Record<string, unknown>> = {}): this {
    return super.copy({ estimators: this.options.estimators.map((e) => e.copy()), ...changes });
  }

  protected async learn(x: Matrix, y: Float64Array): Promise<VotingNumberState> {
    const estimators = this.options.estimators.map((e) => e.copy());
    const rows = tensorOf(x);
    for (const estimator of estimators) await estimator.fit(rows, y);
    return { features: x.columns, estimators };
  }

  protected async estimate(x: Matrix): Promise<Float64Array> {
    const { estimators } = this.fitted('predict');
    const counts = this.options.weights ?? estimators.map(() => 1);
    const total = counts.reduce((a, b) => a + b, 0);
    const out = new Float64Array(x.rows);
    const rows = tensorOf(x);
    for (const [i, estimator] of estimators.entries()) {
      const predicted = await estimator.predict(rows);
      predicted.forEach((value, row) => (out[row] += (counts[i] / total) * value));
    }
    return out;
  }

  protected checkState(state: Fitted): void {
    checkFields('VotingRegressor', state, { features: 'count', estimators: 'object' });
    checkMembers('VotingRegressor', state, (e) => e instanceof Regressor);
  }
}
