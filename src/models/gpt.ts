// A decoder-only Transformer (Radford et al. 2019): embeddings of tokens and positions, blocks of causal self-attention and a
// small network, each behind a layer norm, and an output that shares the weights of the token embedding.

import { Dropout, Embedding, LayerNorm, Linear, Module, init } from '../nn/index.js';
import { scaledDotProductAttention } from '../tensor/attention.js';
import { arange } from '../tensor/creation.js';
import { ArgumentError, checkOptions, type OptionNames } from '../tensor/library.js';
import type { Tensor } from '../tensor/tensor.js';

export interface GptOptions {
  readonly vocabulary: number;
  /** Longest sequence. Default 64. */
  readonly context?: number;
  /** Default 128. */
  readonly width?: number;
  /** Default 4. */
  readonly heads?: number;
  /** Default 4. */
  readonly layers?: number;
  /** Default 0. */
  readonly dropout?: number;
}

const GPT_OPTIONS: OptionNames<GptOptions> = {
  vocabulary: true,
  context: true,
  width: true,
  heads: true,
  layers: true,
  dropout: true,
};

type Sequence = Tensor<[number, number, number]>;

class Block extends Module {
  readonly ln1;
  readonly qkv;
  readonly project;
  readonly ln2;
  readonly expand;
  readonly contract;
  readonly dropout: Dropout | undefined;
  private readonly heads: number;

  constructor(width: number, heads: number, dropout: number) {
    super();
    this.heads = heads;
    this.ln1 = new LayerNorm(width, { bias: false });
    this.qkv = new Linear(width, 3 * width, { bias: false });
    this.project = new Linear(width, width, { bias: false });
    this.ln2 = new LayerNorm(width, { bias: false });
    this.expand = new Linear(width, 4 * width, { bias: false });
    this.contract = new Linear(4 * width, width, { bias: false });
    this.dropout = dropout > 0 ? new Dropout(dropout) : undefined;
  }

  forward(x: Sequence): Sequence {
    const y = x.add(this.dropped(this.project.forward(this.attend(this.ln1.forward(x)))));
    const z = this.expand.forward(this.ln2.forward(y)).gelu();
    return y.add(this.dropped(this.contract.forward(z)));
  }

  /** (B, T, E) → heads (B, H, T, E / H) → (B, T, E) */
  private attend(x: Sequence): Sequence {
    const [batch, length, width] = x.shape;
    const { heads } = this;
    const split = (t: Tensor) => t.reshape([batch, length, heads, width / heads]).transpose(1, 2);
    const [q, k, v] = this.qkv
      .forward(x)
      .chunk(3, 2)
      .map((t) => split(t));
    const mixed = scaledDotProductAttention(q, k, v, { isCausal: true });
    return mixed.transpose(1, 2).reshape([batch, length, width]);
  }

  private dropped(x: Sequence): Sequence {
    return this.dropout === undefined ? x : this.dropout.forward(x);
  }
}

/** Tokens int32 [B, T] → logits [B, T, vocabulary]; T is at most `context`. */
export class GPT extends Module {
  readonly tokens;
  readonly positions;
  readonly blocks: readonly Block[];
  readonly norm;
  private readonly context: number;

  constructor(options: GptOptions) {
    checkOptions(new.target.name, options, GPT_OPTIONS);
    const { vocabulary, context = 64, width = 128, heads = 4, layers = 4, dropout = 0 } = options;
    super();
    if (width % heads !== 0) throw new ArgumentError(`GPT: width ${width} is not a multiple of heads ${heads}.`);
    this.context = context;
    this.tokens = new Embedding(vocabulary, width);
    this.positions = new Embedding(context, width);
    this.blocks = Array.from({ length: layers }, () => new Block(width, heads, dropout));
    this.norm = new LayerNorm(width, { bias: false });
    // GPT-2: normal with deviation 0.02, less for what is added to the residual stream 2 · layers times
    for (const [name, p] of this.namedParameters()) {
      if (p.rank < 2) continue;
      init.normal_(p, 0, /(project|contract)\./.test(name) ? 0.02 / Math.sqrt(2 * layers) : 0.02);
    }
  }

  forward(x: Tensor<[number, number], 'int32'>): Sequence {
    const length = x.shape[1];
    if (length > this.context) throw new ArgumentError(`GPT: ${length} tokens, the context is ${this.context}.`);
    let y = this.tokens.forward(x).add(this.positions.forward(arange(length)));
    for (const block of this.blocks) y = block.forward(y);
    return this.norm.forward(y).matmul(this.tokens.weight.transpose(0, 1));
  }
}
