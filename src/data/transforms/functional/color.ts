// Changes that mix the channels of a pixel, or a pixel with the mean of all: contrast, saturation, hue, grey.
// Arithmetic in float32, bytes rounded down, as torchvision does on tensors. Grey images keep their saturation and hue.
// Must not know: random numbers, neighbours.

import { ArgumentError } from '../../../tensor/library.js';
import { type Image, type Pixels, allocate, brightest, checkColors, checkRange } from '../image.js';
import { ALMOST_256, clamp, mapChannels } from './tone.js';
import { isUint8Array } from '../../../tensor/typed-arrays.js';

const { fround } = Math;

/** Weights of red, green and blue in a grey (ITU-R BT.601, as torchvision writes them). */
const [RED, GREEN, BLUE] = [fround(0.2989), fround(0.587), fround(0.114)];

/** The luminance of a pixel in float32, with the products fused as PyTorch's vectors do. */
function luminance(r: number, g: number, b: number): number {
  return fround(fround(fround(r * RED) + g * GREEN) + b * BLUE);
}

/** One or three equal channels of grey. torchvision: rgb_to_grayscale. */
export function toGrayscale<D extends Pixels, H extends number, W extends number, const N extends 1 | 3 = 1>(
  image: Image<D, number, H, W>,
  channels: N = 1 as N,
): Image<D, N, H, W> {
  checkColors('toGrayscale', image);
  if (channels !== 1 && channels !== 3) throw new ArgumentError(`toGrayscale: ${channels} channels. Use 1 or 3.`);
  const { data, shape } = image;
  const [count, height, width] = shape;
  const plane = height * width;
  const out = allocate(data, channels * plane);
  for (let i = 0; i < plane; i++) {
    out[i] = count === 1 ? data[i] : luminance(data[i], data[plane + i], data[2 * plane + i]);
  }
  if (channels === 3) {
    out.copyWithin(plane, 0, plane);
    out.copyWithin(2 * plane, 0, plane);
  }
  return { data: out, shape: [channels, height, width] };
}

/** Away from the mean grey (factor > 1) or towards it: 0 is one grey, 1 the image. torchvision: adjust_contrast. */
export function adjustContrast<D extends Pixels, C extends number, H extends number, W extends number>(
  image: Image<D, C, H, W>,
  factor: number,
): Image<D, C, H, W> {
  checkColors('adjustContrast', image);
  checkRange('adjustContrast', 'factor', factor, 0);
  const { data, shape } = image;
  const plane = shape[1] * shape[2];
  const isBytes = isUint8Array(data);
  let sum = 0;
  for (let i = 0; i < plane; i++) {
    const grey = shape[0] === 1 ? data[i] : luminance(data[i], data[plane + i], data[2 * plane + i]);
    sum += isBytes ? Math.floor(grey) : grey;
  }
  const bound = brightest(data);
  const [own, rest] = [fround(factor), fround(1 - factor)];
  const mean = fround(sum / plane);
  return mapChannels(image, () => (value) => clamp(fround(fround(value * own) + mean * rest), bound));
}

/** Away from grey (factor > 1) or towards it: 0 is a grey image, 1 the image. torchvision: adjust_saturation. */
export function adjustSaturation<D extends Pixels, C extends number, H extends number, W extends number>(
  image: Image<D, C, H, W>,
  factor: number,
): Image<D, C, H, W> {
  checkColors('adjustSaturation', image);
  checkRange('adjustSaturation', 'factor', factor, 0);
  const { data, shape } = image;
  if (shape[0] === 1) return image;
  const plane = shape[1] * shape[2];
  const isBytes = isUint8Array(data);
  const bound = brightest(data);
  const [own, rest] = [fround(factor), fround(1 - factor)];
  const out = allocate(data, data.length);
  for (let i = 0; i < plane; i++) {
    const exact = luminance(data[i], data[plane + i], data[2 * plane + i]);
    const grey = isBytes ? Math.floor(exact) : exact;
    for (let at = i; at < 3 * plane; at += plane) {
      const value = fround(fround(data[at] * own) + grey * rest);
      out[at] = value < 0 ? 0 : value > bound ? bound : value;
    }
  }
  return { data: out, shape };
}

/** Turns all colours by `shift` of the colour circle, −0.5 to 0.5. torchvision: adjust_hue. */
export function adjustHue<D extends Pixels, C extends number, H extends number, W extends number>(
  image: Image<D, C, H, W>,
  shift: number,
): Image<D, C, H, W> {
  checkColors('adjustHue', image);
  checkRange('adjustHue', 'shift', shift, -0.5, 0.5);
  const { data, shape } = image;
  if (shape[0] === 1) return image;
  const plane = shape[1] * shape[2];
  const isBytes = isUint8Array(data);
  const out = allocate(data, data.length);
  const unit = isBytes ? fround(1 / 255) : 1;
  const color = new Float32Array(3);
  for (let i = 0; i < plane; i++) {
    color[0] = data[i] * unit;
    color[1] = data[plane + i] * unit;
    color[2] = data[2 * plane + i] * unit;
    turnHue(color, shift);
    for (let c = 0; c < 3; c++) out[c * plane + i] = isBytes ? color[c] * ALMOST_256 : color[c];
  }
  return { data: out, shape };
}

/** Changes the hue of one colour of values from 0 to 1, in place, by way of hue, saturation and value. */
function turnHue(color: Float32Array, shift: number): void {
  const r = color[0];
  const g = color[1];
  const b = color[2];
  const value = Math.max(r, g, b);
  const range = value - Math.min(r, g, b);
  if (range === 0) return; // a grey has no hue
  let sixths: number;
  if (value === r) sixths = (g - b) / range;
  else if (value === g) sixths = 2 + (b - r) / range;
  else sixths = 4 + (r - g) / range;
  const turned = sixths / 6 + shift;
  const hue = fround(turned - Math.floor(turned)) * 6;
  const sector = Math.floor(hue);
  const part = hue - sector;
  const saturation = range / value;
  const low = clamp((1 - saturation) * value, 1);
  const falling = clamp((1 - saturation * part) * value, 1);
  const rising = clamp((1 - saturation * (1 - part)) * value, 1);
  const at = SECTORS[sector % 6];
  color[at[0]] = value;
  color[at[1]] = low;
  color[at[2]] = sector % 2 === 0 ? rising : falling;
}

/** For each sixth of the colour circle, the channels of the highest, the lowest and the middle value. */
const SECTORS = [
  [0, 2, 1],
  [1, 2, 0],
  [1, 0, 2],
  [2, 0, 1],
  [2, 1, 0],
  [0, 1, 2],
] as const;
