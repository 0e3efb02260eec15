// What a stored state has to look like: names of fields, kinds, and sizes that have to agree with each other.
// A size has a name; the first field that has it says how large it is. `features` and `classes` are fields of their own.

import { FormatError } from '../tensor/library.js';
import { isFloat32Array, isFloat64Array, isInt32Array } from '../tensor/typed-arrays.js';
import type { Matrix } from './rows.js';

type Size = string | number;

export type Spec =
  | 'count'
  | 'number'
  | 'flag'
  | 'text'
  | 'labels'
  | 'numbers'
  | 'object'
  | { readonly floats: readonly Size[] }
  | { readonly ints: Size }
  | { readonly either: readonly [null, Spec] };

/** A vector or a matrix of real numbers. */
export const floats = (...sizes: readonly Size[]): Spec => ({ floats: sizes });
export const ints = (size: Size): Spec => ({ ints: size });
export const orNull = (spec: Spec): Spec => ({ either: [null, spec] });

/** Throws FormatError for the first field that is missing or does not fit. */
export function checkFields(
  name: string,
  state: Readonly<Record<string, unknown>>,
  specs: Readonly<Record<string, Spec>>,
): void {
  const sizes = new Map<string, number>();
  for (const [field, spec] of Object.entries(specs)) {
    if (fits(state[field], spec, field, sizes)) continue;
    throw new FormatError(`loadEstimator: '${field}' of the ${name} is missing or damaged.`);
  }
}

function fits(value: unknown, spec: Spec, field: string, sizes: Map<string, number>): boolean {
  if (typeof spec === 'object') {
    if ('either' in spec) return value === null || fits(value, spec.either[1], field, sizes);
    if ('ints' in spec) return isInt32Array(value) && agrees(spec.ints, value.length, sizes);
    if (spec.floats.length === 1) return isFloats(value) && agrees(spec.floats[0], value.length, sizes);
    const matrix = value as Partial<Matrix> | null | undefined;
    return (
      typeof matrix === 'object' &&
      matrix !== null &&
      isFloats(matrix.data) &&
      typeof matrix.rows === 'number' &&
      typeof matrix.columns === 'number' &&
      agrees(spec.floats[0], matrix.rows, sizes) &&
      agrees(spec.floats[1], matrix.columns, sizes)
    );
  }
  switch (spec) {
    case 'count':
      return Number.isSafeInteger(value) && (value as number) >= 0 && agrees(field, value as number, sizes);
    case 'number':
      return typeof value === 'number';
    case 'flag':
      return typeof value === 'boolean';
    case 'text':
      return typeof value === 'string';
    case 'object':
      return typeof value === 'object' && value !== null;
    case 'numbers':
      return Array.isArray(value) && value.every((part) => typeof part === 'number');
    case 'labels':
      return (
        Array.isArray(value) &&
        value.length > 0 &&
        value.every((part) => typeof part === 'number' || typeof part === 'string') &&
        agrees(field, value.length, sizes)
      );
  }
}

function isFloats(value: unknown): value is Float32Array | Float64Array {
  return isFloat32Array(value) || isFloat64Array(value);
}

function agrees(size: Size, found: number, sizes: Map<string, number>): boolean {
  if (typeof size === 'number') return size === found;
  const known = sizes.get(size);
  if (known === undefined) sizes.set(size, found);
  return known === undefined || known === found;
}
