// Meaning of matmul and of the three convolutions, by direct loops over their definition.
// The convolutions share one list of taps, the triples (element of x, element of w, element of y) with
// y = Σ x · w: forward, gradient to the input and gradient to the weight differ in which of the three is summed into.

import type { ConvSpec } from '../../ir/op.js';
import { type Shape, sizeOf } from '../../ir/shape.js';
import { type Meanings, broadcastStrides, offsets } from './value.js';

interface Tap {
  readonly x: number;
  readonly w: number;
  readonly y: number;
}

/** Where x, w and y meet inside one channel: y[o] sees x[o · stride + k · dilation − lo] through w[k], on every axis. */
function spatialTaps(x: Shape, w: Shape, y: Shape, spec: ConvSpec): Tap[] {
  let taps: Tap[] = [{ x: 0, w: 0, y: 0 }];
  for (let d = 0; d < x.length; d++) {
    const next: Tap[] = [];
    for (const tap of taps) {
      for (let o = 0; o < y[d]; o++) {
        for (let k = 0; k < w[d]; k++) {
          const i = o * spec.stride[d] + k * spec.dilation[d] - spec.lo[d];
          if (i >= 0 && i < x[d]) next.push({ x: tap.x * x[d] + i, w: tap.w * w[d] + k, y: tap.y * y[d] + o });
        }
      }
    }
    taps = next;
  }
  return taps;
}

/** Calls `visit` with the offsets of every product in conv(x, w) = y. */
function forEachProduct(
  x: Shape,
  w: Shape,
  y: Shape,
  spec: ConvSpec,
  visit: (x: number, w: number, y: number) => void,
): void {
  const [batch, channels, ...xs] = x;
  const [out, perGroup, ...ws] = w;
  const ys = y.slice(2);
  const taps = spatialTaps(xs, ws, ys, spec);
  const [xSize, wSize, ySize] = [xs, ws, ys].map(sizeOf);
  for (let b = 0; b < batch; b++) {
    for (let o = 0; o < out; o++) {
      const group = Math.floor(o / (out / spec.groups));
      for (let c = 0; c < perGroup; c++) {
        const atX = (b * channels + group * perGroup + c) * xSize;
        const atW = (o * perGroup + c) * wSize;
        const atY = (b * out + o) * ySize;
        for (const tap of taps) visit(atX + tap.x, atW + tap.w, atY + tap.y);
      }
    }
  }
}

export const CONTRACTIONS: Meanings<'matmul' | 'conv' | 'convInput' | 'convWeight'> = {
  matmul: ([a, b], { shape }) => {
    const [m, k] = a.shape.slice(-2);
    const [, n] = b.shape.slice(-2);
    const batch = shape.slice(0, -2);
    const startsA = offsets(batch, broadcastStrides(a.shape.slice(0, -2), batch));
    const startsB = offsets(batch, broadcastStrides(b.shape.slice(0, -2), batch));
    const out = new Float64Array(sizeOf(shape));
    let at = 0;
    for (let s = 0; s < startsA.length; s++) {
      for (let i = 0; i < m; i++) {
        for (let j = 0; j < n; j++) {
          let sum = 0;
          for (let l = 0; l < k; l++)
            sum += a.data[(startsA[s] * m + i) * k + l] * b.data[(startsB[s] * k + l) * n + j];
          out[at++] = sum;
        }
      }
    }
    return out;
  },

  conv: ([x, w], { shape, arg }) => {
    const y = new Float64Array(sizeOf(shape));
    forEachProduct(x.shape, w.shape, shape, arg, (i, k, o) => (y[o] += x.data[i] * w.data[k]));
    return y;
  },

  convInput: ([dy, w], { shape, arg }) => {
    const dx = new Float64Array(sizeOf(shape));
    forEachProduct(shape, w.shape, dy.shape, arg, (i, k, o) => (dx[i] += dy.data[o] * w.data[k]));
    return dx;
  },

  convWeight: ([x, dy], { shape, arg }) => {
    const dw = new Float64Array(sizeOf(shape));
    forEachProduct(x.shape, shape, dy.shape, arg, (i, k, o) => (dw[k] += x.data[i] * dy.data[o]));
    return dw;
  },
};
