// DistilBERT (Sanh et al. 2019): BERT with half of its layers, without kinds of tokens and without a pooler. Keys, numerics and initial values
// are those of transformers' DistilBertModel, DistilBertForMaskedLM, ….

import { Dropout, Embedding, LayerNorm, Module } from '../../nn/index.js';
import { checkCount } from '../../nn/layer.js';
import { checkHeads } from '../check-heads.js';
import { scaledDotProductAttention } from '../../tensor/attention.js';
import { arange } from '../../tensor/creation.js';
import { type OptionNames, checkNumber, checkOptions, checkWhole } from '../../tensor/library.js';
import type { AnyTensor, Tensor } from '../../tensor/tensor.js';
import { type Activation, activationNamed } from './activations.js';
import {
  type Block,
  type Ids,
  type Norm,
  type Table,
  checkIds,
  joinHeads,
  linear,
  paddingMask,
  splitHeads,
  table,
} from './blocks.js';
import type { Config } from './config.js';
import { type BertInputs, start, statesOf } from './encoder.js';
import {
  AnswerHead,
  EncoderWithHead,
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

type Sizes = Required<DistilBertOptions>;

function sizesOf(call: string, options: DistilBertOptions): Sizes {
  const { vocabSize = 30522, maxPositionEmbeddings = 512, nLayers = 6, nHeads = 12, dim = 768 } = options;
  const { hiddenDim = 3072, dropout = 0.1, attentionDropout = 0.1, activation = 'gelu' } = options;
  const { initializerRange = 0.02, padTokenId = 0 } = options;
  const counts = { vocabSize, maxPositionEmbeddings, nLayers, nHeads, dim, hiddenDim };
  for (const [name, count] of Object.entries(counts)) checkCount(count, 1, `${call}: ${name}`);
  const numbers = { dropout, attentionDropout, initializerRange };
  for (const [name, value] of Object.entries(numbers)) checkNumber(call, name, value);
  checkWhole(call, 'padTokenId', padTokenId);
  checkHeads(call, dim, nHeads);
  return { ...counts, ...numbers, activation, padTokenId };
}

/** Entries of config.json that mean the same. */
const ALIASES = { hidden_size: 'dim', num_attention_heads: 'n_heads', num_hidden_layers: 'n_layers' };

const optionsOf = (config: Config): DistilBertOptions =>
  config.renamed(ALIASES).options<DistilBertOptions>(DISTILBERT_OPTIONS);

const norm = ({ dim }: Sizes): Norm => new LayerNorm<number>(dim, { eps: 1e-12 });

class WordsAndPositions extends Module {
  readonly wordEmbeddings: Table;
  readonly positionEmbeddings: Table;
  readonly LayerNorm: Norm;
  readonly dropout: Dropout;

  constructor(sizes: Sizes) {
    super();
    this.wordEmbeddings = new Embedding<number>(sizes.vocabSize, sizes.dim, { paddingIdx: sizes.padTokenId });
    this.positionEmbeddings = table(sizes.maxPositionEmbeddings, sizes.dim);
    this.LayerNorm = norm(sizes);
    this.dropout = new Dropout(sizes.dropout);
  }

  forward(ids: Ids): Tensor {
    const positions: Ids = arange(ids.shape[1]);
    const words: Tensor = this.wordEmbeddings.forward(ids);
    return this.dropout.forward(this.LayerNorm.forward(words.add(this.positionEmbeddings.forward(positions))));
  }
}

class DistilAttention extends Module {
  readonly qLin: Block;
  readonly kLin: Block;
  readonly vLin: Block;
  readonly outLin: Block;
  private readonly heads: number;
  private readonly dropout: number;

  constructor({ dim, nHeads, attentionDropout }: Sizes) {
    super();
    this.qLin = linear(dim, dim);
    this.kLin = linear(dim, dim);
    this.vLin = linear(dim, dim);
    this.outLin = linear(dim, dim);
    this.heads = nHeads;
    this.dropout = attentionDropout;
  }

  forward(x: Tensor, mask: AnyTensor | undefined): Tensor {
    const [q, k, v] = [this.qLin, this.kLin, this.vLin].map((part) => splitHeads(part.forward(x), this.heads));
    const dropout = this.training ? this.dropout : 0;
    const seen: Tensor = scaledDotProductAttention(q, k, v, mask === undefined ? { dropout } : { dropout, mask });
    return this.outLin.forward(joinHeads(seen));
  }
}

class DistilNetwork extends Module {
  readonly dropout: Dropout;
  readonly lin1: Block;
  readonly lin2: Block;
  private readonly activation: (x: Tensor) => Tensor;

  constructor({ dim, hiddenDim, dropout, activation }: Sizes) {
    super();
    this.dropout = new Dropout(dropout);
    this.lin1 = linear(dim, hiddenDim);
    this.lin2 = linear(hiddenDim, dim);
    this.activation = activationNamed('DistilBert', 'activation', activation);
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

  constructor(sizes: Sizes) {
    super();
    this.attention = new DistilAttention(sizes);
    this.saLayerNorm = norm(sizes);
    this.ffn = new DistilNetwork(sizes);
    this.outputLayerNorm = norm(sizes);
  }

  forward(x: Tensor, mask: AnyTensor | undefined): Tensor {
    const y: Tensor = this.saLayerNorm.forward(this.attention.forward(x, mask).add(x));
    return this.outputLayerNorm.forward(this.ffn.forward(y).add(y));
  }
}

/** Ids int32 [B, T] → features [B, T, dim]; T is at most `maxPositionEmbeddings`. transformers: DistilBertModel. */
export class DistilBert extends Module {
  static readonly modelType = 'distilbert';
  readonly embeddings: WordsAndPositions;
  readonly transformer: { readonly layer: readonly DistilLayer[] };
  private readonly positions: number;

  constructor(options: DistilBertOptions = {}) {
    checkOptions(new.target.name, options, DISTILBERT_OPTIONS);
    const sizes = sizesOf('DistilBert', options);
    super();
    this.embeddings = new WordsAndPositions(sizes);
    this.transformer = { layer: Array.from({ length: sizes.nLayers }, () => new DistilLayer(sizes)) };
    this.positions = sizes.maxPositionEmbeddings;
    begin(this, this, sizes);
  }

  /** Made as transformers' config.json says. */
  static fromConfig(config: Config): DistilBert {
    return new DistilBert(optionsOf(config));
  }

  forward(ids: Ids, inputs: BertInputs = {}): Tensor {
    return this.hiddenStates(ids, inputs).at(-1)!;
  }

  /** The embeddings [B, T, dim] and what each layer leaves. `tokenTypeIds` make no difference. */
  hiddenStates(ids: Ids, { attentionMask }: BertInputs = {}): Tensor[] {
    checkIds('DistilBert', ids, this.positions);
    return statesOf(
      this.embeddings.forward(ids),
      this.transformer.layer,
      paddingMask('DistilBert', attentionMask, ids),
    );
  }
}

function begin(model: Module, body: DistilBert, { initializerRange, padTokenId }: Sizes): void {
  start(model, initializerRange, padTokenId, body.embeddings.wordEmbeddings);
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
    super('distilbert', new DistilBert(sizes));
    const words = this.body.embeddings.wordEmbeddings.weight;
    this.vocabTransform = linear(sizes.dim, sizes.dim);
    this.vocabLayerNorm = norm(sizes);
    this.vocabProjector = tokenScores(words, tieWordEmbeddings, sizes.initializerRange);
    this.activation = activationNamed('DistilBert', 'activation', sizes.activation);
    begin(this, this.body, sizes);
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

const labelsOf = (config: Config): LabelOptions => {
  const { numLabels } = labelOptionsOf(config);
  return numLabels === undefined ? {} : { numLabels };
};

/** Ids int32 [B, T] → logits [B, numLabels]. transformers: DistilBertForSequenceClassification. */
export class DistilBertClassifier extends EncoderWithHead<DistilBert> {
  static readonly modelType = 'distilbert';
  readonly preClassifier: Block;
  readonly classifier: Block;
  readonly dropout: Dropout;

  constructor(options: DistilBertClassifierOptions = {}) {
    checkOptions(new.target.name, options, CLASSIFIER_OPTIONS);
    const { numLabels, seqClassifDropout = 0.2, ...rest } = options;
    const sizes = sizesOf('DistilBertClassifier', rest);
    const head = headSizes(
      'DistilBertClassifier',
      sizes.dim,
      seqClassifDropout,
      numLabels === undefined ? {} : { numLabels },
    );
    super('distilbert', new DistilBert(sizes));
    this.preClassifier = linear(head.width, head.width);
    this.classifier = linear(head.width, head.numLabels);
    this.dropout = new Dropout(head.dropout);
    begin(this, this.body, sizes);
  }

  /** Made as transformers' config.json says; the number of classes is that of its `id2label`. */
  static fromConfig(config: Config): DistilBertClassifier {
    const dropout = config.options<Pick<DistilBertClassifierOptions, 'seqClassifDropout'>>({ seqClassifDropout: true });
    return new DistilBertClassifier({ ...optionsOf(config), ...labelsOf(config), ...dropout });
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
    const { numLabels, ...rest } = options;
    const sizes = sizesOf('DistilBertTokenClassifier', rest);
    const labels = numLabels === undefined ? {} : { numLabels };
    super(
      'distilbert',
      new DistilBert(sizes),
      headSizes('DistilBertTokenClassifier', sizes.dim, sizes.dropout, labels),
    );
    begin(this, this.body, sizes);
  }

  /** Made as transformers' config.json says; the number of classes is that of its `id2label`. */
  static fromConfig(config: Config): DistilBertTokenClassifier {
    return new DistilBertTokenClassifier({ ...optionsOf(config), ...labelsOf(config) });
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
    super('distilbert', new DistilBert(sizes), sizes.dim, qaDropout);
    begin(this, this.body, sizes);
  }

  /** Made as transformers' config.json says. */
  static fromConfig(config: Config): DistilBertQuestionAnswering {
    const dropout = config.options<Pick<DistilBertAnswerOptions, 'qaDropout'>>({ qaDropout: true });
    return new DistilBertQuestionAnswering({ ...optionsOf(config), ...dropout });
  }
}
