// The Trainer: goes through the data epoch by epoch, validates, watches, and tells its listeners what happened. What it is made of:
//   epoch.ts      the updates of an epoch (step.ts: one update)    evaluate.ts   validation and test
//   ending.ts     abort and stop, of one process or all            ranks.ts      other processes
//   run-files.ts  the run folder                                   going-on.ts   what is said of a run that was resumed
// Options in (model, optimiser, loaders, …), events out; the model is trained in place.
// Everything that decides the next update is in `state()`, so that a run that is broken off anywhere goes on with the same
// numbers. Must not know: terminals, and files but for the run folder that it is given.

import { WeightAverage } from '../optim/average.js';
import type { Module } from '../nn/module.js';
import { filePath } from '../io/path.js';
import { tensor } from '../tensor/creation.js';
import { ArgumentError, tellCall } from '../tensor/library.js';
import type { AnyTensor } from '../tensor/tensor.js';
import { memoryInUse } from './memory.js';
import { Alternating } from './alternating.js';
import { commonFacts } from './common-facts.js';
import { checkBatches, checkData, checkTrainerOptions, describeRun, isEvaluation, watchableOf } from './describe.js';
import type { DoctorOptions } from './doctor/options.js';
import { TrainerProbe } from './doctor/trainer-probe.js';
import { Ending } from './ending.js';
import { type Position, Epochs } from './epoch.js';
import { Evaluator, inEvaluationMode } from './evaluate.js';
import { noticesOfChange } from './going-on.js';
import type { Batches, Evaluation, TrainerHandle, TrainerOptions, TrainingOptimizer } from './options.js';
import { ALONE, type Ranks } from './ranks.js';
import { Rates } from './rates.js';
import { type EndEvent, type EpochEvent, type RunEvent, type RunListener, formatJson, parseJson } from './record.js';
import { RunFiles } from './run-files.js';
import { Seeds } from './seeds.js';
import { type TrainerState, checkProgress, collectTensors, restoreTensors, sourceTensors } from './state.js';
import { Steps } from './step.js';
import { Totals } from './totals.js';
import { type RunTraits, traitsOf } from './traits.js';
import { Watch, type WatchState } from './watch.js';

export interface FitResult {
  readonly reason: EndEvent['reason'];
  /** Epochs finished, and updates. */
  readonly epoch: number;
  readonly step: number;
  readonly history: readonly EpochEvent[];
  /** The best epoch, by `checkpoint.monitor`. */
  readonly best: { readonly epoch: number; readonly value: number } | undefined;
  /** Results on `test`, if the run is complete and there is any. */
  readonly test: Readonly<Record<string, number>> | undefined;
  readonly seconds: number;
}

/** A watch of nothing yet. */
const UNWATCHED: WatchState = { best: null, bestEpoch: 0, bad: 0 };

/**
 * Trains a model. Lightning: Trainer with a LightningModule; Keras: compile and fit.
 *
 *     const trainer = new Trainer({
 *       model,
 *       optimizer: new AdamW(model.parameters(), { lr: 3e-3 }),
 *       train: new DataLoader(train, { batchSize: 64, shuffle: true }),
 *       validation: new DataLoader(validation, { batchSize: 256 }),
 *       metrics: { accuracy: new Accuracy() },
 *       epochs: 10,
 *     });
 *     const { history } = await trainer.fit();
 *
 * Batches are { x, y }, the loss is cross entropy; `loss` and `forward` say otherwise. With `folder` the run can be killed
 * at any moment and taken up by the same program with `resume`, to the very same numbers (same device, tier and threads).
 */
export class Trainer<M extends Module = Module, B = unknown> implements TrainerHandle {
  readonly model: M;
  readonly optimizer: TrainingOptimizer;
  readonly options: TrainerOptions<M, B>;
  history: EpochEvent[] = [];
  private readonly position: Position = { epoch: 0, batch: 0, step: 0 };
  private isRunning = false;
  /** What the run that goes on began as. */
  private traits: RunTraits | undefined;
  private bestWeights: Readonly<Record<string, AnyTensor>> | undefined;
  private readonly seeds = new Seeds();
  private readonly ending: Ending;
  private readonly files: RunFiles;
  private readonly steps: Steps<M, B>;
  private readonly totals: Totals;
  private readonly epochs: Epochs<M, B>;
  private readonly evaluator: Evaluator<B>;
  private readonly rates: Rates;
  private readonly best: Watch;
  private readonly stopping: Watch | undefined;
  private readonly average: WeightAverage | undefined;
  /** Who trains together, once `fit` has begun. */
  private ranks: Ranks = ALONE;

  /** Throws ArgumentError for options that do not fit each other. */
  constructor(given: TrainerOptions<M, B>) {
    checkTrainerOptions(given as TrainerOptions);
    const { doctor = false } = given;
    const probe = given.probe ?? (doctor && probeOf(given as TrainerOptions, doctor === true ? {} : doctor));
    const options = { ...given, ...(probe && { probe }) };
    const { model, optimizer, metrics = {}, earlyStopping, weightAverage, checkpoint = {} } = options;
    this.model = model;
    this.optimizer = optimizer;
    this.options = options;
    this.files = new RunFiles(options);
    this.ending = new Ending(options.signal, options.distributed?.worldSize ?? 1);
    this.steps = new Steps(options, (text) => this.epochs.noteDifference(text));
    this.totals = new Totals(metrics);
    this.evaluator = new Evaluator(model, this.steps, metrics);
    const watchable = watchableOf(options as TrainerOptions);
    this.rates = new Rates(options as TrainerOptions, watchable);
    this.best = new Watch(checkpoint, watchable);
    this.stopping = earlyStopping && new Watch(earlyStopping, watchable);
    if (weightAverage !== undefined) {
      const state = [...model.parameters(), ...model.buffers().filter((b) => (b.dtype as string) === 'float32')];
      const { decay } = weightAverage;
      this.average = new WeightAverage(state, decay === undefined ? {} : { decay });
    }
    const { position, steps, totals, rates, average, ending, files } = this;
    const save = () => this.save();
    this.epochs = new Epochs({ trainer: this, options, position, steps, totals, rates, average, ending, files, save });
  }

  /** Epochs finished. */
  get epoch(): number {
    return this.position.epoch;
  }

  /** Updates so far. */
  get step(): number {
    return this.position.step;
  }

  // -------------------------------------------------------------- the run

  /** Trains until the end, or until something ends the run before. Goes on where `resume` has put it. */
  async fit(): Promise<FitResult> {
    if (this.isRunning) throw new ArgumentError('Trainer: fit() is under way already. Wait for it to end.');
    this.isRunning = true;
    const call = new Error(); // where the user called, which the stacks of later errors do not reach
    this.ending.reset();
    const begin = performance.now();
    const seconds = () => (performance.now() - begin) / 1000;
    const { seed, callbacks = [] } = this.options;
    let reason: EndEvent['reason'] = 'failed';
    let test: Record<string, number> | undefined;
    try {
      checkData(this.options as TrainerOptions);
      const { step, batch, epoch } = this.position;
      if (seed !== undefined && step === 0 && batch === 0) this.seeds.set(seed);
      await this.join();
      this.ranks.begin(commonFacts(this.options as TrainerOptions, step, batch));
      this.seeds.setApart(this.ranks);
      await this.files.begin(step, epoch);
      await this.emit(describeRun(this.options as TrainerOptions, step));
      await this.tellChanges();
      for (const callback of callbacks) await callback.onFitStart?.(this);
      reason = await this.goThrough();
      if (reason === 'completed' || reason === 'early-stopping') test = await this.finish();
      for (const callback of callbacks) await callback.onFitEnd?.(this);
      await this.emit({ event: 'end', reason, step: this.step, seconds: seconds(), ...(test && { test }) });
    } catch (error) {
      // Telling it may fail for the same reason, such as a full disk: the first error is the one that counts.
      await this.emit({ event: 'end', reason: 'failed', step: this.step, seconds: seconds() }).catch(() => {});
      await this.close().catch(() => {});
      tellCall(error, call);
      throw error;
    } finally {
      this.isRunning = false;
    }
    await this.close();
    const { best, bestEpoch } = this.best;
    return {
      reason,
      epoch: this.epoch,
      step: this.step,
      history: this.history,
      best: best === undefined ? undefined : { epoch: bestEpoch, value: best },
      test,
      seconds: seconds(),
    };
  }

  /** Meets the other processes, where there are any. */
  private async join(): Promise<void> {
    const { distributed, model, optimizer, folder } = this.options;
    if (this.ranks === ALONE && distributed !== undefined) {
      const { TrainingGroup } = await import('../distributed/training.js');
      this.ranks = new TrainingGroup(distributed, model, optimizer.groups);
      for (const part of [this.steps, this.evaluator, this.files]) part.ranks = this.ranks;
      if (folder !== undefined && !distributed.hasHint)
        distributed.hint(`Go on from the last checkpoint: resume('${folder}').`);
    }
    this.epochs.join(this.ranks);
  }

  /** All of them, whatever one of them throws. */
  private async close(): Promise<void> {
    const closing = [this.files.close(), ...this.listeners.map(async (listener) => listener.close?.())];
    const failed = (await Promise.allSettled(closing)).find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  /** Ends the run after the current update. */
  stop(): void {
    this.ending.stop();
  }

  /** Tells an event to the record and to all listeners. */
  async emit(event: RunEvent): Promise<void> {
    await this.files.onEvent(event);
    for (const listener of this.listeners) await listener.onEvent(event);
  }

  /** Events are the same on all processes: process 0 tells them. */
  private get listeners(): readonly RunListener[] {
    const { distributed, listeners = [] } = this.options;
    return (distributed?.rank ?? 0) === 0 ? listeners : [];
  }

  /** Loss and metrics on other data, with the weights as they are, in evaluation mode. */
  async evaluate(data: Batches<B> | Evaluation): Promise<Record<string, number>> {
    if (isEvaluation(data)) {
      await this.join();
      return await this.measure(data);
    }
    if (this.isRunning && this.totals.samples > 0 && Object.keys(this.options.metrics ?? {}).length > 0) {
      throw new ArgumentError(
        'Trainer: evaluate() in the middle of an epoch would mix up its metrics. Call it at the end of an epoch.',
      );
    }
    checkBatches('Trainer', 'the argument of evaluate()', data);
    await this.join();
    return await this.evaluator.evaluate(data);
  }

  /** Loss and metrics over batches, or measures that are taken otherwise: on every process, of which those of process 0 count. */
  private async measure(data: Batches<B> | Evaluation): Promise<Record<string, number>> {
    if (!isEvaluation(data)) return await this.evaluator.evaluate(data);
    const own = await inEvaluationMode(this.model, async () => ({ ...(await data.evaluate()) }));
    return parseJson(this.ranks.tell(formatJson(own))) as Record<string, number>; // NaN is a number, too
  }

  private async goThrough(): Promise<EndEvent['reason']> {
    const { epochs = Infinity, steps = Infinity, earlyStopping } = this.options;
    for (;;) {
      if (this.stopping !== undefined && this.stopping.bad > (earlyStopping?.patience ?? 10) - 1)
        return 'early-stopping';
      if (this.epoch >= epochs || (this.step >= steps && this.position.batch === 0)) return 'completed';
      const end = await this.epochs.train();
      if (end === 'diverged') return 'diverged';
      if (end === 'finished') await this.endEpoch();
      else if (this.totals.canBeSaved) await this.save();
      if (end === 'finished' && this.ranks.size > 1) this.ending.agree(this.ranks.sum(this.ending.wishes()));
      if (end === 'aborted' || this.ending.isAborted) return 'aborted';
      if (end === 'stopped' || this.ending.isStopped) return 'early-stopping';
    }
  }

  /** The final weights in place, and the test, if there is one. */
  private async finish(): Promise<Record<string, number> | undefined> {
    const { restoreBest, test } = this.options;
    if (restoreBest && this.bestWeights !== undefined) this.model.loadStateDict(this.bestWeights);
    else if (this.average !== undefined && this.average.count > 0) await this.average.swap();
    return test && (await this.measure(test));
  }

  // -------------------------------------------------------------- the end of an epoch

  /** Validation, what follows from it, and the files. */
  private async endEpoch(): Promise<void> {
    const { epochs = Infinity, steps = Infinity, validation, validateEvery = 1, callbacks = [] } = this.options;
    const begin = performance.now();
    const { samples, seconds, waiting, communication } = this.totals;
    const train = { ...(await this.totals.means(this.ranks)), ...this.options.train.measured?.() };
    this.totals.reset();
    const number = this.epoch + 1;
    const isDue = number % validateEvery === 0 || number >= epochs || this.step >= steps;
    let measured: Record<string, number> | undefined;
    await this.withAverage(async () => {
      if (validation !== undefined && isDue) measured = await this.measure(validation);
    });
    const event: EpochEvent = {
      event: 'epoch',
      epoch: number,
      step: this.step,
      train,
      ...(measured && { validation: measured }),
      lr: this.rates.current,
      seconds: seconds + (performance.now() - begin) / 1000,
      samplesPerSecond: samples / seconds,
      waiting: waiting / seconds,
      ...(this.ranks.size > 1 && { communication: communication / seconds }),
      ...memoryInUse(this.optimizer),
    };
    this.position.epoch++;
    this.position.batch = 0;
    this.history.push(event);
    this.rates.afterEpoch(event);
    if (this.stopping?.valueIn(event) !== undefined) this.stopping.see(event);
    const isBest = this.best.see(event);
    await this.emit(event);
    for (const callback of callbacks) await callback.onEpochEnd?.(this, event);
    await this.withAverage(() => this.keepWeights(isBest));
    await this.save();
  }

  /** Runs `body` with averaged weights in place, where weights are averaged. */
  private async withAverage(body: () => Promise<void>): Promise<void> {
    if (this.average === undefined || this.average.count === 0) return await body();
    await this.average.swap();
    try {
      await body();
    } finally {
      await this.average.swap();
    }
  }

  private async keepWeights(isBest: boolean): Promise<void> {
    const { restoreBest, checkpoint: { best: keepsBest = true } = {} } = this.options;
    const state = this.model.stateDict();
    if (isBest && restoreBest) this.bestWeights = await copies(state);
    if (isBest && (keepsBest || restoreBest)) await this.files.saveWeights('best', state, this.epoch);
    await this.files.saveWeights('weights', state, this.epoch);
  }

  // -------------------------------------------------------------- state

  /**
   * Everything that the run goes on from. The tensors are the trained ones themselves: write them down before going on. With other processes
   * all of them call it, and process 0 gets it all.
   */
  async state(): Promise<TrainerState> {
    const { model, optimizer, average, ranks } = this;
    await optimizer.consolidateStateDict?.();
    const { tensors: _, ...own } = optimizer.stateDict();
    const source = this.options.train.state?.();
    return {
      tensors: collectTensors({ model, optimizer, average, source }),
      progress: {
        version: 1,
        ...this.position,
        random: this.seeds.state(ranks),
        loaderSeed: this.options.train.seed ?? null,
        optimizer: own,
        plateau: this.rates.state(),
        averaged: average?.count ?? 0,
        watches: { best: this.best.state(), ...(this.stopping && { stopping: this.stopping.state() }) },
        totals: await this.totals.state(ranks),
        history: this.history,
        traits: traitsOf(this.options as TrainerOptions),
        ...(source && { source: source.numbers }),
      },
    };
  }

  /** Puts the trainer where the state says. Throws ArgumentError or StateDictError if it is of another run. */
  async restore(state: TrainerState): Promise<void> {
    const { progress } = state;
    checkProgress(progress);
    const { seed } = this.options.train;
    if (progress.loaderSeed !== (seed ?? null)) {
      throw new ArgumentError(
        `Trainer: the loader's seed is ${seed}, the run began with ${progress.loaderSeed}. Give the DataLoader that seed, or call manualSeed before you make it.`,
      );
    }
    const { length } = this.options.train;
    if (length !== undefined && progress.batch > length) {
      throw new ArgumentError(
        `Trainer: the run is at batch ${progress.batch} of its epoch, and here an epoch has ${length}. Give it the data and the batch size that it began with.`,
      );
    }
    const { model, optimizer, average } = this;
    await restoreTensors({ model, optimizer, average }, state);
    await this.restoreSource(state);
    const { epoch, batch, step } = progress;
    Object.assign(this.position, { epoch, batch, step });
    this.history = [...progress.history];
    this.rates.restore(progress.plateau);
    this.best.restore(progress.watches.best as WatchState);
    this.stopping?.restore(progress.watches.stopping ?? UNWATCHED);
    this.bestWeights = undefined; // those of where this trainer was before
    const { distributed } = this.options;
    this.totals.restore(progress.totals, distributed?.rank);
    this.seeds.restore(progress.random, distributed?.rank);
    this.traits = progress.traits;
  }

  /** Puts a source of batches that keeps a state where the run's was. */
  private async restoreSource({ tensors, progress }: TrainerState): Promise<void> {
    const { train } = this.options;
    if (train.restore === undefined) return;
    if (progress.source === undefined)
      throw new ArgumentError(
        'Trainer: the state holds none of the training data, which keep one. It is of another run.',
      );
    await train.restore({ numbers: progress.source, tensors: sourceTensors(tensors) });
  }

  /** Says once what has changed since the run began. */
  private async tellChanges(): Promise<void> {
    const began = { planned: this.files.takePlanned(), traits: this.traits };
    this.traits = undefined;
    const notices = noticesOfChange(this.options as TrainerOptions, began, this.stopping, this.step);
    for (const notice of notices) await this.emit(notice);
  }

  /**
   * Goes back to the last checkpoint of a run folder; `fit` then continues that run. Reads only: nothing in the folder changes
   * before `fit`, which throws NablaError if another process writes to it. Node only.
   */
  async resume(path: string): Promise<void> {
    const absolute = filePath(path, 'resume');
    await this.join();
    await this.files.resume(path, absolute, async (state, readBest) => {
      await this.restore(state);
      if (this.options.restoreBest && this.best.bestEpoch > 0) this.bestWeights = await readBest();
    });
  }

  /** Process 0 writes; the others have their part in the state. */
  private async save(): Promise<void> {
    if (this.files.isWritten) await this.files.saveCheckpoint(await this.state());
  }
}

/** Where updates have turns, the layers are looked at in the last of them. */
function probeOf({ optimizer, turns = {} }: TrainerOptions, options: DoctorOptions): TrainerProbe {
  const last = Object.keys(turns).at(-1);
  const looked = last !== undefined && optimizer instanceof Alternating ? optimizer.parts[last] : optimizer;
  return new TrainerProbe(optimizer, options, looked);
}

async function copies(state: Readonly<Record<string, AnyTensor>>): Promise<Record<string, AnyTensor>> {
  const copied: Record<string, AnyTensor> = {};
  for (const [name, t] of Object.entries(state)) {
    copied[name] = tensor(await t.data(), { shape: t.shape, dtype: t.dtype });
  }
  return copied;
}
