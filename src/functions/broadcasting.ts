// Tensors of the shapes that broadcasting gives them, and flattened. Names and meaning are PyTorch's.

import { checkList } from '../engine/ir/arguments.js';
import * as build from '../engine/ir/build.js';
import type { DType } from '../engine/ir/dtype.js';
import { ArgumentError, ShapeError } from '../engine/ir/errors.js';
import { type Shape, broadcastShapes as broadcast, checkShape, formatShape, sameShape } from '../engine/ir/shape.js';
import { type AnyTensor, type Tensor, nodeOf, nodesOf, wrap } from '../tensor/tensor.js';

/** The shape of what is computed from tensors of these shapes. PyTorch: torch.broadcast_shapes. */
export function broadcastShapes(...shapes: readonly Shape[]): number[] {
  const op = 'broadcastShapes';
  for (const shape of shapes) {
    checkList(op, 'a shape', shape, 'sizes');
    checkShape(shape, op);
  }
  return shapes.reduce<number[]>((all, shape) => [...broadcast(all, shape, op)], []);
}

/** The tensors, all of the shape that they broadcast to. PyTorch: torch.broadcast_tensors. */
export function broadcastTensors<D extends DType>(...tensors: readonly Tensor<Shape, D>[]): Tensor<number[], D>[] {
  const op = 'broadcastTensors';
  if (tensors.length === 0) throw new ArgumentError(`${op}: no tensors. Give at least one.`);
  const nodes = nodesOf(tensors, op);
  const shape = nodes.reduce<readonly number[]>((all, node) => broadcast(all, node.shape, op), []);
  return nodes.map((node) => wrap(build.expand(node, shape)));
}

/** x of a shape that it broadcasts to. PyTorch: torch.broadcast_to. */
export function broadcastTo<D extends DType, const S extends Shape>(x: Tensor<Shape, D>, shape: S): Tensor<S, D> {
  const op = 'broadcastTo';
  const node = nodeOf(x, op);
  checkList(op, 'the shape', shape, 'sizes');
  checkShape(shape, op);
  if (!sameShape(broadcast(node.shape, shape, op), shape))
    throw new ShapeError(`${op}: ${formatShape(node.shape)} does not broadcast to ${formatShape(shape)}`, [
      node.shape,
      shape,
    ]);
  return wrap(build.expand(node, shape));
}

/** x of the shape of another tensor, which it broadcasts to. PyTorch: Tensor.expand_as. */
export function expandAs<S extends Shape, D extends DType>(x: Tensor<Shape, D>, other: Tensor<S, DType>): Tensor<S, D> {
  return broadcastTo(x, nodeOf(other, 'expandAs', 'the other tensor').shape as S);
}

/** x in the shape of another tensor with as many elements. PyTorch: Tensor.reshape_as, view_as. */
export function reshapeAs<S extends Shape, D extends DType>(
  x: Tensor<Shape, D>,
  other: Tensor<S, DType>,
): Tensor<S, D> {
  const op = 'reshapeAs';
  const [node, { shape }] = [nodeOf(x, op), nodeOf(other, op, 'the other tensor')];
  if (node.size !== nodeOf(other, op).size)
    throw new ShapeError(`${op}: ${formatShape(node.shape)} has not as many elements as ${formatShape(shape)}`, [
      node.shape,
      shape,
    ]);
  return wrap(build.reshape(node, shape));
}

/** All elements as a vector. PyTorch: torch.ravel. */
export function ravel<D extends DType>(x: Tensor<Shape, D>): Tensor<number[], D> {
  const node = nodeOf(x, 'ravel');
  return wrap(build.reshape(node, [node.size]));
}

/** x summed to a shape that broadcasts to its own: the gradient of broadcasting. PyTorch: Tensor.sum_to_size. */
export function sumToSize<const S extends Shape>(x: AnyTensor, shape: S): Tensor<S> {
  const op = 'sumToSize';
  const node = nodeOf(x, op);
  checkList(op, 'the shape', shape, 'sizes');
  checkShape(shape, op);
  if (!sameShape(broadcast(shape, node.shape, op), node.shape))
    throw new ShapeError(`${op}: ${formatShape(shape)} does not broadcast to ${formatShape(node.shape)}`, [
      shape,
      node.shape,
    ]);
  return wrap(build.sumTo(node, shape));
}
