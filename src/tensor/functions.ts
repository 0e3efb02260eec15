// Functions of several tensors: joins, choices between two, rows of a table.

import type { DType } from '../engine/ir/dtype.js';
import type { Shape } from '../engine/ir/shape.js';
import * as elementwise from './elementwise.js';
import * as indexing from './indexing.js';
import * as movement from './movement.js';
import type { Broadcast, BroadcastArg } from './shape-types/broadcast.js';
import type { Concat, ConcatArg, ShapesOf, Stack, StackArg } from './shape-types/join.js';
import type { AnyTensor, Promoted, Tensor } from './tensor.js';
import { nodeOf, nodesOf, wrap } from './tensor.js';

type DTypeOf<Ts extends readonly AnyTensor[]> = Ts[number]['dtype'];

/** Joins along an existing dimension. PyTorch: torch.cat. */
export function cat<const Ts extends readonly AnyTensor[], const Dim extends number = 0>(
  tensors: Ts & ConcatArg<ShapesOf<Ts>, Dim>,
  dim?: Dim,
): Tensor<Concat<ShapesOf<Ts>, Dim>, DTypeOf<Ts>> {
  return wrap(movement.cat(nodesOf(tensors, 'cat'), dim ?? 0));
}

/** Joins along a new dimension. PyTorch: torch.stack. */
export function stack<const Ts extends readonly AnyTensor[], const Dim extends number = 0>(
  tensors: Ts & StackArg<ShapesOf<Ts>, Dim>,
  dim?: Dim,
): Tensor<Stack<ShapesOf<Ts>, Dim>, DTypeOf<Ts>> {
  return wrap(movement.stack(nodesOf(tensors, 'stack'), dim ?? 0));
}

/** a where the condition holds, else b; all three broadcast. */
export function where<C extends Shape, A extends Shape, D extends DType>(
  condition: Tensor<C, 'bool'>,
  a: Tensor<A, D> & BroadcastArg<'where', C, A>,
  b: number,
): Tensor<Broadcast<C, A>, D>;
export function where<C extends Shape, B extends Shape, D extends DType>(
  condition: Tensor<C, 'bool'>,
  a: number,
  b: Tensor<B, D> & BroadcastArg<'where', C, B>,
): Tensor<Broadcast<C, B>, D>;
export function where<C extends Shape>(condition: Tensor<C, 'bool'>, a: number, b: number): Tensor<C>;
// The last one is what a compiler talks about when none fits.
export function where<C extends Shape, A extends Shape, B extends Shape, D extends DType, E extends DType>(
  condition: Tensor<C, 'bool'>,
  a: Tensor<A, D> & BroadcastArg<'where', C, A>,
  b: Tensor<B, E> & BroadcastArg<'where', Broadcast<C, A>, B>,
): Tensor<Broadcast<C, Broadcast<A, B>>, Promoted<D, E>>;
export function where(condition: AnyTensor, a: AnyTensor | number, b: AnyTensor | number): unknown {
  return wrap(
    elementwise.where(
      nodeOf(condition, 'where', 'the condition'),
      typeof a === 'number' ? a : nodeOf(a, 'where', 'the first choice'),
      typeof b === 'number' ? b : nodeOf(b, 'where', 'the second choice'),
    ),
  );
}

/** Rows of a table [n, width] at the given indices [..] → [.., width]. PyTorch: F.embedding. */
export function embedding<I extends Shape, W extends number>(
  table: Tensor<[number, W]>,
  index: Tensor<I, 'int32'>,
): Tensor<[...I, W]> {
  return wrap(indexing.rows(nodeOf(table, 'embedding', 'the table'), nodeOf(index, 'embedding', 'the index')));
}
