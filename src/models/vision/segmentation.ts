// What the segmentation networks share: logits for each pixel, in the size of the images.
//   images [N, inChannels, H, W] → out [N, classes, H, W]; inside, tensors are plain, and sizes are checked as they run.

import { Dropout, Module, ReLU } from '../../nn/index.js';
import { checkCount } from '../../nn/layer.js';
import { ArgumentError, type Shape, checkList } from '../../tensor/library.js';
import { interpolate } from '../../tensor/resample.js';
import type { Guard } from '../../tensor/shape-types/shape.js';
import { type Tensor, checkTensor } from '../../tensor/tensor.js';
import { type Block, conv, inOrder, plainConv, batchNorm } from './blocks.js';
import {
  type BatchOf,
  IMAGE_OPTIONS,
  type ImageGuard,
  type ImageOptions,
  checkImages,
  checkSizes,
} from './image-model.js';

export interface SegmentationOptions<K extends number = number, C extends number = number> extends ImageOptions<K, C> {
  /** Classes of a pixel, the background among them. Default 21. */
  readonly classes?: K;
}

export const SEGMENTATION_OPTIONS = IMAGE_OPTIONS;

/** Logits for each pixel; S is the shape of the images. */
export type PixelLogits<S, K extends number> = Tensor<[BatchOf<S>, K, SizeAt<S, 2>, SizeAt<S, 3>]>;

type SizeAt<S, I extends 2 | 3> = S extends readonly [number, number, infer H extends number, infer W extends number]
  ? { 2: H; 3: W }[I]
  : number;

/** A network that gives logits for each pixel, and perhaps those of an auxiliary head. */
export abstract class Segmenter<Name extends string, K extends number, C extends number, Output> extends Module {
  readonly classes: number;
  readonly inChannels: number;

  constructor(options: SegmentationOptions<K, C>, usual = { classes: 21, inChannels: 3 }) {
    super();
    const { classes = usual.classes, inChannels = usual.inChannels } = options;
    checkSizes(this.constructor.name, classes, inChannels);
    this.classes = classes;
    this.inChannels = inChannels;
  }

  forward<S extends Shape>(x: Tensor<S> & Guard<ImageGuard<Name, S, C>>): SegmentationOutput<Output, S, K>;
  forward(x: Tensor): unknown {
    checkTensor(x, this.constructor.name, 'the input');
    checkImages(this.constructor.name, x, this.inChannels);
    return this.segment(x);
  }

  /** `forward`, for a batch of images that has been checked. */
  protected abstract segment(x: Tensor): unknown;
}

/** 'pixels': the logits themselves; 'cropped': of fewer pixels; 'out': `{ out }`; 'aux': `{ out, aux }`, where aux may be missing. */
export type SegmentationOutput<Output, S, K extends number> = Output extends 'pixels'
  ? PixelLogits<S, K>
  : Output extends 'cropped'
    ? Tensor<[BatchOf<S>, K, number, number]>
    : Output extends 'aux'
      ? { readonly out: PixelLogits<S, K>; readonly aux: PixelLogits<S, K> }
      : { readonly out: PixelLogits<S, K> };

/** Throws unless these are lists of channels, a list for each stage. */
export function checkStages(op: string, stages: readonly (readonly number[])[]): void {
  checkList(op, 'stages', stages, 'channels, stage by stage: [[16, 16], [32, 32]]');
  for (const stage of stages) {
    checkList(op, 'a stage', stage, 'channels: [16, 16]');
    for (const channels of stage) checkCount(channels, 1, `${op}: channels of a stage`);
    if (stage.length === 0) throw new ArgumentError(`${op}: a stage has no convolution. Give channels: [16, 16].`);
  }
  if (stages.length === 0) throw new ArgumentError(`${op}: there are no stages. Give channels: [[16, 16], [32, 32]].`);
}

/** Maps in the size of the images, by bilinear interpolation. */
export function resized(x: Tensor, like: Tensor): Tensor {
  return interpolate(x, { size: [like.shape[2], like.shape[3]], mode: 'bilinear' });
}

/** 3×3 to a quarter of the channels, 1×1 to the classes. torchvision: FCNHead. */
export function fcnHead(from: number, classes: number): Block {
  const inner = from / 4;
  return inOrder(
    plainConv(from, inner, 3, { padding: 1 }),
    batchNorm(inner),
    new ReLU(),
    new Dropout(0.1),
    conv(inner, classes, 1),
  );
}
