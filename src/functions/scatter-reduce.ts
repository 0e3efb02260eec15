// Values that are written to the same position become one: their sum, product, mean or extreme, in one walk over them. A product that a
// gradient flows through is a scan of the values, sorted by their position.

import { checkChoice } from '../engine/ir/arguments.js';
import * as build from '../engine/ir/build.js';
import { type DType, isFloat } from '../engine/ir/dtype.js';
import { DTypeError } from '../engine/ir/errors.js';
import type { Node } from '../engine/ir/node.js';
import { type OptionNames, checkOptions } from '../engine/ir/options.js';
import type { Shape } from '../engine/ir/shape.js';
import { scan } from '../tensor/scans.js';
import { type Tensor, nodeOf, wrap } from '../tensor/tensor.js';
import { isWritten, runsOf } from './last-writers.js';
import { checkedRange, scatterArguments, sourceFor, valuesOf } from './writing.js';

type Reduction = 'sum' | 'prod' | 'mean' | 'amax' | 'amin';

interface ScatterReduceOptions {
  /** Default true: what x has at a position is one of the values. */
  readonly includeSelf?: boolean;
}

const SCATTER_REDUCE_OPTIONS: OptionNames<ScatterReduceOptions> = { includeSelf: true };

/**
 * x with the values of `source` that belong to a position along `dim` (out[positions[i][j]][j] for dim 0) reduced to one: 'sum', 'prod', 'mean',
 * 'amax' or 'amin'. Equal extremes share the gradient. PyTorch: torch.scatter_reduce.
 */
export function scatterReduce<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  dim: number,
  positions: Tensor<Shape, 'int32'>,
  source: Tensor<Shape, NoInfer<D>>,
  reduce: Reduction,
  options: ScatterReduceOptions = {},
): Tensor<S, D> {
  const op = 'scatterReduce';
  const { shape, node, axis, at } = scatterArguments(op, x, dim, positions);
  nodeOf(source, op, 'the source');
  const part = sourceFor(op, at, valuesOf(op, node, source, 'the source'));
  checkChoice(op, 'the reduction', reduce, ['sum', 'prod', 'mean', 'amax', 'amin']);
  checkOptions(op, options, SCATTER_REDUCE_OPTIONS);
  if (node.dtype === 'bool')
    throw new DTypeError(`${op}: takes numbers, not bool. Convert with to('int32').`, ['bool']);
  if (at.size === 0) return wrap(build.reshape(node, shape));
  const { includeSelf = true } = options;
  const index = checkedRange(op, at, axis, node.shape[axis]);
  const out = reduced({ x: node, axis, index, source: part, includeSelf }, reduce);
  return wrap(build.reshape(out, shape));
}

interface Job {
  readonly x: Node;
  readonly axis: number;
  readonly index: Node;
  readonly source: Node;
  readonly includeSelf: boolean;
}

function reduced(job: Job, reduce: Reduction): Node {
  switch (reduce) {
    case 'sum':
      return sumOf(job);
    case 'mean':
      return meanOf(job);
    case 'prod':
      return combined(job, 'mul');
    default:
      return extremeOf(job, reduce === 'amax' ? 'max' : 'min');
  }
}

const numbers = (value: number, { x }: Job): Node => build.filled(value, x.shape, x.dtype);

function sumOf({ x, axis, index, source, includeSelf }: Job): Node {
  const none = build.constant(0, x.dtype) as Node;
  const base = includeSelf ? x : build.where(isWritten(x.shape, axis, index), none, x);
  return build.scatterAdd(base, axis, index, source);
}

function meanOf(job: Job): Node {
  const { x, axis, index, source, includeSelf } = job;
  const ones = build.filled(1, source.shape, x.dtype);
  const count = build.scatterAdd(numbers(Number(includeSelf), job), axis, index, ones);
  const least = build.binary('max', count, build.constant(1, x.dtype) as Node);
  return build.binary(isFloat(x.dtype) ? 'div' : 'idiv', sumOf(job), least);
}

const IDENTITIES = {
  mul: () => 1,
  max: leastOf,
  min: (dtype: DType): number => (isFloat(dtype) ? Infinity : 0x7fffffff),
};

function leastOf(dtype: DType): number {
  return isFloat(dtype) ? -Infinity : -0x80000000;
}

/** What each position gets, and x where nothing does; a gradient flows through products alone. */
function combined(job: Job, op: 'mul' | 'max' | 'min'): Node {
  const { x, axis, index, source, includeSelf } = job;
  if (x.requiresGrad || source.requiresGrad) return productByScan(job);
  const none = build.constant(IDENTITIES[op](x.dtype), x.dtype) as Node;
  const base = includeSelf ? x : build.where(isWritten(x.shape, axis, index), none, x);
  return build.scatterCombine(op, base, axis, index, source);
}

function productByScan({ x, axis, index, source, includeSelf }: Job): Node {
  const { order, sorted, isLast } = runsOf(index, axis);
  // The choice lies inside, so that no gradient is a product of 0 and an infinity.
  const [done] = scan(
    [build.gather(source, axis, order)],
    axis,
    ([before], [after], [from], [to]) => {
      const one = build.constant(1, x.dtype) as Node;
      return [build.mul(build.where(build.binary('eq', from, to), before, one), after)];
    },
    [sorted],
  );
  const total = build.where(isLast, done, build.constant(0, x.dtype) as Node);
  const placed = build.scatterAdd(build.filled(0, x.shape, x.dtype), axis, sorted, total);
  return build.where(isWritten(x.shape, axis, index), includeSelf ? build.mul(x, placed) : placed, x);
}

/** The gradient goes in equal parts to all that have the extreme value; to x only where it is one of them (PyTorch counts it in any case). */
function extremeOf(job: Job, op: 'max' | 'min'): Node {
  const { x, axis, index, source, includeSelf } = job;
  const plain = { ...job, x: build.detach(x), source: build.detach(source) };
  const value = combined(plain, op);
  if (!x.requiresGrad && !source.requiresGrad) return value;
  const none = build.constant(0, x.dtype) as Node;
  const isOwn = build.binary('eq', plain.x, value);
  const isSource = build.binary('eq', plain.source, build.gather(value, axis, index));
  const isHit = isWritten(x.shape, axis, index);
  const own = includeSelf ? build.cast(isOwn, x.dtype) : numbers(0, job);
  const count = build.scatterAdd(own, axis, index, build.cast(isSource, x.dtype));
  const backward = (gradient: unknown): Node[] => {
    const g = gradient as Node;
    const share = build.div(g, build.binary('max', count, build.constant(1, x.dtype) as Node));
    const ofSelf = includeSelf ? build.where(isOwn, share, none) : none;
    return [build.where(isHit, ofSelf, g), build.where(isSource, build.gather(share, axis, index), none)];
  };
  return build.custom(value, [x, source], { name: 'scatterReduce', backward });
}
