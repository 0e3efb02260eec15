// The inverse of max pooling: values back to where the maxima were, zeros elsewhere.

import { ArgumentError, ShapeError } from '../engine/ir/errors.js';
import { nameIndices } from '../engine/ir/place.js';
import { type Shape, checkShape, formatShape, sameShape, sizeOf } from '../engine/ir/shape.js';
import { customOp } from './custom-op.js';
import { onesLike, zeros } from './creation.js';
import type { Forget } from './shape-types/shape.js';
import type { Dims, LayoutArg } from './shape-types/window.js';
import { type AnyTensor, type Tensor, checkTensor, wrap } from './tensor.js';
import * as windows from './windows.js';

/** @internal Values at their indices over the last `dims` dimensions, without the types. */
export function unpool(dims: Dims, x: Tensor, indices: Tensor<Shape, 'int32'>, size: readonly number[]): Tensor {
  const op = `maxUnpool${dims}d`;
  checkTensor(x, op, 'the input');
  checkTensor(indices, op, 'the indices');
  if (!sameShape(x.shape, indices.shape)) {
    throw new ShapeError(`${op}: values ${formatShape(x.shape)} and indices ${formatShape(indices.shape)} differ`, [
      x.shape,
      indices.shape,
    ]);
  }
  return batched(dims, x, op, (images) => unpoolBatch(op, images, indices, size));
}

/** @internal Hands [B, C, …] to `body`; an input without a batch gets one, and loses it again. */
export function batched(dims: Dims, x: AnyTensor, op: string, body: (x: Tensor) => Tensor): Tensor {
  const batch: Tensor = wrap(windows.withBatch(x.node, dims, op));
  return wrap(windows.asGiven(body(batch).node, x.node, dims));
}

/** x [B, C, …] */
function unpoolBatch(op: string, x: Tensor, indices: Tensor<Shape, 'int32'>, size: readonly number[]): Tensor {
  const [batch, channels, ...spatial] = x.shape;
  checkShape(size, op);
  if (size.length !== spatial.length)
    throw new ArgumentError(`${op}: size ${formatShape(size)} is not valid. Give ${spatial.length} of them.`);
  checkShape([batch, channels, ...size], op);
  const flat = [batch, channels, sizeOf(spatial)];
  const at = indices.reshape(flat as Shape);
  const empty = zeros([batch, channels, sizeOf(size)], { dtype: x.dtype });
  // Windows that overlap can hold one element twice: it is put there once, and its gradient goes to both.
  const put = customOp({
    name: op,
    forward(_ctx, values) {
      return nameIndices(`${op}: index`, () => {
        const count = empty.scatterAdd(2, at, onesLike(values)).maximum(1);
        return empty.scatterAdd(2, at, values).div(count);
      });
    },
    backward: (_ctx, gradient) => nameIndices(`${op}: index`, () => [gradient.gather(2, at)]),
  });
  return put(x.reshape(flat as Shape)).reshape([batch, channels, ...size] as Shape);
}

/** x and indices [B, C, L] or [C, L] → [B, C, length] or [C, length]: each value at its index, zeros elsewhere. PyTorch: F.max_unpool1d. */
export function maxUnpool1d<S extends Shape>(
  x: Tensor<S> & LayoutArg<'maxUnpool1d', 1, S>,
  indices: Tensor<Shape, 'int32'>,
  size: readonly number[],
): Tensor<Forget<S>> {
  return unpool(1, x, indices, size);
}

/** x and indices [B, C, H, W] or [C, H, W] → [B, C, height, width] or [C, height, width]: each value at its index, zeros elsewhere. PyTorch: F.max_unpool2d. */
export function maxUnpool2d<S extends Shape>(
  x: Tensor<S> & LayoutArg<'maxUnpool2d', 2, S>,
  indices: Tensor<Shape, 'int32'>,
  size: readonly number[],
): Tensor<Forget<S>> {
  return unpool(2, x, indices, size);
}

/** x and indices [B, C, D, H, W] or [C, D, H, W] → the same with `size` [D, H, W], each value at its index, zeros elsewhere. PyTorch: F.max_unpool3d. */
export function maxUnpool3d<S extends Shape>(
  x: Tensor<S> & LayoutArg<'maxUnpool3d', 3, S>,
  indices: Tensor<Shape, 'int32'>,
  size: readonly number[],
): Tensor<Forget<S>> {
  return unpool(3, x, indices, size);
}
