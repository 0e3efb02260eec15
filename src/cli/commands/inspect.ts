// `nabla inspect`: what is in a file. By its first bytes or its name the row of a table is chosen, and that row's module shows it.

import { headOf, isOnnx } from '../file-head.js';
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

export async function inspect(path: string, options: InspectOptions): Promise<void> {
  const head = headOf(path);
  const row = ROWS.find(({ isIt }) => isIt(head, path))!;
  const show = await row.load();
  await show(path, options, terminalOf(process.stdout));
}
