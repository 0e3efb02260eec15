// Quotients and numbers that are rounded. Names and meaning are PyTorch's.

import { checkChoice, checkWhole } from '../engine/ir/arguments.js';
import * as build from '../engine/ir/build.js';
import { type DType, isFloat } from '../engine/ir/dtype.js';
import type { Node } from '../engine/ir/node.js';
import { type OptionNames, checkOptions } from '../engine/ir/options.js';
import type { Shape } from '../engine/ir/shape.js';
import { arithmetic, floorDivide, rounding } from '../tensor/elementwise.js';
import { asNumber } from '../tensor/operands.js';
import { type AnyTensor, type Tensor, nodeOf, wrap } from '../tensor/tensor.js';
import { binary, both, constant, div as quotient, isBelow, mul, pairOf, scalar, unary, where } from './operands.js';

export interface DivOptions {
  /** 'floor': down; 'trunc': towards 0; integers stay integers then. Default: not at all. */
  readonly roundingMode?: 'floor' | 'trunc';
}

const DIV_OPTIONS: OptionNames<DivOptions> = { roundingMode: true };

/** a / b, which broadcast, rounded if it is asked for; without a gradient then. PyTorch: torch.div. */
export function div(a: AnyTensor, b: AnyTensor | number, options: DivOptions = {}): Tensor<number[]> {
  const op = 'div';
  const x = nodeOf(a, op, 'the first operand');
  const y = typeof b === 'number' ? b : nodeOf(b, op, 'the second operand');
  checkOptions(op, options, DIV_OPTIONS);
  const { roundingMode } = options;
  if (roundingMode === undefined) return wrap(arithmetic('div', x, y));
  checkChoice(op, 'roundingMode', roundingMode, ['floor', 'trunc']);
  if (roundingMode === 'floor') return wrap(floorDivide(x, y));
  const [p, q] = pairOf(op, a, b).map(asNumber);
  return wrap(isFloat(p.dtype) ? unary('trunc', quotient(p, q)) : towardsZero(p, q));
}

/** One more than the quotient that is rounded down, where that is below 0 and not exact. */
function towardsZero(p: Node, q: Node): Node {
  const down = binary('idiv', p, q);
  const isUp = both(isBelow(down, 0), binary('ne', mul(down, q), p));
  return where(isUp, build.add(down, constant(1, down)), down);
}

/** x to the nearest number with so many decimals, halves to the even one; below 0 to tens, hundreds, …. PyTorch: torch.round. */
export function round<S extends Shape, D extends DType>(x: Tensor<S, D>, decimals = 0): Tensor<S, D> {
  const node = nodeOf(x, 'round');
  checkWhole('round', 'decimals', decimals, -Infinity);
  if (decimals === 0 || !isFloat(node.dtype)) return wrap(rounding('round', node));
  const power = scalar(10 ** Math.abs(decimals), node);
  const [scaled, back] = decimals > 0 ? [mul, quotient] : [quotient, mul];
  return wrap(back(unary('round', scaled(node, power)), power));
}
