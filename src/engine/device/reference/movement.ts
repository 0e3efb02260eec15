// Meaning of the movement operators: each output element is one input element or zero, so each is a list of offsets.
// Also the indexed ones: gather reads and scatterAdd writes where an index operand says.

import type { DType } from '../../ir/dtype.js';
import { type Indexed, outOfRange } from '../../ir/errors.js';
import type { OpArgs, WindowSpec } from '../../ir/op.js';
import { type Shape, sizeOf, stridesOf } from '../../ir/shape.js';
import { type Meanings, type Value, broadcast, offsets, take, wrap } from './value.js';

/**
 * For each element of the windows [..., O1, O2, k1, k2]: the offset of the element of [..., D1, D2] that it shows,
 * -1 in the padding. Along one axis, tap k of window o is at o · stride + k · dilation − lo.
 */
export function windowOffsets(windows: Shape, sizes: Shape, spec: WindowSpec): Int32Array {
  const n = sizes.length;
  const lead = windows.slice(0, windows.length - 2 * n);
  const strides = stridesOf([...lead, ...sizes]);
  const at = offsets(windows, [...strides.slice(0, lead.length), ...new Array<number>(2 * n).fill(0)]);
  for (let d = 0; d < n; d++) {
    const along = windows.map(() => 0);
    along[lead.length + d] = spec.stride[d];
    along[lead.length + n + d] = spec.dilation[d];
    const positions = offsets(windows, along, -spec.lo[d]);
    for (let i = 0; i < at.length; i++) {
      const outside = positions[i] < 0 || positions[i] >= sizes[d];
      at[i] = outside || at[i] < 0 ? -1 : at[i] + positions[i] * strides[lead.length + d];
    }
  }
  return at;
}

/** For each element of `index`: the offset in `x` that it points at along `axis`. */
function indexedOffsets(op: string, x: Value, arg: Indexed, index: Value): Int32Array {
  const { axis } = arg;
  const strides = stridesOf(x.shape);
  const at = offsets(
    index.shape,
    strides.map((s, i) => (i === axis ? 0 : s)),
  );
  return at.map((offset, i) => {
    const k = index.data[i];
    if (k < 0 || k >= x.shape[axis]) throw outOfRange(op, arg, k, x.shape[axis]);
    return offset + k * strides[axis];
  });
}

type Movement =
  | 'reshape'
  | 'permute'
  | 'expand'
  | 'pad'
  | 'slice'
  | 'concat'
  | 'window'
  | 'fold'
  | 'gather'
  | 'scatterAdd';

/** What a scatter makes of what is there and what comes. */
function combining({ combine }: OpArgs['scatterAdd'], dtype: DType): (a: number, b: number) => number {
  if (combine === 'max') return Math.max;
  if (combine === 'min') return Math.min;
  if (combine === 'set') return (_, b) => b;
  if (combine === 'mul') return dtype === 'int32' ? Math.imul : (a, b) => a * b;
  return (a, b) => a + b;
}

export const MOVEMENTS: Meanings<Movement> = {
  reshape: ([x]) => x.data,

  permute: ([x], { shape, arg }) => {
    const strides = stridesOf(x.shape);
    return take(
      x.data,
      offsets(
        shape,
        arg.axes.map((a) => strides[a]),
      ),
    );
  },

  expand: ([x], { shape }) => broadcast(x, shape),

  pad: ([x], { shape, arg }) => {
    const out = new Float64Array(sizeOf(shape));
    const strides = stridesOf(shape);
    const start = strides.reduce((sum, s, i) => sum + s * arg.lo[i], 0);
    offsets(x.shape, strides, start).forEach((at, i) => (out[at] = x.data[i]));
    return out;
  },

  slice: ([x], { shape, arg }) => {
    const strides = stridesOf(x.shape);
    const start = strides.reduce((sum, s, i) => sum + s * arg.start[i], 0);
    return take(
      x.data,
      offsets(
        shape,
        strides.map((s, i) => s * arg.step[i]),
        start,
      ),
    );
  },

  concat: (parts, { shape, arg }) => {
    const out = new Float64Array(sizeOf(shape));
    const strides = stridesOf(shape);
    let from = 0;
    for (const part of parts) {
      offsets(part.shape, strides, from * strides[arg.axis]).forEach((at, i) => (out[at] = part.data[i]));
      from += part.shape[arg.axis];
    }
    return out;
  },

  window: ([x], { shape, arg }) =>
    take(x.data, windowOffsets(shape, x.shape.slice(x.shape.length - arg.size.length), arg)),

  fold: ([x], { shape, arg }) => {
    const out = new Float64Array(sizeOf(shape));
    windowOffsets(x.shape, arg.output, arg).forEach((at, i) => {
      if (at >= 0) out[at] = wrap(out[at] + x.data[i], x.dtype);
    });
    return out;
  },

  gather: ([x, index], { arg }) => take(x.data, indexedOffsets('gather', x, arg, index)),

  scatterAdd: ([base, index, src], { arg }) => {
    const out = base.data.slice();
    const combine = combining(arg, base.dtype);
    indexedOffsets('scatterAdd', base, arg, index).forEach((at, i) => {
      out[at] = wrap(combine(out[at], src.data[i]), base.dtype);
    });
    return out;
  },
};
