// The Trainer: goes through the data epoch by epoch, updates, validates, watches, and tells its listeners what happened.
//   options in (model, optimiser, loaders, …), events out; the model is trained in place.
// Everything that decides the next update is in `state()`, so that a run that is broken off anywhere goes on with the same
// numbers. Must not know: terminals, and files but for the run folder that it is given.

import { WeightAverage } from '../optim/average.js';
import type { Module } from '../nn/module.js';
import { filePath } from '../io/path.js';
import { ArgumentError, NablaError } from '../tensor/library.js';
import { getRandomState, manualSeed, setRandomState } from '../tensor/random.js';
import type { AnyTensor } from '../tensor/tensor.js';
import { checkBatches, checkData, checkTrainerOptions, describeRun, isEvaluation, watchableOf } from './describe.js';
import { TrainerProbe } from './doctor/trainer-probe.js';
import { Evaluator, inEvaluationMode } from './evaluate.js';
import type { RunFolder } from './node/run-folder.js';
import type { Batches, Evaluation, TrainerHandle, TrainerOptions, TrainingOptimizer } from './options.js';
import { ALONE, type NamedTensors, type OwnBatches, type Ranks, ownBatches } from './ranks.js';
import { Rates } from './rates.js';
import {
  type EndEvent,
  type EpochEvent,
  type RunEvent,
  type RunListener,
  type StepEvent,
  formatJson,
  parseJson,
} from './record.js';
import { type TrainerState, checkProgress, collectTensors, restoreTensors, sourceTensors } from './state.js';
import { commonFacts } from './common-facts.js';
import { type StepValues, Steps, probedValues } from './step.js';
import { Totals } from './totals.js';
import { type RunTraits, differences, traitsOf } from './traits.js';
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

/** An update whose numbers have not been read yet. */
interface Reading {
  readonly step: number;
  readonly lr: number;
  readonly parts: readonly { readonly loss: Promise<number>; readonly samples: number }[];
  readonly gradNorm: Promise<number> | undefined;
}

type EpochEnd = 'finished' | 'aborted' | 'stopped' | 'diverged';

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
  /** Epochs finished. */
  epoch = 0;
  /** Updates so far. */
  step = 0;
  history: EpochEvent[] = [];
  /** Batches of the epoch under way that are done. */
  private batch = 0;
  private isStopAsked = false;
  /** The same, before other processes have heard of it. */
  private wantsStop = false;
  private isAbortAgreed = false;
  private isRunning = false;
  /** Open while `fit` is under way. */
  private folder: RunFolder | undefined;
  /** Where the run is written, by its path from the root. */
  private readonly folderPath: string | undefined;
  /** The folder that `resume` has read, until `fit` opens it. */
  private resumed: RunFolder | undefined;
  /** What the run that goes on began as. */
  private traits: RunTraits | undefined;
  /** Epochs that the run that goes on was planned for. */
  private planned: number | undefined;
  private bestWeights: Readonly<Record<string, AnyTensor>> | undefined;
  private readonly steps: Steps<M, B>;
  private readonly totals: Totals;
  private readonly evaluator: Evaluator<B>;
  private readonly rates: Rates;
  private readonly best: Watch;
  private readonly stopping: Watch | undefined;
  private readonly average: WeightAverage | undefined;
  /** Who trains together, once `fit` has begun. */
  private ranks: Ranks = ALONE;
  /** What this process goes through, and how many batches of it an epoch has on all processes. */
  private own: OwnBatches<B> | undefined;
  private batchesOfEpoch: number | undefined;
  /** The generator's seed is this process's own. */
  private isSeededApart = false;
  /** What captured steps have been found to do otherwise than the model, and nobody has been told yet. */
  private readonly captureDifferences: string[] = [];

  /** Throws ArgumentError for options that do not fit each other. */
  constructor(given: TrainerOptions<M, B>) {
    checkTrainerOptions(given as TrainerOptions);
    const { doctor = false } = given;
    const probe = given.probe ?? (doctor && new TrainerProbe(given.optimizer, doctor === true ? {} : doctor));
    const options = { ...given, ...(probe && { probe }) };
    const { model, optimizer, metrics = {}, earlyStopping, weightAverage, checkpoint = {} } = options;
    this.model = model;
    this.optimizer = optimizer;
    this.options = options;
    this.folderPath = options.folder === undefined ? undefined : filePath(options.folder, 'Trainer');
    this.steps = new Steps(options, (text) => this.captureDifferences.push(text));
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
  }

  // -------------------------------------------------------------- the run

  /** Trains until the end, or until something ends the run before. Goes on where `resume` has put it. */
  async fit(): Promise<FitResult> {
    if (this.isRunning) throw new ArgumentError('Trainer: fit() is under way already. Wait for it to end.');
    this.isRunning = true;
    this.isStopAsked = false;
    this.wantsStop = false;
    this.isAbortAgreed = false;
    const begin = performance.now();
    const seconds = () => (performance.now() - begin) / 1000;
    const { seed, callbacks = [] } = this.options;
    let reason: EndEvent['reason'] = 'failed';
    let test: Record<string, number> | undefined;
    try {
      checkData(this.options as TrainerOptions);
      if (seed !== undefined && this.step === 0 && this.batch === 0) {
        manualSeed(seed);
        this.isSeededApart = false;
      }
      await this.join();
      this.ranks.begin(commonFacts(this.options as TrainerOptions, this.step, this.batch));
      this.seedApart();
      await this.openFolder();
      await this.emit(describeRun(this.options as TrainerOptions, this.step));
      await this.tellDifferences();
      for (const callback of callbacks) await callback.onFitStart?.(this);
      reason = await this.goThrough();
      if (reason === 'completed' || reason === 'early-stopping') test = await this.finish();
      for (const callback of callbacks) await callback.onFitEnd?.(this);
      await this.emit({ event: 'end', reason, step: this.step, seconds: seconds(), ...(test && { test }) });
    } catch (error) {
      // Telling it may fail for the same reason, such as a full disk: the first error is the one that counts.
      await this.emit({ event: 'end', reason: 'failed', step: this.step, seconds: seconds() }).catch(() => {});
      await this.close().catch(() => {});
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
    const { distributed, model, optimizer, train } = this.options;
    if (this.ranks === ALONE && distributed !== undefined) {
      const { TrainingGroup } = await import('../distributed/training.js');
      this.ranks = new TrainingGroup(distributed, model, optimizer.groups);
      this.steps.ranks = this.ranks;
      this.evaluator.ranks = this.ranks;
      if (this.folderPath !== undefined && !distributed.hasHint)
        distributed.hint(`Go on from the last checkpoint: resume('${this.options.folder}').`);
    }
    this.own ??= ownBatches(train, this.ranks);
  }

  /** Dropout is to drop other values on each process: seeds are a distance apart, which checkpoints do not hold. */
  private seedApart(): void {
    if (this.ranks.size === 1 || this.isSeededApart) return;
    this.isSeededApart = true;
    setRandomState(seedOf(this.ranks.tell(getRandomState()), this.ranks.rank));
  }

  /** All of them, whatever one of them throws. */
  private async close(): Promise<void> {
    const { folder } = this;
    this.resumed = folder ?? this.resumed;
    this.folder = undefined;
    const closing = [folder?.close(), ...this.listeners.map(async (listener) => listener.close?.())];
    const failed = (await Promise.allSettled(closing)).find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  /** Ends the run after the current update. */
  stop(): void {
    this.wantsStop = true;
    if (this.options.distributed === undefined) this.isStopAsked = true;
  }

  /** Tells an event to the record and to all listeners. */
  async emit(event: RunEvent): Promise<void> {
    await this.folder?.onEvent(event);
    for (const listener of this.listeners) await listener.onEvent(event);
  }

  /** Events are the same on all processes: process 0 tells them. */
  private get listeners(): readonly RunListener[] {
    return this.isSilent ? [] : (this.options.listeners ?? []);
  }

  private get isSilent(): boolean {
    return (this.options.distributed?.rank ?? 0) !== 0;
  }

  /** Loss and metrics on other data, with the weights as they are, in evaluation mode. */
  async evaluate(data: Batches<B> | Evaluation): Promise<Record<string, number>> {
    if (isEvaluation(data)) return await this.measure(data);
    if (this.isRunning && this.totals.samples > 0 && Object.keys(this.options.metrics ?? {}).length > 0) {
      throw new ArgumentError(
        'Trainer: evaluate() in the middle of an epoch would mix up its metrics. Call it at the end of an epoch.',
      );
    }
    checkBatches('Trainer', 'the argument of evaluate()', data);
    await this.join();
    return await this.evaluator.evaluate(data);
  }

  /** Loss and metrics over batches, or measures that are taken otherwise. */
  private async measure(data: Batches<B> | Evaluation): Promise<Record<string, number>> {
    if (!isEvaluation(data)) return await this.evaluator.evaluate(data);
    return await inEvaluationMode(this.model, async () => ({ ...(await data.evaluate()) }));
  }

  private async goThrough(): Promise<EndEvent['reason']> {
    const { epochs = Infinity, steps = Infinity, earlyStopping } = this.options;
    for (;;) {
      if (this.stopping !== undefined && this.stopping.bad > (earlyStopping?.patience ?? 10) - 1)
        return 'early-stopping';
      if (this.epoch >= epochs || (this.step >= steps && this.batch === 0)) return 'completed';
      const end = await this.trainEpoch();
      if (end === 'diverged') return 'diverged';
      if (end === 'finished') await this.endEpoch();
      else if (this.totals.canBeSaved) await this.save();
      if (end === 'finished' && this.ranks.size > 1) this.agreeOnEnd(this.ranks.sum(this.wishes()));
      if (end === 'aborted' || this.isAborted) return 'aborted';
      if (end === 'stopped' || this.isStopAsked) return 'early-stopping';
    }
  }

  private get isAborted(): boolean {
    return this.isAbortAgreed || (this.ranks.size === 1 && this.options.signal?.aborted === true);
  }

  /** Whether this process wants the run to end, and to stop. */
  private wishes(): [aborted: number, stopped: number] {
    return [Number(this.options.signal?.aborted === true), Number(this.wantsStop)];
  }

  /** What one process wants, all do. */
  private agreeOnEnd([aborted, stopped]: readonly number[]): void {
    this.isAbortAgreed = aborted > 0;
    this.isStopAsked = stopped > 0;
  }

  /** The final weights in place, and the test, if there is one. */
  private async finish(): Promise<Record<string, number> | undefined> {
    const { restoreBest, test } = this.options;
    if (restoreBest && this.bestWeights !== undefined) this.model.loadStateDict(this.bestWeights);
    else if (this.average !== undefined && this.average.count > 0) await this.average.swap();
    return test && (await this.measure(test));
  }

  // -------------------------------------------------------------- an epoch

  private async trainEpoch(): Promise<EpochEnd> {
    const { callbacks = [], steps = Infinity, accumulate = 1 } = this.options;
    const own = this.own as OwnBatches<B>; // joined before
    this.batchesOfEpoch = this.agreedLength(own);
    this.model.train();
    if (this.batch === 0) this.totals.reset();
    for (const callback of callbacks) await callback.onEpochStart?.(this, this.epoch + 1);
    this.steps.checkNext(); // a callback may have changed a number that only JavaScript knows
    const batches = own.batches(this.epoch, this.batch)[Symbol.asyncIterator]();
    const lag = this.lag();
    const readings: Reading[] = [];
    const readUntil = async (left: number): Promise<boolean> => {
      while (readings.length > left) if (!(await this.read(readings.shift() as Reading))) return false;
      return true;
    };
    try {
      while (this.step < steps) {
        const begin = performance.now();
        const group = await this.nextGroup(batches, accumulate);
        this.totals.waiting += (performance.now() - begin) / 1000;
        if (group.length === 0) {
          if (this.batch === 0)
            throw new ArgumentError(
              `Trainer: the training data have no batch in epoch ${this.epoch + 1}. Give at least one.`,
            );
          break;
        }
        const waited = this.ranks.secondsWaited;
        try {
          readings.push(await this.update(group));
        } catch (error) {
          await readUntil(0); // earlier updates count
          throw error;
        }
        const isGoing = await readUntil(lag);
        this.totals.seconds += (performance.now() - begin) / 1000;
        this.totals.communication += this.ranks.secondsWaited - waited;
        if (!isGoing) return 'diverged';
        if (this.isCheckpointDue()) {
          if (!(await readUntil(0))) return 'diverged';
          await this.save();
        }
        const isLast = this.batch === this.batchesOfEpoch;
        if (this.isAborted && !isLast) return (await readUntil(0)) ? 'aborted' : 'diverged';
        if (this.isStopAsked && !isLast) return (await readUntil(0)) ? 'stopped' : 'diverged';
      }
    } finally {
      await batches.return?.();
    }
    return (await readUntil(0)) ? 'finished' : 'diverged';
  }

  /** Batches that every process has: an epoch ends on all of them alike. Undefined where that is not known beforehand. */
  private agreedLength({ length }: OwnBatches<B>): number | undefined {
    if (this.ranks.size === 1) return length;
    const least = this.ranks.least(length ?? -1);
    return least < 0 ? undefined : least;
  }

  /** As many batches as an update takes, fewer at the end of the data. */
  private async nextGroup(batches: AsyncIterator<B>, count: number): Promise<B[]> {
    const { size } = this.ranks;
    const left = size === 1 ? Infinity : (this.batchesOfEpoch ?? Infinity) - this.batch;
    const group: B[] = [];
    while (group.length < Math.min(count, left)) {
      const next = await batches.next();
      if (next.done === true) break;
      group.push(next.value);
    }
    if (size > 1 && this.batchesOfEpoch === undefined) group.length = this.ranks.least(group.length);
    return group;
  }

  /** One update from a group of batches, or nothing where one of them fails. Its numbers are computed with it, and read later. */
  private async update(group: readonly B[]): Promise<Reading> {
    const { epochs = Infinity, weightAverage, probe } = this.options;
    this.rates.beforeUpdate(this.step, this.totalSteps(), this.epoch, epochs);
    const lr = this.rates.current;
    const isProbed = group.length === 1 && probe?.isDue(this.step + 1) === true;
    const parts: { loss: Promise<number>; samples: number }[] = [];
    const own = this.own as OwnBatches<B>;
    const take = (values: StepValues, batch: B) => {
      const { samples } = own.weigh(batch);
      parts.push({ loss: values.loss.item(), samples });
      if (samples > 0) this.totals.addOutput(values);
    };
    let values: StepValues = {};
    if (group.length === 1) {
      values = await this.steps.update(group[0], own.weigh(group[0]).weight, isProbed);
      take(values, group[0]);
    } else {
      const all: StepValues[] = [];
      try {
        await this.steps.begin();
        for (const batch of group) all.push(await this.steps.add(batch, own.weigh(batch).weight / group.length));
        values = await this.steps.apply();
      } catch (error) {
        await this.steps.discard();
        throw error;
      }
      all.forEach((part, i) => take(part, group[i]));
    }
    this.step++;
    this.batch += group.length;
    if (this.average !== undefined && this.epoch + 1 >= (weightAverage?.from ?? 1)) await this.average.update();
    if (isProbed) await probe?.report(this, this.step, probedValues(values));
    await this.tellCaptureDifferences();
    return { step: this.step, lr, parts, gradNorm: values.gradNorm?.item() };
  }

  /** Tells once that captured steps are not replayed any more, and why. */
  private async tellCaptureDifferences(): Promise<void> {
    const [text] = this.captureDifferences.splice(0);
    if (text === undefined) return;
    await this.emit({ event: 'notice', step: this.step, code: 'capture-differs', text });
    if ((this.options.listeners ?? []).length === 0 && !this.isSilent) console.warn(`nabla: ${text}`);
  }

  /** Reads the numbers of an update and tells them; false if the loss is not a number any more. */
  private async read({ step, lr, parts, gradNorm }: Reading): Promise<boolean> {
    let [sum, samples] = [0, 0];
    for (const part of parts) {
      const loss = await part.loss;
      if (part.samples === 0) continue; // not this process's own
      sum += loss * part.samples;
      samples += part.samples;
      if (this.ranks.size === 1) this.totals.addLoss(loss, part.samples);
    }
    if (this.ranks.size > 1) {
      let wishes: number[];
      [sum, samples, ...wishes] = this.ranks.sum([sum, samples, ...this.wishes()]);
      this.agreeOnEnd(wishes);
      this.totals.addLoss(sum / samples, samples);
    }
    const norm = await gradNorm;
    const event: StepEvent = {
      event: 'step',
      step,
      epoch: this.epoch + 1,
      loss: sum / samples,
      lr,
      ...(norm !== undefined && { gradNorm: norm }),
    };
    await this.emit(event);
    for (const callback of this.options.callbacks ?? []) await callback.onStep?.(this, event);
    if (Number.isFinite(event.loss)) return true;
    const text = `the loss of update ${step} is ${event.loss}: training has diverged. Lower the learning rate, clip the gradients, look at the data.`;
    await this.emit({ event: 'notice', step, code: 'loss-not-finite', text });
    return false;
  }

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
    };
    this.epoch++;
    this.batch = 0;
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
    if (this.folder === undefined) return;
    if (isBest && (keepsBest || restoreBest)) await this.folder.saveWeights('best', state, this.epoch);
    await this.folder.saveWeights('weights', state, this.epoch);
  }

  private isCheckpointDue(): boolean {
    const every = this.options.checkpoint?.every ?? 'epoch';
    return typeof every === 'number' && this.isWritten && this.step % every === 0;
  }

  private totalSteps(): number {
    const { epochs = Infinity, steps = Infinity, train, accumulate = 1 } = this.options;
    const length = this.batchesOfEpoch ?? train.length ?? NaN;
    const total = Math.min(steps, epochs * Math.ceil(length / accumulate));
    return Number.isFinite(total) ? total : steps === Infinity ? NaN : steps;
  }

  /** How many updates may wait to be read: none where reading costs nothing. */
  private lag(): number {
    const device = this.optimizer.groups[0]?.params[0]?.device;
    return device === 'cpu' || device === 'reference' ? 0 : 1;
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
        epoch: this.epoch,
        batch: this.batch,
        step: this.step,
        random: this.isSeededApart ? seedOf(getRandomState(), -ranks.rank) : getRandomState(),
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
    [this.epoch, this.batch, this.step] = [progress.epoch, progress.batch, progress.step];
    this.history = [...progress.history];
    this.rates.restore(progress.plateau);
    this.best.restore(progress.watches.best as WatchState);
    this.stopping?.restore(progress.watches.stopping ?? UNWATCHED);
    this.bestWeights = undefined; // those of where this trainer was before
    const { rank = 0 } = this.options.distributed ?? {};
    this.totals.restore(progress.totals, rank);
    setRandomState(seedOf(progress.random, rank));
    this.isSeededApart = this.options.distributed !== undefined;
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
  private async tellDifferences(): Promise<void> {
    await this.tellOtherEnd();
    const changed = this.traits === undefined ? [] : differences(this.traits, traitsOf(this.options as TrainerOptions));
    this.traits = undefined;
    if (changed.length === 0) return;
    const text = `the run goes on differently than it began (${changed.join('; ')}): its numbers are not those of an unbroken run.`;
    await this.emit({ event: 'notice', step: this.step, code: 'resumed-differently', text });
  }

  /** A schedule goes over the whole run: with another end, rates are not those that the run was planned with. */
  private async tellOtherEnd(): Promise<void> {
    const { planned, step } = this;
    const { epochs, schedule } = this.options;
    this.planned = undefined;
    await this.renewPatience(planned);
    if (planned === undefined || epochs === undefined || planned === epochs || schedule === undefined) return;
    const text = `the run goes on to epoch ${epochs}, it was planned for ${planned}; from here on the learning rate is that of a run of ${epochs} epochs.`;
    await this.emit({ event: 'notice', step, code: 'other-end', text });
  }

  /** Who asks for more epochs of a run that had run out of patience wants it to go on: patience begins anew, the best stays. */
  private async renewPatience(planned: number | undefined): Promise<void> {
    const { stopping } = this;
    const { epochs, earlyStopping } = this.options;
    const patience = earlyStopping?.patience ?? 10;
    if (stopping === undefined || planned === undefined || epochs === undefined || epochs <= planned) return;
    if (stopping.bad < patience) return;
    stopping.bad = 0;
    const text = `the run had ended because nothing improved for ${patience} epochs; it goes on to epoch ${epochs}, and patience begins anew.`;
    await this.emit({ event: 'notice', step: this.step, code: 'patience-renewed', text });
  }

  /**
   * Goes back to the last checkpoint of a run folder; `fit` then continues that run. Reads only: nothing in the folder changes
   * before `fit`, which throws NablaError if another process writes to it. Node only.
   */
  async resume(path: string): Promise<void> {
    const absolute = filePath(path, 'resume');
    await this.join();
    const { RunFolder } = await import('./node/run-folder.js');
    const folder = new RunFolder(path, absolute);
    const state = await this.told(() => folder.loadCheckpoint());
    if (state !== undefined) {
      await this.restore(state);
      if (this.options.restoreBest && this.best.bestEpoch > 0) {
        const best = await this.told(async () => ({ tensors: await folder.loadWeights('best'), progress: null }));
        this.bestWeights = best?.tensors;
      }
    }
    this.resumed = folder;
  }

  /** What process 0 has read, on all of them: the folder may be on its machine alone. What it cannot read is an error on all. */
  private async told<P>(
    read: () => Promise<{ readonly tensors: NamedTensors; readonly progress: P } | undefined>,
  ): Promise<{ readonly tensors: NamedTensors; readonly progress: P } | undefined> {
    const { ranks } = this;
    if (ranks.size === 1) return await read();
    let [found, failure]: [Awaited<ReturnType<typeof read>>, unknown] = [undefined, undefined];
    if (ranks.rank === 0) {
      try {
        found = await read();
      } catch (error) {
        failure = error;
      }
    }
    const text = failure === undefined ? undefined : String((failure as Error).message);
    const { error, progress } = parseJson(ranks.tell(formatJson({ error: text, progress: found?.progress }))) as {
      readonly error?: string;
      readonly progress?: P;
    };
    if (failure !== undefined) throw failure;
    if (error !== undefined) throw new NablaError(`process 0: ${error}`);
    if (progress === undefined) return undefined;
    return { tensors: await ranks.tellTensors(found?.tensors ?? {}), progress };
  }

  private async openFolder(): Promise<void> {
    const { resumed } = this;
    const { folder, config = {}, epochs } = this.options;
    if (this.ranks.rank !== 0) {
      if (resumed !== undefined) this.planned = this.ranks.tell(this.planned) ?? undefined;
    } else if (resumed !== undefined) {
      this.planned = await resumed.goOn(this.step, this.epoch, { epochs, config: this.options.config });
      this.folder = resumed;
      this.ranks.tell(this.planned);
    } else if (folder !== undefined) {
      const { RunFolder } = await import('./node/run-folder.js');
      const created = new RunFolder(folder, this.folderPath);
      await created.begin(config);
      this.folder = created;
    }
  }

  /** Process 0 writes; the others have their part in the state. */
  private async save(): Promise<void> {
    if (!this.isWritten) return;
    const state = await this.state();
    await this.folder?.saveCheckpoint(state);
  }

  /** Whether the run has a folder: that of process 0. */
  private get isWritten(): boolean {
    return this.folder !== undefined || (this.ranks.rank !== 0 && (this.resumed ?? this.options.folder) !== undefined);
  }
}

/** Seeds of processes are this far apart. */
const SEED_DISTANCE = 7919;

function seedOf<R extends { readonly seed: number }>(random: R, rank: number): R {
  return rank === 0 ? random : { ...random, seed: (random.seed + rank * SEED_DISTANCE) | 0 };
}

async function copies(state: Readonly<Record<string, AnyTensor>>): Promise<Record<string, AnyTensor>> {
  const { tensor } = await import('../tensor/creation.js');
  const copied: Record<string, AnyTensor> = {};
  for (const [name, t] of Object.entries(state)) {
    copied[name] = tensor(await t.data(), { shape: t.shape, dtype: t.dtype });
  }
  return copied;
}
