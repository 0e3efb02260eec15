// The 1,797 handwritten digits of 8 × 8 pixels that come with the package (UCI, E. Alpaydin and C. Kaynak; see
// assets/digits.ts). Decoded from base64 on first use; no file is read, so a browser has them too.

import { bitReader } from './packed.js';
import { ArrayDataset } from '../dataset.js';
import type { Field } from '../fields.js';
import { COUNT, LABELS, PIXELS } from '../assets/digits.js';

/** x: one channel of 8 × 8 pixels from 0 (paper) to 1 (ink); y: the digit. */
export type DigitFields = {
  readonly x: Field<Float32Array, readonly [1, 8, 8]>;
  readonly y: Field<Int32Array, readonly []>;
};

export type Digits = ArrayDataset<DigitFields>;

function unpack(base64: string, bits: number, count: number): Uint8Array {
  const read = bitReader(base64);
  return Uint8Array.from({ length: count }, () => read(bits));
}

let decoded: DigitFields | undefined;

/**
 * 1,797 handwritten digits. Items: x float32 [1, 8, 8] with pixels from 0 to 1 in steps of 1/16, y int32.
 *
 *     const { train, test } = digits().split({ train: 0.8, test: 0.2 });
 */
export function digits(): Digits {
  decoded ??= {
    x: { data: Float32Array.from(unpack(PIXELS, 5, COUNT * 64), (pixel) => pixel / 16), shape: [1, 8, 8] },
    y: { data: Int32Array.from(unpack(LABELS, 4, COUNT)), shape: [] },
  };
  return new ArrayDataset(decoded);
}
