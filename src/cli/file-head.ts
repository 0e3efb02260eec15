// The beginning of a file, by which a command tells what it is.

import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { isSafetensors } from '../io/file-kind.js';
import { CliError, fileFault } from './errors.js';

/** By its name; or it begins with the version of the format, a field of a small number, and goes on with a text. */
export function isOnnx(head: Uint8Array, path: string): boolean {
  if (/\.onnx$/i.test(path)) return true;
  const begins = head[0] === 0x08 && head[1] > 0 && head[1] < 32 && (head[2] === 0x12 || head[2] === 0x3a);
  return begins && !isSafetensors(head);
}

const HEAD_BYTES = 512;

/** The first bytes of a plain file; none of a folder. Throws CliError where there is neither. */
export function headOf(path: string): Uint8Array {
  try {
    const found = statSync(path);
    // A pipe would be waited for, and what is read of it is gone.
    if (!found.isFile() && !found.isDirectory()) throw new CliError(`cannot read ${path}: it is not a plain file.`);
    if (found.isDirectory()) return new Uint8Array(0);
    const file = openSync(path, 'r');
    try {
      const bytes = new Uint8Array(HEAD_BYTES);
      return bytes.subarray(0, readSync(file, bytes));
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw error instanceof CliError ? error : fileFault('read', path, error);
  }
}
