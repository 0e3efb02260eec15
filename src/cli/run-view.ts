// What a run shows while it goes on: a header, a progress bar, and a line an epoch for a person; JSON lines for a program.

import { devices } from '../index.js';
import { type EpochEvent, type RunEvent, type RunListener, type StartEvent, formatJson } from '../train/index.js';
import { printable } from './printable.js';
import { ProgressBar } from './progress.js';
import { wrapped } from './wrap.js';
import { type Terminal, duration, grouped, percent } from './terminal.js';

export interface Shown {
  readonly title: string;
  readonly folder: string;
  readonly device: string;
  /** Where several train together. */
  readonly processes?: string | undefined;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly testSamples: number | undefined;
  /** Epochs that the run had behind it when it was taken up. */
  readonly history: () => readonly EpochEvent[];
}

const CELL = 10;

/** Width of a column: long names have more. */
const cell = (name: string): number => Math.max(CELL, name.length + 2);

/** Accuracy and the like are shares of 1. */
export function formatMetric(name: string, value: number): string {
  if (/accuracy|precision|recall|f1|iou|dice/i.test(name)) return percent(value, 2);
  if (Math.abs(value) >= 1e5 && Number.isFinite(value)) return value.toExponential(2); // columns hold nine characters
  return Number.isFinite(value) ? value.toFixed(4) : String(value);
}

/** `Test accuracy 99.72 %, loss 0.0629` */
export function formatResults(what: string, results: Readonly<Record<string, number>>): string {
  const names = Object.keys(results).toSorted((a, b) => Number(a === 'loss') - Number(b === 'loss'));
  return `${what} ${names.map((name) => `${name} ${formatMetric(name, results[name])}`).join(', ')}`;
}

/** For a person. */
export class TextView implements RunListener {
  readonly #terminal: Terminal;
  readonly #shown: Shown;
  readonly #bar: ProgressBar;
  #facts: StartEvent['facts'] = {};
  #columns: { part: 'train' | 'validation'; name: string }[] | undefined;
  #epoch = 0;
  #firstStep = 0; // of the epoch under way, as far as it was seen
  #loss = NaN;
  // speed is measured from the second step on: compiling says nothing about it
  #begin = 0;
  #counted = 0;

  constructor(terminal: Terminal, shown: Shown) {
    this.#terminal = terminal;
    this.#shown = shown;
    this.#bar = new ProgressBar(terminal);
  }

  onEvent(event: RunEvent): void {
    if (event.event === 'start') this.#start(event);
    else if (event.event === 'step') this.#step(event);
    else if (event.event === 'epoch') {
      this.#bar.clear();
      this.#row(event);
    } else if (event.event === 'notice' || event.event === 'check') {
      this.#bar.clear();
      const { style, columns } = this.#terminal;
      const [first, ...rest] = wrapped(event.text, columns - 4);
      this.#terminal.line(`  ${style.red('!')} ${first}`);
      for (const line of rest) this.#terminal.line(`    ${line.trimStart()}`);
    } else if (event.event === 'end') this.#bar.clear();
  }

  close(): void {
    this.#bar.clear();
  }

  #start({ facts }: StartEvent): void {
    this.#facts = facts;
    const { title, settings, folder, device, processes, testSamples, history } = this.#shown;
    const { style } = this.#terminal;
    this.#terminal.line(style.bold(title));
    this.#terminal.line();
    const fact = (name: string, value: string) =>
      wrapped(value, this.#terminal.columns - 12).forEach((part, i) => {
        this.#terminal.line(`  ${style.dim((i === 0 ? name : '').padEnd(9))} ${part.trimStart()}`);
      });
    const parts = [
      [facts.trainSamples, 'to train on'],
      [facts.validationSamples, 'to validate'],
      [testSamples, 'to test'],
    ] as const;
    const known = parts.filter(([count]) => count !== undefined);
    if (known.length > 0) fact('data', known.map(([count, what]) => `${grouped(count ?? 0)} ${what}`).join(', '));
    fact('network', `${grouped(facts.parameters ?? 0)} parameters`);
    fact(
      'settings',
      Object.entries(settings)
        .filter(([, value]) => value !== '')
        .map(([name, value]) => `${words(name)} ${String(value)}`)
        .join(', '),
    );
    const details = devices().find(({ name }) => name === device)?.details ?? {};
    const threads =
      details.threads === undefined ? '' : `, ${String(details.threads)} thread${details.threads === 1 ? '' : 's'}`;
    fact('device', `${device}${details.tier === undefined ? '' : `, ${String(details.tier)}`}${threads}`);
    if (processes !== undefined) fact('together', processes);
    fact('folder', printable(folder));
    this.#terminal.line();
    for (const event of history()) this.#row(event);
  }

  #step({ epoch, step, loss }: Extract<RunEvent, { event: 'step' }>): void {
    const { stepsPerEpoch = NaN, batchSize = NaN, epochs = NaN } = this.#facts;
    const now = performance.now();
    if (epoch !== this.#epoch) [this.#epoch, this.#firstStep] = [epoch, step - 1];
    if (this.#begin === 0) this.#begin = now;
    else this.#counted++;
    this.#loss = Number.isNaN(this.#loss) ? loss : this.#loss * 0.9 + loss * 0.1;
    const seconds = (now - this.#begin) / 1000;
    const done = Number.isFinite(stepsPerEpoch) ? ((step - 1) % stepsPerEpoch) + 1 : step - this.#firstStep;
    this.#bar.update({
      label: this.#label(epoch).padStart(7),
      fraction: done / stepsPerEpoch || 0,
      loss: this.#loss,
      samplesPerSecond: (this.#counted * batchSize) / seconds,
      secondsLeft: ((epochs * stepsPerEpoch - step) * seconds) / this.#counted,
    });
  }

  #label(epoch: number): string {
    const { epochs } = this.#facts;
    return epochs === undefined ? `${epoch}` : `${String(epoch).padStart(String(epochs).length)}/${epochs}`;
  }

  #row(event: EpochEvent): void {
    const { style } = this.#terminal;
    const columns = (this.#columns ??= this.#head(event));
    const cells = columns.map(({ part, name }, i) => {
      const value = event[part]?.[name];
      const text = (value === undefined ? '' : formatMetric(name, value)).padStart(cell(name) + gap(columns, i));
      return i === columns.length - 1 ? style.bold(text) : text;
    });
    this.#terminal.line(
      `${this.#label(event.epoch).padStart(7)}${cells.join('')} ${duration(event.seconds).padStart(9)}`,
    );
  }

  #head({ train, validation }: EpochEvent): { part: 'train' | 'validation'; name: string }[] {
    const { style } = this.#terminal;
    const names = Object.keys(train);
    const parts =
      validation === undefined && this.#facts.validationSamples === undefined
        ? (['train'] as const)
        : (['train', 'validation'] as const);
    // an evaluation that goes through no batches has measures of its own, and no loss
    const own = { train: names, validation: validation === undefined ? names : Object.keys(validation) };
    const columns = parts.flatMap((part) => own[part].map((name) => ({ part, name })));
    const titles = parts
      .filter((part) => own[part].length > 0)
      .map((part, i) => {
        const width = own[part].reduce((sum, name) => sum + cell(name), 0);
        return (part === 'train' ? 'training' : 'validation').padStart(width + (i > 0 ? 3 : 0));
      });
    this.#terminal.line(style.dim(`  epoch${titles.join('')} ${'time'.padStart(9)}`));
    if (names.length > 1)
      this.#terminal.line(
        style.dim(`       ${columns.map(({ name }, i) => name.padStart(cell(name) + gap(columns, i))).join('')}`),
      );
    return columns;
  }
}

/** Space between the columns of training and those of validation. */
function gap(columns: readonly { readonly part: string }[], i: number): number {
  return i > 0 && columns[i].part !== columns[i - 1].part ? 3 : 0;
}

/** batchSize → batch size */
export function words(name: string): string {
  return name === 'lr' ? 'learning rate' : name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

/** For a program: every event but the single updates, with the run's folder in the first and the last. */
export class JsonView implements RunListener {
  readonly #terminal: Terminal;
  readonly #folder: string;

  constructor(terminal: Terminal, folder: string) {
    this.#terminal = terminal;
    this.#folder = folder;
  }

  onEvent(event: RunEvent): void {
    if (event.event === 'step') return;
    const isEdge = event.event === 'start' || event.event === 'end';
    this.#terminal.line(formatJson(isEdge ? { ...event, folder: this.#folder } : event));
  }
}
