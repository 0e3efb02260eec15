// Reductions, running sums, and what picks the largest.

import { cumprod } from '../../functions/running.js';
import type { AnyTensor, Tensor } from '../../tensor/tensor.js';
import { allocate, sizeOf } from '../host/array.js';
import { reduced } from '../host/maps.js';
import { isFloatType, rowOf } from '../wire/elements.js';
import type { Call, Operator, Operators, Result } from './operator.js';

type Run = (x: Tensor, axes: number[], keepdim: boolean, call: Call) => AnyTensor;

/** The axes of a reduction; undefined where it reduces nothing. */
function reducedAxes(call: Call, since: number): number[] | undefined {
  const rank = call.rank(0);
  const axes = call.opset >= since ? (call.has(1) ? call.numbers(1) : undefined) : call.ints('axes');
  if (axes === undefined || axes.length === 0) {
    if (call.flag('noop_with_empty_axes')) return undefined;
    return Array.from({ length: rank }, (_, i) => i);
  }
  return axes.map((axis) => call.axis(axis));
}

/** `before` and `after` are what is done to each number and to the result: also where nothing is reduced. */
function reduction(
  host: (values: number[]) => number,
  run: Run,
  more: { readonly since?: number; readonly empty?: number; readonly none?: (x: Tensor) => AnyTensor } = {},
): Operator {
  const { since = 18, empty, none = (x) => x } = more;
  return {
    inputs: [1, 2],
    settings: [1],
    host: (call) => {
      const axes = reducedAxes(call, since);
      if (axes === undefined) return undefined;
      if (call.host(0).data.length > 1 << 16) return undefined;
      return reduced(call.host(0), axes, call.flag('keepdims', true), call.type(0), host);
    },
    run: (call) => {
      const x = call.tensor(0);
      const axes = reducedAxes(call, since);
      if (axes === undefined) return none(x);
      const keepdim = call.flag('keepdims', true);
      const isEmpty = axes.some((axis) => x.shape[axis] === 0);
      if (isEmpty) return ofNothing(call, x, axes, keepdim, empty);
      if (axes.length === 0) return call.as(none(x), call.type(0));
      const result = run(x, axes, keepdim, call);
      return call.as(result.dtype === x.dtype ? result : result.to(x.dtype), call.type(0));
    },
  };
}

function ofNothing(
  call: Call,
  x: Tensor,
  axes: readonly number[],
  keepdim: boolean,
  empty: number | undefined,
): Result {
  const shape = keepdim
    ? x.shape.map((n, i) => (axes.includes(i) ? 1 : n))
    : x.shape.filter((_, i) => !axes.includes(i));
  if (empty === undefined) return call.fail(`nothing is reduced in [${x.shape.join(', ')}]`);
  const type = call.type(0);
  const range = rowOf(type).range;
  const value = range === undefined ? empty : Math.min(Math.max(empty, range[0]), range[1]);
  const out = allocate(type, shape);
  out.data.fill(value);
  return out;
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const squares = (values: readonly number[]): number => values.reduce((a, b) => a + b * b, 0);

/** Truth values have extremes, too. */
function extreme(x: Tensor, find: (x: Tensor) => AnyTensor): AnyTensor {
  if (x.dtype !== ('bool' as string) && x.dtype !== ('uint8' as string)) return find(x);
  return find(x.to('int32') as AnyTensor as Tensor).to(x.dtype);
}

function logSum(x: Tensor): AnyTensor {
  return x.log();
}

function picksExtreme(isLargest: boolean): Operator {
  return {
    inputs: [1, 1],
    run: (call) => {
      const x = call.tensor(0);
      const axis = call.axis(call.int('axis', 0));
      const keepdim = call.flag('keepdims', true);
      const find = (y: Tensor): AnyTensor => (isLargest ? y.argmax(axis, { keepdim }) : y.argmin(axis, { keepdim }));
      if (!call.flag('select_last_index')) return call.as(find(x), 'int64');
      const last = find(x.flip(axis));
      return call.as(last.neg().add(x.shape[axis] - 1), 'int64');
    },
  };
}

/** The k largest or smallest along an axis, and where they are. */
function largest(call: Call): Result[] {
  const x = call.tensor(0);
  const k = call.opset < 10 ? call.int('k') : call.number(1);
  const axis = call.axis(call.int('axis', -1));
  const isNarrow = !isFloatType(call.type(0));
  const y = isNarrow ? (x.to('int32') as AnyTensor as Tensor) : x;
  const { values, indices } = y.topk(k, axis, { largest: call.flag('largest', true) });
  return [call.as(isNarrow ? values.to(x.dtype) : values, call.type(0)), call.as(indices, 'int64')];
}

/** A running sum or product, from the front or the back, with or without the element itself. */
function running(
  run: (x: Tensor, axis: number) => AnyTensor,
  first: number,
  join: (a: number, b: number) => number,
): Operator {
  return {
    inputs: [2, 2],
    settings: [1],
    host: (call) => {
      const x = call.host(0);
      const axis = call.axis(call.number(1));
      const [isExclusive, isReverse] = [call.flag('exclusive'), call.flag('reverse')];
      const out = allocate(x.type, x.shape);
      const n = x.shape[axis];
      const inner = sizeOf(x.shape.slice(axis + 1));
      const outer = sizeOf(x.shape.slice(0, axis));
      for (let o = 0; o < outer; o++) {
        for (let i = 0; i < inner; i++) {
          let total = first;
          for (let t = 0; t < n; t++) {
            const at = (o * n + (isReverse ? n - 1 - t : t)) * inner + i;
            const next = join(total, x.data[at]);
            out.data[at] = isExclusive ? total : next;
            total = next;
          }
        }
      }
      return out;
    },
    run: (call) => {
      const axis = call.axis(call.number(1));
      const [isExclusive, isReverse] = [call.flag('exclusive'), call.flag('reverse')];
      let x = call.tensor(0);
      if (isReverse) x = x.flip(axis);
      if (isExclusive) {
        const n = x.shape[axis];
        const pairs = x.shape.map((_, i): [number, number] => (i === axis ? [1, 0] : [0, 0]));
        x = x.slice(axis, 0, n - 1).pad(pairs, first);
      }
      const done = run(x, axis);
      return call.as(isReverse ? done.flip(axis) : done, call.type(0));
    },
  };
}

export const REDUCTIONS: Operators = {
  ReduceSum: reduction(sum, (x, axes, keepdim) => x.sum(axes, { keepdim }), { since: 13, empty: 0 }),
  ReduceMean: reduction(
    (values) => sum(values) / values.length,
    (x, axes, keepdim) => x.mean(axes, { keepdim }),
    { empty: NaN },
  ),
  ReduceProd: reduction(
    (values) => values.reduce((a, b) => a * b, 1),
    (x, axes, keepdim) => x.prod(axes, { keepdim }),
    {
      empty: 1,
    },
  ),
  ReduceMax: reduction(
    (values) => values.reduce((a, b) => Math.max(a, b)),
    (x, axes, keepdim) => extreme(x, (y) => y.amax(axes, { keepdim })),
    { empty: -Infinity },
  ),
  ReduceMin: reduction(
    (values) => values.reduce((a, b) => Math.min(a, b)),
    (x, axes, keepdim) => extreme(x, (y) => y.amin(axes, { keepdim })),
    { empty: Infinity },
  ),
  ReduceL1: reduction(
    (values) => sum(values.map(Math.abs)),
    (x, axes, keepdim) => x.abs().sum(axes, { keepdim }),
    {
      empty: 0,
      none: (x) => x.abs(),
    },
  ),
  ReduceL2: reduction(
    (values) => Math.sqrt(squares(values)),
    (x, axes, keepdim) => x.mul(x).sum(axes, { keepdim }).sqrt(),
    { empty: 0, none: (x) => x.abs() },
  ),
  ReduceSumSquare: reduction(squares, (x, axes, keepdim) => x.mul(x).sum(axes, { keepdim }), {
    empty: 0,
    none: (x) => x.mul(x),
  }),
  ReduceLogSum: reduction(
    (values) => Math.log(sum(values)),
    (x, axes, keepdim) => x.sum(axes, { keepdim }).log(),
    {
      empty: -Infinity,
      none: logSum,
    },
  ),
  ReduceLogSumExp: reduction(
    (values) => Math.log(sum(values.map(Math.exp))),
    (x, axes, keepdim) => x.logsumexp(axes, { keepdim }),
    { empty: -Infinity },
  ),
  ArgMax: picksExtreme(true),
  ArgMin: picksExtreme(false),
  TopK: { inputs: [1, 2], settings: [1], run: largest },
  CumSum: running(
    (x, axis) => x.cumsum(axis),
    0,
    (a, b) => a + b,
  ),
  CumProd: running(
    (x, axis) => cumprod(x, axis),
    1,
    (a, b) => a * b,
  ),
};
