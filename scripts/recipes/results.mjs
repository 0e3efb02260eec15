// What the runs of recipes have left, and the table that is made of it. A run is in <out>/<recipe>/seed-<n>: the run folder of a preset, or
// the folder where a program has written its pictures, with result.json beside them when it has ended well.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The figures that a row is about. */
export function figuresOf(row) {
  return row.figures ?? [{ metric: row.metric, wanted: row.wanted }];
}

export const folderOf = (out, row, seed) => join(out, row.name, `seed-${seed}`);

/**
 * Values by metric and seconds of a run that is complete; undefined for one that is not.
 * Throws where a complete run does not have the figure.
 */
export function resultOf(out, row, seed) {
  const folder = folderOf(out, row, seed);
  return row.program === undefined ? ofPreset(folder, row) : ofProgram(folder);
}

function ofPreset(folder, row) {
  const record = join(folder, 'metrics.jsonl');
  if (!existsSync(record)) return undefined;
  const events = readFileSync(record, 'utf8')
    .split('\n')
    .filter((line) => line.endsWith('}'))
    .map((line) => JSON.parse(line));
  const end = events.findLast(({ event }) => event === 'end');
  if (end === undefined || !['completed', 'early-stopping'].includes(end.reason)) return undefined;
  const values = figuresOf(row).map(({ metric }) => {
    const value = end.test?.[metric];
    if (value !== undefined) return [metric, Number(value)];
    throw new Error(
      `${row.name}: the test gave ${Object.keys(end.test ?? {}).join(', ') || 'nothing'}, not ${metric}.`,
    );
  });
  const seconds = events.filter(({ event }) => event === 'epoch').reduce((sum, epoch) => sum + epoch.seconds, 0);
  return { values: Object.fromEntries(values), seconds };
}

function ofProgram(folder) {
  const file = join(folder, 'result.json');
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
}

/** The figures in what a program has printed. Throws where one is missing. */
export function figuresIn(row, text) {
  const values = row.figures.map(({ metric, pattern }) => {
    const found = pattern.exec(text)?.[1];
    if (found === undefined || Number.isNaN(Number(found)))
      throw new Error(`${row.name}: no ${metric} in what ${row.program} has printed (${String(pattern)}).`);
    return [metric, Number(found)];
  });
  return Object.fromEntries(values);
}

const shown = (value) => String(Number(value.toPrecision(4)));

/** Seconds and minutes for people. */
function duration(seconds) {
  return seconds < 100 ? `${seconds.toFixed(0)} s` : `${(seconds / 60).toFixed(1)} min`;
}

/** The table, in Markdown: what is not there yet is `–`. `at` gives a run's result. */
export function table(rows, seeds, at) {
  const lines = rows.flatMap((row) => {
    const results = seeds.map((seed) => at(row, seed));
    const ended = results.filter((result) => result !== undefined);
    const seconds = ended.reduce((sum, result) => sum + result.seconds, 0) / ended.length;
    return figuresOf(row).map(({ metric, wanted }, i) => {
      const values = ended.map((result) => result.values[metric]);
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const each = results.map((result) => (result === undefined ? '–' : shown(result.values[metric])));
      const isReached = wanted === undefined || (wanted[0] === '≥' ? mean >= wanted[1] : mean <= wanted[1]);
      const goal =
        wanted === undefined ? '' : `${wanted[0]} ${wanted[1]}${isReached || ended.length === 0 ? '' : ' **missed**'}`;
      return [
        i === 0 ? row.name : '',
        metric,
        each.join(', '),
        ended.length === 0 ? '–' : shown(mean),
        goal,
        i === 0 && ended.length > 0 ? duration(seconds) : '',
      ];
    });
  });
  const head = ['recipe', 'figure', `seeds ${seeds.join(', ')}`, 'mean', 'wanted', 'time a run'];
  return [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
