// Eigenvalues of symmetric matrices and singular values. Names and meaning are PyTorch's.

import { checkChoice } from '../../engine/ir/arguments.js';
import type { FloatDType } from '../../engine/ir/dtype.js';
import type { Node } from '../../engine/ir/node.js';
import { type OptionNames, checkOptions } from '../../engine/ir/options.js';
import type { Shape } from '../../engine/ir/shape.js';
import { type AnyTensor, type Tensor, wrap } from '../../tensor/tensor.js';
import { eighOf, type Spectrum, svdOf } from './factorise.js';
import { matrixOf, narrowed, squareOf } from './matrices.js';
import type { BatchShape } from './types.js';

/** Which triangle of a symmetric matrix is read. */
export type Triangle = 'L' | 'U';

export interface Eigh<S extends Shape = Shape, D extends FloatDType = 'float32'> {
  /** Ascending, [..., n]. */
  readonly eigenvalues: Tensor<[...BatchShape<S>, number], D>;
  /** In columns, orthonormal: [..., n, n]. The largest element of each is positive. */
  readonly eigenvectors: Tensor<S, D>;
}

function spectrumOf(op: string, a: AnyTensor, uplo: Triangle, hasVectors: boolean): Spectrum {
  const given = squareOf(op, a);
  checkChoice(op, 'uplo', uplo, ['L', 'U']);
  const { values, vectors } = eighOf(op, given.a, hasVectors, uplo === 'U');
  return { values: narrowed(values, given.dtype), vectors: narrowed(vectors, given.dtype) };
}

/**
 * Eigenvalues and eigenvectors of symmetric matrices [..., n, n], of which one triangle is read, the lower one by default. A matrix with NaN
 * or infinity in it is a LinAlgError when the result is computed. Of equal eigenvalues the vectors are not determined, and the gradient is
 * right for what does not depend on their choice. PyTorch: torch.linalg.eigh.
 */
export function eigh<S extends Shape, D extends FloatDType>(a: Tensor<S, D>, uplo: Triangle = 'L'): Eigh<S, D> {
  const { values, vectors } = spectrumOf('eigh', a, uplo, true);
  return { eigenvalues: wrap(values), eigenvectors: wrap(vectors) };
}

/** The eigenvalues alone, ascending: a fraction of the work. PyTorch: torch.linalg.eigvalsh. */
export function eigvalsh<S extends Shape, D extends FloatDType>(
  a: Tensor<S, D>,
  uplo: Triangle = 'L',
): Tensor<[...BatchShape<S>, number], D> {
  return wrap(spectrumOf('eigvalsh', a, uplo, false).values);
}

export interface SvdOptions {
  /** U [..., m, m] and Vᵀ [..., n, n] are square. False: [..., m, k] and [..., k, n] with k = min(m, n). Default true, as in PyTorch. */
  readonly fullMatrices?: boolean;
}

const SVD_OPTIONS: OptionNames<SvdOptions> = { fullMatrices: true };

export interface Svd<D extends FloatDType = 'float32'> {
  /** Left singular vectors, in columns. */
  readonly u: Tensor<number[], D>;
  /** Singular values, descending: [..., k]. */
  readonly s: Tensor<number[], D>;
  /** Right singular vectors, in rows. The largest element of each is positive; of wide matrices that of each left one. */
  readonly vh: Tensor<number[], D>;
}

/**
 * A = U·diag(S)·Vᵀ of any matrix [..., m, n]. A matrix with NaN or infinity in it is a LinAlgError when the result is computed. Gradients flow
 * through the first k columns of U and rows of Vᵀ. PyTorch: torch.linalg.svd.
 */
export function svd<D extends FloatDType>(a: Tensor<Shape, D>, options?: SvdOptions): Svd<D> {
  const given = matrixOf('svd', a);
  checkOptions('svd', options, SVD_OPTIONS);
  const { u, s, vt } = svdOf('svd', given.a, true, options?.fullMatrices ?? true);
  const made = (x: Node): Node => narrowed(x, given.dtype);
  return { u: wrap(made(u)), s: wrap(made(s)), vh: wrap(made(vt)) };
}

/** The singular values alone, descending: [..., min(m, n)]. PyTorch: torch.linalg.svdvals. */
export function svdvals<D extends FloatDType>(a: Tensor<Shape, D>): Tensor<number[], D> {
  const given = matrixOf('svdvals', a);
  return wrap(narrowed(svdOf('svdvals', given.a, false).s, given.dtype));
}
