// Reductions that give two results, or pass over NaN. Names and meaning are PyTorch's.

import * as build from '../engine/ir/build.js';
import type { DType } from '../engine/ir/dtype.js';
import type { Node } from '../engine/ir/node.js';
import { type OptionNames, checkOptions } from '../engine/ir/options.js';
import { type Shape, normalizeDim, normalizeDims } from '../engine/ir/shape.js';
import { asBool, asFloat, asNumber } from '../tensor/operands.js';
import * as reductions from '../tensor/reductions.js';
import type { DimArg } from '../tensor/shape-types/axis.js';
import type { Reduce } from '../tensor/shape-types/reduce.js';
import { type Counted, type ReduceOptions, type Tensor, nodeOf, wrap } from '../tensor/tensor.js';

type Dims = number | readonly number[] | undefined;

interface SpreadOptions<K extends boolean = boolean> extends ReduceOptions<K> {
  /** Default 1: divides by n − 1. */
  readonly correction?: number;
}

const SPREAD_OPTIONS: OptionNames<SpreadOptions> = { keepdim: true, correction: true };
const KEEP: OptionNames<ReduceOptions> = { keepdim: true };

/** [standard deviation, mean] of all or over `dim`. PyTorch: torch.std_mean. */
export function stdMean<X extends Shape, const Dim extends Dims = undefined, K extends boolean = false>(
  x: Tensor<X, DType>,
  dim?: Dim & DimArg<'stdMean', X, Dim>,
  options?: SpreadOptions<K>,
): [std: Tensor<Reduce<X, Dim, K>>, mean: Tensor<Reduce<X, Dim, K>>] {
  const { node, axes, keepdim, correction } = spreadArguments('stdMean', x, dim, options);
  return [wrap(reductions.std(node, axes, keepdim, correction)), wrap(reductions.mean(node, axes, keepdim))];
}

/** [variance, mean] of all or over `dim`. PyTorch: torch.var_mean. */
export function varMean<X extends Shape, const Dim extends Dims = undefined, K extends boolean = false>(
  x: Tensor<X, DType>,
  dim?: Dim & DimArg<'varMean', X, Dim>,
  options?: SpreadOptions<K>,
): [variance: Tensor<Reduce<X, Dim, K>>, mean: Tensor<Reduce<X, Dim, K>>] {
  const { node, axes, keepdim, correction } = spreadArguments('varMean', x, dim, options);
  return [wrap(reductions.variance(node, axes, keepdim, correction)), wrap(reductions.mean(node, axes, keepdim))];
}

function spreadArguments(op: string, x: Tensor<Shape, DType>, dim: Dims, options: SpreadOptions | undefined) {
  const node = nodeOf(x, op);
  checkOptions(op, options, SPREAD_OPTIONS);
  const { keepdim = false, correction = 1 } = options ?? {};
  reductions.variance(node, dim, keepdim, correction, op); // its checks, under this name
  return { node, axes: dim, keepdim, correction };
}

/** Sum of all or over `dim`, NaN counting as 0. PyTorch: torch.nansum. */
export function nansum<X extends Shape, D extends DType, const Dim extends Dims = undefined, K extends boolean = false>(
  x: Tensor<X, D>,
  dim?: Dim & DimArg<'nansum', X, Dim>,
  options?: ReduceOptions<K>,
): Tensor<Reduce<X, Dim, K>, Counted<D>> {
  const node = asNumber(nodeOf(x, 'nansum'));
  const { axes, keepdim } = reduceArguments('nansum', node, dim, options);
  return wrap(reductions.sum(withoutNaN(node), axes, keepdim));
}

/** Mean of all or over `dim`, NaN passed over; NaN where there is nothing else. PyTorch: torch.nanmean. */
export function nanmean<X extends Shape, const Dim extends Dims = undefined, K extends boolean = false>(
  x: Tensor<X, DType>,
  dim?: Dim & DimArg<'nanmean', X, Dim>,
  options?: ReduceOptions<K>,
): Tensor<Reduce<X, Dim, K>> {
  const node = asFloat(nodeOf(x, 'nanmean'));
  const { axes, keepdim } = reduceArguments('nanmean', node, dim, options);
  const isThere = build.cast(build.binary('eq', node, node), node.dtype);
  return wrap(build.div(reductions.sum(withoutNaN(node), axes, keepdim), reductions.sum(isThere, axes, keepdim)));
}

function withoutNaN(x: Node): Node {
  return build.where(build.binary('eq', x, x), x, build.constant(0, x.dtype) as Node);
}

function reduceArguments(op: string, x: Node, dim: Dims, options: ReduceOptions | undefined) {
  checkOptions(op, options, KEEP);
  normalizeDims(dim, x.shape.length, op);
  return { axes: dim, keepdim: options?.keepdim ?? false };
}

/** How many elements are not 0, of all or over `dim`, int32. PyTorch: torch.count_nonzero. */
export function countNonzero<X extends Shape, const Dim extends Dims = undefined>(
  x: Tensor<X, DType>,
  dim?: Dim & DimArg<'countNonzero', X, Dim>,
): Tensor<Reduce<X, Dim>, 'int32'> {
  const node = nodeOf(x, 'countNonzero');
  normalizeDims(dim, node.shape.length, 'countNonzero');
  return wrap(reductions.sum(build.cast(asBool(node), 'int32'), dim, false));
}

interface AminmaxOptions extends ReduceOptions {
  /** Along one dimension; of all without it. */
  readonly dim?: number;
}

const AMINMAX_OPTIONS: OptionNames<AminmaxOptions> = { dim: true, keepdim: true };

/** The smallest and the largest element, of all or along a dimension; equal ones share the gradient. PyTorch: torch.aminmax. */
export function aminmax<D extends DType>(
  x: Tensor<Shape, D>,
  options: AminmaxOptions = {},
): { min: Tensor<number[], Counted<D>>; max: Tensor<number[], Counted<D>> } {
  const node = nodeOf(x, 'aminmax');
  checkOptions('aminmax', options, AMINMAX_OPTIONS);
  const { dim, keepdim = false } = options;
  if (dim !== undefined) normalizeDim(dim, node.shape.length, 'aminmax');
  return { min: wrap(reductions.amin(node, dim, keepdim)), max: wrap(reductions.amax(node, dim, keepdim)) };
}
