// `nabla convert`: tensors of one file in another format, or a network as an ONNX model. Tensors go through memory one at a time, and
// the new file is there whole or not at all.

import type { FloatDType } from '../../index.js';
import type { StoredTensor } from '../../io/index.js';
import { STORED_DTYPES } from '../../io/stored-dtype.js';
import type { TensorFile } from '../../io/tensor-file.js';
import { statesOf } from '../../io/weights/find-state.js';
import { renameBy, renameKeys } from '../../io/weights/key-map.js';
import {
  type NewTensor,
  type TensorFormat,
  npzParts,
  planTensors,
  ptParts,
  safetensorsParts,
} from '../../io/write-tensors.js';
import { onnxTensors } from '../../onnx/tensors.js';
import type { Rename } from '../arguments.js';
import { CliError } from '../errors.js';
import type { ExportOptions } from '../export-onnx.js';
import { headOf, isOnnx } from '../file-head.js';
import { openForCommand, tensorsBelow, userFault } from '../inspect/tensors.js';
import { writeOutput } from '../output-file.js';
import { printable, printableData } from '../printable.js';
import { isRunFolder, weightsAt } from '../run-folder.js';
import { bytes, terminalOf } from '../terminal.js';

export interface ConvertOptions extends ExportOptions {
  readonly key?: string;
  readonly map?: readonly Rename[];
  readonly dtype?: FloatDType;
  readonly json?: true;
}

export async function convert(from: string, to: string, options: ConvertOptions): Promise<void> {
  const format = formatOf(to);
  if (format === 'onnx') {
    refuse(options, ['key', 'map', 'dtype'], `${to} is going to be an ONNX model`);
    return (await import('../export-onnx.js')).convertToOnnx(from, to, options);
  }
  refuse(
    options,
    ['weights', 'opset', 'size', 'foldNorms', 'definition', 'trust'],
    `${to} is going to be a file of weights`,
  );
  const { key, map = [], dtype, json } = options;
  const source = weightsOf(from);
  const chosen = isOnnx(headOf(source), source)
    ? await onnxWeights(source, key)
    : choose(await openForCommand(source), source, key);
  const names = Object.fromEntries(map.map(({ from: old, to: name }) => [old, name]));
  const { entries } = await userFault(() =>
    renameKeys('convert', chosen.tensors, new Set(chosen.tensors.keys()), '', renameBy('convert', names)),
  );
  if (entries.size === 0) throw new CliError(`${from} has no tensors.`);
  const plan = await userFault(() => planTensors(format, entries, dtype));
  await writeOutput(to, WRITERS[format](plan, chosen.metadata));
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

type Metadata = Readonly<Record<string, string>>;

const WRITERS: Readonly<
  Record<TensorFormat, (plan: readonly NewTensor[], metadata: Metadata) => AsyncIterable<Uint8Array>>
> = { safetensors: safetensorsParts, npz: npzParts, pt: ptParts };

const ENDINGS: Readonly<Record<string, TensorFormat | 'onnx'>> = {
  safetensors: 'safetensors',
  npz: 'npz',
  pt: 'pt',
  pth: 'pt',
  bin: 'pt',
  onnx: 'onnx',
};

function formatOf(path: string): TensorFormat | 'onnx' {
  const ending = /\.([a-z]+)$/i.exec(path)?.[1].toLowerCase() ?? '';
  if (Object.hasOwn(ENDINGS, ending)) return ENDINGS[ending];
  throw new CliError(
    `cannot write ${path}: its format is not known. Use a name that ends in .safetensors, .npz, .pt or, for a network, .onnx.`,
  );
}

/** Throws CliError for an option that the format to be written has no use for. */
function refuse(options: ConvertOptions, names: readonly (keyof ConvertOptions)[], why: string): void {
  const given = names.find((name) => options[name] !== undefined);
  if (given === undefined) return;
  const flag = given.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw new CliError(`--${flag}: ${why}, which it does not concern. Leave it out.`);
}

/** The last weights of a run folder; anything else as it is. */
function weightsOf(path: string): string {
  return isRunFolder(path) ? weightsAt(path).weights : path;
}

interface Chosen {
  readonly key: string;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata: Metadata;
}

/** What is below the key; without one the state dict of a checkpoint, and all tensors of anything else. */
function choose(file: TensorFile, path: string, key: string | undefined): Chosen {
  const metadata = file.kind === 'safetensors' ? file.metadata : { format: 'pt' };
  if (key !== undefined) return { key, tensors: tensorsBelow(file, path, key), metadata };
  const all = { key: '', tensors: file.tensors };
  return { ...(file.torch === undefined ? all : (statesOf(file.torch)[0] ?? all)), metadata };
}

/** Parameters and buffers of an ONNX model, by their names in its graph. */
async function onnxWeights(path: string, key: string | undefined): Promise<Chosen> {
  if (key !== undefined) throw new CliError(`--key: ${path} is an ONNX model, whose weights are all in one list.`);
  return { key: '', tensors: await userFault(() => onnxTensors('convert', path)), metadata: {} };
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
