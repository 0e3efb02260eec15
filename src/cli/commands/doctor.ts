// `nabla doctor`: says what is wrong with a run, from its record.

import { ILLNESSES, examine } from '../../train/doctor/diagnose.js';
import { healthLines } from '../../train/doctor/report.js';
import { formatJson } from '../../train/record.js';
import { printable } from '../printable.js';
import { latestRecord, readRun } from '../records.js';
import { type Terminal, terminalOf } from '../terminal.js';

interface Options {
  readonly json?: true;
  readonly list?: true;
}

export async function doctor(path: string | undefined, options: Options): Promise<void> {
  const terminal = terminalOf(process.stdout);
  if (options.list === true) {
    for (const { code, title } of ILLNESSES) terminal.line(`${code.padEnd(26)}  ${title}`);
    return;
  }
  const folder = path ?? latestRecord();
  const { events } = await readRun(folder);
  const examination = examine(events);
  if (options.json === true) {
    terminal.line(formatJson({ run: folder, healthy: examination.diagnoses.length === 0, ...examination }));
    return;
  }
  terminal.line(terminal.style.bold(printable(folder)));
  const advice = 'Train with doctor: true (nabla train --doctor) to have layers, gradients and data looked at, too.';
  const lines = [
    ...healthLines(examination),
    ...(examination.missing.includes('statistics of layers') ? [advice] : []),
  ];
  for (const line of lines) for (const part of wrapped(line, terminal.columns)) print(terminal, part);
}

const COLOURS = [
  [/^Error:/, 'red'],
  [/^Warning:/, 'cyan'],
  [/^Healthy:/, 'green'],
] as const;

function print({ line, style }: Terminal, text: string): void {
  const colour = COLOURS.find(([start]) => start.test(text))?.[1];
  line(colour === undefined ? text : style[colour](text));
}

/** Lines of at most `columns` characters; the rest of a line is indented as its beginning, and a little more. */
export function wrapped(text: string, columns: number): string[] {
  const indent = ' '.repeat(text.length - text.trimStart().length);
  const lines: string[] = [];
  let line = indent;
  for (const word of text.trim().split(' ')) {
    const isFirst = line.trim() === '';
    if (!isFirst && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = `${indent}  ${word}`;
    } else line = isFirst ? `${line}${word}` : `${line} ${word}`;
  }
  return [...lines, line];
}
