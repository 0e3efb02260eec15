// The public surface of `nabla/linalg`.

export { LinAlgError } from '../tensor/library.js';
export {
  cholesky,
  choleskyEx,
  type CholeskyOptions,
  type CholeskyResult,
  householderProduct,
  ldl,
  type LdlMatrices,
  lu,
  luFactor,
  luFactorEx,
  type LuFactorisation,
  type LuFactorisationEx,
  type LuMatrices,
  qr,
  type QrMatrices,
  type QrMode,
} from '../functions/linalg/factors.js';
export {
  choleskyInverse,
  choleskySolve,
  type CholeskySolveOptions,
  inv,
  invEx,
  type InverseResult,
  type LeastSquares,
  lstsq,
  type LstsqOptions,
  luSolve,
  type LuSolveOptions,
  pinv,
  solve,
  solveEx,
  type SolveOptions,
  type SolveResult,
  solveTriangular,
  type SolveTriangularOptions,
  type ToleranceOptions,
} from '../functions/linalg/solving.js';
export {
  eigh,
  type Eigh,
  eigvalsh,
  svd,
  type Svd,
  type SvdOptions,
  svdvals,
  type Triangle,
} from '../functions/linalg/spectra.js';
export { eig, type Eig, eigvals } from '../functions/linalg/general-spectra.js';
export { cond, det, logdet, matrixRank, slogdet, type Slogdet } from '../functions/linalg/numbers.js';
export { matrixExp, tensorinv, tensorsolve } from '../functions/linalg/functions-of.js';
export { norm, type LinalgNormOptions } from '../functions/linalg/norms.js';
export { matrixNorm, type MatrixNorm, type MatrixNormOptions, vectorNorm } from '../functions/norms.js';
export { matrixPower, multiDot } from '../functions/chains.js';
export { cross } from '../functions/products.js';
export { diagonal } from '../functions/diagonals.js';
export { vander, type VanderOptions } from '../functions/combining.js';
export { jacobi, gaussSeidel, type GaussSeidelOptions, type JacobiOptions } from './iterative/stationary.js';
export {
  conjugateGradient,
  type ConjugateGradientOptions,
  type Preconditioner,
} from './iterative/conjugate-gradient.js';
export { incompleteCholesky } from './iterative/incomplete-cholesky.js';
export type { IterativeOptions, IterativeResult, LinearMap, Real, SolverReason, Vector } from './iterative/system.js';
