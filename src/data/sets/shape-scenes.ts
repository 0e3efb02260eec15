// Pictures of several coloured shapes that are made on the spot, with all that can be asked about them: the class of each pixel, a box, a class
// and a colour for each shape. For segmentation, detection and captions. The same options give the same set.

import { HostRandom } from '../../tensor/host-random.js';
import {
  ArgumentError,
  checkNumber,
  checkOptions,
  checkWhole,
  type OptionNames,
  wrongKind,
} from '../../tensor/library.js';
import { ArrayDataset } from '../dataset.js';
import type { Field } from '../fields.js';
import { type PlacedShape, SHAPES, boxAround, paintShape } from './shape-drawing.js';

const COLOURS = {
  red: [0.9, 0.15, 0.15],
  green: [0.15, 0.75, 0.2],
  blue: [0.2, 0.3, 0.95],
  yellow: [0.95, 0.85, 0.15],
  magenta: [0.85, 0.2, 0.8],
  cyan: [0.15, 0.8, 0.85],
} as const;

/** The colours of `shapeScenes()`. */
export const SCENE_COLOURS = Object.keys(COLOURS) as readonly (keyof typeof COLOURS)[];

/**
 * x: three channels, 0 to 1; mask: the class of each pixel, 0 for the background, 1, 2, … as `SHAPES`; boxes: x1, y1, x2, y2 of each shape in
 * pixels; labels: positions in `SHAPES`, −1 for rows without a shape, which come last; colours: positions in `SCENE_COLOURS`.
 */
export type SceneData = ArrayDataset<{
  readonly x: Field<Float32Array, readonly [3, number, number]>;
  readonly mask: Field<Int32Array, readonly [number, number]>;
  readonly boxes: Field<Float32Array, readonly [number, 4]>;
  readonly labels: Field<Int32Array, readonly [number]>;
  readonly colours: Field<Int32Array, readonly [number]>;
}>;

export interface SceneOptions {
  /** Number of pictures. Default 1000. */
  readonly samples?: number;
  /** Width and height in pixels. Default 64. */
  readonly size?: number;
  /** Fewest and most shapes of a picture. They do not overlap, and where there is no room there are fewer. Default [1, 4]. */
  readonly objects?: readonly [fewest: number, most: number];
  /** Smallest and largest radius, as shares of the size. Default [0.1, 0.22]. */
  readonly radius?: readonly [smallest: number, largest: number];
  /** Standard deviation of what is added to each pixel. Default 0.05. */
  readonly noise?: number;
  /** Default 0. */
  readonly seed?: number;
}

const SCENE_OPTIONS: OptionNames<SceneOptions> = {
  samples: true,
  size: true,
  objects: true,
  radius: true,
  noise: true,
  seed: true,
};

function checkPair(name: string, pair: unknown): asserts pair is readonly [number, number] {
  const isPair = Array.isArray(pair) && pair.length === 2 && pair.every((value) => typeof value === 'number');
  if (!isPair) throw wrongKind('shapeScenes', name, pair, 'Use two numbers, the smaller first');
}

/**
 * Circles, squares and triangles of any colour, size and angle on a dark ground.
 *
 *     const { train, test } = shapeScenes({ samples: 1200 }).split({ train: 1000, test: 200 });
 */
export function shapeScenes(options: SceneOptions = {}): SceneData {
  checkOptions('shapeScenes', options, SCENE_OPTIONS);
  const { samples = 1000, size = 64, objects = [1, 4], radius = [0.1, 0.22], noise = 0.05, seed = 0 } = options;
  checkWhole('shapeScenes', 'samples', samples, 1);
  checkWhole('shapeScenes', 'size', size, 16);
  checkWhole('shapeScenes', 'seed', seed, -Infinity);
  checkNumber('shapeScenes', 'noise', noise);
  if (!(noise >= 0)) throw new ArgumentError(`shapeScenes: noise is ${noise}. Use a number of at least 0.`);
  checkPair('objects', objects);
  const [fewest, most] = objects;
  if (![fewest, most].every(Number.isInteger) || fewest < 1 || most < fewest)
    throw new ArgumentError(
      `shapeScenes: objects are [${fewest}, ${most}]. Use whole numbers from 1, the smaller first.`,
    );
  checkPair('radius', radius);
  const [smallest, largest] = radius;
  if (!(smallest > 0 && smallest <= largest && largest <= 0.5))
    throw new ArgumentError(
      `shapeScenes: radius is [${smallest}, ${largest}]. Use shares above 0 and up to 0.5, the smaller first.`,
    );
  const area = size * size;
  const [x, mask] = [new Float32Array(3 * area * samples), new Int32Array(area * samples)];
  const boxes = new Float32Array(4 * most * samples);
  const [labels, colours] = [new Int32Array(most * samples).fill(-1), new Int32Array(most * samples).fill(-1)];
  for (let i = 0; i < samples; i++) {
    const random = new HostRandom(seed, 0x5ce7e, i);
    const count = fewest + random.below(most - fewest + 1);
    const placed = place(count, size, radius, random);
    const hues = placed.map(() => random.below(SCENE_COLOURS.length));
    placed.forEach((object, k) => {
      boxes.set(boxAround(object), 4 * (i * most + k));
      labels[i * most + k] = object.shape;
      colours[i * most + k] = hues[k];
    });
    const image = x.subarray(3 * area * i, 3 * area * (i + 1));
    paint(image, mask.subarray(area * i, area * (i + 1)), size, placed, hues, random);
    for (let p = 0; p < image.length; p++) image[p] = Math.min(1, Math.max(0, image[p] + noise * random.normal()));
  }
  return new ArrayDataset({
    x: { data: x, shape: [3, size, size] },
    mask: { data: mask, shape: [size, size] },
    boxes: { data: boxes, shape: [most, 4] },
    labels: { data: labels, shape: [most] },
    colours: { data: colours, shape: [most] },
  });
}

const ATTEMPTS = 50;

/** Up to `count` shapes whose circles do not overlap, the first of them always. */
function place(
  count: number,
  size: number,
  [smallest, largest]: readonly [number, number],
  random: HostRandom,
): PlacedShape[] {
  const placed: PlacedShape[] = [];
  for (let attempt = 0; placed.length < count && attempt < ATTEMPTS; attempt++) {
    const radius = random.between(smallest, largest) * size;
    const [x, y] = [random.between(radius, size - radius), random.between(radius, size - radius)];
    if (placed.some((other) => Math.hypot(other.x - x, other.y - y) < other.radius + radius)) continue;
    placed.push({ shape: random.below(SHAPES.length), x, y, radius, angle: random.between(0, 2 * Math.PI) });
  }
  return placed;
}

/** Draws the ground, which changes slowly from one corner to the opposite one, and the shapes on it. */
function paint(
  image: Float32Array,
  mask: Int32Array,
  size: number,
  placed: readonly PlacedShape[],
  hues: readonly number[],
  random: HostRandom,
): void {
  const area = size * size;
  const [from, to] = [0, 1].map(() => [0, 1, 2].map(() => random.between(0, 0.35)));
  for (let p = 0; p < area; p++) {
    const share = ((p % size) + Math.floor(p / size)) / (2 * size);
    for (let c = 0; c < 3; c++) image[c * area + p] = from[c] + share * (to[c] - from[c]);
  }
  placed.forEach((object, k) => {
    const colour = COLOURS[SCENE_COLOURS[hues[k]]].map((part) => part * random.between(0.85, 1));
    paintShape(size, object, (p, share) => {
      if (share >= 0.5) mask[p] = object.shape + 1;
      for (let c = 0; c < 3; c++) image[c * area + p] += share * (colour[c] - image[c * area + p]);
    });
  });
}
