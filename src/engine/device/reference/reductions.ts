// Meaning of reductions (the reduced axes stay with size 1) and of the operators along one axis: cumsum, argsort.
// The maximum of anything with NaN is NaN; NaN sorts as larger than everything.

import type { AxisReduction, Running } from '../../ir/op.js';
import { sizeOf, stridesOf } from '../../ir/shape.js';
import { type Meaning, type Meanings, lines, offsets, wrap } from './value.js';

function reduction(initial: number, combine: (a: number, b: number) => number): Meaning<AxisReduction> {
  return ([x], { shape }) => {
    const out = new Float64Array(sizeOf(shape)).fill(initial);
    const strides = stridesOf(shape).map((s, i) => (shape[i] === 1 ? 0 : s));
    offsets(x.shape, strides).forEach((at, i) => (out[at] = wrap(combine(out[at], x.data[i]), x.dtype)));
    return out;
  };
}

/** Reductions of int32 start from the dtype's own ends. */
function extremum(
  [ofFloats, ofIntegers]: readonly [number, number],
  choose: (a: number, b: number) => number,
): Meaning<AxisReduction> {
  return (operands, node, given) =>
    reduction(node.dtype === 'int32' ? ofIntegers : ofFloats, choose)(operands, node, given);
}

const LOWEST = [-Infinity, -0x80000000] as const;
const HIGHEST = [Infinity, 0x7fffffff] as const;

function compareNumbers(a: number, b: number): number {
  if (Number.isNaN(a)) return Number.isNaN(b) ? 0 : 1;
  if (Number.isNaN(b)) return -1;
  return a === b ? 0 : a < b ? -1 : 1;
}

const COMBINE: Record<Running | 'add', (before: number, value: number) => number> = {
  add: (a, b) => a + b,
  mul: (a, b) => a * b,
  max: Math.max,
  min: Math.min,
  // Equal infinities are themselves.
  logaddexp: (a, b) => (a === b && !Number.isFinite(a) ? a : Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b)))),
};

export const REDUCTIONS: Meanings<AxisReduction | 'cumsum' | 'argsort'> = {
  sum: reduction(0, (a, b) => a + b),

  prod: (operands, node, given) =>
    reduction(1, node.dtype === 'int32' ? Math.imul : (a, b) => a * b)(operands, node, given),

  reduceMax: extremum(LOWEST, Math.max),
  reduceMin: extremum(HIGHEST, Math.min),
  reduceFmax: extremum(LOWEST, (a, b) => (a < b ? b : a)),

  cumsum: ([x], { arg }) => {
    const out = x.data.slice();
    const { starts, stride, length } = lines(x.shape, arg.axis);
    const combine = arg.combine === 'mul' && x.dtype === 'int32' ? Math.imul : COMBINE[arg.combine ?? 'add'];
    for (const start of starts) {
      for (let i = 1; i < length; i++) {
        const at = start + i * stride;
        out[at] = wrap(combine(out[at - stride], x.data[at]), x.dtype);
      }
    }
    return out;
  },

  argsort: ([x], { arg }) => {
    const out = new Float64Array(x.data.length);
    const { starts, stride, length } = lines(x.shape, arg.axis);
    const direction = arg.descending ? -1 : 1;
    for (const start of starts) {
      const order = Array.from({ length }, (_, i) => i); // Array.sort is stable
      order.sort((i, j) => direction * compareNumbers(x.data[start + i * stride], x.data[start + j * stride]));
      order.forEach((from, i) => (out[start + i * stride] = from));
    }
    return out;
  },
};
