// safetensors, the file format for weights: bytes in, named arrays out, and back.
//   8 bytes length of the header · header, JSON { name: { dtype, shape, data_offsets }, __metadata__ } · data
// Reading trusts nothing: every length is checked against the bytes that are there before anything is allocated, tensors
// must fill the data without overlap or gap, and a violation is a FormatError with the offset where it stands.
// Specification: https://github.com/huggingface/safetensors. Must not know: files, tensors, modules.

import {
  ArgumentError,
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
import type { ByteSource } from './byte-source.js';
import { ENCODINGS, WRITTEN } from './encodings.js';
import { type Entry, type Fail, METADATA, PREFIX, failOf, headerLength, parseHeader } from './safetensors-header.js';
import { StoredTensor } from './stored-tensor.js';

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

// ---------------------------------------------------------------- reading

/**
 * Reads a whole file. F32, F64, F16 and BF16 stay what they are, and so does U8; F8_E4M3 and F8_E5M2 become float32; I32, I16, I8, U16, U32,
 * U64 and I64, if every number fits, become int32; BOOL becomes bool. `path` is for messages. Throws FormatError.
 */
export function parseSafetensors(bytes: Uint8Array, path?: string): SafetensorsContent {
  const fail = failOf(path);
  if (!isUint8Array(bytes))
    throw wrongKind('fromSafetensors', 'the argument', bytes, 'Give the bytes of a file: a Uint8Array');
  const length = headerLength(bytes.subarray(0, PREFIX), bytes.length, fail);
  const { entries, metadata } = parseHeader(bytes.subarray(PREFIX, PREFIX + length), bytes.length, fail);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tensors = entries.map((entry) => [entry.name, decode(entry, view, PREFIX + length, fail)] as const);
  return { tensors: Object.fromEntries(tensors), metadata };
}

/** What a file holds, its numbers not read yet. Throws FormatError as `parseSafetensors`. */
export async function readSafetensors(
  source: ByteSource,
): Promise<{ tensors: Map<string, StoredTensor>; metadata: Readonly<Record<string, string>> }> {
  const fail = failOf(source.name);
  const prefix = await source.read(0, Math.min(PREFIX, source.size));
  const length = headerLength(prefix, source.size, fail);
  const header = await source.read(PREFIX, PREFIX + length);
  const { entries, metadata } = parseHeader(header, source.size, fail);
  const stored = entries.map(({ name, encoding, shape, begin, end }): [string, StoredTensor] => {
    const [from, to] = [PREFIX + length + begin, PREFIX + length + end];
    const storage = { size: end - begin, file: source.name, bytes: () => source.read(from, to) };
    return [name, new StoredTensor(encoding.stored, shape, storage, undefined, name)];
  });
  return { tensors: new Map(stored), metadata };
}

function decode({ name, encoding, shape, begin }: Entry, view: DataView, start: number, fail: Fail): NamedArray {
  if (encoding.stored === 'complex64')
    fail(`tensor ${JSON.stringify(name)} has complex numbers, which are no dtype here`, start + begin);
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
