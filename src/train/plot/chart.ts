// What a chart is, and its axes: ranges, round ticks, labels. Plain data for the two that draw it, as SVG and as text.

import type { Area } from './area.js';

export interface Series {
  readonly name: string;
  readonly x: readonly number[];
  /** As many as x; what is not finite is a gap. */
  readonly y: readonly number[];
  /** Which colour; series of one run share it. */
  readonly colour: number;
  /** Dots, points (larger, each one drawn) and crosses are not joined. */
  readonly look: 'solid' | 'dashed' | 'faint' | 'dots' | 'points' | 'crosses';
  /** Place of the point to point out: the best one. */
  readonly mark?: number;
}

export interface Chart {
  readonly title: string;
  readonly xLabel: string;
  /** Default `whole`: ticks at whole numbers. */
  readonly xScale?: 'whole' | 'linear' | 'log';
  readonly series: readonly Series[];
  /** Logarithmic; values of 0 and below are gaps. */
  readonly log: boolean;
  /** Beside the y axis. Default: nothing, where the title says it. */
  readonly yLabel?: string;
  /** Behind the series, in pictures: fields of classes or heights. The axes end where it ends. */
  readonly area?: Area;
}

/** Whether the points of a series are joined by lines. */
export function isJoined({ look }: Series): boolean {
  return look === 'solid' || look === 'dashed' || look === 'faint';
}

export interface Tick {
  readonly at: number;
  readonly label: string;
}

export interface Axis {
  readonly ticks: readonly Tick[];
  /** A value's place between 0 (low end) and 1; NaN for one that has none. */
  place(value: number): number;
}

export interface AxisOptions {
  readonly log?: boolean;
  /** About so many ticks. */
  readonly ticks: number;
  /** Ticks at whole numbers only. */
  readonly whole?: boolean;
  /** The ends are the ends of the data instead of ticks. */
  readonly tight?: boolean;
}

/** The x axis of a chart with about `ticks` ticks. */
export function xAxisOf({ series, xScale = 'whole', area }: Chart, ticks: number): Axis {
  const values = area === undefined ? series.flatMap((s) => s.x) : area.x;
  return axisOf(values, { ticks, tight: true, whole: xScale === 'whole', log: xScale === 'log' });
}

/** The y axis of a chart with about `ticks` ticks. */
export function yAxisOf({ series, log, area }: Chart, ticks: number): Axis {
  if (area !== undefined) return axisOf(area.y, { ticks, log, tight: true });
  return axisOf(
    series.flatMap((s) => s.y),
    { ticks, log },
  );
}

/** An axis on which all (finite) values have a place. */
export function axisOf(values: readonly number[], options: AxisOptions): Axis {
  const usable = values.filter((v) => Number.isFinite(v) && (options.log !== true || v > 0));
  let low = usable.reduce((a, b) => Math.min(a, b), Infinity);
  let high = usable.reduce((a, b) => Math.max(a, b), -Infinity);
  if (low > high) [low, high] = options.log === true ? [0.1, 1] : [0, 1];
  return options.log === true ? logAxis(low, high, options) : linearAxis(low, high, options);
}

function linearAxis(low: number, high: number, { ticks, whole = false, tight = false }: AxisOptions): Axis {
  if (low === high) {
    const room = low === 0 ? 1 : Math.abs(low) * 0.1;
    [low, high] = [low - room, high + room];
  }
  const step = Math.max(roundStep((high - low) / ticks), whole ? 1 : 0);
  const [from, to] = tight ? [low, high] : [Math.floor(low / step) * step, Math.ceil(high / step) * step];
  const first = Math.ceil(from / step - 1e-9);
  const count = Math.floor(to / step + 1e-9) - first + 1;
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const format = (v: number) => {
    const size = Math.max(Math.abs(from), Math.abs(to));
    if (v === 0) return '0';
    if (size >= 1e6 || size < 1e-4) return shortPower(v);
    return v.toFixed(isMultiple(step, 10 ** -decimals) ? decimals : decimals + 1);
  };
  return {
    ticks: Array.from({ length: Math.max(0, count) }, (_, i) => {
      const at = Number(((first + i) * step).toPrecision(12));
      return { at, label: format(at) };
    }),
    place: (value) => (value - from) / (to - from),
  };
}

function isMultiple(value: number, unit: number): boolean {
  return Math.abs(value / unit - Math.round(value / unit)) < 1e-6;
}

/** 1, 2, 2.5 or 5 times a power of ten, near the value and not below it. */
function roundStep(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const factor = [1, 2, 2.5, 5, 10].find((f) => f * power >= value * (1 - 1e-9)) as number;
  return factor * power;
}

function logAxis(low: number, high: number, { ticks }: AxisOptions): Axis {
  if (low === high) [low, high] = [low / 2, high * 2];
  const room = (Math.log10(high) - Math.log10(low)) * 0.03;
  const [from, to] = [Math.log10(low) - room, Math.log10(high) + room];
  const decades = Math.floor(to) - Math.ceil(from) + 1;
  const every = Math.max(1, Math.ceil(decades / (ticks + 1)));
  const factors = decades >= 3 ? [1] : decades === 2 ? [1, 3] : [1, 2, 3, 5, 7];
  const places: number[] = [];
  for (let power = Math.floor(from); power <= to; power++) {
    if (decades >= 3 && power % every !== 0) continue;
    for (const factor of factors) places.push(Number((factor * 10 ** power).toPrecision(6)));
  }
  const inside = places.filter((v) => Math.log10(v) >= from && Math.log10(v) <= to);
  // Less than a decade has few round places: those of a linear axis are closer together.
  const narrow = () => linearAxis(10 ** from, 10 ** to, { ticks, tight: true }).ticks.map(({ at }) => at);
  const shown = inside.length >= Math.min(ticks, 3) ? inside : narrow();
  return {
    ticks: shown.map((at) => ({ at, label: at >= 1e-3 && at < 1e5 ? String(at) : shortPower(at) })),
    place: (value) => (value > 0 ? (Math.log10(value) - from) / (to - from) : NaN),
  };
}

/** 2.5e7 */
function shortPower(value: number): string {
  return value.toExponential(1).replace('.0e', 'e').replace('e+', 'e');
}

/** At most about `most` points: of each stretch the lowest and the highest, in order. */
export function thinOut(series: Series, most: number): { x: number[]; y: number[] } {
  const { x, y } = series;
  if (x.length <= most) return { x: [...x], y: [...y] };
  const stretch = Math.ceil((2 * x.length) / most);
  const kept: number[] = [];
  for (let start = 0; start < x.length; start += stretch) {
    let [lowest, highest] = [-1, -1];
    for (let i = start; i < Math.min(start + stretch, x.length); i++) {
      if (!Number.isFinite(y[i])) continue;
      if (lowest < 0 || y[i] < y[lowest]) lowest = i;
      if (highest < 0 || y[i] > y[highest]) highest = i;
    }
    if (lowest < 0) kept.push(start);
    else if (lowest === highest) kept.push(lowest);
    else kept.push(Math.min(lowest, highest), Math.max(lowest, highest));
  }
  return { x: kept.map((i) => x[i]), y: kept.map((i) => y[i]) };
}
