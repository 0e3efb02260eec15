// The doctor's probe in a Trainer: the looks of `look.ts` in the steps that are due, captured as the Trainer captures them.
// A captured step runs its hooks once; what they find comes back as tensors at every replay.

import type { Module } from '../../nn/module.js';
import type { AnyTensor } from '../../tensor/tensor.js';
import { checkInitialLoss } from '../checks/initial-loss.js';
import type { StepProbe, TrainerHandle, TrainingOptimizer } from '../options.js';
import type { RunEvent } from '../record.js';
import { Look, type Values, readLook } from './look.js';
import type { DoctorOptions } from './options.js';
import { Process } from './process.js';

/**
 * Whether a look is due. Distances are `every` and `every + 1` in turn: with one distance, looks might see the same part of
 * every epoch, or the same class of sorted data.
 */
export function isLookDue(step: number, every: number): boolean {
  if (step <= 2) return true;
  const place = (step - 2) % (2 * every + 1);
  return place === 0 || place === every;
}

export class TrainerProbe implements StepProbe {
  private readonly optimizer: TrainingOptimizer;
  private readonly looked: TrainingOptimizer;
  private readonly every: number;
  private look: Look | undefined;
  private process: Process | undefined;
  private readonly said = new Set<string>();
  private waiting: { readonly code: string; readonly text: string }[] = [];

  /** `looked`: the part of it whose update is looked at, where a step has several. */
  constructor(optimizer: TrainingOptimizer, { every = 10 }: DoctorOptions = {}, looked = optimizer) {
    this.optimizer = optimizer;
    this.looked = looked;
    this.every = every;
  }

  isDue(step: number): boolean {
    return isLookDue(step, this.every);
  }

  beforeForward(model: Module): void {
    this.look = new Look(model, this.looked);
    this.process = new Process(model, this.optimizer, (code, text) => this.waiting.push({ code, text }), 1);
  }

  afterBackward(): Values {
    // A gradient is cleared by the Trainer itself; what is left to check holds in every step alike.
    this.process?.beforeUpdate();
    this.process?.end();
    return this.look?.values() ?? {};
  }

  afterUpdate(): Values {
    const values = this.look?.updated() ?? {};
    this.look = undefined;
    return values;
  }

  async report(trainer: TrainerHandle, step: number, values: Readonly<Record<string, AnyTensor>>): Promise<void> {
    const { event, firstLoss, classes, loss } = await readLook(step, values);
    const events: RunEvent[] = [event];
    if (step === 1 && firstLoss !== undefined && classes !== undefined && /cross|nll/i.test(loss ?? '')) {
      events.push(checkInitialLoss(firstLoss, { classes }));
    }
    for (const { code, text } of this.waiting.splice(0)) {
      if (!this.said.has(code)) events.push({ event: 'notice', step, code, text });
      this.said.add(code);
    }
    for (const one of events) await trainer.emit(one);
  }
}
