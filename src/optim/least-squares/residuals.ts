// Residuals to be made small, as a function of one flat vector of float64: their values, the Jacobian, and products with it from both
// sides. Each is captured once (compile) and replayed. Where residuals are those of rows of data, each of its own row alone, the Jacobian is one
// backward pass over all rows, and only its products JᵀJ and Jᵀf leave the engine.
// Must not know: how the minimum is searched for, and robust losses.

import { jvp, vjp } from '../../tensor/autograd.js';
import { jacfwd, jacrev } from '../../tensor/jacobians.js';
import {
  ArgumentError,
  type DType,
  ShapeError,
  checkFunction,
  formatShape,
  isFloat,
  wrongKind,
} from '../../tensor/library.js';
import { cat } from '../../tensor/functions.js';
import { type AnyTensor, Tensor } from '../../tensor/tensor.js';
import { vmap } from '../../tensor/vmap.js';
import { type Program, captured } from '../minimize/captured.js';
import { runOn } from '../minimize/objective.js';
import { dot, isFiniteVector } from '../minimize/vectors.js';
import { type SearchStart, Unknowns, as, joined } from '../minimize/unknowns.js';

export type JacobianMode = 'forward' | 'reverse';

/** JᵀJ [n, n] and Jᵀf [n]. */
export interface NormalEquations {
  readonly gram: Float64Array;
  readonly gradient: Float64Array;
}

/** What two ways to the same residuals may differ by, as a part of their squares. */
const SAME = 1e-4;

export class Residuals {
  /** How often residuals, the Jacobian, and products with it or its transpose have been computed. */
  evaluations = 0;
  jacobians = 0;
  products = 0;
  readonly unknowns: Unknowns;
  private readonly valueProgram: Program<[Tensor]>;
  private readonly forwardProgram: Program<[Tensor]>;
  private readonly reverseProgram: Program<[Tensor]>;
  private readonly pushProgram: Program<[Tensor, Tensor]>;
  private readonly pullProgram: Program<[Tensor, Tensor]>;
  private readonly normalProgram: Program<[Tensor]>;
  private readonly op: string;

  /** `rows`: what the function takes besides, the first dimension of each counting samples whose residuals depend on no other sample. */
  constructor(
    op: string,
    fn: (x: never, ...rows: never[]) => AnyTensor,
    start: SearchStart,
    rows: readonly AnyTensor[] = [],
  ) {
    checkFunction(op, fn, 'the function');
    this.op = op;
    const unknowns = (this.unknowns = new Unknowns(op, start));
    const at = (x: unknown, given: readonly unknown[]): Tensor => {
      const result = checkedResiduals(op, (fn as (x: unknown, ...rows: unknown[]) => unknown)(x, ...given));
      return as(result.reshape([result.size]) as Tensor, 'float64');
    };
    const residuals = (flat: Tensor): Tensor => at(unknowns.formed(flat), rows);
    checkSamples(op, rows);
    this.normalProgram = captured((flat: Tensor) => {
      const [values, jacobian] =
        rows.length > 0 ? rowByRow(unknowns, flat, rows as readonly Tensor[], at) : whole(residuals, flat);
      const turned = jacobian.T as Tensor;
      return joined([turned.matmul(jacobian), turned.matmul(values.unsqueeze(1)), values.square().sum()]);
    });
    this.valueProgram = captured(residuals);
    this.forwardProgram = captured((flat: Tensor) => jacfwd(residuals)(flat) as Tensor);
    this.reverseProgram = captured((flat: Tensor) => jacrev(residuals)(flat) as Tensor);
    this.pushProgram = captured((flat: Tensor, v: Tensor) => jvp(residuals, [flat], [v]).tangent);
    this.pullProgram = captured((flat: Tensor, u: Tensor) => vjp(residuals, flat).pull(u)[0]);
  }

  get size(): number {
    return this.unknowns.size;
  }

  async at(x: Float64Array): Promise<Float64Array> {
    this.evaluations++;
    return await runOn(this.valueProgram, this.unknowns, [x]);
  }

  /** [residuals, unknowns], row by row. */
  async jacobian(x: Float64Array, mode: JacobianMode): Promise<Float64Array> {
    this.jacobians++;
    return await runOn(mode === 'forward' ? this.forwardProgram : this.reverseProgram, this.unknowns, [x]);
  }

  /** Undefined where they are not finite. `residuals` are those at x. */
  async normal(x: Float64Array, residuals: Float64Array): Promise<NormalEquations | undefined> {
    this.jacobians++;
    const numbers = await runOn(this.normalProgram, this.unknowns, [x], true);
    const n = this.size;
    const [squares, own] = [dot(residuals, residuals), numbers[n * n + n]];
    if (Math.abs(own - squares) > SAME * (squares + own))
      throw new ArgumentError(
        `${this.op}: residuals of single rows are others than those of all rows at once (sums of squares ${own} and ${squares}). Leave the rows out where residuals depend on other rows, as in batch norm.`,
      );
    if (!isFiniteVector(numbers)) return undefined;
    return { gram: numbers.subarray(0, n * n), gradient: numbers.subarray(n * n, n * n + n) };
  }

  /** J · v */
  async push(x: Float64Array, v: Float64Array): Promise<Float64Array> {
    this.products++;
    return await runOn(this.pushProgram, this.unknowns, [x, v]);
  }

  /** Jᵀ · u */
  async pull(x: Float64Array, u: Float64Array): Promise<Float64Array> {
    this.products++;
    return await runOn(this.pullProgram, this.unknowns, [x, u]);
  }
}

/** Residuals and their Jacobian, by its rows or its columns. */
function whole(residuals: (flat: Tensor) => Tensor, flat: Tensor): [values: Tensor, jacobian: Tensor] {
  const values = residuals(flat);
  return [values, (values.size < flat.size ? jacrev(residuals) : jacfwd(residuals))(flat) as Tensor];
}

/** Residuals [n] and their Jacobian [n, unknowns], each from its own row: one pass forward and one back, whatever the number of unknowns. */
function rowByRow(
  unknowns: Unknowns,
  flat: Tensor,
  rows: readonly Tensor[],
  at: (x: unknown, rows: readonly unknown[]) => Tensor,
): [values: Tensor, jacobian: Tensor] {
  const each = vmap((...row: Tensor[]): [Tensor, Tensor] => {
    const value = (x: readonly Tensor[]): [Tensor, Tensor] => {
      const values = at(unknowns.restored(x), row);
      return [values, values];
    };
    const { jacobian, aux } = jacrev(value, { hasAux: true })(unknowns.parts(flat));
    const columns = jacobian.map((part) => as(part, 'float64').reshape([aux.size, part.size / aux.size]) as Tensor);
    return [aux, cat(columns, 1) as Tensor];
  });
  const [values, jacobian] = each(...rows.map((t) => t.unsqueeze(1) as Tensor));
  return [values.reshape([values.size]) as Tensor, jacobian.reshape([values.size, unknowns.size]) as Tensor];
}

function checkSamples(op: string, rows: readonly AnyTensor[]): void {
  if (!Array.isArray(rows)) throw wrongKind(op, 'rows', rows, 'Give a list of tensors');
  for (const [i, t] of rows.entries()) {
    if (!(t instanceof Tensor)) throw wrongKind(op, `rows[${i}]`, t, 'Give tensors whose first dimension counts rows');
    if (t.shape.length === 0 || t.shape[0] !== rows[0].shape[0])
      throw new ShapeError(
        `${op}: rows[${i}] has shape ${formatShape(t.shape)}, and rows[0] ${formatShape(rows[0].shape)}. Give the same number of rows in each.`,
        [t.shape],
      );
  }
}

function checkedResiduals(op: string, result: unknown): Tensor {
  if (!(result instanceof Tensor))
    throw wrongKind(op, 'what the function returned', result, 'Return a tensor of residuals');
  if (result.size === 0) throw new ArgumentError(`${op}: the function returned no residuals. Return at least one.`);
  if (!isFloat(result.dtype as DType))
    throw new ArgumentError(
      `${op}: the function returned ${result.dtype}, which has no gradient. Return float32 or float64.`,
    );
  return result;
}
