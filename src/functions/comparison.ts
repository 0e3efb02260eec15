// Are tensors equal, or nearly so?

import { checkGiven, checkNumber } from '../engine/ir/arguments.js';
import type { DType } from '../engine/ir/dtype.js';
import type { Node } from '../engine/ir/node.js';
import { type OptionNames, checkOptions } from '../engine/ir/options.js';
import { type Shape, sameShape } from '../engine/ir/shape.js';
import { all } from '../tensor/reductions.js';
import { asFloat, promoted } from '../tensor/operands.js';
import type { Broadcast } from '../tensor/shape-types/broadcast.js';
import { type AnyTensor, type Tensor, nodeOf, wrap } from '../tensor/tensor.js';
import { ArgumentError } from '../engine/ir/errors.js';
import { absOf, add, binary, both, either, isBelow, isNaN, mul, scalar, sub, tensorsOf } from './operands.js';

export interface CloseOptions {
  /** Of the second operand's size. Default 1e-5. */
  readonly rtol?: number;
  /** Default 1e-8. */
  readonly atol?: number;
  /** NaN is close to NaN. Default false. */
  readonly equalNan?: boolean;
}

const CLOSE_OPTIONS: OptionNames<CloseOptions> = { rtol: true, atol: true, equalNan: true };

function close(op: string, a: AnyTensor, b: AnyTensor, options: CloseOptions | undefined): Node {
  const [x, y] = tensorsOf(op, a, b).map(asFloat);
  checkOptions(op, options, CLOSE_OPTIONS);
  const { rtol = 1e-5, atol = 1e-8, equalNan = false } = options ?? {};
  checkGiven(checkNumber, op, { rtol, atol });
  if (rtol < 0 || atol < 0)
    throw new ArgumentError(`${op}: ${rtol < 0 ? `rtol is ${rtol}` : `atol is ${atol}`}. Use a number of at least 0.`);
  const isSame = binary('eq', x, y);
  const equal = equalNan ? either(isSame, both(isNaN(x), isNaN(y))) : isSame;
  const distance = absOf(sub(x, y));
  const allowed = add(scalar(atol, y), absOf(mul(scalar(rtol, y), y)));
  return either(equal, both(isBelow(distance, Infinity), binary('le', distance, allowed)));
}

/** Where |a − b| ≤ atol + rtol · |b|; equal infinities are close. PyTorch: torch.isclose. */
export function isclose<S extends Shape, B extends Shape>(
  a: Tensor<S, DType>,
  b: Tensor<B, DType>,
  options?: CloseOptions,
): Tensor<Broadcast<S, B>, 'bool'> {
  return wrap(close('isclose', a, b, options));
}

const read = async (condition: Node): Promise<boolean> =>
  (await wrap<[], 'bool'>(all(condition, undefined, false)).item()) !== 0;

/** Is every element of a close to that of b (isclose)? Reads. PyTorch: torch.allclose. */
export async function allclose(a: AnyTensor, b: AnyTensor, options?: CloseOptions): Promise<boolean> {
  return read(close('allclose', a, b, options));
}

/** The same shape and the same numbers? NaN is equal to nothing. Reads. PyTorch: torch.equal. */
export async function equal(a: AnyTensor, b: AnyTensor): Promise<boolean> {
  const [x, y] = [nodeOf(a, 'equal', 'the first tensor'), nodeOf(b, 'equal', 'the second tensor')];
  if (!sameShape(x.shape, y.shape)) return false;
  return read(binary('eq', ...promoted(x, y, 'equal')));
}
