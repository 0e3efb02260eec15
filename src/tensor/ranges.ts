// Numbers that have to lie in a range: labels of classes, probabilities. They are looked at where they are computed, as part of
// the program, and before it overwrites anything; a violation is an IndexError in the words of the call, when results are read.

import * as build from '../engine/ir/build.js';
import type { DType } from '../engine/ir/dtype.js';
import type { Node } from '../engine/ir/node.js';
import { indexed } from '../engine/ir/place.js';
import type { Shape } from '../engine/ir/shape.js';
import { inRange } from './indexing.js';
import { type Tensor, wrap } from './tensor.js';

/** The labels, each of which has to be one of `classes`. `op` is the call that they were given to. */
export function checkedLabels(
  op: string,
  labels: Tensor<Shape, 'int32'>,
  classes: number,
  what = 'label',
  advice = '',
): Tensor<Shape, 'int32'> {
  const range = `Use 0 to ${classes - 1}${advice}.`;
  return wrap(inRange(labels.node, classes, `${op}: ${what} {index} is no class. ${range}`));
}

/** x.gather(dim, labels), for labels of the classes along `dim`. */
export function gatherLabels(op: string, x: Tensor, dim: number, labels: Tensor<Shape, 'int32'>, advice = ''): Tensor {
  const says = `${op}: label {index} is no class. Use 0 to ${x.shape[dim] - 1}${advice}.`;
  return wrap(build.gather(x.node, dim, labels.node, indexed(dim, x.shape[dim], says)));
}

/** What softmax gives may be above 1 by its rounding. */
const MOST = 1 + 1e-6;

/** x. If the condition holds anywhere, reading it is an IndexError: `says` has the number of such elements as {index}. */
export function checkedWhere(x: Node, isWrong: Node, says: string): Node {
  const count = build.sum(build.cast(isWrong, 'int32'), [...isWrong.shape.keys()]);
  // The number is looked up in a table of one zero: what it gives is added.
  const zero = inRange(build.reshape(count, []), 1, says);
  return build.add(x, build.cast(zero, x.dtype));
}

/** As checkedWhere, of tensors. */
export function checkedElements<D extends DType>(
  x: Tensor<Shape, D>,
  isWrong: Tensor<Shape, 'bool'>,
  says: string,
): Tensor<Shape, D> {
  return wrap(checkedWhere(x.node, isWrong.node, says));
}

/** The numbers, none of which may be below 0 or above 1; NaN, which a diverged network gives, stays NaN. */
export function checkedProbabilities(op: string, x: Tensor, advice: string, what = 'probabilities'): Tensor {
  const isOutside = x.lt(0).logicalOr(x.gt(MOST));
  const says = `${op}: {index} of ${x.size} ${what} ${x.size === 1 ? 'is' : 'are'} outside 0 to 1. ${advice}`;
  return checkedElements(x, isOutside, says);
}
