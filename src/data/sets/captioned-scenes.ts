// Pictures of two coloured shapes with the sentence that says what is where: a set for captions, made on the spot.

import { HostRandom } from '../../tensor/host-random.js';
import { ArgumentError, checkNumber, checkOptions, checkWhole, type OptionNames } from '../../tensor/library.js';
import { ArrayDataset } from '../dataset.js';
import type { Field } from '../fields.js';
import { SHAPES, paintShape } from './shape-drawing.js';

const COLOURS = {
  red: [0.9, 0.2, 0.2],
  green: [0.2, 0.8, 0.3],
  blue: [0.25, 0.4, 1],
  yellow: [0.95, 0.85, 0.2],
} as const;

/** How one shape stands to the other; left and above come first along their axes. */
const RELATIONS = ['left of', 'right of', 'above', 'below'] as const;

export interface CaptionedSceneOptions {
  /** Number of pictures. Default 1000. */
  readonly samples?: number;
  /** Width and height in pixels, at least 16. Default 32. */
  readonly size?: number;
  /** Standard deviation of what is added to each pixel. Default 0.03. */
  readonly noise?: number;
  /** Default 0. */
  readonly seed?: number;
}

const CAPTIONED_SCENE_OPTIONS: OptionNames<CaptionedSceneOptions> = {
  samples: true,
  size: true,
  noise: true,
  seed: true,
};

export interface CaptionedScenes {
  /** Item x: three channels, 0 to 1. */
  readonly pictures: ArrayDataset<{ readonly x: Field<Float32Array, readonly [3, number, number]> }>;
  /** 'a red circle left of a blue square'. */
  readonly captions: readonly string[];
}

/**
 * Pictures of two shapes, each a circle, a square or a triangle in one of four colours, on dark ground, with captions ('a red circle left of a blue
 * square'): 576 different ones. The larger shape is named first, so that a picture has one caption. The same options give the same set.
 */
export function captionedScenes(options: CaptionedSceneOptions = {}): CaptionedScenes {
  checkOptions('captionedScenes', options, CAPTIONED_SCENE_OPTIONS);
  const { samples = 1000, size = 32, noise = 0.03, seed = 0 } = options;
  checkWhole('captionedScenes', 'samples', samples, 1);
  checkWhole('captionedScenes', 'size', size, 16);
  checkNumber('captionedScenes', 'noise', noise);
  if (!(noise >= 0)) throw new ArgumentError(`captionedScenes: noise is ${noise}. Use a number of at least 0.`);
  checkWhole('captionedScenes', 'seed', seed, -Infinity);
  const random = new HostRandom(seed, 0x5ce4e5);
  const area = size * size;
  const data = new Float32Array(samples * 3 * area);
  const colours = Object.entries(COLOURS);
  const captions = Array.from({ length: samples }, (_, i) => {
    const image = data.subarray(i * 3 * area, (i + 1) * 3 * area).fill(0.08);
    const relation = random.below(RELATIONS.length);
    const names = placesOf(relation, size, random).map((place) => {
      const [shape, [name, parts]] = [random.below(SHAPES.length), colours[random.below(colours.length)]];
      paintShape(size, { ...place, shape, angle: 0 }, (pixel, share) => {
        parts.forEach((part, c) => (image[c * area + pixel] += share * (part - image[c * area + pixel])));
      });
      return `a ${name} ${SHAPES[shape]}`;
    });
    for (let k = 0; k < image.length; k++) image[k] = Math.min(1, Math.max(0, image[k] + noise * random.normal()));
    return `${names[0]} ${RELATIONS[relation]} ${names[1]}`;
  });
  return { pictures: new ArrayDataset({ x: { data, shape: [3, size, size] } }), captions };
}

interface ShapePlace {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
}

/** Two places: along the axis of the relation apart, across it nearly level. The first shape is the larger one. */
function placesOf(relation: number, size: number, random: HostRandom): ShapePlace[] {
  const radii = [random.between(0.19, 0.22) * size, random.between(0.11, 0.13) * size];
  const order = relation % 2 === 0 ? [0, 1] : [1, 0];
  const [near, far] = order.map((i) => radii[i]);
  const gap = 0.08 * size;
  const first = random.between(near + 1, size - 1 - 2 * far - gap - near);
  const along = [first, random.between(first + near + gap + far, size - 1 - far)];
  const level = random.between(0.3, 0.7) * size;
  return radii.map((radius, i) => {
    const at = along[order[i]];
    const across = level + random.between(-0.06, 0.06) * size;
    return relation < 2 ? { x: at, y: across, radius } : { x: across, y: at, radius };
  });
}
