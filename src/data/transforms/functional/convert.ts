// From bytes to floats and back, and normalisation: what stands at the end of most pipelines.
// Must not know: random numbers, where mean and deviation come from.

import { ArgumentError, ShapeError, formatShape, checkNumbers } from '../../../tensor/library.js';
import { type Image, type Pixels, checkImage } from '../image.js';
import { ALMOST_256 } from './tone.js';
import { isFloat32Array, isUint8Array } from '../../../tensor/typed-arrays.js';

/** Bytes 0 … 255 as floats 0 … 1; floats stay as they are. torchvision: ToTensor, to_dtype(float32, scale=True). */
export function toFloat<C extends number, H extends number, W extends number>(
  image: Image<Pixels, C, H, W>,
): Image<Float32Array, C, H, W> {
  checkImage('toFloat', image);
  const { data, shape } = image;
  if (isFloat32Array(data)) return { data, shape };
  const out = new Float32Array(data.length);
  scaleInto(out, data, 0, data.length, 1 / 255, 0);
  return { data: out, shape };
}

/** Floats 0 … 1 as bytes 0 … 255, values outside cut off; bytes stay as they are. torchvision: to_dtype(uint8, scale=True). */
export function toBytes<C extends number, H extends number, W extends number>(
  image: Image<Pixels, C, H, W>,
): Image<Uint8Array, C, H, W> {
  checkImage('toBytes', image);
  const { data, shape } = image;
  if (isUint8Array(data)) return { data, shape };
  const out = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const value = data[i];
    out[i] = value <= 0 ? 0 : value >= 1 ? 255 : value * ALMOST_256;
  }
  return { data: out, shape };
}

/**
 * (image − mean) / std, channel by channel, in float32. Bytes are divided by 255 on the way: mean and std always mean values
 * from 0 to 1. One number serves all channels. torchvision: normalize.
 */
export function normalize<C extends number, H extends number, W extends number>(
  image: Image<Pixels, C, H, W>,
  mean: number | readonly number[],
  std: number | readonly number[],
): Image<Float32Array, C, H, W> {
  checkImage('normalize', image);
  const { data, shape } = image;
  const [channels, height, width] = shape;
  const [means, deviations] = [perChannel('mean', mean, channels), perChannel('std', std, channels)];
  if (deviations.some((value) => !(value > 0))) {
    throw new ArgumentError(`normalize: std is [${deviations.join(', ')}]. Use numbers above 0.`);
  }
  const plane = height * width;
  const out = new Float32Array(data.length);
  const unit = isUint8Array(data) ? 1 / 255 : 1;
  for (let c = 0; c < channels; c++) {
    scaleInto(out, data, c * plane, (c + 1) * plane, unit / deviations[c], means[c] / deviations[c]);
  }
  return { data: out, shape };
}

/** out = data · scale − shift from position `at` to `end`, four a turn: a quarter faster than one by one. */
function scaleInto(out: Float32Array, data: Pixels, at: number, end: number, scale: number, shift: number): void {
  for (const last = end - 3; at < last; at += 4) {
    out[at] = data[at] * scale - shift;
    out[at + 1] = data[at + 1] * scale - shift;
    out[at + 2] = data[at + 2] * scale - shift;
    out[at + 3] = data[at + 3] * scale - shift;
  }
  for (; at < end; at++) out[at] = data[at] * scale - shift;
}

function perChannel(name: string, values: number | readonly number[], channels: number): readonly number[] {
  if (typeof values !== 'number') checkNumbers('normalize', name, values);
  const list = typeof values === 'number' ? new Array<number>(channels).fill(values) : values;
  if (list.length !== channels) {
    throw new ShapeError(`normalize: ${list.length} values of ${name} for ${channels} channels. Give one for each.`);
  }
  return list;
}

/** The image minus `mean`, pixel by pixel; bytes are divided by 255 first. The mean image of AlexNet's preprocessing. */
export function subtractMean<C extends number, H extends number, W extends number>(
  image: Image<Pixels, C, H, W>,
  mean: Image<Float32Array>,
): Image<Float32Array, C, H, W> {
  checkImage('subtractMean', image);
  checkImage('subtractMean', mean);
  const { data, shape } = image;
  if (mean.shape.some((size, axis) => size !== shape[axis])) {
    throw new ShapeError(
      `subtractMean: an image ${formatShape(shape)} and a mean ${formatShape(mean.shape)}. Give a mean of the image's size.`,
      [shape, mean.shape],
    );
  }
  const unit = isUint8Array(data) ? 1 / 255 : 1;
  const out = new Float32Array(data.length);
  for (let i = 0; i < data.length; i++) out[i] = data[i] * unit - mean.data[i];
  return { data: out, shape };
}
