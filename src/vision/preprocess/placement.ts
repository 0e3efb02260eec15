// Where a picture lies in the input that is made of it, and boxes of the input as boxes of the picture.

import { middleBegin } from '../../data/transforms/functional/gather.js';
import { outputSize } from '../../data/transforms/functional/resize.js';
import { roundEven } from '../../data/transforms/image.js';
import { tensor } from '../../tensor/creation.js';
import { ShapeError, checkList, formatShape, wrongKind } from '../../tensor/library.js';
import { type AnyTensor, Tensor, checkTensor } from '../../tensor/tensor.js';
import { checkedSize, realOf } from '../check.js';
import type { Detection } from '../detections.js';
import type { Preprocessing } from './options.js';

/** A picture in a frame. */
interface Frame {
  readonly size: readonly [height: number, width: number];
  /** What its sides are multiplied by, before the size is rounded. */
  readonly scale: number;
  readonly top: number;
  readonly left: number;
}

export function frameOf(
  height: number,
  width: number,
  [rows, columns]: readonly [number, number],
  { letterboxPlace }: Preprocessing,
): Frame {
  const scale = Math.min(rows / height, columns / width);
  const side = (length: number, most: number): number => Math.min(most, Math.max(1, roundEven(length * scale)));
  const size = [side(height, rows), side(width, columns)] as const;
  const [top, left] = letterboxPlace === 'corner' ? [0, 0] : [(rows - size[0]) >> 1, (columns - size[1]) >> 1];
  return { size, scale, top, left };
}

/** Height and width of a picture behind `resize` or inside of its frame. */
export function resizedSize(height: number, width: number, settings: Preprocessing): readonly [number, number] {
  const { resize, maxSize, letterbox } = settings;
  if (letterbox !== undefined) return frameOf(height, width, letterbox, settings).size;
  if (resize === undefined) return [height, width];
  if (maxSize !== undefined) return within(height, width, Number(resize), maxSize);
  const [rows, columns] = outputSize(resize, height, width);
  return [rows, columns];
}

/** Height and width with a shorter side of `size`, or of less, where the longer one would be more than `most`. */
function within(height: number, width: number, size: number, most: number): readonly [number, number] {
  const [short, long] = height <= width ? [height, width] : [width, height];
  let [newShort, newLong] = [size, Math.trunc((size * long) / short)];
  if (newLong > most) [newShort, newLong] = [Math.max(1, Math.trunc((most * newShort) / newLong)), most];
  return height <= width ? [newShort, newLong] : [newLong, newShort];
}

/** Where the middle of a side begins: below 0 in a border. */
export function cropBegin(length: number, size: number, { cropRounding }: Preprocessing): number {
  // transformers' border has its odd pixel in front
  return cropRounding === 'even' ? middleBegin(length, size) : Math.floor((length - size) / 2);
}

/** For rows and for columns: a place in the input is one in the picture times `scale`, plus `offset`. */
interface Placement {
  readonly scale: readonly [number, number];
  readonly offset: readonly [number, number];
}

function placementOf(height: number, width: number, settings: Preprocessing): Placement {
  const { letterbox, crop } = settings;
  if (letterbox !== undefined) {
    const { scale, top, left } = frameOf(height, width, letterbox, settings);
    return { scale: [scale, scale], offset: [top, left] };
  }
  const [rows, columns] = resizedSize(height, width, settings);
  const scale = [rows / height, columns / width] as const;
  if (crop === undefined) return { scale, offset: [0, 0] };
  return { scale, offset: [-cropBegin(rows, crop[0], settings), -cropBegin(columns, crop[1], settings)] };
}

/**
 * Boxes in pixels of a network's input as boxes in pixels of the picture that the input was made of, cut off at its borders: tensors
 * [..., 4] of x1, y1, x2, y2, or what `selectDetections` has found. Undoes what the preprocessing did: a letterbox, another size, a crop.
 *
 *     const preprocess = imagePreprocessing('yolo');
 *     const { boxes, scores } = decodeYolo(await detector(await preprocess(photo)));
 *     const [, height, width] = photo.shape;
 *     const found = pictureBoxes(await selectDetections(boxes, scores), preprocess, [height, width]);
 */
export function pictureBoxes(
  found: readonly Detection[],
  preprocess: { readonly settings: Preprocessing },
  pictureSize: readonly [height: number, width: number],
): Detection[];
export function pictureBoxes(
  boxes: AnyTensor,
  preprocess: { readonly settings: Preprocessing },
  pictureSize: readonly [height: number, width: number],
): Tensor<number[]>;
export function pictureBoxes(
  found: AnyTensor | readonly Detection[],
  preprocess: { readonly settings: Preprocessing },
  pictureSize: readonly [height: number, width: number],
): Tensor<number[]> | Detection[] {
  const op = 'pictureBoxes';
  const settings = settingsOf(op, preprocess);
  const [height, width] = checkedSize(op, pictureSize, 'pictureSize');
  const { scale, offset } = placementOf(height, width, settings);
  const sides = (pair: readonly number[]): number[] => [pair[1], pair[0], pair[1], pair[0]];
  const [by, from, most] = [sides(scale), sides(offset), sides([height, width])];
  if (!(found instanceof Tensor)) {
    checkList(op, 'the detections', found, 'detections');
    return found.map((one, i): Detection => {
      if (!isDetection(one)) throw wrongKind(op, `detection ${i}`, one, 'Give what selectDetections has found');
      const [x1, y1, x2, y2] = one.box.map((at, k) => Math.min(most[k], Math.max(0, (at - from[k]) / by[k])));
      return { ...one, box: [x1, y1, x2, y2] };
    });
  }
  checkTensor(found, op, 'the boxes');
  const { shape, rank } = found;
  if (rank === 0 || shape[rank - 1] !== 4)
    throw new ShapeError(`${op}: boxes ${formatShape(shape)}: need [..., 4], each x1, y1, x2, y2`, [shape]);
  const given: Tensor = realOf(op, found, 'the boxes');
  const row = (numbers: readonly number[]): Tensor =>
    tensor(Float64Array.from(numbers), { dtype: given.dtype, device: given.device });
  return given.sub(row(from)).div(row(by)).maximum(0).minimum(row(most));
}

const isDetection = (one: unknown): one is Detection =>
  typeof one === 'object' && one !== null && 'box' in one && Array.isArray(one.box) && one.box.length === 4;

function settingsOf(op: string, preprocess: unknown): Preprocessing {
  const isOne = typeof preprocess === 'function' || (typeof preprocess === 'object' && preprocess !== null);
  if (isOne && 'settings' in preprocess) return preprocess.settings as Preprocessing; // it can be made by imagePreprocessing alone
  throw wrongKind(op, 'the preprocessing', preprocess, 'Give what imagePreprocessing has made');
}
