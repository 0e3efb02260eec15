// The public surface of `nabla/io`.

export { encodePng, type ImageBytes } from './png.js';
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
