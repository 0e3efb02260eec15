// Mixup and CutMix: each image of a batch is mixed with its neighbour's, and its label with the neighbour's label. What comes
// out are soft labels, float32 [N, classes], as crossEntropy takes them.
//   λ · a + (1 − λ) · b, with λ from a beta distribution; in CutMix λ is the share of the pixels that are a's
// Random numbers and boxes are arguments of the graph, not its structure: no batch compiles anew.
// Must not know: losses, loaders.

import { tensor } from '../../tensor/creation.js';
import {
  ArgumentError,
  formatShape,
  type OptionNames,
  ShapeError,
  checkHas,
  checkRandom,
  checkNeededOptions,
} from '../../tensor/library.js';
import type { HostRandom } from '../../tensor/host-random.js';
import { type AnyTensor, type Tensor, checkTensor } from '../../tensor/tensor.js';

export interface MixOptions {
  /** Number of classes. */
  readonly classes: number;
  /** λ is drawn from Beta(alpha, alpha): 1 is uniform, smaller mixes less. Default 1. */
  readonly alpha?: number;
}

const MIX_OPTIONS: OptionNames<MixOptions> = { classes: true, alpha: true };

/** Images [N, C, H, W] and labels: int32 [N], or float32 [N, classes] of a batch that was mixed before. */
export interface LabelledImages<N extends number, C extends number, H extends number, W extends number> {
  readonly x: Tensor<[N, C, H, W]>;
  readonly y: Tensor<[N], 'int32'> | Tensor<[N, number]>;
}

export interface MixedImages<N extends number, C extends number, H extends number, W extends number> {
  readonly x: Tensor<[N, C, H, W]>;
  readonly y: Tensor<[N, number]>;
  /** The share of an image's own pixels and label. */
  readonly lambda: number;
}

/**
 * Weighted means of neighbouring images (Zhang et al., 2017). torchvision: MixUp.
 *
 *     const { x, y } = mixup(batch, random, { classes: 10 });
 *     const loss = crossEntropy(model.forward(x), y);
 */
export function mixup<N extends number, C extends number, H extends number, W extends number>(
  batch: LabelledImages<N, C, H, W>,
  random: HostRandom,
  options: MixOptions,
): MixedImages<N, C, H, W> {
  checkNeededOptions('mixup', options, MIX_OPTIONS, '{ classes: 10 }');
  const { classes, alpha = 1 } = options;
  checkBatch('mixup', batch, random, alpha, classes);
  const lambda = sampleBeta(random, alpha);
  const x = batch.x.mul(lambda).add(batch.x.roll(1, 0).mul(1 - lambda));
  return { x, y: mixLabels(batch.y, classes, lambda), lambda };
}

/** A random box of each image comes from its neighbour (Yun et al., 2019). torchvision: CutMix. */
export function cutmix<N extends number, C extends number, H extends number, W extends number>(
  batch: LabelledImages<N, C, H, W>,
  random: HostRandom,
  options: MixOptions,
): MixedImages<N, C, H, W> {
  checkNeededOptions('cutmix', options, MIX_OPTIONS, '{ classes: 10 }');
  const { classes, alpha = 1 } = options;
  checkBatch('cutmix', batch, random, alpha, classes);
  const [, , height, width] = batch.x.shape as readonly number[];
  const side = 0.5 * Math.sqrt(1 - sampleBeta(random, alpha));
  const [x, y] = [random.below(width), random.below(height)];
  const [halfWidth, halfHeight] = [Math.trunc(side * width), Math.trunc(side * height)];
  const [left, right] = [Math.max(x - halfWidth, 0), Math.min(x + halfWidth, width)];
  const [top, bottom] = [Math.max(y - halfHeight, 0), Math.min(y + halfHeight, height)];
  const own = new Float32Array(height * width).fill(1);
  for (let i = top; i < bottom; i++) own.fill(0, i * width + left, i * width + right);
  const mask = tensor(own, { shape: [1, 1, height, width], device: batch.x.device }) as Tensor;
  const lambda = 1 - ((right - left) * (bottom - top)) / (width * height);
  const images = batch.x as Tensor; // with sizes of any kind, so that they broadcast with the mask's
  const kept = images.mul(mask).add(images.roll(1, 0).mul(mask.neg().add(1)));
  return { x: kept as Tensor<[N, C, H, W]>, y: mixLabels(batch.y, classes, lambda), lambda };
}

function mixLabels<N extends number>(
  labels: Tensor<[N], 'int32'> | Tensor<[N, number]>,
  classes: number,
  lambda: number,
): Tensor<[N, number]> {
  const soft = labels.dtype === 'int32' ? labels.oneHot(classes) : labels;
  return soft.mul(lambda).add(soft.roll(1, 0).mul(1 - lambda));
}

function checkBatch(
  op: string,
  batch: { readonly x: AnyTensor; readonly y: AnyTensor },
  random: HostRandom,
  alpha: number,
  classes: number,
): void {
  checkHas(op, 'the batch', batch, ['x', 'y'], 'Give { x, y } of a DataLoader');
  checkTensor(batch.x, op, 'x of the batch');
  checkTensor(batch.y, op, 'y of the batch');
  checkRandom(op, random);
  const { shape } = batch.x;
  if (shape.length !== 4) {
    throw new ShapeError(`${op}: images ${formatShape(shape)} are not [N, C, H, W]. Give a whole batch.`, [shape]);
  }
  if (!(alpha > 0)) throw new ArgumentError(`${op}: alpha is ${alpha}. Use a number above 0.`);
  if (!Number.isInteger(classes) || classes < 1) {
    throw new ArgumentError(`${op}: ${classes} classes. Use a whole number of at least 1.`);
  }
}

/** A number from Beta(alpha, alpha): the share of one of two gamma variates. */
export function sampleBeta(random: HostRandom, alpha: number): number {
  const [a, b] = [logGamma(random, alpha), logGamma(random, alpha)];
  return 1 / (1 + Math.exp(b - a)); // by logarithms: for a small alpha both variates may be too small for a number
}

/** The logarithm of a number from Gamma(shape, 1) (Marsaglia and Tsang, 2000). */
function logGamma(random: HostRandom, shape: number): number {
  if (shape < 1) return logGamma(random, shape + 1) + Math.log(1 - random.uniform()) / shape;
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const normal = random.normal();
    const v = (1 + c * normal) ** 3;
    if (v <= 0) continue;
    if (Math.log(1 - random.uniform()) < (normal * normal) / 2 + d - d * v + d * Math.log(v)) return Math.log(d * v);
  }
}
