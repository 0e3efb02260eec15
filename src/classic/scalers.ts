// Scalers: each column shifted and stretched by itself. What they divide by is never 0: a constant column is left as wide as it is.

import { ArgumentError, type OptionNames, checkGiven, checkList, checkNumber, wrongKind } from '../tensor/library.js';
import type { Tensor } from '../tensor/tensor.js';
import { type Fitted, InvertibleTransformer } from './estimator.js';
import { type Matrix, vectorOf, zeroMatrix } from './rows.js';
import { checkFields, floats } from './state-check.js';

export interface StandardScalerOptions {
  /** Subtract the mean. Default true. */
  readonly withMean?: boolean;
  /** Divide by the standard deviation. Default true. */
  readonly withStd?: boolean;
}

const STANDARD_OPTIONS: OptionNames<StandardScalerOptions> = { withMean: true, withStd: true };

interface StandardState extends Fitted {
  readonly features: number;
  readonly rows: number;
  readonly mean: Float64Array;
  readonly variance: Float64Array;
}

/**
 * Columns with mean 0 and standard deviation 1 (the population's). A column that is constant becomes 0. scikit-learn: StandardScaler.
 *
 *     const scaler = await new StandardScaler().fit(train);
 *     const x = await scaler.transform(test);
 */
export class StandardScaler extends InvertibleTransformer<StandardScalerOptions, StandardState> {
  constructor(options?: StandardScalerOptions) {
    super(options, STANDARD_OPTIONS, { withMean: true, withStd: true });
    checkFlags('StandardScaler', this.options);
  }

  /** Mean of each column → [features]. */
  get mean(): Tensor<[number], 'float64'> {
    return double(this.fitted('mean').mean);
  }

  /** Variance of each column, divided by n → [features]. */
  get variance(): Tensor<[number], 'float64'> {
    return double(this.fitted('variance').variance);
  }

  /** What columns are divided by: the standard deviation, 1 for a constant column → [features]. */
  get scale(): Tensor<[number], 'float64'> {
    return double(scaleOf(this.fitted('scale')));
  }

  protected async learn(x: Matrix): Promise<StandardState> {
    return { features: x.columns, rows: x.rows, ...momentsOf(x) };
  }

  protected async apply(x: Matrix): Promise<Matrix> {
    const { shift, scale } = this.affine();
    return mapColumns(x, (value, j) => (value - shift[j]) / scale[j]);
  }

  protected async unapply(x: Matrix): Promise<Matrix> {
    const { shift, scale } = this.affine();
    return mapColumns(x, (value, j) => value * scale[j] + shift[j]);
  }

  protected checkState(state: Fitted): void {
    checkFields('StandardScaler', state, {
      features: 'count',
      rows: 'count',
      mean: floats('features'),
      variance: floats('features'),
    });
  }

  private affine(): { shift: Float64Array; scale: Float64Array } {
    const state = this.fitted('transform');
    const { withMean, withStd } = this.options;
    return {
      shift: withMean === false ? new Float64Array(state.features) : state.mean,
      scale: withStd === false ? new Float64Array(state.features).fill(1) : scaleOf(state),
    };
  }
}

/** Deviations, or 1 where a column's variance is no more than what rounding makes of a constant one (as scikit-learn decides). */
function scaleOf({ mean, variance, rows }: StandardState): Float64Array {
  const eps = Number.EPSILON;
  return variance.map((v, j) => (v <= rows * eps * v + (rows * mean[j] * eps) ** 2 ? 1 : Math.sqrt(v)));
}

/** Mean and variance (divided by n) of each column, in float64 and in two passes: what the first one's rounding leaves is corrected. */
export function momentsOf({ data, rows, columns }: Matrix): { mean: Float64Array; variance: Float64Array } {
  const [mean, variance, rest] = [0, 1, 2].map(() => new Float64Array(columns));
  for (let i = 0, at = 0; i < rows; i++) for (let j = 0; j < columns; j++) mean[j] += data[at++];
  for (let j = 0; j < columns; j++) mean[j] /= rows;
  for (let i = 0, at = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const difference = data[at++] - mean[j];
      variance[j] += difference * difference;
      rest[j] += difference;
    }
  }
  for (let j = 0; j < columns; j++) variance[j] = (variance[j] - rest[j] ** 2 / rows) / rows;
  return { mean, variance };
}

export interface MinMaxScalerOptions {
  /** Where the smallest and the largest value of each column go. Default [0, 1]. */
  readonly range?: readonly [low: number, high: number];
  /** Keep other rows within the range. Default false. */
  readonly clip?: boolean;
}

const MIN_MAX_OPTIONS: OptionNames<MinMaxScalerOptions> = { range: true, clip: true };

interface MinMaxState extends Fitted {
  readonly features: number;
  readonly least: Float64Array;
  readonly most: Float64Array;
}

/** Columns from 0 to 1, or any range. A constant column goes to the low end. scikit-learn: MinMaxScaler. */
export class MinMaxScaler extends InvertibleTransformer<MinMaxScalerOptions, MinMaxState> {
  constructor(options?: MinMaxScalerOptions) {
    super(options, MIN_MAX_OPTIONS, { range: [0, 1], clip: false });
    checkFlags('MinMaxScaler', { clip: this.options.clip });
    checkList('MinMaxScaler', 'range', this.options.range, 'two numbers');
    const [low, high] = this.options.range!;
    checkNumber('MinMaxScaler', 'the low end', low);
    checkNumber('MinMaxScaler', 'the high end', high);
    if (!(high > low && high - low < Infinity))
      throw new ArgumentError(`MinMaxScaler: range is [${low}, ${high}]. Give a low and a higher end.`);
  }

  /** Smallest value of each column → [features]. */
  get least(): Tensor<[number], 'float64'> {
    return double(this.fitted('least').least);
  }

  /** Largest value of each column → [features]. */
  get most(): Tensor<[number], 'float64'> {
    return double(this.fitted('most').most);
  }

  protected async learn({ data, rows, columns }: Matrix): Promise<MinMaxState> {
    const least = new Float64Array(columns).fill(Infinity);
    const most = new Float64Array(columns).fill(-Infinity);
    for (let i = 0, at = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++, at++) {
        if (data[at] < least[j]) least[j] = data[at];
        if (data[at] > most[j]) most[j] = data[at];
      }
    }
    return { features: columns, least, most };
  }

  protected async apply(x: Matrix): Promise<Matrix> {
    const [low, high] = this.options.range!;
    const { shift, scale } = this.affine();
    const out = mapColumns(x, (value, j) => value * scale[j] + shift[j]);
    if (this.options.clip)
      for (let i = 0; i < out.data.length; i++) out.data[i] = Math.min(high, Math.max(low, out.data[i]));
    return out;
  }

  protected async unapply(x: Matrix): Promise<Matrix> {
    const { shift, scale } = this.affine();
    return mapColumns(x, (value, j) => (value - shift[j]) / scale[j]);
  }

  protected checkState(state: Fitted): void {
    checkFields('MinMaxScaler', state, { features: 'count', least: floats('features'), most: floats('features') });
  }

  private affine(): { shift: Float64Array; scale: Float64Array } {
    const { least, most } = this.fitted('transform');
    const [low, high] = this.options.range!;
    const scale = least.map((from, j) => (high - low) / (most[j] - from || 1));
    return { scale, shift: least.map((from, j) => low - from * scale[j]) };
  }
}

/** A matrix of the same size and dtype. */
export function mapColumns(x: Matrix, fn: (value: number, column: number) => number): Matrix {
  const out = zeroMatrix(x.rows, x.columns, x.data);
  for (let i = 0, at = 0; i < x.rows; i++) for (let j = 0; j < x.columns; j++, at++) out.data[at] = fn(x.data[at], j);
  return out;
}

function checkFlags(op: string, flags: Readonly<Record<string, unknown>>): void {
  checkGiven(checkFlag, op, flags);
}

export function checkFlag(op: string, what: string, value: unknown): void {
  if (typeof value !== 'boolean') throw wrongKind(op, what, value, 'Use true or false');
}

function double(values: Float64Array): Tensor<[number], 'float64'> {
  const t: unknown = vectorOf(values);
  return t as Tensor<[number], 'float64'>;
}
