// Voting: different estimators, fitted to the same rows, that vote or are averaged.

import { ArgumentError, checkChoice, checkList, checkNumbers } from '../tensor/library.js';
import { type ClassState, Classifier, type Fitted, Regressor, ProbabilityClassifier } from './estimator.js';
import type { Encoded } from './labels.js';
import { checkMembers, sharesOf, votesOf } from './members.js';
import { type Matrix, tensorOf, zeroMatrix } from './rows.js';
import { checkFields } from './state-check.js';

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
    checkChoice('VotingClassifier', 'voting', voting, ['hard', 'soft']);
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
    const partsOf = voting === 'soft' ? sharesOf : votesOf;
    for (const [i, estimator] of estimators.entries()) {
      const { data } = await partsOf(estimator, x, classes);
      for (let k = 0; k < data.length; k++) out.data[k] += (counts[i] / total) * data[k];
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
