// Pictures of two coloured shapes with the sentence that says what is where, and films of shapes that move and bounce: sets for captions and for
// the prediction of what comes next, made on the spot.

import { HostRandom } from '../../tensor/host-random.js';
import { ArgumentError, checkNumber, checkOptions, checkWhole, type OptionNames } from '../../tensor/library.js';
import { ArrayDataset } from '../dataset.js';
import type { Field } from '../fields.js';
import { SHAPES } from './generated.js';

/** The colours of `scenes()`, with their parts of red, green and blue. */
export const SCENE_COLOURS = {
  red: [0.9, 0.2, 0.2],
  green: [0.2, 0.8, 0.3],
  blue: [0.25, 0.4, 1],
  yellow: [0.95, 0.85, 0.2],
} as const;

/** How one shape of `scenes()` stands to the other. */
export const SCENE_RELATIONS = ['left of', 'right of', 'above', 'below'] as const;

export interface SceneOptions {
  /** Number of pictures. Default 1000. */
  readonly samples?: number;
  /** Width and height in pixels, at least 16. Default 32. */
  readonly size?: number;
  /** Standard deviation of what is added to each pixel. Default 0.03. */
  readonly noise?: number;
  /** Default 0. */
  readonly seed?: number;
}

const SCENE_OPTIONS: OptionNames<SceneOptions> = { samples: true, size: true, noise: true, seed: true };

export interface SceneData {
  /** Item x: three channels, 0 to 1. */
  readonly pictures: ArrayDataset<{ readonly x: Field<Float32Array, readonly [3, number, number]> }>;
  /** 'a red circle left of a blue square'. */
  readonly captions: readonly string[];
}

/** Samples a pixel and axis. */
const FINE = 3;

/** Is a point of a shape's own plane, where it has the radius 1, inside of it? */
function isInside(shape: number, u: number, v: number): boolean {
  if (shape === 0) return u * u + v * v <= 1;
  if (shape === 1) return Math.abs(u) <= 0.85 && Math.abs(v) <= 0.85;
  return v <= 0.8 && v >= Math.sqrt(3) * Math.abs(u) - 1; // the point is on top
}

/** How much of each pixel a shape covers, from 0 to 1; `paint` gets the pixels with some of it. */
function cover(
  size: number,
  { shape, x, y, radius }: { readonly shape: number; readonly x: number; readonly y: number; readonly radius: number },
  paint: (pixel: number, share: number) => void,
): void {
  const from = (at: number): number => Math.max(0, Math.floor(at - radius));
  const to = (at: number): number => Math.min(size, Math.ceil(at + radius));
  for (let i = from(y); i < to(y); i++)
    for (let j = from(x); j < to(x); j++) {
      let inside = 0;
      for (let k = 0; k < FINE * FINE; k++) {
        const [dx, dy] = [j + ((k % FINE) + 0.5) / FINE - x, i + (Math.floor(k / FINE) + 0.5) / FINE - y];
        if (isInside(shape, dx / radius, dy / radius)) inside++;
      }
      if (inside > 0) paint(i * size + j, inside / (FINE * FINE));
    }
}

/**
 * Pictures of two shapes, each a circle, a square or a triangle in one of four colours, on dark ground, with captions ('a red circle left of a blue
 * square'): 576 different ones. The same options give the same set.
 */
export function scenes(options: SceneOptions = {}): SceneData {
  checkOptions('scenes', options, SCENE_OPTIONS);
  const { samples = 1000, size = 32, noise = 0.03, seed = 0 } = options;
  checkWhole('scenes', 'samples', samples, 1);
  checkWhole('scenes', 'size', size, 16);
  checkNoise('scenes', noise);
  checkWhole('scenes', 'seed', seed, -Infinity);
  const random = new HostRandom(seed, 0x5ce4e5);
  const area = size * size;
  const data = new Float32Array(samples * 3 * area);
  const colours = Object.entries(SCENE_COLOURS);
  const captions = Array.from({ length: samples }, (_, i) => {
    const image = data.subarray(i * 3 * area, (i + 1) * 3 * area).fill(0.08);
    const relation = random.below(SCENE_RELATIONS.length);
    const names = placesOf(relation, size, random).map((place) => {
      const [shape, [name, parts]] = [random.below(SHAPES.length), colours[random.below(colours.length)]];
      cover(size, { ...place, shape }, (pixel, share) => {
        parts.forEach((part, c) => (image[c * area + pixel] += share * (part - image[c * area + pixel])));
      });
      return `a ${name} ${SHAPES[shape]}`;
    });
    for (let k = 0; k < image.length; k++) image[k] = Math.min(1, Math.max(0, image[k] + noise * random.normal()));
    return `${names[0]} ${SCENE_RELATIONS[relation]} ${names[1]}`;
  });
  return { pictures: new ArrayDataset({ x: { data, shape: [3, size, size] } }), captions };
}

interface ShapePlace {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
}

/** Two places: along the axis of the relation well apart, across it nearly level. */
function placesOf(relation: number, size: number, random: HostRandom): ShapePlace[] {
  const radii = [0, 1].map(() => random.between(0.12, 0.18) * size);
  const [near, far] = relation % 2 === 0 ? [0, 1] : [1, 0]; // left and above come first along their axes
  const along = [0, 0];
  along[near] = random.between(radii[near] + 1, size * 0.45 - radii[near]);
  along[far] = random.between(size * 0.55 + radii[far], size - radii[far] - 1);
  const level = random.between(0.3, 0.7) * size;
  return radii.map((radius, i) => {
    const across = level + random.between(-0.06, 0.06) * size;
    return relation < 2 ? { x: along[i], y: across, radius } : { x: across, y: along[i], radius };
  });
}

function checkNoise(call: string, noise: number): void {
  checkNumber(call, 'noise', noise);
  if (!(noise >= 0)) throw new ArgumentError(`${call}: noise is ${noise}. Use a number of at least 0.`);
}

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
        cover(size, { shape, x: at[0], y: at[1], radius }, (pixel, share) => {
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
