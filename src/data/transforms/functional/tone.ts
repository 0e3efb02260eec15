// Changes of brightness that look at one pixel of one channel: for bytes a table of 256 values, for floats the formula.
// Results are cut to 0 … 255 or 0 … 1; bytes are rounded down, as torchvision does, in float32.
// Must not know: random numbers, neighbours, the other channels.

import { ArgumentError } from '../../../tensor/library.js';
import { type Image, type Pixels, allocate, brightest, checkColors, checkImage, checkRange } from '../image.js';
import { isFloat32Array, isUint8Array } from '../../../tensor/typed-arrays.js';

const { fround } = Math;

/** A value within 0 … bound; of bytes the whole part, as a conversion to uint8 leaves it. */
export function clamp(value: number, bound: number): number {
  return value < 0 ? 0 : value > bound ? bound : value;
}

/** Each channel through a function of its own: `curve(c)` gives it. For bytes it is asked 256 times a channel at most. */
export function mapChannels<D extends Pixels, C extends number, H extends number, W extends number>(
  { data, shape }: Image<D, C, H, W>,
  curve: (channel: number) => (value: number) => number,
): Image<D, C, H, W> {
  const [channels, height, width] = shape;
  const plane = height * width;
  const out = allocate(data, data.length);
  const table = new Uint8Array(256);
  for (let c = 0; c < channels; c++) {
    const map = curve(c);
    const end = (c + 1) * plane;
    if (isUint8Array(data)) {
      for (let v = 0; v < 256; v++) table[v] = map(v);
      for (let i = c * plane; i < end; i++) out[i] = table[data[i]];
    } else {
      for (let i = c * plane; i < end; i++) out[i] = map(data[i]);
    }
  }
  return { data: out, shape };
}

/** All channels through one function. */
function mapValues<D extends Pixels, C extends number, H extends number, W extends number>(
  image: Image<D, C, H, W>,
  map: (value: number) => number,
): Image<D, C, H, W> {
  const { data, shape } = image;
  const flat = mapChannels({ data, shape: [1, 1, data.length] }, () => map);
  return { data: flat.data, shape };
}

/** Every pixel times `factor`: 0 is black, 1 the image. torchvision: adjust_brightness. */
export function adjustBrightness<D extends Pixels, C extends number, H extends number, W extends number>(
  image: Image<D, C, H, W>,
  factor: number,
): Image<D, C, H, W> {
  checkImage('adjustBrightness', image);
  checkRange('adjustBrightness', 'factor', factor, 0);
  const bound = brightest(image.data);
  const scale = fround(factor);
  return mapValues(image, (value) => clamp(fround(value * scale), bound));
}

/** gain · value ** gamma, of values from 0 to 1: above 1 makes shadows darker, below 1 lighter. torchvision: adjust_gamma. */
export function adjustGamma<D extends Pixels, C extends number, H extends number, W extends number>(
  image: Image<D, C, H, W>,
  gamma: number,
  gain = 1,
): Image<D, C, H, W> {
  checkImage('adjustGamma', image);
  checkRange('adjustGamma', 'gamma', gamma, 0);
  const curve = (value: number) => clamp(gain * value ** gamma, 1);
  if (isFloat32Array(image.data)) return mapValues(image, curve);
  return mapValues(image, (value) => Math.floor(fround(curve(value / 255)) * ALMOST_256));
}

/** Spreads 0 … 1 evenly over 256 bytes: 1 must not become 256. */
export const ALMOST_256 = 255.999;

/** The negative. torchvision: invert. */
export function invert<D extends Pixels, C extends number, H extends number, W extends number>(
  image: Image<D, C, H, W>,
): Image<D, C, H, W> {
  checkImage('invert', image);
  const bound = brightest(image.data);
  return mapValues(image, (value) => bound - value);
}

/** Keeps the `bits` highest of the 8 bits of each value. torchvision: posterize. */
export function posterize<D extends Pixels, C extends number, H extends number, W extends number>(
  image: Image<D, C, H, W>,
  bits: number,
): Image<D, C, H, W> {
  checkImage('posterize', image);
  if (!Number.isInteger(bits) || bits < 0 || bits > 8) {
    throw new ArgumentError(`posterize: ${bits} bits. Use a whole number from 0 to 8.`);
  }
  if (isUint8Array(image.data)) {
    const mask = (0xff << (8 - bits)) & 0xff;
    return mapValues(image, (value) => value & mask);
  }
  const levels = 2 ** bits;
  return mapValues(image, (value) => clamp(Math.floor(fround(value * levels)), levels - 1) / levels);
}

/** The negative of all values from `threshold` on. torchvision: solarize. */
export function solarize<D extends Pixels, C extends number, H extends number, W extends number>(
  image: Image<D, C, H, W>,
  threshold: number,
): Image<D, C, H, W> {
  checkImage('solarize', image);
  const bound = brightest(image.data);
  checkRange('solarize', 'threshold', threshold, -Infinity, bound);
  return mapValues(image, (value) => (value >= threshold ? bound - value : value));
}

/** Stretches each channel so that its darkest value becomes 0 and its brightest the highest. torchvision: autocontrast. */
export function autocontrast<D extends Pixels, C extends number, H extends number, W extends number>(
  image: Image<D, C, H, W>,
): Image<D, C, H, W> {
  checkColors('autocontrast', image);
  const { data, shape } = image;
  const plane = shape[1] * shape[2];
  const bound = brightest(data);
  return mapChannels(image, (c) => {
    let [low, high] = [Infinity, -Infinity];
    for (let i = c * plane; i < (c + 1) * plane; i++) {
      if (data[i] < low) low = data[i];
      if (data[i] > high) high = data[i];
    }
    if (high === low) return (value) => clamp(value, bound);
    const step = fround(fround(high - low) * fround(1 / bound));
    return (value) => clamp(fround(fround(value - low) / step), bound);
  });
}

/** Spreads the values of each channel so that all are about equally frequent. torchvision: equalize (Pillow's formula, of bytes). */
export function equalize<D extends Pixels, C extends number, H extends number, W extends number>(
  image: Image<D, C, H, W>,
): Image<D, C, H, W> {
  checkImage('equalize', image);
  const { data, shape } = image;
  const plane = shape[1] * shape[2];
  const isBytes = isUint8Array(data);
  const byteOf = (value: number): number => (isBytes ? value : Math.floor(fround(clamp(value, 1) * ALMOST_256)));
  return mapChannels(image, (c) => {
    const counts = new Int32Array(256);
    for (let i = c * plane; i < (c + 1) * plane; i++) counts[byteOf(data[i])]++;
    const last = counts.findLastIndex((count) => count > 0);
    const step = Math.floor((plane - counts[last]) / 255);
    const unit = isBytes ? 1 : 1 / 255;
    if (step === 0) return (value) => byteOf(value) * unit;
    const table = new Uint8Array(256);
    for (let v = 1, below = counts[0]; v < 256; below += counts[v++]) {
      table[v] = clamp(Math.floor((below + (step >> 1)) / step), 255);
    }
    return (value) => table[byteOf(value)] * unit;
  });
}
