// What normalisation needs to know about a dataset: mean and standard deviation of each channel, and the mean image. One pass
// over the images, in float64.
// Must not know: where images come from.

import { ArgumentError, IndexError, ShapeError, formatShape, checkIterable } from '../../tensor/library.js';
import type { HostImage } from '../transform.js';
import { type Image, type Pixels, checkImage } from './image.js';
import { isUint8Array } from '../../tensor/typed-arrays.js';

export interface ChannelStatistics {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** A field of a dataset: all images one after the other. */
interface ImageField {
  readonly data: Pixels;
  readonly shape: readonly number[];
}

/**
 * The images of a field as views of its memory, all or those at `positions`.
 *
 *     channelStatistics(imagesOf(train.fields.x, train.indices))
 */
export function* imagesOf({ data, shape }: ImageField, positions?: Iterable<number>): Generator<Image> {
  const image = { data, shape } as HostImage as Image;
  if (shape.length !== 3) throw new ShapeError(`imagesOf: items ${formatShape(shape)} are not [C, H, W].`);
  const size = shape[0] * shape[1] * shape[2];
  const count = data.length / size;
  for (const position of positions ?? Array(count).keys()) {
    if (!(position >= 0 && position < count)) {
      throw new IndexError(`imagesOf: image ${position} of ${count}. Use 0 to ${count - 1}.`, position, count);
    }
    yield { data: data.subarray(position * size, (position + 1) * size) as Pixels, shape: image.shape };
  }
}

/**
 * Mean and standard deviation of each channel over all pixels of all images, on the scale 0 to 1: bytes count as value / 255.
 * The deviation is that of the whole population (divided by the number of pixels). Throws if there are no images.
 */
export function channelStatistics(images: Iterable<HostImage>): ChannelStatistics {
  checkIterable('channelStatistics', 'the argument', images, 'images');
  let channels = 0;
  let pixels = 0;
  let shift: number[] = [];
  let sums = new Float64Array();
  let squares = new Float64Array();
  for (const image of images) {
    checkImage('channelStatistics', image);
    const { data, shape } = image;
    const unit = isUint8Array(data) ? 1 / 255 : 1;
    const plane = shape[1] * shape[2];
    if (pixels === 0) {
      channels = shape[0];
      [sums, squares] = [new Float64Array(channels), new Float64Array(channels)];
      shift = Array.from(sums, (_, c) => data[c * plane] * unit); // near the mean: differences of squares stay exact
    } else if (shape[0] !== channels) {
      throw new ShapeError(`channelStatistics: images of ${channels} and of ${shape[0]} channels. Make them alike.`);
    }
    for (let c = 0; c < channels; c++) {
      const from = shift[c];
      let [sum, square] = [0, 0];
      for (let i = c * plane, end = i + plane; i < end; i++) {
        const value = data[i] * unit - from;
        sum += value;
        square += value * value;
      }
      sums[c] += sum;
      squares[c] += square;
    }
    pixels += plane;
  }
  if (pixels === 0) throw new ArgumentError('channelStatistics: no images. Give at least one.');
  const offsets = Array.from(sums, (sum) => sum / pixels);
  return {
    mean: offsets.map((offset, c) => offset + shift[c]),
    std: offsets.map((offset, c) => Math.sqrt(Math.max(squares[c] / pixels - offset * offset, 0))),
  };
}

/** The mean of images of one size, pixel by pixel, on the scale 0 to 1. Throws if there are no images. */
export function meanImage(images: Iterable<HostImage>): Image<Float32Array> {
  checkIterable('meanImage', 'the argument', images, 'images');
  let sums = new Float64Array();
  let size: readonly number[] = [];
  let count = 0;
  for (const image of images) {
    checkImage('meanImage', image);
    const { data, shape } = image;
    if (count === 0) [size, sums] = [shape, new Float64Array(data.length)];
    if (shape.some((length, axis) => length !== size[axis])) {
      throw new ShapeError(`meanImage: images ${formatShape(size)} and ${formatShape(shape)}. Make them of one size.`);
    }
    const unit = isUint8Array(data) ? 1 / 255 : 1;
    for (let i = 0; i < data.length; i++) sums[i] += data[i] * unit;
    count++;
  }
  if (count === 0) throw new ArgumentError('meanImage: no images. Give at least one.');
  const [channels, height, width] = size;
  return { data: Float32Array.from(sums, (sum) => sum / count), shape: [channels, height, width] };
}
