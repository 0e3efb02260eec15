import type { Tensor } from 'nabla';
import { sinusoidalEncoding } from 'nabla/nn';

export interface Settings {
  length: number;
  width: number;
  /** The position whose likeness to the others is shown. */
  at: number;
}

/** Sinusoidal positional encodings, and how alike those of two positions are. */
export async function* run({ length, width, at }: Settings) {
  const even = 2 * Math.round(width / 2);
  const encoding: Tensor = sinusoidalEncoding(length, even);
  const likeness = await encoding
    .matmul(encoding.T)
    .div(even / 2)
    .data();
  const position = Math.min(at, length - 1);
  const own = likeness.subarray(position * length, (position + 1) * length);
  yield {
    values: {
      position,
      'likeness to the next': own[Math.min(position + 1, length - 1)],
      'to one ten further': own[Math.min(position + 10, length - 1)],
    },
    length,
    width: even,
    at: position,
    encoding: await encoding.data(),
    likeness: [...own],
  };
}
