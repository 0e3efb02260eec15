// `nabla inspect`: what is in a file. By its first bytes or its name the row of a table is chosen, and that row's module shows it.

import { openSync, readSync, closeSync, statSync } from 'node:fs';
import { isSafetensors } from '../../io/file-kind.js';
import { CliError, fileFault } from '../errors.js';
import { type Terminal, terminalOf } from '../terminal.js';

export interface InspectOptions {
  readonly key?: string;
  readonly stats?: true;
  readonly json?: true;
}

export type Inspector = (path: string, options: InspectOptions, terminal: Terminal) => Promise<void>;

interface Row {
  /** The first bytes of a file (none of a folder), and its path. */
  readonly isIt: (head: Uint8Array, path: string) => boolean;
  readonly load: () => Promise<Inspector>;
}

/** The first row that fits counts; the last one fits everything, and says what is not read. */
const ROWS: readonly Row[] = [
  { isIt: isOnnx, load: async () => (await import('../inspect/onnx.js')).inspectOnnxFile },
  { isIt: () => true, load: async () => (await import('../inspect/tensors.js')).inspectTensors },
];

/** By its name; or it begins with the version of the format, a field of a small number, and goes on with a text. */
function isOnnx(head: Uint8Array, path: string): boolean {
  if (/\.onnx$/i.test(path)) return true;
  const begins = head[0] === 0x08 && head[1] > 0 && head[1] < 32 && (head[2] === 0x12 || head[2] === 0x3a);
  return begins && !isSafetensors(head);
}

const HEAD_BYTES = 512;

export async function inspect(path: string, options: InspectOptions): Promise<void> {
  const head = headOf(path);
  const row = ROWS.find(({ isIt }) => isIt(head, path))!;
  const show = await row.load();
  await show(path, options, terminalOf(process.stdout));
}

function headOf(path: string): Uint8Array {
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
