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

/**
 * Singular vectors with PyTorch's signs. Those of full matrices beyond the k values are any basis of what is left: they are written in
 * PyTorch's by Y·(Yᵀ·E), which is E if and only if Y are orthonormal vectors of the same space.
 */
async function signedAs({ u, s, vh }, row, expected = [expectedTensor(row, 0), expectedTensor(row, 2)]) {
  const k = s.shape.at(-1);
  if (s.size === 0)
    return [
      k === 0 && u.size > 0 ? turnedAs(u, expected[0]) : u,
      s,
      k === 0 && vh.size > 0 ? T(turnedAs(T(vh), T(expected[1]))) : vh,
    ];
  const [own, theirs] = [u.slice(-1, 0, k), expected[0].slice(-1, 0, k)];
  const signs = await signsOf(T(own), T(theirs));
  const left = beside(own.mul(T(signs)), u, expected[0], k);
  const right = beside(T(vh.slice(-2, 0, k).mul(signs)), T(vh), T(expected[1]), k);
  return [left, s, T(right)];
}

const turnedAs = (y, e) => n.noGrad(() => y.matmul(T(y).matmul(e)));

/** The first columns, and what is left of all beside them. */
function beside(first, all, expected, k) {
  const count = all.shape.at(-1);
  if (count === k) return first;
  return n.cat([first, turnedAs(all.slice(-1, k, count), expected.slice(-1, k, count))], -1);
}

/** For each of PyTorch's complex numbers [.., n, 2] which of ours is the nearest one: the order of eigenvalues is left open. */
async function orderOf(values, expected) {
  const [ours, theirs] = [await values.data(), await expected.data()];
  const count = values.shape.at(-2);
  const order = Int32Array.from(ours.length === 0 ? [] : { length: ours.length / 2 }, (_, i) => {
    const from = i - (i % count);
    const distance = (j) => Math.hypot(ours[2 * j] - theirs[2 * i], ours[2 * j + 1] - theirs[2 * i + 1]);
    const near = Array.from({ length: count }, (_unused, j) => from + j);
    return near.reduce((a, b) => (distance(b) < distance(a) ? b : a)) - from;
  });
  return n.tensor(order, { shape: [...values.shape.slice(0, -1), 1], dtype: 'int32' });
}

async function orderedAs(values, expected) {
  if (values.size === 0) return values;
  return values.gather(values.rank - 2, (await orderOf(values, expected)).expand(values.shape));
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
  'linalg.qr': ({ input, mode }) => l.qr(input, mode),
  lu: ({ input, pivot: _pivot, getInfos }) => {
    const { lu, pivots, info } = l.luFactorEx(input);
    return getInfos === true ? [lu, pivots, info] : [lu, pivots];
  },
  'linalg.householder_product': ({ input, tau }) => l.householderProduct(input, tau),
  'linalg.svdvals': ({ input }) => l.svdvals(input),
  'linalg.svd': ({ input, fullMatrices }, row) => signedAs(l.svd(input, { fullMatrices }), row),
  svd: async ({ input, some }, row) => {
    const [u, s, vh] = await signedAs(l.svd(input, { fullMatrices: some === false }), row, [
      expectedTensor(row, 0),
      T(expectedTensor(row, 2)),
    ]);
    return [u, s, T(vh)];
  },
  'linalg.eigvals': ({ input }, row) => orderedAs(l.eigvals(input), expectedTensor(row, 0)),
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
  triangular_solve: ({ b, A, upper }) => [l.solveTriangular(A, b, { upper: upper ?? true }), A],
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
