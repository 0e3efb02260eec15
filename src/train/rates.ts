// The learning rates of a run: a schedule sets them before each update, a plateau lowers them after an epoch.

import { ReduceLROnPlateau, type HasRates, type PlateauState } from '../optim/scheduler.js';
import { ArgumentError } from '../tensor/library.js';
import type { RateOfStep, ScheduleOption, TrainerOptions } from './options.js';
import type { EpochEvent } from './record.js';
import { Watch, type Watchable } from './watch.js';

export class Rates {
  private readonly groups: HasRates['groups'];
  private readonly schedules: readonly RateOfStep[] | undefined;
  private readonly perEpoch: ((epoch: number, epochs: number) => number) | undefined;
  private readonly plateau: { readonly reduce: ReduceLROnPlateau; readonly watch: Watch } | undefined;

  /** Throws ArgumentError for a schedule that does not fit the groups. */
  constructor(options: Pick<TrainerOptions, 'optimizer' | 'schedule' | 'plateau'>, watchable: Watchable) {
    const { optimizer, schedule, plateau } = options;
    this.groups = optimizer.groups as HasRates['groups'];
    if ((schedule ?? plateau) !== undefined && this.groups.some((group) => typeof group.lr !== 'number')) {
      throw new ArgumentError('Trainer: this optimiser has no learning rate. Leave out schedule and plateau.');
    }
    this.schedules = perStep(schedule, this.groups.length);
    this.perEpoch = schedule !== undefined && 'perEpoch' in schedule ? schedule.perEpoch : undefined;
    if (plateau !== undefined) {
      if (schedule !== undefined) throw new ArgumentError('Trainer: both schedule and plateau. Choose one of them.');
      const watch = new Watch(plateau, watchable);
      const { monitor: _, ...own } = plateau;
      this.plateau = { watch, reduce: new ReduceLROnPlateau(optimizer as HasRates, { ...own, mode: watch.mode }) };
    }
  }

  /** The rate of the first group; NaN for an optimiser without one. */
  get current(): number {
    return this.groups[0]?.lr ?? NaN;
  }

  /** Before update `step` (counted from 0) of `total` in epoch `epoch` (counted from 0) of `epochs`. */
  beforeUpdate(step: number, total: number, epoch: number, epochs: number): void {
    const { schedules, perEpoch } = this;
    if (schedules !== undefined) this.groups.forEach((group, i) => (group.lr = schedules[i](step, total)));
    else if (perEpoch !== undefined) for (const group of this.groups) group.lr = perEpoch(epoch, epochs);
  }

  afterEpoch(event: EpochEvent): void {
    const value = this.plateau?.watch.valueIn(event);
    if (value !== undefined) this.plateau?.reduce.step(value);
  }

  state(): PlateauState | null {
    return this.plateau?.reduce.stateDict() ?? null;
  }

  restore(state: PlateauState | null): void {
    if (state !== null) this.plateau?.reduce.loadStateDict(state);
  }
}

function perStep(schedule: ScheduleOption | undefined, groups: number): readonly RateOfStep[] | undefined {
  if (schedule === undefined || 'perEpoch' in schedule) return undefined;
  if (typeof schedule === 'function') return Array.from({ length: groups }, () => schedule);
  if (schedule.length !== groups) {
    throw new ArgumentError(`Trainer: ${schedule.length} schedules for ${groups} groups. Pass one, or one for each.`);
  }
  return schedule;
}
