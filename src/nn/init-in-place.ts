// The initialisers for parameters that are there already: each overwrites its first argument and returns it, under PyTorch's
// name with a trailing underscore.
//
//     model.apply((m) => {
//       if (m instanceof Linear) init.kaimingNormal_(m.weight, { nonlinearity: 'relu' });
//     });

import type { Shape } from '../tensor/library.js';
import { type Tensor, checkTensor } from '../tensor/tensor.js';
import * as init from './init.js';

/** `make` for the shape of a tensor, written into it. */
function inPlace<A extends readonly unknown[]>(make: (shape: Shape, ...args: A) => Tensor) {
  const name = `${make.name}_`;
  return <S extends Shape>(t: Tensor<S>, ...args: A): Tensor<S> => {
    checkTensor(t, name, 'the parameter');
    return t.assign_(make(t.shape, ...args));
  };
}

export const constant_ = inPlace<[value: number]>(init.constant);
export const zeros_ = inPlace<[]>(init.zeros);
export const ones_ = inPlace<[]>(init.ones);
export const eye_ = inPlace<[]>(init.eye);
export const dirac_ = inPlace<[groups?: number]>(init.dirac);
export const uniform_ = inPlace<[low?: number, high?: number]>(init.uniform);
export const normal_ = inPlace<[mean?: number, std?: number]>(init.normal);
export const truncNormal_ = inPlace<[mean?: number, std?: number, low?: number, high?: number]>(init.truncNormal);
export const sparse_ = inPlace<[sparsity: number, std?: number]>(init.sparse);
export const orthogonal_ = inPlace<[gain?: number]>(init.orthogonal);
export const kaimingUniform_ = inPlace<[options?: init.KaimingOptions]>(init.kaimingUniform);
export const kaimingNormal_ = inPlace<[options?: init.KaimingOptions]>(init.kaimingNormal);
export const xavierUniform_ = inPlace<[gain?: number]>(init.xavierUniform);
export const xavierNormal_ = inPlace<[gain?: number]>(init.xavierNormal);
