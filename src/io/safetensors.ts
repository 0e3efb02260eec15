// safetensors: 8 bytes header length, a JSON header { name: { dtype, shape, data_offsets } }, then the numbers.
// Reading checks everything before it allocates: the header's length against the file, each tensor's range against the
// file and its shape, that ranges neither overlap nor leave holes. Nothing in a file is executed.
// Bytes in, bytes out; files are opened elsewhere (node/).

import { type DType, FormatError, type Shape, sizeOf } from '../tensor/library.js';
import { tensor } from '../tensor/creation.js';
import type { AnyTensor } from '../tensor/tensor.js';

export interface RawTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array | Uint8Array;
}

/** Largest header that is read: far beyond any real one. */
const MOST_HEADER_BYTES = 100 << 20;
const PREFIX = 8;

type Reader = (
  view: DataView,
  at: number,
  count: number,
  fail: (what: string) => never,
) => Float32Array | Int32Array | Uint8Array;

function floats(bytes: number, read: (view: DataView, at: number) => number): Reader {
  return (view, at, count) => Float32Array.from({ length: count }, (_, i) => read(view, at + i * bytes));
}

function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const scratch = new DataView(new ArrayBuffer(4));

function bfloat(bits: number): number {
  scratch.setUint32(0, bits << 16);
  return scratch.getFloat32(0);
}

/** What each dtype of the format is read as. */
const READERS: Readonly<Record<string, { readonly bytes: number; readonly dtype: DType; readonly read: Reader }>> = {
  F32: { bytes: 4, dtype: 'float32', read: floats(4, (v, at) => v.getFloat32(at, true)) },
  F64: { bytes: 8, dtype: 'float32', read: floats(8, (v, at) => v.getFloat64(at, true)) },
  F16: { bytes: 2, dtype: 'float32', read: floats(2, (v, at) => half(v.getUint16(at, true))) },
  BF16: { bytes: 2, dtype: 'float32', read: floats(2, (v, at) => bfloat(v.getUint16(at, true))) },
  I32: {
    bytes: 4,
    dtype: 'int32',
    read: (v, at, n) => Int32Array.from({ length: n }, (_, i) => v.getInt32(at + 4 * i, true)),
  },
  I64: {
    bytes: 8,
    dtype: 'int32',
    read: (v, at, n, fail) =>
      Int32Array.from({ length: n }, (_, i) => {
        const value = v.getBigInt64(at + 8 * i, true);
        return BigInt.asIntN(32, value) === value ? Number(value) : fail(`holds ${value}, which int32 cannot`);
      }),
  },
  U8: { bytes: 1, dtype: 'int32', read: (v, at, n) => Int32Array.from({ length: n }, (_, i) => v.getUint8(at + i)) },
  I8: { bytes: 1, dtype: 'int32', read: (v, at, n) => Int32Array.from({ length: n }, (_, i) => v.getInt8(at + i)) },
  BOOL: {
    bytes: 1,
    dtype: 'bool',
    read: (v, at, n) => Uint8Array.from({ length: n }, (_, i) => (v.getUint8(at + i) === 0 ? 0 : 1)),
  },
};

const WRITTEN: Record<DType, { readonly name: string; readonly bytes: number }> = {
  float32: { name: 'F32', bytes: 4 },
  int32: { name: 'I32', bytes: 4 },
  bool: { name: 'BOOL', bytes: 1 },
};

interface Entry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly from: number;
  readonly to: number;
}

/** The tensors and the metadata of a file. Throws FormatError with the offset of what is wrong. */
export function decodeSafetensors(
  file: Uint8Array,
  path?: string,
): { tensors: Map<string, RawTensor>; metadata: Record<string, string> } {
  const fail = (what: string, offset = 0): never => {
    throw new FormatError(`safetensors: ${path ?? 'data'}: ${what} (offset ${offset}).`, path, offset);
  };
  if (file.length < PREFIX) fail(`${file.length} bytes are too few for a header`);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const declared = view.getBigUint64(0, true);
  if (declared > BigInt(Math.min(file.length - PREFIX, MOST_HEADER_BYTES)))
    fail(`the header says it has ${declared} bytes, the file has ${file.length}`);
  const start = PREFIX + Number(declared);
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(file.subarray(PREFIX, start)));
  } catch {
    fail('the header is not JSON', PREFIX);
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header))
    fail('the header is not an object', PREFIX);
  const metadata: Record<string, string> = {};
  const entries: Entry[] = [];
  for (const [name, value] of Object.entries(header as Record<string, unknown>)) {
    if (name === '__metadata__') Object.assign(metadata, checkMetadata(value, fail));
    else entries.push(checkEntry(name, value, fail));
  }
  entries.sort((a, b) => a.from - b.from || a.to - b.to);
  let end = 0;
  for (const e of entries) {
    if (e.from !== end) fail(`tensor ${e.name} starts at ${e.from}, the one before ends at ${end}`, start + e.from);
    end = e.to;
  }
  if (start + end !== file.length) fail(`tensors end at ${start + end}, the file at ${file.length}`, start + end);
  const tensors = new Map<string, RawTensor>();
  for (const e of entries) {
    const { dtype, read } = READERS[e.dtype];
    const at = start + e.from;
    tensors.set(e.name, {
      dtype,
      shape: e.shape,
      data: read(view, at, sizeOf(e.shape), (what) => fail(`tensor ${e.name} ${what}`, at)),
    });
  }
  return { tensors, metadata };
}

function checkMetadata(value: unknown, fail: (what: string, offset?: number) => never): Record<string, string> {
  if (typeof value !== 'object' || value === null || Object.values(value).some((v) => typeof v !== 'string'))
    fail('__metadata__ is not a record of texts', PREFIX);
  return value as Record<string, string>;
}

function checkEntry(name: string, value: unknown, fail: (what: string, offset?: number) => never): Entry {
  const bad = (what: string): never => fail(`tensor ${JSON.stringify(name)}: ${what}`, PREFIX);
  if (typeof value !== 'object' || value === null) bad('is not described by an object');
  const { dtype, shape, data_offsets: offsets } = value as Record<string, unknown>;
  if (typeof dtype !== 'string' || !Object.hasOwn(READERS, dtype)) bad(`dtype ${JSON.stringify(dtype)} is not known`);
  const isCount = (n: unknown): n is number => Number.isSafeInteger(n) && (n as number) >= 0;
  if (!Array.isArray(shape) || !shape.every(isCount)) bad('the shape is not a list of sizes');
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount))
    bad('data_offsets are not two numbers');
  const [from, to] = offsets as [number, number];
  const size = sizeOf(shape as Shape);
  if (!Number.isSafeInteger(size) || to - from !== size * READERS[dtype as string].bytes)
    bad(`[${(shape as number[]).join(', ')}] of ${String(dtype)} does not take ${to - from} bytes`);
  return { name, dtype: dtype as string, shape: shape as number[], from, to };
}

/** A file of the given tensors, in the order of their names. */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, RawTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const names = [...tensors.keys()].sort();
  const header: Record<string, unknown> = {};
  if (Object.keys(metadata).length > 0) header.__metadata__ = metadata;
  let at = 0;
  for (const name of names) {
    const { dtype, shape, data } = tensors.get(name) as RawTensor;
    const to = at + data.length * WRITTEN[dtype].bytes;
    header[name] = { dtype: WRITTEN[dtype].name, shape, data_offsets: [at, to] };
    at = to;
  }
  let text = JSON.stringify(header);
  while ((PREFIX + new TextEncoder().encode(text).length) % 8 !== 0) text += ' ';
  const head = new TextEncoder().encode(text);
  const file = new Uint8Array(PREFIX + head.length + at);
  const view = new DataView(file.buffer);
  view.setBigUint64(0, BigInt(head.length), true);
  file.set(head, PREFIX);
  let p = PREFIX + head.length;
  for (const name of names) {
    const { dtype, data } = tensors.get(name) as RawTensor;
    for (let i = 0; i < data.length; i++, p += WRITTEN[dtype].bytes) {
      if (dtype === 'float32') view.setFloat32(p, data[i], true);
      else if (dtype === 'int32') view.setInt32(p, data[i], true);
      else view.setUint8(p, data[i]);
    }
  }
  return file;
}

/** A state dict as a safetensors file. */
export async function toSafetensors(
  state: Readonly<Record<string, AnyTensor>>,
  metadata?: Readonly<Record<string, string>>,
): Promise<Uint8Array> {
  const raw = new Map<string, RawTensor>();
  for (const [name, t] of Object.entries(state))
    raw.set(name, { dtype: t.dtype, shape: t.shape, data: (await t.data()) as Float32Array });
  return encodeSafetensors(raw, metadata);
}

/** The tensors of a safetensors file by name, for `loadStateDict`. F16, BF16 and F64 become float32, integers int32. */
export function fromSafetensors(file: Uint8Array, path?: string): Record<string, AnyTensor> {
  const { tensors } = decodeSafetensors(file, path);
  const out: Record<string, AnyTensor> = {};
  for (const [name, { dtype, shape, data }] of tensors)
    out[name] = tensor(data as never, { shape, dtype }) as unknown as AnyTensor;
  return out;
}
