// `nabla convert`: tensors of one file in another format. They go through memory one at a time, and the new file is there whole
// or not at all.

import type { FloatDType } from '../../index.js';
import type { StoredTensor } from '../../io/index.js';
import { STORED_DTYPES } from '../../io/stored-dtype.js';
import type { TensorFile } from '../../io/tensor-file.js';
import { statesOf } from '../../io/weights/find-state.js';
import { renameBy, renameKeys } from '../../io/weights/key-map.js';
import { type NewTensor, type TensorFormat, npzParts, planTensors, safetensorsParts } from '../../io/write-tensors.js';
import type { Rename } from '../arguments.js';
import { CliError } from '../errors.js';
import { openForCommand, tensorsBelow, userFault } from '../inspect/tensors.js';
import { writeOutput } from '../output-file.js';
import { printable, printableData } from '../printable.js';
import { bytes, terminalOf } from '../terminal.js';

interface Options {
  readonly key?: string;
  readonly map?: readonly Rename[];
  readonly dtype?: FloatDType;
  readonly json?: true;
}

export async function convert(from: string, to: string, { key, map = [], dtype, json }: Options): Promise<void> {
  const format = formatOf(to);
  const file = await openForCommand(from);
  const chosen = choose(file, from, key);
  const names = Object.fromEntries(map.map(({ from: old, to: name }) => [old, name]));
  const { entries } = await userFault(() =>
    renameKeys('convert', chosen.tensors, new Set(chosen.tensors.keys()), '', renameBy('convert', names)),
  );
  if (entries.size === 0) throw new CliError(`${from} has no tensors.`);
  const plan = await userFault(() => planTensors(format, entries, dtype));
  const metadata = file.kind === 'safetensors' ? file.metadata : { format: 'pt' };
  await writeOutput(to, format === 'npz' ? npzParts(plan) : safetensorsParts(plan, metadata));
  const terminal = terminalOf(process.stdout);
  const changed = changes(plan);
  if (json) {
    const record = { out: to, format, tensors: plan.length, key: chosen.key, converted: Object.fromEntries(changed) };
    terminal.line(JSON.stringify(printableData(record)));
    return;
  }
  const size = plan.reduce((sum, { tensor, dtype: name }) => sum + tensor.size * STORED_DTYPES[name].bytes, 0);
  const below = chosen.key === '' ? '' : ` below ${printable(chosen.key)}`;
  const detail = changed.length === 0 ? '' : `; ${changed.map(([what, count]) => `${count} × ${what}`).join(', ')}`;
  terminal.line(
    `${printable(to)}: ${plan.length} tensor${plan.length === 1 ? '' : 's'}${below}, ${bytes(size)}${detail}`,
  );
}

function formatOf(path: string): TensorFormat {
  if (path.endsWith('.safetensors')) return 'safetensors';
  if (path.endsWith('.npz')) return 'npz';
  throw new CliError(`cannot write ${path}: its format is not known. Use a name that ends in .safetensors or .npz.`);
}

/** What is below the key; without one the state dict of a checkpoint, and all tensors of anything else. */
function choose(
  file: TensorFile,
  path: string,
  key: string | undefined,
): { readonly key: string; readonly tensors: ReadonlyMap<string, StoredTensor> } {
  if (key !== undefined) return { key, tensors: tensorsBelow(file, path, key) };
  if (file.torch === undefined) return { key: '', tensors: file.tensors };
  return statesOf(file.torch)[0] ?? { key: '', tensors: file.tensors };
}

/** 'float32 → float16', and of how many tensors. */
function changes(plan: readonly NewTensor[]): [what: string, count: number][] {
  const counts = new Map<string, number>();
  for (const { tensor, dtype } of plan) {
    if (tensor.dtype === dtype) continue;
    const what = `${tensor.dtype} → ${dtype}`;
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  return [...counts];
}
