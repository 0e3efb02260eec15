// The k nearest neighbours of a row say what it is: their commonest class, or the mean of their numbers.

import { ArgumentError, type OptionNames, checkChoice, checkWhole } from '../tensor/library.js';
import { tensor } from '../tensor/creation.js';
import type { Tensor } from '../tensor/tensor.js';
import { type ClassState, type Fitted, Regressor, ProbabilityClassifier } from './estimator.js';
import type { Encoded, Label } from './labels.js';
import { type Distance, NeighbourIndex, type Neighbours } from './neighbours.js';
import { type Matrix, type Rows, counted, readRows, zeroMatrix } from './rows.js';
import { checkFields, floats, ints } from './state-check.js';

export interface NeighbourOptions {
  /** Number of neighbours. Default 5. */
  readonly k?: number;
  /** L2 ('euclidean', default), L1 ('manhattan') or 1 − cosine of the angle ('cosine'). */
  readonly distance?: Distance;
  /** All neighbours count alike ('uniform', default), or by 1 / distance; those at distance 0 then alone. */
  readonly weights?: 'uniform' | 'distance';
}

const NEIGHBOUR_OPTIONS: OptionNames<NeighbourOptions> = { k: true, distance: true, weights: true };
const DEFAULTS: Required<NeighbourOptions> = { k: 5, distance: 'euclidean', weights: 'uniform' };

/** Neighbours of rows: places in the rows that fit() got, and distances, the nearest first. */
export interface FoundNeighbours {
  /** → [n, k], int32. */
  readonly indices: Tensor<[number, number], 'int32'>;
  /** → [n, k], float64. */
  readonly distances: Tensor<[number, number], 'float64'>;
}

function checkNeighbourOptions(name: string, { k, distance, weights }: NeighbourOptions): void {
  checkWhole(name, 'k', k, 1);
  checkChoice(name, 'distance', distance, ['euclidean', 'manhattan', 'cosine']);
  checkChoice(name, 'weights', weights, ['uniform', 'distance']);
}

function checkEnough(op: string, k: number, rows: number): void {
  if (k > rows)
    throw new ArgumentError(
      `${op}: k is ${k}, and there ${rows === 1 ? 'is' : 'are'} ${counted(rows, 'row')}. Use at most ${rows}.`,
    );
}

/** What a neighbour counts, and all together make 1. */
function shares(distances: Float64Array, from: number, k: number, weights: 'uniform' | 'distance'): number[] {
  const own = Array.from(distances.subarray(from, from + k));
  const isAt = own.some((d) => d === 0);
  const counts = own.map((d) => (weights === 'uniform' ? 1 : isAt ? (d === 0 ? 1 : 0) : 1 / d));
  const total = counts.reduce((a, b) => a + b, 0);
  return counts.map((count) => count / total);
}

/** The numbers without the tensor that they came from, which is not ours. */
function keptRows({ data, rows, columns }: Matrix): Matrix {
  return { data, rows, columns };
}

/** An index for the rows of a state, made once. */
class Searched {
  private index: NeighbourIndex | undefined;
  private of: Matrix | undefined;

  nearest(rows: Matrix, distance: Distance, queries: Matrix, k: number): Promise<Neighbours> {
    if (this.index === undefined || this.of !== rows) {
      this.index = new NeighbourIndex(rows, distance);
      this.of = rows;
    }
    return this.index.nearest(queries, k);
  }

  /** What `neighbors` of both estimators gives. */
  async found(op: string, rows: Matrix, distance: Distance, x: Rows, k: number): Promise<FoundNeighbours> {
    checkWhole(op, 'k', k, 1);
    checkEnough(op, k, rows.rows);
    const { indices, distances } = await this.nearest(rows, distance, await readRows(op, x, rows.columns), k);
    const shape: [number, number] = [indices.length / k, k];
    return { indices: tensor(indices, { shape }), distances: tensor(distances, { shape }) };
  }
}

interface NeighbourClassState extends ClassState {
  readonly rows: Matrix;
  readonly y: Int32Array;
}

/**
 * The commonest class among the k nearest rows; of equals the first in order. Distances are taken in blocks on the engine: 10,000 queries
 * among 60,000 rows need some 100 MB. scikit-learn: KNeighborsClassifier (algorithm 'brute').
 *
 *     const model = await new KNeighborsClassifier({ k: 3 }).fit(x, y);
 *     await model.predict(rows);
 */
export class KNeighborsClassifier extends ProbabilityClassifier<NeighbourOptions, NeighbourClassState> {
  private readonly searched = new Searched();

  constructor(options?: NeighbourOptions) {
    super(options, NEIGHBOUR_OPTIONS, DEFAULTS);
    checkNeighbourOptions('KNeighborsClassifier', this.options);
  }

  /** The k nearest of the rows that fit() got, of each row of x. */
  async neighbors(x: Rows, k: number = this.options.k!): Promise<FoundNeighbours> {
    return this.searched.found(this.call('neighbors'), this.fitted('neighbors').rows, this.options.distance!, x, k);
  }

  protected async learn(rows: Matrix, { y, classes }: Encoded): Promise<NeighbourClassState> {
    checkEnough(this.call('fit'), this.options.k!, rows.rows);
    return { features: rows.columns, classes, rows: keptRows(rows), y };
  }

  protected async probabilities(x: Matrix): Promise<Matrix> {
    const { classes, rows, y } = this.fitted('predict');
    const { k, distance, weights } = this.options as Required<NeighbourOptions>;
    const { indices, distances } = await this.searched.nearest(rows, distance, x, k);
    const out = zeroMatrix(x.rows, classes.length);
    for (let i = 0; i < x.rows; i++)
      shares(distances, i * k, k, weights).forEach((share, j) => {
        out.data[i * classes.length + y[indices[i * k + j]]] += share;
      });
    return out;
  }

  protected checkState(state: Fitted): void {
    checkFields('KNeighborsClassifier', state, {
      features: 'count',
      classes: 'labels',
      rows: floats('rows', 'features'),
      y: ints('rows'),
    });
    checkPlaces(state['y'] as Int32Array, (state['classes'] as readonly Label[]).length);
  }
}

function checkPlaces(y: Int32Array, classes: number): void {
  if (y.some((place) => place < 0 || place >= classes))
    throw new ArgumentError('loadEstimator: the file names a class that it does not have.');
}

interface NeighbourNumberState extends Fitted {
  readonly features: number;
  readonly rows: Matrix;
  readonly y: Float64Array;
}

/** The mean of the numbers of the k nearest rows. scikit-learn: KNeighborsRegressor (algorithm 'brute'). */
export class KNeighborsRegressor extends Regressor<NeighbourOptions, NeighbourNumberState> {
  private readonly searched = new Searched();

  constructor(options?: NeighbourOptions) {
    super(options, NEIGHBOUR_OPTIONS, DEFAULTS);
    checkNeighbourOptions('KNeighborsRegressor', this.options);
  }

  /** The k nearest of the rows that fit() got, of each row of x. */
  async neighbors(x: Rows, k: number = this.options.k!): Promise<FoundNeighbours> {
    return this.searched.found(this.call('neighbors'), this.fitted('neighbors').rows, this.options.distance!, x, k);
  }

  protected async learn(rows: Matrix, y: Float64Array): Promise<NeighbourNumberState> {
    checkEnough(this.call('fit'), this.options.k!, rows.rows);
    return { features: rows.columns, rows: keptRows(rows), y };
  }

  protected async estimate(x: Matrix): Promise<Float64Array> {
    const { rows, y } = this.fitted('predict');
    const { k, distance, weights } = this.options as Required<NeighbourOptions>;
    const { indices, distances } = await this.searched.nearest(rows, distance, x, k);
    return Float64Array.from({ length: x.rows }, (_, i) =>
      shares(distances, i * k, k, weights).reduce((sum, share, j) => sum + share * y[indices[i * k + j]], 0),
    );
  }

  protected checkState(state: Fitted): void {
    checkFields('KNeighborsRegressor', state, {
      features: 'count',
      rows: floats('rows', 'features'),
      y: floats('rows'),
    });
  }
}
