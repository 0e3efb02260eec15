// What a run needed, epoch by epoch: speed, time, the share of waiting.

import type { RunDetails } from '../api.js';
import { smallChart } from './charts.js';
import { h } from './dom.js';

const CHARTS: readonly (readonly [keyof RunDetails['resources'][number], string])[] = [
  ['samplesPerSecond', 'samples per second'],
  ['seconds', 'seconds per epoch, with validation'],
  ['waiting', 'share of the time spent waiting for data'],
  ['communication', 'share of the time spent waiting for other processes'],
];

export function resourcesView({ resources }: RunDetails, width: number): HTMLElement {
  const steps = resources.map(({ step }) => step);
  const charts = CHARTS.flatMap(([name, title]) => {
    const values = resources.map((epoch) => epoch[name] ?? null);
    return values.some((value) => value !== null) ? [smallChart(title, steps, [[title, values]], width)] : [];
  });
  return charts.length > 0
    ? h('div', { className: 'charts' }, ...charts)
    : h('p', { className: 'note', textContent: 'Nothing is known before the first epoch has ended.' });
}
