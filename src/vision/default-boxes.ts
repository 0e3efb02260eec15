// Boxes that single-shot detectors start from (SSD, Liu et al. 2016), in the middles of the elements of maps. torchvision: DefaultBoxGenerator.

import { fromHost } from '../tensor/from-host.js';
import { getDefaultDevice } from '../tensor/inspect.js';
import {
  ArgumentError,
  type OptionNames,
  checkList,
  checkNeededOptions,
  checkNumber,
  checkNumbers,
} from '../tensor/library.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkedSize } from './check.js';

export interface DefaultBoxOptions {
  /** For each map, widths over heights; each gives a box and its turned one, beside two squares. Without `sizes`. */
  readonly aspectRatios?: readonly (readonly number[])[];
  /** The side of a map's squares as a share of the image's, one more than there are maps. Default: evenly from minRatio to maxRatio, and 1. */
  readonly scales?: readonly number[];
  /** Default 0.15. */
  readonly minRatio?: number;
  /** Default 0.9. */
  readonly maxRatio?: number;
  /** For each map, the sides of its squares in pixels: there are no other boxes then. */
  readonly sizes?: readonly (readonly number[])[];
  /** Pixels of the image for each element of a map. Default: its share of the image. */
  readonly steps?: readonly number[];
  /** Whether no box is larger than the image. Default true. */
  readonly clip?: boolean;
}

const OPTIONS: OptionNames<DefaultBoxOptions> = {
  aspectRatios: true,
  scales: true,
  minRatio: true,
  maxRatio: true,
  sizes: true,
  steps: true,
  clip: true,
};

const OP = 'defaultBoxes';

/**
 * Boxes around the middles of the elements of maps of an image [height, width], [A, 4] as x1, y1, x2, y2 in pixels: map by map, row by row,
 * element by element. `mapSizes` are [height, width] of the maps. What a network says about them is decoded by `decodeBoxes`, with weights
 * [10, 10, 5, 5] for the usual variances 0.1 and 0.2. torchvision: DefaultBoxGenerator.
 *
 *     defaultBoxes([300, 300], [[38, 38], [19, 19]], { aspectRatios: [[2], [2, 3]] })
 */
export function defaultBoxes(
  imageSize: readonly [number, number],
  mapSizes: readonly (readonly [number, number])[],
  options: DefaultBoxOptions,
): Tensor<[number, number]> {
  const [height, width] = checkedSize(OP, imageSize, 'imageSize');
  checkList(OP, 'mapSizes', mapSizes, 'sizes of maps: [[32, 40], [16, 20]]');
  checkNeededOptions(OP, options, OPTIONS, '{ aspectRatios: [[2], [2, 3]] }');
  const { steps, clip = true } = options;
  const shapes = shapesOf(mapSizes.length, [height, width], options);
  if (steps !== undefined) {
    checkNumbers(OP, 'steps', steps);
    if (steps.length !== mapSizes.length || !steps.every((step) => step > 0))
      throw new ArgumentError(
        `${OP}: steps are [${steps.join(', ')}] for ${mapSizes.length} maps. Give a number above 0 for each.`,
      );
  }
  const all = mapSizes.flatMap((size, level) => {
    const [rows, columns] = checkedSize(OP, size, 'the size of a map');
    const [down, across] = steps === undefined ? [rows, columns] : [height / steps[level], width / steps[level]];
    return Array.from({ length: rows * columns }, (_, at) => {
      const [x, y] = [((at % columns) + 0.5) / across, (Math.floor(at / columns) + 0.5) / down];
      return shapes[level].flatMap((shape) => {
        const [w, h] = clip ? shape.map((side) => Math.min(Math.max(side, 0), 1)) : shape;
        return [(x - w / 2) * width, (y - h / 2) * height, (x + w / 2) * width, (y + h / 2) * height];
      });
    }).flat();
  });
  return fromHost(OP, Float32Array.from(all), [all.length / 4, 4], 'float32', getDefaultDevice());
}

type Shape2 = readonly [width: number, height: number];

/** For each map widths and heights of its boxes, as shares of the image's. */
function shapesOf(
  maps: number,
  [height, width]: readonly [number, number],
  options: DefaultBoxOptions,
): readonly (readonly Shape2[])[] {
  const { aspectRatios, sizes, minRatio = 0.15, maxRatio = 0.9 } = options;
  if ((aspectRatios === undefined) === (sizes === undefined))
    throw new ArgumentError(`${OP}: give aspectRatios or sizes, a list for each map.`);
  const lists = sizes ?? aspectRatios ?? [];
  const what = sizes === undefined ? 'aspectRatios' : 'sizes';
  checkList(OP, what, lists, 'lists of numbers, one for each map');
  if (lists.length !== maps)
    throw new ArgumentError(`${OP}: ${lists.length} lists of ${what} for ${maps} maps. Give one for each.`);
  for (const list of lists) {
    checkNumbers(OP, what, list);
    if (!list.every((value) => value > 0))
      throw new ArgumentError(`${OP}: ${what} are [${list.join(', ')}]. Use numbers above 0.`);
  }
  if (sizes !== undefined) return sizes.map((list) => list.map((side): Shape2 => [side / width, side / height]));
  checkNumber(OP, 'minRatio', minRatio);
  checkNumber(OP, 'maxRatio', maxRatio);
  const even = Array.from({ length: maps }, (_, k) => minRatio + ((maxRatio - minRatio) * k) / (maps - 1));
  const { scales = maps > 1 ? [...even, 1] : [minRatio, maxRatio] } = options;
  checkNumbers(OP, 'scales', scales);
  if (scales.length !== maps + 1)
    throw new ArgumentError(`${OP}: ${scales.length} scales for ${maps} maps. Give one more than there are maps.`);
  return lists.map((ratios, k): Shape2[] => {
    const between = Math.sqrt(scales[k] * scales[k + 1]);
    const turned = ratios.flatMap((ratio): Shape2[] => {
      const root = Math.sqrt(ratio);
      return [
        [scales[k] * root, scales[k] / root],
        [scales[k] / root, scales[k] * root],
      ];
    });
    return [[scales[k], scales[k]], [between, between], ...turned];
  });
}
