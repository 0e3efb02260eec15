// Autoencoders of dense layers: a few numbers from which the input is made again; and the variational one (Kingma and Welling 2014), whose
// numbers are drawn from a normal distribution, so that every point of the latent space gives something. Inputs from 0 to 1, outputs logits.

import { Linear, Module, ReLU } from '../nn/index.js';
import { checkCount } from '../nn/layer.js';
import { bceWithLogits } from '../nn/losses/classification.js';
import { randn } from '../tensor/creation.js';
import {
  ArgumentError,
  checkHas,
  checkList,
  checkNeededOptions,
  checkNumber,
  checkOptions,
  type OptionNames,
  ShapeError,
  formatShape,
  sameShape,
} from '../tensor/library.js';
import { type Tensor, checkTensor } from '../tensor/tensor.js';
import { checkLatent } from './generative/networks.js';

export interface AutoencoderOptions {
  /** Numbers of a sample: 784 for images of 1 × 28 × 28, which are flattened. */
  readonly inFeatures: number;
  /** Numbers in the middle. Default 2. */
  readonly latent?: number;
  /** Widths of the encoder's layers before it; the decoder has them in the other order. Default [256, 128]. */
  readonly hidden?: readonly number[];
}

const AUTOENCODER_OPTIONS: OptionNames<AutoencoderOptions> = { inFeatures: true, latent: true, hidden: true };

/** Linear layers with ReLU between them. */
export class Layers extends Module {
  readonly layers: readonly Linear<number, number>[];
  private readonly relu = new ReLU();

  constructor(sizes: readonly number[]) {
    super();
    this.layers = sizes.slice(1).map((to, i) => new Linear<number, number>(sizes[i], to));
  }

  forward(x: Tensor): Tensor {
    let y = x;
    for (const [i, layer] of this.layers.entries()) y = layer.forward(i === 0 ? y : this.relu.forward(y));
    return y;
  }
}

/** What both have: an encoder to `width` numbers, and a decoder from `latent`. */
abstract class Coder extends Module {
  readonly encoder: Layers;
  readonly decoder: Layers;
  readonly inFeatures: number;
  readonly latent: number;

  constructor(options: AutoencoderOptions, widthOf: (latent: number) => number) {
    checkNeededOptions(new.target.name, options, AUTOENCODER_OPTIONS, '{ inFeatures: 784 }');
    super();
    const { inFeatures, latent = 2, hidden = [256, 128] } = options;
    const { name } = this.constructor;
    checkCount(inFeatures, 1, `${name}: inFeatures`);
    checkCount(latent, 1, `${name}: latent`);
    checkList(name, 'hidden', hidden, 'widths');
    for (const width of hidden) checkCount(width, 1, `${name}: a width of hidden`);
    this.encoder = new Layers([inFeatures, ...hidden, widthOf(latent)]);
    this.decoder = new Layers([latent, ...[...hidden].reverse(), inFeatures]);
    this.inFeatures = inFeatures;
    this.latent = latent;
  }

  /** Latent numbers [N, latent] → logits [N, inFeatures]; `.sigmoid()` makes pixels of them. */
  decode(z: Tensor): Tensor<[number, number]> {
    checkLatent(`${this.constructor.name}.decode`, z, this.latent);
    return this.decoder.forward(z);
  }

  protected encoded(x: Tensor): Tensor {
    checkTensor(x, this.constructor.name, 'the input');
    const size = x.shape.slice(1).reduce((product, n) => product * n, 1);
    if (x.rank < 2 || size !== this.inFeatures)
      throw new ShapeError(
        `${this.constructor.name}: input ${formatShape(x.shape)}: needs [N, …] with ${this.inFeatures} numbers a sample`,
        [x.shape],
      );
    return this.encoder.forward(x.reshape([x.shape[0], this.inFeatures]));
  }
}

/**
 * `forward(x)`: inputs [N, …] → logits of the same shape, through `latent` numbers. Loss: `bceWithLogits(model.forward(x), x)`.
 *
 *     const model = new Autoencoder({ inFeatures: 64, latent: 2 });
 *     const z = model.encode(x);                      // [N, 2]
 */
export class Autoencoder extends Coder {
  constructor(options: AutoencoderOptions) {
    super(options, (latent) => latent);
  }

  /** Inputs [N, …] → [N, latent]. */
  encode(x: Tensor): Tensor<[number, number]> {
    return this.encoded(x);
  }

  forward(x: Tensor): Tensor {
    return this.decode(this.encode(x)).reshape(x.shape);
  }
}

/** A normal distribution for each sample: [N, latent] each. */
export interface Latent {
  readonly mean: Tensor<[number, number]>;
  readonly logVariance: Tensor<[number, number]>;
}

/** mean + deviation · ε: numbers of the distribution, through which gradients go to both. */
export function drawn({ mean, logVariance }: Latent): Tensor<[number, number]> {
  return mean.add(logVariance.mul(0.5).exp().mul(randn(mean.shape)));
}

export interface VAEOutput extends Latent {
  /** In the shape of the input. */
  readonly logits: Tensor;
}

/**
 * `forward(x)`: inputs [N, …] → `{ logits, mean, logVariance }`. In training the latent numbers are drawn, mean + deviation · ε, so that
 * gradients reach both; in evaluation they are the mean. Loss: `vaeLoss(model.forward(x), x)`.
 */
export class VAE extends Coder {
  constructor(options: AutoencoderOptions) {
    super(options, (latent) => 2 * latent);
  }

  /** Inputs [N, …] → mean and logarithm of the variance. */
  encode(x: Tensor): Latent {
    const both = this.encoded(x);
    const part = (from: number): Tensor => both.slice(1, from, from + this.latent);
    return { mean: part(0), logVariance: part(this.latent) };
  }

  forward(x: Tensor): VAEOutput {
    if (this.training) return this.draw(x);
    const { mean, logVariance } = this.encode(x);
    return { logits: this.decode(mean).reshape(x.shape), mean, logVariance };
  }

  /** As `forward` in training, whatever the mode: the latent numbers are drawn, as the ELBO wants it. */
  draw(x: Tensor): VAEOutput {
    const { mean, logVariance } = this.encode(x);
    return { logits: this.decode(drawn({ mean, logVariance })).reshape(x.shape), mean, logVariance };
  }

  /** New samples: logits [count, inFeatures] of numbers drawn from the standard normal distribution. */
  sample(count: number): Tensor<[number, number]> {
    checkCount(count, 1, 'VAE.sample: count');
    return this.decode(randn([count, this.latent]));
  }
}

export interface VaeLossOptions {
  /** Weight of the divergence from the standard normal distribution (Higgins et al. 2017). Default 1: the negative ELBO. */
  readonly beta?: number;
}

const VAE_LOSS_OPTIONS: OptionNames<VaeLossOptions> = { beta: true };

/**
 * The negative evidence lower bound in nats, the mean over samples: binary cross entropy summed over a sample's numbers (from 0 to 1), plus
 * β · KL(N(mean, variance) ‖ N(0, 1)).
 */
export function vaeLoss(output: VAEOutput, x: Tensor, options: VaeLossOptions = {}): Tensor<[]> {
  checkHas('vaeLoss', 'the output', output, ['logits', 'mean', 'logVariance'], 'Give what a VAE returns');
  const { logits, mean, logVariance } = output;
  checkTensor(logits, 'vaeLoss', 'logits');
  checkTensor(mean, 'vaeLoss', 'mean');
  checkTensor(logVariance, 'vaeLoss', 'logVariance');
  checkTensor(x, 'vaeLoss', 'the input');
  checkOptions('vaeLoss', options, VAE_LOSS_OPTIONS);
  const { beta = 1 } = options;
  checkNumber('vaeLoss', 'beta', beta);
  if (!(beta >= 0 && beta < Infinity)) throw new ArgumentError(`vaeLoss: beta is ${beta}. Use a number of at least 0.`);
  if (!sameShape(logits.shape, x.shape))
    throw new ShapeError(`vaeLoss: logits ${formatShape(logits.shape)} for ${formatShape(x.shape)}: need one shape`, [
      logits.shape,
      x.shape,
    ]);
  const count = x.shape[0];
  const pixels: Tensor = bceWithLogits(logits, x, { reduction: 'sum' }).div(count);
  const divergence: Tensor = logVariance
    .exp()
    .add(mean.square())
    .sub(1)
    .sub(logVariance)
    .sum()
    .mul(0.5 / count);
  const loss: Tensor = pixels.add(divergence.mul(beta));
  return loss;
}
