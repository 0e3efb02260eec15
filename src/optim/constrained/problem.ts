// A function and its constraints, of one flat vector of float64: values, gradients, Jacobians, and the Hessian of the Lagrangian, each
// captured once.
//   the user's functions and the start in; numbers in JavaScript's memory out.

import { valueAndGrad } from '../../tensor/autograd.js';
import { hessian, jacrev } from '../../tensor/jacobians.js';
import { ArgumentError, type DType, checkFunction, isFloat, wrongKind } from '../../tensor/library.js';
import { type AnyTensor, Tensor } from '../../tensor/tensor.js';
import { type Program, captured } from '../minimize/captured.js';
import { runOn } from '../minimize/objective.js';
import { type SearchStart, Unknowns, as, checkedScalar, joined } from '../minimize/unknowns.js';

type Fn = (x: never) => AnyTensor;

/** All that is known of the problem at a place, but for second derivatives. */
export interface ConstrainedPoint {
  readonly x: Float64Array;
  readonly value: number;
  readonly gradient: Float64Array;
  /** h(x), which is to be 0, and its Jacobian, row by row. */
  readonly h: Float64Array;
  readonly hJacobian: Float64Array;
  /** g(x), which is to be at most 0. */
  readonly g: Float64Array;
  readonly gJacobian: Float64Array;
}

export class ConstrainedProblem {
  evaluations = 0;
  readonly unknowns: Unknowns;
  /** Flat functions; of no constraints there is none. */
  readonly objective: (flat: Tensor) => Tensor;
  readonly equalities: ((flat: Tensor) => Tensor) | undefined;
  readonly inequalities: ((flat: Tensor) => Tensor) | undefined;
  private readonly program: Program<[Tensor]>;
  private readonly hessianProgram: Program;
  private counts: { h: number; g: number } = { h: 0, g: 0 };

  constructor(op: string, fn: Fn, start: SearchStart, equalities: Fn | undefined, inequalities: Fn | undefined) {
    checkFunction(op, fn, 'the function');
    const unknowns = (this.unknowns = new Unknowns(op, start));
    const called = (f: Fn, flat: Tensor): unknown => (f as (x: unknown) => unknown)(unknowns.formed(flat));
    this.objective = (flat) => as(checkedScalar(op, called(fn, flat)).reshape([]), 'float64');
    const constraint = (f: Fn | undefined, what: string): ((flat: Tensor) => Tensor) | undefined => {
      if (f === undefined) return undefined;
      checkFunction(op, f, what);
      return (flat) => checkedConstraint(op, what, called(f, flat));
    };
    this.equalities = constraint(equalities, 'equalities');
    this.inequalities = constraint(inequalities, 'inequalities');
    const { equalities: h, inequalities: g } = this;
    this.program = captured((flat: Tensor) => {
      const { value, grads } = valueAndGrad(this.objective)(flat);
      const parts = [h, g].flatMap((f) => (f === undefined ? [] : [f(flat), jacrev(f)(flat) as Tensor]));
      this.counts = { h: h === undefined ? 0 : parts[0].size, g: g === undefined ? 0 : parts[parts.length - 2].size };
      return joined([value, grads[0], ...parts]);
    });
    this.hessianProgram = captured((flat: Tensor, y: Tensor, z: Tensor) =>
      hessian((x) => {
        let sum = this.objective(x);
        if (h !== undefined)
          sum = sum.add(
            h(x)
              .mul(y.slice(0, 0, this.counts.h))
              .sum(),
          ) as Tensor;
        if (g !== undefined)
          sum = sum.add(
            g(x)
              .mul(z.slice(0, 0, this.counts.g))
              .sum(),
          ) as Tensor;
        return sum;
      }, flat),
    );
  }

  get size(): number {
    return this.unknowns.size;
  }

  async at(x: Float64Array): Promise<ConstrainedPoint> {
    this.evaluations++;
    const all = await runOn(this.program, this.unknowns, [x], true);
    const { size } = this;
    const { h, g } = this.counts;
    let from = 1;
    const next = (length: number): Float64Array => all.subarray(from, (from += length));
    return {
      x,
      value: all[0],
      gradient: next(size),
      h: next(h),
      hJacobian: next(h * size),
      g: next(g),
      gJacobian: next(g * size),
    };
  }

  /** Second derivatives of f + yᵀh + zᵀg, row by row. */
  async hessian(x: Float64Array, y: Float64Array, z: Float64Array): Promise<Float64Array> {
    const some = (v: Float64Array): Float64Array => (v.length === 0 ? new Float64Array(1) : v); // no tensor is empty
    return await runOn(this.hessianProgram, this.unknowns, [x, some(y), some(z)]);
  }
}

function checkedConstraint(op: string, what: string, result: unknown): Tensor {
  if (!(result instanceof Tensor))
    throw wrongKind(op, `what ${what} returned`, result, 'Return a tensor, a number for each constraint');
  if (result.size === 0)
    throw new ArgumentError(`${op}: ${what} returned nothing. Leave it out, or return a number for each constraint.`);
  if (!isFloat(result.dtype as DType))
    throw new ArgumentError(
      `${op}: ${what} returned ${result.dtype}, which has no gradient. Return float32 or float64.`,
    );
  return as(result.reshape([result.size]), 'float64');
}
