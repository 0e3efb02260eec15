// Vision Transformer (Dosovitskiy et al. 2021) under transformers' keys: those of ViTModel and ViTForImageClassification. The same network
// under torchvision's keys is VisionTransformer (vision/vit.ts), whose attention packs its three projections.

import { Dropout, LayerNorm, type Linear, Module, Parameter, init } from '../../nn/index.js';
import { checkCount } from '../../nn/layer.js';
import { cat } from '../../tensor/functions.js';
import {
  ArgumentError,
  type OptionNames,
  ShapeError,
  checkList,
  checkNumber,
  checkOptions,
  formatShape,
  shown,
} from '../../tensor/library.js';
import { type Tensor, checkTensor } from '../../tensor/tensor.js';
import { checkHeads } from '../check-heads.js';
import { type Activation, activationNamed } from '../text/activations.js';
import { type Norm, attend, linear } from '../text/blocks.js';
import type { Config } from '../text/config.js';
import { type Block, type Conv, conv } from './blocks.js';

/** Names and defaults are those of transformers' ViTConfig, in camelCase. */
export interface ViTModelOptions {
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
  /** Behind embeddings, attention and network. Default 0. */
  readonly hiddenDropoutProb?: number;
  /** Of the attention's weights. Default 0. */
  readonly attentionProbsDropoutProb?: number;
  /** Deviation of the initial weights. Default 0.02. */
  readonly initializerRange?: number;
  /** Default 1e-12. */
  readonly layerNormEps?: number;
  /** Height and width of the images, or one number for both. Default 224. */
  readonly imageSize?: number | readonly number[];
  /** Height and width of a patch, or one number for both. Default 16. */
  readonly patchSize?: number | readonly number[];
  /** Default 3. */
  readonly numChannels?: number;
  /** Biases of queries, keys and values. Default true. */
  readonly qkvBias?: boolean;
  /** Features of the pooler. Default `hiddenSize`. */
  readonly poolerOutputSize?: number;
  /** Default 'tanh'. */
  readonly poolerAct?: Activation;
}

const VIT_MODEL_OPTIONS: OptionNames<ViTModelOptions> = {
  hiddenSize: true,
  numHiddenLayers: true,
  numAttentionHeads: true,
  intermediateSize: true,
  hiddenAct: true,
  hiddenDropoutProb: true,
  attentionProbsDropoutProb: true,
  initializerRange: true,
  layerNormEps: true,
  imageSize: true,
  patchSize: true,
  numChannels: true,
  qkvBias: true,
  poolerOutputSize: true,
  poolerAct: true,
};

type Extent = readonly [height: number, width: number];

interface Sizes extends Required<Omit<ViTModelOptions, 'imageSize' | 'patchSize'>> {
  readonly image: Extent;
  readonly patch: Extent;
}

function extentOf(call: string, option: string, value: number | readonly number[]): Extent {
  if (typeof value === 'object') checkList(call, option, value, 'height and width');
  const sides: readonly number[] = typeof value === 'object' ? value : [value];
  const [height, width = height, ...rest] = sides;
  if (rest.length > 0) throw new ArgumentError(`${call}: ${option} is ${shown(value)}. Give height and width.`);
  for (const side of [height, width]) checkCount(side, 1, `${call}: ${option}`);
  return [height, width];
}

function sizesOf(call: string, options: ViTModelOptions): Sizes {
  const { hiddenSize = 768, numHiddenLayers = 12, numAttentionHeads = 12, intermediateSize = 3072 } = options;
  const { hiddenAct = 'gelu', hiddenDropoutProb = 0, attentionProbsDropoutProb = 0, initializerRange = 0.02 } = options;
  const { layerNormEps = 1e-12, imageSize = 224, patchSize = 16, numChannels = 3, qkvBias = true } = options;
  const { poolerOutputSize = hiddenSize, poolerAct = 'tanh' } = options;
  const counts = { hiddenSize, numHiddenLayers, numAttentionHeads, intermediateSize, numChannels, poolerOutputSize };
  for (const [name, count] of Object.entries(counts)) checkCount(count, 1, `${call}: ${name}`);
  const numbers = { hiddenDropoutProb, attentionProbsDropoutProb, initializerRange, layerNormEps };
  for (const [name, value] of Object.entries(numbers)) checkNumber(call, name, value);
  checkHeads(call, hiddenSize, numAttentionHeads);
  const image = extentOf(call, 'imageSize', imageSize);
  const patch = extentOf(call, 'patchSize', patchSize);
  if (patch.some((side, i) => side > image[i]))
    throw new ArgumentError(
      `${call}: patches of ${patch.join('×')} are larger than images of ${image.join('×')}. Use smaller ones.`,
    );
  return { ...counts, ...numbers, hiddenAct, qkvBias, poolerAct, image, patch };
}

const norm = ({ hiddenSize, layerNormEps }: Sizes): Norm => new LayerNorm<number>(hiddenSize, { eps: layerNormEps });

class PatchEmbeddings extends Module {
  readonly projection: Conv;

  constructor({ numChannels, hiddenSize, patch }: Sizes) {
    super();
    this.projection = conv(numChannels, hiddenSize, patch, { stride: patch });
  }

  /** [N, channels, height, width] → [N, patches, hiddenSize] */
  forward(x: Tensor): Tensor {
    const patches: Tensor = this.projection.forward(x);
    return patches.flatten(2).transpose(1, 2);
  }
}

class ImageEmbeddings extends Module {
  readonly clsToken: Parameter;
  readonly positionEmbeddings: Parameter;
  readonly patchEmbeddings: PatchEmbeddings;
  readonly dropout: Dropout;

  constructor(sizes: Sizes) {
    super();
    const { image, patch, hiddenSize, initializerRange } = sizes;
    const count = Math.floor(image[0] / patch[0]) * Math.floor(image[1] / patch[1]);
    this.clsToken = new Parameter<readonly number[]>(init.zeros([1, 1, hiddenSize]));
    this.positionEmbeddings = new Parameter<readonly number[]>(init.zeros([1, count + 1, hiddenSize]));
    for (const part of [this.clsToken, this.positionEmbeddings]) init.truncNormal_(part, 0, initializerRange);
    this.patchEmbeddings = new PatchEmbeddings(sizes);
    this.dropout = new Dropout(sizes.hiddenDropoutProb);
  }

  forward(x: Tensor): Tensor {
    const patches: Tensor = this.patchEmbeddings.forward(x);
    const [batch, , width] = patches.shape;
    const tokens: Tensor = cat([this.clsToken.expand([batch, 1, width]), patches], 1);
    return this.dropout.forward(tokens.add(this.positionEmbeddings));
  }
}

class ViTAttention extends Module {
  readonly qProj: Block;
  readonly kProj: Block;
  readonly vProj: Block;
  readonly oProj: Block;
  private readonly heads: number;
  private readonly dropout: number;

  constructor({ hiddenSize, numAttentionHeads, qkvBias, attentionProbsDropoutProb }: Sizes) {
    super();
    this.qProj = linear(hiddenSize, hiddenSize, qkvBias);
    this.kProj = linear(hiddenSize, hiddenSize, qkvBias);
    this.vProj = linear(hiddenSize, hiddenSize, qkvBias);
    this.oProj = linear(hiddenSize, hiddenSize);
    this.heads = numAttentionHeads;
    this.dropout = attentionProbsDropoutProb;
  }

  forward(x: Tensor): Tensor {
    const dropout = this.training ? this.dropout : 0;
    return this.oProj.forward(attend(x, [this.qProj, this.kProj, this.vProj], { heads: this.heads, dropout }));
  }
}

class Network extends Module {
  readonly fc1: Block;
  readonly fc2: Block;
  private readonly activation: (x: Tensor) => Tensor;

  constructor({ hiddenSize, intermediateSize, hiddenAct }: Sizes) {
    super();
    this.fc1 = linear(hiddenSize, intermediateSize);
    this.fc2 = linear(intermediateSize, hiddenSize);
    this.activation = activationNamed('ViT', 'hiddenAct', hiddenAct);
  }

  forward(x: Tensor): Tensor {
    return this.fc2.forward(this.activation(this.fc1.forward(x)));
  }
}

class ViTLayer extends Module {
  readonly attention: ViTAttention;
  readonly layernormBefore: Norm;
  readonly layernormAfter: Norm;
  readonly mlp: Network;
  readonly dropout: Dropout;

  constructor(sizes: Sizes) {
    super();
    this.attention = new ViTAttention(sizes);
    this.layernormBefore = norm(sizes);
    this.layernormAfter = norm(sizes);
    this.mlp = new Network(sizes);
    this.dropout = new Dropout(sizes.hiddenDropoutProb);
  }

  forward(x: Tensor): Tensor {
    const y: Tensor = this.dropout.forward(this.attention.forward(this.layernormBefore.forward(x))).add(x);
    return this.dropout.forward(this.mlp.forward(this.layernormAfter.forward(y))).add(y);
  }
}

/** Keys as files have them that were written before transformers 5, and what they are called now, one after the other. */
const OLD_KEYS: readonly (readonly [RegExp, string])[] = [
  [/encoder\.layer\.(\d+)\.attention\.attention\.(query|key|value)\./, 'layers.$1.attention.$2.'],
  [/encoder\.layer\.(\d+)\.attention\.output\.dense\./, 'layers.$1.attention.o_proj.'],
  [/encoder\.layer\.(\d+)\.intermediate\.dense\./, 'layers.$1.mlp.fc1.'],
  [/encoder\.layer\.(\d+)\.output\.dense\./, 'layers.$1.mlp.fc2.'],
  [/encoder\.layer\./, 'layers.'],
  [/\.attention\.query\./, '.attention.q_proj.'],
  [/\.attention\.key\./, '.attention.k_proj.'],
  [/\.attention\.value\./, '.attention.v_proj.'],
];

function optionsOf(config: Config): ViTModelOptions {
  const options = config.options<ViTModelOptions>(VIT_MODEL_OPTIONS);
  const { hiddenSize = 768, numAttentionHeads = 12 } = options;
  config.refuse('head_dim', [hiddenSize / numAttentionHeads, undefined]);
  return options;
}

/** Linear layers as transformers starts them: normal, cut off at ± 2, biases 0. */
function start(model: Module, { initializerRange }: Sizes): void {
  model.apply((m) => {
    if (!('weight' in m) || !(m.weight instanceof Parameter) || m.weight.rank < 2) return;
    init.truncNormal_(m.weight, 0, initializerRange);
    if ('bias' in m && m.bias instanceof Parameter) init.zeros_(m.bias);
  });
}

export interface ViTBodyOptions extends ViTModelOptions {
  /** With the layer over the class token. Default true. */
  readonly pooler?: boolean;
}

/** Images [N, numChannels, height, width] → features [N, 1 + patches, hiddenSize], the class token's first. transformers: ViTModel. */
export class ViT extends Module {
  static readonly modelType = 'vit';
  static readonly renames = OLD_KEYS;
  readonly embeddings: ImageEmbeddings;
  readonly layers: readonly ViTLayer[];
  readonly layernorm: Norm;
  pooler: { readonly dense: Block } | undefined;
  private readonly sizes: Sizes;

  constructor({ pooler = true, ...options }: ViTBodyOptions = {}) {
    checkOptions(new.target.name, options, VIT_MODEL_OPTIONS);
    const sizes = sizesOf('ViT', options);
    super();
    this.embeddings = new ImageEmbeddings(sizes);
    this.layers = Array.from({ length: sizes.numHiddenLayers }, () => new ViTLayer(sizes));
    this.layernorm = norm(sizes);
    this.pooler = pooler ? { dense: linear(sizes.hiddenSize, sizes.poolerOutputSize) } : undefined;
    this.sizes = sizes;
    start(this, sizes);
  }

  /** Made as transformers' config.json says. */
  static fromConfig(config: Config): ViT {
    return new ViT(optionsOf(config));
  }

  forward(x: Tensor): Tensor {
    checkTensor(x, 'ViT', 'the images');
    const { image, numChannels } = this.sizes;
    if (x.rank !== 4 || x.shape[1] !== numChannels || x.shape[2] !== image[0] || x.shape[3] !== image[1])
      throw new ShapeError(
        `ViT: input ${formatShape(x.shape)}: needs [N, ${numChannels}, ${image.join(', ')}]. Resize the images`,
        [x.shape],
      );
    const features: Tensor = this.layers.reduce((y, layer) => layer.forward(y), this.embeddings.forward(x));
    return this.layernorm.forward(features);
  }

  /** Of features [N, T, hiddenSize]: a linear layer and its activation over the class token, [N, poolerOutputSize]. Without a pooler the token. */
  pooled(features: Tensor): Tensor {
    const first: Tensor = features.select(1, 0);
    const activation = activationNamed('ViT', 'poolerAct', this.sizes.poolerAct);
    return this.pooler === undefined ? first : activation(this.pooler.dense.forward(first));
  }
}

export interface ViTClassifierOptions extends ViTModelOptions {
  /** Classes. Default 2, as transformers has it. */
  readonly numLabels?: number;
}

/** Images [N, numChannels, height, width] → logits [N, numLabels]. transformers: ViTForImageClassification. */
export class ViTClassifier extends Module {
  static readonly modelType = 'vit';
  static readonly renames = OLD_KEYS;
  readonly vit: ViT;
  readonly classifier: Linear<number, number>;

  constructor(options: ViTClassifierOptions = {}) {
    checkOptions(new.target.name, options, { ...VIT_MODEL_OPTIONS, numLabels: true });
    const { numLabels = 2, ...rest } = options;
    const sizes = sizesOf('ViTClassifier', rest);
    checkCount(numLabels, 1, 'ViTClassifier: numLabels');
    super();
    this.vit = new ViT({ ...rest, pooler: false });
    this.classifier = linear(sizes.hiddenSize, numLabels);
    start(this, sizes);
  }

  /** Made as transformers' config.json says; the number of classes is that of its `id2label`. */
  static fromConfig(config: Config): ViTClassifier {
    const numLabels = config.labels.length;
    return new ViTClassifier({ ...optionsOf(config), ...(numLabels > 0 && { numLabels }) });
  }

  forward(x: Tensor): Tensor {
    return this.classifier.forward(this.vit.forward(x).select(1, 0));
  }
}
