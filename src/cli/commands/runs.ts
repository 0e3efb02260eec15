// `nabla runs`: the runs below a folder, compared in a table.

import { type RunSummary, isLowerBetter, summariseRun } from '../../train/compare.js';
import { formatNumber } from '../../train/logging/console.js';
import { CliError } from '../errors.js';
import { findRuns } from '../records.js';
import { printable } from '../printable.js';
import { RUNS } from '../run-folder.js';
import { duration, terminalOf } from '../terminal.js';
import { existsSync } from 'node:fs';
import { largest } from '../../tensor/extremes.js';

interface Options {
  readonly metric?: readonly string[];
  readonly sort?: string;
  readonly json?: true;
}

type Row = RunSummary & { readonly name: string };

export async function runs(folder: string | undefined, { metric, sort, json }: Options): Promise<void> {
  const root = folder ?? RUNS;
  if (folder === undefined && !existsSync(root))
    throw new CliError(`there is no folder ${RUNS}/ here. Train first (nabla train digits), or name another folder.`);
  const rows = (await findRuns(root)).map(({ name, events }): Row => ({ name, ...summariseRun(events) }));
  if (rows.length === 0) throw new CliError(`there are no runs in ${root}. A run has config.json and metrics.jsonl.`);
  const metrics = metric ?? metricsOf(rows);
  for (const name of [...metrics, ...(sort === undefined || isColumn(sort) ? [] : [sort])]) {
    if (rows.some((row) => name in row.best || name in row.last)) continue;
    throw new CliError(`no run has a metric '${name}'. There are ${metricsOf(rows, Infinity).join(', ') || 'none'}.`);
  }
  const sorted = rows.toSorted(order(sort ?? metrics[0] ?? 'name'));
  const terminal = terminalOf(process.stdout);
  if (json) {
    for (const row of sorted) terminal.line(JSON.stringify(row));
    return;
  }
  const table = tableOf(sorted, metrics);
  const widths = table[0].map((_, c) => largest(table.map((cells) => cells[c].length)));
  table.forEach((cells, i) => {
    const line = cells.map((cell, c) => (c < 2 ? cell.padEnd(widths[c]) : cell.padStart(widths[c]))).join('  ');
    terminal.line(i === 0 ? terminal.style.dim(line.trimEnd()) : line.trimEnd());
  });
}

/** Loss and what else most runs have, at most two. */
function metricsOf(rows: readonly Row[], most = 2): string[] {
  const counts = new Map<string, number>();
  for (const name of rows.flatMap((row) => Object.keys(row.last))) counts.set(name, (counts.get(name) ?? 0) + 1);
  const names = [...counts.keys()].toSorted((a, b) => (counts.get(b) ?? 0) - (counts.get(a) ?? 0));
  return names.toSorted((a, b) => Number(b === 'loss') - Number(a === 'loss')).slice(0, most);
}

const COLUMNS = ['name', 'time', 'epochs', 'lr'];
const isColumn = (name: string) => COLUMNS.includes(name);

/** Best first; runs without the value last. */
function order(by: string): (a: Row, b: Row) => number {
  const sign = isColumn(by) || isLowerBetter(by) ? 1 : -1;
  const value = (row: Row): number | undefined => {
    if (by === 'time') return row.seconds;
    if (by === 'epochs') return row.epochs;
    return by === 'lr' ? row.lr : row.best[by]?.value;
  };
  return (a, b) => {
    const [x, y] = by === 'name' ? [undefined, undefined] : [value(a), value(b)];
    if (x !== undefined && y !== undefined && x !== y) return sign * (x - y);
    if ((x === undefined) !== (y === undefined)) return x === undefined ? 1 : -1;
    return a.name.localeCompare(b.name, 'en', { numeric: true });
  };
}

function tableOf(rows: readonly Row[], metrics: readonly string[]): string[][] {
  const hasValidation = rows.some((row) => Object.values(row.best).some(({ on }) => on === 'validation'));
  const prefix = hasValidation ? 'val ' : '';
  const head = [
    'run',
    'status',
    'epochs',
    ...metrics.flatMap((m) => [`best ${prefix}${m}`, 'epoch', 'last']),
    'lr',
    'time',
  ];
  const body = rows.map((row) => [
    printable(row.name),
    row.status,
    row.plannedEpochs === undefined ? `${row.epochs}` : `${row.epochs}/${row.plannedEpochs}`,
    ...metrics.flatMap((metric) => {
      const [best, last] = [row.best[metric], row.last[metric]];
      const note = best?.on === 'train' && hasValidation ? '*' : '';
      return [
        best === undefined ? '–' : `${formatNumber(best.value)}${note}`,
        best === undefined ? '' : `${best.epoch}`,
        last === undefined ? '' : formatNumber(last),
      ];
    }),
    row.lr === undefined ? '' : String(Number(row.lr.toPrecision(4))),
    row.epochs === 0 ? '' : duration(row.seconds),
  ]);
  const isMixed = hasValidation && rows.some((row) => Object.values(row.best).some(({ on }) => on === 'train'));
  return [head, ...body, ...(isMixed ? [['* on training data', ...head.slice(1).map(() => '')]] : [])];
}
