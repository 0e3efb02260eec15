// The Transformer's two halves for sequences of tokens (Vaswani et al. 2017), with norms in front (Xiong et al. 2020): an encoder of texts, and a
// decoder that looks at features of any kind.
//   Embeddings times √width plus sinusoidal positions; the decoder's output shares the weights of its embedding.

import {
  Buffer,
  Dropout,
  Embedding,
  LayerNorm,
  Module,
  SinusoidalPositions,
  init,
  sinusoidalEncoding,
} from '../../nn/index.js';
import { attentionWeights, scaledDotProductAttention } from '../../tensor/attention.js';
import type { Tensor } from '../../tensor/tensor.js';
import {
  type Block,
  type Ids,
  type Mask,
  type Norm,
  type Table,
  checkIds,
  joinHeads,
  linear,
  splitHeads,
} from '../text/blocks.js';
import { EncoderDecoderCache, type KeyValueCache, type Place, attendPast, placeIn, repeatedTo } from '../text/cache.js';
import { dtypeOf } from '../text/dtype.js';
import { ArgumentError } from '../../tensor/library.js';
import { type DecoderMemory, type SequenceDecoder, checkMemory, seenOf } from './decoder.js';

export interface TransformerSizes {
  readonly width: number;
  readonly heads: number;
  readonly layers: number;
  /** Of the network behind the attention. */
  readonly feedForward: number;
  readonly dropout: number;
  readonly contextLength: number;
}

type KeysAndValues = readonly [key: Tensor, value: Tensor];

const norm = (width: number): Norm => new LayerNorm<number>(width);

/** A table whose rows, times √width, have the size of the positions. */
export function tokenTable(vocabulary: number, width: number): Table {
  const table = new Embedding<number>(vocabulary, width);
  init.normal_(table.weight, 0, width ** -0.5);
  return table;
}

/** Xavier for all products but those of tables. */
function startLinear(model: Module): void {
  for (const [name, parameter] of model.namedParameters()) {
    if (parameter.rank === 2 && !name.startsWith('tokens.')) init.xavierUniform_(parameter);
    else if (name.endsWith('.bias')) init.zeros_(parameter);
  }
}

class TextFeedForward extends Module {
  readonly expand: Block;
  readonly contract: Block;
  readonly dropout: Dropout;

  constructor({ width, feedForward, dropout }: TransformerSizes) {
    super();
    this.expand = linear(width, feedForward);
    this.contract = linear(feedForward, width);
    this.dropout = new Dropout(dropout);
  }

  forward(x: Tensor): Tensor {
    return this.contract.forward(this.dropout.forward(this.expand.forward(x).relu()));
  }
}

class TextSelfAttention extends Module {
  readonly qkv: Block;
  readonly out: Block;
  private readonly heads: number;
  private readonly dropout: number;

  constructor({ width, heads, dropout }: TransformerSizes) {
    super();
    this.qkv = linear(width, 3 * width);
    this.out = linear(width, width);
    this.heads = heads;
    this.dropout = dropout;
  }

  /** Of an encoder: all see all that the mask allows, bool [B, 1, 1, S]. */
  among(x: Tensor, mask: Mask | undefined): Tensor {
    const [q, k, v] = this.split(x);
    const dropout = this.training ? this.dropout : 0;
    return this.joined(scaledDotProductAttention(q, k, v, mask === undefined ? { dropout } : { dropout, mask }));
  }

  /** Of a decoder: each sees itself and what is before it, in the sequence or in a cache. */
  past(x: Tensor, layer: number, place: Place | undefined): Tensor {
    const [q, k, v] = this.split(x);
    return this.joined(attendPast(q, k, v, layer, place, { dropout: this.training ? this.dropout : 0 }));
  }

  private split(x: Tensor): Tensor[] {
    return this.qkv
      .forward(x)
      .chunk(3, 2)
      .map((part) => splitHeads(part, this.heads));
  }

  private joined(x: Tensor): Tensor {
    return this.out.forward(joinHeads(x));
  }
}

class TextCrossAttention extends Module {
  readonly query: Block;
  readonly keyValue: Block;
  readonly out: Block;
  private readonly heads: number;
  private readonly dropout: number;

  constructor({ width, heads, dropout }: TransformerSizes) {
    super();
    this.query = linear(width, width);
    this.keyValue = linear(width, 2 * width);
    this.out = linear(width, width);
    this.heads = heads;
    this.dropout = dropout;
  }

  keysAndValues(features: Tensor): KeysAndValues {
    const [key, value] = this.keyValue.forward(features).chunk(2, 2);
    return [splitHeads(key, this.heads), splitHeads(value, this.heads)];
  }

  forward(x: Tensor, [key, value]: KeysAndValues, mask: Mask | undefined): Tensor {
    const dropout = this.training ? this.dropout : 0;
    const query = splitHeads(this.query.forward(x), this.heads);
    const seen = scaledDotProductAttention(query, key, value, mask === undefined ? { dropout } : { dropout, mask });
    return this.out.forward(joinHeads(seen));
  }

  /** The mean over the heads, [B, T, S]. */
  weights(x: Tensor, [key]: KeysAndValues, mask: Mask | undefined): Tensor {
    const query = splitHeads(this.query.forward(x), this.heads);
    return attentionWeights(query, key, mask === undefined ? {} : { mask }).mean(1);
  }
}

class TextEncoderLayer extends Module {
  readonly norm1: Norm;
  readonly attention: TextSelfAttention;
  readonly norm2: Norm;
  readonly network: TextFeedForward;
  readonly dropout: Dropout;

  constructor(sizes: TransformerSizes) {
    super();
    this.norm1 = norm(sizes.width);
    this.attention = new TextSelfAttention(sizes);
    this.norm2 = norm(sizes.width);
    this.network = new TextFeedForward(sizes);
    this.dropout = new Dropout(sizes.dropout);
  }

  forward(x: Tensor, mask: Mask | undefined): Tensor {
    const y: Tensor = x.add(this.dropout.forward(this.attention.among(this.norm1.forward(x), mask)));
    return y.add(this.dropout.forward(this.network.forward(this.norm2.forward(y))));
  }
}

class TextDecoderLayer extends Module {
  readonly norm1: Norm;
  readonly attention: TextSelfAttention;
  readonly norm2: Norm;
  readonly cross: TextCrossAttention;
  readonly norm3: Norm;
  readonly network: TextFeedForward;
  readonly dropout: Dropout;

  constructor(sizes: TransformerSizes) {
    super();
    this.norm1 = norm(sizes.width);
    this.attention = new TextSelfAttention(sizes);
    this.norm2 = norm(sizes.width);
    this.cross = new TextCrossAttention(sizes);
    this.norm3 = norm(sizes.width);
    this.network = new TextFeedForward(sizes);
    this.dropout = new Dropout(sizes.dropout);
  }

  /** x after the self-attention. */
  informed(x: Tensor, layer: number, place: Place | undefined): Tensor {
    return x.add(this.dropout.forward(this.attention.past(this.norm1.forward(x), layer, place)));
  }

  forward(x: Tensor, seen: KeysAndValues, mask: Mask | undefined, layer: number, place: Place | undefined): Tensor {
    const y = this.informed(x, layer, place);
    const z: Tensor = y.add(this.dropout.forward(this.cross.forward(this.norm2.forward(y), seen, mask)));
    return z.add(this.dropout.forward(this.network.forward(this.norm3.forward(z))));
  }

  weights(x: Tensor, seen: KeysAndValues, mask: Mask | undefined, layer: number): Tensor {
    return this.cross.weights(this.norm2.forward(this.informed(x, layer, undefined)), seen, mask);
  }
}

/** bool [B, S] as it is added to scores [B, heads, T, S]. */
function wide(mask: Mask | undefined): Mask | undefined {
  if (mask === undefined) return undefined;
  return mask.reshape([mask.shape[0], 1, 1, mask.shape[1]]);
}

/** Ids int32 [B, S] → features [B, S, width]. */
export class TransformerTextEncoder extends Module {
  readonly tokens: Table;
  readonly positions: SinusoidalPositions<number>;
  readonly layers: readonly TextEncoderLayer[];
  readonly norm: Norm;
  readonly dropout: Dropout;

  constructor(tokens: Table, sizes: TransformerSizes) {
    super();
    this.tokens = tokens;
    this.positions = new SinusoidalPositions<number>(sizes.width);
    this.layers = Array.from({ length: sizes.layers }, () => new TextEncoderLayer(sizes));
    this.norm = norm(sizes.width);
    this.dropout = new Dropout(sizes.dropout);
    startLinear(this);
  }

  forward(ids: Ids, mask: Mask | undefined): Tensor {
    checkIds('TransformerTextEncoder', ids);
    let x: Tensor = this.dropout.forward(this.positions.forward(embedded(this.tokens, ids)));
    for (const layer of this.layers) x = layer.forward(x, wide(mask));
    return this.norm.forward(x);
  }
}

function positionsOf({ contextLength, width }: TransformerSizes): Buffer<readonly number[]> {
  return new Buffer<readonly number[]>(sinusoidalEncoding<number, number>(contextLength, width));
}

function embedded(tokens: Table, ids: Ids): Tensor {
  const rows: Tensor = tokens.forward(ids);
  return rows.mul(Math.sqrt(tokens.weight.shape[1]));
}

/** Ids int32 [B, T] and features [B, S, width] → logits [B, T, vocabulary]. */
export class TransformerTextDecoder extends Module implements SequenceDecoder {
  readonly tokens: Table;
  readonly positions: Buffer<readonly number[]>;
  readonly layers: readonly TextDecoderLayer[];
  readonly norm: Norm;
  readonly dropout: Dropout;
  readonly contextLength: number;
  private readonly heads: number;

  constructor(tokens: Table, sizes: TransformerSizes) {
    super();
    this.tokens = tokens;
    this.positions = positionsOf(sizes);
    this.layers = Array.from({ length: sizes.layers }, () => new TextDecoderLayer(sizes));
    this.norm = norm(sizes.width);
    this.dropout = new Dropout(sizes.dropout);
    this.contextLength = sizes.contextLength;
    this.heads = sizes.heads;
    startLinear(this);
  }

  forward(ids: Ids, memory: DecoderMemory): Tensor {
    this.check('forward', ids, memory);
    const mask = wide(memory.mask);
    let x = this.start(ids);
    for (const [i, layer] of this.layers.entries())
      x = layer.forward(x, layer.cross.keysAndValues(memory.features), mask, i, undefined);
    return this.logits(x);
  }

  /** Of the last layer, the mean over its heads. */
  attention(ids: Ids, memory: DecoderMemory): Tensor {
    this.check('attention', ids, memory);
    const mask = wide(memory.mask);
    let x = this.start(ids);
    const last = this.layers.length - 1;
    for (const [i, layer] of this.layers.entries()) {
      const seen = layer.cross.keysAndValues(memory.features);
      if (i === last) return layer.weights(x, seen, mask, i);
      x = layer.forward(x, seen, mask, i, undefined);
    }
    return x;
  }

  newCache(batch: number, length: number, sourceLength: number): EncoderDecoderCache {
    const shape = [batch, this.heads, length, this.width / this.heads] as const;
    return new EncoderDecoderCache(this.layers.length, shape, sourceLength, dtypeOf(this));
  }

  remember({ features, mask }: DecoderMemory, cache: EncoderDecoderCache): void {
    for (const [i, { cross }] of this.layers.entries()) {
      const [key, value] = cross.keysAndValues(features);
      cache.source[i].key.assign_(repeatedTo(key, cache.source[i].key.shape));
      cache.source[i].value.assign_(repeatedTo(value, cache.source[i].value.shape));
    }
    const { sourceMask } = cache;
    sourceMask.assign_(seenOf(mask, sourceMask.shape));
  }

  step(ids: Ids, first: Ids, cache: KeyValueCache): Tensor {
    if (!(cache instanceof EncoderDecoderCache))
      throw new ArgumentError(
        'step: the cache has no source. Make it with newAnswerCache, and read the source into it.',
      );
    const count = ids.shape[1];
    const { source, sourceMask } = cache;
    const mask = wide(sourceMask.ne(0));
    const place = placeIn(cache, first, count);
    const [batch] = ids.shape;
    const rows: Tensor = this.positions.indexSelect(0, place.positions.reshape([batch * count]));
    let x: Tensor = embedded(this.tokens, ids).add(rows.reshape([batch, count, this.width]));
    for (const [i, layer] of this.layers.entries())
      x = layer.forward(x, [source[i].key, source[i].value], mask, i, place);
    return this.logits(x.slice(1, count - 1, count)).select(1, 0);
  }

  private get width(): number {
    return this.tokens.weight.shape[1];
  }

  private check(call: string, ids: Ids, memory: DecoderMemory): void {
    checkIds(`TransformerTextDecoder.${call}`, ids, this.contextLength);
    checkMemory(`TransformerTextDecoder.${call}`, ids, memory, this.width);
  }

  private start(ids: Ids): Tensor {
    return this.dropout.forward(embedded(this.tokens, ids).add(this.positions.slice(0, 0, ids.shape[1])));
  }

  private logits(x: Tensor): Tensor {
    const weight: Tensor = this.tokens.weight.transpose(0, 1);
    return this.norm.forward(x).matmul(weight);
  }
}
