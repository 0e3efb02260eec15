// Tensors of onnx.proto as they are in the file, dense and sparse: raw data are views of its bytes.

import type { SparseMessage, TensorMessage } from './messages.js';
import { WireReader } from './reader.js';

/** A single tensor, as the standard's test data hold them. */
export function readTensor(bytes: Uint8Array, path?: string): TensorMessage {
  return new WireReader(bytes, path).fields(newTensor(), tensorField);
}

export const newTensor = (): TensorMessage => ({
  dims: [],
  dataType: 0,
  name: '',
  floats: [],
  ints32: [],
  ints64: [],
  doubles: [],
  uints64: [],
  strings: [],
  raw: undefined,
  external: new Map(),
  isExternal: false,
});

export function tensorField(field: number, t: TensorMessage, reader: WireReader): boolean {
  switch (field) {
    case 1:
      reader.ints(t.dims);
      return true;
    case 2:
      t.dataType = reader.int();
      return true;
    case 4:
      reader.floats(t.floats);
      return true;
    case 5:
      reader.ints(t.ints32);
      return true;
    case 6:
      t.strings.push(reader.view());
      return true;
    case 7:
      reader.ints(t.ints64);
      return true;
    case 8:
      t.name = reader.text();
      return true;
    case 9:
      t.raw = reader.view();
      return true;
    case 10:
      reader.doubles(t.doubles);
      return true;
    case 11:
      reader.ints(t.uints64);
      return true;
    case 13:
      return readEntry(t.external, reader);
    case 14:
      t.isExternal = reader.int() === 1;
      return true;
    default:
      return false;
  }
}

export const newSparse = (): SparseMessage => ({ values: newTensor(), indices: newTensor(), dims: [] });

export function sparseField(field: number, s: SparseMessage, reader: WireReader): boolean {
  if (field === 1) reader.message(s.values, tensorField);
  else if (field === 2) reader.message(s.indices, tensorField);
  else if (field === 3) reader.ints(s.dims);
  else return false;
  return true;
}

/** An entry of a map of texts. */
export function readEntry(into: Map<string, string>, reader: WireReader): boolean {
  const entry = reader.message({ key: '', value: '' }, (field, message) => {
    if (field === 1) message.key = reader.text();
    else if (field === 2) message.value = reader.text();
    else return false;
    return true;
  });
  into.set(entry.key, entry.value);
  return true;
}
