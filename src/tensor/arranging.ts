// Arrangements composed of reshapes, permutations and slices, on graph nodes: those that the class has as methods. The others
// stand in src/functions/arranging.ts.

import { checkList, checkWhole } from '../engine/ir/arguments.js';
import * as build from '../engine/ir/build.js';
import { ArgumentError, ShapeError } from '../engine/ir/errors.js';
import type { Node } from '../engine/ir/node.js';
import { formatShape, normalizeDim, shown } from '../engine/ir/shape.js';
import { select } from './movement.js';

/** Copies of the whole, `counts[i]` along each dimension; more counts than dimensions put dimensions in front. */
export function repeat(x: Node, counts: readonly number[], op = 'repeat'): Node {
  checkList(op, 'the counts', counts, 'whole numbers, one for each dimension');
  for (const [i, count] of counts.entries()) checkWhole(op, `count ${i}`, count);
  const lead = counts.length - x.shape.length;
  if (lead < 0) {
    throw new ShapeError(
      `${op}: ${counts.length} counts for ${formatShape(x.shape)}, which has ${x.shape.length} dimensions. Give one for each.`,
      [x.shape],
    );
  }
  if (counts.every((count) => count === 1)) return build.reshape(x, [...counts.slice(0, lead), ...x.shape]);
  const sizes = [...counts.slice(0, lead).fill(1), ...x.shape];
  const apart = build.reshape(
    x,
    sizes.flatMap((n) => [1, n]),
  );
  const wide = build.expand(
    apart,
    sizes.flatMap((n, i) => [counts[i], n]),
  );
  return build.reshape(
    wide,
    sizes.map((n, i) => counts[i] * n),
  );
}

/** The slices along a dimension, without it. */
export function unbind(x: Node, dim: number): Node[] {
  const axis = normalizeDim(dim, x.shape.length, 'unbind');
  if (x.shape.length === 0)
    throw new ShapeError('unbind: a tensor of rank 0 has no dimension to take apart.', [x.shape]);
  return Array.from({ length: x.shape[axis] }, (_, i) => select(x, axis, i));
}

/** Dimension source[i] becomes dimension destination[i]; the others keep their order. */
export function movedim(x: Node, source: number | readonly number[], destination: number | readonly number[]): Node {
  const [from, to] = [source, destination].map((dims, i) => {
    const list = typeof dims === 'number' ? [dims] : dims;
    checkList('movedim', i === 0 ? 'source' : 'destination', list, 'dimensions');
    const axes = list.map((d) => normalizeDim(d, x.shape.length, 'movedim'));
    const twice = axes.find((axis, k) => axes.indexOf(axis) !== k);
    if (twice !== undefined) throw new ArgumentError(`movedim: dimension ${twice} is listed twice.`);
    return axes;
  });
  if (from.length !== to.length)
    throw new ArgumentError(
      `movedim: ${from.length} dimensions are moved to ${to.length} places. Give as many places as dimensions.`,
    );
  const rest = x.shape.map((_, i) => i).filter((i) => !from.includes(i));
  return build.permute(
    x,
    x.shape.map((_, place) => (to.includes(place) ? from[to.indexOf(place)] : rest.shift()!)),
  );
}

/** The two dimensions of `op`'s matrices, counted from the front. */
export function matrixDims(op: string, rank: number, dim1: number, dim2: number): [number, number] {
  const [a, b] = [normalizeDim(dim1, rank, op), normalizeDim(dim2, rank, op)];
  if (a === b) throw new ArgumentError(`${op}: both dimensions are ${a}. Give two different ones.`);
  return [a, b];
}

/** Elements (i, i + offset) of the matrices in dim1 and dim2, along a new last dimension. */
export function diagonal(x: Node, offset: number, dim1: number, dim2: number, op = 'diagonal'): Node {
  checkWhole(op, 'the offset', offset, -Infinity);
  if (x.shape.length < 2) throw new ShapeError(`${op}: ${formatShape(x.shape)} has no rows and columns`, [x.shape]);
  const [a, b] = matrixDims(op, x.shape.length, dim1, dim2);
  const [n, m] = [x.shape[a], x.shape[b]];
  const length = Math.max(0, offset < 0 ? Math.min(n + offset, m) : Math.min(n, m - offset));
  const [row, column] = length === 0 ? [0, 0] : [Math.max(-offset, 0), Math.max(offset, 0)];
  const square = build.sliceAxis(build.sliceAxis(x, a, row, row + length), b, column, column + length);
  const others = x.shape.map((_, i) => i).filter((i) => i !== a && i !== b);
  const last = build.permute(square, [...others, a, b]);
  const lead = others.map((i) => x.shape[i]);
  const flat = build.reshape(last, [...lead, length * length]);
  return build.slice(
    flat,
    flat.shape.map(() => 0),
    [...lead, length],
    [...lead.map(() => 1), length + 1],
  );
}

/** `length` positions of a dimension from `start` on. */
export function narrow(x: Node, dim: number, start: number, length: number): Node {
  const axis = normalizeDim(dim, x.shape.length, 'narrow');
  if (x.shape.length === 0)
    throw new ShapeError('narrow: a tensor of rank 0 has no dimension to take a part of.', [x.shape]);
  checkWhole('narrow', 'start', start, -Infinity);
  checkWhole('narrow', 'length', length);
  const n = x.shape[axis];
  const from = start < 0 ? start + n : start;
  if (from < 0 || from + length > n) {
    throw new ArgumentError(
      `narrow: ${length} positions from ${shown(start)} on are outside dimension ${axis} with size ${n}.`,
    );
  }
  return length === 0 ? build.sliceAxis(x, axis, 0, 0) : build.sliceAxis(x, axis, from, from + length);
}

/** The same numbers in memory of their own, through which gradients flow. */
export function clone(x: Node): Node {
  const own = build.copy(x);
  if (!x.requiresGrad) return own;
  return build.custom(own, [x], { name: 'clone', backward: (g) => [g] });
}
