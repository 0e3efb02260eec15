// Curves of the chosen runs, a chart for each metric: the raw values faint, smoothed ones over them, one colour a run.

import { largest, smallest } from '../../../tensor/extremes.js';
import uPlot from 'uplot';
import type { RunRow, SeriesData } from '../api.js';
import { colourOf, h, short } from './dom.js';
import { isLowerBetter } from '../../../train/compare.js';
import type { View } from './state.js';

/** More runs than these are drawn on a common grid of so many places. */
const [MANY_RUNS, GRID] = [20, 800];
const DASHES: Readonly<Record<string, number[]>> = { train: [6, 4] };

export interface Curves {
  readonly element: HTMLElement;
  show(series: readonly SeriesData[], runs: readonly RunRow[], view: View): void;
}

interface Drawn {
  readonly box: HTMLElement;
  readonly plot: uPlot;
  /** What it was made for: where that is the same, only the data change. */
  readonly form: string;
}

export function makeCurves(onZoom: (zoom: View['zoom']) => void): Curves {
  const element = h('div', { className: 'charts' });
  const drawn = new Map<string, Drawn>();
  const sizes = new ResizeObserver((entries) => {
    for (const { target } of entries)
      for (const { box, plot } of drawn.values())
        if (box === target && box.clientWidth > 0) plot.setSize({ width: box.clientWidth, height: plot.height });
  });

  const show = (series: readonly SeriesData[], runs: readonly RunRow[], view: View): void => {
    const names = [...new Set(series.map(({ chart }) => chart))].toSorted(order);
    for (const [name, { box, plot }] of drawn) {
      if (names.includes(name)) continue;
      plot.destroy();
      box.remove();
      drawn.delete(name);
    }
    for (const name of names) {
      const lines = series.filter(({ chart }) => chart === name).flatMap((line) => linesOf(line, runs, view));
      const data = joined(lines, runs.length > MANY_RUNS);
      const form = JSON.stringify([view.axis, view.log, lines.map(({ label, colour }) => [label, colour])]);
      const old = drawn.get(name);
      if (old?.form === form) {
        old.plot.setData(data);
        continue;
      }
      old?.plot.destroy();
      const box = old?.box ?? h('section', { className: 'chart', attributes: { 'data-chart': name } });
      box.replaceChildren();
      if (old === undefined) element.append(box);
      const plot = new uPlot(optionsOf(name, lines, view, box.clientWidth || 480, onZoom), data, box);
      drawn.set(name, { box, plot, form });
      sizes.observe(box);
    }
    element.append(...names.flatMap((name) => drawn.get(name)?.box ?? [])); // in order
    element.classList.toggle('empty', names.length === 0);
  };
  return { element, show };
}

/** Losses first, then what is measured, then what is set. */
function order(a: string, b: string): number {
  const rank = (name: string): number =>
    name === 'loss' ? 0 : /^(lr|gradient norm|samples per second)$/.test(name) ? 2 : 1;
  return rank(a) - rank(b) || a.localeCompare(b, 'en', { numeric: true });
}

interface DrawnLine {
  readonly label: string;
  readonly colour: string;
  readonly width: number;
  readonly dash: number[] | undefined;
  readonly x: number[];
  readonly y: (number | null)[];
  /** Only faint, behind the smoothed line. */
  readonly isRaw: boolean;
}

function linesOf(
  { run: id, chart, part, step, epoch, seconds, value }: SeriesData,
  runs: readonly RunRow[],
  view: View,
): DrawnLine[] {
  const run = runs.find((row) => row.id === id);
  if (run === undefined) return [];
  const axis = view.axis === 'step' ? step : view.axis === 'epoch' ? epoch : seconds;
  const kept = axis.flatMap((place, i) => (place === null ? [] : i));
  const x = kept.map((i) => axis[i] as number);
  const y = kept.map((i) => value[i]);
  const colour = colourOf(id);
  const label =
    part === '' || part === 'validation' ? run.name : `${run.name} · ${part === 'step' ? 'each step' : part}`;
  const line = { label, colour, x, dash: DASHES[part], isRaw: false };
  const isSmoothed = (part === 'step' || part === '') && chart !== 'lr'; // those of epochs are means already
  if (!isSmoothed || view.smoothing === 0 || y.length < 4)
    return [{ ...line, y, width: part === 'validation' ? 2 : 1.25 }];
  return [
    { ...line, y, width: 1, colour: `${colour}40`, isRaw: true },
    { ...line, y: smoothed(y, view.smoothing), width: 1.75 },
  ];
}

/** Exponential moving average whose beginning is not drawn to 0. */
export function smoothed(values: readonly (number | null)[], weight: number): (number | null)[] {
  let [sum, count] = [0, 0];
  return values.map((value) => {
    if (value === null) return null;
    sum = sum * weight + value * (1 - weight);
    count++;
    return sum / (1 - weight ** count);
  });
}

function joined(lines: readonly DrawnLine[], isGrid: boolean): uPlot.AlignedData {
  if (lines.length === 0) return [[]];
  if (!isGrid) return uPlot.join(lines.map(({ x, y }) => [x, y] as uPlot.AlignedData));
  const all = lines.flatMap(({ x }) => [x[0] ?? 0, x.at(-1) ?? 0]);
  const [low, high] = [smallest(all), largest(all)];
  const size = (high - low) / GRID || 1;
  const tables = lines.map(({ x, y }) => {
    const cells = new Map<number, number | null>();
    x.forEach((place, i) => cells.set(low + Math.round((place - low) / size) * size, y[i]));
    return [[...cells.keys()], [...cells.values()]] as uPlot.AlignedData;
  });
  return uPlot.join(tables);
}

function optionsOf(
  name: string,
  lines: readonly DrawnLine[],
  view: View,
  width: number,
  onZoom: (zoom: View['zoom']) => void,
): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const [ink, grid] = [style.getPropertyValue('--ink-soft'), style.getPropertyValue('--line')];
  const axis: uPlot.Axis = {
    stroke: ink,
    grid: { stroke: grid, width: 1 },
    ticks: { stroke: grid, width: 1 },
    font: '12px system-ui',
  };
  const isLog = view.log && (isLowerBetter(name) || /lr|norm/.test(name));
  return {
    title: name === 'lr' ? 'learning rate' : name,
    width,
    height: 260,
    padding: [null, 30, null, null], // half of the last number below the axis
    legend: { show: false },
    cursor: {
      sync: { key: 'nabla' },
      focus: { prox: 30 },
      drag: { x: true, y: false, setScale: view.axis !== 'step' },
    },
    focus: { alpha: 0.3 },
    scales: { x: { time: false }, y: { distr: isLog ? 3 : 1 } },
    axes: [
      { ...axis, label: view.axis, labelSize: 18, size: 34 },
      { ...axis, size: 62, values: (_, values) => values.map((value) => (value === null ? '' : short(value))) },
    ],
    series: [
      {},
      ...lines.map(({ label, colour, width: lineWidth, dash, isRaw }): uPlot.Series => ({
        label,
        stroke: colour,
        width: lineWidth,
        spanGaps: true,
        points: { show: (plot, i) => !isRaw && (plot.data[i] as ArrayLike<number>).length < 40 },
        ...(dash !== undefined && { dash }),
      })),
    ],
    hooks: {
      setSelect: [
        (plot) => {
          const { left, width: selected } = plot.select;
          if (selected < 4 || view.axis !== 'step') return;
          onZoom({ from: Math.floor(plot.posToVal(left, 'x')), to: Math.ceil(plot.posToVal(left + selected, 'x')) });
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        },
      ],
      ready: [(plot) => plot.over.addEventListener('dblclick', () => onZoom(undefined))],
    },
    plugins: [tooltip(lines)],
  };
}

/** What the nearest line is, and its value. */
function tooltip(lines: readonly DrawnLine[]): uPlot.Plugin {
  const box = h('div', { className: 'tooltip', hidden: true });
  let nearest: number | null = null;
  return {
    hooks: {
      init: (plot) => void plot.over.append(box),
      setSeries: (_, i) => void (nearest = i),
      setCursor: (plot) => {
        const { left = -1, idx } = plot.cursor;
        if (left < 0 || idx === null || idx === undefined || nearest === null || nearest < 1) {
          box.hidden = true;
          return;
        }
        const line = lines[nearest - 1];
        const place = (plot.data[0] as ArrayLike<number>)[idx];
        const at = line?.x.reduce((best, x, i) => (Math.abs(x - place) < Math.abs(line.x[best] - place) ? i : best), 0);
        if (line === undefined || at === undefined || line.y[at] === null) {
          box.hidden = true;
          return;
        }
        box.hidden = false;
        box.textContent = `${line.label}: ${short(line.y[at])} at ${short(line.x[at])}`;
        box.style.borderColor = line.colour;
      },
    },
  };
}
