// The public surface of `nabla/vision`.

export { anchors, decodeBoxes, encodeBoxes, type AnchorOptions, type BoxCodeOptions } from './anchors.js';
export {
  batchedNms,
  boxArea,
  boxConvert,
  boxIou,
  clipBoxes,
  generalizedBoxIou,
  largeBoxes,
  nms,
  type BoxFormat,
} from './boxes.js';
export { classNames, type ClassSet } from './class-names.js';
export { defaultBoxes, type DefaultBoxOptions } from './default-boxes.js';
export { selectDetections, type Detection, type DetectionOptions } from './detections.js';
export {
  type BoxPictureOptions,
  type HeatPictureOptions,
  type LabelledBox,
  drawBoxes,
  drawHeat,
  drawMask,
} from './drawing.js';
export {
  decodeYolo,
  distancesToBoxes,
  expectedDistances,
  gridPoints,
  type GridPoints,
  type YoloOptions,
} from './distances.js';
export type { Preprocessing, PreprocessingOptions } from './preprocess/options.js';
export type { Picture, PixelArray, PixelData, RawPicture } from './preprocess/picture.js';
export { pictureBoxes } from './preprocess/placement.js';
export { imagePreprocessing, type ImagePreprocessing } from './preprocess/preprocessing.js';
export { loadImagePreprocessing } from './preprocess/processor-config.js';
export type { PreprocessingName } from './preprocess/recipes.js';
export {
  multiScaleRoiAlign,
  roiAlign,
  roiPool,
  type MultiScaleOptions,
  type Regions,
  type RoiAlignOptions,
  type RoiPoolOptions,
} from './regions.js';
export { topK, topKOfEach, type Prediction, type TopKOptions } from './top-k.js';
export { type AttackOptions, type PgdOptions, fgsm, pgd } from './inputs/adversarial.js';
export type { Classify, ClassList, Pictures } from './inputs/classify.js';
export { type ClassOptions, type GradCamOptions, gradCam, saliency } from './inputs/saliency.js';
export { type StyleOptions, gramMatrix, transferStyle } from './inputs/style.js';
export { type VisualiseOptions, visualise } from './inputs/visualise.js';
export { type TrackPictureOptions, drawTracks } from './tracking/drawing.js';
export {
  EDGE_FEATURES,
  type FramePoint,
  type TrackGraph,
  type TrackGraphOptions,
  trackGraph,
} from './tracking/graph.js';
export { type LinkOptions, type TrackedPoint, linkTracks, trackFrames } from './tracking/link.js';
