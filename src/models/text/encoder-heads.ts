// Heads on encoders of texts, whatever encoder it is: classes of tokens, answers in a text, guessed tokens. Keys are transformers'.

import { Dropout, Module, Parameter, init } from '../../nn/index.js';
import { checkCount } from '../../nn/layer.js';
import { type OptionNames, checkNumber, checkOptions } from '../../tensor/library.js';
import type { Tensor } from '../../tensor/tensor.js';
import { type Block, type Ids, linear } from './blocks.js';
import type { Config } from './config.js';
import type { BertInputs, EncoderSizes } from './encoder.js';

/** Ids [B, T] → features [B, T, width]. */
export interface TokenEncoder extends Module {
  forward(ids: Ids, inputs?: BertInputs): Tensor;
  hiddenStates(ids: Ids, inputs?: BertInputs): Tensor[];
}

/** An encoder and what stands on it; the encoder's keys begin with its name. */
export abstract class EncoderWithHead<B extends TokenEncoder> extends Module {
  readonly body: B;
  private readonly bodyName: string;

  constructor(bodyName: string, body: B) {
    super();
    this.bodyName = bodyName;
    this.body = body;
  }

  override fields(): Iterable<readonly [string, unknown]> {
    return Array.from(super.fields(), ([name, value]) => [name === 'body' ? this.bodyName : name, value] as const);
  }

  /** What each of the encoder's layers leaves, the embeddings first. */
  hiddenStates(ids: Ids, inputs: BertInputs = {}): Tensor[] {
    return this.body.hiddenStates(ids, inputs);
  }
}

export interface LabelOptions {
  /** Classes. Default 2. */
  readonly numLabels?: number;
  /** In front of the classifier. Default: that of the layers. */
  readonly classifierDropout?: number;
}

const LABEL_OPTIONS: OptionNames<LabelOptions> = { numLabels: true, classifierDropout: true };

/** Of a classifier's config.json: classes are counted by its `id2label`. */
export function labelCountOf(config: Config): Pick<LabelOptions, 'numLabels'> {
  const count = config.labels.length > 0 ? config.labels.length : config.number('num_labels');
  return count === undefined ? {} : { numLabels: count };
}

/** Sizes of a head. */
export interface HeadSizes {
  readonly width: number;
  readonly numLabels: number;
  readonly dropout: number;
}

export function headSizes(call: string, width: number, dropout: number, options: LabelOptions): HeadSizes {
  const { numLabels = 2, classifierDropout = dropout } = options;
  checkCount(numLabels, 1, `${call}: numLabels`);
  checkNumber(call, 'classifierDropout', classifierDropout);
  return { width, numLabels, dropout: classifierDropout };
}

/** What heads need to know of an encoder: the names of its options, its sizes, and its options in a config.json. */
export interface EncoderKind<O extends object, S extends EncoderSizes> {
  readonly options: OptionNames<O>;
  sizesOf(call: string, options: O): S;
  optionsOf(config: Config): O;
}

/** Sizes of an encoder and the classifier on it. Throws ArgumentError for options that do not fit. */
export function classifierSizes<O extends object, S extends EncoderSizes>(
  kind: EncoderKind<O, S>,
  call: string,
  options: NoInfer<O> & LabelOptions,
): { readonly sizes: S; readonly head: HeadSizes } {
  checkOptions(call, options, { ...kind.options, ...LABEL_OPTIONS });
  const sizes = kind.sizesOf(call, options);
  return { sizes, head: headSizes(call, sizes.hiddenSize, sizes.hiddenDropoutProb, options) };
}

export function classifierOptionsOf<O extends object, S extends EncoderSizes>(
  kind: EncoderKind<O, S>,
  config: Config,
): O & LabelOptions {
  const dropout = config.options<Pick<LabelOptions, 'classifierDropout'>>({ classifierDropout: true });
  return { ...kind.optionsOf(config), ...dropout, ...labelCountOf(config) };
}

/** Sizes of an encoder that guesses tokens. Throws ArgumentError for options that do not fit. */
export function maskedSizes<O extends object, S extends EncoderSizes>(
  kind: EncoderKind<O, S>,
  call: string,
  options: NoInfer<O> & MaskedLMOptions,
): { readonly sizes: S; readonly tieWordEmbeddings: boolean } {
  checkOptions(call, options, { ...kind.options, ...MASKED_OPTIONS });
  const { tieWordEmbeddings = true } = options;
  return { sizes: kind.sizesOf(call, options), tieWordEmbeddings };
}

export function maskedOptionsOf<O extends object, S extends EncoderSizes>(
  kind: EncoderKind<O, S>,
  config: Config,
): O & MaskedLMOptions {
  return { ...kind.optionsOf(config), ...config.options<MaskedLMOptions>(MASKED_OPTIONS) };
}

/** Sizes of an encoder that has no options but its own. Throws ArgumentError for those that do not fit. */
export function ownSizes<O extends object, S extends EncoderSizes>(
  kind: EncoderKind<O, S>,
  call: string,
  options: NoInfer<O>,
): S {
  checkOptions(call, options, kind.options);
  return kind.sizesOf(call, options);
}

/** Ids [B, T] → logits of each token [B, T, numLabels]. */
export abstract class TokenHead<B extends TokenEncoder> extends EncoderWithHead<B> {
  readonly dropout: Dropout;
  readonly classifier: Block;

  constructor(bodyName: string, body: B, { width, numLabels, dropout }: HeadSizes) {
    super(bodyName, body);
    this.dropout = new Dropout(dropout);
    this.classifier = linear(width, numLabels);
  }

  forward(ids: Ids, inputs: BertInputs = {}): Tensor {
    return this.classifier.forward(this.dropout.forward(this.body.forward(ids, inputs)));
  }
}

/** Logits of where an answer begins and where it ends, [B, T] each. */
export interface AnswerLogits {
  readonly start: Tensor;
  readonly end: Tensor;
}

/** Ids [B, T] → where in the text the answer is. */
export abstract class AnswerHead<B extends TokenEncoder> extends EncoderWithHead<B> {
  readonly qaOutputs: Block;
  readonly dropout: Dropout;

  constructor(bodyName: string, body: B, width: number, dropout = 0) {
    super(bodyName, body);
    this.qaOutputs = linear(width, 2);
    this.dropout = new Dropout(dropout);
  }

  forward(ids: Ids, inputs: BertInputs = {}): AnswerLogits {
    const features: Tensor = this.dropout.forward(this.body.forward(ids, inputs));
    const logits: Tensor = this.qaOutputs.forward(features);
    return { start: logits.select(2, 0), end: logits.select(2, 1) };
  }
}

export interface MaskedLMOptions {
  /** The output shares the weights of the word embeddings. Default true. */
  readonly tieWordEmbeddings?: boolean;
}

export const MASKED_OPTIONS: OptionNames<MaskedLMOptions> = { tieWordEmbeddings: true };

/** The output of a head that guesses tokens: weights [vocabSize, width], of the words or its own, and a bias. */
export interface TokenScores {
  readonly weight: Parameter;
  readonly bias: Parameter;
}

export function tokenScores(words: Parameter, tieWordEmbeddings: boolean, range: number): TokenScores {
  const bias = new Parameter<readonly number[]>(init.zeros([words.shape[0]]));
  if (tieWordEmbeddings) return { weight: words, bias };
  return { weight: new Parameter<readonly number[]>(init.normal([...words.shape], 0, range)), bias };
}

/** Features [B, T, width] → logits [B, T, vocabSize]. */
export function scoresOf(x: Tensor, { weight, bias }: TokenScores): Tensor {
  const y: Tensor = x.matmul(weight.transpose(0, 1));
  return y.add(bias);
}

/** Linear, activation, linear, over the first token's features [B, T, width] → [B, numLabels]; dropout in front of both. */
class FirstTokenHead extends Module {
  readonly dense: Block;
  readonly dropout: Dropout;
  readonly outProj: Block;
  private readonly activation: (x: Tensor) => Tensor;

  constructor({ width, numLabels, dropout }: HeadSizes, activation: (x: Tensor) => Tensor) {
    super();
    this.dense = linear(width, width);
    this.dropout = new Dropout(dropout);
    this.outProj = linear(width, numLabels);
    this.activation = activation;
  }

  forward(features: Tensor): Tensor {
    const first: Tensor = this.dropout.forward(features.select(1, 0));
    return this.outProj.forward(this.dropout.forward(this.activation(this.dense.forward(first))));
  }
}

/** Ids [B, T] → logits [B, numLabels], by a FirstTokenHead. */
export abstract class TextHead<B extends TokenEncoder> extends EncoderWithHead<B> {
  readonly classifier: FirstTokenHead;

  constructor(bodyName: string, body: B, sizes: HeadSizes, activation: (x: Tensor) => Tensor) {
    super(bodyName, body);
    this.classifier = new FirstTokenHead(sizes, activation);
  }

  forward(ids: Ids, inputs: BertInputs = {}): Tensor {
    return this.classifier.forward(this.body.forward(ids, inputs));
  }
}
