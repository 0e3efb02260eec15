// The file in which a search keeps its trials: search.jsonl, one line each, appended and flushed as they end. The first
// line says which search it is. One process at a time has it. Node only.
// Node's modules are asked for at run time, so that a bundler for browsers finds nothing to resolve.

import { writeFileAtomic } from '../../io/node/files.js';
import { FormatError } from '../../tensor/library.js';
import { appendWhole } from './append-whole.js';
import { FolderLock } from './folder-lock.js';

const { mkdir, readFile } = process.getBuiltinModule('node:fs/promises');
const { join, resolve } = process.getBuiltinModule('node:path');

export interface TrialFile {
  readonly path: string;
  /** What was there, the first line included. */
  readonly lines: readonly string[];
  append(line: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens the file in `folder`, or begins one with `header`. A last line that was cut off is taken away. Throws NablaError while
 * another search writes to the folder, FormatError for a file that is something else.
 */
export async function openTrialFile(folder: string, header: string): Promise<TrialFile> {
  const absolute = resolve(folder);
  await mkdir(absolute, { recursive: true });
  const path = join(absolute, 'search.jsonl');
  const name = `search: ${folder}`;
  const lock = await FolderLock.take(absolute, name);
  try {
    const lines = await readLines(path, header);
    const append = async (line: string): Promise<void> => {
      await lock.check(name);
      await appendWhole(path, `${line}\n`, true);
    };
    return { path, lines, append, close: () => lock.release() };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function readLines(path: string, header: string): Promise<string[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  if (whole === '') {
    // A header that was cut off is one that was being written; anything else without a line end is somebody's own.
    if (!`${header}\n`.startsWith(text))
      throw new FormatError(`search: ${path} is no file of trials. Choose another folder.`, path, 0);
    await writeFileAtomic(path, `${header}\n`);
    return [header];
  }
  if (whole !== text && !isTrial(whole.slice(0, whole.indexOf('\n'))))
    throw new FormatError(`search: ${path} is no file of trials. Choose another folder.`, path, 0);
  if (whole !== text) await writeFileAtomic(path, whole);
  return whole.split('\n').slice(0, -1);
}

/** Whether a first line is that of a search. */
function isTrial(line: string): boolean {
  try {
    return (JSON.parse(line) as { study?: unknown } | null)?.study === 'nabla';
  } catch {
    return false;
  }
}
