// What a module does to shapes, as a type: from input to output, with a guard of the input.
//   A `ShapeFn` is an interface with a slot `input`; intersecting it with `{ input: S }` fills the slot, and its members
//   `output` and `guard` then hold the answer. Every module carries its own in the property '~shape', which exists only as a type.
// Must not know: parameters, or how a module computes. The rules themselves are in src/tensor/shape-types.

import type { Guard, Shape, ShapeError, ShapeIn, ShapeText, ShapesAgree } from '../../tensor/shape-types/shape.js';
import type { In } from './input.js';

export interface ShapeFn {
  /** The slot: the shape that goes in. */
  readonly input: unknown;
  /** What is known of a suitable input before there is one. */
  readonly accepts: Shape;
  /** The shape that comes out. */
  readonly output: Shape;
  /** `unknown`, or the `ShapeError` of an input that does not fit. */
  readonly guard: unknown;
}

/** The output shape of F for an input of shape S. */
export type Apply<F extends ShapeFn, S extends Shape> = (F & { readonly input: S })['output'];

/** Guard of the argument of `forward`. */
export type ApplyArg<F extends ShapeFn, S extends Shape> = Guard<(F & { readonly input: S })['guard']>;

/** The property of a module that carries its shape function. */
export interface HasShapeFn<F extends ShapeFn = ShapeFn> {
  readonly '~shape'?: F;
}

/**
 * The shape function of a module. One that declares none is known by the types its `forward` is written with, such as
 * `forward(x: Tensor<[number, 64]>): Tensor<[number, 10]>`.
 */
export type ShapeFnOf<M> = M extends { readonly '~shape'?: infer F }
  ? F extends UnknownFn
    ? ForwardFn<M>
    : F extends ShapeFn
      ? F
      : ForwardFn<M>
  : ForwardFn<M>;

type ForwardFn<M> = M extends {
  forward(x: infer X extends { readonly shape: Shape }): infer Y extends { readonly shape: Shape };
}
  ? FixedFn<'forward', ShapeIn<X>, ShapeIn<Y>>
  : UnknownFn;

/** Nothing is known: any input, any output. */
export interface UnknownFn extends ShapeFn {
  readonly isUnknown: true;
  readonly output: number[];
}

/** Activations, dropout: the shape stays. */
export interface IdentityFn extends ShapeFn {
  readonly output: In<this>;
}

/** A module of one input shape and one output shape, such as one with a hand-written `forward`. */
export interface FixedFn<Name extends string, From extends Shape, To extends Shape> extends ShapeFn {
  readonly accepts: From;
  readonly output: To;
  readonly guard: FixedArg<Name, From, In<this>>;
}

type FixedArg<Name extends string, From extends Shape, S extends Shape> =
  ShapesAgree<From, S> extends true ? unknown : ShapeError<`${Name}: input ${ShapeText<S>}: needs ${ShapeText<From>}`>;
