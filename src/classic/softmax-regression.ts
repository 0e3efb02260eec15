// Softmax regression: the probabilities of classes are a softmax of linear functions, one for each class.

import { LogisticModel, type LogisticOptions } from './logistic/model.js';

/**
 * p(class k) = softmax(Wx + b)ₖ, with the least Σ log loss · C + penalty. scikit-learn: LogisticRegression (multinomial); for two classes, where
 * scikit-learn has one weight vector, there are two here.
 *
 *     const model = await new SoftmaxRegression({ solver: 'l-bfgs' }).fit(x, y);
 */
export class SoftmaxRegression extends LogisticModel {
  constructor(options?: LogisticOptions) {
    super('SoftmaxRegression', options);
  }

  protected outputsFor(_op: string, classes: number): number {
    return classes;
  }
}
