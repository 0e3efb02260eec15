// Evaluation of a model on data: mean loss and metrics, in evaluation mode, without gradients. The mode is as before after it.

import type { Metric } from '../metrics/metric.js';
import type { Module } from '../nn/module.js';
import { ArgumentError } from '../tensor/library.js';
import { tellData } from './data-place.js';
import type { Batches } from './options.js';
import { ALONE, type Ranks, ownBatches } from './ranks.js';
import { type StepValues, readTurns } from './step.js';
import { Totals } from './totals.js';

/** Losses that may wait to be read, so that the device need not. */
const LAG = 4;

export class Evaluator<B> {
  private readonly model: Module;
  private readonly steps: { evaluate(batch: B): Promise<StepValues> };
  private readonly totals: Totals;
  /** Who evaluates together: each goes through its share. */
  ranks: Ranks = ALONE;

  constructor(
    model: Module,
    steps: { evaluate(batch: B): Promise<StepValues> },
    metrics: Readonly<Record<string, Metric<number>>>,
  ) {
    this.model = model;
    this.steps = steps;
    this.totals = new Totals(metrics);
  }

  /** Means over all batches of epoch 0 of `data`. */
  async evaluate(data: Batches<B>): Promise<Record<string, number>> {
    return await inEvaluationMode(this.model, () => this.goThrough(data));
  }

  private async goThrough(data: Batches<B>): Promise<Record<string, number>> {
    this.totals.reset();
    const waiting: { loss: Promise<number>; turns: ReturnType<typeof readTurns>; samples: number }[] = [];
    const readUntil = async (left: number) => {
      while (waiting.length > left) {
        const { loss, turns, samples } = waiting.shift() as (typeof waiting)[0];
        this.totals.addLoss(await loss, samples, await turns);
      }
    };
    try {
      const own = ownBatches(data, this.ranks);
      let number = 0;
      for await (const batch of own.batches(0)) {
        number++;
        const { samples } = own.weigh(batch);
        if (samples === 0) continue;
        const values = await this.evaluateBatch(batch, number);
        waiting.push({ loss: values.loss.item(), turns: readTurns(values), samples });
        this.totals.addOutput(values);
        await readUntil(LAG);
      }
      await readUntil(0);
      this.totals.joinLosses(this.ranks);
      if (this.totals.samples === 0)
        throw new ArgumentError('Trainer: the data to evaluate on have no batch. Give at least one sample.');
      return await this.totals.means(this.ranks);
    } finally {
      this.totals.reset();
    }
  }

  private async evaluateBatch(batch: B, number: number): Promise<StepValues> {
    try {
      return await this.steps.evaluate(batch);
    } catch (error) {
      throw await tellData(error, [batch], () => `batch ${number} of the data that are evaluated on`);
    }
  }
}

/** Runs `body` with the model in evaluation mode; each of its modules is then in the mode in which it was. */
export async function inEvaluationMode<T>(model: Module, body: () => Promise<T>): Promise<T> {
  const modes = model.namedModules().map(([, module]) => [module, module.training] as const);
  model.eval();
  try {
    return await body();
  } finally {
    for (const [module, mode] of modes) module.training = mode;
  }
}
