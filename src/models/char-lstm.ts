// A recurrent language model: an embedding, LSTM layers, and a linear output for every position.

import { type OptionNames, checkOptions } from '../tensor/library.js';
import { Dropout, Embedding, LSTM, Linear, Module } from '../nn/index.js';
import type { Tensor } from '../tensor/tensor.js';

export interface CharLstmOptions {
  readonly vocabulary: number;
  /** Of the embedding. Default 64. */
  readonly width?: number;
  /** Default 256. */
  readonly hidden?: number;
  /** Default 1. */
  readonly layers?: number;
  /** Between layers and before the output. Default 0. */
  readonly dropout?: number;
}

const CHAR_LSTM_OPTIONS: OptionNames<CharLstmOptions> = {
  vocabulary: true,
  width: true,
  hidden: true,
  layers: true,
  dropout: true,
};

type Sequence = Tensor<[number, number, number]>;

/** Tokens int32 [B, T] → logits [B, T, vocabulary]; every sequence starts from a state of zeros. */
export class CharLSTM extends Module {
  readonly embedding;
  readonly lstm;
  readonly dropout: Dropout | undefined;
  readonly head;

  constructor(options: CharLstmOptions) {
    checkOptions(new.target.name, options, CHAR_LSTM_OPTIONS);
    const { vocabulary, width = 64, hidden = 256, layers = 1, dropout = 0 } = options;
    super();
    this.embedding = new Embedding(vocabulary, width);
    this.lstm = new LSTM(width, hidden, { numLayers: layers, batchFirst: true, dropout: layers > 1 ? dropout : 0 });
    this.dropout = dropout > 0 ? new Dropout(dropout) : undefined;
    this.head = new Linear(hidden, vocabulary);
  }

  forward(x: Tensor<[number, number], 'int32'>): Sequence {
    const [outputs] = this.lstm.forward(this.embedding.forward(x));
    return this.head.forward(this.dropout?.forward(outputs) ?? outputs);
  }
}
