// A function of the user's that tells one number for each row of a matrix, captured: chains of a sampler, members of a population.

import { tensor } from '../../tensor/creation.js';
import { ArgumentError, formatShape, wrongKind } from '../../tensor/library.js';
import { type AnyTensor, Tensor } from '../../tensor/tensor.js';
import { captured } from '../minimize/captured.js';

type Rows = Tensor<[number, number], 'float64'>;

/** [rows, columns] → [rows] */
export type RowFunction = (x: Rows) => AnyTensor;

/** Row by row in, a number of each row out. `what` names the function in errors, `of` what a row is of: 'chains'. */
export function valuesOfRows(
  op: string,
  fn: RowFunction,
  what: string,
  of: string,
  [rows, columns]: readonly [number, number],
): (numbers: Float64Array) => Promise<ArrayLike<number>> {
  const program = captured((x: Rows) => {
    const result: unknown = fn(x);
    if (!(result instanceof Tensor))
      throw wrongKind(op, `what the ${what} returned`, result, `Return a tensor [${of}]`);
    if (result.size !== rows || result.rank > 2)
      throw new ArgumentError(
        `${op}: the ${what} of [${rows}, ${columns}] has shape ${formatShape(result.shape)}, not [${rows}]. Reduce over dimension 1: a number for each row.`,
      );
    return result.reshape([rows]) as Tensor;
  });
  return async (numbers) => {
    const x: Rows = tensor(numbers, { shape: [rows, columns], dtype: 'float64' });
    const result = await program(x);
    const values = (await result.data()) as ArrayLike<number>;
    x[Symbol.dispose]();
    return values;
  };
}
