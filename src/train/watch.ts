// Watching one number over the epochs: which was the best, and for how long none was better. For early stopping, for the
// best checkpoint, for rates that fall when nothing improves.
// Must not know: what follows from it.

import { ArgumentError } from '../tensor/library.js';
import type { MonitorOption } from './options.js';
import type { EpochEvent } from './record.js';

/** What can be watched: the names of the numbers in an epoch event, and which way they improve. */
export interface Watchable {
  readonly modes: Readonly<Record<string, 'min' | 'max'>>;
  readonly hasValidation: boolean;
}

export interface WatchState {
  readonly best: number | null;
  readonly bestEpoch: number;
  readonly bad: number;
}

export class Watch {
  /** undefined before the first epoch. */
  best: number | undefined;
  /** Counted from 1; 0 before the first. */
  bestEpoch = 0;
  /** Epochs since then. */
  bad = 0;
  readonly mode: 'min' | 'max';
  private readonly part: 'train' | 'validation';
  private readonly name: string;
  private readonly minDelta: number;

  /** Throws ArgumentError if there is no such number. */
  constructor(option: MonitorOption & { readonly minDelta?: number }, { modes, hasValidation }: Watchable) {
    const { monitor = 'loss', minDelta = 0 } = option;
    const [, part, name] = /^(?:(train|validation)\.)?(.+)$/s.exec(monitor) ?? [undefined, undefined, monitor];
    this.part = (part as 'train' | 'validation' | undefined) ?? (hasValidation ? 'validation' : 'train');
    this.name = name;
    if (!Object.hasOwn(modes, name) || (this.part === 'validation' && !hasValidation)) {
      const parts = hasValidation ? ['train', 'validation'] : ['train'];
      const known = parts.flatMap((p) => Object.keys(modes).map((n) => `${p}.${n}`));
      throw new ArgumentError(`Trainer: cannot monitor '${monitor}'. Use one of ${known.join(', ')}.`);
    }
    if (!(minDelta >= 0)) throw new ArgumentError(`Trainer: minDelta is ${minDelta}. Use a number of at least 0.`);
    this.mode = option.mode ?? modes[name];
    this.minDelta = minDelta;
  }

  /** The number in this epoch; undefined where it was not measured. */
  valueIn(event: EpochEvent): number | undefined {
    return event[this.part]?.[this.name];
  }

  /** Takes an epoch in and says whether it is the best so far. NaN is never better. */
  see(event: EpochEvent): boolean {
    const value = this.valueIn(event);
    if (value === undefined) return false;
    const sign = this.mode === 'min' ? -1 : 1;
    const isBetter = !Number.isNaN(value) && (this.best === undefined || sign * (value - this.best) > this.minDelta);
    if (isBetter) [this.best, this.bestEpoch, this.bad] = [value, event.epoch, 0];
    else this.bad++;
    return isBetter;
  }

  state(): WatchState {
    return { best: this.best ?? null, bestEpoch: this.bestEpoch, bad: this.bad };
  }

  restore({ best, bestEpoch, bad }: WatchState): void {
    [this.best, this.bestEpoch, this.bad] = [best ?? undefined, bestEpoch, bad];
  }
}
