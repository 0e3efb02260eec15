// All runs in a table, with the settings in which they differ; a click on a heading sorts.

import { largest, smallest } from '../../../tensor/extremes.js';
import type { RunRow } from '../api.js';
import { colourOf, h, short, span } from './dom.js';
import { isLowerBetter } from '../../../train/compare.js';
import { type View, valueOf } from './state.js';

const FIXED = ['name', 'status', 'epochs', 'seconds', 'parameters'];

export function metricsOf(runs: readonly RunRow[]): string[] {
  return [...new Set(runs.flatMap(({ best }) => Object.keys(best)))].toSorted(
    (a, b) => Number(b === 'loss') - Number(a === 'loss') || a.localeCompare(b),
  );
}

/** Settings that have more than one value among the runs. */
export function differing(runs: readonly RunRow[]): string[] {
  const names = [...new Set(runs.flatMap(({ settings }) => Object.keys(settings)))];
  return names.filter(
    (name) => !FIXED.includes(name) && new Set(runs.map(({ settings }) => String(settings[name]))).size > 1,
  );
}

export function sorted(runs: readonly RunRow[], sort: string): RunRow[] {
  if (sort === '') return [...runs];
  const isDown = sort.startsWith('-');
  const name = isDown ? sort.slice(1) : sort;
  const missing = (run: RunRow): boolean => valueOf(run, name) === undefined || valueOf(run, name) === null;
  return runs.toSorted((a, b) => {
    if (missing(a) || missing(b)) return Number(missing(a)) - Number(missing(b)); // at the end both ways
    const [x, y] = [valueOf(a, name), valueOf(b, name)];
    const difference =
      typeof x === 'number' && typeof y === 'number'
        ? x - y
        : String(x).localeCompare(String(y), 'en', { numeric: true });
    return isDown ? -difference : difference;
  });
}

export function runTable(
  runs: readonly RunRow[],
  view: View,
  onSort: (sort: string) => void,
  onPick: (run: RunRow) => void,
): HTMLElement {
  const metrics = metricsOf(runs);
  const settings = differing(runs);
  const columns = [...FIXED, ...metrics, ...settings];
  const bestOf = new Map(
    metrics.map((name) => {
      const values = runs.flatMap(({ best }) => best[name] ?? []);
      return [name, isLowerBetter(name) ? smallest(values) : largest(values)];
    }),
  );
  const heading = (name: string): HTMLElement => {
    const mark = view.sort === name ? ' ▲' : view.sort === `-${name}` ? ' ▼' : '';
    const button = h('button', {
      textContent: `${name}${mark}`,
      onclick: () => onSort(view.sort === name ? `-${name}` : name),
    });
    const order = mark === '' ? 'none' : view.sort.startsWith('-') ? 'descending' : 'ascending';
    return h('th', { attributes: { 'aria-sort': order, scope: 'col' } }, button);
  };
  const cell = (run: RunRow, name: string): HTMLElement => {
    if (name === 'name') {
      const dot = h('span', { className: 'dot' });
      dot.style.background = colourOf(run.id);
      return h('th', { attributes: { scope: 'row' } }, h('button', { onclick: () => onPick(run) }, dot, run.name));
    }
    const value = valueOf(run, name);
    const text =
      name === 'seconds' ? span(run.seconds) : typeof value === 'number' ? short(value) : String(value ?? '–');
    const isBest = bestOf.has(name) && value === bestOf.get(name);
    return h('td', {
      textContent: text,
      className: `${typeof value === 'number' ? 'number' : ''}${isBest ? ' best' : ''}`,
    });
  };
  return h(
    'div',
    { className: 'scroll' },
    h(
      'table',
      {},
      h('thead', {}, h('tr', {}, ...columns.map(heading))),
      h('tbody', {}, ...sorted(runs, view.sort).map((run) => h('tr', {}, ...columns.map((name) => cell(run, name))))),
    ),
  );
}
