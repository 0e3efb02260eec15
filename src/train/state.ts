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
import type { SourceState, TrainingOptimizer } from './options.js';
import {
  type Check,
  fields,
  firstFault,
  isCount,
  isFinite,
  isNumber,
  isSwitch,
  isText,
  listOf,
  nullOr,
  oneOf,
  recordOf,
} from './plain-data.js';
import { type EpochEvent, isEpochEvent } from './record.js';
import type { TotalsState } from './totals.js';
import { type RunTraits, isTraits } from './traits.js';
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
  /** What the run is one of; left out by earlier versions. */
  readonly traits?: RunTraits;
  /** Of the training data, where they keep a state. */
  readonly source?: SourceState['numbers'];
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
  readonly source?: SourceState | undefined;
}

export function collectTensors({ model, optimizer, average, source }: TensorParts): Record<string, AnyTensor> {
  const averages = average?.stateDict().tensors ?? [];
  return {
    ...prefixed('model.', model.stateDict()),
    ...prefixed('optimizer.', optimizer.stateDict().tensors),
    ...Object.fromEntries(averages.map((t, i) => [`average.${i}`, t])),
    ...prefixed(SOURCE, source?.tensors ?? {}),
  };
}

const SOURCE = 'source.';

/** Those that `collectTensors` has taken from the training data. */
export const sourceTensors = (tensors: Tensors): Record<string, AnyTensor> => unprefixed(SOURCE, tensors);

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

const isWatch = fields({ best: nullOr(isNumber), bestEpoch: isCount, bad: isCount });
/** An option of an optimiser's group. Its parameters are never among them: they are the trainer's own. */
const isOption = oneOf(isNumber, isSwitch, isText, listOf(isNumber), (value) => value === null);
const isGroup: Check = (value) =>
  fields({ count: isCount })(value) && recordOf(isOption)(value) && !Object.hasOwn(value as object, 'params');

const PROGRESS: Readonly<Record<Exclude<keyof Progress, 'version' | 'traits' | 'source'>, Check>> = {
  epoch: isCount,
  batch: isCount,
  step: isCount,
  random: fields({ seed: isFinite, draws: isCount }),
  loaderSeed: nullOr(isFinite),
  optimizer: fields({ step: isCount, groups: listOf(isGroup) }, { steps: listOf(isCount) }),
  plateau: nullOr(fields({ best: nullOr(isNumber), bad: isCount, cooling: isCount })),
  averaged: isCount,
  watches: fields({ best: isWatch }, { stopping: isWatch }),
  totals: fields(
    {
      loss: isNumber,
      samples: isCount,
      seconds: isNumber,
      waiting: isNumber,
      metrics: recordOf(listOf(isNumber)),
    },
    { turns: recordOf(isNumber) },
  ),
  history: listOf(isEpochEvent),
};

/** Throws ArgumentError unless `value` looks like what `Trainer.state` gives. */
export function checkProgress(value: unknown): asserts value is Progress {
  const version = (value as Partial<Progress> | null)?.version;
  if (version !== 1) {
    const found = version === undefined ? 'none' : JSON.stringify(version);
    throw new ArgumentError(
      `Trainer: this is not the state of a run: it does not say how far the run has come (version ${found}, known is 1).`,
    );
  }
  const fault = firstFault(value, PROGRESS, { traits: isTraits, source: recordOf(listOf(isNumber)) });
  if (fault !== undefined)
    throw new ArgumentError(`Trainer: this is not the state of a run: its '${fault}' is damaged.`);
}

function prefixed(prefix: string, tensors: Tensors): Record<string, AnyTensor> {
  return Object.fromEntries(Object.entries(tensors).map(([key, t]) => [prefix + key, t]));
}

function unprefixed(prefix: string, tensors: Tensors): Record<string, AnyTensor> {
  const own = Object.entries(tensors).filter(([key]) => key.startsWith(prefix));
  return Object.fromEntries(own.map(([key, t]) => [key.slice(prefix.length), t]));
}
