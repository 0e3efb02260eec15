// Elements selected by a mask or by positions. Names and meaning are PyTorch's.
// How much a mask picks is known only when it has been read: maskedSelect and nonzero read it, and then make a gather like any other.

import { checkWhole } from '../engine/ir/arguments.js';
import * as build from '../engine/ir/build.js';
import type { DType } from '../engine/ir/dtype.js';
import { CaptureError, DTypeError, ShapeError } from '../engine/ir/errors.js';
import type { Node } from '../engine/ir/node.js';
import { type OptionNames, checkOptions } from '../engine/ir/options.js';
import { indexed, nameIndices } from '../engine/ir/place.js';
import { type Shape, broadcastShapes, checkShape, formatShape, normalizeDim, shown } from '../engine/ir/shape.js';
import * as elementwise from '../tensor/elementwise.js';
import { fromHost } from '../tensor/from-host.js';
import { checkIndex, fromEnd } from '../tensor/indexing.js';
import { isRecording } from '../tensor/library.js';
import { asBool, numberAs } from '../tensor/operands.js';
import type { Broadcast } from '../tensor/shape-types/broadcast.js';
import { type AnyTensor, type Tensor, nodeOf, wrap } from '../tensor/tensor.js';

const zero = (): Node => build.constant(0, 'int32') as Node;

/**
 * x with `value`, a number or a tensor of rank 0, where the mask is true; both broadcast. The dtype is that of x. PyTorch:
 * Tensor.masked_fill.
 */
export function maskedFill<X extends Shape, D extends DType, M extends Shape>(
  x: Tensor<X, D>,
  mask: Tensor<M, 'bool'>,
  value: number | Tensor<[], DType>,
): Tensor<Broadcast<X, M>, D> {
  const op = 'maskedFill';
  const node = nodeOf(x, op);
  const chosen = nodeOf(mask, op, 'the mask');
  return wrap(elementwise.maskedFill(node, chosen, typeof value === 'number' ? value : nodeOf(value, op, 'the value')));
}

/** Throws where nothing can be read. */
function refuseCapture(op: string): void {
  if (!isRecording()) return;
  throw new CaptureError(
    `${op}: how much a mask picks is known only when it is read, and a compiled function reads nothing while it is being captured. Keep a fixed size: where(mask, x, 0), maskedFill(x, mask, value), or nonzero(mask, { size, fill }).`,
  );
}

/**
 * The elements where the mask is true, in order, as a vector; both broadcast. Reads the mask; gradients flow to x. Inside of a compiled
 * function use where, maskedFill or nonzero(mask, { size }). PyTorch: torch.masked_select.
 */
export async function maskedSelect<D extends DType>(
  x: Tensor<Shape, D>,
  mask: Tensor<Shape, 'bool'>,
): Promise<Tensor<[number], D>> {
  const op = 'maskedSelect';
  const { dtype, shape: given } = nodeOf(mask, op, 'the mask');
  if (dtype !== 'bool') throw new DTypeError(`${op}: the mask is ${dtype}. Convert it with to('bool').`, [dtype]);
  const shape = broadcastShapes(nodeOf(x, op).shape, given, op);
  refuseCapture(op);
  x.keep(); // computed together with the mask
  const isPicked = await wrap<Shape, 'bool'>(build.expand(mask.node, shape)).data();
  const positions = placesOf(isPicked);
  const at = fromHost(op, positions, [positions.length], 'int32', x.device).node;
  const flat = build.reshape(build.expand(x.node, shape), [isPicked.length]);
  return wrap(build.gather(flat, 0, at));
}

/** Positions of what is not 0. */
function placesOf(values: Uint8Array): Int32Array {
  let count = 0;
  for (let i = 0; i < values.length; i++) count += values[i];
  const places = new Int32Array(count);
  for (let i = 0, at = 0; at < count; i++) if (values[i] !== 0) places[at++] = i;
  return places;
}

interface NonzeroOptions {
  /** How many rows the result has: the first ones, or all and then rows of `fill`. */
  readonly size: number;
  /** What stands in rows beyond the last element; 0 by default. */
  readonly fill?: number;
}

const NONZERO_OPTIONS: OptionNames<NonzeroOptions> = { size: true, fill: true };

/**
 * The positions of all elements that are not 0, a row for each: [count, rank]. Reads x to know how many they are, and is a promise; with
 * `size` nothing is read, and compiled functions can do so too: `size` rows, those beyond the last element filled with `fill`. The elements
 * themselves are `x.index(...unbind(positions, 1))`. PyTorch: torch.nonzero; JAX: jnp.nonzero for `size`.
 */
export function nonzero(x: AnyTensor, options: NonzeroOptions): Tensor<[number, number], 'int32'>;
export function nonzero(x: AnyTensor): Promise<Tensor<[number, number], 'int32'>>;
export function nonzero(x: AnyTensor, options?: NonzeroOptions): unknown {
  const node = nodeOf(x, 'nonzero');
  if (options === undefined) return readNonzero(x);
  checkOptions('nonzero', options, NONZERO_OPTIONS);
  const { size, fill = 0 } = options;
  checkWhole('nonzero', 'size', size);
  return wrap(firstNonzero(node, size, numberAs(fill, 'int32', 'nonzero', 'fill')));
}

async function readNonzero(x: AnyTensor): Promise<AnyTensor> {
  refuseCapture('nonzero');
  const { shape, device } = x;
  const places = placesOf(await wrap<Shape, 'bool'>(asBool(x.node)).data());
  const rank = shape.length;
  if (rank === 1) return fromHost('nonzero', places, [places.length, 1], 'int32', device);
  const rows = new Int32Array(places.length * rank);
  for (let i = 0; i < places.length; i++) {
    let rest = places[i];
    for (let d = rank - 1; d >= 0; d--) {
      rows[i * rank + d] = rest % shape[d];
      rest = Math.floor(rest / shape[d]);
    }
  }
  return fromHost('nonzero', rows, [places.length, rank], 'int32', device);
}

/** Each element that is not 0 writes its position into the row that its count says; what is too much, into one behind the last. */
function firstNonzero(x: Node, size: number, fill: Node): Node {
  const { shape } = x;
  checkShape([size + 1, shape.length], 'nonzero');
  if (x.size === 0) return build.expand(fill, [size, shape.length]);
  const isThere = asBool(build.reshape(x, [x.size]));
  const count = build.cumsum(build.cast(isThere, 'int32'), 0);
  const last = build.constant(size, 'int32') as Node;
  const isWanted = build.binary('and', isThere, build.binary('le', count, last));
  const row = build.where(isWanted, build.sub(count, build.constant(1, 'int32') as Node), last);
  const place = build.where(isWanted, build.iota(x.size), zero());
  const places = build.sliceAxis(build.scatterAdd(build.filled(0, [size + 1], 'int32'), 0, row, place), 0, 0, size);
  const total = build.sliceAxis(count, 0, x.size - 1, x.size);
  const isFilled = build.reshape(build.binary('le', total, build.iota(size)), [size, 1]);
  let stride = x.size;
  const columns = shape.map((n) => {
    stride /= n;
    const along = build.binary('idiv', places, build.constant(stride, 'int32') as Node);
    return build.reshape(build.binary('mod', along, build.constant(n, 'int32') as Node), [size, 1]);
  });
  return columns.length === 0
    ? build.filled(0, [size, 0], 'int32')
    : build.where(isFilled, fill, build.concat(columns, 1));
}

/** Elements of the flattened tensor at these positions, which may count from the end; the shape is that of the index. PyTorch: torch.take. */
export function take<D extends DType, I extends Shape>(x: Tensor<Shape, D>, index: Tensor<I, 'int32'>): Tensor<I, D> {
  const node = nodeOf(x, 'take');
  const at = checkIndex(nodeOf(index, 'take', 'the index'), 'take');
  const { list, says } = fromEnd('take', at, 0, node.size);
  const flat = build.reshape(node, [node.size]);
  const picked = build.gather(flat, 0, build.reshape(list, [at.size]), indexed(0, node.size, says));
  return wrap(build.reshape(picked, at.shape));
}

/**
 * Elements at the index along `dim`, as argmax and argsort give it; both broadcast in the other dimensions. Positions may count from the
 * end. Without `dim` both are flattened. PyTorch: torch.take_along_dim.
 */
export function takeAlongDim<D extends DType>(
  x: Tensor<Shape, D>,
  index: Tensor<Shape, 'int32'>,
  dim?: number,
): Tensor<number[], D> {
  const op = 'takeAlongDim';
  const given = nodeOf(x, op);
  const at = checkIndex(nodeOf(index, op, 'the index'), op);
  if (dim === undefined) {
    const [flat, list] = [given, at].map((n) => build.reshape(n, [n.size]));
    return wrap(alongDim(op, flat, list, 0));
  }
  if (given.shape.length !== at.shape.length) {
    throw new ShapeError(
      `${op}: index ${formatShape(at.shape)} and tensor ${formatShape(given.shape)} have different ranks. Put in dimensions of size 1.`,
      [at.shape, given.shape],
    );
  }
  if (given.shape.length === 0)
    throw new ShapeError(`${op}: a tensor of rank 0 has no dimension ${shown(dim)}. Leave it out.`, [given.shape]);
  const axis = normalizeDim(dim, given.shape.length, op);
  const others = broadcastShapes(given.shape.with(axis, 1), at.shape.with(axis, 1), op, [given.shape, at.shape]);
  const wide = build.expand(given, others.with(axis, given.shape[axis]));
  return wrap(alongDim(op, wide, build.expand(at, others.with(axis, at.shape[axis])), axis));
}

function alongDim(op: string, x: Node, index: Node, axis: number): Node {
  const { list, says } = fromEnd(op, index, axis, x.shape[axis]);
  return nameIndices(`${op}: index`, () => build.gather(x, axis, list, indexed(axis, x.shape[axis], says)));
}
