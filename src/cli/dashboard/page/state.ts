// What the page shows, kept in the address so that it can be shared and comes back.

import type { RunRow } from '../api.js';

export const TABS = [
  'curves',
  'table',
  'parallel',
  'layers',
  'graph',
  'histograms',
  'images',
  'confusion',
  'resources',
  'doctor',
  'settings',
] as const;
export type Tab = (typeof TABS)[number];
export type Axis = 'step' | 'epoch' | 'seconds';

export interface View {
  tab: Tab;
  axis: Axis;
  smoothing: number;
  log: boolean;
  filter: string;
  /** Names of the runs whose curves are drawn; undefined: the newest ones. */
  chosen: string[] | undefined;
  /** The run of the tabs that show one. */
  focus: string;
  sort: string;
  /** In steps; undefined: all. */
  zoom: { from: number; to: number } | undefined;
}

/** Drawn when nothing was chosen. */
export const FIRST_RUNS = 8;

export function readView(): View {
  const query = new URLSearchParams(location.hash.slice(1));
  const axis = query.get('x');
  const chosen = query.get('runs');
  const zoom = (query.get('zoom') ?? '').split('-').map(Number);
  return {
    tab: TABS.find((tab) => tab === query.get('tab')) ?? 'curves',
    axis: axis === 'epoch' || axis === 'seconds' ? axis : 'step',
    smoothing: Math.min(0.99, Math.max(0, Number(query.get('smooth') ?? 0.5) || 0)),
    log: query.get('log') === '1',
    filter: query.get('filter') ?? '',
    chosen: chosen === null ? undefined : chosen.split('\n').filter((name) => name !== ''),
    focus: query.get('run') ?? '',
    sort: query.get('sort') ?? '',
    zoom: zoom.length === 2 && zoom.every(Number.isFinite) ? { from: zoom[0], to: zoom[1] } : undefined,
  };
}

export function writeView(view: View): void {
  const query = new URLSearchParams();
  if (view.tab !== 'curves') query.set('tab', view.tab);
  if (view.axis !== 'step') query.set('x', view.axis);
  if (view.smoothing !== 0.5) query.set('smooth', String(view.smoothing));
  if (view.log) query.set('log', '1');
  if (view.filter !== '') query.set('filter', view.filter);
  if (view.chosen !== undefined) query.set('runs', view.chosen.join('\n'));
  if (view.focus !== '') query.set('run', view.focus);
  if (view.sort !== '') query.set('sort', view.sort);
  if (view.zoom !== undefined) query.set('zoom', `${view.zoom.from}-${view.zoom.to}`);
  history.replaceState(null, '', `${location.pathname}${location.search}#${query.toString()}`);
}

const CONDITION = /^([\w .-]+?)\s*(<=|>=|=|<|>)\s*(.+)$/;

/**
 * Whether a run is meant: words that its name, task or status holds, and conditions on settings and metrics (`lr < 0.01`), with
 * commas between them.
 */
export function matches(run: RunRow, filter: string): boolean {
  return filter
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .every((part) => {
      const found = CONDITION.exec(part);
      if (found === null) return `${run.name} ${run.task} ${run.status}`.toLowerCase().includes(part.toLowerCase());
      const [, name, sign, wanted] = found;
      const value = valueOf(run, name);
      if (sign === '=') return String(value) === wanted;
      const [a, b] = [Number(value ?? NaN), Number(wanted)];
      return sign === '<' ? a < b : sign === '>' ? a > b : sign === '<=' ? a <= b : a >= b;
    });
}

export function valueOf(run: RunRow, name: string): string | number | boolean | null | undefined {
  if (name === 'name') return run.name;
  if (name === 'status') return run.status;
  if (name === 'started') return run.started;
  if (name === 'epochs') return run.epochs;
  if (name === 'seconds' || name === 'time') return run.seconds;
  if (name === 'parameters') return run.parameters;
  return run.best[name] ?? run.settings[name];
}
