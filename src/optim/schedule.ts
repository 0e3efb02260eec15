// Learning-rate schedules as functions of the step, counted from 0: `group.lr = oneCycle(step, total, 0.01)`.

import { ArgumentError } from '../tensor/library.js';

/** From `peak` to `floor` along half a cosine. PyTorch: CosineAnnealingLR. */
export function cosine(step: number, total: number, peak: number, floor = 0): number {
  const part = Math.min(Math.max(step / Math.max(total, 1), 0), 1);
  return floor + ((peak - floor) * (1 + Math.cos(Math.PI * part))) / 2;
}

/**
 * Up from peak / 25 during the first part `warmup`, then down to peak / 250,000, both along half a cosine (Smith and
 * Topin 2018). PyTorch: OneCycleLR with its defaults, momentum aside.
 */
export function oneCycle(step: number, total: number, peak: number, warmup = 0.3): number {
  const start = peak / 25;
  const top = warmup * total - 1;
  if (step < top) return cosine(top - step, top, peak, start);
  return cosine(step - top, total - 1 - top, peak, start / 1e4);
}

/** Times `factor` after every `every` steps. PyTorch: StepLR. */
export function stepDecay(step: number, initial: number, every: number, factor = 0.1): number {
  return initial * factor ** Math.floor(step / every);
}

/** Times `factor` at each of these steps. PyTorch: MultiStepLR. */
export function multiStepDecay(step: number, initial: number, milestones: readonly number[], factor = 0.1): number {
  return initial * factor ** milestones.filter((m) => m <= step).length;
}

/** Times `factor` after every step. PyTorch: ExponentialLR. */
export function exponentialDecay(step: number, initial: number, factor: number): number {
  return initial * factor ** step;
}

/** initial / (1 + rate · step): a half after 1 / rate steps. */
export function inverseTimeDecay(step: number, initial: number, rate: number): number {
  return initial / (1 + rate * step);
}

/** initial · factor / √step from step 1 on; `initial` before. */
export function inverseSqrtDecay(step: number, initial: number, factor = 1): number {
  return step < 1 ? initial : (initial * factor) / Math.sqrt(step);
}

/** In a straight line from `from` to `to` in `total` steps, then constant. PyTorch: LinearLR. */
export function linear(step: number, total: number, from: number, to: number): number {
  return from + (to - from) * Math.min(Math.max(step / Math.max(total, 1), 0), 1);
}

/** initial · (1 − step / total)^power, 0 from `total` on. PyTorch: PolynomialLR. */
export function polynomialDecay(step: number, total: number, initial: number, power = 1): number {
  return initial * (1 - Math.min(Math.max(step / Math.max(total, 1), 0), 1)) ** power;
}

/**
 * Half a cosine from `peak` to `floor` again and again, each `growth` times as long as the one before (Loshchilov and
 * Hutter 2017). PyTorch: CosineAnnealingWarmRestarts.
 */
export function cosineRestarts(step: number, period: number, peak: number, floor = 0, growth = 1): number {
  let [at, length] = [step, period];
  if (growth === 1) at %= period;
  else
    while (at >= length) {
      at -= length;
      length *= growth;
    }
  return cosine(at, length, peak, floor);
}

/** width^−½ · min(n^−½, n · warmup^−1.5) for the n-th step, n = step + 1 (Vaswani et al. 2017). */
export function inverseSqrtWarmup(step: number, width: number, warmup: number): number {
  const n = step + 1;
  return width ** -0.5 * Math.min(n ** -0.5, n * warmup ** -1.5);
}

/** The rate of the last row [from, rate] whose step has come. Throws ArgumentError if no row begins at 0 or they are not in order. */
export function table(step: number, rows: readonly (readonly [from: number, rate: number])[]): number {
  if (rows.length === 0 || rows[0][0] !== 0 || rows.some(([from], i) => i > 0 && from <= rows[i - 1][0]))
    throw new ArgumentError('table: rows are not in order from step 0. Use [[0, rate], [step, rate], …].');
  return rows.reduce((rate, [from, next]) => (from <= step ? next : rate), rows[0][1]);
}

/** A rate for every step, counted from 0. */
export type Schedule = (step: number) => number;

/**
 * One schedule after the other, each counted from 0: `sequence([warmup, 500], decay)`. All but the last say how many steps
 * they have. PyTorch: SequentialLR.
 */
export function sequence(...parts: readonly [...(readonly [Schedule, number])[], Schedule]): Schedule {
  const last = parts[parts.length - 1] as Schedule;
  const before = parts.slice(0, -1) as (readonly [Schedule, number])[];
  return (step) => {
    let at = step;
    for (const [schedule, steps] of before) {
      if (at < steps) return schedule(at);
      at -= steps;
    }
    return last(at);
  };
}
