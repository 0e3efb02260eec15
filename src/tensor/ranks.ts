// Where the element of a given rank is along an axis, on graph nodes: in short lines by sorting, in long ones by counting. The numbers of
// float32 and int32 have 32 bits that order as they do; from the highest bit down each one of the wanted element is 1 if not more elements
// than its rank lie below, a walk over memory for each bit and no more, however long the line is.

import * as build from '../engine/ir/build.js';
import type { Node } from '../engine/ir/node.js';
import { positions } from './reductions.js';

/** Lines from this length on are counted. */
const LONG = 512;
const NAN_KEY = 0x7fffffff;
const LEAST_KEY = -0x80000000;

const whole = (value: number): Node => build.constant(value, 'int32') as Node;

/** The position of the element of `rank` (from 0, with size 1 along the axis), NaN being largest; x carries no gradient. */
export function placeOfRank(x: Node, axis: number, rank: Node): Node {
  if (x.shape.length === 0) return whole(0);
  const n = x.shape[axis];
  const isWide = x.dtype !== 'float32' && x.dtype !== 'int32';
  if (n < LONG || isWide)
    return build.gather(build.argsort(x, axis, false), axis, build.expand(rank, x.shape.with(axis, 1)));
  const key = keyOf(x);
  let found = build.filled(LEAST_KEY, x.shape.with(axis, 1), 'int32');
  for (let bit = 31; bit >= 0; bit--) {
    // The sum wraps around: the highest bit takes the least number to 0.
    const candidate = build.add(found, whole(bit === 31 ? LEAST_KEY : 2 ** bit));
    const below = build.sum(build.cast(build.binary('lt', key, candidate), 'int32'), [axis]);
    found = build.where(build.binary('le', below, rank), candidate, found);
  }
  const isFound = build.binary('eq', key, found);
  const place = build.where(isFound, positions(x.shape.length, axis, n), whole(n));
  return build.reduce('reduceMin', place, [axis]);
}

/** Whole numbers that order as the numbers do; the two zeros are one. */
function keyOf(x: Node): Node {
  if (x.dtype === 'int32') return x;
  const bits = build.bitcast(x, 'int32');
  // Of negative numbers the larger ones have the smaller bits.
  const ordered = build.where(build.binary('lt', bits, whole(0)), build.binary('xor', bits, whole(NAN_KEY)), bits);
  const isNaN = build.binary('ne', x, x);
  const isZero = build.binary('eq', x, build.constant(0, x.dtype) as Node);
  return build.where(isNaN, whole(NAN_KEY), build.where(isZero, whole(0), ordered));
}
