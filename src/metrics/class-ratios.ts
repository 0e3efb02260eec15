// Metrics that are one fraction of the counts of a class: precision, recall, F, intersection over union, Dice.

import { ArgumentError, checkOptions, checkNumber } from '../tensor/library.js';
import { type ClassCount, type ClassMetricOptions, CLASS_METRIC_OPTIONS, ClassRatio } from './class-counts.js';

/** Right predictions of a class / predictions of it. scikit-learn: precision_score. */
export class Precision extends ClassRatio {
  readonly name = 'precision';

  protected ratio({ right, predicted }: ClassCount): readonly [number, number] {
    return [right, predicted];
  }
}

/** Right predictions of a class / labels of it; its macro average is the balanced accuracy. scikit-learn: recall_score. */
export class Recall extends ClassRatio {
  readonly name = 'recall';

  protected ratio({ right, labels }: ClassCount): readonly [number, number] {
    return [right, labels];
  }
}

/**
 * The weighted harmonic mean of precision and recall: recall counts β times as much (van Rijsbergen 1979). scikit-learn:
 * fbeta_score. Throws ArgumentError if β is not above 0.
 */
export class FBeta extends ClassRatio {
  readonly name: string;
  private readonly square: number;

  constructor(beta: number, options: ClassMetricOptions = {}) {
    super(options);
    checkNumber('FBeta', 'beta', beta);
    if (!(beta > 0 && beta < Infinity)) throw new ArgumentError(`FBeta: beta is ${beta}. Use a number above 0.`);
    this.name = `f${beta}`;
    this.square = beta ** 2;
  }

  protected ratio({ right, predicted, labels }: ClassCount): readonly [number, number] {
    return [(1 + this.square) * right, this.square * labels + predicted];
  }
}

/** The harmonic mean of precision and recall. scikit-learn: f1_score. */
export class F1 extends FBeta {
  constructor(options: ClassMetricOptions = {}) {
    super(1, options);
  }
}

/**
 * Intersection over union of predictions and labels of a class, over all pixels of all batches; the mean over classes
 * unless asked otherwise, for two classes too. Leave the background out with `labels`. scikit-learn: jaccard_score.
 */
export class MeanIoU extends ClassRatio {
  readonly name: string = 'meanIoU';

  constructor(options: ClassMetricOptions = {}) {
    checkOptions(new.target.name, options, CLASS_METRIC_OPTIONS);
    super({ average: 'macro', ...options });
  }

  protected ratio({ right, predicted, labels }: ClassCount): readonly [number, number] {
    return [right, predicted + labels - right];
  }
}

/** Intersection over union of class 1 (Jaccard 1901), unless another average is asked for. */
export class IoU extends MeanIoU {
  override readonly name = 'iou';

  constructor(options: ClassMetricOptions = {}) {
    checkOptions(new.target.name, options, CLASS_METRIC_OPTIONS);
    super({ average: 'binary', ...options });
  }
}

/** 2 · intersection / (predictions + labels) of class 1, or the mean over classes (Dice 1945): F1 of the pixels. */
export class Dice extends ClassRatio {
  readonly name = 'dice';

  protected ratio({ right, predicted, labels }: ClassCount): readonly [number, number] {
    return [2 * right, predicted + labels];
  }
}
