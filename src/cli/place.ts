// Where in the user's own files an error comes from: the first call on the stack that is neither nabla's, nor the host's, nor a
// package's. Calls from presets have no such place.

import { existsSync, realpathSync } from 'node:fs';
import { dirname, isAbsolute, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const FRAME = /^\s*at (?:async )?(?:[^()]+ \()?((?:file:\/\/|\/|[A-Za-z]:\\).*):(\d+):(\d+)\)?$/;
/** Calls of nabla that may lie between the user's and the error. */
const DEEPEST = 100;
const OWN = dirname(dirname(fileURLToPath(import.meta.url))) + sep;

/** Stacks reach back to the user's call, and say where it is in the file as it was written, types and all. */
export function tracePlaces(): void {
  Error.stackTraceLimit = Math.max(Error.stackTraceLimit, DEEPEST);
  // Not in every host: others map by themselves.
  (process as Partial<Pick<NodeJS.Process, 'setSourceMapsEnabled'>>).setSourceMapsEnabled?.(true);
}

/** `run.ts:22:7`, from the working directory where the file lies below it; undefined if no call is the user's. */
export function placeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || typeof error.stack !== 'string') return undefined;
  const calls = error.stack.startsWith(String(error)) ? error.stack.slice(String(error).length) : error.stack;
  for (const line of calls.split('\n')) {
    const [, address, row, column] = FRAME.exec(line) ?? [];
    const path = address === undefined ? undefined : pathOf(address);
    if (path !== undefined) return `${fromHere(path)}:${row}:${column}`;
  }
  return undefined;
}

/** The path of a file of the user's. */
function pathOf(address: string): string | undefined {
  const path = address.startsWith('file://') ? fileURLToPath(address) : address;
  if (!isAbsolute(path) || path.startsWith(OWN) || path.includes(`${sep}node_modules${sep}`)) return undefined;
  return existsSync(path) ? path : undefined;
}

function fromHere(path: string): string {
  const short = relative(realpathSync(process.cwd()), path);
  return short.startsWith('..') ? path : short;
}
