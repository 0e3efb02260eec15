// What BERT, RoBERTa and ELECTRA share: embeddings, layers with their norms behind, and the options of both. Keys, numerics and initial values
// are transformers'.

import { Dropout, Embedding, LayerNorm, Linear, Module, init } from '../../nn/index.js';
import { checkCount } from '../../nn/layer.js';
import { checkHeads } from '../check-heads.js';
import { scaledDotProductAttention } from '../../tensor/attention.js';
import { arange, zeros } from '../../tensor/creation.js';
import { type OptionNames, checkNumber, checkWhole } from '../../tensor/library.js';
import type { AnyTensor, Tensor } from '../../tensor/tensor.js';
import { type Activation, activationNamed } from './activations.js';
import { type Block, type Ids, type Norm, type Table, joinHeads, linear, splitHeads, table } from './blocks.js';
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

export const BERT_OPTIONS: OptionNames<BertOptions> = {
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

export type EncoderSizes = Required<BertOptions>;

export function encoderSizes(name: string, options: BertOptions): EncoderSizes {
  const { vocabSize = 30522, hiddenSize = 768, numHiddenLayers = 12, numAttentionHeads = 12 } = options;
  const { intermediateSize = 3072, maxPositionEmbeddings = 512, typeVocabSize = 2 } = options;
  const { hiddenAct = 'gelu', hiddenDropoutProb = 0.1, attentionProbsDropoutProb = 0.1 } = options;
  const { initializerRange = 0.02, layerNormEps = 1e-12, padTokenId = 0 } = options;
  const counts = { vocabSize, hiddenSize, numHiddenLayers, numAttentionHeads, intermediateSize };
  const more = { maxPositionEmbeddings, typeVocabSize };
  for (const [option, count] of Object.entries({ ...counts, ...more })) checkCount(count, 1, `${name}: ${option}`);
  checkHeads(name, hiddenSize, numAttentionHeads);
  const numbers = { hiddenDropoutProb, attentionProbsDropoutProb, initializerRange, layerNormEps };
  for (const [option, value] of Object.entries(numbers)) checkNumber(name, option, value);
  checkWhole(name, 'padTokenId', padTokenId);
  return { ...counts, ...more, ...numbers, hiddenAct, padTokenId };
}

/** The options that a config.json has; what it asks for and is not there is refused. */
export function encoderOptionsOf(config: Config): BertOptions {
  config.refuse('position_embedding_type', ['absolute', undefined]);
  config.refuse('is_decoder', [false, undefined]);
  config.refuse('add_cross_attention', [false, undefined]);
  return config.options<BertOptions>(BERT_OPTIONS);
}

export const norm = ({ layerNormEps }: EncoderSizes, width: number): Norm =>
  new LayerNorm<number>(width, { eps: layerNormEps });

/** Tables of words, positions and kinds of tokens; their sum, normalised. `width` is theirs, which in ELECTRA is not that of the layers. */
export class Embeddings extends Module {
  readonly wordEmbeddings: Table;
  readonly positionEmbeddings: Table;
  readonly tokenTypeEmbeddings: Table;
  readonly LayerNorm: Norm;
  readonly dropout: Dropout;

  constructor(sizes: EncoderSizes, width: number) {
    super();
    const { vocabSize, maxPositionEmbeddings, typeVocabSize, padTokenId } = sizes;
    this.wordEmbeddings = new Embedding<number>(vocabSize, width, { paddingIdx: padTokenId });
    this.positionEmbeddings = table(maxPositionEmbeddings, width);
    this.tokenTypeEmbeddings = table(typeVocabSize, width);
    this.LayerNorm = norm(sizes, width);
    this.dropout = new Dropout(sizes.hiddenDropoutProb);
  }

  /** `positions`: int32 [T] or [B, T] */
  forward(ids: Ids, types: Ids = zeros(ids.shape, { dtype: 'int32' }), positions: Ids = arange(ids.shape[1])): Tensor {
    const words: Tensor = this.wordEmbeddings.forward(ids).add(this.tokenTypeEmbeddings.forward(types));
    return this.dropout.forward(this.LayerNorm.forward(words.add(this.positionEmbeddings.forward(positions))));
  }
}

/** Linear, dropout, the sum with what came before, layer norm. */
class Output extends Module {
  readonly dense: Block;
  readonly LayerNorm: Norm;
  readonly dropout: Dropout;

  constructor(from: number, sizes: EncoderSizes) {
    super();
    this.dense = linear(from, sizes.hiddenSize);
    this.LayerNorm = norm(sizes, sizes.hiddenSize);
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

  constructor({ hiddenSize, numAttentionHeads, attentionProbsDropoutProb }: EncoderSizes) {
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

export class EncoderLayer extends Module {
  readonly attention: { readonly self: SelfAttention; readonly output: Output };
  readonly intermediate: { readonly dense: Block };
  readonly output: Output;
  private readonly activation: (x: Tensor) => Tensor;

  constructor(sizes: EncoderSizes) {
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

export const layersOf = (sizes: EncoderSizes): { readonly layer: readonly EncoderLayer[] } => ({
  layer: Array.from({ length: sizes.numHiddenLayers }, () => new EncoderLayer(sizes)),
});

/** The start, and what each layer makes of the state before it. */
export function statesOf(
  start: Tensor,
  layers: readonly { forward(x: Tensor, mask: AnyTensor | undefined): Tensor }[],
  mask: AnyTensor | undefined,
): Tensor[] {
  const states = [start];
  for (const [i, layer] of layers.entries()) states.push(layer.forward(states[i], mask));
  return states;
}

/** Linear layers and tables as transformers starts them: normal, biases 0, the padding's row 0. */
export function start(model: Module, range: number, padTokenId: number, words: Table): void {
  model.apply((m) => {
    if (m instanceof Linear || m instanceof Embedding) init.normal_(m.weight, 0, range);
    if (m instanceof Linear && m.bias !== undefined) init.zeros_(m.bias);
  });
  words.weight.assignAt_([padTokenId], 0);
}
