// Result shapes of every rule of the shape algebra, for shapes that are known.
// A row reads: rule and arguments, the shape it gives. Compiled by `npm run check`, never run.

import { expectTypeOf } from 'vitest';
import type { Add, Divide, DivideFloor, Multiply, Subtract } from '../../src/tensor/shape-types/arithmetic.js';
import type { Broadcast, Expand } from '../../src/tensor/shape-types/broadcast.js';
import type { IndexSelect, OneHot, Resize, Select, Slice } from '../../src/tensor/shape-types/indexing.js';
import type { Concat, Stack } from '../../src/tensor/shape-types/join.js';
import type { MatMul } from '../../src/tensor/shape-types/matmul.js';
import type { Permute, Squeeze, Transpose, Unsqueeze } from '../../src/tensor/shape-types/movement.js';
import type { ShapeOf } from '../../src/tensor/shape-types/nested-array.js';
import type { Reduce } from '../../src/tensor/shape-types/reduce.js';
import type { Flatten, Reshape, SizeOf } from '../../src/tensor/shape-types/reshape.js';
import type {
  AdaptivePoolShape,
  Conv1dShape,
  Conv2dShape,
  ConvOf,
  ConvShape,
  ConvTransposeShape,
  PoolShape,
  UpsampleShape,
} from '../../src/tensor/shape-types/window.js';
import { expectShapes, cat, conv2d, stack, tensor, type Tensor } from './expect.test-d.js';

// ---------------------------------------------------------------- arithmetic

expectShapes<[Add<0, 0>, Add<999, 1>, Add<1, 999>, Add<1234, 8766>, Add<5, 123456>]>().toBe<
  [0, 1000, 1000, 10000, 123461]
>();
expectShapes<[Subtract<1000, 1>, Subtract<7, 7>, Subtract<3, 4>, Subtract<99, 100>, Subtract<100, 99>]>().toBe<
  [999, 0, 'negative', 'negative', 1]
>();
expectShapes<[Multiply<784, 64>, Multiply<0, 123>, Multiply<99, 99>, Multiply<65536, 32767>]>().toBe<
  [50176, 0, 9801, 2147418112]
>();
expectShapes<[Divide<784, 28>, Divide<7, 9>, Divide<100, 7>, Divide<2147483647, 1000>, Divide<5, 0>]>().toBe<
  [[28, 0], [0, 7], [14, 2], [2147483, 647], [number, number]]
>();
expectShapes<[DivideFloor<223, 2>, Add<number, 1>, Add<1 | 2, 1>, Multiply<-1, 3>, Add<0.5, 1>]>().toBe<
  [111, number, number, number, number]
>();

// ---------------------------------------------------------------- creation

expectShapes<
  [ShapeOf<3>, ShapeOf<readonly []>, ShapeOf<readonly [1, 2, 3]>, ShapeOf<readonly [readonly [1], readonly [2]]>]
>().toBe<[[], [0], [3], [2, 1]]>();
expectTypeOf(tensor(3)).toEqualTypeOf<Tensor<[]>>();
expectTypeOf(tensor([])).toEqualTypeOf<Tensor<[0]>>();
expectTypeOf(
  tensor([
    [1, 2],
    [3, 4],
  ]),
).toEqualTypeOf<Tensor<[2, 2]>>();
expectTypeOf(tensor([[[true, false, true]], [[false, false, true]]])).toEqualTypeOf<Tensor<[2, 1, 3], 'bool'>>();
expectTypeOf(tensor(new Float32Array(3))).toEqualTypeOf<Tensor<[number]>>();
expectTypeOf(tensor([new Float32Array(3), new Float32Array(3)])).toEqualTypeOf<Tensor<[2, number]>>();

// ---------------------------------------------------------------- broadcasting

expectShapes<
  [Broadcast<[2, 3], [3]>, Broadcast<[2, 1, 3], [4, 1]>, Broadcast<[], [2]>, Broadcast<[5, 1], [1, 7]>]
>().toBe<[[2, 3], [2, 4, 3], [2], [5, 7]]>();
expectShapes<[Broadcast<[2, 3], [2, 3]>, Broadcast<[0, 1], [0, 5]>, Broadcast<[1], [0]>]>().toBe<
  [[2, 3], [0, 5], [0]]
>();
expectShapes<[Expand<[1, 3], [5, 3]>, Expand<[1, 3], [4, -1, 3]>, Expand<[3, 1], [-1, 4]>, Expand<[], [2]>]>().toBe<
  [[5, 3], [4, 1, 3], [3, 4], [2]]
>();

// ---------------------------------------------------------------- matrix product

expectShapes<[MatMul<[64, 784], [784, 10]>, MatMul<[3], [3]>, MatMul<[3], [3, 4]>, MatMul<[2, 3], [3]>]>().toBe<
  [[64, 10], [], [4], [2]]
>();
expectShapes<
  [
    MatMul<[5, 2, 3], [5, 3, 4]>,
    MatMul<[5, 2, 3], [3, 4]>,
    MatMul<[5, 1, 2, 3], [7, 3, 4]>,
    MatMul<[3], [5, 3, 4]>,
    MatMul<[5, 2, 3], [3]>,
  ]
>().toBe<[[5, 2, 4], [5, 2, 4], [5, 7, 2, 4], [5, 4], [5, 2]]>();

// ---------------------------------------------------------------- reductions

expectShapes<[Reduce<[2, 3, 4]>, Reduce<[2, 3, 4], 0>, Reduce<[2, 3, 4], -1>, Reduce<[2, 3, 4], [0, -1]>]>().toBe<
  [[], [3, 4], [2, 3], [3]]
>();
expectShapes<
  [
    Reduce<[2, 3, 4], 1, true>,
    Reduce<[2, 3, 4], readonly [0, 2], true>,
    Reduce<[2, 3], undefined, true>,
    Reduce<[2, 3], [], false>,
    Reduce<[2, 3], [], true>,
    Reduce<[], 0>,
    Reduce<[], -1, true>,
    Reduce<[2, 3], 0, undefined>,
  ]
>().toBe<[[2, 1, 4], [1, 3, 1], [1, 1], [2, 3], [2, 3], [], [], [3]]>();

// ---------------------------------------------------------------- movement

expectShapes<
  [Permute<[2, 3, 4], [2, 0, 1]>, Permute<[2, 3, 4], readonly [-1, 1, 0]>, Transpose<[2, 3, 4], 0, -1>]
>().toBe<[[4, 2, 3], [4, 3, 2], [4, 3, 2]]>();
expectShapes<[Transpose<[2, 3], 1, 1>, Unsqueeze<[2, 3], 0>, Unsqueeze<[2, 3], -1>, Unsqueeze<[], 0>]>().toBe<
  [[2, 3], [1, 2, 3], [2, 3, 1], [1]]
>();
expectShapes<[Squeeze<[1, 2, 1]>, Squeeze<[1, 2, 1], 0>, Squeeze<[1, 2, 1], -1>, Squeeze<[1, 2, 1], 1>]>().toBe<
  [[2], [2, 1], [1, 2], [1, 2, 1]]
>();
expectShapes<[SizeOf<[]>, SizeOf<[2, 3, 4]>, SizeOf<[1, 3, 224, 224]>, SizeOf<[7, 0, 9]>]>().toBe<[1, 24, 150528, 0]>();
expectShapes<
  [
    Reshape<[2, 3, 4], [4, 6]>,
    Reshape<[2, 3, 4], readonly [-1, 4]>,
    Reshape<[2, 3, 4], [-1]>,
    Reshape<[1, 3, 224, 224], [1, -1]>,
    Reshape<[1], []>,
    Reshape<[6], [2, 3, -1]>,
  ]
>().toBe<[[4, 6], [6, 4], [24], [1, 150528], [], [2, 3, 1]]>();
expectShapes<
  [
    Flatten<[2, 3, 4]>,
    Flatten<[2, 3, 4], 1>,
    Flatten<[2, 3, 4, 5], 1, 2>,
    Flatten<[2, 3, 4, 5], -2>,
    Flatten<[2, 3], 1, 1>,
    Flatten<[]>,
  ]
>().toBe<[[24], [2, 12], [2, 12, 5], [2, 3, 20], [2, 3], [1]]>();

// ---------------------------------------------------------------- joining

expectShapes<
  [
    Concat<[[2, 3], [2, 4], [2, 5]], 1>,
    Concat<[[2, 3], [998, 3]]>,
    Concat<[[2, 3]], -1>,
    Stack<[[2, 3], [2, 3]]>,
    Stack<[[2, 3], [2, 3], [2, 3]], -1>,
  ]
>().toBe<[[2, 12], [1000, 3], [2, 3], [2, 2, 3], [2, 3, 3]]>();
declare const a23: Tensor<[2, 3]>;
declare const b24: Tensor<[2, 4]>;
expectTypeOf(cat([a23, b24], -1)).toEqualTypeOf<Tensor<[2, 7]>>();
expectTypeOf(stack([a23, a23], 1)).toEqualTypeOf<Tensor<[2, 2, 3]>>();

// ---------------------------------------------------------------- indexing

expectShapes<
  [
    Slice<[10, 20], 0, 2, 5>,
    Slice<[10, 20], 0, 2, -1, 2>,
    Slice<[10, 20], -1, -30, 5>,
    Slice<[10, 20], 1, 19, 5>,
    Slice<[10, 20], 1, 5>,
    Slice<[10, 20], 0, 0, 99, 3>,
  ]
>().toBe<[[3, 20], [4, 20], [10, 5], [10, 0], [10, 15], [4, 20]]>();
expectShapes<
  [Select<[2, 3, 4], 1>, IndexSelect<[10, 5], 0, [3]>, Resize<[2, 3], -1, 9>, OneHot<[32], 10>, OneHot<[], 3>]
>().toBe<[[2, 4], [3, 5], [2, 9], [32, 10], [3]]>();

// ---------------------------------------------------------------- windows

expectShapes<
  [
    Conv2dShape<[8, 3, 32, 32], 16, 3>,
    Conv2dShape<[8, 3, 32, 32], 16, 3, 1, 1>,
    Conv2dShape<[3, 32, 30], 16, [5, 3], [2, 1], [0, 1]>,
    Conv2dShape<[8, 3, 32, 32], 16, 3, 1, 'same'>,
    Conv2dShape<[8, 3, 32, 32], 16, 3, 1, 'valid', 2>,
    Conv1dShape<[8, 4, 1000], 6, 5, 2>,
    Conv1dShape<[4, 100], 6, 5, 1, 2>,
    ConvShape<3, [1, 2, 9, 8, 7], 4, 3>,
    Conv2dShape<[1, 1, 4096, 2160], 1, 3, 2>,
  ]
>().toBe<
  [
    [8, 16, 30, 30],
    [8, 16, 32, 32],
    [16, 14, 30],
    [8, 16, 32, 32],
    [8, 16, 28, 28],
    [8, 6, 498],
    [6, 100],
    [1, 4, 7, 6, 5],
    [1, 1, 2047, 1079],
  ]
>();
expectShapes<
  [
    PoolShape<2, [8, 16, 32, 33], 2>,
    PoolShape<2, [8, 16, 32, 32], 3, 2, 1>,
    PoolShape<1, [16, 9], 3>,
    PoolShape<2, [8, 16, 33, 33], 2, 2, 0, 1, true>,
    AdaptivePoolShape<2, [8, 512, 7, 7], 1>,
    UpsampleShape<2, [8, 512, 7, 9], 2>,
    ConvTransposeShape<2, [8, 64, 16, 16], 32, 2, 2>,
    ConvTransposeShape<2, [8, 64, 16, 16], 32, 3, 2, 1, 1>,
    ConvTransposeShape<1, [4, 5], 2, 3, 1, 0, 0, 2>,
  ]
>().toBe<
  [
    [8, 16, 16, 16],
    [8, 16, 16, 16],
    [16, 3],
    [8, 16, number, number],
    [8, 512, 1, 1],
    [8, 512, 14, 18],
    [8, 32, 32, 32],
    [8, 32, 32, 32],
    [2, 9],
  ]
>();
expectShapes<[ConvOf<2, [8, 3, 32, 32], [16, 3, 3, 5]>, ConvOf<1, [3, 32], [16, 3, 3]>]>().toBe<
  [[8, 16, 30, 28], [16, 30]]
>();
declare const image: Tensor<[1, 3, 224, 224]>;
declare const stem: Tensor<[64, 3, 7, 7]>;
expectTypeOf(conv2d(image, stem, { stride: 2, padding: 3 })).toEqualTypeOf<Tensor<[1, 64, 112, 112]>>();
expectTypeOf(conv2d(image, stem)).toEqualTypeOf<Tensor<[1, 64, 218, 218]>>();

// ---------------------------------------------------------------- methods

declare const x: Tensor<[64, 784]>;
expectTypeOf(x.matmul({} as Tensor<[784, 10]>).add(tensor([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]))).toEqualTypeOf<
  Tensor<[64, 10]>
>();
expectTypeOf(x.reshape([-1, 1, 28, 28])).toEqualTypeOf<Tensor<[64, 1, 28, 28]>>();
expectTypeOf(x.permute([1, 0])).toEqualTypeOf<Tensor<[784, 64]>>();
expectTypeOf(x.transpose(0, 1)).toEqualTypeOf<Tensor<[784, 64]>>();
expectTypeOf(x.sum()).toEqualTypeOf<Tensor<[]>>();
expectTypeOf(x.sum(-1)).toEqualTypeOf<Tensor<[64]>>();
expectTypeOf(x.sum([0, 1], { keepdim: true })).toEqualTypeOf<Tensor<[1, 1]>>();
expectTypeOf(x.unsqueeze(1).expand([-1, 3, -1])).toEqualTypeOf<Tensor<[64, 3, 784]>>();
expectTypeOf(x.unsqueeze(-1).squeeze(2).flatten()).toEqualTypeOf<Tensor<[50176]>>();
expectTypeOf(x.relu().unsqueeze(0).squeeze().flatten(0, 1)).toEqualTypeOf<Tensor<[50176]>>();
