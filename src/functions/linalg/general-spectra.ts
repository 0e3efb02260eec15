// Eigenvalues of general matrices: complex numbers as pairs, as the Fourier transforms give them. Names and meaning are PyTorch's.
// The derivative is that of Boeddeker et al., "On the computation of complex-valued gradients" (2017), with vectors of length 1.

import * as build from '../../engine/ir/build.js';
import type { FloatDType } from '../../engine/ir/dtype.js';
import type { Node } from '../../engine/ir/node.js';
import type { Shape } from '../../engine/ir/shape.js';
import { type Tensor, wrap } from '../../tensor/tensor.js';
import {
  add,
  asColumn,
  asRow,
  batchOf,
  diagonalMatrix,
  diagonalOf,
  div,
  mul,
  narrowed,
  neg,
  number,
  product,
  routine,
  squareOf,
  sub,
  together,
  transpose,
  where,
} from './matrices.js';
import { solveNodes } from './systems.js';
import type { BatchShape } from './types.js';

export interface Eig<S extends Shape = Shape, D extends FloatDType = 'float32'> {
  /** Real and imaginary parts, [..., n, 2], in no particular order; those of a pair are neighbours, the one above the real axis first. */
  readonly eigenvalues: Tensor<[...BatchShape<S>, number, 2], D>;
  /** In columns: [..., n, n, 2]. Of length 1, and the largest element of each is real and positive. */
  readonly eigenvectors: Tensor<[...S, 2], D>;
}

/**
 * Eigenvalues and eigenvectors of square matrices [..., n, n], which need not be symmetric: complex numbers, as pairs. A matrix with NaN or
 * infinity in it is a LinAlgError when the result is computed. Vectors are determined up to a factor of length 1, and the gradient is right for
 * what does not depend on its choice; where eigenvalues are equal or vectors nearly dependent, there is none. PyTorch: torch.linalg.eig.
 */
export function eig<S extends Shape, D extends FloatDType>(a: Tensor<S, D>): Eig<S, D> {
  const given = squareOf('eig', a);
  const { values, vectors } = eigOf('eig', given.a, true);
  return { eigenvalues: wrap(narrowed(values, given.dtype)), eigenvectors: wrap(narrowed(vectors, given.dtype)) };
}

/** The eigenvalues alone [..., n, 2]: a fraction of the work. PyTorch: torch.linalg.eigvals. */
export function eigvals<S extends Shape, D extends FloatDType>(
  a: Tensor<S, D>,
): Tensor<[...BatchShape<S>, number, 2], D> {
  const given = squareOf('eigvals', a);
  return wrap(narrowed(eigOf('eigvals', given.a, false).values, given.dtype));
}

interface Complex {
  readonly re: Node;
  readonly im: Node;
}

function paired({ re, im }: Complex): Node {
  return build.concat([asColumn(re), asColumn(im)], re.shape.length);
}

function apart(pairs: Node): Complex {
  const last = pairs.shape.length - 1;
  const part = (at: number): Node => build.reshape(build.sliceAxis(pairs, last, at, at + 1), pairs.shape.slice(0, -1));
  return { re: part(0), im: part(1) };
}

/** Vectors are computed where somebody wants them, the gradient of the values included. */
function eigOf(call: string, a: Node, hasVectors: boolean): { readonly values: Node; readonly vectors: Node } {
  const part = routine('eig', call, [a], { hasVectors: hasVectors || a.requiresGrad });
  const own = { re: transpose(part('vectorsRe')), im: transpose(part('vectorsIm')) };
  const results = [paired({ re: part('re'), im: part('im') }), paired(own)];
  const [values, vectors] = together(call, [a], results, batchOf(a), ([gl, gv], [l, v]) => [
    slopeOf(call, apart(gl), apart(gv), apart(l), apart(v)),
  ]);
  return { values, vectors };
}

/** V⁻ᴴ·(diag(gL) + (VᴴgV − VᴴV·Re diag(VᴴgV)) / conj(λ_j − λ_i))·Vᴴ */
function slopeOf(call: string, gl: Complex, gv: Complex, l: Complex, v: Complex): Node {
  const turned = adjointTimes(v, gv);
  const along = asRow(diagonalOf(turned.re));
  const own = adjointTimes(v, v);
  const free: Complex = { re: sub(turned.re, mul(own.re, along)), im: sub(turned.im, mul(own.im, along)) };
  const gaps: Complex = { re: sub(asRow(l.re), asColumn(l.re)), im: sub(asRow(l.im), asColumn(l.im)) };
  const square = add(mul(gaps.re, gaps.re), mul(gaps.im, gaps.im));
  const isEqual = build.binary('eq', square, number(0));
  const size = where(isEqual, number(1), square);
  // x / conj(g) = x·g / |g|²
  const quotient = (x: Node): Node => where(isEqual, number(0), div(x, size));
  const inner: Complex = {
    re: add(quotient(sub(mul(free.re, gaps.re), mul(free.im, gaps.im))), diagonalMatrix(gl.re)),
    im: add(quotient(add(mul(free.re, gaps.im), mul(free.im, gaps.re))), diagonalMatrix(gl.im)),
  };
  // Vᴴ·Y = inner, in real numbers: Vᴴ = Vrᵀ − i·Viᵀ.
  const [re, im] = [transpose(v.re), transpose(v.im)];
  const { length } = re.shape;
  const rows = [build.concat([re, im], length - 1), build.concat([neg(im), re], length - 1)];
  const right = build.concat([inner.re, inner.im], length - 2);
  const { x } = solveNodes(`the gradient of ${call}`, build.concat(rows, length - 2), right);
  const n = re.shape[length - 1];
  const y: Complex = {
    re: build.sliceAxis(x, length - 2, 0, n),
    im: build.sliceAxis(x, length - 2, n, 2 * n),
  };
  return add(product(y.re, re), product(y.im, im));
}

/** Aᴴ·B */
function adjointTimes(a: Complex, b: Complex): Complex {
  const [re, im] = [transpose(a.re), transpose(a.im)];
  return {
    re: add(product(re, b.re), product(im, b.im)),
    im: sub(product(re, b.im), product(im, b.re)),
  };
}
