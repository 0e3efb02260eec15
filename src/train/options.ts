// What a Trainer is told: the model, what to go through, and everything about the run that may be chosen. Types only.

import type { SharedBatches } from '../data/batch-share.js';
import type { World } from '../distributed/world.js';
import type { OptionNames } from '../tensor/library.js';
import type { Metric } from '../metrics/metric.js';
import type { Module } from '../nn/module.js';
import type { OptimizerState } from '../optim/optimizer.js';
import type { PlateauOptions } from '../optim/scheduler.js';
import type { AnyTensor, Tensor } from '../tensor/tensor.js';
import type { DoctorOptions } from './doctor/options.js';
import type { EpochEvent, RunEvent, RunListener, StepEvent } from './record.js';

/** Where batches come from, epoch by epoch: a DataLoader, or anything like it. */
export interface Batches<B> {
  /** Batches an epoch; undefined where that is not known. */
  readonly length?: number | undefined;
  readonly batchSize?: number | undefined;
  readonly dataset?: unknown;
  /** Of the order; kept in checkpoints, where a resumed run has to have the same. */
  readonly seed?: number | undefined;
  /**
   * The batches of one epoch, beginning with batch `from`. The same arguments give the same batches, unless the source keeps a `state`:
   * an agent, whose batches come from what it does.
   */
  batches(epoch: number, from?: number): AsyncIterable<B>;
  /** The part of each batch that is process `rank`'s; without it, batches are taken to be the process's own. */
  shard?(rank: number, worldSize: number): SharedBatches<B>;
  /** What an epoch measures besides loss and metrics, by name: the return of episodes, for example. */
  readonly measures?: Measures | undefined;
  /** The measures, at the end of an epoch. */
  measured?(): Readonly<Record<string, number>>;
  /** All that the next batch depends on besides model and optimiser; kept in checkpoints, together with `restore`. */
  state?(): SourceState;
  /** Goes on from what `state` gave. */
  restore?(state: SourceState): void | Promise<void>;
}

/** Names of measures, and whether more or less of them is better. */
export type Measures = Readonly<Record<string, 'higher' | 'lower'>>;

/** What a source of batches goes on from. */
export interface SourceState {
  readonly numbers: Readonly<Record<string, readonly number[]>>;
  readonly tensors: Readonly<Record<string, AnyTensor>>;
}

/** In the place of data to validate or test on: measures that are taken otherwise than by going through batches. */
export interface Evaluation {
  readonly measures: Measures;
  /** With the weights as they are. */
  evaluate(): Promise<Readonly<Record<string, number>>>;
}

/** What updates the parameters: any of `nabla/optim`. */
export interface TrainingOptimizer {
  readonly groups: readonly (object & { lr?: number; readonly params: readonly Tensor[] })[];
  zeroGrad(): void;
  step(): Promise<void>;
  stateDict(): OptimizerState;
  loadStateDict(state: OptimizerState): void;
  /** Gathers state that is divided among processes, for `stateDict` on process 0. */
  consolidateStateDict?(): Promise<void>;
  /** The optimiser that does the work, where this one only shares it out. */
  readonly optimizer?: object;
}

/** What one pass through the model gives. */
export interface StepOutput {
  /** What is minimised: a tensor with one element. */
  readonly loss: AnyTensor;
  /** What metrics look at. */
  readonly output?: AnyTensor;
  readonly target?: AnyTensor;
  /** The loss that is written down where it is not the one that is minimised (without label smoothing, for example). */
  readonly reported?: AnyTensor;
}

/** The pass of a turn: what its optimiser minimises. Parameters that are others' are left as they are. */
export type Turn<M extends Module = Module, B = unknown> = NonNullable<TrainerOptions<M, B>['forward']>;

/** The learning rate of an update (counted from 0) of `total`; `total` is NaN where that is not known. */
export type RateOfStep = (step: number, total: number) => number;

export type ScheduleOption =
  | RateOfStep
  /** One for each parameter group. */
  | readonly RateOfStep[]
  /** Counted in epochs: the rate of epoch `epoch` (counted from 0) of `epochs`. */
  | { readonly perEpoch: (epoch: number, epochs: number) => number };

/** `loss`, `accuracy`, …: of the validation if there is one. `train.loss`, `validation.loss`: just that. */
export interface MonitorOption {
  /** Default `loss`. */
  readonly monitor?: string;
  /** Whether less or more is better. Default: as the metric says, `min` for losses. */
  readonly mode?: 'min' | 'max';
}

export interface EarlyStoppingOptions extends MonitorOption {
  /** Epochs without improvement after which the run ends. Default 10. */
  readonly patience?: number;
  /** The least difference that is an improvement. Default 0. */
  readonly minDelta?: number;
}

export interface CheckpointOptions extends MonitorOption {
  /** When a checkpoint is written: after each epoch (the default), or after so many updates as well. */
  readonly every?: 'epoch' | number;
  /** Keep the weights of the best epoch in `best.safetensors`. Default true. */
  readonly best?: boolean;
}

export interface WeightAverageOption {
  /** Part of the average that an update keeps; without it all updates weigh the same. */
  readonly decay?: number;
  /** The epoch (counted from 1) from which on updates are averaged. Default 1. */
  readonly from?: number;
}

/** A run under way, as callbacks see it. */
export interface TrainerHandle {
  readonly model: Module;
  readonly optimizer: TrainingOptimizer;
  /** Updates so far. */
  readonly step: number;
  /** Epochs finished. */
  readonly epoch: number;
  readonly history: readonly EpochEvent[];
  /** Ends the run after the current update. */
  stop(): void;
  /** Tells an event to all listeners. */
  emit(event: RunEvent): Promise<void>;
}

/** Called at the moments of a run; `trainer.stop()` ends it. */
export interface Callback {
  onFitStart?(trainer: TrainerHandle): void | Promise<void>;
  onEpochStart?(trainer: TrainerHandle, epoch: number): void | Promise<void>;
  onStep?(trainer: TrainerHandle, event: StepEvent): void | Promise<void>;
  onEpochEnd?(trainer: TrainerHandle, event: EpochEvent): void | Promise<void>;
  onFitEnd?(trainer: TrainerHandle): void | Promise<void>;
}

/**
 * Looks into single steps: what it returns is computed with the step and handed back as tensors to be read. A step that is
 * looked at is captured on its own, so the others pay nothing.
 */
export interface StepProbe {
  /** Whether to look into update `step` (counted from 1). */
  isDue(step: number): boolean;
  /** Before the forward pass: the moment for hooks. */
  beforeForward?(model: Module): void;
  /** Gradients are on the parameters, not yet clipped. */
  afterBackward?(model: Module): Readonly<Record<string, AnyTensor>>;
  /** Parameters have their new values. */
  afterUpdate?(model: Module): Readonly<Record<string, AnyTensor>>;
  /** After the step, with everything that was returned. */
  report(trainer: TrainerHandle, step: number, values: Readonly<Record<string, AnyTensor>>): void | Promise<void>;
}

/** How long to train: so many epochs, so many updates, or whichever comes first. */
interface Length {
  readonly epochs?: number;
  readonly steps?: number;
}

export interface TrainerOptions<M extends Module = Module, B = unknown> extends Length {
  readonly model: M;
  readonly optimizer: TrainingOptimizer;
  readonly train: Batches<B>;
  readonly validation?: Batches<B> | Evaluation;
  /** Evaluated once, when the run is complete. */
  readonly test?: Batches<B> | Evaluation;
  /** Loss of `model.forward(x)` and `y`, for batches { x, y } or [x, y]. Default: cross entropy. */
  loss?(output: Tensor, target: AnyTensor): AnyTensor;
  /** One pass for any other batch: the loss, or the loss with what metrics look at. `model.training` tells the mode. */
  forward?(model: M, batch: B): AnyTensor | StepOutput;
  /**
   * Several updates from each batch, one after the other, in the place of `forward`: by name, each with the loss that the optimiser of this
   * name minimises, in an `Alternating`. `loss` of the record is the last turn's; each is written down under its name besides.
   */
  readonly turns?: Readonly<Record<string, Turn<M, B>>>;
  /** By name, in training and validation alike. Results have to be single numbers. */
  readonly metrics?: Readonly<Record<string, Metric<number>>>;
  /** Validate after every so many epochs, and after the last. Default 1. */
  readonly validateEvery?: number;
  readonly schedule?: ScheduleOption;
  /** Lowers the rates when a value stops improving. */
  readonly plateau?: Partial<PlateauOptions> & MonitorOption;
  /** Batches an update: gradients are averaged over them. Default 1. */
  readonly accumulate?: number;
  /** Largest joint norm of all gradients. */
  readonly clipNorm?: number;
  /** Largest absolute value of each gradient. */
  readonly clipValue?: number;
  /** Write down the norm of the gradients at every update. Default true. */
  readonly gradNorm?: boolean;
  readonly earlyStopping?: EarlyStoppingOptions;
  /** Validates, tests and ends with averaged weights. */
  readonly weightAverage?: WeightAverageOption;
  /** End with the weights of the best epoch (by `checkpoint.monitor`) instead of the last. Default false. */
  readonly restoreBest?: boolean;
  readonly listeners?: readonly RunListener[];
  readonly callbacks?: readonly Callback[];
  readonly probe?: StepProbe;
  /** Writes down statistics of layers and mistakes that are noticed, for `diagnose` and `nabla doctor`. Default false. */
  readonly doctor?: boolean | DoctorOptions;
  /** Run folder: record, checkpoints, weights. Node only; without it nothing is written. */
  readonly folder?: string;
  readonly checkpoint?: CheckpointOptions;
  /** Ends the run after the current update, with a checkpoint. */
  readonly signal?: AbortSignal;
  /**
   * Trains together with other processes: what `init()` of nabla/distributed gives. Batches are those of all processes together, of which each
   * goes through its share; gradients, losses and metrics are those of the whole. Listeners and folder are process 0's. Node, 'cpu'.
   */
  readonly distributed?: World;
  /** Capture the step (see `compile`). Default true; false for models that decide in JavaScript. */
  readonly compile?: boolean;
  /** Seeds the generator when the run starts. */
  readonly seed?: number;
  /** Hyper-parameters, for the record: plain JSON. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Number of classes, for the record. */
  readonly classes?: number;
}

export const TRAINER_OPTIONS: OptionNames<TrainerOptions> = {
  model: true,
  optimizer: true,
  train: true,
  validation: true,
  test: true,
  loss: true,
  forward: true,
  turns: true,
  metrics: true,
  validateEvery: true,
  schedule: true,
  plateau: true,
  accumulate: true,
  clipNorm: true,
  clipValue: true,
  gradNorm: true,
  earlyStopping: true,
  weightAverage: true,
  restoreBest: true,
  listeners: true,
  callbacks: true,
  probe: true,
  doctor: true,
  folder: true,
  checkpoint: true,
  signal: true,
  distributed: true,
  compile: true,
  seed: true,
  config: true,
  classes: true,
  epochs: true,
  steps: true,
};

export const EARLY_STOPPING_OPTIONS: OptionNames<EarlyStoppingOptions> = {
  patience: true,
  minDelta: true,
  monitor: true,
  mode: true,
};
export const CHECKPOINT_OPTIONS: OptionNames<CheckpointOptions> = {
  every: true,
  best: true,
  monitor: true,
  mode: true,
};
export const WEIGHT_AVERAGE_OPTION: OptionNames<WeightAverageOption> = { decay: true, from: true };
