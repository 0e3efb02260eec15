// A line per epoch, as plain text: for a terminal, a pipe and a log file alike.

import { type OptionNames, checkOptions } from '../../tensor/library.js';
import type { EpochEvent, RunEvent, RunListener } from '../record.js';

export interface ConsoleOptions {
  /** Takes a line without its end. Default console.log. */
  readonly write?: (line: string) => void;
  /** Besides epochs, a line every so many steps. None by default. */
  readonly everySteps?: number;
}

const CONSOLE_OPTIONS: OptionNames<ConsoleOptions> = { write: true, everySteps: true };

/** Prints epochs, checks, notices and the end of a run. */
export class ConsoleLogger implements RunListener {
  private readonly write: (line: string) => void;
  private readonly everySteps: number | undefined;
  private epochs: number | undefined;

  constructor(options: ConsoleOptions = {}) {
    checkOptions(new.target.name, options, CONSOLE_OPTIONS);
    const { write = console.log, everySteps } = options;
    this.write = write;
    this.everySteps = everySteps;
  }

  onEvent(event: RunEvent): void {
    switch (event.event) {
      case 'start': {
        const { parameters, optimizer, epochs, trainSamples } = event.facts;
        this.epochs = epochs;
        const facts = [
          parameters !== undefined && `${parameters.toLocaleString('en-US')} parameters`,
          optimizer,
          trainSamples !== undefined && `${trainSamples.toLocaleString('en-US')} samples`,
          event.resumedFrom !== undefined && `resumed after ${event.resumedFrom} steps`,
        ].filter((fact) => typeof fact === 'string');
        if (facts.length > 0) this.write(facts.join(' · '));
        return;
      }
      case 'step':
        if (this.everySteps !== undefined && event.step % this.everySteps === 0)
          this.write(`  step ${event.step}  loss ${formatNumber(event.loss)}  lr ${formatNumber(event.lr)}`);
        return;
      case 'epoch':
        return this.write(this.epochLine(event));
      case 'check':
        return this.write(`check ${event.name}: ${event.passed ? 'passed' : 'FAILED'}. ${event.text}`);
      case 'notice':
        return this.write(`notice: ${event.text}`);
      case 'end': {
        const test = Object.entries(event.test ?? {}).map(([name, value]) => ` · test ${name} ${formatNumber(value)}`);
        this.write(`${event.reason} after ${event.step} steps, ${formatNumber(event.seconds, 3)} s${test.join('')}`);
      }
    }
  }

  private epochLine({ epoch, train, validation = {}, lr, seconds }: EpochEvent): string {
    const total = this.epochs === undefined ? '' : `/${this.epochs}`;
    const number = `${epoch}`.padStart(`${this.epochs ?? ''}`.length);
    const values = Object.entries(train).map(([name, value]) => {
      const other = validation[name];
      return `${name} ${formatNumber(value)}${other === undefined ? '' : ` (val ${formatNumber(other)})`}`;
    });
    const more = Object.entries(validation).filter(([name]) => !(name in train));
    for (const [name, value] of more) values.push(`val ${name} ${formatNumber(value)}`);
    return [`epoch ${number}${total}`, ...values, `lr ${formatNumber(lr)}`, `${formatNumber(seconds, 3)} s`].join('  ');
  }
}

/** Four significant digits, in powers of ten where that is shorter. */
export function formatNumber(value: number, digits = 4): string {
  if (!Number.isFinite(value) || value === 0) return String(value);
  const size = Math.abs(value);
  if (size < 1e-3 || size >= 1e6) return value.toExponential(digits - 1).replace(/(\.0+|(\.\d*[1-9])0+)?e\+?/, '$2e');
  const decimals = Math.max(0, digits - 1 - Math.floor(Math.log10(size)));
  return value.toFixed(Math.min(decimals, digits));
}
