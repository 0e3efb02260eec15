// What adds up over the batches of an epoch: the loss, weighted by samples, the metrics, and the time. Its state goes into
// a checkpoint, so that an epoch that was broken off ends with the same numbers.

import type { Metric } from '../metrics/metric.js';
import { ArgumentError } from '../tensor/library.js';
import { ALONE, type Ranks, mergeMetrics } from './ranks.js';
import type { StepValues } from './step.js';

export interface TotalsState {
  readonly loss: number;
  /** Of turns, where there are any. */
  readonly turns?: Readonly<Record<string, number>>;
  readonly samples: number;
  readonly seconds: number;
  readonly waiting: number;
  readonly metrics: Readonly<Record<string, readonly number[]>>;
}

export class Totals {
  samples = 0;
  /** Of training, waiting for data included. */
  seconds = 0;
  /** For data. */
  waiting = 0;
  /** For other processes. */
  communication = 0;
  private loss = 0;
  private readonly turns = new Map<string, number>();
  private readonly metrics: readonly (readonly [name: string, metric: Metric<number>])[];

  constructor(metrics: Readonly<Record<string, Metric<number>>>) {
    this.metrics = Object.entries(metrics);
  }

  reset(): void {
    [this.samples, this.seconds, this.waiting, this.loss] = [0, 0, 0, 0];
    this.communication = 0;
    this.turns.clear();
    for (const [, metric] of this.metrics) metric.reset();
  }

  /** `turns`: the losses of turns, by name. */
  addLoss(mean: number, samples: number, turns: Readonly<Record<string, number>> = {}): void {
    this.loss += mean * samples;
    for (const [name, value] of Object.entries(turns))
      this.turns.set(name, (this.turns.get(name) ?? 0) + value * samples);
    this.samples += samples;
  }

  /** Hands output and target of a batch to the metrics; nothing waits for them. */
  addOutput({ output, target }: StepValues): void {
    if (this.metrics.length === 0) return;
    if (output === undefined || target === undefined) {
      throw new ArgumentError(
        'Trainer: metrics need output and target. Return { loss, output, target } from forward, or leave out metrics.',
      );
    }
    for (const [, metric] of this.metrics) metric.update(output, target);
  }

  /** loss, those of turns and each metric by name; of metrics, what all processes have collected. */
  async means(ranks: Ranks = ALONE): Promise<Record<string, number>> {
    await mergeMetrics(
      ranks,
      this.metrics.map(([, metric]) => metric),
    );
    const results: Record<string, number> = { loss: this.loss / this.samples };
    for (const [name, sum] of this.turns) results[name] = sum / this.samples;
    for (const [name, metric] of this.metrics) results[name] = await metric.compute();
    return results;
  }

  /** Whether an epoch can be broken off and taken up again. */
  get canBeSaved(): boolean {
    return this.metrics.every(([, { state, restore }]) => state !== undefined && restore !== undefined);
  }

  /** The loss of all processes, where each has added up its own. */
  joinLosses(ranks: Ranks): void {
    [this.loss, this.samples] = ranks.sum([this.loss, this.samples]);
  }

  async state(ranks: Ranks = ALONE): Promise<TotalsState> {
    const metrics: Record<string, readonly number[]> = {};
    for (const [name, metric] of this.metrics) {
      const own = (await metric.state?.()) ?? [];
      metrics[name] = ranks.size === 1 ? own : (metric.merge?.(ranks.exchange(own)) ?? []);
    }
    const { loss, samples, seconds, waiting } = this;
    const turns = this.turns.size > 0 && { turns: Object.fromEntries(this.turns) };
    return { loss, samples, seconds, waiting, metrics, ...turns };
  }

  /** Metrics are restored where `rank` is 0: the others have collected nothing besides. */
  restore({ loss, samples, seconds, waiting, metrics, turns = {} }: TotalsState, rank = 0): void {
    this.reset();
    for (const [name, sum] of Object.entries(turns)) this.turns.set(name, sum);
    [this.loss, this.samples, this.seconds, this.waiting] = [loss, samples, seconds, waiting];
    if (samples === 0 || rank !== 0) return;
    for (const [name, metric] of this.metrics) if (name in metrics) metric.restore?.(metrics[name]);
  }
}
