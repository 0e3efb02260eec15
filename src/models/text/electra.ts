// ELECTRA (Clark et al. 2020): BERT without a pooler, whose embeddings may be narrower than its layers. A small one guesses masked tokens, and a
// large one learns which tokens were guessed. Keys, numerics and initial values are those of transformers' ElectraModel, ElectraForMaskedLM, ….

import { Module } from '../../nn/index.js';
import { checkCount } from '../../nn/layer.js';
import type { OptionNames } from '../../tensor/library.js';
import type { Tensor } from '../../tensor/tensor.js';
import { activationNamed } from './activations.js';
import { type Block, type Ids, type Norm, linear } from './blocks.js';
import type { Config } from './config.js';
import {
  BERT_OPTIONS,
  type BertInputs,
  type BertOptions,
  Embeddings,
  EncoderBody,
  type EncoderLayer,
  type EncoderSizes,
  encoderOptionsOf,
  encoderSizes,
  layersOf,
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

const ELECTRA: EncoderKind<ElectraOptions, ElectraSizes> = { options: ELECTRA_OPTIONS, sizesOf, optionsOf };

/** Ids int32 [B, T] → features [B, T, hiddenSize]; T is at most `maxPositionEmbeddings`. transformers: ElectraModel. */
export class Electra extends EncoderBody {
  static readonly modelType = 'electra';
  readonly embeddingsProject: Block | undefined;
  readonly encoder: { readonly layer: readonly EncoderLayer[] };

  constructor(options: ElectraOptions = {}) {
    const sizes = ownSizes(ELECTRA, new.target.name, options);
    const { embeddingSize, hiddenSize } = sizes;
    super(new Embeddings(sizes, embeddingSize), sizes.maxPositionEmbeddings);
    this.embeddingsProject = embeddingSize === hiddenSize ? undefined : linear(embeddingSize, hiddenSize);
    this.encoder = layersOf(sizes);
    start(this, this, sizes);
  }

  /** Made as transformers' config.json says. */
  static fromConfig(config: Config): Electra {
    return new Electra(optionsOf(config));
  }

  protected override get layers(): readonly EncoderLayer[] {
    return this.encoder.layer;
  }

  protected override embedded(ids: Ids, types: Ids | undefined): Tensor {
    const narrow = super.embedded(ids, types);
    return this.embeddingsProject?.forward(narrow) ?? narrow;
  }
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
    const { sizes, tieWordEmbeddings } = maskedSizes(ELECTRA, new.target.name, options);
    super('electra', new Electra(sizes));
    const words = this.body.embeddings.wordEmbeddings.weight;
    this.generatorPredictions = new Generator(sizes);
    this.generatorLmHead = tokenScores(words, tieWordEmbeddings, sizes.initializerRange);
    start(this, this.body, sizes);
  }

  /** Made as transformers' config.json says. */
  static fromConfig(config: Config): ElectraMaskedLM {
    return new ElectraMaskedLM(maskedOptionsOf(ELECTRA, config));
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
    const sizes = ownSizes(ELECTRA, new.target.name, options);
    super('electra', new Electra(sizes));
    this.discriminatorPredictions = new Discriminator(sizes);
    start(this, this.body, sizes);
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

/** Ids int32 [B, T] → logits [B, numLabels]. transformers: ElectraForSequenceClassification. */
export class ElectraClassifier extends TextHead<Electra> {
  static readonly modelType = 'electra';

  constructor(options: ElectraClassifierOptions = {}) {
    const { sizes, head } = classifierSizes(ELECTRA, new.target.name, options);
    super('electra', new Electra(sizes), head, (x) => x.gelu());
    start(this, this.body, sizes);
  }

  /** Made as transformers' config.json says; the number of classes is that of its `id2label`. */
  static fromConfig(config: Config): ElectraClassifier {
    return new ElectraClassifier(classifierOptionsOf(ELECTRA, config));
  }
}

/** Ids int32 [B, T] → logits of each token [B, T, numLabels]. transformers: ElectraForTokenClassification. */
export class ElectraTokenClassifier extends TokenHead<Electra> {
  static readonly modelType = 'electra';

  constructor(options: ElectraClassifierOptions = {}) {
    const { sizes, head } = classifierSizes(ELECTRA, new.target.name, options);
    super('electra', new Electra(sizes), head);
    start(this, this.body, sizes);
  }

  /** Made as transformers' config.json says; the number of classes is that of its `id2label`. */
  static fromConfig(config: Config): ElectraTokenClassifier {
    return new ElectraTokenClassifier(classifierOptionsOf(ELECTRA, config));
  }
}

/** Ids int32 [B, T] of a question and a text → where the answer begins and ends, { start, end } of [B, T]. transformers: ElectraForQuestionAnswering. */
export class ElectraQuestionAnswering extends AnswerHead<Electra> {
  static readonly modelType = 'electra';

  constructor(options: ElectraOptions = {}) {
    const sizes = ownSizes(ELECTRA, new.target.name, options);
    super('electra', new Electra(sizes), sizes.hiddenSize);
    start(this, this.body, sizes);
  }

  /** Made as transformers' config.json says. */
  static fromConfig(config: Config): ElectraQuestionAnswering {
    return new ElectraQuestionAnswering(optionsOf(config));
  }
}
