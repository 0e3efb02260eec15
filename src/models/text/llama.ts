// Llama (Touvron et al. 2023) and what is built like it (Mistral, Qwen2, Qwen3, Gemma, Gemma 2, Phi-3): a decoder with rotary positions, RMS norms in front,
// grouped queries (Ainslie et al. 2023) and a gated network (SwiGLU, Shazeer 2020). Keys, numerics and initial values are those of transformers'
// LlamaForCausalLM, MistralForCausalLM, ….

import { Dropout, Linear, Module, Parameter, RMSNorm, init } from '../../nn/index.js';
import { arange } from '../../tensor/creation.js';
import { checkOptions } from '../../tensor/library.js';
import type { Tensor } from '../../tensor/tensor.js';
import { activationNamed } from './activations.js';
import { type Block, type Ids, type Table, checkIds, joinHeads, linear, splitHeads, table } from './blocks.js';
import { type CausalModel, type CausalOptions, KeyValueCache, type Place, attendPast, placeIn } from './cache.js';
import type { Config } from './config.js';
import { dtypeOf } from './dtype.js';
import { LLAMA_KINDS, llamaOptionsOf } from './llama-config.js';
import { LLAMA_OPTIONS, type LlamaOptions, type LlamaSizes, llamaSizes } from './llama-options.js';
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
  readonly qProj: Block | undefined;
  readonly kProj: Block | undefined;
  readonly vProj: Block | undefined;
  readonly oProj: Block;
  readonly qkvProj: Block | undefined;
  readonly qNorm: Block | undefined;
  readonly kNorm: Block | undefined;
  private readonly widths: readonly [queries: number, keys: number];
  private readonly heads: readonly [queries: number, keys: number];
  private readonly dropout: number;
  private readonly options: CausalOptions;

  constructor(sizes: LlamaSizes, layer: number) {
    super();
    const { hiddenSize, headDim, numAttentionHeads, numKeyValueHeads, attentionBias, attentionOutputBias } = sizes;
    const [width, narrow] = [numAttentionHeads * headDim, numKeyValueHeads * headDim];
    if (sizes.fusedProjections) this.qkvProj = linear(hiddenSize, width + 2 * narrow, false);
    else {
      this.qProj = linear(hiddenSize, width, attentionBias);
      this.kProj = linear(hiddenSize, narrow, attentionBias);
      this.vProj = linear(hiddenSize, narrow, attentionBias);
    }
    this.oProj = linear(width, hiddenSize, attentionOutputBias);
    this.qNorm = sizes.queryKeyNorm ? norm(sizes, headDim) : undefined;
    this.kNorm = sizes.queryKeyNorm ? norm(sizes, headDim) : undefined;
    this.widths = [width, narrow];
    this.heads = [numAttentionHeads, numKeyValueHeads];
    this.dropout = sizes.attentionDropout;
    const { attnLogitSoftcapping: softcap, queryPreAttnScalar } = sizes;
    this.options = {
      enableGqa: numKeyValueHeads !== numAttentionHeads,
      window: sizes.windows[layer],
      ...(queryPreAttnScalar !== headDim && { scale: queryPreAttnScalar ** -0.5 }),
      ...(softcap !== undefined && { softcap }),
    };
  }

  /** Queries, keys and values of x [B, T, E], side by side in their heads. */
  private project(x: Tensor): readonly [Tensor, Tensor, Tensor] {
    const { qkvProj, qProj, kProj, vProj } = this;
    if (qProj !== undefined && kProj !== undefined && vProj !== undefined)
      return [qProj.forward(x), kProj.forward(x), vProj.forward(x)];
    const [width, narrow] = this.widths;
    const all: Tensor = qkvProj!.forward(x);
    const middle = width + narrow;
    return [all.slice(2, 0, width), all.slice(2, width, middle), all.slice(2, middle, middle + narrow)];
  }

  forward(x: Tensor, turns: Turns, layer: number, place: Place | undefined): Tensor {
    const [heads, keyHeads] = this.heads;
    const [query, key, value] = this.project(x);
    const normal = (part: Tensor, by: Block | undefined): Tensor => (by === undefined ? part : by.forward(part));
    const q = turned(normal(splitHeads(query, heads), this.qNorm), turns);
    const k = turned(normal(splitHeads(key, keyHeads), this.kNorm), turns);
    const v = splitHeads(value, keyHeads);
    const options = { ...this.options, dropout: this.training ? this.dropout : 0 };
    return this.oProj.forward(joinHeads(attendPast(q, k, v, layer, place, options)));
  }
}

class GatedMlp extends Module {
  readonly gateProj: Block | undefined;
  readonly upProj: Block | undefined;
  readonly gateUpProj: Block | undefined;
  readonly downProj: Block;
  private readonly activation: (x: Tensor) => Tensor;

  constructor({ hiddenSize, intermediateSize, mlpBias, fusedProjections, hiddenAct }: LlamaSizes) {
    super();
    if (fusedProjections) this.gateUpProj = linear(hiddenSize, 2 * intermediateSize, false);
    else {
      this.gateProj = linear(hiddenSize, intermediateSize, mlpBias);
      this.upProj = linear(hiddenSize, intermediateSize, mlpBias);
    }
    this.downProj = linear(intermediateSize, hiddenSize, mlpBias);
    this.activation = activationNamed('Llama', 'hiddenAct', hiddenAct);
  }

  forward(x: Tensor): Tensor {
    const { gateProj, upProj, gateUpProj } = this;
    const [gate, up]: readonly Tensor[] =
      gateProj !== undefined && upProj !== undefined
        ? [gateProj.forward(x), upProj.forward(x)]
        : gateUpProj!.forward(x).chunk(2, 2);
    return this.downProj.forward(this.activation(gate).mul(up));
  }
}

class LlamaLayer extends Module {
  readonly selfAttn: LlamaAttention;
  readonly mlp: GatedMlp;
  readonly inputLayernorm: Block;
  readonly postAttentionLayernorm: Block;
  readonly preFeedforwardLayernorm: Block | undefined;
  readonly postFeedforwardLayernorm: Block | undefined;
  private readonly dropout: Dropout;

  constructor(sizes: LlamaSizes, layer: number) {
    super();
    this.selfAttn = new LlamaAttention(sizes, layer);
    this.mlp = new GatedMlp(sizes);
    this.inputLayernorm = norm(sizes, sizes.hiddenSize);
    this.postAttentionLayernorm = norm(sizes, sizes.hiddenSize);
    if (sizes.sandwichNorms) {
      this.preFeedforwardLayernorm = norm(sizes, sizes.hiddenSize);
      this.postFeedforwardLayernorm = norm(sizes, sizes.hiddenSize);
    }
    this.dropout = new Dropout(sizes.residPdrop);
  }

  forward(x: Tensor, turns: Turns, layer: number, place: Place | undefined): Tensor {
    const { preFeedforwardLayernorm: before, postFeedforwardLayernorm: behind, postAttentionLayernorm: middle } = this;
    const seen: Tensor = this.dropout.forward(
      this.selfAttn.forward(this.inputLayernorm.forward(x), turns, layer, place),
    );
    if (before === undefined || behind === undefined) {
      const y: Tensor = x.add(seen);
      return y.add(this.dropout.forward(this.mlp.forward(middle.forward(y))));
    }
    const y: Tensor = x.add(middle.forward(seen));
    return y.add(behind.forward(this.dropout.forward(this.mlp.forward(before.forward(y)))));
  }
}

/**
 * Ids int32 [B, T] → logits of the next token [B, T, vocabSize]; T is at most `contextLength`: `maxPositionEmbeddings`, times the factor of
 * linear and dynamic `ropeScaling`. transformers: LlamaForCausalLM, MistralForCausalLM, Qwen2ForCausalLM, Qwen3ForCausalLM,
 * GemmaForCausalLM, Gemma2ForCausalLM, Phi3ForCausalLM.
 */
export class Llama extends Module implements CausalModel {
  static readonly modelType: readonly string[] = LLAMA_KINDS;
  readonly model: { readonly embed_tokens: Table; readonly layers: readonly LlamaLayer[]; readonly norm: Block };
  readonly lmHead: { readonly weight: Parameter };
  readonly contextLength: number;
  readonly shortLength: number | undefined;
  private readonly rotary: Rotary;
  private readonly cached: readonly [heads: number, width: number];
  private readonly embeddingScale: number;
  private readonly softcap: number | undefined;

  constructor(options: LlamaOptions = {}) {
    checkOptions(new.target.name, options, LLAMA_OPTIONS);
    const sizes = llamaSizes(options);
    super();
    const { vocabSize, hiddenSize, numHiddenLayers, initializerRange, headDim, rotaryWidth: width } = sizes;
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
    if (sizes.ropeScaling?.ropeType === 'longrope') this.shortLength = sizes.ropeScaling.originalMaxPositionEmbeddings;
    const { ropeTheta: theta, ropeScaling: scaling, maxPositionEmbeddings: length } = sizes;
    this.rotary = new Rotary({ width, theta, scaling, length });
    this.cached = [sizes.numKeyValueHeads, headDim];
    this.embeddingScale = sizes.gemma ? Math.sqrt(hiddenSize) : 1;
    this.softcap = sizes.finalLogitSoftcapping;
  }

  /** Made as transformers' config.json says: of Llama, Mistral, Qwen2, Qwen3, Gemma, Gemma 2 or Phi-3. */
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
    const turns = this.rotary.at(positions, dtypeOf(this), place?.cache.reach);
    const tokens: Tensor = embedTokens.forward(ids);
    const states: Tensor[] = [this.embeddingScale === 1 ? tokens : tokens.mul(this.embeddingScale)];
    for (const [i, layer] of layers.entries()) states.push(layer.forward(states[i], turns, i, place));
    states.push(end.forward(states.pop()!));
    return states;
  }

  private logits(x: Tensor): Tensor {
    const logits: Tensor = x.matmul(this.lmHead.weight.transpose(0, 1));
    return this.softcap === undefined ? logits : logits.div(this.softcap).tanh().mul(this.softcap);
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
