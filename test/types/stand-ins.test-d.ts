// Stand-ins that put the shape algebra to use as the real classes do: a tensor whose methods guard their arguments, and modules
// that carry a shape function. Types only; nothing here runs.
// Methods take `this: Tensor<A>` instead of reading the class's S: so S stands in `shape` alone, the class is covariant
// in it (`out`), and any tensor passes where a `Tensor` of less known shape is asked for.
// Must not know: the real Tensor and modules, which have type tests of their own.
// Budget: all files of test/types together check in less than 3 s, `npx tsc --noEmit --extendedDiagnostics`.

import type {
  BatchNormFn,
  Apply,
  ApplyArg,
  CheckSequential,
  Conv2dFn,
  AdaptivePoolFn,
  EmbeddingFn,
  FlattenFn,
  IdentityFn,
  LayerNormFn,
  LinearFn,
  OptionOf,
  PoolFn,
  SequentialFn,
  ShapeFn,
} from '../../src/nn/shape-types.js';
import type { DimArg, NewDimArg } from '../../src/tensor/shape-types/axis.js';
import type { Broadcast, BroadcastArg, Expand, ExpandArg } from '../../src/tensor/shape-types/broadcast.js';
import type { Concat, ConcatArg, ShapesOf, Stack, StackArg } from '../../src/tensor/shape-types/join.js';
import type { MatMul, MatMulArg } from '../../src/tensor/shape-types/matmul.js';
import type { Permute, PermuteArg, Squeeze, Transpose, Unsqueeze } from '../../src/tensor/shape-types/movement.js';
import type { NestedArray, NestedArrayArg, ShapeOf } from '../../src/tensor/shape-types/nested-array.js';
import type { Reduce } from '../../src/tensor/shape-types/reduce.js';
import type { Flatten, FlattenArg, Reshape, ReshapeArg } from '../../src/tensor/shape-types/reshape.js';
import type { MessageOf, Shape } from '../../src/tensor/shape-types/shape.js';
import type { ConvOf, ConvOfArg, Padding, PerAxis } from '../../src/tensor/shape-types/window.js';

export declare class Tensor<out S extends Shape = Shape> {
  readonly shape: S;
  relu(): Tensor<S>;
  add<A extends Shape, B extends Shape>(
    this: Tensor<A>,
    other: Tensor<B> & BroadcastArg<'add', A, B>,
  ): Tensor<Broadcast<A, B>>;
  matmul<A extends Shape, B extends Shape>(this: Tensor<A>, other: Tensor<B> & MatMulArg<A, B>): Tensor<MatMul<A, B>>;
  sum<
    A extends Shape,
    const D extends number | readonly number[] | undefined = undefined,
    const K extends boolean = false,
  >(this: Tensor<A>, dim?: D & DimArg<'sum', A, D>, options?: { keepDim?: K }): Tensor<Reduce<A, D, K>>;
  reshape<A extends Shape, const To extends Shape>(
    this: Tensor<A>,
    ...to: To & ReshapeArg<A, To>
  ): Tensor<Reshape<A, To>>;
  permute<A extends Shape, const O extends readonly number[]>(
    this: Tensor<A>,
    ...order: O & PermuteArg<A, O>
  ): Tensor<Permute<A, O>>;
  transpose<A extends Shape, X extends number, Y extends number>(
    this: Tensor<A>,
    a: X & DimArg<'transpose', A, X>,
    b: Y & DimArg<'transpose', A, Y>,
  ): Tensor<Transpose<A, X, Y>>;
  expand<A extends Shape, const To extends Shape>(this: Tensor<A>, ...to: To & ExpandArg<A, To>): Tensor<Expand<A, To>>;
  flatten<A extends Shape, X extends number = 0, Y extends number = -1>(
    this: Tensor<A>,
    start?: X & FlattenArg<A, X, Y>,
    end?: Y,
  ): Tensor<Flatten<A, X, Y>>;
  unsqueeze<A extends Shape, D extends number>(
    this: Tensor<A>,
    dim: D & NewDimArg<'unsqueeze', A, D>,
  ): Tensor<Unsqueeze<A, D>>;
  squeeze<A extends Shape, D extends number | undefined = undefined>(
    this: Tensor<A>,
    dim?: D & DimArg<'squeeze', A, D>,
  ): Tensor<Squeeze<A, D>>;
}

export declare function tensor<const A extends NestedArray>(data: A & NestedArrayArg<A>): Tensor<ShapeOf<A>>;

export declare function cat<const T extends readonly Tensor[], const D extends number = 0>(
  tensors: T & ConcatArg<ShapesOf<T>, D>,
  dim?: D,
): Tensor<Concat<ShapesOf<T>, D>>;

export declare function stack<const T extends readonly Tensor[], const D extends number = 0>(
  tensors: T & StackArg<ShapesOf<T>, D>,
  dim?: D,
): Tensor<Stack<ShapesOf<T>, D>>;

export declare function conv2d<
  S extends Shape,
  W extends Shape,
  const O extends { stride?: PerAxis; padding?: Padding } = {},
>(
  x: Tensor<S>,
  weight: Tensor<W> & ConvOfArg<'conv2d', 2, S, W, 1, OptionOf<O, 'padding', 0, Padding>>,
  options?: O,
): Tensor<ConvOf<2, S, W, OptionOf<O, 'stride', 1, PerAxis>, OptionOf<O, 'padding', 0, Padding>>>;

/** What users extend: it declares no `forward`, so that theirs may have any types. */
export declare abstract class Module {
  parameters(): Iterable<Tensor>;
}

declare abstract class Layer<F extends ShapeFn> extends Module {
  readonly '~shape': F;
  forward<S extends Shape>(x: Tensor<S> & ApplyArg<F, S>): Tensor<Apply<F, S>>;
}

export declare class Linear<const In extends number, const Out extends number> extends Layer<LinearFn<In, Out>> {
  constructor(inFeatures: In, outFeatures: Out, options?: { bias?: boolean });
}

export interface ConvOptions {
  stride?: number | readonly [number, number];
  padding?: number | readonly [number, number] | 'same' | 'valid';
  dilation?: number | readonly [number, number];
}

export declare class Conv2d<
  const In extends number,
  const Out extends number,
  const K extends number | readonly [number, number],
  const O extends ConvOptions = {},
> extends Layer<
  Conv2dFn<
    In,
    Out,
    K,
    OptionOf<O, 'stride', 1, PerAxis>,
    OptionOf<O, 'padding', 0, Padding>,
    OptionOf<O, 'dilation', 1, PerAxis>
  >
> {
  constructor(inChannels: In, outChannels: Out, kernelSize: K, options?: O);
}

export declare class BatchNorm1d<const C extends number> extends Layer<BatchNormFn<1, C>> {
  constructor(numFeatures: C);
}
export declare class BatchNorm2d<const C extends number> extends Layer<BatchNormFn<2, C>> {
  constructor(numFeatures: C);
}
export declare class LayerNorm<const N extends number> extends Layer<LayerNormFn<N>> {
  constructor(normalizedShape: N);
}
export declare class MaxPool2d<
  const K extends number,
  const O extends { stride?: number; padding?: number } = {},
> extends Layer<PoolFn<'MaxPool2d', 2, K, OptionOf<O, 'stride', K, PerAxis>, OptionOf<O, 'padding', 0, PerAxis>>> {
  constructor(kernelSize: K, options?: O);
}
export declare class AdaptiveAvgPool2d<const N extends number> extends Layer<
  AdaptivePoolFn<'AdaptiveAvgPool2d', 2, N>
> {
  constructor(outputSize: N);
}
export declare class Embedding<const D extends number> extends Layer<EmbeddingFn<D>> {
  constructor(numEmbeddings: number, embeddingDim: D);
}
export declare class ReLU extends Layer<IdentityFn> {}
export declare class FlattenLayer<const From extends number = 1> extends Layer<FlattenFn<From>> {
  constructor(startDim?: From);
}
export declare class Sequential<const Ms extends readonly Module[]> extends Layer<SequentialFn<Ms>> {
  constructor(...modules: CheckSequential<Ms>);
}

// ---------------------------------------------------------------- expectations

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? [] : [never, A];
type AllFine<G extends unknown[]> = { [I in keyof G]: unknown extends G[I] ? true : G[I] }[number] extends true
  ? []
  : [G];

/** Compares a list of results with the expected ones in one go. */
export declare function expectShapes<Given>(): { toBe<Expected>(...ok: Equal<Given, Expected>): void };
/** Compares the text of a guard. */
export declare function expectMessage<Guard>(): {
  toBe<Text extends string>(...ok: Equal<MessageOf<Guard>, Text>): void;
};
/** Guards that must let everything through. */
export declare function expectFine<Guards extends unknown[]>(...ok: AllFine<Guards>): void;
