// The record of a run: what a training run writes down about itself, one event after the other, and what is read from it
// again: loggers print it, curves are drawn from it, the doctor diagnoses it, a table compares it. Plain data that
// survives JSON; numbers that are not finite are written as the strings 'NaN', 'Infinity' and '-Infinity' in JSON.
// Must not know: files, trainers, models.

import {
  type Check,
  fields,
  isAnything,
  isCount,
  isNumber,
  isSwitch,
  isText,
  listOf,
  oneOf,
  recordOf,
} from './plain-data.js';

/** One thing that happened in a run. */
export type RunEvent = StartEvent | StepEvent | EpochEvent | LayersEvent | CheckEvent | NoticeEvent | EndEvent;

export interface StartEvent {
  readonly event: 'start';
  /** ISO 8601. */
  readonly time: string;
  /** Hyper-parameters and whatever else was asked for: plain JSON. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly facts: RunFacts;
  /** Updates that an interrupted run had behind it; left out by a run that begins. */
  readonly resumedFrom?: number;
}

/** What is known before the first step. Unknown facts are left out. */
export interface RunFacts {
  readonly parameters?: number;
  /** Classes of a classification; makes log(C) the expected first loss. */
  readonly classes?: number;
  readonly loss?: string;
  readonly optimizer?: string;
  /** Numbers and switches of its first parameter group: weightDecay, momentum, … */
  readonly optimizerOptions?: Readonly<Record<string, number | boolean>>;
  readonly epochs?: number;
  readonly stepsPerEpoch?: number;
  readonly batchSize?: number;
  readonly trainSamples?: number;
  readonly validationSamples?: number;
  /** Names of the leaf modules in the order of their calls, with their class. */
  readonly layers?: readonly { readonly name: string; readonly kind: string }[];
}

/** After an update. */
export interface StepEvent {
  readonly event: 'step';
  /** Number of updates so far; the first event has 1. */
  readonly step: number;
  readonly epoch: number;
  readonly loss: number;
  readonly lr: number;
  /** Euclidean norm of all gradients together, before clipping. */
  readonly gradNorm?: number;
}

/** After each epoch (counted from 1). */
export interface EpochEvent {
  readonly event: 'epoch';
  readonly epoch: number;
  readonly step: number;
  /** Means over the epoch, by name: loss, accuracy, … */
  readonly train: Readonly<Record<string, number>>;
  readonly validation?: Readonly<Record<string, number>>;
  readonly lr: number;
  readonly seconds: number;
  readonly samplesPerSecond: number;
  /** Part of the time of training that was spent waiting for data. */
  readonly waiting?: number;
  /** Part of the time of training that was spent waiting for other processes, communication included. */
  readonly communication?: number;
  /** Bytes in tensors at the end of the epoch, on the device of the parameters. */
  readonly tensorBytes?: number;
  /** Bytes of memory that the process has then, all threads together; not known in a page. */
  readonly processBytes?: number;
}

/** Statistics of layers and parameters at one step. */
export interface LayersEvent {
  readonly event: 'layers';
  readonly step: number;
  readonly layers: readonly LayerStatistics[];
  readonly parameters: readonly ParameterStatistics[];
  /** Of what the first layer was given, where that is float32. */
  readonly input?: InputStatistics;
  /** Of what the loss was given as the truth. */
  readonly targets?: TargetStatistics;
}

export interface InputStatistics {
  /** Samples in the batch: the size of the first axis. */
  readonly batch: number;
  readonly mean: number;
  readonly std: number;
  readonly min: number;
  readonly max: number;
  /** Share of numbers that are NaN or infinite. */
  readonly notFinite: number;
}

export interface TargetStatistics {
  /** Name of the loss, and the classes that it was given scores of. */
  readonly loss?: string;
  readonly classes?: number;
  readonly count: number;
  readonly mean: number;
  readonly std: number;
  readonly min: number;
  readonly max: number;
  /** Share of the commonest class, for labels of classes. */
  readonly commonest?: number;
}

/** Of one leaf module: its output, and the gradient that reaches its output. */
export interface LayerStatistics {
  readonly name: string;
  readonly kind: string;
  readonly mean: number;
  readonly std: number;
  /** Share of outputs that are exactly 0. */
  readonly zero: number;
  /** Share of units (channels, features) that are 0 for the whole batch. */
  readonly dead: number;
  /** Share of outputs within 1 % of the ends of the range, for sigmoid, tanh and the like. */
  readonly saturated?: number;
  /** Share of outputs that are NaN or infinite. */
  readonly notFinite: number;
  /** Root mean square of the gradient at the output. */
  readonly gradStd?: number;
}

export interface ParameterStatistics {
  readonly name: string;
  readonly shape?: readonly number[];
  /** Before the update, as everything here. */
  readonly norm: number;
  /** Root mean square distance of the rows (what leads to one output unit) from their mean; 0 if all units are alike. */
  readonly spread?: number;
  readonly gradNorm?: number;
  /** Norm of the last update divided by the norm of the parameter; healthy is about 1e-3. */
  readonly updateRatio?: number;
}

/** One of the checks before training: initial loss, overfitting one batch, … */
export interface CheckEvent {
  readonly event: 'check';
  readonly name: string;
  readonly passed: boolean;
  readonly value?: number;
  readonly expected?: number;
  readonly text: string;
}

/** Something that was noticed on the way, such as a mode or a gradient that is not as it should be. */
export interface NoticeEvent {
  readonly event: 'notice';
  readonly step: number;
  /** Stable, in kebab-case: `gradients-accumulate`, `eval-in-training`, `train-in-validation`, … */
  readonly code: string;
  readonly text: string;
}

export interface EndEvent {
  readonly event: 'end';
  readonly reason: 'completed' | 'early-stopping' | 'aborted' | 'diverged' | 'failed';
  readonly step: number;
  readonly seconds: number;
  /** Results on test data, if there were any. */
  readonly test?: Readonly<Record<string, number>>;
}

/** Takes events as they happen. Loggers, progress bars and the doctor's probe are listeners. */
export interface RunListener {
  onEvent(event: RunEvent): void | Promise<void>;
  /** After the last event, however the run ended. */
  close?(): void | Promise<void>;
}

/** JSON in which numbers that are not finite are the strings 'NaN', 'Infinity' and '-Infinity'. */
export function formatJson(value: unknown): string {
  return JSON.stringify(value, (_, v: unknown) => (typeof v === 'number' && !Number.isFinite(v) ? String(v) : v));
}

const NOT_FINITE: Readonly<Record<string, number>> = { NaN: NaN, Infinity: Infinity, '-Infinity': -Infinity };

/** Reads what `formatJson` wrote. Throws SyntaxError. */
export function parseJson(text: string): unknown {
  return JSON.parse(text, (_, v: unknown) =>
    typeof v === 'string' && Object.hasOwn(NOT_FINITE, v) ? NOT_FINITE[v] : v,
  );
}

/** One line of a record file, without its line end. */
export function formatEvent(event: RunEvent): string {
  return formatJson(event);
}

const isStatistics = recordOf(isNumber);
const isLayer = fields(
  { name: isText, kind: isText, mean: isNumber, std: isNumber, zero: isNumber, dead: isNumber, notFinite: isNumber },
  { saturated: isNumber, gradStd: isNumber },
);
const isParameter = fields(
  { name: isText, norm: isNumber },
  { shape: listOf(isCount), spread: isNumber, gradNorm: isNumber, updateRatio: isNumber },
);
const FACTS: Readonly<Record<keyof RunFacts, Check>> = {
  parameters: isNumber,
  classes: isNumber,
  loss: isText,
  optimizer: isText,
  optimizerOptions: recordOf(oneOf(isNumber, isSwitch)),
  epochs: isNumber,
  stepsPerEpoch: isNumber,
  batchSize: isNumber,
  trainSamples: isNumber,
  validationSamples: isNumber,
  layers: listOf(fields({ name: isText, kind: isText })),
};

/** What every event has, and what it has if at all. Other fields, and events that are not known here, may be anything. */
const EVENTS: Readonly<
  Record<RunEvent['event'], readonly [Readonly<Record<string, Check>>, Readonly<Record<string, Check>>]>
> = {
  start: [{ facts: fields({}, FACTS) }, { time: isText, config: recordOf(isAnything), resumedFrom: isCount }],
  step: [
    { step: isCount, loss: isNumber },
    { epoch: isCount, lr: isNumber, gradNorm: isNumber },
  ],
  epoch: [
    { epoch: isCount, train: isStatistics },
    {
      step: isCount,
      validation: isStatistics,
      lr: isNumber,
      seconds: isNumber,
      samplesPerSecond: isNumber,
      waiting: isNumber,
      communication: isNumber,
      tensorBytes: isNumber,
      processBytes: isNumber,
    },
  ],
  layers: [
    { step: isCount, layers: listOf(isLayer), parameters: listOf(isParameter) },
    {
      input: recordOf(isNumber),
      targets: fields(
        { count: isNumber, mean: isNumber, std: isNumber, min: isNumber, max: isNumber },
        { loss: isText, classes: isNumber, commonest: isNumber },
      ),
    },
  ],
  check: [
    { name: isText, passed: isSwitch, text: isText },
    { value: isNumber, expected: isNumber },
  ],
  notice: [{ code: isText, text: isText }, { step: isCount }],
  end: [{ reason: isText }, { step: isCount, seconds: isNumber, test: isStatistics }],
};

/** The check of an epoch's event, which checkpoints hold, too. */
export const isEpochEvent = fields(...EVENTS.epoch);

/**
 * Reads what `formatEvent` wrote; undefined if the line is no event: empty, cut off by a crash, damaged, or with fields that
 * are not what they should be.
 */
export function parseEvent(line: string): RunEvent | undefined {
  let value: unknown;
  try {
    value = parseJson(line);
  } catch {
    return undefined;
  }
  const kind = (value as Partial<RunEvent> | null)?.event;
  if (typeof kind !== 'string') return undefined;
  if (Object.hasOwn(EVENTS, kind) && !fields(...EVENTS[kind])(value)) return undefined;
  return value as RunEvent;
}
