// The run folder of a trainer, from its options or from `resume`. Process 0 reads and writes it, and tells the others what
// it has read: the folder may be on its machine alone. Node only, which is why the folder itself is loaded when it is needed.

import { filePath } from '../io/path.js';
import { NablaError } from '../tensor/library.js';
import type { RunFolder } from './node/run-folder.js';
import type { TrainerOptions } from './options.js';
import { ALONE, type NamedTensors, type Ranks } from './ranks.js';
import { type RunEvent, formatJson, parseJson } from './record.js';
import type { TrainerState } from './state.js';

export class RunFiles {
  private readonly options: Pick<TrainerOptions, 'folder' | 'config' | 'epochs'>;
  /** Where a new run is written, by its path from the root. */
  private readonly path: string | undefined;
  /** Open while the run is under way, on process 0. */
  private open: RunFolder | undefined;
  /** The folder that the run goes on in: what `resume` has read, or what an earlier `fit` has written. */
  private before: RunFolder | undefined;
  private hasFolder = false;
  /** Epochs that the run that goes on was planned for. */
  private planned: number | undefined;
  /** Who trains together. */
  ranks: Ranks = ALONE;

  constructor(options: Pick<TrainerOptions, 'folder' | 'config' | 'epochs'>) {
    this.options = options;
    this.path = options.folder === undefined ? undefined : filePath(options.folder, 'Trainer');
  }

  /** Whether the run is written down; the same on all processes, once it has begun. */
  get isWritten(): boolean {
    return this.hasFolder;
  }

  /**
   * Hands the last checkpoint in a folder to `restore`, and the way to the best weights; the run goes on in that folder. There is
   * no call where there is no checkpoint yet.
   */
  async resume(
    path: string,
    absolute: string,
    restore: (state: TrainerState, readBest: () => Promise<NamedTensors | undefined>) => Promise<void>,
  ): Promise<void> {
    const { RunFolder } = await import('./node/run-folder.js');
    const folder = new RunFolder(path, absolute);
    const state = await told(this.ranks, () => folder.loadCheckpoint());
    const readBest = async () => {
      const read = async () => ({ tensors: await folder.loadWeights('best'), progress: null });
      return (await told(this.ranks, read))?.tensors;
    };
    if (state !== undefined) await restore(state, readBest);
    this.before = folder;
    this.hasFolder = true;
  }

  /** Opens the folder of a run that is at an update and an epoch: that of before, or a new one. */
  async begin(step: number, epoch: number): Promise<void> {
    const { folder, config, epochs } = this.options;
    if (this.hasFolder) {
      if (this.ranks.rank === 0) {
        this.planned = await this.before?.goOn(step, epoch, { epochs, config });
        this.open = this.before;
      }
      this.planned = this.ranks.tell(this.planned) ?? undefined;
    } else if (folder !== undefined) {
      await this.create(folder, config);
      this.hasFolder = true;
    }
  }

  private async create(folder: string, config: TrainerOptions['config'] = {}): Promise<void> {
    if (this.ranks.rank !== 0) return;
    const { RunFolder } = await import('./node/run-folder.js');
    const created = new RunFolder(folder, this.path);
    await created.begin(config);
    this.open = created;
  }

  /** Epochs that the run was planned for, if it goes on; known once. */
  takePlanned(): number | undefined {
    const { planned } = this;
    this.planned = undefined;
    return planned;
  }

  async onEvent(event: RunEvent): Promise<void> {
    await this.open?.onEvent(event);
  }

  async saveWeights(which: 'weights' | 'best', tensors: NamedTensors, epoch: number): Promise<void> {
    await this.open?.saveWeights(which, tensors, epoch);
  }

  async saveCheckpoint(state: TrainerState): Promise<void> {
    await this.open?.saveCheckpoint(state);
  }

  async close(): Promise<void> {
    const { open } = this;
    this.before = open ?? this.before;
    this.open = undefined;
    await open?.close();
  }
}

/** What process 0 has read, on all of them. What it cannot read is an error on all. */
async function told<P>(
  ranks: Ranks,
  read: () => Promise<{ readonly tensors: NamedTensors; readonly progress: P } | undefined>,
): Promise<{ readonly tensors: NamedTensors; readonly progress: P } | undefined> {
  if (ranks.size === 1) return await read();
  let [found, failure]: [Awaited<ReturnType<typeof read>>, unknown] = [undefined, undefined];
  if (ranks.rank === 0) {
    try {
      found = await read();
    } catch (error) {
      failure = error;
    }
  }
  const text = failure === undefined ? undefined : String((failure as Error).message);
  const { error, progress } = parseJson(ranks.tell(formatJson({ error: text, progress: found?.progress }))) as {
    readonly error?: string;
    readonly progress?: P;
  };
  if (failure !== undefined) throw failure;
  if (error !== undefined) throw new NablaError(`process 0: ${error}`);
  if (progress === undefined) return undefined;
  return { tensors: await ranks.tellTensors(found?.tensors ?? {}), progress };
}
