// safetensors, the file format for weights: bytes in, named arrays out, and back.
//   8 bytes length of the header · header, JSON { name: { dtype, shape, data_offsets }, __metadata__ } · data
// Reading trusts nothing: every length is checked against the bytes that are there before anything is allocated, tensors
// must fill the data without overlap or gap, and a violation is a FormatError with the offset where it stands.
// Specification: https://github.com/huggingface/safetensors. Must not know: files, tensors, modules.

import {
  ArgumentError,
  FormatError,
  type DType,
  type Shape,
  formatShape,
  sizeOf,
  checkRecord,
  checkShape,
  wrongKind,
  checkChoice,
  checkHas,
} from '../tensor/library.js';
import { isUint8Array } from '../tensor/typed-arrays.js';
import { duplicateKey } from './duplicate-key.js';
import { type Encoding, ENCODINGS, WRITTEN } from './encodings.js';

export interface NamedArray {
  readonly dtype: DType;
  readonly shape: Shape;
  /** Row-major: Float32Array (also of float16 and bfloat16), Float64Array, Int32Array, Uint8Array (for bool of 0 and 1), as the dtype says. */
  readonly data: Float32Array | Float64Array | Int32Array | Uint8Array;
}

export interface SafetensorsContent {
  readonly tensors: Readonly<Record<string, NamedArray>>;
  readonly metadata: Readonly<Record<string, string>>;
}

const METADATA = '__metadata__';
const PREFIX = 8;
/** As the reference implementation: a longer header is taken for an attack. */
const LONGEST_HEADER = 100_000_000;

interface Entry {
  readonly name: string;
  readonly encoding: Encoding;
  readonly shape: number[];
  readonly begin: number;
  readonly end: number;
}

// ---------------------------------------------------------------- reading

/**
 * Reads a whole file. F32, F64, F16 and BF16 stay what they are, and so does U8; I32, I16, I8, U8, U16 and I64, if every number fits, become
 * int32; BOOL becomes bool. `path` is for messages. Throws FormatError.
 */
export function parseSafetensors(bytes: Uint8Array, path?: string): SafetensorsContent {
  const where = path === undefined ? 'safetensors' : `safetensors: ${path}`;
  const fail = (what: string, offset: number): never => {
    throw new FormatError(
      `${where}: ${what} (at byte ${offset}). The file is damaged or not in this format.`,
      path,
      offset,
    );
  };
  if (!isUint8Array(bytes))
    throw wrongKind('fromSafetensors', 'the argument', bytes, 'Give the bytes of a file: a Uint8Array');
  if (bytes.length < PREFIX) fail(`${bytes.length} bytes are too few for the length of a header`, bytes.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = Number(view.getBigUint64(0, true));
  if (length > LONGEST_HEADER) fail(`a header of ${length} bytes is too long`, 0);
  if (length > bytes.length - PREFIX) fail(`a header of ${length} bytes does not fit a file of ${bytes.length}`, 0);
  const header = parseHeader(bytes.subarray(PREFIX, PREFIX + length), fail);
  const dataSize = bytes.length - PREFIX - length;
  const { entries, metadata } = readEntries(header, dataSize, fail);
  checkLayout(entries, dataSize, PREFIX + length, fail);
  const tensors = entries.map((entry) => [entry.name, decode(entry, view, PREFIX + length, fail)] as const);
  return { tensors: Object.fromEntries(tensors), metadata };
}

type Fail = (what: string, offset: number) => never;

function parseHeader(bytes: Uint8Array, fail: Fail): Record<string, unknown> {
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

function decode({ name, encoding, shape, begin }: Entry, view: DataView, start: number, fail: Fail): NamedArray {
  const data = encoding.allocate(sizeOf(shape));
  for (let i = 0; i < data.length; i++) {
    const at = start + begin + i * encoding.bytes;
    const value = encoding.read(view, at);
    if (value === undefined) {
      fail(`element ${i} of tensor ${JSON.stringify(name)} is no ${encoding.dtype}`, at);
    } else data[i] = value;
  }
  return { dtype: encoding.dtype, shape, data };
}

// ---------------------------------------------------------------- writing

/** Metadata as the format holds them: numbers and truth values as texts. Throws ArgumentError for anything else. */
export function checkMetadata(metadata: Readonly<Record<string, unknown>>): Record<string, string> {
  checkRecord('safetensors', 'the metadata', metadata, 'texts');
  const texts = Object.entries(metadata).map(([name, value]) => {
    if (!['string', 'number', 'boolean'].includes(typeof value)) {
      const what = value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value;
      throw new ArgumentError(
        `safetensors: metadata ${JSON.stringify(name)} is ${what}. Give a text, a number or a truth value, such as JSON.stringify(value).`,
      );
    }
    return [name, String(value)] as const;
  });
  return Object.fromEntries(texts);
}

/** The bytes of a file with these tensors, in this order. Metadata that are numbers or truth values become texts. */
export function formatSafetensors(
  tensors: Readonly<Record<string, NamedArray>>,
  metadata: Readonly<Record<string, string | number | boolean>> = {},
): Uint8Array {
  checkRecord('formatSafetensors', 'the argument', tensors, '{ dtype, shape, data }');
  const texts = checkMetadata(metadata);
  const header: [string, unknown][] = Object.keys(texts).length > 0 ? [[METADATA, texts]] : [];
  let size = 0;
  for (const [name, value] of Object.entries(tensors)) {
    checkHas('formatSafetensors', `'${name}'`, value, ['dtype', 'shape', 'data'], 'Give { dtype, shape, data }');
    checkChoice('formatSafetensors', `dtype of '${name}'`, value.dtype, Object.keys(WRITTEN));
  }
  for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
    if (name === METADATA) throw new ArgumentError(`safetensors: a tensor cannot be called ${METADATA}.`);
    if (!ArrayBuffer.isView(data))
      throw wrongKind('formatSafetensors', `data of '${name}'`, data, 'Give a typed array');
    checkShape(shape, `formatSafetensors: shape of '${name}'`);
    if (data.length !== sizeOf(shape)) {
      throw new ArgumentError(
        `safetensors: tensor ${name} has ${data.length} numbers for shape ${formatShape(shape)}.`,
      );
    }
    const begin = size;
    size += data.length * ENCODINGS[WRITTEN[dtype][0]].bytes;
    header.push([name, { dtype: WRITTEN[dtype][0], shape, data_offsets: [begin, size] }]);
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const length = Math.ceil(json.length / 8) * 8; // blanks at its end align the data
  const bytes = new Uint8Array(PREFIX + length + size).fill(0x20, PREFIX, PREFIX + length);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(length), true);
  bytes.set(json, PREFIX);
  let at = PREFIX + length;
  for (const { dtype, data } of Object.values(tensors)) {
    const [encoding, write] = WRITTEN[dtype];
    for (const value of data) {
      write(view, at, value);
      at += ENCODINGS[encoding].bytes;
    }
  }
  return bytes;
}
