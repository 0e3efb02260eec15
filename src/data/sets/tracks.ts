// Objects that move in a plane, and what a detector sees of them frame by frame: places with some noise, misses, false alarms, and no names.
// The same options give the same scenes.

import { HostRandom } from '../../tensor/host-random.js';
import {
  ArgumentError,
  checkNumber,
  checkOptions,
  checkWhole,
  type OptionNames,
  wrongKind,
} from '../../tensor/library.js';

/** An object in a frame. */
export interface ObjectInFrame {
  readonly id: number;
  readonly position: readonly [x: number, y: number];
}

/** A place where the detector sees something. */
export interface DetectedPoint {
  readonly frame: number;
  readonly position: readonly [x: number, y: number];
  /** What it looks like: three numbers, as a network for pictures gives them. */
  readonly look: readonly number[];
  /** Of the object; −1 for a false alarm. What a tracker has to find out. */
  readonly id: number;
}

export interface TrackScene {
  readonly frames: number;
  /** Side of the square that everything is in. */
  readonly size: number;
  /** What is there, frame by frame. */
  readonly truth: readonly (readonly ObjectInFrame[])[];
  /** In the order of their frames. */
  readonly detections: readonly DetectedPoint[];
}

export interface TrackSceneOptions {
  /** Default 100. */
  readonly scenes?: number;
  /** Default 24. */
  readonly frames?: number;
  /** Fewest and most objects of a scene. Default [5, 9]. */
  readonly objects?: readonly [fewest: number, most: number];
  /** Side of the square. Objects move about 2 to 4 in a frame and turn back at its border. Default 100. */
  readonly size?: number;
  /** Share of the objects that the detector misses, in each frame anew. Default 0.1. */
  readonly misses?: number;
  /** Mean number of false alarms in a frame. Default 0.5. */
  readonly falseAlarms?: number;
  /** Standard deviation of the places that the detector gives, in each direction. Default 0.5. */
  readonly noise?: number;
  /**
   * Standard deviation of what is added to looks in each frame; those of two objects differ by 1.4 in each number, in the mean square. Default 0.4.
   */
  readonly lookNoise?: number;
  /** Default 0. */
  readonly seed?: number;
}

const TRACK_SCENE_OPTIONS: OptionNames<TrackSceneOptions> = {
  scenes: true,
  frames: true,
  objects: true,
  size: true,
  misses: true,
  falseAlarms: true,
  noise: true,
  lookNoise: true,
  seed: true,
};

/** Shortest life of an object, in frames. */
const SHORTEST = 8;

/**
 * Scenes for tracking. An object is there for at least 8 frames in a row, moves with a speed of its own and changes it a little.
 *
 *     const [scene] = trackScenes({ scenes: 1, misses: 0.2 });
 *     scene.detections.filter(({ id }) => id < 0).length; // false alarms
 */
export function trackScenes(options: TrackSceneOptions = {}): TrackScene[] {
  const op = 'trackScenes';
  checkOptions(op, options, TRACK_SCENE_OPTIONS);
  const { scenes = 100, frames = 24, objects = [5, 9], size = 100 } = options;
  const { misses = 0.1, falseAlarms = 0.5, noise = 0.5, lookNoise = 0.4, seed = 0 } = options;
  checkWhole(op, 'scenes', scenes, 1);
  checkWhole(op, 'frames', frames, SHORTEST);
  checkWhole(op, 'seed', seed, -Infinity);
  for (const [name, value] of Object.entries({ size, misses, falseAlarms, noise, lookNoise })) {
    checkNumber(op, name, value);
    if (!(value >= 0)) throw new ArgumentError(`${op}: ${name} is ${value}. Use a number of at least 0.`);
  }
  if (!(misses < 1)) throw new ArgumentError(`${op}: misses is ${misses}. Use a share below 1.`);
  if (!(size >= 20)) throw new ArgumentError(`${op}: size is ${size}. Use a number of at least 20.`);
  if (!Array.isArray(objects) || objects.length !== 2)
    throw wrongKind(op, 'objects', objects, 'Use two numbers, the smaller first');
  const [fewest, most] = objects;
  checkWhole(op, 'the fewest objects', fewest, 1);
  checkWhole(op, 'the most objects', most, fewest);
  return Array.from({ length: scenes }, (_, i): TrackScene => {
    const random = new HostRandom(seed, 0x7ac4, i);
    const count = fewest + random.below(most - fewest + 1);
    const truth: ObjectInFrame[][] = Array.from({ length: frames }, () => []);
    for (let id = 0; id < count; id++) walk(id, size, truth, random);
    const looks = Array.from({ length: count }, () => lookOf(random));
    const seen = { size, misses, falseAlarms, noise, lookNoise, looks };
    const detections = truth.flatMap((there, frame) => see(there, frame, seen, random));
    return { frames, size, truth, detections };
  });
}

/** Adds the way of an object to the frames. */
function walk(id: number, size: number, frames: ObjectInFrame[][], random: HostRandom): void {
  const first = random.below(Math.max(1, Math.floor(frames.length / 4)));
  const least = Math.min(first + SHORTEST, frames.length);
  const end = Math.max(least, frames.length - random.below(Math.max(1, Math.floor(frames.length / 4))));
  let [x, y] = [random.between(0, size), random.between(0, size)];
  const [speed, angle] = [random.between(2, 4), random.between(0, 2 * Math.PI)];
  let [dx, dy] = [speed * Math.cos(angle), speed * Math.sin(angle)];
  for (let frame = first; frame < end; frame++) {
    frames[frame].push({ id, position: [x, y] });
    dx += 0.2 * random.normal();
    dy += 0.2 * random.normal();
    if (x + dx < 0 || x + dx > size) dx = -dx;
    if (y + dy < 0 || y + dy > size) dy = -dy;
    x += dx;
    y += dy;
  }
}

interface Seeing extends Record<'size' | 'misses' | 'falseAlarms' | 'noise' | 'lookNoise', number> {
  /** Of each object. */
  readonly looks: readonly (readonly number[])[];
}

const lookOf = (random: HostRandom): number[] => [random.normal(), random.normal(), random.normal()];

function see(
  there: readonly ObjectInFrame[],
  frame: number,
  { size, misses, falseAlarms, noise, lookNoise, looks }: Seeing,
  random: HostRandom,
): DetectedPoint[] {
  const found: DetectedPoint[] = [];
  for (const { id, position } of there) {
    if (random.uniform() < misses) continue;
    const [x, y] = [position[0] + noise * random.normal(), position[1] + noise * random.normal()];
    found.push({ frame, id, position: [x, y], look: looks[id].map((part) => part + lookNoise * random.normal()) });
  }
  for (let alarms = poisson(falseAlarms, random); alarms > 0; alarms--)
    found.push({ frame, id: -1, position: [random.between(0, size), random.between(0, size)], look: lookOf(random) });
  return found;
}

/** A number with this mean (Knuth's way, for small means). */
function poisson(mean: number, random: HostRandom): number {
  const least = Math.exp(-mean);
  let count = 0;
  for (let product = random.uniform(); product > least; product *= random.uniform()) count++;
  return count;
}
