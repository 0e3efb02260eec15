// Options of reductions, of running sums and of softmax: what they are, which names a call knows, and the dtype that they ask for.

import * as build from '../engine/ir/build.js';
import { type DType, DTYPES, isFloat } from '../engine/ir/dtype.js';
import { ArgumentError, DTypeError } from '../engine/ir/errors.js';
import type { Node } from '../engine/ir/node.js';
import { type OptionNames, checkOptions } from '../engine/ir/options.js';
import { checkDType } from './operands.js';

export interface ReduceOptions<K extends boolean = boolean> {
  /** Reduced dimensions stay, with size 1. */
  readonly keepdim?: K;
}

const REDUCE_OPTIONS: OptionNames<ReduceOptions> = { keepdim: true };

/** Of reductions that compute in another dtype if they are asked to. */
export interface SumOptions<K extends boolean = boolean, E extends DType = DType> extends ReduceOptions<K> {
  /** The elements become this before anything is computed, and the result is of it. */
  readonly dtype?: E;
}

export const SUM_OPTIONS: OptionNames<SumOptions> = { keepdim: true, dtype: true };

/** Of running sums and of softmax. */
export interface DTypeOption<E extends DType = DType> {
  /** The elements become this before anything is computed, and the result is of it. */
  readonly dtype?: E;
}

export const DTYPE_OPTION: OptionNames<DTypeOption> = { dtype: true };

/** What `compute` makes of x in the dtype that the options ask for. */
export function inDType(op: string, x: Node, options: DTypeOption | undefined, compute: (x: Node) => Node): Node {
  const dtype = options?.dtype;
  if (dtype === undefined) return compute(x);
  checkDType(dtype, op);
  return build.cast(compute(build.cast(x, dtype)), dtype);
}

/** As inDType, of real numbers alone. */
export function inReal(op: string, x: Node, options: DTypeOption | undefined, compute: (x: Node) => Node): Node {
  const dtype = options?.dtype;
  if (dtype !== undefined && DTYPES.includes(dtype) && !isFloat(dtype))
    throw new DTypeError(`${op}: dtype is ${dtype}. Use 'float32' or 'float64'.`, [dtype]);
  return inDType(op, x, options, compute);
}

export interface VarianceOptions<K extends boolean = boolean> extends ReduceOptions<K> {
  /** Default 1: divides by n − 1. */
  readonly correction?: number;
}

export const VARIANCE_OPTIONS: OptionNames<VarianceOptions> = { keepdim: true, correction: true };

export interface TopkOptions {
  /** Default true; false gives the smallest. */
  readonly largest?: boolean;
}

export const TOPK_OPTIONS: OptionNames<TopkOptions> = { largest: true };

/** Whether reduced dimensions stay; throws for options that the call does not know. */
export function kept(op: string, options: ReduceOptions | undefined, known: object = REDUCE_OPTIONS): boolean {
  if (typeof options === 'number')
    throw new ArgumentError(
      `${op}: the second argument is ${String(options)}. Several dimensions are one list: ${op}([0, 1]).`,
    );
  checkOptions(op, options, known);
  return options?.keepdim ?? false;
}
