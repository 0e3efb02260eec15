// From pictures to the input of a network: another size, the middle, floats, minus the mean, divided by the deviation.
// The numbers are those of torchvision's and transformers' preprocessing on Pillow's images.

import type { Transform } from '../../data/transform.js';
import { centerCrop, crop, pad } from '../../data/transforms/functional/gather.js';
import { resize } from '../../data/transforms/functional/resize.js';
import type { Image } from '../../data/transforms/image.js';
import { stackImages } from '../../data/transforms/views.js';
import { ArgumentError, ShapeError, checkOptions, formatShape, sameShape, wrongKind } from '../../tensor/library.js';
import { nearest } from '../../tensor/nearest.js';
import type { Tensor } from '../../tensor/tensor.js';
import { isUint8Array } from '../../tensor/typed-arrays.js';
import {
  PREPROCESSING_OPTIONS,
  type Preprocessing,
  type PreprocessingOptions,
  checkedPreprocessing,
} from './options.js';
import { type Picture, imageOf, imagesIn } from './picture.js';
import { cropBegin, frameOf, resizedSize } from './placement.js';
import { PREPROCESSING_NAMES, type PreprocessingName, recipeOf } from './recipes.js';

/** Pictures in, the input of a network out. */
export interface ImagePreprocessing {
  /** One picture, or several of any sizes → float32 [N, channels, height, width]. */
  (pictures: Picture | readonly Picture[]): Promise<Tensor<[number, number, number, number]>>;
  /** The same for one image in host memory: `dataset.transformed('x', preprocess.transform)`. */
  readonly transform: Transform<Image, Image<Float32Array>>;
  /** What it does, with nothing left out. */
  readonly settings: Preprocessing;
}

const CALL = 'imagePreprocessing';

/**
 * What makes the input of a network from pictures: the name of a network, and what is to be changed in what the name stands for, or options
 * alone. Pictures are resized, cut to their middle, rescaled from bytes to 0 … 1 and normalised, with the numbers that torchvision and
 * transformers get from Pillow's images. torchvision: weights.transforms().
 *
 *     const preprocess = imagePreprocessing('imagenet');
 *     const logits = model.forward(await preprocess(picture)); // [1, 3, 224, 224]
 */
export function imagePreprocessing(name: PreprocessingName, changes?: PreprocessingOptions): ImagePreprocessing;
export function imagePreprocessing(options: PreprocessingOptions): ImagePreprocessing;
export function imagePreprocessing(
  first: string | PreprocessingOptions,
  changes: PreprocessingOptions = {},
): ImagePreprocessing {
  if (typeof first !== 'string') {
    if (typeof first !== 'object' || first === null)
      throw wrongKind(CALL, 'the network', first, "Give a name ('imagenet'), or options");
    return preprocessingOf(checkedPreprocessing(CALL, first));
  }
  const recipe = recipeOf(first);
  if (recipe === undefined) throw unknownName(first);
  checkOptions(CALL, changes, PREPROCESSING_OPTIONS); // before they are mixed: they may be none
  return preprocessingOf(checkedPreprocessing(CALL, { ...recipe, ...changes }));
}

function unknownName(name: string): ArgumentError {
  const near = nearest(name, PREPROCESSING_NAMES);
  const advice = near === undefined ? `There are ${PREPROCESSING_NAMES.join(', ')}.` : `Did you mean ${near}?`;
  return new ArgumentError(`${CALL}: there is no network '${name}'. ${advice}`);
}

/** The function that does what the settings say. */
export function preprocessingOf(settings: Preprocessing): ImagePreprocessing {
  const call = 'preprocess';
  // images of data sets have their channels first
  const ofDataset: Preprocessing = settings.layout === 'auto' ? { ...settings, layout: 'chw' } : settings;
  const transform = (image: Image): Image<Float32Array> => processed(imageOf(call, image, ofDataset), settings);
  const preprocess = async (
    pictures: Picture | readonly Picture[],
  ): Promise<Tensor<[number, number, number, number]>> => {
    const images = await imagesIn(call, pictures, settings);
    const inputs = images.map((image) => processed(image, settings));
    const other = inputs.find(({ shape }) => !sameShape(shape, inputs[0].shape));
    if (other === undefined) return stackImages(inputs);
    throw new ShapeError(
      `${call}: pictures become ${formatShape(inputs[0].shape)} and ${formatShape(other.shape)}, which are no batch. Give a crop, resize to [height, width], or one picture at a time.`,
      [inputs[0].shape, other.shape],
    );
  };
  return Object.assign(preprocess, { transform, settings });
}

function processed(image: Image, settings: Preprocessing): Image<Float32Array> {
  return normalized(middleOf(resized(image, settings), settings), settings);
}

function resized(image: Image, settings: Preprocessing): Image {
  const { shape } = image;
  const { interpolation, antialias, letterbox } = settings;
  const small = resize(image, resizedSize(shape[1], shape[2], settings), { interpolation, antialias });
  if (letterbox === undefined) return small;
  const { top, left, size } = frameOf(shape[1], shape[2], letterbox, settings);
  const [below, right] = [letterbox[0] - size[0] - top, letterbox[1] - size[1] - left];
  const unit = isUint8Array(image.data) ? 1 : 255;
  return pad(small, [left, top, right, below], { fill: settings.letterboxFill.map((level) => level / unit) });
}

function middleOf(image: Image, settings: Preprocessing): Image {
  const { crop: size, cropRounding } = settings;
  if (size === undefined) return image;
  if (cropRounding === 'even') return centerCrop(image, size);
  const [, height, width] = image.shape;
  return crop(image, cropBegin(height, size[0], settings), cropBegin(width, size[1], settings), size[0], size[1]);
}

/** (pixel · rescale − mean) / std in one multiplication and one addition. */
function normalized({ data, shape }: Image, { rescale, mean, std, order }: Preprocessing): Image<Float32Array> {
  const [channels, height, width] = shape;
  const plane = height * width;
  const out = new Float32Array(data.length);
  const unit = isUint8Array(data) ? rescale : 1;
  for (let c = 0; c < channels; c++) {
    const from = (order === 'bgr' ? channels - 1 - c : c) * plane;
    const [scale, shift] = [unit / std[c], mean[c] / std[c]];
    for (let i = 0; i < plane; i++) out[c * plane + i] = data[from + i] * scale - shift;
  }
  return { data: out, shape };
}
