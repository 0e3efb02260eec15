// Shapes without numbers: reshape, transpose, slices, joins, masks, on graph nodes. Arguments are checked and counted
// from the front here; builders take them as they are.

import * as build from '../engine/ir/build.js';
import { ArgumentError, IndexError, ShapeError } from '../engine/ir/errors.js';
import { fitsInt32 } from '../engine/ir/dtype.js';
import type { Node } from '../engine/ir/node.js';
import {
  type Shape,
  checkShape,
  formatShape,
  normalizeDim,
  normalizeDims,
  sameShape,
  shown,
  sizeOf,
} from '../engine/ir/shape.js';
import { promote } from '../engine/ir/dtype.js';
import { checkNumber, checkWhole } from './operands.js';
import { positions } from './reductions.js';

export function reshape(x: Node, to: Shape): Node {
  checkList(to, 'reshape', 'shape');
  const unknown = to.indexOf(-1);
  if (unknown < 0) {
    checkShape(to, 'reshape');
    return build.reshape(x, to);
  }
  if (to.indexOf(-1, unknown + 1) >= 0) throw new ShapeError(`reshape: ${formatShape(to)} has more than one -1`, [to]);
  const known = sizeOf(to.filter((_, i) => i !== unknown));
  checkShape(
    to.filter((_, i) => i !== unknown),
    'reshape',
  );
  if (known === 0 || x.size % known !== 0) {
    throw new ShapeError(
      `reshape: ${formatShape(x.shape)} has ${x.size} elements, ${formatShape(to)} takes a multiple of ${known}`,
      [x.shape, to],
    );
  }
  return build.reshape(
    x,
    to.map((n, i) => (i === unknown ? x.size / known : n)),
  );
}

/** Callers without types pass anything. */
function checkList(list: unknown, op: string, name: string): void {
  if (!Array.isArray(list)) {
    const advice = typeof list === 'number' ? `: ${op}([${list}, …])` : '';
    throw new ArgumentError(`${op}: ${name} is ${shown(list)}. Give a list of numbers${advice}.`);
  }
}

export function permute(x: Node, order: readonly number[]): Node {
  checkList(order, 'permute', 'order');
  const rank = x.shape.length;
  if (order.length !== rank) {
    throw new ShapeError(
      `permute: ${formatShape(x.shape)} has ${rank} dimensions, [${order.join(', ')}] lists ${order.length}`,
      [x.shape],
    );
  }
  const axes = order.map((d) => normalizeDim(d, rank, 'permute'));
  const twice = axes.find((axis, i) => axes.indexOf(axis) !== i);
  if (twice !== undefined) throw new ArgumentError(`permute: dimension ${twice} is listed twice.`);
  return build.permute(x, axes);
}

export function transpose(x: Node, a: number, b: number, op = 'transpose'): Node {
  const rank = x.shape.length;
  const [i, j] = [normalizeDim(a, rank, op), normalizeDim(b, rank, op)];
  if (rank === 0) return x;
  const axes = x.shape.map((_, d) => (d === i ? j : d === j ? i : d));
  return build.permute(x, axes);
}

export function unsqueeze(x: Node, dim: number): Node {
  const axis = newDim(dim, x.shape, 'unsqueeze');
  return build.reshape(x, [...x.shape.slice(0, axis), 1, ...x.shape.slice(axis)]);
}

/** Where a dimension is put in, counted from the front. */
function newDim(dim: number, shape: Shape, op: string): number {
  const rank = shape.length;
  if (!Number.isInteger(dim) || dim < -rank - 1 || dim > rank) {
    throw new ArgumentError(
      `${op}: dimension ${shown(dim)} is out of range for a new dimension of ${formatShape(shape)}. Use ${-rank - 1} to ${rank}.`,
    );
  }
  return dim < 0 ? dim + rank + 1 : dim;
}

/** Drops dimensions of size 1; a named one of another size stays, as in PyTorch. */
export function squeeze(x: Node, dim: number | readonly number[] | undefined): Node {
  const rank = x.shape.length;
  const axes =
    typeof dim === 'number' ? [normalizeDim(dim, rank, 'squeeze')] : new Set(normalizeDims(dim, rank, 'squeeze'));
  const dropped = new Set(axes);
  return build.reshape(
    x,
    x.shape.filter((n, i) => n !== 1 || !dropped.has(i)),
  );
}

export function expand(x: Node, to: Shape): Node {
  checkList(to, 'expand', 'shape');
  const lead = to.length - x.shape.length;
  return build.expand(
    x,
    to.map((n, i) => (n === -1 && i >= lead ? x.shape[i - lead] : n)),
  );
}

export function flatten(x: Node, start: number, end: number): Node {
  const rank = x.shape.length;
  if (rank === 0) return build.reshape(x, [1]);
  const [from, to] = [normalizeDim(start, rank, 'flatten'), normalizeDim(end, rank, 'flatten')];
  if (from > to) throw new ShapeError(`flatten: start dimension ${from} comes after end dimension ${to}`, [x.shape]);
  return build.reshape(x, [...x.shape.slice(0, from), sizeOf(x.shape.slice(from, to + 1)), ...x.shape.slice(to + 1)]);
}

/** [before, after] of each dimension; fewer pairs than dimensions mean the last ones. */
export function pad(x: Node, pairs: readonly (readonly [number, number])[], value: number): Node {
  const rank = x.shape.length;
  if (!Array.isArray(pairs) || !pairs.every((pair) => Array.isArray(pair) && pair.length === 2))
    throw new ArgumentError('pad: give a list of pairs [before, after], one for each dimension or for the last ones.');
  checkNumber(value, 'pad', 'the value');
  if (pairs.length > rank)
    throw new ArgumentError(`pad: ${pairs.length} pairs for a tensor of rank ${rank}. Give at most ${rank}.`);
  const full = [...Array.from({ length: rank - pairs.length }, () => [0, 0] as const), ...pairs];
  for (const [lo, hi] of full) {
    if (!Number.isInteger(lo) || !Number.isInteger(hi) || lo < 0 || hi < 0) {
      throw new ArgumentError(
        `pad: [${shown(lo)}, ${shown(hi)}] is not a pair of whole numbers, 0 or more. Use slice() to cut.`,
      );
    }
  }
  const lo = full.map(([n]) => n);
  const hi = full.map(([, n]) => n);
  const padded = build.pad(x, lo, hi);
  if (value === 0 || padded === x) return padded;
  const inside = build.pad(build.expand(build.constant(1, 'bool') as Node, x.shape), lo, hi);
  if (x.dtype === 'int32' && !fitsInt32(value))
    throw new ArgumentError(`pad: the value is ${value}, which int32 cannot hold. Convert the tensor to 'float32'.`);
  return build.where(inside, padded, build.scalar(value, x.dtype));
}

/** start, end (exclusive) and step along one dimension; negative positions count from the end, a negative step walks back. */
export function slice(x: Node, dim: number, start: number | undefined, end: number | undefined, step: number): Node {
  const axis = normalizeDim(dim, x.shape.length, 'slice');
  if (x.shape.length === 0)
    throw new ShapeError('slice: a tensor of rank 0 has no dimension to take a part of.', [x.shape]);
  const { from, count } = rangeOf(x.shape[axis], start, end, step);
  return build.slice(
    x,
    x.shape.map((_, i) => (i === axis && count > 0 ? from : 0)),
    x.shape.map((size, i) => (i === axis ? count : size)),
    x.shape.map((_, i) => (i === axis ? step : 1)),
  );
}

/** Where a range of a dimension of size n begins, and how many positions it has. */
export function rangeOf(
  n: number,
  start: number | undefined,
  end: number | undefined,
  step: number,
): { readonly from: number; readonly count: number } {
  if (!Number.isInteger(step) || step === 0)
    throw new ArgumentError(`slice: step is ${shown(step)}. Use a whole number other than 0.`);
  const bound = (value: number | undefined, otherwise: number, least: number, most: number): number => {
    if (value === undefined) return otherwise;
    if (!Number.isInteger(value)) throw new ArgumentError(`slice: ${shown(value)} is not a whole number.`);
    return Math.min(Math.max(value < 0 ? value + n : value, least), most);
  };
  const from = step > 0 ? bound(start, 0, 0, n) : bound(start, n - 1, -1, n - 1);
  const to = step > 0 ? bound(end, n, 0, n) : end === undefined ? -1 : bound(end, -1, -1, n - 1);
  return { from, count: Math.max(0, Math.ceil((to - from) / step)) };
}

export function select(x: Node, dim: number, at: number, op = 'index'): Node {
  const axis = normalizeDim(dim, x.shape.length, op);
  if (x.shape.length === 0)
    throw new ShapeError(`${op}: a tensor of rank 0 has no dimension to take a part of.`, [x.shape]);
  const n = x.shape[axis];
  if (!Number.isInteger(at) || at < -n || at >= n) {
    throw new IndexError(
      `${op}: ${shown(at)} is out of range for dimension ${axis} with size ${n}. Use ${-n} to ${n - 1}.`,
      at,
      n,
    );
  }
  const i = at < 0 ? at + n : at;
  const part = build.sliceAxis(x, axis, i, i + 1);
  return build.reshape(
    part,
    x.shape.filter((_, d) => d !== axis),
  );
}

export function flip(x: Node, dims: readonly number[]): Node {
  return build.flip(x, normalizeDims(dims, x.shape.length, 'flip'));
}

export function roll(x: Node, shift: number, dim: number): Node {
  const axis = normalizeDim(dim, x.shape.length, 'roll');
  checkWhole(shift, 'roll', 'the shift');
  const n = x.shape[axis];
  if (x.size === 0 || x.shape.length === 0) return x;
  const by = ((shift % n) + n) % n;
  if (by === 0) return x;
  return build.concat([build.sliceAxis(x, axis, n - by, n), build.sliceAxis(x, axis, 0, n - by)], axis);
}

function sameDType(parts: readonly Node[], op: string): Node[] {
  if (parts.length === 0) throw new ArgumentError(`${op}: no tensors. Give at least one.`);
  let { dtype } = parts[0];
  for (const part of parts) dtype = promote(dtype, part.dtype);
  return parts.map((part) => build.cast(part, dtype));
}

export function cat(parts: readonly Node[], dim: number, op = 'cat'): Node {
  const same = sameDType(parts, op);
  const scalar = same.find((part) => part.shape.length === 0);
  if (scalar !== undefined)
    throw new ShapeError('cat: a tensor of rank 0 has no dimension to join along. Use stack().', [scalar.shape]);
  const first = same.find((part) => part.shape.length > 1 || part.size > 0) ?? same[0];
  const axis = normalizeDim(dim, first.shape.length, op);
  // As in PyTorch: a vector without elements goes with tensors of any rank.
  const isNothing = (part: Node): boolean => part.shape.length === 1 && part.size === 0;
  const nothing = first.shape.with(axis, 0);
  return build.concat(
    same.map((part) => (isNothing(part) ? build.reshape(part, nothing) : part)),
    axis,
  );
}

export function stack(parts: readonly Node[], dim: number): Node {
  const same = sameDType(parts, 'stack');
  for (const p of same) {
    if (!sameShape(p.shape, same[0].shape)) {
      throw new ShapeError(`stack: ${formatShape(same[0].shape)} and ${formatShape(p.shape)} differ`, [
        same[0].shape,
        p.shape,
      ]);
    }
  }
  const axis = newDim(dim, same[0].shape, 'stack');
  return build.concat(
    same.map((p) => unsqueeze(p, axis)),
    axis,
  );
}

/** Parts of the given size (the last may be smaller) or sizes. */
export function split(x: Node, sizes: number | readonly number[], dim: number): Node[] {
  const axis = normalizeDim(dim, x.shape.length, 'split');
  const n = x.shape[axis];
  if (typeof sizes === 'number' && !(Number.isInteger(sizes) && sizes > 0)) {
    throw new ArgumentError(`split: size is ${shown(sizes)}. Use a whole number above 0.`);
  }
  if (typeof sizes !== 'number') checkShape(sizes, 'split');
  const list =
    typeof sizes === 'number'
      ? Array.from({ length: Math.max(1, Math.ceil(n / sizes)) }, (_, i) => Math.min(sizes, n - i * sizes))
      : sizes;
  const total = list.reduce((a, b) => a + b, 0);
  if (total !== n)
    throw new ShapeError(`split: sizes [${list.join(', ')}] add up to ${total}, dimension ${axis} has size ${n}`, [
      x.shape,
    ]);
  let at = 0;
  return list.map((size) => build.sliceAxis(x, axis, at, (at += size)));
}

export function chunk(x: Node, count: number, dim: number): Node[] {
  if (!Number.isInteger(count) || count < 1)
    throw new ArgumentError(`chunk: count is ${shown(count)}. Use a whole number above 0.`);
  const axis = normalizeDim(dim, x.shape.length, 'chunk');
  if (x.shape[axis] === 0) return Array.from({ length: count }, () => x); // as in PyTorch
  return split(x, Math.max(1, Math.ceil(x.shape[axis] / count)), axis);
}

/** Elements on and below (lower) or above the diagonal, zero elsewhere. */
export function triangle(x: Node, diagonal: number, lower: boolean): Node {
  const rank = x.shape.length;
  checkWhole(diagonal, lower ? 'tril' : 'triu', 'the diagonal');
  if (rank < 2)
    throw new ShapeError(`${lower ? 'tril' : 'triu'}: ${formatShape(x.shape)} has no rows and columns`, [x.shape]);
  const row = positions(2, 0, x.shape[rank - 2]);
  const column = positions(2, 1, x.shape[rank - 1]);
  // Beyond the last row or column all diagonals are alike.
  const nearest = Math.min(Math.max(diagonal, -x.shape[rank - 2] - 1), x.shape[rank - 1] + 1);
  const limit = build.add(row, build.scalar(nearest, 'int32'));
  const keep = lower ? build.binary('le', column, limit) : build.binary('le', limit, column);
  return build.where(keep, x, build.constant(0, x.dtype) as Node);
}
