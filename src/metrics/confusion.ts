// The confusion matrix: how often each class was taken for each other one.

import { zeros } from '../tensor/creation.js';
import { where } from '../tensor/functions.js';
import { withoutGrad } from '../tensor/grad-mode.js';
import { ArgumentError, checkOptions, type OptionNames } from '../tensor/library.js';
import type { AnyTensor } from '../tensor/tensor.js';
import { type LabelOptions, both, readLabels } from './labels.js';
import { type Bools, CollectedMetric, Counts, type Ints } from './state.js';

export interface ConfusionOptions extends LabelOptions {
  /** Shares of the labels of a class (rows), of its predictions (columns), or of all. Default: counts. */
  readonly normalize?: 'true' | 'pred' | 'all';
}

const CONFUSION_OPTIONS: OptionNames<ConfusionOptions> = {
  normalize: true,
  classDim: true,
  numClasses: true,
  ignoreIndex: true,
  threshold: true,
};

/**
 * counts[label][prediction]. Empty before the first update; a sample whose scores contain NaN is in no cell.
 * scikit-learn: confusion_matrix.
 */
export class ConfusionMatrix extends CollectedMetric<number[][]> {
  readonly name = 'confusion';
  readonly better = 'higher';
  private readonly options: ConfusionOptions;
  protected readonly collected = new Counts('ConfusionMatrix');

  constructor(options: ConfusionOptions = {}) {
    checkOptions(new.target.name, options, CONFUSION_OPTIONS);
    super();
    this.options = options;
    const { normalize } = options;
    if (normalize !== undefined && !['true', 'pred', 'all'].includes(normalize))
      throw new ArgumentError(`ConfusionMatrix: normalize is '${String(normalize)}'. Use 'true', 'pred' or 'all'.`);
  }

  update(output: AnyTensor, target: AnyTensor): void {
    withoutGrad(() => {
      const labelled = readLabels('ConfusionMatrix', output, target, this.options);
      const { kind, classes, truth, predicted, valid, ranked } = labelled;
      if (kind === 'multi-label') {
        throw new ArgumentError(
          'ConfusionMatrix: the targets have several labels a sample. Pass class numbers: target.argmax(1) of one-hot targets.',
        );
      }
      const isClass = (predicted.ge(0) as Bools).logicalAnd(predicted.lt(classes) as Bools) as Bools;
      // A prediction out of range must not land in the next row: -1 is out of range for the cells, too.
      const cell = where(isClass, truth.mul(classes).add(predicted) as Ints, -1) as Ints;
      const counted = both(valid, ranked);
      const ones = (counted === undefined ? truth.mul(0).add(1) : counted.to('int32')) as Ints;
      const flat = (t: Ints) => t.reshape([-1]) as Ints;
      const empty = zeros([classes * classes], { dtype: 'int32' });
      this.collected.add(empty.scatterAdd(0, flat(cell), flat(ones)));
    });
  }

  async compute(): Promise<number[][]> {
    const flat = (await this.collected.read()) ?? [];
    const classes = Math.sqrt(flat.length);
    const rows = Array.from({ length: classes }, (_, c) => flat.slice(c * classes, (c + 1) * classes));
    const { normalize } = this.options;
    if (normalize === undefined) return rows;
    const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);
    const ofRow = rows.map(sum);
    const ofColumn = rows.map((_, c) => sum(rows.map((row) => row[c])));
    const of = (r: number, c: number) =>
      normalize === 'true' ? ofRow[r] : normalize === 'pred' ? ofColumn[c] : sum(ofRow);
    return rows.map((row, r) => row.map((n, c) => (n === 0 ? 0 : n / of(r, c))));
  }
}
