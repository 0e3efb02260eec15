// Learning-rate schedules as functions of the step, counted from 0: `group.lr = oneCycle(step, total, 0.01)`.

import {
  ArgumentError,
  checkOptions,
  type OptionNames,
  checkFunction,
  checkList,
  checkNumber,
  checkNumbers,
} from '../tensor/library.js';

/** From `peak` to `floor` along half a cosine. PyTorch: CosineAnnealingLR. */
export function cosine(step: number, total: number, peak: number, floor = 0): number {
  checkNumbersOf('cosine', { step, total, peak, floor });
  const part = Math.min(Math.max(step / Math.max(total, 1), 0), 1);
  return floor + ((peak - floor) * (1 + Math.cos(Math.PI * part))) / 2;
}

export interface OneCycleOptions {
  /** Part of the steps in which the rate rises. Default 0.3. */
  readonly warmup?: number;
  /** Along half a cosine, or in a straight line. Default 'cosine'. */
  readonly anneal?: 'cosine' | 'linear';
  /** Down to the start as fast as it rose, and to the end from there, instead of straight to the end. Default false. */
  readonly threePhase?: boolean;
  /** The start is peak / divFactor. Default 25. */
  readonly divFactor?: number;
  /** The end is start / finalDivFactor. Default 1e4. */
  readonly finalDivFactor?: number;
}

const ONE_CYCLE_OPTIONS: OptionNames<OneCycleOptions> = {
  warmup: true,
  anneal: true,
  threePhase: true,
  divFactor: true,
  finalDivFactor: true,
};

/** Up to `peak`, then far down, in `total` steps (Smith and Topin 2018). PyTorch: OneCycleLR, momentum aside. */
export function oneCycle(step: number, total: number, peak: number, options: OneCycleOptions = {}): number {
  checkOptions('oneCycle', options, ONE_CYCLE_OPTIONS);
  checkNumbersOf('oneCycle', { step, total, peak });
  const { warmup = 0.3, anneal = 'cosine', threePhase = false, divFactor = 25, finalDivFactor = 1e4 } = options;
  if (!(warmup >= 0 && warmup <= 1))
    throw new ArgumentError(`oneCycle: warmup is ${warmup}. Use a number from 0 to 1.`);
  if (anneal !== 'cosine' && anneal !== 'linear')
    throw new ArgumentError(`oneCycle: anneal is '${String(anneal)}'. Use 'cosine' or 'linear'.`);
  checkAbove(divFactor, 'oneCycle: divFactor');
  checkAbove(finalDivFactor, 'oneCycle: finalDivFactor');
  const between = (at: number, length: number, from: number, to: number): number =>
    anneal === 'linear' ? linear(at, length, from, to) : cosine(at, length, from, to);
  const start = peak / divFactor;
  const top = warmup * total - 1;
  if (step < top) return between(step, top, start, peak);
  if (!threePhase) return between(step - top, total - 1 - top, peak, start / finalDivFactor);
  const back = 2 * top;
  if (step < back) return between(step - top, back - top, peak, start);
  return between(step - back, total - 1 - back, start, start / finalDivFactor);
}

export interface CyclicOptions {
  /** Steps of the way down. Default: as many as up. */
  readonly down?: number;
  /** What the height of a cycle is multiplied by: cycles and steps are counted from 0. Default: 1, `triangular`. */
  readonly amplitude?: (cycle: number, step: number) => number;
}

const CYCLIC_OPTIONS: OptionNames<CyclicOptions> = { down: true, amplitude: true };

/**
 * From `floor` to `peak` in `up` steps and back, again and again, in straight lines (Smith 2017). PyTorch: CyclicLR; its mode
 * `triangular2` is `amplitude: (cycle) => 0.5 ** cycle`, its `exp_range` `(_, step) => gamma ** step`.
 */
export function cyclic(step: number, up: number, peak: number, floor: number, options: CyclicOptions = {}): number {
  checkOptions('cyclic', options, CYCLIC_OPTIONS);
  checkNumbersOf('cyclic', { step, up, peak, floor });
  const { down = up, amplitude = () => 1 } = options;
  checkAbove(up, 'cyclic: up');
  checkAbove(down, 'cyclic: down');
  const cycle = Math.floor(step / (up + down));
  const at = step - cycle * (up + down);
  const height = at <= up ? at / up : (up + down - at) / down;
  return floor + (peak - floor) * height * amplitude(cycle, step);
}

/** Times `factor` after every `every` steps. PyTorch: StepLR. */
export function stepDecay(step: number, initial: number, every: number, factor = 0.1): number {
  checkNumbersOf('stepDecay', { step, initial, every, factor });
  checkAbove(every, 'stepDecay: every');
  return initial * factor ** Math.floor(step / every);
}

/** Times `factor` at each of these steps. PyTorch: MultiStepLR. */
export function multiStepDecay(step: number, initial: number, milestones: readonly number[], factor = 0.1): number {
  checkNumbersOf('multiStepDecay', { step, initial, factor });
  checkNumbers('multiStepDecay', 'the list of milestones', milestones);
  return initial * factor ** milestones.filter((m) => m <= step).length;
}

/** Times `factor` after every step. PyTorch: ExponentialLR. */
export function exponentialDecay(step: number, initial: number, factor: number): number {
  checkNumbersOf('exponentialDecay', { step, initial, factor });
  return initial * factor ** step;
}

/** initial / (1 + rate · step): a half after 1 / rate steps. */
export function inverseTimeDecay(step: number, initial: number, rate: number): number {
  checkNumbersOf('inverseTimeDecay', { step, initial, rate });
  return initial / (1 + rate * step);
}

/** initial · factor / √step from step 1 on; `initial` before. */
export function inverseSqrtDecay(step: number, initial: number, factor = 1): number {
  checkNumbersOf('inverseSqrtDecay', { step, initial, factor });
  return step < 1 ? initial : (initial * factor) / Math.sqrt(step);
}

/** In a straight line from `from` to `to` in `total` steps, then constant. PyTorch: LinearLR. */
export function linear(step: number, total: number, from: number, to: number): number {
  checkNumbersOf('linear', { step, total, from, to });
  return from + (to - from) * Math.min(Math.max(step / Math.max(total, 1), 0), 1);
}

/** initial · (1 − step / total)^power, 0 from `total` on. PyTorch: PolynomialLR. */
export function polynomialDecay(step: number, total: number, initial: number, power = 1): number {
  checkNumbersOf('polynomialDecay', { step, total, initial, power });
  return initial * (1 - Math.min(Math.max(step / Math.max(total, 1), 0), 1)) ** power;
}

/**
 * Half a cosine from `peak` to `floor` again and again, each `growth` times as long as the one before (Loshchilov and
 * Hutter 2017). PyTorch: CosineAnnealingWarmRestarts.
 */
export function cosineRestarts(step: number, period: number, peak: number, floor = 0, growth = 1): number {
  checkNumbersOf('cosineRestarts', { step, period, peak, floor, growth });
  checkAbove(period, 'cosineRestarts: period');
  if (!(growth >= 1)) throw new ArgumentError(`cosineRestarts: growth is ${growth}. Use a number of at least 1.`);
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
  checkNumbersOf('inverseSqrtWarmup', { step, width, warmup });
  checkAbove(width, 'inverseSqrtWarmup: width');
  checkAbove(warmup, 'inverseSqrtWarmup: warmup');
  const n = step + 1;
  return width ** -0.5 * Math.min(n ** -0.5, n * warmup ** -1.5);
}

/** The rate of the last row [from, rate] whose step has come. Throws ArgumentError if no row begins at 0 or they are not in order. */
export function table(step: number, rows: readonly (readonly [from: number, rate: number])[]): number {
  checkNumbersOf('table', { step });
  checkList('table', 'the argument', rows, '[step, rate]');
  for (const row of rows) checkNumbers('table', 'a row', row);
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
  const last = parts[parts.length - 1] as Schedule | undefined;
  if (typeof last !== 'function')
    throw new ArgumentError('sequence: the last part is no schedule. Use sequence([schedule, steps], …, schedule).');
  parts.slice(0, -1).forEach((part, i) => {
    checkList('sequence', `part ${i}`, part, 'a schedule and its number of steps: [schedule, steps]');
    const [schedule, steps] = part as readonly [Schedule, number];
    checkFunction('sequence', schedule, `the schedule of part ${i}`);
    checkNumber('sequence', `the number of steps of part ${i}`, steps);
  });
  checkFunction('sequence', last, 'the last part');
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

/**
 * The product of schedules: `chained(warmup, decay)`, where all but one give factors. PyTorch: ChainedScheduler.
 *
 *     chained((step) => linear(step, 500, 0, 1), (step) => exponentialDecay(step, 0.1, 0.999))
 */
export function chained(...schedules: readonly Schedule[]): Schedule {
  if (schedules.length === 0) throw new ArgumentError('chained: no schedules. Give at least one.');
  schedules.forEach((schedule, i) => checkFunction('chained', schedule, `schedule ${i}`));
  return (step) => schedules.reduce((rate, schedule) => rate * schedule(step), 1);
}

/** Throws unless each is a number: schedules are called with what a program computes. */
function checkNumbersOf(op: string, values: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(values))
    if (typeof value !== 'number' || Number.isNaN(value)) checkNumber(op, name, value);
}

function checkAbove(value: number, what: string): void {
  if (!(value > 0)) throw new ArgumentError(`${what} is ${value}. Use a number above 0.`);
}
