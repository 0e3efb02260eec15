// Principal components: the directions along which rows vary most, from the covariance's eigenvectors or from the singular vectors of the
// centred rows.

import { svd, eigh } from '../linalg/index.js';
import { withoutGrad } from '../tensor/grad-mode.js';
import { ArgumentError, type OptionNames, checkChoice, checkNumber, checkWhole } from '../tensor/library.js';
import { type Tensor, realize } from '../tensor/tensor.js';
import { matrixTimes } from '../optim/minimize/vectors.js';
import { type Fitted, InvertibleTransformer } from './estimator.js';
import {
  type Floats,
  type Matrix,
  type Rows,
  areFinite,
  counted,
  tensorOf,
  tensorOfFloats,
  vectorOf,
  zeroMatrix,
  zerosLike,
} from './rows.js';
import { checkFlag } from './scalers.js';
import { checkFields, floats } from './state-check.js';

export interface PcaOptions {
  /** Number of components, or the share of the variance that they keep together (above 0, below 1). Default: all, min(n, features). */
  readonly components?: number | null;
  /** Divide each component by its standard deviation. Default false. */
  readonly whiten?: boolean;
  /** 'covariance' for many rows of few columns, 'svd' for the others. Default 'auto': 'covariance' from 10 rows a column on. */
  readonly solver?: 'auto' | 'covariance' | 'svd';
}

const OPTIONS: OptionNames<PcaOptions> = { components: true, whiten: true, solver: true };

interface PcaState extends Fitted {
  readonly features: number;
  readonly rows: number;
  readonly mean: Float64Array;
  readonly components: Matrix;
  readonly explainedVariance: Float64Array;
  readonly totalVariance: number;
  readonly noiseVariance: number;
}

/**
 * Rows as combinations of the directions along which they vary most. The largest part of each direction is positive, so that the result does
 * not depend on how it was computed. scikit-learn: PCA.
 *
 *     const pca = await new PCA({ components: 2 }).fit(x);
 *     const plane = await pca.transform(x); // [n, 2]
 */
export class PCA extends InvertibleTransformer<PcaOptions, PcaState> {
  constructor(options?: PcaOptions) {
    super(options, OPTIONS, { components: null, whiten: false, solver: 'auto' });
    const { components, whiten, solver } = this.options;
    checkFlag('PCA', 'whiten', whiten);
    checkChoice('PCA', 'solver', solver, ['auto', 'covariance', 'svd']);
    if (components === null) return;
    checkNumber('PCA', 'components', components);
    if (!(components! > 0)) throw new ArgumentError(`PCA: components is ${components}. Use a number above 0.`);
    if (components! >= 1) checkWhole('PCA', 'components', components, 1);
  }

  /** Directions of length 1, the one of the largest variance first → [components, features]. */
  get components(): Tensor<[number, number]> {
    return tensorOf(this.fitted('components').components);
  }

  /** Mean of each column → [features], float64. */
  get mean(): Tensor<[number]> {
    return vectorOf(this.fitted('mean').mean);
  }

  /** Variance along each component (divided by n − 1) → [components], float64. */
  get explainedVariance(): Tensor<[number]> {
    return vectorOf(this.fitted('explainedVariance').explainedVariance);
  }

  /** The share of the whole variance along each component → [components], float64. */
  get explainedVarianceRatio(): Tensor<[number]> {
    const { explainedVariance, totalVariance } = this.fitted('explainedVarianceRatio');
    return vectorOf(explainedVariance.map((v) => (totalVariance > 0 ? v / totalVariance : 0)));
  }

  /** Singular values of the centred rows → [components], float64. */
  get singularValues(): Tensor<[number]> {
    const { explainedVariance, rows } = this.fitted('singularValues');
    return vectorOf(explainedVariance.map((v) => Math.sqrt(v * (rows - 1))));
  }

  /** Mean variance along the directions that were left out (Tipping and Bishop 1999); 0 if none was. */
  get noiseVariance(): number {
    return this.fitted('noiseVariance').noiseVariance;
  }

  protected override get outputs(): number {
    return this.fitted('transform').components.rows;
  }

  override async fit(x: Rows): Promise<this> {
    const own = tensorOfFloats(x);
    const state = own && (await this.learnFrom(own));
    if (state === undefined) return super.fit(x); // which says what is wrong with x
    this.state = state;
    return this;
  }

  override async transform(x: Rows): Promise<Tensor<[number, number]>> {
    const { features } = this.fitted('transform');
    const own = tensorOfFloats(x, features);
    if (own === undefined) return super.transform(x);
    const out = this.project(own);
    const isFinite = await areFinite(out as Tensor); // as its rows are, of which there is more to check
    return isFinite ? out : super.transform(x);
  }

  protected async learn(x: Matrix): Promise<PcaState> {
    const state = await this.learnFrom(tensorOf(x));
    if (state !== undefined) return state;
    throw new ArgumentError(
      `${this.call('fit')}: the columns of x have sums beyond what its dtype can hold. Divide them first.`,
    );
  }

  /** Undefined where the mean of a column is not finite: then some number of it is not, or it is too large. */
  private async learnFrom(own: Tensor): Promise<PcaState | undefined> {
    const op = this.call('fit');
    const { components, solver } = this.options as Required<PcaOptions>;
    const [rows, columns] = own.shape;
    const most = Math.min(rows, columns);
    if (rows < 2) throw new ArgumentError(`${op}: x has 1 row, which has no variance. Give at least two.`);
    if (components !== null && components > most)
      throw new ArgumentError(
        `${op}: ${components} components of ${counted(rows, 'row')} with ${counted(columns, 'column')}. Use at most ${most}.`,
      );
    const isTall = solver === 'covariance' || (solver === 'auto' && rows >= 10 * columns);
    const average = withoutGrad(() => own.to('float64').mean(0));
    const uncentred = isTall ? covarianceFrom(own, average) : [];
    await realize(own, average, ...uncentred); // together: then it is one program
    const mean = Float64Array.from(await average.data());
    if (!mean.every(Number.isFinite)) return undefined;
    const [covariance, variance] = uncentred;
    const isClose = variance !== undefined && isNear(mean, await variance.item());
    const centred = (): Tensor => withoutGrad(() => own.sub(average.to(own.dtype)) as Tensor);
    const { directions, variances } = isTall
      ? await byCovariance(isClose ? covariance : covarianceOf(centred()), most)
      : await bySvd(centred());
    const totalVariance = variances.reduce((a, b) => a + b, 0);
    const kept = countKept(components, variances, totalVariance, most);
    const rest = variances.subarray(kept, most);
    turnPositive(directions, kept);
    return {
      features: columns,
      rows,
      mean,
      components: { data: directions.data.slice(0, kept * columns), rows: kept, columns },
      explainedVariance: variances.slice(0, kept),
      totalVariance,
      noiseVariance: rest.length === 0 ? 0 : rest.reduce((a, b) => a + b, 0) / rest.length,
    };
  }

  protected async apply(x: Matrix): Promise<Matrix> {
    const out = this.project(tensorOf(x));
    return { data: await out.data(), rows: x.rows, columns: out.shape[1] };
  }

  /** (x − mean)·Vᵀ of rows on the engine, of their dtype: the mean is taken away before the product only where it is large beside the deviations. */
  private project(rows: Tensor): Tensor<[number, number]> {
    const { mean, components, totalVariance } = this.fitted('transform');
    const kind: Floats = rows.dtype === 'float32' ? new Float32Array(0) : new Float64Array(0);
    const scaled = this.scaled(components, kind, -1);
    const directions: Tensor = tensorOf(scaled);
    const isClose = isNear(mean, totalVariance);
    const shift: Tensor = vectorOf(like(isClose ? matrixTimes(Float64Array.from(scaled.data), mean) : mean, kind));
    return withoutGrad(
      () =>
        (isClose ? rows.matmul(directions.T).sub(shift) : rows.sub(shift).matmul(directions.T)) as Tensor<
          [number, number]
        >,
    );
  }

  protected async unapply(x: Matrix): Promise<Matrix> {
    const { mean, components } = this.fitted('inverseTransform');
    const rows: Tensor = tensorOf(x);
    const directions: Tensor = tensorOf(this.scaled(components, x.data, 1));
    const out: Tensor = withoutGrad(() => rows.matmul(directions) as Tensor);
    const data: Floats = await out.data();
    for (let i = 0, at = 0; i < x.rows; i++) for (let j = 0; j < components.columns; j++, at++) data[at] += mean[j];
    return { data, rows: x.rows, columns: components.columns };
  }

  protected checkState(state: Fitted): void {
    checkFields('PCA', state, {
      features: 'count',
      rows: 'count',
      mean: floats('features'),
      components: floats('components', 'features'),
      explainedVariance: floats('components'),
      totalVariance: 'number',
      noiseVariance: 'number',
    });
  }

  /** The directions in the kind of the rows, divided (−1) or multiplied (1) by their deviations if they are whitened. */
  private scaled(components: Matrix, like: Floats, power: 1 | -1): Matrix {
    const { explainedVariance, totalVariance } = this.fitted('transform');
    const out = zeroMatrix(components.rows, components.columns, like);
    const least = Number.EPSILON * totalVariance; // what has no variance is not blown up
    const deviation = (variance: number): number => Math.sqrt(Math.max(variance, least)) || 1; // of rows that are all alike: 1
    for (let k = 0, at = 0; k < components.rows; k++) {
      const scale = this.options.whiten === true ? deviation(explainedVariance[k]) ** power : 1;
      for (let j = 0; j < components.columns; j++, at++) out.data[at] = components.data[at] * scale;
    }
    return out;
  }
}

/** Up to so much of the variance, the square of the mean takes no digits from a difference of products. */
const NEAR = 4;

function isNear(mean: Float64Array, variance: number): boolean {
  return mean.reduce((sum, v) => sum + v * v, 0) <= NEAR * variance;
}

interface Spectrum {
  /** In rows, that of the largest variance first. */
  readonly directions: Matrix;
  readonly variances: Float64Array;
}

type Square = Tensor<number[], 'float64'>;

function covarianceOf(centred: Tensor): Square {
  return withoutGrad(() => (centred.T.matmul(centred) as Tensor).to('float64').div(centred.shape[0] - 1) as Square);
}

/** The covariance and its trace from the rows as they are: right where their mean is not so far away that it takes digits. */
function covarianceFrom(rows: Tensor, average: Square): [Square, Tensor<number[], 'float64'>] {
  const [n] = rows.shape;
  return withoutGrad(() => {
    const products = (rows.T.matmul(rows) as Tensor).to('float64');
    const covariance = products.sub(average.unsqueeze(1).mul(average).mul(n)).div(n - 1) as Square;
    return [covariance, covariance.diagonal().sum() as Square];
  });
}

async function byCovariance(covariance: Square, most: number): Promise<Spectrum> {
  const d = covariance.shape[0];
  const { eigenvalues, eigenvectors } = withoutGrad(() => eigh(covariance));
  await realize(eigenvalues, eigenvectors); // together: apart, each would be computed with all that it is made of
  const [values, vectors] = await Promise.all([eigenvalues.data(), eigenvectors.data()]);
  const directions = zeroMatrix(most, d);
  const variances = new Float64Array(most);
  for (let k = 0; k < most; k++) {
    const column = d - 1 - k; // ascending
    variances[k] = Math.max(0, values[column]);
    for (let j = 0; j < d; j++) directions.data[k * d + j] = vectors[j * d + column];
  }
  return { directions, variances };
}

async function bySvd(rows: Tensor): Promise<Spectrum> {
  const [n, columns] = rows.shape;
  const { s, vh } = withoutGrad(() => svd(rows.to('float64'), { fullMatrices: false }));
  await realize(s, vh);
  const [values, vectors] = await Promise.all([s.data(), vh.data()]);
  const variances = Float64Array.from(values, (v) => (v * v) / (n - 1));
  return { directions: { data: Float64Array.from(vectors), rows: variances.length, columns }, variances };
}

/** The largest part of each direction, in size, is positive. */
function turnPositive({ data, columns }: Matrix, kept: number): void {
  for (let k = 0; k < kept; k++) {
    const own = data.subarray(k * columns, (k + 1) * columns);
    let largest = 0;
    for (const value of own) if (Math.abs(value) > Math.abs(largest)) largest = value;
    if (largest < 0) for (let j = 0; j < columns; j++) own[j] = -own[j];
  }
}

function countKept(asked: number | null, variances: Float64Array, total: number, most: number): number {
  if (asked === null) return most;
  if (asked >= 1) return asked;
  let sum = 0;
  for (let k = 0; k < most; k++) {
    sum += variances[k] / total;
    if (sum > asked) return k + 1;
  }
  return most;
}

/** The numbers in the kind of others. */
function like(values: Float64Array, other: Floats): Floats {
  const out = zerosLike(other, values.length);
  out.set(values);
  return out;
}
