// `nabla predict` for tables: what a model says of each row of a CSV file. The encoder of the run makes numbers of it, the
// same way as in training.

import { type AnyTensor, noGrad, tensor } from '../../index.js';
import { type CsvTable, type TableEncoder, parseCsv } from '../../data/index.js';
import { FormatError } from '../../index.js';
import type { TablePredictor } from '../../train/index.js';
import { largest } from '../../tensor/extremes.js';
import { CliError } from '../errors.js';
import { oneLine, printable } from '../printable.js';
import { readText } from '../run-folder.js';
import { type Terminal, percent } from '../terminal.js';
import { classify } from './classify.js';
import { readStandardInput } from './standard-input.js';

/** What a model says of each row. */
export interface Said {
  readonly values: readonly string[];
  readonly sure?: readonly number[] | undefined;
  /** The values in JSON, where they are no texts: numbers, lists. */
  readonly json?: readonly unknown[];
}

/** Features of rows [rows, width] → what the model says of them. */
export type Answer = (features: Float32Array, rows: number) => Promise<Said>;

/** What is said of each row, and what its own column says, where the file has it. */
interface Answers extends Said {
  readonly truth: readonly (string | undefined)[];
}

export async function predictTable(
  predictor: TablePredictor,
  file: string | undefined,
  terminal: Terminal,
  isJson: boolean,
): Promise<void> {
  await predictRows(predictor.encoder, (features, rows) => answer(predictor, features, rows), file, terminal, isJson);
}

/** Reads the table, asks, and prints what is said. */
export async function predictRows(
  encoder: TableEncoder,
  ask: Answer,
  file: string | undefined,
  terminal: Terminal,
  isJson: boolean,
): Promise<void> {
  if (file === undefined && process.stdin.isTTY)
    throw new CliError('nothing to predict. Name a CSV file, pipe one in, or use --test. See nabla predict --help.');
  const isFile = file !== undefined && file !== '-';
  const source = isFile ? file : 'standard input';
  const text = isFile ? readText(file) : await readStandardInput();
  const needed = Object.keys(encoder.types);
  const table = read(text, source, encoder);
  const lacking = needed.filter((name) => !table.names.includes(name));
  if (lacking.length > 0)
    throw new CliError(
      `${source} has no column ${lacking.map((name) => `'${printable(name)}'`).join(', ')}. The model was trained on ${needed.map(printable).join(', ')}.`,
    );
  if (table.length === 0) throw new CliError(`${source} has no rows below its header.`);
  let answers: Answers;
  try {
    const { data } = encoder.encode(table);
    answers = { ...(await ask(data, table.length)), truth: truthOf(encoder, table) };
  } catch (error) {
    throw error instanceof FormatError ? new CliError(oneLine(error)) : error;
  }
  if (isJson) return printJson(terminal, table, answers);
  for (const { column, value, count } of encoder.unseen(table))
    terminal.line(
      `${printable(column)} '${printable(value)}' (${count} row${count === 1 ? '' : 's'}) did not occur in training: it says nothing to the model.`,
    );
  printText(terminal, table, answers, encoder.target ?? 'value', encoder.isClassifier);
}

/** The delimiter is the one that finds most of the columns in the first line. */
function read(text: string, path: string, encoder: TableEncoder): CsvTable {
  const [header = ''] = text.replace(/^\uFEFF/, '').split(/\r?\n/, 1);
  const needed = Object.keys(encoder.types);
  const found = [',', ';', '\t'].map((delimiter) => {
    const names = new Set(header.split(delimiter).map((name) => name.replaceAll('"', '')));
    return { delimiter, names, count: needed.filter((name) => names.has(name)).length };
  });
  const { delimiter, names } = found.reduce((a, b) => (b.count > a.count ? b : a));
  const types = Object.fromEntries(Object.entries(encoder.types).filter(([name]) => names.has(name)));
  try {
    return parseCsv(text, { delimiter, types, path });
  } catch (error) {
    throw error instanceof FormatError ? new CliError(oneLine(error)) : error;
  }
}

/** What the target's own column says, where the file has it. */
function truthOf({ target }: TableEncoder, table: CsvTable): (string | undefined)[] {
  const hasTruth = target !== undefined && table.names.includes(target);
  const { missing } = hasTruth ? table.column(target) : { missing: [] };
  const gaps = new Set<number>(missing);
  const column = hasTruth ? Array.from<string | number, string>(table.column(target).values, String) : [];
  return Array.from({ length: table.length }, (_, row) => (gaps.has(row) ? undefined : column[row]));
}

async function answer({ encoder, model }: TablePredictor, features: Float32Array, rows: number): Promise<Said> {
  if (encoder.isClassifier) {
    const { classes, predictions, probabilities } = await classify(model, features, [encoder.width]);
    const sure = predictions.map((prediction, i) => probabilities[i * classes + prediction]);
    return { values: predictions.map((prediction) => encoder.classes[prediction] ?? String(prediction)), sure };
  }
  model.eval();
  const output: AnyTensor = noGrad(() => model.forward(tensor(features, { shape: [rows, encoder.width] })));
  return saidNumbers(await output.data());
}

/** Numbers as they are printed, and as they are. */
export function saidNumbers(numbers: ArrayLike<number>): Said {
  const json = Array.from(numbers, Number);
  return { values: json.map((value) => String(Number(value.toPrecision(6)))), json };
}

function printText(
  terminal: Terminal,
  { lines }: CsvTable,
  { values, sure, truth }: Answers,
  name: string,
  isClassifier: boolean,
): void {
  const { style } = terminal;
  const hasTruth = truth.some((value) => value !== undefined);
  const width = Math.max(4, String(lines.at(-1) ?? 0).length);
  const wide = largest([name, ...values].map((value) => printable(value).length));
  const head = `${'line'.padStart(width)}  ${printable(name).padStart(wide)}`;
  terminal.line(style.dim(`${head}${sure === undefined ? '' : '      sure'}${hasTruth ? '  is' : ''}`));
  values.forEach((value, i) => {
    const certainty = sure === undefined ? '' : `  ${percent(sure[i]).padStart(8)}`;
    const own = truth[i];
    const isWrong = isClassifier && own !== undefined && own !== value;
    const verdict = own === undefined ? '' : `  ${isWrong ? style.red(`${printable(own)}  wrong`) : printable(own)}`;
    terminal.line(
      `${String(lines[i]).padStart(width)}  ${style.bold(printable(value).padStart(wide))}${certainty}${verdict}`,
    );
  });
  if (!hasTruth || !isClassifier) return;
  const total = truth.filter((value) => value !== undefined).length;
  const right = truth.filter((value, i) => value === values[i]).length;
  terminal.line();
  terminal.line(`accuracy ${percent(right / total, 2)} (${right} of ${total} right)`);
}

function printJson(terminal: Terminal, { lines }: CsvTable, { values, json, sure, truth }: Answers): void {
  values.forEach((value, i) => {
    const prediction = json === undefined ? value : json[i];
    const probability = sure === undefined ? {} : { probability: sure[i] };
    const label = truth[i] === undefined ? {} : { label: truth[i] };
    terminal.line(JSON.stringify({ line: lines[i], prediction, ...probability, ...label }));
  });
}
