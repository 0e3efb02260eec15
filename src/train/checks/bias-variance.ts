// The reading of errors by bias and variance (lecture 6, after A. Ng): which gap is the widest, and what narrows it.
// Errors (shares of wrong answers, or any cost of which 0 is best) in, a verdict out.

import { ArgumentError, checkGiven, checkNumber, checkRecord } from '../../tensor/library.js';

export interface Errors {
  /** Of people, or the least that is possible. Default 0. */
  readonly best?: number;
  readonly training: number;
  readonly validation: number;
  readonly test?: number;
}

export type Verdict = 'good' | 'underfitting' | 'overfitting' | 'both' | 'overfitted-validation' | 'validation-easier';

export interface BiasVariance {
  readonly verdict: Verdict;
  /** Training error above the best: underfitting. */
  readonly bias: number;
  /** Validation error above the training error: overfitting. */
  readonly variance: number;
  /** Test error above the validation error: tuned on the validation data for too long. */
  readonly gap: number | undefined;
  /** What to do, the first thing first. */
  readonly remedy: string;
}

const REMEDIES: Readonly<Record<Verdict, string>> = {
  good: 'Nothing to do: all gaps are small.',
  underfitting: 'Use a larger model, train for longer or with another optimiser or rate, regularise less.',
  overfitting: 'Get more data or augment it, regularise (weight decay, dropout, early stopping), use a smaller model.',
  both: 'Lower the bias first: a larger model, longer training. Then the variance: more data, more regularisation.',
  'overfitted-validation': 'Get more validation data: hyper-parameters have been fitted to the ones that are there.',
  'validation-easier':
    'Validation is better than training: look for a leak, for an unequal split, or for strong regularisation.',
};

/**
 * Reads errors by bias and variance. A gap counts above `tolerance` (default 0.02, two of a hundred answers). Throws
 * ArgumentError for errors below 0.
 *
 *     readErrors({ best: 0.01, training: 0.05, validation: 0.08 })     // bias 0.04, variance 0.03: both
 */
export function readErrors(errors: Errors, tolerance = 0.02): BiasVariance {
  checkRecord('readErrors', 'the argument', errors, 'errors');
  const { best = 0, training, validation, test } = errors;
  checkNumber('readErrors', 'training', training);
  checkNumber('readErrors', 'validation', validation);
  checkGiven(checkNumber, 'readErrors', { best, test, tolerance });
  for (const [name, error] of Object.entries({ best, training, validation, test })) {
    if (error !== undefined && !(error >= 0))
      throw new ArgumentError(`readErrors: ${name} is ${error}. Errors are at least 0.`);
  }
  const [bias, variance] = [training - best, validation - training];
  const gap = test === undefined ? undefined : test - validation;
  const rows: readonly (readonly [Verdict, boolean])[] = [
    ['validation-easier', variance < -tolerance],
    ['both', bias > tolerance && variance > tolerance],
    ['underfitting', bias > tolerance],
    ['overfitting', variance > tolerance],
    ['overfitted-validation', gap !== undefined && gap > tolerance],
  ];
  const verdict = rows.find(([, applies]) => applies)?.[0] ?? 'good';
  return { verdict, bias, variance, gap, remedy: REMEDIES[verdict] };
}
