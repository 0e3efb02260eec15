// Integrals and derivatives of functions that are known at points. Names and meaning are PyTorch's.

import { checkChoice, checkList, checkNumber } from '../engine/ir/arguments.js';
import * as build from '../engine/ir/build.js';
import { ArgumentError, ShapeError } from '../engine/ir/errors.js';
import type { Node } from '../engine/ir/node.js';
import { type OptionNames, checkOptions } from '../engine/ir/options.js';
import { formatShape, normalizeDim, normalizeDims } from '../engine/ir/shape.js';
import { cumsum } from '../tensor/reductions.js';
import { type AnyTensor, type Tensor, wrap } from '../tensor/tensor.js';
import { add, div, floatOf, mul, scalar, sub, times } from './operands.js';

export interface TrapezoidOptions {
  /** The points: a vector, or a tensor that broadcasts with the values. */
  readonly x?: AnyTensor;
  /** Their distance, where they are equally far apart. Default 1. */
  readonly dx?: number;
  /** Default −1, the last one. */
  readonly dim?: number;
}

const TRAPEZOID_OPTIONS: OptionNames<TrapezoidOptions> = { x: true, dx: true, dim: true };

/** The elements of an axis from `from` to `to`, which counts from the end where it is negative. */
function along(x: Node, axis: number, from: number, to: number): Node {
  const n = x.shape[axis];
  return build.sliceAxis(x, axis, from, to < 0 ? to + n : to);
}

/** The areas between neighbouring points, along an axis. */
function areas(op: string, y: AnyTensor, options: TrapezoidOptions): { readonly node: Node; readonly axis: number } {
  const values = floatOf(y, op, 'the values');
  checkOptions(op, options, TRAPEZOID_OPTIONS);
  const { x, dx = 1, dim = -1 } = options;
  checkNumber(op, 'dx', dx);
  if (x !== undefined && options.dx !== undefined) throw new ArgumentError(`${op}: both x and dx are given. Give one.`);
  if (values.shape.length === 0) throw new ShapeError(`${op}: a number has no dimension.`, [values.shape]);
  const axis = normalizeDim(dim, values.shape.length, op);
  const n = values.shape[axis];
  if (n < 2) return { node: build.filled(0, values.shape.with(axis, 0), values.dtype), axis };
  const sums = times(add(along(values, axis, 0, n - 1), along(values, axis, 1, n)), 0.5);
  if (x === undefined) return { node: mul(sums, scalar(dx, values)), axis };
  const points = floatOf(x, op, 'the points');
  const column = values.shape.map((_, i) => (i === axis ? n : 1));
  const wide = points.shape.length === 1 ? build.reshape(points, points.size === n ? column : points.shape) : points;
  const last = wide.shape.length - values.shape.length + axis;
  if (wide.shape[last] !== n)
    throw new ShapeError(
      `${op}: points ${formatShape(points.shape)} for values ${formatShape(values.shape)}: dimension ${axis} has ${n}`,
      [points.shape, values.shape],
    );
  const widths = sub(along(wide, last, 1, n), along(wide, last, 0, n - 1));
  return { node: mul(sums, widths), axis };
}

/** The integral along a dimension of a function with these values, by straight lines between them. PyTorch: torch.trapezoid. */
export function trapezoid(y: AnyTensor, options: TrapezoidOptions = {}): Tensor<number[]> {
  const { node, axis } = areas('trapezoid', y, options);
  const total = build.sum(node, [axis]);
  return wrap(build.reshape(total, total.shape.toSpliced(axis, 1)));
}

/** The integrals from the first point to each of the others. PyTorch: torch.cumulative_trapezoid. */
export function cumulativeTrapezoid(y: AnyTensor, options: TrapezoidOptions = {}): Tensor<number[]> {
  const { node, axis } = areas('cumulativeTrapezoid', y, options);
  return wrap(node.size === 0 ? node : cumsum(node, axis));
}

export interface GradientOptions {
  /** The distance of the points, for all dimensions or each of them, or the points of each one as a vector. Default 1. */
  readonly spacing?: number | readonly (number | AnyTensor)[];
  /** Default: all. */
  readonly dim?: number | readonly number[];
  /** Whether the first and last differences are of first (the default) or second order. */
  readonly edgeOrder?: 1 | 2;
}

const GRADIENT_OPTIONS: OptionNames<GradientOptions> = { spacing: true, dim: true, edgeOrder: true };

/**
 * The derivatives along each of the dimensions of a function with these values, by central differences, one-sided ones at the edges.
 * PyTorch: torch.gradient.
 */
export function gradient(y: AnyTensor, options: GradientOptions = {}): Tensor<number[]>[] {
  const op = 'gradient';
  const values = floatOf(y, op, 'the values');
  checkOptions(op, options, GRADIENT_OPTIONS);
  const { spacing = 1, dim, edgeOrder = 1 } = options;
  checkChoice(op, 'edgeOrder', edgeOrder, [1, 2]);
  const rank = values.shape.length;
  if (typeof dim === 'object') checkList(op, 'dim', dim, 'dimensions');
  if (typeof spacing !== 'number') checkList(op, 'spacing', spacing, 'spacings');
  const axes = typeof dim === 'object' ? dim.map((d) => normalizeDim(d, rank, op)) : normalizeDims(dim, rank, op);
  const steps = typeof spacing === 'number' ? axes.map(() => spacing) : spacing;
  if (steps.length !== axes.length)
    throw new ArgumentError(`${op}: ${steps.length} spacings for ${axes.length} dimensions. Give one for each.`);
  return axes.map((axis, i) => {
    const n = values.shape[axis];
    if (n <= edgeOrder)
      throw new ShapeError(
        `${op}: dimension ${axis} of ${formatShape(values.shape)} needs at least ${edgeOrder + 1} points`,
        [values.shape],
      );
    const step = steps[i];
    if (typeof step === 'number') {
      checkNumber(op, 'a spacing', step);
      return wrap(evenly(values, axis, step, edgeOrder));
    }
    const points = floatOf(step, op, 'the points');
    if (points.shape.length !== 1 || points.size !== n)
      throw new ShapeError(`${op}: points ${formatShape(points.shape)} for dimension ${axis} with ${n}: needs [${n}]`, [
        points.shape,
      ]);
    const column = values.shape.map((_, k) => (k === axis ? n : 1));
    return wrap(unevenly(values, axis, build.reshape(points, column), edgeOrder));
  });
}

/** The three neighbours of the points, or of an edge, weighed by coefficients. */
function weighed(parts: readonly Node[], coefficients: readonly Node[]): Node {
  return parts.map((part, i) => mul(part, coefficients[i])).reduce((a, b) => add(a, b));
}

function evenly(y: Node, axis: number, h: number, order: 1 | 2): Node {
  const n = y.shape[axis];
  const at = (i: number): Node => along(y, axis, i, i + 1);
  const by = scalar(h, y);
  const [first, last] =
    order === 1
      ? [div(sub(at(1), at(0)), by), div(sub(at(n - 1), at(n - 2)), by)]
      : [
          div(add(sub(times(at(1), 4), times(at(0), 3)), times(at(2), -1)), times(by, 2)),
          div(add(sub(times(at(n - 1), 3), times(at(n - 2), 4)), at(n - 3)), times(by, 2)),
        ];
  if (n === 2) return build.concat([first, last], axis);
  const middle = div(sub(along(y, axis, 2, n), along(y, axis, 0, n - 2)), times(by, 2));
  return build.concat([first, middle, last], axis);
}

/** Of parabolas through three neighbouring points. */
function unevenly(y: Node, axis: number, x: Node, order: 1 | 2): Node {
  const n = y.shape[axis];
  const widths = sub(along(x, axis, 1, n), along(x, axis, 0, n - 1));
  const at = (i: number): Node => along(y, axis, i, i + 1);
  const width = (i: number): Node => along(widths, axis, i, i + 1);
  const edge = (): [Node, Node] => {
    if (order === 1) return [div(sub(at(1), at(0)), width(0)), div(sub(at(n - 1), at(n - 2)), width(n - 2))];
    const parabola = (p: Node, q: Node, sign: 1 | -1): Node[] => [
      times(div(add(times(p, 2), q), mul(p, add(p, q))), -sign),
      times(div(add(p, q), mul(p, q)), sign),
      times(div(p, mul(q, add(p, q))), -sign),
    ];
    return [
      weighed([at(0), at(1), at(2)], parabola(width(0), width(1), 1)),
      weighed([at(n - 1), at(n - 2), at(n - 3)], parabola(width(n - 2), width(n - 3), -1)),
    ];
  };
  const [first, last] = edge();
  if (n === 2) return build.concat([first, last], axis);
  const [p, q] = [along(widths, axis, 0, n - 2), along(widths, axis, 1, n - 1)];
  const all = add(p, q);
  const middle = weighed(
    [along(y, axis, 0, n - 2), along(y, axis, 1, n - 1), along(y, axis, 2, n)],
    [times(div(q, mul(p, all)), -1), div(sub(q, p), mul(p, q)), div(p, mul(q, all))],
  );
  return build.concat([first, middle, last], axis);
}
