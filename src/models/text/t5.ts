// T5 (Raffel et al. 2020) and its version 1.1: an encoder reads a text, a decoder writes the answer. Positions are classes of distances, norms
// are RMS norms in front, scores are not scaled. Keys, numerics and initial values are those of transformers' T5ForConditionalGeneration and
// T5EncoderModel.

import { Dropout, Module, type Parameter, RMSNorm, init } from '../../nn/index.js';
import { where } from '../../tensor/functions.js';
import { arange, full } from '../../tensor/creation.js';
import { cat } from '../../tensor/functions.js';
import type { AnyTensor, Tensor } from '../../tensor/tensor.js';
import { scaledDotProductAttention } from '../../tensor/attention.js';
import { ArgumentError, type DType, type Shape, ShapeError, checkOptions, formatShape } from '../../tensor/library.js';
import { activationNamed } from './activations.js';
import {
  type Block,
  type Ids,
  type Mask,
  type Table,
  checkIds,
  joinHeads,
  linear,
  paddingMask,
  splitHeads,
  table,
} from './blocks.js';
import {
  EncoderDecoderCache,
  type EncoderDecoderModel,
  type KeyValueCache,
  type Place,
  placeIn,
  writeTo,
} from './cache.js';
import type { Config } from './config.js';
import { dtypeOf } from './dtype.js';
import { type Buckets, biasBetween, biasToPast } from './relative-position.js';
import { T5_OPTIONS, type T5Options, type T5Sizes, checkT5Config, sizesOf } from './t5-options.js';

const norm = ({ dModel, layerNormEpsilon }: T5Sizes): Block => new RMSNorm<number>(dModel, { eps: layerNormEpsilon });

/** x with deviation 1/√n a factor. */
function projection(from: number, to: number, std: number): Block {
  const made = linear(from, to, false);
  init.normal_(made.weight, 0, std);
  return made;
}

type KeysAndValues = readonly [key: Tensor, value: Tensor];

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

/** Each row several times, one behind the other: for answers of which several belong to a source. */
function repeatedTo<D extends DType>(x: Tensor<Shape, D>, shape: Shape): Tensor<Shape, D> {
  const [batch, ...rest] = x.shape;
  const rows: Tensor<Shape, D> = x
    .unsqueeze(1)
    .expand([batch, shape[0] / batch, ...rest])
    .reshape(shape);
  return rows;
}

/** The table of distances, which the first block has. */
function biasTable({ layer: [{ SelfAttention }] }: EncoderBlock | DecoderBlock): Table {
  return SelfAttention.relativeAttentionBias!;
}

const bucketsOf = (sizes: T5Sizes, isBidirectional: boolean): Buckets => ({
  count: sizes.relativeAttentionNumBuckets,
  maxDistance: sizes.relativeAttentionMaxDistance,
  isBidirectional,
});

class EncoderStack extends Module {
  readonly embedTokens: Table;
  readonly block: readonly EncoderBlock[];
  readonly finalLayerNorm: Block;
  readonly dropout: Dropout;
  private readonly buckets: Buckets;

  constructor(sizes: T5Sizes, words: Table) {
    super();
    this.embedTokens = words;
    this.block = Array.from({ length: sizes.numLayers }, (_, i) => new EncoderBlock(sizes, i === 0));
    this.finalLayerNorm = norm(sizes);
    this.dropout = new Dropout(sizes.dropoutRate);
    this.buckets = bucketsOf(sizes, true);
  }

  /** `mask`: bool [B, 1, 1, S] */
  forward(ids: Ids, mask: Mask | undefined): Tensor {
    const length = ids.shape[1];
    const bias: Tensor = biasBetween(biasTable(this.block[0]), length, length, this.buckets);
    const allowed: Tensor = mask === undefined ? bias : hidden(mask, bias);
    let x: Tensor = this.dropout.forward(this.embedTokens.forward(ids));
    for (const { layer } of this.block) {
      const [attention, network] = layer;
      x = network.forward(attention.forward(x, allowed, undefined, 0));
    }
    return this.dropout.forward(this.finalLayerNorm.forward(x));
  }
}

/** The scores where the mask is true, and none elsewhere. */
function hidden(mask: Mask, scores: Tensor): Tensor {
  const seen: Tensor = where(mask, scores, -Infinity);
  return seen;
}

class DecoderStack extends Module {
  readonly embedTokens: Table;
  readonly block: readonly DecoderBlock[];
  readonly finalLayerNorm: Block;
  readonly dropout: Dropout;
  private readonly buckets: Buckets;

  constructor(sizes: T5Sizes, words: Table) {
    super();
    this.embedTokens = words;
    this.block = Array.from({ length: sizes.numDecoderLayers }, (_, i) => new DecoderBlock(sizes, i === 0));
    this.finalLayerNorm = norm(sizes);
    this.dropout = new Dropout(sizes.dropoutRate);
    this.buckets = bucketsOf(sizes, false);
  }

  /** Keys and values of the encoder's features, of each block. */
  keysAndValues(features: Tensor): KeysAndValues[] {
    return this.block.map(({ layer: [, { EncDecAttention }] }) => EncDecAttention.keysAndValues(features));
  }

  /** `mask`: bool [B, 1, 1, S], of the source. */
  forward(ids: Ids, source: readonly KeysAndValues[], mask: Mask | undefined, place?: Place): Tensor {
    const scores: Tensor = place === undefined ? this.pastScores(ids.shape[1]) : this.cachedScores(place);
    let x: Tensor = this.dropout.forward(this.embedTokens.forward(ids));
    for (const [i, { layer }] of this.block.entries()) {
      const [attention, cross, network] = layer;
      x = network.forward(cross.forward(attention.forward(x, scores, place, i), source[i], mask));
    }
    return this.dropout.forward(this.finalLayerNorm.forward(x));
  }

  private pastScores(length: number): Tensor {
    const column: Ids = arange(length).reshape([length, 1]);
    const row: Ids = arange(length).reshape([1, length]);
    return hidden(row.le(column), biasBetween(biasTable(this.block[0]), length, length, this.buckets));
  }

  private cachedScores({ cache, rows, mask }: Place): Tensor {
    return hidden(mask, biasToPast(biasTable(this.block[0]), rows, cache.length, this.buckets));
  }
}

export interface T5Inputs {
  /** Shape [B, S]; 1 or true for a token of the source, 0 for padding, which nobody sees. Default: all are tokens. */
  readonly attentionMask?: AnyTensor;
}

/** Ids int32 [B, T] → features [B, T, dModel]. transformers: T5EncoderModel. */
export class T5Encoder extends Module {
  static readonly modelType: readonly string[] = ['t5', 'mt5'];
  readonly shared: Table;
  readonly encoder: EncoderStack;

  constructor(options: T5Options = {}) {
    checkOptions(new.target.name, options, T5_OPTIONS);
    const sizes = sizesOf('T5Encoder', options);
    super();
    this.shared = table(sizes.vocabSize, sizes.dModel);
    init.normal_(this.shared.weight, 0, sizes.initializerFactor);
    this.encoder = new EncoderStack(sizes, this.shared);
  }

  /** Made as transformers' config.json says. */
  static fromConfig(config: Config): T5Encoder {
    return new T5Encoder(checkT5Config(config));
  }

  forward(ids: Ids, { attentionMask }: T5Inputs = {}): Tensor {
    checkIds('T5Encoder', ids);
    return this.encoder.forward(ids, paddingMask('T5Encoder', attentionMask, ids));
  }
}

/**
 * Ids of a source, int32 [B, S], and of what an answer has so far, int32 [B, T], which begins with `decoderStartTokenId` → logits of its next
 * token at each position [B, T, vocabSize]. transformers: T5ForConditionalGeneration.
 *
 *     const logits = model.forward(source, model.shiftRight(answer), { attentionMask });
 *     for await (const id of generate(model, tokenizer.encode('translate English to German: …').ids)) …
 */
export class T5 extends Module implements EncoderDecoderModel {
  static readonly modelType: readonly string[] = ['t5', 'mt5'];
  readonly shared: Table;
  readonly encoder: EncoderStack;
  readonly decoder: DecoderStack;
  readonly lmHead: { readonly weight: Parameter };
  readonly contextLength: number;
  readonly decoderStartTokenId: number;
  private readonly sizes: T5Sizes;

  constructor(options: T5Options = {}) {
    checkOptions(new.target.name, options, T5_OPTIONS);
    const sizes = sizesOf('T5', options);
    super();
    const { vocabSize, dModel, initializerFactor } = sizes;
    this.shared = table(vocabSize, dModel);
    init.normal_(this.shared.weight, 0, initializerFactor);
    this.encoder = new EncoderStack(sizes, this.shared);
    this.decoder = new DecoderStack(sizes, this.shared);
    this.lmHead = { weight: this.shared.weight };
    if (!sizes.tieWordEmbeddings) {
      const head = linear(dModel, vocabSize, false);
      init.normal_(head.weight, 0, initializerFactor);
      this.lmHead = head;
    }
    this.contextLength = sizes.nPositions;
    this.decoderStartTokenId = sizes.decoderStartTokenId;
    this.sizes = sizes;
  }

  /** Made as transformers' config.json says. */
  static fromConfig(config: Config): T5 {
    return new T5(checkT5Config(config));
  }

  forward(ids: Ids, decoderIds: Ids, { attentionMask }: T5Inputs = {}): Tensor {
    checkIds('T5', decoderIds);
    checkIds('T5', ids);
    if (decoderIds.shape[0] !== ids.shape[0])
      throw new ShapeError(
        `T5: decoderIds ${formatShape(decoderIds.shape)} and ids ${formatShape(ids.shape)}: needs an answer for each source`,
        [decoderIds.shape, ids.shape],
      );
    const mask = this.sourceMask(ids, attentionMask);
    const source = this.decoder.keysAndValues(this.encoder.forward(ids, mask));
    return this.logits(this.decoder.forward(decoderIds, source, mask));
  }

  /** Features of a source, [B, S, dModel]. */
  encode(ids: Ids, { attentionMask }: T5Inputs = {}): Tensor {
    return this.encoder.forward(ids, this.sourceMask(ids, attentionMask));
  }

  /** What the decoder sees while it learns an answer [B, T]: the answer without its last token, behind `decoderStartTokenId`. */
  shiftRight(answer: Ids): Ids {
    checkIds('T5.shiftRight', answer);
    const [batch, length] = answer.shape;
    const begin: Ids = full([batch, 1], this.decoderStartTokenId, { dtype: 'int32' });
    const shifted: Ids = cat([begin, answer.slice(1, 0, length - 1)], 1);
    return where(shifted.ge(0), shifted, this.sizes.padTokenId);
  }

  /** The output's weights become a copy of the embedding's: for files that have no others. */
  headFromEmbedding(): void {
    this.lmHead.weight.assign_(this.shared.weight.detach());
  }

  private sourceMask(ids: Ids, attentionMask: AnyTensor | undefined): Mask | undefined {
    checkIds('T5', ids);
    return paddingMask('T5', attentionMask, ids);
  }

  private logits(x: Tensor): Tensor {
    const { scaleDecoderOutputs, dModel } = this.sizes;
    const scaled: Tensor = scaleDecoderOutputs ? x.mul(1 / Math.sqrt(dModel)) : x;
    return scaled.matmul(this.lmHead.weight.transpose(0, 1));
  }

  newAnswerCache(batch: number, length: number, sourceLength: number): EncoderDecoderCache {
    const { numDecoderLayers, numHeads, dKv } = this.sizes;
    return new EncoderDecoderCache(numDecoderLayers, [batch, numHeads, length, dKv], sourceLength, dtypeOf(this));
  }

  read(ids: Ids, attentionMask: Ids, cache: EncoderDecoderCache): void {
    const features = this.encode(ids, { attentionMask });
    for (const [i, [key, value]] of this.decoder.keysAndValues(features).entries()) {
      cache.source[i].key.assign_(repeatedTo(key, cache.source[i].key.shape));
      cache.source[i].value.assign_(repeatedTo(value, cache.source[i].value.shape));
    }
    cache.sourceMask.assign_(repeatedTo(attentionMask, cache.sourceMask.shape));
  }

  step(ids: Ids, first: Ids, cache: KeyValueCache): Tensor {
    const count = ids.shape[1];
    if (!(cache instanceof EncoderDecoderCache))
      throw new ArgumentError(
        'T5.step: the cache has no source. Make it with newAnswerCache, and read the source into it.',
      );
    const { source, sourceMask } = cache;
    const [batch, length] = sourceMask.shape;
    const mask: Mask = sourceMask.ne(0).reshape([batch, 1, 1, length]);
    const pairs = source.map(({ key, value }): KeysAndValues => [key, value]);
    const features: Tensor = this.decoder.forward(ids, pairs, mask, placeIn(cache, first, count));
    return this.logits(features.select(1, count - 1));
  }
}
