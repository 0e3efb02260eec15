// Convolution and pooling.

import { zeros } from '../../tensor/creation.js';
import { convolve, convolveTransposed, windowsOf } from '../../tensor/spatial.js';
import { maxPool } from '../../tensor/windows.js';
import { type AnyTensor, type Tensor, wrap } from '../../tensor/tensor.js';
import { allocate, eachIndex, sizeOf, stridesOf } from '../host/array.js';
import type { Call, Operator, Operators, Result } from './operator.js';
import { type Windows, positionsOf, reachOf, windowsFrom, withLastWindow } from './windows.js';

function convolved(call: Call): AnyTensor {
  const [x, w] = [call.tensor(0), call.tensor(1)];
  const windows = windowsFrom(call, w.shape.slice(2), x.shape.slice(2));
  return convolve(x, w, call.maybe(2), { ...windows, groups: call.int('group', 1) });
}

function convolvedBack(call: Call): AnyTensor {
  const [x, w] = [call.tensor(0), call.tensor(1)];
  const [kernel, from] = [w.shape.slice(2), x.shape.slice(2)];
  const stride = call.ints('strides') ?? from.map(() => 1);
  const dilation = call.ints('dilations') ?? from.map(() => 1);
  const extra = call.ints('output_padding') ?? from.map(() => 0);
  const auto = call.text('auto_pad', 'NOTSET');
  const whole = from.map((n, i) => (n - 1) * stride[i] + reachOf(kernel[i], dilation[i]) + extra[i]);
  const wanted = call.ints('output_shape')?.slice(-from.length);
  let sizes: readonly number[];
  let lo: readonly number[];
  if (wanted !== undefined || auto === 'SAME_UPPER' || auto === 'SAME_LOWER') {
    sizes = wanted ?? from.map((n, i) => n * stride[i]);
    const total = whole.map((n, i) => Math.max(0, n - sizes[i]));
    lo = total.map((t) => (auto === 'SAME_UPPER' ? Math.floor(t / 2) : Math.ceil(t / 2)));
  } else {
    const pads = auto === 'VALID' ? undefined : call.ints('pads');
    lo = from.map((_, i) => pads?.[i] ?? 0);
    sizes = whole.map((n, i) => n - lo[i] - (pads?.[i + from.length] ?? 0));
  }
  // the sizes of which the convolution makes those of x
  const hi = sizes.map((n, i) => (from[i] - 1) * stride[i] + reachOf(kernel[i], dilation[i]) - n - lo[i]);
  return convolveTransposed(x, w, call.maybe(2), { stride, dilation, lo, hi, groups: call.int('group', 1) }, sizes);
}

// ---------------------------------------------------------------- pooling

function poolWindows(call: Call): Windows {
  const sizes = call.shape(0).slice(2);
  return withLastWindow(call, windowsFrom(call, call.ints('kernel_shape') ?? [], sizes), sizes);
}

/** The last dimensions, which a window leaves at the end. */
const tapsOf = (windows: Tensor, count: number): number[] =>
  Array.from({ length: count }, (_, i) => windows.rank - count + i);

/** The dtype in which windows are compared: narrow whole numbers have no −∞. */
function pooledMaximum(call: Call): Result | Result[] {
  const x = call.tensor(0);
  const windows = poolWindows(call);
  if (call.wants(1)) return maximaWithPlaces(call, x, windows);
  const isFloat = x.dtype.includes('float');
  if (!isFloat) {
    const wide = x.to('int32') as AnyTensor as Tensor;
    const all = windowsOf(wide, windows, -0x80000000);
    return call.as(all.amax(tapsOf(all, windows.size.length)).to(x.dtype), call.type(0));
  }
  const { lo, hi, size } = windows;
  const isEven = lo.every((p, i) => p === hi[i] && p * 2 <= size[i]);
  if (isEven) {
    const { stride, dilation } = windows;
    return wrap(maxPool(size.length, x.node, size, { stride, dilation, padding: lo }));
  }
  const all = windowsOf(x, windows, -Infinity);
  return all.amax(tapsOf(all, size.length));
}

/** Each maximum, and where it was in the whole input, counted row by row or column by column. */
function maximaWithPlaces(call: Call, x: Tensor, windows: Windows): Result[] {
  const sizes = x.shape.slice(2);
  const isFloat = x.dtype.includes('float');
  const wide = isFloat ? x : (x.to('int32') as AnyTensor as Tensor);
  const all = windowsOf(wide, windows, isFloat ? -Infinity : -0x80000000);
  const out = positionsOf(windows, sizes);
  const flat: Tensor = all.reshape([...x.shape.slice(0, 2), ...out, sizeOf(windows.size)]);
  const values = flat.amax(-1);
  let rest: Tensor = flat.argmax(-1) as AnyTensor as Tensor;
  const isColumns = call.int('storage_order', 0) === 1;
  const strides = isColumns ? stridesOf(sizes.toReversed()).reverse() : stridesOf(sizes);
  // the part that the position of the window gives, and the one of the tap in it
  const base = allocate('int32', [x.shape[0], x.shape[1], ...out]);
  eachIndex(base.shape, (at, [n, c, ...place]) => {
    const inChannel = place.reduce((sum, p, i) => sum + (p * windows.stride[i] - windows.lo[i]) * strides[i], 0);
    base.data[at] = (n * x.shape[1] + c) * sizeOf(sizes) + inChannel;
  });
  let index: Tensor = call.made(base);
  for (let i = sizes.length - 1; i >= 0; i--) {
    index = index.add(rest.remainder(windows.size[i]).mul(windows.dilation[i] * strides[i]));
    rest = rest.floorDivide(windows.size[i]);
  }
  return [call.as(isFloat ? values : values.to(x.dtype), call.type(0)), call.as(index, 'int64')];
}

/** x [N, C, …] in the dtype of real numbers: the means of the windows that the node says. */
export function pooledMean(call: Call, x: Tensor): AnyTensor {
  const sizes = x.shape.slice(2);
  const windows = withLastWindow(call, windowsFrom(call, call.ints('kernel_shape') ?? [], sizes), sizes);
  const all = windowsOf(x, windows);
  const total = all.sum(tapsOf(all, sizes.length));
  const counts = countsOf(call, windows, sizes);
  const [first] = counts.data;
  if (counts.data.every((n) => n === first)) return total.mul(1 / first);
  return total.div(call.made(counts));
}

/** How many elements each window has: those of the input, and what is padded if it counts; never what ceil mode adds. */
function countsOf(call: Call, windows: Windows, sizes: readonly number[]) {
  const declared = windowsFrom(call, windows.size, sizes);
  const withPad = call.flag('count_include_pad');
  const along = sizes.map((n, i) => {
    const [least, most] = withPad ? [-declared.lo[i], n + declared.hi[i]] : [0, n];
    return Array.from({ length: positionsOf(windows, sizes)[i] }, (_, p) => {
      let count = 0;
      for (let k = 0; k < windows.size[i]; k++) {
        const at = p * windows.stride[i] - windows.lo[i] + k * windows.dilation[i];
        if (at >= least && at < most) count++;
      }
      return count;
    });
  });
  const counts = allocate('float32', positionsOf(windows, sizes));
  eachIndex(counts.shape, (at, place) => {
    counts.data[at] = place.reduce((product, p, i) => product * along[i][p], 1);
  });
  return counts;
}

function pooledNorm(call: Call): AnyTensor {
  const x = call.tensor(0);
  const windows = poolWindows(call);
  const p = call.float('p', 2);
  const all = windowsOf(x.abs().pow(p), windows);
  return all.sum(tapsOf(all, windows.size.length)).pow(1 / p);
}

/** Over all positions. */
function global(run: (x: Tensor, axes: number[], call: Call) => AnyTensor): Operator {
  return {
    inputs: [1, 1],
    run: (call) => {
      const x = call.tensor(0);
      return run(
        x,
        x.shape.slice(2).map((_, i) => i + 2),
        call,
      );
    },
  };
}

/** Maxima back to where they were, zeros elsewhere. */
function unpooled(call: Call): AnyTensor {
  const x = call.tensor(0);
  const kernel = call.ints('kernel_shape') ?? [];
  const from = x.shape.slice(2);
  const stride = call.ints('strides') ?? from.map(() => 1);
  const pads = call.ints('pads');
  const natural = from.map(
    (n, i) => (n - 1) * stride[i] + kernel[i] - (pads?.[i] ?? 0) - (pads?.[i + from.length] ?? 0),
  );
  const shape = call.has(2) ? call.numbers(2) : [x.shape[0], x.shape[1], ...natural];
  const index = call.tensor(1).to('int32').reshape([x.size]);
  // indices count in the natural size; a larger output has the same rows further apart
  const grown = shape.slice(2).map((n, i) => n - natural[i]);
  const values: Tensor = x.reshape([x.size]);
  const size = sizeOf([x.shape[0], x.shape[1], ...natural]);
  const spread: Tensor = zeros([size], { dtype: x.dtype })
    .scatterAdd(0, index, values)
    .reshape([x.shape[0], x.shape[1], ...natural]);
  return spread.pad([[0, 0], [0, 0], ...grown.map((n): [number, number] => [0, n])]);
}

/** Blocks, as columns, added up where they overlap. */
function fromColumns(call: Call): AnyTensor {
  const x = call.tensor(0);
  const [image, block] = [call.numbers(1), call.numbers(2)];
  const stride = call.ints('strides') ?? image.map(() => 1);
  const dilation = call.ints('dilations') ?? image.map(() => 1);
  const pads = call.ints('pads');
  const lo = image.map((_, i) => pads?.[i] ?? 0);
  const hi = image.map((_, i) => pads?.[i + image.length] ?? 0);
  const windows: Windows = { size: block, stride, dilation, lo, hi };
  const out = positionsOf(windows, image);
  const [n, rows] = x.shape;
  const channels = rows / sizeOf(block);
  // each channel is convolved back by a kernel for each tap that is 1 there
  const taps = sizeOf(block);
  const kernel = allocate('float32', [taps, 1, ...block]);
  for (let k = 0; k < taps; k++) kernel.data[k * taps + k] = 1;
  const apart: Tensor = x.reshape([n * channels, taps, ...out]);
  const exact = image.map((size, i) => (out[i] - 1) * stride[i] + reachOf(block[i], dilation[i]) - size - lo[i]);
  const weight = call.made(kernel).to(x.dtype);
  const made = convolveTransposed(apart, weight, undefined, { stride, dilation, lo, hi: exact, groups: 1 }, image);
  return made.reshape([n, channels, ...image]);
}

export const CONVOLUTION: Operators = {
  Conv: { inputs: [2, 3], weights: [1, 2], run: convolved },
  ConvTranspose: { inputs: [2, 3], weights: [1, 2], run: convolvedBack },
  MaxPool: { inputs: [1, 1], run: pooledMaximum },
  AveragePool: { inputs: [1, 1], run: (call) => pooledMean(call, call.tensor(0)) },
  LpPool: { inputs: [1, 1], run: pooledNorm },
  GlobalAveragePool: global((x, axes) => x.mean(axes, { keepdim: true })),
  GlobalMaxPool: global((x, axes) => x.amax(axes, { keepdim: true })),
  GlobalLpPool: global((x, axes, call) => {
    const p = call.float('p', 2);
    return x
      .abs()
      .pow(p)
      .sum(axes, { keepdim: true })
      .pow(1 / p);
  }),
  MaxUnpool: { inputs: [2, 3], settings: [1, 2], run: unpooled },
  Col2Im: { inputs: [3, 3], settings: [1, 2], run: fromColumns },
};
