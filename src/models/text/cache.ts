// What a decoder has seen so far, keys and values of all its layers, in buffers of fixed size: a row is written at each position, and no
// shape ever changes, so that one compiled program serves every token. Texts of a batch end together; shorter ones begin later.

import { Buffer, Module } from '../../nn/index.js';
import { scaledDotProductAttention } from '../../tensor/attention.js';
import { arange, zeros, zerosLike } from '../../tensor/creation.js';
import type { DType, FloatDType, Shape } from '../../tensor/library.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { Ids, Mask } from './blocks.js';

type Sizes = readonly [batch: number, heads: number, length: number, width: number];

/** Keys and values that one layer has seen, [B, heads, length, D]. */
export class LayerCache extends Module {
  readonly key: Buffer;
  readonly value: Buffer;

  constructor(shape: Sizes) {
    super();
    this.key = new Buffer<readonly number[]>(zeros(shape));
    this.value = new Buffer<readonly number[]>(zeros(shape));
  }
}

export class KeyValueCache extends Module {
  readonly layers: readonly LayerCache[];
  /** Positions that there is room for. */
  readonly length: number;
  /** int32 [B]: where each text of the batch begins; what stands before is padding. 0 until it is overwritten. */
  readonly starts: Buffer<readonly number[], 'int32'>;
  /** int32 [1]: a position that the texts will have, for models of a `shortLength`. 0 until it is overwritten. */
  readonly reach: Buffer<readonly number[], 'int32'>;

  constructor(layers: number, shape: Sizes, dtype: FloatDType) {
    super();
    this.layers = Array.from({ length: layers }, () => new LayerCache(shape));
    this.length = shape[2];
    this.starts = new Buffer<readonly number[], 'int32'>(zeros([shape[0]], { dtype: 'int32' }));
    this.reach = new Buffer<readonly number[], 'int32'>(zeros([1], { dtype: 'int32' }));
    this.to(dtype);
  }

  /** Row i of the batch goes on with what row `rows[i]` has seen: int32 [B]. Where texts begin, and a source, stay. */
  reorder(rows: Ids): void {
    for (const { key, value } of this.layers)
      for (const part of [key, value]) part.assign_(part.indexSelect(0, rows.reshape([rows.size])));
  }
}

/** Of a decoder that looks at an encoder's features as well: their keys and values are in the cache too. */
export class EncoderDecoderCache extends KeyValueCache {
  readonly source: readonly LayerCache[];
  /** int32 [B, S]: 1 for a token of the source, 0 for padding. */
  readonly sourceMask: Buffer<readonly number[], 'int32'>;

  constructor(layers: number, shape: Sizes, sourceLength: number, dtype: FloatDType) {
    super(layers, shape, dtype);
    const [batch, heads, , width] = shape;
    this.source = Array.from({ length: layers }, () => new LayerCache([batch, heads, sourceLength, width]));
    this.sourceMask = new Buffer<readonly number[], 'int32'>(zeros([batch, sourceLength], { dtype: 'int32' }));
    this.to(dtype);
  }
}

/** Where in a cache a piece of a sequence stands. */
export interface Place {
  readonly cache: KeyValueCache;
  /** int32 [n]: rows of the cache. */
  readonly rows: Ids;
  /** int32 [B, n]: positions in each text, from its own beginning; 0 in padding. */
  readonly positions: Ids;
  /** bool [B, 1, n, length]: a position sees those of its text up to itself. */
  readonly mask: Mask;
}

/** `count` positions from `first` on, an int32 tensor of one number. */
export function placeIn(cache: KeyValueCache, first: Ids, count: number): Place {
  const steps: Ids = arange(count);
  const rows: Ids = steps.add(first.reshape([1]));
  const begins: Ids = cache.starts;
  const starts: Ids = begins.reshape([begins.size, 1]);
  const past: Ids = rows.reshape([1, count]).sub(starts);
  const positions: Ids = past.maximum(zerosLike(past));
  const all: Ids = arange(cache.length).reshape([1, 1, 1, cache.length]);
  const isPast: Mask = all.le(rows.reshape([1, 1, count, 1]));
  const mask: Mask = all.ge(starts.reshape([cache.starts.size, 1, 1, 1])).logicalAnd(isPast);
  return { cache, rows, positions, mask };
}

/** bool [n, length]: the positions of a window that ends at each of `rows`, int32 [n]. */
export function windowMask(rows: Ids, length: number, window: number): Mask {
  const all: Ids = arange(length).reshape([1, length]);
  return all.gt(rows.reshape([rows.size, 1]).sub(window));
}

export interface CausalOptions {
  readonly dropout?: number;
  readonly scale?: number;
  readonly softcap?: number;
  readonly enableGqa?: boolean;
  /** A position sees so many of the last ones, itself among them. Default: all before it. */
  readonly window?: number | undefined;
}

/** Attention to the past: of the sequence itself, or, with a place, of what the layer's cache holds, into which k and v are written. */
export function attendPast(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  layer: number,
  place: Place | undefined,
  { enableGqa = false, window, ...options }: CausalOptions = {},
): Tensor {
  if (place === undefined) {
    const length = q.shape[2];
    const mask = window !== undefined && window < length ? { mask: windowMask(arange(length), length, window) } : {};
    return attention(q, k, v, { ...options, ...mask, isCausal: true }, enableGqa);
  }
  const { key, value } = writeTo(place.cache.layers[layer], place.rows, k, v);
  const seen = window === undefined ? place.mask : within(place, window);
  return attention(q, key, value, { ...options, mask: seen }, enableGqa);
}

function within({ cache, rows, mask }: Place, window: number): Mask {
  return mask.logicalAnd(windowMask(rows, cache.length, window));
}

/** Keys and values [B, heads, n, D] into their rows of a cache. */
export function writeTo(layer: LayerCache, rows: Ids, k: Tensor, v: Tensor): LayerCache {
  layer.key.assignAt_([null, null, rows], k);
  layer.value.assignAt_([null, null, rows], v);
  return layer;
}

/** Each row several times, one behind the other: for answers of which several belong to a source. */
export function repeatedTo<D extends DType>(x: Tensor<Shape, D>, shape: Shape): Tensor<Shape, D> {
  const [batch, ...rest] = x.shape;
  const rows: Tensor<Shape, D> = x
    .unsqueeze(1)
    .expand([batch, shape[0] / batch, ...rest])
    .reshape(shape);
  return rows;
}

function attention(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  options: {
    readonly isCausal?: boolean;
    readonly mask?: Mask;
    readonly scale?: number;
    readonly softcap?: number;
  },
  enableGqa: boolean,
): Tensor {
  if (enableGqa) return scaledDotProductAttention(q, k, v, { ...options, enableGqa: true });
  const y: Tensor = scaledDotProductAttention(q, k, v, options);
  return y;
}

/** A model that continues texts, as `generate` of nabla/text uses it. */
export interface CausalModel {
  /** Ids [B, T] → logits of the next token at each position [B, T, vocabulary]. */
  forward(ids: Ids): Tensor;
  /** Positions that it can have at most. */
  readonly contextLength: number;
  /**
   * The longest texts whose positions are turned as those of short texts are. What a cache holds of such a text is of no use when it has become
   * longer: its `reach` is then set to a later position, and the whole text is read again. Default: all texts are alike.
   */
  readonly shortLength?: number | undefined;
  /** Room for so many sequences of so many positions. */
  newCache(batch: number, length: number): KeyValueCache;
  /** Ids [B, n] at the positions from `first` on, with what the cache holds before them → logits [B, vocabulary] behind the last one. */
  step(ids: Ids, first: Ids, cache: KeyValueCache): Tensor;
}

/** A model that answers to texts: it reads a source, then writes token by token. */
export interface EncoderDecoderModel {
  /** Positions that an answer can have at most. */
  readonly contextLength: number;
  /** The id that every answer begins with. */
  readonly decoderStartTokenId: number;
  /** Room for so many answers of so many positions, to sources of so many tokens. */
  newAnswerCache(batch: number, length: number, sourceLength: number): EncoderDecoderCache;
  /**
   * Encodes ids [B, S] with their mask [B, S] (1 for a token, 0 for padding); what the decoder needs of it goes into the cache, of B answers or
   * of a multiple, which then follow each other.
   */
  read(ids: Ids, attentionMask: Ids, cache: EncoderDecoderCache): void;
  /** As `CausalModel` has it. */
  step(ids: Ids, first: Ids, cache: KeyValueCache): Tensor;
}
