// Boxes as [N, 4] tensors of x1, y1, x2, y2: areas, overlaps, conversion, clipping, and suppression of those that overlap.
// Names and meaning are those of torchvision.ops. How many boxes are kept depends on the numbers: what keeps some is awaited.

import { stack } from '../tensor/functions.js';
import { fromHost } from '../tensor/from-host.js';
import { ArgumentError, checkChoice, checkNumber } from '../tensor/library.js';
import type { AnyTensor, Tensor } from '../tensor/tensor.js';
import { checkVector, checkedBoxes, checkedSize } from './check.js';

/** x1, y1, x2, y2 of boxes [N, 4], each [N]. */
export function sides(boxes: Tensor): Tensor[] {
  return [0, 1, 2, 3].map((i) => boxes.select(1, i));
}

function areaOf(boxes: Tensor): Tensor {
  const [x1, y1, x2, y2] = sides(boxes);
  return x2.sub(x1).mul(y2.sub(y1));
}

/** Widths times heights, [N]. torchvision: box_area. */
export function boxArea(boxes: AnyTensor): Tensor<[number]> {
  return areaOf(checkedBoxes('boxArea', boxes));
}

/** Intersections and unions of all pairs, [N, M], and both as columns and rows. */
function pairs(op: string, a: AnyTensor, b: AnyTensor) {
  const [first, second] = [checkedBoxes(op, a, 'the first boxes'), checkedBoxes(op, b, 'the second boxes')];
  const columns = sides(first).map((t): Tensor => t.unsqueeze(1));
  const rows = sides(second).map((t): Tensor => t.unsqueeze(0));
  const width: Tensor = columns[2].minimum(rows[2]).sub(columns[0].maximum(rows[0])).relu();
  const height: Tensor = columns[3].minimum(rows[3]).sub(columns[1].maximum(rows[1])).relu();
  const inter: Tensor = width.mul(height);
  const union: Tensor = areaOf(first).unsqueeze(1).add(areaOf(second).unsqueeze(0)).sub(inter);
  return { columns, rows, inter, union };
}

/**
 * Intersection over union of each of N boxes with each of M, [N, M]. torchvision: box_iou.
 *
 *     boxIou(tensor([[0, 0, 2, 2]]), tensor([[1, 1, 3, 3]]))   // 1/7
 */
export function boxIou(a: AnyTensor, b: AnyTensor): Tensor<[number, number]> {
  const { inter, union } = pairs('boxIou', a, b);
  return inter.div(union);
}

/** Intersection over union less the share of the smallest box around both that neither fills (Rezatofighi et al. 2019), [N, M]. */
export function generalizedBoxIou(a: AnyTensor, b: AnyTensor): Tensor<[number, number]> {
  const { columns, rows, inter, union } = pairs('generalizedBoxIou', a, b);
  const width: Tensor = columns[2].maximum(rows[2]).sub(columns[0].minimum(rows[0])).relu();
  const height: Tensor = columns[3].maximum(rows[3]).sub(columns[1].minimum(rows[1])).relu();
  const around: Tensor = width.mul(height);
  return inter.div(union).sub(around.sub(union).div(around));
}

const FORMATS = ['xyxy', 'xywh', 'cxcywh'] as const;
/** Corners; first corner, width and height; centre, width and height. */
export type BoxFormat = (typeof FORMATS)[number];

/** Boxes [N, 4] in another format. torchvision: box_convert. */
export function boxConvert(boxes: AnyTensor, from: BoxFormat, to: BoxFormat): Tensor<[number, number]> {
  const given = checkedBoxes('boxConvert', boxes);
  checkChoice('boxConvert', 'the format of the boxes', from, FORMATS);
  checkChoice('boxConvert', 'the wanted format', to, FORMATS);
  if (from === to) return given.clone();
  let [x, y, z, w] = sides(given);
  if (from === 'xywh') [z, w] = [x.add(z), y.add(w)];
  if (from === 'cxcywh') [x, y, z, w] = [x.sub(z.mul(0.5)), y.sub(w.mul(0.5)), x.add(z.mul(0.5)), y.add(w.mul(0.5))];
  const size = [z.sub(x), w.sub(y)];
  if (to === 'xywh') [z, w] = size;
  if (to === 'cxcywh') [x, y, z, w] = [x.add(z).mul(0.5), y.add(w).mul(0.5), ...size];
  return stack([x, y, z, w], 1);
}

/** Boxes cut off at the borders of an image of [height, width]. torchvision: clip_boxes_to_image. */
export function clipBoxes(boxes: AnyTensor, imageSize: readonly [number, number]): Tensor<[number, number]> {
  const given = checkedBoxes('clipBoxes', boxes);
  const [height, width] = checkedSize('clipBoxes', imageSize, 'imageSize');
  const [x1, y1, x2, y2] = sides(given);
  return stack([x1.clamp(0, width), y1.clamp(0, height), x2.clamp(0, width), y2.clamp(0, height)], 1);
}

// ---------------------------------------------------------------- suppression

/** The positions that are kept, best first: of boxes of one group, those that overlap a better one by more are dropped. */
export function kept(
  boxes: ArrayLike<number>,
  scores: ArrayLike<number>,
  groups: ArrayLike<number> | undefined,
  most: number,
): Int32Array {
  const { fround } = Math; // as PyTorch, which decides in float32
  const count = scores.length;
  const side = (box: number, i: number): number => fround(boxes[4 * box + i]);
  const areas = Float32Array.from({ length: count }, (_, i) => {
    return fround(side(i, 2) - side(i, 0)) * fround(side(i, 3) - side(i, 1));
  });
  const order = Array.from({ length: count }, (_, i) => i).sort((i, j) => scores[j] - scores[i] || i - j);
  const dropped = new Uint8Array(count);
  const found: number[] = [];
  for (const [at, i] of order.entries()) {
    if (dropped[i]) continue;
    found.push(i);
    for (let next = at + 1; next < count; next++) {
      const j = order[next];
      if (dropped[j] || (groups !== undefined && groups[i] !== groups[j])) continue;
      const width = Math.max(0, fround(Math.min(side(i, 2), side(j, 2)) - Math.max(side(i, 0), side(j, 0))));
      const height = Math.max(0, fround(Math.min(side(i, 3), side(j, 3)) - Math.max(side(i, 1), side(j, 1))));
      const inter = fround(width * height);
      if (fround(inter / fround(fround(areas[i] + areas[j]) - inter)) > most) dropped[j] = 1;
    }
  }
  return Int32Array.from(found);
}

function checkThreshold(op: string, threshold: number): void {
  checkNumber(op, 'iouThreshold', threshold);
  if (!(threshold >= 0 && threshold <= 1))
    throw new ArgumentError(`${op}: iouThreshold is ${threshold}. Use a number from 0 to 1.`);
}

/**
 * Non-maximum suppression: the positions of the boxes that overlap no better one by an intersection over union of more than
 * `iouThreshold`, in the order of their scores. boxes [N, 4], scores [N] → int32 [kept]. Reads the boxes. torchvision: nms.
 */
export async function nms(
  boxes: AnyTensor,
  scores: AnyTensor,
  iouThreshold: number,
): Promise<Tensor<[number], 'int32'>> {
  const given = checkedBoxes('nms', boxes);
  checkVector('nms', scores, given.shape[0], 'the scores');
  checkThreshold('nms', iouThreshold);
  const [corners, values] = await Promise.all([given.data(), scores.data()]);
  return wrapKept('nms', kept(corners, values, undefined, iouThreshold), given);
}

/** `nms` within each class: boxes of different classes do not suppress each other. classes int32 [N]. torchvision: batched_nms. */
export async function batchedNms(
  boxes: AnyTensor,
  scores: AnyTensor,
  classes: AnyTensor,
  iouThreshold: number,
): Promise<Tensor<[number], 'int32'>> {
  const given = checkedBoxes('batchedNms', boxes);
  checkVector('batchedNms', scores, given.shape[0], 'the scores');
  checkVector('batchedNms', classes, given.shape[0], 'the classes');
  checkThreshold('batchedNms', iouThreshold);
  const [corners, values, groups] = await Promise.all([given.data(), scores.data(), classes.data()]);
  return wrapKept('batchedNms', kept(corners, values, groups, iouThreshold), given);
}

function wrapKept(op: string, positions: Int32Array, { device }: Tensor): Tensor<[number], 'int32'> {
  return fromHost(op, positions, [positions.length], 'int32', device);
}

/** The positions of boxes that are at least `minSize` wide and high, int32. Reads the boxes. torchvision: remove_small_boxes. */
export async function largeBoxes(boxes: AnyTensor, minSize: number): Promise<Tensor<[number], 'int32'>> {
  const given = checkedBoxes('largeBoxes', boxes);
  checkNumber('largeBoxes', 'minSize', minSize);
  const data = await given.data();
  const isLarge = (i: number): boolean =>
    data[4 * i + 2] - data[4 * i] >= minSize && data[4 * i + 3] - data[4 * i + 1] >= minSize;
  const positions = Array.from({ length: given.shape[0] }, (_, i) => i).filter(isLarge);
  return wrapKept('largeBoxes', Int32Array.from(positions), given);
}
