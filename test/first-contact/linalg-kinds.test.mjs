/* oxlint-disable import/namespace -- every public function is looked up by its name */
// Arguments of a wrong kind in nabla/linalg: matrices, right sides, options, and what iterative solvers are given. `sweep.mjs` says what
// each is tried with.

import { expect, it } from 'vitest';
import { tensor, zeros } from 'nabla';
import * as linalg from 'nabla/linalg';
import { Dims, I, Options, T, argument, sweep } from './sweep.mjs';

const a = tensor([
  [4, 1],
  [1, 3],
]);
const b = tensor([1, 2]);
const columns = tensor([[1], [2]]);
const A = T(a);
const B = T(b);
const Columns = T(columns);
const Optionally = argument('undefined');
const OptionalNumber = argument('number', 'undefined');
const Tolerance = argument('number', 'undefined', 'tensor');
/** A as a matrix or a function. */
const LinearMap = argument('tensor')(a);

/** Each option of a call in turn, as an argument of its own. */
const each = (name, call, good, options) =>
  Object.fromEntries(
    Object.entries(options).map(([option, arg]) => [
      `${name}, option ${option}`,
      [(value) => call({ ...good, [option]: value }), arg],
    ]),
  );

const ITERATIVE = {
  x0: argument('undefined', 'tensor')(b),
  tolerance: OptionalNumber(0.1),
  maxIterations: Optionally(3),
};
const TOLERANCES = { atol: Tolerance(0.1), rtol: Tolerance(0.1) };

const CALLS = {
  cholesky: [linalg.cholesky, A, Options({})],
  choleskyEx: [linalg.choleskyEx, A, Options({})],
  choleskyInverse: [linalg.choleskyInverse, A, Options({})],
  choleskySolve: [linalg.choleskySolve, Columns, A, Options({})],
  cond: [linalg.cond, A, Optionally(2)],
  det: [linalg.det, A],
  eig: [linalg.eig, A],
  eigvals: [linalg.eigvals, A],
  ldl: [linalg.ldl, A],
  eigh: [linalg.eigh, A, Optionally('L')],
  eigvalsh: [linalg.eigvalsh, A, Optionally('L')],
  householderProduct: [linalg.householderProduct, A, B],
  inv: [linalg.inv, A],
  invEx: [linalg.invEx, A],
  logdet: [linalg.logdet, A],
  lstsq: [linalg.lstsq, A, B, Options({})],
  ...each('lstsq', (o) => linalg.lstsq(a, b, o), {}, { rcond: OptionalNumber(0.1), driver: Optionally('gels') }),
  lu: [linalg.lu, A],
  luFactor: [linalg.luFactor, A],
  luFactorEx: [linalg.luFactorEx, A],
  luSolve: [linalg.luSolve, I(linalg.luFactor(a)), Columns, Options({})],
  'luSolve, lu': [(lu) => linalg.luSolve({ ...linalg.luFactor(a), lu }, columns), A],
  'luSolve, permutation': [
    (permutation) => linalg.luSolve({ ...linalg.luFactor(a), permutation }, columns),
    T(linalg.luFactor(a).permutation),
  ],
  matrixExp: [linalg.matrixExp, A],
  matrixRank: [linalg.matrixRank, A, Options({})],
  ...each('matrixRank', (o) => linalg.matrixRank(a, o), {}, TOLERANCES),
  norm: [linalg.norm, A, OptionalNumber('fro'), Options({})],
  ...each('norm', (o) => linalg.norm(a, undefined, o), {}, { dim: Dims(0) }),
  ...each('matrixNorm', (o) => linalg.matrixNorm(a, 'fro', o), {}, { dim: Optionally([0, 1]) }),
  pinv: [linalg.pinv, A, Options({})],
  ...each('pinv', (o) => linalg.pinv(a, o), {}, TOLERANCES),
  qr: [linalg.qr, A, Optionally('complete')],
  slogdet: [linalg.slogdet, A],
  solve: [linalg.solve, A, B, Options({})],
  solveEx: [linalg.solveEx, A, B, Options({})],
  solveTriangular: [linalg.solveTriangular, A, Columns, I({ upper: true })],
  ...each('solveTriangular', (o) => linalg.solveTriangular(a, columns, o), {}, { upper: argument('boolean')(true) }),
  svd: [linalg.svd, A, Options({})],
  svdvals: [linalg.svdvals, A],
  tensorinv: [linalg.tensorinv, A, Optionally(1)],
  tensorsolve: [linalg.tensorsolve, A, B, Optionally([])],
  vander: [linalg.vander, B, Options({})],
  ...each('vander', (o) => linalg.vander(b, o), {}, { n: Optionally(2) }),
  // iterative solvers
  jacobi: [linalg.jacobi, LinearMap, B, Options({})],
  ...each('jacobi', (o) => linalg.jacobi(a, b, o), {}, { ...ITERATIVE, omega: OptionalNumber(0.5) }),
  ...each('jacobi', (o) => linalg.jacobi(a, b, o), {}, { diagonal: argument('undefined', 'tensor')(b) }),
  'jacobi, of a function': [
    (fn) => linalg.jacobi(fn, b, { diagonal: tensor([4, 3]) }),
    argument('tensor')((x) => a.matmul(x)),
  ],
  gaussSeidel: [linalg.gaussSeidel, A, B, Options({})],
  ...each('gaussSeidel', (o) => linalg.gaussSeidel(a, b, o), {}, { ...ITERATIVE, omega: OptionalNumber(0.5) }),
  conjugateGradient: [linalg.conjugateGradient, LinearMap, B, Options({})],
  ...each(
    'conjugateGradient',
    (o) => linalg.conjugateGradient(a, b, o),
    {},
    { ...ITERATIVE, preconditioner: Optionally('jacobi') },
  ),
  'conjugateGradient, what a preconditioner returns': [
    (z) => linalg.conjugateGradient(a, b, { preconditioner: () => z, maxIterations: 1 }),
    T(zeros([2])),
  ],
  incompleteCholesky: [linalg.incompleteCholesky, A],
};

it.each(Object.keys(CALLS))('%s: a wrong kind of argument is an error of its own', async (name) => {
  const [call, ...args] = CALLS[name];
  expect(await sweep(name, call, args)).toEqual([]);
});

/** Swept as functions of `nabla`. */
const OTHERS = new Set('LinAlgError cross diagonal matrixPower multiDot vectorNorm'.split(' '));

it('covers every public function of nabla/linalg', () => {
  const seen = new Set(Object.keys(CALLS).map((name) => name.split(',')[0]));
  const missing = Object.entries(linalg).filter(
    ([name, value]) => typeof value === 'function' && !seen.has(name) && !OTHERS.has(name),
  );
  expect(missing.map(([name]) => name)).toEqual([]);
});
