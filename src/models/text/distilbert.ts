// DistilBERT (Sanh et al. 2019): BERT with half of its layers, without kinds of tokens and without a pooler. Keys, numerics and initial values
// are those of transformers' DistilBertModel, DistilBertForMaskedLM, ….

import { Dropout, Module } from '../../nn/index.js';
import { checkCount } from '../../nn/layer.js';
import { checkHeads } from '../check-heads.js';
import { type OptionNames, checkNumber, checkOptions, checkWhole } from '../../tensor/library.js';
import type { AnyTensor, Tensor } from '../../tensor/tensor.js';
import { type Activation, activationNamed } from './activations.js';
import { type Block, type Ids, type Norm, attend, linear } from './blocks.js';
import type { Config } from './config.js';
import { type BertInputs, Embeddings, EncoderBody, type EncoderSizes, norm, start } from './encoder.js';
import {
  AnswerHead,
  EncoderWithHead,
  MASKED_OPTIONS,
  type MaskedLMOptions,
  TokenHead,
  type TokenScores,
  headSizes,
  labelCountOf,
  scoresOf,
  tokenScores,
} from './encoder-heads.js';

/** Names and defaults are those of transformers' DistilBertConfig, in camelCase. */
export interface DistilBertOptions {
  /** Default 30522. */
  readonly vocabSize?: number;
  /** Longest sequence. Default 512. */
  readonly maxPositionEmbeddings?: number;
  /** Layers. Default 6. */
  readonly nLayers?: number;
  /** Default 12. */
  readonly nHeads?: number;
  /** Features of a token. Default 768. */
  readonly dim?: number;
  /** Width of the network behind the attention. Default 3072. */
  readonly hiddenDim?: number;
  /** Behind embeddings and network. Default 0.1. */
  readonly dropout?: number;
  /** Of the attention's weights. Default 0.1. */
  readonly attentionDropout?: number;
  /** Default 'gelu', the GELU by erf. */
  readonly activation?: Activation;
  /** Deviation of the initial weights. Default 0.02. */
  readonly initializerRange?: number;
  /** Id whose embedding starts at 0 and is not learned. Default 0. */
  readonly padTokenId?: number;
}

const DISTILBERT_OPTIONS: OptionNames<DistilBertOptions> = {
  vocabSize: true,
  maxPositionEmbeddings: true,
  nLayers: true,
  nHeads: true,
  dim: true,
  hiddenDim: true,
  dropout: true,
  attentionDropout: true,
  activation: true,
  initializerRange: true,
  padTokenId: true,
};

/** Under BERT's names, without kinds of tokens. */
function sizesOf(call: string, options: DistilBertOptions): EncoderSizes {
  const { vocabSize = 30522, maxPositionEmbeddings = 512, nLayers = 6, nHeads = 12, dim = 768 } = options;
  const { hiddenDim = 3072, dropout = 0.1, attentionDropout = 0.1, activation = 'gelu' } = options;
  const { initializerRange = 0.02, padTokenId = 0 } = options;
  const counts = { vocabSize, maxPositionEmbeddings, nLayers, nHeads, dim, hiddenDim };
  for (const [name, count] of Object.entries(counts)) checkCount(count, 1, `${call}: ${name}`);
  const numbers = { dropout, attentionDropout, initializerRange };
  for (const [name, value] of Object.entries(numbers)) checkNumber(call, name, value);
  checkWhole(call, 'padTokenId', padTokenId);
  checkHeads(call, dim, nHeads);
  return {
    vocabSize,
    hiddenSize: dim,
    numHiddenLayers: nLayers,
    numAttentionHeads: nHeads,
    intermediateSize: hiddenDim,
    hiddenAct: activation,
    hiddenDropoutProb: dropout,
    attentionProbsDropoutProb: attentionDropout,
    maxPositionEmbeddings,
    typeVocabSize: 0,
    initializerRange,
    layerNormEps: 1e-12,
    padTokenId,
  };
}

/** Entries of config.json that mean the same. */
const ALIASES = { hidden_size: 'dim', num_attention_heads: 'n_heads', num_hidden_layers: 'n_layers' };

const optionsOf = (config: Config): DistilBertOptions =>
  config.renamed(ALIASES).options<DistilBertOptions>(DISTILBERT_OPTIONS);

class DistilAttention extends Module {
  readonly qLin: Block;
  readonly kLin: Block;
  readonly vLin: Block;
  readonly outLin: Block;
  private readonly heads: number;
  private readonly dropout: number;

  constructor({ hiddenSize, numAttentionHeads, attentionProbsDropoutProb }: EncoderSizes) {
    super();
    this.qLin = linear(hiddenSize, hiddenSize);
    this.kLin = linear(hiddenSize, hiddenSize);
    this.vLin = linear(hiddenSize, hiddenSize);
    this.outLin = linear(hiddenSize, hiddenSize);
    this.heads = numAttentionHeads;
    this.dropout = attentionProbsDropoutProb;
  }

  forward(x: Tensor, mask: AnyTensor | undefined): Tensor {
    const dropout = this.training ? this.dropout : 0;
    return this.outLin.forward(attend(x, [this.qLin, this.kLin, this.vLin], { heads: this.heads, dropout, mask }));
  }
}

class DistilNetwork extends Module {
  readonly dropout: Dropout;
  readonly lin1: Block;
  readonly lin2: Block;
  private readonly activation: (x: Tensor) => Tensor;

  constructor({ hiddenSize, intermediateSize, hiddenDropoutProb, hiddenAct }: EncoderSizes) {
    super();
    this.dropout = new Dropout(hiddenDropoutProb);
    this.lin1 = linear(hiddenSize, intermediateSize);
    this.lin2 = linear(intermediateSize, hiddenSize);
    this.activation = activationNamed('DistilBert', 'activation', hiddenAct);
  }

  forward(x: Tensor): Tensor {
    return this.dropout.forward(this.lin2.forward(this.activation(this.lin1.forward(x))));
  }
}

class DistilLayer extends Module {
  readonly attention: DistilAttention;
  readonly saLayerNorm: Norm;
  readonly ffn: DistilNetwork;
  readonly outputLayerNorm: Norm;

  constructor(sizes: EncoderSizes) {
    super();
    this.attention = new DistilAttention(sizes);
    this.saLayerNorm = norm(sizes, sizes.hiddenSize);
    this.ffn = new DistilNetwork(sizes);
    this.outputLayerNorm = norm(sizes, sizes.hiddenSize);
  }

  forward(x: Tensor, mask: AnyTensor | undefined): Tensor {
    const y: Tensor = this.saLayerNorm.forward(this.attention.forward(x, mask).add(x));
    return this.outputLayerNorm.forward(this.ffn.forward(y).add(y));
  }
}

/** Ids int32 [B, T] → features [B, T, dim]; T is at most `maxPositionEmbeddings`, and `tokenTypeIds` make no difference. transformers: DistilBertModel. */
export class DistilBert extends EncoderBody {
  static readonly modelType = 'distilbert';
  readonly transformer: { readonly layer: readonly DistilLayer[] };

  constructor(options: DistilBertOptions = {}) {
    checkOptions(new.target.name, options, DISTILBERT_OPTIONS);
    const sizes = sizesOf('DistilBert', options);
    super(new Embeddings(sizes, sizes.hiddenSize), sizes.maxPositionEmbeddings);
    this.transformer = { layer: Array.from({ length: sizes.numHiddenLayers }, () => new DistilLayer(sizes)) };
    start(this, this, sizes);
  }

  /** Made as transformers' config.json says. */
  static fromConfig(config: Config): DistilBert {
    return new DistilBert(optionsOf(config));
  }

  protected override get layers(): readonly DistilLayer[] {
    return this.transformer.layer;
  }
}

export interface DistilBertMaskedLMOptions extends DistilBertOptions, MaskedLMOptions {}

/** Ids int32 [B, T] → logits of the tokens [B, T, vocabSize]. transformers: DistilBertForMaskedLM. */
export class DistilBertMaskedLM extends EncoderWithHead<DistilBert> {
  static readonly modelType = 'distilbert';
  readonly vocabTransform: Block;
  readonly vocabLayerNorm: Norm;
  readonly vocabProjector: TokenScores;
  private readonly activation: (x: Tensor) => Tensor;

  constructor(options: DistilBertMaskedLMOptions = {}) {
    checkOptions(new.target.name, options, { ...DISTILBERT_OPTIONS, ...MASKED_OPTIONS });
    const { tieWordEmbeddings = true, ...rest } = options;
    const sizes = sizesOf('DistilBertMaskedLM', rest);
    super('distilbert', new DistilBert(rest));
    const words = this.body.embeddings.wordEmbeddings.weight;
    this.vocabTransform = linear(sizes.hiddenSize, sizes.hiddenSize);
    this.vocabLayerNorm = norm(sizes, sizes.hiddenSize);
    this.vocabProjector = tokenScores(words, tieWordEmbeddings, sizes.initializerRange);
    this.activation = activationNamed('DistilBert', 'activation', sizes.hiddenAct);
    start(this, this.body, sizes);
  }

  /** Made as transformers' config.json says. */
  static fromConfig(config: Config): DistilBertMaskedLM {
    return new DistilBertMaskedLM({ ...optionsOf(config), ...config.options<MaskedLMOptions>(MASKED_OPTIONS) });
  }

  forward(ids: Ids, inputs: BertInputs = {}): Tensor {
    const features: Tensor = this.activation(this.vocabTransform.forward(this.body.forward(ids, inputs)));
    return scoresOf(this.vocabLayerNorm.forward(features), this.vocabProjector);
  }
}

export interface DistilBertClassifierOptions extends DistilBertOptions {
  /** Classes. Default 2. */
  readonly numLabels?: number;
  /** In front of the classifier of texts. Default 0.2. */
  readonly seqClassifDropout?: number;
}

const CLASSIFIER_OPTIONS: OptionNames<DistilBertClassifierOptions> = {
  ...DISTILBERT_OPTIONS,
  numLabels: true,
  seqClassifDropout: true,
};

/** Ids int32 [B, T] → logits [B, numLabels]. transformers: DistilBertForSequenceClassification. */
export class DistilBertClassifier extends EncoderWithHead<DistilBert> {
  static readonly modelType = 'distilbert';
  readonly preClassifier: Block;
  readonly classifier: Block;
  readonly dropout: Dropout;

  constructor(options: DistilBertClassifierOptions = {}) {
    checkOptions(new.target.name, options, CLASSIFIER_OPTIONS);
    const { numLabels: _, seqClassifDropout = 0.2, ...rest } = options;
    const sizes = sizesOf('DistilBertClassifier', rest);
    const head = headSizes('DistilBertClassifier', sizes.hiddenSize, seqClassifDropout, options);
    super('distilbert', new DistilBert(rest));
    this.preClassifier = linear(head.width, head.width);
    this.classifier = linear(head.width, head.numLabels);
    this.dropout = new Dropout(head.dropout);
    start(this, this.body, sizes);
  }

  /** Made as transformers' config.json says; the number of classes is that of its `id2label`. */
  static fromConfig(config: Config): DistilBertClassifier {
    const dropout = config.options<Pick<DistilBertClassifierOptions, 'seqClassifDropout'>>({ seqClassifDropout: true });
    return new DistilBertClassifier({ ...optionsOf(config), ...labelCountOf(config), ...dropout });
  }

  forward(ids: Ids, inputs: BertInputs = {}): Tensor {
    const first: Tensor = this.body.forward(ids, inputs).select(1, 0);
    return this.classifier.forward(this.dropout.forward(this.preClassifier.forward(first).relu()));
  }
}

export interface DistilBertTokenClassifierOptions extends DistilBertOptions {
  /** Classes. Default 2. */
  readonly numLabels?: number;
}

/** Ids int32 [B, T] → logits of each token [B, T, numLabels]. transformers: DistilBertForTokenClassification. */
export class DistilBertTokenClassifier extends TokenHead<DistilBert> {
  static readonly modelType = 'distilbert';

  constructor(options: DistilBertTokenClassifierOptions = {}) {
    checkOptions(new.target.name, options, { ...DISTILBERT_OPTIONS, numLabels: true });
    const { numLabels: _, ...rest } = options;
    const sizes = sizesOf('DistilBertTokenClassifier', rest);
    const head = headSizes('DistilBertTokenClassifier', sizes.hiddenSize, sizes.hiddenDropoutProb, options);
    super('distilbert', new DistilBert(rest), head);
    start(this, this.body, sizes);
  }

  /** Made as transformers' config.json says; the number of classes is that of its `id2label`. */
  static fromConfig(config: Config): DistilBertTokenClassifier {
    return new DistilBertTokenClassifier({ ...optionsOf(config), ...labelCountOf(config) });
  }
}

export interface DistilBertAnswerOptions extends DistilBertOptions {
  /** In front of the output. Default 0.1. */
  readonly qaDropout?: number;
}

/** Ids int32 [B, T] of a question and a text → where the answer begins and ends, { start, end } of [B, T]. transformers: DistilBertForQuestionAnswering. */
export class DistilBertQuestionAnswering extends AnswerHead<DistilBert> {
  static readonly modelType = 'distilbert';

  constructor(options: DistilBertAnswerOptions = {}) {
    checkOptions(new.target.name, options, { ...DISTILBERT_OPTIONS, qaDropout: true });
    const { qaDropout = 0.1, ...rest } = options;
    checkNumber('DistilBertQuestionAnswering', 'qaDropout', qaDropout);
    const sizes = sizesOf('DistilBertQuestionAnswering', rest);
    super('distilbert', new DistilBert(rest), sizes.hiddenSize, qaDropout);
    start(this, this.body, sizes);
  }

  /** Made as transformers' config.json says. */
  static fromConfig(config: Config): DistilBertQuestionAnswering {
    const dropout = config.options<Pick<DistilBertAnswerOptions, 'qaDropout'>>({ qaDropout: true });
    return new DistilBertQuestionAnswering({ ...optionsOf(config), ...dropout });
  }
}
