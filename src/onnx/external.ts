// Whether an ONNX file is all of its model, or weights lie in files beside it.

import { type OnnxSource, externalLocations, open } from './source.js';
import { readModel } from './wire/read-model.js';

export async function hasExternalData(source: OnnxSource): Promise<boolean> {
  const { bytes, path } = await open('loadOnnx', source);
  return externalLocations(readModel(bytes, path)).size > 0;
}
