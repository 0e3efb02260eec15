// The folder of one run. What it holds:
//   config.json             what was asked for, and what it ran on
//   metrics.jsonl           one line per finished epoch; a last line with the test result once the run is complete
//   weights.safetensors     the model after the last finished epoch (PyTorch's keys)
//   checkpoint.safetensors  the same plus optimiser state, epoch and random state: what --resume needs
// Every file is replaced as a whole, so that an interruption at any moment leaves a valid folder. The checkpoint is the
// one that counts: metrics beyond its epoch are dropped on resuming.

import { existsSync, mkdirSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '../io/node/files.js';
import { CliError, fileFault } from './errors.js';

export const RUNS = 'runs';

export interface EpochMetrics {
  readonly epoch: number;
  readonly trainLoss: number;
  readonly trainAccuracy: number;
  readonly validationLoss: number;
  readonly validationAccuracy: number;
  /** At the end of the epoch. */
  readonly lr: number;
  readonly seconds: number;
  readonly samplesPerSecond: number;
}

export interface RunFiles {
  readonly folder: string;
  readonly config: string;
  readonly metrics: string;
  readonly weights: string;
  readonly checkpoint: string;
}

export function filesOf(folder: string): RunFiles {
  return {
    folder,
    config: join(folder, 'config.json'),
    metrics: join(folder, 'metrics.jsonl'),
    weights: join(folder, 'weights.safetensors'),
    checkpoint: join(folder, 'checkpoint.safetensors'),
  };
}

/** A new folder for a run: the one asked for, which must be empty or not exist, or runs/<name>-<date>-<time>. */
export function createRunFolder(asked: string | undefined, name: string, now = new Date()): RunFiles {
  const folder = asked ?? freeName(join(RUNS, `${name}-${timestamp(now)}`));
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw fileFault('create the run folder', folder, error);
  }
  const content = readdirSync(folder);
  if (content.includes('config.json')) {
    throw new CliError(`${folder} holds a run already. Choose another --out, or go on with --resume ${folder}.`);
  }
  if (content.length > 0) throw new CliError(`${folder} is not empty. Choose another --out.`);
  return filesOf(folder);
}

function freeName(wanted: string): string {
  let name = wanted;
  for (let i = 2; existsSync(name); i++) name = `${wanted}-${i}`;
  return name;
}

function timestamp(now: Date): string {
  const two = (n: number) => String(n).padStart(2, '0');
  const day = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`;
  return `${day}-${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
}

/** The folder below runs/ whose weights are the newest. */
export function latestRun(root = RUNS): RunFiles {
  const runs = existsSync(root) ? readdirSync(root).map((name) => filesOf(join(root, name))) : [];
  const trained = runs.filter((files) => existsSync(files.weights));
  if (trained.length === 0) {
    throw new CliError(
      `there are no weights below ${root}/ yet. Train first (nabla train digits), or name a file with --weights.`,
    );
  }
  const time = (files: RunFiles) => statSync(files.weights).mtimeMs;
  return trained.reduce((a, b) => (time(b) >= time(a) ? b : a));
}

export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw fileFault('read', path, error);
  }
}

/** The epochs recorded so far, up to `last`. A line that is cut off or foreign ends the reading. */
export function readMetrics(path: string, last: number): EpochMetrics[] {
  const epochs: EpochMetrics[] = [];
  if (!existsSync(path)) return epochs;
  for (const line of readText(path).split('\n')) {
    let entry: Partial<EpochMetrics>;
    try {
      entry = JSON.parse(line) as Partial<EpochMetrics>;
    } catch {
      break;
    }
    if (entry.epoch !== epochs.length + 1 || epochs.length >= last) break;
    epochs.push(entry as EpochMetrics);
  }
  return epochs;
}

/** What is written beside the epochs: the last line of a complete run. */
export interface TestMetrics {
  readonly testLoss: number;
  readonly testAccuracy: number;
}

export function writeMetrics(path: string, entries: readonly (EpochMetrics | TestMetrics)[]): Promise<void> {
  return writeWhole(path, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
}

export function writeJson(path: string, content: object): Promise<void> {
  return writeWhole(path, `${JSON.stringify(content, null, 2)}\n`);
}

async function writeWhole(path: string, content: string): Promise<void> {
  try {
    await writeFileAtomic(path, content);
  } catch (error) {
    throw fileFault('write', path, error);
  }
}

/** The weights that a path stands for: the file itself, or those of a run folder. */
export function weightsAt(path: string): string {
  let isFolder: boolean;
  try {
    isFolder = statSync(path).isDirectory();
  } catch (error) {
    throw fileFault('read', path, error);
  }
  if (!isFolder) return path;
  const { weights } = filesOf(path);
  if (!existsSync(weights))
    throw new CliError(`${path} holds no weights.safetensors yet: no epoch of this run is finished.`);
  return weights;
}
