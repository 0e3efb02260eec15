// Where a resampled image takes its elements from, dimension by dimension: sizes, factor and mode in, an AxisMap out. Every mode is
// PyTorch's, down to how positions are rounded.

import { AxisMap, type Source } from './axis-map.js';

export type ResampleMode = 'nearest' | 'nearest-exact' | 'linear' | 'bilinear' | 'trilinear' | 'bicubic' | 'area';

/** What decides where an axis takes its elements from. */
export interface Sampling {
  readonly from: number;
  readonly to: number;
  /** The output's size over the input's, as given: it need not be the quotient of the whole sizes. */
  readonly factor: number | undefined;
  readonly mode: Exclude<ResampleMode, 'area'>;
  readonly alignCorners: boolean;
  /** Whether an element of a smaller image is a mean over all that it stands for. */
  readonly antialias: boolean;
}

/** Those of late, since a network asks for the same ones in every step. */
const recent = new Map<string, AxisMap>();
const MOST_RECENT = 64;

export function mapOf(sampling: Sampling): AxisMap {
  const { from, to, factor, mode, alignCorners, antialias } = sampling;
  const key = `${from} ${to} ${factor} ${mode} ${alignCorners} ${antialias}`;
  const known = recent.get(key);
  if (known !== undefined) return known;
  const map = new AxisMap(from, sourcesOf(sampling));
  if (recent.size >= MOST_RECENT) recent.clear();
  recent.set(key, map);
  return map;
}

function sourcesOf(sampling: Sampling): Source[][] {
  if (sampling.mode === 'nearest') return nearestSources(sampling);
  if (sampling.mode === 'nearest-exact') return nearestCentres(sampling);
  return sampling.antialias ? filteredSources(sampling) : smoothSources(sampling);
}

/** Positions beyond the border mean the border. */
function clamp(index: number, size: number): number {
  return Math.min(Math.max(index, 0), size - 1);
}

/** The element that begins where the result's does. In float32, as PyTorch: rounding decides which of two neighbours it is. */
function nearestSources({ from, to, factor }: Sampling): Source[][] {
  const scale = Math.fround(factor === undefined ? from / to : 1 / factor);
  return Array.from({ length: to }, (_, i) => [[clamp(Math.floor(Math.fround(i * scale)), from), 1]]);
}

/** The element that holds the centre of the result's; in float32, as above. */
function nearestCentres({ from, to, factor }: Sampling): Source[][] {
  const scale = Math.fround(factor === undefined ? from / to : 1 / factor);
  return Array.from({ length: to }, (_, i) => {
    const position = Math.max(Math.fround(Math.fround(scale * (i + 0.5)) - 0.5), 0);
    return [[clamp(Math.floor(Math.fround(position + 0.5)), from), 1]];
  });
}

// ---------------------------------------------------------------- linear and cubic

/** The kernel of Keys (1981) at a distance from its centre. */
function cubic(distance: number, a: number): number {
  const d = Math.abs(distance);
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

/** PyTorch's constants of the kernel: between elements, and as a filter of those that become fewer, where it follows PIL. */
const BETWEEN = -0.75;
const FILTER = -0.5;

/** Which input elements an output element takes, and how much of each; those of weight 0 too, as PyTorch: 0 · NaN is NaN. */
function sourcesAt(position: number, size: number, isCubic: boolean): Source[] {
  if (!isCubic) position = Math.max(position, 0);
  const at = Math.floor(position);
  const t = position - at;
  if (isCubic) return [-1, 0, 1, 2].map((i) => [clamp(at + i, size), cubic(t - i, BETWEEN)]);
  return [
    [clamp(at, size), 1 - t],
    [clamp(at + 1, size), t],
  ];
}

/** The distance in the input of neighbours in the result. */
function scaleOf({ from, to, factor, alignCorners }: Sampling): number {
  if (alignCorners) return to > 1 ? (from - 1) / (to - 1) : 0;
  return factor === undefined ? from / to : 1 / factor;
}

function smoothSources(sampling: Sampling): Source[][] {
  const { from, to, mode, alignCorners } = sampling;
  const isCubic = mode === 'bicubic';
  if (from === to && !isCubic) {
    // Whatever the factor: each pixel is itself, and a neighbour that it does not need is itself as well.
    return Array.from({ length: to }, (_, i) => [
      [i, 1],
      [i, 0],
    ]);
  }
  const scale = scaleOf(sampling);
  const positionOf = (i: number): number => (alignCorners ? i * scale : (i + 0.5) * scale - 0.5);
  return Array.from({ length: to }, (_, i) => sourcesAt(positionOf(i), from, isCubic));
}

/** All elements under the kernel, which is as wide as what an element of the result stands for. */
function filteredSources(sampling: Sampling): Source[][] {
  const { from, to, mode } = sampling;
  const isCubic = mode === 'bicubic';
  const scale = scaleOf(sampling);
  const width = Math.max(scale, 1);
  const support = (isCubic ? 2 : 1) * width;
  const filter = (distance: number): number =>
    isCubic ? cubic(distance, FILTER) : Math.max(1 - Math.abs(distance), 0);
  return Array.from({ length: to }, (_, i) => {
    const centre = scale * (i + 0.5);
    const first = Math.max(Math.trunc(centre - support + 0.5), 0);
    const count = Math.max(Math.min(Math.trunc(centre + support + 0.5), from) - first, 0);
    const weights = Array.from({ length: count }, (_, k) => filter((first + k - centre + 0.5) / width));
    const total = weights.reduce((a, b) => a + b, 0);
    return weights.map((weight, k): Source => [first + k, total === 0 ? weight : weight / total]);
  });
}
