// Dense systems of searches: vectors of JavaScript in, factorisations of nabla/linalg, vectors out. What has no solution is undefined.

import { choleskyEx } from '../../functions/linalg/factors.js';
import { solveEx } from '../../functions/linalg/solving.js';
import { eigh, svd } from '../../functions/linalg/spectra.js';
import { tensor } from '../../tensor/creation.js';
import { realize, type Tensor } from '../../tensor/tensor.js';
import { isFiniteVector, transposedTimes } from './vectors.js';

type Wide = Tensor<number[], 'float64'>;

const matrixOf = (numbers: Float64Array, rows: number, columns: number): Wide =>
  tensor(numbers, { shape: [rows, columns], dtype: 'float64' }) as Wide;

export interface Eigen {
  /** Ascending. */
  readonly values: Float64Array;
  /** [n, n], a column for each value. */
  readonly vectors: Float64Array;
}

/** Of a symmetric matrix; undefined where a number of it is not finite. */
export async function eigenOf(matrix: Float64Array, size: number): Promise<Eigen | undefined> {
  if (!isFiniteVector(matrix)) return undefined;
  const { eigenvalues, eigenvectors } = eigh(matrixOf(matrix, size, size));
  await realize(eigenvalues, eigenvectors);
  return { values: await eigenvalues.data(), vectors: await eigenvectors.data() };
}

export interface Singular {
  /** Descending; as many as the matrix has columns, or rows if those are fewer. */
  readonly values: Float64Array;
  /** Right vectors, a row for each value. */
  readonly vectors: Float64Array;
  /** Uᵀ·f */
  readonly along: Float64Array;
  /** How many values are more than rounding. */
  readonly rank: number;
}

/** Singular values of a finite matrix, and f along its left vectors. */
export async function singularOf(matrix: Float64Array, f: Float64Array, columns: number): Promise<Singular> {
  const rows = f.length;
  const { u, s, vh } = svd(matrixOf(matrix, rows, columns), { fullMatrices: false });
  await realize(u, s, vh);
  const [left, values, vectors] = [await u.data(), await s.data(), await vh.data()];
  const least = Math.max(rows, columns) * Number.EPSILON * values[0];
  return { values, vectors, along: transposedTimes(left, f), rank: values.filter((value) => value > least).length };
}

/** The same of a matrix J, from JᵀJ and Jᵀf: rank and small values are those that squares in float64 still show. */
export async function singularOfGram(gram: Float64Array, gradient: Float64Array): Promise<Singular> {
  const n = gradient.length;
  const { eigenvalues, eigenvectors } = eigh(matrixOf(gram, n, n));
  await realize(eigenvalues, eigenvectors);
  const [squares, columns] = [await eigenvalues.data(), await eigenvectors.data()]; // ascending
  const least = n * Number.EPSILON * Math.max(0, squares[n - 1]);
  const rank = squares.filter((value) => value > least).length;
  const [values, vectors, along] = [new Float64Array(rank), new Float64Array(rank * n), new Float64Array(rank)];
  for (let k = 0; k < rank; k++) {
    const column = n - 1 - k;
    values[k] = Math.sqrt(squares[column]);
    for (let j = 0; j < n; j++) {
      vectors[k * n + j] = columns[j * n + column];
      along[k] += (vectors[k * n + j] * gradient[j]) / values[k];
    }
  }
  return { values, vectors, along, rank };
}

/** The x of matrix · x = right; undefined where there is none, or a number is not finite. */
export async function solutionOf(matrix: Float64Array, right: Float64Array): Promise<Float64Array | undefined> {
  if (!isFiniteVector(matrix) || !isFiniteVector(right)) return undefined;
  const { result, info } = solveEx(matrixOf(matrix, right.length, right.length), tensor(right, { dtype: 'float64' }));
  await realize(result, info);
  if ((await info.item()) !== 0) return undefined;
  const x = await result.data();
  return isFiniteVector(x) ? x : undefined;
}

/** The lower triangle L with L·Lᵀ = matrix; undefined where that is not positive definite. */
export async function lowerFactorOf(matrix: Float64Array, size: number): Promise<Float64Array | undefined> {
  const { l, info } = choleskyEx(matrixOf(matrix, size, size));
  await realize(l, info);
  return (await info.item()) === 0 ? await l.data() : undefined;
}
