// Small random changes of 8 × 8 digits, so that the network sees each one differently every time: a shift of up to a
// pixel, a rotation, a change of size, resampled bilinearly. They depend on the seed, the epoch and the digit alone.

import { seededRandom } from '../data/dataset.js';

const SIDE = 8;
const MOST_SHIFT = 0.8;
const MOST_ANGLE = (12 * Math.PI) / 180;
const MOST_SCALE = 0.1;

/** Changes the digits of a batch in place; `samples` are their numbers in the data set. */
export function augmentDigits(images: Float32Array, samples: ArrayLike<number>, seed: number, epoch: number): void {
  const source = new Float32Array(SIDE * SIDE);
  for (let i = 0; i < samples.length; i++) {
    const image = images.subarray(i * SIDE * SIDE, (i + 1) * SIDE * SIDE);
    source.set(image);
    const random = seededRandom(
      Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(epoch + 1, 0x85ebca77) ^ Math.imul(samples[i] + 1, 0xc2b2ae3d),
    );
    const spread = (most: number) => (2 * random() - 1) * most;
    resample(source, image, {
      dx: spread(MOST_SHIFT),
      dy: spread(MOST_SHIFT),
      angle: spread(MOST_ANGLE),
      scale: 1 + spread(MOST_SCALE),
    });
  }
}

interface Change {
  readonly dx: number;
  readonly dy: number;
  readonly angle: number;
  readonly scale: number;
}

/** Each target pixel looks up where it came from; outside the image there is paper. */
function resample(source: Float32Array, target: Float32Array, { dx, dy, angle, scale }: Change): void {
  const middle = (SIDE - 1) / 2;
  const [cos, sin] = [Math.cos(angle) / scale, Math.sin(angle) / scale];
  const pixel = (x: number, y: number): number => (x < 0 || y < 0 || x >= SIDE || y >= SIDE ? 0 : source[y * SIDE + x]);
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const [u, v] = [x - middle - dx, y - middle - dy];
      const [fx, fy] = [cos * u + sin * v + middle, cos * v - sin * u + middle];
      const [x0, y0] = [Math.floor(fx), Math.floor(fy)];
      const [ax, ay] = [fx - x0, fy - y0];
      const top = pixel(x0, y0) * (1 - ax) + pixel(x0 + 1, y0) * ax;
      const bottom = pixel(x0, y0 + 1) * (1 - ax) + pixel(x0 + 1, y0 + 1) * ax;
      target[y * SIDE + x] = top * (1 - ay) + bottom * ay;
    }
  }
}
