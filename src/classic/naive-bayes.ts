// Gaussian naive Bayes: within a class each feature is normal, and independent of the others.

import { ArgumentError, type OptionNames, checkNumber, checkNumbers } from '../tensor/library.js';
import { largest } from '../tensor/extremes.js';
import type { Tensor } from '../tensor/tensor.js';
import { type ClassState, type Fitted, ProbabilityClassifier } from './estimator.js';
import type { Encoded } from './labels.js';
import { type Matrix, rowsAt, tensorOf, vectorOf, zeroMatrix } from './rows.js';
import { momentsOf } from './scalers.js';
import { checkFields, floats } from './state-check.js';

export interface NaiveBayesOptions {
  /** Probabilities of the classes, in their order. Default: their shares among the rows. */
  readonly priors?: readonly number[] | null;
  /** This share of the largest variance of a feature is added to all variances. Default 1e-9. */
  readonly varSmoothing?: number;
}

const OPTIONS: OptionNames<NaiveBayesOptions> = { priors: true, varSmoothing: true };

interface NaiveBayesState extends ClassState {
  readonly priors: Float64Array;
  readonly means: Matrix;
  readonly variances: Matrix;
}

/**
 * The class c with the largest log p(c) + Σ log N(xⱼ; μ, σ²) of means and variances of its rows. scikit-learn: GaussianNB.
 *
 *     const model = await new GaussianNaiveBayes().fit(x, y);
 *     await model.predictProba(rows); // [n, classes]
 */
export class GaussianNaiveBayes extends ProbabilityClassifier<NaiveBayesOptions, NaiveBayesState> {
  constructor(options?: NaiveBayesOptions) {
    super(options, OPTIONS, { priors: null, varSmoothing: 1e-9 });
    const { priors, varSmoothing } = this.options;
    checkNumber('GaussianNaiveBayes', 'varSmoothing', varSmoothing);
    if (!(varSmoothing! >= 0))
      throw new ArgumentError(`GaussianNaiveBayes: varSmoothing is ${varSmoothing}. Use a number of at least 0.`);
    if (priors === null) return;
    checkNumbers('GaussianNaiveBayes', 'priors', priors);
    const sum = priors!.reduce((a, b) => a + b, 0);
    if (priors!.some((p) => !(p >= 0)) || Math.abs(sum - 1) > 1e-6)
      throw new ArgumentError(
        `GaussianNaiveBayes: priors are ${JSON.stringify(priors)}. Give probabilities with sum 1.`,
      );
  }

  /** Mean of each feature in each class → [classes, features]. */
  get means(): Tensor<[number, number]> {
    return tensorOf(this.fitted('means').means);
  }

  /** Variance of each feature in each class, with what was added → [classes, features]. */
  get variances(): Tensor<[number, number]> {
    return tensorOf(this.fitted('variances').variances);
  }

  /** Probability of each class before anything is seen → [classes]. */
  get priors(): Tensor<[number]> {
    return vectorOf(this.fitted('priors').priors);
  }

  protected async learn(x: Matrix, { y, classes }: Encoded): Promise<NaiveBayesState> {
    const { priors, varSmoothing } = this.options;
    if (priors !== null && priors!.length !== classes.length)
      throw new ArgumentError(
        `${this.call('fit')}: there are ${priors!.length} priors for ${classes.length} classes. Give one for each.`,
      );
    const added = varSmoothing! * largest(momentsOf(x).variance);
    const [means, variances] = [0, 1].map(() => zeroMatrix(classes.length, x.columns));
    const shares = new Float64Array(classes.length);
    classes.forEach((_label, c) => {
      const own = rowsAt(
        x,
        Array.from(y.keys()).filter((i) => y[i] === c),
      );
      const { mean, variance } = momentsOf(own);
      means.data.set(mean, c * x.columns);
      variances.data.set(
        variance.map((v) => v + added),
        c * x.columns,
      );
      shares[c] = own.rows / x.rows;
    });
    const flat = variances.data.findIndex((v) => v === 0);
    if (flat >= 0)
      throw new ArgumentError(
        `${this.call('fit')}: feature ${flat % x.columns} has one value only in class ${String(classes[Math.floor(flat / x.columns)])}, and so no variance. Give a varSmoothing above 0, or leave it out.`,
      );
    return {
      features: x.columns,
      classes,
      means,
      variances,
      priors: priors === null ? shares : Float64Array.from(priors!),
    };
  }

  protected override async scores(x: Matrix): Promise<Matrix> {
    const { classes, priors, means, variances } = this.fitted('predict');
    const out = zeroMatrix(x.rows, classes.length);
    const d = x.columns;
    classes.forEach((_label, c) => {
      let constant = Math.log(priors[c]);
      for (let j = 0; j < d; j++) constant -= 0.5 * Math.log(2 * Math.PI * variances.data[c * d + j]);
      for (let i = 0; i < x.rows; i++) {
        let sum = 0;
        for (let j = 0; j < d; j++) sum += (x.data[i * d + j] - means.data[c * d + j]) ** 2 / variances.data[c * d + j];
        out.data[i * classes.length + c] = constant - 0.5 * sum;
      }
    });
    return out;
  }

  protected async probabilities(x: Matrix): Promise<Matrix> {
    return softmaxRows(await this.scores(x));
  }

  protected checkState(state: Fitted): void {
    checkFields('GaussianNaiveBayes', state, {
      features: 'count',
      classes: 'labels',
      priors: floats('classes'),
      means: floats('classes', 'features'),
      variances: floats('classes', 'features'),
    });
  }
}

/** exp of each row, divided by its sum. */
export function softmaxRows({ data, rows, columns }: Matrix): Matrix {
  const out = zeroMatrix(rows, columns);
  for (let i = 0; i < rows; i++) {
    const from = i * columns;
    const most = largest(data.subarray(from, from + columns));
    let sum = 0;
    for (let j = 0; j < columns; j++) sum += out.data[from + j] = Math.exp(data[from + j] - most);
    for (let j = 0; j < columns; j++) out.data[from + j] /= sum;
  }
  return out;
}
