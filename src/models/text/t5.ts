// T5 (Raffel et al. 2020) and its version 1.1: an encoder reads a text, a decoder writes the answer. Positions are classes of distances, norms
// are RMS norms in front, scores are not scaled. Keys, numerics and initial values are those of transformers' T5ForConditionalGeneration and
// T5EncoderModel.

import { Module, type Parameter, init } from '../../nn/index.js';
import { full } from '../../tensor/creation.js';
import { cat, where } from '../../tensor/functions.js';
import { ArgumentError, ShapeError, checkOptions, formatShape } from '../../tensor/library.js';
import type { AnyTensor, Tensor } from '../../tensor/tensor.js';
import { type Ids, type Mask, type Table, checkIds, linear, paddingMask, table } from './blocks.js';
import { EncoderDecoderCache, type EncoderDecoderModel, type KeyValueCache, placeIn, repeatedTo } from './cache.js';
import type { Config } from './config.js';
import { dtypeOf } from './dtype.js';
import { DecoderStack, EncoderStack, type KeysAndValues } from './t5-blocks.js';
import { T5_OPTIONS, type T5Options, type T5Sizes, checkT5Config, sizesOf } from './t5-options.js';

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
