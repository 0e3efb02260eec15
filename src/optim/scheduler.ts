// What moves the learning rates of an optimiser: by a schedule, or when a metric stops improving. Both go on where a saved
// state left off.

import { checkOptimizer } from './optimizer.js';
import { ArgumentError, checkFunction, checkOptions, currentRecording, eachRun } from '../tensor/library.js';
import type { Schedule } from './schedule.js';

/** An optimiser, as far as it is needed here. */
export interface HasRates {
  readonly groups: readonly { lr: number }[];
}

/**
 * Sets the learning rate of every group to `schedule(step)`, at once and after each `step()`. With a list, the i-th group
 * follows the i-th schedule. Throws ArgumentError if there are not as many schedules as groups.
 */
export class LRScheduler {
  /** Calls of `step()` so far. */
  stepCount = 0;
  private readonly optimizer: HasRates;
  private readonly schedules: readonly Schedule[];

  constructor(optimizer: HasRates, schedule: Schedule | readonly Schedule[]) {
    checkOptimizer('LRScheduler', optimizer);
    for (const each of Array.isArray(schedule) ? schedule : [schedule]) checkFunction('LRScheduler', each);
    const { length } = optimizer.groups;
    this.optimizer = optimizer;
    this.schedules = typeof schedule === 'function' ? Array.from({ length }, () => schedule) : schedule;
    if (this.schedules.length !== length)
      throw new ArgumentError(
        `LRScheduler: ${this.schedules.length} schedules for ${length} groups. Pass one, or one for each group.`,
      );
    this.apply();
  }

  step(): void {
    const move = (steps: number) => () => {
      this.stepCount += steps;
      this.apply();
      for (const group of this.optimizer.groups) currentRecording()?.move(group);
    };
    eachRun(move(1), move(-1));
  }

  private apply(): void {
    this.optimizer.groups.forEach((group, i) => (group.lr = this.schedules[i](this.stepCount)));
  }

  stateDict(): { step: number } {
    return { step: this.stepCount };
  }

  loadStateDict({ step }: { readonly step: number }): void {
    if (!Number.isInteger(step) || step < 0)
      throw new ArgumentError(`LRScheduler: step is ${step}. Load what stateDict() gave.`);
    this.stepCount = step;
    this.apply();
  }
}

export interface PlateauOptions {
  /** Whether less or more is better. Default `min`. */
  mode: 'min' | 'max';
  /** What the rates are multiplied by. Default 0.1. */
  factor: number;
  /** Steps without improvement that are waited for. Default 10. */
  patience: number;
  /** The least improvement that counts: as a part of the best (`rel`) or as a difference (`abs`). Default 1e-4. */
  threshold: number;
  thresholdMode: 'rel' | 'abs';
  /** Steps after a reduction in which none is counted. Default 0. */
  cooldown: number;
  /** Rates do not fall below. Default 0. */
  minLr: number;
  /** Smaller changes of a rate are not made. Default 1e-8. */
  eps: number;
}

const PLATEAU_DEFAULTS: PlateauOptions = {
  mode: 'min',
  factor: 0.1,
  patience: 10,
  threshold: 1e-4,
  thresholdMode: 'rel',
  cooldown: 0,
  minLr: 0,
  eps: 1e-8,
};

export interface PlateauState {
  readonly best: number | null;
  /** Steps without improvement so far, and steps of the cooldown that are left. */
  readonly bad: number;
  readonly cooling: number;
}

/** Lowers the rates when a metric has stopped improving. PyTorch: ReduceLROnPlateau. */
export class ReduceLROnPlateau {
  private readonly optimizer: HasRates;
  private readonly options: PlateauOptions;
  private best: number;
  private bad = 0;
  private cooling = 0;

  constructor(optimizer: HasRates, options: Partial<PlateauOptions> = {}) {
    this.optimizer = optimizer;
    checkOptimizer(new.target.name, optimizer);
    checkOptions(new.target.name, options, PLATEAU_DEFAULTS);
    this.options = { ...PLATEAU_DEFAULTS, ...options };
    const { factor, mode, thresholdMode, patience, cooldown } = this.options;
    if (mode !== 'min' && mode !== 'max')
      throw new ArgumentError(`ReduceLROnPlateau: mode is '${String(mode)}'. Use 'min' or 'max'.`);
    if (thresholdMode !== 'rel' && thresholdMode !== 'abs')
      throw new ArgumentError(`ReduceLROnPlateau: thresholdMode is '${String(thresholdMode)}'. Use 'rel' or 'abs'.`);
    for (const [name, value] of Object.entries({ patience, cooldown })) {
      if (!(value >= 0)) throw new ArgumentError(`ReduceLROnPlateau: ${name} is ${value}. Use a number of at least 0.`);
    }
    if (!(factor > 0 && factor < 1))
      throw new ArgumentError(`ReduceLROnPlateau: factor is ${factor}. Use a number above 0 and below 1.`);
    this.best = this.worst;
  }

  private get worst(): number {
    return this.options.mode === 'min' ? Infinity : -Infinity;
  }

  /** After each epoch (or whenever the metric is known). */
  step(metric: number): void {
    const { patience, cooldown, factor, minLr, eps } = this.options;
    if (this.isBetter(metric)) [this.best, this.bad] = [metric, 0];
    else this.bad++;
    if (this.cooling > 0) [this.cooling, this.bad] = [this.cooling - 1, 0];
    if (this.bad <= patience) return;
    for (const group of this.optimizer.groups) {
      const next = Math.max(group.lr * factor, minLr);
      if (group.lr - next > eps) group.lr = next;
    }
    [this.cooling, this.bad] = [cooldown, 0];
  }

  private isBetter(metric: number): boolean {
    const { mode, threshold, thresholdMode } = this.options;
    const sign = mode === 'min' ? -1 : 1;
    const bar = thresholdMode === 'rel' ? this.best * (1 + sign * threshold) : this.best + sign * threshold;
    return mode === 'min' ? metric < bar : metric > bar;
  }

  /** `best` is null before the first step. */
  stateDict(): PlateauState {
    const best = Number.isFinite(this.best) ? this.best : null;
    return { best, bad: this.bad, cooling: this.cooling };
  }

  /** Throws ArgumentError for anything but what `stateDict` gave. */
  loadStateDict({ best, bad, cooling }: PlateauState): void {
    const isCount = (n: unknown): boolean => Number.isInteger(n) && (n as number) >= 0;
    if (!isCount(bad) || !isCount(cooling) || (best !== null && typeof best !== 'number'))
      throw new ArgumentError(
        `ReduceLROnPlateau: the state has best ${String(best)}, bad ${String(bad)}, cooling ${String(cooling)}. Load what stateDict() gave.`,
      );
    [this.best, this.bad, this.cooling] = [best ?? this.worst, bad, cooling];
  }
}
