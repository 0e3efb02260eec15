// The learning-rate range test (Smith 2015): the rate grows from step to step while the loss is watched. Afterwards model,
// optimiser and random numbers are as before. What a Trainer is given goes in, a curve with suggestions comes out.

import { checkBatches, checkModelAndOptimizer } from '../describe.js';
import type { Module } from '../../nn/module.js';
import { tensor } from '../../tensor/creation.js';
import {
  ArgumentError,
  inUnit,
  type OptionNames,
  runPending,
  checkGiven,
  checkNumber,
  checkNeededOptions,
} from '../../tensor/library.js';
import { getRandomState, setRandomState } from '../../tensor/random.js';
import type { AnyTensor } from '../../tensor/tensor.js';
import type { TrainerOptions, TrainingOptimizer } from '../options.js';
import { Steps } from '../step.js';
import { largest } from '../../tensor/extremes.js';

export interface FindRateOptions<M extends Module, B> extends Pick<
  TrainerOptions<M, B>,
  'model' | 'optimizer' | 'train' | 'loss' | 'forward' | 'clipNorm' | 'clipValue' | 'compile'
> {
  /** The first rate. Default 1e-7. */
  readonly from?: number;
  /** The last. Default 10. */
  readonly to?: number;
  /** Steps in between, each at a rate higher by the same factor. Default 100. */
  readonly steps?: number;
  /** Part of the running mean of the losses that a step keeps. Default 0.9. */
  readonly smoothing?: number;
  /** The test ends when the smoothed loss is this many times its lowest. Default 4. */
  readonly divergence?: number;
  readonly signal?: AbortSignal;
  onStep?(step: number, rate: number, loss: number): void;
}

const FIND_RATE_OPTIONS: OptionNames<FindRateOptions<Module, unknown>> = {
  model: true,
  optimizer: true,
  train: true,
  loss: true,
  forward: true,
  clipNorm: true,
  clipValue: true,
  compile: true,
  from: true,
  to: true,
  steps: true,
  smoothing: true,
  divergence: true,
  signal: true,
  onStep: true,
};

export interface RateCurve {
  readonly rates: readonly number[];
  readonly losses: readonly number[];
  /** Running means of the losses. */
  readonly smooth: readonly number[];
  /** Whether the loss grew without bound before the last rate was reached. */
  readonly diverged: boolean;
  /** The rate to begin with; undefined if the loss does not fall at any. */
  readonly suggestion: number | undefined;
  /** Where the loss falls fastest, over the logarithm of the rate. */
  readonly steepest: number | undefined;
  /** A tenth of the rate with the lowest loss: the most that is wise. */
  readonly tenthOfMinimum: number | undefined;
}

/**
 * Finds a learning rate. Takes what a Trainer takes; model and optimiser are not changed.
 *
 *     const { suggestion } = await findLearningRate({ model, optimizer, train: new DataLoader(data, { batchSize: 64, shuffle: true }) });
 */
export async function findLearningRate<M extends Module, B>(options: FindRateOptions<M, B>): Promise<RateCurve> {
  checkNeededOptions('findLearningRate', options, FIND_RATE_OPTIONS, '{ model, optimizer, train }');
  const { from = 1e-7, to = 10, steps = 100, smoothing = 0.9, divergence = 4, model, train } = options;
  checkModelAndOptimizer('findLearningRate', model, options.optimizer);
  checkBatches('findLearningRate', 'train', train);
  checkGiven(checkNumber, 'findLearningRate', { from, to, smoothing, divergence });
  if (!(from > 0 && to > from && Number.isFinite(to)))
    throw new ArgumentError(`findLearningRate: from ${from} to ${to}. Use two rates above 0, the first the lower one.`);
  if (!Number.isInteger(steps) || steps < 10)
    throw new ArgumentError(`findLearningRate: steps is ${steps}. Use a whole number of at least 10.`);
  const optimizer = twinOf(options.optimizer);
  const sweep = new Steps<M, B>({ ...options, optimizer, steps });
  const before = await snapshot(model);
  const random = getRandomState();
  const modes = model.namedModules().map(([, module]) => [module, module.training] as const);
  const rates: number[] = [];
  const losses: number[] = [];
  const smooth: number[] = [];
  let [running, lowest, diverged] = [0, Infinity, false];
  model.train();
  try {
    for await (const batch of endless(train)) {
      const step = rates.length;
      if (step >= steps || options.signal?.aborted) break;
      const rate = from * (to / from) ** (step / (steps - 1));
      for (const group of optimizer.groups) group.lr = rate;
      const values = await sweep.update(batch, 1, false);
      const loss = await values.loss.item();
      running = smoothing * running + (1 - smoothing) * loss;
      const mean = running / (1 - smoothing ** (step + 1)); // without the pull of the 0 at the start
      if (!Number.isFinite(loss) || (step > steps / 10 && mean > divergence * lowest)) {
        diverged = true;
        break;
      }
      rates.push(rate);
      losses.push(loss);
      smooth.push(mean);
      lowest = Math.min(lowest, mean);
      options.onStep?.(step + 1, rate, loss);
    }
  } finally {
    await before.restore();
    optimizer.zeroGrad();
    setRandomState(random);
    for (const [module, mode] of modes) module.training = mode;
  }
  return { rates, losses, smooth, diverged, ...suggest(rates, smooth) };
}

/** Part of the loss that it has to come down by for a suggestion to mean anything. */
const LEAST_FALL = 0.02;

/** What a curve of smoothed losses says. */
export function suggest(
  rates: readonly number[],
  smooth: readonly number[],
): Pick<RateCurve, 'suggestion' | 'steepest' | 'tenthOfMinimum'> {
  const none = { suggestion: undefined, steepest: undefined, tenthOfMinimum: undefined };
  if (rates.length < 3) return none;
  const lowest = smooth.reduce((best, value, i) => (value < smooth[best] ? i : best), 0);
  const highest = largest(smooth.slice(0, lowest + 1));
  if (!(highest - smooth[lowest] > LEAST_FALL * Math.abs(highest))) return none;
  let [best, slope] = [1, Infinity];
  for (let i = 1; i < Math.max(2, lowest); i++) {
    const now = (smooth[i + 1] - smooth[i - 1]) / Math.log(rates[i + 1] / rates[i - 1]);
    if (now < slope) [best, slope] = [i, now];
  }
  const [steepest, tenthOfMinimum] = [rates[best], rates[lowest] / 10];
  return { suggestion: Math.min(steepest, tenthOfMinimum), steepest, tenthOfMinimum };
}

/** An optimiser of the same kind, parameters and options that has done nothing yet. */
function twinOf(optimizer: TrainingOptimizer): TrainingOptimizer & { readonly groups: { lr?: number }[] } {
  const Kind = optimizer.constructor as new (
    groups: readonly object[],
  ) => TrainingOptimizer & { groups: { lr?: number }[] };
  return new Kind(optimizer.groups.map((group) => ({ ...group })));
}

/** Copies of all parameters and buffers. */
async function snapshot(model: Module): Promise<{ restore(): Promise<void> }> {
  const saved: { readonly own: AnyTensor; readonly data: Awaited<ReturnType<AnyTensor['data']>> }[] = [];
  for (const own of Object.values(model.stateDict())) saved.push({ own, data: (await own.data()).slice() });
  return {
    restore: async () => {
      const unit = inUnit(() => {
        for (const { own, data } of saved) {
          own.assign_(tensor(data, { shape: own.shape as number[], dtype: own.dtype, device: own.device }));
        }
      });
      runPending(unit);
    },
  };
}

async function* endless<B>(train: TrainerOptions<Module, B>['train']): AsyncGenerator<B, void, void> {
  for (let epoch = 0; ; epoch++) {
    let count = 0;
    for await (const batch of train.batches(epoch)) {
      count++;
      yield batch;
    }
    if (count === 0)
      throw new ArgumentError('findLearningRate: the training data have no batches. Look at the loader.');
  }
}
