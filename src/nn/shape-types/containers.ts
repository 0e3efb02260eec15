// Modules made of modules.
// `CheckSequential` pushes what the first module accepts through the following ones, as far as sizes are determined
// without an input; `forward` checks the rest on the input itself.

import type { Concat } from '../../tensor/shape-types/join.js';
import type { Shape, ShapeError, ShapeText, ShapesAgree } from '../../tensor/shape-types/shape.js';
import type { In } from './input.js';
import type { Apply, ApplyArg, ShapeFn, ShapeFnOf } from './shape-fn.js';

type Modules = readonly unknown[];

/** The modules one after the other. */
export interface SequentialFn<Ms extends Modules> extends ShapeFn {
  readonly accepts: Ms extends readonly [infer First, ...unknown[]] ? ShapeFnOf<First>['accepts'] : Shape;
  readonly output: Chain<Ms, In<this>>;
  readonly guard: ChainArg<Ms, In<this>>;
}

type Chain<Ms extends Modules, S extends Shape> = number extends Ms['length'] ? number[] : ChainEach<Ms, S>;

/** `infer Next` computes each shape before the next one: a chain of hundreds of modules stays flat. */
type ChainEach<Ms extends Modules, S extends Shape> = Ms extends readonly [infer M, ...infer Rest]
  ? Apply<ShapeFnOf<M>, S> extends infer Next extends Shape
    ? ChainEach<Rest, Next>
    : number[]
  : S;

/** The first error on the way. */
type ChainArg<Ms extends Modules, S extends Shape> = number extends Ms['length'] ? unknown : ChainArgEach<Ms, S>;

type ChainArgEach<Ms extends Modules, S extends Shape> = Ms extends readonly [infer M, ...infer Rest]
  ? ApplyArg<ShapeFnOf<M>, S> extends infer Guard
    ? unknown extends Guard
      ? Apply<ShapeFnOf<M>, S> extends infer Next extends Shape
        ? ChainArgEach<Rest, Next>
        : unknown
      : Guard
    : unknown
  : unknown;

/** x + body(x), where the shortcut may change x. */
export interface ResidualFn<Ms extends Modules, Short> extends ShapeFn {
  readonly accepts: SequentialFn<Ms>['accepts'];
  readonly output: Short extends undefined ? In<this> : Apply<ShapeFnOf<Short>, In<this>>;
  readonly guard: ResidualArg<
    In<this>,
    ChainArg<Ms, In<this>>,
    Chain<Ms, In<this>>,
    Short extends undefined ? In<this> : Apply<ShapeFnOf<Short>, In<this>>
  >;
}

type ResidualArg<S extends Shape, Guard, Body extends Shape, Past extends Shape> = unknown extends Guard
  ? ShapesAgree<Body, Past> extends true
    ? unknown
    : ShapeError<`Residual: input ${ShapeText<S>}: the body gives ${ShapeText<Body>}, the shortcut ${ShapeText<Past>}`>
  : Guard;

/** Branches with one input, joined along Dim. */
export interface ParallelFn<Ms extends Modules, Dim extends number> extends ShapeFn {
  readonly accepts: SequentialFn<Ms>['accepts'];
  readonly output: Concat<EachOutput<Ms, In<this>>, Dim>;
  readonly guard: ParallelArg<Ms, In<this>>;
}

type EachOutput<Ms extends Modules, S extends Shape> = {
  -readonly [I in keyof Ms]: Apply<ShapeFnOf<Ms[I]>, S>;
} extends infer Outputs extends readonly Shape[]
  ? Outputs
  : readonly Shape[];

/** The first error of a branch. */
type ParallelArg<Ms extends Modules, S extends Shape> = Ms extends readonly [infer M, ...infer Rest]
  ? ApplyArg<ShapeFnOf<M>, S> extends infer Guard
    ? unknown extends Guard
      ? ParallelArg<Rest, S>
      : Guard
    : unknown
  : unknown;

/**
 * The types of Sequential's arguments: each module, intersected with a `ShapeError` if it cannot follow the one before.
 * `S` is the shape of the input where it is known.
 */
export type CheckSequential<Ms extends Modules, S extends Shape = Shape> = {
  [I in keyof Ms]: Ms[I] & GuardAt<Guards<Ms, S>, I>;
};

type GuardAt<G, I> = I extends keyof G ? G[I] : unknown;

type Guards<Ms extends Modules, S extends Shape> = number extends Ms['length'] ? unknown : GuardEach<Ms, S>;

type GuardEach<Ms extends Modules, S extends Shape, Out extends unknown[] = []> = Ms extends readonly [
  infer M,
  ...infer Rest,
]
  ? Push<ShapeFnOf<M>, S> extends infer Next extends Shape
    ? GuardEach<Rest, Next, [...Out, ApplyArg<ShapeFnOf<M>, S>]>
    : Out
  : Out;

/** A module that is handed an unknown shape hands on what follows from the shape it accepts. */
type Push<F extends ShapeFn, S extends Shape> = Shape extends S
  ? Apply<F, F['accepts']>
  : number[] extends S
    ? Apply<F, F['accepts']>
    : Apply<F, S>;
