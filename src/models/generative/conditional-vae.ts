// A variational autoencoder that is told the class (Sohn et al. 2015): what is left for the latent numbers is how it looks, and new
// samples are of the class that one asks for.

import { Module } from '../../nn/index.js';
import { checkCount } from '../../nn/layer.js';
import { randn } from '../../tensor/creation.js';
import { cat } from '../../tensor/functions.js';
import {
  DTypeError,
  type OptionNames,
  ShapeError,
  checkList,
  checkNeededOptions,
  formatShape,
  sameShape,
} from '../../tensor/library.js';
import { type AnyTensor, type Tensor, checkTensor } from '../../tensor/tensor.js';
import { type AutoencoderOptions, type Latent, Layers, type VAEOutput, drawn } from '../autoencoder.js';
import { checkLatent } from './networks.js';

export interface ConditionalVAEOptions extends AutoencoderOptions {
  /** Number of classes. */
  readonly classes: number;
}

const CONDITIONAL_VAE_OPTIONS: OptionNames<ConditionalVAEOptions> = {
  inFeatures: true,
  latent: true,
  hidden: true,
  classes: true,
};

/**
 * `forward(x, y)`: inputs [N, …] from 0 to 1 and classes int32 [N] → `{ logits, mean, logVariance }`, for `vaeLoss`. The latent numbers are
 * drawn in training, and are the mean in evaluation.
 *
 *     const model = new ConditionalVAE({ inFeatures: 784, classes: 10, latent: 8 });
 *     model.sample(tensor([3, 3, 7])).sigmoid();          // two threes and a seven, [3, 784]
 */
export class ConditionalVAE extends Module {
  readonly encoder: Layers;
  readonly decoder: Layers;
  readonly inFeatures: number;
  readonly latent: number;
  readonly classes: number;

  constructor(options: ConditionalVAEOptions) {
    checkNeededOptions(new.target.name, options, CONDITIONAL_VAE_OPTIONS, '{ inFeatures: 784, classes: 10 }');
    super();
    const { inFeatures, classes, latent = 2, hidden = [256, 128] } = options;
    for (const [name, count] of Object.entries({ inFeatures, classes, latent }))
      checkCount(count, 1, `ConditionalVAE: ${name}`);
    checkList('ConditionalVAE', 'hidden', hidden, 'widths');
    for (const width of hidden) checkCount(width, 1, 'ConditionalVAE: a width of hidden');
    this.encoder = new Layers([inFeatures + classes, ...hidden, 2 * latent]);
    this.decoder = new Layers([latent + classes, ...[...hidden].reverse(), inFeatures]);
    [this.inFeatures, this.latent, this.classes] = [inFeatures, latent, classes];
  }

  /** Inputs [N, …] and their classes → mean and logarithm of the variance, [N, latent] each. */
  encode(x: Tensor, y: AnyTensor): Latent {
    checkTensor(x, 'ConditionalVAE', 'the input');
    const size = x.shape.slice(1).reduce((product, n) => product * n, 1);
    if (x.rank < 2 || size !== this.inFeatures)
      throw new ShapeError(
        `ConditionalVAE: input ${formatShape(x.shape)}: needs [N, …] with ${this.inFeatures} numbers a sample`,
        [x.shape],
      );
    const flat: Tensor = x.reshape([x.shape[0], this.inFeatures]);
    const both = this.encoder.forward(this.beside(flat, y));
    const part = (from: number): Tensor<[number, number]> => both.slice(1, from, from + this.latent);
    return { mean: part(0), logVariance: part(this.latent) };
  }

  /** Latent numbers [N, latent] and classes → logits [N, inFeatures]. */
  decode(z: Tensor, y: AnyTensor): Tensor<[number, number]> {
    checkLatent('ConditionalVAE.decode', z, this.latent);
    return this.decoder.forward(this.beside(z, y));
  }

  forward(x: Tensor, y: AnyTensor): VAEOutput {
    if (this.training) return this.draw(x, y);
    const { mean, logVariance } = this.encode(x, y);
    return { logits: this.decode(mean, y).reshape(x.shape), mean, logVariance };
  }

  /** As `forward` in training, whatever the mode: the latent numbers are drawn, as the ELBO wants it. */
  draw(x: Tensor, y: AnyTensor): VAEOutput {
    const { mean, logVariance } = this.encode(x, y);
    return { logits: this.decode(drawn({ mean, logVariance }), y).reshape(x.shape), mean, logVariance };
  }

  /** A new sample of each class in y, int32 [N]: logits [N, inFeatures]. */
  sample(y: AnyTensor): Tensor<[number, number]> {
    checkTensor(y, 'ConditionalVAE.sample', 'the classes');
    return this.decode(randn([y.size, this.latent]), y);
  }

  /** Numbers and the classes, one-hot. */
  private beside(numbers: Tensor, y: AnyTensor): Tensor {
    checkTensor(y, 'ConditionalVAE', 'the classes');
    if (y.dtype !== 'int32')
      throw new DTypeError(`ConditionalVAE: classes are ${y.dtype}. Convert with to('int32').`, [y.dtype]);
    if (!sameShape(y.shape, [numbers.shape[0]]))
      throw new ShapeError(
        `ConditionalVAE: classes ${formatShape(y.shape)}: need [${numbers.shape[0]}], one for each sample`,
        [y.shape],
      );
    const hot: Tensor = y.oneHot(this.classes).to(numbers.dtype);
    return cat([numbers, hot], 1);
  }
}
