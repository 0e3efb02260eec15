// ELECTRA (Clark et al. 2020): BERT without a pooler, whose embeddings may be narrower than its layers. A small one guesses masked tokens, and a
// large one learns which tokens were guessed. Keys, numerics and initial values are those of transformers' ElectraModel, ElectraForMaskedLM, ….

import { Module } from '../../nn/index.js';
import { checkCount } from '../../nn/layer.js';
import { type OptionNames, checkOptions } from '../../tensor/library.js';
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

/**
 * Names are those of transformers' ElectraConfig, in camelCase; defaults are BERT's but for `hiddenSize` 256, `numAttentionHeads` 4 and
 * `intermediateSize` 1024.
 */
export interface ElectraOptions extends BertOptions {
  /** Features of the embeddings. Default 128. */
  readonly embeddingSize?: number;
}

const ELECTRA_OPTIONS: OptionNames<ElectraOptions> = { ...BERT_OPTIONS, embeddingSize: true };

interface ElectraSizes extends EncoderSizes {
  readonly embeddingSize: number;
}

function sizesOf(call: string, { embeddingSize = 128, ...options }: ElectraOptions): ElectraSizes {
  checkCount(embeddingSize, 1, `${call}: embeddingSize`);
  const sizes = encoderSizes(call, { hiddenSize: 256, numAttentionHeads: 4, intermediateSize: 1024, ...options });
  return { ...sizes, embeddingSize };
}

const optionsOf = (config: Config): ElectraOptions => ({
  ...encoderOptionsOf(config),
  ...config.options<Pick<ElectraOptions, 'embeddingSize'>>({ embeddingSize: true }),
});

/** Ids int32 [B, T] → features [B, T, hiddenSize]; T is at most `maxPositionEmbeddings`. transformers: ElectraModel. */
export class Electra extends Module {
  static readonly modelType = 'electra';
  readonly embeddings: Embeddings;
  readonly embeddingsProject: Block | undefined;
  readonly encoder: { readonly layer: readonly EncoderLayer[] };
  private readonly positions: number;

  constructor(options: ElectraOptions = {}) {
    checkOptions(new.target.name, options, ELECTRA_OPTIONS);
    const sizes = sizesOf('Electra', options);
    super();
    const { embeddingSize, hiddenSize } = sizes;
    this.embeddings = new Embeddings(sizes, embeddingSize);
    this.embeddingsProject = embeddingSize === hiddenSize ? undefined : linear(embeddingSize, hiddenSize);
    this.encoder = layersOf(sizes);
    this.positions = sizes.maxPositionEmbeddings;
    begin(this, this, sizes);
  }

  /** Made as transformers' config.json says. */
  static fromConfig(config: Config): Electra {
    return new Electra(optionsOf(config));
  }

  forward(ids: Ids, inputs: BertInputs = {}): Tensor {
    return this.hiddenStates(ids, inputs).at(-1)!;
  }

  /** The embeddings [B, T, hiddenSize] and what each layer leaves. */
  hiddenStates(ids: Ids, { attentionMask, tokenTypeIds }: BertInputs = {}): Tensor[] {
    checkIds('Electra', ids, this.positions);
    const mask = paddingMask('Electra', attentionMask, ids);
    const narrow = this.embeddings.forward(ids, tokenTypeIds);
    return statesOf(this.embeddingsProject?.forward(narrow) ?? narrow, this.encoder.layer, mask);
  }
}

function begin(model: Module, body: Electra, { initializerRange, padTokenId }: EncoderSizes): void {
  start(model, initializerRange, padTokenId, body.embeddings.wordEmbeddings);
}

class Generator extends Module {
  readonly LayerNorm: Norm;
  readonly dense: Block;

  constructor(sizes: ElectraSizes) {
    super();
    this.LayerNorm = norm(sizes, sizes.embeddingSize);
    this.dense = linear(sizes.hiddenSize, sizes.embeddingSize);
  }

  forward(x: Tensor): Tensor {
    return this.LayerNorm.forward(this.dense.forward(x).gelu());
  }
}

export interface ElectraMaskedLMOptions extends ElectraOptions, MaskedLMOptions {}

/** The generator: ids int32 [B, T] → logits of the tokens [B, T, vocabSize]. transformers: ElectraForMaskedLM. */
export class ElectraMaskedLM extends EncoderWithHead<Electra> {
  static readonly modelType = 'electra';
  readonly generatorPredictions: Generator;
  readonly generatorLmHead: TokenScores;

  constructor(options: ElectraMaskedLMOptions = {}) {
    checkOptions(new.target.name, options, { ...ELECTRA_OPTIONS, ...MASKED_OPTIONS });
    const { tieWordEmbeddings = true, ...rest } = options;
    const sizes = sizesOf('ElectraMaskedLM', rest);
    super('electra', new Electra(sizes));
    const words = this.body.embeddings.wordEmbeddings.weight;
    this.generatorPredictions = new Generator(sizes);
    this.generatorLmHead = tokenScores(words, tieWordEmbeddings, sizes.initializerRange);
    begin(this, this.body, sizes);
  }

  /** Made as transformers' config.json says. */
  static fromConfig(config: Config): ElectraMaskedLM {
    return new ElectraMaskedLM({ ...optionsOf(config), ...config.options<MaskedLMOptions>(MASKED_OPTIONS) });
  }

  forward(ids: Ids, inputs: BertInputs = {}): Tensor {
    return scoresOf(this.generatorPredictions.forward(this.body.forward(ids, inputs)), this.generatorLmHead);
  }
}

class Discriminator extends Module {
  readonly dense: Block;
  readonly densePrediction: Block;
  private readonly activation: (x: Tensor) => Tensor;

  constructor({ hiddenSize, hiddenAct }: EncoderSizes) {
    super();
    this.dense = linear(hiddenSize, hiddenSize);
    this.densePrediction = linear(hiddenSize, 1);
    this.activation = activationNamed('Electra', 'hiddenAct', hiddenAct);
  }

  forward(x: Tensor): Tensor {
    const scores: Tensor = this.densePrediction.forward(this.activation(this.dense.forward(x)));
    return scores.squeeze(2);
  }
}

/** Ids int32 [B, T] → logits [B, T] of whether each token was replaced. transformers: ElectraForPreTraining. */
export class ElectraDiscriminator extends EncoderWithHead<Electra> {
  static readonly modelType = 'electra';
  readonly discriminatorPredictions: Discriminator;

  constructor(options: ElectraOptions = {}) {
    checkOptions(new.target.name, options, ELECTRA_OPTIONS);
    const sizes = sizesOf('ElectraDiscriminator', options);
    super('electra', new Electra(sizes));
    this.discriminatorPredictions = new Discriminator(sizes);
    begin(this, this.body, sizes);
  }

  /** Made as transformers' config.json says. */
  static fromConfig(config: Config): ElectraDiscriminator {
    return new ElectraDiscriminator(optionsOf(config));
  }

  forward(ids: Ids, inputs: BertInputs = {}): Tensor {
    return this.discriminatorPredictions.forward(this.body.forward(ids, inputs));
  }
}

export interface ElectraClassifierOptions extends ElectraOptions, LabelOptions {}

function classifierParts(call: string, options: ElectraClassifierOptions): { sizes: ElectraSizes; head: HeadSizes } {
  checkOptions(call, options, { ...ELECTRA_OPTIONS, ...LABEL_OPTIONS });
  const { numLabels: _, classifierDropout: __, ...rest } = options;
  const sizes = sizesOf(call, rest);
  return { sizes, head: headSizes(call, sizes.hiddenSize, sizes.hiddenDropoutProb, options) };
}

const classifierOptionsOf = (config: Config): ElectraClassifierOptions => ({
  ...optionsOf(config),
  ...labelOptionsOf(config),
});

/** Ids int32 [B, T] → logits [B, numLabels]. transformers: ElectraForSequenceClassification. */
export class ElectraClassifier extends EncoderWithHead<Electra> {
  static readonly modelType = 'electra';
  readonly classifier: FirstTokenHead;

  constructor(options: ElectraClassifierOptions = {}) {
    const { sizes, head } = classifierParts(new.target.name, options);
    super('electra', new Electra(sizes));
    this.classifier = new FirstTokenHead(head, (x) => x.gelu());
    begin(this, this.body, sizes);
  }

  /** Made as transformers' config.json says; the number of classes is that of its `id2label`. */
  static fromConfig(config: Config): ElectraClassifier {
    return new ElectraClassifier(classifierOptionsOf(config));
  }

  forward(ids: Ids, inputs: BertInputs = {}): Tensor {
    return this.classifier.forward(this.body.forward(ids, inputs));
  }
}

/** Ids int32 [B, T] → logits of each token [B, T, numLabels]. transformers: ElectraForTokenClassification. */
export class ElectraTokenClassifier extends TokenHead<Electra> {
  static readonly modelType = 'electra';

  constructor(options: ElectraClassifierOptions = {}) {
    const { sizes, head } = classifierParts(new.target.name, options);
    super('electra', new Electra(sizes), head);
    begin(this, this.body, sizes);
  }

  /** Made as transformers' config.json says; the number of classes is that of its `id2label`. */
  static fromConfig(config: Config): ElectraTokenClassifier {
    return new ElectraTokenClassifier(classifierOptionsOf(config));
  }
}

/** Ids int32 [B, T] of a question and a text → where the answer begins and ends, { start, end } of [B, T]. transformers: ElectraForQuestionAnswering. */
export class ElectraQuestionAnswering extends AnswerHead<Electra> {
  static readonly modelType = 'electra';

  constructor(options: ElectraOptions = {}) {
    checkOptions(new.target.name, options, ELECTRA_OPTIONS);
    const sizes = sizesOf('ElectraQuestionAnswering', options);
    super('electra', new Electra(sizes), sizes.hiddenSize);
    begin(this, this.body, sizes);
  }

  /** Made as transformers' config.json says. */
  static fromConfig(config: Config): ElectraQuestionAnswering {
    return new ElectraQuestionAnswering(optionsOf(config));
  }
}
