// What the models of text share: activations by transformers' names, heads, attention with and without a cache of keys and values.
// Tensors are plain here, and sizes are checked as they run.

import { Buffer, Embedding, type LayerNorm, Linear, Module, functional as F } from '../../nn/index.js';
import { scaledDotProductAttention } from '../../tensor/attention.js';
import { arange, zeros } from '../../tensor/creation.js';
import { DTypeError, type FloatDType, ShapeError, checkChoice, formatShape } from '../../tensor/library.js';
import type { AnyTensor, Tensor } from '../../tensor/tensor.js';

/** Numbers of tokens, or positions. */
export type Ids = Tensor<readonly number[], 'int32'>;

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

/** Activations by the names that transformers' config.json has. */
const ACTIVATIONS = {
  gelu: (x: Tensor): Tensor => x.gelu(),
  gelu_new: (x: Tensor): Tensor => F.gelu(x, 'tanh'),
  gelu_pytorch_tanh: (x: Tensor): Tensor => F.gelu(x, 'tanh'),
  relu: (x: Tensor): Tensor => x.relu(),
  silu: (x: Tensor): Tensor => F.silu(x),
  swish: (x: Tensor): Tensor => F.silu(x),
} as const;

/** The erf GELU; the same by tanh, under two names; ReLU; SiLU, under two names. */
export type Activation = keyof typeof ACTIVATIONS;

export function activationNamed(call: string, option: string, name: Activation): (x: Tensor) => Tensor {
  checkChoice(call, option, name, Object.keys(ACTIVATIONS));
  return ACTIVATIONS[name];
}

/** Throws unless there are ids [B, T] of at most `most` positions. */
export function checkIds(call: string, ids: Ids, most = Infinity): void {
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

/** A mask of numbers or bools [B, S] (1 where there is a token) as bool [B, 1, 1, S]; undefined for none. */
export function paddingMask(call: string, mask: AnyTensor | undefined, ids: Ids): AnyTensor | undefined {
  if (mask === undefined) return undefined;
  const [batch, length] = ids.shape;
  if (mask.rank !== 2 || mask.shape[0] !== batch || mask.shape[1] !== length)
    throw new ShapeError(
      `${call}: attentionMask ${formatShape(mask.shape)} does not have the shape of the ids ${formatShape(ids.shape)}`,
      [mask.shape, ids.shape],
    );
  return mask.to('bool').reshape([batch, 1, 1, length]);
}

/** Keys and values that one layer has seen, [B, heads, length, D]. */
export class LayerCache extends Module {
  readonly key: Buffer;
  readonly value: Buffer;

  constructor(shape: readonly number[]) {
    super();
    this.key = new Buffer<readonly number[]>(zeros(shape));
    this.value = new Buffer<readonly number[]>(zeros(shape));
  }
}

/** What a decoder has seen so far, in buffers of fixed size: a row is written at each position, and no shape ever changes. */
export class KeyValueCache extends Module {
  readonly layers: readonly LayerCache[];
  /** Positions that there is room for. */
  readonly length: number;

  constructor(
    layers: number,
    shape: readonly [batch: number, heads: number, length: number, width: number],
    dtype: FloatDType,
  ) {
    super();
    this.layers = Array.from({ length: layers }, () => new LayerCache(shape));
    this.length = shape[2];
    this.to(dtype);
  }
}

/** Where in a cache a piece of a sequence stands. */
export interface Place {
  readonly cache: KeyValueCache;
  /** int32 [n] */
  readonly positions: Ids;
  /** bool [n, length]: a position sees those up to itself. */
  readonly mask: AnyTensor;
}

/** `count` positions from `first` on, an int32 tensor of one number. */
export function placeIn(cache: KeyValueCache, first: Ids, count: number): Place {
  const steps: Ids = arange(count);
  const positions: Ids = steps.add(first.reshape([1]));
  const all: Ids = arange(cache.length).reshape([1, cache.length]);
  return { cache, positions, mask: all.le(positions.reshape([count, 1])) };
}

export interface CausalOptions {
  readonly dropout?: number;
  readonly scale?: number;
  readonly enableGqa?: boolean;
}

/** Attention to the past: of the sequence itself, or, with a place, of what the layer's cache holds, into which k and v are written. */
export function attendPast(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  layer: number,
  place: Place | undefined,
  { enableGqa = false, ...options }: CausalOptions = {},
): Tensor {
  if (place === undefined) return attention(q, k, v, { ...options, isCausal: true }, enableGqa);
  const { key, value } = place.cache.layers[layer];
  key.assignAt_([null, null, place.positions], k);
  value.assignAt_([null, null, place.positions], v);
  return attention(q, key, value, { ...options, mask: place.mask }, enableGqa);
}

function attention(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  options: { readonly isCausal?: boolean; readonly mask?: AnyTensor; readonly scale?: number },
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
  /** Room for so many sequences of so many positions. */
  newCache(batch: number, length: number): KeyValueCache;
  /** Ids [B, n] at the positions from `first` on, with what the cache holds before them → logits [B, vocabulary] behind the last one. */
  step(ids: Ids, first: Ids, cache: KeyValueCache): Tensor;
}
