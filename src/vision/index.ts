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
export {
  multiScaleRoiAlign,
  roiAlign,
  roiPool,
  type MultiScaleOptions,
  type Regions,
  type RoiAlignOptions,
  type RoiPoolOptions,
} from './regions.js';
