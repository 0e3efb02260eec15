// Shapes and dtypes of the functions of src/functions, where the types know them. Compiled by `npm run check`, never run.

import * as nabla from 'nabla';
import type { Tensor } from 'nabla';
import { expectTypeOf } from 'vitest';

const x = nabla.zeros([2, 3]);
const whole = nabla.zeros([2, 3], { dtype: 'int32' });
const mask = nabla.zeros([3], { dtype: 'bool' });
const labels = nabla.zeros([5], { dtype: 'int32' });

expectTypeOf(x.unbind(1)).toEqualTypeOf<Tensor<[2]>[]>();
expectTypeOf(nabla.select(x, 0, 1)).toEqualTypeOf<Tensor<[3]>>();
expectTypeOf(nabla.narrow(whole, 1, 0, 2)).toEqualTypeOf<Tensor<[2, 2], 'int32'>>();
expectTypeOf(nabla.swapaxes(x, 0, 1)).toEqualTypeOf<Tensor<[3, 2]>>();
expectTypeOf(x.clone()).toEqualTypeOf<Tensor<[2, 3]>>();
expectTypeOf(x.maskedFill(mask, 0)).toEqualTypeOf<Tensor<[2, 3]>>();
expectTypeOf(nabla.maskedSelect(whole, mask)).toEqualTypeOf<Promise<Tensor<[number], 'int32'>>>();
expectTypeOf(nabla.nonzero(x)).toEqualTypeOf<Promise<Tensor<[number, number], 'int32'>>>();
expectTypeOf(nabla.nonzero(x, { size: 4 })).toEqualTypeOf<Tensor<[number, number], 'int32'>>();
expectTypeOf(nabla.scatter(x, 0, whole, 1)).toEqualTypeOf<Tensor<[2, 3]>>();
expectTypeOf(x.median()).toEqualTypeOf<Tensor<[]>>();
expectTypeOf(x.median(1, { keepdim: true }).values).toEqualTypeOf<Tensor<[2, 1]>>();
expectTypeOf(nabla.mode(whole).indices).toEqualTypeOf<Tensor<[2], 'int32'>>();
expectTypeOf(nabla.cummax(whole, 0).values).toEqualTypeOf<Tensor<[2, 3], 'int32'>>();
expectTypeOf(nabla.stdMean(x, 0)).toEqualTypeOf<[std: Tensor<[3]>, mean: Tensor<[3]>]>();
expectTypeOf(nabla.countNonzero(x, [0, 1])).toEqualTypeOf<Tensor<[], 'int32'>>();
expectTypeOf(nabla.searchsorted(nabla.zeros([9]), x)).toEqualTypeOf<Tensor<[2, 3], 'int32'>>();
expectTypeOf(nabla.bincount(labels)).toEqualTypeOf<Promise<Tensor<[number], 'int32'>>>();
expectTypeOf(nabla.bincount(labels, { length: 4 })).toEqualTypeOf<Tensor<[4], 'int32'>>();
expectTypeOf(nabla.bincount(labels, { length: 4, weights: nabla.zeros([5]) })).toEqualTypeOf<Tensor<[4]>>();
expectTypeOf(nabla.bincount(labels, { length: 4, weights: labels })).toEqualTypeOf<Tensor<[4], 'float64'>>();
expectTypeOf(nabla.exponential([2], 1, { dtype: 'float64' })).toEqualTypeOf<Tensor<[2], 'float64'>>();
expectTypeOf(nabla.uniform([2, 3])).toEqualTypeOf<Tensor<[2, 3]>>();
expectTypeOf(nabla.normal(0, 1, [2], { dtype: 'float64' })).toEqualTypeOf<Tensor<[2], 'float64'>>();
expectTypeOf(nabla.indexPut(nabla.zeros([2, 3]), [nabla.zeros([2]).eq(0)], 1)).toEqualTypeOf<Tensor<[2, 3]>>();
expectTypeOf(nabla.histc(x, 8)).toEqualTypeOf<Tensor<[8]>>();
expectTypeOf(nabla.unique(whole)).toEqualTypeOf<Promise<Tensor<number[], 'int32'>>>();

// @ts-expect-error unbind: dimension 2 is out of range for [2, 3]
nabla.unbind(x, 2);
// @ts-expect-error a mask is bool
nabla.maskedFill(x, whole, 0);
