// IDX, the format of MNIST: 0 0 type rank · rank sizes · numbers, all big-endian.
// Bytes in, typed array and shape out. Specification: http://yann.lecun.com/exdb/mnist/. Must not know: files, tensors.

import { type Shape, formatShape } from '../../tensor/library.js';
import { faultOf, checkBytes } from '../../io/formats/fault.js';

export type IdxData = Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array;

export interface IdxArray {
  /** Unsigned bytes are a view of the file's bytes, everything else is a copy. */
  readonly data: IdxData;
  readonly shape: Shape;
}

interface Kind {
  readonly bytes: number;
  read(view: DataView, from: number, count: number): IdxData;
}

const KINDS: Readonly<Record<number, Kind>> = {
  0x08: { bytes: 1, read: (v, from, n) => new Uint8Array(v.buffer, v.byteOffset + from, n) },
  0x09: { bytes: 1, read: (v, from, n) => new Int8Array(v.buffer, v.byteOffset + from, n).slice() },
  0x0b: { bytes: 2, read: (v, from, n) => Int16Array.from({ length: n }, (_, i) => v.getInt16(from + 2 * i)) },
  0x0c: { bytes: 4, read: (v, from, n) => Int32Array.from({ length: n }, (_, i) => v.getInt32(from + 4 * i)) },
  0x0d: { bytes: 4, read: (v, from, n) => Float32Array.from({ length: n }, (_, i) => v.getFloat32(from + 4 * i)) },
  0x0e: { bytes: 8, read: (v, from, n) => Float64Array.from({ length: n }, (_, i) => v.getFloat64(from + 8 * i)) },
};

/** Reads a whole file; `path` is for messages. Throws FormatError unless the bytes are exactly what the header says. */
export function parseIdx(bytes: Uint8Array, path?: string): IdxArray {
  checkBytes('parseIdx', bytes);
  const fault = faultOf('idx', path);
  if (bytes.length < 4) fault(`${bytes.length} bytes are too few for a header`, bytes.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [zeros, type, rank] = [view.getUint16(0), bytes[2], bytes[3]];
  if (zeros !== 0) fault('the first two bytes are not 0', 0);
  const kind = KINDS[type];
  if (kind === undefined) return fault(`there is no type of number 0x${type.toString(16).padStart(2, '0')}`, 2);
  const start = 4 + 4 * rank;
  if (bytes.length < start) fault(`the header ends before its ${rank} sizes`, bytes.length);
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  const count = shape.reduce((a, b) => a * b, 1);
  const end = start + count * kind.bytes;
  if (end > bytes.length)
    fault(`${formatShape(shape)} needs ${end} bytes, and the file ends before that`, bytes.length);
  if (end < bytes.length) fault(`${formatShape(shape)} needs ${end} bytes, and there are ${bytes.length}`, end);
  return { data: kind.read(view, start, count), shape };
}
