// Cross-validation: an estimator is fitted anew for each fold and scored on rows that it has not seen.

import { kFold } from '../data/k-fold.js';
import {
  ArgumentError,
  type OptionNames,
  checkFunction,
  checkHas,
  checkOptions,
  checkWhole,
} from '../tensor/library.js';
import { Classifier, type Estimator } from './estimator.js';
import { readLabelList } from './labels.js';
import { type Matrix, type Rows, listOf, readRows, rowsAt, tensorOf } from './rows.js';

/** What learns from rows and targets: classifiers, regressors, and pipelines of them. */
export interface Predictor extends Estimator {
  fit(x: Rows, y: never): Promise<unknown>;
  score(x: Rows, y: never): Promise<number>;
}

export interface CrossValidateOptions<M = Predictor> {
  /** Number of folds. Default 5. */
  readonly folds?: number;
  /** Random rows in each fold. Default true; false takes rows in their order. */
  readonly shuffle?: boolean;
  /** Each fold has the same mix of classes. Default true for classifiers, false for regressors. */
  readonly stratify?: boolean;
  /** The group of each row: none is on both sides. */
  readonly groups?: ArrayLike<number>;
  /** How good a fitted estimator is; more is better. Default: its own `score`. */
  readonly scoring?: (model: M, x: Rows, y: (number | string)[]) => number | Promise<number>;
  /** Also score the training rows. Default false. */
  readonly trainScores?: boolean;
  /** Default 0. */
  readonly seed?: number;
}

export const CROSS_OPTIONS: OptionNames<CrossValidateOptions> = {
  folds: true,
  shuffle: true,
  stratify: true,
  groups: true,
  scoring: true,
  trainScores: true,
  seed: true,
};

export interface CrossValidation {
  /** One for each fold. */
  readonly scores: number[];
  readonly mean: number;
  /** Standard deviation of the scores (divided by their number). */
  readonly std: number;
  /** With `trainScores`. */
  readonly trainScores?: number[];
  /** Seconds of fit(), for each fold. */
  readonly fitSeconds: number[];
}

interface Loaded {
  readonly matrix: Matrix;
  readonly labels: readonly (number | string)[];
}

/**
 * Scores of an estimator on rows that it was not fitted to. The estimator itself stays as it is. scikit-learn: cross_validate.
 *
 *     const { mean, std } = await crossValidate(new KNeighborsClassifier({ k: 3 }), x, y);
 */
export async function crossValidate<M extends Predictor>(
  estimator: M,
  x: Rows,
  y: Parameters<M['fit']>[1],
  options: CrossValidateOptions<M> = {},
): Promise<CrossValidation> {
  const op = 'crossValidate';
  checkOptions(op, options, CROSS_OPTIONS);
  return scoreFolds(op, estimator, await loadRows(op, estimator, x, y), options);
}

/** Rows and targets in memory, read once for all folds. */
export async function loadRows(op: string, estimator: unknown, x: Rows, y: unknown): Promise<Loaded> {
  const wanted = 'Give one that predicts: new KNeighborsClassifier()';
  checkHas(op, 'the estimator', estimator, ['fit', 'score', 'predict', 'copy'], wanted);
  const matrix = await readRows(op, x);
  const labels =
    estimator instanceof Classifier
      ? await readLabelList(op, y, matrix.rows)
      : ((await listOf(op, y, matrix.rows, 'numbers')) as readonly number[]);
  return { matrix, labels };
}

export async function scoreFolds<M extends Predictor>(
  op: string,
  estimator: M,
  { matrix, labels }: Loaded,
  options: CrossValidateOptions<M>,
): Promise<CrossValidation> {
  const isClassifier = estimator instanceof Classifier;
  const {
    folds = 5,
    shuffle = true,
    stratify = isClassifier,
    groups,
    scoring,
    trainScores = false,
    seed = 0,
  } = options;
  checkWhole(op, 'folds', folds, 2);
  checkWhole(op, 'seed', seed, -Infinity);
  if (scoring !== undefined) checkFunction(op, scoring, 'scoring');
  if (folds > matrix.rows)
    throw new ArgumentError(`${op}: ${folds} folds of ${matrix.rows} rows. Use at most ${matrix.rows}.`);
  const ranks = new Map([...new Set(labels)].map((label, i) => [label, i]));
  const parts = kFold(matrix.rows, folds, {
    shuffle,
    seed,
    ...(stratify && { stratify: Int32Array.from(labels, (label) => ranks.get(label)!) }),
    ...(groups !== undefined && { groups }),
  });
  const [scores, own, fitSeconds]: [number[], number[], number[]] = [[], [], []];
  for (const { train, validation } of parts) {
    const model = estimator.copy();
    const began = performance.now();
    const [seen, seenLabels] = partAt(matrix, labels, train);
    // As the user's y was, which the types of both have fitted to each other.
    await model.fit(seen, seenLabels as never);
    fitSeconds.push((performance.now() - began) / 1000);
    const judge = (rows: Rows, targets: (number | string)[]): number | Promise<number> =>
      scoring === undefined ? model.score(rows, targets as never) : scoring(model, rows, targets);
    scores.push(await judge(...partAt(matrix, labels, validation)));
    if (trainScores) own.push(await judge(seen, seenLabels));
  }
  const mean = scores.reduce((a, b) => a + b, 0) / scores.length;
  const std = Math.sqrt(scores.reduce((sum, s) => sum + (s - mean) ** 2, 0) / scores.length);
  return { scores, mean, std, fitSeconds, ...(trainScores && { trainScores: own }) };
}

function partAt(
  matrix: Matrix,
  labels: readonly (number | string)[],
  rows: Int32Array,
): [x: Rows, y: (number | string)[]] {
  return [tensorOf(rowsAt(matrix, rows)), Array.from(rows, (row) => labels[row])];
}
