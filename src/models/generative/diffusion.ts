// Denoising diffusion (Ho et al. 2020): a network learns to find the noise in pictures that are more and less noisy; from nothing but
// noise, found and taken away step by step, it makes new ones. Sampling as DDIM (Song et al. 2021), which may leave out steps.
// Pictures from 0 to 1 in and out.

import { Module } from '../../nn/index.js';
import { checkCount } from '../../nn/layer.js';
import { mseLoss } from '../../nn/losses/regression.js';
import { compile } from '../../tensor/compile.js';
import { full, randint, randn, tensor } from '../../tensor/creation.js';
import { withoutGrad } from '../../tensor/grad-mode.js';
import {
  ArgumentError,
  type OptionNames,
  type Shape,
  ShapeError,
  checkNeededOptions,
  checkNumber,
  checkOptions,
  checkWhole,
  formatShape,
  sameShape,
} from '../../tensor/library.js';
import { type AnyTensor, type Tensor, checkTensor } from '../../tensor/tensor.js';
import { DIFFUSION_U_NET_OPTIONS, DiffusionUNet, type DiffusionUNetOptions } from './diffusion-unet.js';
import { type PictureShape, checkPictureShape } from './networks.js';
import { type NoiseScheduleName, noiseSchedule } from './noise-schedule.js';

export interface DiffusionOptions extends Omit<DiffusionUNetOptions, 'channels'> {
  /** Channels, height and width of the pictures. */
  readonly shape: PictureShape;
  /** Steps from a picture to noise. Default 1000. */
  readonly steps?: number;
  /** How the noise grows. Default 'cosine'. */
  readonly schedule?: NoiseScheduleName;
}

const { channels: _, ...NETWORK_OPTIONS } = DIFFUSION_U_NET_OPTIONS;
const DIFFUSION_OPTIONS: OptionNames<DiffusionOptions> = {
  ...NETWORK_OPTIONS,
  shape: true,
  steps: true,
  schedule: true,
};

export interface DiffusionSampleOptions {
  /** Steps of the network: evenly spread over those it was trained on. Default 50. */
  readonly steps?: number;
  /** Fresh noise in each step: 0 is DDIM, which has none; 1 with all steps is DDPM. Default 0. */
  readonly eta?: number;
  /** The noise to begin with, [count, C, H, W]. Default: drawn. */
  readonly noise?: Tensor;
}

const DIFFUSION_SAMPLE_OPTIONS: OptionNames<DiffusionSampleOptions> = { steps: true, eta: true, noise: true };

type Pictures = Tensor<[number, number, number, number]>;

/**
 * A diffusion model with a small U-Net.
 *
 *     const model = new Diffusion({ shape: [1, 28, 28] });
 *     model.loss(x).backward();                           // in training; x [N, 1, 28, 28] from 0 to 1
 *     const pictures = await model.sample(16);            // [16, 1, 28, 28]
 */
export class Diffusion extends Module {
  readonly network: DiffusionUNet;
  readonly shape: PictureShape;
  readonly steps: number;
  /** ᾱ of each step: what is left of a picture's variance. */
  readonly left: Float64Array;

  constructor(options: DiffusionOptions) {
    checkNeededOptions(new.target.name, options, DIFFUSION_OPTIONS, '{ shape: [1, 28, 28] }');
    super();
    const { shape, steps = 1000, schedule = 'cosine', ...network } = options;
    const { name } = this.constructor;
    checkPictureShape(name, shape, 2 ** ((network.levels ?? [1, 2, 2]).length - 1));
    checkWhole(name, 'steps', steps, 1);
    this.left = noiseSchedule(steps, schedule);
    this.network = new DiffusionUNet({ ...network, channels: shape[0] });
    this.shape = shape;
    this.steps = steps;
  }

  /** The noise in noisy pictures [N, C, H, W] (from about −1 to 1) of times int32 [N], 0 to steps − 1. */
  forward(x: Tensor, time: AnyTensor): Tensor {
    return this.network.forward(x, time);
  }

  /** Mean squared error of the noise that is found, at random times. Pictures [N, C, H, W] from 0 to 1. */
  loss(pictures: Tensor): Tensor<[]> {
    this.checkPictures('loss', 'pictures', pictures);
    const time = randint(0, this.steps, [pictures.shape[0]]);
    const noise: Tensor = randn(pictures.shape);
    return mseLoss(this.network.forward(this.noisy(pictures, time, noise), time), noise);
  }

  /** √ᾱ · picture + √(1 − ᾱ) · noise, of pictures from 0 to 1, which are from −1 to 1 in it. */
  noisy(pictures: Tensor, time: Tensor<Shape, 'int32'>, noise: Tensor): Tensor {
    const column = [pictures.shape[0], 1, 1, 1];
    const table = (of: (left: number) => number): Tensor => {
      const values: Tensor = tensor(Float32Array.from(this.left, of));
      return values.indexSelect(0, time).reshape(column);
    };
    const clear = pictures.mul(2).sub(1).mul(table(Math.sqrt));
    return clear.add(noise.mul(table((left) => Math.sqrt(1 - left))));
  }

  /** `count` new pictures [count, C, H, W] from 0 to 1. */
  async sample(count: number, options: DiffusionSampleOptions = {}): Promise<Pictures> {
    const op = `${this.constructor.name}.sample`;
    checkCount(count, 1, `${op}: count`);
    checkOptions(op, options, DIFFUSION_SAMPLE_OPTIONS);
    const { steps = Math.min(50, this.steps), eta = 0, noise = randn([count, ...this.shape]) } = options;
    checkWhole(op, 'steps', steps, 1);
    checkNumber(op, 'eta', eta);
    if (steps > this.steps)
      throw new ArgumentError(
        `${op}: ${steps} steps, and the model was trained with ${this.steps}. Use at most these.`,
      );
    if (!(eta >= 0 && eta <= 1)) throw new ArgumentError(`${op}: eta is ${eta}. Use a number from 0 to 1.`);
    this.checkPictures('sample', 'noise', noise, count);
    const clean = compile((x: Tensor, time: Tensor<[number], 'int32'>, numbers: Tensor, fresh: Tensor) =>
      withoutGrad(() => this.cleaner(x, time, numbers, fresh)),
    );
    const times = Array.from({ length: steps }, (__, i) => Math.round(((i + 1) * this.steps) / steps) - 1).reverse();
    let x: Tensor = noise;
    for (const [i, time] of times.entries()) {
      const [now, next] = [this.left[time], i + 1 < steps ? this.left[times[i + 1]] : 1];
      const deviation = eta * Math.sqrt(((1 - next) / (1 - now)) * (1 - now / next));
      const numbers = tensor(Float32Array.of(now, next, deviation));
      const fresh: Tensor = deviation === 0 ? tensor(new Float32Array(1), { shape: [1, 1, 1, 1] }) : randn(x.shape);
      x = await clean(x, full([count], time, { dtype: 'int32' }), numbers, fresh);
    }
    return x.add(1).div(2);
  }

  /** One step back: the picture that the noise found leaves, and less noise than before on it. */
  private cleaner(x: Tensor, time: AnyTensor, numbers: Tensor, fresh: Tensor): Tensor {
    const [now, next, deviation] = [0, 1, 2].map((i): Tensor => numbers.select(0, i));
    const found = this.network.forward(x, time);
    const clear: Tensor = x
      .sub(found.mul(now.neg().add(1).sqrt()))
      .div(now.sqrt())
      .clamp(-1, 1);
    const rest: Tensor = x.sub(clear.mul(now.sqrt())).div(now.neg().add(1).sqrt()); // the noise that goes with `clear`
    const share: Tensor = next.neg().add(1).sub(deviation.square()).clamp(0).sqrt();
    return clear.mul(next.sqrt()).add(rest.mul(share)).add(fresh.mul(deviation));
  }

  private checkPictures(method: string, what: string, x: Tensor, count?: number): void {
    const op = `${this.constructor.name}.${method}`;
    checkTensor(x, op, `the ${what}`);
    if (x.rank === 4 && sameShape(x.shape.slice(1), this.shape) && x.shape[0] === (count ?? x.shape[0])) return;
    throw new ShapeError(`${op}: ${what} ${formatShape(x.shape)}: need [${count ?? 'N'}, ${this.shape.join(', ')}]`, [
      x.shape,
    ]);
  }
}
