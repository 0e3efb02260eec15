// Linear algebra: PyTorch's name → the call of nabla.

import * as n from 'nabla';
import * as l from 'nabla/linalg';
import { differs, expectedTensor } from './samples.mjs';

const infinite = (p) => (p === 'inf' ? Infinity : p === '-inf' ? -Infinity : p);

/**
 * Vectors in rows, with PyTorch's signs: both are right, and LAPACK leaves the choice open. `like` is what PyTorch gives. The sign of a row
 * is a number, through which gradients flow as they are.
 */
async function signsOf(rows, like) {
  const signs = n.noGrad(() => rows.detach().mul(like).sum(-1, { keepdim: true }).sign());
  return n.tensor(await signs.data(), { shape: signs.shape, dtype: signs.dtype });
}

const T = (x) => x.transpose(-2, -1);

async function signedAs({ u, s, vh }, row) {
  const [m, k, n1] = [u.shape.at(-2), s.shape.at(-1), vh.shape.at(-1)];
  if (u.size === 0 || vh.size === 0) return [u, s, vh];
  if (u.shape.at(-1) !== k || vh.shape.at(-2) !== k || Math.min(m, n1) !== k)
    differs('vectors beyond the rank are any basis');
  const signs = await signsOf(T(u), T(expectedTensor(row, 0)));
  return [u.mul(T(signs)), s, vh.mul(signs)];
}

const decompositions = {
  'linalg.cholesky': ({ input, upper }) => l.cholesky(input, { upper }),
  cholesky: ({ input, upper }) => l.cholesky(input, { upper }),
  'linalg.cholesky_ex': ({ input, upper, checkErrors: _checkErrors }) => l.choleskyEx(input, { upper }),
  cholesky_inverse: ({ input, upper }) => l.choleskyInverse(input, { upper }),
  cholesky_solve: ({ input, input2, upper }) => l.choleskySolve(input, input2, { upper }),
  'linalg.lu': ({ input, pivot }) => (pivot === false ? differs('LU without pivots') : l.lu(input)),
  'linalg.lu_factor': ({ input, pivot }) => {
    if (pivot === false) differs('LU without pivots');
    const { lu, pivots } = l.luFactorEx(input);
    return [lu, pivots];
  },
  'linalg.lu_factor_ex': ({ input, pivot, checkErrors: _checkErrors }) => {
    if (pivot === false) differs('LU without pivots');
    const { lu, pivots, info } = l.luFactorEx(input);
    return [lu, pivots, info];
  },
  'linalg.lu_solve': async ({ LU, pivots, B, left, adjoint }) =>
    l.luSolve({ lu: LU, pivots, permutation: await permutationOf(pivots) }, B, { left, adjoint }),
  lu_solve: async ({ b, LU, pivots }) => l.luSolve({ lu: LU, pivots, permutation: await permutationOf(pivots) }, b),
  'linalg.qr': ({ input, mode }) => {
    if (mode === 'r') differs("mode 'r': Q costs nothing that is not asked for");
    return l.qr(input, mode);
  },
  'linalg.householder_product': ({ input, tau }) => l.householderProduct(input, tau),
  'linalg.svdvals': ({ input }) => l.svdvals(input),
  'linalg.svd': ({ input, fullMatrices }, row) => signedAs(l.svd(input, { fullMatrices }), row),
  'linalg.eigvalsh': ({ input, UPLO }) => l.eigvalsh(input, UPLO),
  'linalg.eigh': async ({ input, UPLO }, row) => {
    const { eigenvalues, eigenvectors } = l.eigh(input, UPLO);
    if (input.size === 0) return [eigenvalues, eigenvectors];
    const signs = await signsOf(T(eigenvectors), T(expectedTensor(row, 1)));
    return [eigenvalues, eigenvectors.mul(T(signs))];
  },
};

/** LAPACK's exchanges, one after the other. */
async function permutationOf(pivots) {
  const given = await pivots.data();
  const count = pivots.shape.at(-1);
  const all = Int32Array.from(given, (_, i) => i % count);
  for (let from = 0; from < all.length; from += count) {
    for (let i = 0; i < count; i++) {
      const other = from + given[from + i] - 1;
      [all[from + i], all[other]] = [all[other], all[from + i]];
    }
  }
  return n.tensor(all, { shape: pivots.shape, dtype: 'int32' });
}

const solutions = {
  'linalg.solve': ({ A, B, left }) => l.solve(A, B, { left }),
  'linalg.solve_ex': ({ A, B, left, checkErrors: _checkErrors }) => l.solveEx(A, B, { left }),
  'linalg.solve_triangular': ({ A, B, upper, left, unitriangular }) =>
    l.solveTriangular(A, B, { upper, left, unitriangular }),
  'linalg.inv': ({ input }) => l.inv(input),
  'linalg.inv_ex': ({ input, checkErrors: _checkErrors }) => l.invEx(input),
  // of the product of two matrices in the samples of singular ones
  'linalg.pinv': ({ input, atol, rtol, hermitian }, row) =>
    row.variant === 'singular' ? l.pinv(input.matmul(T(atol))) : l.pinv(input, { atol, rtol, hermitian }),
  pinverse: ({ input, rcond }) => l.pinv(input, { rtol: rcond ?? 1e-15 }),
  // Residuals and singular values that a driver does not give are empty in PyTorch.
  'linalg.lstsq': ({ input, b, rcond, driver: _driver }, row) => {
    const { solution, residuals, rank, singularValues } = l.lstsq(input, b, { rcond });
    const found = [solution, residuals, rank, singularValues].slice(0, row.out.length);
    return found.map((y, i) => (row.out[i].s.includes(0) && i > 0 ? n.zeros(row.out[i].s, { dtype: y.dtype }) : y));
  },
  'linalg.tensorinv': ({ input, ind }) => l.tensorinv(input, ind),
  'linalg.tensorsolve': ({ input, b, dims }) => l.tensorsolve(input, b, dims ?? []),
};

const numbers = {
  'linalg.det': ({ input }) => l.det(input),
  'linalg.slogdet': ({ input }) => l.slogdet(input),
  logdet: ({ input }) => l.logdet(input),
  'linalg.matrix_rank': ({ input, tol, atol, rtol, hermitian }) =>
    l.matrixRank(input, { atol: atol ?? tol, rtol, hermitian }),
  'linalg.cond': ({ input, p }) => l.cond(input, infinite(p)),
  matrix_exp: ({ input }) => l.matrixExp(input),
};

export const LINALG = { ...decompositions, ...solutions, ...numbers };
