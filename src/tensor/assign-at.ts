// A tensor with a value written at some of its positions: what assignAt_ overwrites a buffer with, on graph nodes.
//   Where one dimension has the positions and of the others all (or the first) is written, the result is one scatter into the tensor
//   itself, which the compiler carries out in place: only what is written is touched (plan/in-place.ts). Anything else goes by the
//   numbers of the elements, through a copy.
// Positions given as numbers are arguments of the program, not part of it: the next position compiles nothing.

import * as build from '../engine/ir/build.js';
import { ShapeError } from '../engine/ir/errors.js';
import type { Node } from '../engine/ir/node.js';
import { indexed, nameIndices } from '../engine/ir/place.js';
import { broadcastShapes, formatShape, sameShape } from '../engine/ir/shape.js';
import { type IndexItem, fromEnd, index } from './indexing.js';
import { rangeOf } from './movement.js';

const OP = 'assignAt_';

type IndexRange = readonly [start?: number | null, end?: number | null, step?: number];

/** x with `value`, which broadcasts to what `x.index(...items)` is, written there. */
export function writtenAt(x: Node, items: readonly IndexItem[], value: Node): Node {
  const region = index(x, items, OP);
  if (!sameShape(broadcastShapes(value.shape, region.shape, OP), region.shape))
    throw new ShapeError(
      `${OP}: the value ${formatShape(value.shape)} does not fit into ${formatShape(region.shape)}`,
      [value.shape, region.shape],
    );
  if (region.size === 0) return x;
  if (x.dtype === 'bool')
    return build.cast(writtenAt(build.cast(x, 'int32'), items, build.cast(value, 'int32')), 'bool');
  const wide = build.expand(value, region.shape);
  if (sameShape(region.shape, x.shape) && items.every((item) => isWhole(item))) return wide;
  const line = lineOf(x, items);
  if (line === undefined) return writtenByNumber(x, items, wide);
  const { axis, positions, says } = line;
  const shape = x.shape.map((n, i) => (i === axis ? positions.size : countOf(n, items[i])));
  const source = build.reshape(wide, shape);
  const along = shape.map((n, i) => (i === axis ? n : 1));
  const at = build.expand(build.reshape(positions, along), shape);
  return build.scatterAdd(x, axis, at, source, { ...indexed(axis, x.shape[axis], says), combine: 'set' });
}

interface Line {
  readonly axis: number;
  /** A vector of positions along the axis. */
  readonly positions: Node;
  readonly says: string | undefined;
}

/** The one dimension of which not simply the first positions are meant; undefined if there are several. */
function lineOf(x: Node, items: readonly IndexItem[]): Line | undefined {
  const lines = x.shape.flatMap((size, axis): Line[] => {
    const item = items[axis];
    if (isTensor(item)) {
      const { list, says } = fromEnd(OP, build.reshape(item, [item.size]), axis, size);
      return [{ axis, positions: list, says }];
    }
    const positions = knownPositions(size, item);
    return positions === undefined ? [] : [{ axis, positions, says: undefined }];
  });
  if (lines.length > 1) return undefined;
  return lines[0] ?? { axis: 0, positions: build.iota(countOf(x.shape[0], items[0])), says: undefined };
}

/** All of a dimension, in its order. */
function isWhole(item: IndexItem): boolean {
  return item === null || item === undefined || (Array.isArray(item) && (item[2] ?? 1) > 0);
}

function isTensor(item: IndexItem): item is Node {
  return typeof item === 'object' && item !== null && 'dtype' in item;
}

const rangeIn = (size: number, [start, end, step]: IndexRange) =>
  rangeOf(size, start ?? undefined, end ?? undefined, step ?? 1);

/** How many positions of a dimension an item means that is a range, or all of it. */
function countOf(size: number, item: IndexItem): number {
  return Array.isArray(item) ? rangeIn(size, item as IndexRange).count : size;
}

/** A vector of positions; undefined where they are 0, 1, 2, …: nothing has to be looked up. */
function knownPositions(size: number, item: Exclude<IndexItem, Node>): Node | undefined {
  if (item === null || item === undefined) return undefined;
  if (typeof item === 'number') return argument(item < 0 ? item + size : item);
  const { from, count } = rangeIn(size, item);
  const step = item[2] ?? 1;
  if (from === 0 && step === 1) return undefined;
  return build.add(build.mul(build.iota(count), build.constant(step, 'int32') as Node), argument(from));
}

/** A number that the program is given at each run. */
function argument(value: number): Node {
  return build.reshape(build.scalar({ value }, 'int32'), [1]);
}

/** By the numbers that the elements have in the whole tensor. */
function writtenByNumber(x: Node, items: readonly IndexItem[], wide: Node): Node {
  const numbers = nameIndices(OP, () => index(build.reshape(build.iota(x.size), x.shape), items, OP));
  const flat = [x, numbers, wide].map((n) => build.reshape(n, [n.size]));
  const [base, at, source] = flat;
  return build.reshape(build.scatterAdd(base, 0, at, source, { ...indexed(0, x.size, OP), combine: 'set' }), x.shape);
}
