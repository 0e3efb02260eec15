// Writes TensorBoard event files: scalars, histograms, images, text, the graph of a model, hyper-parameters. The names are
// those of PyTorch's SummaryWriter. Records are queued until the file is open, then go through a bounded buffer.
// Must not know: training.

import { filePath } from '../../io/path.js';
import type { Module } from '../../nn/module.js';
import {
  ArgumentError,
  checkOptions,
  formatShape,
  type OptionNames,
  ShapeError,
  checkHas,
  checkNumbers,
  checkText,
  wrongKind,
} from '../../tensor/library.js';
import { type AnyTensor, Tensor } from '../../tensor/tensor.js';
import { histogramOf } from './histogram.js';
import {
  type HyperParameter,
  experimentValue,
  graphDef,
  graphEvent,
  histogramValue,
  imageValue,
  restartEvent,
  scalarValue,
  sessionEndValue,
  sessionStartValue,
  summaryEvent,
  textValue,
  versionEvent,
} from './messages.js';
import { traceModel } from './model-graph.js';
import type { Message } from '../../io/formats/protobuf.js';
import { frameRecord } from './tf-record.js';
import { isFloat32Array } from '../../tensor/typed-arrays.js';

export interface SummaryWriterOptions {
  /** After so many seconds the next record takes the waiting ones with it to the file. Default 2. */
  readonly flushSeconds?: number;
  /** End of the file's name. */
  readonly filenameSuffix?: string;
  /** A resumed run: what an earlier file holds for this step and later ones is void. */
  readonly purgeStep?: number;
  /** Seconds since 1970. */
  readonly now?: () => number;
}

const SUMMARY_WRITER_OPTIONS: OptionNames<SummaryWriterOptions> = {
  flushSeconds: true,
  filenameSuffix: true,
  purgeStep: true,
  now: true,
};

/** Numbers in 0 … 1 (float) or 0 … 255 (bytes) of shape [channels, height, width] with 1, 3 or 4 channels. */
export type Picture =
  | AnyTensor
  | {
      readonly data: Uint8Array | Uint8ClampedArray | Float32Array;
      readonly shape: readonly [channels: number, height: number, width: number];
    };

interface Sink {
  append(record: Uint8Array): void;
  flush(): void;
  close(): void;
}

/**
 * Event files in a folder, for `tensorboard --logdir`. Needs a file system. PyTorch: torch.utils.tensorboard.SummaryWriter.
 *
 *     const writer = new SummaryWriter('runs/first');
 *     writer.addScalar('loss/train', 0.7, step);
 *     await writer.addHistogram('fc.weight', model.fc.weight, step);
 *     await writer.close();
 */
export class SummaryWriter {
  readonly logDir: string;
  private readonly folder: string;
  private readonly options: SummaryWriterOptions;
  private readonly now: () => number;
  private sink: Sink | undefined;
  private readonly opened: Promise<void>;
  private waiting: Uint8Array[] = [];
  private isClosed = false;
  /** Folders below this one, for curves of one chart and for hyper-parameters. */
  private readonly children = new Map<string, SummaryWriter>();

  constructor(logDir: string, options: SummaryWriterOptions = {}) {
    checkOptions(new.target.name, options, SUMMARY_WRITER_OPTIONS);
    if (logDir === '') throw new ArgumentError('SummaryWriter: the folder has no name.');
    this.logDir = logDir;
    this.folder = filePath(logDir, 'SummaryWriter');
    this.options = options;
    this.now = options.now ?? (() => Date.now() / 1000);
    this.write(versionEvent(this.now()));
    if (options.purgeStep !== undefined) this.write(restartEvent(this.now(), options.purgeStep));
    this.opened = this.open();
    this.opened.catch(() => {}); // flush() and close() throw it
  }

  private async open(): Promise<void> {
    const { createEventFile } = await import('../node/append-file.js');
    this.sink = createEventFile(this.folder, this.options.filenameSuffix ?? '', this.options.flushSeconds);
    for (const record of this.waiting) this.sink.append(record);
    this.waiting = [];
  }

  private write(event: Uint8Array): void {
    if (this.isClosed) throw new ArgumentError('SummaryWriter: it is closed. Make another one for the same folder.');
    const record = frameRecord(event);
    if (this.sink === undefined) this.waiting.push(record);
    else this.sink.append(record);
  }

  private add(step: number, tag: string, ...values: Message[]): void {
    checkText('SummaryWriter', 'the tag', tag);
    if (typeof step !== 'number')
      throw wrongKind('SummaryWriter', `step of '${tag}'`, step, 'Use a whole number from 0 on');
    if (!Number.isSafeInteger(step) || step < 0)
      throw new ArgumentError(`SummaryWriter: step of '${tag}' is ${step}. Use a whole number from 0 on.`);
    if (tag === '') throw new ArgumentError('SummaryWriter: the tag is empty.');
    this.write(summaryEvent(this.now(), step, values));
  }

  /** A point of a curve. Tags with the same part before the first slash appear together. NaN and infinity are shown as such. */
  addScalar(tag: string, value: number, step = 0): void {
    checkText('addScalar', 'the tag', tag);
    if (typeof value !== 'number')
      throw wrongKind('addScalar', `the value of '${tag}'`, value, 'Give a number, such as await loss.item()');
    this.add(step, tag, scalarValue(tag, value));
  }

  /** Points of several curves of one chart, each in a folder of its own as PyTorch does it. */
  addScalars(mainTag: string, values: Readonly<Record<string, number>>, step = 0): void {
    for (const [name, value] of Object.entries(values)) {
      this.child(`${mainTag}_${name}`.replaceAll(/[/\\]/g, '_')).addScalar(mainTag, value, step);
    }
  }

  /** How the finite values are distributed; nothing is written where there are none. */
  async addHistogram(tag: string, values: AnyTensor | ArrayLike<number>, step = 0): Promise<void> {
    checkText('addHistogram', 'the tag', tag);
    if (!(values instanceof Tensor)) checkNumbers('addHistogram', 'the values', values);
    const numbers = values instanceof Tensor ? await values.data() : (values as ArrayLike<number>);
    const histogram = histogramOf(numbers);
    if (histogram !== undefined) this.add(step, tag, histogramValue(tag, histogram));
  }

  /** A picture, one without a batch dimension. Throws ShapeError otherwise. */
  async addImage(tag: string, image: Picture, step = 0): Promise<void> {
    checkText('addImage', 'the tag', tag);
    checkHas('addImage', 'the image', image, ['shape'], 'Give a tensor, or { data, shape }');
    const { shape } = image;
    const data = image instanceof Tensor ? await image.data() : (image as { data: Uint8Array | Float32Array }).data;
    if (shape.length !== 3 || ![1, 3, 4].includes(shape[0])) {
      throw new ShapeError(
        `addImage: ${formatShape(shape)} is not [channels, height, width] with 1, 3 or 4 channels. Take one image of a batch with index(0).`,
        [shape],
      );
    }
    const isShare = isFloat32Array(data) || (image instanceof Tensor && image.dtype === 'bool');
    const bytes = Uint8ClampedArray.from(data as ArrayLike<number>, (v) => (isShare ? 255 * v : v));
    const { encodePng } = await import('../../io/png.js');
    const sizes = shape as readonly [number, number, number];
    this.add(step, tag, imageValue(tag, encodePng({ data: bytes, shape: sizes }), sizes));
  }

  /** A text in Markdown. */
  addText(tag: string, text: string, step = 0): void {
    checkText('addText', 'the tag', tag);
    checkText('addText', 'the text', text);
    this.add(step, tag, textValue(tag, text));
  }

  /** The graph of a forward pass in evaluation mode, with a box for each module. */
  addGraph(model: Module, ...inputs: AnyTensor[]): void {
    if (inputs.length === 0) throw new ArgumentError('addGraph: there is no input. Give the arguments of forward.');
    this.write(graphEvent(this.now(), graphDef(traceModel(model, inputs))));
  }

  /**
   * Hyper-parameters and the results they led to, in a folder of their own (named by the time unless `runName` is given),
   * so that runs below one folder can be compared.
   */
  addHparams(
    hparams: Readonly<Record<string, HyperParameter>>,
    metrics: Readonly<Record<string, number>>,
    options: { readonly runName?: string; readonly step?: number } = {},
  ): void {
    checkOptions('addHparams', options, { runName: true, step: true });
    const { runName = String(this.now()), step = 0 } = options;
    const writer = this.child(runName);
    writer.startSession(hparams, Object.keys(metrics));
    writer.endSession('completed');
    for (const [tag, value] of Object.entries(metrics)) writer.addScalar(tag, value, step);
  }

  /** Hyper-parameters of this folder's own run, at its begin; results are the scalars of the given tags. */
  startSession(hparams: Readonly<Record<string, HyperParameter>>, metrics: readonly string[]): void {
    for (const [name, value] of Object.entries(hparams)) {
      if (['number', 'string', 'boolean'].includes(typeof value)) continue;
      throw new ArgumentError(
        `SummaryWriter: hyper-parameter ${name} is a ${typeof value}. Use numbers, strings and booleans.`,
      );
    }
    this.add(0, 'hparams', experimentValue(hparams, metrics), sessionStartValue(hparams, this.now()));
  }

  endSession(status: 'completed' | 'failed'): void {
    this.add(0, 'hparams', sessionEndValue(status, this.now()));
  }

  /** Waits until everything is on the disk. Throws what went wrong with the file. */
  async flush(): Promise<void> {
    await this.opened;
    this.sink?.flush();
    for (const child of this.children.values()) await child.flush();
  }

  async close(): Promise<void> {
    this.isClosed = true;
    await this.opened;
    this.sink?.close();
    for (const child of this.children.values()) await child.close();
  }

  private child(name: string): SummaryWriter {
    let writer = this.children.get(name);
    if (writer === undefined) {
      writer = new SummaryWriter(`${this.folder}/${name}`, this.options);
      this.children.set(name, writer);
    }
    return writer;
  }
}
