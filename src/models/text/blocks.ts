// What the models of text share: heads, tables, and the checks of ids and masks.
// Tensors are plain here, and sizes are checked as they run.

import { Embedding, type LayerNorm, Linear, type Module } from '../../nn/index.js';
import { scaledDotProductAttention } from '../../tensor/attention.js';
import { DTypeError, ShapeError, formatShape } from '../../tensor/library.js';
import { type AnyTensor, type Tensor, checkTensor } from '../../tensor/tensor.js';

/** Numbers of tokens, or positions. */
export type Ids = Tensor<readonly number[], 'int32'>;

/** Of what may be seen. */
export type Mask = Tensor<readonly number[], 'bool'>;

/** A module from one tensor to one. */
export interface Block extends Module {
  forward(x: Tensor): Tensor;
}

export type Norm = LayerNorm<number>;
export type Table = Embedding<number>;

export function linear(from: number, to: number, bias = true): Linear<number, number> {
  return new Linear<number, number>(from, to, { bias });
}

export function table(count: number, width: number): Table {
  return new Embedding<number>(count, width);
}

/** Throws unless there are ids [B, T] of at most `most` positions. */
export function checkIds(call: string, ids: Ids, most = Infinity): void {
  checkTensor(ids, call, 'the ids');
  if (ids.dtype !== 'int32')
    throw new DTypeError(`${call}: ids are ${String(ids.dtype)}, and have to be int32. Convert with to('int32').`);
  if (ids.rank !== 2) throw new ShapeError(`${call}: ids ${formatShape(ids.shape)}: needs [B, T]`, [ids.shape]);
  if (ids.shape[1] > most)
    throw new ShapeError(`${call}: ids ${formatShape(ids.shape)}: at most ${most} positions`, [ids.shape]);
}

/** [B, T, heads · D] → [B, heads, T, D] */
export function splitHeads(x: Tensor, heads: number): Tensor {
  const [batch, length, width] = x.shape;
  const split: Tensor = x.reshape([batch, length, heads, width / heads]);
  return split.transpose(1, 2);
}

/** [B, heads, T, D] → [B, T, heads · D] */
export function joinHeads(x: Tensor): Tensor {
  const [batch, heads, length, width] = x.shape;
  const joined: Tensor = x.transpose(1, 2).reshape([batch, length, heads * width]);
  return joined;
}

export interface AttendOptions {
  readonly heads: number;
  readonly dropout: number;
  /** Of what may be seen. Default: all. */
  readonly mask?: AnyTensor | undefined;
}

/** Self-attention of x [B, T, E] by the layers of its queries, keys and values: what the heads saw, side by side. */
export function attend(
  x: Tensor,
  layers: readonly [queries: Block, keys: Block, values: Block],
  { heads, dropout, mask }: AttendOptions,
): Tensor {
  const [q, k, v] = layers.map((layer) => splitHeads(layer.forward(x), heads));
  return joinHeads(scaledDotProductAttention(q, k, v, { dropout, ...(mask !== undefined && { mask }) }));
}

/** A mask of numbers or bools [B, S] (1 where there is a token) as bool [B, 1, 1, S]; undefined for none. */
export function paddingMask(call: string, mask: AnyTensor | undefined, ids: Ids): Mask | undefined {
  if (mask === undefined) return undefined;
  checkTensor(mask, call, 'attentionMask');
  const [batch, length] = ids.shape;
  if (mask.rank !== 2 || mask.shape[0] !== batch || mask.shape[1] !== length)
    throw new ShapeError(
      `${call}: attentionMask ${formatShape(mask.shape)} does not have the shape of the ids ${formatShape(ids.shape)}`,
      [mask.shape, ids.shape],
    );
  return mask.to('bool').reshape([batch, 1, 1, length]);
}
