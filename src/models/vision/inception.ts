// Inception-v3 (Szegedy et al. 2016): large kernels as chains of small and flat ones, and one auxiliary classifier. Keys, numerics and
// initial values are torchvision's.

import { Dropout, type Linear, Module, init } from '../../nn/index.js';
import { avgPool2d, maxPool2d } from '../../tensor/pooling.js';
import { cat } from '../../tensor/functions.js';
import { type OptionNames, checkOptions } from '../../tensor/library.js';
import type { Tensor } from '../../tensor/tensor.js';
import { AUXILIARY_OPTIONS, AuxiliaryClassifier, type AuxiliaryOptions } from './auxiliary.js';
import { type Block, affineLayers, linear, maxPool } from './blocks.js';
import { BasicConv } from './googlenet.js';
import { checkDropout } from './image-model.js';

export interface InceptionOptions<
  K extends number = number,
  C extends number = number,
  A extends boolean = boolean,
> extends AuxiliaryOptions<K, C, A> {
  /** In front of the last layer. Default 0.5. */
  readonly dropout?: number;
}

const INCEPTION_OPTIONS: OptionNames<InceptionOptions> = { ...AUXILIARY_OPTIONS, dropout: true };

/** Output channels, kernel (square, or flat: height and width), stride; stride 1 is padded to keep the size unless told. */
type Step = readonly [key: string, to: number, kernel: number | readonly [number, number], stride?: number];

/** Convolutions by their keys; a branch is a list of them, one after the other. */
abstract class Mixed extends Module {
  private readonly convolutions: Readonly<Record<string, BasicConv>>;

  constructor(from: number, branches: readonly (readonly Step[])[]) {
    super();
    const convolutions: Record<string, BasicConv> = {};
    for (const branch of branches) {
      let channels = from;
      for (const [key, to, kernel, stride = 1] of branch) {
        const sizes = typeof kernel === 'number' ? ([kernel, kernel] as const) : kernel;
        const padding = stride === 1 ? ([(sizes[0] - 1) / 2, (sizes[1] - 1) / 2] as const) : 0;
        convolutions[key] = new BasicConv(channels, to, sizes, { stride, padding });
        // both halves of a fork (`…_2a`, `…_2b`) take what was there before them
        if (!/[ab]$/.test(key)) channels = to;
      }
    }
    this.convolutions = convolutions;
  }

  override fields(): Iterable<readonly [string, unknown]> {
    return Object.entries(this.convolutions);
  }

  protected through(x: Tensor, ...keys: readonly string[]): Tensor {
    return keys.reduce((y, key) => this.convolutions[key].forward(y), x);
  }

  abstract forward(x: Tensor): Tensor;
}

const means = (x: Tensor): Tensor => avgPool2d(x, 3, { stride: 1, padding: 1 });
const maxima = (x: Tensor): Tensor => maxPool2d(x, 3, { stride: 2 });

/** 5×5 beside two 3×3. */
class InceptionA extends Mixed {
  constructor(from: number, pool: number) {
    super(from, [
      [['branch1x1', 64, 1]],
      [
        ['branch5x5_1', 48, 1],
        ['branch5x5_2', 64, 5],
      ],
      [
        ['branch3x3dbl_1', 64, 1],
        ['branch3x3dbl_2', 96, 3],
        ['branch3x3dbl_3', 96, 3],
      ],
      [['branch_pool', pool, 1]],
    ]);
  }

  forward(x: Tensor): Tensor {
    const five = this.through(x, 'branch5x5_1', 'branch5x5_2');
    const double = this.through(x, 'branch3x3dbl_1', 'branch3x3dbl_2', 'branch3x3dbl_3');
    return cat([this.through(x, 'branch1x1'), five, double, this.through(means(x), 'branch_pool')], 1);
  }
}

/** To half the size. */
class InceptionB extends Mixed {
  constructor(from: number) {
    super(from, [
      [['branch3x3', 384, 3, 2]],
      [
        ['branch3x3dbl_1', 64, 1],
        ['branch3x3dbl_2', 96, 3],
        ['branch3x3dbl_3', 96, 3, 2],
      ],
    ]);
  }

  forward(x: Tensor): Tensor {
    const double = this.through(x, 'branch3x3dbl_1', 'branch3x3dbl_2', 'branch3x3dbl_3');
    return cat([this.through(x, 'branch3x3'), double, maxima(x)], 1);
  }
}

/** 7×7 as 1×7 and 7×1. */
class InceptionC extends Mixed {
  constructor(from: number, width: number) {
    super(from, [
      [['branch1x1', 192, 1]],
      [
        ['branch7x7_1', width, 1],
        ['branch7x7_2', width, [1, 7]],
        ['branch7x7_3', 192, [7, 1]],
      ],
      [
        ['branch7x7dbl_1', width, 1],
        ['branch7x7dbl_2', width, [7, 1]],
        ['branch7x7dbl_3', width, [1, 7]],
        ['branch7x7dbl_4', width, [7, 1]],
        ['branch7x7dbl_5', 192, [1, 7]],
      ],
      [['branch_pool', 192, 1]],
    ]);
  }

  forward(x: Tensor): Tensor {
    const seven = this.through(x, 'branch7x7_1', 'branch7x7_2', 'branch7x7_3');
    const double = this.through(x, ...[1, 2, 3, 4, 5].map((i) => `branch7x7dbl_${i}`));
    return cat([this.through(x, 'branch1x1'), seven, double, this.through(means(x), 'branch_pool')], 1);
  }
}

/** To half the size. */
class InceptionD extends Mixed {
  constructor(from: number) {
    super(from, [
      [
        ['branch3x3_1', 192, 1],
        ['branch3x3_2', 320, 3, 2],
      ],
      [
        ['branch7x7x3_1', 192, 1],
        ['branch7x7x3_2', 192, [1, 7]],
        ['branch7x7x3_3', 192, [7, 1]],
        ['branch7x7x3_4', 192, 3, 2],
      ],
    ]);
  }

  forward(x: Tensor): Tensor {
    const three = this.through(x, 'branch3x3_1', 'branch3x3_2');
    const seven = this.through(x, ...[1, 2, 3, 4].map((i) => `branch7x7x3_${i}`));
    return cat([three, seven, maxima(x)], 1);
  }
}

/** 3×3 as 1×3 beside 3×1. */
class InceptionE extends Mixed {
  constructor(from: number) {
    super(from, [
      [['branch1x1', 320, 1]],
      [
        ['branch3x3_1', 384, 1],
        ['branch3x3_2a', 384, [1, 3]],
        ['branch3x3_2b', 384, [3, 1]],
      ],
      [
        ['branch3x3dbl_1', 448, 1],
        ['branch3x3dbl_2', 384, 3],
        ['branch3x3dbl_3a', 384, [1, 3]],
        ['branch3x3dbl_3b', 384, [3, 1]],
      ],
      [['branch_pool', 192, 1]],
    ]);
  }

  forward(x: Tensor): Tensor {
    const fork = (y: Tensor, key: string): Tensor[] => [this.through(y, `${key}a`), this.through(y, `${key}b`)];
    const three = fork(this.through(x, 'branch3x3_1'), 'branch3x3_2');
    const double = fork(this.through(x, 'branch3x3dbl_1', 'branch3x3dbl_2'), 'branch3x3dbl_3');
    return cat([this.through(x, 'branch1x1'), ...three, ...double, this.through(means(x), 'branch_pool')], 1);
  }
}

class InceptionAuxiliary extends Module {
  readonly conv0: BasicConv;
  readonly conv1: BasicConv;
  readonly fc: Linear<number, number>;

  constructor(from: number, classes: number) {
    super();
    this.conv0 = new BasicConv(from, 128, 1);
    this.conv1 = new BasicConv(128, 768, 5);
    this.fc = linear(768, classes);
  }

  forward(x: Tensor): Tensor {
    const pooled: Tensor = avgPool2d(x, 5, { stride: 3 });
    return this.fc.forward(this.conv1.forward(this.conv0.forward(pooled)).mean([2, 3]));
  }
}

/**
 * Images [N, inChannels, H, W] of at least 75×75, made for 299×299 → logits [N, classes]; in training, unless `auxLogits` is false, the
 * list of logits and those of the auxiliary classifier, which needs 299×299: see `auxiliaryCrossEntropy`. torchvision: Inception3.
 */
export class InceptionV3<
  K extends number = number,
  C extends number = number,
  A extends boolean = boolean,
> extends AuxiliaryClassifier<'InceptionV3', K, C, A, 1> {
  private readonly lower: Readonly<Record<string, Block>>;
  private readonly auxiliary: InceptionAuxiliary | undefined;
  private readonly upper: Readonly<Record<string, Block>>;
  readonly dropout: Dropout;
  readonly fc: Linear<number, number>;

  constructor(options: InceptionOptions<K, C, A> = {}) {
    checkOptions(new.target.name, options, INCEPTION_OPTIONS);
    super(options);
    const { dropout = 0.5 } = options;
    checkDropout('InceptionV3', dropout);
    this.lower = {
      Conv2d_1a_3x3: new BasicConv(this.inChannels, 32, 3, { stride: 2 }),
      Conv2d_2a_3x3: new BasicConv(32, 32, 3),
      Conv2d_2b_3x3: new BasicConv(32, 64, 3, { padding: 1 }),
      maxpool1: maxPool(3, { stride: 2 }),
      Conv2d_3b_1x1: new BasicConv(64, 80, 1),
      Conv2d_4a_3x3: new BasicConv(80, 192, 3),
      maxpool2: maxPool(3, { stride: 2 }),
      Mixed_5b: new InceptionA(192, 32),
      Mixed_5c: new InceptionA(256, 64),
      Mixed_5d: new InceptionA(288, 64),
      Mixed_6a: new InceptionB(288),
      Mixed_6b: new InceptionC(768, 128),
      Mixed_6c: new InceptionC(768, 160),
      Mixed_6d: new InceptionC(768, 160),
      Mixed_6e: new InceptionC(768, 192),
    };
    this.auxiliary = this.hasAuxiliary ? new InceptionAuxiliary(768, this.classes) : undefined;
    this.upper = {
      Mixed_7a: new InceptionD(768),
      Mixed_7b: new InceptionE(1280),
      Mixed_7c: new InceptionE(2048),
    };
    this.dropout = new Dropout(dropout);
    this.fc = linear(2048, this.classes);
    for (const { path, weight } of affineLayers(this)) {
      const std = path === 'AuxLogits.fc' ? 0.001 : path === 'AuxLogits.conv1.conv' ? 0.01 : 0.1;
      init.truncNormal_(weight, 0, std);
    }
  }

  override fields(): Iterable<readonly [string, unknown]> {
    const { lower, auxiliary, upper, dropout, fc } = this;
    return Object.entries({ ...lower, AuxLogits: auxiliary, ...upper, dropout, fc });
  }

  protected logits(x: Tensor, withAuxiliary: boolean): readonly Tensor[] {
    const middle = Object.values(this.lower).reduce((y, block) => block.forward(y), x);
    const top: Tensor = Object.values(this.upper)
      .reduce((y, block) => block.forward(y), middle)
      .mean([2, 3]);
    const logits: Tensor = this.fc.forward(this.dropout.forward(top));
    return withAuxiliary && this.auxiliary !== undefined ? [logits, this.auxiliary.forward(middle)] : [logits];
  }
}

/** 27.2 million parameters with 1000 classes, 23.8 million without the auxiliary classifier. torchvision: inception_v3. */
export function inceptionV3<const K extends number = 1000, const C extends number = 3, const A extends boolean = true>(
  options?: InceptionOptions<K, C, A>,
): InceptionV3<K, C, A> {
  return new InceptionV3(options);
}
