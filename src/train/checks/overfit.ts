// Can the model learn a single batch by heart? If not, something is wrong with the model, the loss or the labels, and more
// data will not help. A model and a batch in, a check of the record out; a copy of the model is trained.

import { crossEntropy } from '../../nn/losses/classification.js';
import { deepCopy } from '../../nn/copy.js';
import { Module } from '../../nn/module.js';
import { Adam } from '../../optim/adam.js';
import { clipGradNorm_ } from '../../optim/clip.js';
import {
  ArgumentError,
  checkOptions,
  type OptionNames,
  checkNumber,
  checkNumbers,
  wrongKind,
} from '../../tensor/library.js';
import { getRandomState, setRandomState } from '../../tensor/random.js';
import type { AnyTensor } from '../../tensor/tensor.js';
import type { CheckEvent } from '../record.js';

export interface OverfitOptions<M extends Module, B> {
  /** The loss of one pass. Default: cross entropy of `model.forward(x)` and `y`, for batches { x, y }. */
  loss?(model: M, batch: B): AnyTensor;
  /** Updates at most. Default 200. */
  readonly steps?: number;
  /** Learning rates of Adam that are tried, one after the other. Default 1e-2, 1e-3. */
  readonly rates?: readonly number[];
  /** Part of the first loss that may be left. Default 0.05. */
  readonly left?: number;
}

const OVERFIT_OPTIONS: OptionNames<OverfitOptions<Module, unknown>> = {
  loss: true,
  steps: true,
  rates: true,
  left: true,
};

/** The check, with the curve of its best attempt. */
export interface OverfitCheck extends CheckEvent {
  readonly losses: readonly number[];
}

/**
 * Trains a copy of the model on one batch, without dropout, until its loss is nearly 0. The model itself stays as it is.
 *
 *     const { passed, text } = await overfitOneBatch(model, { x, y });
 */
export async function overfitOneBatch<M extends Module, B>(
  model: M,
  batch: B,
  options: OverfitOptions<M, B> = {},
): Promise<OverfitCheck> {
  checkOptions('overfitOneBatch', options, OVERFIT_OPTIONS);
  const { steps = 200, rates = [1e-2, 1e-3], left = 0.05 } = options;
  if (!(model instanceof Module)) throw wrongKind('overfitOneBatch', 'the model', model, 'Pass a module');
  checkNumbers('overfitOneBatch', 'rates', rates);
  checkNumber('overfitOneBatch', 'left', left);
  if (!Number.isInteger(steps) || steps < 2)
    throw new ArgumentError(`overfitOneBatch: steps is ${steps}. Use a whole number of at least 2.`);
  if (rates.length === 0) throw new ArgumentError('overfitOneBatch: no learning rates. Leave out rates, or name some.');
  const random = getRandomState();
  let best: readonly number[] = [];
  try {
    for (const lr of rates) {
      const losses = await attempt(model, batch, { ...options, steps, left, lr });
      if (best.length === 0 || lowest(losses) < lowest(best)) best = losses;
      if (lowest(best) <= left * best[0]) break;
    }
  } finally {
    setRandomState(random);
  }
  const [first, last] = [best[0], lowest(best)];
  const passed = last <= left * Math.abs(first);
  const text = passed
    ? `One batch is learned by heart: the loss falls from ${first.toPrecision(3)} to ${last.toPrecision(3)} in ${best.length} steps.`
    : `One batch cannot be learned by heart: the loss falls from ${first.toPrecision(3)} to ${last.toPrecision(3)} only. Look at the model (does every layer get a gradient?), the loss and the labels before using more data.`;
  return { event: 'check', name: 'overfit-one-batch', passed, value: last, expected: left * first, text, losses: best };
}

const lowest = (losses: readonly number[]): number => losses.reduce((a, b) => (b < a ? b : a), Infinity);

async function attempt<M extends Module, B>(
  model: M,
  batch: B,
  { loss = byCrossEntropy, steps, left, lr }: OverfitOptions<M, B> & { steps: number; left: number; lr: number },
): Promise<number[]> {
  const copy = deepCopy(model);
  copy.train();
  for (const [, part] of copy.namedModules()) if (/Dropout/.test(part.constructor.name)) part.training = false;
  const optimizer = new Adam(copy.parameters(), { lr });
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    optimizer.zeroGrad();
    const value = loss(copy, batch);
    if (value.size !== 1)
      throw new ArgumentError(`overfitOneBatch: the loss has ${value.size} elements. Take its mean().`);
    value.backward();
    clipGradNorm_(
      optimizer.groups.flatMap(({ params }) => [...params]),
      10,
    );
    await optimizer.step();
    losses.push(await value.item());
    const now = losses.at(-1) ?? NaN;
    if (!Number.isFinite(now) || now <= left * losses[0]) break;
  }
  return losses;
}

function byCrossEntropy(model: Module, batch: unknown): AnyTensor {
  const { x, y } = (batch ?? {}) as { readonly x?: AnyTensor; readonly y?: AnyTensor };
  const { forward } = model as { forward?: (x: AnyTensor) => AnyTensor };
  if (x === undefined || y === undefined || forward === undefined)
    throw new ArgumentError(
      'overfitOneBatch: the batch is not { x, y }, or there is no forward(x). Say how with loss: (model, batch) => ….',
    );
  return crossEntropy(forward.call(model, x), y) as AnyTensor;
}
