// What a run has given, for a person: small results whole, large ones in figures, and the most probable classes by their names.

import { type AnyTensor, tensor as tensorOf } from '../../index.js';
import { type Prediction, topKOfEach } from '../../vision/index.js';
import { formatNumber } from '../../train/logging/console.js';
import { largest } from '../../tensor/extremes.js';
import { CliError } from '../errors.js';
import { statisticsOf } from '../inspect/statistics.js';
import { printable } from '../printable.js';
import { type Terminal, grouped, percent } from '../terminal.js';
import type { Feeds } from './inputs.js';
import type { Runnable } from './runnable.js';

/** An output that has been read. */
export interface Result {
  readonly name: string;
  readonly tensor: AnyTensor;
  readonly data: ArrayLike<number>;
}

/** Printed whole up to so many numbers. */
const MOST_WHOLE = 64;
const FIRST = 8;

export async function readResults(outputs: Readonly<Record<string, AnyTensor>>): Promise<Result[]> {
  const results: Result[] = [];
  for (const [name, tensor] of Object.entries(outputs)) results.push({ name, tensor, data: await tensor.data() });
  return results;
}

export function printResults(terminal: Terminal, results: readonly Result[]): void {
  const { style } = terminal;
  const width = largest(results.map(({ name }) => printable(name).length));
  for (const { name, tensor, data } of results) {
    const kind = `${tensor.dtype} [${tensor.shape.join(', ')}]`;
    terminal.line(`${style.bold(printable(name).padEnd(width))}  ${style.dim(kind)}`);
    if (data.length <= MOST_WHOLE) for (const line of arrayLines(data, tensor.shape)) terminal.line(`  ${line}`);
    else for (const line of figures(data)) terminal.line(`  ${line}`);
  }
}

function figures(data: ArrayLike<number>): string[] {
  const { mean, std, least, largest: most, notFinite } = statisticsOf(Float64Array.from(data));
  const first = Array.from({ length: FIRST }, (_, i) => formatNumber(Number(data[i]))).join(', ');
  const list = { mean, std, least, largest: most };
  const known = Object.entries(list).flatMap(([name, value]) =>
    value === null ? [] : [`${name} ${formatNumber(value)}`],
  );
  if (notFinite > 0) known.push(`not finite ${grouped(notFinite)}`);
  return [`${grouped(data.length)} numbers: ${known.join(', ')}`, `${first}, …`];
}

/** Rows of the last dimension, in the brackets of the others. */
function arrayLines(data: ArrayLike<number>, shape: readonly number[]): string[] {
  const texts = Array.from({ length: data.length }, (_, i) => formatNumber(Number(data[i])));
  if (shape.length === 0) return [texts[0]];
  if (data.length === 0) return ['[]'];
  const columns = shape[shape.length - 1];
  const width = largest(texts.map((text) => text.length));
  const rows = data.length / columns;
  return Array.from({ length: rows }, (_, row) => {
    const cells = texts.slice(row * columns, (row + 1) * columns).map((text) => text.padStart(width));
    const outer = shape.slice(0, -1);
    const opens = edges(row, outer);
    const closes = edges(row + 1, outer);
    return `${'['.repeat(opens + 1).padStart(shape.length)}${cells.join(', ')}${']'.repeat(closes + 1)}`;
  });
}

/** How many dimensions begin (or have ended) at this row. */
function edges(row: number, outer: readonly number[]): number {
  let [count, size] = [0, 1];
  for (let axis = outer.length - 1; axis >= 0; axis--) {
    size *= outer[axis];
    if (row % size !== 0) break;
    count++;
  }
  return count;
}

// ---------------------------------------------------------------- classes

export interface ClassOptions {
  readonly top: number;
  /** Names of the classes. */
  readonly labels: readonly string[] | undefined;
}

/** The most probable classes of each part of the batch. */
export interface Ranking {
  readonly output: string;
  readonly rows: readonly (readonly Prediction[])[];
}

/** Throws CliError where no output has a number for each class. */
export async function rank(
  results: readonly Pick<Result, 'name' | 'tensor'>[],
  { top, labels }: ClassOptions,
): Promise<Ranking> {
  const found = results.find(({ tensor }) => classesOf(tensor) === (labels?.length ?? classesOf(tensor)));
  if (found === undefined) {
    const list = results.map(({ name, tensor }) => `${name} [${tensor.shape.join(', ')}]`).join(', ');
    throw new CliError(`there are ${labels?.length} labels, and no output has as many classes: ${list}.`);
  }
  const { name } = found;
  const classes = classesOf(found.tensor);
  const data = await found.tensor.data();
  const rows: AnyTensor = found.tensor.reshape([data.length / classes, classes]);
  const options = { k: top, softmax: !areProbabilities(data, classes), ...(labels !== undefined && { names: labels }) };
  return { output: name, rows: await topKOfEach(rows, options) };
}

/** The last size that is not 1: [1, 1000], [1, 1000, 1, 1]. */
function classesOf({ shape }: AnyTensor): number {
  return shape.findLast((n) => n !== 1) ?? 1;
}

/** Rows of numbers from 0 to 1 with the sum 1: a softmax is part of the model. */
function areProbabilities(data: ArrayLike<number>, classes: number): boolean {
  for (let row = 0; row < data.length; row += classes) {
    let sum = 0;
    for (let i = row; i < row + classes; i++) {
      if (!(data[i] >= 0 && data[i] <= 1)) return false;
      sum += data[i];
    }
    if (Math.abs(sum - 1) > 1e-3) return false;
  }
  return true;
}

export function printRanking(terminal: Terminal, { rows }: Ranking, names: readonly string[]): void {
  const { style } = terminal;
  const isNamed = names.length === rows.length && rows.length > 1;
  rows.forEach((row, i) => {
    if (isNamed) terminal.line(style.dim(printable(names[i])));
    const width = largest(row.map(({ label }) => printable(label).length));
    row.forEach(({ label, probability }, place) => {
      const text = printable(label).padEnd(width);
      terminal.line(
        `${isNamed ? '  ' : ''}${place === 0 ? style.bold(text) : text}  ${percent(probability).padStart(7)}`,
      );
    });
  });
}

/** Logits of the tokens that a model of language is asked for: behind the text, or at its masks. Undefined where there are none. */
export function tokenLogits(
  model: Runnable,
  results: readonly Result[],
  given: Feeds,
): Pick<Result, 'name' | 'tensor'> | undefined {
  const { predicts, tokenizer } = model;
  const found = results.find(({ tensor }) => tensor.rank === 3);
  if (predicts === undefined || found === undefined) return undefined;
  const [count, length, classes] = found.tensor.shape;
  const { data } = given.numbers[model.inputs[0].name];
  const mask = predicts === 'masked' ? (tokenizer?.idOf('[MASK]') ?? tokenizer?.idOf('<mask>')) : undefined;
  const isAsked = (i: number): boolean => (predicts === 'masked' ? Number(data[i]) === mask : (i + 1) % length === 0);
  const positions = Array.from({ length: count * length }, (_, i) => i).filter(isAsked);
  if (positions.length === 0) return undefined;
  const rows: AnyTensor = found.tensor.reshape([count * length, classes]);
  return { name: found.name, tensor: rows.indexSelect(0, tensorOf(positions, { dtype: 'int32' })) };
}
