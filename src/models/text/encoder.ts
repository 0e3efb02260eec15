// What BERT, RoBERTa, ELECTRA and DistilBERT share: embeddings, the way through the layers, initial values; and what all but DistilBERT do:
// layers with their norms behind, and options. Keys, numerics and initial values are transformers'.

import { Dropout, Embedding, LayerNorm, Linear, Module, init } from '../../nn/index.js';
import { checkCount } from '../../nn/layer.js';
import { checkHeads } from '../check-heads.js';
import { arange, zeros } from '../../tensor/creation.js';
import { type OptionNames, checkNumber, checkWhole } from '../../tensor/library.js';
import type { AnyTensor, Tensor } from '../../tensor/tensor.js';
import { type Activation, activationNamed } from './activations.js';
import { type Block, type Ids, type Norm, type Table, attend, checkIds, linear, paddingMask, table } from './blocks.js';
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

/**
 * Tables of words, positions and kinds of tokens, if there are kinds; their sum, normalised. `width` is theirs, which in ELECTRA is not that
 * of the layers.
 */
export class Embeddings extends Module {
  readonly wordEmbeddings: Table;
  readonly positionEmbeddings: Table;
  readonly tokenTypeEmbeddings: Table | undefined;
  readonly LayerNorm: Norm;
  readonly dropout: Dropout;

  constructor(sizes: EncoderSizes, width: number) {
    super();
    const { vocabSize, maxPositionEmbeddings, typeVocabSize, padTokenId } = sizes;
    this.wordEmbeddings = new Embedding<number>(vocabSize, width, { paddingIdx: padTokenId });
    this.positionEmbeddings = table(maxPositionEmbeddings, width);
    this.tokenTypeEmbeddings = typeVocabSize > 0 ? table(typeVocabSize, width) : undefined;
    this.LayerNorm = norm(sizes, width);
    this.dropout = new Dropout(sizes.hiddenDropoutProb);
  }

  /** Tables whose row for the padding starts at 0. */
  get padded(): readonly Table[] {
    return [this.wordEmbeddings];
  }

  /** `positions`: int32 [T] or [B, T] */
  forward(ids: Ids, types?: Ids, positions: Ids = arange(ids.shape[1])): Tensor {
    let sum: Tensor = this.wordEmbeddings.forward(ids);
    if (this.tokenTypeEmbeddings !== undefined)
      sum = sum.add(this.tokenTypeEmbeddings.forward(types ?? zeros(ids.shape, { dtype: 'int32' })));
    return this.dropout.forward(this.LayerNorm.forward(sum.add(this.positionEmbeddings.forward(positions))));
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
    const dropout = this.training ? this.dropout : 0;
    return attend(x, [this.query, this.key, this.value], { heads: this.heads, dropout, mask });
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

/** Embeddings and layers behind them: ids int32 [B, T] → features [B, T, width]. */
export abstract class EncoderBody extends Module {
  readonly embeddings: Embeddings;
  private readonly positions: number;

  /** `positions`: of the longest text. */
  constructor(embeddings: Embeddings, positions: number) {
    super();
    this.embeddings = embeddings;
    this.positions = positions;
  }

  protected abstract get layers(): readonly { forward(x: Tensor, mask: AnyTensor | undefined): Tensor }[];

  /** What the first layer is given. */
  protected embedded(ids: Ids, types: Ids | undefined): Tensor {
    return this.embeddings.forward(ids, types);
  }

  forward(ids: Ids, inputs: BertInputs = {}): Tensor {
    return this.hiddenStates(ids, inputs).at(-1)!;
  }

  /** The embeddings [B, T, width] and what each layer leaves. */
  hiddenStates(ids: Ids, { attentionMask, tokenTypeIds }: BertInputs = {}): Tensor[] {
    const { name } = this.constructor;
    checkIds(name, ids, this.positions);
    const mask = paddingMask(name, attentionMask, ids);
    const states = [this.embedded(ids, tokenTypeIds)];
    for (const [i, layer] of this.layers.entries()) states.push(layer.forward(states[i], mask));
    return states;
  }
}

/** BERT's layers, and a layer over the first token. */
export abstract class PooledEncoder extends EncoderBody {
  readonly encoder: { readonly layer: readonly EncoderLayer[] };
  pooler: { readonly dense: Block } | undefined;

  constructor(embeddings: Embeddings, positions: number, sizes: EncoderSizes, hasPooler: boolean) {
    super(embeddings, positions);
    this.encoder = layersOf(sizes);
    this.pooler = hasPooler ? { dense: linear(sizes.hiddenSize, sizes.hiddenSize) } : undefined;
  }

  protected override get layers(): readonly EncoderLayer[] {
    return this.encoder.layer;
  }

  /** tanh of a linear layer over the first token of features [B, T, hiddenSize]: [B, hiddenSize]. Without a pooler the token itself. */
  pooled(features: Tensor): Tensor {
    const first: Tensor = features.select(1, 0);
    return this.pooler === undefined ? first : this.pooler.dense.forward(first).tanh();
  }
}

/** Linear layers and tables of a body, or of a model on it, as transformers starts them: normal, biases 0, the padding's rows 0. */
export function start(model: Module, body: EncoderBody, { initializerRange, padTokenId }: EncoderSizes): void {
  model.apply((m) => {
    if (m instanceof Linear || m instanceof Embedding) init.normal_(m.weight, 0, initializerRange);
    if (m instanceof Linear && m.bias !== undefined) init.zeros_(m.bias);
  });
  for (const { weight } of body.embeddings.padded) weight.assignAt_([padTokenId], 0);
}
