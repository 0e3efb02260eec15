// The type of a transform: a function that changes one sample, such as an image that is about to be put into a batch.
// What is random about it comes from the generator that it is given and from nowhere else: there is one generator for each
// sample and epoch, so that the result depends on neither the batch size nor the number of workers.
// Must not know: datasets, loaders, tensors.

import type { Shape } from '../tensor/library.js';
import type { HostRandom } from '../tensor/host-random.js';

/**
 * Numbers of one sample in host memory, row by row: an image has the shape [C, H, W]. Pixels are 0 to 255 in a
 * Uint8Array, and by custom 0 to 1 in a Float32Array.
 */
export interface HostImage<S extends Shape = Shape, D extends Float32Array | Uint8Array = Float32Array | Uint8Array> {
  readonly data: D;
  readonly shape: S;
}

/**
 * Makes one sample from another. It must leave its input as it is (it may be a view of the dataset's own memory), and
 * take random numbers from `random` alone.
 */
export type Transform<I = HostImage, O = I> = (input: I, random: HostRandom) => O;
