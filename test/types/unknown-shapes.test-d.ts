// Programs that are valid although shapes are known in part or not at all: sizes that are `number` or a union, unknown
// ranks, type parameters, `any`. None may be an error, and no result may be `never`.

import { expectTypeOf } from 'vitest';
import type { Axes, DimArg, NewDimArg } from '../../src/tensor/shape-types/axis.js';
import type { Broadcast, BroadcastArg, Expand, ExpandArg } from '../../src/tensor/shape-types/broadcast.js';
import type { IndexSelect, OneHot, Select, Slice } from '../../src/tensor/shape-types/indexing.js';
import type { Concat, ConcatArg, Stack, StackArg } from '../../src/tensor/shape-types/join.js';
import type { MatMul, MatMulArg } from '../../src/tensor/shape-types/matmul.js';
import type { Permute, PermuteArg, Squeeze, Transpose, Unsqueeze } from '../../src/tensor/shape-types/movement.js';
import type { NestedArray, NestedArrayArg, ShapeOf } from '../../src/tensor/shape-types/nested-array.js';
import type { Reduce } from '../../src/tensor/shape-types/reduce.js';
import type { Flatten, FlattenArg, Reshape, ReshapeArg, SizeOf } from '../../src/tensor/shape-types/reshape.js';
import type { Shape } from '../../src/tensor/shape-types/shape.js';
import type {
  AdaptivePoolShape,
  Conv2dShape,
  ConvArg,
  ConvOf,
  ConvOfArg,
  ConvTransposeShape,
  PoolArg,
  PoolShape,
  UpsampleShape,
} from '../../src/tensor/shape-types/window.js';
import { expectFine, expectShapes, cat, conv2d, tensor, type Tensor } from './expect.test-d.js';

// ---------------------------------------------------------------- sizes known at run time only

expectShapes<
  [
    Broadcast<[number, 3], [3]>,
    Broadcast<[number], [3]>,
    Broadcast<[number], [1]>,
    Broadcast<[1], [number]>,
    Broadcast<[2, number], [number, number]>,
    Expand<[number, 1], [-1, 5]>,
    Expand<[2, 1], [number, number]>,
  ]
>().toBe<[[number, 3], [3], [number], [number], [2, number], [number, 5], [number, number]]>();
expectShapes<
  [
    MatMul<[number, 784], [784, 10]>,
    MatMul<[64, number], [784, 10]>,
    MatMul<[64, 784], [number, number]>,
    MatMul<[number, 2, 3], [5, 3, 4]>,
  ]
>().toBe<[[number, 10], [64, 10], [64, number], [5, 2, 4]]>();
expectShapes<
  [
    Reduce<[number, 3], 0>,
    Reduce<[2, 3, 4], number>,
    Reduce<[2, 3, 4], number, true>,
    Reduce<[2, 3, 4], number[]>,
    Reduce<[2, 3, 4], number[], true>,
    Reduce<[2, 3, 4], [0, number], true>,
    Reduce<[2, 3, 4], [0, number]>,
    Reduce<[2, 3], 0, boolean>,
    Reduce<[2, 3], 0 | undefined>,
  ]
>().toBe<
  [
    [3],
    [number, number],
    [number, number, number],
    number[],
    [number, number, number],
    [number, number, number],
    number[],
    [3] | [1, 3],
    [] | [3],
  ]
>();
expectShapes<
  [
    Permute<[2, number, 4], [2, 1, 0]>,
    Permute<[2, 3, 4], number[]>,
    Permute<[2, 3, 4], [0, number, 1]>,
    Transpose<[2, 3], number, 1>,
    Unsqueeze<[2, number], 1>,
    Unsqueeze<[2, 3], number>,
    Squeeze<[2, number]>,
    Squeeze<[2, number], 1>,
    Squeeze<[2, 1], number>,
  ]
>().toBe<
  [
    [4, number, 2],
    [number, number, number],
    [2, number, 3],
    [number, number],
    [2, 1, number],
    [number, number, number],
    number[],
    number[],
    number[],
  ]
>();
expectShapes<
  [
    SizeOf<[number, 3]>,
    Reshape<[number, 16, 4, 4], [-1, 256]>,
    Reshape<[2, 3], [number, 3]>,
    Reshape<[2, 3], [number, -1]>,
    Reshape<[2, 3], [-1 | 6]>,
    Reshape<[0, 3], [0, -1]>,
    Reshape<[2, 3], number[]>,
    Flatten<[number, 16, 4, 4], 1>,
    Flatten<[2, number, 4], 1>,
    Flatten<[2, 3, 4], number>,
  ]
>().toBe<
  [
    number,
    [number, 256],
    [number, 3],
    [number, number],
    [number],
    [0, number],
    number[],
    [number, 256],
    [2, number],
    number[],
  ]
>();
expectShapes<
  [
    Concat<[[2, number], [2, 4]], 1>,
    Concat<[[2, 3], [2, 4]], number>,
    Concat<[2, 3][], 0>,
    Concat<[[number, 3], [2, 3]], 1>,
    Stack<[2, 3][]>,
    Stack<[[2, number], [2, 3]], 0>,
    Stack<[[2, 3], [2, 3]], number>,
    Slice<[number, 3], 0, 1, 2>,
    Slice<[4, 3], 0, number>,
    Slice<[4, 3], number, 0, 1>,
    Slice<[4, 3], 0, 0, 4, 0>,
    Select<[4, number], 0>,
    Select<[4, 3], number>,
    IndexSelect<[4, 3], 0, number[]>,
    OneHot<[number], 10>,
  ]
>().toBe<
  [
    [2, number],
    [number, number],
    [number, 3],
    [number, 6],
    [number, 2, 3],
    [2, 2, number],
    [number, number, number],
    [number, 3],
    [number, 3],
    [number, number],
    [number, 3],
    [number],
    [number],
    [number, 3],
    [number, 10],
  ]
>();
expectShapes<
  [
    Conv2dShape<[number, 3, number, 32], 16, 3>,
    Conv2dShape<[8, 3, 32, 32], 16, number>,
    Conv2dShape<[8, 3, 32, 32], number, 3, number, 1>,
    Conv2dShape<[8, 3, 32, 32], 16, 3 | 5>,
    Conv2dShape<[8, 3, 32, 32], 16, number[]>,
    Conv2dShape<[8, 3, 32, 32], 16, 3, 1, 0 | 'same'>,
    PoolShape<2, [8, number, 32, number], 2>,
    ConvOf<2, [8, 3, 32, 32], number[]>,
    ConvOf<2, number[], [16, 3, 3, 3]>,
    ConvTransposeShape<2, [8, 3, number, 4], 5, 2, 2>,
    AdaptivePoolShape<2, [8, number, number, number], 1>,
    UpsampleShape<2, [8, 3, number, 4], 2>,
  ]
>().toBe<
  [
    [number, 16, number, 30],
    [8, 16, number, number],
    [8, number, number, number],
    [8, 16, number, number],
    [8, 16, number, number],
    [8, 16, 30, 30] | [8, 16, 32, 32],
    [8, number, 16, number],
    [8, number, number, number],
    number[],
    [8, 5, number, 8],
    [8, number, 1, 1],
    [8, 3, number, 8],
  ]
>();
expectFine<
  [
    BroadcastArg<'add', [number, 3], [4, number]>,
    ExpandArg<[number, 1], [5, number]>,
    MatMulArg<[2, number], [3, 4]>,
    DimArg<'sum', [2, 3], number>,
    DimArg<'sum', [2, 3], [0, number]>,
    DimArg<'sum', [], 0>,
    DimArg<'sum', [], -1>,
    DimArg<'sum', [2], undefined>,
    NewDimArg<'unsqueeze', [2], number>,
    PermuteArg<[2, 3], [number, number]>,
    PermuteArg<[2, 3], number[]>,
    ReshapeArg<[number, 3], [5, 7]>,
    ReshapeArg<[2, 3], [number, -1]>,
    ReshapeArg<[2, 3], number[]>,
    FlattenArg<[2, 3], number, 1>,
    ConcatArg<[[2, 3], [number, number]], 0>,
    ConcatArg<[[2, 3], [4, 5]], number>,
    ConcatArg<[2, 3][], 0>,
    StackArg<[[2, number], [number, 3]]>,
    ConvArg<'Conv2d', 2, [number, number, 1, number], 3, 1 | 3>,
    ConvArg<'Conv2d', 2, [8, 3, 1, 1], 3, 3, 'same'>,
    ConvOfArg<'conv2d', 2, [8, number, 5, 5], [16, 1, 3, 3], number>,
    ConvOfArg<'conv2d', 2, [8, 4, 5, 5], [16, 1, 3, 3], 4>,
    ConvOfArg<'conv2d', 2, [8, 4, 5, 5], [16, 4, 3, 3], number>,
    PoolArg<'MaxPool2d', 2, [8, 3, number, number], 2>,
  ]
>();

// ---------------------------------------------------------------- ranks known at run time only

expectShapes<
  [
    Broadcast<number[], [3]>,
    Broadcast<[3], Shape>,
    MatMul<number[], [3, 4]>,
    MatMul<[2, 3], number[]>,
    Reduce<number[]>,
    Reduce<number[], 1>,
    Reduce<number[], 1, true>,
    Reduce<number[], undefined, true>,
    Permute<number[], [1, 0]>,
    Transpose<number[], 0, 1>,
    Unsqueeze<number[], 0>,
    Squeeze<number[]>,
    Expand<number[], [2, 3]>,
    Expand<number[], [2, -1]>,
    Expand<[2], number[]>,
    Reshape<number[], [2, -1]>,
    Flatten<number[]>,
    Flatten<number[], 1>,
    Flatten<number[], 1, 2>,
    Concat<[number[], [2, 3]], 0>,
    Concat<[[2, 3], number[]], 0>,
    Concat<number[][]>,
    Stack<[number[], number[]]>,
    Slice<number[], 0, 1>,
    Select<number[], 0>,
    OneHot<number[], 10>,
    Conv2dShape<number[], 16, 3>,
    PoolShape<2, number[], 2>,
    Conv2dShape<[...number[], 5], 16, 3>,
    Broadcast<[...number[], 5], [5]>,
  ]
>().toBe<
  [
    number[],
    number[],
    number[],
    number[],
    [],
    number[],
    number[],
    number[],
    [number, number],
    number[],
    number[],
    number[],
    [2, 3],
    [2, number],
    number[],
    [2, number],
    [number],
    [number, number],
    number[],
    number[],
    [number, 3],
    number[],
    number[],
    number[],
    number[],
    [...number[], 10],
    number[],
    number[],
    number[],
    number[],
  ]
>();
expectFine<
  [
    BroadcastArg<'add', number[], [3]>,
    BroadcastArg<'add', [3], Shape>,
    BroadcastArg<'add', [...number[], 5], [4]>,
    MatMulArg<number[], [3]>,
    MatMulArg<[], number[]>,
    DimArg<'sum', number[], 7>,
    NewDimArg<'unsqueeze', number[], 7>,
    PermuteArg<number[], [0, 7]>,
    ReshapeArg<number[], [2, -1]>,
    ExpandArg<number[], [1]>,
    ExpandArg<[3], number[]>,
    FlattenArg<number[], 3, 1>,
    ConcatArg<[number[], [2, 3]], 4>,
    ConcatArg<[[2, 3], number[]]>,
    ConcatArg<number[][]>,
    StackArg<[[2, 3], number[]]>,
    ConvArg<'Conv2d', 2, number[], 3, 3>,
    ConvOfArg<'conv2d', 2, number[], [1, 3, 3, 3]>,
    ConvOfArg<'conv2d', 2, [8, 3, 3, 3], number[]>,
    PoolArg<'MaxPool2d', 2, Shape, 3>,
  ]
>();

// ---------------------------------------------------------------- unions and any: fine if one member may be

expectFine<
  [
    BroadcastArg<'add', [2 | 3, 4], [2, 4]>,
    BroadcastArg<'add', [2] | [3], [3]>,
    BroadcastArg<'add', [1 | 3], [5]>,
    MatMulArg<[2, 3 | 4], [4, 5]>,
    MatMulArg<[2, 3] | [2, 4], [4, 5]>,
    MatMulArg<[2, 3] | number[], [4, 5]>,
    DimArg<'sum', [2, 3], 0 | 5>,
    ReshapeArg<[2 | 3, 4], [12]>,
    ReshapeArg<[6, 4], [12 | 24, 2]>,
    ConvArg<'Conv2d', 2, [8, 3, 5, 5] | [3, 5, 5], 3, 3>,
    // oxlint-disable-next-line typescript/no-explicit-any -- what untyped code hands over
    BroadcastArg<'add', any, [3]>,
    // oxlint-disable-next-line typescript/no-explicit-any
    MatMulArg<[2, 3], any>,
    // oxlint-disable-next-line typescript/no-explicit-any
    MatMulArg<[2, any], [3, 4]>,
    // oxlint-disable-next-line typescript/no-explicit-any
    ConvArg<'Conv2d', 2, any, 3, any>,
  ]
>();
expectShapes<
  [
    Broadcast<[2 | 3, 4], [4]>,
    Broadcast<[2] | [3, 2], [2]>,
    Broadcast<[1 | 3], [3]>,
    MatMul<[2 | 5, 3], [3, 4]>,
    MatMul<[2, 3] | [3], [3, 4]>,
    MatMul<[2, 3] | number[], [3, 4]>,
    Reduce<[2, 3] | [4], 0>,
    Reduce<[2, 3], 0 | 1>,
    Axes<[2, 3], [0, 0 | 1]>,
    Flatten<[2 | 3, 4], 0>,
    // oxlint-disable-next-line typescript/no-explicit-any
    MatMul<any, [3, 4]>,
    // oxlint-disable-next-line typescript/no-explicit-any
    Reduce<any, 0>,
  ]
>().toBe<
  [
    [2 | 3, 4],
    [2] | [3, 2],
    [1 | 3],
    [2 | 5, 4],
    [2, 4] | [4],
    number[],
    [3] | [],
    [2] | [3],
    number,
    [number],
    number[],
    number[],
  ]
>();

// ---------------------------------------------------------------- nested arrays

expectShapes<
  [ShapeOf<number[][]>, ShapeOf<readonly number[]>, ShapeOf<NestedArray>, ShapeOf<[number[], number[]]>]
>().toBe<[[number, number], [number], number[], [2, number]]>();
expectFine<
  [
    NestedArrayArg<number[][]>,
    NestedArrayArg<NestedArray>,
    NestedArrayArg<readonly []>,
    NestedArrayArg<readonly [readonly [], readonly []]>,
    NestedArrayArg<readonly [readonly [1], number[]]>,
    NestedArrayArg<readonly [Float32Array, Float32Array]>,
    NestedArrayArg<3>,
  ]
>();
declare const rows: number[][];
expectTypeOf(tensor(rows)).toEqualTypeOf<Tensor<[number, number]>>();

// ---------------------------------------------------------------- tensors

declare const known: Tensor<[2, 3]>;
declare const partly: Tensor<[number, 3]>;
declare const unknownRank: Tensor;
declare const n: number;
declare const list: number[];

// What is not known is accepted where something is asked for, and literals that differ are refused: size by size.
partly satisfies Tensor;
known satisfies Tensor<[number, 3]>;
known satisfies Tensor<readonly number[]>;
unknownRank satisfies Tensor<[2, 3]>;
partly satisfies Tensor<[2, 3]>;
partly satisfies Tensor<[2, number]>;
// @ts-expect-error 3 columns, not 4
partly satisfies Tensor<[2, 4]>;
// @ts-expect-error two dimensions, not three
partly satisfies Tensor<[2, 3, number]>;
// @ts-expect-error another dtype
unknownRank satisfies Tensor<[2, 3], 'int32'>;

expectTypeOf(known.add(unknownRank)).toEqualTypeOf<Tensor<number[]>>();
expectTypeOf(unknownRank.matmul(known)).toEqualTypeOf<Tensor<number[]>>();
expectTypeOf(unknownRank.sum()).toEqualTypeOf<Tensor<[]>>();
expectTypeOf(partly.sum(n)).toEqualTypeOf<Tensor<[number]>>();
expectTypeOf(known.reshape([n, -1])).toEqualTypeOf<Tensor<[number, number]>>();
expectTypeOf(known.reshape(list)).toEqualTypeOf<Tensor<number[]>>();
expectTypeOf(unknownRank.permute([2, 0, 1])).toEqualTypeOf<Tensor<[number, number, number]>>();
expectTypeOf(cat([known, partly])).toEqualTypeOf<Tensor<[number, 3]>>();
expectTypeOf(cat([known, known] as Tensor[])).toEqualTypeOf<Tensor<number[]>>();
expectTypeOf(conv2d(unknownRank, unknownRank)).toEqualTypeOf<Tensor<number[]>>();

// ---------------------------------------------------------------- generic code

/** Sizes that a function takes as type parameters stay in the result, as long as nothing has to be compared. */
export function project<N extends number>(x: Tensor<[N, 784]>, w: Tensor<[784, 10]>, b: Tensor<[10]>): Tensor<[N, 10]> {
  return x.matmul(w).add(b);
}
expectTypeOf(project({} as Tensor<[64, 784]>, {} as Tensor<[784, 10]>, {} as Tensor<[10]>)).toEqualTypeOf<
  Tensor<[64, 10]>
>();

/** Two tensors of one shape, whatever it is. */
export function twice<S extends Shape>(x: Tensor<S>): Tensor<S> {
  return x.add(x).relu();
}

/** What cannot be known: the shape is let go. */
export function center(x: Tensor): Tensor {
  return x.add(x.sum(0)).matmul(x.transpose(-1, -2));
}
expectTypeOf(center(known)).toEqualTypeOf<Tensor>();
