// Jacobi's and Gauss and Seidel's iterations: x ← x + M⁻¹·(b − A·x) with M the diagonal of A, or its lower triangle.

import {
  ArgumentError,
  type OptionNames,
  type Shape,
  ShapeError,
  checkGiven,
  checkNumber,
  formatShape,
} from '../../tensor/library.js';
import { type Tensor, checkTensor } from '../../tensor/tensor.js';
import { diagonal } from '../../functions/diagonals.js';
import { solveTriangular } from '../../functions/linalg/solving.js';
import {
  ITERATIVE_OPTIONS,
  type IterativeOptions,
  type IterativeResult,
  type LinearMap,
  Progress,
  type Real,
  type System,
  type Vector,
  normOf,
  readLast,
  systemOf,
} from './system.js';

export interface JacobiOptions<D extends Real = Real> extends IterativeOptions<D> {
  /** The share of each correction that is taken. Default 1. */
  readonly omega?: number;
  /** The diagonal of A, [n]: needed where A is a function. */
  readonly diagonal?: Tensor<Shape, D>;
}

const JACOBI_OPTIONS: OptionNames<JacobiOptions> = { ...ITERATIVE_OPTIONS, omega: true, diagonal: true };

/**
 * Jacobi's iteration for A·x = b: every unknown from its own equation, with the others as they were. It converges where A's diagonal outweighs
 * its rows. A zero on the diagonal is an ArgumentError.
 */
export async function jacobi<D extends Real>(
  a: LinearMap<D>,
  b: Tensor<Shape, D>,
  options?: JacobiOptions<D>,
): Promise<IterativeResult<D>> {
  const system = systemOf('jacobi', a, b, options, JACOBI_OPTIONS);
  const omega = omegaOf('jacobi', options?.omega);
  const own = await diagonalOf(system, options?.diagonal);
  return iterate(system, (residual) => residual.div(own).mul(omega) as Vector<D>);
}

export interface GaussSeidelOptions<D extends Real = Real> extends IterativeOptions<D> {
  /** Over-relaxation (SOR) above 1, under-relaxation below: between 0 and 2. Default 1. */
  readonly omega?: number;
}

const GAUSS_SEIDEL_OPTIONS: OptionNames<GaussSeidelOptions> = { ...ITERATIVE_OPTIONS, omega: true };

/**
 * Gauss and Seidel's iteration for A·x = b, A a matrix [n, n]: as Jacobi's, with the unknowns before it as they are already. It converges for
 * symmetric positive definite A, and where the diagonal outweighs its rows. A zero on the diagonal is an ArgumentError.
 */
export async function gaussSeidel<D extends Real>(
  a: Tensor<Shape, D>,
  b: Tensor<Shape, D>,
  options?: GaussSeidelOptions<D>,
): Promise<IterativeResult<D>> {
  const op = 'gaussSeidel';
  const system = systemOf(op, a, b, options, GAUSS_SEIDEL_OPTIONS);
  const omega = omegaOf(op, options?.omega);
  if (system.matrix === undefined)
    throw new ArgumentError(
      `${op}: it needs the rows of A, so A has to be a matrix [n, n]. Use jacobi or conjugateGradient for a function.`,
    );
  const own = await diagonalOf(system, undefined);
  const scale = diagonalMatrix(own.div(omega).sub(own) as Vector<D>);
  const lower: Tensor<Shape, D> = system.matrix.tril().add(scale) as Vector<D>;
  return iterate(system, (residual) => {
    const column: Tensor<Shape, D> = residual.unsqueeze(1) as Vector<D>;
    return solveTriangular(lower, column, { upper: false }).flatten() as Vector<D>;
  });
}

/** [n] → [n, n] */
function diagonalMatrix<D extends Real>(x: Vector<D>): Vector<D> {
  const column: Tensor<Shape, D> = x.unsqueeze(1) as Vector<D>;
  const [n] = x.shape;
  const all: Tensor<Shape, D> = column.expand([n, n]) as Vector<D>;
  return all.tril().triu() as Vector<D>;
}

function omegaOf(op: string, omega: number | undefined): number {
  checkGiven(checkNumber, op, { omega });
  if (omega !== undefined && (omega <= 0 || omega >= 2))
    throw new ArgumentError(`${op}: omega is ${omega}. Use a number between 0 and 2.`);
  return omega ?? 1;
}

/** The diagonal of A, which has no zero. */
export async function diagonalOf<D extends Real>(
  { op, n, matrix }: System<D>,
  given: Tensor<Shape, D> | undefined,
): Promise<Vector<D>> {
  if (given === undefined && matrix === undefined)
    throw new ArgumentError(`${op}: A is a function, whose diagonal is not known. Pass it: { diagonal }.`);
  if (given !== undefined) {
    checkTensor(given, op, 'the diagonal');
    if (given.rank !== 1 || given.shape[0] !== n)
      throw new ShapeError(`${op}: the diagonal ${formatShape(given.shape)} is not [${n}].`, [given.shape]);
  }
  const own: Vector<D> = (given ?? diagonal(matrix as Vector<D>)).detach();
  const [numbers] = [Array.from(await own.data())];
  const zero = numbers.indexOf(0);
  if (zero >= 0)
    throw new ArgumentError(`${op}: element ${zero} of A's diagonal is 0. Exchange its row with another one.`);
  return own;
}

async function iterate<D extends Real>(
  system: System<D>,
  correction: (residual: Vector<D>) => Vector<D>,
): Promise<IterativeResult<D>> {
  const { b, apply } = system;
  let x = system.x0;
  let residual: Vector<D> = b.sub(apply(x)) as Vector<D>;
  const [sizeOfB] = await readLast(normOf(b));
  let [size] = await readLast(residual, normOf(residual));
  const progress = new Progress(system, sizeOfB);
  let reason = progress.note(x, size);
  while (reason === undefined) {
    x = x.add(correction(residual)) as Vector<D>;
    residual = b.sub(apply(x)) as Vector<D>;
    [size] = await readLast(x, residual, normOf(residual));
    reason = progress.note(x, size);
  }
  return progress.result(reason, x);
}
