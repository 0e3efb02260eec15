// Numbers of the host as tensors on a device. 64-bit integers become int32, with a check that they fit.

import { full, tensor } from '../../tensor/creation.js';
import type { DType } from '../../tensor/library.js';
import type { AnyTensor, Tensor } from '../../tensor/tensor.js';
import type { HostArray } from '../host/array.js';
import { Unsupported } from '../operators/operator.js';
import { type ElementType, isIntType } from '../wire/elements.js';

const LOW = -0x80000000;
const HIGH = 0x7fffffff;
/** What is so large stands for infinity in graphs: the end of a slice, the fill of a minimum. */
const BOUNDLESS = 2 ** 62;

/** A whole number as int32. Throws where it does not fit. */
function fitted(value: number, type: ElementType): number {
  if (value >= LOW && value <= HIGH) return value;
  if (value >= BOUNDLESS) return HIGH;
  if (value <= -BOUNDLESS) return LOW;
  throw new Unsupported(`${value} of ${type} does not fit into int32, in which nabla computes whole numbers`);
}

/** The same number everywhere, in up to so many elements: looked for, since a device repeats it without storing it. */
const MOST_LOOKED_AT = 4096;

/** Numbers of a graph: those that are all the same are not stored. */
export function tensorOfHost(array: HostArray, dtype: DType, device: string): Tensor {
  const { type, shape, data } = array;
  const [first] = data;
  const isOne =
    data.length === 1 || (data.length > 1 && data.length <= MOST_LOOKED_AT && data.every((n) => n === first));
  if (!isOne) return storedTensor(array, dtype, device);
  const made: AnyTensor = full(shape, isIntType(type) ? fitted(first, type) : first, { dtype });
  return made as Tensor; // of whatever dtype: methods check it when they are called
}

/** Numbers in memory of their own: an input. */
export function storedTensor({ type, shape, data }: HostArray, dtype: DType, device: string): Tensor {
  const fits = !isIntType(type) || data instanceof Int32Array || data instanceof Uint8Array;
  const numbers = fits ? data : Int32Array.from(data, (value) => fitted(value, type));
  const made: AnyTensor = tensor(numbers, { shape, dtype, device });
  return made as Tensor;
}
