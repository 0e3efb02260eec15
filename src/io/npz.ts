// NumPy's npy and npz files as stored tensors, and back.

import { sizeOf } from '../tensor/library.js';
import type { ByteSource } from './byte-source.js';
import { crc32 } from './formats/crc32.js';
import { faultOf } from './formats/fault.js';
import { MOST_NPY_HEADER, parseNpyHeader, typeFault } from './formats/npy.js';
import { type ZipMember, readMember } from './formats/zip.js';
import { NUMPY_DTYPES, fortranStrides } from './numpy-dtype.js';
import { STORED_DTYPES, type StoredDType } from './stored-dtype.js';
import { StorageCache, StoredTensor } from './stored-tensor.js';

/** The array of an npy file. Throws FormatError. */
export async function readNpyFile(source: ByteSource): Promise<StoredTensor> {
  const head = await source.read(0, Math.min(source.size, MOST_NPY_HEADER + 12));
  return storedArray(head, source.size, source.name, (begin, end) => source.read(begin, end));
}

/** The arrays of an npz file by their names without `.npy`. Throws FormatError. */
export async function readNpzFile(
  source: ByteSource,
  members: readonly ZipMember[],
): Promise<Map<string, StoredTensor>> {
  const arrays = new Map<string, StoredTensor>();
  const cache = new StorageCache();
  for (const member of members) {
    if (!member.name.endsWith('.npy')) continue;
    const read = (): Promise<Uint8Array> => cache.get(member, () => readMember(source, member));
    const name = member.name.slice(0, -'.npy'.length);
    const where = source.name === undefined ? member.name : `${source.name} (${member.name})`;
    // The header of a compressed member is known once it is unpacked, which it is again when it is asked for.
    const stored = storedArray(await read(), member.size, where, async (begin, end) =>
      (await read()).subarray(begin, end),
    );
    arrays.set(name, stored.named(name));
  }
  return arrays;
}

function storedArray(
  head: Uint8Array,
  size: number,
  name: string | undefined,
  read: (begin: number, end: number) => Promise<Uint8Array>,
): StoredTensor {
  const fault = faultOf('npy', name);
  const { descr, isFortran, shape, begin, start } = parseNpyHeader(head, fault);
  const dtype = NUMPY_DTYPES[descr.slice(1)];
  if (dtype === undefined || !'<>|='.includes(descr[0])) return fault(typeFault(descr), begin);
  const end = start + sizeOf(shape) * STORED_DTYPES[dtype].bytes;
  if (end !== size) fault(`[${shape.join(', ')}] of ${dtype} needs ${end} bytes, and there are ${size}`, size);
  const storage = { size: end - start, file: name, isBigEndian: descr[0] === '>', bytes: () => read(start, end) };
  const layout = isFortran ? { offset: 0, strides: fortranStrides(shape) } : undefined;
  return new StoredTensor(dtype, shape, storage, layout);
}

// ---------------------------------------------------------------- writing

/** NumPy's type of a dtype; undefined for bfloat16, float8 and half complex numbers, which it lacks. */
export function numpyTypeOf(dtype: StoredDType): string | undefined {
  const found = Object.entries(NUMPY_DTYPES).find(([, name]) => name === dtype)?.[0];
  return found === undefined ? undefined : `${STORED_DTYPES[dtype].bytes === 1 ? '|' : '<'}${found}`;
}

const ALIGNMENT = 64;

/** The header of an npy file (version 1). */
export function npyHeader(type: string, shape: readonly number[]): Uint8Array {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const text = `{'descr': '${type}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const length = Math.ceil((10 + text.length + 1) / ALIGNMENT) * ALIGNMENT - 10;
  const bytes = new Uint8Array(10 + length).fill(0x20);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]);
  new DataView(bytes.buffer).setUint16(8, length, true);
  bytes.set(new TextEncoder().encode(text), 10);
  bytes[bytes.length - 1] = 0x0a;
  return bytes;
}

/** Of an archive without zip64. */
const MOST_MEMBERS = 0xffff;
const MOST_NAME_BYTES = 0xffff - '.npy'.length;
const MOST_BYTES = 0xffffffff;
/** NumPy's own limit. */
const MOST_DIMENSIONS = 64;

/** Why an npz file cannot hold these arrays; undefined if it can. */
export function npzFault(
  arrays: readonly { readonly name: string; readonly dtype: StoredDType; readonly shape: readonly number[] }[],
): string | undefined {
  if (arrays.length > MOST_MEMBERS) return `${arrays.length} tensors are more than the ${MOST_MEMBERS} of an npz file`;
  let size = 0;
  for (const { name, dtype, shape } of arrays) {
    const nameBytes = new TextEncoder().encode(name).length;
    if (nameBytes > MOST_NAME_BYTES) return `a key of ${nameBytes} bytes is too long for an npz file`;
    if (shape.length > MOST_DIMENSIONS) return `'${name}' has ${shape.length} dimensions, too many for an npz file`;
    const header = npyHeader(numpyTypeOf(dtype) ?? '', shape).length;
    size += 76 + 2 * (nameBytes + '.npy'.length) + header + sizeOf(shape) * STORED_DTYPES[dtype].bytes;
  }
  return size + 22 > MOST_BYTES ? `${size} bytes are more than the 4 GiB of an npz file` : undefined;
}

/** A member of an archive that is being written. */
export interface NewMember {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The bytes of an archive of stored members, one after the other, which `npzFault` has found to fit. */
export async function* zipStored(members: AsyncIterable<NewMember>): AsyncGenerator<Uint8Array, void, void> {
  const directory: Uint8Array[] = [];
  let at = 0;
  for await (const { name, bytes } of members) {
    const encoded = new TextEncoder().encode(name);
    const common = new Uint8Array(26);
    const view = new DataView(common.buffer);
    view.setUint16(0, 20, true); // version 2.0
    view.setUint16(2, 0x0800, true); // the name is UTF-8
    view.setUint16(8, 0x21, true); // 1980-01-01: the same input gives the same bytes
    view.setUint32(10, crc32(bytes), true);
    view.setUint32(14, bytes.length, true);
    view.setUint32(18, bytes.length, true);
    view.setUint16(22, encoded.length, true);
    directory.push(Uint8Array.of(0x50, 0x4b, 1, 2, 20, 0, ...common, ...new Uint8Array(10), ...u32(at), ...encoded));
    yield Uint8Array.of(0x50, 0x4b, 3, 4, ...common, ...encoded);
    yield bytes;
    at += 30 + encoded.length + bytes.length;
  }
  const size = directory.reduce((sum, entry) => sum + entry.length, 0);
  const count = [directory.length & 255, directory.length >> 8];
  for (const entry of directory) yield entry;
  yield Uint8Array.of(0x50, 0x4b, 5, 6, 0, 0, 0, 0, ...count, ...count, ...u32(size), ...u32(at), 0, 0);
}

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}
