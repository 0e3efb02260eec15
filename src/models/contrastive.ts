// SimCLR (Chen et al. 2020): an encoder learns without labels that two views of a picture belong together. What it gives is used
// afterwards; the projection behind it is for the loss alone.

import { BatchNorm1d, Linear, Module, ReLU } from '../nn/index.js';
import { checkCount } from '../nn/layer.js';
import { ntXentLoss } from '../nn/losses/metric.js';
import { cat } from '../tensor/functions.js';
import {
  type OptionNames,
  ShapeError,
  checkNeededOptions,
  checkNumber,
  formatShape,
  sameShape,
  wrongKind,
  ArgumentError,
} from '../tensor/library.js';
import { type Tensor, checkTensor } from '../tensor/tensor.js';
import { type Network, inRow } from './generative/networks.js';

export interface SimCLROptions {
  /** Pictures [N, C, H, W] → features [N, features]. */
  readonly encoder: Network;
  /** Numbers that the encoder gives. */
  readonly features: number;
  /** Numbers that the loss compares. Default 64. */
  readonly projection?: number;
  /** Divides similarities. Default 0.5. */
  readonly temperature?: number;
}

const SIM_CLR_OPTIONS: OptionNames<SimCLROptions> = {
  encoder: true,
  features: true,
  projection: true,
  temperature: true,
};

/**
 * An encoder and a projection of two layers. Loss of two views: `model.loss(a, b)`; afterwards `model.encoder.forward(x)` are features.
 *
 *     const model = new SimCLR({ encoder: cnnBody({ channels: 3 }), features: 128 });
 */
export class SimCLR extends Module {
  readonly encoder: Network;
  readonly projection: Network;
  readonly temperature: number;
  readonly features: number;

  constructor(options: SimCLROptions) {
    checkNeededOptions(new.target.name, options, SIM_CLR_OPTIONS, '{ encoder, features: 128 }');
    super();
    const { encoder, features, projection = 64, temperature = 0.5 } = options;
    if (!(encoder instanceof Module)) throw wrongKind('SimCLR', 'encoder', encoder, 'Pass a module: cnnBody()');
    checkCount(features, 1, 'SimCLR: features');
    checkCount(projection, 1, 'SimCLR: projection');
    checkNumber('SimCLR', 'temperature', temperature);
    if (!(temperature > 0)) throw new ArgumentError(`SimCLR: temperature is ${temperature}. Use a number above 0.`);
    this.encoder = encoder;
    this.projection = inRow(
      new Linear<number, number>(features, features),
      new BatchNorm1d<number>(features),
      new ReLU(),
      new Linear<number, number>(features, projection),
    );
    [this.features, this.temperature] = [features, temperature];
  }

  /** Pictures → what the loss compares, [N, projection]. */
  forward(x: Tensor): Tensor<[number, number]> {
    checkTensor(x, 'SimCLR', 'the pictures');
    const seen: Tensor = this.encoder.forward(x);
    if (seen.rank !== 2 || seen.shape[1] !== this.features)
      throw new ShapeError(`SimCLR: the encoder gives ${formatShape(seen.shape)}: need [N, ${this.features}]`, [
        seen.shape,
      ]);
    return this.projection.forward(seen);
  }

  /** NT-Xent of two views of the same pictures, in the same order; both are one batch for the encoder. */
  loss(a: Tensor, b: Tensor): Tensor<[]> {
    checkTensor(a, 'SimCLR.loss', 'the first view');
    checkTensor(b, 'SimCLR.loss', 'the second view');
    if (a.rank === 0 || !sameShape(a.shape, b.shape))
      throw new ShapeError(`SimCLR.loss: views ${formatShape(a.shape)} and ${formatShape(b.shape)}: need one shape`, [
        a.shape,
        b.shape,
      ]);
    const [first, second]: readonly Tensor[] = this.forward(cat([a, b], 0)).chunk(2, 0);
    return ntXentLoss(first, second, { temperature: this.temperature });
  }
}
