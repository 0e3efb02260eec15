// What iterative solvers share: a system A·x = b whose A is a matrix or a function, options, and the result, which says why it ended.

import { noGrad } from '../../tensor/grad-mode.js';
import {
  ArgumentError,
  type OptionNames,
  type Shape,
  ShapeError,
  checkFunction,
  checkGiven,
  checkNumber,
  checkOptions,
  checkWhole,
  formatShape,
} from '../../tensor/library.js';
import { type AnyTensor, type Tensor, checkTensor, realize } from '../../tensor/tensor.js';

/** Dtypes that solvers compute in. */
export type Real = 'float32' | 'float64';
export type Vector<D extends Real = Real> = Tensor<Shape, D>;

/** A as a matrix [n, n], or as the function x → A·x of vectors [n]. */
export type LinearMap<D extends Real = Real> = Tensor<Shape, D> | ((x: Vector<D>) => Tensor<Shape, D>);

export interface IterativeOptions<D extends Real = Real> {
  /** Where it begins. Default: zeros. */
  readonly x0?: Tensor<Shape, D>;
  /** It has converged when ‖b − A·x‖ is at most this share of ‖b‖. Default: 1e-8 of float64, 1e-5 of float32. */
  readonly tolerance?: number;
  /** Default: 10·n. */
  readonly maxIterations?: number;
}

/**
 * Why a solver has ended: the residual is small enough; there were as many iterations as allowed; the residual grows without end; a number
 * is not finite; (conjugate gradients) pᵀ·A·p is not positive, so A is not positive definite.
 */
export type SolverReason = 'converged' | 'maxIterations' | 'diverged' | 'notFinite' | 'indefinite';

export interface IterativeResult<D extends Real = Real> {
  /** The best solution that was met, [n]. */
  readonly x: Tensor<[number], D>;
  readonly converged: boolean;
  readonly iterations: number;
  readonly reason: SolverReason;
  /** ‖b − A·x‖ at the beginning and after each iteration. */
  readonly residuals: readonly number[];
}

export interface System<D extends Real> {
  readonly op: string;
  readonly n: number;
  readonly b: Vector<D>;
  readonly x0: Vector<D>;
  /** A, where it is a matrix. */
  readonly matrix: Vector<D> | undefined;
  readonly apply: (x: Vector<D>) => Vector<D>;
  readonly tolerance: number;
  readonly maxIterations: number;
}

export const ITERATIVE_OPTIONS: OptionNames<IterativeOptions> = { x0: true, tolerance: true, maxIterations: true };

/** What was given, checked. `known` names all options of the solver. */
export function systemOf<D extends Real>(
  op: string,
  a: LinearMap<D>,
  b: Tensor<Shape, D>,
  options: IterativeOptions<D> | undefined,
  known: object,
): System<D> {
  checkTensor(b, op, 'the right side');
  checkOptions(op, options, known);
  if (b.rank !== 1)
    throw new ShapeError(`${op}: the right side ${formatShape(b.shape)} is not a vector [n].`, [b.shape]);
  if (b.dtype !== 'float32' && b.dtype !== 'float64')
    throw new ArgumentError(`${op}: the right side is ${String(b.dtype)}. Convert it with to('float64').`);
  const [n] = b.shape;
  const {
    x0 = b.mul(0) as Vector<D>,
    tolerance = b.dtype === 'float64' ? 1e-8 : 1e-5,
    maxIterations = 10 * n,
  } = options ?? {};
  checkGiven(checkNumber, op, { tolerance });
  if (tolerance < 0) throw new ArgumentError(`${op}: the tolerance is ${tolerance}. Use 0 or more.`);
  checkWhole(op, 'maxIterations', maxIterations);
  checkTensor(x0, op, 'x0');
  fits(op, 'x0', x0, b);
  const shared = { op, n, b: b.detach(), x0: x0.detach(), tolerance, maxIterations };
  if (typeof a === 'function') {
    checkFunction(op, a, 'the first argument');
    return { ...shared, matrix: undefined, apply: (x) => applied(op, a, x, b) };
  }
  checkTensor(a, op, 'the matrix');
  if (a.rank !== 2 || a.shape[0] !== n || a.shape[1] !== n)
    throw new ShapeError(
      `${op}: the matrix ${formatShape(a.shape)} is not [${n}, ${n}], as the right side [${n}] needs.`,
      [a.shape, b.shape],
    );
  if (a.dtype !== b.dtype)
    throw new ArgumentError(
      `${op}: the matrix is ${String(a.dtype)}, the right side ${String(b.dtype)}. Convert one with to('${a.dtype}').`,
    );
  const matrix: Vector<D> = a.detach();
  return { ...shared, matrix, apply: (x) => matrix.matmul(x) as Vector<D> };
}

/** A function of the user's, of a vector: a vector of the same kind comes back. */
export function applied<D extends Real>(
  op: string,
  fn: (x: Vector<D>) => Tensor<Shape, D>,
  x: Vector<D>,
  b: AnyTensor,
): Vector<D> {
  const y = noGrad(() => fn(x));
  checkTensor(y, op, 'what the function returned');
  fits(op, 'what the function returned', y, b);
  return y.detach();
}

function fits(op: string, what: string, x: AnyTensor, b: AnyTensor): void {
  if (x.rank !== 1 || x.shape[0] !== b.shape[0] || x.dtype !== b.dtype)
    throw new ShapeError(
      `${op}: ${what} is ${x.dtype} ${formatShape(x.shape)}, and the right side ${b.dtype} ${formatShape(b.shape)}. Both have to be alike.`,
      [x.shape, b.shape],
    );
}

export const normOf = <D extends Real>(x: Vector<D>): Tensor<[], D> => x.square().sum().sqrt() as Tensor<[], D>;

/** Residuals are so many times what they were: there is nothing to hope for. */
const DIVERGED = 1e8;

/** The residuals of a run, and when it ends. */
export class Progress<D extends Real> {
  readonly residuals: number[] = [];
  private readonly bound: number;
  private readonly maxIterations: number;
  private best: { readonly x: Vector<D>; readonly size: number } | undefined;

  constructor({ tolerance, maxIterations }: System<D>, sizeOfB: number) {
    this.bound = tolerance * sizeOfB;
    this.maxIterations = maxIterations;
  }

  /** Notes ‖b − A·x‖; the reason to end, if there is one. */
  note(x: Vector<D>, size: number): SolverReason | undefined {
    this.residuals.push(size);
    if (!Number.isFinite(size)) return 'notFinite';
    if (this.best === undefined || size <= this.best.size) this.best = { x, size };
    if (this.isSmall(size)) return 'converged';
    if (size > DIVERGED * Math.max(this.residuals[0], this.bound)) return 'diverged';
    return this.residuals.length > this.maxIterations ? 'maxIterations' : undefined;
  }

  isSmall(size: number): boolean {
    return size <= this.bound;
  }

  result(reason: SolverReason, x: Vector<D>): IterativeResult<D> {
    const { residuals, best } = this;
    return {
      x: (best?.x ?? x) as Tensor<[number], D>,
      converged: reason === 'converged',
      iterations: residuals.length - 1,
      reason,
      residuals,
    };
  }
}

/** Computes tensors together and reads the last one. */
export async function readLast(...tensors: readonly [...AnyTensor[], Tensor<Shape, Real>]): Promise<readonly number[]> {
  await realize(...tensors);
  const last = tensors[tensors.length - 1] as Tensor<Shape, Real>;
  return Array.from(await last.data());
}
