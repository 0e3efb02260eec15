// torch.linalg.norm, which is a norm of vectors or of matrices, as its arguments say.

import { checkChoice, checkNumber } from '../../engine/ir/arguments.js';
import type { DType } from '../../engine/ir/dtype.js';
import { ArgumentError } from '../../engine/ir/errors.js';
import { type OptionNames, checkOptions } from '../../engine/ir/options.js';
import { type Shape, formatShape } from '../../engine/ir/shape.js';
import { asFloat } from '../../tensor/operands.js';
import { type Tensor, nodeOf, wrap } from '../../tensor/tensor.js';
import { MATRIX_NORMS, matrixNormOf, normOf } from '../norms.js';
import type { MatrixNorm } from './matrix-norms.js';

export interface LinalgNormOptions {
  /** One dimension: of vectors; two: of matrices. Default: all, as a vector unless `ord` is given and there are two. */
  readonly dim?: number | readonly [number, number];
  readonly keepdim?: boolean;
}

const LINALG_NORM_OPTIONS: OptionNames<LinalgNormOptions> = { dim: true, keepdim: true };

/**
 * The norm of a vector, a matrix, or batches of them along `dim`. Without `ord` the root of all squares. Of vectors `ord` is any number, of
 * matrices as in matrixNorm. PyTorch: torch.linalg.norm.
 */
export function norm<D extends DType>(
  x: Tensor<Shape, D>,
  ord?: MatrixNorm,
  options?: LinalgNormOptions,
): Tensor<number[]> {
  const op = 'norm';
  const node = asFloat(nodeOf(x, op, 'the input'));
  checkOptions(op, options, LINALG_NORM_OPTIONS);
  const { dim, keepdim = false } = options ?? {};
  const rank = node.shape.length;
  if (dim === undefined && ord !== undefined && rank !== 1 && rank !== 2)
    throw new ArgumentError(
      `${op}: ord is given, and ${formatShape(node.shape)} is neither a vector nor a matrix. Say which dimensions: { dim: -1 } or { dim: [-2, -1] }.`,
    );
  if (Array.isArray(dim) || (dim === undefined && ord !== undefined && rank === 2)) {
    const how = ord === undefined ? 'fro' : ord;
    checkChoice(op, 'ord', how, MATRIX_NORMS);
    const pair = (dim ?? [-2, -1]) as readonly [number, number];
    return wrap(matrixNormOf(op, node, how, pair, keepdim));
  }
  const p = ord === undefined ? 2 : ord;
  if (typeof p !== 'number') throw new ArgumentError(`${op}: ord is '${String(p)}' of a vector. Use a number.`);
  checkNumber(op, 'ord', p);
  return wrap(normOf(op, node, p, dim as number | undefined, keepdim));
}
