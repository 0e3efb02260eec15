// What decoders of sequences have in common, whatever the features come from that they look at (a text, a picture): they learn with all tokens of
// an answer at once, and write token by token with a cache.

import type { Module } from '../../nn/index.js';
import { full } from '../../tensor/creation.js';
import { type Shape, ShapeError, formatShape } from '../../tensor/library.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { Ids, Mask } from '../text/blocks.js';
import { type EncoderDecoderCache, type KeyValueCache, repeatedTo } from '../text/cache.js';

/** What a decoder looks at. */
export interface DecoderMemory {
  /** [B, S, width] */
  readonly features: Tensor;
  /** bool [B, S]: where there is something. Default: everywhere. */
  readonly mask?: Mask;
}

export interface SequenceDecoder extends Module {
  /** Most positions of an answer. */
  readonly contextLength: number;
  /** Ids of an answer so far, int32 [B, T] → logits of the next token at each position, [B, T, vocabulary]. */
  forward(ids: Ids, memory: DecoderMemory): Tensor;
  /** Where each position looks: [B, T, S], rows that add up to 1. */
  attention(ids: Ids, memory: DecoderMemory): Tensor;
  /** Room for `batch` answers of `length` tokens, to memories of `sourceLength`. */
  newCache(batch: number, length: number, sourceLength: number): EncoderDecoderCache;
  /** Takes in what the answers are about: of as many rows as the cache has, or each for several that follow one another. */
  remember(memory: DecoderMemory, cache: EncoderDecoderCache): void;
  /** Ids [B, n] at the positions from `first` on → logits behind the last one, [B, vocabulary]. */
  step(ids: Ids, first: Ids, cache: KeyValueCache): Tensor;
}

/** Throws unless the memory [B, S, width] belongs to ids [B, T]. */
export function checkMemory(call: string, ids: Ids, { features, mask }: DecoderMemory, width: number): void {
  const [batch, length] = features.shape;
  if (features.rank !== 3 || batch !== ids.shape[0] || features.shape[2] !== width)
    throw new ShapeError(
      `${call}: features ${formatShape(features.shape)} for ids ${formatShape(ids.shape)}: needs [${ids.shape[0]}, S, ${width}]`,
      [features.shape, ids.shape],
    );
  if (mask !== undefined && (mask.rank !== 2 || mask.shape[0] !== batch || mask.shape[1] !== length))
    throw new ShapeError(
      `${call}: mask ${formatShape(mask.shape)} for features ${formatShape(features.shape)}: needs [B, S]`,
      [mask.shape, features.shape],
    );
}

/** What a cache keeps of a mask, int32 of its shape [B, S]: 1 where there is something. */
export function seenOf(mask: Mask | undefined, shape: Shape): Ids {
  return mask === undefined ? full(shape, 1, { dtype: 'int32' }) : repeatedTo(mask.to('int32'), shape);
}
