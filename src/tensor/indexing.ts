// Reading and writing at positions given by numbers or tensors, on graph nodes.

import * as build from '../engine/ir/build.js';
import { ArgumentError, DTypeError, ShapeError } from '../engine/ir/errors.js';
import type { Node } from '../engine/ir/node.js';
import { indexed, nameIndices } from '../engine/ir/place.js';
import {
  type Shape,
  broadcastShapes,
  checkShape,
  formatShape,
  normalizeDim,
  shown,
  sizeOf,
} from '../engine/ir/shape.js';
import { select, slice } from './movement.js';
import { positions } from './reductions.js';

export function checkIndex(index: Node, op: string): Node {
  if (index.dtype === 'bool') {
    // Numbers made of it would be 0 and 1: the first two positions.
    throw new DTypeError(
      `${op}: index is a bool mask, and how much it picks is known only when it is computed. Keep the shape with where(mask, x, 0), or give the positions of what is true as an int32 tensor.`,
      ['bool'],
    );
  }
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
  const op = 'indexSelect';
  checkIndex(index, op);
  const axis = normalizeDim(dim, x.shape.length, op);
  if (index.shape.length !== 1)
    throw new ShapeError(`${op}: index ${formatShape(index.shape)} is not a vector`, [index.shape]);
  return nameIndices(`${op}: index`, () => slicesAt(x, axis, index));
}

function slicesAt(x: Node, axis: number, index: Node, says?: string): Node {
  const shape = x.shape.map((n, i) => (i === axis ? index.shape[0] : n));
  const column = build.reshape(
    index,
    x.shape.map((_, i) => (i === axis ? index.shape[0] : 1)),
  );
  return build.gather(x, axis, build.expand(column, shape), indexed(axis, x.shape[axis], says));
}

/** The same numbers, which have to be in [0, size): `says` is the message about another one, {index}. */
export function inRange(index: Node, size: number, says: string): Node {
  if (index.size === 0) return index;
  const flat = build.reshape(index, [index.size]);
  return build.reshape(build.gather(positions(1, 0, size), 0, flat, indexed(0, size, says)), index.shape);
}

/** index [..] → [.., classes]: 1 where the class is, 0 elsewhere. */
export function oneHot(index: Node, classes: number): Node {
  if (index.dtype !== 'int32')
    throw new DTypeError(`oneHot: index is ${index.dtype}, classes are int32. Convert with to('int32').`, [
      index.dtype,
    ]);
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
  const wide = build.expand(flat, [index.size, width]);
  const picked = nameIndices('embedding: index', () => build.gather(table, 0, wide));
  return build.reshape(picked, [...index.shape, width]);
}

/** One dimension's part: a number (dropped), a range, all of it, or int32 positions. */
export type IndexItem =
  | number
  | null
  | undefined
  | readonly [start?: number | null, end?: number | null, step?: number]
  | Node;

/** Positions along a dimension of what numbers and ranges have left. */
interface PositionList {
  readonly dim: number;
  readonly list: Node;
  readonly says: string;
}

/** Positions that may count from the end, as numbers do; what is out of range stays as it is, and is reported so. */
function positionList(op: string, list: Node, dim: number, given: number, size: number): PositionList {
  const says = `${op}: {index} is out of range for dimension ${given} with size ${size}. Use ${-size} to ${size - 1}.`;
  const zero = build.constant(0, 'int32');
  const fromEnd = build.add(list, build.constant(size, 'int32'));
  const isFromEnd = build.binary('and', build.binary('lt', list, zero), build.binary('le', zero, fromEnd));
  return { dim, list: build.where(isFromEnd, fromEnd, list), says };
}

/** Numbers and ranges are taken; what is left are lists of positions, each with its dimension. */
function takeParts(op: string, x: Node, items: readonly IndexItem[]): { part: Node; lists: PositionList[] } {
  if (items.length > x.shape.length) {
    throw new ArgumentError(
      `${op}: ${items.length} indices for a tensor of rank ${x.shape.length}. Give at most ${x.shape.length}.`,
    );
  }
  let part = x;
  let dim = 0;
  const lists: PositionList[] = [];
  for (const [given, item] of items.entries()) {
    if (typeof item === 'number') {
      part = select(part, dim, item);
      continue;
    }
    if (isRange(item)) {
      for (const bound of item) {
        if (bound !== undefined && bound !== null && !Number.isInteger(bound))
          throw new ArgumentError(`${op}: ${shown(bound)} is not a whole number. A list is [start, end, step].`);
      }
      if (item.length > 3)
        throw new ArgumentError(
          `${op}: a list of ${item.length} numbers is no range [start, end, step]. Positions are a tensor: tensor(Int32Array.of(…)).`,
        );
      const [start, end, step] = item;
      part = slice(part, dim, start ?? undefined, end ?? undefined, step ?? 1);
    } else if (item !== null && item !== undefined) {
      if (typeof item !== 'object' || (item as Partial<Node>).dtype === undefined)
        throw new ArgumentError(
          `${op}: ${shown(item)} is no index. Use a number, [start, end, step], null or a tensor.`,
        );
      lists.push(positionList(op, checkIndex(item, op), dim, given, x.shape[given]));
    }
    dim++;
  }
  return { part, lists };
}

function isRange(item: IndexItem): item is readonly [start?: number | null, end?: number | null, step?: number] {
  return Array.isArray(item);
}

/** Lists of positions in several dimensions go together: [0, 1] and [2, 3] are the elements (0, 2) and (1, 3). */
export function index(x: Node, items: readonly IndexItem[]): Node {
  const { part, lists } = takeParts('index', x, items);
  if (lists.length === 0) return part;
  const [only] = lists;
  if (lists.length === 1 && only.list.shape.length === 1) return slicesAt(part, only.dim, only.list, only.says);
  const dims = lists.map(({ dim }) => dim);
  const others = part.shape.map((_, i) => i).filter((i) => !dims.includes(i));
  const together = lists.reduce<Shape>((shape, { list }) => broadcastShapes(shape, list.shape, 'index'), []);
  // [listed…, others…] as rows; the number of a row from its positions, which are checked one by one
  let row: Node | undefined;
  for (const { dim, list, says } of lists) {
    const size = part.shape[dim];
    const wide = build.expand(inRange(list, size, says), together);
    row = row === undefined ? wide : build.add(build.mul(row, build.constant(size, 'int32')), wide);
  }
  const kept = others.map((i) => part.shape[i]);
  const table = build.reshape(build.permute(part, [...dims, ...others]), [
    sizeOf(dims.map((i) => part.shape[i])),
    sizeOf(kept),
  ]);
  const picked = build.reshape(rows(table, row ?? build.constant(0, 'int32')), [...together, ...kept]);
  // Where the dimensions are neighbours, what was picked stands in their place; else in front, as in NumPy.
  const isNext = dims.every((dim, i) => i === 0 || dim === dims[i - 1] + 1);
  const before = isNext ? dims[0] : 0;
  const front = together.map((_, i) => i);
  const rest = kept.map((_, i) => together.length + i);
  return build.permute(picked, [...rest.slice(0, before), ...front, ...rest.slice(before)]);
}

/** Lists of positions in several dimensions are rows and columns of a grid: every one with every other. */
export function indexGrid(x: Node, items: readonly IndexItem[]): Node {
  const { part, lists } = takeParts('indexGrid', x, items);
  return lists.reduce((out, { dim, list, says }) => {
    if (list.shape.length !== 1)
      throw new ShapeError(`indexGrid: index ${formatShape(list.shape)} is not a vector`, [list.shape]);
    return slicesAt(out, dim, list, says);
  }, part);
}
