// Pictures made of characters: digits in shades, a confusion matrix. Pure: numbers in, lines out.

import type { Style } from './terminal.js';
import { largest } from '../tensor/extremes.js';

const SHADES = [' ', '░', '▒', '▓', '█'];
export const SIDE = 8;

/** An 8×8 grid of numbers 0 … 16 as eight lines of 16 characters: two to a pixel, which makes it about square. */
export function drawDigit(pixels: ArrayLike<number>): string[] {
  return Array.from({ length: SIDE }, (_, row) => {
    let line = '';
    for (let column = 0; column < SIDE; column++) {
      const share = Math.min(Math.max(pixels[row * SIDE + column] / 16, 0), 1);
      line += SHADES[Math.round(share * (SHADES.length - 1))].repeat(2);
    }
    return line;
  });
}

/** A picture that is wider than this has a character for each pixel and the one below it; else two for each pixel. */
const WIDE = 16;
/** Characters in a line; larger pictures are made smaller. */
const MOST = 56;

/** A picture of any size, numbers from 0 to 1, channels one after the other, as lines of equal length. */
export function drawImage(pixels: ArrayLike<number>, [channels, height, width]: readonly number[]): string[] {
  const shrink = Math.ceil(width / MOST);
  const [stepX, stepY] = width <= WIDE ? [1, 1] : [shrink, 2 * shrink];
  const meanOf = (top: number, left: number): number => {
    let [sum, count] = [0, 0];
    for (let c = 0; c < channels; c++)
      for (let y = top; y < Math.min(top + stepY, height); y++)
        for (let x = left; x < Math.min(left + stepX, width); x++) {
          sum += pixels[(c * height + y) * width + x];
          count++;
        }
    return sum / count;
  };
  return Array.from({ length: Math.ceil(height / stepY) }, (_, row) =>
    Array.from({ length: Math.ceil(width / stepX) }, (_, column) => {
      const share = Math.min(Math.max(meanOf(row * stepY, column * stepX), 0), 1);
      return SHADES[Math.round(share * (SHADES.length - 1))].repeat(width <= WIDE ? 2 : 1);
    }).join(''),
  );
}

export interface Picture {
  readonly pixels: ArrayLike<number>;
  /** One or two short lines below it. */
  readonly caption: readonly string[];
}

const GAP = 3;
const WIDTH = 2 * SIDE;

/** Pictures next to each other, as many to a row as fit into `columns`. */
export function drawGallery(pictures: readonly Picture[], columns: number): string[] {
  const blocks = pictures.map(({ pixels, caption }) => [...drawDigit(pixels), ...caption]);
  return layOut(blocks, WIDTH, columns);
}

/** Blocks of lines next to each other, each `width` wide, as many to a row as fit into `columns`. */
export function layOut(all: readonly (readonly string[])[], width: number, columns: number): string[] {
  const perRow = Math.max(1, Math.floor((columns - 2 + GAP) / (width + GAP)));
  const lines: string[] = [];
  for (let start = 0; start < all.length; start += perRow) {
    const blocks = all.slice(start, start + perRow);
    const height = largest(blocks.map((block) => block.length));
    if (start > 0) lines.push('');
    for (let i = 0; i < height; i++) {
      lines.push(`  ${blocks.map((block) => (block[i] ?? '').padEnd(width)).join(' '.repeat(GAP))}`.trimEnd());
    }
  }
  return lines;
}

/** counts[label][prediction] as a table; zeros are dots, so that errors stand out. */
export function drawConfusion(counts: readonly (readonly number[])[], style?: Style): string[] {
  const plain = (text: string) => text;
  const { dim = plain, red = plain, green = plain } = style ?? {};
  const width = Math.max(3, largest(counts.flat().map((n) => String(n).length + 1)));
  const head = `       ${counts.map((_, i) => String(i).padStart(width)).join('')}`;
  const rows = counts.map((row, label) => {
    const cells = row.map((n, prediction) => {
      const text = (n === 0 ? '·' : String(n)).padStart(width);
      if (n === 0) return dim(text);
      return label === prediction ? green(text) : red(text);
    });
    return `     ${label} ${cells.join('')}`;
  });
  return [dim(head), ...rows];
}

/** counts[label][prediction] */
export function confusion(labels: ArrayLike<number>, predictions: ArrayLike<number>, classes: number): number[][] {
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let i = 0; i < labels.length; i++) counts[labels[i]][predictions[i]]++;
  return counts;
}
