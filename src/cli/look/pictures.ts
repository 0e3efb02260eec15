// Filters and maps as small images for a contact sheet.
// Numbers in row-major order in, images out.

import type { HostImage } from '../../data/index.js';
import { largest, smallest } from '../../tensor/extremes.js';
import { drawHeat } from '../../vision/index.js';

/** As many as fit on a sheet that can be looked at. */
export const MOST = 64;

/** From 0 to 1: the smallest number to the largest; an even image is grey. */
export function stretched(numbers: Float32Array): Float32Array {
  const [low, high] = [smallest(numbers), largest(numbers)];
  return numbers.map((value) => (high > low ? (value - low) / (high - low) : 0.5));
}

/** Around 0, which is grey. */
function balanced(numbers: Float32Array): Float32Array {
  const most = largest(numbers.map(Math.abs));
  return numbers.map((value) => (most > 0 ? 0.5 + value / (2 * most) : 0.5));
}

/**
 * Filters [O, I, h, w], the first `MOST`: in colours where they look at three channels, else in grey; of more channels the one with the largest
 * weights is shown.
 */
export function filterImages(weights: Float32Array, [count, channels, height, width]: readonly number[]): HostImage[] {
  const area = height * width;
  return Array.from({ length: Math.min(count, MOST) }, (_, o): HostImage => {
    const filter = weights.slice(o * channels * area, (o + 1) * channels * area);
    if (channels === 3) return { data: balanced(filter), shape: [3, height, width] };
    const planes = Array.from({ length: channels }, (__, i) => filter.slice(i * area, (i + 1) * area));
    const strength = planes.map((plane) => plane.reduce((sum, value) => sum + value * value, 0));
    return { data: balanced(planes[strength.indexOf(largest(strength))]), shape: [1, height, width] };
  });
}

/** Maps [1, K, h, w], the first `MOST`, each from its smallest number (dark) to its largest (light). */
export function mapImages(maps: Float32Array, [, count, height, width]: readonly number[]): HostImage[] {
  const area = height * width;
  return Array.from({ length: Math.min(count, MOST) }, (_, k) =>
    drawHeat(stretched(maps.slice(k * area, (k + 1) * area)), [height, width]),
  );
}
