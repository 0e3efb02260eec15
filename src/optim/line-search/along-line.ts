// A function of tensors along a line, as line searches take it.

import { jvp } from '../../tensor/autograd.js';
import { checkFunction, ShapeError, formatShape, sameShape } from '../../tensor/library.js';
import { type AnyTensor, type Tensor, checkTensor } from '../../tensor/tensor.js';
import { scalarTensor } from '../../tensor/creation.js';
import { captured } from '../minimize/captured.js';
import { checkedScalar, joined } from '../minimize/unknowns.js';
import type { LineFunction } from './line.js';

/**
 * φ(step) = fn(x + step · direction) with its slope, as line searches take it; captured once and computed in float64 where x is.
 *
 *     const line = alongLine((v: Tensor) => v.square().sum(), x, direction);
 *     const { step } = await strongWolfe(line);
 */
export function alongLine(fn: (x: Tensor) => AnyTensor, x: Tensor, direction: Tensor): LineFunction {
  const op = 'alongLine';
  checkFunction(op, fn);
  checkTensor(x, op, 'x');
  checkTensor(direction, op, 'the direction');
  if (!sameShape(x.shape, direction.shape))
    throw new ShapeError(`${op}: x is ${formatShape(x.shape)}, the direction ${formatShape(direction.shape)}`, [
      x.shape,
      direction.shape,
    ]);
  let length = 0;
  const program = captured(() => {
    const at = x.add(direction.mul(scalarTensor(() => length))) as Tensor;
    const { value, tangent } = jvp((v) => checkedScalar(op, fn(v)), [at], [direction]);
    return joined([value, tangent]);
  });
  return async (step) => {
    length = step;
    const [value, slope] = Array.from(await (await program()).data(), Number);
    return { value, slope };
  };
}
