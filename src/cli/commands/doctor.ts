// `nabla doctor`: says what is wrong with a run, from its record.

import { type Examination, ILLNESSES, examine } from '../../train/doctor/diagnose.js';
import { healthLines } from '../../train/doctor/report.js';
import { formatJson } from '../../train/record.js';
import { CliError } from '../errors.js';
import { nearest } from '../../tensor/nearest.js';
import { printable } from '../printable.js';
import { latestRecord, readRun } from '../records.js';
import { commandLine } from '../self.js';
import { type Terminal, terminalOf } from '../terminal.js';
import { paragraph, wrapped } from '../wrap.js';

interface Options {
  readonly json?: true;
  readonly list?: true;
  readonly explain?: string;
}

export async function doctor(path: string | undefined, options: Options): Promise<void> {
  const terminal = terminalOf(process.stdout);
  if (options.list === true) {
    for (const { code, title } of ILLNESSES) terminal.line(`${code.padEnd(26)}  ${title}`);
    return;
  }
  if (options.explain !== undefined) return explain(terminal, options.explain);
  const folder = path ?? latestRecord();
  const examination = await examineRun(folder);
  if (options.json === true) {
    terminal.line(formatJson({ run: folder, healthy: examination.diagnoses.length === 0, ...examination }));
    return;
  }
  terminal.line(terminal.style.bold(printable(folder)));
  printHealth(terminal, examination);
}

export async function examineRun(folder: string): Promise<Examination> {
  return examine((await readRun(folder)).events);
}

/** For a person: findings with evidence and remedy, what was looked at, and where to read more. */
export function printHealth(terminal: Terminal, examination: Examination): void {
  const { diagnoses, missing } = examination;
  const advice = 'Train with doctor: true (nabla train --doctor) to have layers, gradients and data looked at, too.';
  const lines = [...healthLines(examination), ...(missing.includes('statistics of layers') ? [advice] : [])];
  for (const line of lines) for (const part of wrapped(line, terminal.columns)) print(terminal, part);
  // a command is copied as a whole
  if (diagnoses.length > 0) terminal.line(`More about it: ${commandLine('doctor', '--explain', diagnoses[0].code)}`);
}

/** One illness, whether this run has it or not. Throws CliError for a name that is none, with the nearest. */
function explain(terminal: Terminal, code: string): void {
  const illness = ILLNESSES.find((known) => known.code === code);
  if (illness === undefined) {
    const near = nearest(
      code,
      ILLNESSES.map((known) => known.code),
    );
    const advice = near === undefined ? '' : `Did you mean ${near}? `;
    throw new CliError(`--explain ${code}: the doctor knows no such finding. ${advice}See nabla doctor --list.`);
  }
  const { title, severity, about, sign, remedy } = illness;
  const { style } = terminal;
  terminal.line(style.bold(`${title} (${illness.code})`));
  terminal.line(
    severity === 'error' ? 'An error: it spoils the training.' : 'A warning: it may be meant, and is worth a look.',
  );
  const parts = [
    ['What it is', about],
    ['How it is noticed', sign],
    ['What to do', remedy],
  ] as const;
  for (const [head, text] of parts) {
    terminal.line();
    terminal.line(style.bold(head));
    for (const line of paragraph(text, terminal.columns)) terminal.line(line);
  }
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
