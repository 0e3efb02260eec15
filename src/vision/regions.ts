// Maps of a network inside boxes, in a fixed size: RoIAlign (He et al. 2017) and RoIPool (Girshick 2015), as torchvision.ops has them.
//   What an output row takes from the rows of the map does not depend on the columns, and the other way round: RoIAlign is two matrix
//   products a box, and RoIPool two maxima. Gradients flow to the maps; the boxes are taken as they are.

import { arange } from '../tensor/creation.js';
import { cat, where } from '../tensor/functions.js';
import {
  ShapeError,
  ArgumentError,
  type OptionNames,
  checkOptions,
  formatShape,
  shown,
  checkGiven,
  checkNumber,
  checkWhole,
} from '../tensor/library.js';
import type { PerAxis } from '../tensor/shape-types/window.js';
import { type AnyTensor, type Tensor, checkTensor } from '../tensor/tensor.js';
import { checkedBoxes, checkedSize, realOf } from './check.js';

export interface RoiPoolOptions {
  /** What coordinates of boxes are multiplied by: the size of the map over that of the image. Default 1. */
  readonly spatialScale?: number;
}

export interface RoiAlignOptions extends RoiPoolOptions {
  /** Samples in each direction of an output element; 0 for as many as there are elements of the map. Default 0. */
  readonly samplingRatio?: number;
  /** Elements of the map are squares around their coordinates, and not right of and below them. Default false. */
  readonly aligned?: boolean;
}

const ROI_POOL_OPTIONS: OptionNames<RoiPoolOptions> = { spatialScale: true };
const ROI_ALIGN_OPTIONS: OptionNames<RoiAlignOptions> = { ...ROI_POOL_OPTIONS, samplingRatio: true, aligned: true };

/** For each image a tensor [L, 4], or all together [K, 5] with the number of the image in front. */
export type Regions = AnyTensor | readonly AnyTensor[];

/** At most so many boxes in one product: what is between the two products takes memory for all of them. */
const AT_ONCE = 128;

/** The boxes of each image, or one list of boxes with the image of each. */
interface Given {
  readonly x: Tensor;
  readonly lists: readonly { readonly boxes: Tensor; readonly image: number; readonly isIts: Tensor | undefined }[];
}

function isList(regions: Regions): regions is readonly AnyTensor[] {
  return Array.isArray(regions);
}

function checkRegions(op: string, x: AnyTensor, regions: Regions): Given {
  checkTensor(x, op, 'the input');
  if (x.rank !== 4) throw new ShapeError(`${op}: input ${formatShape(x.shape)}: needs [N, C, H, W]`, [x.shape]);
  const images = x.shape[0];
  const map = realOf(op, x, 'the input');
  if (isList(regions)) {
    if (regions.length !== images)
      throw new ArgumentError(`${op}: ${regions.length} lists of boxes for ${images} images. Give one for each image.`);
    return {
      x: map,
      lists: regions.map((boxes, image) => ({ boxes: checkedBoxes(op, boxes).detach(), image, isIts: undefined })),
    };
  }
  checkTensor(regions, op, 'the boxes');
  if (regions.rank !== 2 || regions.shape[1] !== 5) {
    throw new ShapeError(
      `${op}: the boxes ${formatShape(regions.shape)}: need [K, 5], the number of the image in front, or a list with [L, 4] for each image`,
      [regions.shape],
    );
  }
  const numbers: Tensor = realOf(op, regions, 'the boxes').detach();
  const boxes: Tensor = numbers.slice(1, 1, 5);
  const lists = Array.from({ length: images }, (_, image) => ({
    boxes,
    image,
    isIts: images === 1 ? undefined : numbers.select(1, 0).eq(image).to('float32'),
  }));
  return { x: map, lists };
}

/** `pool` of each image's boxes, in the order of the boxes: [K, C, height, width]. */
function overImages({ x, lists }: Given, pool: (map: Tensor, boxes: Tensor) => Tensor): Tensor {
  const parts = lists.map(({ boxes, image, isIts }) => {
    const map: Tensor = x.slice(0, image, image + 1);
    const pooled = boxes.split(AT_ONCE, 0).map((some): Tensor => pool(map, some));
    const all: Tensor = pooled.length === 1 ? pooled[0] : cat(pooled, 0);
    return isIts === undefined ? all : all.mul(isIts.reshape([-1, 1, 1, 1]));
  });
  if (lists.some(({ isIts }) => isIts !== undefined)) return parts.reduce((a, b) => a.add(b));
  return parts.length === 1 ? parts[0] : cat(parts, 0);
}

/** How much each of `size` output elements takes from each of `length` elements of the map along one axis: [K, size, length]. */
function shares(start: Tensor, extent: Tensor, size: number, length: number, ratio: number): Tensor {
  const bin: Tensor = extent.div(size).reshape([-1, 1, 1, 1]);
  // a box in the image has at most so many samples
  const most = ratio > 0 ? ratio : Math.ceil((length + 1) / size);
  const samples: Tensor = ratio > 0 ? bin.mul(0).add(ratio) : bin.ceil().clamp(1, most);
  const axis = (n: number, dim: number): Tensor =>
    arange(n)
      .to('float32')
      .reshape([0, 1, 2, 3].map((d) => (d === dim ? n : 1)));
  const at: Tensor = start.reshape([-1, 1, 1, 1]).add(axis(size, 1).mul(bin));
  const sample = axis(most, 2);
  const position: Tensor = at.add(sample.add(0.5).mul(bin).div(samples)); // [K, size, samples, 1]
  const inside = position.ge(-1).logicalAnd(position.le(length)).logicalAnd(sample.lt(samples));
  const distance: Tensor = position
    .clamp(0, length - 1)
    .sub(axis(length, 3))
    .abs();
  const near: Tensor = distance.neg().add(1).relu(); // 1 at the element itself, 0 at its neighbours
  return near.mul(inside.to('float32')).div(samples).sum(2);
}

/**
 * The map inside each box as `outputSize` elements, each the mean of samples between the elements of the map: x [N, C, H, W] → [K, C,
 * height, width]. Boxes are x1, y1, x2, y2: for each image a tensor [L, 4], or all together [K, 5] with the number of the image in
 * front. With a samplingRatio of 0, boxes have to lie in the image (`clipBoxes`). torchvision: roi_align.
 *
 *     roiAlign(maps, [boxes], 7, { spatialScale: 1 / 16, samplingRatio: 2 })
 */
export function roiAlign(
  x: AnyTensor,
  boxes: Regions,
  outputSize: PerAxis,
  options: RoiAlignOptions = {},
): Tensor<[number, number, number, number]> {
  const given = checkRegions('roiAlign', x, boxes);
  const [height, width] = checkedSize('roiAlign', outputSize, 'outputSize');
  checkOptions('roiAlign', options, ROI_ALIGN_OPTIONS);
  const { spatialScale = 1, samplingRatio = 0, aligned = false } = options;
  checkNumber('roiAlign', 'spatialScale', spatialScale);
  checkWhole('roiAlign', 'samplingRatio', samplingRatio);
  const [, , rows, columns] = given.x.shape;
  return overImages(given, (map, some) => {
    const [x1, y1, x2, y2]: Tensor[] = [0, 1, 2, 3].map((i) =>
      some
        .select(1, i)
        .mul(spatialScale)
        .sub(aligned ? 0.5 : 0),
    );
    const extent = (from: Tensor, to: Tensor): Tensor => (aligned ? to.sub(from) : to.sub(from).clamp(1, Infinity));
    const down: Tensor = shares(y1, extent(y1, y2), height, rows, samplingRatio).unsqueeze(1);
    const across: Tensor = shares(x1, extent(x1, x2), width, columns, samplingRatio).unsqueeze(1);
    const half: Tensor = down.matmul(map); // [K, C, height, W]
    return half.matmul(across.transpose(2, 3));
  });
}

/** Halves away from 0, as in C. */
function roundedAway(x: Tensor): Tensor {
  return x.abs().add(0.5).floor().mul(x.sign());
}

/** Which elements of the map each output element looks at along one axis: bool [K, size, length]. */
function looks(from: Tensor, to: Tensor, size: number, length: number) {
  const start: Tensor = roundedAway(from).reshape([-1, 1, 1]);
  const bin: Tensor = roundedAway(to).reshape([-1, 1, 1]).sub(start).add(1).clamp(1, Infinity).div(size);
  const i: Tensor = arange(size).to('float32').reshape([1, size, 1]);
  const first: Tensor = i.mul(bin).floor().add(start).clamp(0, length);
  const end: Tensor = i.add(1).mul(bin).ceil().add(start).clamp(0, length);
  const at: Tensor = arange(length).to('float32').reshape([1, 1, length]);
  return at.ge(first).logicalAnd(at.lt(end));
}

/**
 * The map inside each box as `outputSize` elements, each the maximum of the elements that it covers, 0 where it covers none: x [N, C, H, W]
 * → [K, C, height, width]. Boxes as for `roiAlign`. torchvision: roi_pool.
 */
export function roiPool(
  x: AnyTensor,
  boxes: Regions,
  outputSize: PerAxis,
  options: RoiPoolOptions = {},
): Tensor<[number, number, number, number]> {
  const given = checkRegions('roiPool', x, boxes);
  const [height, width] = checkedSize('roiPool', outputSize, 'outputSize');
  checkOptions('roiPool', options, ROI_POOL_OPTIONS);
  const { spatialScale = 1 } = options;
  checkNumber('roiPool', 'spatialScale', spatialScale);
  const [, , rows, columns] = given.x.shape;
  return overImages(given, (map, some) => {
    const [x1, y1, x2, y2]: Tensor[] = [0, 1, 2, 3].map((i) => some.select(1, i).mul(spatialScale));
    const down = looks(y1, y2, height, rows).unsqueeze(1).unsqueeze(4); //    [K, 1, height, H, 1]
    const across = looks(x1, x2, width, columns).unsqueeze(1).unsqueeze(2); // [K, 1, 1, width, W]
    const tall: Tensor = where(down, map.unsqueeze(2), -Infinity).amax(3); //  [K, C, height, W]
    const wide: Tensor = where(across, tall.unsqueeze(3), -Infinity).amax(4);
    return where(wide.eq(-Infinity), 0, wide);
  });
}

export interface MultiScaleOptions {
  /** Samples in each direction of an output element. Default 2. */
  readonly samplingRatio?: number;
  /** A box as large as this, in pixels, is looked at in map `canonicalLevel`, counted by halvings of the image. Default 224 and 4. */
  readonly canonicalScale?: number;
  readonly canonicalLevel?: number;
}

const MULTI_SCALE_OPTIONS: OptionNames<MultiScaleOptions> = {
  samplingRatio: true,
  canonicalScale: true,
  canonicalLevel: true,
};

/**
 * `roiAlign` on the map of a pyramid that goes with the size of the box: large boxes are looked at in small maps (Lin et al. 2017). `maps`
 * from large to small, each [N, C, H, W], of images of `imageSize` [height, width]; a tensor [L, 4] for each image → [K, C, height, width].
 * torchvision: MultiScaleRoIAlign.
 */
export function multiScaleRoiAlign(
  maps: readonly AnyTensor[],
  boxes: readonly AnyTensor[],
  imageSize: readonly [number, number],
  outputSize: PerAxis,
  options: MultiScaleOptions = {},
): Tensor<[number, number, number, number]> {
  if (!Array.isArray(maps) || maps.length === 0)
    throw new ArgumentError(`multiScaleRoiAlign: the maps are ${shown(maps)}. Give a list of tensors [N, C, H, W].`);
  if (!Array.isArray(boxes) || boxes.length === 0)
    throw new ArgumentError(
      `multiScaleRoiAlign: the boxes are ${shown(boxes)}. Give a list with [L, 4] for each image.`,
    );
  const [height] = checkedSize('multiScaleRoiAlign', imageSize, 'imageSize');
  checkOptions('multiScaleRoiAlign', options, MULTI_SCALE_OPTIONS);
  const { samplingRatio = 2, canonicalScale = 224, canonicalLevel = 4 } = options;
  checkedSize('multiScaleRoiAlign', outputSize, 'outputSize');
  checkWhole('multiScaleRoiAlign', 'samplingRatio', samplingRatio);
  checkGiven(checkNumber, 'multiScaleRoiAlign', { canonicalScale, canonicalLevel });
  for (const map of maps) {
    checkTensor(map, 'multiScaleRoiAlign', 'a map');
    if (map.rank !== 4)
      throw new ShapeError(`multiScaleRoiAlign: map ${formatShape(map.shape)}: needs [N, C, H, W]`, [map.shape]);
  }
  const levels = maps.map((map) => Math.round(Math.log2(height / map.shape[2])));
  const [least, most] = [levels[0], levels[levels.length - 1]];
  const all: Tensor = cat(
    boxes.map((some) => checkedBoxes('multiScaleRoiAlign', some).detach()),
    0,
  );
  const [x1, y1, x2, y2]: Tensor[] = [0, 1, 2, 3].map((i) => all.select(1, i));
  const side: Tensor = x2.sub(x1).mul(y2.sub(y1)).sqrt();
  const level: Tensor = side
    .div(canonicalScale)
    .log2()
    .add(canonicalLevel + 1e-6)
    .floor()
    .clamp(least, most);
  return maps
    .map((map, i): Tensor => {
      const pooled = roiAlign(map, boxes, outputSize, { spatialScale: 2 ** -levels[i], samplingRatio });
      return pooled.mul(level.eq(levels[i]).to('float32').reshape([-1, 1, 1, 1]));
    })
    .reduce((a, b) => a.add(b));
}
