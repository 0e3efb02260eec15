// Llama (Touvron et al. 2023) and what is built like it (Mistral, Qwen2, Qwen3, Gemma): a decoder with rotary positions, RMS norms in front,
// grouped queries (Ainslie et al. 2023) and a gated network (SwiGLU, Shazeer 2020). Keys, numerics and initial values are those of transformers'
// LlamaForCausalLM, MistralForCausalLM, ….

import { Linear, Module, Parameter, RMSNorm, init } from '../../nn/index.js';
import { arange } from '../../tensor/creation.js';
import { checkOptions } from '../../tensor/library.js';
import type { Tensor } from '../../tensor/tensor.js';
import { activationNamed } from './activations.js';
import { type Block, type Ids, type Table, checkIds, joinHeads, linear, splitHeads, table } from './blocks.js';
import { type CausalModel, KeyValueCache, type Place, attendPast, placeIn } from './cache.js';
import type { Config } from './config.js';
import { dtypeOf } from './dtype.js';
import {
  LLAMA_KINDS,
  LLAMA_OPTIONS,
  type LlamaOptions,
  type LlamaSizes,
  llamaOptionsOf,
  llamaSizes,
} from './llama-options.js';
import { Rotary, type Turns, turned } from './rotary.js';

/** Gemma's: its weight counts from 1. */
class OffsetRMSNorm extends Module {
  readonly weight: Parameter;
  private readonly eps: number;

  constructor(width: number, eps: number) {
    super();
    this.weight = new Parameter<readonly number[]>(init.zeros([width]));
    this.eps = eps;
  }

  forward(x: Tensor): Tensor {
    const square: Tensor = x.square().mean(-1, { keepdim: true });
    return x.mul(square.add(this.eps).rsqrt()).mul(this.weight.add(1));
  }
}

const norm = ({ gemma, rmsNormEps }: LlamaSizes, width: number): Block =>
  gemma ? new OffsetRMSNorm(width, rmsNormEps) : new RMSNorm<number>(width, { eps: rmsNormEps });

class LlamaAttention extends Module {
  readonly qProj: Block;
  readonly kProj: Block;
  readonly vProj: Block;
  readonly oProj: Block;
  readonly qNorm: Block | undefined;
  readonly kNorm: Block | undefined;
  private readonly heads: readonly [queries: number, keys: number];
  private readonly dropout: number;
  private readonly seen: number | undefined;

  constructor(sizes: LlamaSizes, layer: number) {
    super();
    const { hiddenSize, headDim, numAttentionHeads, numKeyValueHeads, attentionBias, attentionOutputBias } = sizes;
    this.qProj = linear(hiddenSize, numAttentionHeads * headDim, attentionBias);
    this.kProj = linear(hiddenSize, numKeyValueHeads * headDim, attentionBias);
    this.vProj = linear(hiddenSize, numKeyValueHeads * headDim, attentionBias);
    this.oProj = linear(numAttentionHeads * headDim, hiddenSize, attentionOutputBias);
    this.qNorm = sizes.queryKeyNorm ? norm(sizes, headDim) : undefined;
    this.kNorm = sizes.queryKeyNorm ? norm(sizes, headDim) : undefined;
    this.heads = [numAttentionHeads, numKeyValueHeads];
    this.dropout = sizes.attentionDropout;
    this.seen = sizes.windows[layer];
  }

  forward(x: Tensor, turns: Turns, layer: number, place: Place | undefined): Tensor {
    const [queries, keys] = this.heads;
    const normal = (part: Tensor, by: Block | undefined): Tensor => (by === undefined ? part : by.forward(part));
    const q = turned(normal(splitHeads(this.qProj.forward(x), queries), this.qNorm), turns);
    const k = turned(normal(splitHeads(this.kProj.forward(x), keys), this.kNorm), turns);
    const v = splitHeads(this.vProj.forward(x), keys);
    const options = { dropout: this.training ? this.dropout : 0, enableGqa: keys !== queries, window: this.seen };
    return this.oProj.forward(joinHeads(attendPast(q, k, v, layer, place, options)));
  }
}

class GatedMlp extends Module {
  readonly gateProj: Block;
  readonly upProj: Block;
  readonly downProj: Block;
  private readonly activation: (x: Tensor) => Tensor;

  constructor({ hiddenSize, intermediateSize, mlpBias, hiddenAct }: LlamaSizes) {
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

class LlamaLayer extends Module {
  readonly selfAttn: LlamaAttention;
  readonly mlp: GatedMlp;
  readonly inputLayernorm: Block;
  readonly postAttentionLayernorm: Block;

  constructor(sizes: LlamaSizes, layer: number) {
    super();
    this.selfAttn = new LlamaAttention(sizes, layer);
    this.mlp = new GatedMlp(sizes);
    this.inputLayernorm = norm(sizes, sizes.hiddenSize);
    this.postAttentionLayernorm = norm(sizes, sizes.hiddenSize);
  }

  forward(x: Tensor, turns: Turns, layer: number, place: Place | undefined): Tensor {
    const y: Tensor = x.add(this.selfAttn.forward(this.inputLayernorm.forward(x), turns, layer, place));
    return y.add(this.mlp.forward(this.postAttentionLayernorm.forward(y)));
  }
}

/**
 * Ids int32 [B, T] → logits of the next token [B, T, vocabSize]; T is at most `contextLength`: `maxPositionEmbeddings`, times the factor of
 * linear and dynamic `ropeScaling`. transformers: LlamaForCausalLM, MistralForCausalLM, Qwen2ForCausalLM, Qwen3ForCausalLM, GemmaForCausalLM.
 */
export class Llama extends Module implements CausalModel {
  static readonly modelType: readonly string[] = LLAMA_KINDS;
  readonly model: { readonly embed_tokens: Table; readonly layers: readonly LlamaLayer[]; readonly norm: Block };
  readonly lmHead: { readonly weight: Parameter };
  readonly contextLength: number;
  private readonly rotary: Rotary;
  private readonly cached: readonly [heads: number, width: number];
  private readonly embeddingScale: number;

  constructor(options: LlamaOptions = {}) {
    checkOptions(new.target.name, options, LLAMA_OPTIONS);
    const sizes = llamaSizes(options);
    super();
    const { vocabSize, hiddenSize, numHiddenLayers, initializerRange, headDim, maxPositionEmbeddings } = sizes;
    this.model = {
      embed_tokens: table(vocabSize, hiddenSize),
      layers: Array.from({ length: numHiddenLayers }, (_, i) => new LlamaLayer(sizes, i)),
      norm: norm(sizes, hiddenSize),
    };
    init.normal_(this.model.embed_tokens.weight, 0, initializerRange);
    this.lmHead = sizes.tieWordEmbeddings
      ? { weight: this.model.embed_tokens.weight }
      : linear(hiddenSize, vocabSize, false);
    this.apply((m) => {
      if (!(m instanceof Linear)) return;
      init.normal_(m.weight, 0, initializerRange);
      if (m.bias !== undefined) init.zeros_(m.bias);
    });
    this.contextLength = sizes.contextLength;
    const { ropeTheta: theta, ropeScaling: scaling } = sizes;
    this.rotary = new Rotary({ width: headDim, theta, scaling, length: maxPositionEmbeddings });
    this.cached = [sizes.numKeyValueHeads, headDim];
    this.embeddingScale = sizes.gemma ? Math.sqrt(hiddenSize) : 1;
  }

  /** Made as transformers' config.json says: of Llama, Mistral, Qwen2, Qwen3 or Gemma. */
  static fromConfig(config: Config): Llama {
    return new Llama(llamaOptionsOf(config));
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
    const tokens: Tensor = embedTokens.forward(ids);
    const states: Tensor[] = [this.embeddingScale === 1 ? tokens : tokens.mul(this.embeddingScale)];
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
