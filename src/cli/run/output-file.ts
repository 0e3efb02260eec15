// Results of a run as a file: npz with all outputs, npy with the only one, JSON.

import { StoredTensor } from '../../io/stored-tensor.js';
import type { StoredDType } from '../../io/stored-dtype.js';
import { npyHeader, numpyTypeOf } from '../../io/npz.js';
import { npzParts, planTensors, safetensorsParts } from '../../io/write-tensors.js';
import { CliError } from '../errors.js';
import { userFault } from '../inspect/tensors.js';
import { writeOutput } from '../output-file.js';
import type { Result } from './results.js';

type Format = 'npz' | 'npy' | 'json' | 'safetensors';

/** The format that a name asks for. Throws CliError for none: before anything is computed. */
export function resultFormatOf(path: string): Format {
  const ending = /\.(npz|npy|json|safetensors)$/i.exec(path)?.[1].toLowerCase();
  if (ending !== undefined) return ending as Format;
  throw new CliError(
    `--output ${path}: its format is not known. Use a name that ends in .npz, .npy, .json or .safetensors.`,
  );
}

export async function writeResults(path: string, results: readonly Result[]): Promise<void> {
  const format = resultFormatOf(path);
  if (format === 'json') return writeOutput(path, `${JSON.stringify(Object.fromEntries(results.map(jsonOf)))}\n`);
  const stored = new Map(results.map((result) => [result.name, storedOf(result)]));
  if (format === 'npy') return writeOutput(path, await npyOf(path, stored));
  const plan = await userFault(() => planTensors(format, stored));
  return writeOutput(path, format === 'npz' ? npzParts(plan) : safetensorsParts(plan, {}));
}

const jsonOf = ({ name, tensor, data }: Result): [string, object] => [
  name,
  { dtype: tensor.dtype, shape: tensor.shape, data: Array.from(data, (n) => (Number.isFinite(n) ? n : String(n))) },
];

/** What `data()` has read holds each dtype but half precision in its own numbers; those come as float32. */
function storedOf({ name, tensor, data }: Result): StoredTensor {
  const dtype: StoredDType = tensor.dtype === 'float16' || tensor.dtype === 'bfloat16' ? 'float32' : tensor.dtype;
  const numbers = arrayOf(dtype, data);
  const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
  const storage = { size: bytes.length, file: undefined, bytes: () => Promise.resolve(bytes) };
  return new StoredTensor(dtype, tensor.shape, storage, undefined, name);
}

function arrayOf(dtype: StoredDType, data: ArrayLike<number>) {
  if (dtype === 'float64') return Float64Array.from(data);
  if (dtype === 'int32') return Int32Array.from(data);
  if (dtype === 'uint8' || dtype === 'bool') return Uint8Array.from(data);
  return Float32Array.from(data);
}

async function npyOf(path: string, stored: ReadonlyMap<string, StoredTensor>): Promise<Uint8Array> {
  if (stored.size !== 1)
    throw new CliError(`--output ${path}: there are ${stored.size} outputs, and an npy file holds one. Use .npz.`);
  const [only] = stored.values();
  const header = npyHeader(numpyTypeOf(only.dtype)!, only.shape);
  const numbers = await only.rawBytes();
  const out = new Uint8Array(header.length + numbers.length);
  out.set(header);
  out.set(numbers, header.length);
  return out;
}
