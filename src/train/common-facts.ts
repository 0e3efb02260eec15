// What all processes of a run have to agree upon before its first step: what is trained, with what, for how long, and where the run is.

import type { TrainerOptions } from './options.js';
import { plainOptions } from './doctor/plain-options.js';
import { traitsOf } from './traits.js';

/** By the names that a person knows them by, in words. */
export function commonFacts(options: TrainerOptions, step: number, batch: number): Readonly<Record<string, string>> {
  const { model, optimizer, train, epochs, steps, accumulate, clipNorm, clipValue, metrics = {}, seed } = options;
  const { earlyStopping, checkpoint, folder, validateEvery, weightAverage, restoreBest } = options;
  const facts: Readonly<Record<string, unknown>> = {
    'the seed': seed,
    'the seed of the training loader (give it one, or call manualSeed before it is made)': train.seed,
    'the batch size': train.batchSize,
    'the data, optimiser or loss': traitsOf(options),
    'the options of the optimiser': optimizer.groups.map((group) => ({ lr: group.lr, ...plainOptions(group) })),
    'the number of epochs or updates': [epochs, steps],
    'the batches an update': accumulate,
    'the clipping of gradients': [clipNorm, clipValue],
    'the metrics': Object.keys(metrics),
    'early stopping, checkpoints or averages': [earlyStopping, checkpoint, validateEvery, weightAverage, restoreBest],
    'whether there is a run folder': folder !== undefined,
    'the mode of the model': model.training,
    'the update that the run is at': [step, batch],
  };
  return Object.fromEntries(Object.entries(facts).map(([name, value]) => [name, JSON.stringify(value) ?? 'none']));
}
