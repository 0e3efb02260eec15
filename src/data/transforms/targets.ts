// Moves a picture together with what is said about it: the mask of its pixels and the boxes of its objects. Steps move whole pixels (crops, flips,
// quarter turns), so that labels stay what they are.
// Whole samples in and out, for `transformedSamples`. Must not know: what labels mean.

import {
  ArgumentError,
  ShapeError,
  checkFunction,
  checkGiven,
  checkHas,
  checkList,
  checkOptions,
  checkRecord,
  checkText,
  formatShape,
  type OptionNames,
} from '../../tensor/library.js';
import type { HostRandom } from '../../tensor/host-random.js';
import type { Field, Fields } from '../fields.js';
import { allocate } from '../sample-steps.js';
import type { Transform } from '../transform.js';
import { checkProbability } from './compose.js';
import { type Size, sizePair } from './image.js';

type HeightWidth = readonly [height: number, width: number];
type Box = readonly [x1: number, y1: number, x2: number, y2: number];

/** Where the pixels of the result come from, and where boxes go. */
export interface Move {
  readonly size: HeightWidth;
  /** Row and column in the picture as it was. */
  from(row: number, column: number): HeightWidth;
  box(box: Box): Box;
}

/** One step: how a picture of a size is moved. */
export type MoveStep = (size: HeightWidth, random: HostRandom) => Move;

const STAY = (size: HeightWidth): Move => ({ size, from: (row, column) => [row, column], box: (box) => box });

/** A part of the picture at a random place. */
export function cropMove(size: Size): MoveStep {
  const [height, width] = sizePair('cropMove', size);
  return ([rows, columns], random) => {
    if (rows < height || columns < width)
      throw new ShapeError(`cropMove: a picture of ${rows}×${columns} has no part of ${height}×${width}`, [
        [rows, columns],
      ]);
    const [top, left] = [random.below(rows - height + 1), random.below(columns - width + 1)];
    return {
      size: [height, width],
      from: (row, column) => [row + top, column + left],
      box: ([x1, y1, x2, y2]) => [x1 - left, y1 - top, x2 - left, y2 - top],
    };
  };
}

/** Left and right exchanged, with probability `p`. */
export function horizontalFlipMove(p = 0.5): MoveStep {
  checkProbability('horizontalFlipMove', p);
  return (size, random) => {
    if (random.uniform() >= p) return STAY(size);
    const [, width] = size;
    return {
      size,
      from: (row, column) => [row, width - 1 - column],
      box: ([x1, y1, x2, y2]) => [width - x2, y1, width - x1, y2],
    };
  };
}

/** Top and bottom exchanged, with probability `p`. */
export function verticalFlipMove(p = 0.5): MoveStep {
  checkProbability('verticalFlipMove', p);
  return (size, random) => {
    if (random.uniform() >= p) return STAY(size);
    const [height] = size;
    return {
      size,
      from: (row, column) => [height - 1 - row, column],
      box: ([x1, y1, x2, y2]) => [x1, height - y2, x2, height - y1],
    };
  };
}

/** Rows and columns exchanged, with probability `p`: with both flips every quarter turn is as probable. */
export function transposeMove(p = 0.5): MoveStep {
  checkProbability('transposeMove', p);
  return (size, random) => {
    if (random.uniform() >= p) return STAY(size);
    return {
      size: [size[1], size[0]],
      from: (row, column) => [column, row],
      box: ([x1, y1, x2, y2]) => [y1, x1, y2, x2],
    };
  };
}

/** Names of a sample's fields. */
export interface TargetFields {
  /** Pictures [C, H, W]. Default ['x']. */
  readonly images?: readonly string[];
  /** A label for each pixel, [H, W]. Default none. */
  readonly masks?: readonly string[];
  /** Boxes [M, 4] as x1, y1, x2, y2, each with the field of their labels [M]: a box of which nothing is left is 0 and gets the label −1. Default none. */
  readonly boxes?: Readonly<Record<string, string>>;
}

const TARGET_FIELDS: OptionNames<TargetFields> = { images: true, masks: true, boxes: true };

/**
 * A transform of whole samples: steps one after the other, the same for picture, mask and boxes.
 *
 *     const moved = moveTogether({ masks: ['mask'], boxes: { boxes: 'labels' } }, cropMove(48), horizontalFlipMove());
 *     scenes.transformedSamples(moved);
 */
export function moveTogether<F extends Fields>(fields: TargetFields, ...steps: readonly MoveStep[]): Transform<F, F> {
  const op = 'moveTogether';
  checkRecord(op, 'the fields', fields, 'names');
  checkOptions(op, fields, TARGET_FIELDS);
  const { images = ['x'], masks = [], boxes = {} } = fields;
  checkList(op, 'images', images, 'names of fields');
  checkList(op, 'masks', masks, 'names of fields');
  checkGiven(checkText, op, Object.fromEntries([...images, ...masks].map((name, i) => [`name ${i}`, name])));
  checkRecord(op, 'boxes', boxes, 'names of fields');
  if (images.length + masks.length === 0) throw new ArgumentError(`${op}: nothing is moved. Name a field of pictures.`);
  for (const step of steps) checkFunction(op, step, 'a step');
  return (sample, random) => {
    checkHas(op, 'the sample', sample, [...images, ...masks, ...Object.entries(boxes).flat()], 'Give these fields');
    const first = sample[[...images, ...masks][0]];
    let size: HeightWidth = [first.shape[first.shape.length - 2], first.shape[first.shape.length - 1]];
    const moves = steps.map((step) => {
      const move = step(size, random);
      size = move.size;
      return move;
    });
    const moved = new Map<string, Field>();
    const places = placesOf(moves, size);
    for (const name of [...images, ...masks]) moved.set(name, movedField(name, sample[name], first, places, size));
    for (const [name, labels] of Object.entries(boxes)) {
      const [own, ownLabels] = movedBoxes(sample[name], sample[labels], moves, size);
      moved.set(name, own);
      moved.set(labels, ownLabels);
    }
    return { ...sample, ...Object.fromEntries(moved) };
  };
}

/** For each pixel of the result row and column in the picture as it was. */
function placesOf(moves: readonly Move[], [height, width]: HeightWidth): Int32Array {
  const places = new Int32Array(2 * height * width);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      let at: HeightWidth = [row, column];
      for (let i = moves.length - 1; i >= 0; i--) at = moves[i].from(at[0], at[1]);
      places.set(at, 2 * (row * width + column));
    }
  }
  return places;
}

function movedField(name: string, { data, shape }: Field, first: Field, places: Int32Array, size: HeightWidth): Field {
  const [height, width] = shape.slice(-2);
  const [firstHeight, firstWidth] = first.shape.slice(-2);
  if (shape.length < 2 || height !== firstHeight || width !== firstWidth)
    throw new ShapeError(
      `moveTogether: field '${name}' is ${formatShape(shape)}, and another one ${formatShape(first.shape)}: need one height and width`,
      [shape, first.shape],
    );
  const planes = data.length / (height * width);
  const area = places.length / 2;
  const out = allocate(data, planes * area);
  for (let plane = 0; plane < planes; plane++)
    for (let p = 0; p < area; p++)
      out[plane * area + p] = data[(plane * height + places[2 * p]) * width + places[2 * p + 1]];
  return { data: out, shape: [...shape.slice(0, -2), ...size] };
}

function movedBoxes(boxes: Field, labels: Field, moves: readonly Move[], [height, width]: HeightWidth): [Field, Field] {
  const [corners, names] = [boxes.data.slice(), labels.data.slice()];
  for (let i = 0; i < names.length; i++) {
    if (names[i] < 0) continue;
    const [x1, y1, x2, y2] = moves.reduce<Box>(
      (box, move) => move.box(box),
      [corners[4 * i], corners[4 * i + 1], corners[4 * i + 2], corners[4 * i + 3]],
    );
    const clipped = [Math.max(x1, 0), Math.max(y1, 0), Math.min(x2, width), Math.min(y2, height)];
    const isLeft = clipped[2] > clipped[0] && clipped[3] > clipped[1];
    corners.set(isLeft ? clipped : [0, 0, 0, 0], 4 * i);
    if (!isLeft) names[i] = -1;
  }
  return [
    { data: corners, shape: boxes.shape },
    { data: names, shape: labels.shape },
  ];
}
