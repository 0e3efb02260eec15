// Images read at positions between their elements, as a grid says.

import { checkChoice, checkList, checkWhole } from '../engine/ir/arguments.js';
import * as build from '../engine/ir/build.js';
import { ShapeError } from '../engine/ir/errors.js';
import type { Node } from '../engine/ir/node.js';
import { type OptionNames, checkOptions } from '../engine/ir/options.js';
import { formatShape, sizeOf } from '../engine/ir/shape.js';
import { asFloat } from '../tensor/operands.js';
import { positions } from '../tensor/reductions.js';
import { type AnyTensor, type Tensor, nodeOf, wrap } from '../tensor/tensor.js';
import {
  add,
  binary,
  both,
  constant,
  div,
  isAbove,
  isBelow,
  isEqual,
  mul,
  neg,
  plus,
  polynomial,
  sub,
  times,
  unary,
  where,
} from './operands.js';

export interface AffineGridOptions {
  /** −1 and 1 are the centres of the corner elements instead of the corners of the image. Default false. */
  readonly alignCorners?: boolean;
}

const AFFINE_GRID_OPTIONS: OptionNames<AffineGridOptions> = { alignCorners: true };

/** The positions of n elements between −1 and 1, along one axis of a shape of this rank. */
function centres(like: Node, rank: number, axis: number, n: number, alignCorners: boolean): Node {
  const i = build.cast(positions(rank, axis, n), like.dtype);
  if (alignCorners) return n === 1 ? times(i, 0) : plus(times(i, 2 / (n - 1)), -1);
  return plus(times(i, 2 / n), 1 / n - 1);
}

/**
 * The grid for gridSample of an affine map θ [N, 2, 3] of images of a size [N, C, H, W] → [N, H, W, 2]; or [N, 3, 4] and [N, C, D, H, W] →
 * [N, D, H, W, 3]. The last dimension has x before y. PyTorch: F.affine_grid.
 */
export function affineGrid(theta: AnyTensor, size: readonly number[], options?: AffineGridOptions): Tensor<number[]> {
  const op = 'affineGrid';
  const map = asFloat(nodeOf(theta, op, 'the map'));
  checkList(op, 'the size', size, 'sizes: [N, C, H, W]');
  checkOptions(op, options, AFFINE_GRID_OPTIONS);
  const { alignCorners = false } = options ?? {};
  for (const n of size) checkWhole(op, 'a size', n, 1);
  const dims = size.length - 2;
  const fits = map.shape.length === 3 && map.shape[0] === size[0] && map.shape[1] === dims && map.shape[2] === dims + 1;
  if ((dims !== 2 && dims !== 3) || !fits) {
    throw new ShapeError(
      `${op}: map ${formatShape(map.shape)} for size ${formatShape(size)}: needs [N, 2, 3] and [N, C, H, W], or [N, 3, 4] and [N, C, D, H, W]`,
      [map.shape, size],
    );
  }
  const [n, , ...sizes] = size;
  const shape = [...sizes, 1];
  // the last dimension of the image is x
  const parts = sizes.map((_, k) => {
    const axis = dims - 1 - k;
    return build.expand(centres(map, dims + 1, axis, sizes[axis], alignCorners), shape);
  });
  const base = build.concat([...parts, build.filled(1, shape, map.dtype)], dims);
  const points = build.reshape(base, [sizeOf(sizes), dims + 1]);
  return wrap(build.reshape(build.matmul(points, build.transposeLast(map)), [n, ...sizes, dims]));
}

export type GridSampleMode = 'bilinear' | 'nearest' | 'bicubic';

export interface GridSampleOptions {
  /** Between elements: 'bilinear' (also for three dimensions), 'nearest' or 'bicubic'. Default 'bilinear'. */
  readonly mode?: GridSampleMode;
  /** Beyond the image: 'zeros', its 'border', or its 'reflection'. Default 'zeros'. */
  readonly paddingMode?: 'zeros' | 'border' | 'reflection';
  /** −1 and 1 are the centres of the corner elements instead of the corners of the image. Default false. */
  readonly alignCorners?: boolean;
}

const GRID_SAMPLE_OPTIONS: OptionNames<GridSampleOptions> = { mode: true, paddingMode: true, alignCorners: true };

/** Within the first and the last element; no slope at them and beyond. */
function clipped(x: Node, n: number): Node {
  const last = constant(n - 1, x);
  return where(isAbove(x, 0), where(binary('lt', x, last), x, last), constant(0, x));
}

/** As a ball between two walls: the first and the last element, or the edges of the image. */
function reflected(x: Node, n: number, alignCorners: boolean): Node {
  const [low, span] = alignCorners ? [0, n - 1] : [-0.5, n];
  if (span === 0) return constant(0, x);
  const from = plus(x, -low);
  const distance = where(isBelow(from, 0), neg(from), from);
  const width = constant(span, x);
  const extra = binary('mod', distance, width);
  const turns = binary('mod', unary('floor', div(build.detach(distance), width)), constant(2, x));
  return plus(where(isEqual(turns, 0), extra, sub(width, extra)), low);
}

/** An element beside each position along one axis, how much of it, and whether it is inside. */
interface Tap {
  readonly index: Node;
  readonly weight: Node | undefined;
  readonly isInside: Node;
}

function tap(at: Node, n: number, weight: Node | undefined): Tap {
  const isInside = both(binary('le', constant(0, at), at), binary('le', at, constant(n - 1, at)));
  return { index: build.cast(where(isInside, at, constant(0, at)), 'int32'), weight, isInside };
}

function tapsOf(position: Node, n: number, mode: Exclude<GridSampleMode, 'bicubic'>): Tap[] {
  if (mode === 'nearest') return [tap(unary('round', build.detach(position)), n, undefined)];
  const below = unary('floor', build.detach(position));
  const part = sub(position, below);
  return [tap(below, n, sub(constant(1, part), part)), tap(plus(below, 1), n, part)];
}

/** The kernel of Keys (1981), with PyTorch's constant: coefficients of what a neighbour weighs, up to distance 1 and up to 2. */
const A = -0.75;
const CUBIC_NEAR = [A + 2, -(A + 3), 0, 1];
const CUBIC_FAR = [A, -5 * A, 8 * A, -4 * A];

/** The four neighbours of a position; `inside` says which element stands for one beyond the border. */
function cubicTaps(position: Node, n: number, inside: (at: Node) => Node): Tap[] {
  const below = unary('floor', build.detach(position));
  const part = sub(position, below);
  const rest = sub(constant(1, part), part);
  const weights = [
    polynomial(plus(part, 1), CUBIC_FAR),
    polynomial(part, CUBIC_NEAR),
    polynomial(rest, CUBIC_NEAR),
    polynomial(plus(rest, 1), CUBIC_FAR),
  ];
  return weights.map((weight, i) => tap(inside(plus(below, i - 1)), n, weight));
}

/**
 * x [N, C, H, W] at the positions of a grid [N, H', W', 2] → [N, C, H', W'], or [N, C, D, H, W] and [N, D', H', W', 3]. A position has x
 * first, from −1 at the left to 1 at the right. PyTorch: F.grid_sample.
 */
export function gridSample(x: AnyTensor, grid: AnyTensor, options?: GridSampleOptions): Tensor<number[]> {
  const op = 'gridSample';
  const [image, points] = [asFloat(nodeOf(x, op, 'the input')), asFloat(nodeOf(grid, op, 'the grid'))];
  checkOptions(op, options, GRID_SAMPLE_OPTIONS);
  const { mode = 'bilinear', paddingMode = 'zeros', alignCorners = false } = options ?? {};
  checkChoice(op, 'mode', mode, ['bilinear', 'nearest', 'bicubic']);
  checkChoice(op, 'paddingMode', paddingMode, ['zeros', 'border', 'reflection']);
  const rank = image.shape.length;
  const dims = rank - 2;
  if (
    (dims !== 2 && dims !== 3) ||
    points.shape.length !== rank ||
    points.shape[rank - 1] !== dims ||
    image.shape[0] !== points.shape[0]
  ) {
    throw new ShapeError(
      `${op}: input ${formatShape(image.shape)} and grid ${formatShape(points.shape)}: needs [N, C, H, W] and [N, H', W', 2]`,
      [image.shape, points.shape],
    );
  }
  const [n, channels, ...sizes] = image.shape;
  if (sizes.includes(0))
    throw new ShapeError(`${op}: input ${formatShape(image.shape)} has no elements to sample`, [image.shape]);
  const places = points.shape.slice(1, -1);
  const count = sizeOf(places);
  const flat = build.reshape(points, [n, 1, count, dims]);
  const taps = sizes.map((size, axis) => {
    const g = build.reshape(build.sliceAxis(flat, 3, dims - 1 - axis, dims - axis), [n, 1, count]);
    const unit = plus(g, 1);
    const raw = alignCorners ? times(unit, (size - 1) / 2) : times(plus(times(unit, size), -1), 0.5);
    const inside = (at: Node): Node => {
      if (paddingMode === 'zeros') return at;
      return clipped(paddingMode === 'reflection' ? reflected(at, size, alignCorners) : at, size);
    };
    // a cubic position stays where it is, and its neighbours come inside
    return mode === 'bicubic' ? cubicTaps(raw, size, inside) : tapsOf(inside(raw), size, mode);
  });
  const elements = build.reshape(image, [n, channels, sizeOf(sizes)]);
  let total: Node | undefined;
  for (const corner of corners(taps)) {
    const index = corner.reduce<Node>(
      (at, { index: i }, axis) => (axis === 0 ? i : add(mul(at, build.constant(sizes[axis], 'int32') as Node), i)),
      corner[0].index,
    );
    const value = build.gather(elements, 2, build.expand(index, [n, channels, count]));
    const isInside = corner.map((t) => t.isInside).reduce((a, b) => both(a, b));
    const weight = corner.reduce<Node | undefined>(
      (w, t) => (w === undefined || t.weight === undefined ? t.weight : mul(w, t.weight)),
      undefined,
    );
    const weighed = weight === undefined ? value : mul(value, weight);
    const term = where(isInside, weighed, constant(0, value));
    total = total === undefined ? term : add(total, term);
  }
  return wrap(build.reshape(total as Node, [n, channels, ...places]));
}

/** One tap of each axis, in all combinations. */
function corners(taps: readonly (readonly Tap[])[]): Tap[][] {
  return taps.reduce<Tap[][]>((lists, axis) => lists.flatMap((list) => axis.map((t) => [...list, t])), [[]]);
}
