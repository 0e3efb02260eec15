// Tensors without shapes in their types, for tests that are about what is computed when: thousands of shapes that the compiler
// would work out one by one say nothing there.

import { tensor } from '../../src/index.js';

type Numbers = ArrayLike<number> & Iterable<number>;
type Keep = { readonly keepdim: true };

export interface Loose {
  readonly grad: Loose | undefined;
  add(other: Loose | number): Loose;
  sub(other: Loose | number): Loose;
  mul(other: Loose | number): Loose;
  div(other: Loose | number): Loose;
  matmul(other: Loose): Loose;
  exp(): Loose;
  log(): Loose;
  sqrt(): Loose;
  square(): Loose;
  tanh(): Loose;
  softmax(dim: number): Loose;
  sum(dim?: number): Loose;
  mean(dim?: readonly number[], options?: Keep): Loose;
  max(dim: number, options?: Keep): { readonly values: Loose };
  roll(shift: number, dim: number): Loose;
  transpose(a: number, b: number): Loose;
  expand(shape: readonly number[]): Loose;
  pad(pairs: readonly (readonly [number, number])[]): Loose;
  slice(dim: number, start?: number, end?: number, step?: number): Loose;
  index(at: number): Loose;
  keep(): Loose;
  requiresGrad_(): Loose;
  assign_(value: Loose): Loose;
  backward(): void;
  item(): Promise<number>;
  data(): Promise<Numbers>;
  array(): Promise<unknown>;
}

export function loose(tensor: unknown): Loose {
  return tensor as Loose;
}

/** What a module makes of tensors. */
export function forward<R = Loose>(module: unknown, ...inputs: unknown[]): R {
  return (module as { forward(...inputs: unknown[]): R }).forward(...inputs);
}

/** float32, of one dimension unless a shape is given. */
export function give(numbers: ArrayLike<number>, shape: readonly number[] = [numbers.length]): Loose {
  return loose(tensor(Float32Array.from(numbers) as never, { shape }));
}
