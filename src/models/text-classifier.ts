// Many-to-one: texts of several lengths to their classes, by an LSTM that reads them both ways or by a small Transformer. What is padding
// (id 0 unless said otherwise) takes no part in either.
//   Ids int32 [B, T] in, logits [B, classes] out.

import {
  Dropout,
  Embedding,
  LSTM,
  LayerNorm,
  Linear,
  Module,
  SinusoidalPositions,
  TransformerEncoder,
  TransformerEncoderLayer,
} from '../nn/index.js';
import { checkCount } from '../nn/layer.js';
import { where } from '../tensor/functions.js';
import { checkNeededOptions, checkWhole, type OptionNames } from '../tensor/library.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkHeads } from './check-heads.js';
import { type Block, type Ids, type Mask, checkIds } from './text/blocks.js';

export interface TextClassifierOptions {
  /** Tokens, padding included. */
  readonly vocabulary: number;
  readonly classes: number;
  /** Id of the padding, which nobody sees. Default 0. */
  readonly padId?: number;
  /** Of the embedding, of what the classes are told from, and of the LSTM's layers in between. Default 0.2. */
  readonly dropout?: number;
}

const TEXT_CLASSIFIER_OPTIONS: OptionNames<TextClassifierOptions> = {
  vocabulary: true,
  classes: true,
  padId: true,
  dropout: true,
};

export interface LSTMClassifierOptions extends TextClassifierOptions {
  /** Features of a token. Default 64. */
  readonly width?: number;
  /** Of each direction. Default 64. */
  readonly hidden?: number;
  /** Default 1. */
  readonly layers?: number;
}

const LSTM_CLASSIFIER_OPTIONS: OptionNames<LSTMClassifierOptions> = {
  ...TEXT_CLASSIFIER_OPTIONS,
  width: true,
  hidden: true,
  layers: true,
};

const EXAMPLE = '{ vocabulary: 1000, classes: 2 }';

function checkSizes(call: string, sizes: Readonly<Record<string, number>>, padId: number): void {
  for (const [name, size] of Object.entries(sizes)) checkCount(size, 1, `${call}: ${name}`);
  checkWhole(call, 'padId', padId);
}

/** The largest of each feature over the tokens that are none of padding: [B, T, F] → [B, F]; 0 for a text of padding alone. */
function maxOver(features: Tensor, isToken: Mask): Tensor {
  const [batch, length] = features.shape;
  const mask: Mask = isToken.reshape([batch, length, 1]);
  const most: Tensor = where(mask, features, LOWEST).amax(1);
  return where(most.gt(LOWEST), most, 0);
}

const LOWEST = -1e30;

/**
 * Ids int32 [B, T] → logits [B, classes]: a bidirectional LSTM, the largest value that each feature takes over the text, a linear layer. Each text
 * is read up to its own end, so that padding behind it changes nothing.
 *
 *     const logits = new LSTMClassifier({ vocabulary: 1000, classes: 2 }).forward(ids);
 */
export class LSTMClassifier extends Module {
  readonly embedding;
  readonly lstm;
  readonly dropout;
  readonly head: Block;
  readonly padId: number;

  constructor(options: LSTMClassifierOptions) {
    checkNeededOptions(new.target.name, options, LSTM_CLASSIFIER_OPTIONS, EXAMPLE);
    const { vocabulary, classes, padId = 0, dropout = 0.2, width = 64, hidden = 64, layers = 1 } = options;
    checkSizes(new.target.name, { vocabulary, classes, width, hidden, layers }, padId);
    super();
    this.embedding = new Embedding<number>(vocabulary, width);
    const between = layers > 1 ? dropout : 0;
    this.lstm = new LSTM<number, number, { bidirectional: true; numLayers: number; dropout: number; batchFirst: true }>(
      width,
      hidden,
      { bidirectional: true, numLayers: layers, dropout: between, batchFirst: true },
    );
    this.dropout = new Dropout(dropout);
    this.head = new Linear<number, number>(2 * hidden, classes);
    this.padId = padId;
  }

  forward(ids: Ids): Tensor<[number, number]> {
    checkIds('LSTMClassifier', ids);
    const [batch, length] = ids.shape;
    const isToken: Mask = ids.ne(this.padId);
    const lengths = isToken.to('int32').sum(1).reshape([batch]);
    const x: Tensor = this.dropout.forward(this.embedding.forward(ids));
    const [output] = this.lstm.forward(x.reshape([batch, length, -1]), undefined, { lengths });
    return this.head.forward(this.dropout.forward(maxOver(output, isToken))).reshape([batch, -1]);
  }
}

export interface TransformerClassifierOptions extends TextClassifierOptions {
  /** Features of a token. Default 64. */
  readonly width?: number;
  /** Default 4. */
  readonly heads?: number;
  /** Default 2. */
  readonly layers?: number;
}

const TRANSFORMER_CLASSIFIER_OPTIONS: OptionNames<TransformerClassifierOptions> = {
  ...TEXT_CLASSIFIER_OPTIONS,
  width: true,
  heads: true,
  layers: true,
};

/**
 * Ids int32 [B, T] → logits [B, classes]: embeddings and sinusoidal positions, layers of self-attention with their norms in front, the largest value
 * that each feature takes over the text, a linear layer. Nobody looks at padding.
 */
export class TransformerClassifier extends Module {
  readonly embedding;
  readonly positions;
  readonly encoder: TransformerEncoder<number>;
  readonly dropout;
  readonly head: Block;
  readonly padId: number;

  constructor(options: TransformerClassifierOptions) {
    checkNeededOptions(new.target.name, options, TRANSFORMER_CLASSIFIER_OPTIONS, EXAMPLE);
    const { vocabulary, classes, padId = 0, dropout = 0.2, width = 64, heads = 4, layers = 2 } = options;
    checkSizes(new.target.name, { vocabulary, classes, width, heads, layers }, padId);
    checkHeads(new.target.name, width, heads);
    super();
    this.embedding = new Embedding<number>(vocabulary, width);
    this.positions = new SinusoidalPositions<number>(width);
    const layer = {
      dimFeedforward: 4 * width,
      dropout,
      normFirst: true,
      batchFirst: true,
      activation: 'gelu',
    } as const;
    this.encoder = new TransformerEncoder<number>(
      new TransformerEncoderLayer<number>(width, heads, layer),
      layers,
      new LayerNorm<number>(width),
    );
    this.dropout = new Dropout(dropout);
    this.head = new Linear<number, number>(width, classes);
    this.padId = padId;
  }

  forward(ids: Ids): Tensor<[number, number]> {
    checkIds('TransformerClassifier', ids);
    const isToken: Mask = ids.ne(this.padId);
    const start: Tensor = this.embedding.forward(ids);
    const x: Tensor = this.dropout.forward(this.positions.forward(start));
    const features: Tensor = this.encoder.forward(x, { keyPaddingMask: isToken.logicalNot() });
    return this.head.forward(this.dropout.forward(maxOver(features, isToken))).reshape([ids.shape[0], -1]);
  }
}
