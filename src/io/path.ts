// Paths that stay what they were when the caller gave them, wherever the process goes meanwhile. Works without Node, where
// there are no paths to resolve.

import { ArgumentError, wrongKind } from '../tensor/library.js';

/** `path` as an absolute path of the working directory of now; as it is where there is no Node. */
export function absolutePath(path: string, call = 'path'): string {
  checkPath(call, path);
  const host = globalThis as { process?: NodeJS.Process };
  if (host.process?.versions?.node === undefined) return path;
  return host.process.getBuiltinModule('node:path').resolve(path);
}

/** The same for what is written to: throws ArgumentError, which names the call, where there are no files. */
export function filePath(path: string, call: string): string {
  checkPath(call, path);
  checkFiles(call, `'${path}'`);
  return absolutePath(path, call);
}

function checkPath(call: string, path: unknown): void {
  if (typeof path !== 'string') throw wrongKind(call, 'the path', path, 'Give a text');
}

/** Throws ArgumentError where there are no files: in a browser. */
export function checkFiles(call: string, what: string): void {
  const host = globalThis as { process?: NodeJS.Process };
  if (host.process?.versions?.node !== undefined) return;
  throw new ArgumentError(
    `${call}: there are no files here, so ${what} cannot be used. Leave it out, or run it in Node.`,
  );
}
