// An array of NumPy's as a field of a dataset.

import type { NpyArray } from '../io/formats/npy.js';
import { FormatError } from '../tensor/library.js';
import { isFloat32Array, isFloat64Array, isUint8Array } from '../tensor/typed-arrays.js';
import type { Field } from './fields.js';

/**
 * An array as a field of an ArrayDataset, its first axis counting the items: uint8 and bool stay bytes, other integers become
 * int32 (FormatError if one does not fit), floats become float32.
 */
export function npyField({ dtype, shape, data }: NpyArray): Field {
  const [, ...item] = shape;
  if (shape.length === 0) throw new FormatError('npy: a single number has no items. Use its data.');
  if (isUint8Array(data)) return { data, shape: item };
  if (isFloat32Array(data) || isFloat64Array(data)) return { data: Float32Array.from(data), shape: item };
  const out = Int32Array.from(data as ArrayLike<number | bigint>, Number);
  const at = out.findIndex((v, i) => BigInt(v) !== BigInt(data[i]));
  if (at >= 0) throw new FormatError(`npy: element ${at} is ${data[at]} (${dtype}), which int32 cannot hold.`);
  return { data: out, shape: item };
}
