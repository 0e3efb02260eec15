// What a user can get wrong at the command line. main.ts prints the message as one line and ends with `exitCode`.

import { isAbsolute } from 'node:path';
import { SYSTEM_REASONS } from '../io/system-reasons.js';

export class CliError extends Error {
  override name = 'CliError';
  readonly exitCode: number = 2;
}

/** The user's Ctrl-C (or a SIGTERM): not a fault; the message says how to go on. */
export class Interrupted extends CliError {
  override name = 'Interrupted';
  override readonly exitCode: number;
  constructor(message: string, signal: 'SIGINT' | 'SIGTERM') {
    super(message);
    this.exitCode = signal === 'SIGINT' ? 130 : 143;
  }
}

function isWorkingDirectoryGone(): boolean {
  try {
    process.cwd();
    return false;
  } catch {
    return true;
  }
}

/** What the system refuses, in the words of a person; undefined for anything else. */
export function systemFault(error: unknown): string | undefined {
  const { code, syscall, path } = (error ?? {}) as Partial<NodeJS.ErrnoException>;
  if (!(error instanceof Error) || typeof code !== 'string' || typeof syscall !== 'string') return undefined;
  if (syscall === 'uv_cwd') return 'the working directory does not exist any more. Change to another one.';
  const action = ACTIONS[syscall] ?? 'use';
  return fileFault(action, typeof path === 'string' ? path : 'a file', error).message;
}

const ACTIONS: Readonly<Record<string, string>> = {
  write: 'write',
  fsync: 'write',
  rename: 'write',
  ftruncate: 'write',
  read: 'read',
  mkdir: 'create',
  open: 'open',
  scandir: 'read',
};

/** What went wrong with a file, in the words of a person: `cannot read x.csv: there is no such file`. */
export function fileFault(action: string, path: string, error: unknown): CliError {
  const code = (error as { code?: unknown } | null)?.code;
  const reasons: Record<string, string> = {
    ...SYSTEM_REASONS,
    EFBIG: 'the file would be larger than the system allows',
    EEXIST: 'a file of that name is in the way',
    EPIPE: 'whoever reads it has closed it',
    EIO: 'the device fails',
    EMFILE: 'too many files are open',
    ENFILE: 'too many files are open',
    ENAMETOOLONG: 'the name is too long',
    ENXIO: 'there is no such device',
    EBUSY: 'it is in use',
  };
  if (code === 'ENOENT' && !isAbsolute(path) && isWorkingDirectoryGone())
    return new CliError(
      `cannot ${action} ${path}: the working directory does not exist any more. Change to another one.`,
    );
  const reason =
    typeof code === 'string' ? (reasons[code] ?? code) : error instanceof Error ? error.message : String(error);
  return new CliError(`cannot ${action} ${path}: ${reason}.`);
}
