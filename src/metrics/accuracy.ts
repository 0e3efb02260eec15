// How many predictions are right: accuracy, and whether the truth is among the k best.

import { arange, full } from '../tensor/creation.js';
import { stack } from '../tensor/functions.js';
import { withoutGrad } from '../tensor/grad-mode.js';
import { ArgumentError, checkOptions } from '../tensor/library.js';
import type { AnyTensor } from '../tensor/tensor.js';
import { both, checkTarget, classDimOf, LABEL_OPTIONS, type LabelOptions, readLabels, truthOf } from './labels.js';
import { type Bools, CollectedMetric, Counts, type Ints } from './state.js';

/** Right ones and all, as int32 [2]. */
function tally(right: Bools, valid: Bools | undefined): AnyTensor {
  const all = valid === undefined ? full([], right.size, { dtype: 'int32' }) : valid.sum();
  return stack([(both(right, valid) as Bools).sum(), all] as Ints[]);
}

abstract class Share extends CollectedMetric {
  override readonly better: 'higher' | 'lower' = 'higher';
  protected readonly collected = new Counts(this.constructor.name);

  protected abstract right(output: AnyTensor, target: AnyTensor): { right: Bools; valid: Bools | undefined };

  update(output: AnyTensor, target: AnyTensor): void {
    withoutGrad(() => {
      const { right, valid } = this.right(output, target);
      this.collected.add(tally(right, valid));
    });
  }

  async compute(): Promise<number> {
    const [right, all] = (await this.collected.read()) ?? [0, 0];
    return right / all;
  }
}

/**
 * The share of right predictions. Scores [N, C, …] and int32 labels [N, …] (the first of equal maxima is the prediction),
 * one score a sample and labels of 0 and 1, class numbers, or several labels a sample (then labels are counted, not
 * samples). A sample with a NaN counts as wrong. NaN without samples. scikit-learn: accuracy_score.
 *
 *     const accuracy = new Accuracy();
 *     accuracy.update(model.forward(x), y);
 *     await accuracy.compute();
 */
export class Accuracy extends Share {
  readonly name: string = 'accuracy';
  private readonly options: LabelOptions;

  constructor(options: LabelOptions = {}) {
    checkOptions(new.target.name, options, LABEL_OPTIONS);
    super();
    this.options = options;
  }

  protected right(output: AnyTensor, target: AnyTensor): { right: Bools; valid: Bools | undefined } {
    // Class numbers are only compared: how many there are does not matter.
    const labelled = readLabels('Accuracy', output, target, { numClasses: 2, ...this.options }, true);
    const { truth, predicted, ranked, valid } = labelled;
    return { right: both(predicted.eq(truth) as Bools, ranked) as Bools, valid };
  }
}

/**
 * The share of samples whose label is among the k highest scores, for scores [N, C, …] and int32 labels [N, …]. Of equal
 * scores the lower class comes first. scikit-learn: top_k_accuracy_score. Throws ArgumentError if k is not 1 … C.
 */
export class TopKAccuracy extends Share {
  readonly name: string;
  private readonly k: number;
  private readonly options: Pick<LabelOptions, 'classDim' | 'ignoreIndex'>;

  constructor(k = 5, options: Pick<LabelOptions, 'classDim' | 'ignoreIndex'> = {}) {
    checkOptions(new.target.name, options, { classDim: true, ignoreIndex: true });
    super();
    if (!Number.isInteger(k) || k < 1) throw new ArgumentError(`TopKAccuracy: k is ${k}. Use a whole number above 0.`);
    this.name = `top${k}Accuracy`;
    this.k = k;
    this.options = options;
  }

  protected right(output: AnyTensor, target: AnyTensor): { right: Bools; valid: Bools | undefined } {
    const op = 'TopKAccuracy';
    const dim = classDimOf(op, output, this.options.classDim);
    checkTarget(op, output, target, dim);
    const classes = output.shape[dim as number];
    if (this.k > classes) throw new ArgumentError(`${op}: k is ${this.k}, but there are ${classes} classes.`);
    const { truth, valid } = truthOf(op, target, this.options.ignoreIndex, classes);
    const scores = output;
    const label = truth.unsqueeze(dim as number) as Ints;
    const own = scores.gather(dim as number, label);
    const numbers = arange(classes).reshape(output.shape.map((n, i) => (i === dim ? n : 1)));
    const tied = (scores.eq(own) as Bools).logicalAnd(numbers.lt(label) as Bools) as Bools;
    // "Not at most" and not "above": NaN is in front of everything, and a label whose score is NaN has no place.
    const ahead = (scores.le(own).logicalNot() as Bools).logicalOr(tied) as Bools;
    return { right: ahead.sum(dim).lt(this.k) as Bools, valid };
  }
}

/** 1 − TopKAccuracy: the error of ImageNet's tables. Less is better. */
export class TopKError extends TopKAccuracy {
  override readonly name: string;
  override readonly better = 'lower';

  constructor(k = 5, options: Pick<LabelOptions, 'classDim' | 'ignoreIndex'> = {}) {
    checkOptions(new.target.name, options, { classDim: true, ignoreIndex: true });
    super(k, options);
    this.name = `top${k}Error`;
  }

  override async compute(): Promise<number> {
    return 1 - (await super.compute());
  }
}
