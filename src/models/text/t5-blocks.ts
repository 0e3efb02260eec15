// The parts of T5: attention without scaling whose positions are classes of distances, networks, blocks of both, and the stacks of blocks that
// read and write. Keys, numerics and initial values are transformers'.

import { Dropout, Module, RMSNorm, init } from '../../nn/index.js';
import { scaledDotProductAttention } from '../../tensor/attention.js';
import { arange } from '../../tensor/creation.js';
import { where } from '../../tensor/functions.js';
import type { AnyTensor, Tensor } from '../../tensor/tensor.js';
import { activationNamed } from './activations.js';
import { type Block, type Ids, type Mask, type Table, joinHeads, linear, splitHeads, table } from './blocks.js';
import { type Place, writeTo } from './cache.js';
import { type Buckets, biasBetween, biasToPast } from './relative-position.js';
import type { T5Sizes } from './t5-options.js';

const norm = ({ dModel, layerNormEpsilon }: T5Sizes): Block => new RMSNorm<number>(dModel, { eps: layerNormEpsilon });

/** x with deviation 1/√n a factor. */
function projection(from: number, to: number, std: number): Block {
  const made = linear(from, to, false);
  init.normal_(made.weight, 0, std);
  return made;
}

export type KeysAndValues = readonly [key: Tensor, value: Tensor];

class T5Attention extends Module {
  readonly q: Block;
  readonly k: Block;
  readonly v: Block;
  readonly o: Block;
  /** Of the first layer alone; the others use it too. */
  readonly relativeAttentionBias: Table | undefined;
  private readonly heads: number;
  private readonly dropout: number;

  constructor(sizes: T5Sizes, hasBias: boolean) {
    super();
    const { dModel, dKv, numHeads, initializerFactor: factor } = sizes;
    const inner = numHeads * dKv;
    this.q = projection(dModel, inner, factor / Math.sqrt(dModel * dKv));
    this.k = projection(dModel, inner, factor / Math.sqrt(dModel));
    this.v = projection(dModel, inner, factor / Math.sqrt(dModel));
    this.o = projection(inner, dModel, factor / Math.sqrt(inner));
    this.relativeAttentionBias = hasBias ? table(sizes.relativeAttentionNumBuckets, numHeads) : undefined;
    if (this.relativeAttentionBias !== undefined)
      init.normal_(this.relativeAttentionBias.weight, 0, factor / Math.sqrt(dModel));
    this.heads = numHeads;
    this.dropout = sizes.dropoutRate;
  }

  keysAndValues(features: Tensor): KeysAndValues {
    return [splitHeads(this.k.forward(features), this.heads), splitHeads(this.v.forward(features), this.heads)];
  }

  /** `mask`: real numbers that are added to the scores, or bools. */
  forward(x: Tensor, [key, value]: KeysAndValues, mask: AnyTensor | undefined): Tensor {
    const query = splitHeads(this.q.forward(x), this.heads);
    const options = { scale: 1, dropout: this.training ? this.dropout : 0, ...(mask !== undefined && { mask }) };
    return this.o.forward(joinHeads(scaledDotProductAttention(query, key, value, options)));
  }
}

class FeedForward extends Module {
  readonly wi: Block | undefined;
  readonly wi_0: Block | undefined;
  readonly wi_1: Block | undefined;
  readonly wo: Block;
  readonly dropout: Dropout;
  private readonly activation: (x: Tensor) => Tensor;

  constructor({ dModel, dFf, dropoutRate, isGated, activation, initializerFactor: factor }: T5Sizes) {
    super();
    const widen = (): Block => projection(dModel, dFf, factor / Math.sqrt(dModel));
    this.wi = isGated ? undefined : widen();
    this.wi_0 = isGated ? widen() : undefined;
    this.wi_1 = isGated ? widen() : undefined;
    this.wo = projection(dFf, dModel, factor / Math.sqrt(dFf));
    this.dropout = new Dropout(dropoutRate);
    this.activation = activationNamed('T5', 'feedForwardProj', activation);
  }

  forward(x: Tensor): Tensor {
    const { wi, wi_0: gate, wi_1: up } = this;
    let opened: Tensor = x;
    if (wi !== undefined) opened = this.activation(wi.forward(x));
    else if (gate !== undefined && up !== undefined) opened = this.activation(gate.forward(x)).mul(up.forward(x));
    return this.wo.forward(this.dropout.forward(opened));
  }
}

/** A part of a block: the norm in front, dropout and the sum behind are its own. */
class SelfAttentionPart extends Module {
  readonly SelfAttention: T5Attention;
  readonly layerNorm: Block;
  readonly dropout: Dropout;

  constructor(sizes: T5Sizes, hasBias: boolean) {
    super();
    this.SelfAttention = new T5Attention(sizes, hasBias);
    this.layerNorm = norm(sizes);
    this.dropout = new Dropout(sizes.dropoutRate);
  }

  forward(x: Tensor, bias: Tensor, place: Place | undefined, layer: number): Tensor {
    const normal: Tensor = this.layerNorm.forward(x);
    const [k, v] = this.SelfAttention.keysAndValues(normal);
    const { key, value } =
      place === undefined ? { key: k, value: v } : writeTo(place.cache.layers[layer], place.rows, k, v);
    return x.add(this.dropout.forward(this.SelfAttention.forward(normal, [key, value], bias)));
  }
}

class CrossAttentionPart extends Module {
  readonly EncDecAttention: T5Attention;
  readonly layerNorm: Block;
  readonly dropout: Dropout;

  constructor(sizes: T5Sizes) {
    super();
    this.EncDecAttention = new T5Attention(sizes, false);
    this.layerNorm = norm(sizes);
    this.dropout = new Dropout(sizes.dropoutRate);
  }

  forward(x: Tensor, source: KeysAndValues, mask: AnyTensor | undefined): Tensor {
    const seen: Tensor = this.EncDecAttention.forward(this.layerNorm.forward(x), source, mask);
    return x.add(this.dropout.forward(seen));
  }
}

class FeedForwardPart extends Module {
  readonly DenseReluDense: FeedForward;
  readonly layerNorm: Block;
  readonly dropout: Dropout;

  constructor(sizes: T5Sizes) {
    super();
    this.DenseReluDense = new FeedForward(sizes);
    this.layerNorm = norm(sizes);
    this.dropout = new Dropout(sizes.dropoutRate);
  }

  forward(x: Tensor): Tensor {
    return x.add(this.dropout.forward(this.DenseReluDense.forward(this.layerNorm.forward(x))));
  }
}

class EncoderBlock extends Module {
  readonly layer: readonly [SelfAttentionPart, FeedForwardPart];

  constructor(sizes: T5Sizes, isFirst: boolean) {
    super();
    this.layer = [new SelfAttentionPart(sizes, isFirst), new FeedForwardPart(sizes)];
  }
}

class DecoderBlock extends Module {
  readonly layer: readonly [SelfAttentionPart, CrossAttentionPart, FeedForwardPart];

  constructor(sizes: T5Sizes, isFirst: boolean) {
    super();
    this.layer = [new SelfAttentionPart(sizes, isFirst), new CrossAttentionPart(sizes), new FeedForwardPart(sizes)];
  }
}

/** Blocks between the table of words and a last norm. */
abstract class Stack<B extends EncoderBlock | DecoderBlock> extends Module {
  readonly embedTokens: Table;
  readonly block: readonly B[];
  readonly finalLayerNorm: Block;
  readonly dropout: Dropout;
  protected readonly buckets: Buckets;

  constructor(sizes: T5Sizes, words: Table, blocks: readonly B[], isBidirectional: boolean) {
    super();
    this.embedTokens = words;
    this.block = blocks;
    this.finalLayerNorm = norm(sizes);
    this.dropout = new Dropout(sizes.dropoutRate);
    this.buckets = {
      count: sizes.relativeAttentionNumBuckets,
      maxDistance: sizes.relativeAttentionMaxDistance,
      isBidirectional,
    };
  }

  /** Of distances, which the first block has. */
  protected get biasTable(): Table {
    return this.block[0].layer[0].SelfAttention.relativeAttentionBias!;
  }

  /** The words' features, what `through` makes of them, the norm. */
  protected pass(ids: Ids, through: (x: Tensor) => Tensor): Tensor {
    const x: Tensor = this.dropout.forward(this.embedTokens.forward(ids));
    return this.dropout.forward(this.finalLayerNorm.forward(through(x)));
  }
}

export class EncoderStack extends Stack<EncoderBlock> {
  constructor(sizes: T5Sizes, words: Table) {
    const blocks = Array.from({ length: sizes.numLayers }, (_, i) => new EncoderBlock(sizes, i === 0));
    super(sizes, words, blocks, true);
  }

  /** `mask`: bool [B, 1, 1, S] */
  forward(ids: Ids, mask: Mask | undefined): Tensor {
    const length = ids.shape[1];
    const bias: Tensor = biasBetween(this.biasTable, length, length, this.buckets);
    const allowed: Tensor = mask === undefined ? bias : hidden(mask, bias);
    return this.pass(ids, (words) =>
      this.block.reduce(
        (x, { layer: [attention, network] }) => network.forward(attention.forward(x, allowed, undefined, 0)),
        words,
      ),
    );
  }
}

/** The scores where the mask is true, and none elsewhere. */
function hidden(mask: Mask, scores: Tensor): Tensor {
  const seen: Tensor = where(mask, scores, -Infinity);
  return seen;
}

export class DecoderStack extends Stack<DecoderBlock> {
  constructor(sizes: T5Sizes, words: Table) {
    const blocks = Array.from({ length: sizes.numDecoderLayers }, (_, i) => new DecoderBlock(sizes, i === 0));
    super(sizes, words, blocks, false);
  }

  /** Keys and values of the encoder's features, of each block. */
  keysAndValues(features: Tensor): KeysAndValues[] {
    return this.block.map(({ layer: [, { EncDecAttention }] }) => EncDecAttention.keysAndValues(features));
  }

  /** `mask`: bool [B, 1, 1, S], of the source. */
  forward(ids: Ids, source: readonly KeysAndValues[], mask: Mask | undefined, place?: Place): Tensor {
    const scores: Tensor = place === undefined ? this.pastScores(ids.shape[1]) : this.cachedScores(place);
    return this.pass(ids, (words) =>
      this.block.reduce(
        (x, { layer: [attention, cross, network] }, i) =>
          network.forward(cross.forward(attention.forward(x, scores, place, i), source[i], mask)),
        words,
      ),
    );
  }

  private pastScores(length: number): Tensor {
    const column: Ids = arange(length).reshape([length, 1]);
    const row: Ids = arange(length).reshape([1, length]);
    return hidden(row.le(column), biasBetween(this.biasTable, length, length, this.buckets));
  }

  private cachedScores({ cache, rows, mask }: Place): Tensor {
    return hidden(mask, biasToPast(this.biasTable, rows, cache.length, this.buckets));
  }
}
