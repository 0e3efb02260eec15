// Conjugate gradients (Hestenes and Stiefel, 1952) for symmetric positive definite A, with a preconditioner if one is wanted.

import { ArgumentError, type OptionNames, type Shape, checkFunction } from '../../tensor/library.js';
import { stack } from '../../tensor/functions.js';
import { solveTriangular } from '../../functions/linalg/solving.js';
import type { Tensor } from '../../tensor/tensor.js';
import { incompleteCholesky } from './incomplete-cholesky.js';
import { diagonalOf } from './stationary.js';
import {
  ITERATIVE_OPTIONS,
  type IterativeOptions,
  type IterativeResult,
  type LinearMap,
  Progress,
  type Real,
  type System,
  type Vector,
  applied,
  normOf,
  readLast,
  systemOf,
} from './system.js';

/** r → about A⁻¹·r */
export type Preconditioner<D extends Real = Real> =
  | 'jacobi'
  | 'incompleteCholesky'
  | ((residual: Vector<D>) => Tensor<Shape, D>);

export interface ConjugateGradientOptions<D extends Real = Real> extends IterativeOptions<D> {
  /**
   * 'jacobi' divides by A's diagonal; 'incompleteCholesky' solves with a Cholesky factor that has entries only where A has some; a function is
   * one of your own. The last one but a function need A as a matrix, or `diagonal`.
   */
  readonly preconditioner?: Preconditioner<D>;
  /** The diagonal of A, [n], for 'jacobi' where A is a function. */
  readonly diagonal?: Tensor<Shape, D>;
}

const OPTIONS: OptionNames<ConjugateGradientOptions> = { ...ITERATIVE_OPTIONS, preconditioner: true, diagonal: true };

/**
 * Conjugate gradients for A·x = b with a symmetric positive definite A [n, n], or the function x → A·x. Without rounding it would end after n
 * iterations; it ends earlier where eigenvalues lie together, which is what a preconditioner is for. If some pᵀ·A·p is not positive, A is not
 * positive definite, and the result says 'indefinite'.
 */
export async function conjugateGradient<D extends Real>(
  a: LinearMap<D>,
  b: Tensor<Shape, D>,
  options?: ConjugateGradientOptions<D>,
): Promise<IterativeResult<D>> {
  const system = systemOf('conjugateGradient', a, b, options, OPTIONS);
  const precondition = await preconditionerOf(system, options);
  const { apply } = system;
  let x = system.x0;
  let r: Vector<D> = system.b.sub(apply(x)) as Vector<D>;
  let z = precondition(r);
  let p = z;
  let rz: Tensor<Shape, D> = r.mul(z).sum() as Vector<D>;
  const [sizeOfB] = await readLast(normOf(system.b));
  const [first] = await readLast(r, z, rz, normOf(r));
  const progress = new Progress(system, sizeOfB);
  let reason = progress.note(x, first);
  while (reason === undefined) {
    const product = apply(p);
    const curvature: Tensor<Shape, D> = p.mul(product).sum() as Vector<D>;
    const alpha: Tensor<Shape, D> = rz.div(curvature) as Vector<D>;
    const next: Vector<D> = x.add(p.mul(alpha)) as Vector<D>;
    r = r.sub(product.mul(alpha)) as Vector<D>;
    z = precondition(r);
    const nextRz: Tensor<Shape, D> = r.mul(z).sum() as Vector<D>;
    p = z.add(p.mul(nextRz.div(rz))) as Vector<D>;
    const told: Tensor<Shape, D> = stack([normOf(r), curvature] as Vector<D>[]) as Vector<D>;
    const [size, bend] = await readLast(next, r, z, p, nextRz, told);
    if (bend <= 0) return progress.result('indefinite', x);
    x = next;
    rz = nextRz;
    if (progress.isSmall(size)) {
      // What was added up may have drifted away from b − A·x.
      const exact: Vector<D> = system.b.sub(apply(x)) as Vector<D>;
      const [real] = await readLast(exact, normOf(exact));
      reason = progress.note(x, real);
      if (reason !== undefined) break;
      r = exact;
      z = precondition(r);
      p = z;
      rz = r.mul(z).sum() as Vector<D>;
      continue;
    }
    reason = progress.note(x, size);
  }
  return progress.result(reason, x);
}

async function preconditionerOf<D extends Real>(
  system: System<D>,
  options: ConjugateGradientOptions<D> | undefined,
): Promise<(r: Vector<D>) => Vector<D>> {
  const { op, matrix, b } = system;
  const given = options?.preconditioner;
  if (given === undefined) return (r) => r;
  if (given === 'jacobi') {
    const own = await diagonalOf(system, options?.diagonal);
    return (r) => r.div(own) as Vector<D>;
  }
  if (given === 'incompleteCholesky') {
    if (matrix === undefined)
      throw new ArgumentError(
        `${op}: 'incompleteCholesky' needs the entries of A. Give A as a matrix, or a function as preconditioner.`,
      );
    const l = await incompleteCholesky(matrix);
    const across: Tensor<Shape, D> = l.transpose(0, 1) as Vector<D>;
    return (r) => {
      const column: Tensor<Shape, D> = r.unsqueeze(1) as Vector<D>;
      const half = solveTriangular(l, column, { upper: false });
      return solveTriangular(across, half, { upper: true }).flatten() as Vector<D>;
    };
  }
  if (typeof given === 'string')
    throw new ArgumentError(
      `${op}: there is no preconditioner '${String(given)}'. Use 'jacobi', 'incompleteCholesky' or a function.`,
    );
  checkFunction(op, given, 'the preconditioner');
  return (r) => applied(op, given, r, b);
}
