// Places in sorted sequences. Names and meaning are PyTorch's.

import * as build from '../engine/ir/build.js';
import { type DType, promote } from '../engine/ir/dtype.js';
import { ShapeError } from '../engine/ir/errors.js';
import type { Node } from '../engine/ir/node.js';
import { type OptionNames, checkOptions } from '../engine/ir/options.js';
import { nameIndices } from '../engine/ir/place.js';
import { type Shape, formatShape, sameShape } from '../engine/ir/shape.js';
import { checkIndex } from '../tensor/indexing.js';
import { asNumber, numberNode } from '../tensor/operands.js';
import { type Tensor, nodeOf, wrap } from '../tensor/tensor.js';

interface SearchOptions {
  /** Default false: the place before elements that are equal; true: behind them. */
  readonly right?: boolean;
}

const SEARCH_OPTIONS: OptionNames<SearchOptions> = { right: true };

interface SortedSearchOptions extends SearchOptions {
  /** int32, of the sequence's shape: the order that sorts it along its last dimension (argsort), where it is not sorted itself. */
  readonly sorter?: Tensor<Shape, 'int32'>;
}

const SORTED_SEARCH_OPTIONS: OptionNames<SortedSearchOptions> = { right: true, sorter: true };

/**
 * Where each value would be put into a sorted sequence, int32: a vector for all values, or lines along the last dimension, one for each
 * line of values. NaN goes behind all, and counts as largest in the sequence. PyTorch: torch.searchsorted.
 */
export function searchsorted<V extends Shape>(
  sorted: Tensor<Shape, DType>,
  values: Tensor<V, DType>,
  options?: SortedSearchOptions,
): Tensor<V, 'int32'>;
export function searchsorted(
  sorted: Tensor<Shape, DType>,
  values: number,
  options?: SortedSearchOptions,
): Tensor<[], 'int32'>;
export function searchsorted(
  sorted: Tensor<Shape, DType>,
  values: Tensor<Shape, DType> | number,
  options: SortedSearchOptions = {},
): unknown {
  const op = 'searchsorted';
  checkOptions(op, options, SORTED_SEARCH_OPTIONS);
  const { right, sorter } = options;
  const given = nodeOf(sorted, op, 'the sorted sequence');
  const lines = sorter === undefined ? given : inOrder(op, given, nodeOf(sorter, op, 'the sorter'));
  const wanted = typeof values === 'number' ? numberNode(values, lines.dtype, op) : nodeOf(values, op, 'the values');
  return wrap(search(op, lines, wanted, right === true));
}

function inOrder(op: string, lines: Node, sorter: Node): Node {
  checkIndex(sorter, op);
  if (lines.shape.length === 0 || !sameShape(lines.shape, sorter.shape)) {
    throw new ShapeError(
      `${op}: sorter ${formatShape(sorter.shape)} does not have the shape ${formatShape(lines.shape)} of the sequence`,
      [sorter.shape, lines.shape],
    );
  }
  return nameIndices(`${op}: sorter`, () => build.gather(lines, lines.shape.length - 1, sorter));
}

/** In which interval of sorted boundaries each value lies, int32: 0 below the first one. PyTorch: torch.bucketize. */
export function bucketize<V extends Shape>(
  values: Tensor<V, DType>,
  boundaries: Tensor<Shape, DType>,
  options: SearchOptions = {},
): Tensor<V, 'int32'> {
  const op = 'bucketize';
  const [wanted, line] = [nodeOf(values, op, 'the values'), nodeOf(boundaries, op, 'the boundaries')];
  if (line.shape.length !== 1)
    throw new ShapeError(`${op}: boundaries ${formatShape(line.shape)} are not a vector`, [line.shape]);
  checkOptions(op, options, SEARCH_OPTIONS);
  return wrap(search(op, line, wanted, options.right === true));
}

function search(op: string, lines: Node, values: Node, isRight: boolean): Node {
  const lead = lines.shape.slice(0, -1);
  const fits = lines.shape.length === 1 || sameShape(lead, values.shape.slice(0, -1));
  if (lines.shape.length === 0 || !fits || (values.shape.length === 0 && lines.shape.length > 1)) {
    throw new ShapeError(
      `${op}: values ${formatShape(values.shape)} and sequences ${formatShape(lines.shape)} differ before the last dimension`,
      [values.shape, lines.shape],
    );
  }
  const dtype = promote(promote(lines.dtype, values.dtype), 'int32');
  const sequence = build.cast(asNumber(build.detach(lines)), dtype);
  const wanted = build.cast(asNumber(build.detach(values)), dtype);
  if (lines.shape.length > 1) return placesIn(sequence, wanted, isRight);
  return build.reshape(placesIn(sequence, build.reshape(wanted, [wanted.size]), isRight), values.shape);
}

/** How many elements of each line lie before each value: from the largest power of two down, as many more as still do. */
function placesIn(lines: Node, values: Node, isRight: boolean): Node {
  const axis = lines.shape.length - 1;
  const n = lines.shape[axis];
  const whole = (value: number): Node => build.constant(value, 'int32') as Node;
  let count = build.filled(0, values.shape, 'int32');
  if (n === 0 || values.size === 0) return count;
  for (let step = 2 ** Math.floor(Math.log2(n)); step >= 1; step /= 2) {
    const more = build.add(count, whole(step));
    const last = build.gather(lines, axis, build.sub(build.binary('min', more, whole(n)), whole(1)));
    const isBehind = build.binary(
      'or',
      build.binary(isRight ? 'lt' : 'le', values, last),
      isNumberBefore(values, last),
    );
    const isMore = build.binary('and', build.binary('le', more, whole(n)), build.unary('not', isBehind));
    count = build.where(isMore, more, count);
  }
  return count;
}

/** A number stands before NaN. */
function isNumberBefore(value: Node, other: Node): Node {
  return build.binary('and', build.binary('eq', value, value), build.binary('ne', other, other));
}
