// The public surface of `nabla/onnx`.

export { OnnxError, type OnnxProblem } from './error.js';
export { inspectOnnx, type OnnxContents, type OnnxWeight } from './inspect.js';
export { loadOnnx, type LoadOnnxOptions, type OnnxMetadata, OnnxModel, type OnnxValue } from './model.js';
export type { OnnxFeed, OnnxNumbers } from './run/feeds.js';
export type { OnnxSource } from './source.js';
export type { ElementType } from './wire/elements.js';
export {
  exportOnnx,
  type Exportable,
  type ExportOnnxOptions,
  type FreeSizes,
  type OnnxExample,
  saveOnnx,
} from './export/export.js';
