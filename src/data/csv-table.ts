// A table of named columns, as read from CSV, and its way into a dataset: which columns are features, which one is the
// target, what happens where a value is missing.
// Columns in, ArrayDataset out. Must not know: files, text.

import {
  ArgumentError,
  checkOptions,
  FormatError,
  type OptionNames,
  checkList,
  checkNumber,
  checkNumbers,
  checkRecord,
  checkText,
} from '../tensor/library.js';
import { ArrayDataset } from './dataset.js';
import type { Field } from './fields.js';
import { type SplitOptions, splitIndices } from './split.js';

export type Column =
  | { readonly kind: 'number'; readonly values: Float64Array; readonly missing: readonly number[] }
  | { readonly kind: 'text'; readonly values: readonly string[]; readonly missing: readonly number[] };

export interface FeatureOptions {
  /** Names of columns of numbers. Default: all but the target; throws if one of them is text. */
  readonly features?: readonly string[];
  /** Rows with a missing value: an error (default), left out, or filled with the column's mean. */
  readonly missing?: 'error' | 'drop' | 'mean';
}

const FEATURE_OPTIONS: OptionNames<FeatureOptions> = { features: true, missing: true };

export type FeatureField = Field<Float32Array, readonly [number]>;
export type ClassData = ArrayDataset<{ readonly x: FeatureField; readonly y: Field<Int32Array, readonly []> }>;
export type TargetData = ArrayDataset<{ readonly x: FeatureField; readonly y: Field<Float32Array, readonly []> }>;

/** Columns of equal length. Missing numbers are NaN. */
export class CsvTable {
  readonly names: readonly string[];
  /** Lines of the file that the rows stood in. */
  readonly lines: Int32Array;
  private readonly columns: ReadonlyMap<string, Column>;
  private readonly path: string | undefined;

  constructor(names: readonly string[], columns: readonly Column[], lines: Int32Array, path?: string) {
    this.names = names;
    this.columns = new Map(names.map((name, i) => [name, columns[i]]));
    this.lines = lines;
    this.path = path;
  }

  /** Number of rows. */
  get length(): number {
    return this.lines.length;
  }

  column(name: string): Column {
    checkText('column', 'the name', name);
    const column = this.columns.get(name);
    if (column === undefined) {
      const known = this.names.map((n) => `'${n}'`).join(', ');
      throw new ArgumentError(`csv: there is no column '${name}'. There are ${known}.`);
    }
    return column;
  }

  /** A column's numbers; FormatError if it is text. */
  numbers(name: string): Float64Array {
    const column = this.column(name);
    if (column.kind === 'number') return column.values;
    throw this.fault(
      `column '${name}' is text ('${column.values[0] ?? ''}'). Leave it out of the features, or encode it (TableEncoder)`,
      0,
    );
  }

  /**
   * A column as classes 0, 1, …, and what they are called: numbers in ascending order, text in the order of its characters.
   * Where a value is missing it throws FormatError, or the class is −1 (`skip`).
   */
  classes(
    name: string,
    gaps: 'error' | 'skip' = 'error',
  ): { readonly labels: Int32Array; readonly classes: readonly string[] } {
    const { kind, values, missing } = this.column(name);
    if (missing.length > 0 && gaps === 'error') throw this.fault(`column '${name}' has no class`, missing[0]);
    const isMissing = new Set(missing);
    const isThere = (_: unknown, row: number): boolean => !isMissing.has(row);
    const found =
      kind === 'number'
        ? [...new Set(values.filter(isThere))].sort((a, b) => a - b).map(String)
        : [...new Set(values.filter(isThere))].sort((a, b) => (a < b ? -1 : 1));
    const ranks = new Map(found.map((value, i) => [value, i]));
    const labels = Int32Array.from(values as ArrayLike<unknown>, (v) => ranks.get(String(v)) ?? -1);
    for (const row of missing) labels[row] = -1;
    return { labels, classes: found };
  }

  /** The rows at `positions`, in that order, as a table of their own; their lines stay those of the file. */
  subset(positions: ArrayLike<number>): CsvTable {
    checkNumbers('subset', 'the list of positions', positions);
    const rows = Int32Array.from(positions);
    const wrong = rows.find((row) => row < 0 || row >= this.length);
    if (wrong !== undefined)
      throw new ArgumentError(`csv: there is no row ${wrong}. The table has ${this.length}, counted from 0.`);
    const columns = this.names.map((name): Column => {
      const column = this.column(name);
      const isMissing = new Set(column.missing);
      const missing = [...rows.keys()].filter((i) => isMissing.has(rows[i]));
      return column.kind === 'number'
        ? { kind: 'number', values: Float64Array.from(rows, (row) => column.values[row]), missing }
        : { kind: 'text', values: Array.from(rows, (row) => column.values[row]), missing };
    });
    const lines = rows.map((row) => this.lines[row]);
    return new CsvTable(this.names, columns, lines, this.path);
  }

  /**
   * Disjoint parts of random rows, by fractions or counts, the same for the same seed. `stratify` names a column whose values
   * keep their shares in each part. Split first and fit encoders to the training part: so nothing leaks into it.
   */
  split<K extends string>(
    parts: Readonly<Record<K, number>>,
    { stratify, ...rest }: SplitOptions & { readonly stratify?: string } = {},
  ): Record<K, CsvTable> {
    checkRecord('split', 'the argument', parts, 'fractions or counts');
    for (const [name, part] of Object.entries(parts)) checkNumber('split', `part '${name}'`, part);
    const names = Object.keys(parts) as K[];
    const classes = stratify === undefined ? undefined : this.classes(stratify).labels;
    const sizes = names.map((name) => parts[name]);
    const lists = splitIndices(this.length, sizes, { ...rest, classes });
    return Object.fromEntries(names.map((name, i) => [name, this.subset(lists[i])])) as Record<K, CsvTable>;
  }

  /** The rows that lack nothing in these columns (default: in any). */
  complete(names: readonly string[] = this.names): CsvTable {
    checkList('complete', 'the argument', names, 'names of columns');
    const gaps = new Set(names.flatMap((name) => this.column(name).missing));
    return this.subset(Array.from({ length: this.length }, (_, row) => row).filter((row) => !gaps.has(row)));
  }

  /** For classification: x the features, float32 [F], y the class of column `target`; `classes` are their names. */
  classification(target: string, options: FeatureOptions = {}): { data: ClassData; classes: readonly string[] } {
    checkOptions('classification', options, FEATURE_OPTIONS);
    const { labels, classes } = this.classes(target);
    const { rows, x } = this.features(target, options);
    return { data: new ArrayDataset({ x, y: { data: labels.filter((_, i) => rows[i]), shape: [] } }), classes };
  }

  /** For regression: x the features, float32 [F], y the number in column `target`. */
  regression(target: string, options: FeatureOptions = {}): TargetData {
    checkOptions('regression', options, FEATURE_OPTIONS);
    const y = Float32Array.from(this.numbers(target));
    const [missing] = this.column(target).missing;
    if (missing !== undefined) throw this.fault(`column '${target}' has no value`, missing);
    const { rows, x } = this.features(target, options);
    return new ArrayDataset({ x, y: { data: y.filter((_, i) => rows[i]), shape: [] } });
  }

  private features(target: string, options: FeatureOptions): { rows: readonly boolean[]; x: FeatureField } {
    const { features = this.names.filter((name) => name !== target), missing = 'error' } = options;
    const columns = features.map((name) => this.numbers(name));
    const rows = new Array<boolean>(this.length).fill(true);
    const filled = columns.map((values, c) => {
      const gaps = this.column(features[c]).missing;
      if (gaps.length === 0) return values;
      if (missing === 'error')
        throw this.fault(
          `column '${features[c]}' has ${gaps.length} missing values, the first here. Give missing: 'drop' or 'mean'`,
          gaps[0],
        );
      if (missing === 'drop') for (const row of gaps) rows[row] = false;
      const known = values.filter((v) => !Number.isNaN(v));
      const mean = known.reduce((a, b) => a + b, 0) / known.length;
      return missing === 'mean' ? values.map((v) => (Number.isNaN(v) ? mean : v)) : values;
    });
    const kept = rows.flatMap((keep, row) => (keep ? [row] : []));
    const data = new Float32Array(kept.length * features.length);
    kept.forEach((row, i) => filled.forEach((values, c) => (data[i * features.length + c] = values[row])));
    return { rows, x: { data, shape: [features.length] } };
  }

  /** An error about a row, with its line. */
  fault(what: string, row: number): FormatError {
    const where = `${this.path === undefined ? '' : `${this.path}, `}line ${this.lines[row] ?? 1}`;
    return new FormatError(`csv: ${where}: ${what}.`, this.path);
  }
}
