// BERT (Devlin et al. 2019): an encoder of tokens that sees both directions, with heads that guess masked tokens, classify texts or tokens, or
// find answers. Keys, numerics and initial values are those of transformers' BertModel, BertForMaskedLM, ….

import { Dropout, Module, type Parameter } from '../../nn/index.js';
import type { Tensor } from '../../tensor/tensor.js';
import { activationNamed } from './activations.js';
import { type Block, type Ids, type Norm, linear } from './blocks.js';
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

const BERT: EncoderKind<BertOptions, EncoderSizes> = {
  options: BERT_OPTIONS,
  sizesOf: encoderSizes,
  optionsOf: encoderOptionsOf,
};

export interface BertBodyOptions extends BertOptions {
  /** With the layer over the first token that classifiers use. Default true. */
  readonly pooler?: boolean;
}

/** Ids int32 [B, T] → features [B, T, hiddenSize]; T is at most `maxPositionEmbeddings`. transformers: BertModel. */
export class Bert extends PooledEncoder {
  static readonly modelType = 'bert';

  constructor({ pooler = true, ...options }: BertBodyOptions = {}) {
    const sizes = ownSizes(BERT, new.target.name, options);
    super(new Embeddings(sizes, sizes.hiddenSize), sizes.maxPositionEmbeddings, sizes, pooler);
    start(this, this, sizes);
  }

  /** Made as transformers' config.json says. */
  static fromConfig(config: Config): Bert {
    return new Bert(encoderOptionsOf(config));
  }
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
    const { sizes, tieWordEmbeddings } = maskedSizes(BERT, new.target.name, options);
    super('bert', new Bert({ ...sizes, pooler: false }));
    const words = this.bert.embeddings.wordEmbeddings.weight;
    const decoder = tokenScores(words, tieWordEmbeddings, sizes.initializerRange);
    this.cls = { predictions: new Predictions(sizes, decoder) };
    start(this, this.bert, sizes);
  }

  /** Made as transformers' config.json says. */
  static fromConfig(config: Config): BertMaskedLM {
    return new BertMaskedLM(maskedOptionsOf(BERT, config));
  }

  get bert(): Bert {
    return this.body;
  }

  forward(ids: Ids, inputs: BertInputs = {}): Tensor {
    return this.cls.predictions.forward(this.bert.forward(ids, inputs));
  }
}

export interface BertClassifierOptions extends BertOptions, LabelOptions {}

/** Ids int32 [B, T] → logits [B, numLabels]. transformers: BertForSequenceClassification. */
export class BertClassifier extends EncoderWithHead<Bert> {
  static readonly modelType = 'bert';
  readonly dropout: Dropout;
  readonly classifier: Block;

  constructor(options: BertClassifierOptions = {}) {
    const { sizes, head } = classifierSizes(BERT, new.target.name, options);
    super('bert', new Bert(sizes));
    this.dropout = new Dropout(head.dropout);
    this.classifier = linear(head.width, head.numLabels);
    start(this, this.bert, sizes);
  }

  /** Made as transformers' config.json says; the number of classes is that of its `id2label`. */
  static fromConfig(config: Config): BertClassifier {
    return new BertClassifier(classifierOptionsOf(BERT, config));
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
    const { sizes, head } = classifierSizes(BERT, new.target.name, options);
    super('bert', new Bert({ ...sizes, pooler: false }), head);
    start(this, this.body, sizes);
  }

  /** Made as transformers' config.json says; the number of classes is that of its `id2label`. */
  static fromConfig(config: Config): BertTokenClassifier {
    return new BertTokenClassifier(classifierOptionsOf(BERT, config));
  }
}

/** Ids int32 [B, T] of a question and a text → where the answer begins and ends, { start, end } of [B, T]. transformers: BertForQuestionAnswering. */
export class BertQuestionAnswering extends AnswerHead<Bert> {
  static readonly modelType = 'bert';

  constructor(options: BertOptions = {}) {
    const sizes = ownSizes(BERT, new.target.name, options);
    super('bert', new Bert({ ...sizes, pooler: false }), sizes.hiddenSize);
    start(this, this.body, sizes);
  }

  /** Made as transformers' config.json says. */
  static fromConfig(config: Config): BertQuestionAnswering {
    return new BertQuestionAnswering(encoderOptionsOf(config));
  }
}
