// A run folder: config.json (settings), metrics.jsonl (a line an epoch), weights.safetensors (the model),
// state.safetensors (model, optimiser and position, for resuming). Every file is written whole or not at all.

import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '../io/node/index.js';
import { decodeSafetensors, encodeSafetensors, fromSafetensors, toSafetensors, type RawTensor } from '../io/index.js';
import type { AnyTensor } from '../index.js';
import { UsageError } from './arguments.js';

export interface RunConfig {
  readonly task: 'digits';
  readonly epochs: number;
  readonly lr: number;
  readonly batchSize: number;
  readonly seed: number;
}

/** Where a run stands after a whole number of epochs. */
export interface RunPosition {
  readonly epoch: number;
  readonly step: number;
  readonly random: { readonly seed: number; readonly draws: number };
}

type State = Readonly<Record<string, AnyTensor>>;

export class RunFolder {
  readonly path: string;
  constructor(path: string) {
    this.path = path;
  }

  private file(name: string): string {
    return join(this.path, name);
  }

  /** A folder for a new run, which must not hold one already. */
  static create(path: string | undefined): RunFolder {
    const folder = new RunFolder(
      path ?? join('runs', `digits-${new Date().toISOString().slice(0, 19).replace(/[:T]/g, '-')}`),
    );
    if (existsSync(folder.file('config.json')))
      throw new UsageError(
        `${folder.path} holds a run already. Choose another --out, or go on with --resume ${folder.path}.`,
      );
    return folder;
  }

  writeConfig(config: RunConfig): void {
    this.write('config.json', `${JSON.stringify(config, undefined, 2)}\n`);
  }

  private write(name: string, contents: string | Uint8Array): void {
    try {
      writeFileAtomic(this.file(name), contents);
    } catch (error) {
      throw new UsageError(`${this.file(name)} cannot be written: ${(error as Error).message}.`);
    }
  }

  readConfig(): RunConfig {
    let config: unknown;
    try {
      config = JSON.parse(readFileSync(this.file('config.json'), 'utf8'));
    } catch (error) {
      throw new UsageError(
        `${this.path} is not a run folder: config.json cannot be read (${(error as Error).message}).`,
      );
    }
    const c = config as Partial<Record<keyof RunConfig, unknown>>;
    const valid =
      c?.task === 'digits' &&
      [c.epochs, c.lr, c.batchSize, c.seed].every((n) => typeof n === 'number' && Number.isFinite(n));
    if (!valid) throw new UsageError(`${this.file('config.json')} is not the configuration of a digits run.`);
    return config as RunConfig;
  }

  writeMetrics(lines: readonly object[]): void {
    this.write('metrics.jsonl', lines.map((l) => `${JSON.stringify(l)}\n`).join(''));
  }

  readMetrics(): object[] {
    if (!existsSync(this.file('metrics.jsonl'))) return [];
    return readFileSync(this.file('metrics.jsonl'), 'utf8')
      .split('\n')
      .filter((l) => l !== '')
      .map((l) => JSON.parse(l) as object);
  }

  /** Model and optimiser after an epoch: one file to resume from, one with the weights alone. */
  async writeState(model: State, optimizer: State, position: RunPosition, optimizerStep: number): Promise<void> {
    const weights = await toSafetensors(model);
    const all = new Map<string, RawTensor>();
    for (const [name, raw] of decodeSafetensors(weights).tensors) all.set(`model.${name}`, raw);
    for (const [name, raw] of decodeSafetensors(await toSafetensors(optimizer)).tensors)
      all.set(`optimizer.${name}`, raw);
    const metadata = { position: JSON.stringify(position), optimizerStep: String(optimizerStep) };
    this.write('weights.safetensors', weights);
    this.write('state.safetensors', encodeSafetensors(all, metadata));
  }

  readState(): { model: State; optimizer: State; position: RunPosition; optimizerStep: number } | undefined {
    const path = this.file('state.safetensors');
    if (!existsSync(path)) return undefined;
    const bytes = readFileSync(path);
    const { metadata } = decodeSafetensors(bytes, path);
    const model: Record<string, AnyTensor> = {};
    const optimizer: Record<string, AnyTensor> = {};
    for (const [name, t] of Object.entries(fromSafetensors(bytes, path))) {
      if (name.startsWith('model.')) model[name.slice('model.'.length)] = t;
      else optimizer[name.slice('optimizer.'.length)] = t;
    }
    return {
      model,
      optimizer,
      position: JSON.parse(metadata.position) as RunPosition,
      optimizerStep: Number(metadata.optimizerStep),
    };
  }
}

/** The weights that a path means: a file, a run folder, or without a path the latest run's. */
export function findWeights(path: string | undefined): string {
  if (path !== undefined) {
    const isFolder = existsSync(path) && statSync(path).isDirectory();
    const file = isFolder ? join(path, 'weights.safetensors') : path;
    if (!existsSync(file)) throw new UsageError(`${file} does not exist. Train first with: nabla train digits.`);
    return file;
  }
  const runs = existsSync('runs') ? readdirSync('runs').map((name) => join('runs', name, 'weights.safetensors')) : [];
  const newest = runs.filter((f) => existsSync(f)).sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)[0];
  if (newest === undefined)
    throw new UsageError('there are no weights in runs/. Train first with: nabla train digits, or give --weights.');
  return newest;
}
