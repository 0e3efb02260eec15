// Logistic regression: the probability of the second of two classes is a sigmoid of a linear function.

import { ArgumentError } from '../tensor/library.js';
import { LogisticModel, type LogisticOptions } from './logistic/model.js';

/**
 * p(second class) = σ(w·x + b), with the least Σ log loss · C + penalty. Two classes; for more use SoftmaxRegression. scikit-learn:
 * LogisticRegression.
 *
 *     const model = await pipeline(new StandardScaler(), new LogisticRegression({ c: 0.5 })).fit(x, y);
 *     await model.predictProba(rows); // [n, 2]
 */
export class LogisticRegression extends LogisticModel {
  constructor(options?: LogisticOptions) {
    super('LogisticRegression', options);
  }

  protected outputsFor(op: string, classes: number): number {
    if (classes === 2) return 1;
    throw new ArgumentError(`${op}: y has ${classes} classes, and this knows two. Use SoftmaxRegression.`);
  }
}
