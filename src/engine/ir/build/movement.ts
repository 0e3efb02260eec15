// Builders of movement: an element of the result is one of the operand, or zero.

import type { DType } from '../dtype.js';
import { IndexError, ShapeError } from '../errors.js';
import { type Node, createNode } from '../node.js';
import type { WindowSpec } from '../op.js';
import { indexed } from '../place.js';
import { type Shape, checkShape, formatShape, sameShape, sizeOf } from '../shape.js';
import { checkDType, checkDevice, checkIndexShape } from './checks.js';
import { scalar, isOp } from './leaves.js';

export function reshape(x: Node, shape: Shape): Node {
  if (sameShape(x.shape, shape)) return x;
  if (sizeOf(shape) !== x.size) {
    throw new ShapeError(
      `reshape: ${formatShape(x.shape)} has ${x.size} elements, ${formatShape(shape)} has ${sizeOf(shape)}`,
      [x.shape, shape],
    );
  }
  let base = x;
  while (isOp(base, 'reshape')) base = base.src[0];
  if (sameShape(base.shape, shape)) return base;
  return createNode('reshape', [base], { shape }, shape, x.dtype) as Node;
}

export function permute(x: Node, axes: readonly number[]): Node {
  if (isOp(x, 'permute')) {
    const inner = x.arg.axes;
    return permute(
      x.src[0],
      axes.map((a) => inner[a]),
    );
  }
  if (axes.every((a, i) => a === i)) return x;
  return createNode(
    'permute',
    [x],
    { axes },
    axes.map((a) => x.shape[a]),
    x.dtype,
  ) as Node;
}

/** Swaps the last two axes. */
export function transposeLast(x: Node): Node {
  const axes = x.shape.map((_, i) => i);
  const rank = axes.length;
  [axes[rank - 1], axes[rank - 2]] = [rank - 2, rank - 1];
  return permute(x, axes);
}

export function expand(x: Node, shape: Shape): Node {
  if (sameShape(x.shape, shape)) return x;
  const lead = shape.length - x.shape.length;
  if (lead < 0 || x.shape.some((n, i) => n !== 1 && n !== shape[lead + i])) {
    throw new ShapeError(`expand: ${formatShape(x.shape)} to ${formatShape(shape)}: only axes of size 1 can grow`, [
      x.shape,
      shape,
    ]);
  }
  checkShape(shape, 'expand');
  const base = isOp(x, 'expand') ? x.src[0] : x;
  return createNode('expand', [base], { shape }, shape, x.dtype) as Node;
}

/** The same value everywhere, without memory: a constant read with stride 0. */
export function filled(value: number, shape: Shape, dtype: DType): Node {
  return expand(scalar(value, dtype), shape);
}

/** Zeros around: `lo` before and `hi` after each axis, 0 or more. */
export function pad(x: Node, lo: readonly number[], hi: readonly number[]): Node {
  if (lo.every((n) => n === 0) && hi.every((n) => n === 0)) return x;
  const shape = x.shape.map((n, i) => n + lo[i] + hi[i]);
  checkShape(shape, 'pad');
  return createNode('pad', [x], { lo, hi }, shape, x.dtype) as Node;
}

export function slice(x: Node, start: readonly number[], size: readonly number[], step: readonly number[]): Node {
  if (start.every((s, i) => s === 0 && step[i] === 1 && size[i] === x.shape[i])) return x;
  for (let i = 0; i < start.length; i++) {
    const last = start[i] + (size[i] - 1) * step[i];
    if (size[i] > 0 && (start[i] < 0 || start[i] >= x.shape[i] || last < 0 || last >= x.shape[i])) {
      throw new IndexError(
        `slice: ${start[i]} to ${last} is outside axis ${i} of ${formatShape(x.shape)}.`,
        last,
        x.shape[i],
      );
    }
  }
  // What repeats along an axis is the same wherever the part begins.
  if (
    isOp(x, 'expand') &&
    start.every((s, i) => isRepeated(x, i) || (s === 0 && size[i] === x.shape[i] && step[i] === 1))
  )
    return expand(x.src[0], size);
  if (isOp(x, 'slice')) {
    const { start: from, step: by } = x.arg;
    const begin = start.map((s, i) => from[i] + s * by[i]);
    return createNode('slice', [x.src[0]], { start: begin, size, step: step.map((s, i) => s * by[i]) }, size, x.dtype);
  }
  return createNode('slice', [x], { start, size, step }, size, x.dtype) as Node;
}

/** Is an axis of an expanded node made by repeating one element? */
function isRepeated(x: Node<'expand'>, axis: number): boolean {
  const [base] = x.src;
  const own = axis - (x.shape.length - base.shape.length);
  return own < 0 || base.shape[own] === 1;
}

/** The part [from, to) of one axis. */
export function sliceAxis(x: Node, axis: number, from: number, to: number): Node {
  const start = x.shape.map((_, i) => (i === axis ? from : 0));
  const size = x.shape.map((n, i) => (i === axis ? to - from : n));
  return slice(
    x,
    start,
    size,
    x.shape.map(() => 1),
  );
}

export function flip(x: Node, axes: readonly number[]): Node {
  const flipped = x.shape.map((n, i) => axes.includes(i) && n > 0);
  return slice(
    x,
    x.shape.map((n, i) => (flipped[i] ? n - 1 : 0)),
    x.shape,
    x.shape.map((_, i) => (flipped[i] ? -1 : 1)),
  );
}

/** Number of positions of a window along one axis; 0 or less means that it does not fit. */
export function windowCount(
  size: number,
  spec: { size: number; stride: number; dilation: number; lo: number; hi: number },
): number {
  return Math.floor((size + spec.lo + spec.hi - spec.dilation * (spec.size - 1) - 1) / spec.stride) + 1;
}

/** Output sizes of windows `kernel` over the trailing axes `sizes`. */
export function windowOutput(sizes: Shape, kernel: Shape, spec: Omit<WindowSpec, 'size'>, op: string): number[] {
  return kernel.map((k, i) => {
    const count = windowCount(sizes[i], {
      size: k,
      stride: spec.stride[i],
      dilation: spec.dilation[i],
      lo: spec.lo[i],
      hi: spec.hi[i],
    });
    if (count <= 0) {
      const reach = spec.dilation[i] * (k - 1) + 1;
      throw new ShapeError(
        `${op}: kernel of size ${reach} does not fit an input of size ${sizes[i]} with padding ${spec.lo[i]} and ${spec.hi[i]}`,
        [sizes, kernel],
      );
    }
    return count;
  });
}

export function window(x: Node, spec: WindowSpec, op = 'window'): Node {
  const n = spec.size.length;
  const lead = x.shape.slice(0, x.shape.length - n);
  const out = windowOutput(x.shape.slice(x.shape.length - n), spec.size, spec, op);
  checkShape([...lead, ...out, ...spec.size], op);
  return createNode('window', [x], spec, [...lead, ...out, ...spec.size], x.dtype) as Node;
}

export function gather(x: Node, axis: number, index: Node, arg = indexed(axis, x.shape[axis])): Node {
  checkDevice('gather', [x, index]);
  checkDType('gather: index', index, ['int32']);
  checkIndexShape('gather', x.shape, index.shape, axis);
  if (x.shape.length === 0) return reshape(gather(reshape(x, [1]), 0, reshape(index, [1])), []);
  return createNode('gather', [x, index], arg, index.shape, x.dtype) as Node;
}
