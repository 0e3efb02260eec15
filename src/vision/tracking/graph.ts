// Detections of several frames as a graph: an edge from each detection to those of later frames that may be the same object. Which of them are is
// for a network to say (Brasó and Leal-Taixé 2020).

import {
  ArgumentError,
  type OptionNames,
  checkHas,
  checkList,
  checkNumber,
  checkNumbers,
  checkOptions,
  checkWhole,
} from '../../tensor/library.js';

/** What a detector has seen somewhere at some time. */
export interface FramePoint {
  readonly frame: number;
  readonly position: readonly number[];
  /** What it looks like: numbers that are nearer for one object than for two. Default: nothing is known. */
  readonly look?: readonly number[];
  /** Of the object, where that is known; −1 for a false alarm. */
  readonly id?: number;
}

export interface TrackGraphOptions {
  /** From one detection of an object to its next there are at most so many frames: one more than may be missed in a row. Default 3. */
  readonly maxGap?: number;
  /** How far an object may get in a frame. Default 8. */
  readonly reach?: number;
}

const TRACK_GRAPH_OPTIONS: OptionNames<TrackGraphOptions> = { maxGap: true, reach: true };

/**
 * Numbers of an edge: frames between, steps right and down in a frame, and their length, each in shares of what it may be; and how far the looks of both
 * ends are apart, the root mean square of the differences, 0 where one has none.
 */
export const EDGE_FEATURES = 5;

export interface TrackGraph {
  /** Shape [2, E]; positions of detections in their list, the earlier ones first. */
  readonly edges: Int32Array;
  /** [E, 5] */
  readonly features: Float32Array;
  /** Shape [E]; 1 where the later detection is the next one of the same object, by the ids. */
  readonly labels: Float32Array;
  /** E */
  readonly count: number;
}

export function checkPoints(op: string, detections: readonly FramePoint[]): void {
  checkList(op, 'the detections', detections, '{ frame, position }');
  for (const [i, point] of detections.entries()) {
    checkHas(op, `detection ${i}`, point, ['frame', 'position'], 'Give { frame, position: [x, y] }');
    checkWhole(op, `the frame of detection ${i}`, point.frame);
    checkNumbers(op, `the position of detection ${i}`, point.position);
    if (point.look !== undefined) checkNumbers(op, `the look of detection ${i}`, point.look);
    if (point.position.length !== 2)
      throw new ArgumentError(`${op}: detection ${i} is at [${Array.from(point.position).join(', ')}]. Give [x, y].`);
  }
}

/**
 * All pairs of detections that can be one object: `maxGap` frames apart at most, and no further than an object gets in that time.
 *
 *     const { edges, features, labels } = trackGraph(scene.detections);
 */
export function trackGraph(detections: readonly FramePoint[], options: TrackGraphOptions = {}): TrackGraph {
  const op = 'trackGraph';
  checkPoints(op, detections);
  checkOptions(op, options, TRACK_GRAPH_OPTIONS);
  const { maxGap = 3, reach = 8 } = options;
  checkWhole(op, 'maxGap', maxGap, 1);
  checkNumber(op, 'reach', reach);
  if (!(reach > 0)) throw new ArgumentError(`${op}: reach is ${reach}. Use a number above 0.`);
  const order = detections.map((_, i) => i).sort((i, j) => detections[i].frame - detections[j].frame || i - j);
  const next = nextOfObject(detections, order);
  const [from, to, features, labels]: number[][] = [[], [], [], []];
  order.forEach((i, at) => {
    const { frame, position } = detections[i];
    for (const j of order.slice(at + 1)) {
      const gap = detections[j].frame - frame;
      if (gap > maxGap) break;
      const [dx, dy] = [0, 1].map((axis) => detections[j].position[axis] - position[axis]);
      const length = Math.hypot(dx, dy);
      if (gap === 0 || length > gap * reach) continue;
      const step = gap * reach;
      from.push(i);
      to.push(j);
      features.push(gap / maxGap, dx / step, dy / step, length / step, apart(detections[i], detections[j]));
      labels.push(next.get(i) === j ? 1 : 0);
    }
  });
  return {
    edges: Int32Array.from([...from, ...to]),
    features: Float32Array.from(features),
    labels: Float32Array.from(labels),
    count: from.length,
  };
}

function apart({ look: a = [] }: FramePoint, { look: b = [] }: FramePoint): number {
  if (a.length === 0 || a.length !== b.length) return 0;
  return Math.sqrt(a.reduce((sum, value, i) => sum + (value - b[i]) ** 2, 0) / a.length);
}

/** For each detection the next one of its object. */
function nextOfObject(detections: readonly FramePoint[], order: readonly number[]): ReadonlyMap<number, number> {
  const last = new Map<number, number>();
  const next = new Map<number, number>();
  for (const i of order) {
    const { id = -1 } = detections[i];
    if (id < 0) continue;
    const before = last.get(id);
    if (before !== undefined) next.set(before, i);
    last.set(id, i);
  }
  return next;
}
