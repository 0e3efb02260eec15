// Tensors in parts. Names and meaning are PyTorch's.

import { checkList, checkWhole } from '../engine/ir/arguments.js';
import * as build from '../engine/ir/build.js';
import type { DType } from '../engine/ir/dtype.js';
import { ArgumentError, ShapeError } from '../engine/ir/errors.js';
import type { Node } from '../engine/ir/node.js';
import { type Shape, formatShape, normalizeDim } from '../engine/ir/shape.js';
import { type Tensor, nodeOf, wrap } from '../tensor/tensor.js';

/** A number of parts, or the positions where they end. */
type Places = number | readonly number[];

function parts<D extends DType>(op: string, x: Node, places: Places, axis: number): Tensor<number[], D>[] {
  const n = x.shape[axis];
  const ends = typeof places === 'number' ? equalEnds(op, n, places) : givenEnds(op, n, places);
  return ends.map((to, i) => {
    const from = i === 0 ? 0 : ends[i - 1];
    return wrap(build.sliceAxis(x, axis, Math.min(from, to), to));
  });
}

/** The first parts are longer by one where the number does not divide. */
function equalEnds(op: string, n: number, count: number): number[] {
  checkWhole(op, 'the number of parts', count, 1);
  const [size, longer] = [Math.floor(n / count), n % count];
  return Array.from({ length: count }, (_, i) => (i + 1) * size + Math.min(i + 1, longer));
}

function givenEnds(op: string, n: number, places: readonly number[]): number[] {
  checkList(op, 'the positions', places, 'whole numbers');
  for (const [i, at] of places.entries()) checkWhole(op, `position ${i}`, at, -Infinity);
  return [...places, n].map((at) => Math.min(Math.max(at < 0 ? at + n : at, 0), n));
}

/**
 * Parts along a dimension: so many, the first ones longer by one where that does not divide, or those that end at the given positions.
 * PyTorch: torch.tensor_split.
 */
export function tensorSplit<D extends DType>(x: Tensor<Shape, D>, places: Places, dim = 0): Tensor<number[], D>[] {
  const op = 'tensorSplit';
  const node = nodeOf(x, op);
  if (node.shape.length === 0) throw new ShapeError(`${op}: a number has no parts.`, [node.shape]);
  return parts(op, node, places, normalizeDim(dim, node.shape.length, op));
}

function splitAlong<D extends DType>(
  op: string,
  x: Tensor<Shape, D>,
  places: Places,
  least: number,
  axis: number,
): Tensor<number[], D>[] {
  const node = nodeOf(x, op);
  const { shape } = node;
  if (shape.length < least)
    throw new ShapeError(`${op}: ${formatShape(shape)} has fewer than ${least} dimensions`, [shape]);
  if (typeof places === 'number') {
    checkWhole(op, 'the number of parts', places, 1);
    if (shape[axis] % places !== 0)
      throw new ArgumentError(
        `${op}: ${places} parts do not divide dimension ${axis} of ${formatShape(shape)}. Use tensorSplit for unequal ones.`,
      );
  }
  return parts(op, node, places, axis);
}

/** Parts side by side: of a vector, or along dimension 1. Of equal size, or those that end at the given positions. PyTorch: torch.hsplit. */
export function hsplit<D extends DType>(x: Tensor<Shape, D>, places: Places): Tensor<number[], D>[] {
  return splitAlong('hsplit', x, places, 1, nodeOf(x, 'hsplit').shape.length === 1 ? 0 : 1);
}

/** Parts one below the other, along dimension 0. PyTorch: torch.vsplit. */
export function vsplit<D extends DType>(x: Tensor<Shape, D>, places: Places): Tensor<number[], D>[] {
  return splitAlong('vsplit', x, places, 2, 0);
}

/** Parts one behind the other, along dimension 2. PyTorch: torch.dsplit. */
export function dsplit<D extends DType>(x: Tensor<Shape, D>, places: Places): Tensor<number[], D>[] {
  return splitAlong('dsplit', x, places, 3, 2);
}
