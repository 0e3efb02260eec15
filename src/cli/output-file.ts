// Files that a command makes for its user: whole or not at all, and what is in the way is said in one line.

import { NablaError } from '../index.js';
import { type Content, writeFileAtomic } from '../io/node/files.js';
import { CliError, fileFault } from './errors.js';

/** Throws CliError where the file cannot be written. */
export async function writeOutput(path: string, content: Content): Promise<void> {
  try {
    await writeFileAtomic(path, content);
  } catch (error) {
    throw error instanceof NablaError ? new CliError(error.message) : fileFault('write', path, error);
  }
}
