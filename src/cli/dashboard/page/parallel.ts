// Parallel coordinates: an axis for each setting in which runs differ and for each metric, a line a run. Dragging along an axis
// keeps the runs that pass there, a click on its name lets all of them through again.

import { largest, smallest } from '../../../tensor/extremes.js';
import type { RunRow } from '../api.js';
import { colourOf, h, short, svg } from './dom.js';
import { valueOf } from './state.js';
import { differing, metricsOf } from './table.js';

const [HEIGHT, TOP, BOTTOM] = [420, 56, 24];

interface Scale {
  readonly name: string;
  /** Where a run passes, in pixels from above; undefined where it has no such value. */
  at(run: RunRow): number | undefined;
  readonly marks: readonly { readonly y: number; readonly text: string }[];
}

function scaleOf(name: string, runs: readonly RunRow[]): Scale {
  const values = runs.map((run) => valueOf(run, name)).filter((value) => value !== undefined && value !== null);
  const range = HEIGHT - TOP - BOTTOM;
  if (values.every((value) => typeof value === 'number')) {
    const [low, high] = [smallest(values), largest(values)];
    const isLog = low > 0 && high / low > 50;
    const place = (value: number): number => {
      const part = isLog ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
      return TOP + range * (1 - (Number.isFinite(part) ? part : 0.5));
    };
    const marks = [0, 1 / 3, 2 / 3, 1].map((part) => (isLog ? low * (high / low) ** part : low + part * (high - low)));
    return {
      name,
      at: (run) => {
        const value = valueOf(run, name);
        return typeof value === 'number' ? place(value) : undefined;
      },
      marks: (low === high ? [low] : marks).map((value) => ({ y: place(value), text: short(value) })),
    };
  }
  const texts = [...new Set(values.map(String))].toSorted();
  const place = (text: string): number => TOP + range * ((texts.indexOf(text) + 0.5) / texts.length);
  return {
    name,
    at: (run) => {
      const value = valueOf(run, name);
      return value === undefined || value === null ? undefined : place(String(value));
    },
    marks: texts.map((text) => ({ y: place(text), text })),
  };
}

export function parallelCoordinates(
  runs: readonly RunRow[],
  width: number,
  onPick: (run: RunRow) => void,
): HTMLElement {
  const names = [...differing(runs), ...metricsOf(runs)];
  if (names.length < 2 || runs.length < 2)
    return h('p', {
      className: 'note',
      textContent: 'Two runs that differ in a setting or a result are needed for this view.',
    });
  const scales = names.map((name) => scaleOf(name, runs));
  const total = Math.max(width, names.length * 110);
  const x = (i: number): number => 60 + (i * (total - 120)) / (names.length - 1);
  const kept = new Map<number, readonly [number, number]>();
  const lines = runs.map((run) => {
    const points = scales.flatMap((scale, i) => {
      const y = scale.at(run);
      return y === undefined ? [] : `${x(i)},${y}`;
    });
    const line = svg('polyline', {
      points: points.join(' '),
      fill: 'none',
      stroke: colourOf(run.id),
      'stroke-width': 1.6,
      class: 'way',
    });
    line.append(svg('title', {}, run.name));
    line.addEventListener('click', () => onPick(run));
    return line;
  });
  const count = h('p', { className: 'note', attributes: { 'aria-live': 'polite' } });
  const filter = (): void => {
    let passing = 0;
    runs.forEach((run, r) => {
      const passes = [...kept].every(([i, [from, to]]) => {
        const y = scales[i].at(run);
        return y !== undefined && y >= from && y <= to;
      });
      if (passes) passing++;
      lines[r].classList.toggle('out', !passes);
    });
    count.textContent =
      kept.size === 0
        ? 'Drag along an axis to keep the runs that pass there.'
        : `${passing} of ${runs.length} runs pass.`;
  };
  const axes = scales.map((scale, i) =>
    axisOf(scale, x(i), (range) => {
      if (range === undefined) kept.delete(i);
      else kept.set(i, range);
      filter();
    }),
  );
  filter();
  const picture = svg(
    'svg',
    {
      viewBox: `0 0 ${total} ${HEIGHT}`,
      width: total,
      height: HEIGHT,
      role: 'img',
      'aria-label': 'runs as lines through their settings and results',
    },
    ...lines,
    ...axes,
  );
  return h('div', {}, count, h('div', { className: 'scroll' }, picture));
}

function axisOf(
  { name, marks }: Scale,
  x: number,
  keep: (range: readonly [number, number] | undefined) => void,
): SVGElement {
  const band = svg('rect', { x: x - 8, width: 16, y: TOP, height: 0, class: 'band' });
  const title = svg('text', { x, y: 24, 'text-anchor': 'middle', class: 'axis-name' }, name);
  const touch = svg('rect', { x: x - 14, width: 28, y: TOP - 8, height: HEIGHT - TOP - BOTTOM + 16, class: 'touch' });
  const axis = svg(
    'g',
    {},
    svg('line', { x1: x, x2: x, y1: TOP, y2: HEIGHT - BOTTOM, class: 'axis' }),
    ...marks.map(({ y, text }) => svg('text', { x: x + 6, y: y + 4, class: 'mark' }, text)),
    band,
    title,
    touch,
  );
  const set = (range: readonly [number, number] | undefined): void => {
    band.setAttribute('y', String(range?.[0] ?? TOP));
    band.setAttribute('height', String(range === undefined ? 0 : range[1] - range[0]));
    keep(range);
  };
  let begin: number | undefined;
  const place = (event: PointerEvent): number => {
    const { top, height } = (touch.ownerSVGElement as SVGSVGElement).getBoundingClientRect();
    return ((event.clientY - top) / height) * HEIGHT;
  };
  touch.addEventListener('pointerdown', (event) => {
    touch.setPointerCapture(event.pointerId);
    begin = place(event);
  });
  touch.addEventListener('pointermove', (event) => {
    if (begin !== undefined) set([Math.min(begin, place(event)), Math.max(begin, place(event))]);
  });
  touch.addEventListener('pointerup', (event) => {
    if (begin !== undefined && Math.abs(place(event) - begin) < 3) set(undefined);
    begin = undefined;
  });
  title.addEventListener('click', () => set(undefined));
  return axis;
}
