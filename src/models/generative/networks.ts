// What generators of pictures share: networks whose layers are only known at run time, and the checks of a picture's shape and of latent numbers.

import { ConvTranspose2d, type ConvTransposeOptions, type Module, Sequential, init } from '../../nn/index.js';
import { checkCount } from '../../nn/layer.js';
import { ArgumentError, ShapeError, checkList, formatShape } from '../../tensor/library.js';
import { type AnyTensor, type Tensor, checkTensor } from '../../tensor/tensor.js';

/** A network whose sizes are known only when it runs. */
export interface Network extends Module {
  forward(x: AnyTensor): Tensor;
}

/** Channels, height and width of a picture. */
export type PictureShape = readonly [channels: number, height: number, width: number];

/** Throws ArgumentError unless it is [C, H, W], height and width multiples of `factor`. */
export function checkPictureShape(name: string, shape: PictureShape, factor = 1): void {
  checkList(name, 'shape', shape, 'sizes: [1, 28, 28]');
  if (shape.length !== 3)
    throw new ArgumentError(`${name}: shape is [${shape.join(', ')}]. Give channels, height and width: [1, 28, 28].`);
  for (const size of shape) checkCount(size, 1, `${name}: a size of shape`);
  const odd = shape.slice(1).find((size) => size % factor !== 0);
  if (odd !== undefined)
    throw new ArgumentError(`${name}: height or width is ${odd}, which is no multiple of ${factor}. Pad the pictures.`);
}

/** Weights of convolutions and linear layers from N(0, 0.02²), biases 0, as in Radford et al. 2016. */
export function startSmall(model: Module): void {
  for (const [key, parameter] of model.namedParameters()) {
    if (parameter.rank > 1) init.normal_(parameter, 0, 0.02);
    else if (key.endsWith('bias')) init.zeros_(parameter);
  }
}

/** Layers one after the other. */
export const inRow = (...layers: Module[]): Network => new Sequential(...layers);

/** For convolutions of kernel size 4: they halve the size, transposed ones double it. */
export const STRIDED = { stride: 2, padding: 1 } as const;

/** [from, H, W] → [to, 2H, 2W] */
export const doubling = (from: number, to: number): Module =>
  new ConvTranspose2d<number, number, number, ConvTransposeOptions>(from, to, 4, STRIDED);

/** Throws unless there are numbers [N, latent] to make something of. */
export function checkLatent(call: string, z: Tensor, latent: number): void {
  checkTensor(z, call, 'the latent numbers');
  if (z.rank !== 2 || z.shape[1] !== latent)
    throw new ShapeError(`${call}: latent numbers ${formatShape(z.shape)}: need [N, ${latent}]`, [z.shape]);
}
