// Deep copies of modules: the same structure and options, parameters and buffers of their own with the same numbers.
// Fields are followed as plain properties; what is shared inside the original is shared inside the copy.

import { wrongKind } from '../tensor/library.js';
import { Tensor } from '../tensor/tensor.js';
import { Module } from './module.js';
import { registerModule } from './module-guards.js';
import { Buffer, Parameter } from './parameter.js';

/** What a copy has of its own; anything else (numbers, functions, options) is taken over as it is. */
function isCopied(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  return value instanceof Module || Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
}

/**
 * A module of the same class with copies of all parameters and buffers. Hooks are not copied. The constructor is not
 * called, so that a class with `#` fields has to override nothing but cannot be copied. Python: copy.deepcopy.
 */
export function deepCopy<M extends Module>(module: M): M {
  if (!(module instanceof Module)) throw wrongKind('deepCopy', 'the argument', module, 'Pass a module');
  const copies = new Map<object, object>();
  const visit = (value: unknown): unknown => {
    if (value instanceof Tensor || isCopied(value)) {
      const known = copies.get(value as object);
      if (known !== undefined) return known;
    }
    if (value instanceof Parameter) return remember(value, copyParameter(value));
    if (value instanceof Buffer) return remember(value, new Buffer(value.detach()));
    if (!isCopied(value)) return value;
    const copy = Array.isArray(value) ? [] : (Object.create(Object.getPrototypeOf(value) as object) as object);
    copies.set(value, copy);
    for (const [name, field] of Object.entries(value)) (copy as Record<string, unknown>)[name] = visit(field);
    if (copy instanceof Module) {
      registerModule(copy);
      copy.training = (value as Module).training;
    }
    return copy;
  };
  const remember = (value: object, copy: object): object => {
    copies.set(value, copy);
    return copy;
  };
  return visit(module) as M;
}

function copyParameter(parameter: Parameter): Parameter {
  const copy = new Parameter(parameter.detach());
  return parameter.requiresGrad ? copy : copy.requiresGrad_(false);
}
