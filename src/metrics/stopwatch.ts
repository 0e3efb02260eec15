// Timing per iteration: how long steps take, and how many samples pass in a second.

import { ArgumentError, checkOptions, type OptionNames, checkNumber } from '../tensor/library.js';

export interface Timing {
  readonly steps: number;
  readonly samples: number;
  /** Milliseconds a step; NaN before the first. */
  readonly medianMs: number;
  readonly meanMs: number;
  readonly minMs: number;
  readonly p95Ms: number;
  /** Over all steps. */
  readonly samplesPerSecond: number;
}

export interface StopwatchOptions {
  /** First steps that do not count, since they compile. Default 0. */
  readonly warmup?: number;
  /** The clock, in milliseconds. Default performance.now. */
  readonly now?: () => number;
}

const STOPWATCH_OPTIONS: OptionNames<StopwatchOptions> = { warmup: true, now: true };

/** Median and percentile look at this many of the last steps. */
const WINDOW = 10_000;

/**
 * Times steps: `start()` before the first, `lap(samples)` after each. Time between `pause()` and `start()` (a validation)
 * belongs to no step.
 *
 *     const watch = new Stopwatch({ warmup: 1 });
 *     watch.start();
 *     for await (const { x, y } of loader) { await step(x, y); watch.lap(x.shape[0]); }
 *     watch.timing().samplesPerSecond
 */
export class Stopwatch {
  private readonly now: () => number;
  private readonly warmup: number;
  private begin: number | undefined;
  private carried = 0;
  private laps = 0;
  private samples = 0;
  private total = 0;
  private readonly window: number[] = [];

  constructor(options: StopwatchOptions = {}) {
    checkOptions(new.target.name, options, STOPWATCH_OPTIONS);
    const { warmup = 0, now = () => performance.now() } = options;
    if (!Number.isInteger(warmup) || warmup < 0)
      throw new ArgumentError(`Stopwatch: warmup is ${warmup}. Use a number of steps.`);
    this.warmup = warmup;
    this.now = now;
  }

  start(): void {
    this.begin = this.now();
  }

  /** Stops the clock until `start()`; what has passed belongs to the step that goes on then. */
  pause(): void {
    if (this.begin === undefined) return;
    this.carried += this.now() - this.begin;
    this.begin = undefined;
  }

  /** Ends a step and begins the next; returns its milliseconds. Throws ArgumentError if the clock does not run. */
  lap(samples = 1): number {
    checkNumber('Stopwatch', 'the number of samples', samples);
    const now = this.now();
    if (this.begin === undefined) throw new ArgumentError('Stopwatch: lap without start. Call start() first.');
    const ms = now - this.begin + this.carried;
    this.begin = now;
    this.carried = 0;
    if (this.laps++ < this.warmup) return ms;
    this.window[this.counted % WINDOW] = ms;
    this.counted++;
    this.samples += samples;
    this.total += ms;
    return ms;
  }
  private counted = 0;

  timing(): Timing {
    const sorted = [...this.window].sort((a, b) => a - b);
    return {
      steps: this.counted,
      samples: this.samples,
      medianMs: quantile(sorted, 0.5),
      meanMs: this.counted === 0 ? NaN : this.total / this.counted,
      minMs: sorted[0] ?? NaN,
      p95Ms: quantile(sorted, 0.95),
      samplesPerSecond: this.total === 0 ? NaN : (this.samples / this.total) * 1000,
    };
  }

  reset(): void {
    this.begin = undefined;
    [this.carried, this.laps, this.samples, this.total, this.counted] = [0, 0, 0, 0, 0];
    this.window.length = 0;
  }
}

/** Of sorted numbers, by linear interpolation; NaN where there are none. */
export function quantile(sorted: readonly number[], share: number): number {
  const place = share * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(place)] ?? NaN, sorted[Math.ceil(place)] ?? NaN];
  return low + (high - low) * (place - Math.floor(place));
}
