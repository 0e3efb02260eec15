// The shapes of generated pictures: which pixels one covers, and the box around it. Places are in pixels, y downwards.
// Must not know: colours, data sets.

import { largest, smallest } from '../../tensor/extremes.js';

/** The classes of `shapes()` and of what else draws them. */
export const SHAPES = ['circle', 'square', 'triangle'] as const;

/** A shape somewhere in a picture; its corners lie on the circle with this radius. */
export interface PlacedShape {
  /** Position in SHAPES. */
  readonly shape: number;
  readonly x: number;
  readonly y: number;
  readonly radius: number;
  readonly angle: number;
}

const FINE = 4; // samples a pixel and axis

/** Which share of a pixel the shape covers. */
export function coverage({ shape, x, y, radius, angle }: PlacedShape): (column: number, row: number) => number {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const isInside = (px: number, py: number): boolean => {
    const [dx, dy] = [(px - x) / radius, (py - y) / radius];
    const [u, v] = [cos * dx + sin * dy, cos * dy - sin * dx];
    if (shape === 0) return u * u + v * v <= 1;
    if (shape === 1) return Math.abs(u) <= Math.SQRT1_2 && Math.abs(v) <= Math.SQRT1_2;
    return v >= -0.5 && Math.sqrt(3) * Math.abs(u) + v <= 1;
  };
  return (column, row) => {
    let covered = 0;
    for (let k = 0; k < FINE * FINE; k++) {
      if (isInside(column + ((k % FINE) + 0.5) / FINE, row + (Math.floor(k / FINE) + 0.5) / FINE)) covered++;
    }
    return covered / (FINE * FINE);
  };
}

/** Calls `paint` for every pixel of a square picture that the shape covers, with the share that is covered. */
export function paintShape(size: number, placed: PlacedShape, paint: (pixel: number, share: number) => void): void {
  const { x, y, radius } = placed;
  const shareOf = coverage(placed);
  const first = (at: number): number => Math.max(0, Math.floor(at - radius));
  const end = (at: number): number => Math.min(size, Math.ceil(at + radius));
  for (let row = first(y); row < end(y); row++)
    for (let column = first(x); column < end(x); column++) {
      const share = shareOf(column, row);
      if (share > 0) paint(row * size + column, share);
    }
}

/** Directions of the corners, as the shape's own axes have them. */
const CORNERS: readonly (readonly number[])[] = [
  [],
  [0.25, 0.75, 1.25, 1.75].map((turn) => turn * Math.PI),
  [0.5, 7 / 6, 11 / 6].map((turn) => turn * Math.PI),
];

/** The smallest box around the shape: x1, y1, x2, y2. */
export function boxAround({ shape, x, y, radius, angle }: PlacedShape): [number, number, number, number] {
  if (shape === 0) return [x - radius, y - radius, x + radius, y + radius];
  const [xs, ys] = [Math.cos, Math.sin].map((f) => CORNERS[shape].map((corner) => radius * f(corner + angle)));
  return [x + smallest(xs), y + smallest(ys), x + largest(xs), y + largest(ys)];
}
