// The file in which a search keeps its trials: search.jsonl, one line each, appended and flushed as they end. The first
// line says which search it is. Node only.

import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../../io/node/files.js';

export interface TrialFile {
  readonly path: string;
  /** What was there, the first line included. */
  readonly lines: readonly string[];
  append(line: string): Promise<void>;
}

/** Opens the file in `folder`, or begins one with `header`. A last line that was cut off is taken away. */
export async function openTrialFile(folder: string, header: string): Promise<TrialFile> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, 'search.jsonl');
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  if (whole === '') await writeFileAtomic(path, `${header}\n`);
  else if (whole !== text) await writeFileAtomic(path, whole);
  const lines = whole === '' ? [header] : whole.split('\n').slice(0, -1);
  return { path, lines, append: (line) => appendFile(path, `${line}\n`, { flush: true }) };
}
