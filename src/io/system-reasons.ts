// What a system refuses, by its code, in the words of a person.

import { NablaError } from '../tensor/library.js';

export const SYSTEM_REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  ENOTDIR: 'a part of the path is a file, not a folder',
  EISDIR: 'it is a folder',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ELOOP: 'its links lead in a circle',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota of the disk is used up',
};

/** What the system refuses, in a sentence; with the system's code, which callers go by. Other errors are as they were. */
export function refusal(op: string, what: string, error: unknown): unknown {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  if (error instanceof NablaError || typeof code !== 'string' || !(code in SYSTEM_REASONS)) return error;
  return Object.assign(new NablaError(`${op}: ${what} (${SYSTEM_REASONS[code]}).`, { cause: error }), { code });
}
