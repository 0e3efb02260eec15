// Several views of an image. At test time, such as its ten crops: views become one batch, and the outputs of a model for that batch
// become one output for each image. In training without labels: two views of each image, which belong together.
// Must not know: models.

import { tensor } from '../../tensor/creation.js';
import {
  ArgumentError,
  ShapeError,
  checkFunction,
  formatShape,
  sameShape,
  checkList,
  checkWhole,
} from '../../tensor/library.js';
import { type Tensor, checkTensor } from '../../tensor/tensor.js';
import type { Field } from '../fields.js';
import type { Transform } from '../transform.js';
import { type Image, checkImage } from './image.js';

/**
 * Images of one size as a float32 batch [N, C, H, W]. Values stay as they are: normalise before.
 *
 *     const views = tenCrop(image, 28).map((view) => normalize(view, mean, std));
 *     const logits = averageViews(model.forward(stackImages(views)), views.length); // [1, classes]
 */
export function stackImages<C extends number, H extends number, W extends number>(
  images: readonly Image<Float32Array | Uint8Array, C, H, W>[],
): Tensor<[number, C, H, W]> {
  checkList('stackImages', 'the argument', images, 'images');
  if (images.length === 0) throw new ArgumentError('stackImages: no images. Give at least one.');
  checkImage('stackImages', images[0]);
  const [{ shape, data: first }] = images;
  const data = new Float32Array(images.length * first.length);
  images.forEach((image, i) => {
    checkImage('stackImages', image);
    if (!sameShape(image.shape, shape)) {
      throw new ShapeError(
        `stackImages: images ${formatShape(shape)} and ${formatShape(image.shape)}. Make them of one size.`,
        [shape, image.shape],
      );
    }
    data.set(image.data, i * first.length);
  });
  return tensor(data, { shape: [images.length, ...shape] });
}

/** Means over the `views` that belong to each image and follow each other: [N · views, K] → [N, K]. */
export function averageViews(outputs: Tensor<[number, number]>, views: number): Tensor<[number, number]> {
  checkTensor(outputs, 'averageViews', 'the outputs');
  checkWhole('averageViews', 'views', views, 1);
  const [rows, classes] = outputs.shape;
  if (!Number.isInteger(views) || views < 1 || rows % views !== 0) {
    throw new ShapeError(`averageViews: ${rows} outputs are no whole images of ${views} views each.`, [outputs.shape]);
  }
  return outputs.reshape([rows / views, views, classes]).mean(1);
}

/** The fields of `twoViews`: a picture as it was changed once, and once more. */
export type TwoViews = Readonly<Record<'a' | 'b', Field<Float32Array, readonly [number, number, number]>>>;

/**
 * Samples with an image `x` → two versions of it, `a` and `b`, each with random numbers of its own: what SimCLR learns from. Other fields
 * are left out. The transform ends with floats: `normalize` or `toFloat`.
 *
 *     train.transformedSamples(twoViews(compose(randomResizedCrop(32), randomHorizontalFlip(), normalize(mean, std))))
 */
export function twoViews(
  transform: Transform<Image, Image<Float32Array>>,
): Transform<Readonly<Record<'x', Image>>, TwoViews> {
  checkFunction('twoViews', transform, 'the transform');
  return ({ x }, random) => {
    checkImage('twoViews', x);
    return { a: transform(x, random), b: transform(x, random) };
  };
}
