// Cholesky factors that have entries only where the matrix has some, IC(0): computed on the host, for preconditioning.

import { LinAlgError, type Shape, ShapeError, formatShape } from '../../tensor/library.js';
import { tensor } from '../../tensor/creation.js';
import { type Tensor, checkTensor } from '../../tensor/tensor.js';
import type { Real } from './system.js';

/** A diagonal that breaks down is made larger by this share, then by twice as much, … (Manteuffel, 1980). */
const FIRST_SHIFT = 1e-3;
const SHIFTS = 12;

/**
 * L with L·Lᵀ near a symmetric positive definite A [n, n]: its entries are 0 wherever those of A are. Where that breaks down, the diagonal is
 * taken larger by a thousandth, two, four, … A diagonal that is not positive is a LinAlgError at once.
 */
export async function incompleteCholesky<D extends Real>(a: Tensor<Shape, D>): Promise<Tensor<[number, number], D>> {
  const op = 'incompleteCholesky';
  checkTensor(a, op, 'the matrix');
  if (a.rank !== 2 || a.shape[0] !== a.shape[1])
    throw new ShapeError(`${op}: ${formatShape(a.shape)} is not a square matrix.`, [a.shape]);
  const [n] = a.shape;
  const numbers = Float64Array.from(await a.data());
  const bad = Array.from({ length: n }, (_, i) => i).find((i) => !(numbers[i * n + i] > 0));
  if (bad !== undefined)
    throw new LinAlgError(
      `${op}: element ${bad} of the diagonal is ${numbers[bad * n + bad]}, so the matrix is not positive definite.`,
      bad + 1,
    );
  for (let attempt = 0; attempt < SHIFTS; attempt++) {
    const shift = attempt === 0 ? 0 : FIRST_SHIFT * 2 ** (attempt - 1);
    const l = factor(numbers, n, shift);
    if (l !== undefined) return tensor(l, { dtype: a.dtype, shape: [n, n] });
  }
  throw new LinAlgError(`${op}: the matrix has no incomplete factor, even with its diagonal doubled.`, n);
}

/** Row by row; undefined where a pivot is not positive. */
function factor(a: Float64Array, n: number, shift: number): Float64Array | undefined {
  const l = new Float64Array(n * n);
  const filled: number[][] = [];
  for (let i = 0; i < n; i++) {
    const own: number[] = [];
    for (let j = 0; j <= i; j++) {
      if (i !== j && a[i * n + j] === 0) continue;
      let sum = a[i * n + j] * (i === j ? 1 + shift : 1);
      const common = i === j ? own : filled[j];
      for (const k of common) if (k < j) sum -= l[i * n + k] * l[j * n + k];
      if (i !== j) l[i * n + j] = sum / l[j * n + j];
      else {
        if (!(sum > 0)) return undefined;
        l[i * n + i] = Math.sqrt(sum);
      }
      own.push(j);
    }
    filled.push(own);
  }
  return l;
}
