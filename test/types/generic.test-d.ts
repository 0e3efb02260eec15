// Functions and classes that are generic in a shape, a size or a layer: what depends on a type parameter is known when the
// program runs, and fits; what does not depend on it is checked as everywhere.

import { expectTypeOf } from 'vitest';
import { type Shape, type Tensor, cat, conv2d, rand, stack, where } from 'nabla';
import { BatchNorm2d, Conv2d, Linear, Module, MultiheadAttention, Parameter, crossEntropy, mseLoss } from 'nabla/nn';

const layer = new Linear(8, 8);
const weight = new Parameter(rand([1]));

// ---------------------------------------------------------------- a shape

export function centred<S extends Shape>(x: Tensor<S>) {
  return x.sub(x.mean(0));
}
expectTypeOf(centred(rand([4, 3]))).toEqualTypeOf<Tensor<[4, 3]>>();
// @ts-expect-error 3 columns, not 4
export const four: Tensor<[4, 4]> = centred(rand([4, 3]));

export function standardised<S extends Shape>(x: Tensor<S>): Tensor<S> {
  return x.sub(x.mean(0)).div(x.std(0, { keepdim: true }).add(1e-5));
}
expectTypeOf(standardised(rand([4, 3]))).toEqualTypeOf<Tensor<[4, 3]>>();

export function mixed<S extends number[]>(x: Tensor<S>): Tensor<S> {
  const y = x.mul(weight).add(x).add(x.relu());
  const z = layer.forward(x).mul(y);
  return cat([z, x.add(x)], 0)
    .softmax(-1)
    .sum(0);
}
export function greater<S extends Shape, T extends Shape>(x: Tensor<S>, y: Tensor<S>, z: Tensor<T>): Tensor<S> {
  const sum = where(x.gt(y), x, y)
    .add(z)
    .sub(stack([x, y]).mean(0));
  return sum.max(-1).values.unsqueeze(-1).expand(x.shape);
}
export function elements<S extends Shape>(x: Tensor<S>): number {
  const [first, second] = x.shape;
  return x.shape.length + x.shape[0] + first + second + x.shape.reduce((p, q) => p * q, 1);
}
export function noisy<S extends Shape>(x: Tensor<S>): Tensor<S> {
  return x.add(rand(x.shape).mul(0.1));
}
export function flat<S extends Shape>(x: Tensor<S>): Tensor<[number, number]> {
  return x.reshape([x.shape[0], -1]);
}
export function pictures<S extends Shape>(x: Tensor<S>, kernel: Tensor<[8, 3, 3, 3]>) {
  const y = conv2d(x, kernel, { padding: 1 });
  return new BatchNorm2d(8)
    .forward(new Conv2d(8, 8, 1).forward(y))
    .transpose(0, 1)
    .flatten(1);
}
export function attended<S extends Shape>(x: Tensor<S>): Tensor<S> {
  const [y] = new MultiheadAttention(8, 2).forward(x, x, x);
  return y.matmul(layer.weight).add(x);
}
export function loss<S extends Shape>(x: Tensor<S>, y: Tensor<S>, labels: Tensor<Shape, 'int32'>): Tensor<[]> {
  return mseLoss(x, y).add(crossEntropy(x, labels));
}
/** Known and unknown shapes go to open ones; an open one is forgotten on its way to a known one. */
export function through<S extends Shape>(x: Tensor<S>, known: Tensor<[2, 3]>, unknown: Tensor): Tensor<S>[] {
  const forgotten: Tensor = x;
  const again: Tensor<[2, 3]> = forgotten;
  return [known, unknown, again.add(forgotten), x.add(known)];
}

// ---------------------------------------------------------------- a size

export function rows<N extends number>(x: Tensor<[N, 8]>): Tensor<[N, 8]> {
  const h: Tensor<[N, 8]> = layer.forward(x).add(x);
  return cat([h, h]).slice(0, 0, x.shape[0]);
}
expectTypeOf(rows(rand([3, 8]))).toEqualTypeOf<Tensor<[3, 8]>>();
export function product<N extends number, M extends number>(x: Tensor<[N, 8]>, w: Tensor<[8, M]>): Tensor<[N, M]> {
  return x
    .matmul(w)
    .add(rand([w.shape[1]]))
    .transpose(0, 1)
    .transpose(0, 1);
}
export class Wide<N extends number> extends Module {
  readonly first: Linear<N, N>;
  readonly second: Linear<N, 10>;
  constructor(features: N) {
    super();
    this.first = new Linear(features, features);
    this.second = new Linear(features, 10);
  }
  forward(x: Tensor<[number, N]>): Tensor<[number, 10]> {
    return this.second.forward(this.first.forward(x).relu().add(x));
  }
}
new Wide(5).forward(rand([3, 5]));
// @ts-expect-error 5 features, not 6
new Wide(5).forward(rand([3, 6]));

// ---------------------------------------------------------------- a layer

export class Twice<L extends Linear<number, number>> extends Module {
  readonly layer: L;
  constructor(layer: L) {
    super();
    this.layer = layer;
  }
  forward<S extends Shape>(x: Tensor<S>): Tensor<S> {
    return this.layer.forward(this.layer.forward(x));
  }
}
expectTypeOf(new Twice(layer).forward(rand([2, 8]))).toEqualTypeOf<Tensor<[2, 8]>>();

// ---------------------------------------------------------------- what does not depend on a type parameter

export function literal<S extends Shape>(x: Tensor<S>) {
  const y = x.add(rand([3])).reshape([2, 4]);
  // @ts-expect-error 4 and 5 inside
  return y.matmul(rand([5, 3]));
}
export function result<S extends Shape>(x: Tensor<S>): Tensor<[2, 3]> {
  // @ts-expect-error 5 columns, not 3
  return x.reshape([2, 5]);
}
export function columns<N extends number>(x: Tensor<[N, 8]>, y: Tensor<[N, 9]>): Tensor<[N, 8]> {
  // @ts-expect-error 8 and 9 inside
  x.matmul(y.transpose(0, 1));
  // @ts-expect-error 9 features, not 8
  layer.forward(y);
  // @ts-expect-error no dimension 2
  x.sum(2);
  // @ts-expect-error 9 columns, not 8
  return y;
}
export function ranks<S extends Shape>(x: Tensor<S>): Tensor<[number]> {
  // @ts-expect-error a matrix, not a vector
  return x.reshape([4, 2]);
}
export function kinds<S extends Shape>(x: Tensor<S>): Tensor<S, 'int32'> {
  // @ts-expect-error truth values are no integers
  return x.gt(0);
}
