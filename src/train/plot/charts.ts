// Charts of optimisation and sampling: how costs fall, which ways optimisers take over a surface, where a Markov chain has been.
//   Numbers in, charts out, for `chartSvg` and `chartText`.

import {
  ArgumentError,
  type OptionNames,
  checkFunction,
  checkList,
  checkNeededOptions,
  checkNumber,
  checkNumbers,
  checkOptions,
  checkRecord,
  checkText,
  checkWhole,
} from '../../tensor/library.js';
import type { Chart, Series } from './chart.js';

/** Colours that stand out from all heights; an optimiser has the same one in both pictures. */
const SHOWN = [1, 5, 3, 7, 2, 4, 0];

export interface ConvergenceOptions {
  /** Default 'convergence'. */
  readonly title?: string;
  /** What the x axis counts. Default 'iteration'. */
  readonly xLabel?: string;
  /** The minimum, if it is known: what is drawn is the distance to it. Default 0. */
  readonly minimum?: number;
  /** Logarithmic y axis. Default true. */
  readonly log?: boolean;
}

const CONVERGENCE: OptionNames<ConvergenceOptions> = { title: true, xLabel: true, minimum: true, log: true };

/**
 * How costs fall, each list a curve, on a logarithmic scale.
 *
 *     await writeFile('fall.svg', chartSvg([convergenceChart({ newton: a.history, 'gradient descent': b.history })]));
 */
export function convergenceChart(
  histories: Readonly<Record<string, ArrayLike<number>>>,
  options: ConvergenceOptions = {},
): Chart {
  const op = 'convergenceChart';
  checkRecord(op, 'the argument', histories, 'lists of costs');
  checkOptions(op, options, CONVERGENCE);
  const { title = 'convergence', xLabel = 'iteration', minimum = 0, log = true } = options;
  checkNumber(op, 'minimum', minimum);
  const series = Object.entries(histories).map(([name, costs], i): Series => {
    checkNumbers(op, `'${name}'`, costs);
    const y = Array.from(costs, (cost) => cost - minimum);
    return { name, x: y.map((_, k) => k), y, colour: SHOWN[i % SHOWN.length], look: 'solid' };
  });
  if (series.length === 0) throw new ArgumentError(`${op}: there are no costs. Give { name: history }.`);
  return { title, xLabel, series, log };
}

export interface SurfaceOptions {
  /** Ends of the x axis. */
  readonly x: readonly [low: number, high: number];
  /** Ends of the y axis. */
  readonly y: readonly [low: number, high: number];
  /** Ways over the surface, by their names: each a list of points. */
  readonly paths?: Readonly<Record<string, readonly (readonly [number, number])[]>>;
  /** Default 'loss surface'. */
  readonly title?: string;
  /** Cells along each axis. Default 120. */
  readonly resolution?: number;
  /** Contour lines. Default 12. */
  readonly levels?: number;
  /** Heights and contours by their logarithm above the lowest one: for narrow valleys. Default false. */
  readonly log?: boolean;
}

const SURFACE: OptionNames<SurfaceOptions> = {
  x: true,
  y: true,
  paths: true,
  title: true,
  resolution: true,
  levels: true,
  log: true,
};

/**
 * A function of two numbers from above, with contour lines, and the ways that optimisers have taken over it; each ends with a cross.
 *
 *     surfaceChart((x, y) => x ** 2 + 10 * y ** 2, { x: [-2, 2], y: [-1, 1], paths: { sgd: [[-1, 1], [0, 0]] } });
 */
export function surfaceChart(fn: (x: number, y: number) => number, options: SurfaceOptions): Chart {
  const op = 'surfaceChart';
  checkFunction(op, fn);
  checkNeededOptions(op, options, SURFACE, '{ x: [-1, 1], y: [-1, 1] }');
  const { title = 'loss surface', resolution = 120, levels = 12, log = false, paths = {} } = options;
  checkWhole(op, 'resolution', resolution, 2);
  checkWhole(op, 'levels', levels);
  checkRecord(op, 'paths', paths, 'lists of points');
  const [x, y] = [endsOf(op, 'x', options.x), endsOf(op, 'y', options.y)];
  const at = ([low, high]: readonly [number, number], i: number): number =>
    low + ((high - low) * (i + 0.5)) / resolution;
  const raw = Float64Array.from({ length: resolution * resolution }, (_, i) =>
    fn(at(x, i % resolution), at(y, Math.floor(i / resolution))),
  );
  const values = log ? aboveLowest(raw) : raw;
  const series = Object.entries(paths).flatMap(([name, points], i): Series[] => {
    checkList(op, `path '${name}'`, points, 'points [x, y]');
    for (const point of points) checkNumbers(op, `a point of '${name}'`, point);
    if (points.length === 0) throw new ArgumentError(`${op}: path '${name}' has no points.`);
    const colour = SHOWN[i % SHOWN.length];
    const [px, py] = [points.map((p) => p[0]), points.map((p) => p[1])];
    return [
      { name, x: px, y: py, colour, look: 'solid' },
      { name, x: px.slice(-1), y: py.slice(-1), colour, look: 'crosses' },
    ];
  });
  const area = {
    x,
    y,
    columns: resolution,
    rows: resolution,
    values,
    kind: 'heights' as const,
    levels: evenLevels(values, levels),
  };
  return { title, xLabel: 'x', yLabel: 'y', xScale: 'linear', series, log: false, area };
}

function endsOf(op: string, what: string, ends: unknown): readonly [number, number] {
  checkNumbers(op, what, ends);
  const [low, high] = ends as readonly number[];
  if (Number.isFinite(low) && Number.isFinite(high) && low < high) return [low, high];
  throw new ArgumentError(`${op}: ${what} goes from ${low} to ${high}. Give two numbers, the smaller one first.`);
}

function aboveLowest(values: Float64Array): Float64Array {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const least = (high - low) * 1e-5 || 1;
  return values.map((value) => Math.log10(value - low + least));
}

/** Heights that as many cells lie between: contour lines are spread over the picture, and not crowded on its slopes. */
function evenLevels(values: Float64Array, count: number): number[] {
  const sorted = values.filter((v) => Number.isFinite(v)).sort();
  if (sorted.length === 0) return [];
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  return Array.from({ length: count }, (_, i) => at((i + 0.5) / count));
}

export interface TraceOptions {
  /** Default 'trace'. */
  readonly title?: string;
  /** Samples at the beginning that do not count: a line ends them, and the mean leaves them out. Default 0. */
  readonly burnIn?: number;
}

const TRACE: OptionNames<TraceOptions> = { title: true, burnIn: true };

/**
 * Where Markov chains have been: the samples of each by its name, faint, and the mean of them all since the burn-in.
 *
 *     traceChart({ 'chain 1': samples, 'chain 2': others }, { burnIn: 200 });
 */
export function traceChart(chains: Readonly<Record<string, ArrayLike<number>>>, options: TraceOptions = {}): Chart {
  const op = 'traceChart';
  checkRecord(op, 'the argument', chains, 'lists of samples');
  checkOptions(op, options, TRACE);
  const { title = 'trace', burnIn = 0 } = options;
  checkText(op, 'title', title);
  checkWhole(op, 'burnIn', burnIn);
  const entries = Object.entries(chains);
  if (entries.length === 0) throw new ArgumentError(`${op}: there are no chains. Give { name: samples }.`);
  const series = entries.map(([name, samples], i): Series => {
    checkNumbers(op, `'${name}'`, samples);
    const y = Array.from(samples);
    return { name, x: y.map((_, k) => k), y, colour: i, look: entries.length > 1 ? 'faint' : 'solid' };
  });
  const all = series.map(({ y }) => y);
  const length = all.reduce((most, y) => Math.max(most, y.length), 0);
  if (burnIn >= length)
    throw new ArgumentError(`${op}: burnIn is ${burnIn}, and there are ${length} samples. Use fewer.`);
  const kept = all.flatMap((y) => y.slice(burnIn));
  const mean = kept.reduce((a, b) => a + b, 0) / kept.length;
  const line: Series = { name: 'mean', x: [burnIn, length - 1], y: [mean, mean], colour: 7, look: 'dashed' };
  return { title, xLabel: 'sample', series: [...series, line], log: false };
}
