// The words of every shape error, which the run-time errors share, and programs that must not compile.

import type { DimArg, NewDimArg } from '../../src/tensor/shape-types/axis.js';
import type { BroadcastArg, ExpandArg, SameShapeArg } from '../../src/tensor/shape-types/broadcast.js';
import type { ConcatArg, StackArg } from '../../src/tensor/shape-types/join.js';
import type { LabelsArg, TargetArg } from '../../src/tensor/shape-types/labels.js';
import type { MatMulArg } from '../../src/tensor/shape-types/matmul.js';
import type { PermuteArg } from '../../src/tensor/shape-types/movement.js';
import type { NestedArrayArg } from '../../src/tensor/shape-types/nested-array.js';
import type { FlattenArg, ReshapeArg } from '../../src/tensor/shape-types/reshape.js';
import type { ShapeText } from '../../src/tensor/shape-types/shape.js';
import type { ConvArg, ConvOfArg, LayoutArg, PoolArg } from '../../src/tensor/shape-types/window.js';
import { expectMessage, cat, conv2d, stack, tensor, type Tensor } from './expect.test-d.js';

declare function expectText<S extends string>(text: S): void;
expectText<ShapeText<[]>>('[]');
expectText<ShapeText<[64, 784]>>('[64, 784]');
expectText<ShapeText<readonly [number, 784, 2 | 3]>>('[?, 784, ?]');
expectText<ShapeText<number[]>>('[...]');
expectText<ShapeText<[...number[], 20]>>('[..., 20]');

// ---------------------------------------------------------------- two shapes

expectMessage<
  MatMulArg<[64, 784], [512, 256]>
>().toBe<'matmul: [64, 784] x [512, 256]: inner dimensions 784 and 512 differ'>();
expectMessage<
  MatMulArg<[number, 784], [512]>
>().toBe<'matmul: [?, 784] x [512]: inner dimensions 784 and 512 differ'>();
expectMessage<
  MatMulArg<[2, 3, 4], [5, 4, 6]>
>().toBe<'matmul: [2, 3, 4] x [5, 4, 6]: sizes 2 and 5 do not broadcast'>();
expectMessage<MatMulArg<[], [3]>>().toBe<'matmul: [] x [3]: both arguments need at least one dimension'>();
expectMessage<MatMulArg<[3], []>>().toBe<'matmul: [3] x []: both arguments need at least one dimension'>();
// Of several sizes that do not fit, the first from the left is named.
expectMessage<BroadcastArg<'add', [2, 3], [4, 5]>>().toBe<'add: [2, 3] x [4, 5]: sizes 2 and 4 do not broadcast'>();
expectMessage<BroadcastArg<'mul', [8, 2, 3], [4]>>().toBe<'mul: [8, 2, 3] x [4]: sizes 3 and 4 do not broadcast'>();
expectMessage<BroadcastArg<'add', [0], [2]>>().toBe<'add: [0] x [2]: sizes 0 and 2 do not broadcast'>();
expectMessage<SameShapeArg<'mseLoss', [2, 1], [2]>>().toBe<'mseLoss: [2, 1] x [2]: shapes differ'>();
expectMessage<LabelsArg<'nllLoss', [32, 10], [31]>>().toBe<'nllLoss: labels [31] do not fit [32, 10]: needs [32]'>();
expectMessage<
  TargetArg<'crossEntropy', [2, 3, 8, 8], [2, 8, 9]>
>().toBe<'crossEntropy: labels [2, 8, 9] do not fit [2, 3, 8, 8]: needs [2, 8, 8]'>();
expectMessage<
  TargetArg<'crossEntropy', [number, 3], [number, 4]>
>().toBe<'crossEntropy: labels [?, 4] do not fit [?, 3]: needs [?]'>();
expectMessage<ExpandArg<[2, 3], [4, 3]>>().toBe<'expand: [2, 3] to [4, 3]: only axes of size 1 can grow'>();
expectMessage<ExpandArg<[2, 3], [4, -1]>>().toBe<'expand: [2, 3] to [4, 3]: only axes of size 1 can grow'>();
expectMessage<ExpandArg<[2, 3], [3]>>().toBe<'expand: [2, 3] to [3]: only axes of size 1 can grow'>();

// ---------------------------------------------------------------- dimensions

expectMessage<
  DimArg<'sum', [2, 3], 2>
>().toBe<'sum: dimension 2 is out of range for a tensor of rank 2. Use -2 to 1.'>();
expectMessage<
  DimArg<'sum', [2, 3], -3>
>().toBe<'sum: dimension -3 is out of range for a tensor of rank 2. Use -2 to 1.'>();
expectMessage<DimArg<'sum', [], 1>>().toBe<'sum: dimension 1 is out of range for a tensor of rank 0. Use -1 to 0.'>();
expectMessage<
  DimArg<'mean', [2, 3], [0, 4]>
>().toBe<'mean: dimension 4 is out of range for a tensor of rank 2. Use -2 to 1.'>();
expectMessage<DimArg<'mean', [2, 3], [1, -1]>>().toBe<'mean: dimension 1 is listed twice.'>();
expectMessage<
  NewDimArg<'unsqueeze', [2, 3], 3>
>().toBe<'unsqueeze: dimension 3 is out of range for a new dimension of [2, 3]. Use -3 to 2.'>();
expectMessage<PermuteArg<[2, 3], [0, 1, 2]>>().toBe<'permute: [2, 3] has 2 dimensions, [0, 1, 2] lists 3'>();
expectMessage<PermuteArg<[2, 3], [0, 0]>>().toBe<'permute: dimension 0 is listed twice.'>();
expectMessage<
  PermuteArg<[2, 3], [0, 2]>
>().toBe<'permute: dimension 2 is out of range for a tensor of rank 2. Use -2 to 1.'>();

// ---------------------------------------------------------------- sizes

expectMessage<ReshapeArg<[2, 3], [4, 2]>>().toBe<'reshape: [2, 3] has 6 elements, [4, 2] has 8'>();
expectMessage<
  ReshapeArg<[1, 3, 224, 224], [1, 1000]>
>().toBe<'reshape: [1, 3, 224, 224] has 150528 elements, [1, 1000] has 1000'>();
expectMessage<ReshapeArg<[2, 3], [4, -1]>>().toBe<'reshape: [2, 3] has 6 elements, [4, -1] takes a multiple of 4'>();
expectMessage<ReshapeArg<[2, 3], [-1, -1]>>().toBe<'reshape: [-1, -1] has more than one -1'>();
expectMessage<FlattenArg<[2, 3, 4], 2, 1>>().toBe<'flatten: start dimension 2 comes after end dimension 1'>();
expectMessage<
  FlattenArg<[2, 3, 4], 3>
>().toBe<'flatten: dimension 3 is out of range for a tensor of rank 3. Use -3 to 2.'>();
expectMessage<ConcatArg<[[2, 3], [2, 4], [3, 4]], 1>>().toBe<'cat: [2, 3] and [3, 4] differ outside dimension 1'>();
expectMessage<ConcatArg<[[2, 3], [2]], -1>>().toBe<'cat: [2, 3] and [2] differ outside dimension 1'>();
expectMessage<
  ConcatArg<[[2, 3], [2, 3]], 2>
>().toBe<'cat: dimension 2 is out of range for a tensor of rank 2. Use -2 to 1.'>();
expectMessage<StackArg<[[2, 3], [2, 4]]>>().toBe<'stack: [2, 3] and [2, 4] differ'>();
expectMessage<
  StackArg<[[2, 3], [2, 3]], 3>
>().toBe<'stack: dimension 3 is out of range for a new dimension of [2, 3]. Use -3 to 2.'>();
expectMessage<NestedArrayArg<readonly [readonly [1, 2], readonly [3]]>>().toBe<'tensor: rows differ in length'>();
expectMessage<
  NestedArrayArg<readonly [readonly [readonly [1, 2]], readonly [readonly [3]]]>
>().toBe<'tensor: rows differ in length'>();

// ---------------------------------------------------------------- windows

expectMessage<
  ConvArg<'Conv2d', 2, [8, 3, 32, 32], 1, 3>
>().toBe<'Conv2d: input [8, 3, 32, 32]: channel dimension 3 is not inChannels 1'>();
expectMessage<
  ConvArg<'Conv2d', 2, [64, 784], 1, 3>
>().toBe<'Conv2d: input [64, 784]: needs [N, C, H, W] or [C, H, W]'>();
expectMessage<
  ConvArg<'Conv1d', 1, [1, 2, 3, 4], 2, 3>
>().toBe<'Conv1d: input [1, 2, 3, 4]: needs [N, C, L] or [C, L]'>();
expectMessage<
  ConvArg<'Conv2d', 2, [1, 3, 9, 4], 3, 5>
>().toBe<'Conv2d: kernel of size 5 does not fit an input of size 4 with padding 0 and 0'>();
expectMessage<
  ConvArg<'Conv2d', 2, [3, 9, 4], 3, 3, [0, 1], 3>
>().toBe<'Conv2d: kernel of size 7 does not fit an input of size 4 with padding 1 and 1'>();
expectMessage<
  PoolArg<'MaxPool2d', 2, [1, 3, 1, 4], 2>
>().toBe<'MaxPool2d: kernel of size 2 does not fit an input of size 1 with padding 0 and 0'>();
expectMessage<
  LayoutArg<'AdaptiveAvgPool2d', 2, [3, 3]>
>().toBe<'AdaptiveAvgPool2d: input [3, 3]: needs [N, C, H, W] or [C, H, W]'>();
expectMessage<
  ConvOfArg<'conv2d', 2, [8, 4, 9, 9], [16, 1, 3, 3], 2>
>().toBe<'conv2d: input [8, 4, 9, 9] has 4 channels, weight [16, 1, 3, 3] with 2 groups takes 2'>();
expectMessage<
  ConvOfArg<'conv2d', 2, [8, 4, 9, 9], [16, 4, 3]>
>().toBe<'conv2d: weight [16, 4, 3]: needs [out, in / groups, KH, KW]'>();

// ---------------------------------------------------------------- programs

declare const x: Tensor<[64, 784]>;
declare const w: Tensor<[512, 256]>;
declare const image: Tensor<[8, 3, 32, 32]>;

// @ts-expect-error inner dimensions
x.matmul(w);
// @ts-expect-error sizes do not broadcast
x.add(w);
// @ts-expect-error dimension 2 of two
x.sum(2);
// @ts-expect-error dimension 0 twice
x.sum([0, -2]);
// @ts-expect-error 50176 elements
x.reshape([64, 783]);
// @ts-expect-error 3 dimensions of two
x.permute([0, 1, 2]);
// @ts-expect-error dimension 5
x.transpose(0, 5);
// @ts-expect-error 64 does not grow
x.expand([2, 784]);
// @ts-expect-error dimension 4 of three
x.unsqueeze(4);
// @ts-expect-error dimension 2
x.squeeze(2);
// @ts-expect-error 1 comes before 0
x.flatten(1, 0);
// @ts-expect-error 64 and 512 rows
cat([x, w], 1);
// @ts-expect-error shapes differ
stack([x, w]);
// @ts-expect-error 3 channels, not 1
conv2d(image, {} as Tensor<[16, 1, 3, 3]>);
// @ts-expect-error 33 + 0 < 40
conv2d(image, {} as Tensor<[16, 3, 40, 3]>);
conv2d(image, {} as Tensor<[16, 3, 40, 3]>, { padding: [4, 0] });
// @ts-expect-error ragged
tensor([[1, 2], [3]]);
// @ts-expect-error the shape of the result is checked too
const wrong: Tensor<[64, 11]> = x.matmul({} as Tensor<[784, 10]>);
export { wrong };
