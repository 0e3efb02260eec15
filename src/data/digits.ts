// The handwritten digits that come with the package: 1,797 grey images of 8 × 8 pixels.
// Source: UCI, Optical Recognition of Handwritten Digits (E. Alpaydin, C. Kaynak), CC BY 4.0; see digits-data.ts.

import { ArrayDataset } from './dataset.js';
import { DIGITS_COUNT, DIGITS_PACKED } from './digits-data.js';

const PIXELS = 64;
const BRIGHTEST = 16;

/** x: float32 [1, 8, 8] from 0 to 1 (pixel / 16), y: int32 label 0 … 9. */
export function digits(): ArrayDataset<'x' | 'y'> {
  const bytes = Uint8Array.from(atob(DIGITS_PACKED), (c) => c.charCodeAt(0));
  let at = 0;
  const take = (bits: number): number => {
    let value = 0;
    for (let i = 0; i < bits; i++, at++) value = (value << 1) | ((bytes[at >> 3] >> (7 - (at & 7))) & 1);
    return value;
  };
  const x = new Float32Array(DIGITS_COUNT * PIXELS);
  const y = new Int32Array(DIGITS_COUNT);
  for (let i = 0; i < DIGITS_COUNT; i++) {
    for (let p = 0; p < PIXELS; p++) x[i * PIXELS + p] = take(5) / BRIGHTEST;
    y[i] = take(4);
  }
  return new ArrayDataset({
    x: { data: x, shape: [1, 8, 8], dtype: 'float32' },
    y: { data: y, shape: [], dtype: 'int32' },
  });
}
