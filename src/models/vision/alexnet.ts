// AlexNet: as torchvision has it (the one column of Krizhevsky 2014), and as in the first paper (Krizhevsky et al. 2012) with local
// response normalisation and convolutions in two groups.

import { AdaptiveAvgPool2d, Dropout, LocalResponseNorm, ReLU, init } from '../../nn/index.js';
import { type OptionNames, checkOptions } from '../../tensor/library.js';
import type { Tensor } from '../../tensor/tensor.js';
import { type Block, type Chain, affineLayers, conv, inOrder, linear, withHead, maxPool } from './blocks.js';
import { IMAGE_OPTIONS, ImageClassifier, type ImageOptions, checkDropout } from './image-model.js';

export interface AlexNetOptions<K extends number = number, C extends number = number> extends ImageOptions<K, C> {
  /** In front of both hidden linear layers. Default 0.5. */
  readonly dropout?: number;
}

const ALEX_NET_OPTIONS: OptionNames<AlexNetOptions> = { ...IMAGE_OPTIONS, dropout: true };

/** Images [N, inChannels, H, W] of at least 63×63 → logits [N, classes]. torchvision: AlexNet. */
export class AlexNet<K extends number = number, C extends number = number> extends ImageClassifier<'AlexNet', K, C> {
  readonly features: Block;
  readonly avgpool: Block;
  classifier: Chain;

  /** `isFirst`: as in the paper of 2012. */
  constructor(options: AlexNetOptions<K, C> = {}, isFirst = false) {
    checkOptions(new.target.name, options, ALEX_NET_OPTIONS);
    super(options);
    const { dropout = 0.5 } = options;
    checkDropout('AlexNet', dropout);
    this.features = isFirst ? firstFeatures(this.inChannels) : features(this.inChannels);
    this.avgpool = new AdaptiveAvgPool2d(6);
    this.classifier = inOrder(
      new Dropout(dropout),
      linear(256 * 6 * 6, 4096),
      new ReLU(),
      new Dropout(dropout),
      linear(4096, 4096),
      new ReLU(),
      linear(4096, this.classes),
    );
    if (isFirst) this.startAsFirst();
  }

  /** Weights normal with deviation 0.01; biases 1 where that feeds ReLUs with positive numbers, else 0 (section 5 of the paper). */
  private startAsFirst(): void {
    affineLayers(this).forEach(({ weight, bias }, i) => {
      init.normal_(weight, 0, 0.01);
      if (bias !== undefined) init.constant_(bias, [1, 3, 4, 5, 6].includes(i) ? 1 : 0);
    });
  }

  protected setHead(classes: number): void {
    this.classifier = withHead(this.classifier, classes);
  }

  protected logits(x: Tensor): Tensor {
    return this.classifier.forward(this.avgpool.forward(this.features.forward(x)).flatten(1));
  }
}

function features(from: number): Block {
  return inOrder(
    conv(from, 64, 11, { stride: 4, padding: 2 }), // [N, 64, 55, 55] of 224×224
    new ReLU(),
    maxPool(3, { stride: 2 }),
    conv(64, 192, 5, { padding: 2 }), //             [N, 192, 27, 27]
    new ReLU(),
    maxPool(3, { stride: 2 }),
    conv(192, 384, 3, { padding: 1 }), //            [N, 384, 13, 13]
    new ReLU(),
    conv(384, 256, 3, { padding: 1 }),
    new ReLU(),
    conv(256, 256, 3, { padding: 1 }),
    new ReLU(),
    maxPool(3, { stride: 2 }), //              [N, 256, 6, 6]
  );
}

/** The paper adds α·Σx² over five channels, PyTorch α times their mean: 1e-4 · 5. */
const responseNorm = () => new LocalResponseNorm(5, { alpha: 5e-4, beta: 0.75, k: 2 });

function firstFeatures(from: number): Block {
  return inOrder(
    conv(from, 96, 11, { stride: 4 }), //                 [N, 96, 55, 55] of 227×227
    new ReLU(),
    responseNorm(),
    maxPool(3, { stride: 2 }),
    conv(96, 256, 5, { padding: 2, groups: 2 }), //       [N, 256, 27, 27]
    new ReLU(),
    responseNorm(),
    maxPool(3, { stride: 2 }),
    conv(256, 384, 3, { padding: 1 }), //                 [N, 384, 13, 13]
    new ReLU(),
    conv(384, 384, 3, { padding: 1, groups: 2 }),
    new ReLU(),
    conv(384, 256, 3, { padding: 1, groups: 2 }),
    new ReLU(),
    maxPool(3, { stride: 2 }), //                   [N, 256, 6, 6]
  );
}

/** 61.1 million parameters with 1000 classes. torchvision: alexnet. */
export function alexnet<const K extends number = 1000, const C extends number = 3>(
  options?: AlexNetOptions<K, C>,
): AlexNet<K, C> {
  return new AlexNet(options);
}

/** The network of the paper, for 227×227 pixels: 61.0 million parameters with 1000 classes (Krizhevsky et al. 2012). */
export function alexnet2012<const K extends number = 1000, const C extends number = 3>(
  options?: AlexNetOptions<K, C>,
): AlexNet<K, C> {
  return new AlexNet(options, true);
}
