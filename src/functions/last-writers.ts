// Writing at positions, several of which may be the same: the last one wins, as when they are written one after the other.
// Who was last is found by a scatter that keeps the largest number of a writer.

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

/** The numbers 1, 2, … along an axis of the index. */
function numbered(index: Node, axis: number): Node {
  const n = index.shape[axis];
  const line = index.shape.map((_, i) => (i === axis ? n : 1));
  const numbers = build.add(build.iota(n), build.constant(1, 'int32') as Node);
  return build.expand(build.reshape(numbers, line), index.shape);
}

const none = (shape: readonly number[]): Node => build.filled(0, shape, 'int32');

/** Of `count` positions, which are in the vector `index`, and where its last element is that says so. */
export function lastWriters(index: Node, count: number): { isWritten: Node; at: Node } {
  const [zero, one] = [0, 1].map((value) => build.constant(value, 'int32') as Node);
  const last = build.scatterCombine('max', none([count]), 0, index, numbered(index, 0));
  return { isWritten: build.binary('lt', zero, last), at: build.binary('max', build.sub(last, one), zero) };
}

/** Which elements of the index are the last with their position, in a tensor of this shape; and which positions are in it. */
export function lastOf(shape: readonly number[], axis: number, index: Node): { isLast: Node; isWritten: Node } {
  const numbers = numbered(index, axis);
  const last = build.scatterCombine('max', none(shape), axis, index, numbers);
  return {
    isLast: build.binary('eq', build.gather(last, axis, index), numbers),
    isWritten: build.binary('lt', build.constant(0, 'int32') as Node, last),
  };
}
