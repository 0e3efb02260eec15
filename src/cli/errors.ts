// What a user can get wrong at the command line. main.ts prints the message as one line and ends with `exitCode`.

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

/** What went wrong with a file, in the words of a person: `cannot read x.csv: there is no such file`. */
export function fileFault(action: string, path: string, error: unknown): CliError {
  const code = (error as { code?: unknown } | null)?.code;
  const reasons: Record<string, string> = {
    ENOENT: 'there is no such file or folder',
    EISDIR: 'it is a folder',
    ENOTDIR: 'a part of the path is a file, not a folder',
    EACCES: 'permission denied',
    EPERM: 'permission denied',
    EROFS: 'the file system is read-only',
    ENOSPC: 'the disk is full',
    EEXIST: 'a file of that name is in the way',
  };
  const reason =
    typeof code === 'string' ? (reasons[code] ?? code) : error instanceof Error ? error.message : String(error);
  return new CliError(`cannot ${action} ${path}: ${reason}.`);
}
