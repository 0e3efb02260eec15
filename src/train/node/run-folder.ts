// The folder of one run. What it holds:
//   config.json             what was asked for
//   metrics.jsonl           the record: one event a line (see record.ts), each epoch once
//   checkpoint.safetensors  weights, optimiser, counters, random state: all that resuming needs, in one file
//   weights.safetensors     the model after the last finished epoch (averaged weights, where they are averaged)
//   best.safetensors        the model after the best epoch
// Files are replaced as a whole; only the record grows. It is flushed before each checkpoint, and what it holds beyond
// the checkpoint is cut off when a run is resumed: the checkpoint is what counts.
// Must not know: how anything is trained.

import { appendFile, mkdir, open, readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../../io/node/files.js';
import { type LoadedTensors, type NamedTensors, loadSafetensors, saveSafetensors } from '../../io/state-dict.js';
import { ArgumentError, FormatError } from '../../tensor/library.js';
import { type RunEvent, type RunListener, formatEvent, formatJson, parseEvent, parseJson } from '../record.js';
import { type TrainerState, checkProgress } from '../state.js';

/** The record is written this often even where no checkpoint asks for it, so that it can be watched. */
const WRITE_EVERY_MS = 1000;

const FORMAT = 'nabla';

export class RunFolder implements RunListener {
  readonly path: string;
  private waiting = '';
  private written = 0;

  constructor(path: string) {
    this.path = path;
  }

  get config(): string {
    return join(this.path, 'config.json');
  }

  get record(): string {
    return join(this.path, 'metrics.jsonl');
  }

  get checkpoint(): string {
    return join(this.path, 'checkpoint.safetensors');
  }

  get weights(): string {
    return join(this.path, 'weights.safetensors');
  }

  get best(): string {
    return join(this.path, 'best.safetensors');
  }

  /** Makes the folder for a new run. Throws ArgumentError if a run is there already. */
  async begin(config: Readonly<Record<string, unknown>>): Promise<void> {
    await mkdir(this.path, { recursive: true });
    const content = await readdir(this.path);
    if (content.includes('config.json') || content.includes('checkpoint.safetensors')) {
      throw new ArgumentError(
        `Trainer: ${this.path} holds a run already. Choose another folder, or go on with trainer.resume('${this.path}').`,
      );
    }
    await writeFileAtomic(this.config, `${JSON.stringify(config, null, 2)}\n`);
  }

  /** The events written down so far; a line that was cut off by a crash ends them. */
  async readRecord(): Promise<RunEvent[]> {
    return await readRecordFile(this.record);
  }

  /** Makes the record end where the checkpoint is, and removes what a killed process left half done. */
  async goOn(step: number, epoch: number): Promise<void> {
    for (const name of await readdir(this.path)) {
      if (name.startsWith('.') && name.endsWith('.tmp')) await rm(join(this.path, name), { force: true });
    }
    const kept = (await this.readRecord()).filter((event) => isUpTo(event, step, epoch));
    await writeFileAtomic(this.record, kept.map((event) => `${formatEvent(event)}\n`).join(''));
  }

  /** Writes the event down; a resumed run goes on in the record that it has. */
  async onEvent(event: RunEvent): Promise<void> {
    if (event.event === 'start' && event.resumedFrom !== undefined) return;
    this.waiting += `${formatEvent(event)}\n`;
    if (event.event === 'end') await this.flush();
    else if (event.event !== 'step' || performance.now() - this.written > WRITE_EVERY_MS) await this.write();
  }

  async close(): Promise<void> {
    await this.write();
  }

  private async write(): Promise<void> {
    if (this.waiting === '') return;
    this.written = performance.now();
    const text = this.waiting;
    this.waiting = '';
    await appendFile(this.record, text);
  }

  /** Brings the record to the disk. */
  private async flush(): Promise<void> {
    await this.write();
    const file = await open(this.record, 'a');
    try {
      await file.sync();
    } finally {
      await file.close();
    }
  }

  async saveCheckpoint({ tensors, progress }: TrainerState): Promise<void> {
    await this.flush();
    await saveSafetensors(this.checkpoint, tensors, { format: FORMAT, progress: formatJson(progress) });
  }

  /** undefined where none has been written yet. Throws FormatError for a file that is damaged or something else. */
  async loadCheckpoint(): Promise<TrainerState | undefined> {
    let loaded: LoadedTensors;
    try {
      loaded = await loadSafetensors(this.checkpoint);
    } catch (error) {
      if ((error as { code?: unknown } | null)?.code !== 'ENOENT') throw error;
      await readdir(this.path); // a folder that is not there is an error
      return undefined;
    }
    let progress: unknown;
    try {
      progress = parseJson(loaded.metadata.progress ?? 'null');
      checkProgress(progress);
    } catch {
      throw new FormatError(
        `checkpoint: ${this.checkpoint} is not a checkpoint of a run: it does not say how far the run has come.`,
        this.checkpoint,
        8,
      );
    }
    return { tensors: loaded.tensors, progress };
  }

  /** The model alone, under PyTorch's keys. */
  async saveWeights(path: string, tensors: NamedTensors, epoch: number): Promise<void> {
    await saveSafetensors(path, tensors, { format: FORMAT, epoch: `${epoch}` });
  }

  async loadWeights(path: string): Promise<LoadedTensors['tensors']> {
    return (await loadSafetensors(path)).tensors;
  }
}

/** The events of a record file; [] if there is none. */
export async function readRecordFile(path: string): Promise<RunEvent[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as { code?: unknown } | null)?.code === 'ENOENT') return [];
    throw error;
  }
  const events: RunEvent[] = [];
  for (const line of text.split('\n')) {
    const event = parseEvent(line);
    if (event === undefined) break;
    events.push(event);
  }
  return events;
}

/** Whether an event belongs to the run up to a checkpoint after update `step`; of a run that starts over nothing is kept. */
function isUpTo(event: RunEvent, step: number, epoch: number): boolean {
  if (event.event === 'end' || step === 0) return false;
  if (event.event === 'epoch') return event.epoch <= epoch;
  return !('step' in event) || event.step <= step;
}
