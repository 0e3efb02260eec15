// Boxes as the distances of their sides from points of a grid: what FCOS and the later YOLOs say, and their outputs as boxes and scores.

import { fromHost } from '../tensor/from-host.js';
import { stack } from '../tensor/functions.js';
import { getDefaultDevice } from '../tensor/inspect.js';
import {
  ArgumentError,
  type OptionNames,
  ShapeError,
  checkChoice,
  checkList,
  checkNumber,
  checkNumbers,
  checkOptions,
  checkWhole,
  formatShape,
} from '../tensor/library.js';
import { type AnyTensor, type Tensor, checkTensor } from '../tensor/tensor.js';
import { checkedSize, realOf } from './check.js';

/** The points of grids, and the pixels that lie between two of them. */
export interface GridPoints {
  /** [A, 2], x and y in pixels: map by map, row by row. */
  readonly points: Tensor<[number, number]>;
  /** [A, 1] */
  readonly strides: Tensor<[number, number]>;
}

/**
 * The points that the elements of maps stand for: (column + offset) · stride, (row + offset) · stride. `mapSizes` are [height, width] of the
 * maps, `strides` the pixels of an element of each.
 *
 *     gridPoints([[80, 80], [40, 40], [20, 20]], [8, 16, 32])   // 8400 points, of YOLOv8 at 640×640
 */
export function gridPoints(
  mapSizes: readonly (readonly [number, number])[],
  strides: readonly number[],
  options: { readonly offset?: number } = {},
): GridPoints {
  const op = 'gridPoints';
  checkList(op, 'mapSizes', mapSizes, 'sizes of maps: [[80, 80], [40, 40]]');
  checkNumbers(op, 'strides', strides);
  checkOptions(op, options, { offset: true });
  const { offset = 0.5 } = options;
  checkNumber(op, 'offset', offset);
  if (strides.length !== mapSizes.length || !Array.from(strides).every((stride) => stride > 0))
    throw new ArgumentError(
      `${op}: strides are [${Array.from(strides).join(', ')}] for ${mapSizes.length} maps. Give a number above 0 for each.`,
    );
  const sizes = mapSizes.map((size) => checkedSize(op, size, 'the size of a map'));
  const count = sizes.reduce((sum, [rows, columns]) => sum + rows * columns, 0);
  const [points, each] = [new Float32Array(2 * count), new Float32Array(count)];
  let at = 0;
  for (const [level, [rows, columns]] of sizes.entries()) {
    for (let i = 0; i < rows * columns; i++, at++) {
      points[2 * at] = ((i % columns) + offset) * strides[level];
      points[2 * at + 1] = (Math.floor(i / columns) + offset) * strides[level];
      each[at] = strides[level];
    }
  }
  const device = getDefaultDevice();
  return {
    points: fromHost(op, points, [count, 2], 'float32', device),
    strides: fromHost(op, each, [count, 1], 'float32', device),
  };
}

/**
 * Boxes [..., A, 4] as x1, y1, x2, y2 of distances [..., A, 4] to the left, top, right and bottom side from points [A, 2] (Tian et al. 2019).
 * Distances are in what the points are in: multiply them by the strides first where a network counts elements.
 */
export function distancesToBoxes(points: AnyTensor, distances: AnyTensor): Tensor<number[]> {
  const op = 'distancesToBoxes';
  checkTensor(points, op, 'the points');
  checkTensor(distances, op, 'the distances');
  const { shape, rank } = distances;
  if (
    points.rank !== 2 ||
    points.shape[1] !== 2 ||
    rank < 2 ||
    shape[rank - 1] !== 4 ||
    shape[rank - 2] !== points.shape[0]
  )
    throw new ShapeError(
      `${op}: points ${formatShape(points.shape)} and distances ${formatShape(shape)}: need [A, 2] and [..., A, 4]`,
      [points.shape, shape],
    );
  const [at, by]: Tensor[] = [realOf(op, points, 'the points'), realOf(op, distances, 'the distances')];
  const [x, y]: Tensor[] = [at.select(1, 0), at.select(1, 1)];
  const [left, top, right, bottom]: Tensor[] = [0, 1, 2, 3].map((i): Tensor => by.select(-1, i));
  return stack([x.sub(left), y.sub(top), x.add(right), y.add(bottom)], -1);
}

/**
 * Distances [..., 4] as the means of their distributions: logits [..., 4 · bins] of whole numbers from 0 to bins − 1 for each side (Li et al.
 * 2020: distribution focal loss).
 */
export function expectedDistances(logits: AnyTensor, bins = 16): Tensor<number[]> {
  const op = 'expectedDistances';
  checkTensor(logits, op, 'the logits');
  checkWhole(op, 'bins', bins, 1);
  const { shape, rank } = logits;
  if (rank === 0 || shape[rank - 1] !== 4 * bins)
    throw new ShapeError(`${op}: logits ${formatShape(shape)}: need [..., ${4 * bins}], ${bins} for each side`, [
      shape,
    ]);
  const given: Tensor = realOf(op, logits, 'the logits').reshape([...shape.slice(0, -1), 4, bins]);
  const numbers: Tensor = fromHost(
    op,
    Float32Array.from({ length: bins }, (_, i) => i),
    [bins],
    'float32',
    logits.device,
  );
  return given.softmax(-1).mul(numbers).sum(-1);
}

export interface YoloOptions {
  /**
   * How the network puts its output together: 'v8' [N, 4 + C, A], centres and sizes with the scores of C classes below them (YOLOv8 to 11);
   * 'v5' [N, A, 5 + C], with the probability that there is anything in front of the classes' (YOLOv5, v7). Default 'v8'.
   */
  readonly layout?: 'v8' | 'v5';
}

const YOLO_NAMES: OptionNames<YoloOptions> = { layout: true };

/**
 * Boxes [N, A, 4] as x1, y1, x2, y2 and scores [N, A, C] of what an exported YOLO gives, for `selectDetections` of each image.
 *
 *     const { boxes, scores } = decodeYolo(output); // [1, 84, 8400] → [1, 8400, 4], [1, 8400, 80]
 */
export function decodeYolo(
  output: AnyTensor,
  options: YoloOptions = {},
): { readonly boxes: Tensor<number[]>; readonly scores: Tensor<number[]> } {
  const op = 'decodeYolo';
  checkTensor(output, op, 'the output');
  checkOptions(op, options, YOLO_NAMES);
  const { layout = 'v8' } = options;
  checkChoice(op, 'layout', layout, ['v8', 'v5']);
  const first = layout === 'v8' ? 4 : 5;
  const { shape } = output;
  const numbers = shape[layout === 'v8' ? 1 : 2];
  if (output.rank !== 3 || numbers <= first)
    throw new ShapeError(
      `${op}: output ${formatShape(shape)}: needs ${layout === 'v8' ? '[N, 4 + C, A]' : '[N, A, 5 + C]'} in the layout '${layout}'`,
      [shape],
    );
  const given: Tensor = realOf(op, output, 'the output');
  const rows: Tensor = layout === 'v8' ? given.transpose(1, 2) : given;
  const [x, y, w, h]: Tensor[] = [0, 1, 2, 3].map((i): Tensor => rows.select(2, i));
  const [halfW, halfH]: Tensor[] = [w.mul(0.5), h.mul(0.5)];
  const boxes = stack([x.sub(halfW), y.sub(halfH), x.add(halfW), y.add(halfH)], 2);
  const classes: Tensor = rows.slice(2, first, numbers);
  return { boxes, scores: layout === 'v8' ? classes : classes.mul(rows.slice(2, 4, 5)) };
}
