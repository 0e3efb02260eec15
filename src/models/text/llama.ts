// Llama (Touvron et al. 2023) and what is built like it: a decoder with rotary positions, RMS norms in front, grouped queries (Ainslie et al.
// 2023) and a gated network (SwiGLU, Shazeer 2020). Keys, numerics and initial values are those of transformers' LlamaForCausalLM.

import { Linear, Module, type Parameter, RMSNorm, init } from '../../nn/index.js';
import { checkCount } from '../../nn/layer.js';
import { arange } from '../../tensor/creation.js';
import { ArgumentError, type OptionNames, checkNumber, checkOptions, shown } from '../../tensor/library.js';
import type { Tensor } from '../../tensor/tensor.js';
import {
  type Activation,
  type Block,
  type CausalModel,
  type Ids,
  KeyValueCache,
  type Place,
  type Table,
  activationNamed,
  attendPast,
  checkIds,
  joinHeads,
  linear,
  placeIn,
  splitHeads,
  table,
} from './blocks.js';
import type { Config } from './config.js';
import { dtypeOf } from './dtype.js';
import { type RopeScaling, Rotary, type Turns, turned } from './rotary.js';

/** Names and defaults are those of transformers' LlamaConfig, in camelCase. */
export interface LlamaOptions {
  /** Default 32000. */
  readonly vocabSize?: number;
  /** Features of a token. Default 4096. */
  readonly hiddenSize?: number;
  /** Width of the gated network. Default 11008. */
  readonly intermediateSize?: number;
  /** Layers. Default 32. */
  readonly numHiddenLayers?: number;
  /** Heads of queries. Default 32. */
  readonly numAttentionHeads?: number;
  /** Heads of keys and values, which divide those of queries. Default `numAttentionHeads`. */
  readonly numKeyValueHeads?: number;
  /** Features of a head. Default `hiddenSize` / `numAttentionHeads`. */
  readonly headDim?: number;
  /** Default 'silu'. */
  readonly hiddenAct?: Activation;
  /** Longest sequence. Default 2048. */
  readonly maxPositionEmbeddings?: number;
  /** Default 1e-6. */
  readonly rmsNormEps?: number;
  /** Base of the rotary angles. Default 10000. */
  readonly ropeTheta?: number;
  /** Default: none. */
  readonly ropeScaling?: RopeScaling;
  /** The output shares the weights of the embedding. Default false. */
  readonly tieWordEmbeddings?: boolean;
  /** Biases in the attention. Default false. */
  readonly attentionBias?: boolean;
  /** Biases in the network. Default false. */
  readonly mlpBias?: boolean;
  /** Of the attention's weights. Default 0. */
  readonly attentionDropout?: number;
  /** Deviation of the initial weights. Default 0.02. */
  readonly initializerRange?: number;
}

const LLAMA_OPTIONS: OptionNames<LlamaOptions> = {
  vocabSize: true,
  hiddenSize: true,
  intermediateSize: true,
  numHiddenLayers: true,
  numAttentionHeads: true,
  numKeyValueHeads: true,
  headDim: true,
  hiddenAct: true,
  maxPositionEmbeddings: true,
  rmsNormEps: true,
  ropeTheta: true,
  ropeScaling: true,
  tieWordEmbeddings: true,
  attentionBias: true,
  mlpBias: true,
  attentionDropout: true,
  initializerRange: true,
};

type Sizes = Required<Omit<LlamaOptions, 'ropeScaling'>>;

class LlamaAttention extends Module {
  readonly qProj: Block;
  readonly kProj: Block;
  readonly vProj: Block;
  readonly oProj: Block;
  private readonly heads: readonly [queries: number, keys: number];
  private readonly dropout: number;

  constructor(sizes: Sizes) {
    super();
    const { hiddenSize, headDim, numAttentionHeads, numKeyValueHeads, attentionBias } = sizes;
    this.qProj = linear(hiddenSize, numAttentionHeads * headDim, attentionBias);
    this.kProj = linear(hiddenSize, numKeyValueHeads * headDim, attentionBias);
    this.vProj = linear(hiddenSize, numKeyValueHeads * headDim, attentionBias);
    this.oProj = linear(numAttentionHeads * headDim, hiddenSize, attentionBias);
    this.heads = [numAttentionHeads, numKeyValueHeads];
    this.dropout = sizes.attentionDropout;
  }

  forward(x: Tensor, turns: Turns, layer: number, place: Place | undefined): Tensor {
    const [queries, keys] = this.heads;
    const q = turned(splitHeads(this.qProj.forward(x), queries), turns);
    const k = turned(splitHeads(this.kProj.forward(x), keys), turns);
    const v = splitHeads(this.vProj.forward(x), keys);
    const dropout = this.training ? this.dropout : 0;
    return this.oProj.forward(joinHeads(attendPast(q, k, v, layer, place, { dropout, enableGqa: keys !== queries })));
  }
}

class GatedMlp extends Module {
  readonly gateProj: Block;
  readonly upProj: Block;
  readonly downProj: Block;
  private readonly activation: (x: Tensor) => Tensor;

  constructor({ hiddenSize, intermediateSize, mlpBias, hiddenAct }: Sizes) {
    super();
    this.gateProj = linear(hiddenSize, intermediateSize, mlpBias);
    this.upProj = linear(hiddenSize, intermediateSize, mlpBias);
    this.downProj = linear(intermediateSize, hiddenSize, mlpBias);
    this.activation = activationNamed('Llama', 'hiddenAct', hiddenAct);
  }

  forward(x: Tensor): Tensor {
    const opened: Tensor = this.activation(this.gateProj.forward(x)).mul(this.upProj.forward(x));
    return this.downProj.forward(opened);
  }
}

const norm = ({ hiddenSize, rmsNormEps }: Sizes): Block => new RMSNorm<number>(hiddenSize, { eps: rmsNormEps });

class LlamaLayer extends Module {
  readonly selfAttn: LlamaAttention;
  readonly mlp: GatedMlp;
  readonly inputLayernorm: Block;
  readonly postAttentionLayernorm: Block;

  constructor(sizes: Sizes) {
    super();
    this.selfAttn = new LlamaAttention(sizes);
    this.mlp = new GatedMlp(sizes);
    this.inputLayernorm = norm(sizes);
    this.postAttentionLayernorm = norm(sizes);
  }

  forward(x: Tensor, turns: Turns, layer: number, place: Place | undefined): Tensor {
    const y: Tensor = x.add(this.selfAttn.forward(this.inputLayernorm.forward(x), turns, layer, place));
    return y.add(this.mlp.forward(this.postAttentionLayernorm.forward(y)));
  }
}

/** Ids int32 [B, T] → logits of the next token [B, T, vocabSize]; T is at most `maxPositionEmbeddings`. transformers: LlamaForCausalLM. */
export class Llama extends Module implements CausalModel {
  static readonly modelType = 'llama';
  readonly model: { readonly embed_tokens: Table; readonly layers: readonly LlamaLayer[]; readonly norm: Block };
  readonly lmHead: { readonly weight: Parameter };
  readonly contextLength: number;
  private readonly rotary: Rotary;
  private readonly cached: readonly [heads: number, width: number];

  constructor(options: LlamaOptions = {}) {
    checkOptions(new.target.name, options, LLAMA_OPTIONS);
    const { vocabSize = 32000, hiddenSize = 4096, intermediateSize = 11008, numHiddenLayers = 32 } = options;
    const { numAttentionHeads = 32, numKeyValueHeads = numAttentionHeads } = options;
    const { headDim = hiddenSize / numAttentionHeads, maxPositionEmbeddings = 2048, hiddenAct = 'silu' } = options;
    const { rmsNormEps = 1e-6, ropeTheta = 10000, ropeScaling, tieWordEmbeddings = false } = options;
    const { attentionBias = false, mlpBias = false, attentionDropout = 0, initializerRange = 0.02 } = options;
    super();
    const counts = { vocabSize, hiddenSize, intermediateSize, numHiddenLayers, numAttentionHeads, numKeyValueHeads };
    const more = { headDim, maxPositionEmbeddings };
    for (const [name, count] of Object.entries({ ...counts, ...more })) checkCount(count, 1, `Llama: ${name}`);
    if (numAttentionHeads % numKeyValueHeads !== 0)
      throw new ArgumentError(
        `Llama: numKeyValueHeads ${numKeyValueHeads} does not divide numAttentionHeads ${numAttentionHeads}. Use a number that does.`,
      );
    const flags = { tieWordEmbeddings, attentionBias, mlpBias };
    const numbers = { rmsNormEps, ropeTheta, attentionDropout, initializerRange };
    for (const [name, value] of Object.entries(numbers)) checkNumber('Llama', name, value);
    const sizes: Sizes = {
      ...counts,
      ...more,
      ...flags,
      ...numbers,
      hiddenAct,
    };
    this.model = {
      embed_tokens: table(vocabSize, hiddenSize),
      layers: Array.from({ length: numHiddenLayers }, () => new LlamaLayer(sizes)),
      norm: norm(sizes),
    };
    init.normal_(this.model.embed_tokens.weight, 0, initializerRange);
    this.lmHead = tieWordEmbeddings ? { weight: this.model.embed_tokens.weight } : linear(hiddenSize, vocabSize, false);
    this.apply((m) => {
      if (!(m instanceof Linear)) return;
      init.normal_(m.weight, 0, initializerRange);
      if (m.bias !== undefined) init.zeros_(m.bias);
    });
    this.contextLength = maxPositionEmbeddings;
    this.rotary = new Rotary(headDim, ropeTheta, ropeScaling);
    this.cached = [numKeyValueHeads, headDim];
  }

  /** Made as transformers' config.json says, with the rotary angles in its older entries or in its newer one. */
  static fromConfig(config: Config): Llama {
    config.refuse('pretraining_tp', [1, undefined]);
    const { ropeScaling: _, ...options } = config.options<LlamaOptions>(LLAMA_OPTIONS);
    return new Llama({ ...options, ...ropeOf(config) });
  }

  forward(ids: Ids): Tensor {
    return this.logits(this.hiddenStates(ids).at(-1)!);
  }

  /** The embeddings [B, T, hiddenSize], what each layer leaves, and in place of the last layer's the normalised end. */
  hiddenStates(ids: Ids): Tensor[] {
    checkIds('Llama', ids, this.contextLength);
    return this.states(ids, undefined);
  }

  private states(ids: Ids, place: Place | undefined): Tensor[] {
    const { embed_tokens: embedTokens, layers, norm: end } = this.model;
    const positions: Ids = place?.positions ?? arange(ids.shape[1]);
    const turns = this.rotary.at(positions, dtypeOf(this));
    const states: Tensor[] = [embedTokens.forward(ids)];
    for (const [i, layer] of layers.entries()) states.push(layer.forward(states[i], turns, i, place));
    states.push(end.forward(states.pop()!));
    return states;
  }

  private logits(x: Tensor): Tensor {
    return x.matmul(this.lmHead.weight.transpose(0, 1));
  }

  newCache(batch: number, length: number): KeyValueCache {
    const [heads, width] = this.cached;
    return new KeyValueCache(this.model.layers.length, [batch, heads, length, width], dtypeOf(this));
  }

  step(ids: Ids, first: Ids, cache: KeyValueCache): Tensor {
    const count = ids.shape[1];
    const last: Tensor = this.states(ids, placeIn(cache, first, count)).at(-1)!;
    return this.logits(last.select(1, count - 1));
  }
}

/** `rope_parameters`, or before transformers 5 `rope_theta` and `rope_scaling`. */
function ropeOf(config: Config): Pick<LlamaOptions, 'ropeTheta' | 'ropeScaling'> {
  const rope = config.part('rope_parameters') ?? config.part('rope_scaling');
  if (rope === undefined) return {};
  const theta = rope.number('rope_theta');
  const found = theta === undefined ? {} : { ropeTheta: theta };
  const ropeType: unknown = rope.get('rope_type') ?? rope.get('type') ?? 'default';
  const factor = rope.number('factor') ?? 1;
  switch (ropeType) {
    case 'default':
      return found;
    case 'linear':
      return { ...found, ropeScaling: { ropeType: 'linear', factor } };
    case 'llama3': {
      const [lowFreqFactor = 1, highFreqFactor = 4] = [rope.number('low_freq_factor'), rope.number('high_freq_factor')];
      const originalMaxPositionEmbeddings = rope.number('original_max_position_embeddings') ?? 8192;
      return {
        ...found,
        ropeScaling: { ropeType: 'llama3', factor, lowFreqFactor, highFreqFactor, originalMaxPositionEmbeddings },
      };
    }
    default:
      throw new ArgumentError(
        `fromPretrained: ${config.name} has rotary positions of type ${shown(ropeType)}. Llama has 'default', 'linear' and 'llama3'.`,
      );
  }
}
