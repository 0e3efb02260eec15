// Run folders as the command line sees them: making a new one, finding the latest, and what a path stands for. What lies in
// them is the business of src/train/node/run-folder.ts.

import { existsSync, mkdirSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { RunFolder } from '../train/node/run-folder.js';
import { CliError, fileFault } from './errors.js';

export const RUNS = 'runs';

/** A folder for a new run: the one asked for, which must be empty or not exist, or runs/<name>-<date>-<time>. */
export function createRunFolder(asked: string | undefined, name: string, now = new Date()): RunFolder {
  const path = asked ?? freeRunPath(name, now);
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw fileFault('create the run folder', path, error);
  }
  const content = readdirSync(path);
  if (content.includes('config.json')) {
    throw new CliError(`${path} holds a run already. Choose another --out, or go on with --resume ${path}.`);
  }
  if (content.length > 0) throw new CliError(`${path} is not empty. Choose another --out.`);
  return new RunFolder(path);
}

/** runs/<name>-<date>-<time>, which does not exist. */
export function freeRunPath(name: string, now = new Date()): string {
  return freeName(join(RUNS, `${name}-${timestamp(now)}`));
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
export function latestRun(root = RUNS): RunFolder {
  const runs = existsSync(root) ? readdirSync(root).map((name) => new RunFolder(join(root, name))) : [];
  const trained = runs.filter((folder) => existsSync(folder.weights));
  if (trained.length === 0) {
    throw new CliError(
      `there are no weights below ${root}/ yet. Train first (nabla train digits), or name a run with --weights.`,
    );
  }
  const time = (folder: RunFolder) => statSync(folder.weights).mtimeMs;
  return trained.reduce((a, b) => (time(b) >= time(a) ? b : a));
}

export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw fileFault('read', path, error);
  }
}

/** The weights that a path stands for, and the run they belong to: a run folder (its last weights), or a file in one. */
export function weightsAt(path: string): { readonly folder: RunFolder; readonly weights: string } {
  let isFolder: boolean;
  try {
    isFolder = statSync(path).isDirectory();
  } catch (error) {
    throw fileFault('read', path, error);
  }
  const folder = new RunFolder(isFolder ? path : dirname(path));
  if (!isFolder) return { folder, weights: path };
  if (!existsSync(folder.weights))
    throw new CliError(`${path} holds no weights.safetensors yet: no epoch of this run is finished.`);
  return { folder, weights: folder.weights };
}
