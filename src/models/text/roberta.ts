// RoBERTa (Liu et al. 2019) and what has its keys (XLM-RoBERTa, CamemBERT): BERT whose positions count from behind the padding's number, and
// skip padding. Keys, numerics and initial values are those of transformers' RobertaModel, RobertaForMaskedLM, ….

import { Module, type Parameter } from '../../nn/index.js';
import { ArgumentError } from '../../tensor/library.js';
import type { Tensor } from '../../tensor/tensor.js';
import { type Block, type Ids, type Norm, type Table, linear } from './blocks.js';
import type { Config } from './config.js';
import {
  BERT_OPTIONS,
  type BertInputs,
  type BertOptions,
  Embeddings,
  type EncoderSizes,
  PooledEncoder,
  encoderOptionsOf,
  encoderSizes,
  norm,
  start,
} from './encoder.js';
import {
  AnswerHead,
  type EncoderKind,
  EncoderWithHead,
  type LabelOptions,
  type MaskedLMOptions,
  TextHead,
  TokenHead,
  type TokenScores,
  classifierOptionsOf,
  classifierSizes,
  maskedOptionsOf,
  maskedSizes,
  ownSizes,
  scoresOf,
  tokenScores,
} from './encoder-heads.js';

/** Names are those of transformers' RobertaConfig, in camelCase; defaults are BERT's but for `vocabSize`, 50265, and `padTokenId`, 1. */
export interface RobertaOptions extends BertOptions {}

export interface RobertaBodyOptions extends RobertaOptions {
  /** With a layer over the first token, which its classifiers do not use. Default true. */
  readonly pooler?: boolean;
}

const KINDS: readonly string[] = ['roberta', 'xlm-roberta', 'camembert'];

function sizesOf(call: string, options: RobertaOptions): EncoderSizes {
  const sizes = encoderSizes(call, { vocabSize: 50265, padTokenId: 1, ...options });
  const { maxPositionEmbeddings, padTokenId } = sizes;
  if (maxPositionEmbeddings > padTokenId + 1) return sizes;
  throw new ArgumentError(
    `${call}: maxPositionEmbeddings ${maxPositionEmbeddings} leaves no positions behind padTokenId ${padTokenId}. Use a larger number.`,
  );
}

const ROBERTA: EncoderKind<RobertaOptions, EncoderSizes> = {
  options: BERT_OPTIONS,
  sizesOf,
  optionsOf: encoderOptionsOf,
};

/** With the words, the kinds of tokens and the norm before the positions, as transformers' keys have them. */
class RobertaEmbeddings extends Embeddings {
  private readonly padTokenId: number;

  constructor(sizes: EncoderSizes) {
    super(sizes, sizes.hiddenSize);
    this.padTokenId = sizes.padTokenId;
  }

  override fields(): Iterable<readonly [string, unknown]> {
    const [words, positions, ...others] = super.fields();
    return [words, ...others, positions];
  }

  override get padded(): readonly Table[] {
    return [this.wordEmbeddings, this.positionEmbeddings];
  }

  override forward(ids: Ids, types?: Ids): Tensor {
    const isToken: Ids = ids.ne(this.padTokenId).to('int32');
    const counted: Ids = isToken.cumsum(1).mul(isToken);
    return super.forward(ids, types, counted.add(this.padTokenId));
  }
}

/** Ids int32 [B, T] → features [B, T, hiddenSize]; T is at most `maxPositionEmbeddings` − `padTokenId` − 1. transformers: RobertaModel. */
export class Roberta extends PooledEncoder {
  static readonly modelType = KINDS;

  constructor({ pooler = true, ...options }: RobertaBodyOptions = {}) {
    const sizes = ownSizes(ROBERTA, new.target.name, options);
    super(new RobertaEmbeddings(sizes), sizes.maxPositionEmbeddings - sizes.padTokenId - 1, sizes, pooler);
    start(this, this, sizes);
  }

  /** Made as transformers' config.json says. */
  static fromConfig(config: Config): Roberta {
    return new Roberta(encoderOptionsOf(config));
  }
}

class Guess extends Module {
  readonly bias: Parameter;
  readonly dense: Block;
  readonly layerNorm: Norm;
  readonly decoder: TokenScores;

  constructor(sizes: EncoderSizes, decoder: TokenScores) {
    super();
    this.bias = decoder.bias;
    this.dense = linear(sizes.hiddenSize, sizes.hiddenSize);
    this.layerNorm = norm(sizes, sizes.hiddenSize);
    this.decoder = decoder;
  }

  forward(x: Tensor): Tensor {
    return scoresOf(this.layerNorm.forward(this.dense.forward(x).gelu()), this.decoder);
  }
}

export interface RobertaMaskedLMOptions extends RobertaOptions, MaskedLMOptions {}

/** Ids int32 [B, T] → logits of the tokens [B, T, vocabSize]. transformers: RobertaForMaskedLM. */
export class RobertaMaskedLM extends EncoderWithHead<Roberta> {
  static readonly modelType = KINDS;
  readonly lmHead: Guess;

  constructor(options: RobertaMaskedLMOptions = {}) {
    const { sizes, tieWordEmbeddings } = maskedSizes(ROBERTA, new.target.name, options);
    super('roberta', new Roberta({ ...sizes, pooler: false }));
    const words = this.body.embeddings.wordEmbeddings.weight;
    this.lmHead = new Guess(sizes, tokenScores(words, tieWordEmbeddings, sizes.initializerRange));
    start(this, this.body, sizes);
  }

  /** Made as transformers' config.json says. */
  static fromConfig(config: Config): RobertaMaskedLM {
    return new RobertaMaskedLM(maskedOptionsOf(ROBERTA, config));
  }

  forward(ids: Ids, inputs: BertInputs = {}): Tensor {
    return this.lmHead.forward(this.body.forward(ids, inputs));
  }
}

export interface RobertaClassifierOptions extends RobertaOptions, LabelOptions {}

/** Ids int32 [B, T] → logits [B, numLabels]. transformers: RobertaForSequenceClassification. */
export class RobertaClassifier extends TextHead<Roberta> {
  static readonly modelType = KINDS;

  constructor(options: RobertaClassifierOptions = {}) {
    const { sizes, head } = classifierSizes(ROBERTA, new.target.name, options);
    super('roberta', new Roberta({ ...sizes, pooler: false }), head, (x) => x.tanh());
    start(this, this.body, sizes);
  }

  /** Made as transformers' config.json says; the number of classes is that of its `id2label`. */
  static fromConfig(config: Config): RobertaClassifier {
    return new RobertaClassifier(classifierOptionsOf(ROBERTA, config));
  }
}

/** Ids int32 [B, T] → logits of each token [B, T, numLabels]. transformers: RobertaForTokenClassification. */
export class RobertaTokenClassifier extends TokenHead<Roberta> {
  static readonly modelType = KINDS;

  constructor(options: RobertaClassifierOptions = {}) {
    const { sizes, head } = classifierSizes(ROBERTA, new.target.name, options);
    super('roberta', new Roberta({ ...sizes, pooler: false }), head);
    start(this, this.body, sizes);
  }

  /** Made as transformers' config.json says; the number of classes is that of its `id2label`. */
  static fromConfig(config: Config): RobertaTokenClassifier {
    return new RobertaTokenClassifier(classifierOptionsOf(ROBERTA, config));
  }
}

/** Ids int32 [B, T] of a question and a text → where the answer begins and ends, { start, end } of [B, T]. transformers: RobertaForQuestionAnswering. */
export class RobertaQuestionAnswering extends AnswerHead<Roberta> {
  static readonly modelType = KINDS;

  constructor(options: RobertaOptions = {}) {
    const sizes = ownSizes(ROBERTA, new.target.name, options);
    super('roberta', new Roberta({ ...sizes, pooler: false }), sizes.hiddenSize);
    start(this, this.body, sizes);
  }

  /** Made as transformers' config.json says. */
  static fromConfig(config: Config): RobertaQuestionAnswering {
    return new RobertaQuestionAnswering(encoderOptionsOf(config));
  }
}
