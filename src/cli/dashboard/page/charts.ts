// Small charts of one run: a line for each layer, or for one number.

import uPlot from 'uplot';
import { h, short } from './dom.js';

/** Of one in a row of as many as there is room for, in pixels: as the style sheet lays them out. */
export function chartWidth(width: number): number {
  const columns = Math.max(1, Math.floor((width + GAP) / (NARROWEST + GAP)));
  return Math.floor((width + GAP) / columns) - GAP - PADDING;
}

const [NARROWEST, GAP, PADDING] = [460, 14, 22];

/** From the first layer to the last: from blue to red, dark enough on white and light enough on black. */
export const shade = (i: number, count: number): string => `hsl(${220 - (220 * i) / Math.max(1, count - 1)} 70% 50%)`;

export function smallChart(
  title: string,
  steps: readonly number[],
  rows: readonly (readonly [string, readonly (number | null)[]])[],
  width: number,
): HTMLElement {
  const box = h('section', { className: 'chart' });
  const ink = getComputedStyle(document.documentElement).getPropertyValue('--ink-soft');
  const axis: uPlot.Axis = { stroke: ink, font: '12px system-ui', grid: { width: 1, stroke: '#8882' } };
  const options: uPlot.Options = {
    title,
    width,
    height: 240,
    padding: [null, 30, null, null], // half of the last number below the axis
    scales: { x: { time: false } },
    axes: [axis, { ...axis, size: 62, values: (_, values) => values.map(short) }],
    series: [
      { label: 'step' },
      ...rows.map(([label], i): uPlot.Series => ({
        label,
        stroke: shade(i, rows.length),
        width: 1.5,
        spanGaps: true,
        value: (_, value) => short(value),
      })),
    ],
  };
  void new uPlot(options, [[...steps], ...rows.map(([, values]) => [...values])], box);
  return box;
}
