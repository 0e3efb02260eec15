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
      `${op}: index is a bool mask, and how much it picks is known only when it is computed. Keep the shape with where(mask, x, 0) or maskedFill(x, mask, value), or take what it picks with await maskedSelect(x, mask); the positions of what is true are await nonzero(mask).`,
      ['bool'],
    );
  }
  if (index.dtype !== 'int32')
    throw new DTypeError(`${op}: index is ${index.dtype}, indices are int32. Convert with to('int32').`, [index.dtype]);
  return index;
}

export function gather(x: Node, dim: number, index: Node): Node {
  const axis = normalizeDim(dim, x.shape.length, 'gather');
  const isNumber = x.shape.length === 0 && index.shape.length === 1; // as a vector of one
  // An index without elements may be of any numbers, as in PyTorch: tensor([]) is float32.
  const at = index.size === 0 && index.dtype !== 'bool' ? build.cast(index, 'int32') : checkIndex(index, 'gather');
  return build.gather(isNumber ? build.reshape(x, [1]) : x, axis, at);
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
export function fromEnd(op: string, list: Node, dim: number, size: number): { list: Node; says: string } {
  const says = `${op}: {index} is out of range for dimension ${dim} with size ${size}. Use ${-size} to ${size - 1}.`;
  const zero = build.constant(0, 'int32');
  const counted = build.add(list, build.constant(size, 'int32'));
  const isFromEnd = build.binary('and', build.binary('lt', list, zero), build.binary('le', zero, counted));
  return { list: build.where(isFromEnd, counted, list), says };
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
      part = select(part, dim, item, op === 'assignAt_' ? op : 'index');
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
      lists.push({ dim, ...fromEnd(op, checkIndex(item, op), given, x.shape[given]) });
    }
    dim++;
  }
  return { part, lists };
}

function isRange(item: IndexItem): item is readonly [start?: number | null, end?: number | null, step?: number] {
  return Array.isArray(item);
}

/** Lists of positions that go together, as rows of the table [listed…, others…]. */
interface Picked {
  readonly dims: readonly number[];
  readonly others: readonly number[];
  /** The shape of the lists, broadcast, and of each of their elements the number of its row. */
  readonly together: Shape;
  readonly row: Node;
  /** Where the dimensions are neighbours, what was picked stands in their place, behind this many others; else in front, as in NumPy. */
  readonly before: number;
}

function pick(op: string, x: Node, lists: readonly PositionList[]): Picked {
  const dims = lists.map(({ dim }) => dim);
  const others = x.shape.map((_, i) => i).filter((i) => !dims.includes(i));
  const together = lists.reduce<Shape>((shape, { list }) => broadcastShapes(shape, list.shape, op), []);
  // The number of a row from its positions, which are checked one by one.
  let row: Node = build.constant(0, 'int32') as Node;
  for (const [i, { dim, list, says }] of lists.entries()) {
    const size = x.shape[dim];
    const wide = build.expand(inRange(list, size, says), together);
    row = i === 0 ? wide : build.add(build.mul(row, build.constant(size, 'int32')), wide);
  }
  const isNext = dims.every((dim, i) => i === 0 || dim === dims[i - 1] + 1);
  return { dims, others, together, row, before: isNext ? dims[0] : 0 };
}

/** x as the table of `picked`: [rows, elements of each]. */
export function tableOf(x: Node, { dims, others }: Picked): Node {
  return build.reshape(build.permute(x, [...dims, ...others]), [
    sizeOf(dims.map((i) => x.shape[i])),
    sizeOf(others.map((i) => x.shape[i])),
  ]);
}

/** Positions along several dimensions that go together: a tensor for each of the first ones, or null for all of it. */
export function pairedLists(op: string, x: Node, items: readonly (Node | null)[]): Picked {
  const { lists } = takeParts(op, x, items);
  if (lists.length === 0) throw new ArgumentError(`${op}: there are no positions. Give an int32 tensor at least.`);
  return pick(op, x, lists);
}

/** Lists of positions in several dimensions go together: [0, 1] and [2, 3] are the elements (0, 2) and (1, 3). */
export function index(x: Node, items: readonly IndexItem[], op = 'index'): Node {
  const { part, lists } = takeParts(op, x, items);
  if (lists.length === 0) return part;
  const [only] = lists;
  if (lists.length === 1 && only.list.shape.length === 1) return slicesAt(part, only.dim, only.list, only.says);
  const picked = pick(op, part, lists);
  const { together, before } = picked;
  const kept = picked.others.map((i) => part.shape[i]);
  const found = build.reshape(rows(tableOf(part, picked), picked.row), [...together, ...kept]);
  const front = together.map((_, i) => i);
  const rest = kept.map((_, i) => together.length + i);
  return build.permute(found, [...rest.slice(0, before), ...front, ...rest.slice(before)]);
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
