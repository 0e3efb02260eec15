// Agreement beyond chance: Cohen's kappa and Matthews' correlation, from the counts of classes.

import { checkOptions } from '../tensor/library.js';
import { ClassMetric, type ClassCount, addCounts } from './class-counts.js';
import { LABEL_OPTIONS, type LabelOptions } from './labels.js';

abstract class Agreement extends ClassMetric {
  constructor(options: LabelOptions = {}) {
    checkOptions(new.target.name, options, LABEL_OPTIONS);
    super(options);
  }

  protected abstract agreement(counts: readonly ClassCount[], all: number, right: number): number;

  async compute(): Promise<number> {
    const counts = await this.classCounts();
    const { right, labels } = addCounts(counts);
    return labels === 0 ? NaN : this.agreement(counts, labels, right);
  }
}

/** (observed − expected agreement) / (1 − expected); NaN if both know one class only. scikit-learn: cohen_kappa_score. */
export class CohenKappa extends Agreement {
  readonly name = 'kappa';

  protected agreement(counts: readonly ClassCount[], all: number, right: number): number {
    const expected = counts.reduce((sum, c) => sum + (c.predicted / all) * (c.labels / all), 0);
    return (right / all - expected) / (1 - expected);
  }
}

/** Correlation of predictions and labels for any number of classes; 0 where it has no meaning (Gorodkin 2004). scikit-learn: matthews_corrcoef. */
export class MatthewsCorrelation extends Agreement {
  readonly name = 'mcc';

  protected agreement(counts: readonly ClassCount[], all: number, right: number): number {
    const sum = (term: (c: ClassCount) => number) => counts.reduce((total, c) => total + term(c), 0);
    const square = all ** 2;
    const covariance = right * all - sum((c) => c.predicted * c.labels);
    const spread = (square - sum((c) => c.predicted ** 2)) * (square - sum((c) => c.labels ** 2));
    return spread === 0 ? 0 : covariance / Math.sqrt(spread);
  }
}
