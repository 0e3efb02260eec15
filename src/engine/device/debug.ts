// What NABLA_DEBUG makes the engine say, on standard error: 1 devices and what they fall back to, 2 also each program with
// its kernels and each run with its time, 3 also the kernels' code, 4 also each compiler pass, whose result is verified.
// Reads the environment where there is one; in a browser `globalThis.NABLA_DEBUG` does the same.

import { ArgumentError } from '../ir/errors.js';

interface Host {
  readonly NABLA_DEBUG?: unknown;
  readonly process?: { readonly env?: Readonly<Record<string, string | undefined>> };
}

const LEVELS = /^[0-4]$/;
/** The last text that was looked at: it is asked for at every run of a program. */
let lastText = '';
let lastLevel = 0;

/** Throws ArgumentError for a text that is no level. */
export function debugLevel(): number {
  const host = globalThis as Host;
  const text = String(host.process?.env?.NABLA_DEBUG ?? host.NABLA_DEBUG ?? '');
  if (text === lastText) return lastLevel;
  if (text !== '' && !LEVELS.test(text)) {
    throw new ArgumentError(`debug: '${text}' is no level. Set NABLA_DEBUG to 0, 1, 2, 3 or 4, or leave it unset.`);
  }
  [lastText, lastLevel] = [text, Number(text)];
  return lastLevel;
}

/** One line, or several, if the level asks for them; `text` is only called then. */
export function debug(level: number, text: () => string): void {
  if (debugLevel() >= level) console.error(text().replace(/^/gm, 'nabla: '));
}
