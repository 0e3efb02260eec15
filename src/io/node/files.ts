// Files in Node. Writing is all or nothing: a temporary file beside the target is written, flushed to the disk and renamed.
// Node's modules are asked for at run time, so that a bundler for browsers finds nothing to resolve.

import type * as FileSystem from 'node:fs/promises';
import type * as Path from 'node:path';
import { NablaError } from '../../tensor/library.js';

function builtin<Module>(name: string): Module {
  const host = globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } };
  const found = host.process?.getBuiltinModule?.(name);
  if (found === undefined) throw new NablaError('files: there is no file system here. Use parseSafetensors on bytes.');
  return found as Module;
}

export async function readFileBytes(path: string): Promise<Uint8Array> {
  const { readFile } = builtin<typeof FileSystem>('node:fs/promises');
  return readFile(path);
}

let temporaryFiles = 0;

/** Replaces the file at `path` as a whole: after an interruption it holds either the old or the new content. */
export async function writeFileAtomic(path: string, content: Uint8Array | string): Promise<void> {
  const { open, rename, rm } = builtin<typeof FileSystem>('node:fs/promises');
  const { basename, dirname, join } = builtin<typeof Path>('node:path');
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${process.pid}-${temporaryFiles++}.tmp`);
  try {
    const file = await open(temporary, 'wx');
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(folder, open);
}

/** Flushes the renaming itself; some systems do not allow it, and then the file is merely not yet certain. */
async function syncFolder(folder: string, open: typeof FileSystem.open): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch {
    // Windows
  }
}
