// Points in the plane as a picture: a colour for each class. In: coordinates and classes; out: an image for `encodePng`.

import type { ImageBytes } from '../../../io/png.js';

/** One for each of ten classes, told apart also by who does not see all colours (Okabe and Ito, and three more). */
const COLOURS = [
  [230, 159, 0],
  [86, 180, 233],
  [0, 158, 115],
  [240, 228, 66],
  [0, 114, 178],
  [213, 94, 0],
  [204, 121, 167],
  [140, 140, 140],
  [120, 60, 20],
  [150, 220, 100],
] as const;
const [SIDE, MARGIN, RADIUS] = [480, 12, 1] as const;

/** `points` are pairs x, y, one after the other; the picture shows all but the outermost half percent on each side. */
export function scatterPicture(points: ArrayLike<number>, classes: ArrayLike<number>): ImageBytes {
  const data = new Uint8Array(3 * SIDE * SIDE).fill(255);
  const [across, up] = [0, 1].map((axis) => {
    const values = Float64Array.from({ length: classes.length }, (_, i) => points[2 * i + axis]).sort();
    const [low, high] = [0.005, 0.995].map((share) => values[Math.round(share * (values.length - 1))]);
    return (value: number) => MARGIN + ((value - low) / (high - low || 1)) * (SIDE - 2 * MARGIN);
  });
  for (let i = 0; i < classes.length; i++) {
    const [column, row] = [Math.round(across(points[2 * i])), Math.round(SIDE - up(points[2 * i + 1]))];
    for (let y = row - RADIUS; y <= row + RADIUS; y++) {
      for (let x = column - RADIUS; x <= column + RADIUS; x++) {
        if (x < 0 || y < 0 || x >= SIDE || y >= SIDE) continue;
        COLOURS[classes[i] % COLOURS.length].forEach((value, c) => (data[(c * SIDE + y) * SIDE + x] = value));
      }
    }
  }
  return { data, shape: [3, SIDE, SIDE] };
}
