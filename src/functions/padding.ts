// Padding that repeats what is there, and padding below 0, which cuts.

import { checkChoice } from '../engine/ir/arguments.js';
import * as build from '../engine/ir/build.js';
import type { DType } from '../engine/ir/dtype.js';
import { ArgumentError, ShapeError } from '../engine/ir/errors.js';
import type { Node } from '../engine/ir/node.js';
import { type OptionNames, checkOptions } from '../engine/ir/options.js';
import { type Shape, formatShape, shown } from '../engine/ir/shape.js';
import { pad as padWith } from '../tensor/movement.js';
import { checkNumber } from '../tensor/operands.js';
import { type Tensor, nodeOf, wrap } from '../tensor/tensor.js';

export type PadMode = 'constant' | 'reflect' | 'replicate' | 'circular';

export const PAD_MODES: readonly PadMode[] = ['constant', 'reflect', 'replicate', 'circular'];

export interface PadOptions {
  /**
   * What is around: a `value` ('constant', the default), what lies behind the border as in a mirror, without the border itself
   * ('reflect'), the border ('replicate'), or what is at the other end ('circular').
   */
  readonly mode?: PadMode;
  /** Of mode 'constant'. Default 0. */
  readonly value?: number;
}

const PAD_OPTIONS: OptionNames<PadOptions> = { mode: true, value: true };

/** Before and after one dimension. */
export type PadPair = readonly [before: number, after: number];

/** What stands in front of x along an axis, or behind it, for so many elements. */
type Side = (x: Node, axis: number, count: number, isFront: boolean) => Node;

/** The part of `count` elements that begins, or ends, `skip` elements from the border. */
function part(x: Node, axis: number, count: number, isFront: boolean, skip: number): Node {
  const n = x.shape[axis];
  const from = isFront ? skip : n - skip - count;
  return build.sliceAxis(x, axis, from, from + count);
}

const SIDES: Readonly<Record<Exclude<PadMode, 'constant'>, { most: (n: number) => number; side: Side }>> = {
  reflect: {
    most: (n) => n - 1,
    side: (x, axis, count, isFront) => build.flip(part(x, axis, count, isFront, 1), [axis]),
  },
  replicate: {
    most: (n) => (n > 0 ? Infinity : 0),
    side: (x, axis, count, isFront) => build.expand(part(x, axis, 1, isFront, 0), x.shape.with(axis, count)),
  },
  circular: { most: (n) => n, side: (x, axis, count, isFront) => part(x, axis, count, !isFront, 0) },
};

function checkPairs(op: string, pairs: readonly PadPair[], rank: number): void {
  if (!Array.isArray(pairs) || !pairs.every((pair) => Array.isArray(pair) && pair.length === 2))
    throw new ArgumentError(
      `${op}: give a list of pairs [before, after], one for each dimension or for the last ones.`,
    );
  if (pairs.length > rank)
    throw new ArgumentError(`${op}: ${pairs.length} pairs for a tensor of rank ${rank}. Give at most ${rank}.`);
  const wrong = (pairs as readonly PadPair[]).find((pair) => !pair.every((n) => Number.isSafeInteger(n)));
  if (wrong !== undefined)
    throw new ArgumentError(`${op}: [${wrong.map(shown).join(', ')}] is not a pair of whole numbers.`);
}

/** Without what a negative pair cuts off. */
function cut(op: string, x: Node, axis: number, [lo, hi]: PadPair): Node {
  const [from, to] = [Math.max(0, -lo), x.shape[axis] - Math.max(0, -hi)];
  if (from > to) {
    throw new ShapeError(`${op}: [${lo}, ${hi}] cuts more than dimension ${axis} of ${formatShape(x.shape)} has`, [
      x.shape,
    ]);
  }
  return build.sliceAxis(x, axis, from, to);
}

/** @internal pad on graph nodes; `op` names the caller. */
export function padded(op: string, x: Node, pairs: readonly PadPair[], mode: PadMode, value = 0): Node {
  checkPairs(op, pairs, x.shape.length);
  const first = x.shape.length - pairs.length;
  if (mode === 'constant') {
    const inside = pairs.reduce((y, pair, i) => cut(op, y, first + i, pair), x);
    const positive = pairs.map(([lo, hi]) => [Math.max(lo, 0), Math.max(hi, 0)] as const);
    return padWith(inside, positive, value);
  }
  const { most, side } = SIDES[mode];
  return pairs.reduce((y, pair, i) => {
    const axis = first + i;
    const inside = cut(op, y, axis, pair);
    // what is around is taken from the whole, but a circle is closed after it has been cut, as in PyTorch
    const whole = mode === 'circular' ? inside : y;
    const [lo, hi] = pair.map((n) => Math.max(n, 0));
    const n = whole.shape[axis];
    if (Math.max(lo, hi) > most(n)) {
      throw new ShapeError(
        `${op}: mode '${mode}' takes at most ${most(n)} elements of dimension ${axis} with size ${n}, not ${Math.max(lo, hi)}`,
        [x.shape],
      );
    }
    const parts = [inside];
    if (lo > 0) parts.unshift(side(whole, axis, lo, true));
    if (hi > 0) parts.push(side(whole, axis, hi, false));
    return build.concat(parts, axis);
  }, x);
}

/**
 * x with [before, after] elements more in each dimension, or in the last ones; a number below 0 cuts. Pairs are in the order of the
 * dimensions, where PyTorch begins with the last one. PyTorch: F.pad.
 *
 *     pad(image, [[1, 1], [2, 2]], { mode: 'reflect' });   // [3, 8, 8] → [3, 10, 12]
 */
export function pad<D extends DType>(
  x: Tensor<Shape, D>,
  pairs: readonly PadPair[],
  options?: PadOptions,
): Tensor<number[], D> {
  const node = nodeOf(x, 'pad', 'the input');
  checkOptions('pad', options, PAD_OPTIONS);
  const { mode = 'constant', value = 0 } = options ?? {};
  checkChoice('pad', 'mode', mode, PAD_MODES);
  checkNumber(value, 'pad', 'the value');
  if (mode !== 'constant' && value !== 0)
    throw new ArgumentError(`pad: a value goes with mode 'constant', not with '${mode}'.`);
  return wrap(padded('pad', node, pairs, mode, value));
}
