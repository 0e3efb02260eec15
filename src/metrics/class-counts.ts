// The three counts of each class that most metrics of classification are made of: right predictions, predictions, labels.
// Averages over classes as scikit-learn makes them.

import { zeros } from '../tensor/creation.js';
import { stack } from '../tensor/functions.js';
import { withoutGrad } from '../tensor/grad-mode.js';
import { ArgumentError, checkOptions, type OptionNames } from '../tensor/library.js';
import type { AnyTensor } from '../tensor/tensor.js';
import { type LabelOptions, type Labelled, both, readLabels } from './labels.js';
import { type Bools, CollectedMetric, Counts, type Ints } from './state.js';

export type Average = 'binary' | 'micro' | 'macro' | 'weighted';

export interface ClassMetricOptions extends LabelOptions {
  /**
   * How classes become one number: that of class 1 alone (`binary`), from the counts of all classes together (`micro`), the
   * mean over classes (`macro`), or the mean weighted by their labels. Default `binary` for two classes, else `macro`.
   * A class with neither label nor prediction is in no mean.
   */
  readonly average?: Average;
  /** The classes that are averaged, without the background for example. Default all. */
  readonly labels?: readonly number[];
  /** What 0 / 0 is, as the precision of a class that was never predicted. Default 0. */
  readonly zeroDivision?: number;
}

export const CLASS_METRIC_OPTIONS: OptionNames<ClassMetricOptions> = {
  average: true,
  labels: true,
  zeroDivision: true,
  classDim: true,
  numClasses: true,
  ignoreIndex: true,
  threshold: true,
};

/** Of one class, or of all together. */
export interface ClassCount {
  /** Predicted and true. */
  readonly right: number;
  readonly predicted: number;
  readonly labels: number;
}

/** int32 [3, C]: right, predicted, labels. */
export function countClasses(labelled: Labelled): AnyTensor {
  const { kind, classes, classDim, truth, predicted, valid, ranked } = labelled;
  const answered = both(valid, ranked);
  const ones = truth.ge(Number.MIN_SAFE_INTEGER) as Bools;
  const [mayRight, mayLabel] = [answered ?? ones, valid ?? ones];
  const hit = both(predicted.eq(truth) as Bools, mayRight) as Bools;
  if (kind === 'multi-label') {
    const others = truth.shape.map((_, i) => i).filter((i) => i !== classDim);
    const positive = (of: Ints, where_: Bools) => (both(of.ne(0) as Bools, where_) as Bools).sum(others);
    return stack([positive(truth, hit), positive(predicted, mayRight), positive(truth, mayLabel)] as Ints[]);
  }
  const count = (at: Ints, which: Bools) => {
    const flat = (t: AnyTensor) => t.reshape([-1]) as Ints;
    return zeros([classes], { dtype: 'int32' }).scatterAdd(0, flat(at), flat(which.to('int32')));
  };
  return stack([count(truth, hit), count(predicted, mayRight), count(truth, mayLabel)] as Ints[]);
}

/** A metric made of the counts of classes. */
export abstract class ClassMetric<T = number> extends CollectedMetric<T> {
  readonly better = 'higher';
  protected readonly options: ClassMetricOptions;
  protected readonly collected = new Counts(this.constructor.name);
  private isMultiLabel = false;

  constructor(options: ClassMetricOptions = {}) {
    checkOptions(new.target.name, options, CLASS_METRIC_OPTIONS);
    super();
    this.options = options;
    const { average } = options;
    if (average !== undefined && !['binary', 'micro', 'macro', 'weighted'].includes(average)) {
      throw new ArgumentError(
        `${this.constructor.name}: average is '${String(average)}'. Use 'binary', 'micro', 'macro' or 'weighted'.`,
      );
    }
  }

  update(output: AnyTensor, target: AnyTensor): void {
    withoutGrad(() => {
      const op = this.constructor.name;
      const labelled = readLabels(op, output, target, this.options);
      this.isMultiLabel = labelled.kind === 'multi-label';
      if (this.options.average === 'binary' && (labelled.classes !== 2 || this.isMultiLabel)) {
        throw new ArgumentError(
          `${op}: average is 'binary', but there are ${labelled.classes} ${this.isMultiLabel ? 'labels' : 'classes'}. Use 'micro', 'macro' or 'weighted'.`,
        );
      }
      for (const label of this.options.labels ?? []) {
        if (Number.isInteger(label) && label >= 0 && label < labelled.classes) continue;
        throw new ArgumentError(`${op}: labels contain ${label}. There are classes 0 … ${labelled.classes - 1}.`);
      }
      this.collected.add(countClasses(labelled));
    });
  }

  override async state(): Promise<readonly number[]> {
    return [Number(this.isMultiLabel), ...(await super.state())];
  }

  override merge(states: readonly (readonly number[])[]): readonly number[] {
    const flags = states.map(([isMultiLabel]) => isMultiLabel);
    return [flags.includes(1) ? 1 : 0, ...super.merge(states.map(([, ...counts]) => counts))];
  }

  override restore([isMultiLabel, ...counts]: readonly number[]): void {
    this.isMultiLabel = isMultiLabel === 1;
    super.restore(counts);
  }

  /** The counts of each class; empty before the first update. */
  protected async classCounts(): Promise<ClassCount[]> {
    const flat = await this.collected.read();
    if (flat === undefined) return [];
    const classes = flat.length / 3;
    return Array.from({ length: classes }, (_, c) => ({
      right: flat[c],
      predicted: flat[classes + c],
      labels: flat[2 * classes + c],
    }));
  }

  /** `asked`, or what suits the number of classes. */
  protected averageFor(classes: number): Average {
    return this.options.average ?? (classes === 2 && !this.isMultiLabel ? 'binary' : 'macro');
  }
}

/** A metric that is a fraction for each class: precision, recall, F, intersection over union. */
export abstract class ClassRatio extends ClassMetric {
  /** Numerator and denominator. */
  protected abstract ratio(count: ClassCount): readonly [number, number];

  /** Of each class, whatever the average. NaN for a class with neither label nor prediction. */
  async perClass(): Promise<number[]> {
    return (await this.classCounts()).map((count) => (isAbsent(count) ? NaN : this.divide(count)));
  }

  async compute(): Promise<number> {
    const all = await this.classCounts();
    const average = this.averageFor(all.length);
    const chosen = this.options.labels?.map((label) => all[label]).filter((c) => c !== undefined) ?? all;
    const total = addCounts(all);
    if (total.labels === 0 && total.predicted === 0) return NaN;
    if (average === 'binary') return this.divide(all[1]);
    if (average === 'micro') return this.divide(addCounts(chosen));
    const present = chosen.filter((count) => !isAbsent(count));
    const weight = (count: ClassCount) => (average === 'macro' ? 1 : count.labels);
    const weights = present.reduce((sum, count) => sum + weight(count), 0);
    if (weights === 0) return this.options.zeroDivision ?? 0;
    return present.reduce((sum, count) => sum + weight(count) * this.divide(count), 0) / weights;
  }

  private divide(count: ClassCount): number {
    const [numerator, denominator] = this.ratio(count);
    return denominator === 0 ? (this.options.zeroDivision ?? 0) : numerator / denominator;
  }
}

function isAbsent({ predicted, labels }: ClassCount): boolean {
  return predicted === 0 && labels === 0;
}

export function addCounts(counts: readonly ClassCount[]): ClassCount {
  const sum = (of: keyof ClassCount) => counts.reduce((total, count) => total + count[of], 0);
  return { right: sum('right'), predicted: sum('predicted'), labels: sum('labels') };
}
