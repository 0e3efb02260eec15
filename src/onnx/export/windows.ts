// Windows that slide over the last dimensions: ONNX has no operator that makes them, but pooling where they are reduced at once. Others are
// gathered by the positions of their elements.

import { type Node, isOp } from '../../tensor/graph-trace.js';
import { isFloat, sizeOf } from '../../tensor/library.js';
import { type Draft, type Input, int, ints, number, shape, sizes } from './draft.js';

/** The values whose windows are pooled by a reduction; undefined for anything else. */
export function windowsOf(node: Node): Node<'window'> | undefined {
  if (!isOp(node, 'sum') && !isOp(node, 'reduceMax')) return undefined;
  const [x] = node.src;
  if (x.storage !== undefined || !isOp(x, 'window')) return undefined;
  const { size, dilation, lo, hi } = x.arg;
  const count = size.length;
  const first = x.shape.length - count;
  const { axes } = node.arg;
  const isWhole = axes.length === count && axes.every((axis, i) => axis === first + i);
  if (!isWhole || x.src[0].shape.length !== count + 2 || !isFloat(x.dtype)) return undefined;
  // what is read outside is 0, which a maximum of ONNX's would leave out
  const isInside = lo.every((n) => n === 0) && hi.every((n) => n <= 0);
  return (isOp(node, 'sum') ? dilation.every((n) => n === 1) : isInside) ? x : undefined;
}

/** Windows that are reduced at once are pooling. */
export function reduceWindows(draft: Draft, node: Node, op: 'AveragePool' | 'MaxPool'): Input | undefined {
  const windows = windowsOf(node);
  if (windows === undefined) return undefined;
  const { size, stride, dilation, lo, hi } = windows.arg;
  const pads = [...lo, ...hi].map((n) => Math.max(n, 0)); // below 0: what no stride reaches
  const pooled = draft.add(op, [draft.of(windows.src[0])], {
    kernel_shape: ints(size),
    strides: ints(stride),
    ...(dilation.some((n) => n !== 1) && { dilations: ints(dilation) }),
    ...(pads.some((n) => n > 0) && { pads: ints(pads), count_include_pad: int(1) }),
  });
  const scaled = op === 'MaxPool' ? pooled : draft.add('Mul', [pooled, number(sizeOf(size), node.dtype)]);
  return draft.add('Reshape', [scaled, shape(node.shape)]);
}

/** [..., D1, D2] → [..., O1, O2, k1, k2] */
export function writeWindows(draft: Draft, node: Node<'window'>, [x]: readonly Input[]): Input {
  const { size, stride, dilation, lo, hi } = node.arg;
  const given = node.src[0].shape;
  const lead = given.length - size.length;
  const isPadded = [...lo, ...hi].some((n) => n > 0);
  const none = new Array<number>(lead).fill(0);
  const border = [lo, hi].flatMap((side) => [...none, ...side.map((n) => Math.max(n, 0))]);
  const padded = isPadded ? draft.add('Pad', [x, sizes(border), number(0, node.dtype)]) : x;
  const lengths = size.map((_, i) => given[lead + i] + Math.max(lo[i], 0) + Math.max(hi[i], 0));
  const counts = node.shape.slice(lead, lead + size.length);
  const axes = size.map((_, i) => lead + i);
  if (size.every((n) => n === 1)) {
    const ends = counts.map((n, i) => (n - 1) * stride[i] + 1);
    const some = draft.add('Slice', [padded, sizes(axes.map(() => 0)), sizes(ends), sizes(axes), sizes(stride)]);
    return draft.add('Reshape', [some, shape(node.shape)]);
  }
  const flat = draft.add('Reshape', [padded, shape([...given.slice(0, lead), sizeOf(lengths)])]);
  const found = draft.add('Gather', [flat, sizes(positionsIn(lengths, counts, size, stride, dilation))], {
    axis: int(lead),
  });
  return draft.add('Reshape', [found, shape(node.shape)]);
}

/** Where the elements of all windows are, in dimensions of these lengths that are laid out one behind the other: window by window. */
function positionsIn(
  lengths: readonly number[],
  counts: readonly number[],
  size: readonly number[],
  stride: readonly number[],
  dilation: readonly number[],
): number[] {
  const along = (numbers: readonly number[], steps: readonly number[]): number[] =>
    numbers.reduce<number[]>(
      (rows, n, axis) =>
        rows.flatMap((at) => Array.from({ length: n }, (_, i) => at * lengths[axis] + i * steps[axis])),
      [0],
    );
  const taps = along(size, dilation);
  return along(counts, stride).flatMap((at) => taps.map((tap) => at + tap));
}
