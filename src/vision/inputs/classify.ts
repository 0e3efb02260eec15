// What the functions that differentiate by a picture share: they take the network as a function from pictures to logits, whatever is in
// it (a normalisation, a model, one of several outputs), and look at each picture alone.

import { DTypeError, ShapeError, formatShape } from '../../tensor/library.js';
import { grad } from '../../tensor/autograd.js';
import { type AnyTensor, type Tensor, checkTensor } from '../../tensor/tensor.js';
import { realOf } from '../check.js';

export type Pictures = Tensor<[number, number, number, number]>;
export type ClassList = Tensor<[number], 'int32'>;

/**
 * Pictures [N, C, H, W] → logits [N, classes]: `(x) => model.forward(x)`, the model in evaluation mode. What happens to one picture must not
 * depend on the others of its batch, which it does in a batch normalisation that trains.
 */
export type Classify = (x: Pictures) => AnyTensor;

export function checkedPictures(op: string, x: Pictures): Pictures {
  checkTensor(x, op, 'the pictures');
  if (x.rank !== 4 || x.shape.includes(0))
    throw new ShapeError(`${op}: pictures ${formatShape(x.shape)}: need [N, C, H, W], none of them 0`, [x.shape]);
  return realOf(op, x, 'the pictures').detach() as Pictures;
}

/** The logits of so many pictures. */
export function logitsOf(op: string, classify: Classify, x: Pictures): Tensor {
  const logits: AnyTensor = classify(x);
  checkTensor(logits, op, 'what the function returned');
  if (logits.rank !== 2 || logits.shape[0] !== x.shape[0])
    throw new ShapeError(
      `${op}: the function returned ${formatShape(logits.shape)} for ${x.shape[0]} pictures: needs logits [N, classes]`,
      [logits.shape],
    );
  return realOf(op, logits, 'the logits');
}

/** A class for each picture. */
export function checkClasses(op: string, classes: ClassList, count: number, what = 'classes'): void {
  checkTensor(classes, op, what);
  if (classes.dtype !== 'int32')
    throw new DTypeError(`${op}: ${what} are ${String(classes.dtype)}. Convert with to('int32').`, [classes.dtype]);
  if (classes.rank !== 1 || classes.shape[0] !== count)
    throw new ShapeError(`${op}: ${what} ${formatShape(classes.shape)}: need [${count}], one for each picture`, [
      classes.shape,
    ]);
}

/** The sum over the pictures of the logit of one class of each: of `classes`, else of the largest. */
export function chosenLogits(logits: Tensor, classes: ClassList | undefined): Tensor {
  const chosen: ClassList = classes ?? (logits.detach().argmax(1) as ClassList);
  return logits.gather(1, chosen.unsqueeze(1)).sum();
}

/** The gradient by a tensor, as a tensor like any other. */
export function gradientBy(x: Tensor, fn: (x: Tensor) => Tensor): Tensor {
  return grad((at: Tensor) => fn(at))(x).detach();
}
