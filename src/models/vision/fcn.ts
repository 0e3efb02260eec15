// Segmentation on a dilated ResNet (torchvision: FCN and DeepLabV3), and on a dilated MobileNet-v3 (LRASPP). All give `{ out }`, with an
// auxiliary head `{ out, aux }`, in training and in evaluation. Keys, numerics and initial values are torchvision's.
//   FCN: Long et al. 2015, as torchvision builds it; DeepLabV3: Chen et al. 2017; LRASPP: Howard et al. 2019.

import { Dropout, Module, ReLU, Sigmoid } from '../../nn/index.js';
import { cat } from '../../tensor/functions.js';
import { type OptionNames, checkChoice, checkOptions } from '../../tensor/library.js';
import type { Tensor } from '../../tensor/tensor.js';
import {
  type Block,
  type Chain,
  type Conv,
  GlobalMean,
  conv,
  inOrder,
  plainConv,
  startConvolutions,
  batchNorm,
} from './blocks.js';
import { mobilenetV3Features } from './mobilenet-v3.js';
import { ResNetBody } from './resnet.js';
import { SEGMENTATION_OPTIONS, type SegmentationOptions, Segmenter, fcnHead, resized } from './segmentation.js';

export interface FcnOptions<
  K extends number = number,
  C extends number = number,
  A extends boolean = boolean,
> extends SegmentationOptions<K, C> {
  /** Whether a second head looks at the third stage, for the loss in training. Default false. */
  readonly auxLoss?: A;
  /** Layers of the ResNet: 50 (default) or 101. */
  readonly depth?: 50 | 101;
}

const FCN_OPTIONS: OptionNames<FcnOptions> = { ...SEGMENTATION_OPTIONS, auxLoss: true, depth: true };

type Output<A extends boolean> = A extends false ? 'out' : 'aux';

/** A ResNet whose last two stages dilate, and a head on it. */
abstract class OnResNet<Name extends string, K extends number, C extends number, A extends boolean> extends Segmenter<
  Name,
  K,
  C,
  Output<A>
> {
  readonly backbone: ResNetBody;
  readonly classifier: Block;
  readonly auxClassifier: Block | undefined;

  constructor(options: FcnOptions<K, C, A>, head: (from: number, classes: number) => Block) {
    super(options);
    const { auxLoss = false, depth = 50 } = options;
    checkChoice(this.constructor.name, 'depth', depth, [50, 101]);
    const counts = [3, 4, depth === 50 ? 6 : 23, 3] as const;
    const { inChannels } = this;
    this.backbone = new ResNetBody(counts, { inChannels }, { kind: 'bottleneck', dilate: [false, true, true] });
    this.classifier = head(2048, this.classes);
    this.auxClassifier = auxLoss ? fcnHead(1024, this.classes) : undefined;
  }

  protected segment(x: Tensor): Readonly<Record<string, Tensor>> {
    const [, , third, fourth] = this.backbone.maps(x);
    const out = resized(this.classifier.forward(fourth), x);
    return this.auxClassifier === undefined ? { out } : { out, aux: resized(this.auxClassifier.forward(third), x) };
  }
}

/** Images [N, inChannels, H, W] → { out } or { out, aux }, each [N, classes, H, W]. torchvision: FCN. */
export class FCN<K extends number = number, C extends number = number, A extends boolean = boolean> extends OnResNet<
  'FCN',
  K,
  C,
  A
> {
  constructor(options: FcnOptions<K, C, A> = {}) {
    checkOptions(new.target.name, options, FCN_OPTIONS);
    super(options, fcnHead);
  }
}

/** 3×3 convolutions at several distances, and the mean of the image, side by side. torchvision: ASPP. */
class SpatialPyramid extends Module {
  readonly convs: readonly Block[];
  readonly project: Block;

  constructor(from: number, rates: readonly number[]) {
    super();
    const normal = (convolution: Conv): Block[] => [convolution, batchNorm(256), new ReLU()];
    this.convs = [
      inOrder(...normal(plainConv(from, 256, 1))),
      ...rates.map((rate) => inOrder(...normal(plainConv(from, 256, 3, { padding: rate, dilation: rate })))),
      inOrder(new GlobalMean(), ...normal(plainConv(from, 256, 1))),
    ];
    this.project = inOrder(...normal(plainConv(256 * this.convs.length, 256, 1)), new Dropout(0.5));
  }

  forward(x: Tensor): Tensor {
    const maps = this.convs.map((branch) => branch.forward(x));
    const whole = maps.length - 1; // one pixel, at all places the same
    maps[whole] = maps[whole].expand([x.shape[0], 256, x.shape[2], x.shape[3]]);
    return this.project.forward(cat(maps, 1));
  }
}

function deepLabHead(from: number, classes: number): Block {
  return inOrder(
    new SpatialPyramid(from, [12, 24, 36]),
    plainConv(256, 256, 3, { padding: 1 }),
    batchNorm(256),
    new ReLU(),
    conv(256, classes, 1),
  );
}

/** Images [N, inChannels, H, W] → { out } or { out, aux }, each [N, classes, H, W]. torchvision: DeepLabV3. */
export class DeepLabV3<
  K extends number = number,
  C extends number = number,
  A extends boolean = boolean,
> extends OnResNet<'DeepLabV3', K, C, A> {
  constructor(options: FcnOptions<K, C, A> = {}) {
    checkOptions(new.target.name, options, FCN_OPTIONS);
    super(options, deepLabHead);
  }
}

/** The deep map weighted by its mean and enlarged, plus the classes of a shallow one. */
class LiteHead extends Module {
  readonly cbr: Block;
  readonly scale: Block;
  readonly lowClassifier: Conv;
  readonly highClassifier: Conv;

  constructor(low: number, high: number, classes: number) {
    super();
    this.cbr = inOrder(plainConv(high, 128, 1), batchNorm(128), new ReLU());
    this.scale = inOrder(new GlobalMean(), plainConv(high, 128, 1), new Sigmoid());
    this.lowClassifier = conv(low, classes, 1);
    this.highClassifier = conv(128, classes, 1);
  }

  forward(low: Tensor, high: Tensor): Tensor {
    const deep: Tensor = this.cbr.forward(high).mul(this.scale.forward(high));
    const shallow: Tensor = this.lowClassifier.forward(low);
    return shallow.add(this.highClassifier.forward(resized(deep, low)));
  }
}

const LRASPP_OPTIONS: OptionNames<SegmentationOptions> = SEGMENTATION_OPTIONS;

/** Images [N, inChannels, H, W] → { out }, [N, classes, H, W]. torchvision: LRASPP on MobileNet-v3 large. */
export class LRASPP<K extends number = number, C extends number = number> extends Segmenter<'LRASPP', K, C, 'out'> {
  readonly backbone: Chain;
  readonly classifier: LiteHead;

  constructor(options: SegmentationOptions<K, C> = {}) {
    checkOptions(new.target.name, options, LRASPP_OPTIONS);
    super(options);
    this.backbone = mobilenetV3Features('large', this.inChannels, { isDilated: true });
    startConvolutions(this.backbone);
    this.classifier = new LiteHead(40, 960, this.classes);
  }

  protected segment(x: Tensor): { out: Tensor } {
    const { layers } = this.backbone;
    const through = (blocks: readonly Block[], from: Tensor): Tensor =>
      blocks.reduce((y, block) => block.forward(y), from);
    const low = through(layers.slice(0, 5), x); // an eighth of the size
    const high = through(layers.slice(5), low);
    return { out: resized(this.classifier.forward(low, high), x) };
  }
}

/** 33.0 million parameters with 21 classes, 35.3 with the auxiliary head. torchvision: fcn_resnet50 (depth 101: fcn_resnet101). */
export function fcn<const K extends number = 21, const C extends number = 3, const A extends boolean = false>(
  options?: FcnOptions<K, C, A>,
): FCN<K, C, A> {
  return new FCN(options);
}

/** 39.6 million parameters with 21 classes, 42.0 with the auxiliary head. torchvision: deeplabv3_resnet50 (depth 101: …_resnet101). */
export function deeplabV3<const K extends number = 21, const C extends number = 3, const A extends boolean = false>(
  options?: FcnOptions<K, C, A>,
): DeepLabV3<K, C, A> {
  return new DeepLabV3(options);
}

/** 3.2 million parameters with 21 classes. torchvision: lraspp_mobilenet_v3_large. */
export function lraspp<const K extends number = 21, const C extends number = 3>(
  options?: SegmentationOptions<K, C>,
): LRASPP<K, C> {
  return new LRASPP(options);
}
