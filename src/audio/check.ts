// What the functions of this room check alike.

import {
  DTypeError,
  type FloatDType,
  ShapeError,
  type Shape,
  checkChoice,
  formatShape,
  isFloat,
} from '../tensor/library.js';
import { type AnyTensor, type Tensor, checkTensor } from '../tensor/tensor.js';

/** Throws unless `dtype` is one of real numbers. */
export function checkFloatDType(op: string, dtype: FloatDType): void {
  checkChoice(op, 'dtype', dtype, ['float32', 'float64', 'float16', 'bfloat16']);
}

/** The signal [..., time] as real numbers. */
export function signalOf(op: string, x: AnyTensor): Tensor {
  return lastDims(op, x, 1, 'the signal', '[time] or [..., time]');
}

/** Spectra [..., frequencies, time] as real numbers. */
export function spectraOf(op: string, x: AnyTensor, what = 'the spectrogram'): Tensor {
  return lastDims(op, x, 2, what, '[..., frequencies, time]');
}

function lastDims(op: string, x: AnyTensor, least: number, what: string, needs: string): Tensor;
function lastDims(op: string, x: AnyTensor, least: number, what: string, needs: string): AnyTensor {
  checkTensor(x, op, what);
  if (x.dtype === 'bool') throw new DTypeError(`${op}: ${what} is bool. Convert with to('float32').`, ['bool']);
  if (x.rank < least || x.shape.slice(-least).includes(0))
    throw new ShapeError(`${op}: ${what} ${formatShape(x.shape)}: needs ${needs}, none of them empty`, [x.shape]);
  return isFloat(x.dtype) ? x : x.to('float32');
}

/** Calls `f` with the dimensions before the last `kept` as one, and gives its result the same dimensions again. */
export function overBatch(x: Tensor, kept: number, f: (x: Tensor) => Tensor): Tensor {
  const batch: Shape = x.shape.slice(0, x.rank - kept);
  const y = f(x.reshape([-1, ...x.shape.slice(x.rank - kept)]));
  return y.reshape([...batch, ...y.shape.slice(1)]);
}
