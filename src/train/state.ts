// Everything that a run goes on from, as tensors and as plain JSON. Between the two lies all that decides the next update:
// weights, buffers, the optimiser's state, averaged weights; counters, the generator's state, what is watched, the sums of
// an epoch that is under way.
// Must not know: files.

import type { Module } from '../nn/module.js';
import type { WeightAverage } from '../optim/average.js';
import type { OptimizerState } from '../optim/optimizer.js';
import type { PlateauState } from '../optim/scheduler.js';
import { ArgumentError } from '../tensor/library.js';
import type { AnyTensor } from '../tensor/tensor.js';
import type { TrainingOptimizer } from './options.js';
import type { EpochEvent } from './record.js';
import type { TotalsState } from './totals.js';
import type { WatchState } from './watch.js';

/** The part of a trainer's state that is plain JSON. */
export interface Progress {
  readonly version: 1;
  /** Epochs finished. */
  readonly epoch: number;
  /** Batches of the epoch under way that are done. */
  readonly batch: number;
  /** Updates so far. */
  readonly step: number;
  readonly random: { readonly seed: number; readonly draws: number };
  /** Of the training loader; null where it has none. */
  readonly loaderSeed: number | null;
  readonly optimizer: Omit<OptimizerState, 'tensors'>;
  readonly plateau: PlateauState | null;
  /** Updates of the weight average. */
  readonly averaged: number;
  readonly watches: Readonly<Record<string, WatchState>>;
  readonly totals: TotalsState;
  readonly history: readonly EpochEvent[];
}

export interface TrainerState {
  /** `model.*`, `optimizer.*`, `average.*`: the trained tensors themselves; write them down before going on. */
  readonly tensors: Readonly<Record<string, AnyTensor>>;
  readonly progress: Progress;
}

type Tensors = Readonly<Record<string, AnyTensor>>;

/** The parts of a run that hold tensors. */
export interface TensorParts {
  readonly model: Module;
  readonly optimizer: TrainingOptimizer;
  readonly average: WeightAverage | undefined;
}

export function collectTensors({ model, optimizer, average }: TensorParts): Record<string, AnyTensor> {
  const averages = average?.stateDict().tensors ?? [];
  return {
    ...prefixed('model.', model.stateDict()),
    ...prefixed('optimizer.', optimizer.stateDict().tensors),
    ...Object.fromEntries(averages.map((t, i) => [`average.${i}`, t])),
  };
}

/** Throws ArgumentError or StateDictError if the state is of another model or optimiser. */
export async function restoreTensors(parts: TensorParts, { tensors, progress }: TrainerState): Promise<void> {
  parts.model.loadStateDict(unprefixed('model.', tensors));
  parts.optimizer.loadStateDict({ ...progress.optimizer, tensors: unprefixed('optimizer.', tensors) });
  const averages = Object.values(unprefixed('average.', tensors));
  if (averages.length > 0 !== (parts.average !== undefined)) {
    throw new ArgumentError(
      `Trainer: the state has ${averages.length > 0 ? 'a' : 'no'} weight average, this trainer has ${averages.length > 0 ? 'none' : 'one'}. Resume with the options of the run.`,
    );
  }
  await parts.average?.loadStateDict({ count: progress.averaged, tensors: averages });
}

/** Throws ArgumentError unless `value` looks like what `Trainer.state` gives. */
export function checkProgress(value: unknown): asserts value is Progress {
  const progress = (value ?? {}) as Partial<Progress>;
  const counts = [progress.epoch, progress.batch, progress.step, progress.random?.seed, progress.random?.draws];
  const whole = counts.every((n) => Number.isSafeInteger(n));
  const parts = [progress.optimizer, progress.watches, progress.totals, progress.history];
  if (progress.version === 1 && whole && parts.every((part) => typeof part === 'object' && part !== null)) return;
  throw new ArgumentError('Trainer: this is not the state of a run: it does not say how far the run has come.');
}

function prefixed(prefix: string, tensors: Tensors): Record<string, AnyTensor> {
  return Object.fromEntries(Object.entries(tensors).map(([key, t]) => [prefix + key, t]));
}

function unprefixed(prefix: string, tensors: Tensors): Record<string, AnyTensor> {
  const own = Object.entries(tensors).filter(([key]) => key.startsWith(prefix));
  return Object.fromEntries(own.map(([key, t]) => [key.slice(prefix.length), t]));
}
