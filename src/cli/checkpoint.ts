// Weights and checkpoints of a run as safetensors files. A checkpoint is one file, so that model, optimiser and counters
// are always of the same epoch.

import { FormatError } from '../index.js';
import { loadSafetensors, saveSafetensors } from '../io/index.js';
import type { LoadedTensors, NamedTensors } from '../io/index.js';
import type { StateDict } from '../nn/index.js';
import type { TrainerState } from './digits/trainer.js';
import { CliError, fileFault } from './errors.js';

const FORMAT = { format: 'nabla', task: 'digits' };

/** The model alone, under PyTorch's keys. */
export async function saveWeights(
  path: string,
  weights: NamedTensors,
  metadata: Readonly<Record<string, string>>,
): Promise<void> {
  await save(path, weights, metadata);
}

/** Fills a model, or says why the file does not fit it. */
export async function loadWeights(path: string, model: { loadStateDict(state: StateDict): unknown }): Promise<void> {
  const { tensors } = await load(path);
  try {
    model.loadStateDict(tensors);
  } catch (error) {
    throw new CliError(`${path} does not hold the weights of the digits network: ${oneLine(error)}`);
  }
}

export async function saveCheckpoint(path: string, { tensors, progress }: TrainerState): Promise<void> {
  await save(path, tensors, { progress: JSON.stringify(progress) });
}

/** Puts a trainer where the file says, or says why that cannot be. */
export async function loadCheckpoint(path: string, trainer: { restore(state: TrainerState): void }): Promise<void> {
  const { tensors, metadata } = await load(path);
  const fault = (reason: string) => new CliError(`${path} is not a checkpoint of this digits run: ${reason}`);
  const progress = readProgress(metadata.progress);
  if (progress === undefined) throw fault('it does not say how far the run has come.');
  try {
    trainer.restore({ tensors, progress });
  } catch (error) {
    throw fault(oneLine(error));
  }
}

function readProgress(text = 'null'): TrainerState['progress'] | undefined {
  try {
    const progress = JSON.parse(text) as TrainerState['progress'];
    const counts = [progress.epoch, progress.step, progress.random.seed, progress.random.draws];
    return counts.every((n) => Number.isSafeInteger(n) && n >= 0) ? progress : undefined;
  } catch {
    return undefined;
  }
}

async function save(path: string, tensors: NamedTensors, metadata: Readonly<Record<string, string>>): Promise<void> {
  try {
    await saveSafetensors(path, tensors, { ...FORMAT, ...metadata });
  } catch (error) {
    if (isFileError(error)) throw fileFault('write', path, error);
    throw error;
  }
}

async function load(path: string): Promise<LoadedTensors> {
  try {
    return await loadSafetensors(path);
  } catch (error) {
    if (isFileError(error)) throw fileFault('read', path, error);
    if (error instanceof FormatError) throw new CliError(oneLine(error));
    throw error;
  }
}

function isFileError(error: unknown): boolean {
  return typeof (error as { code?: unknown } | null)?.code === 'string';
}

function oneLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replaceAll(/\s*\n\s*/g, ' ');
}
