// Residuals to be made small, as a function of one flat vector of float64: their values, the Jacobian, and products with it from both
// sides. Each is captured once (compile) and replayed.
// Must not know: how the minimum is searched for, and robust losses.

import { jvp, vjp } from '../../tensor/autograd.js';
import { jacfwd, jacrev } from '../../tensor/jacobians.js';
import { ArgumentError, type DType, checkFunction, isFloat, wrongKind } from '../../tensor/library.js';
import { type AnyTensor, Tensor } from '../../tensor/tensor.js';
import { type Program, captured } from '../minimize/captured.js';
import { runOn } from '../minimize/objective.js';
import { type SearchStart, Unknowns, as } from '../minimize/unknowns.js';

export type JacobianMode = 'forward' | 'reverse';

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

  constructor(op: string, fn: (x: never) => AnyTensor, start: SearchStart) {
    checkFunction(op, fn, 'the function');
    const unknowns = (this.unknowns = new Unknowns(op, start));
    const residuals = (flat: Tensor): Tensor => {
      const given = checkedResiduals(op, (fn as (x: unknown) => unknown)(unknowns.formed(flat)));
      return as(given.reshape([given.size]) as Tensor, 'float64');
    };
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
