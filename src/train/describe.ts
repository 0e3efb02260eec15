// What is known of a run before its first step: whether its options fit each other, what can be watched, and the start event.

import { Module } from '../nn/module.js';
import {
  ArgumentError,
  checkOptions,
  checkChoice,
  checkFunction,
  checkGiven,
  checkHas,
  checkList,
  checkNumber,
  checkRecord,
  checkText,
  checkWhole,
  refuseOtherCopy,
  wrongKind,
  checkNeededOptions,
} from '../tensor/library.js';
import { Alternating } from './alternating.js';
import { DOCTOR_OPTIONS } from './doctor/options.js';
import { plainOptions } from './doctor/plain-options.js';
import {
  type Batches,
  type Evaluation,
  type Measures,
  CHECKPOINT_OPTIONS,
  EARLY_STOPPING_OPTIONS,
  TRAINER_OPTIONS,
  type TrainerOptions,
  WEIGHT_AVERAGE_OPTION,
} from './options.js';
import type { RunFacts, StartEvent } from './record.js';
import { lossName, optimizerName, samplesOf } from './traits.js';
import type { Watchable } from './watch.js';

/** Throws ArgumentError for options out of range. */
export function checkTrainerOptions(options: TrainerOptions): void {
  checkNeededOptions('Trainer', options, TRAINER_OPTIONS, '{ model, optimizer, train, epochs }');
  checkOptions('Trainer: earlyStopping', options.earlyStopping, EARLY_STOPPING_OPTIONS);
  checkOptions('Trainer: checkpoint', options.checkpoint, CHECKPOINT_OPTIONS);
  checkOptions('Trainer: weightAverage', options.weightAverage, WEIGHT_AVERAGE_OPTION);
  if (typeof options.doctor === 'object') checkOptions('Trainer: doctor', options.doctor, DOCTOR_OPTIONS);
  checkParts(options);
  const { epochs, steps, accumulate, validateEvery, clipNorm, clipValue, metrics = {}, earlyStopping } = options;
  if (epochs === undefined && steps === undefined) {
    throw new ArgumentError('Trainer: neither epochs nor steps. Say how long to train.');
  }
  const every = options.checkpoint?.every;
  const whole = { epochs, steps, accumulate, validateEvery, patience: earlyStopping?.patience };
  for (const [name, value] of Object.entries({ ...whole, every: every === 'epoch' ? undefined : every })) {
    if (value === undefined || (Number.isInteger(value) && value >= 1)) continue;
    throw wrongKind('Trainer', name, value, 'Use a whole number of at least 1');
  }
  checkGiven(checkNumber, 'Trainer', { clipNorm, clipValue, minDelta: earlyStopping?.minDelta });
  for (const [name, value] of Object.entries({ clipNorm, clipValue })) {
    if (value !== undefined && !(value >= 0))
      throw new ArgumentError(`Trainer: ${name} is ${value}. Use a number of at least 0.`);
  }
  if (options.distributed !== undefined) checkDistributed(options);
  if (Object.hasOwn(metrics, 'loss')) throw new ArgumentError("Trainer: a metric cannot be called 'loss'.");
  if (options.loss !== undefined && options.forward !== undefined) {
    throw new ArgumentError('Trainer: both loss and forward. forward gives the loss itself: leave out loss.');
  }
  checkTurns(options);
}

/** Throws ArgumentError unless each turn has its optimiser, and each optimiser its turn. */
function checkTurns({ turns, optimizer, loss, forward, accumulate, distributed, metrics = {} }: TrainerOptions): void {
  const parts = optimizer instanceof Alternating ? Object.keys(optimizer.parts) : [];
  if (turns === undefined) {
    if (parts.length > 0)
      throw new ArgumentError(`Trainer: optimisers that alternate, and no turns. Give turns: { ${parts.join(', ')} }.`);
    return;
  }
  checkRecord('Trainer', 'turns', turns, 'passes: { discriminator: (model, batch) => loss, … }');
  const names = Object.keys(turns);
  for (const name of names) checkFunction('Trainer', turns[name], `turn '${name}'`);
  if (names.length === 0 || names.length !== parts.length || names.some((name) => !parts.includes(name)))
    throw new ArgumentError(
      `Trainer: turns { ${names.join(', ')} }, and optimisers { ${parts.join(', ')} }. Give optimizer: new Alternating({ … }) with one for each turn.`,
    );
  for (const [name, value] of Object.entries({ loss, forward, distributed, accumulate })) {
    if (value === undefined || value === 1) continue;
    throw new ArgumentError(`Trainer: both turns and ${name}, which go not together. Leave out ${name}.`);
  }
  const taken = names.find((name) => name === 'loss' || Object.hasOwn(metrics, name));
  if (taken !== undefined)
    throw new ArgumentError(`Trainer: a turn cannot be called '${taken}': there is a number of this name already.`);
}

/** Throws ArgumentError for what several processes cannot do together. */
function checkDistributed({ distributed, metrics = {}, train }: TrainerOptions): void {
  checkHas(
    'Trainer',
    'distributed',
    distributed,
    ['rank', 'worldSize', 'agree'],
    'Pass what await init() of nabla/distributed gives',
  );
  if (train.state !== undefined)
    throw new ArgumentError(
      'Trainer: distributed with training data that keep a state, as those of an agent do: every process would draw the same ones. Leave out distributed.',
    );
  if (train.measures !== undefined || train.measured !== undefined)
    throw new ArgumentError(
      'Trainer: distributed with training data that take measures themselves, as an agent does: they would be those of one process. Leave out distributed.',
    );
  for (const [name, { state, merge, restore }] of Object.entries(metrics)) {
    if (state !== undefined && merge !== undefined && restore !== undefined) continue;
    throw new ArgumentError(
      `Trainer: metric '${name}' cannot be joined over processes: it has no state, merge and restore. Use one of nabla/metrics, or leave it out.`,
    );
  }
}

/** Throws ArgumentError for what is not of the kind that a run needs. */
function checkParts(options: TrainerOptions): void {
  const { loss, forward, metrics, schedule, probe, folder, signal, config, checkpoint, earlyStopping, plateau } =
    options;
  checkModelAndOptimizer('Trainer', options.model, options.optimizer);
  checkBatches('Trainer', 'train', options.train);
  checkGiven((op, what, value) => isEvaluation(value) || checkBatches(op, what, value), 'Trainer', {
    validation: options.validation,
    test: options.test,
  });
  checkGiven((op, what, value) => checkFunction(op, value, what), 'Trainer', { loss, forward });
  if (metrics !== undefined) checkRecord('Trainer', 'metrics', metrics, 'metrics');
  for (const [name, metric] of Object.entries(metrics ?? {}))
    checkHas(
      'Trainer',
      `metric '${name}'`,
      metric,
      ['update', 'compute', 'reset'],
      'Pass one of nabla/metrics: new Accuracy()',
    );
  if (schedule !== undefined && typeof schedule !== 'function') {
    const wanted = 'Pass (step, total) => rate, a list of these, or { perEpoch }';
    if (Array.isArray(schedule)) schedule.forEach((one, i) => checkFunction('Trainer', one, `schedule ${i}`));
    else checkHas('Trainer', 'schedule', schedule, ['perEpoch'], wanted);
    if (!Array.isArray(schedule) && 'perEpoch' in schedule)
      checkFunction('Trainer', schedule.perEpoch, 'perEpoch of the schedule');
  } else if (schedule !== undefined) checkFunction('Trainer', schedule, 'schedule');
  const { listeners = [], callbacks = [] }: { readonly listeners?: unknown; readonly callbacks?: unknown } = options;
  checkList('Trainer', 'listeners', listeners, 'listeners: [new ConsoleLogger()]');
  for (const listener of listeners as readonly unknown[])
    checkHas('Trainer', 'a listener', listener, ['onEvent'], 'Pass objects with onEvent: [new ConsoleLogger()]');
  checkList('Trainer', 'callbacks', callbacks, 'callbacks: [{ onEpochEnd() { … } }]');
  for (const callback of callbacks as readonly unknown[])
    checkRecord('Trainer', 'a callback', callback, 'functions such as onEpochEnd');
  if (probe !== undefined) checkHas('Trainer', 'probe', probe, ['isDue', 'report'], 'Pass a probe: { isDue, report }');
  if (signal !== undefined) checkHas('Trainer', 'signal', signal, ['aborted'], "Pass an AbortController's signal");
  if (folder !== undefined) checkText('Trainer', 'folder', folder);
  if (config !== undefined) checkRecord('Trainer', 'config', config, 'settings');
  if (plateau !== undefined) checkRecord('Trainer', 'plateau', plateau, 'options');
  if (options.seed !== undefined) checkWhole('Trainer', 'seed', options.seed, -Infinity);
  if (options.classes !== undefined) checkWhole('Trainer', 'classes', options.classes, 1);
  for (const monitored of [checkpoint, earlyStopping, plateau]) {
    if (monitored?.monitor !== undefined) checkText('Trainer', 'monitor', monitored.monitor);
    if (monitored?.mode !== undefined) checkChoice('Trainer', 'mode', monitored.mode, ['min', 'max']);
  }
  if (options.weightAverage?.from !== undefined) checkWhole('Trainer', 'from', options.weightAverage.from, 1);
  if (options.weightAverage?.decay !== undefined) checkNumber('Trainer', 'decay', options.weightAverage.decay);
}

/** Throws ArgumentError unless these are a module with `forward` (or any, where the caller does the pass) and an optimiser. */
export function checkModelAndOptimizer(op: string, model: unknown, optimizer: unknown): void {
  refuseOtherCopy(op, model);
  if (!(model instanceof Module)) throw wrongKind(op, 'model', model, 'Pass a module, such as new Sequential(…)');
  checkHas(
    op,
    'optimizer',
    optimizer,
    ['groups', 'zeroGrad', 'step'],
    'Pass one of nabla/optim: new AdamW(model.parameters(), { lr })',
  );
}

/** Throws ArgumentError unless batches can be asked for. */
export function checkBatches(op: string, what: string, data: unknown): void {
  const isData = typeof data === 'object' && data !== null && 'get' in data;
  const wanted = isData
    ? 'Wrap it: new DataLoader(dataset, { batchSize: 64 })'
    : 'Pass a DataLoader: new DataLoader(dataset, { batchSize: 64 })';
  if (!isData && typeof data === 'object' && data !== null && 'batches' in data) return;
  throw wrongKind(op, what, data, wanted);
}

/** Whether measures are taken otherwise than by going through batches. */
export function isEvaluation(data: unknown): data is Evaluation {
  return typeof data === 'object' && data !== null && 'measures' in data && 'evaluate' in data && !('batches' in data);
}

/** Throws ArgumentError where it is known beforehand that there is nothing to go through. */
export function checkData({ train, validation, test }: TrainerOptions): void {
  for (const [name, data] of Object.entries({ training: train, validation, test })) {
    if (data === undefined || isEvaluation(data) || data.length !== 0) continue;
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

export function watchableOf({ metrics = {}, turns = {}, train, validation }: TrainerOptions): Watchable {
  const own = Object.entries(metrics).map(([name, { better }]) => [name, better] as const);
  const measured = [train.measures, isEvaluation(validation) ? validation.measures : undefined];
  const losses = Object.fromEntries(['loss', ...Object.keys(turns)].map((name) => [name, 'lower'] as const));
  const all: Measures = { ...losses, ...Object.fromEntries(own), ...measured[0], ...measured[1] };
  const modes = Object.entries(all).map(([name, better]) => [name, better === 'higher' ? 'max' : 'min'] as const);
  return { modes: Object.fromEntries(modes), hasValidation: validation !== undefined };
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
  turns,
  classes,
  accumulate = 1,
}: TrainerOptions): RunFacts {
  const facts = {
    parameters: model.parameterCount,
    classes,
    loss: lossName({ loss, forward, turns }),
    optimizer: optimizerName(optimizer),
    optimizerOptions: plainOptions(optimizer.groups[0]),
    epochs,
    stepsPerEpoch: stepsOf(train, accumulate),
    batchSize: train.batchSize,
    trainSamples: samplesOf(train),
    validationSamples: validation && !isEvaluation(validation) ? samplesOf(validation) : undefined,
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
