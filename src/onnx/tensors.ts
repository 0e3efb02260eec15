// The weights of an ONNX file as stored tensors, for other formats: what is learned, and what is kept with it. Whether nabla can run the
// graph does not matter.

import { sizeOf } from '../tensor/library.js';
import type { StoredDType } from '../io/stored-dtype.js';
import { StoredTensor } from '../io/stored-tensor.js';
import { problemsError } from './error.js';
import { checkModel, constantsOf } from './graph/build.js';
import type { HostArray } from './host/array.js';
import { type OnnxSource, externalLocations, open } from './source.js';
import { type ElementType, rowOf } from './wire/elements.js';
import { readModel } from './wire/read-model.js';

/** By their names in the graph. Throws FormatError for a damaged file, OnnxError for weights that cannot be read. */
export async function onnxTensors(call: string, source: OnnxSource): Promise<Map<string, StoredTensor>> {
  const { bytes, path, beside } = await open(call, source);
  const message = readModel(bytes, path);
  const external = new Map<string, Uint8Array>();
  for (const location of externalLocations(message)) external.set(location, await beside(location));
  const { result, problems } = checkModel(message, (location) => external.get(location));
  const unread = problems.filter(({ operator }) => operator === 'initializer');
  if (unread.length > 0)
    throw problemsError(`${call}: ${path ?? 'the model'} has weights that cannot be read:`, unread);
  const tensors = new Map<string, StoredTensor>();
  for (const { key, role, array } of constantsOf(result.graph)) {
    const { type } = array;
    if (role !== 'setting' && type !== 'string') tensors.set(key, storedTensorOf(key, type, array, path));
  }
  return tensors;
}

function storedTensorOf(
  key: string,
  type: StoredDType & ElementType,
  { shape, data }: HostArray,
  file: string | undefined,
): StoredTensor {
  const { bytes: size, write } = rowOf(type);
  const bytes = async (): Promise<Uint8Array> => {
    if (data instanceof Float32Array && type === 'float32')
      return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const out = new Uint8Array(data.length * size);
    const one = new Uint8Array(size);
    const view = new DataView(one.buffer);
    for (let i = 0; i < data.length; i++) {
      write(view, data[i]);
      out.set(one, i * size);
    }
    return out;
  };
  return new StoredTensor(type, shape, { size: sizeOf(shape) * size, bytes, file }, undefined, key);
}
