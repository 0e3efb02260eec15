// Run folders as the command line sees them: making a new one, finding the latest, and what a path stands for. What lies in
// them is the business of src/train/node/run-folder.ts.

import { existsSync, mkdirSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { TEMPORARY } from '../io/node/files.js';
import { isOfLock } from '../train/node/folder-lock.js';
import { RunFolder } from '../train/node/run-folder.js';
import { CliError, fileFault } from './errors.js';

export const RUNS = 'runs';

/** A folder for a new run: the one asked for, which must be empty or not exist, or runs/<name>-<date>-<time>. */
export function createRunFolder(asked: string | undefined, name: string, now = new Date()): RunFolder {
  const path = asked === undefined ? createFreeFolder(name, now) : createFolder(asked, 'create the run folder');
  const content = readdirSync(path).filter((file) => !isOfLock(file) && !TEMPORARY.test(file)); // of one that was killed
  if (content.includes('config.json')) {
    throw new CliError(`${path} holds a run already. Choose another --out, or go on with --resume ${path}.`);
  }
  if (content.length > 0) throw new CliError(`${path} is not empty. Choose another --out.`);
  return new RunFolder(path);
}

/** Makes a folder, with those above it. */
export function createFolder(path: string, action: string): string {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw fileFault(action, path, error);
  }
  return path;
}

/** Makes runs/<name>-<date>-<time>, which nobody else has, also where several commands begin in the same second. */
export function createFreeFolder(name: string, now = new Date()): string {
  createFolder(RUNS, 'create the folder');
  const wanted = join(RUNS, `${name}-${timestamp(now)}`);
  for (let i = 1; ; i++) {
    const path = i === 1 ? wanted : `${wanted}-${i}`;
    try {
      mkdirSync(path);
      return path;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw fileFault('create the folder', path, error);
    }
  }
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

/** Whether it is a folder that nabla train has made: one with the configuration of a run. */
export function isRunFolder(path: string): boolean {
  const { config } = new RunFolder(path);
  if (!existsSync(config)) return false;
  try {
    const content: unknown = JSON.parse(readFileSync(config, 'utf8'));
    return typeof content === 'object' && content !== null && 'run' in content && 'settings' in content;
  } catch {
    return false; // whoever uses it as one will say what is wrong with it
  }
}
