// What is known of a run before its first step: whether its options fit each other, what can be watched, and the start event.

import type { Module } from '../nn/module.js';
import { ArgumentError, checkOptions } from '../tensor/library.js';
import { DOCTOR_OPTIONS } from './doctor/options.js';
import { plainOptions } from './doctor/plain-options.js';
import {
  type Batches,
  CHECKPOINT_OPTIONS,
  EARLY_STOPPING_OPTIONS,
  TRAINER_OPTIONS,
  type TrainerOptions,
  WEIGHT_AVERAGE_OPTION,
} from './options.js';
import type { RunFacts, StartEvent } from './record.js';
import { samplesOf } from './traits.js';
import type { Watchable } from './watch.js';

/** Throws ArgumentError for options out of range. */
export function checkTrainerOptions(options: TrainerOptions): void {
  checkOptions('Trainer', options, TRAINER_OPTIONS);
  checkOptions('Trainer: earlyStopping', options.earlyStopping, EARLY_STOPPING_OPTIONS);
  checkOptions('Trainer: checkpoint', options.checkpoint, CHECKPOINT_OPTIONS);
  checkOptions('Trainer: weightAverage', options.weightAverage, WEIGHT_AVERAGE_OPTION);
  if (typeof options.doctor === 'object') checkOptions('Trainer: doctor', options.doctor, DOCTOR_OPTIONS);
  const { epochs, steps, accumulate, validateEvery, clipNorm, clipValue, metrics = {}, earlyStopping } = options;
  if (epochs === undefined && steps === undefined) {
    throw new ArgumentError('Trainer: neither epochs nor steps. Say how long to train.');
  }
  const every = options.checkpoint?.every;
  const whole = { epochs, steps, accumulate, validateEvery, patience: earlyStopping?.patience };
  for (const [name, value] of Object.entries({ ...whole, every: every === 'epoch' ? undefined : every })) {
    if (value === undefined || (Number.isInteger(value) && value >= 1)) continue;
    throw new ArgumentError(`Trainer: ${name} is ${value}. Use a whole number of at least 1.`);
  }
  for (const [name, value] of Object.entries({ clipNorm, clipValue })) {
    if (value !== undefined && !(value >= 0))
      throw new ArgumentError(`Trainer: ${name} is ${value}. Use a number of at least 0.`);
  }
  if (Object.hasOwn(metrics, 'loss')) throw new ArgumentError("Trainer: a metric cannot be called 'loss'.");
  if (options.loss !== undefined && options.forward !== undefined) {
    throw new ArgumentError('Trainer: both loss and forward. forward gives the loss itself: leave out loss.');
  }
}

/** Throws ArgumentError where it is known beforehand that there is nothing to go through. */
export function checkData({ train, validation, test }: TrainerOptions): void {
  for (const [name, data] of Object.entries({ training: train, validation, test })) {
    if (data?.length !== 0) continue;
    const samples = samplesOf(data);
    const reason =
      samples === undefined || samples === 0
        ? ''
        : ` (${samples} samples, batches of ${data.batchSize ?? '?'}, and dropLast)`;
    throw new ArgumentError(
      `Trainer: the ${name} data have no batch${reason}. Give at least one sample${reason && ', or a smaller batchSize'}.`,
    );
  }
}

export function watchableOf({ metrics = {}, validation }: TrainerOptions): Watchable {
  const own = Object.entries(metrics).map(([name, { better }]) => [name, better === 'higher' ? 'max' : 'min'] as const);
  return { modes: { loss: 'min', ...Object.fromEntries(own) }, hasValidation: validation !== undefined };
}

/** The start event of a run that has `step` updates behind it. */
export function describeRun(options: TrainerOptions, step: number): StartEvent {
  return {
    event: 'start',
    time: new Date().toISOString(),
    config: options.config ?? {},
    facts: factsOf(options),
    ...(step > 0 && { resumedFrom: step }),
  };
}

function factsOf({
  model,
  optimizer,
  train,
  validation,
  epochs,
  loss,
  forward,
  classes,
  accumulate = 1,
}: TrainerOptions): RunFacts {
  const facts = {
    parameters: model.parameterCount,
    classes,
    loss: forward !== undefined ? undefined : loss === undefined ? 'crossEntropy' : loss.name || undefined,
    optimizer: optimizer.constructor.name,
    optimizerOptions: plainOptions(optimizer.groups[0]),
    epochs,
    stepsPerEpoch: stepsOf(train, accumulate),
    batchSize: train.batchSize,
    trainSamples: samplesOf(train),
    validationSamples: validation && samplesOf(validation),
    layers: leavesOf(model),
  };
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)) as RunFacts;
}

function stepsOf({ length = NaN }: Batches<unknown>, accumulate: number): number | undefined {
  return Number.isFinite(length) ? Math.ceil(length / accumulate) : undefined;
}

/** Modules without parts, in the order of their fields: mostly that of their calls. */
function leavesOf(model: Module): { name: string; kind: string }[] {
  const modules = model.namedModules();
  const isLeaf = (path: string) =>
    !modules.some(([other]) => other !== path && other.startsWith(path === '' ? '' : `${path}.`));
  return modules.filter(([path]) => isLeaf(path)).map(([name, module]) => ({ name, kind: module.constructor.name }));
}
