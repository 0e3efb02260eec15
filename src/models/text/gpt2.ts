// GPT-2 (Radford et al. 2019): a decoder of tokens with learned positions, layer norms in front, and an output that shares the weights of the
// token embedding. Keys, numerics and initial values are those of transformers' GPT2LMHeadModel.

import { Dropout, LayerNorm, Module, Parameter, init } from '../../nn/index.js';
import { checkCount } from '../../nn/layer.js';
import { checkHeads } from '../check-heads.js';
import { arange } from '../../tensor/creation.js';
import { dtypeOf } from './dtype.js';
import { type OptionNames, checkNumber, checkOptions } from '../../tensor/library.js';
import type { Tensor } from '../../tensor/tensor.js';
import { type Activation, activationNamed } from './activations.js';
import { type Ids, type Norm, type Table, checkIds, joinHeads, linear, splitHeads, table } from './blocks.js';
import { type CausalModel, KeyValueCache, type Place, attendPast, placeIn } from './cache.js';
import type { Config } from './config.js';

/** Names and defaults are those of transformers' GPT2Config, in camelCase. */
export interface Gpt2Options {
  /** Default 50257. */
  readonly vocabSize?: number;
  /** Longest sequence. Default 1024. */
  readonly nPositions?: number;
  /** Features of a token. Default 768. */
  readonly nEmbd?: number;
  /** Blocks. Default 12. */
  readonly nLayer?: number;
  /** Default 12. */
  readonly nHead?: number;
  /** Width of the network behind the attention. Default four times `nEmbd`. */
  readonly nInner?: number;
  /** Default 'gelu_new', the GELU by tanh. */
  readonly activationFunction?: Activation;
  /** Behind attention and network. Default 0.1. */
  readonly residPdrop?: number;
  /** Behind the embeddings. Default 0.1. */
  readonly embdPdrop?: number;
  /** Of the attention's weights. Default 0.1. */
  readonly attnPdrop?: number;
  /** Default 1e-5. */
  readonly layerNormEpsilon?: number;
  /** Deviation of the initial weights. Default 0.02. */
  readonly initializerRange?: number;
  /** Scores are divided by √(`nEmbd` / `nHead`). Default true. */
  readonly scaleAttnWeights?: boolean;
  /** Scores of block i (from 1) are divided by i as well. Default false. */
  readonly scaleAttnByInverseLayerIdx?: boolean;
  /** The output shares the weights of the token embedding. Default true. */
  readonly tieWordEmbeddings?: boolean;
}

const GPT2_OPTIONS: OptionNames<Gpt2Options> = {
  vocabSize: true,
  nPositions: true,
  nEmbd: true,
  nLayer: true,
  nHead: true,
  nInner: true,
  activationFunction: true,
  residPdrop: true,
  embdPdrop: true,
  attnPdrop: true,
  layerNormEpsilon: true,
  initializerRange: true,
  scaleAttnWeights: true,
  scaleAttnByInverseLayerIdx: true,
  tieWordEmbeddings: true,
};

/** Entries of config.json that mean the same. */
const ALIASES = {
  hidden_size: 'n_embd',
  max_position_embeddings: 'n_positions',
  num_attention_heads: 'n_head',
  num_hidden_layers: 'n_layer',
};

/** x · weight + bias with weight [from, to]. transformers: Conv1D. */
class Conv1D extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter;

  constructor(from: number, to: number, std: number) {
    super();
    this.weight = new Parameter<readonly number[]>(init.normal([from, to], 0, std));
    this.bias = new Parameter<readonly number[]>(init.zeros([to]));
  }

  forward(x: Tensor): Tensor {
    const y: Tensor = x.matmul(this.weight);
    return y.add(this.bias);
  }
}

type Sizes = Required<Gpt2Options>;

class GPT2Attention extends Module {
  readonly cAttn: Conv1D;
  readonly cProj: Conv1D;
  readonly residDropout: Dropout;
  private readonly heads: number;
  private readonly dropout: number;
  private readonly scale: number;

  constructor(sizes: Sizes, layer: number) {
    super();
    const { nEmbd, nHead, nLayer, attnPdrop, residPdrop, initializerRange } = sizes;
    this.cAttn = new Conv1D(nEmbd, 3 * nEmbd, initializerRange);
    this.cProj = new Conv1D(nEmbd, nEmbd, initializerRange / Math.sqrt(2 * nLayer));
    this.residDropout = new Dropout(residPdrop);
    this.heads = nHead;
    this.dropout = attnPdrop;
    const scale = sizes.scaleAttnWeights ? Math.sqrt(nHead / nEmbd) : 1;
    this.scale = sizes.scaleAttnByInverseLayerIdx ? scale / (layer + 1) : scale;
  }

  forward(x: Tensor, layer: number, place?: Place): Tensor {
    const parts: readonly Tensor[] = this.cAttn.forward(x).chunk(3, 2);
    const [q, k, v] = parts.map((part) => splitHeads(part, this.heads));
    const { scale } = this;
    const seen = attendPast(q, k, v, layer, place, { scale, dropout: this.training ? this.dropout : 0 });
    return this.residDropout.forward(this.cProj.forward(joinHeads(seen)));
  }
}

class Mlp extends Module {
  readonly cFc: Conv1D;
  readonly cProj: Conv1D;
  readonly dropout: Dropout;
  private readonly activation: (x: Tensor) => Tensor;

  constructor({ nEmbd, nInner, nLayer, residPdrop, activationFunction, initializerRange }: Sizes) {
    super();
    this.cFc = new Conv1D(nEmbd, nInner, initializerRange);
    this.cProj = new Conv1D(nInner, nEmbd, initializerRange / Math.sqrt(2 * nLayer));
    this.dropout = new Dropout(residPdrop);
    this.activation = activationNamed('GPT2', 'activationFunction', activationFunction);
  }

  forward(x: Tensor): Tensor {
    return this.dropout.forward(this.cProj.forward(this.activation(this.cFc.forward(x))));
  }
}

class Gpt2Block extends Module {
  readonly ln_1: Norm;
  readonly attn: GPT2Attention;
  readonly ln_2: Norm;
  readonly mlp: Mlp;

  constructor(sizes: Sizes, layer: number) {
    super();
    this.ln_1 = new LayerNorm<number>(sizes.nEmbd, { eps: sizes.layerNormEpsilon });
    this.attn = new GPT2Attention(sizes, layer);
    this.ln_2 = new LayerNorm<number>(sizes.nEmbd, { eps: sizes.layerNormEpsilon });
    this.mlp = new Mlp(sizes);
  }

  forward(x: Tensor, layer: number, place?: Place): Tensor {
    const y: Tensor = x.add(this.attn.forward(this.ln_1.forward(x), layer, place));
    return y.add(this.mlp.forward(this.ln_2.forward(y)));
  }
}

class Body extends Module {
  readonly wte: Table;
  readonly wpe: Table;
  readonly drop: Dropout;
  readonly h: readonly Gpt2Block[];
  readonly lnF: Norm;

  constructor(sizes: Sizes) {
    super();
    this.wte = table(sizes.vocabSize, sizes.nEmbd);
    this.wpe = table(sizes.nPositions, sizes.nEmbd);
    for (const { weight } of [this.wte, this.wpe]) init.normal_(weight, 0, sizes.initializerRange);
    this.drop = new Dropout(sizes.embdPdrop);
    this.h = Array.from({ length: sizes.nLayer }, (_, i) => new Gpt2Block(sizes, i));
    this.lnF = new LayerNorm<number>(sizes.nEmbd, { eps: sizes.layerNormEpsilon });
  }

  /** The embeddings, what each block but the last leaves, and the normalised end. */
  forward(ids: Ids, place?: Place): Tensor[] {
    const positions: Ids = place?.positions ?? arange(ids.shape[1]);
    const tokens: Tensor = this.wte.forward(ids);
    const states = [this.drop.forward(tokens.add(this.wpe.forward(positions)))];
    for (const [i, block] of this.h.entries()) states.push(block.forward(states[i], i, place));
    states.push(this.lnF.forward(states.pop()!));
    return states;
  }
}

/**
 * Ids int32 [B, T] → logits of the next token [B, T, vocabSize]; T is at most `nPositions`. 124 million parameters with the defaults.
 * transformers: GPT2LMHeadModel.
 */
export class GPT2 extends Module implements CausalModel {
  static readonly modelType = 'gpt2';
  readonly transformer: Body;
  readonly lmHead: { readonly weight: Parameter };
  readonly contextLength: number;
  private readonly nHead: number;

  constructor(options: Gpt2Options = {}) {
    checkOptions(new.target.name, options, GPT2_OPTIONS);
    const { vocabSize = 50257, nPositions = 1024, nEmbd = 768, nLayer = 12, nHead = 12 } = options;
    const { nInner = 4 * nEmbd, activationFunction = 'gelu_new', layerNormEpsilon = 1e-5 } = options;
    const { residPdrop = 0.1, embdPdrop = 0.1, attnPdrop = 0.1, initializerRange = 0.02 } = options;
    const { scaleAttnWeights = true, scaleAttnByInverseLayerIdx = false, tieWordEmbeddings = true } = options;
    super();
    const counts = { vocabSize, nPositions, nEmbd, nLayer, nHead, nInner };
    for (const [name, count] of Object.entries(counts)) checkCount(count, 1, `GPT2: ${name}`);
    checkHeads('GPT2', nEmbd, nHead);
    const numbers = { residPdrop, embdPdrop, attnPdrop, layerNormEpsilon, initializerRange };
    for (const [name, value] of Object.entries(numbers)) checkNumber('GPT2', name, value);
    const flags = { scaleAttnWeights, scaleAttnByInverseLayerIdx, tieWordEmbeddings };
    this.transformer = new Body({ ...counts, ...numbers, ...flags, activationFunction });
    this.lmHead = { weight: this.transformer.wte.weight };
    if (!tieWordEmbeddings) {
      const head = linear(nEmbd, vocabSize, false);
      init.normal_(head.weight, 0, initializerRange);
      this.lmHead = head;
    }
    this.contextLength = nPositions;
    this.nHead = nHead;
  }

  /** Made as transformers' config.json says. */
  static fromConfig(config: Config): GPT2 {
    config.refuse('add_cross_attention', [false, undefined]);
    return new GPT2(config.renamed(ALIASES).options<Gpt2Options>(GPT2_OPTIONS));
  }

  forward(ids: Ids): Tensor {
    return this.logits(this.hiddenStates(ids).at(-1)!);
  }

  /** The embeddings [B, T, nEmbd], what each block leaves, and in place of the last block's the normalised end. */
  hiddenStates(ids: Ids): Tensor[] {
    checkIds('GPT2', ids, this.contextLength);
    return this.transformer.forward(ids);
  }

  private logits(x: Tensor): Tensor {
    return x.matmul(this.lmHead.weight.transpose(0, 1));
  }

  newCache(batch: number, length: number): KeyValueCache {
    const { wte, h } = this.transformer;
    const width = wte.weight.shape[1] / this.nHead;
    return new KeyValueCache(h.length, [batch, this.nHead, length, width], dtypeOf(this));
  }

  step(ids: Ids, first: Ids, cache: KeyValueCache): Tensor {
    const count = ids.shape[1];
    const last: Tensor = this.transformer.forward(ids, placeIn(cache, first, count)).at(-1)!;
    return this.logits(last.select(1, count - 1));
  }
}
