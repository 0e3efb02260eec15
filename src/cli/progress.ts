// What a person sees while a network trains: one line that is rewritten on a terminal, a line an epoch elsewhere.

import { bar, duration } from './draw.js';

export interface EpochReport {
  readonly epoch: number;
  readonly trainLoss: number;
  readonly trainAccuracy: number;
  readonly validationLoss: number;
  readonly validationAccuracy: number;
  readonly samplesPerSecond: number;
  readonly seconds: number;
}

const REDRAW_MS = 60;
const percent = (x: number): string => `${(100 * x).toFixed(1)} %`.padStart(7);

export class Progress {
  private readonly epochs: number;
  private readonly steps: number;
  private readonly stream: NodeJS.WriteStream;
  private readonly start = performance.now();
  private readonly from: number;
  private drawn = 0;

  constructor(epochs: number, steps: number, from: number, stream: NodeJS.WriteStream = process.stdout) {
    this.epochs = epochs;
    this.steps = steps;
    this.from = from;
    this.stream = stream;
  }

  private get live(): boolean {
    return this.stream.isTTY === true;
  }

  header(): void {
    this.stream.write('  epoch   loss    accuracy   validation loss   accuracy   samples/s\n');
  }

  /** After each step; redrawn a few times a second at most. */
  step(epoch: number, step: number, loss: number, samplesPerSecond: number): void {
    const now = performance.now();
    if (!this.live || now - this.drawn < REDRAW_MS) return;
    this.drawn = now;
    const total = this.epochs * this.steps;
    const done = epoch * this.steps + step;
    const left = ((now - this.start) / 1000 / Math.max(done - this.from * this.steps, 1)) * (total - done);
    const line = `  ${String(epoch + 1).padStart(3)}/${this.epochs} ${bar(step / this.steps, 20)} loss ${loss.toFixed(4)} · ${Math.round(samplesPerSecond)} samples/s · ${duration(left)} left`;
    this.stream.write(`\r\x1b[2K${line.slice(0, Math.max(20, (this.stream.columns ?? 100) - 1))}`);
  }

  epoch(r: EpochReport): void {
    const columns = [
      `${r.epoch}/${this.epochs}`.padStart(7),
      r.trainLoss.toFixed(4).padStart(8),
      percent(r.trainAccuracy).padStart(10),
      r.validationLoss.toFixed(4).padStart(17),
      percent(r.validationAccuracy).padStart(11),
      String(Math.round(r.samplesPerSecond)).padStart(11),
    ];
    this.stream.write(`${this.live ? '\r\x1b[2K' : ''}${columns.join('')}\n`);
  }

  /** Leaves the rewritten line alone, so that what follows starts on a new one. */
  interrupt(): void {
    if (this.live) this.stream.write('\r\x1b[2K');
  }
}
