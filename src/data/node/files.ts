// Data files in Node: reading, finding, and the folders where they are looked for.
// Node's modules are asked for at run time, so that a bundler for browsers finds nothing to resolve.

import { cacheFolder } from '../../io/node/cache-folder.js';
import { NablaError } from '../../tensor/library.js';

const { existsSync } = process.getBuiltinModule('node:fs');
const { readFile } = process.getBuiltinModule('node:fs/promises');
export const { join } = process.getBuiltinModule('node:path');
const { fileURLToPath } = process.getBuiltinModule('node:url');

/** The bytes of the file at a path or a file: URL. */
export async function readFileAt(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path.startsWith('file:') ? fileURLToPath(path) : path);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'there is no such file' : message;
    throw new NablaError(`read: ${path} cannot be read (${reason}).`, { cause });
  }
}

/** The folders in which the files of data set `name` may lie, the first one first. */
export function foldersOf(name: string, folder: string | undefined): string[] {
  if (folder !== undefined) return [folder];
  const data = process.env['NABLA_DATA'];
  return [...(data ? [join(data, name), data] : []), join(cacheFolder('data'), name)];
}

/** The first of `names` that lies in `folder`. */
export function findIn(folder: string, names: readonly string[]): string | undefined {
  return names.map((name) => join(folder, name)).find((path) => existsSync(path));
}
