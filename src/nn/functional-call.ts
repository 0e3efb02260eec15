// Modules as functions of their parameters: for derivatives with respect to parameters given by name, gradients of each sample
// (vmap over grad), and several models of one kind as one (stackModuleState).

import { stack } from '../tensor/functions.js';
import {
  ArgumentError,
  checkList,
  checkRecord,
  DTypeError,
  formatShape,
  sameShape,
  ShapeError,
} from '../tensor/library.js';
import { withValues } from '../tensor/swapped-values.js';
import { type AnyTensor, type Tensor, checkTensor } from '../tensor/tensor.js';
import type { OutputOf } from './hooks.js';
import { Module } from './module.js';
import { Buffer, Parameter } from './parameter.js';

/** Tensors by the names of a state dict. */
export type NamedTensors = Readonly<Record<string, AnyTensor>>;

function checkModule(op: string, module: unknown, what = 'the module'): void {
  if (!(module instanceof Module)) throw new ArgumentError(`${op}: ${what} is no module. Pass one: new Linear(2, 1).`);
}

/**
 * What `module.forward(...inputs)` gives with other tensors in the place of its parameters and buffers, by their names in the state dict;
 * those that are not named are its own. The module stays as it is. A parameter that several parts share has its first name, or any of its
 * names. PyTorch: torch.func.functional_call.
 *
 *     const parameters = Object.fromEntries(model.namedParameters());
 *     const gradients = grad((p: Record<string, Tensor>) => mseLoss(functionalCall(model, p, x), y))(parameters);
 */
export function functionalCall<M extends Module & { forward(...inputs: never[]): unknown }>(
  module: M,
  state: NamedTensors,
  ...inputs: readonly unknown[]
): OutputOf<M> {
  const op = 'functionalCall';
  checkModule(op, module);
  checkRecord(op, 'the state', state, 'tensors');
  const own = module.stateDict();
  const swapped = new Map<AnyTensor, AnyTensor>();
  for (const [key, tensor] of Object.entries(state)) {
    checkTensor(tensor, op, `'${key}'`);
    if (!Object.hasOwn(own, key))
      throw new ArgumentError(
        `${op}: ${module.constructor.name} has no parameter or buffer '${key}'. There are ${Object.keys(own).join(', ')}.`,
      );
    const { shape, dtype } = own[key];
    if (!sameShape(tensor.shape, shape))
      throw new ShapeError(`${op}: '${key}' is ${formatShape(tensor.shape)}, the module's ${formatShape(shape)}`, [
        tensor.shape,
        shape,
      ]);
    if (tensor.dtype !== dtype)
      throw new DTypeError(`${op}: '${key}' is ${tensor.dtype}, the module's ${dtype}. Convert with to('${dtype}').`, [
        tensor.dtype,
        dtype,
      ]);
    const before = swapped.get(own[key]);
    if (before !== undefined && before !== tensor)
      throw new ArgumentError(`${op}: '${key}' is shared under several names, which are given different tensors.`);
    swapped.set(own[key], tensor);
  }
  return withValues(swapped, () => {
    const result = (module.forward as (...given: readonly unknown[]) => unknown)(...inputs);
    if (typeof result === 'object' && result !== null && 'then' in result) {
      Promise.resolve(result as PromiseLike<unknown>).catch(() => {}); // the error is this one
      throw new ArgumentError(`${op}: forward is asynchronous, and the module has its own parameters again meanwhile.`);
    }
    return result as OutputOf<M>;
  });
}

/**
 * The parameters and buffers of several models of one kind, each stacked along a new first dimension: what `vmap` runs them all on.
 * The parameters are new ones, to be trained by an optimiser of their own. PyTorch: torch.func.stack_module_state.
 *
 *     const { parameters, buffers } = stackModuleState(models);
 *     const all = vmap((p, b, x) => functionalCall(models[0], { ...p, ...b }, x), { inDims: [0, 0, null] });
 */
export function stackModuleState(models: readonly Module[]): {
  parameters: Record<string, Parameter>;
  buffers: Record<string, Buffer>;
} {
  const op = 'stackModuleState';
  checkList(op, 'the models', models, 'modules');
  if (models.length === 0) throw new ArgumentError(`${op}: there are no models. Give at least one.`);
  models.forEach((model, i) => checkModule(op, model, `model ${i}`));
  const [{ name }] = models.map((model) => model.constructor);
  const stacked = <T>(
    list: (model: Module) => readonly (readonly [string, Tensor])[],
    make: (values: Tensor) => T,
  ): Record<string, T> => {
    const all = models.map(list);
    const made: Record<string, T> = {};
    all[0].forEach(([key, { shape }], i) => {
      const each = all.map((entries, m) => {
        const entry = entries[i];
        if (entries.length !== all[0].length || entry[0] !== key || !sameShape(entry[1].shape, shape))
          throw new ArgumentError(
            `${op}: model ${m} has not the parameters and buffers of model 0, a ${name}. Stack models of one kind and size.`,
          );
        return entry[1];
      });
      made[key] = make(stack(each).detach() as Tensor);
    });
    return made;
  };
  return {
    parameters: stacked(
      (model) => model.namedParameters(),
      (values) => new Parameter(values),
    ),
    buffers: stacked(
      (model) => model.namedBuffers() as [string, Tensor][],
      (values) => new Buffer(values),
    ),
  };
}
