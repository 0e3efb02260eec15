// Random changes to images, made in JavaScript on samples that are about to be used. Each image is drawn again through a
// random similarity: turned, scaled and moved about its centre, with bilinear interpolation and zeros outside.

import { ArgumentError, type Shape, formatShape } from '../tensor/library.js';
import type { HostRandom } from '../tensor/host-random.js';

export interface JitterOptions {
  /** Largest shift in pixels, each way and axis. Default 0. */
  readonly shift?: number;
  /** Largest angle in degrees, each way. Default 0. */
  readonly rotate?: number;
  /** Largest relative change of size, each way: 0.1 gives factors from 0.9 to 1.1. Default 0. */
  readonly scale?: number;
}

/** Changes one image [C, H, W], or several [N, C, H, W], in place. */
export function jitter(
  images: { readonly data: Float32Array; readonly shape: Shape },
  random: HostRandom,
  { shift = 0, rotate = 0, scale = 0 }: JitterOptions,
): void {
  const { data } = images;
  const shape = images.shape.length === 3 ? [1, ...images.shape] : images.shape;
  if (shape.length !== 4)
    throw new ArgumentError(`jitter: images ${formatShape(shape)} are neither [C, H, W] nor [N, C, H, W].`);
  const [count, channels, height, width] = shape;
  const plane = height * width;
  const source = new Float32Array(plane);
  for (let n = 0; n < count; n++) {
    const angle = (random.between(-rotate, rotate) * Math.PI) / 180;
    const zoom = 1 / (1 + random.between(-scale, scale));
    const [dy, dx] = [random.between(-shift, shift), random.between(-shift, shift)];
    const [cos, sin] = [Math.cos(angle) * zoom, Math.sin(angle) * zoom];
    for (let c = 0; c < channels; c++) {
      const at = (n * channels + c) * plane;
      source.set(data.subarray(at, at + plane));
      const [cy, cx] = [(height - 1) / 2, (width - 1) / 2];
      for (let i = 0; i < height; i++) {
        for (let j = 0; j < width; j++) {
          const [y, x] = [i - cy - dy, j - cx - dx];
          data[at + i * width + j] = sample(source, height, width, cy + cos * y - sin * x, cx + sin * y + cos * x);
        }
      }
    }
  }
}

/** The image between its pixels; zero outside. */
function sample(image: Float32Array, height: number, width: number, y: number, x: number): number {
  const [y0, x0] = [Math.floor(y), Math.floor(x)];
  const [fy, fx] = [y - y0, x - x0];
  const pixel = (i: number, j: number): number =>
    i >= 0 && i < height && j >= 0 && j < width ? image[i * width + j] : 0;
  const top = pixel(y0, x0) * (1 - fx) + pixel(y0, x0 + 1) * fx;
  const bottom = pixel(y0 + 1, x0) * (1 - fx) + pixel(y0 + 1, x0 + 1) * fx;
  return top * (1 - fy) + bottom * fy;
}
