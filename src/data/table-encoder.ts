// From the columns of a table to numbers that a network learns from: numbers standardised, text as one-hot or ordinal. What is
// needed for it (means, deviations, categories) comes from one table, the training part, and serves all others: nothing of the
// validation or test data leaks into it. Plain JSON holds it, so that a run can keep it.
// Must not know: files, text of CSV.

import {
  ArgumentError,
  checkOptions,
  type OptionNames,
  checkChoice,
  checkGiven,
  checkHas,
  checkList,
  checkRecord,
  checkText,
} from '../tensor/library.js';
import type { ClassData, CsvTable, FeatureField, TargetData } from './csv-table.js';
import { ArrayDataset } from './dataset.js';

/**
 * How a column becomes features. `standard`: minus the mean, divided by the standard deviation (the default for numbers);
 * `number`: as it is; `one-hot`: a feature of 0 or 1 for each category (the default for text); `ordinal`: 0, 1, 2, … in the
 * order of the categories, or in the order of a list that is given.
 */
export type ColumnEncoding = 'standard' | 'number' | 'one-hot' | 'ordinal' | readonly string[];

export interface EncoderOptions {
  /** The column that is to be predicted. */
  readonly target?: string;
  /** Default: classification for a target of text, regression for one of numbers. */
  readonly task?: 'classification' | 'regression';
  /** Columns that become features. Default: all but the target. */
  readonly features?: readonly string[];
  /** How, by name, where it is not the default. */
  readonly columns?: Readonly<Record<string, ColumnEncoding>>;
  /** A missing value is an error (default), or becomes the mean or the commonest category of the training part. */
  readonly missing?: 'error' | 'fill';
  /** A category that the training part does not have: all zeros in one-hot, −1 in ordinal (`ignore`, default), or an error. */
  readonly unseen?: 'ignore' | 'error';
}

const ENCODER_OPTIONS: OptionNames<EncoderOptions> = {
  target: true,
  task: true,
  features: true,
  columns: true,
  missing: true,
  unseen: true,
};

interface NumberColumn {
  readonly name: string;
  readonly encoding: 'standard' | 'number';
  readonly mean: number;
  /** Population's, as in scikit-learn; 1 for a column that is constant. */
  readonly std: number;
}

interface CategoryColumn {
  readonly name: string;
  readonly encoding: 'one-hot' | 'ordinal';
  readonly categories: readonly string[];
  readonly commonest: string;
}

type EncodedColumn = NumberColumn | CategoryColumn;

/** What an encoder knows: plain JSON. */
export interface EncoderState {
  readonly version: 1;
  readonly columns: readonly EncodedColumn[];
  readonly missing: 'error' | 'fill';
  readonly unseen: 'ignore' | 'error';
  readonly target?: string;
  /** The classes of the target, in the order of their numbers; left out for regression. */
  readonly classes?: readonly string[];
}

/** A category that the training part did not have. */
export interface Unseen {
  readonly column: string;
  readonly value: string;
  /** Rows that have it. */
  readonly count: number;
}

/** More categories than this are one-hot only where that is said: names and numbers of tickets are no categories. */
const MOST_CATEGORIES = 50;

/**
 * Encodes the columns of tables as the training part has them. scikit-learn: a ColumnTransformer of StandardScaler and
 * OneHotEncoder or OrdinalEncoder.
 *
 *     const { train, test } = (await readCsv('fruit.csv')).split({ train: 0.8, test: 0.2 }, { stratify: 'kind' });
 *     const encoder = TableEncoder.fit(train, { target: 'kind', columns: { size: ['small', 'medium', 'large'] } });
 *     const loader = new DataLoader(encoder.classification(train), { batchSize: 16, shuffle: true });
 *     const model = mlp([encoder.width, 32, encoder.classes.length]);
 */
export class TableEncoder {
  private readonly state: EncoderState;

  private constructor(state: EncoderState) {
    this.state = state;
  }

  /** Learns means, deviations and categories from the training part. Throws ArgumentError for options, FormatError for values. */
  static fit(table: CsvTable, options: EncoderOptions = {}): TableEncoder {
    checkOptions('TableEncoder.fit', options, ENCODER_OPTIONS);
    checkTable('TableEncoder.fit', table);
    if (options.target !== undefined) checkText('TableEncoder.fit', 'target', options.target);
    if (options.features !== undefined) checkList('TableEncoder.fit', 'features', options.features, 'names of columns');
    if (options.columns !== undefined) checkRecord('TableEncoder.fit', 'columns', options.columns, 'encodings');
    checkGiven(
      (op, what, value) => checkChoice(op, what, value, ['classification', 'regression']),
      'TableEncoder.fit',
      {
        task: options.task,
      },
    );
    checkGiven((op, what, value) => checkChoice(op, what, value, ['error', 'fill']), 'TableEncoder.fit', {
      missing: options.missing,
    });
    checkGiven((op, what, value) => checkChoice(op, what, value, ['error', 'ignore']), 'TableEncoder.fit', {
      unseen: options.unseen,
    });
    const { target, features = table.names.filter((name) => name !== target), columns = {} } = options;
    const { missing = 'error', unseen = 'ignore' } = options;
    if (table.length === 0)
      throw new ArgumentError('TableEncoder: the table has no rows. Fit it to the training part.');
    for (const name of [...features, ...Object.keys(columns)]) table.column(name); // says which are there
    if (target !== undefined && features.includes(target))
      throw new ArgumentError(`TableEncoder: the target '${target}' is among the features. Leave it out of them.`);
    const other = Object.keys(columns).find((name) => !features.includes(name));
    if (other !== undefined)
      throw new ArgumentError(
        `TableEncoder: columns names '${other}', which is no feature. Leave it out, or add it to features.`,
      );
    if (features.length === 0) throw new ArgumentError('TableEncoder: there are no features. Name at least one.');
    const encoded = features.map((name) => fitColumn(table, name, columns[name], missing));
    const isClasses =
      target !== undefined &&
      (options.task ?? (table.column(target).kind === 'text' ? 'classification' : 'regression')) === 'classification';
    return new TableEncoder({
      version: 1,
      columns: encoded,
      missing,
      unseen,
      ...(target !== undefined && { target }),
      ...(isClasses && { classes: table.classes(target).classes }),
    });
  }

  /** An encoder as `toJSON` has written it down. Throws ArgumentError for anything else. */
  static from(state: unknown): TableEncoder {
    if (isState(state)) return new TableEncoder(state);
    throw new ArgumentError(
      'TableEncoder: this is not what toJSON() of an encoder gives. Encode the training part again.',
    );
  }

  toJSON(): EncoderState {
    return this.state;
  }

  /** Names of the features, in their order: `mass`, `island=Dream`, … */
  get names(): string[] {
    return this.state.columns.flatMap((column) =>
      column.encoding === 'one-hot' ? column.categories.map((category) => `${column.name}=${category}`) : [column.name],
    );
  }

  /** Number of features. */
  get width(): number {
    return this.names.length;
  }

  get target(): string | undefined {
    return this.state.target;
  }

  /** Names of the classes of the target; none for regression. */
  get classes(): readonly string[] {
    return this.state.classes ?? [];
  }

  get isClassifier(): boolean {
    return this.state.classes !== undefined;
  }

  /** Types for `readCsv`: a column that looks like numbers in one file and like text in the other is read alike. */
  get types(): Readonly<Record<string, 'number' | 'text'>> {
    return Object.fromEntries(
      this.state.columns.map(({ name, encoding }) => [
        name,
        encoding === 'standard' || encoding === 'number' ? 'number' : 'text',
      ]),
    );
  }

  /** The features of a table's rows, float32 [width]. Throws FormatError with the line of a value that cannot be encoded. */
  encode(table: CsvTable): FeatureField {
    checkTable('encode', table);
    const { width } = this;
    const data = new Float32Array(table.length * width);
    let at = 0;
    for (const column of this.state.columns) {
      if (!('categories' in column)) {
        const [shift, scale] = column.encoding === 'standard' ? [column.mean, column.std] : [0, 1];
        const values = this.numbersOf(table, column);
        for (let row = 0; row < table.length; row++) data[row * width + at] = (values[row] - shift) / scale;
        at++;
      } else {
        const ranks = this.ranksOf(table, column);
        const isOneHot = column.encoding === 'one-hot';
        for (let row = 0; row < table.length; row++) {
          if (!isOneHot) data[row * width + at] = ranks[row];
          else if (ranks[row] >= 0) data[row * width + at + ranks[row]] = 1;
        }
        at += isOneHot ? column.categories.length : 1;
      }
    }
    return { data, shape: [width] };
  }

  /** For classification: x the features, y the class of the target. Throws FormatError for a class that training did not have. */
  classification(table: CsvTable): ClassData {
    const { target, classes } = this.state;
    if (target === undefined || classes === undefined)
      throw new ArgumentError(
        "TableEncoder: there is no target of classes. Fit it with target and task: 'classification'.",
      );
    const y = this.labels(table);
    const unknown = y.indexOf(-1);
    if (unknown >= 0) {
      const value = textsOf(table, target)[unknown];
      throw table.fault(`the class '${value}' of column '${target}' does not occur in the training part`, unknown);
    }
    return new ArrayDataset({ x: this.encode(table), y: { data: y, shape: [] } });
  }

  /** The class of each row; −1 for one that training did not have, or that is missing. */
  labels(table: CsvTable): Int32Array {
    const { target = '', classes = [] } = this.state;
    const { missing } = table.column(target);
    const ranks = new Map(classes.map((name, i) => [name, i]));
    const labels = Int32Array.from(textsOf(table, target), (text) => ranks.get(text) ?? -1);
    for (const row of missing) labels[row] = -1;
    return labels;
  }

  /** For regression: x the features, y the number in the target's column. */
  regression(table: CsvTable): TargetData {
    const { target, classes } = this.state;
    if (target === undefined || classes !== undefined)
      throw new ArgumentError(
        "TableEncoder: there is no target of numbers. Fit it with target and task: 'regression'.",
      );
    const { missing } = table.column(target);
    if (missing.length > 0) throw table.fault(`column '${target}' has no value`, missing[0]);
    return new ArrayDataset({
      x: this.encode(table),
      y: { data: Float32Array.from(table.numbers(target)), shape: [] },
    });
  }

  /** Categories of the table that the training part did not have, column by column. */
  unseen(table: CsvTable): Unseen[] {
    return this.state.columns.flatMap((column) => {
      if (!('categories' in column)) return [];
      const missing = new Set(table.column(column.name).missing);
      const known = new Set(column.categories);
      const counts = new Map<string, number>();
      textsOf(table, column.name).forEach((value, row) => {
        if (!missing.has(row) && !known.has(value)) counts.set(value, (counts.get(value) ?? 0) + 1);
      });
      return [...counts].map(([value, count]) => ({ column: column.name, value, count }));
    });
  }

  private numbersOf(table: CsvTable, { name, mean }: NumberColumn): Float64Array {
    const column = table.column(name);
    if (column.kind === 'text') {
      const row = column.values.findIndex((text, i) => !column.missing.includes(i) && Number.isNaN(Number(text)));
      if (row >= 0)
        throw table.fault(`column '${name}' has '${column.values[row].slice(0, 30)}', which is no number`, row);
    }
    const values = Float64Array.from(column.values, Number);
    this.checkMissing(table, name);
    for (const row of column.missing) values[row] = mean;
    return values;
  }

  private ranksOf(table: CsvTable, { name, categories, commonest }: CategoryColumn): Int32Array {
    this.checkMissing(table, name);
    const ranks = new Map(categories.map((category, i) => [category, i]));
    const missing = new Set(table.column(name).missing);
    return Int32Array.from(textsOf(table, name), (text, row) => {
      const rank = ranks.get(missing.has(row) ? commonest : text);
      if (rank !== undefined || this.state.unseen === 'ignore') return rank ?? -1;
      throw table.fault(`column '${name}' has '${text.slice(0, 30)}', which the training part does not have`, row);
    });
  }

  private checkMissing(table: CsvTable, name: string): void {
    const [first] = table.column(name).missing;
    if (first === undefined || this.state.missing === 'fill') return;
    throw table.fault(
      `column '${name}' has no value. Fit the encoder with missing: 'fill', or leave such rows out`,
      first,
    );
  }
}

/** Every value as text; numbers as JavaScript writes them. */
function textsOf(table: CsvTable, name: string): string[] {
  return Array.from<string | number, string>(table.column(name).values, String);
}

function fitColumn(
  table: CsvTable,
  name: string,
  asked: ColumnEncoding | undefined,
  missing: 'error' | 'fill',
): EncodedColumn {
  const column = table.column(name);
  if (column.missing.length > 0 && missing === 'error')
    throw table.fault(
      `column '${name}' has ${column.missing.length} missing values, the first here. Give missing: 'fill', or leave such rows out`,
      column.missing[0],
    );
  if (column.missing.length === table.length)
    throw table.fault(`column '${name}' has no value at all. Leave it out of the features`, 0);
  const encoding = asked ?? (column.kind === 'number' ? 'standard' : 'one-hot');
  if (encoding === 'standard' || encoding === 'number') return fitNumbers(table, name, encoding);
  const gaps = new Set(column.missing);
  const counts = new Map<string, number>();
  textsOf(table, name).forEach((text, row) => gaps.has(row) || counts.set(text, (counts.get(text) ?? 0) + 1));
  const commonest = [...counts].reduce((a, b) => (b[1] > a[1] ? b : a))[0];
  if (typeof encoding !== 'string') {
    const twice = encoding.find((category, i) => encoding.indexOf(category) !== i);
    if (twice !== undefined)
      throw new ArgumentError(`TableEncoder: '${twice}' stands twice in the order of '${name}'.`);
    const lacking = [...counts.keys()].find((category) => !encoding.includes(category));
    if (lacking !== undefined)
      throw new ArgumentError(`TableEncoder: the order of '${name}' lacks '${lacking}', which the column has. Add it.`);
    return { name, encoding: 'ordinal', categories: [...encoding], commonest };
  }
  if (encoding !== 'one-hot' && encoding !== 'ordinal')
    throw new ArgumentError(
      `TableEncoder: '${String(encoding)}' for '${name}' is not known. Use 'standard', 'number', 'one-hot', 'ordinal', or a list of the categories in their order.`,
    );
  if (asked === undefined && counts.size > MOST_CATEGORIES)
    throw new ArgumentError(
      `TableEncoder: column '${name}' has ${counts.size} different texts in ${table.length} rows, and each would be a feature. Leave it out of the features, or say columns: { ${JSON.stringify(name)}: 'one-hot' }.`,
    );
  return { name, encoding, categories: table.classes(name, 'skip').classes, commonest };
}

function fitNumbers(table: CsvTable, name: string, encoding: 'standard' | 'number'): NumberColumn {
  const column = table.column(name);
  if (column.kind === 'text')
    throw table.fault(
      `column '${name}' is text ('${column.values[0].slice(0, 30)}'). Encode it as 'one-hot' or 'ordinal'`,
      0,
    );
  const known = column.values.filter((value) => !Number.isNaN(value));
  const infinite = column.values.findIndex((value) => Math.abs(value) === Infinity);
  if (infinite >= 0) throw table.fault(`column '${name}' is infinite`, infinite);
  const mean = known.reduce((a, b) => a + b, 0) / known.length;
  const variance = known.reduce((sum, value) => sum + (value - mean) ** 2, 0) / known.length;
  return { name, encoding, mean, std: Math.sqrt(variance) || 1 };
}

function isState(value: unknown): value is EncoderState {
  const { version, columns, missing, unseen, target, classes } = (value ?? {}) as Partial<Record<string, unknown>>;
  const isTexts = (list: unknown): boolean => Array.isArray(list) && list.every((text) => typeof text === 'string');
  const isColumn = (column: unknown): boolean => {
    const own = (column ?? {}) as Partial<Record<string, unknown>>;
    if (typeof own['name'] !== 'string') return false;
    if (own['encoding'] === 'standard' || own['encoding'] === 'number')
      return Number.isFinite(own['mean']) && Number.isFinite(own['std']) && own['std'] !== 0;
    return (
      (own['encoding'] === 'one-hot' || own['encoding'] === 'ordinal') &&
      isTexts(own['categories']) &&
      typeof own['commonest'] === 'string'
    );
  };
  return (
    version === 1 &&
    Array.isArray(columns) &&
    columns.length > 0 &&
    columns.every(isColumn) &&
    (missing === 'error' || missing === 'fill') &&
    (unseen === 'ignore' || unseen === 'error') &&
    (target === undefined || typeof target === 'string') &&
    (classes === undefined || isTexts(classes))
  );
}

function checkTable(op: string, table: unknown): void {
  checkHas(op, 'the table', table, ['names', 'column', 'length'], 'Give a table: await readCsv(path)');
}
