// What the networks for images share: options, the check of the input, and a type that knows batch and classes.
//   images [N, inChannels, H, W] → logits [N, classes]; inside, tensors are plain, and sizes are checked as they run.
// Must not know: particular networks.

import { Layer, type ShapeFn } from '../../nn/index.js';
import { checkCount } from '../../nn/layer.js';
import { checkProbability } from '../../tensor/dropout.js';
import { ShapeError, formatShape } from '../../tensor/library.js';
import type {
  HasRank,
  Shape,
  ShapeError as ShapeErrorType,
  ShapeText,
  SizesDiffer,
  SizeText,
} from '../../tensor/shape-types/shape.js';
import type { Tensor } from '../../tensor/tensor.js';

export interface ImageOptions<K extends number = number, C extends number = number> {
  /** Default 1000. */
  readonly classes?: K;
  /** Channels of the input. Default 3. */
  readonly inChannels?: C;
}

/** Names of `ImageOptions`, for `checkOptions`. */
export const IMAGE_OPTIONS = { classes: true, inChannels: true } as const;

/** Images [N, C, H, W] → [N, K]. */
export interface ImageClassifierFn<Name extends string, K extends number, C extends number> extends ShapeFn {
  readonly accepts: [number, C, number, number];
  readonly output: [BatchOf<this['input']>, K];
  readonly guard: ImageGuard<Name, this['input'], C>;
}

/** The number of images in a batch of this shape. */
export type BatchOf<S> = S extends readonly [infer N extends number, ...Shape] ? N : number;

/** The error of an input that is no batch of images with C channels; `unknown` for one that is, or may be. */
export type ImageGuard<Name extends string, S, C extends number> = S extends Shape
  ? HasRank<S> extends true
    ? S extends readonly [number, infer Channels extends number, number, number]
      ? SizesDiffer<Channels, C> extends true
        ? ShapeErrorType<`${Name}: input ${ShapeText<S>}: channel dimension ${SizeText<Channels>} is not inChannels ${SizeText<C>}`>
        : unknown
      : ShapeErrorType<`${Name}: input ${ShapeText<S>}: needs [N, C, H, W]`>
    : unknown
  : unknown;

/** Throws unless x is a batch of images with so many channels. */
export function checkImages(name: string, x: Tensor, inChannels: number): void {
  if (x.rank !== 4) {
    const advice = x.rank === 3 ? '. Make a batch of one image with unsqueeze(0)' : '';
    throw new ShapeError(`${name}: input ${formatShape(x.shape)}: needs [N, C, H, W]${advice}`, [x.shape]);
  }
  if (x.shape[1] === inChannels) return;
  throw new ShapeError(
    `${name}: input ${formatShape(x.shape)}: channel dimension ${x.shape[1]} is not inChannels ${inChannels}`,
    [x.shape],
  );
}

/** Throws unless both are whole numbers of at least 1. */
export function checkSizes(name: string, classes: number, inChannels: number): void {
  checkCount(classes, 1, `${name}: classes`);
  checkCount(inChannels, 1, `${name}: inChannels`);
}

/** Throws unless it is a probability. */
export function checkDropout(name: string, p: number, what = 'dropout'): void {
  checkProbability(p, `${name}: ${what}`);
}

/** A network that gives logits [N, classes] for images [N, inChannels, H, W]. */
export abstract class ImageClassifier<Name extends string, K extends number, C extends number> extends Layer<
  ImageClassifierFn<Name, K, C>
> {
  classes: number;
  readonly inChannels: number;

  constructor(options: ImageOptions<K, C>) {
    super();
    const { classes = 1000, inChannels = 3 } = options;
    checkSizes(this.constructor.name, classes, inChannels);
    this.classes = classes;
    this.inChannels = inChannels;
  }

  protected compute(x: Tensor): Tensor {
    checkImages(this.constructor.name, x, this.inChannels);
    return this.logits(x);
  }

  /**
   * Puts a new last layer in the place of the old one, for so many classes, and returns the model: what fine-tuning begins with. All
   * other weights stay. Call it before an optimiser is made.
   *
   *     const model = resnet18().newHead(10);
   */
  newHead<const N extends number>(classes: N): ImageClassifier<Name, N, C>;
  newHead(classes: number): unknown {
    checkCount(classes, 1, 'newHead: classes');
    this.setHead(classes);
    this.classes = classes;
    return this; // the same object: only what its type says has changed
  }

  protected abstract setHead(classes: number): void;

  /** `forward`, for a batch of images that has been checked. */
  protected abstract logits(x: Tensor): Tensor;
}
