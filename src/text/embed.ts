// One vector for a text, from the features of its tokens, and the vectors that are nearest to one.

import { ArgumentError, ShapeError, checkHas, checkWhole, formatShape } from '../tensor/library.js';
import { type AnyTensor, type Tensor, checkTensor } from '../tensor/tensor.js';

/**
 * The mean over the tokens: features [B, T, E], attentionMask [B, T] (1 for a token, 0 for padding) → [B, E]. A text without tokens
 * gives 0. sentence-transformers: mean pooling.
 */
export function meanPool(features: Tensor, attentionMask: AnyTensor): Tensor<[number, number]> {
  checkTensor(features, 'meanPool', 'the features');
  checkTensor(attentionMask, 'meanPool', 'the attentionMask');
  const [batch, length] = features.shape;
  if (
    features.rank !== 3 ||
    attentionMask.rank !== 2 ||
    attentionMask.shape[0] !== batch ||
    attentionMask.shape[1] !== length
  )
    throw new ShapeError(
      `meanPool: features ${formatShape(features.shape)} and attentionMask ${formatShape(attentionMask.shape)}: needs [B, T, E] and [B, T]`,
      [features.shape, attentionMask.shape],
    );
  const weights: Tensor = attentionMask.to(features.dtype).unsqueeze(2);
  const sums: Tensor = features.mul(weights).sum(1);
  return sums.div(weights.sum(1).clamp(1));
}

/** An encoder, such as Bert. */
export interface Encoder {
  forward(ids: Tensor<readonly number[], 'int32'>, inputs: { readonly attentionMask: AnyTensor }): Tensor;
}

export interface TokenBatch {
  /** int32 [B, T] */
  readonly ids: Tensor<[number, number], 'int32'>;
  /** int32 [B, T] */
  readonly attentionMask: Tensor<[number, number], 'int32'>;
}

/** Vectors of length 1 for texts, [B, E]: the encoder's features, their means over the tokens, divided by their norms. */
export function embed(encoder: Encoder, batch: TokenBatch): Tensor<[number, number]> {
  checkHas(
    'embed',
    'the encoder',
    encoder,
    ['forward'],
    'Give a Bert, or a module of yours with forward(ids, { attentionMask })',
  );
  checkHas(
    'embed',
    'the batch',
    batch,
    ['ids', 'attentionMask'],
    'Give what encodeBatch gives, { ids, attentionMask }',
  );
  const pooled: Tensor = meanPool(encoder.forward(batch.ids, batch), batch.attentionMask);
  return unit(pooled);
}

export interface Neighbour {
  /** Which row it is. */
  readonly index: number;
  /** Cosine of the angle, −1 to 1. */
  readonly similarity: number;
}

/** For each of queries [Q, E] the `count` rows of [N, E] with the largest cosines, the nearest first. Equal ones: the earlier row first. */
export async function nearest(queries: Tensor, rows: Tensor, count = 1): Promise<Neighbour[][]> {
  checkTensor(queries, 'nearest', 'the queries');
  checkTensor(rows, 'nearest', 'the rows');
  checkWhole('nearest', 'count', count, 1);
  if (queries.rank !== 2 || rows.rank !== 2 || queries.shape[1] !== rows.shape[1])
    throw new ShapeError(
      `nearest: queries ${formatShape(queries.shape)} and rows ${formatShape(rows.shape)}: needs [Q, E] and [N, E]`,
      [queries.shape, rows.shape],
    );
  const all = rows.shape[0];
  if (count > all) throw new ArgumentError(`nearest: count is ${count}, and there are ${all} rows.`);
  const cosines: Tensor = unit(queries).matmul(unit(rows).transpose(0, 1));
  const numbers = await cosines.data();
  return Array.from({ length: queries.shape[0] }, (_, q) => {
    const own = Array.from({ length: all }, (_, index) => ({ index, similarity: numbers[q * all + index] }));
    return own.sort((a, b) => b.similarity - a.similarity || a.index - b.index).slice(0, count);
  });
}

/** Rows divided by their lengths. */
function unit(x: Tensor): Tensor<[number, number]> {
  const norms: Tensor = x.square().sum(1, { keepdim: true }).sqrt().clamp(1e-12);
  return x.div(norms);
}
