// Convolution and pooling arguments as PyTorch users give them, on graph nodes: numbers or lists, 'same' and 'valid'.

import type { OptionNames } from '../engine/ir/options.js';
import * as build from '../engine/ir/build.js';
import { ArgumentError, DTypeError, ShapeError } from '../engine/ir/errors.js';
import type { Node } from '../engine/ir/node.js';
import type { ConvSpec, WindowSpec } from '../engine/ir/op.js';
import { checkShape, formatShape, shown } from '../engine/ir/shape.js';
import { asFloat } from './operands.js';
import { positions } from './reductions.js';

export type PerAxis = number | readonly number[];
export type Padding = PerAxis | 'same' | 'valid';

export interface ConvOptions {
  readonly stride?: PerAxis;
  readonly padding?: Padding;
  readonly dilation?: PerAxis;
  readonly groups?: number;
}

export interface PoolOptions {
  readonly stride?: PerAxis;
  readonly padding?: PerAxis;
  readonly dilation?: PerAxis;
  /** A last window that reaches beyond the input counts, too. Default false. */
  readonly ceilMode?: boolean;
}

export const POOL_OPTIONS: OptionNames<PoolOptions> = { stride: true, padding: true, dilation: true, ceilMode: true };

/** Positions in a padded input are counted with 32 bits. */
const LARGEST = 2 ** 30 - 1;

/** One whole number a spatial axis, at least `least`. */
export function perAxis(value: PerAxis, axes: number, name: string, least: number, op: string): number[] {
  const list = Array.isArray(value) ? [...value] : new Array<number>(axes).fill(value as number);
  if (list.length !== axes || list.some((n) => !Number.isInteger(n) || n < least || n > LARGEST)) {
    const given = Array.isArray(value) ? `[${value.map(shown).join(', ')}]` : shown(value);
    throw new ArgumentError(
      `${op}: ${name} ${given} is not valid. Use a whole number of at least ${least}, or ${axes} of them.`,
    );
  }
  return list;
}

const LAYOUT = ['', '[N, C, L] or [C, L]', '[N, C, H, W] or [C, H, W]', '[N, C, D, H, W] or [C, D, H, W]'];

/** [N, C, …] with `axes` more dimensions; an input without a batch gets one. */
export function withBatch(x: Node, axes: number, op: string): Node {
  if (x.shape.length === axes + 2) return x;
  if (x.shape.length === axes + 1) return build.reshape(x, [1, ...x.shape]);
  throw new ShapeError(`${op}: input ${formatShape(x.shape)}: needs ${LAYOUT[axes]}`, [x.shape]);
}

/** A result without the batch that the input did not have. */
export function asGiven(result: Node, x: Node, axes: number): Node {
  return x.shape.length === axes + 2 ? result : build.reshape(result, result.shape.slice(1));
}

function checkWeight(w: Node, axes: number, op: string, layout: string): void {
  if (w.shape.length === axes + 2) return;
  throw new ShapeError(`${op}: weight ${formatShape(w.shape)}: needs ${layout}`, [w.shape]);
}

/** Padding on both sides; 'same' keeps the size at stride 1, the odd element goes to the end. */
function paddings(
  padding: Padding,
  kernel: readonly number[],
  dilation: readonly number[],
  stride: readonly number[],
  op: string,
): { lo: number[]; hi: number[] } {
  if (padding === 'valid') return { lo: kernel.map(() => 0), hi: kernel.map(() => 0) };
  if (padding === 'same') {
    if (stride.some((s) => s !== 1))
      throw new ArgumentError(
        `${op}: padding 'same' needs stride 1, not ${stride.join(', ')}. Give the padding as a number.`,
      );
    const total = kernel.map((k, i) => dilation[i] * (k - 1));
    return { lo: total.map((t) => Math.floor(t / 2)), hi: total.map((t) => Math.ceil(t / 2)) };
  }
  const lo = perAxis(padding, kernel.length, 'padding', 0, op);
  return { lo, hi: lo };
}

function convSpec(kernel: readonly number[], options: ConvOptions, op: string): ConvSpec {
  const axes = kernel.length;
  const stride = perAxis(options.stride ?? 1, axes, 'stride', 1, op);
  const dilation = perAxis(options.dilation ?? 1, axes, 'dilation', 1, op);
  const [groups] = perAxis(options.groups ?? 1, 1, 'groups', 1, op);
  return { stride, dilation, groups, ...paddings(options.padding ?? 0, kernel, dilation, stride, op) };
}

function addBias(y: Node, bias: Node | undefined, op: string): Node {
  if (bias === undefined) return y;
  const { dtype } = y;
  if (bias.dtype !== dtype)
    throw new DTypeError(`${op}: bias is ${bias.dtype}. Convert with to('${dtype}').`, [bias.dtype]);
  if (bias.shape.length !== 1 || bias.shape[0] !== y.shape[1]) {
    throw new ShapeError(`${op}: bias ${formatShape(bias.shape)} does not fit ${y.shape[1]} output channels`, [
      bias.shape,
      y.shape,
    ]);
  }
  return build.add(y, build.reshape(bias, [1, bias.size, ...y.shape.slice(2).map(() => 1)]));
}

/** x [B, C, …] or [C, …], w [O, C / groups, …] → [B, O, …] or [O, …] with `axes` spatial axes. */
export function convolution(axes: number, x: Node, w: Node, bias: Node | undefined, options: ConvOptions): Node {
  const op = `conv${axes}d`;
  const batch = withBatch(x, axes, op);
  checkWeight(w, axes, op, '[out, in / groups, kernel…]');
  const y = build.conv(batch, w, convSpec(w.shape.slice(2), options, op), op);
  return asGiven(addBias(y, bias, op), x, axes);
}

/** x [B, C, …] or [C, …], w [C, O / groups, …] → the input sizes of the convolution that it transposes, plus output padding. */
export function transposedConvolution(
  axes: number,
  given: Node,
  w: Node,
  bias: Node | undefined,
  options: ConvOptions & { readonly outputPadding?: PerAxis },
): Node {
  const op = `convTranspose${axes}d`;
  const x = withBatch(given, axes, op);
  checkWeight(w, axes, op, '[in, out / groups, kernel…]');
  if (x.shape[1] !== w.shape[0]) {
    throw new ShapeError(
      `${op}: input ${formatShape(x.shape)} has ${x.shape[1]} channels, weight ${formatShape(w.shape)} takes ${w.shape[0]}`,
      [x.shape, w.shape],
    );
  }
  const kernel = w.shape.slice(2);
  const spec = convSpec(kernel, options, op);
  const extra = perAxis(options.outputPadding ?? 0, axes, 'outputPadding', 0, op);
  extra.forEach((e, i) => {
    if (e >= Math.max(spec.stride[i], spec.dilation[i])) {
      throw new ArgumentError(
        `${op}: outputPadding ${e} is not below stride ${spec.stride[i]} or dilation ${spec.dilation[i]}.`,
      );
    }
  });
  const sizes = kernel.map(
    (k, i) =>
      (x.shape[i + 2] - 1) * spec.stride[i] - spec.lo[i] - spec.hi[i] + spec.dilation[i] * (k - 1) + 1 + extra[i],
  );
  const [empty] = sizes.filter((size) => size < 1);
  if (empty !== undefined) {
    throw new ShapeError(
      `${op}: input ${formatShape(x.shape)} with kernel ${formatShape(kernel)} and padding ${spec.lo.join(', ')} leaves an output of size ${empty}`,
      [x.shape],
    );
  }
  if (x.shape[1] % spec.groups !== 0)
    throw new ShapeError(`${op}: ${x.shape[1]} input channels do not divide into ${spec.groups} groups`, [x.shape]);
  checkShape([x.shape[0], w.shape[1] * spec.groups, ...sizes], op);
  return asGiven(addBias(build.convInput(x, w, spec, sizes, op), bias, op), given, axes);
}

/** The windows of a pooling over `sizes`; in ceil mode the last one may reach beyond the padding, but begins before it. */
function poolSpec(kernel: PerAxis, sizes: readonly number[], options: PoolOptions, op: string): WindowSpec {
  const axes = sizes.length;
  const size = perAxis(kernel, axes, 'kernel', 1, op);
  const lo = perAxis(options.padding ?? 0, axes, 'padding', 0, op);
  lo.forEach((p, i) => {
    if (p * 2 > size[i]) throw new ArgumentError(`${op}: padding ${p} is more than half of kernel ${size[i]}.`);
  });
  const stride = perAxis(options.stride ?? size, axes, 'stride', 1, op);
  const dilation = perAxis(options.dilation ?? 1, axes, 'dilation', 1, op);
  const hi = lo.map((p, i) => {
    const reach = dilation[i] * (size[i] - 1) + 1;
    const last = Math.ceil((sizes[i] + 2 * p - reach) / stride[i]) * stride[i];
    return options.ceilMode === true && last < sizes[i] + p ? Math.max(p, last + reach - sizes[i] - p) : p;
  });
  return { size, stride, dilation, lo, hi };
}

/** The last `axes` dimensions, which a window leaves at the end. */
function tapAxes(windows: Node, axes: number): number[] {
  return Array.from({ length: axes }, (_, i) => windows.shape.length - axes + i);
}

interface MaxWindows {
  readonly op: string;
  readonly spec: WindowSpec;
  /** [B, C, …out, …taps] */
  readonly windows: Node;
  /** [B, C, …out, 1, …]: the largest element of each window. */
  readonly top: Node;
  readonly out: readonly number[];
  readonly taps: readonly number[];
  /** The numbers of the taps, counted row by row, to go with `windows`. */
  readonly number: Node;
}

/** x [B, C, …] */
function maxWindows(axes: number, x: Node, kernel: PerAxis, options: PoolOptions): MaxWindows {
  const op = `maxPool${axes}d`;
  const spec = poolSpec(kernel, x.shape.slice(2), options, op);
  let windows = build.window(asFloat(x), spec, op);
  if (spec.lo.some((p) => p > 0) || spec.hi.some((p) => p > 0)) {
    const inside = build.window(build.expand(build.constant(1, 'bool') as Node, x.shape), spec, op);
    windows = build.where(inside, windows, build.constant(-Infinity) as Node);
  }
  const taps = tapAxes(windows, axes);
  const out = windows.shape.slice(0, windows.shape.length - axes);
  const count = spec.size.reduce((a, b) => a * b, 1);
  const number = build.reshape(build.iota(count), [...out.map(() => 1), ...spec.size]);
  return { op, spec, windows, top: build.reduce('reduceMax', windows, taps), out, taps, number };
}

/** The number of the first tap that holds the maximum, or a NaN: [B, C, …out, 1, …]. */
function firstTap({ windows, top, taps, number }: MaxWindows): Node {
  const value = build.detach(windows);
  const hit = build.binary('or', build.binary('eq', value, build.detach(top)), build.binary('ne', value, value));
  return build.reduce('reduceMin', build.where(hit, number, build.constant(0x7fffffff, 'int32') as Node), taps);
}

/** Maximum of each window; padding counts as −∞, and at ties the first element takes the gradient. */
export function maxPool(axes: number, x: Node, kernel: PerAxis, options: PoolOptions): Node {
  return asGiven(maxOf(maxWindows(axes, withBatch(x, axes, `maxPool${axes}d`), kernel, options)), x, axes);
}

function maxOf(all: MaxWindows): Node {
  const { op, windows, top, out, taps, number } = all;
  if (!windows.requiresGrad) return build.reshape(top, out);
  // The first tap that holds the maximum (or a NaN) takes the whole gradient.
  const chosen = build.binary('eq', number, firstTap(all));
  const gradient = {
    name: op,
    backward: (g: unknown) => [
      build.where(chosen, build.reshape(g as Node, [...out, ...taps.map(() => 1)]), build.constant(0) as Node),
    ],
  };
  return build.custom(build.reshape(top, out), [windows], gradient);
}

/** maxPool, and where in its channel each maximum was, counted row by row. */
export function maxPoolWithIndices(
  axes: number,
  given: Node,
  kernel: PerAxis,
  options: PoolOptions,
): { readonly values: Node; readonly indices: Node } {
  const x = withBatch(given, axes, `maxPool${axes}d`);
  const all = maxWindows(axes, x, kernel, options);
  const { spec, out } = all;
  const whole = (value: number): Node => build.constant(value, 'int32') as Node;
  let rest = build.reshape(firstTap(all), out);
  let [index, stride] = [whole(0), 1];
  for (let i = axes - 1; i >= 0; i--) {
    const tap = build.binary('mod', rest, whole(spec.size[i]));
    rest = build.binary('idiv', rest, whole(spec.size[i]));
    const start = build.mul(positions(out.length, i + 2, out[i + 2]), whole(spec.stride[i]));
    const at = build.add(build.sub(start, whole(spec.lo[i])), build.mul(tap, whole(spec.dilation[i])));
    index = build.add(index, build.mul(at, whole(stride)));
    stride *= x.shape[i + 2];
  }
  return { values: asGiven(maxOf(all), given, axes), indices: asGiven(index, given, axes) };
}

/** Mean of each window; padding counts as zeros unless `countIncludePad` is false. Or its sum divided by `divisorOverride`. */
export function avgPool(
  axes: number,
  given: Node,
  kernel: PerAxis,
  options: PoolOptions & { readonly countIncludePad?: boolean; readonly divisorOverride?: number },
): Node {
  const op = `avgPool${axes}d`;
  const x = withBatch(given, axes, op);
  const spec = poolSpec(kernel, x.shape.slice(2), options, op);
  const { lo, hi } = spec;
  const windows = build.window(asFloat(x), spec, op);
  const taps = tapAxes(windows, axes);
  const out = windows.shape.slice(0, windows.shape.length - axes);
  const total = build.reshape(build.sum(windows, taps), out);
  if (options.divisorOverride !== undefined)
    return asGiven(build.div(total, build.constant(options.divisorOverride) as Node), given, axes);
  const beyond = hi.map((p, i) => p - lo[i]);
  const includesPad = options.countIncludePad ?? true;
  if (beyond.every((p) => p === 0) && (includesPad || lo.every((p) => p === 0))) {
    const mean = build.div(total, build.constant(spec.size.reduce((a, b) => a * b, 1)) as Node);
    return asGiven(mean, given, axes);
  }
  // What counts is the input, with its padding or without, but never what ceil mode adds beyond.
  const counted = includesPad ? x.shape.map((n, i) => (i < 2 ? n : n + 2 * lo[i - 2])) : x.shape;
  const around = includesPad ? { lo: lo.map(() => 0), hi: beyond } : { lo, hi };
  const ones = build.window(build.filled(1, counted, total.dtype), { ...spec, ...around }, op);
  return asGiven(build.div(total, build.reshape(build.sum(ones, taps), out)), given, axes);
}
