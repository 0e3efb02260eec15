// The header of a safetensors file: which tensors there are and where. It trusts nothing: every length is checked against the
// file before anything is allocated, and tensors must fill the data without overlap or gap.
// The header's bytes and the file's size in; entries and metadata out.

import { FormatError, formatShape, sizeOf } from '../tensor/library.js';
import { duplicateKey } from './duplicate-key.js';
import { type Encoding, ENCODINGS } from './encodings.js';

export const METADATA = '__metadata__';
/** Bytes of the header's length. */
export const PREFIX = 8;
/** As the reference implementation: a longer header is taken for an attack. */
const LONGEST_HEADER = 100_000_000;

export interface Entry {
  readonly name: string;
  readonly encoding: Encoding;
  readonly shape: number[];
  readonly begin: number;
  readonly end: number;
}

export type Fail = (what: string, offset: number) => never;

/** Throws the FormatErrors of one file. */
export function failOf(path: string | undefined): Fail {
  const where = path === undefined ? 'safetensors' : `safetensors: ${path}`;
  return (what, offset) => {
    throw new FormatError(
      `${where}: ${what} (at byte ${offset}). The file is damaged or not in this format.`,
      path,
      offset,
    );
  };
}

/** From the first eight bytes of a file of `size` bytes. */
export function headerLength(prefix: Uint8Array, size: number, fail: Fail): number {
  if (prefix.length < PREFIX) fail(`${prefix.length} bytes are too few for the length of a header`, prefix.length);
  const length = Number(new DataView(prefix.buffer, prefix.byteOffset, PREFIX).getBigUint64(0, true));
  if (length > LONGEST_HEADER) fail(`a header of ${length} bytes is too long`, 0);
  if (length > size - PREFIX) fail(`a header of ${length} bytes does not fit a file of ${size}`, 0);
  return length;
}

/** The header's bytes in a file of `size` bytes. */
export function parseHeader(
  bytes: Uint8Array,
  size: number,
  fail: Fail,
): { entries: Entry[]; metadata: Record<string, string> } {
  const start = PREFIX + bytes.length;
  const found = readEntries(parseJson(bytes, fail), size - start, fail);
  checkLayout(found.entries, size - start, start, fail);
  return found;
}

function parseJson(bytes: Uint8Array, fail: Fail): Record<string, unknown> {
  let text = '';
  let value: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    value = JSON.parse(text);
  } catch (error) {
    fail(`the header is not JSON: ${(error as Error).message}`, PREFIX);
  }
  // JSON.parse keeps the last of two: other readers keep the first, so that one file would be two models.
  const twice = duplicateKey(text);
  if (twice !== undefined) fail(`the header has ${JSON.stringify(twice)} twice`, PREFIX);
  if (!isRecord(value)) return fail('the header is not an object', PREFIX);
  return value;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function readEntries(
  header: Record<string, unknown>,
  dataSize: number,
  fail: Fail,
): { entries: Entry[]; metadata: Record<string, string> } {
  let metadata: Record<string, string> = {};
  const entries: Entry[] = [];
  for (const [name, value] of Object.entries(header)) {
    if (name === METADATA) {
      if (!isRecord(value) || Object.values(value).some((text) => typeof text !== 'string')) {
        fail('the metadata is not a record of texts', PREFIX);
      }
      metadata = value as Record<string, string>;
    } else entries.push(readEntry(name, value, dataSize, fail));
  }
  return { entries, metadata };
}

function readEntry(name: string, value: unknown, dataSize: number, fail: Fail): Entry {
  const quoted = JSON.stringify(name);
  if (!isRecord(value)) return fail(`tensor ${quoted} has no description`, PREFIX);
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== 'string' || !Object.hasOwn(ENCODINGS, dtype)) {
    return fail(
      `tensor ${quoted} has dtype ${JSON.stringify(dtype)}, known are ${Object.keys(ENCODINGS).join(', ')}`,
      PREFIX,
    );
  }
  if (!Array.isArray(shape) || !shape.every(isCount)) {
    return fail(`tensor ${quoted} has shape ${JSON.stringify(shape)}`, PREFIX);
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount) || offsets[0] > offsets[1]) {
    return fail(`tensor ${quoted} has offsets ${JSON.stringify(offsets)}`, PREFIX);
  }
  const [begin, end] = offsets as [number, number];
  if (end > dataSize) return fail(`tensor ${quoted} ends at ${end}, the data at ${dataSize}`, PREFIX);
  const encoding = ENCODINGS[dtype];
  const size = sizeOf(shape) * encoding.bytes;
  if (size !== end - begin) {
    return fail(
      `tensor ${quoted} of shape ${formatShape(shape)} takes ${size} bytes, its offsets span ${end - begin}`,
      PREFIX,
    );
  }
  return { name, encoding, shape, begin, end };
}

/** In order of their offsets, tensors follow one another from the first to the last byte of the data. */
function checkLayout(entries: readonly Entry[], dataSize: number, start: number, fail: Fail): void {
  let at = 0;
  let before: string | undefined;
  for (const { name, begin, end } of entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin < at) fail(`tensors ${JSON.stringify(before)} and ${JSON.stringify(name)} overlap`, start + begin);
    if (begin > at) fail(`${begin - at} bytes before tensor ${JSON.stringify(name)} belong to no tensor`, start + at);
    [at, before] = [end, name];
  }
  if (at !== dataSize) fail(`the last ${dataSize - at} bytes belong to no tensor`, start + at);
}
