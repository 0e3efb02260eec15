// A file of Node as a source of bytes. It is opened for each stretch, so nothing has to be closed by whoever holds the source.
// Node's modules are asked for at run time, so that a bundler for browsers finds nothing to resolve.

import { NablaError } from '../../tensor/library.js';
import { type ByteSource, changedMeanwhile } from '../byte-source.js';
import { SYSTEM_REASONS } from '../system-reasons.js';

const { open, readdir, stat } = process.getBuiltinModule('node:fs/promises');
const { dirname, join } = process.getBuiltinModule('node:path');
const { fileURLToPath } = process.getBuiltinModule('node:url');

/** `absolute` is where it is, `name` what the user called it. Throws NablaError where there is no such file. */
export async function fileSource(absolute: string, name: string, call: string): Promise<ByteSource> {
  const found = await stat(absolute).catch((error: unknown) => {
    throw unreadable(call, name, error);
  });
  if (!found.isFile()) throw new NablaError(`${call}: ${name} is ${found.isDirectory() ? 'a folder' : 'no file'}.`);
  return {
    name,
    size: found.size,
    async read(begin, end) {
      const bytes = new Uint8Array(end - begin);
      const file = await open(absolute, 'r').catch((error: unknown) => {
        throw unreadable(call, name, error);
      });
      try {
        for (let done = 0; done < bytes.length;) {
          // The system reads less than 2 GiB at once.
          const { bytesRead } = await file.read(bytes, done, Math.min(bytes.length - done, 1 << 30), begin + done);
          if (bytesRead === 0) throw changedMeanwhile(name, begin + done);
          done += bytesRead;
        }
      } finally {
        await file.close();
      }
      return bytes;
    },
  };
}

/** Names of the files in a folder, sorted; undefined if the path is none. */
export async function listFolder(absolute: string, name: string, call: string): Promise<string[] | undefined> {
  const found = await stat(absolute).catch((error: unknown) => {
    throw unreadable(call, name, error);
  });
  return found.isDirectory() ? (await readdir(absolute)).toSorted() : undefined;
}

export const joinPath = (folder: string, name: string): string => join(folder, name);
export const folderOf = (path: string): string => dirname(path);

/** The path that a text or a file: URL names. */
export const pathOf = (text: string): string => (text.startsWith('file:') ? fileURLToPath(text) : text);

/** What the system refuses, in a sentence; with the system's code, which callers go by. */
export function unreadable(call: string, name: string, cause: unknown): Error {
  const { code, message } = cause as NodeJS.ErrnoException;
  const reason = SYSTEM_REASONS[code ?? ''] ?? message;
  return Object.assign(new NablaError(`${call}: ${name} cannot be read (${reason}).`, { cause }), { code });
}
