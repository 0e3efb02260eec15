// Comparing runs: what a record says about a run, in a few numbers.
// Must not know: files, and how tables are drawn.

import { checkHas, checkList } from '../tensor/library.js';
import type { EndEvent, EpochEvent, RunEvent, StartEvent } from './record.js';

export interface BestValue {
  readonly value: number;
  readonly epoch: number;
  /** Data the value was measured on. */
  readonly on: 'validation' | 'train';
}

export interface RunSummary {
  /** How it ended; `unfinished` while it runs, or after it was killed. */
  readonly status: EndEvent['reason'] | 'unfinished' | 'no record';
  /** Finished ones. */
  readonly epochs: number;
  /** As planned, where that is known. */
  readonly plannedEpochs?: number;
  /** Of each metric, the best finite value (on validation data if there are any). */
  readonly best: Readonly<Record<string, BestValue>>;
  /** Of each metric, after the last epoch, on the same data. */
  readonly last: Readonly<Record<string, number>>;
  /** As configured, else that of the first epoch. */
  readonly lr?: number;
  /** Of all finished epochs. */
  readonly seconds: number;
  readonly parameters?: number;
}

/** Whether less of a metric is better, by its name: loss, errors and perplexity are; everything else is taken for a score. */
export function isLowerBetter(metric: string): boolean {
  return /loss|error|perplexity|(^|[^a-z])(mae|mse|rmse|ece|nll)($|[^a-z])/i.test(metric);
}

export function summariseRun(events: readonly RunEvent[]): RunSummary {
  checkList('summariseRun', 'the argument', events, 'events');
  for (const event of events) checkHas('summariseRun', 'an event', event, ['event'], 'Give the events of a record');
  const start = events.findLast((e): e is StartEvent => e.event === 'start'); // of a run that was prolonged, the last
  const end = events.findLast((e): e is EndEvent => e.event === 'end');
  const epochs = events.filter((e): e is EpochEvent => e.event === 'epoch');
  const best: Record<string, BestValue> = {};
  const last: Record<string, number> = {};
  const on = epochs.some((e) => e.validation !== undefined) ? 'validation' : 'train';
  for (const event of epochs) {
    for (const [name, value] of Object.entries(event[on] ?? {})) {
      last[name] = value;
      if (!Number.isFinite(value)) continue;
      const known = best[name]?.value;
      const isBetter = known === undefined || (isLowerBetter(name) ? value < known : value > known);
      if (isBetter) best[name] = { value, epoch: event.epoch, on };
    }
  }
  const lr = configuredRate(start?.config) ?? epochs[0]?.lr;
  const { epochs: plannedEpochs, parameters } = start?.facts ?? {};
  return {
    status: end?.reason ?? (events.length === 0 ? 'no record' : 'unfinished'),
    epochs: epochs.at(-1)?.epoch ?? 0,
    best,
    last,
    seconds: epochs.reduce((sum, e) => sum + e.seconds, 0),
    ...(plannedEpochs !== undefined && { plannedEpochs }),
    ...(parameters !== undefined && { parameters }),
    ...(lr !== undefined && { lr }),
  };
}

/** `lr` of the configuration, or of the settings in it. */
function configuredRate(config: StartEvent['config'] | undefined): number | undefined {
  const { settings } = config ?? {};
  const inner = typeof settings === 'object' && settings !== null ? (settings as { lr?: unknown }).lr : undefined;
  return [config?.lr, inner].find((lr) => typeof lr === 'number');
}
