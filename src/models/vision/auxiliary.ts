// Networks with auxiliary classifiers: in training they give a list of logits, in evaluation the logits alone, as torchvision's do.

import { Module, crossEntropy } from '../../nn/index.js';
import { checkNumber } from '../../nn/layer.js';
import { DTypeError, type OptionNames, type Shape, ShapeError, formatShape } from '../../tensor/library.js';
import type { Guard } from '../../tensor/shape-types/shape.js';
import { type Tensor, checkTensor } from '../../tensor/tensor.js';
import {
  type BatchOf,
  IMAGE_OPTIONS,
  type ImageGuard,
  type ImageOptions,
  checkImages,
  checkSizes,
} from './image-model.js';

export interface AuxiliaryOptions<
  K extends number = number,
  C extends number = number,
  A extends boolean = boolean,
> extends ImageOptions<K, C> {
  /** Whether there are auxiliary classifiers. Default true. */
  readonly auxLogits?: A;
}

export const AUXILIARY_OPTIONS: OptionNames<AuxiliaryOptions> = { ...IMAGE_OPTIONS, auxLogits: true };

type Logits<S, K extends number> = Tensor<[BatchOf<S>, K]>;

/** What `forward` gives: logits, and in training a list of them where there are auxiliary classifiers. */
export type AuxiliaryLogits<S, K extends number, A extends boolean, Heads extends 1 | 2> = A extends false
  ? Logits<S, K>
  : Logits<S, K> | { 1: [Logits<S, K>, Logits<S, K>]; 2: [Logits<S, K>, Logits<S, K>, Logits<S, K>] }[Heads];

/** A network for images that has auxiliary classifiers, so many of them. */
export abstract class AuxiliaryClassifier<
  Name extends string,
  K extends number,
  C extends number,
  A extends boolean,
  Heads extends 1 | 2,
> extends Module {
  readonly classes: number;
  readonly inChannels: number;
  protected readonly hasAuxiliary: boolean;

  constructor(options: AuxiliaryOptions<K, C, A>) {
    super();
    const { classes = 1000, inChannels = 3, auxLogits = true } = options;
    checkSizes(this.constructor.name, classes, inChannels);
    this.classes = classes;
    this.inChannels = inChannels;
    this.hasAuxiliary = auxLogits;
  }

  forward<S extends Shape>(x: Tensor<S> & Guard<ImageGuard<Name, S, C>>): AuxiliaryLogits<S, K, A, Heads>;
  forward(x: Tensor): unknown {
    checkTensor(x, this.constructor.name, 'the input');
    checkImages(this.constructor.name, x, this.inChannels);
    const all = this.logits(x, this.training && this.hasAuxiliary);
    return all.length === 1 ? all[0] : all;
  }

  /** The logits, and behind them those of the auxiliary classifiers where they are asked for. */
  protected abstract logits(x: Tensor, withAuxiliary: boolean): readonly Tensor[];
}

/**
 * Cross-entropy of the logits plus `weight` (default 0.3, as in the paper of GoogLeNet; 0.4 for Inception-v3) times that of each
 * auxiliary classifier; of logits alone it is `crossEntropy`. labels int32 [N].
 *
 *     const loss = auxiliaryCrossEntropy(model.forward(images), labels);
 */
export function auxiliaryCrossEntropy(
  outputs: Tensor | readonly Tensor[],
  labels: Tensor<Shape, 'int32'>,
  weight = 0.3,
): Tensor<[]> {
  checkNumber(weight, 'auxiliaryCrossEntropy: weight');
  const [logits, ...others]: readonly Tensor[] = [outputs].flat();
  for (const x of [logits, ...others]) {
    checkTensor(x, 'auxiliaryCrossEntropy', 'the output');
    if (x.rank !== 2)
      throw new ShapeError(`auxiliaryCrossEntropy: logits ${formatShape(x.shape)}: need [N, classes]`, [x.shape]);
  }
  checkTensor(labels, 'auxiliaryCrossEntropy', 'the labels');
  if (labels.dtype !== 'int32')
    throw new DTypeError(`auxiliaryCrossEntropy: labels are ${String(labels.dtype)}. Convert with to('int32').`, [
      labels.dtype,
    ]);
  const loss = (x: Tensor): Tensor<[]> => crossEntropy(x, labels);
  return others.reduce((sum: Tensor<[]>, x) => sum.add(loss(x).mul(weight)), loss(logits));
}
