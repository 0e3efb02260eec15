// The Transformer (Vaswani et al. 2017): layers of self-attention and a small network, stacked as encoder and decoder.
//   Sequences [T, N, E] ([N, T, E] with batchFirst, [T, E] without a batch) in, the same shape out.
// Masks are PyTorch's: bool true forbids, float32 is added to the scores.

import { ArgumentError, checkOptions, type OptionNames, type Shape } from '../tensor/library.js';
import { type AnyTensor, type Tensor, checkTensor } from '../tensor/tensor.js';
import { MultiheadAttention } from './attention.js';
import { deepCopy } from './copy.js';
import { Dropout } from './dropout.js';
import * as init from './init.js';
import { checkCount, checkLast } from './layer.js';
import { Linear } from './linear.js';
import { Module } from './module.js';
import { LayerNorm } from './norm/layer-norm.js';
import type { LastArg } from './shape-types/last-dimension.js';

export interface TransformerLayerOptions {
  /** Width of the network behind the attention. Default 2048. */
  readonly dimFeedforward?: number;
  /** Default 0.1. */
  readonly dropout?: number;
  /** Between the two linear maps: 'relu', 'gelu' or any function of a tensor. Default 'relu'. */
  readonly activation?: 'relu' | 'gelu' | ((x: Tensor) => Tensor);
  /** Default 1e-5. */
  readonly layerNormEps?: number;
  /** Sequences are [N, T, E] instead of [T, N, E]. Default false. */
  readonly batchFirst?: boolean;
  /** Normalise before attention and network instead of behind them (Xiong et al. 2020). Default false. */
  readonly normFirst?: boolean;
  /** Default true. */
  readonly bias?: boolean;
}

const TRANSFORMER_LAYER_OPTIONS: OptionNames<TransformerLayerOptions> = {
  dimFeedforward: true,
  dropout: true,
  activation: true,
  layerNormEps: true,
  batchFirst: true,
  normFirst: true,
  bias: true,
};

export interface EncoderMasks {
  /** [T, T] or [N · heads, T, T]. PyTorch: src_mask. */
  readonly mask?: AnyTensor;
  /** [N, T]. */
  readonly keyPaddingMask?: AnyTensor;
  /** A position sees itself and what comes before it. Default false. */
  readonly isCausal?: boolean;
}

const ENCODER_MASKS: OptionNames<EncoderMasks> = { mask: true, keyPaddingMask: true, isCausal: true };

export interface DecoderMasks {
  /** Of the self-attention: [T, T] or [N · heads, T, T]. PyTorch: tgt_mask. */
  readonly mask?: AnyTensor;
  /** Of the attention to the memory: [T, S] or [N · heads, T, S]. */
  readonly memoryMask?: AnyTensor;
  /** [N, T] and [N, S]. */
  readonly keyPaddingMask?: AnyTensor;
  readonly memoryKeyPaddingMask?: AnyTensor;
  /** Of the self-attention. Default false. */
  readonly isCausal?: boolean;
  readonly memoryIsCausal?: boolean;
}

const DECODER_MASKS: OptionNames<DecoderMasks> = {
  mask: true,
  memoryMask: true,
  keyPaddingMask: true,
  memoryKeyPaddingMask: true,
  isCausal: true,
  memoryIsCausal: true,
};

type Activation = (x: Tensor) => Tensor;

function activationOf(name: string, given: TransformerLayerOptions['activation']): Activation {
  if (typeof given === 'function') return given;
  if (given === undefined || given === 'relu') return (x) => x.relu();
  if (given === 'gelu') return (x) => x.gelu();
  throw new ArgumentError(`${name}: activation '${String(given)}' is not known. Use 'relu', 'gelu' or a function.`);
}

/** PyTorch's order of parts is that of the state dict: attentions, linear1, linear2, norms. */
abstract class TransformerLayer extends Module {
  protected readonly normFirst: boolean;
  protected readonly activation: Activation;

  constructor(options: TransformerLayerOptions) {
    super();
    checkCount(options.dimFeedforward ?? 2048, 1, `${this.constructor.name}: dimFeedforward`);
    this.normFirst = options.normFirst ?? false;
    this.activation = activationOf(this.constructor.name, options.activation);
  }

  /** x + f(norm(x)), or norm(x + f(x)). */
  protected residual(x: Tensor, norm: LayerNorm<number>, body: (x: Tensor) => Tensor): Tensor {
    if (this.normFirst) return x.add(body(norm.forward(x)));
    return norm.forward(x.add(body(x)));
  }
}

/**
 * Self-attention, then a network of two linear maps, each with dropout, a residual connection and layer normalisation.
 * `forward(x, { mask, keyPaddingMask, isCausal })`; x [T, N, dModel] → the same shape. PyTorch: nn.TransformerEncoderLayer.
 */
export class TransformerEncoderLayer<const E extends number> extends TransformerLayer {
  readonly selfAttn: MultiheadAttention<E>;
  readonly linear1: Linear<E, number>;
  readonly dropout: Dropout;
  readonly linear2: Linear<number, E>;
  readonly norm1: LayerNorm<E>;
  readonly norm2: LayerNorm<E>;
  readonly dropout1: Dropout;
  readonly dropout2: Dropout;

  constructor(dModel: E, nhead: number, options: TransformerLayerOptions = {}) {
    checkOptions(new.target.name, options, TRANSFORMER_LAYER_OPTIONS);
    checkCount(dModel, 1, `${new.target.name}: dModel`);
    checkCount(nhead, 1, `${new.target.name}: nhead`);
    super(options);
    const { dimFeedforward = 2048, dropout: p = 0.1, layerNormEps: eps, batchFirst, bias } = options;
    this.selfAttn = new MultiheadAttention(dModel, nhead, { dropout: p, batchFirst, bias });
    this.linear1 = new Linear(dModel, dimFeedforward, { bias });
    this.dropout = new Dropout(p);
    this.linear2 = new Linear(dimFeedforward, dModel, { bias });
    this.norm1 = new LayerNorm(dModel, { eps, bias });
    this.norm2 = new LayerNorm(dModel, { eps, bias });
    this.dropout1 = new Dropout(p);
    this.dropout2 = new Dropout(p);
  }

  forward<S extends Shape>(
    x: Tensor<S> & LastArg<'TransformerEncoderLayer', S, E, 'dModel'>,
    options: EncoderMasks = {},
  ): Tensor<S> {
    checkTensor(x, this.constructor.name, 'the input');
    checkOptions(this.constructor.name, options, ENCODER_MASKS);
    const { mask, keyPaddingMask, isCausal } = options;
    checkLast('TransformerEncoderLayer', x.shape, this.linear1.weight.shape[1], 'dModel');
    const asked = { attnMask: mask, keyPaddingMask, isCausal, needWeights: false };
    const attended = this.residual(x, this.norm1, (y) =>
      this.dropout1.forward(this.selfAttn.forward(y, y, y, asked)[0]),
    );
    const out = this.residual(attended, this.norm2, (y) =>
      this.dropout2.forward(feedForward(y, this.linear1, this.activation, this.dropout, this.linear2)),
    );
    return out;
  }
}

/**
 * Self-attention, attention to the memory (an encoder's output), then a network of two linear maps, each with dropout, a
 * residual connection and layer normalisation. `forward(x, memory, masks)`; x [T, N, dModel], memory [S, N, dModel] → the
 * shape of x. PyTorch: nn.TransformerDecoderLayer.
 */
export class TransformerDecoderLayer<const E extends number> extends TransformerLayer {
  readonly selfAttn: MultiheadAttention<E>;
  readonly multiheadAttn: MultiheadAttention<E>;
  readonly linear1: Linear<E, number>;
  readonly dropout: Dropout;
  readonly linear2: Linear<number, E>;
  readonly norm1: LayerNorm<E>;
  readonly norm2: LayerNorm<E>;
  readonly norm3: LayerNorm<E>;
  readonly dropout1: Dropout;
  readonly dropout2: Dropout;
  readonly dropout3: Dropout;

  constructor(dModel: E, nhead: number, options: TransformerLayerOptions = {}) {
    checkOptions(new.target.name, options, TRANSFORMER_LAYER_OPTIONS);
    checkCount(dModel, 1, `${new.target.name}: dModel`);
    checkCount(nhead, 1, `${new.target.name}: nhead`);
    super(options);
    const { dimFeedforward = 2048, dropout: p = 0.1, layerNormEps: eps, batchFirst, bias } = options;
    this.selfAttn = new MultiheadAttention(dModel, nhead, { dropout: p, batchFirst, bias });
    this.multiheadAttn = new MultiheadAttention(dModel, nhead, { dropout: p, batchFirst, bias });
    this.linear1 = new Linear(dModel, dimFeedforward, { bias });
    this.dropout = new Dropout(p);
    this.linear2 = new Linear(dimFeedforward, dModel, { bias });
    this.norm1 = new LayerNorm(dModel, { eps, bias });
    this.norm2 = new LayerNorm(dModel, { eps, bias });
    this.norm3 = new LayerNorm(dModel, { eps, bias });
    this.dropout1 = new Dropout(p);
    this.dropout2 = new Dropout(p);
    this.dropout3 = new Dropout(p);
  }

  forward<S extends Shape, M extends Shape>(
    x: Tensor<S> & LastArg<'TransformerDecoderLayer', S, E, 'dModel'>,
    memory: Tensor<M> & LastArg<'TransformerDecoderLayer: memory', M, E, 'dModel'>,
    masks: DecoderMasks = {},
  ): Tensor<S> {
    checkTensor(x, this.constructor.name, 'the input');
    checkTensor(memory, this.constructor.name, 'the memory');
    checkOptions(this.constructor.name, masks, DECODER_MASKS);
    checkLast('TransformerDecoderLayer', x.shape, this.linear1.weight.shape[1], 'dModel');
    checkLast('TransformerDecoderLayer: memory', memory.shape, this.linear1.weight.shape[1], 'dModel');
    const { mask, keyPaddingMask, isCausal, memoryMask, memoryKeyPaddingMask, memoryIsCausal } = masks;
    const own = { attnMask: mask, keyPaddingMask, isCausal, needWeights: false };
    const across = {
      attnMask: memoryMask,
      keyPaddingMask: memoryKeyPaddingMask,
      isCausal: memoryIsCausal,
      needWeights: false,
    };
    const attended = this.residual(x, this.norm1, (y) => this.dropout1.forward(this.selfAttn.forward(y, y, y, own)[0]));
    const seen: Tensor = memory;
    const informed = this.residual(attended, this.norm2, (y) =>
      this.dropout2.forward(this.multiheadAttn.forward(y, seen, seen, across)[0]),
    );
    const out = this.residual(informed, this.norm3, (y) =>
      this.dropout3.forward(feedForward(y, this.linear1, this.activation, this.dropout, this.linear2)),
    );
    return out;
  }
}

function feedForward(
  x: Tensor,
  linear1: Linear<number, number>,
  activation: Activation,
  drop: Dropout,
  linear2: Linear<number, number>,
): Tensor {
  return linear2.forward(drop.forward(activation(linear1.forward(x))));
}

function copies<L extends Module>(name: string, layer: L, count: number): readonly L[] {
  checkCount(count, 1, `${name}: numLayers`);
  return Array.from({ length: count }, () => deepCopy(layer));
}

/**
 * `numLayers` copies of an encoder layer, which all start with its weights, and a normalisation at the end if one is given.
 * PyTorch: nn.TransformerEncoder.
 *
 *     const encoder = new TransformerEncoder(new TransformerEncoderLayer(512, 8), 6);
 */
export class TransformerEncoder<const E extends number> extends Module {
  readonly layers: readonly TransformerEncoderLayer<E>[];
  readonly norm: LayerNorm<E> | undefined;

  constructor(layer: TransformerEncoderLayer<E>, numLayers: number, norm?: LayerNorm<E>) {
    super();
    this.layers = copies('TransformerEncoder', layer, numLayers);
    this.norm = norm;
  }

  forward<S extends Shape>(
    x: Tensor<S> & LastArg<'TransformerEncoder', S, E, 'dModel'>,
    masks: EncoderMasks = {},
  ): Tensor<S> {
    checkTensor(x, this.constructor.name, 'the input');
    checkOptions(this.constructor.name, masks, ENCODER_MASKS);
    const layers: readonly TransformerEncoderLayer<number>[] = this.layers;
    const norm: LayerNorm<number> | undefined = this.norm;
    const out = layers.reduce<Tensor>((y, layer) => layer.forward(y, masks), x);
    return norm === undefined ? out : norm.forward(out);
  }
}

/**
 * `numLayers` copies of a decoder layer, which all start with its weights, and a normalisation at the end if one is given.
 * PyTorch: nn.TransformerDecoder.
 */
export class TransformerDecoder<const E extends number> extends Module {
  readonly layers: readonly TransformerDecoderLayer<E>[];
  readonly norm: LayerNorm<E> | undefined;

  constructor(layer: TransformerDecoderLayer<E>, numLayers: number, norm?: LayerNorm<E>) {
    super();
    this.layers = copies('TransformerDecoder', layer, numLayers);
    this.norm = norm;
  }

  forward<S extends Shape, M extends Shape>(
    x: Tensor<S> & LastArg<'TransformerDecoder', S, E, 'dModel'>,
    memory: Tensor<M> & LastArg<'TransformerDecoder: memory', M, E, 'dModel'>,
    masks: DecoderMasks = {},
  ): Tensor<S> {
    checkTensor(x, this.constructor.name, 'the input');
    checkTensor(memory, this.constructor.name, 'the memory');
    checkOptions(this.constructor.name, masks, DECODER_MASKS);
    const layers: readonly TransformerDecoderLayer<number>[] = this.layers;
    const norm: LayerNorm<number> | undefined = this.norm;
    const seen: Tensor = memory;
    const out = layers.reduce<Tensor>((y, layer) => layer.forward(y, seen, masks), x);
    return norm === undefined ? out : norm.forward(out);
  }
}

export interface TransformerOptions extends TransformerLayerOptions {
  /** Default 6. */
  readonly numEncoderLayers?: number;
  /** Default 6. */
  readonly numDecoderLayers?: number;
}

const TRANSFORMER_OPTIONS: OptionNames<TransformerOptions> = {
  numEncoderLayers: true,
  numDecoderLayers: true,
  dimFeedforward: true,
  dropout: true,
  activation: true,
  layerNormEps: true,
  batchFirst: true,
  normFirst: true,
  bias: true,
};

export interface TransformerMasks {
  readonly srcMask?: AnyTensor;
  readonly tgtMask?: AnyTensor;
  readonly memoryMask?: AnyTensor;
  readonly srcKeyPaddingMask?: AnyTensor;
  readonly tgtKeyPaddingMask?: AnyTensor;
  readonly memoryKeyPaddingMask?: AnyTensor;
  readonly srcIsCausal?: boolean;
  readonly tgtIsCausal?: boolean;
  readonly memoryIsCausal?: boolean;
}

const TRANSFORMER_MASKS: OptionNames<TransformerMasks> = {
  srcMask: true,
  tgtMask: true,
  memoryMask: true,
  srcKeyPaddingMask: true,
  tgtKeyPaddingMask: true,
  memoryKeyPaddingMask: true,
  srcIsCausal: true,
  tgtIsCausal: true,
  memoryIsCausal: true,
};

/**
 * Encoder and decoder: `forward(src, tgt, masks)`, src [S, N, dModel] and tgt [T, N, dModel] → the shape of tgt. dModel is 512 and
 * nhead 8 unless given; all matrices start Xavier uniform. Embedding, positions and the last linear map are not part of
 * it. PyTorch: nn.Transformer.
 */
export class Transformer<const E extends number = 512> extends Module {
  readonly encoder: TransformerEncoder<E>;
  readonly decoder: TransformerDecoder<E>;

  constructor(dModel: E = 512 as E, nhead = 8, options: TransformerOptions = {}) {
    checkOptions(new.target.name, options, TRANSFORMER_OPTIONS);
    super();
    const { numEncoderLayers = 6, numDecoderLayers = 6, ...layer } = options;
    const { layerNormEps: eps, bias } = layer;
    const norm = (): LayerNorm<E> => new LayerNorm(dModel, { eps, bias });
    this.encoder = new TransformerEncoder(new TransformerEncoderLayer(dModel, nhead, layer), numEncoderLayers, norm());
    this.decoder = new TransformerDecoder(new TransformerDecoderLayer(dModel, nhead, layer), numDecoderLayers, norm());
    for (const parameter of this.parameters()) {
      if (parameter.rank > 1) parameter.assign_(init.xavierUniform(parameter.shape));
    }
  }

  forward<S extends Shape, T extends Shape>(
    src: Tensor<S> & LastArg<'Transformer: src', S, E, 'dModel'>,
    tgt: Tensor<T> & LastArg<'Transformer', T, E, 'dModel'>,
    masks: TransformerMasks = {},
  ): Tensor<T> {
    checkTensor(src, this.constructor.name, 'the src');
    checkTensor(tgt, this.constructor.name, 'the tgt');
    checkOptions(this.constructor.name, masks, TRANSFORMER_MASKS);
    const [given, wanted]: Tensor[] = [src, tgt];
    const encoder: TransformerEncoder<number> = this.encoder;
    const decoder: TransformerDecoder<number> = this.decoder;
    const memory = encoder.forward(given, {
      mask: masks.srcMask,
      keyPaddingMask: masks.srcKeyPaddingMask,
      isCausal: masks.srcIsCausal,
    });
    return decoder.forward(wanted, memory, {
      mask: masks.tgtMask,
      memoryMask: masks.memoryMask,
      keyPaddingMask: masks.tgtKeyPaddingMask,
      memoryKeyPaddingMask: masks.memoryKeyPaddingMask,
      isCausal: masks.tgtIsCausal,
      memoryIsCausal: masks.memoryIsCausal,
    });
  }
}
