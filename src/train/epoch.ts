// An epoch of training: takes batches in groups, an update from each, and tells the numbers of an update as soon as they can be
// read without waiting for the device. Where the run stands is in a Position, which it moves on.
// Must not know: validation, what ends a run, and how files are written.

import type { WeightAverage } from '../optim/average.js';
import type { Module } from '../nn/module.js';
import { ArgumentError } from '../tensor/library.js';
import { tellData } from './data-place.js';
import type { Ending } from './ending.js';
import type { TrainerHandle, TrainerOptions } from './options.js';
import { ALONE, type OwnBatches, type Ranks, ownBatches } from './ranks.js';
import type { Rates } from './rates.js';
import type { StepEvent } from './record.js';
import type { RunFiles } from './run-files.js';
import { type StepValues, type Steps, probedValues, readTurns } from './step.js';
import type { Totals } from './totals.js';

/** Where a run stands. */
export interface Position {
  /** Epochs finished. */
  epoch: number;
  /** Batches of the epoch under way that are done. */
  batch: number;
  /** Updates so far. */
  step: number;
}

/** What an epoch is made with; all of it is the trainer's. */
export interface EpochParts<M extends Module, B> {
  /** Whom callbacks see, and who tells events. */
  readonly trainer: TrainerHandle;
  readonly options: TrainerOptions<M, B>;
  readonly position: Position;
  readonly steps: Steps<M, B>;
  readonly totals: Totals;
  readonly rates: Rates;
  readonly average: WeightAverage | undefined;
  readonly ending: Ending;
  readonly files: Pick<RunFiles, 'isWritten'>;
  /** Writes a checkpoint. */
  readonly save: () => Promise<void>;
}

/** An update whose numbers have not been read yet. */
interface Reading {
  readonly step: number;
  readonly lr: number;
  readonly parts: readonly {
    readonly loss: Promise<number>;
    readonly turns: ReturnType<typeof readTurns>;
    readonly samples: number;
  }[];
  readonly gradNorm: Promise<number> | undefined;
}

export type EpochEnd = 'finished' | 'aborted' | 'stopped' | 'diverged';

export class Epochs<M extends Module, B> {
  private readonly parts: EpochParts<M, B>;
  /** Who trains together. */
  private ranks: Ranks = ALONE;
  /** What this process goes through, and how many batches of it an epoch has on all processes. */
  private own: OwnBatches<B> | undefined;
  private batchesOfEpoch: number | undefined;
  /** What captured steps have been found to do otherwise than the model, and nobody has been told yet. */
  private readonly captureDifferences: string[] = [];

  constructor(parts: EpochParts<M, B>) {
    this.parts = parts;
  }

  /** Trains with other processes from now on: goes through its share of the batches. */
  join(ranks: Ranks): void {
    this.ranks = ranks;
    this.own ??= ownBatches(this.parts.options.train, ranks);
  }

  /** A replay of a captured step would have done otherwise: told after the update. */
  noteDifference(text: string): void {
    this.captureDifferences.push(text);
  }

  /** From where the position is to the end of the epoch, or of the run. */
  async train(): Promise<EpochEnd> {
    const { trainer, options, position, steps, totals, ending } = this.parts;
    const { callbacks = [], steps: most = Infinity, accumulate = 1 } = options;
    const own = this.own as OwnBatches<B>; // joined before
    this.batchesOfEpoch = this.agreedLength(own);
    options.model.train();
    if (position.batch === 0) totals.reset();
    for (const callback of callbacks) await callback.onEpochStart?.(trainer, position.epoch + 1);
    steps.checkNext(); // a callback may have changed a number that only JavaScript knows
    const batches = own.batches(position.epoch, position.batch)[Symbol.asyncIterator]();
    const lag = this.lag();
    const readings: Reading[] = [];
    const readUntil = async (left: number): Promise<boolean> => {
      while (readings.length > left) if (!(await this.read(readings.shift() as Reading))) return false;
      return true;
    };
    try {
      while (position.step < most) {
        const begin = performance.now();
        const group = await this.nextGroup(batches, accumulate);
        totals.waiting += (performance.now() - begin) / 1000;
        if (group.length === 0) {
          if (position.batch === 0)
            throw new ArgumentError(
              `Trainer: the training data have no batch in epoch ${position.epoch + 1}. Give at least one.`,
            );
          break;
        }
        const waited = this.ranks.secondsWaited;
        try {
          readings.push(await this.update(group, own));
        } catch (error) {
          await readUntil(0); // earlier updates count
          const nameOf = (i: number): string => `batch ${position.batch + i + 1} of epoch ${position.epoch + 1}`;
          throw await tellData(error, group, nameOf);
        }
        const isGoing = await readUntil(lag);
        totals.seconds += (performance.now() - begin) / 1000;
        totals.communication += this.ranks.secondsWaited - waited;
        if (!isGoing) return 'diverged';
        if (this.isCheckpointDue()) {
          if (!(await readUntil(0))) return 'diverged';
          await this.parts.save();
        }
        const isLast = position.batch === this.batchesOfEpoch;
        if (ending.isAborted && !isLast) return (await readUntil(0)) ? 'aborted' : 'diverged';
        if (ending.isStopped && !isLast) return (await readUntil(0)) ? 'stopped' : 'diverged';
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
    const left = size === 1 ? Infinity : (this.batchesOfEpoch ?? Infinity) - this.parts.position.batch;
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
  private async update(group: readonly B[], own: OwnBatches<B>): Promise<Reading> {
    const { trainer, options, position, steps, totals, rates, average } = this.parts;
    const { epochs = Infinity, weightAverage, probe } = options;
    rates.beforeUpdate(position.step, this.totalSteps(), position.epoch, epochs);
    const lr = rates.current;
    const isProbed = group.length === 1 && probe?.isDue(position.step + 1) === true;
    const parts: Reading['parts'][number][] = [];
    const take = (values: StepValues, batch: B) => {
      const { samples } = own.weigh(batch);
      parts.push({ loss: values.loss.item(), turns: readTurns(values), samples });
      if (samples > 0) totals.addOutput(values);
    };
    let values: StepValues = {};
    if (group.length === 1) {
      values = await steps.update(group[0], own.weigh(group[0]).weight, isProbed);
      take(values, group[0]);
    } else {
      const all: StepValues[] = [];
      try {
        await steps.begin();
        for (const batch of group) all.push(await steps.add(batch, own.weigh(batch).weight / group.length));
        values = await steps.apply();
      } catch (error) {
        await steps.discard();
        throw error;
      }
      all.forEach((part, i) => take(part, group[i]));
    }
    position.step++;
    position.batch += group.length;
    if (average !== undefined && position.epoch + 1 >= (weightAverage?.from ?? 1)) await average.update();
    if (isProbed) await probe?.report(trainer, position.step, probedValues(values));
    await this.tellCaptureDifferences();
    return { step: position.step, lr, parts, gradNorm: values.gradNorm?.item() };
  }

  /** Tells once that captured steps are not replayed any more, and why. */
  private async tellCaptureDifferences(): Promise<void> {
    const [text] = this.captureDifferences.splice(0);
    if (text === undefined) return;
    const { trainer, position, options } = this.parts;
    await trainer.emit({ event: 'notice', step: position.step, code: 'capture-differs', text });
    if ((options.listeners ?? []).length === 0 && this.ranks.rank === 0) console.warn(`nabla: ${text}`);
  }

  /** Reads the numbers of an update and tells them; false if the loss is not a number any more. */
  private async read({ step, lr, parts, gradNorm }: Reading): Promise<boolean> {
    const { trainer, options, position, totals, ending } = this.parts;
    let [sum, samples] = [0, 0];
    const losses: number[] = [];
    for (const part of parts) {
      const [loss, turns] = [await part.loss, await part.turns];
      for (const value of Object.values(turns)) losses.push(value);
      if (part.samples === 0) continue; // not this process's own
      sum += loss * part.samples;
      samples += part.samples;
      if (this.ranks.size === 1) totals.addLoss(loss, part.samples, turns);
    }
    if (this.ranks.size > 1) {
      let wishes: number[];
      [sum, samples, ...wishes] = this.ranks.sum([sum, samples, ...ending.wishes()]);
      ending.agree(wishes);
      totals.addLoss(sum / samples, samples);
    }
    const norm = await gradNorm;
    const event: StepEvent = {
      event: 'step',
      step,
      epoch: position.epoch + 1,
      loss: sum / samples,
      lr,
      ...(norm !== undefined && { gradNorm: norm }),
    };
    await trainer.emit(event);
    for (const callback of options.callbacks ?? []) await callback.onStep?.(trainer, event);
    const wrong = [event.loss, ...losses].find((loss) => !Number.isFinite(loss));
    if (wrong === undefined) return true;
    const text = `the loss of update ${step} is ${wrong}: training has diverged. Lower the learning rate, clip the gradients, look at the data.`;
    await trainer.emit({ event: 'notice', step, code: 'loss-not-finite', text });
    return false;
  }

  private isCheckpointDue(): boolean {
    const { options, position, files } = this.parts;
    const every = options.checkpoint?.every ?? 'epoch';
    return typeof every === 'number' && files.isWritten && position.step % every === 0;
  }

  private totalSteps(): number {
    const { epochs = Infinity, steps = Infinity, train, accumulate = 1 } = this.parts.options;
    const length = this.batchesOfEpoch ?? train.length ?? NaN;
    const total = Math.min(steps, epochs * Math.ceil(length / accumulate));
    return Number.isFinite(total) ? total : steps === Infinity ? NaN : steps;
  }

  /** How many updates may wait to be read: none where reading costs nothing. */
  private lag(): number {
    const device = this.parts.options.optimizer.groups[0]?.params[0]?.device;
    return device === 'cpu' || device === 'reference' ? 0 : 1;
  }
}
