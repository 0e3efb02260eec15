// `nabla runs`: the runs below a folder, compared in tables: one for each task, with the settings in which its runs differ.

import { type RunSummary, isLowerBetter, summariseRun } from '../../train/compare.js';
import type { RunEvent } from '../../train/record.js';
import { formatNumber } from '../../train/logging/console.js';
import { CliError } from '../errors.js';
import { findRuns } from '../records.js';
import { printable } from '../printable.js';
import { RUNS } from '../run-folder.js';
import { words } from '../run-view.js';
import { shortest } from '../self.js';
import { type Terminal, duration, terminalOf } from '../terminal.js';
import { isPath } from '../trust.js';
import { wrapped } from '../wrap.js';
import { existsSync } from 'node:fs';
import { largest } from '../../tensor/extremes.js';

interface Options {
  readonly metric?: readonly string[];
  readonly sort?: string;
  readonly json?: true;
}

type Row = RunSummary & {
  readonly name: string;
  /** The preset, or the file that defines the run; left out where the record does not say. */
  readonly task?: string;
  readonly settings: Readonly<Record<string, unknown>>;
};

export async function runs(folder: string | undefined, { metric, sort, json }: Options): Promise<void> {
  const root = folder ?? RUNS;
  if (folder === undefined && !existsSync(root))
    throw new CliError(`there is no folder ${RUNS}/ here. Train first (nabla train digits), or name another folder.`);
  const rows = (await findRuns(root)).map(({ name, events }): Row => ({
    name,
    ...taskOf(events),
    ...summariseRun(events),
  }));
  if (rows.length === 0) throw new CliError(`there are no runs in ${root}. A run has config.json and metrics.jsonl.`);
  const metrics = metric ?? metricsOf(rows);
  for (const name of [...metrics, ...(sort === undefined || isColumn(sort) ? [] : [sort])]) {
    if (rows.some((row) => name in row.best || name in row.last)) continue;
    throw new CliError(`no run has a metric '${name}'. There are ${metricsOf(rows, Infinity).join(', ') || 'none'}.`);
  }
  const terminal = terminalOf(process.stdout);
  const groups = groupsOf(rows).map((group) => {
    const own = metric ?? metricsOf(group);
    return { metrics: own, rows: group.toSorted(order(sort ?? own[0] ?? 'name')) };
  });
  if (json) {
    for (const row of groups.flatMap((group) => group.rows)) terminal.line(JSON.stringify(row));
    return;
  }
  groups.forEach((group, i) => {
    if (i > 0) terminal.line();
    if (groups.length > 1) terminal.line(terminal.style.bold(titleOf(group.rows)));
    printTable(terminal, group.rows, group.metrics);
  });
}

/** What was trained, and with which settings, as the record of the run has it. */
function taskOf(events: readonly RunEvent[]): { task?: string; settings: Record<string, unknown> } {
  const start = events.findLast((event) => event.event === 'start');
  const { run, settings = {} } = (start?.config ?? {}) as { readonly run?: unknown; readonly settings?: unknown };
  return {
    ...(typeof run === 'string' && { task: run }),
    settings: { ...(typeof settings === 'object' ? settings : {}) },
  };
}

/** Runs of the same task together; those that do not say last. */
function groupsOf(rows: readonly Row[]): Row[][] {
  const groups = new Map<string, Row[]>();
  for (const row of rows) groups.set(row.task ?? '', [...(groups.get(row.task ?? '') ?? []), row]);
  return [...groups]
    .toSorted(([a], [b]) => Number(a === '') - Number(b === '') || a.localeCompare(b))
    .map(([, g]) => g);
}

function titleOf([{ task }, ...others]: readonly Row[]): string {
  const name = task === undefined ? 'other runs' : isPath(task) ? shortest(task) : task;
  return `${printable(name)}, ${others.length + 1} run${others.length === 0 ? '' : 's'}`;
}

/** Shown in columns of their own. */
const SHOWN = ['lr', 'epochs'];

/** The settings in which the runs differ, for each row in words. */
function differing(rows: readonly Row[]): string[] {
  const names = [...new Set(rows.flatMap(({ settings }) => Object.keys(settings)))].filter(
    (name) => !SHOWN.includes(name) && new Set(rows.map(({ settings }) => String(settings[name]))).size > 1,
  );
  return rows.map(({ settings }) =>
    names
      .filter((name) => settings[name] !== undefined)
      .map((name) => printable(`${words(name)} ${settings[name] === '' ? "''" : String(settings[name])}`))
      .join(', '),
  );
}

const widthsOf = (table: readonly (readonly string[])[]): number[] =>
  table[0].map((_, c) => largest(table.map((cells) => cells[c].length)));

/** Without the last values and the epochs of the best ones, from the right, where the lines would be too long. */
function fitted(table: string[][], columns: number): string[][] {
  const length = widthsOf(table).reduce((sum, width) => sum + width + 2, -2);
  const spare = Math.max(table[0].lastIndexOf('last'), table[0].lastIndexOf('epoch'));
  if (length <= columns || spare < 0) return table;
  return fitted(
    table.map((cells) => cells.filter((_, c) => c !== spare)),
    columns,
  );
}

/** A line for each run; what differs stands behind it, or below it where the line would be too long. */
function printTable(terminal: Terminal, rows: readonly Row[], metrics: readonly string[]): void {
  const { style } = terminal;
  const whole = tableOf(rows, metrics);
  const table = terminal.isInteractive ? fitted(whole, terminal.columns) : whole; // a pipe takes lines of any length
  const widths = widthsOf(table);
  const lines = table.map((cells) =>
    cells.map((cell, c) => (c < 2 ? cell.padEnd(widths[c]) : cell.padStart(widths[c]))).join('  '),
  );
  const own = differing(rows);
  const isBeside = own.every((text) => lines[0].length + 2 + text.length <= terminal.columns);
  lines.forEach((line, i) => {
    if (i === 0) return terminal.line(style.dim(line.trimEnd()));
    const text = own[i - 1] ?? '';
    if (isBeside || text === '') return terminal.line(`${line}  ${text}`.trimEnd());
    terminal.line(line.trimEnd());
    for (const part of wrapped(text, terminal.columns - 4)) terminal.line(style.dim(`    ${part.trimStart()}`));
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
