// What a run needed, epoch by epoch: speed, time, the share of waiting, memory.

import type { RunDetails } from '../api.js';
import { smallChart } from './charts.js';
import { h } from './dom.js';

type Number = keyof RunDetails['resources'][number];

/** A chart: its title, and its lines. */
const CHARTS: readonly (readonly [title: string, lines: Readonly<Partial<Record<Number, string>>>, unit?: number])[] = [
  ['samples per second', { samplesPerSecond: 'samples per second' }],
  ['seconds per epoch, with validation', { seconds: 'seconds' }],
  ['share of the time spent waiting for data', { waiting: 'share' }],
  ['share of the time spent waiting for other processes', { communication: 'share' }],
  ['memory, MB', { processBytes: 'of the process', tensorBytes: 'in tensors' }, 1e6],
];

export function resourcesView({ resources }: RunDetails, width: number): HTMLElement {
  const steps = resources.map(({ step }) => step);
  const charts = CHARTS.flatMap(([title, names, unit = 1]) => {
    const lines = Object.entries(names).map(([name, label]) => {
      const values = resources.map((epoch) => epoch[name as Number]);
      return [label, values.map((value) => (value === undefined ? null : value / unit))] as const;
    });
    const known = lines.filter(([, values]) => values.some((value) => value !== null));
    return known.length > 0 ? [smallChart(title, steps, known, width)] : [];
  });
  return charts.length > 0
    ? h('div', { className: 'charts' }, ...charts)
    : h('p', { className: 'note', textContent: 'Nothing is known before the first epoch has ended.' });
}
