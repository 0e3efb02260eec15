// From a path, an address or bytes to arrays: the readers of formats/ with a file in front of them. gzip is unpacked
// wherever it turns up. Files are reached in Node only; addresses and bytes everywhere.

import { answerOf, isUrl } from '../io/fetch.js';
import { ArgumentError, checkOptions, type OptionNames, wrongKind } from '../tensor/library.js';
import type { CsvTable } from './csv-table.js';
import { type Cifar100Images, type CifarImages, parseCifar10, parseCifar100 } from './formats/cifar.js';
import { CSV_OPTIONS, type CsvOptions, parseCsv } from './formats/csv.js';
import { decompress } from '../io/formats/gzip.js';
import { type IdxArray, parseIdx } from './formats/idx.js';
import { type NpyArray, parseNpy, parseNpz } from '../io/formats/npy.js';
import { isUint8Array } from '../tensor/typed-arrays.js';

/** A path or file: URL (Node), an http(s) address, or the bytes themselves. */
export type Source = string | URL | Uint8Array;

export interface ReadOptions {
  /** Most bytes, after unpacking (gzip, and the arrays of an npz); several gzip files in a row need it. Default: what the file claims to hold. */
  readonly maxBytes?: number;
}

const READ_OPTIONS: OptionNames<ReadOptions> = { maxBytes: true };
const READ_CSV_OPTIONS: OptionNames<CsvOptions & ReadOptions> = { ...CSV_OPTIONS, ...READ_OPTIONS };

/** The bytes of a source, unpacked if they are gzip. Throws NablaError if it cannot be read, FormatError for broken gzip. */
export async function readBytes(source: Source, options: ReadOptions = {}): Promise<Uint8Array> {
  checkOptions('readBytes', options, READ_OPTIONS);
  if (isUint8Array(source)) return decompress(source, options);
  if (typeof source !== 'string' && !isUrl(source))
    throw wrongKind('read', 'the source', source, 'Give a path, an address, or the bytes as Uint8Array');
  const path = String(source);
  return decompress(await fetchBytes(path), { ...options, path });
}

async function fetchBytes(path: string): Promise<Uint8Array> {
  if (/^(https?|blob|data):/.test(path)) {
    const response = await answerOf('read', path);
    return new Uint8Array(await response.arrayBuffer());
  }
  const { process } = globalThis as { process?: NodeJS.Process };
  if (process?.versions?.node === undefined)
    throw new ArgumentError(
      `read: there are no files here, so '${path}' cannot be read. Give an http address or bytes.`,
    );
  const { readFileAt } = await import('./node/files.js');
  return readFileAt(path);
}

const nameOf = (source: Source): string | undefined => (isUint8Array(source) ? undefined : String(source));

/** An IDX file (MNIST): see `parseIdx`. */
export async function readIdx(source: Source, options?: ReadOptions): Promise<IdxArray> {
  checkOptions('readIdx', options, READ_OPTIONS);
  return parseIdx(await readBytes(source, options), nameOf(source));
}

/** A binary file of CIFAR-10: see `parseCifar10`. */
export async function readCifar10(source: Source, options?: ReadOptions): Promise<CifarImages> {
  checkOptions('readCifar10', options, READ_OPTIONS);
  return parseCifar10(await readBytes(source, options), nameOf(source));
}

/** A binary file of CIFAR-100: see `parseCifar100`. */
export async function readCifar100(source: Source, options?: ReadOptions): Promise<Cifar100Images> {
  checkOptions('readCifar100', options, READ_OPTIONS);
  return parseCifar100(await readBytes(source, options), nameOf(source));
}

/** A CSV file: see `parseCsv`. */
export async function readCsv(source: Source, options: CsvOptions & ReadOptions = {}): Promise<CsvTable> {
  checkOptions('readCsv', options, READ_CSV_OPTIONS);
  const { maxBytes, ...csv } = options;
  const path = nameOf(source);
  const bytes = await readBytes(source, maxBytes === undefined ? {} : { maxBytes });
  return parseCsv(bytes, path === undefined ? csv : { path, ...csv });
}

/** A NumPy file of one array: see `parseNpy`. */
export async function readNpy(source: Source, options?: ReadOptions): Promise<NpyArray> {
  checkOptions('readNpy', options, READ_OPTIONS);
  return parseNpy(await readBytes(source, options), nameOf(source));
}

/** A NumPy archive, arrays by name: see `parseNpz`. */
export async function readNpz(source: Source, options?: ReadOptions): Promise<Record<string, NpyArray>> {
  checkOptions('readNpz', options, READ_OPTIONS);
  return parseNpz(await readBytes(source, options), nameOf(source), options?.maxBytes);
}

/** A text file in UTF-8; other bytes become U+FFFD. */
export async function readText(source: Source, options?: ReadOptions): Promise<string> {
  checkOptions('readText', options, READ_OPTIONS);
  return new TextDecoder().decode(await readBytes(source, options));
}
