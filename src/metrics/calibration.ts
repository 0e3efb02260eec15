// Calibration: is a model right as often as it says it is?

import { zeros } from '../tensor/creation.js';
import { stack, where } from '../tensor/functions.js';
import { withoutGrad } from '../tensor/grad-mode.js';
import { ArgumentError, checkOptions, type OptionNames } from '../tensor/library.js';
import type { AnyTensor, Tensor } from '../tensor/tensor.js';
import { type LabelOptions, both, checkTarget, classDimOf, probabilitiesOf, readLabels } from './labels.js';
import { type Bools, CollectedMetric, type Ints, Sums } from './state.js';

export interface CalibrationOptions extends Pick<LabelOptions, 'classDim' | 'ignoreIndex'> {
  /** Intervals of equal width in which confidence and accuracy are compared. Default 15. */
  readonly bins?: number;
}

const CALIBRATION_OPTIONS: OptionNames<CalibrationOptions> = { bins: true, classDim: true, ignoreIndex: true };

/**
 * Expected calibration error: the mean difference between the highest probability and the share of right predictions,
 * in bins (a, b] of the probability (Guo et al. 2017). Logits [N, C, …] (or the result of softmax) and int32 labels.
 */
export class CalibrationError extends CollectedMetric {
  readonly name = 'ece';
  readonly better = 'lower';
  private readonly options: CalibrationOptions;
  private readonly bins: number;
  protected readonly collected = new Sums('CalibrationError');

  constructor(options: CalibrationOptions = {}) {
    checkOptions(new.target.name, options, CALIBRATION_OPTIONS);
    super();
    this.options = options;
    this.bins = options.bins ?? 15;
    if (!Number.isInteger(this.bins) || this.bins < 1)
      throw new ArgumentError(`CalibrationError: bins is ${this.bins}. Use a whole number above 0.`);
  }

  update(output: AnyTensor, target: AnyTensor): void {
    const op = 'CalibrationError';
    const dim = classDimOf(op, output, this.options.classDim);
    checkTarget(op, output, target, dim);
    if (target.size === 0) return;
    withoutGrad(() => {
      const { truth, predicted, valid, ranked } = readLabels(op, output, target, this.options);
      const confidence = probabilitiesOf(output as Tensor, dim as number).amax(dim);
      const counted = both(valid, ranked);
      const safe = counted === undefined ? confidence : where(counted, confidence, 0);
      const bin = safe
        .mul(this.bins)
        .ceil()
        .sub(1)
        .clamp(0, this.bins - 1)
        .to('int32') as Ints;
      const collect = (values: AnyTensor) => {
        const kept = counted === undefined ? values : where(counted, values, 0);
        return zeros([this.bins]).scatterAdd(0, bin.reshape([-1]) as Ints, kept.reshape([-1]) as Tensor);
      };
      const right = (predicted.eq(truth) as Bools).to('float32');
      this.collected.add(stack([collect(right.mul(0).add(1)), collect(safe), collect(right)]));
    });
  }

  /** Samples, mean confidence and share of right predictions of each bin: a reliability diagram. */
  async diagram(): Promise<{ count: number; confidence: number; accuracy: number }[]> {
    const sums = (await this.collected.read()) ?? new Array<number>(3 * this.bins).fill(0);
    return Array.from({ length: this.bins }, (_, b) => {
      const count = sums[b];
      return { count, confidence: sums[this.bins + b] / count, accuracy: sums[2 * this.bins + b] / count };
    });
  }

  async compute(): Promise<number> {
    const filled = (await this.diagram()).filter(({ count }) => count > 0);
    const all = filled.reduce((sum, { count }) => sum + count, 0);
    if (all === 0) return NaN;
    return filled.reduce((sum, b) => sum + (b.count / all) * Math.abs(b.accuracy - b.confidence), 0);
  }
}
