// Means over everything that was seen: of any number, of a loss, and perplexity, the exponential of a mean.

import { full } from '../tensor/creation.js';
import { stack, where } from '../tensor/functions.js';
import { withoutGrad } from '../tensor/grad-mode.js';
import {
  ArgumentError,
  checkOptions,
  DTypeError,
  type OptionNames,
  checkFunction,
  isFloat,
} from '../tensor/library.js';
import { type AnyTensor, checkTensor } from '../tensor/tensor.js';
import { type LabelOptions, checkTarget, classDimOf, truthOf } from './labels.js';
import { CollectedMetric, type Ints, Sums } from './state.js';

/**
 * The mean of all elements of all values given to `update(values)`; `update(mean, weight)` enters a mean of `weight`
 * samples. NaN without values.
 */
export class Mean {
  readonly name: string;
  /** @internal */
  readonly sums: Sums;

  constructor(name = 'mean') {
    this.name = name;
    this.sums = new Sums(`Mean ${name}`);
  }

  /** Throws ArgumentError for a weight below 0. */
  update(values: AnyTensor, weight?: number | AnyTensor): void {
    checkTensor(values, 'Mean', 'the values');
    if (weight !== undefined && typeof weight !== 'number') checkTensor(weight, 'Mean', 'the weight');
    if (typeof weight === 'number' && !(weight >= 0 && weight < Infinity))
      throw new ArgumentError(`Mean: weight is ${weight}. Use the number of samples.`);
    withoutGrad(() => {
      const numbers = values.to('float32');
      const mass = weight === undefined ? values.size : weight;
      const count = typeof mass === 'number' ? full([], mass) : mass.to('float32').sum();
      const sum = weight === undefined ? numbers.sum() : numbers.mean().mul(count);
      // A mean of no samples is NaN, and enters with nothing.
      const entering = weight === undefined ? sum : where(count.gt(0), sum, 0);
      this.sums.add(stack([entering, count]));
    });
  }

  async compute(): Promise<number> {
    const [sum, count] = (await this.sums.read()) ?? [0, 0];
    return sum / count;
  }

  reset(): void {
    this.sums.reset();
  }
}

export interface MeanLossOptions {
  /** Default 'loss'. */
  readonly name?: string;
  /** Labels that the loss ignores: batches weigh as much as they have others. Default −100 for int32 targets, as the losses have it. */
  readonly ignoreIndex?: number;
}

const MEAN_LOSS_OPTIONS: OptionNames<MeanLossOptions> = { name: true, ignoreIndex: true };

/**
 * The mean of a loss over samples, where the loss is a mean over a batch: batches weigh as many samples as their target
 * has labels, so that a smaller last batch does not distort it.
 *
 *     new MeanLoss(crossEntropy)
 */
export class MeanLoss extends CollectedMetric {
  readonly name: string;
  readonly better = 'lower';
  private readonly loss: (output: AnyTensor, target: AnyTensor) => AnyTensor;
  private readonly ignoreIndex: number | undefined;
  private readonly mean: Mean;
  protected readonly collected: Sums;

  constructor(loss: (output: AnyTensor, target: AnyTensor) => AnyTensor, options: MeanLossOptions = {}) {
    checkOptions(new.target.name, options, MEAN_LOSS_OPTIONS);
    checkFunction(new.target.name, loss, 'the loss');
    super();
    this.loss = loss;
    this.name = options.name ?? 'loss';
    this.ignoreIndex = options.ignoreIndex;
    this.mean = new Mean(this.name);
    this.collected = this.mean.sums;
  }

  update(output: AnyTensor, target: AnyTensor): void {
    const value = withoutGrad(() => this.loss(output, target));
    checkTensor(value, 'MeanLoss', 'what the loss returned');
    if (value.size !== 1) {
      throw new ArgumentError(
        `MeanLoss: the loss gives ${value.size} numbers, not one. Use its reduction 'mean', or Mean for each number.`,
      );
    }
    const ignoreIndex = this.ignoreIndex ?? (target.dtype === 'int32' ? -100 : undefined);
    this.mean.update(value, ignoreIndex === undefined ? target.size : withoutGrad(() => target.ne(ignoreIndex)));
  }

  compute(): Promise<number> {
    return this.mean.compute();
  }
}

/**
 * exp of the mean −log p of the labels, for logits [N, C, …] and int32 labels [N, …]: how many classes the model hesitates
 * between. For [batch, position, class] use `classDim: -1`.
 */
export class Perplexity extends CollectedMetric {
  readonly name = 'perplexity';
  readonly better = 'lower';
  private readonly options: Pick<LabelOptions, 'classDim' | 'ignoreIndex'>;
  protected readonly collected = new Sums('Perplexity');

  constructor(options: Pick<LabelOptions, 'classDim' | 'ignoreIndex'> = {}) {
    checkOptions(new.target.name, options, { classDim: true, ignoreIndex: true });
    super();
    this.options = options;
  }

  update(output: AnyTensor, target: AnyTensor): void {
    checkTensor(output, 'Perplexity', 'the output');
    if (!isFloat(output.dtype))
      throw new DTypeError(`Perplexity: takes logits (real numbers), not ${output.dtype}.`, [output.dtype]);
    const dim = classDimOf('Perplexity', output, this.options.classDim);
    checkTarget('Perplexity', output, target, dim);
    withoutGrad(() => {
      const { truth, valid } = truthOf('Perplexity', target, this.options.ignoreIndex, output.shape[dim as number]);
      const label = truth.unsqueeze(dim as number) as Ints;
      const chosen = output
        .logSoftmax(dim as number)
        .gather(dim as number, label)
        .squeeze(dim);
      const counted = valid === undefined ? chosen : where(valid, chosen, 0);
      const count = valid === undefined ? full([], target.size) : valid.sum().to('float32');
      this.collected.add(stack([counted.sum().neg(), count]));
    });
  }

  async compute(): Promise<number> {
    const [sum, count] = (await this.collected.read()) ?? [0, 0];
    return Math.exp(sum / count);
  }
}
