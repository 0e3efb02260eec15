// Sets that are made on the spot: points in the plane whose classes no straight line separates, and small pictures of
// shapes. The same options give the same set.
// Options in, ArrayDataset out. Names and forms of moons, circles and blobs are scikit-learn's (make_moons, …).

import { HostRandom } from '../../tensor/host-random.js';
import {
  ArgumentError,
  checkOptions,
  type OptionNames,
  checkGiven,
  checkList,
  checkNumber,
  checkNumbers,
  checkWhole,
} from '../../tensor/library.js';
import { ArrayDataset } from '../dataset.js';
import type { Field } from '../fields.js';
import { SHAPES, coverage } from './shape-drawing.js';

/** x: a point in the plane; y: its class. */
export type PointData = ArrayDataset<{
  readonly x: Field<Float32Array, readonly [2]>;
  readonly y: Field<Int32Array, readonly []>;
}>;

export interface PointOptions {
  /** Number of points, shared among the classes. Default 100. */
  readonly samples?: number;
  /** Standard deviation of what is added to each coordinate. */
  readonly noise?: number;
  /** Default 0. */
  readonly seed?: number;
}

const POINT_OPTIONS: OptionNames<PointOptions> = { samples: true, noise: true, seed: true };

type Point = readonly [x: number, y: number];

/** `samples` points, class after class, moved by noise and shuffled. */
function pointSet(
  op: string,
  classes: number,
  { samples = 100, noise = 0, seed = 0 }: PointOptions,
  place: (label: number, i: number, count: number, random: HostRandom) => Point,
): PointData {
  checkGiven(checkNumber, op, { samples, noise });
  checkWhole(op, 'seed', seed, -Infinity);
  if (!Number.isInteger(samples) || samples < classes)
    throw new ArgumentError(`${op}: samples is ${samples}. Use a whole number of at least ${classes}.`);
  if (!(noise >= 0)) throw new ArgumentError(`${op}: noise is ${noise}. Use a number of at least 0.`);
  const random = new HostRandom(seed, 0x901175);
  const [x, y] = [new Float32Array(2 * samples), new Int32Array(samples)];
  const order = random.shuffle(Int32Array.from({ length: samples }, (_, i) => i));
  let next = 0;
  for (let label = 0; label < classes; label++) {
    const count = Math.floor((samples + classes - 1 - label) / classes);
    for (let i = 0; i < count; i++) {
      const at = order[next++];
      const [u, v] = place(label, i, count, random);
      x[2 * at] = u + noise * random.normal();
      x[2 * at + 1] = v + noise * random.normal();
      y[at] = label;
    }
  }
  return new ArrayDataset({ x: { data: x, shape: [2] }, y: { data: y, shape: [] } });
}

/** Two interleaving half circles. Default noise 0.1. */
export function moons(options: PointOptions = {}): PointData {
  checkOptions('moons', options, POINT_OPTIONS);
  return pointSet('moons', 2, { noise: 0.1, ...options }, (label, i, count) => {
    const angle = (Math.PI * i) / Math.max(1, count - 1);
    return label === 0 ? [Math.cos(angle), Math.sin(angle)] : [1 - Math.cos(angle), 0.5 - Math.sin(angle)];
  });
}

export interface CircleOptions extends PointOptions {
  /** Radius of the inner circle (class 1); the outer one (class 0) has 1. Default 0.5. */
  readonly factor?: number;
}

const CIRCLE_OPTIONS: OptionNames<CircleOptions> = { samples: true, noise: true, seed: true, factor: true };

/** A circle within a circle. Default noise 0.05. */
export function circles(given: CircleOptions = {}): PointData {
  checkOptions('circles', given, CIRCLE_OPTIONS);
  const { factor = 0.5, ...options } = given;
  checkNumber('circles', 'factor', factor);
  if (!(factor >= 0 && factor < 1))
    throw new ArgumentError(`circles: factor is ${factor}. Use a number from 0 to below 1.`);
  return pointSet('circles', 2, { noise: 0.05, ...options }, (label, i, count) => {
    const [radius, angle] = [label === 0 ? 1 : factor, (2 * Math.PI * i) / count];
    return [radius * Math.cos(angle), radius * Math.sin(angle)];
  });
}

export interface BlobOptions extends PointOptions {
  /** Number of classes, or their centres. Default 3 centres, drawn from −10 … 10. */
  readonly centers?: number | readonly Point[];
}

const BLOB_OPTIONS: OptionNames<BlobOptions> = { samples: true, noise: true, seed: true, centers: true };

/** Normally distributed points around centres. Default noise 1. */
export function blobs(given: BlobOptions = {}): PointData {
  checkOptions('blobs', given, BLOB_OPTIONS);
  const { centers = 3, ...options } = given;
  if (typeof centers === 'number') checkWhole('blobs', 'centers', centers, 1);
  else checkList('blobs', 'centers', centers, 'points [x, y], or a number');
  if (typeof centers !== 'number') for (const point of centers) checkNumbers('blobs', 'a centre', point);
  const random = new HostRandom(options.seed ?? 0, 0xb10b5);
  const drawn =
    typeof centers === 'number'
      ? Array.from({ length: centers }, (): Point => [random.between(-10, 10), random.between(-10, 10)])
      : centers;
  if (drawn.length < 1) throw new ArgumentError('blobs: there are no centres. Give at least one.');
  return pointSet('blobs', drawn.length, { noise: 1, ...options }, (label) => drawn[label]);
}

export interface SpiralOptions extends PointOptions {
  /** Number of arms, one for each class. Default 3. */
  readonly classes?: number;
}

const SPIRAL_OPTIONS: OptionNames<SpiralOptions> = { samples: true, noise: true, seed: true, classes: true };

/** Arms that wind around the centre, each over 4 radians; noise moves the angle's points. Default noise 0.02. */
export function spirals(given: SpiralOptions = {}): PointData {
  checkOptions('spirals', given, SPIRAL_OPTIONS);
  const { classes = 3, ...options } = given;
  if (!Number.isInteger(classes) || classes < 1)
    throw new ArgumentError(`spirals: classes is ${classes}. Use a whole number of at least 1.`);
  return pointSet('spirals', classes, { samples: 300, noise: 0.02, ...options }, (label, i, count) => {
    const radius = i / Math.max(1, count - 1);
    const angle = (2 * Math.PI * label) / classes + 4 * radius;
    return [radius * Math.sin(angle), radius * Math.cos(angle)];
  });
}

/** x: one channel, 0 to 1; y: the shape. */
export type ShapeData = ArrayDataset<{
  readonly x: Field<Float32Array, readonly [1, number, number]>;
  readonly y: Field<Int32Array, readonly []>;
}>;

export interface ShapeOptions {
  /** Number of pictures. Default 600. */
  readonly samples?: number;
  /** Width and height in pixels. Default 16. */
  readonly size?: number;
  /** Standard deviation of what is added to each pixel. Default 0.05. */
  readonly noise?: number;
  /** Default 0. */
  readonly seed?: number;
}

const SHAPE_OPTIONS: OptionNames<ShapeOptions> = { samples: true, size: true, noise: true, seed: true };

/** Pictures of a filled circle, square or triangle, bright on dark, anywhere, of any size and turned by any angle. */
export function shapes(options: ShapeOptions = {}): ShapeData {
  checkOptions('shapes', options, SHAPE_OPTIONS);
  const { samples = 600, size = 16, noise = 0.05, seed = 0 } = options;
  if (!Number.isInteger(samples) || samples < 1 || !Number.isInteger(size) || size < 8)
    throw new ArgumentError(`shapes: ${samples} samples of size ${size}. Use whole numbers from 1 and from 8.`);
  checkNumber('shapes', 'noise', noise);
  checkWhole('shapes', 'seed', seed, -Infinity);
  const random = new HostRandom(seed, 0x54a9e5);
  const x = new Float32Array(samples * size * size);
  const y = Int32Array.from({ length: samples }, (_, i) => i % SHAPES.length);
  random.shuffle(y);
  y.forEach((shape, i) => draw(x.subarray(i * size * size, (i + 1) * size * size), size, shape, noise, random));
  return new ArrayDataset({ x: { data: x, shape: [1, size, size] }, y: { data: y, shape: [] } });
}

function draw(image: Float32Array, size: number, shape: number, noise: number, random: HostRandom): void {
  const radius = random.between(0.22, 0.42) * size;
  const [x, y] = [random.between(radius, size - radius), random.between(radius, size - radius)];
  const angle = random.between(0, 2 * Math.PI);
  const brightness = random.between(0.6, 1);
  const covered = coverage({ shape, x, y, radius, angle });
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const value = brightness * covered(column, row) + noise * random.normal();
      image[row * size + column] = Math.min(1, Math.max(0, value));
    }
  }
}
