// A run in TensorBoard: each event as scalars and texts at its step.

import { type OptionNames, checkOptions } from '../../tensor/library.js';
import { filePath } from '../../io/path.js';
import type { EpochEvent, LayersEvent, RunEvent, RunListener, StartEvent } from '../record.js';
import type { HyperParameter } from './messages.js';
import { SummaryWriter, type SummaryWriterOptions } from './summary-writer.js';

export interface TensorBoardOptions extends Omit<SummaryWriterOptions, 'purgeStep'> {
  /** Write every so many steps; losses in between are left out. Default 1. */
  readonly every?: number;
}

const TENSOR_BOARD_OPTIONS: OptionNames<TensorBoardOptions> = {
  every: true,
  flushSeconds: true,
  filenameSuffix: true,
  now: true,
};

/**
 * Writes curves of loss, metrics, learning rate, gradients and speed, statistics of layers, notices and hyper-parameters
 * into a folder for `tensorboard --logdir`. A resumed run goes on in the same folder. Use `writer` for what is your own.
 */
export class TensorBoardLogger implements RunListener {
  readonly logDir: string;
  private readonly folder: string;
  private readonly options: TensorBoardOptions;
  private open: SummaryWriter | undefined;
  private config: Readonly<Record<string, HyperParameter>> = {};
  private hasSession = false;

  constructor(logDir: string, options: TensorBoardOptions = {}) {
    checkOptions(new.target.name, options, TENSOR_BOARD_OPTIONS);
    this.logDir = logDir;
    this.folder = filePath(logDir, 'TensorBoardLogger');
    this.options = options;
  }

  /** Where the events go; made with the first of them. */
  get writer(): SummaryWriter {
    const { every: _, ...options } = this.options;
    return (this.open ??= new SummaryWriter(this.folder, options));
  }

  onEvent(event: RunEvent): void {
    switch (event.event) {
      case 'start':
        return this.start(event);
      case 'step': {
        if (event.step % (this.options.every ?? 1) !== 0) return;
        this.writer.addScalar('step/loss', event.loss, event.step);
        this.writer.addScalar('step/lr', event.lr, event.step);
        if (event.gradNorm !== undefined) this.writer.addScalar('step/gradNorm', event.gradNorm, event.step);
        return;
      }
      case 'epoch':
        return this.epoch(event);
      case 'layers':
        return this.layers(event);
      case 'check':
        return this.writer.addText(`check/${event.name}`, `${event.passed ? 'passed' : '**failed**'}: ${event.text}`);
      case 'notice':
        return this.writer.addText(`notice/${event.code}`, event.text, event.step);
      case 'end':
        for (const [name, value] of Object.entries(event.test ?? {}))
          this.writer.addScalar(`${name}/test`, value, event.step);
        if (this.hasSession) this.writer.endSession(event.reason === 'failed' ? 'failed' : 'completed');
    }
  }

  private start({ config, facts, resumedFrom }: StartEvent): void {
    this.config = flatten({ ...config, optimizer: config.optimizer ?? facts.optimizer });
    if (resumedFrom !== undefined) {
      this.open ??= new SummaryWriter(this.logDir, { ...this.options, purgeStep: resumedFrom + 1 });
    }
    const text = JSON.stringify({ config, facts: { ...facts, layers: undefined } }, null, 2);
    this.writer.addText('config', text.replaceAll(/^/gm, '    '), resumedFrom ?? 0);
  }

  private epoch({ step, train, validation = {}, lr, seconds, samplesPerSecond }: EpochEvent): void {
    if (!this.hasSession) {
      this.hasSession = true;
      const tags = (part: object, name: string) => Object.keys(part).map((key) => `${key}/${name}`);
      this.writer.startSession(this.config, [...tags(validation, 'validation'), ...tags(train, 'train')]);
    }
    for (const [name, value] of Object.entries(train)) this.writer.addScalar(`${name}/train`, value, step);
    for (const [name, value] of Object.entries(validation)) this.writer.addScalar(`${name}/validation`, value, step);
    this.writer.addScalar('epoch/lr', lr, step);
    this.writer.addScalar('epoch/seconds', seconds, step);
    this.writer.addScalar('epoch/samplesPerSecond', samplesPerSecond, step);
  }

  private layers({ step, layers, parameters }: LayersEvent): void {
    for (const { name, kind: _, ...numbers } of layers)
      for (const [key, value] of Object.entries(numbers)) this.writer.addScalar(`output.${key}/${name}`, value, step);
    for (const { name, shape: _, ...numbers } of parameters)
      for (const [key, value] of Object.entries(numbers))
        this.writer.addScalar(`parameter.${key}/${name}`, value, step);
  }

  async close(): Promise<void> {
    await this.open?.close();
  }
}

/** Nested settings as `a.b`; lists and the like as JSON; what is undefined or null is left out. */
function flatten(config: Readonly<Record<string, unknown>>, prefix = ''): Record<string, HyperParameter> {
  const flat: Record<string, HyperParameter> = {};
  for (const [key, value] of Object.entries(config)) {
    const name = `${prefix}${key}`;
    if (value === undefined || value === null) continue;
    if (typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean') flat[name] = value;
    else if (Array.isArray(value)) flat[name] = JSON.stringify(value);
    else Object.assign(flat, flatten(value as Record<string, unknown>, `${name}.`));
  }
  return flat;
}
