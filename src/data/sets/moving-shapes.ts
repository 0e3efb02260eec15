// Films of shapes that move and bounce: a set for the prediction of what comes next, made on the spot.

import { HostRandom } from '../../tensor/host-random.js';
import { checkOptions, checkWhole, type OptionNames } from '../../tensor/library.js';
import { ArrayDataset } from '../dataset.js';
import type { Field } from '../fields.js';
import { SHAPES, paintShape } from './shape-drawing.js';

export interface MovingShapeOptions {
  /** Number of films. Default 200. */
  readonly samples?: number;
  /** Pictures of a film. Default 12. */
  readonly frames?: number;
  /** Width and height in pixels, at least 16. Default 16. */
  readonly size?: number;
  /** Shapes in a film. Default 2. */
  readonly shapes?: number;
  /** Default 0. */
  readonly seed?: number;
}

const MOVING_SHAPE_OPTIONS: OptionNames<MovingShapeOptions> = {
  samples: true,
  frames: true,
  size: true,
  shapes: true,
  seed: true,
};

/** x: the pictures of a film one after the other, one channel, 0 to 1. */
export type MovingShapeData = ArrayDataset<{
  readonly x: Field<Float32Array, readonly [frames: number, channels: 1, height: number, width: number]>;
}>;

/** Films of bright shapes on black that move in straight lines and bounce off the edges (after Moving MNIST, Srivastava et al. 2015). */
export function movingShapes(options: MovingShapeOptions = {}): MovingShapeData {
  checkOptions('movingShapes', options, MOVING_SHAPE_OPTIONS);
  const { samples = 200, frames = 12, size = 16, shapes = 2, seed = 0 } = options;
  for (const [name, [value, least]] of Object.entries({
    samples: [samples, 1],
    frames: [frames, 1],
    size: [size, 16],
    shapes: [shapes, 1],
  }))
    checkWhole('movingShapes', name, value, least);
  checkWhole('movingShapes', 'seed', seed, -Infinity);
  const random = new HostRandom(seed, 0x30f1e5);
  const area = size * size;
  const x = new Float32Array(samples * frames * area);
  for (let sample = 0; sample < samples; sample++)
    for (let k = 0; k < shapes; k++) {
      const [shape, radius] = [random.below(SHAPES.length), random.between(0.14, 0.2) * size];
      const speed = random.between(0.04, 0.09) * size;
      const angle = random.between(0, 2 * Math.PI);
      const move = [speed * Math.cos(angle), speed * Math.sin(angle)];
      const at = [0, 1].map(() => random.between(radius, size - radius));
      for (let t = 0; t < frames; t++) {
        const image = x.subarray((sample * frames + t) * area, (sample * frames + t + 1) * area);
        paintShape(size, { shape, x: at[0], y: at[1], radius, angle: 0 }, (pixel, share) => {
          image[pixel] = Math.max(image[pixel], share);
        });
        for (const axis of [0, 1]) {
          at[axis] += move[axis];
          const beyond = Math.max(radius - at[axis], at[axis] - (size - radius));
          if (beyond <= 0) continue;
          at[axis] += at[axis] < radius ? 2 * beyond : -2 * beyond; // as far back as it would have gone on
          move[axis] = -move[axis];
        }
      }
    }
  return new ArrayDataset({ x: { data: x, shape: [frames, 1, size, size] } });
}
