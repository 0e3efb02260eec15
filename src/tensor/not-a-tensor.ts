// What is said to a caller who passes something else where a tensor is asked for.
//   The call, the argument's name and what was passed in; an error out.
// Must not know: the class Tensor.

import { refuseOtherCopy } from '../engine/ir/copies.js';
import { ArgumentError } from '../engine/ir/errors.js';
import { shown } from '../engine/ir/shape.js';
import { typedArrayKind } from './typed-arrays.js';

/** `what` names the argument: 'the other matrix'. */
export function notATensor(op: string, what: string, value: unknown): ArgumentError {
  refuseOtherCopy(op, value);
  return new ArgumentError(`${op}: ${what} ${faultOf(value)}`);
}

function faultOf(value: unknown): string {
  if (value === undefined) return 'is missing. Pass a tensor.';
  if (Array.isArray(value)) {
    if (value.some((v) => isTensorLike(v)))
      return 'is a list of tensors, where one tensor is asked for. Join them with stack() or cat(), or pass each by itself.';
    return `is a plain list, not a tensor. Make one of it: tensor(${listText(value)}).`;
  }
  if (typeof value === 'number' || typeof value === 'boolean')
    return `is ${String(value)}, not a tensor. Make one of it: tensor(${String(value)}).`;
  if (isPromise(value)) return 'is a promise. Await it first.';
  if (typedArrayKind(value) !== undefined)
    return `is a ${shown(value)}, not a tensor. Make one of it: tensor(values, { shape: […] }).`;
  if (typeof value === 'object' && value !== null && 'forward' in value)
    return `is a module (${shown(value)}), not a tensor. Pass what its forward() gives.`;
  return `is ${shown(value)}, not a tensor. Pass a tensor.`;
}

function isTensorLike(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'dtype' in value && 'shape' in value;
}

export function isPromise(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

/** A short list as it is written, a long one as an ellipsis. */
function listText(value: readonly unknown[]): string {
  const text = JSON.stringify(value) ?? '';
  return text.length <= 24 ? text.replaceAll(',', ', ') : '[…]';
}
