// All parameters as one vector, and back: for solvers and second-order methods, which know vectors alone.

import { cat } from '../tensor/functions.js';
import { withoutGrad } from '../tensor/grad-mode.js';
import { ArgumentError, checkIterable, formatShape, ShapeError } from '../tensor/library.js';
import { type Tensor, checkTensor } from '../tensor/tensor.js';

function listOf(op: string, parameters: Iterable<Tensor>): Tensor[] {
  checkIterable(op, 'the parameters', parameters, 'tensors');
  const list = [...parameters];
  list.forEach((p, i) => checkTensor(p, op, `parameter ${i}`));
  if (list.length === 0) throw new ArgumentError(`${op}: there are no parameters. Pass model.parameters().`);
  return list;
}

/** The numbers of all parameters one after the other, [their number], through which gradients flow. PyTorch: nn.utils.parameters_to_vector. */
export function parametersToVector(parameters: Iterable<Tensor>): Tensor<[number]> {
  const list = listOf('parametersToVector', parameters);
  return cat(list.map((p) => p.reshape([p.size]) as Tensor)) as Tensor<[number]>;
}

/**
 * Overwrites the parameters with the numbers of a vector, in their order, as `assign_` does. Throws ShapeError unless the vector has as many as
 * they have. PyTorch: nn.utils.vector_to_parameters.
 */
export function vectorToParameters(vector: Tensor<[number]>, parameters: Iterable<Tensor>): void {
  const op = 'vectorToParameters';
  checkTensor(vector, op, 'the vector');
  const list = listOf(op, parameters);
  const total = list.reduce((sum, p) => sum + p.size, 0);
  if (vector.rank !== 1 || vector.size !== total)
    throw new ShapeError(`${op}: ${formatShape(vector.shape)} for parameters of ${total} numbers`, [vector.shape]);
  withoutGrad(() => {
    let from = 0;
    for (const p of list) p.assign_(vector.slice(0, from, (from += p.size)).reshape(p.shape) as Tensor);
  });
}
