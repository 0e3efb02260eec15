// CSV (RFC 4180): quotes, any line ends, a header, other delimiters. Fields in, typed columns out; the first fault ends the
// reading with the number of its line. Must not know: files, tensors.

import { isUint8Array } from '../../tensor/typed-arrays.js';
import { ArgumentError, checkOptions, FormatError, type OptionNames, wrongKind } from '../../tensor/library.js';
import { CsvTable, type Column } from '../csv-table.js';

export interface CsvOptions {
  /** One character. Default ','. */
  readonly delimiter?: string;
  /** Whether the first line has the names; default true. Without, columns are called column0, column1, … */
  readonly header?: boolean;
  /** Lines that begin with it are left out. Default: none. */
  readonly comment?: string;
  /** Unquoted fields that stand for nothing. Default: empty, NA, N/A, NaN, nan, null. */
  readonly missing?: readonly string[];
  /** Types by name: a number that is none is an error. Default: numbers where every field that is there is one, else text. */
  readonly types?: Readonly<Record<string, 'number' | 'text'>>;
  /** For messages. */
  readonly path?: string;
}

export const CSV_OPTIONS: OptionNames<CsvOptions> = {
  delimiter: true,
  header: true,
  comment: true,
  missing: true,
  types: true,
  path: true,
};

const MISSING = ['', 'NA', 'N/A', 'NaN', 'nan', 'null'];

/** Reads a whole table: text, or bytes in UTF-8. Throws FormatError with the line, and ArgumentError for options. */
export function parseCsv(input: string | Uint8Array, options: CsvOptions = {}): CsvTable {
  if (typeof input !== 'string' && !isUint8Array(input))
    throw wrongKind('parseCsv', 'the argument', input, 'Give a text, or the bytes of a file');
  checkOptions('parseCsv', options, CSV_OPTIONS);
  const { header = true, missing = MISSING, types = {}, path } = options;
  const text = decode(input, path);
  const records = splitRecords(text, options);
  const fault = faultAt(text, path);
  const [first] = records;
  if (first === undefined) return fault('there is no line', 1, 0);
  const names = header ? first.fields.map(({ text: name }) => name) : first.fields.map((_, i) => `column${i}`);
  const known = new Set<string>();
  const twice = names.find((name) => known.size === known.add(name).size);
  if (twice !== undefined) fault(`two columns are called '${twice}'`, first.line, first.at);
  const unknown = Object.keys(types).find((name) => !known.has(name));
  if (unknown !== undefined)
    throw new ArgumentError(
      `csv: types names a column '${unknown}'. There are ${names.map((n) => `'${n}'`).join(', ')}.`,
    );
  const rows = header ? records.slice(1) : records;
  for (const { fields, line, at } of rows) {
    if (fields.length !== names.length) {
      const count = `${fields.length} field${fields.length === 1 ? '' : 's'}`;
      fault(`${count}, but ${names.length} in line ${first.line}`, line, at);
    }
  }
  const nothing = new Set(missing);
  const columns = names.map((name, at) => {
    const fields = rows.map((row) => row.fields[at]);
    return makeColumn(fields, nothing, types[name], (row) => {
      fault(
        `column '${name}' has '${fields[row].text.slice(0, 30)}', which is no number`,
        rows[row].line,
        rows[row].at,
      );
    });
  });
  return new CsvTable(
    names,
    columns,
    Int32Array.from(rows, ({ line }) => line),
    path,
  );
}

interface FieldText {
  readonly text: string;
  readonly isQuoted: boolean;
}

interface Row {
  readonly fields: FieldText[];
  readonly line: number;
  /** Where it begins in the text. */
  readonly at: number;
}

function decode(input: string | Uint8Array, path: string | undefined): string {
  if (typeof input === 'string') return input.startsWith('\uFEFF') ? input.slice(1) : input;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(input);
  } catch (cause) {
    const error = new FormatError(`csv: ${path === undefined ? '' : `${path}: `}it is not text in UTF-8.`, path);
    error.cause = cause;
    throw error;
  }
}

function faultAt(text: string, path: string | undefined): (what: string, line: number, at: number) => never {
  return (what, line, at) => {
    const offset = new TextEncoder().encode(text.slice(0, at)).length;
    const where = `${path === undefined ? '' : `${path}, `}line ${line}`;
    throw new FormatError(`csv: ${where}: ${what}. Repair the line, or look at delimiter and header.`, path, offset);
  };
}

/** Lines into fields. A quoted field may hold delimiters, line ends and doubled quotes. */
function splitRecords(text: string, { delimiter = ',', comment, path }: CsvOptions): Row[] {
  if (delimiter.length !== 1 || '"\r\n'.includes(delimiter))
    throw new ArgumentError(`csv: delimiter is ${JSON.stringify(delimiter)}. Use one character, such as ',' or '\\t'.`);
  const fault = faultAt(text, path);
  const stop = new RegExp(
    `[\\r\\n"${delimiter === '\\' || delimiter === ']' || delimiter === '^' || delimiter === '-' ? '\\' : ''}${delimiter}]`,
    'g',
  );
  const rows: Row[] = [];
  let [at, line] = [0, 1];
  const skipLineEnd = (): void => {
    at += text[at] === '\r' && text[at + 1] === '\n' ? 2 : 1;
    line++;
  };
  const nextStop = (from: number): number => {
    stop.lastIndex = from;
    return stop.exec(text)?.index ?? text.length;
  };
  const quoted = (): string => {
    const [begin, beginLine] = [at, line];
    let value = '';
    for (at++; ;) {
      const end = text.indexOf('"', at);
      if (end < 0) fault('a quote is never closed', beginLine, begin);
      value += text.slice(at, end);
      at = end + 1;
      if (text[at] !== '"') break;
      value += '"';
      at++;
    }
    line += value.match(/\r\n|\n|\r/g)?.length ?? 0;
    if (at < text.length && text[at] !== delimiter && text[at] !== '\n' && text[at] !== '\r')
      fault('text follows a closing quote', line, at);
    return value;
  };
  while (at < text.length) {
    if (text[at] === '\n' || text[at] === '\r') {
      skipLineEnd();
      continue;
    }
    if (comment !== undefined && comment !== '' && text.startsWith(comment, at)) {
      while (at < text.length && text[at] !== '\n' && text[at] !== '\r') at++;
      continue;
    }
    const row: Row = { fields: [], line, at };
    for (;;) {
      if (text[at] === '"') row.fields.push({ text: quoted(), isQuoted: true });
      else {
        const end = nextStop(at);
        if (text[end] === '"') fault('a quote stands within a field that does not begin with one', line, end);
        row.fields.push({ text: text.slice(at, end), isQuoted: false });
        at = end;
      }
      if (text[at] !== delimiter) break;
      at++;
    }
    rows.push(row);
    if (at < text.length) skipLineEnd();
  }
  return rows;
}

// Of trimmed text, and with one way to match: a long field that is no number is refused in one pass.
const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
const INFINITE = /^([+-]?)(?:inf|infinity)$/i;

function numberOf(field: string): number {
  const text = field.trim();
  if (NUMBER.test(text)) return Number(text);
  const infinite = INFINITE.exec(text);
  return infinite === null ? NaN : infinite[1] === '-' ? -Infinity : Infinity;
}

function makeColumn(
  fields: readonly FieldText[],
  nothing: ReadonlySet<string>,
  type: 'number' | 'text' | undefined,
  refuse: (row: number) => void,
): Column {
  const missing: number[] = [];
  const isMissing = fields.map(({ text, isQuoted }, row) => {
    const is = !isQuoted && nothing.has(text.trim());
    if (is) missing.push(row);
    return is;
  });
  const asText = (): Column => ({ kind: 'text', values: fields.map(({ text }) => text), missing });
  if (type === 'text' || (type === undefined && missing.length === fields.length)) return asText();
  const values = new Float64Array(fields.length);
  for (let row = 0; row < fields.length; row++) {
    values[row] = isMissing[row] ? NaN : numberOf(fields[row].text);
    if (Number.isNaN(values[row]) && !isMissing[row]) {
      if (type === undefined) return asText();
      refuse(row);
    }
  }
  return { kind: 'number', values, missing };
}
