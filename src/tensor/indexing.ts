// Reading and writing at positions given by numbers or tensors, on graph nodes.

import * as build from '../engine/ir/build.js';
import { ArgumentError, DTypeError, ShapeError } from '../engine/ir/errors.js';
import type { Node } from '../engine/ir/node.js';
import { checkShape, formatShape, normalizeDim, shown } from '../engine/ir/shape.js';
import { select, slice } from './movement.js';
import { positions } from './reductions.js';

export function checkIndex(index: Node, op: string): Node {
  if (index.dtype !== 'int32')
    throw new DTypeError(`${op}: index is ${index.dtype}, indices are int32. Convert with to('int32').`, [index.dtype]);
  return index;
}

export function gather(x: Node, dim: number, index: Node): Node {
  return build.gather(x, normalizeDim(dim, x.shape.length, 'gather'), checkIndex(index, 'gather'));
}

export function scatterAdd(x: Node, dim: number, index: Node, source: Node): Node {
  return build.scatterAdd(x, normalizeDim(dim, x.shape.length, 'scatterAdd'), checkIndex(index, 'scatterAdd'), source);
}

/** Whole slices of x: out[.., i, ..] = x[.., index[i], ..]. */
export function indexSelect(x: Node, dim: number, index: Node): Node {
  checkIndex(index, 'indexSelect');
  const axis = normalizeDim(dim, x.shape.length, 'indexSelect');
  if (index.shape.length !== 1)
    throw new ShapeError(`indexSelect: index ${formatShape(index.shape)} is not a vector`, [index.shape]);
  const shape = x.shape.map((n, i) => (i === axis ? index.shape[0] : n));
  const column = build.reshape(
    index,
    x.shape.map((_, i) => (i === axis ? index.shape[0] : 1)),
  );
  return build.gather(x, axis, build.expand(column, shape));
}

/** The same numbers, which have to be in [0, size): `says` is the message about another one, {index}. */
export function inRange(index: Node, size: number, says: string): Node {
  if (index.size === 0) return index;
  const flat = build.reshape(index, [index.size]);
  return build.reshape(build.gather(positions(1, 0, size), 0, flat, says), index.shape);
}

/** index [..] → [.., classes]: 1 where the class is, 0 elsewhere. */
export function oneHot(index: Node, classes: number): Node {
  checkIndex(index, 'oneHot');
  if (!Number.isInteger(classes) || classes < 1)
    throw new ArgumentError(`oneHot: ${shown(classes)} classes. Use a whole number above 0.`);
  const rank = index.shape.length;
  checkShape([...index.shape, classes], 'oneHot');
  const inside = inRange(index, classes, `oneHot: class {index} of ${classes}. Use 0 to ${classes - 1}.`);
  const wide = build.reshape(inside, [...index.shape, 1]);
  return build.cast(build.binary('eq', wide, positions(rank + 1, rank, classes)), 'float32');
}

/** Rows of a table: index [..] → [.., width], as an embedding reads them. */
export function rows(table: Node, index: Node): Node {
  checkIndex(index, 'embedding');
  const [, width] = table.shape;
  const flat = build.reshape(index, [index.size, 1]);
  const picked = build.gather(table, 0, build.expand(flat, [index.size, width]));
  return build.reshape(picked, [...index.shape, width]);
}

/** One dimension's part: a number (dropped), a range, all of it, or an int32 vector of positions. */
export type IndexItem =
  | number
  | null
  | undefined
  | readonly [start?: number | null, end?: number | null, step?: number]
  | Node;

export function index(x: Node, items: readonly IndexItem[]): Node {
  if (items.length > x.shape.length) {
    throw new ArgumentError(
      `index: ${items.length} indices for a tensor of rank ${x.shape.length}. Give at most ${x.shape.length}.`,
    );
  }
  let out = x;
  let dim = 0;
  for (const item of items) {
    if (typeof item === 'number') {
      out = select(out, dim, item);
      continue;
    }
    if (Array.isArray(item)) {
      for (const bound of item as readonly unknown[]) {
        if (bound !== undefined && bound !== null && !Number.isInteger(bound))
          throw new ArgumentError(`index: ${shown(bound)} is not a whole number. A list is [start, end, step].`);
      }
      const [start, end, step] = item as readonly [number?, number?, number?];
      out = slice(out, dim, start ?? undefined, end ?? undefined, step ?? 1);
    } else if (item !== null && item !== undefined) {
      if (typeof item !== 'object' || (item as Partial<Node>).dtype === undefined)
        throw new ArgumentError(
          `index: ${shown(item)} is no index. Use a number, [start, end, step], null or a tensor.`,
        );
      out = indexSelect(out, dim, item as Node);
    }
    dim++;
  }
  return out;
}
