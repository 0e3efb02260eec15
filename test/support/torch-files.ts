// Files that PyTorch wrote (tools/parity/torch_files.py, and those of a collection of models) beside what is expected of them, and a
// writer of small pickles.
import { StoredTensor } from '../../src/io/stored-tensor.js';
import { PythonName, type TorchValue } from '../../src/io/torch/value.js';

export const bytesOfBase64 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'));

/** A file's value in the notation of the fixtures. */
export async function described(value: TorchValue): Promise<unknown> {
  if (value instanceof StoredTensor) {
    const data = Array.from<number | bigint>(await value.data());
    return { tensor: value.dtype, shape: [...value.shape], data: data.map(number) };
  }
  if (value instanceof PythonName) return { name: value.name };
  if (value instanceof Uint8Array) return { bytes: [...value] };
  if (value instanceof Set) return { set: [...value] };
  if (value instanceof Map) {
    const entries: unknown[] = [];
    for (const [key, item] of value as ReadonlyMap<TorchValue, TorchValue>)
      entries.push([await described(key), await described(item)]);
    return { dict: entries };
  }
  if (Array.isArray(value)) {
    const items: unknown[] = [];
    for (const item of value as readonly TorchValue[]) items.push(await described(item));
    return Object.isFrozen(value) ? { tuple: items } : { list: items };
  }
  return number(value);
}

/** Numbers that JSON cannot hold, as the fixtures have them. */
function number(value: unknown): unknown {
  if (typeof value === 'bigint') {
    const small = Number(value);
    return Number.isSafeInteger(small) ? small : { int: String(value) };
  }
  if (typeof value !== 'number' || Number.isFinite(value)) return value;
  return { float: Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf' };
}

export type Part = string | number | Uint8Array | readonly Part[];

/** The bytes of a pickle: texts as their characters' numbers, numbers as bytes. */
export function pickleOf(...parts: readonly Part[]): Uint8Array {
  const bytes: number[] = [];
  const add = (part: Part): void => {
    if (typeof part === 'string') for (const c of part) bytes.push(c.charCodeAt(0));
    else if (typeof part === 'number') bytes.push(part);
    else if (part instanceof Uint8Array) for (const byte of part) bytes.push(byte);
    else for (const inner of part as readonly Part[]) add(inner);
  };
  add(parts);
  return Uint8Array.from(bytes);
}

/** A number as four bytes, the lowest first. */
export const u32 = (value: number): number[] => [0, 8, 16, 24].map((shift) => (value >>> shift) & 255);
