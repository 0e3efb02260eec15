// NumPy's npy and npz files: one array, and a zip archive of arrays. Versions 1 to 3 of the header, C and Fortran order,
// both byte orders. Arrays come out in C order.
// Bytes in, typed arrays and shapes out. Specification: numpy.lib.format. Must not know: files, tensors.

import { formatShape, sizeOf } from '../../tensor/library.js';
import { NUMPY_DTYPES, fortranStrides } from '../numpy-dtype.js';
import { STORED_DTYPES, type StoredData, inHostOrder } from '../stored-dtype.js';
import { eachElement } from '../strides.js';
import { type Fault, faultOf, checkBytes } from './fault.js';
import { parseZip } from './zip.js';

/** The typed array that the dtype's numbers come in. */
export type NpyData = StoredData;

export interface NpyArray {
  /** NumPy's name: 'float32', 'int64', 'bool', … */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** float16 as Float32Array, bool as Uint8Array of 0 and 1. */
  readonly data: NpyData;
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY
/** Bytes that the header of an array takes at most. */
export const MOST_NPY_HEADER = 1 << 20;

/** The header of an npy file, and where the numbers begin. `bytes` may be the beginning of the file alone. Throws FormatError. */
export function parseNpyHeader(
  bytes: Uint8Array,
  fault: Fault,
): Header & { readonly begin: number; readonly start: number } {
  if (MAGIC.some((byte, i) => bytes[i] !== byte)) fault('it does not begin with \\x93NUMPY', 0);
  const major = bytes[6];
  if (bytes.length < 12 || !(major >= 1 && major <= 3)) fault(`version ${major} is not known`, 6);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [begin, length] = major === 1 ? [10, view.getUint16(8, true)] : [12, view.getUint32(8, true)];
  const start = begin + length;
  if (start > bytes.length) fault(`a header of ${length} bytes goes beyond the end`, 8);
  if (length > MOST_NPY_HEADER) fault(`a header of ${length} bytes is not plausible`, 8);
  return { ...parseHeader(new TextDecoder().decode(bytes.subarray(begin, start)), begin, fault), begin, start };
}

/** Reads a whole npy file; `path` is for messages. Throws FormatError, also for text, records and pickled objects. */
export function parseNpy(bytes: Uint8Array, path?: string): NpyArray {
  checkBytes('parseNpy', bytes);
  const fault = faultOf('npy', path);
  const { descr, isFortran, shape, begin, start } = parseNpyHeader(bytes, fault);
  const dtype = NUMPY_DTYPES[descr.slice(1)];
  const row = dtype === undefined ? undefined : STORED_DTYPES[dtype];
  if (row?.dtype === undefined || !'<>|='.includes(descr[0])) return fault(typeFault(descr), begin);
  const end = start + sizeOf(shape) * row.bytes;
  if (end > bytes.length)
    fault(`${formatShape(shape)} of ${dtype} needs ${end} bytes, and the file ends before that`, bytes.length);
  if (end < bytes.length)
    fault(`${formatShape(shape)} of ${dtype} needs ${end} bytes, and there are ${bytes.length}`, end);
  const data = row.decode(inHostOrder(bytes.subarray(start, end), row.unit, descr[0] === '>'));
  if (dtype === 'bool') {
    const at = (data as Uint8Array).findIndex((v) => v > 1);
    if (at >= 0) fault(`a truth value is ${data[at]}`, start + at);
  }
  return { dtype: dtype!, shape, data: isFortran ? toRowMajor(data, shape) : data };
}

/** What is wrong with a type that is not read. */
export function typeFault(descr: string): string {
  const advice = descr.includes('O') ? 'pickled objects are not read' : 'only booleans, integers and floats are read';
  return `type '${descr}': ${advice}`;
}

/** Reads all arrays of an npz file, under their names without `.npy`; `maxBytes` as in `parseZip`. Throws FormatError. */
export async function parseNpz(bytes: Uint8Array, path?: string, maxBytes?: number): Promise<Record<string, NpyArray>> {
  checkBytes('parseNpz', bytes);
  const files = await parseZip(bytes, path, maxBytes);
  const arrays = [...files].filter(([name]) => name.endsWith('.npy'));
  return Object.fromEntries(
    arrays.map(([name, content]) => [
      name.slice(0, -4),
      parseNpy(content, path === undefined ? name : `${path} (${name})`),
    ]),
  );
}

interface Header {
  readonly descr: string;
  readonly isFortran: boolean;
  readonly shape: number[];
}

/** Python's literal of a dictionary with exactly the three known keys. */
function parseHeader(text: string, offset: number, fault: Fault): Header {
  // A number may end with L: Python 2 wrote long integers so.
  const entry = /\s*(?:'(\w+)'|"(\w+)")\s*:\s*(?:'([^']*)'|"([^"]*)"|(True|False)|\(([\d\s,L]*)\))\s*(?:,|(?=\}))/y;
  const opening = /^\s*\{/.exec(text);
  if (opening === null) return fault('the header is no dictionary', offset);
  if (/['"]descr['"]\s*:\s*\[/.test(text)) fault('arrays of records are not read', offset);
  entry.lastIndex = opening[0].length;
  const found = new Map<string, string>();
  let last = entry.lastIndex;
  for (let match = entry.exec(text); match !== null; match = entry.exec(text)) {
    const key = match[1] ?? match[2];
    const string = match[3] ?? match[4];
    const [flag, tuple] = [match[5], match[6]];
    if (found.has(key)) fault(`the header has '${key}' twice`, offset + match.index);
    const type = string !== undefined ? 'descr' : flag !== undefined ? 'fortran_order' : 'shape';
    if (type !== key) fault(`the header's '${key}' is not understood`, offset + match.index);
    found.set(key, string ?? flag ?? tuple);
    last = entry.lastIndex;
  }
  if (found.size !== 3 || !/^\s*\}\s*$/.test(text.slice(last))) fault('the header is not understood', offset + last);
  const parts = found
    .get('shape')!
    .split(',')
    .map((s) => s.trim());
  if (parts.at(-1) === '') parts.pop();
  const shape = parts.map((part) => Number(part.replace(/L$/, '')));
  if (!found.get('shape')!.includes(',') && parts.length > 0) fault('the shape is no tuple', offset);
  if (!parts.every((part) => /^\d+L?$/.test(part)) || !shape.every(Number.isSafeInteger))
    fault('the shape is not understood', offset);
  return { descr: found.get('descr')!, isFortran: found.get('fortran_order') === 'True', shape };
}

/** First index fastest → last index fastest. */
function toRowMajor(data: NpyData, shape: readonly number[]): NpyData {
  const out = data.slice();
  eachElement(shape, fortranStrides(shape), 0, (from, i) => (out[i] = data[from]));
  return out;
}
