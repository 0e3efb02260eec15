// What a detector says, in words: from boxes and scores to the few boxes that are meant.

import {
  ArgumentError,
  DTypeError,
  type OptionNames,
  ShapeError,
  checkGiven,
  checkList,
  checkNumber,
  checkOptions,
  checkWhole,
  formatShape,
} from '../tensor/library.js';
import { type AnyTensor, checkTensor } from '../tensor/tensor.js';
import { kept } from './boxes.js';

export interface DetectionOptions {
  /** Boxes with a lower score count for nothing. Default 0.25. */
  readonly scoreThreshold?: number;
  /** Boxes of one class that overlap a better one by more are left out. Default 0.5. */
  readonly iouThreshold?: number;
  /** How many there are in the result, at most: the best ones. Default 100. */
  readonly maxDetections?: number;
  /** How many boxes are compared with one another, at most: those with the best scores. Default 5000. */
  readonly maxCandidates?: number;
  /** A class that is none: the background, 0 in SSD and Faster R-CNN. Default: none. */
  readonly background?: number;
  /** Whether boxes of different classes suppress one another, too. Default false. */
  readonly acrossClasses?: boolean;
  /** A name for each class. Default: their numbers. */
  readonly names?: readonly string[];
}

const OPTIONS: OptionNames<DetectionOptions> = {
  scoreThreshold: true,
  iouThreshold: true,
  maxDetections: true,
  maxCandidates: true,
  background: true,
  acrossClasses: true,
  names: true,
};

export interface Detection {
  /** The name of the class, or its number as a text. */
  readonly label: string;
  readonly index: number;
  readonly score: number;
  /** x1, y1, x2, y2, in what the boxes are in. */
  readonly box: readonly [x1: number, y1: number, x2: number, y2: number];
}

/**
 * The objects that a detector has found in one image, best first: boxes [A, 4] (or [A, C, 4], of each class its own) and scores [A, C], or [A]
 * with one class, as probabilities. A box counts once for each class whose score is high enough; of those that overlap only the best one
 * stays. A dimension of 1 in front is the image. Reads boxes and scores.
 *
 *     const found = await selectDetections(boxes, scores, { names: await classNames('coco'), background: 0 });
 *     found[0] // { label: 'dog', index: 18, score: 0.93, box: [12, 30, 200, 180] }
 */
export async function selectDetections(
  boxes: AnyTensor,
  scores: AnyTensor,
  options: DetectionOptions = {},
): Promise<Detection[]> {
  const op = 'selectDetections';
  checkTensor(boxes, op, 'the boxes');
  checkTensor(scores, op, 'the scores');
  checkOptions(op, options, OPTIONS);
  const { scoreThreshold = 0.25, iouThreshold = 0.5, maxDetections = 100, maxCandidates = 5000 } = options;
  const { background, acrossClasses = false, names } = options;
  checkGiven(checkNumber, op, { scoreThreshold, iouThreshold });
  if (!(iouThreshold >= 0 && iouThreshold <= 1))
    throw new ArgumentError(`${op}: iouThreshold is ${iouThreshold}. Use a number from 0 to 1.`);
  checkWhole(op, 'maxDetections', maxDetections, 1);
  checkWhole(op, 'maxCandidates', maxCandidates, 1);
  const { count, classes, perClass } = sizesOf(op, boxes, scores);
  checkGiven(checkWhole, op, { background });
  if (background !== undefined && background >= classes)
    throw new ArgumentError(`${op}: background is ${background}, and there are ${classes} classes.`);
  if (names !== undefined) {
    checkList(op, 'names', names, 'names of the classes');
    if (names.length !== classes) throw new ArgumentError(`${op}: ${names.length} names for ${classes} classes.`);
  }
  const [corners, values] = await Promise.all([boxes.data(), scores.data()]);
  const found: number[] = []; // box · classes + class
  for (let i = 0; i < count * classes; i++)
    if (i % classes !== background && values[i] >= scoreThreshold) found.push(i);
  const best = found.sort((a, b) => values[b] - values[a] || a - b).slice(0, maxCandidates);
  const cornerOf = (i: number): number => 4 * (perClass ? i : Math.floor(i / classes));
  const chosen = Float32Array.from({ length: 4 * best.length }, (_, at) => corners[cornerOf(best[at >> 2]) + (at & 3)]);
  const groups = acrossClasses ? undefined : best.map((i) => i % classes);
  const order = kept(
    chosen,
    best.map((i) => values[i]),
    groups,
    iouThreshold,
  );
  return Array.from(order.subarray(0, maxDetections), (at): Detection => {
    const index = best[at] % classes;
    const [x1, y1, x2, y2] = chosen.subarray(4 * at, 4 * at + 4);
    return { label: names?.[index] ?? String(index), index, score: values[best[at]], box: [x1, y1, x2, y2] };
  });
}

function sizesOf(op: string, boxes: AnyTensor, scores: AnyTensor) {
  if (scores.dtype === 'bool') throw new DTypeError(`${op}: the scores are bool. Give probabilities.`, ['bool']);
  const given = [boxes.shape, scores.shape];
  // the image in front
  const isOne = boxes.shape[0] === 1 && scores.shape[0] === 1 && boxes.rank > 2 && scores.rank > 1;
  const [box, score] = isOne ? given.map((shape) => shape.slice(1)) : given;
  const [count, classes = 1] = score;
  const perClass = box.length === 3;
  const fits = score.length <= 2 && score.length > 0 && box[0] === count && box[box.length - 1] === 4;
  if (fits && (box.length === 2 || (perClass && box[1] === classes))) return { count, classes, perClass };
  throw new ShapeError(
    `${op}: boxes ${formatShape(boxes.shape)} and scores ${formatShape(scores.shape)}: need [A, 4] or [A, C, 4], and [A, C] or [A], of one image`,
    given,
  );
}
