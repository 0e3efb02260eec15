// What is in a file of tensors: a table of them, and the values that stand beside them.

import { ArgumentError, NablaError } from '../../index.js';
import type { StoredTensor } from '../../io/index.js';
import type { TensorFile } from '../../io/tensor-file.js';
import { openTensors } from '../../io/tensor-file.js';
import { PythonName, type TorchValue, isDict, isList, keyText } from '../../io/torch/value.js';
import { StoredTensor as Stored } from '../../io/stored-tensor.js';
import { formatNumber } from '../../train/logging/console.js';
import { largest } from '../../tensor/extremes.js';
import type { InspectOptions } from '../commands/inspect.js';
import { CliError } from '../errors.js';
import { oneLine, printable, printableData } from '../printable.js';
import { type Terminal, bytes, grouped } from '../terminal.js';
import { type Statistics, statisticsOf } from './statistics.js';

/** Opens a file for a command: what is wrong with it is said in one line. */
export async function openForCommand(path: string): Promise<TensorFile> {
  return userFault(() => openTensors('read', path));
}

/** What `doing` throws on purpose, as the user's fault. */
export async function userFault<T>(doing: () => T | Promise<T>): Promise<T> {
  try {
    return await doing();
  } catch (error) {
    if (error instanceof NablaError) throw new CliError(oneLine(error));
    throw error;
  }
}

/** The tensors below a key, by what is behind it. */
export function tensorsBelow(
  file: TensorFile,
  path: string,
  key: string | undefined,
): ReadonlyMap<string, StoredTensor> {
  if (key === undefined) return file.tensors;
  const { torch } = file;
  if (torch !== undefined) {
    const keys = torch.at(key) === undefined ? key.split('.') : [key];
    try {
      return new Map(Object.entries(torch.stored(...keys)));
    } catch (error) {
      if (error instanceof ArgumentError) throw new CliError(oneLine(error).replace(/^stored: /, ''));
      throw error;
    }
  }
  const below = [...file.tensors].filter(([name]) => name.startsWith(`${key}.`));
  if (below.length === 0) throw new CliError(`${path} has no keys below '${key}'.`);
  return new Map(below.map(([name, tensor]) => [name.slice(key.length + 1), tensor]));
}

interface Row {
  readonly key: string;
  readonly tensor: StoredTensor;
  readonly statistics: Statistics | undefined;
}

export async function inspectTensors(path: string, options: InspectOptions, terminal: Terminal): Promise<void> {
  const file = await openForCommand(path);
  const tensors = tensorsBelow(file, path, options.key);
  const rows: Row[] = [];
  for (const [key, tensor] of tensors)
    rows.push({ key, tensor, statistics: options.stats && statisticsOf(await userFault(() => tensor.data())) });
  const values = options.key === undefined ? valuesOf(file) : [];
  if (options.json) printJson(file, rows, values, terminal);
  else printText(path, file, rows, values, terminal);
}

const LAYOUTS = { zip: 'torch.save', torchscript: 'TorchScript', legacy: 'torch.save before 1.6', pickle: 'pickle' };

function titleOf({ kind, torch, shards, size }: TensorFile): string {
  const name = torch === undefined ? kind : `PyTorch (${LAYOUTS[torch.layout]})`;
  return `${name}${shards === undefined ? '' : ` in ${shards.length} files`}, ${bytes(size)}`;
}

// ---------------------------------------------------------------- what stands beside the tensors

interface Value {
  readonly key: string;
  readonly value: unknown;
}

const MOST_VALUES = 1000;

/** Texts of safetensors; values of a checkpoint that are no tensors, by dotted keys, lists of plain values whole. */
function valuesOf({ metadata, torch }: TensorFile): Value[] {
  const found: Value[] = Object.entries(metadata).map(([key, value]) => ({ key, value }));
  const open = new Set<TorchValue>();
  const visit = (value: TorchValue, key: string): void => {
    if (value instanceof Stored || found.length >= MOST_VALUES || open.has(value)) return;
    const entries = isDict(value)
      ? [...value]
      : isList(value) && value.some(isNested)
        ? [...value.entries()]
        : undefined;
    if (entries === undefined || entries.length === 0) {
      found.push({ key, value: plainOf(value) });
      return;
    }
    open.add(value);
    for (const [name, item] of entries) visit(item, key === '' ? keyText(name) : `${key}.${keyText(name)}`);
    open.delete(value);
  };
  if (torch !== undefined) visit(torch.value, '');
  return found;
}

const isNested = (value: TorchValue): boolean => value instanceof Stored || isDict(value) || isList(value);

/** Of lists and sets in sets, which a file may nest and repeat without end. */
const [DEEPEST, MOST_ITEMS] = [8, 100_000];

/** A value as JSON has it; '…' for what is beyond the limits. */
function plainOf(value: TorchValue, depth = 0, shown = { items: 0 }): unknown {
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (value instanceof PythonName) return value.name;
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  if (value instanceof Set || isList(value)) {
    const items = [...(value as Iterable<TorchValue>)];
    shown.items += items.length;
    return depth > DEEPEST || shown.items > MOST_ITEMS ? '…' : items.map((item) => plainOf(item, depth + 1, shown));
  }
  return isDict(value) ? {} : value;
}

// ---------------------------------------------------------------- printing

function printJson(file: TensorFile, rows: readonly Row[], values: readonly Value[], terminal: Terminal): void {
  const line = (value: unknown): void => terminal.line(JSON.stringify(printableData(value)));
  const { kind, torch, shards, size } = file;
  const layout = torch === undefined ? {} : { layout: torch.layout };
  line({ format: kind, ...layout, bytes: size, tensors: rows.length, ...(shards !== undefined && { shards }) });
  for (const { key, value } of values) line({ key, value });
  for (const { key, tensor, statistics } of rows)
    line({ key, dtype: tensor.dtype, shape: tensor.shape, bytes: tensor.byteLength, ...statistics });
}

function printText(
  path: string,
  file: TensorFile,
  rows: readonly Row[],
  values: readonly Value[],
  terminal: Terminal,
): void {
  const { style } = terminal;
  terminal.line(`${style.bold(printable(path))}  ${titleOf(file)}`);
  if (values.length > 0) {
    terminal.line();
    const width = Math.min(40, largest(values.map(({ key }) => key.length)));
    for (const { key, value } of values)
      terminal.line(
        `  ${printable(key).padEnd(width)}  ${shortened(printable(textOf(value)), terminal.columns - width - 4)}`,
      );
    if (values.length >= MOST_VALUES) terminal.line(`  … (more than ${MOST_VALUES} values)`);
  }
  terminal.line();
  const table = [headOf(rows), ...rows.map(cellsOf)];
  const widths = table[0].map((_, c) => largest(table.map((cells) => cells[c].length)));
  table.forEach((cells, i) => {
    const line = cells.map((cell, c) => (c < 3 ? cell.padEnd(widths[c]) : cell.padStart(widths[c]))).join('  ');
    terminal.line(i === 0 ? style.dim(line.trimEnd()) : line.trimEnd());
  });
  terminal.line();
  terminal.line(totalsOf(rows));
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

function shortened(text: string, columns: number): string {
  const most = Math.max(20, columns);
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

function headOf(rows: readonly Row[]): string[] {
  const hasStatistics = rows.some(({ statistics }) => statistics !== undefined);
  return [
    'key',
    'dtype',
    'shape',
    'bytes',
    ...(hasStatistics ? ['mean', 'std', 'least', 'largest', 'not finite'] : []),
  ];
}

function cellsOf({ key, tensor, statistics }: Row): string[] {
  const cells = [printable(key), tensor.dtype, `[${tensor.shape.join(', ')}]`, grouped(tensor.byteLength)];
  if (statistics === undefined) return cells;
  const { mean, std, least, largest: most, notFinite } = statistics;
  const numbers = [mean, std, least, most].map((value) => (value === null ? '' : formatNumber(value)));
  return [...cells, ...numbers, notFinite === 0 ? '' : grouped(notFinite)];
}

/** 9 tensors, 93 numbers, 376 B: float32 8, int64 1 */
function totalsOf(rows: readonly Row[]): string {
  const counts = new Map<string, number>();
  for (const { tensor } of rows) counts.set(tensor.dtype, (counts.get(tensor.dtype) ?? 0) + 1);
  const numbers = rows.reduce((sum, { tensor }) => sum + tensor.size, 0);
  const size = rows.reduce((sum, { tensor }) => sum + tensor.byteLength, 0);
  const kinds = [...counts].map(([dtype, count]) => `${dtype} ${count}`);
  const detail = kinds.length === 0 ? '' : `: ${kinds.join(', ')}`;
  return `${rows.length} tensor${rows.length === 1 ? '' : 's'}, ${grouped(numbers)} numbers, ${bytes(size)}${detail}`;
}
