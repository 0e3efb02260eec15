// The public surface of `nabla/io`.

export type { DownloadProgress } from './node/download.js';
export type { FileOptions, FileSource } from './source.js';
export { encodeApng, encodePng, type ApngOptions, type ImageBytes } from './png.js';
export { formatSafetensors, parseSafetensors, type NamedArray, type SafetensorsContent } from './safetensors.js';
export {
  fromSafetensors,
  loadSafetensors,
  saveSafetensors,
  toSafetensors,
  type LoadedTensors,
  type Metadata,
  type NamedTensors,
} from './state-dict.js';
export type { StoredData, StoredDType } from './stored-dtype.js';
export { StoredTensor, type StoredTensorOptions } from './stored-tensor.js';
export type { TensorSource } from './tensor-file.js';
export { TorchFile, loadTorch } from './torch/load-torch.js';
export { PythonName, type TorchDict, type TorchList, type TorchSet, type TorchValue } from './torch/value.js';
export type { KeyMap } from './weights/key-map.js';
export {
  type ConvertedWeight,
  type LoadWeightsOptions,
  type LoadedWeights,
  type WeightSource,
  loadWeights,
} from './weights/load-weights.js';
