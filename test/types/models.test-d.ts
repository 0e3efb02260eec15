// Networks for images: batch and classes are known to the compiler, and what is no batch of images does not compile.

import { expectTypeOf } from 'vitest';
import type { Tensor } from 'nabla';
import { Sequential, Softmax } from 'nabla/nn';
import { type ImageClassifier, type ResNet, fcn, googlenet, resnet18, unet, vgg16, vitB16 } from 'nabla/models';

declare function input<const S extends readonly number[]>(...shape: S): Tensor<S>;
declare const classes: number;
declare const unknownRank: Tensor;

expectTypeOf(resnet18({ classes: 10 }).forward(input(8, 3, 32, 32))).toEqualTypeOf<Tensor<[8, 10]>>();
expectTypeOf(vgg16().forward(input(8, 3, 224, 224))).toEqualTypeOf<Tensor<[8, 1000]>>();
expectTypeOf(resnet18({ classes, inChannels: 1 }).forward(unknownRank)).toEqualTypeOf<Tensor<[number, number]>>();
expectTypeOf(
  resnet18()
    .newHead(5)
    .forward(input(2, 3, 8, 8)),
).toEqualTypeOf<Tensor<[2, 5]>>();
expectTypeOf(googlenet({ classes: 5, auxLogits: false }).forward(input(2, 3, 64, 64))).toEqualTypeOf<Tensor<[2, 5]>>();
expectTypeOf(googlenet({ classes: 5 }).forward(input(2, 3, 64, 64))).toEqualTypeOf<
  Tensor<[2, 5]> | [Tensor<[2, 5]>, Tensor<[2, 5]>, Tensor<[2, 5]>]
>();
expectTypeOf(fcn({ classes: 5 }).forward(input(2, 3, 64, 96)).out).toEqualTypeOf<Tensor<[2, 5, 64, 96]>>();
expectTypeOf(unet().forward(input(2, 1, 64, 96))).toEqualTypeOf<Tensor<[2, 2, 64, 96]>>();
expectTypeOf(new Sequential(vitB16({ classes: 4 }), new Softmax()).forward(input(1, 3, 224, 224))).toEqualTypeOf<
  Tensor<[1, 4]>
>();

// @ts-expect-error no batch
resnet18().forward(input(3, 224, 224));
// @ts-expect-error one channel
resnet18().forward(input(1, 1, 224, 224));
// @ts-expect-error no such option
resnet18({ numClasses: 10 });

/** One network or another. */
export const networks: ResNet[] = [resnet18({ classes: 10 }), resnet18({ classes })];
export function count(model: ImageClassifier<string, number, number>): number {
  return model.parameterCount;
}
