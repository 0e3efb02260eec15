// Modules in a row: what is checked when a Sequential is written, what when an input comes, and what is let through.

import { expectTypeOf } from 'vitest';
import type { Apply, ApplyArg, FixedFn, IdentityFn, ShapeFnOf, UnknownFn } from '../../src/nn/shape-types/shape-fn.js';
import type {
  AdaptivePoolFn,
  Conv1dFn,
  Conv2dFn,
  ConvTransposeFn,
  PoolFn,
  UpsampleFn,
} from '../../src/nn/shape-types/windows.js';
import type { BatchNormFn } from '../../src/nn/shape-types/normalisation.js';
import type { CheckSequential } from '../../src/nn/shape-types/containers.js';
import type { EmbeddingFn, LayerNormFn, LinearFn } from '../../src/nn/shape-types/last-dimension.js';
import type { FlattenFn } from '../../src/nn/shape-types/movement.js';
import type { OptionOf } from '../../src/tensor/shape-types/options.js';
import type { Shape } from '../../src/tensor/shape-types/shape.js';
import {
  expectMessage,
  expectShapes,
  AdaptiveAvgPool2d,
  BatchNorm1d,
  BatchNorm2d,
  Conv2d,
  type ConvOptions,
  Embedding,
  FlattenLayer,
  LayerNorm,
  Linear,
  MaxPool2d,
  Module,
  ReLU,
  Sequential,
  type Tensor,
} from './expect.test-d.js';

declare function input<const S extends Shape>(...shape: S): Tensor<S>;
declare const unknownRank: Tensor;

// ---------------------------------------------------------------- one module

expectShapes<
  [
    Apply<LinearFn<784, 10>, [64, 784]>,
    Apply<LinearFn<784, 10>, [2, 3, number]>,
    Apply<LinearFn<784, 10>, number[]>,
    Apply<LinearFn<784, number>, [784]>,
    Apply<Conv2dFn<3, 64, 7, 2, 3>, [1, 3, 224, 224]>,
    Apply<Conv1dFn<3, 8, 3>, [2, 3, 10]>,
    Apply<ConvTransposeFn<2, 8, 4, 2, 2>, [1, 8, 16, 16]>,
    Apply<PoolFn<'MaxPool2d', 2, 3, 2, 1>, [1, 64, 112, 112]>,
    Apply<AdaptivePoolFn<'AdaptiveAvgPool2d', 2, 1>, [1, 64, 7, 7]>,
    Apply<UpsampleFn<0, 2>, [1, 64, 7, 7]>,
    Apply<BatchNormFn<2, 64>, readonly [1, 64, 7, 7]>,
    Apply<LayerNormFn<64>, [1, 64]>,
    Apply<EmbeddingFn<64>, [32, 100]>,
    Apply<FlattenFn, [32, 16, 4, 4]>,
    Apply<IdentityFn, [32, 16]>,
    Apply<UnknownFn, [32, 16]>,
    Apply<FixedFn<'Block', [number, 16], [number, 3]>, [32, 16]>,
  ]
>().toBe<
  [
    [64, 10],
    [2, 3, 10],
    [...number[], 10],
    [number],
    [1, 64, 112, 112],
    [2, 8, 8],
    [1, 4, 32, 32],
    [1, 64, 56, 56],
    [1, 64, 1, 1],
    [1, 64, 14, 14],
    [1, 64, 7, 7],
    [1, 64],
    [32, 100, 64],
    [32, 256],
    [32, 16],
    number[],
    [number, 3],
  ]
>();
expectMessage<
  ApplyArg<LinearFn<100, 10>, [64, 256]>
>().toBe<'Linear: input [64, 256]: last dimension 256 is not inFeatures 100'>();
expectMessage<ApplyArg<LinearFn<100, 10>, []>>().toBe<'Linear: input []: needs at least one dimension'>();
expectMessage<
  ApplyArg<LayerNormFn<100>, [64, 256]>
>().toBe<'LayerNorm: input [64, 256]: last dimension 256 is not normalizedShape 100'>();
expectMessage<
  ApplyArg<BatchNormFn<2, 32>, [8, 16, 4, 4]>
>().toBe<'BatchNorm2d: input [8, 16, 4, 4]: channel dimension 16 is not numFeatures 32'>();
expectMessage<ApplyArg<BatchNormFn<2, 32>, [8, 32]>>().toBe<'BatchNorm2d: input [8, 32]: needs [N, C, H, W]'>();
expectMessage<ApplyArg<BatchNormFn<1, 32>, [32]>>().toBe<'BatchNorm1d: input [32]: needs [N, C] or [N, C, L]'>();
expectMessage<
  ApplyArg<Conv1dFn<3, 8, 3>, [2, 4, 10]>
>().toBe<'Conv1d: input [2, 4, 10]: channel dimension 4 is not inChannels 3'>();
expectMessage<
  ApplyArg<ConvTransposeFn<2, 3, 8, 3>, [2, 4, 9, 9]>
>().toBe<'ConvTranspose2d: input [2, 4, 9, 9]: channel dimension 4 is not inChannels 3'>();
expectMessage<ApplyArg<FixedFn<'Block', [number, 16], [3]>, [2, 4]>>().toBe<'Block: input [2, 4]: needs [?, 16]'>();

expectTypeOf(new Linear(784, 10).forward(input(64, 784))).toEqualTypeOf<Tensor<[64, 10]>>();
expectTypeOf(new Linear(784, 10).forward(unknownRank)).toEqualTypeOf<Tensor<[...number[], 10]>>();
// @ts-expect-error 783 features
new Linear(784, 10).forward(input(64, 783));
expectTypeOf(new Conv2d(1, 16, 3, { padding: 1 }).forward(input(8, 1, 28, 28))).toEqualTypeOf<
  Tensor<[8, 16, 28, 28]>
>();
expectTypeOf(new Conv2d(1, 16, [3, 5], { stride: [2, 1] }).forward(input(1, 28, 28))).toEqualTypeOf<
  Tensor<[16, 13, 24]>
>();

// Options that are not written in place leave sizes open.
declare const options: ConvOptions;
declare const channels: number;
expectTypeOf(new Conv2d(1, 16, 3, options).forward(input(1, 28, 28))).toExtend<Tensor>();
expectTypeOf(new Conv2d(channels, channels, channels).forward(input(8, 1, 28, 28))).toEqualTypeOf<
  Tensor<[8, number, number, number]>
>();
expectShapes<
  [
    OptionOf<{ stride: 2 }, 'stride', 1, number>,
    OptionOf<{}, 'stride', 1, number>,
    OptionOf<{ stride?: number }, 'stride', 1, number>,
  ]
>().toBe<[2, 1, number]>();

// ---------------------------------------------------------------- Sequential, with an input

// The compiler does not multiply: `16 * 4 * 4` is a `number` to it and left to run time, 256 is checked.
const cnn = new Sequential(
  new Conv2d(1, 16, 3, { padding: 1 }),
  new BatchNorm2d(16),
  new ReLU(),
  new MaxPool2d(2),
  new FlattenLayer(),
  new Linear(16 * 4 * 4, 10),
);
const features = new Sequential(
  new Conv2d(1, 16, 3, { padding: 1 }),
  new BatchNorm2d(16),
  new ReLU(),
  new MaxPool2d(2),
);
const sized = new Sequential(features, new FlattenLayer(), new Linear(256, 10));
expectTypeOf(cnn.forward(input(64, 1, 8, 8))).toEqualTypeOf<Tensor<[64, 10]>>();
expectTypeOf(cnn.forward(input(64, 1, 10, 8))).toEqualTypeOf<Tensor<[64, 10]>>();
expectTypeOf(sized.forward(input(64, 1, 8, 8))).toEqualTypeOf<Tensor<[64, 10]>>();
declare const batch: Tensor<[number, 1, 8, 8]>;
expectTypeOf(sized.forward(batch)).toEqualTypeOf<Tensor<[number, 10]>>();
expectTypeOf(sized.forward(unknownRank)).toEqualTypeOf<Tensor<[number, 10]>>();
// @ts-expect-error 10x8 pixels make 320 features
sized.forward(input(64, 1, 10, 8));
expectMessage<
  ApplyArg<ShapeFnOf<typeof sized>, [64, 1, 10, 8]>
>().toBe<'Linear: input [64, 320]: last dimension 320 is not inFeatures 256'>();
expectMessage<
  ApplyArg<ShapeFnOf<typeof sized>, [64, 3, 8, 8]>
>().toBe<'Conv2d: input [64, 3, 8, 8]: channel dimension 3 is not inChannels 1'>();

// ResNet's stem and head.
const resnet = new Sequential(
  new Conv2d(3, 64, 7, { stride: 2, padding: 3 }),
  new BatchNorm2d(64),
  new ReLU(),
  new MaxPool2d(3, { stride: 2, padding: 1 }),
);
expectTypeOf(resnet.forward(input(1, 3, 224, 224))).toEqualTypeOf<Tensor<[1, 64, 56, 56]>>();
const classifier = new Sequential(resnet, new AdaptiveAvgPool2d(1), new FlattenLayer(), new Linear(64, 1000));
expectTypeOf(classifier.forward(input(1, 3, 224, 224))).toEqualTypeOf<Tensor<[1, 1000]>>();

// A chain of 200 modules is no deeper for the compiler than one of two.
type Five = [Conv2d<16, 16, 3, { padding: 1 }>, BatchNorm2d<16>, ReLU, Conv2d<16, 16, 1>, ReLU];
type Twenty = [...Five, ...Five, ...Five, ...Five];
type Hundred = [...Twenty, ...Twenty, ...Twenty, ...Twenty, ...Twenty];
declare const deep: Sequential<[...Hundred, ...Hundred, FlattenLayer, Linear<16384, 10>]>;
expectTypeOf(deep.forward(input(8, 16, 32, 32))).toEqualTypeOf<Tensor<[8, 10]>>();
// @ts-expect-error 31x32 pixels
deep.forward(input(8, 16, 31, 32));

// ---------------------------------------------------------------- Sequential, as it is written

new Sequential();
new Sequential(new FlattenLayer(), new Linear(784, 512), new ReLU(), new Linear(512, 10));
new Sequential(new Embedding(65, 64), new LayerNorm(64), new Linear(64, 65));
new Sequential(new Linear(10, 20), new BatchNorm1d(20), new Linear(20, 5));
new Sequential(new ReLU(), new Conv2d(1, 16, 3), new FlattenLayer(), new Linear(100, 10));
new Sequential(new Linear(10, channels), new Linear(7, 5));

// @ts-expect-error 20 features, not 30
new Sequential(new Linear(10, 20), new Linear(30, 5));
// @ts-expect-error 20 features, not 30, behind modules that keep the shape
new Sequential(new Linear(10, 20), new ReLU(), new LayerNorm(20), new Linear(30, 5));
// @ts-expect-error 16 channels, not 32
new Sequential(new Conv2d(1, 16, 3), new Conv2d(32, 16, 3));
// @ts-expect-error 16 channels, not 32
new Sequential(new Conv2d(1, 16, 3), new BatchNorm2d(32));
// @ts-expect-error 16 channels, not 8, behind a batch norm and a pool
new Sequential(new Conv2d(1, 16, 3), new BatchNorm2d(16), new ReLU(), new MaxPool2d(2), new Conv2d(8, 4, 3));
// @ts-expect-error a pooled image has 64 features, not 512
new Sequential(new Conv2d(3, 64, 3), new AdaptiveAvgPool2d(1), new FlattenLayer(), new Linear(512, 10));
// @ts-expect-error flattened, it is no image any more
new Sequential(new Conv2d(1, 16, 3), new FlattenLayer(), new Conv2d(16, 4, 3));
// @ts-expect-error in a Sequential in a Sequential
new Sequential(new Sequential(new Linear(10, 20), new ReLU()), new Sequential(new Linear(30, 5)));
// @ts-expect-error vectors of 64, not of 32
new Sequential(new Embedding(65, 64), new Linear(32, 65));

type Fit = CheckSequential<[ReLU, Linear<10, 20>, ReLU, Linear<30, 5>]>;
expectMessage<Fit[3]>().toBe<'Linear: input [..., 20]: last dimension 20 is not inFeatures 30'>();
type FitConv = CheckSequential<[Conv2d<1, 16, 3>, Conv2d<32, 8, 3>]>;
expectMessage<FitConv[1]>().toBe<'Conv2d: input [?, 16, ?, ?]: channel dimension 16 is not inChannels 32'>();
// With the shape of the input, everything is checked at once.
type FitInput = CheckSequential<[FlattenLayer, Linear<100, 10>], [64, 16, 4, 4]>;
expectMessage<FitInput[1]>().toBe<'Linear: input [64, 256]: last dimension 256 is not inFeatures 100'>();

// ---------------------------------------------------------------- modules that users write

class Block extends Module {
  readonly linear = new Linear(784, 10);
  forward(x: Tensor<[number, 784]>): Tensor<[number, 10]> {
    return this.linear.forward(x);
  }
}
class Residual extends Module {
  readonly body = new Sequential(new Conv2d(16, 16, 3, { padding: 1 }), new BatchNorm2d(16));
  forward(x: Tensor): Tensor {
    return x.add(this.body.forward(x)).relu();
  }
}
new Sequential(new FlattenLayer(), new Block(), new ReLU(), new Linear(10, 2));
// @ts-expect-error Block gives 10 features
new Sequential(new Block(), new Linear(11, 2));
// @ts-expect-error Block takes 784 features
new Sequential(new Linear(5, 783), new Block());
expectTypeOf(new Sequential(new FlattenLayer(), new Block()).forward(input(5, 1, 28, 28))).toEqualTypeOf<
  Tensor<[number, 10]>
>();
new Sequential(new Conv2d(3, 16, 3), new Residual(), new Residual(), new Conv2d(16, 32, 3), new BatchNorm2d(32));
// @ts-expect-error what follows a module of unknown shapes is checked again
new Sequential(new Residual(), new Conv2d(16, 32, 3), new BatchNorm2d(16));

// A list whose length is unknown is let through.
const layers: Module[] = [new Linear(1, 2), new Residual(), cnn];
expectTypeOf(new Sequential(...layers).forward(batch)).toEqualTypeOf<Tensor<number[]>>();
expectTypeOf(new Sequential(...layers, new Linear(3, 4))).toExtend<Module>();

export { Block, Residual };
