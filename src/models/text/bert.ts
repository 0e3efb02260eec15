// BERT (Devlin et al. 2019): an encoder of tokens that sees both directions, with heads that guess masked tokens, classify texts or tokens, or
// find answers. Keys, numerics and initial values are those of transformers' BertModel, BertForMaskedLM, ….

import { Dropout, Module, type Parameter } from '../../nn/index.js';
import { checkOptions } from '../../tensor/library.js';
import type { Tensor } from '../../tensor/tensor.js';
import { activationNamed } from './activations.js';
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

export interface BertBodyOptions extends BertOptions {
  /** With the layer over the first token that classifiers use. Default true. */
  readonly pooler?: boolean;
}

/** Ids int32 [B, T] → features [B, T, hiddenSize]; T is at most `maxPositionEmbeddings`. transformers: BertModel. */
export class Bert extends Module {
  static readonly modelType = 'bert';
  readonly embeddings: Embeddings;
  readonly encoder: { readonly layer: readonly EncoderLayer[] };
  pooler: { readonly dense: Block } | undefined;
  private readonly positions: number;

  constructor({ pooler = true, ...options }: BertBodyOptions = {}) {
    checkOptions(new.target.name, options, BERT_OPTIONS);
    const sizes = encoderSizes('Bert', options);
    super();
    this.embeddings = new Embeddings(sizes, sizes.hiddenSize);
    this.encoder = layersOf(sizes);
    this.pooler = pooler ? { dense: linear(sizes.hiddenSize, sizes.hiddenSize) } : undefined;
    this.positions = sizes.maxPositionEmbeddings;
    begin(this, this, sizes);
  }

  /** Made as transformers' config.json says. */
  static fromConfig(config: Config): Bert {
    return new Bert(encoderOptionsOf(config));
  }

  forward(ids: Ids, inputs: BertInputs = {}): Tensor {
    return this.hiddenStates(ids, inputs).at(-1)!;
  }

  /** The embeddings [B, T, hiddenSize] and what each layer leaves. */
  hiddenStates(ids: Ids, { attentionMask, tokenTypeIds }: BertInputs = {}): Tensor[] {
    checkIds('Bert', ids, this.positions);
    const mask = paddingMask('Bert', attentionMask, ids);
    return statesOf(this.embeddings.forward(ids, tokenTypeIds), this.encoder.layer, mask);
  }

  /** tanh of a linear layer over the first token of features [B, T, hiddenSize]: [B, hiddenSize]. Without a pooler the token itself. */
  pooled(features: Tensor): Tensor {
    const first: Tensor = features.select(1, 0);
    return this.pooler === undefined ? first : this.pooler.dense.forward(first).tanh();
  }
}

function begin(model: Module, bert: Bert, { initializerRange, padTokenId }: EncoderSizes): void {
  start(model, initializerRange, padTokenId, bert.embeddings.wordEmbeddings);
}

class Predictions extends Module {
  readonly bias: Parameter;
  readonly transform: { readonly dense: Block; readonly LayerNorm: Norm };
  readonly decoder: TokenScores;
  private readonly activation: (x: Tensor) => Tensor;

  constructor(sizes: EncoderSizes, decoder: TokenScores) {
    super();
    this.bias = decoder.bias;
    this.transform = { dense: linear(sizes.hiddenSize, sizes.hiddenSize), LayerNorm: norm(sizes, sizes.hiddenSize) };
    this.decoder = decoder;
    this.activation = activationNamed('Bert', 'hiddenAct', sizes.hiddenAct);
  }

  forward(x: Tensor): Tensor {
    return scoresOf(this.transform.LayerNorm.forward(this.activation(this.transform.dense.forward(x))), this.decoder);
  }
}

export interface BertMaskedLMOptions extends BertOptions, MaskedLMOptions {}

/** Ids int32 [B, T] → logits of the tokens [B, T, vocabSize]. 110 million parameters with the defaults. transformers: BertForMaskedLM. */
export class BertMaskedLM extends EncoderWithHead<Bert> {
  static readonly modelType = 'bert';
  readonly cls: { readonly predictions: Predictions };

  constructor(options: BertMaskedLMOptions = {}) {
    checkOptions(new.target.name, options, { ...BERT_OPTIONS, ...MASKED_OPTIONS });
    const { tieWordEmbeddings = true, ...rest } = options;
    const sizes = encoderSizes('BertMaskedLM', rest);
    super('bert', new Bert({ ...sizes, pooler: false }));
    const words = this.bert.embeddings.wordEmbeddings.weight;
    const decoder = tokenScores(words, tieWordEmbeddings, sizes.initializerRange);
    this.cls = { predictions: new Predictions(sizes, decoder) };
    begin(this, this.bert, sizes);
  }

  /** Made as transformers' config.json says. */
  static fromConfig(config: Config): BertMaskedLM {
    return new BertMaskedLM({ ...encoderOptionsOf(config), ...config.options<MaskedLMOptions>(MASKED_OPTIONS) });
  }

  get bert(): Bert {
    return this.body;
  }

  forward(ids: Ids, inputs: BertInputs = {}): Tensor {
    return this.cls.predictions.forward(this.bert.forward(ids, inputs));
  }
}

export interface BertClassifierOptions extends BertOptions, LabelOptions {}

function classifierParts(call: string, options: BertClassifierOptions): { sizes: EncoderSizes; head: HeadSizes } {
  checkOptions(call, options, { ...BERT_OPTIONS, ...LABEL_OPTIONS });
  const { numLabels: _, classifierDropout: __, ...rest } = options;
  const sizes = encoderSizes(call, rest);
  return { sizes, head: headSizes(call, sizes.hiddenSize, sizes.hiddenDropoutProb, options) };
}

const classifierOptionsOf = (config: Config): BertClassifierOptions => ({
  ...encoderOptionsOf(config),
  ...labelOptionsOf(config),
});

/** Ids int32 [B, T] → logits [B, numLabels]. transformers: BertForSequenceClassification. */
export class BertClassifier extends EncoderWithHead<Bert> {
  static readonly modelType = 'bert';
  readonly dropout: Dropout;
  readonly classifier: Block;

  constructor(options: BertClassifierOptions = {}) {
    const { sizes, head } = classifierParts(new.target.name, options);
    super('bert', new Bert(sizes));
    this.dropout = new Dropout(head.dropout);
    this.classifier = linear(head.width, head.numLabels);
    begin(this, this.bert, sizes);
  }

  /** Made as transformers' config.json says; the number of classes is that of its `id2label`. */
  static fromConfig(config: Config): BertClassifier {
    return new BertClassifier(classifierOptionsOf(config));
  }

  get bert(): Bert {
    return this.body;
  }

  forward(ids: Ids, inputs: BertInputs = {}): Tensor {
    return this.classifier.forward(this.dropout.forward(this.bert.pooled(this.bert.forward(ids, inputs))));
  }
}

/** Ids int32 [B, T] → logits of each token [B, T, numLabels], for names and parts of speech. transformers: BertForTokenClassification. */
export class BertTokenClassifier extends TokenHead<Bert> {
  static readonly modelType = 'bert';

  constructor(options: BertClassifierOptions = {}) {
    const { sizes, head } = classifierParts(new.target.name, options);
    super('bert', new Bert({ ...sizes, pooler: false }), head);
    begin(this, this.body, sizes);
  }

  /** Made as transformers' config.json says; the number of classes is that of its `id2label`. */
  static fromConfig(config: Config): BertTokenClassifier {
    return new BertTokenClassifier(classifierOptionsOf(config));
  }
}

/** Ids int32 [B, T] of a question and a text → where the answer begins and ends, { start, end } of [B, T]. transformers: BertForQuestionAnswering. */
export class BertQuestionAnswering extends AnswerHead<Bert> {
  static readonly modelType = 'bert';

  constructor(options: BertOptions = {}) {
    checkOptions(new.target.name, options, BERT_OPTIONS);
    const sizes = encoderSizes('BertQuestionAnswering', options);
    super('bert', new Bert({ ...sizes, pooler: false }), sizes.hiddenSize);
    begin(this, this.body, sizes);
  }

  /** Made as transformers' config.json says. */
  static fromConfig(config: Config): BertQuestionAnswering {
    return new BertQuestionAnswering(encoderOptionsOf(config));
  }
}
