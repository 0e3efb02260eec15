// A tensor of a file as numbers on the host. Sizes are checked against the bytes that are there before anything is allocated;
// float32 data that lie aligned are a view of the file.

import type { HostArray } from '../host/array.js';
import { type ElementType, elementTypeName, elementTypeOf, rowOf } from './elements.js';
import type { SparseMessage, TensorMessage } from './messages.js';

/** Bytes of another file, by the name that the model has for it. */
export type ExternalData = (location: string) => Uint8Array | undefined;

/** Nothing larger is read: nabla counts elements with 32 bits. */
const MOST_ELEMENTS = 2 ** 31 - 1;

/** Throws an Error whose message says what is wrong; the caller says where. */
export function hostArrayOf(message: TensorMessage, external: ExternalData): HostArray {
  const type = elementTypeOf(message.dataType);
  if (type === undefined) throw new Error(`its numbers are ${elementTypeName(message.dataType)}, which nabla has not`);
  if (type === 'string') throw new Error('it holds texts, which nabla has not');
  const shape = message.dims;
  if (!shape.every((n) => Number.isSafeInteger(n) && n >= 0)) throw new Error(`its shape is [${shape.join(', ')}]`);
  const size = shape.reduce((a, b) => a * b, 1);
  if (size > MOST_ELEMENTS) throw new Error(`its shape [${shape.join(', ')}] has ${size} elements`);
  if (message.isExternal) return { type, shape, data: decode(type, size, externalBytes(message, external)) };
  if (message.raw !== undefined) return { type, shape, data: decode(type, size, message.raw) };
  return { type, shape, data: listed(message, type, size) };
}

function decode(type: ElementType, size: number, bytes: Uint8Array): HostArray['data'] {
  const row = rowOf(type);
  if (bytes.length !== size * row.bytes)
    throw new Error(`${size} elements of ${type} take ${size * row.bytes} bytes, there are ${bytes.length}`);
  if (size > 0 && bytes.byteOffset % 4 === 0 && isLittleEndian) {
    if (type === 'float32') return new Float32Array(bytes.buffer, bytes.byteOffset, size);
    if (type === 'int32') return new Int32Array(bytes.buffer, bytes.byteOffset, size);
  }
  if (type === 'uint8') return bytes;
  if (isLittleEndian && (type === 'float32' || type === 'int32')) {
    const copy = bytes.slice();
    return type === 'float32' ? new Float32Array(copy.buffer, 0, size) : new Int32Array(copy.buffer, 0, size);
  }
  const data = row.allocate(size);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < size; i++) data[i] = row.read(view, i * row.bytes);
  return data;
}

const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Numbers in a field of their own; the bits of half precision are whole numbers there. */
function listed(message: TensorMessage, type: ElementType, size: number): HostArray['data'] {
  const row = rowOf(type);
  const list = row.list === 'strings' ? [] : message[row.list];
  if (list.length !== size) throw new Error(`${size} elements of ${type} are announced, there are ${list.length}`);
  const data = row.allocate(size);
  if (type === 'float16' || type === 'bfloat16') {
    const view = new DataView(new ArrayBuffer(2));
    for (let i = 0; i < size; i++) {
      view.setUint16(0, list[i], true);
      data[i] = row.read(view, 0);
    }
  } else if (type === 'bool') for (let i = 0; i < size; i++) data[i] = list[i] === 0 ? 0 : 1;
  else for (let i = 0; i < size; i++) data[i] = list[i];
  return data;
}

function externalBytes({ external }: TensorMessage, read: ExternalData): Uint8Array {
  const location = external.get('location');
  if (location === undefined) throw new Error('its data are in another file, of which it does not say the name');
  const bytes = read(location);
  if (bytes === undefined)
    throw new Error(
      `its data are in another file, '${location}': give its bytes in externalData, or load the model by its path`,
    );
  const offset = Number(external.get('offset') ?? 0);
  const length = Number(external.get('length') ?? bytes.length - offset);
  if (!(offset >= 0 && length >= 0 && offset + length <= bytes.length))
    throw new Error(`its data are bytes ${offset} to ${offset + length} of '${location}', which has ${bytes.length}`);
  return bytes.subarray(offset, offset + length);
}

/** A sparse tensor with its zeros. */
export function denseArrayOf(message: SparseMessage, external: ExternalData): HostArray {
  const values = hostArrayOf(message.values, external);
  const indices = hostArrayOf(message.indices, external);
  const shape = message.dims;
  if (!shape.every((n) => Number.isSafeInteger(n) && n >= 0)) throw new Error(`its shape is [${shape.join(', ')}]`);
  const size = shape.reduce((a, b) => a * b, 1);
  if (size > MOST_ELEMENTS / 32) throw new Error(`its shape [${shape.join(', ')}] has ${size} elements`);
  const data = rowOf(values.type).allocate(size);
  const isFlat = indices.shape.length === 1;
  for (let i = 0; i < values.data.length; i++) {
    let at = 0;
    if (isFlat) at = indices.data[i];
    else for (let axis = 0; axis < shape.length; axis++) at = at * shape[axis] + indices.data[i * shape.length + axis];
    if (!(at >= 0 && at < size)) throw new Error(`it has an element at ${at} of ${size}`);
    data[at] = values.data[i];
  }
  return { type: values.type, shape, data };
}
