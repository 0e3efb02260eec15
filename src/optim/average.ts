// Averages of the weights along a training run: they often do better than the last ones (Polyak and Juditsky 1992; Izmailov
// et al. 2018).

import { tensor } from '../tensor/creation.js';
import {
  ArgumentError,
  checkOptions,
  eachRun,
  formatShape,
  type OptionNames,
  sameShape,
  updateAtOnce,
} from '../tensor/library.js';
import type { AnyTensor, Tensor } from '../tensor/tensor.js';
import { checkRange, number, parametersOf } from './optimizer.js';

export interface WeightAverageOptions {
  /** Part of the average that an update keeps; without it all updates weigh the same. */
  readonly decay?: number;
}

const WEIGHT_AVERAGE_OPTIONS: OptionNames<WeightAverageOptions> = { decay: true };

export interface WeightAverageState {
  readonly count: number;
  readonly tensors: readonly AnyTensor[];
}

/**
 * An average of parameters: exponential with `decay`, else the mean over all updates (stochastic weight averaging). The
 * first update copies. Running statistics of batch norm are not averaged: recompute them for the averaged weights.
 * PyTorch: torch.optim.swa_utils.AveragedModel.
 *
 *     const average = new WeightAverage(model.parameters(), { decay: 0.999 });
 *     …                       // after each optimizer.step():
 *     await average.update();
 *     await average.swap();   // evaluate the average
 *     await average.swap();   // and go on training
 */
export class WeightAverage {
  /** Updates so far. */
  count = 0;
  private readonly parameters: readonly Tensor[];
  private readonly averages: readonly Tensor[];
  private readonly decay: number | undefined;

  constructor(parameters: Iterable<Tensor>, options: WeightAverageOptions = {}) {
    checkOptions(new.target.name, options, WEIGHT_AVERAGE_OPTIONS);
    const { decay } = options;
    if (decay !== undefined) checkRange(decay, 'WeightAverage: decay', 0, 1);
    this.decay = decay;
    this.parameters = parametersOf('WeightAverage', parameters);
    if (this.parameters.length === 0) throw new ArgumentError('WeightAverage: no parameters. Pass model.parameters().');
    this.averages = this.parameters.map((p) =>
      tensor(new Float32Array(p.size), { shape: p.shape, dtype: p.dtype, device: p.device }),
    );
  }

  /** Takes the weights as they are now into the average. */
  async update(): Promise<void> {
    await updateAtOnce(() => {
      eachRun(
        () => this.count++,
        () => this.count--,
      );
      const entering = number(() =>
        this.count === 1 ? 1 : this.decay === undefined ? 1 / this.count : 1 - this.decay,
      );
      this.averages.forEach((average, i) => {
        average.assign_(average.add(this.parameters[i].sub(average).mul(entering)));
      });
    });
  }

  /** Exchanges the weights and their average. Throws ArgumentError before the first update. */
  async swap(): Promise<void> {
    if (this.count === 0) throw new ArgumentError('WeightAverage: swap before the first update. Call update() first.');
    await updateAtOnce(() => {
      this.averages.forEach((average, i) => {
        const [weight, mean] = [this.parameters[i].detach(), average.detach()];
        this.parameters[i].assign_(mean);
        average.assign_(weight);
      });
    });
  }

  stateDict(): WeightAverageState {
    return { count: this.count, tensors: [...this.averages] };
  }

  /** Throws ArgumentError if the state is of other parameters. */
  async loadStateDict({ count, tensors }: WeightAverageState): Promise<void> {
    if (!Number.isInteger(count) || count < 0)
      throw new ArgumentError(`WeightAverage: the state has ${count} updates. Load what stateDict() gave.`);
    const fits = (t: AnyTensor, average: AnyTensor) => t.dtype === average.dtype && sameShape(t.shape, average.shape);
    const shapes = (list: readonly AnyTensor[]) =>
      list.map((t) => `${t.dtype === 'float32' ? '' : `${t.dtype} `}${formatShape(t.shape)}`);
    if (tensors.length !== this.averages.length || !tensors.every((t, i) => fits(t, this.averages[i])))
      throw new ArgumentError(
        `WeightAverage: the state is of [${shapes(tensors).join(', ')}], the parameters are [${shapes(this.averages).join(', ')}]. Load it into the average that saved it.`,
      );
    await updateAtOnce(() => this.averages.forEach((average, i) => average.assign_(tensors[i].detach())));
    this.count = count;
  }
}
