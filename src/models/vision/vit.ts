// Vision Transformer (Dosovitskiy et al. 2021): an image as a sequence of patches, with a token for the class in front. Keys, numerics
// and initial values are torchvision's.

import {
  Dropout,
  GELU,
  type LayerNorm,
  type Linear,
  Module,
  MultiheadAttention,
  Parameter,
  init,
} from '../../nn/index.js';
import { checkCount } from '../../nn/layer.js';
import { cat } from '../../tensor/functions.js';
import { ArgumentError, type OptionNames, ShapeError, checkOptions, formatShape } from '../../tensor/library.js';
import type { Tensor } from '../../tensor/tensor.js';
import { checkHeads } from '../check-heads.js';
import { type Block, type Conv, conv, inOrder, linear, layerNorm } from './blocks.js';
import { IMAGE_OPTIONS, ImageClassifier, type ImageOptions, checkDropout } from './image-model.js';

export interface VitOptions<K extends number = number, C extends number = number> extends ImageOptions<K, C> {
  /** Height and width of the images. Default 224. */
  readonly imageSize?: number;
  /** Height and width of a patch. Default 16. */
  readonly patchSize?: number;
  /** Blocks of attention and network. Default 12. */
  readonly layers?: number;
  /** Default 12. */
  readonly heads?: number;
  /** Features of a token. Default 768. */
  readonly width?: number;
  /** Width of the network behind the attention. Default four times `width`. */
  readonly mlpWidth?: number;
  /** Behind embedding, attention and network. Default 0. */
  readonly dropout?: number;
  /** Of the attention's weights. Default 0. */
  readonly attentionDropout?: number;
}

const VIT_OPTIONS: OptionNames<VitOptions> = {
  ...IMAGE_OPTIONS,
  imageSize: true,
  patchSize: true,
  layers: true,
  heads: true,
  width: true,
  mlpWidth: true,
  dropout: true,
  attentionDropout: true,
};

const norm = (width: number): LayerNorm<number> => layerNorm(width, { eps: 1e-6 });

/** Linear, GELU, linear; dropout behind both. torchvision: MLP. */
export function transformerMlp(width: number, inner: number, dropout: number): Block {
  const first = linear(width, inner);
  const second = linear(inner, width);
  for (const { weight, bias } of [first, second]) {
    init.xavierUniform_(weight);
    if (bias !== undefined) init.normal_(bias, 0, 1e-6);
  }
  return inOrder(first, new GELU(), new Dropout(dropout), second, new Dropout(dropout));
}

class VitBlock extends Module {
  readonly ln_1: Block;
  readonly selfAttention: MultiheadAttention<number>;
  readonly dropout: Dropout;
  readonly ln_2: Block;
  readonly mlp: Block;

  constructor(width: number, heads: number, mlpWidth: number, dropout: number, attentionDropout: number) {
    super();
    this.ln_1 = norm(width);
    this.selfAttention = new MultiheadAttention<number>(width, heads, { dropout: attentionDropout, batchFirst: true });
    this.dropout = new Dropout(dropout);
    this.ln_2 = norm(width);
    this.mlp = transformerMlp(width, mlpWidth, dropout);
  }

  forward(x: Tensor): Tensor {
    const normal: Tensor = this.ln_1.forward(x);
    const [seen] = this.selfAttention.forward(normal, normal, normal, { needWeights: false });
    const y: Tensor = this.dropout.forward(seen).add(x);
    return y.add(this.mlp.forward(this.ln_2.forward(y)));
  }
}

class VitEncoder extends Module {
  readonly posEmbedding: Parameter;
  readonly dropout: Dropout;
  private readonly blocks: readonly Block[];
  readonly ln: Block;

  constructor(length: number, width: number, dropout: number, blocks: readonly Block[]) {
    super();
    this.posEmbedding = new Parameter(init.normal([1, length, width], 0, 0.02));
    this.dropout = new Dropout(dropout);
    this.blocks = blocks;
    this.ln = norm(width);
  }

  override fields(): Iterable<readonly [string, unknown]> {
    const layers = Object.fromEntries(this.blocks.map((block, i) => [`encoder_layer_${i}`, block]));
    return Object.entries({ pos_embedding: this.posEmbedding, dropout: this.dropout, layers, ln: this.ln });
  }

  forward(x: Tensor): Tensor {
    const start: Tensor = this.dropout.forward(x.add(this.posEmbedding));
    return this.ln.forward(this.blocks.reduce((y, block) => block.forward(y), start));
  }
}

/** Images [N, inChannels, imageSize, imageSize] → logits [N, classes]. torchvision: VisionTransformer. */
export class VisionTransformer<K extends number = number, C extends number = number> extends ImageClassifier<
  'VisionTransformer',
  K,
  C
> {
  readonly classToken: Parameter;
  readonly convProj: Conv;
  readonly encoder: VitEncoder;
  heads: { readonly head: Linear<number, number> };
  private readonly imageSize: number;

  constructor(options: VitOptions<K, C> = {}) {
    checkOptions(new.target.name, options, VIT_OPTIONS);
    super(options);
    const { imageSize = 224, patchSize = 16, layers = 12, heads = 12, width = 768 } = options;
    const { mlpWidth = 4 * width, dropout = 0, attentionDropout = 0 } = options;
    const sizes = { imageSize, patchSize, layers, heads, width, mlpWidth };
    for (const [name, size] of Object.entries(sizes)) checkCount(size, 1, `VisionTransformer: ${name}`);
    checkDropout('VisionTransformer', dropout);
    checkDropout('VisionTransformer', attentionDropout, 'attentionDropout');
    if (imageSize % patchSize !== 0)
      throw new ArgumentError(
        `VisionTransformer: patches of ${patchSize} do not divide an image of ${imageSize}. Use a patchSize that does.`,
      );
    checkHeads('VisionTransformer', width, heads);
    const length = (imageSize / patchSize) ** 2 + 1;
    const block = (): Block => new VitBlock(width, heads, mlpWidth, dropout, attentionDropout);
    this.classToken = new Parameter(init.zeros([1, 1, width]));
    this.convProj = conv(this.inChannels, width, patchSize, { stride: patchSize });
    init.truncNormal_(this.convProj.weight, 0, Math.sqrt(1 / (this.inChannels * patchSize ** 2)));
    if (this.convProj.bias !== undefined) init.zeros_(this.convProj.bias);
    this.encoder = new VitEncoder(length, width, dropout, Array.from({ length: layers }, block));
    const head = linear(width, this.classes);
    init.zeros_(head.weight);
    if (head.bias !== undefined) init.zeros_(head.bias);
    this.heads = { head };
    this.imageSize = imageSize;
  }

  protected setHead(classes: number): void {
    this.heads = { head: linear(Number(this.heads.head.weight.shape[1]), classes) };
  }

  protected logits(x: Tensor): Tensor {
    const { imageSize } = this;
    if (x.shape[2] !== imageSize || x.shape[3] !== imageSize) {
      throw new ShapeError(
        `VisionTransformer: input ${formatShape(x.shape)}: height and width are not imageSize ${imageSize}. Resize the images`,
        [x.shape],
      );
    }
    const patches: Tensor = this.convProj.forward(x).flatten(2).transpose(1, 2); // [N, patches, width]
    const [batch, , width] = patches.shape;
    const tokens: Tensor = cat([this.classToken.expand([batch, 1, width]), patches], 1);
    return this.heads.head.forward(this.encoder.forward(tokens).select(1, 0));
  }
}

/** 86.6 million parameters with 1000 classes. torchvision: vit_b_16. */
export function vitB16<const K extends number = 1000, const C extends number = 3>(
  options?: VitOptions<K, C>,
): VisionTransformer<K, C> {
  return new VisionTransformer(options);
}

/** 88.2 million parameters with 1000 classes. torchvision: vit_b_32. */
export function vitB32<const K extends number = 1000, const C extends number = 3>(
  options?: VitOptions<K, C>,
): VisionTransformer<K, C> {
  return new VisionTransformer({ patchSize: 32, ...options });
}

/** 304 million parameters with 1000 classes. torchvision: vit_l_16. */
export function vitL16<const K extends number = 1000, const C extends number = 3>(
  options?: VitOptions<K, C>,
): VisionTransformer<K, C> {
  return new VisionTransformer({ layers: 24, heads: 16, width: 1024, ...options });
}
