// Writing at positions, several of which may be the same: the last one wins, as when they are written one after the other.
// A scatter-add is all that writes at positions here, so that of equal ones only the last may be among those that are added.

import * as build from '../engine/ir/build.js';
import type { Node } from '../engine/ir/node.js';

/** Lines along an axis in the order of their index; equal ones, a run, keep their own order. */
export interface Runs {
  /** Where each one was. */
  readonly order: Node;
  readonly sorted: Node;
  readonly isLast: Node;
}

/** The index has elements. */
export function runsOf(index: Node, axis: number): Runs {
  const order = build.argsort(index, axis, false);
  const sorted = build.gather(index, axis, order);
  const n = index.shape[axis];
  const none = build.filled(-1, index.shape.with(axis, 1), 'int32'); // no position
  const next = build.concat([build.sliceAxis(sorted, axis, 1, n), none], axis);
  return { order, sorted, isLast: build.binary('ne', sorted, next) };
}

/** Whether each of x's positions along the axis is in the index. */
export function isWritten(shape: readonly number[], axis: number, index: Node): Node {
  const counts = build.scatterAdd(build.filled(0, shape, 'int32'), axis, index, build.filled(1, index.shape, 'int32'));
  return build.binary('lt', build.constant(0, 'int32') as Node, counts);
}

/** Of `count` positions, which are in the vector `index`, and where its last element is that says so. */
export function lastWriters(index: Node, count: number): { isWritten: Node; at: Node } {
  const { order, sorted, isLast } = runsOf(index, 0);
  const zero = build.constant(0, 'int32') as Node;
  const one = build.constant(1, 'int32') as Node;
  const number = build.where(isLast, build.add(order, one), zero);
  const last = build.scatterAdd(build.filled(0, [count], 'int32'), 0, sorted, number);
  return { isWritten: build.binary('lt', zero, last), at: build.binary('max', build.sub(last, one), zero) };
}
