// Generative adversarial networks (Goodfellow et al. 2014): a generator makes pictures of random numbers, a discriminator tells them from
// real ones, and each learns from the other. Of dense layers (GAN), and convolutional (DCGAN, Radford et al. 2016).
// Pictures from 0 to 1 in and out.

import {
  BatchNorm1d,
  BatchNorm2d,
  Conv2d,
  type ConvOptions,
  Flatten,
  LeakyReLU,
  Module,
  ReLU,
  SpectralNorm,
  Unflatten,
} from '../../nn/index.js';
import { checkCount } from '../../nn/layer.js';
import { bceWithLogits } from '../../nn/losses/classification.js';
import { onesLike, randn, zerosLike } from '../../tensor/creation.js';
import { withoutGrad } from '../../tensor/grad-mode.js';
import {
  ArgumentError,
  type OptionNames,
  ShapeError,
  checkList,
  checkNeededOptions,
  checkNumber,
  checkOptions,
  formatShape,
  sameShape,
} from '../../tensor/library.js';
import { type Tensor, checkTensor } from '../../tensor/tensor.js';
import { linear } from '../vision/blocks.js';
import {
  STRIDED,
  type Network,
  type PictureShape,
  checkLatent,
  checkPictureShape,
  doubling,
  inRow,
  startSmall,
} from './networks.js';

interface AdversaryOptions {
  /** Channels, height and width of the pictures. */
  readonly shape: PictureShape;
  /** Random numbers of which a picture is made. Default 64. */
  readonly latent?: number;
  /** Spectral normalisation of the discriminator's layers (Miyato et al. 2018), in the place of its batch normalisation. Default false. */
  readonly spectralNorm?: boolean;
}

export interface GANOptions extends AdversaryOptions {
  /** Widths of the generator's hidden layers; the discriminator has them in the other order. Default [128, 256]. */
  readonly hidden?: readonly number[];
}

const GAN_OPTIONS: OptionNames<GANOptions> = { shape: true, latent: true, spectralNorm: true, hidden: true };

export interface DCGANOptions extends AdversaryOptions {
  /** Channels of the maps at half the pictures' size; at a quarter there are twice as many. Default 64. */
  readonly width?: number;
}

const DCGAN_OPTIONS: OptionNames<DCGANOptions> = { shape: true, latent: true, spectralNorm: true, width: true };

export interface DiscriminatorLossOptions {
  /** The target of real pictures is 1 less this: nothing is gained by being too sure (Salimans et al. 2016). Default 0. */
  readonly labelSmoothing?: number;
}

const DISCRIMINATOR_LOSS_OPTIONS: OptionNames<DiscriminatorLossOptions> = { labelSmoothing: true };

/** A generator and a discriminator, and what each of them minimises. */
export abstract class Adversaries extends Module {
  /** Numbers [N, latent] → logits [N, C, H, W] of pixels; `generate` makes pictures of them. */
  readonly generator: Network;
  /** Pictures from −1 to 1 → logits [N, 1], positive for real ones; `judge` takes pictures from 0 to 1. */
  readonly discriminator: Network;
  readonly shape: PictureShape;
  readonly latent: number;

  constructor({ shape, latent = 64 }: AdversaryOptions, networks: (latent: number) => readonly [Network, Network]) {
    super();
    const { name } = this.constructor;
    checkCount(latent, 1, `${name}: latent`);
    this.shape = shape;
    this.latent = latent;
    [this.generator, this.discriminator] = networks(latent);
  }

  /** Numbers [N, latent] → pictures [N, C, H, W]. */
  generate(z: Tensor): Tensor<[number, number, number, number]> {
    checkLatent(`${this.constructor.name}.generate`, z, this.latent);
    const pixels: Tensor = this.generator.forward(z).sigmoid();
    return pixels.reshape([z.shape[0], ...this.shape]);
  }

  /** `count` new pictures [count, C, H, W], of numbers drawn from the standard normal distribution. */
  sample(count: number): Tensor<[number, number, number, number]> {
    checkCount(count, 1, `${this.constructor.name}.sample: count`);
    return this.generate(randn([count, this.latent]));
  }

  /** Pictures [N, C, H, W] → logits [N, 1]: above 0 where they are taken for real. */
  judge(x: Tensor): Tensor<[number, number]> {
    const { name } = this.constructor;
    checkTensor(x, name, 'the pictures');
    if (x.rank !== 4 || !sameShape(x.shape.slice(1), this.shape))
      throw new ShapeError(`${name}: pictures ${formatShape(x.shape)}: need [N, ${this.shape.join(', ')}]`, [x.shape]);
    return this.discriminator.forward(x.mul(2).sub(1));
  }

  /** The picture of each row of numbers [N, latent], as `generate`. */
  forward(z: Tensor): Tensor<[number, number, number, number]> {
    return this.generate(z);
  }

  /** Cross entropy of real pictures as real, and of as many generated ones as generated. No gradient reaches the generator. */
  discriminatorLoss(real: Tensor, options: DiscriminatorLossOptions = {}): Tensor<[]> {
    const op = `${this.constructor.name}.discriminatorLoss`;
    checkOptions(op, options, DISCRIMINATOR_LOSS_OPTIONS);
    const { labelSmoothing = 0 } = options;
    checkNumber(op, 'labelSmoothing', labelSmoothing);
    if (!(labelSmoothing >= 0 && labelSmoothing < 1))
      throw new ArgumentError(`${op}: labelSmoothing is ${labelSmoothing}. Use a number of at least 0 and below 1.`);
    const right: Tensor = this.judge(real);
    const fake = withoutGrad(() => this.sample(real.shape[0])).detach();
    const wrong: Tensor = this.judge(fake);
    const taken = bceWithLogits(right, onesLike(right).mul(1 - labelSmoothing));
    return taken.add(bceWithLogits(wrong, zerosLike(wrong)));
  }

  /** Cross entropy of `count` generated pictures as real: the form that does not saturate. */
  generatorLoss(count: number): Tensor<[]> {
    const said: Tensor = this.judge(this.sample(count));
    return bceWithLogits(said, onesLike(said));
  }
}

const SLOPE = 0.2;

/** Both networks of dense layers. Loss: `discriminatorLoss(x)` and `generatorLoss(count)`, in turn. */
export class GAN extends Adversaries {
  constructor(options: GANOptions) {
    checkNeededOptions(new.target.name, options, GAN_OPTIONS, '{ shape: [1, 28, 28] }');
    const { shape, hidden = [128, 256], spectralNorm = false } = options;
    checkPictureShape('GAN', shape);
    checkList('GAN', 'hidden', hidden, 'widths');
    for (const width of hidden) checkCount(width, 1, 'GAN: a width of hidden');
    const size = shape[0] * shape[1] * shape[2];
    const dense = (from: number, to: number): Module =>
      spectralNorm ? new SpectralNorm(linear(from, to)) : linear(from, to);
    super(options, (latent) => {
      const [up, down] = [
        [latent, ...hidden],
        [size, ...[...hidden].reverse()],
      ];
      const rising = hidden.flatMap((to, i): Module[] => [linear(up[i], to), new LeakyReLU(SLOPE)]);
      const falling = down.slice(1).flatMap((to, i): Module[] => [dense(down[i], to), new LeakyReLU(SLOPE)]);
      return [
        inRow(...rising, linear(up[up.length - 1], size)),
        inRow(new Flatten(), ...falling, dense(down[down.length - 1], 1)),
      ];
    });
  }
}

/**
 * Both networks convolutional, from a quarter of the pictures' size to all of it and back; height and width are multiples of 4.
 * Batch normalisation in both but for the ends, weights start from N(0, 0.02²).
 *
 *     const gan = new DCGAN({ shape: [1, 28, 28] });
 */
export class DCGAN extends Adversaries {
  constructor(options: DCGANOptions) {
    checkNeededOptions(new.target.name, options, DCGAN_OPTIONS, '{ shape: [1, 28, 28] }');
    const { shape, width = 64, spectralNorm = false } = options;
    checkPictureShape('DCGAN', shape, 4);
    checkCount(width, 1, 'DCGAN: width');
    const [channels, height, breadth] = shape;
    const small = [2 * width, height / 4, breadth / 4];
    const cells = small[0] * small[1] * small[2];
    const down = (from: number, to: number): Module => {
      const layer = new Conv2d<number, number, number, ConvOptions>(from, to, 4, STRIDED);
      return spectralNorm ? new SpectralNorm(layer) : layer;
    };
    super(options, (latent) => [
      inRow(
        linear(latent, cells),
        new BatchNorm1d(cells),
        new ReLU(),
        new Unflatten(1, small),
        doubling(2 * width, width),
        new BatchNorm2d(width),
        new ReLU(),
        doubling(width, channels),
      ),
      inRow(
        down(channels, width),
        new LeakyReLU(SLOPE),
        down(width, 2 * width),
        ...(spectralNorm ? [] : [new BatchNorm2d<number>(2 * width)]),
        new LeakyReLU(SLOPE),
        new Flatten(),
        spectralNorm ? new SpectralNorm(linear(cells, 1)) : linear(cells, 1),
      ),
    ]);
    startSmall(this);
  }
}
