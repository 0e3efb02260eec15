// RoBERTa (Liu et al. 2019) and what has its keys (XLM-RoBERTa, CamemBERT): BERT whose positions count from behind the padding's number, and
// skip padding. Keys, numerics and initial values are those of transformers' RobertaModel, RobertaForMaskedLM, ….

import { Module, type Parameter } from '../../nn/index.js';
import { ArgumentError, checkOptions } from '../../tensor/library.js';
import type { Tensor } from '../../tensor/tensor.js';
import { type Block, type Ids, type Norm, checkIds, linear, paddingMask } from './blocks.js';
import type { Config } from './config.js';
import {
  BERT_OPTIONS,
  type BertInputs,
  type BertOptions,
  Embeddings,
  type EncoderLayer,
  type EncoderSizes,
  encoderOptionsOf,
  encoderSizes,
  layersOf,
  norm,
  start,
  statesOf,
} from './encoder.js';
import {
  AnswerHead,
  EncoderWithHead,
  FirstTokenHead,
  type HeadSizes,
  LABEL_OPTIONS,
  type LabelOptions,
  MASKED_OPTIONS,
  type MaskedLMOptions,
  TokenHead,
  type TokenScores,
  headSizes,
  labelOptionsOf,
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

  override forward(ids: Ids, types?: Ids): Tensor {
    const isToken: Ids = ids.ne(this.padTokenId).to('int32');
    const counted: Ids = isToken.cumsum(1).mul(isToken);
    return super.forward(ids, types, counted.add(this.padTokenId));
  }
}

/** Ids int32 [B, T] → features [B, T, hiddenSize]; T is at most `maxPositionEmbeddings` − `padTokenId` − 1. transformers: RobertaModel. */
export class Roberta extends Module {
  static readonly modelType = KINDS;
  readonly embeddings: RobertaEmbeddings;
  readonly encoder: { readonly layer: readonly EncoderLayer[] };
  pooler: { readonly dense: Block } | undefined;
  private readonly positions: number;

  constructor({ pooler = true, ...options }: RobertaBodyOptions = {}) {
    checkOptions(new.target.name, options, BERT_OPTIONS);
    const sizes = sizesOf('Roberta', options);
    super();
    this.embeddings = new RobertaEmbeddings(sizes);
    this.encoder = layersOf(sizes);
    this.pooler = pooler ? { dense: linear(sizes.hiddenSize, sizes.hiddenSize) } : undefined;
    this.positions = sizes.maxPositionEmbeddings - sizes.padTokenId - 1;
    begin(this, this, sizes);
  }

  /** Made as transformers' config.json says. */
  static fromConfig(config: Config): Roberta {
    return new Roberta(encoderOptionsOf(config));
  }

  forward(ids: Ids, inputs: BertInputs = {}): Tensor {
    return this.hiddenStates(ids, inputs).at(-1)!;
  }

  /** The embeddings [B, T, hiddenSize] and what each layer leaves. */
  hiddenStates(ids: Ids, { attentionMask, tokenTypeIds }: BertInputs = {}): Tensor[] {
    checkIds('Roberta', ids, this.positions);
    const mask = paddingMask('Roberta', attentionMask, ids);
    return statesOf(this.embeddings.forward(ids, tokenTypeIds), this.encoder.layer, mask);
  }

  /** tanh of a linear layer over the first token of features [B, T, hiddenSize]: [B, hiddenSize]. Without a pooler the token itself. */
  pooled(features: Tensor): Tensor {
    const first: Tensor = features.select(1, 0);
    return this.pooler === undefined ? first : this.pooler.dense.forward(first).tanh();
  }
}

function begin(model: Module, body: Roberta, { initializerRange, padTokenId }: EncoderSizes): void {
  start(model, initializerRange, padTokenId, body.embeddings.wordEmbeddings);
  body.embeddings.positionEmbeddings.weight.assignAt_([padTokenId], 0);
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
    checkOptions(new.target.name, options, { ...BERT_OPTIONS, ...MASKED_OPTIONS });
    const { tieWordEmbeddings = true, ...rest } = options;
    const sizes = sizesOf('RobertaMaskedLM', rest);
    super('roberta', new Roberta({ ...sizes, pooler: false }));
    const words = this.body.embeddings.wordEmbeddings.weight;
    this.lmHead = new Guess(sizes, tokenScores(words, tieWordEmbeddings, sizes.initializerRange));
    begin(this, this.body, sizes);
  }

  /** Made as transformers' config.json says. */
  static fromConfig(config: Config): RobertaMaskedLM {
    return new RobertaMaskedLM({ ...encoderOptionsOf(config), ...config.options<MaskedLMOptions>(MASKED_OPTIONS) });
  }

  forward(ids: Ids, inputs: BertInputs = {}): Tensor {
    return this.lmHead.forward(this.body.forward(ids, inputs));
  }
}

export interface RobertaClassifierOptions extends RobertaOptions, LabelOptions {}

function classifierParts(call: string, options: RobertaClassifierOptions): { sizes: EncoderSizes; head: HeadSizes } {
  checkOptions(call, options, { ...BERT_OPTIONS, ...LABEL_OPTIONS });
  const { numLabels: _, classifierDropout: __, ...rest } = options;
  const sizes = sizesOf(call, rest);
  return { sizes, head: headSizes(call, sizes.hiddenSize, sizes.hiddenDropoutProb, options) };
}

const classifierOptionsOf = (config: Config): RobertaClassifierOptions => ({
  ...encoderOptionsOf(config),
  ...labelOptionsOf(config),
});

/** Ids int32 [B, T] → logits [B, numLabels]. transformers: RobertaForSequenceClassification. */
export class RobertaClassifier extends EncoderWithHead<Roberta> {
  static readonly modelType = KINDS;
  readonly classifier: FirstTokenHead;

  constructor(options: RobertaClassifierOptions = {}) {
    const { sizes, head } = classifierParts(new.target.name, options);
    super('roberta', new Roberta({ ...sizes, pooler: false }));
    this.classifier = new FirstTokenHead(head, (x) => x.tanh());
    begin(this, this.body, sizes);
  }

  /** Made as transformers' config.json says; the number of classes is that of its `id2label`. */
  static fromConfig(config: Config): RobertaClassifier {
    return new RobertaClassifier(classifierOptionsOf(config));
  }

  forward(ids: Ids, inputs: BertInputs = {}): Tensor {
    return this.classifier.forward(this.body.forward(ids, inputs));
  }
}

/** Ids int32 [B, T] → logits of each token [B, T, numLabels]. transformers: RobertaForTokenClassification. */
export class RobertaTokenClassifier extends TokenHead<Roberta> {
  static readonly modelType = KINDS;

  constructor(options: RobertaClassifierOptions = {}) {
    const { sizes, head } = classifierParts(new.target.name, options);
    super('roberta', new Roberta({ ...sizes, pooler: false }), head);
    begin(this, this.body, sizes);
  }

  /** Made as transformers' config.json says; the number of classes is that of its `id2label`. */
  static fromConfig(config: Config): RobertaTokenClassifier {
    return new RobertaTokenClassifier(classifierOptionsOf(config));
  }
}

/** Ids int32 [B, T] of a question and a text → where the answer begins and ends, { start, end } of [B, T]. transformers: RobertaForQuestionAnswering. */
export class RobertaQuestionAnswering extends AnswerHead<Roberta> {
  static readonly modelType = KINDS;

  constructor(options: RobertaOptions = {}) {
    checkOptions(new.target.name, options, BERT_OPTIONS);
    const sizes = sizesOf('RobertaQuestionAnswering', options);
    super('roberta', new Roberta({ ...sizes, pooler: false }), sizes.hiddenSize);
    begin(this, this.body, sizes);
  }

  /** Made as transformers' config.json says. */
  static fromConfig(config: Config): RobertaQuestionAnswering {
    return new RobertaQuestionAnswering(encoderOptionsOf(config));
  }
}
