// Histograms whose bins are given, or follow from the elements; weighted, and as densities. Names and meaning are PyTorch's.

import { checkGiven, checkList, checkNumber, checkWhole } from '../engine/ir/arguments.js';
import * as build from '../engine/ir/build.js';
import { ArgumentError, ShapeError } from '../engine/ir/errors.js';
import type { Node } from '../engine/ir/node.js';
import { type OptionNames, checkOptions } from '../engine/ir/options.js';
import { formatShape, sameShape } from '../engine/ir/shape.js';
import { type AnyTensor, type Tensor, wrap } from '../tensor/tensor.js';
import { add, binary, both, constant, div, floatOf, mul, scalar, sub, where } from './operands.js';
import { searchsorted } from './searching.js';

export interface HistogramOptions {
  /** The ends of the bins, where their number is given. Default: the smallest and the largest element. */
  readonly range?: readonly [number, number];
  /** What each element counts, of the shape of x. Default 1. */
  readonly weight?: AnyTensor;
  /** Whether the bins' areas add up to 1. Default false: counts. */
  readonly density?: boolean;
}

const HISTOGRAM_OPTIONS: OptionNames<HistogramOptions> = { range: true, weight: true, density: true };

export interface Histogram {
  readonly hist: Tensor<number[]>;
  readonly binEdges: Tensor<number[]>;
}

/** Ends of equal bins: the range, or what the elements span; half a unit around equal ones. */
function edgesOf(op: string, x: Node, bins: number, range: readonly [number, number] | undefined): Node {
  checkWhole(op, 'the number of bins', bins, 1);
  if (range !== undefined) {
    checkList(op, 'the range', range, 'two numbers');
    checkGiven(checkNumber, op, { 'the lower end': range[0], 'the upper end': range[1] });
    if (range.length !== 2 || !Number.isFinite(range[1] - range[0]) || range[0] > range[1])
      throw new ArgumentError(`${op}: the range is [${range.join(', ')}]. Use finite numbers, the smaller one first.`);
  }
  const ends = (): [Node, Node] => {
    if (range !== undefined) return [scalar(range[0], x), scalar(range[1], x)];
    if (x.size === 0) return [constant(0, x), constant(1, x)];
    return [build.reshape(build.reduce('reduceMin', x, [0]), []), build.reshape(build.reduce('reduceMax', x, [0]), [])];
  };
  const [least, most] = ends();
  const isPoint = binary('eq', least, most);
  const half = where(isPoint, constant(0.5, x), constant(0, x));
  const [low, high] = [sub(least, half), add(most, half)];
  const i = build.cast(build.iota(bins + 1), x.dtype);
  const step = div(sub(high, low), constant(bins, x));
  // The first half counts from the lower end, the second one back from the upper one: both are there exactly.
  const fromEnd = sub(high, mul(sub(constant(bins, x), i), step));
  return where(binary('lt', i, constant(bins / 2, x)), add(low, mul(i, step)), fromEnd);
}

/**
 * How many elements lie in each bin, and the ends of the bins: [hist, binEdges] as { hist, binEdges }. `bins` is a number of equal ones, or a
 * sorted vector of ends. A bin has its lower end, the last one both. PyTorch: torch.histogram.
 */
export function histogram(x: AnyTensor, bins: number | AnyTensor, options: HistogramOptions = {}): Histogram {
  const op = 'histogram';
  const given = build.detach(floatOf(x, op));
  checkOptions(op, options, HISTOGRAM_OPTIONS);
  const { range, weight, density = false } = options;
  const flat = build.reshape(given, [given.size]);
  if (typeof bins !== 'number' && range !== undefined)
    throw new ArgumentError(`${op}: a range goes with a number of bins. Leave it out, since the ends are given.`);
  const edges = typeof bins === 'number' ? edgesOf(op, flat, bins, range) : build.detach(floatOf(bins, op, 'the bins'));
  if (edges.shape.length !== 1 || edges.size < 2)
    throw new ShapeError(`${op}: bins ${formatShape(edges.shape)}: needs a vector of at least two ends`, [edges.shape]);
  const count = edges.size - 1;
  const weights = weight === undefined ? undefined : build.detach(floatOf(weight, op, 'the weight'));
  if (weights !== undefined && !sameShape(weights.shape, given.shape))
    throw new ShapeError(`${op}: weight ${formatShape(weights.shape)} is not ${formatShape(given.shape)}`, [
      weights.shape,
      given.shape,
    ]);
  const each = weights === undefined ? build.filled(1, flat.shape, flat.dtype) : build.reshape(weights, flat.shape);
  const hist =
    flat.size === 0 ? build.filled(0, [count], flat.dtype) : counted(flat, edges, build.cast(each, flat.dtype));
  const widths = sub(build.sliceAxis(edges, 0, 1, count + 1), build.sliceAxis(edges, 0, 0, count));
  const result = density ? div(hist, mul(build.sum(hist, [0]), build.cast(widths, hist.dtype))) : hist;
  return { hist: wrap(result), binEdges: wrap(edges) };
}

function counted(x: Node, edges: Node, each: Node): Node {
  const count = edges.size - 1;
  const whole = (value: number): Node => build.constant(value, 'int32') as Node;
  const [low, high] = [build.sliceAxis(edges, 0, 0, 1), build.sliceAxis(edges, 0, count, count + 1)];
  const [sorted, values]: [Tensor, Tensor] = [wrap(edges), wrap(x)];
  const place = sub(searchsorted(sorted, values, { right: true }).node, whole(1));
  const isInside = both(binary('le', low, x), binary('le', x, high));
  // what lies outside goes into one more
  const at = where(isInside, binary('min', place, whole(count - 1)), whole(count));
  return build.sliceAxis(build.scatterAdd(build.filled(0, [count + 1], each.dtype), 0, at, each), 0, 0, count);
}
