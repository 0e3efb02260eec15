// What a unit of a network would like to see: a picture that begins as noise and climbs the gradient of the unit's activation (Erhan et al. 2009),
// kept smooth by its total variation (Mahendran and Vedaldi 2015).

import {
  ArgumentError,
  ShapeError,
  checkFunction,
  checkGiven,
  checkNeededOptions,
  checkNumber,
  checkWhole,
  formatShape,
  type OptionNames,
} from '../../tensor/library.js';
import { rand } from '../../tensor/creation.js';
import { type AnyTensor, type Tensor, checkTensor, realize } from '../../tensor/tensor.js';
import { realOf } from '../check.js';
import { type Pictures, gradientBy } from './classify.js';
import { roughness } from './roughness.js';

export interface VisualiseOptions {
  /** [N, C, H, W] of the pictures to make, each from a noise of its own. */
  readonly shape: readonly [number, number, number, number];
  /** Default 100. */
  readonly steps?: number;
  /** By how much a pixel changes in one step, in the mean. Default 0.02. */
  readonly lr?: number;
  /** Weight of the differences between neighbouring pixels, beside the gradient of the activation. Default 0.5. */
  readonly smoothness?: number;
  /** Weight of the distance from grey. Default 0.1. */
  readonly decay?: number;
}

const VISUALISE_OPTIONS: OptionNames<VisualiseOptions> = {
  shape: true,
  steps: true,
  lr: true,
  smoothness: true,
  decay: true,
};

/** The slopes of each picture, of a root mean square of 1. */
function evenly(slope: Tensor): Tensor {
  return slope.div(slope.square().mean([1, 2, 3], { keepdim: true }).sqrt().add(1e-8));
}

/**
 * Pictures, pixels from 0 to 1, that make `activation` large: a function from pictures [N, C, H, W] to numbers of any shape, of which the sum counts,
 * such as a logit or a filter's map. Steps have the same length for each picture. Computed when it returns; noise follows `manualSeed`.
 *
 *     const seven = await visualise((x) => model.forward(x).select(1, 7), { shape: [4, 1, 28, 28] });
 */
export async function visualise(activation: (x: Pictures) => AnyTensor, options: VisualiseOptions): Promise<Pictures> {
  checkFunction('visualise', activation);
  checkNeededOptions('visualise', options, VISUALISE_OPTIONS, '{ shape: [1, 3, 32, 32] }');
  const { shape, steps = 100, lr = 0.02, smoothness = 0.5, decay = 0.1 } = options;
  if (!Array.isArray(shape) || shape.length !== 4 || !shape.every((size) => Number.isInteger(size) && size >= 1))
    throw new ShapeError(
      `visualise: shape is ${Array.isArray(shape) ? formatShape(shape) : String(shape)}: needs [N, C, H, W]`,
      [],
    );
  checkWhole('visualise', 'steps', steps, 1);
  checkGiven(checkNumber, 'visualise', { lr, smoothness, decay });
  if (!(lr > 0)) throw new ArgumentError(`visualise: lr is ${lr}. Use a number above 0.`);
  const score = (x: Tensor): Tensor => {
    const seen: AnyTensor = activation(x as Pictures);
    checkTensor(seen, 'visualise', 'what the function returned');
    return realOf('visualise', seen, 'the activations').sum();
  };
  let x: Tensor = rand(shape).mul(0.2).add(0.4);
  for (let step = 0; step < steps; step++) {
    const up = evenly(gradientBy(x, score));
    const down = gradientBy(x, roughness).mul(smoothness).add(x.sub(0.5).mul(decay));
    x = x.add(up.sub(down).mul(lr)).clamp(0, 1);
    await realize(x); // one program, run again and again
  }
  return x as Pictures;
}
