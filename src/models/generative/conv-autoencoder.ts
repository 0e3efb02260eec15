// A convolutional autoencoder: pictures through a few numbers and back. Its encoder, trained without labels, is a good beginning for a
// classifier; trained on pictures with noise and measured against those without, it takes noise away (Vincent et al. 2008).

import { BatchNorm2d, Conv2d, type ConvOptions, Flatten, Module, ReLU, Unflatten } from '../../nn/index.js';
import { checkCount } from '../../nn/layer.js';
import { type OptionNames, ShapeError, checkNeededOptions, formatShape, sameShape } from '../../tensor/library.js';
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
} from './networks.js';

export interface ConvAutoencoderOptions {
  /** Channels, height and width of the pictures; height and width are multiples of 4. */
  readonly shape: PictureShape;
  /** Numbers in the middle. Default 32. */
  readonly latent?: number;
  /** Channels at half the pictures' size; at a quarter there are twice as many. Default 16. */
  readonly width?: number;
}

const CONV_AUTOENCODER_OPTIONS: OptionNames<ConvAutoencoderOptions> = { shape: true, latent: true, width: true };

/** Layers of twice as many channels at half the size, [from, H, W] → [to, H/2, W/2]. */
const down = (from: number, to: number): readonly Module[] => [
  new Conv2d<number, number, number, ConvOptions>(from, to, 4, { ...STRIDED, bias: false }),
  new BatchNorm2d<number>(to),
  new ReLU(),
];

/**
 * `forward(x)`: pictures [N, C, H, W] from 0 to 1 → logits of the same shape. Loss: `bceWithLogits(model.forward(noisy), x)`, `noisy` the
 * pictures themselves, or with noise on them.
 *
 *     const model = new ConvAutoencoder({ shape: [1, 28, 28] });
 *     const z = model.encode(x);                          // [N, 32]
 */
export class ConvAutoencoder extends Module {
  /** Pictures → numbers [N, latent]. */
  readonly encoder: Network;
  /** Numbers → logits [N, C, H, W]. */
  readonly decoder: Network;
  readonly shape: PictureShape;
  readonly latent: number;

  constructor(options: ConvAutoencoderOptions) {
    checkNeededOptions(new.target.name, options, CONV_AUTOENCODER_OPTIONS, '{ shape: [1, 28, 28] }');
    super();
    const { shape, latent = 32, width = 16 } = options;
    const { name } = this.constructor;
    checkPictureShape(name, shape, 4);
    checkCount(latent, 1, `${name}: latent`);
    checkCount(width, 1, `${name}: width`);
    const [channels, height, breadth] = shape;
    const small = [2 * width, height / 4, breadth / 4];
    const cells = small[0] * small[1] * small[2];
    this.encoder = inRow(...down(channels, width), ...down(width, 2 * width), new Flatten(), linear(cells, latent));
    this.decoder = inRow(
      linear(latent, cells),
      new ReLU(),
      new Unflatten(1, small),
      doubling(2 * width, width),
      new ReLU(),
      doubling(width, channels),
    );
    this.shape = shape;
    this.latent = latent;
  }

  encode(x: Tensor): Tensor<[number, number]> {
    const { name } = this.constructor;
    checkTensor(x, name, 'the input');
    if (x.rank !== 4 || !sameShape(x.shape.slice(1), this.shape))
      throw new ShapeError(`${name}: input ${formatShape(x.shape)}: needs [N, ${this.shape.join(', ')}]`, [x.shape]);
    return this.encoder.forward(x);
  }

  decode(z: Tensor): Tensor<[number, number, number, number]> {
    checkLatent(`${this.constructor.name}.decode`, z, this.latent);
    return this.decoder.forward(z);
  }

  forward(x: Tensor): Tensor<[number, number, number, number]> {
    return this.decode(this.encode(x));
  }
}
