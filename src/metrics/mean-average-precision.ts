// Mean average precision of a detector, as COCO defines it: detections are matched to the truth at ten overlaps, precision is interpolated at 101
// recalls, and the means are over overlaps and classes. Numbers are pycocotools'.
// Boxes of images in, numbers out; host memory alone. Must not know: where boxes come from.

import {
  ArgumentError,
  type OptionNames,
  checkHas,
  checkList,
  checkNumber,
  checkNumbers,
  checkOptions,
  checkWhole,
} from '../tensor/library.js';

type Box = readonly [x1: number, y1: number, x2: number, y2: number];

/** What a detector has found, such as a `Detection` of nabla/vision. */
export interface FoundBox {
  /** In pixels. */
  readonly box: Box;
  /** The class. */
  readonly index: number;
  readonly score: number;
}

/** What there is. */
export interface TrueBox {
  readonly box: Box;
  readonly index: number;
  /** A group, in which any number of detections may lie; finding it counts neither for nor against. Default false. */
  readonly isCrowd?: boolean;
  /** Of the object, for small, medium and large. Default: that of the box. */
  readonly area?: number;
}

export interface MeanAveragePrecisionOptions {
  /** Intersections over union from which a detection counts. Default 0.5, 0.55, …, 0.95. */
  readonly iouThresholds?: readonly number[];
  /** The best detections of an image and class that count. Default 100. */
  readonly maxDetections?: number;
}

const OPTIONS: OptionNames<MeanAveragePrecisionOptions> = { iouThresholds: true, maxDetections: true };

/** NaN where there is no such object. */
export interface AveragePrecisions {
  /** The mean over classes and overlaps: mAP@[.5:.95]. */
  readonly map: number;
  /** At an overlap of 0.5, and of 0.75; NaN where these are not among the thresholds. */
  readonly map50: number;
  readonly map75: number;
  /** Of objects below 32² pixels, from there to 96², and above. */
  readonly small: number;
  readonly medium: number;
  readonly large: number;
  /** The mean over classes and overlaps of the share of objects that are found. */
  readonly recall: number;
  /** As `map`, of each class. */
  readonly perClass: readonly number[];
}

/** One image's boxes of one class. */
interface Scene {
  readonly found: readonly FoundBox[];
  readonly truth: readonly TrueBox[];
}

/** Areas that count, both ends included. */
type AreaRange = readonly [least: number, most: number];

const ALL: AreaRange = [0, 1e10];
const SIZES: readonly AreaRange[] = [
  [0, 32 ** 2],
  [32 ** 2, 96 ** 2],
  [96 ** 2, 1e10],
];
/** Numbers from one to the other, as NumPy's linspace rounds them: a recall of 7/20 is below the 35th of the recalls. */
function evenly(from: number, to: number, count: number): number[] {
  const step = (to - from) / (count - 1);
  return Array.from({ length: count }, (_, i) => (i === count - 1 ? to : from + i * step));
}

const RECALLS = evenly(0, 1, 101);
const THRESHOLDS = evenly(0.5, 0.95, 10);

const areaOf = ([x1, y1, x2, y2]: Box): number => (x2 - x1) * (y2 - y1);

/** Of a detection with an object; with a crowd, the share of the detection that lies in it. */
function overlap(found: Box, { box, isCrowd = false }: TrueBox): number {
  const width = Math.min(found[2], box[2]) - Math.max(found[0], box[0]);
  const height = Math.min(found[3], box[3]) - Math.max(found[1], box[1]);
  if (width <= 0 || height <= 0) return 0;
  const shared = width * height;
  return shared / (isCrowd ? areaOf(found) : areaOf(found) + areaOf(box) - shared);
}

/** What became of a detection: right, wrong, or of no account. */
type Outcome = 'right' | 'wrong' | 'ignored';

interface Matched {
  readonly scores: readonly number[];
  /** [threshold][detection] */
  readonly outcomes: readonly (readonly Outcome[])[];
  /** Objects that count. */
  readonly objects: number;
}

/**
 * Collects over images; a higher mean is better. pycocotools: COCOeval with 'bbox'.
 *
 *     const metric = new MeanAveragePrecision();
 *     metric.update(found, [{ box: [0, 0, 10, 10], index: 2 }]); // an image
 *     (await metric.compute()).map;
 */
export class MeanAveragePrecision {
  readonly name = 'mAP';
  readonly better = 'higher';
  private readonly thresholds: readonly number[];
  private readonly most: number;
  private readonly images: Scene[] = [];

  constructor(options: MeanAveragePrecisionOptions = {}) {
    checkOptions(new.target.name, options, OPTIONS);
    const { iouThresholds = THRESHOLDS, maxDetections = 100 } = options;
    checkNumbers('MeanAveragePrecision', 'iouThresholds', iouThresholds);
    checkWhole('MeanAveragePrecision', 'maxDetections', maxDetections, 1);
    if (iouThresholds.length === 0 || !iouThresholds.every((value) => value > 0 && value <= 1))
      throw new ArgumentError(
        `MeanAveragePrecision: iouThresholds are [${iouThresholds.join(', ')}]. Use numbers above 0 and up to 1.`,
      );
    this.thresholds = [...iouThresholds];
    this.most = maxDetections;
  }

  /** Takes in one image. */
  update(found: readonly FoundBox[], truth: readonly TrueBox[]): void {
    checkBoxes('the detections', found);
    checkBoxes('the truth', truth);
    for (const { score } of found) checkNumber('MeanAveragePrecision', 'a score', score);
    this.images.push({ found: [...found], truth: [...truth] });
  }

  compute(): Promise<AveragePrecisions> {
    const indices = this.images.flatMap(({ found, truth }) => [...found, ...truth].map(({ index }) => index));
    const classes = 1 + indices.reduce((most, index) => Math.max(most, index), -1);
    const [everything, small, medium, large] = [ALL, ...SIZES].map((range) =>
      Array.from({ length: classes }, (_, index) => this.curvesOf(index, range)),
    );
    const precision = (curves: readonly Curves[], at?: number): number =>
      meanOf(curves.flatMap(({ precisions }) => (at === undefined ? precisions : precisions.slice(at, at + 1))));
    const at = (threshold: number): number => {
      const place = this.thresholds.findIndex((value) => Math.abs(value - threshold) < 1e-9);
      return place < 0 ? NaN : precision(everything, place);
    };
    return Promise.resolve({
      map: precision(everything),
      map50: at(0.5),
      map75: at(0.75),
      small: precision(small),
      medium: precision(medium),
      large: precision(large),
      recall: meanOf(everything.flatMap(({ recalls }) => recalls)),
      perClass: everything.map(({ precisions }) => meanOf(precisions)),
    });
  }

  reset(): void {
    this.images.length = 0;
  }

  /** Precision and recall of a class at each threshold. */
  private curvesOf(index: number, range: AreaRange): Curves {
    const matched = this.images
      .map(({ found, truth }): Scene => {
        return { found: found.filter((box) => box.index === index), truth: truth.filter((box) => box.index === index) };
      })
      .filter(({ found, truth }) => found.length > 0 || truth.length > 0)
      .map((scene) => this.match(scene, range));
    const objects = matched.reduce((sum, image) => sum + image.objects, 0);
    if (objects === 0) return { precisions: [], recalls: [] };
    const scores = matched.flatMap((image) => image.scores);
    const order = scores.map((_, i) => i).sort((i, j) => scores[j] - scores[i] || i - j);
    const curves = this.thresholds.map((_, t) => {
      const outcomes = matched.flatMap((image) => image.outcomes[t]);
      return summary(
        order.map((i) => outcomes[i]),
        objects,
      );
    });
    return { precisions: curves.map(({ precision }) => precision), recalls: curves.map(({ recall }) => recall) };
  }

  /** Best detections first, each takes the object that it overlaps most; those that count before those that do not. */
  private match({ found, truth }: Scene, [least, most]: AreaRange): Matched {
    const isOutside = (area: number): boolean => area < least || area > most;
    const objects = truth
      .map((object) => ({ object, isIgnored: object.isCrowd === true || isOutside(object.area ?? areaOf(object.box)) }))
      .sort((a, b) => Number(a.isIgnored) - Number(b.isIgnored));
    const best = found.map((box, i) => ({ box, i })).sort((a, b) => b.box.score - a.box.score || a.i - b.i);
    const detections = best.slice(0, this.most).map(({ box }) => box);
    const overlaps = detections.map(({ box }) => objects.map(({ object }) => overlap(box, object)));
    const outcomes = this.thresholds.map((threshold) => {
      const taken = new Uint8Array(objects.length);
      return detections.map(({ box }, d): Outcome => {
        let [chosen, reached] = [-1, Math.min(threshold, 1 - 1e-10)];
        for (const [g, { object, isIgnored }] of objects.entries()) {
          if (taken[g] === 1 && object.isCrowd !== true) continue;
          if (chosen >= 0 && !objects[chosen].isIgnored && isIgnored) break;
          if (overlaps[d][g] < reached) continue;
          [chosen, reached] = [g, overlaps[d][g]];
        }
        if (chosen < 0) return isOutside(areaOf(box)) ? 'ignored' : 'wrong';
        taken[chosen] = 1;
        return objects[chosen].isIgnored ? 'ignored' : 'right';
      });
    });
    const counted = objects.filter(({ isIgnored }) => !isIgnored).length;
    return { scores: detections.map(({ score }) => score), outcomes, objects: counted };
  }
}

interface Curves {
  /** At each threshold; empty for a class without objects. */
  readonly precisions: readonly number[];
  readonly recalls: readonly number[];
}

/** The mean precision at the recalls, and the recall in the end, of detections from the best to the worst. */
function summary(outcomes: readonly Outcome[], objects: number): { precision: number; recall: number } {
  const counted = outcomes.filter((outcome) => outcome !== 'ignored');
  const [recalls, precisions]: number[][] = [[], []];
  let right = 0;
  counted.forEach((outcome, i) => {
    if (outcome === 'right') right++;
    recalls.push(right / objects);
    precisions.push(right / (i + 1));
  });
  // the best precision at this recall or a higher one
  for (let i = precisions.length - 1; i > 0; i--) precisions[i - 1] = Math.max(precisions[i - 1], precisions[i]);
  let at = 0;
  let sum = 0;
  for (const recall of RECALLS) {
    while (at < recalls.length && recalls[at] < recall) at++;
    if (at < recalls.length) sum += precisions[at];
  }
  return { precision: sum / RECALLS.length, recall: recalls.at(-1) ?? 0 };
}

function meanOf(values: readonly number[]): number {
  return values.length === 0 ? NaN : values.reduce((sum, value) => sum + value, 0) / values.length;
}

function checkBoxes(what: string, boxes: readonly { readonly box: Box; readonly index: number }[]): void {
  const op = 'MeanAveragePrecision';
  checkList(op, what, boxes, '{ box: [x1, y1, x2, y2], index }');
  for (const [i, entry] of boxes.entries()) {
    checkHas(op, `${what}, entry ${i},`, entry, ['box', 'index'], 'Give { box: [x1, y1, x2, y2], index }');
    checkNumbers(op, `${what}, box ${i}`, entry.box);
    checkWhole(op, `${what}, index ${i}`, entry.index);
    const [x1, y1, x2, y2] = entry.box;
    if (entry.box.length === 4 && x2 >= x1 && y2 >= y1) continue;
    throw new ArgumentError(
      `${op}: ${what}, box ${i} is [${entry.box.join(', ')}]. Give x1, y1, x2, y2, the smaller first.`,
    );
  }
}
