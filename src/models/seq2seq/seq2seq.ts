// Sequence to sequence: an encoder of texts and a decoder that writes another text about them, recurrent with additive attention or as a
// Transformer. `generateBatch` of nabla/text translates with them, greedily or by beam search.
//   Source int32 [B, S] and what the answer has so far, int32 [B, T], in; logits of its next token at each position out.

import { Module } from '../../nn/index.js';
import { checkCount } from '../../nn/layer.js';
import { checkProbability } from '../../tensor/dropout.js';
import {
  ArgumentError,
  checkNeededOptions,
  checkWhole,
  formatShape,
  type OptionNames,
  ShapeError,
} from '../../tensor/library.js';
import type { Tensor } from '../../tensor/tensor.js';
import { checkHeads } from '../check-heads.js';
import { type Ids, type Mask, type Table, checkIds } from '../text/blocks.js';
import type { EncoderDecoderCache, EncoderDecoderModel, KeyValueCache } from '../text/cache.js';
import type { DecoderMemory, SequenceDecoder } from './decoder.js';
import { RecurrentTextDecoder, RecurrentTextEncoder } from './recurrent.js';
import { TransformerTextDecoder, TransformerTextEncoder, tokenTable } from './transformer.js';

export interface Seq2SeqOptions {
  /** Tokens of the answers, padding included. */
  readonly vocabulary: number;
  /** Tokens of the sources. Default: the same ones as those of the answers, which then share their embedding. */
  readonly sourceVocabulary?: number;
  /** Features of a token. Default 256. */
  readonly width?: number;
  /** Default 0.1. */
  readonly dropout?: number;
  /** Most tokens of an answer. Default 128. */
  readonly contextLength?: number;
  /** Id of the padding, which nobody sees. Default 0. */
  readonly padId?: number;
  /** Id that every answer begins with. Default 1. */
  readonly startId?: number;
}

const SEQ2SEQ_OPTIONS: OptionNames<Seq2SeqOptions> = {
  vocabulary: true,
  sourceVocabulary: true,
  width: true,
  dropout: true,
  contextLength: true,
  padId: true,
  startId: true,
};

const EXAMPLE = '{ vocabulary: 8000 }';

/** An encoder of texts: ids [B, S] and where there are tokens → features [B, S, F]. */
interface TextEncoder extends Module {
  forward(ids: Ids, mask: Mask | undefined): Tensor;
}

interface Common {
  readonly words: Table;
  readonly sourceWords: Table;
  readonly sizes: { readonly width: number; readonly dropout: number; readonly contextLength: number };
}

function commonOf(call: string, options: Seq2SeqOptions): Common {
  const { vocabulary, sourceVocabulary = vocabulary, width = 256, dropout = 0.1, contextLength = 128 } = options;
  const counts = { vocabulary, sourceVocabulary, width, contextLength };
  for (const [name, count] of Object.entries(counts)) checkCount(count, 1, `${call}: ${name}`);
  checkProbability(dropout, `${call}: dropout`);
  const { padId = 0, startId = 1 } = options;
  checkWhole(call, 'padId', padId);
  checkWhole(call, 'startId', startId);
  if (startId >= vocabulary)
    throw new ArgumentError(`${call}: startId is ${startId}, of ${vocabulary} tokens. Use one of them.`);
  const words = tokenTable(vocabulary, width);
  const sourceWords = options.sourceVocabulary === undefined ? words : tokenTable(sourceVocabulary, width);
  return { words, sourceWords, sizes: { width, dropout, contextLength } };
}

abstract class Seq2Seq extends Module implements EncoderDecoderModel {
  readonly encoder: TextEncoder;
  readonly decoder: SequenceDecoder;
  readonly contextLength: number;
  readonly decoderStartTokenId: number;
  readonly padId: number;

  constructor(encoder: TextEncoder, decoder: SequenceDecoder, { padId = 0, startId = 1 }: Seq2SeqOptions) {
    super();
    this.encoder = encoder;
    this.decoder = decoder;
    this.contextLength = decoder.contextLength;
    this.padId = padId;
    this.decoderStartTokenId = startId;
  }

  /** Source int32 [B, S] and the answers so far, int32 [B, T], which begin with `startId` → logits [B, T, vocabulary]. */
  forward(source: Ids, answer: Ids): Tensor<[number, number, number]> {
    const memory = this.memoryOf('forward', source, answer);
    const [batch, length] = answer.shape;
    return this.decoder.forward(answer, memory).reshape([batch, length, -1]);
  }

  /** Where each token of the answer looks in the source: [B, T, S]. What a position says is its next token. */
  attention(source: Ids, answer: Ids): Tensor<[number, number, number]> {
    const memory = this.memoryOf('attention', source, answer);
    const [[batch, length], sources] = [answer.shape, source.shape[1]];
    return this.decoder.attention(answer, memory).reshape([batch, length, sources]);
  }

  /** Features of a source, [B, S, F]. */
  encode(source: Ids): Tensor {
    checkIds(`${this.constructor.name}.encode`, source);
    return this.encoder.forward(source, source.ne(this.padId));
  }

  newAnswerCache(batch: number, length: number, sourceLength: number): EncoderDecoderCache {
    return this.decoder.newCache(batch, length, sourceLength);
  }

  read(ids: Ids, attentionMask: Ids, cache: EncoderDecoderCache): void {
    const mask: Mask = attentionMask.ne(0);
    this.decoder.remember({ features: this.encoder.forward(ids, mask), mask }, cache);
  }

  step(ids: Ids, first: Ids, cache: KeyValueCache): Tensor {
    return this.decoder.step(ids, first, cache);
  }

  private memoryOf(call: string, source: Ids, answer: Ids): DecoderMemory {
    const name = `${this.constructor.name}.${call}`;
    checkIds(name, source);
    checkIds(name, answer);
    if (source.shape[0] !== answer.shape[0])
      throw new ShapeError(
        `${name}: source ${formatShape(source.shape)} and answer ${formatShape(answer.shape)}: needs an answer for each source`,
        [source.shape, answer.shape],
      );
    const mask: Mask = source.ne(this.padId);
    return { features: this.encoder.forward(source, mask), mask };
  }
}

export interface Seq2SeqTransformerOptions extends Seq2SeqOptions {
  /** Default 4. */
  readonly heads?: number;
  /** Of encoder and decoder each. Default 3. */
  readonly layers?: number;
  /** Width of the network behind the attention. Default 4 · width. */
  readonly feedForward?: number;
}

const TRANSFORMER_OPTIONS: OptionNames<Seq2SeqTransformerOptions> = {
  ...SEQ2SEQ_OPTIONS,
  heads: true,
  layers: true,
  feedForward: true,
};

/**
 * The Transformer (Vaswani et al. 2017) with norms in front: `forward(source, answer)` → logits [B, T, vocabulary]. The output shares the weights of
 * the embedding.
 *
 *     const model = new Seq2SeqTransformer({ vocabulary: 8000 });
 *     const texts = await generateBatch(model, sources, { stop: [2], numBeams: 4 });
 */
export class Seq2SeqTransformer extends Seq2Seq {
  constructor(options: Seq2SeqTransformerOptions) {
    const call = new.target.name;
    checkNeededOptions(call, options, TRANSFORMER_OPTIONS, EXAMPLE);
    const { words, sourceWords, sizes } = commonOf(call, options);
    const { heads = 4, layers = 3, feedForward = 4 * sizes.width } = options;
    for (const [name, count] of Object.entries({ heads, layers, feedForward }))
      checkCount(count, 1, `${call}: ${name}`);
    checkHeads(call, sizes.width, heads);
    if (sizes.width % 2 !== 0)
      throw new ArgumentError(`${call}: width is ${sizes.width}. Use an even number, for the positions.`);
    const all = { ...sizes, heads, layers, feedForward };
    super(new TransformerTextEncoder(sourceWords, all), new TransformerTextDecoder(words, all), options);
  }
}

export interface Seq2SeqGRUOptions extends Seq2SeqOptions {
  /** Of each recurrent layer. Default 256. */
  readonly hidden?: number;
}

const GRU_OPTIONS: OptionNames<Seq2SeqGRUOptions> = { ...SEQ2SEQ_OPTIONS, hidden: true };

/**
 * Gated recurrent units with additive attention (Bahdanau et al. 2015): `forward(source, answer)` → logits [B, T, vocabulary]. A bidirectional
 * encoder, two layers in the decoder with the attention between them (Wu et al. 2016); the output shares the weights of the embedding.
 */
export class Seq2SeqGRU extends Seq2Seq {
  constructor(options: Seq2SeqGRUOptions) {
    const call = new.target.name;
    checkNeededOptions(call, options, GRU_OPTIONS, EXAMPLE);
    const { words, sourceWords, sizes } = commonOf(call, options);
    const { hidden = 256 } = options;
    checkCount(hidden, 1, `${call}: hidden`);
    const all = { ...sizes, hidden };
    super(new RecurrentTextEncoder(sourceWords, all), new RecurrentTextDecoder(words, 2 * hidden, all), options);
  }
}
