// BERT (Devlin et al. 2019): an encoder of tokens that sees both directions, with a head that guesses masked tokens or one that classifies
// texts. Keys, numerics and initial values are those of transformers' BertForMaskedLM and BertForSequenceClassification.

import { Dropout, Embedding, LayerNorm, Linear, Module, Parameter, init } from '../../nn/index.js';
import { checkCount } from '../../nn/layer.js';
import { checkHeads } from '../check-heads.js';
import { scaledDotProductAttention } from '../../tensor/attention.js';
import { arange, zeros } from '../../tensor/creation.js';
import { type OptionNames, checkOptions } from '../../tensor/library.js';
import type { AnyTensor, Tensor } from '../../tensor/tensor.js';
import {
  type Activation,
  type Block,
  type Ids,
  type Norm,
  type Table,
  activationNamed,
  checkIds,
  joinHeads,
  linear,
  paddingMask,
  splitHeads,
  table,
} from './blocks.js';
import type { Config } from './config.js';

/** Names and defaults are those of transformers' BertConfig, in camelCase. */
export interface BertOptions {
  /** Default 30522. */
  readonly vocabSize?: number;
  /** Features of a token. Default 768. */
  readonly hiddenSize?: number;
  /** Layers. Default 12. */
  readonly numHiddenLayers?: number;
  /** Default 12. */
  readonly numAttentionHeads?: number;
  /** Width of the network behind the attention. Default 3072. */
  readonly intermediateSize?: number;
  /** Default 'gelu', the GELU by erf. */
  readonly hiddenAct?: Activation;
  /** Behind embeddings, attention and network. Default 0.1. */
  readonly hiddenDropoutProb?: number;
  /** Of the attention's weights. Default 0.1. */
  readonly attentionProbsDropoutProb?: number;
  /** Longest sequence. Default 512. */
  readonly maxPositionEmbeddings?: number;
  /** Kinds of tokens: first text, second text. Default 2. */
  readonly typeVocabSize?: number;
  /** Deviation of the initial weights. Default 0.02. */
  readonly initializerRange?: number;
  /** Default 1e-12. */
  readonly layerNormEps?: number;
  /** Id whose embedding starts at 0 and is not learned. Default 0. */
  readonly padTokenId?: number;
}

const BERT_OPTIONS: OptionNames<BertOptions> = {
  vocabSize: true,
  hiddenSize: true,
  numHiddenLayers: true,
  numAttentionHeads: true,
  intermediateSize: true,
  hiddenAct: true,
  hiddenDropoutProb: true,
  attentionProbsDropoutProb: true,
  maxPositionEmbeddings: true,
  typeVocabSize: true,
  initializerRange: true,
  layerNormEps: true,
  padTokenId: true,
};

/** What a tokenizer gives beside the ids; each has their shape [B, T]. */
export interface BertInputs {
  /** 1 or true for a token, 0 for padding, which nobody sees. Default: all are tokens. */
  readonly attentionMask?: AnyTensor;
  /** 0 in the first text, 1 in the second. Default 0. */
  readonly tokenTypeIds?: Ids;
}

type Sizes = Required<BertOptions>;

function sizesOf(name: string, options: BertOptions): Sizes {
  const { vocabSize = 30522, hiddenSize = 768, numHiddenLayers = 12, numAttentionHeads = 12 } = options;
  const { intermediateSize = 3072, maxPositionEmbeddings = 512, typeVocabSize = 2 } = options;
  const { hiddenAct = 'gelu', hiddenDropoutProb = 0.1, attentionProbsDropoutProb = 0.1 } = options;
  const { initializerRange = 0.02, layerNormEps = 1e-12, padTokenId = 0 } = options;
  const counts = { vocabSize, hiddenSize, numHiddenLayers, numAttentionHeads, intermediateSize };
  const more = { maxPositionEmbeddings, typeVocabSize };
  for (const [option, count] of Object.entries({ ...counts, ...more })) checkCount(count, 1, `${name}: ${option}`);
  checkHeads(name, hiddenSize, numAttentionHeads);
  const drops = { hiddenDropoutProb, attentionProbsDropoutProb };
  return { ...counts, ...more, ...drops, hiddenAct, initializerRange, layerNormEps, padTokenId };
}

const norm = ({ hiddenSize, layerNormEps }: Sizes): Norm => new LayerNorm<number>(hiddenSize, { eps: layerNormEps });

class Embeddings extends Module {
  readonly wordEmbeddings: Table;
  readonly positionEmbeddings: Table;
  readonly tokenTypeEmbeddings: Table;
  readonly LayerNorm: Norm;
  readonly dropout: Dropout;

  constructor(sizes: Sizes) {
    super();
    const { vocabSize, maxPositionEmbeddings, typeVocabSize, hiddenSize, padTokenId } = sizes;
    this.wordEmbeddings = new Embedding<number>(vocabSize, hiddenSize, { paddingIdx: padTokenId });
    this.positionEmbeddings = table(maxPositionEmbeddings, hiddenSize);
    this.tokenTypeEmbeddings = table(typeVocabSize, hiddenSize);
    this.LayerNorm = norm(sizes);
    this.dropout = new Dropout(sizes.hiddenDropoutProb);
  }

  forward(ids: Ids, types: Ids = zeros(ids.shape, { dtype: 'int32' })): Tensor {
    const words: Tensor = this.wordEmbeddings.forward(ids).add(this.tokenTypeEmbeddings.forward(types));
    const positions: Ids = arange(ids.shape[1]);
    return this.dropout.forward(this.LayerNorm.forward(words.add(this.positionEmbeddings.forward(positions))));
  }
}

/** Linear, dropout, the sum with what came before, layer norm. */
class Output extends Module {
  readonly dense: Block;
  readonly LayerNorm: Norm;
  readonly dropout: Dropout;

  constructor(from: number, sizes: Sizes) {
    super();
    this.dense = linear(from, sizes.hiddenSize);
    this.LayerNorm = norm(sizes);
    this.dropout = new Dropout(sizes.hiddenDropoutProb);
  }

  forward(x: Tensor, before: Tensor): Tensor {
    return this.LayerNorm.forward(this.dropout.forward(this.dense.forward(x)).add(before));
  }
}

class SelfAttention extends Module {
  readonly query: Block;
  readonly key: Block;
  readonly value: Block;
  private readonly heads: number;
  private readonly dropout: number;

  constructor({ hiddenSize, numAttentionHeads, attentionProbsDropoutProb }: Sizes) {
    super();
    this.query = linear(hiddenSize, hiddenSize);
    this.key = linear(hiddenSize, hiddenSize);
    this.value = linear(hiddenSize, hiddenSize);
    this.heads = numAttentionHeads;
    this.dropout = attentionProbsDropoutProb;
  }

  forward(x: Tensor, mask: AnyTensor | undefined): Tensor {
    const [q, k, v] = [this.query, this.key, this.value].map((part) => splitHeads(part.forward(x), this.heads));
    const dropout = this.training ? this.dropout : 0;
    return joinHeads(scaledDotProductAttention(q, k, v, mask === undefined ? { dropout } : { dropout, mask }));
  }
}

class BertLayer extends Module {
  readonly attention: { readonly self: SelfAttention; readonly output: Output };
  readonly intermediate: { readonly dense: Block };
  readonly output: Output;
  private readonly activation: (x: Tensor) => Tensor;

  constructor(sizes: Sizes) {
    super();
    this.attention = { self: new SelfAttention(sizes), output: new Output(sizes.hiddenSize, sizes) };
    this.intermediate = { dense: linear(sizes.hiddenSize, sizes.intermediateSize) };
    this.output = new Output(sizes.intermediateSize, sizes);
    this.activation = activationNamed('Bert', 'hiddenAct', sizes.hiddenAct);
  }

  forward(x: Tensor, mask: AnyTensor | undefined): Tensor {
    const y = this.attention.output.forward(this.attention.self.forward(x, mask), x);
    return this.output.forward(this.activation(this.intermediate.dense.forward(y)), y);
  }
}

/** Linear layers and tables as transformers starts them: normal, biases 0, the padding's row 0. */
function start(model: Module, { initializerRange, padTokenId }: Sizes, words: Table): void {
  model.apply((m) => {
    if (m instanceof Linear || m instanceof Embedding) init.normal_(m.weight, 0, initializerRange);
    if (m instanceof Linear && m.bias !== undefined) init.zeros_(m.bias);
  });
  words.weight.assignAt_([padTokenId], 0);
}

export interface BertBodyOptions extends BertOptions {
  /** With the layer over the first token that classifiers use. Default true. */
  readonly pooler?: boolean;
}

/** Ids int32 [B, T] → features [B, T, hiddenSize]; T is at most `maxPositionEmbeddings`. transformers: BertModel. */
export class Bert extends Module {
  static readonly modelType = 'bert';
  readonly embeddings: Embeddings;
  readonly encoder: { readonly layer: readonly BertLayer[] };
  readonly pooler: { readonly dense: Block } | undefined;
  private readonly positions: number;

  constructor({ pooler = true, ...options }: BertBodyOptions = {}) {
    checkOptions(new.target.name, options, BERT_OPTIONS);
    const sizes = sizesOf('Bert', options);
    super();
    this.embeddings = new Embeddings(sizes);
    this.encoder = { layer: Array.from({ length: sizes.numHiddenLayers }, () => new BertLayer(sizes)) };
    this.pooler = pooler ? { dense: linear(sizes.hiddenSize, sizes.hiddenSize) } : undefined;
    this.positions = sizes.maxPositionEmbeddings;
    start(this, sizes, this.embeddings.wordEmbeddings);
  }

  /** Made as transformers' config.json says. */
  static fromConfig(config: Config): Bert {
    return new Bert(optionsOf(config));
  }

  forward(ids: Ids, inputs: BertInputs = {}): Tensor {
    return this.hiddenStates(ids, inputs).at(-1)!;
  }

  /** The embeddings [B, T, hiddenSize] and what each layer leaves. */
  hiddenStates(ids: Ids, { attentionMask, tokenTypeIds }: BertInputs = {}): Tensor[] {
    checkIds('Bert', ids, this.positions);
    const mask = paddingMask('Bert', attentionMask, ids);
    const states = [this.embeddings.forward(ids, tokenTypeIds)];
    for (const [i, layer] of this.encoder.layer.entries()) states.push(layer.forward(states[i], mask));
    return states;
  }

  /** tanh of a linear layer over the first token of features [B, T, hiddenSize]: [B, hiddenSize]. */
  pooled(features: Tensor): Tensor {
    const first: Tensor = features.select(1, 0);
    return this.pooler === undefined ? first : this.pooler.dense.forward(first).tanh();
  }
}

function optionsOf(config: Config): BertOptions {
  config.refuse('position_embedding_type', ['absolute', undefined]);
  config.refuse('is_decoder', [false, undefined]);
  config.refuse('add_cross_attention', [false, undefined]);
  return config.options<BertOptions>(BERT_OPTIONS);
}

class Predictions extends Module {
  readonly bias: Parameter;
  readonly transform: { readonly dense: Block; readonly LayerNorm: Norm };
  readonly decoder: { readonly weight: Parameter; readonly bias: Parameter };
  private readonly activation: (x: Tensor) => Tensor;

  constructor(sizes: Sizes, words: Parameter) {
    super();
    this.bias = new Parameter<readonly number[]>(init.zeros([sizes.vocabSize]));
    this.transform = { dense: linear(sizes.hiddenSize, sizes.hiddenSize), LayerNorm: norm(sizes) };
    this.decoder = { weight: words, bias: this.bias };
    this.activation = activationNamed('Bert', 'hiddenAct', sizes.hiddenAct);
  }

  forward(x: Tensor): Tensor {
    const y: Tensor = this.transform.LayerNorm.forward(this.activation(this.transform.dense.forward(x)));
    return y.matmul(this.decoder.weight.transpose(0, 1)).add(this.bias);
  }
}

/** Ids int32 [B, T] → logits of the tokens [B, T, vocabSize]. 110 million parameters with the defaults. transformers: BertForMaskedLM. */
export class BertMaskedLM extends Module {
  static readonly modelType = 'bert';
  readonly bert: Bert;
  readonly cls: { readonly predictions: Predictions };

  constructor(options: BertOptions = {}) {
    checkOptions(new.target.name, options, BERT_OPTIONS);
    const sizes = sizesOf('BertMaskedLM', options);
    super();
    this.bert = new Bert({ ...sizes, pooler: false });
    this.cls = { predictions: new Predictions(sizes, this.bert.embeddings.wordEmbeddings.weight) };
    start(this, sizes, this.bert.embeddings.wordEmbeddings);
  }

  /** Made as transformers' config.json says. */
  static fromConfig(config: Config): BertMaskedLM {
    config.refuse('tie_word_embeddings', [true, undefined]);
    return new BertMaskedLM(optionsOf(config));
  }

  forward(ids: Ids, inputs: BertInputs = {}): Tensor {
    return this.cls.predictions.forward(this.bert.forward(ids, inputs));
  }

  /** As `Bert` has it. */
  hiddenStates(ids: Ids, inputs: BertInputs = {}): Tensor[] {
    return this.bert.hiddenStates(ids, inputs);
  }
}

export interface BertClassifierOptions extends BertOptions {
  /** Classes. Default 2. */
  readonly numLabels?: number;
  /** In front of the classifier. Default `hiddenDropoutProb`. */
  readonly classifierDropout?: number;
}

/** Ids int32 [B, T] → logits [B, numLabels]. transformers: BertForSequenceClassification. */
export class BertClassifier extends Module {
  static readonly modelType = 'bert';
  readonly bert: Bert;
  readonly dropout: Dropout;
  readonly classifier: Block;

  constructor(options: BertClassifierOptions = {}) {
    checkOptions(new.target.name, options, { ...BERT_OPTIONS, numLabels: true, classifierDropout: true });
    const { numLabels = 2, classifierDropout, ...rest } = options;
    const sizes = sizesOf('BertClassifier', rest);
    checkCount(numLabels, 1, 'BertClassifier: numLabels');
    super();
    this.bert = new Bert(sizes);
    this.dropout = new Dropout(classifierDropout ?? sizes.hiddenDropoutProb);
    this.classifier = linear(sizes.hiddenSize, numLabels);
    start(this, sizes, this.bert.embeddings.wordEmbeddings);
  }

  /** Made as transformers' config.json says; the number of classes is that of its `id2label`. */
  static fromConfig(config: Config): BertClassifier {
    const numLabels = config.labels.length;
    const dropout = config.options<{ classifierDropout?: number }>({ classifierDropout: true });
    return new BertClassifier({ ...optionsOf(config), ...dropout, ...(numLabels > 0 && { numLabels }) });
  }

  forward(ids: Ids, inputs: BertInputs = {}): Tensor {
    return this.classifier.forward(this.dropout.forward(this.bert.pooled(this.bert.forward(ids, inputs))));
  }

  /** As `Bert` has it. */
  hiddenStates(ids: Ids, inputs: BertInputs = {}): Tensor[] {
    return this.bert.hiddenStates(ids, inputs);
  }
}
