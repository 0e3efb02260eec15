// The folder of one run. What it holds:
//   config.json             what was asked for
//   metrics.jsonl           the record: one event a line (see record.ts), each epoch once
//   checkpoint.safetensors  weights, optimiser, counters, random state: all that resuming needs, in one file
//   weights.safetensors     the model after the last finished epoch (averaged weights, where they are averaged)
//   best.safetensors        the model after the best epoch
//   lock                    who is writing, while somebody is (see folder-lock.ts)
// Files are replaced as a whole; only the record grows. It is flushed before each checkpoint, and what it holds beyond
// the checkpoint is cut off when a run is resumed: the checkpoint is what counts. Lines that cannot be read stay.
// Must not know: how anything is trained.
// Node's modules are asked for at run time, so that a bundler for browsers finds nothing to resolve.

import { TEMPORARY, writeFileAtomic } from '../../io/node/files.js';
import { type LoadedTensors, type NamedTensors, loadSafetensors, toSafetensors } from '../../io/state-dict.js';
import { ArgumentError, FormatError, NablaError } from '../../tensor/library.js';
import { type RunEvent, type RunListener, formatEvent, formatJson, parseEvent, parseJson } from '../record.js';
import { type TrainerState, checkProgress } from '../state.js';
import { appendWhole } from './append-whole.js';
import { FolderLock } from './folder-lock.js';

const { readFile, readdir, rm, stat } = process.getBuiltinModule('node:fs/promises');
const { join, resolve } = process.getBuiltinModule('node:path');

/** The record is written this often even where no checkpoint asks for it, so that it can be watched. */
const WRITE_EVERY_MS = 1000;

const FORMAT = 'nabla';

const NAMES = {
  config: 'config.json',
  record: 'metrics.jsonl',
  checkpoint: 'checkpoint.safetensors',
  weights: 'weights.safetensors',
  best: 'best.safetensors',
} as const;

/** What tells one state of a file from another; undefined where there is no file. */
type Version = string | undefined;

export class RunFolder implements RunListener {
  /** As it was given. */
  readonly path: string;
  private readonly absolute: string;
  private waiting = '';
  private written = 0;
  private writing: Promise<void> = Promise.resolve();
  private lock: FolderLock | undefined;
  /** Of the checkpoint that was loaded or saved last. */
  private seen: Version;
  /** Epochs that the run is written down to have. */
  private planned: number | undefined;

  /** `absolute` is where `path` is, however the working directory changes. */
  constructor(path: string, absolute = resolve(path)) {
    this.path = path;
    this.absolute = absolute;
  }

  // Paths for people; files are reached by `at`, wherever the process has gone.

  get config(): string {
    return join(this.path, NAMES.config);
  }

  get record(): string {
    return join(this.path, NAMES.record);
  }

  get checkpoint(): string {
    return join(this.path, NAMES.checkpoint);
  }

  get weights(): string {
    return join(this.path, NAMES.weights);
  }

  get best(): string {
    return join(this.path, NAMES.best);
  }

  private at(name: keyof typeof NAMES): string {
    return join(this.absolute, NAMES[name]);
  }

  /**
   * Makes the folder for a new run, and keeps others from writing to it until `close`. Throws ArgumentError if a run is there
   * already, NablaError if somebody is writing to it.
   */
  async begin(config: Readonly<Record<string, unknown>>): Promise<void> {
    const lock = await FolderLock.take(this.absolute, this.name);
    try {
      const content = await readdir(this.absolute);
      if (content.includes('config.json') || content.includes('checkpoint.safetensors')) {
        throw new ArgumentError(
          `Trainer: ${this.path} holds a run already. Choose another folder, or go on with trainer.resume('${this.path}').`,
        );
      }
      await writeFileAtomic(this.at('config'), `${JSON.stringify(config, null, 2)}\n`);
    } catch (error) {
      await lock.release();
      throw error;
    }
    this.lock = lock;
  }

  private get name(): string {
    return `Trainer: ${this.path}`;
  }

  /**
   * Makes the record end where the checkpoint is, removes what a killed process left half done, and keeps others from writing
   * to the folder until `close`. Throws NablaError if somebody is writing to it, or has since the checkpoint was loaded.
   * Where the run goes on to another number of epochs than it was planned for, `config` takes the place of the old one.
   * Gives the number of epochs that it was planned for.
   */
  async goOn(
    step: number,
    epoch: number,
    now: { readonly epochs?: number | undefined; readonly config?: Readonly<Record<string, unknown>> | undefined } = {},
  ): Promise<number | undefined> {
    const lock = await FolderLock.take(this.absolute, this.name);
    try {
      if ((await versionOf(this.at('checkpoint'))) !== this.seen) {
        throw new NablaError(
          `Trainer: the run in ${this.path} has gone on since its checkpoint was read. Call trainer.resume('${this.path}') again.`,
        );
      }
      if (this.seen === undefined) await this.checkUnstarted();
      for (const name of await readdir(this.absolute)) {
        if (TEMPORARY.test(name)) await rm(join(this.absolute, name), { force: true });
      }
      await this.cutRecord((event) => isUpTo(event, step, epoch));
      const { epochs, config } = now;
      if (config !== undefined && epochs !== undefined && (this.planned ?? epochs) !== epochs)
        await writeFileAtomic(this.at('config'), `${JSON.stringify(config, null, 2)}\n`);
    } catch (error) {
      await lock.release();
      throw error;
    }
    this.lock = lock;
    return this.planned;
  }

  /** Without a checkpoint a run starts over: not where the record says that there must have been one. */
  private async checkUnstarted(): Promise<void> {
    const { events } = await readRecordFile(this.at('record'));
    const epochs = events.filter((event) => event.event === 'epoch').length;
    if (epochs < 2) return; // the first checkpoint follows the first epoch
    throw new NablaError(
      `Trainer: ${this.path} has a record of ${epochs} epochs, and no checkpoint.safetensors to go on from. Put that back, or train in another folder.`,
    );
  }

  /** Leaves out events; whatever else is in the record stays as it is, but for a last line that was cut off. */
  private async cutRecord(isKept: (event: RunEvent) => boolean): Promise<void> {
    const lines = await readRecordLines(this.at('record'));
    this.planned = plannedEpochs(lines.flatMap(({ event }) => event ?? []));
    const kept = lines.filter(({ event, isWhole }) => (event === undefined ? isWhole : isKept(event)));
    if (kept.length === lines.length && kept.every(({ isWhole }) => isWhole)) return;
    const end = Uint8Array.of(LINE_END);
    await writeFileAtomic(this.at('record'), Buffer.concat(kept.flatMap(({ bytes }) => [bytes, end])));
  }

  /** Writes the event down; a resumed run goes on in the record that it has, unless it goes on to another end. */
  async onEvent(event: RunEvent): Promise<void> {
    if (event.event === 'start' && event.resumedFrom !== undefined && event.facts.epochs === this.planned) return;
    this.waiting += `${formatEvent(event)}\n`;
    if (event.event === 'end') await this.flush();
    else if (event.event !== 'step' || performance.now() - this.written > WRITE_EVERY_MS) await this.write();
  }

  /** Others may write to the folder from now on. */
  async close(): Promise<void> {
    try {
      await this.write();
    } finally {
      const { lock } = this;
      this.lock = undefined;
      await lock?.release();
    }
  }

  private write(isFlushed = false): Promise<void> {
    // One after the other: two at once would write the same events.
    const before = this.writing.catch(() => {}); // whoever asked for it has been told
    this.writing = before.then(() => this.append(isFlushed));
    return this.writing;
  }

  /** What cannot be written waits for the next time. */
  private async append(isFlushed: boolean): Promise<void> {
    const text = this.waiting;
    if (text === '' && !isFlushed) return;
    await this.lock?.check(this.name);
    await appendWhole(this.at('record'), text, isFlushed);
    this.written = performance.now();
    this.waiting = this.waiting.slice(text.length);
  }

  /** Brings the record to the disk. */
  private flush(): Promise<void> {
    return this.write(true);
  }

  /** With the numbers that the tensors have at the call. */
  async saveCheckpoint({ tensors, progress }: TrainerState): Promise<void> {
    const reading = toSafetensors(tensors, { format: FORMAT, progress: formatJson(progress) });
    const [content] = await Promise.all([reading, this.flush()]);
    await this.lock?.check(this.name);
    await writeFileAtomic(this.at('checkpoint'), content);
    this.seen = await versionOf(this.at('checkpoint'));
  }

  /** undefined where none has been written yet. Throws FormatError for a file that is damaged or something else. */
  async loadCheckpoint(): Promise<TrainerState | undefined> {
    let loaded: LoadedTensors;
    this.seen = await versionOf(this.at('checkpoint'));
    try {
      loaded = await loadSafetensors(this.at('checkpoint'));
    } catch (error) {
      if ((error as { code?: unknown } | null)?.code !== 'ENOENT') throw error;
      await readdir(this.absolute); // a folder that is not there is an error
      return undefined;
    }
    let progress: unknown;
    try {
      progress = parseJson(loaded.metadata.progress ?? 'null');
      checkProgress(progress);
    } catch (error) {
      const reason = error instanceof ArgumentError ? error.message.replace(/^Trainer: /, '') : String(error);
      throw new FormatError(
        `checkpoint: ${this.checkpoint} is not a checkpoint of a run (${reason}).`,
        this.checkpoint,
        8,
      );
    }
    return { tensors: loaded.tensors, progress };
  }

  /** The model alone, under PyTorch's keys. */
  async saveWeights(which: 'weights' | 'best', tensors: NamedTensors, epoch: number): Promise<void> {
    const content = toSafetensors(tensors, { format: FORMAT, epoch });
    await Promise.all([content, this.lock?.check(this.name)]);
    await writeFileAtomic(this.at(which), await content);
  }

  async loadWeights(which: 'weights' | 'best'): Promise<LoadedTensors['tensors']> {
    return (await loadSafetensors(this.at(which))).tensors;
  }
}

function plannedEpochs(events: readonly RunEvent[]): number | undefined {
  const start = events.findLast((event) => event.event === 'start');
  return start?.facts.epochs;
}

async function versionOf(path: string): Promise<Version> {
  try {
    const { ino, size, mtimeNs } = await stat(path, { bigint: true });
    return `${ino} ${size} ${mtimeNs}`;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

const LINE_END = 0x0a;

interface RecordLine {
  readonly bytes: Buffer;
  /** Whether its end is there. */
  readonly isWhole: boolean;
  /** undefined where it cannot be read. */
  readonly event: RunEvent | undefined;
}

async function readRecordLines(path: string): Promise<RecordLine[]> {
  let content: Buffer;
  try {
    content = await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  const lines: RecordLine[] = [];
  for (let at = 0; at < content.length;) {
    const found = content.indexOf(LINE_END, at);
    const end = found < 0 ? content.length : found;
    const bytes = content.subarray(at, end);
    lines.push({ bytes, isWhole: found >= 0, event: parseEvent(bytes.toString('utf8')) });
    at = end + 1;
  }
  return lines;
}

/** What a record file holds. */
export interface RunRecord {
  readonly events: RunEvent[];
  /** Numbers (from 1) of the lines that cannot be read; empty ones, and one that is being written, are not among them. */
  readonly damaged: readonly number[];
}

/** The events of a record file; none if there is no file. */
export async function readRecordFile(path: string): Promise<RunRecord> {
  const lines = await readRecordLines(path);
  const damaged = lines.flatMap(({ event, isWhole, bytes }, i) =>
    event === undefined && isWhole && bytes.toString('utf8').trim() !== '' ? [i + 1] : [],
  );
  return { events: lines.flatMap(({ event }) => (event === undefined ? [] : [event])), damaged };
}

/** Whether an event belongs to the run up to a checkpoint after update `step`; of a run that starts over nothing is kept. */
function isUpTo(event: RunEvent, step: number, epoch: number): boolean {
  if (event.event === 'end' || step === 0) return false;
  if (event.event === 'epoch') return event.epoch <= epoch;
  return !('step' in event) || event.step <= step;
}
