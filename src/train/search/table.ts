// A study as a table for people: the best trials first.

import { type OptionNames, checkOptions } from '../../tensor/library.js';
import type { Study } from './study.js';
import type { Trial } from './trial.js';
import { largest } from '../../tensor/extremes.js';

export interface TableOptions {
  /** Rows at most. Default 20. */
  readonly rows?: number;
}

const TABLE_OPTIONS: OptionNames<TableOptions> = { rows: true };

/** One row a trial: number (from 1), result, state, parameters. */
export function formatStudy(study: Study, options: TableOptions = {}): string {
  checkOptions('formatStudy', options, TABLE_OPTIONS);
  const { rows = 20 } = options;
  const sign = study.direction === 'maximize' ? -1 : 1;
  const rank = (t: Trial): number => (t.state === 'completed' ? 0 : t.state === 'pruned' ? 1 : 2);
  const cost = (t: Trial): number => (Number.isNaN(t.value) ? Infinity : sign * t.value);
  const sorted = study.trials.toSorted((a, b) => rank(a) - rank(b) || cost(a) - cost(b) || a.number - b.number);
  const names = Object.keys(study.space);
  const head = ['trial', 'result', 'state', 'steps', 'seconds', ...names];
  const cells = sorted
    .slice(0, rows)
    .map((t) => [
      String(t.number + 1),
      shorten(t.value),
      t.state,
      String(t.reports.at(-1)?.[0] ?? ''),
      t.seconds.toFixed(1),
      ...names.map((name) => shorten((t.params as Record<string, unknown>)[name])),
    ]);
  const widths = head.map((title, i) => Math.max(title.length, largest(cells.map((row) => row[i].length))));
  const line = (row: readonly string[]): string =>
    row
      .map((text, i) => (i === 2 ? text.padEnd(widths[i]) : text.padStart(widths[i])))
      .join('  ')
      .trimEnd();
  const left = sorted.length - cells.length;
  return [line(head), '─'.repeat(widths.reduce((a, b) => a + b + 2, -2)), ...cells.map(line)]
    .concat(left > 0 ? [`… and ${left} more`] : [])
    .join('\n');
}

function shorten(value: unknown): string {
  if (typeof value !== 'number') return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));
}
