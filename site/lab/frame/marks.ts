// Marks that several figures draw: colours for many lines, a legend, a histogram, a matrix with words at its sides.

import type { Box, Plot } from './plot.js';

/** Hues apart, for a dozen lines on light and dark. */
export function hue(i: number): string {
  const angle = (i * 138 + 210) % 360;
  // Blue and violet are dark for the eye.
  return `hsl(${angle} 70% ${angle > 220 && angle < 300 ? 64 : 52}%)`;
}

/** Words in their colours, one below the other, in a corner of a plot with axes. */
export function legend(
  plot: Plot,
  entries: readonly (readonly [text: string, colour: string])[],
  { right = true, bottom = false }: { readonly right?: boolean; readonly bottom?: boolean } = {},
): void {
  const { x0, x1, y0, y1 } = plot.box;
  const line = (17 * (y1 - y0)) / plot.height;
  entries.forEach(([text, colour], i) => {
    const y = bottom ? y0 + (entries.length - i) * line : y1 - (i + 0.7) * line;
    const x = right ? x1 - 0.02 * (x1 - x0) : x0 + 0.02 * (x1 - x0);
    plot.ground(text, x, y, right);
    plot.text(text, x, y, { colour, align: right ? 'right' : 'left' });
  });
}

/** The smallest and largest of numbers, without those that are none. */
export function extent(numbers: Iterable<number>): [least: number, most: number] {
  let [least, most] = [Infinity, -Infinity];
  for (const n of numbers) {
    if (!Number.isFinite(n)) continue;
    least = Math.min(least, n);
    most = Math.max(most, n);
  }
  return least <= most ? [least, most] : [0, 1];
}

/** Lines over the same steps: what stands at index i of each belongs to `at[i]`. */
export function lines(
  plot: Plot,
  at: ArrayLike<number>,
  series: readonly {
    readonly values: ArrayLike<number>;
    readonly colour: string;
    readonly width?: number;
    readonly dash?: number[];
  }[],
): void {
  for (const { values, colour, width, dash } of series)
    plot.line(
      Array.from(values, (v, i): [number, number] => [at[i]!, v]),
      colour,
      { width, dash },
    );
}

/** Bars of counts in a part of a plot, the highest as high as that part. */
export function histogram(plot: Plot, counts: ArrayLike<number>, colour: string, into: Box = plot.box): void {
  const most = extent(Array.from(counts))[1] || 1;
  const width = (into.x1 - into.x0) / counts.length;
  for (let i = 0; i < counts.length; i++)
    plot.fill(into.x0 + i * width, into.y0, width * 0.9, ((into.y1 - into.y0) * counts[i]!) / most, colour);
}

/** Rows of a picture, the first at the top, in the order in which a plot draws them: from the lowest. */
export const upright = (data: ArrayLike<number>, rows: number, columns: number): Float32Array =>
  Float32Array.from(
    { length: rows * columns },
    (_, i) => data[(rows - 1 - Math.floor(i / columns)) * columns + (i % columns)]!,
  );

/**
 * A matrix of rows × columns numbers from 0 to 1 (or −1 to 1) in a part of a plot in pixels (y upwards), its first row at the top, with a word
 * beside each row and above each column.
 */
export function matrix(
  plot: Plot,
  data: ArrayLike<number>,
  [rows, columns]: readonly [number, number],
  into: Box,
  {
    above = [],
    beside = [],
    isUpright = false,
  }: {
    readonly above?: readonly string[];
    readonly beside?: readonly string[];
    /** Words above are written upwards: long ones over narrow columns. */
    readonly isUpright?: boolean;
  } = {},
): void {
  plot.heat(upright(data, rows, columns), rows, columns, { strength: 1, smooth: false, into });
  const colour = plot.colour('muted');
  const [width, height] = [(into.x1 - into.x0) / columns, (into.y1 - into.y0) / rows];
  beside.forEach((word, i) => plot.text(word, into.x0 - 5, into.y1 - (i + 0.5) * height, { align: 'right', colour }));
  above.forEach((word, i) => {
    const x = into.x0 + (i + 0.5) * width;
    if (isUpright) plot.upward(word, x, into.y1 + 5, colour);
    else plot.text(word, x, into.y1 + 9, { align: 'center', colour });
  });
}
