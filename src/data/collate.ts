// Collation: items put together to a batch of tensors, field by field.
// List of items in, one value of tensors out. Must not know: where items come from.

import { tensor } from '../tensor/creation.js';
import { stack } from '../tensor/functions.js';
import {
  ArgumentError,
  type DType,
  type Shape,
  formatShape,
  sameShape,
  sizeOf,
  checkIterable,
} from '../tensor/library.js';
import { type AnyTensor, Tensor } from '../tensor/tensor.js';
import type { Field, FieldData } from './fields.js';
import { allocate } from './sample-steps.js';
import { isFloat32Array, isInt32Array, isUint8Array } from '../tensor/typed-arrays.js';

type DTypeOfData<D> = D extends Int32Array ? 'int32' : 'float32';

/**
 * Items put together: numbers to a vector, truth values to one of bool, strings to a list, tensors, typed arrays and
 * `{ data, shape }` (an image, for example) to one tensor with a batch dimension, records field by field.
 */
export type Collated<I> =
  I extends Tensor<infer S extends Shape, infer D extends DType>
    ? Tensor<[number, ...S], D>
    : I extends number
      ? Tensor<[number]>
      : I extends boolean
        ? Tensor<[number], 'bool'>
        : I extends string
          ? string[]
          : I extends FieldData
            ? Tensor<[number, number], DTypeOfData<I>>
            : I extends Field<infer D, infer S>
              ? Tensor<[number, ...S], DTypeOfData<D>>
              : { [K in keyof I]: Collated<I[K]> };

/** Puts items into one batch: see `Collated`. PyTorch: default_collate. */
export function collate<I>(items: readonly I[]): Collated<I>;
export function collate(items: readonly unknown[]): unknown {
  checkIterable('collate', 'the argument', items, 'items');
  const [first] = items;
  if (first instanceof Tensor) return stack(items as AnyTensor[]);
  if (typeof first === 'number') return tensor(items as number[]);
  if (typeof first === 'boolean') return tensor(items as boolean[], { dtype: 'bool' });
  if (typeof first === 'string') return [...items];
  if (isData(first)) {
    return stackFields((items as FieldData[]).map((data) => ({ data, shape: [data.length] })));
  }
  if (isField(first)) return stackFields(items as Field[]);
  if (typeof first === 'object' && first !== null) {
    const fields = items as readonly Record<string, unknown>[];
    return Object.fromEntries(Object.keys(first).map((name) => [name, collate(fields.map((item) => item[name]))]));
  }
  throw new ArgumentError(
    `DataLoader: cannot put ${first === null ? 'null' : `a ${typeof first}`} into a batch. Use numbers, tensors, Float32Array, Int32Array, Uint8Array, images, or records of these, or give the DataLoader a collate function.`,
  );
}

function isData(value: unknown): value is FieldData {
  return isFloat32Array(value) || isInt32Array(value) || isUint8Array(value);
}

function isField(value: unknown): value is Field {
  const { data, shape } = (value ?? {}) as Partial<Field>;
  return isData(data) && Array.isArray(shape);
}

function stackFields(fields: readonly Field[]): AnyTensor {
  const [first] = fields;
  const size = sizeOf(first.shape);
  const data = allocate(first.data, fields.length * size);
  fields.forEach((field, i) => {
    if (!sameShape(field.shape, first.shape) || field.data.length !== size) {
      throw new ArgumentError(
        `DataLoader: items of shapes ${formatShape(first.shape)} and ${formatShape(field.shape)} in one batch. Make them equal, or give the DataLoader a collate function.`,
      );
    }
    data.set(field.data, i * size);
  });
  const dtype = isInt32Array(data) ? 'int32' : 'float32';
  return tensor(data as Float32Array, { shape: [fields.length, ...first.shape], dtype });
}
