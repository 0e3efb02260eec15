// A function to be minimised, of one flat vector of float64: value and gradient, Hessian, products with it. Each is captured once
// (compile) and replayed at every evaluation.
//   the user's function and its start in; numbers in JavaScript's memory out.
// Must not know: how the minimum is searched for.

import { valueAndGrad } from '../../tensor/autograd.js';
import { hessian, hvp } from '../../tensor/jacobians.js';
import { checkFunction } from '../../tensor/library.js';
import type { AnyTensor, Tensor } from '../../tensor/tensor.js';
import { type Program, captured } from './captured.js';
import { type SearchStart, Unknowns, as, checkedScalar, joined } from './unknowns.js';

/** A place, and what the function is there. */
export interface Point {
  readonly x: Float64Array;
  readonly value: number;
  readonly gradient: Float64Array;
}

/** What a search needs of a function. */
export interface Evaluated {
  readonly size: number;
  /** How often value and gradient have been computed. */
  readonly evaluations: number;
  /** Differences of values up to this part of them are rounding. */
  readonly precision: number;
  at(x: Float64Array): Promise<Point>;
}

export class Objective implements Evaluated {
  /** How often value and gradient, the Hessian, and products with it have been computed. */
  evaluations = 0;
  hessians = 0;
  products = 0;
  readonly unknowns: Unknowns;
  precision: number;
  private readonly valueProgram: Program<[Tensor]>;
  private readonly hessianProgram: Program<[Tensor]>;
  private readonly productProgram: Program<[Tensor, Tensor]>;

  constructor(op: string, fn: (x: never) => AnyTensor, start: SearchStart) {
    checkFunction(op, fn, 'the function');
    const unknowns = (this.unknowns = new Unknowns(op, start));
    this.precision = unknowns.isWide ? ROUNDING.float64 : ROUNDING.float32;
    const value = (flat: Tensor): Tensor => {
      const result = checkedScalar(op, (fn as (x: unknown) => unknown)(unknowns.formed(flat)));
      if ((result.dtype as string) !== 'float64') this.precision = ROUNDING.float32;
      return as(result.reshape([]), 'float64');
    };
    this.valueProgram = captured((flat: Tensor) => {
      const { value: now, grads } = valueAndGrad(value)(flat);
      return joined([now, grads[0]]);
    });
    this.hessianProgram = captured((flat: Tensor) => hessian(value, flat));
    this.productProgram = captured((flat: Tensor, v: Tensor) => hvp(value, flat, v).product);
  }

  get size(): number {
    return this.unknowns.size;
  }

  async at(x: Float64Array): Promise<Point> {
    this.evaluations++;
    const both = await runOn(this.valueProgram, this.unknowns, [x], true);
    return { x, value: both[0], gradient: both.subarray(1) };
  }

  /** All second derivatives, row by row. */
  async hessian(x: Float64Array): Promise<Float64Array> {
    this.hessians++;
    return await runOn(this.hessianProgram, this.unknowns, [x]);
  }

  /** The Hessian times a vector. */
  async product(x: Float64Array, v: Float64Array): Promise<Float64Array> {
    this.products++;
    return await runOn(this.productProgram, this.unknowns, [x, v]);
  }
}

/** What a value of some hundred operations is wrong by, as a part of it. */
const ROUNDING = { float32: 5e-7, float64: 1e-15 };

/** A function of x that has parameters of its own, vectors which change between searches: multipliers, a place to stay near. */
export class ParametricObjective implements Evaluated {
  evaluations = 0;
  readonly unknowns: Unknowns;
  readonly precision: number;
  parameters: readonly Float64Array[] = [];
  private readonly program: Program;

  constructor(unknowns: Unknowns, value: (flat: Tensor, parameters: readonly Tensor[]) => Tensor) {
    this.unknowns = unknowns;
    this.precision = unknowns.isWide ? ROUNDING.float64 : ROUNDING.float32;
    this.program = captured((flat: Tensor, ...parameters: Tensor[]) => {
      const { value: now, grads } = valueAndGrad((x: Tensor) => value(x, parameters))(flat);
      return joined([now, grads[0]]);
    });
  }

  get size(): number {
    return this.unknowns.size;
  }

  async at(x: Float64Array): Promise<Point> {
    this.evaluations++;
    const both = await runOn(this.program, this.unknowns, [x, ...this.parameters], true);
    return { x, value: both[0], gradient: both.subarray(1) };
  }
}

/**
 * Runs a captured function on vectors and reads what it gives; the inputs are freed at once, and so is a result in memory of its own
 * (`isOwn`). A result may also be a tensor of the user's.
 */
export async function runOn<A extends Tensor[]>(
  program: Program<A>,
  unknowns: Unknowns,
  vectors: readonly Float64Array[],
  isOwn = false,
): Promise<Float64Array> {
  const inputs = vectors.map((v) => unknowns.flat(v)) as A;
  const result = await program(...inputs);
  const numbers = (await result.data()) as ArrayLike<number>;
  for (const t of inputs) t[Symbol.dispose]();
  if (isOwn) result[Symbol.dispose]();
  return numbers instanceof Float64Array ? numbers : Float64Array.from(numbers);
}
