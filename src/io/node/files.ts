// Files in Node. Writing is all or nothing: a temporary file beside the target is written, flushed to the disk and renamed.
// Only plain files are replaced, and they keep their mode and owner; a link stays and what it points to is replaced.
// Node's modules are asked for at run time, so that a bundler for browsers finds nothing to resolve.

import type * as Crypto from 'node:crypto';
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

/** What the writer calls its temporary files; whoever cleans up after a crash removes nothing else. */
export const TEMPORARY = /^\.nabla-\d+-[0-9a-f]{8}\.tmp$/;

let temporaryFiles = 0;

/** Short, so that it fits where the target's own name is as long as names may be; the random part is for shared folders. */
function temporaryName(): string {
  const random = builtin<typeof Crypto>('node:crypto').randomBytes(2).toString('hex');
  return `.nabla-${process.pid}-${(temporaryFiles++ & 0xffff).toString(16).padStart(4, '0')}${random}.tmp`;
}

/** What is written: all of it, or piece by piece as it is made. */
export type Content = Uint8Array | string | AsyncIterable<Uint8Array>;

/** The last write to each file: later ones wait for it, so that the file ends as the last call says. */
const writes = new Map<string, Promise<void>>();

/**
 * Replaces the file at `path` as a whole: after an interruption it holds either the old or the new content. The path is
 * resolved when this is called. Throws NablaError where something other than a plain file, or one that is read-only, is in
 * the way, and Node's error where the system refuses.
 */
export function writeFileAtomic(path: string, content: Content): Promise<void> {
  const { resolve } = builtin<typeof Path>('node:path');
  let absolute: string;
  try {
    absolute = resolve(path);
  } catch (error) {
    return Promise.reject(error as Error); // the working directory is gone
  }
  const before = writes.get(absolute) ?? Promise.resolve();
  const writing = before.catch(() => {}).then(() => replace(path, absolute, content)); // `before` has told its own caller
  writes.set(absolute, writing);
  const forget = (): void => {
    if (writes.get(absolute) === writing) writes.delete(absolute);
  };
  writing.then(forget, forget);
  return writing;
}

async function replace(path: string, absolute: string, content: Content): Promise<void> {
  const { chmod, chown, open, rename, rm } = builtin<typeof FileSystem>('node:fs/promises');
  const { dirname, join } = builtin<typeof Path>('node:path');
  const target = await followLinks(path, absolute);
  const replaced = await checkReplaceable(path, target);
  const folder = dirname(target);
  const temporary = join(folder, temporaryName());
  try {
    const file = await open(temporary, 'wx', replaced === undefined ? 0o666 : replaced.mode & 0o777);
    try {
      if (typeof content === 'string' || ArrayBuffer.isView(content)) await file.writeFile(content);
      else for await (const part of content) await file.writeFile(part); // from where the last one ended
      await file.sync();
    } finally {
      await file.close();
    }
    if (replaced !== undefined) {
      if (replaced.uid !== process.getuid?.() || replaced.gid !== process.getgid?.()) {
        // Only the administrator may give files away: where the group cannot be kept, the file is ours from now on.
        await chown(temporary, replaced.uid, replaced.gid).catch(() => {});
      }
      await chmod(temporary, replaced.mode & 0o777); // whatever the umask has taken away
    }
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(folder, open);
}

const MOST_LINKS = 40; // as Linux

/** Where a write to `path` arrives: links are followed, also one that points to nothing yet. */
async function followLinks(path: string, absolute: string): Promise<string> {
  const { readlink, realpath } = builtin<typeof FileSystem>('node:fs/promises');
  const { basename, dirname, join, resolve } = builtin<typeof Path>('node:path');
  let at = absolute;
  for (let links = 0; links < MOST_LINKS; links++) {
    const target = await readlink(at).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'EINVAL' || error.code === 'ENOENT' || error.code === 'UNKNOWN') return undefined; // no link
      throw error;
    });
    if (target === undefined) return at;
    // A relative target counts from the folder that the link really lies in.
    at = resolve(join(await realpath(dirname(at)), basename(at)), '..', target);
  }
  throw new NablaError(`write: ${path} is a circle of links. Remove it, or choose another path.`);
}

/** The plain file that is to be replaced; undefined if there is none. */
async function checkReplaceable(
  path: string,
  target: string,
): Promise<{ mode: number; uid: number; gid: number } | undefined> {
  const { access, constants, stat } = builtin<typeof FileSystem>('node:fs/promises');
  const found = await stat(target).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (found === undefined) return undefined;
  const refuse = (what: string): never => {
    throw new NablaError(`write: ${path} is ${what}, which is not replaced. Choose another path.`);
  };
  if (found.isDirectory()) refuse('a folder');
  if (!found.isFile()) refuse('a device, a pipe or a socket');
  // The mode counts for the administrator, too, whom the system would let write.
  if ((found.mode & 0o222) === 0) refuse('read-only');
  await access(target, constants.W_OK).catch(() => refuse('read-only'));
  return found;
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
