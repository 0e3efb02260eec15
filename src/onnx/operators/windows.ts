// The windows that convolutions and poolings go through, from attributes: kernel, strides, dilations, paddings of all kinds.

import type { Call } from './operator.js';

export interface Windows {
  readonly size: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  /** Zeros before and after each dimension; `hi` below 0 is what the strides do not reach. */
  readonly lo: readonly number[];
  readonly hi: readonly number[];
}

/** How far a window reaches along a dimension. */
export const reachOf = (size: number, dilation: number): number => (size - 1) * dilation + 1;

/** Windows of `kernel` over `sizes`. */
export function windowsFrom(call: Call, kernel: readonly number[], sizes: readonly number[]): Windows {
  const axes = sizes.length;
  if (kernel.length !== axes) call.fail(`a kernel [${kernel.join(', ')}] does not fit ${axes} dimensions`);
  const stride = call.ints('strides') ?? sizes.map(() => 1);
  const dilation = call.ints('dilations') ?? sizes.map(() => 1);
  const auto = call.text('auto_pad', 'NOTSET');
  if (auto === 'NOTSET' || auto === 'VALID') {
    const pads = auto === 'VALID' ? undefined : call.ints('pads');
    return {
      size: kernel,
      stride,
      dilation,
      lo: sizes.map((_, i) => pads?.[i] ?? 0),
      hi: sizes.map((_, i) => pads?.[i + axes] ?? 0),
    };
  }
  const total = sizes.map((n, i) =>
    Math.max(0, (Math.ceil(n / stride[i]) - 1) * stride[i] + reachOf(kernel[i], dilation[i]) - n),
  );
  const [less, more] = [total.map((t) => Math.floor(t / 2)), total.map((t) => Math.ceil(t / 2))];
  const isUpper = auto === 'SAME_UPPER';
  return { size: kernel, stride, dilation, lo: isUpper ? less : more, hi: isUpper ? more : less };
}

/** The same with what a last window that begins inside takes beyond the end (ceil_mode). */
export function withLastWindow(call: Call, windows: Windows, sizes: readonly number[]): Windows {
  if (!call.flag('ceil_mode')) return windows;
  const hi = windows.hi.map((p, i) => {
    const [n, lo, stride] = [sizes[i], windows.lo[i], windows.stride[i]];
    const reach = reachOf(windows.size[i], windows.dilation[i]);
    let count = Math.ceil((n + lo + p - reach) / stride) + 1;
    if ((count - 1) * stride >= n + lo) count--;
    return Math.max(p, (count - 1) * stride + reach - n - lo);
  });
  return { ...windows, hi };
}

/** How many positions a window has along each dimension. */
export function positionsOf({ size, stride, dilation, lo, hi }: Windows, sizes: readonly number[]): number[] {
  return sizes.map((n, i) => Math.floor((n + lo[i] + hi[i] - reachOf(size[i], dilation[i])) / stride[i]) + 1);
}
