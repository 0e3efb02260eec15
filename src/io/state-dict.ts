// Named tensors ↔ bytes and files in the safetensors format.

import { tensor } from '../tensor/creation.js';
import type { AnyTensor } from '../tensor/tensor.js';
import { type NamedArray, formatSafetensors, parseSafetensors } from './safetensors.js';

/** Tensors by name, as `module.stateDict()` gives and `module.loadStateDict()` takes them. */
export type NamedTensors = Readonly<Record<string, AnyTensor>>;

export interface LoadedTensors {
  readonly tensors: Record<string, AnyTensor>;
  /** Texts that the file carries beside the tensors. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** The tensors as the bytes of a safetensors file. float32 → F32, int32 → I32, bool → BOOL. */
export async function toSafetensors(
  tensors: NamedTensors,
  metadata: Readonly<Record<string, string>> = {},
): Promise<Uint8Array> {
  const arrays: [string, NamedArray][] = [];
  for (const [name, t] of Object.entries(tensors)) {
    arrays.push([name, { dtype: t.dtype, shape: t.shape, data: await t.data() }]);
  }
  return formatSafetensors(Object.fromEntries(arrays), metadata);
}

/** Tensors on the default device from the bytes of a safetensors file; see `parseSafetensors` for dtypes. Throws FormatError. */
export function fromSafetensors(bytes: Uint8Array, path?: string): LoadedTensors {
  const { tensors, metadata } = parseSafetensors(bytes, path);
  const loaded = Object.entries(tensors).map(
    ([name, { data, shape, dtype }]) =>
      [name, tensor(data as never, { shape, dtype }) as unknown as AnyTensor] as const,
  );
  return { tensors: Object.fromEntries(loaded), metadata };
}

/** Writes tensors to a file, which is replaced as a whole or not at all. Node only. */
export async function saveSafetensors(
  path: string,
  tensors: NamedTensors,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { writeFileAtomic } = await import('./node/files.js');
  await writeFileAtomic(path, await toSafetensors(tensors, metadata));
}

/** Reads tensors from a file. Node only. Throws FormatError with the path and the offset. */
export async function loadSafetensors(path: string): Promise<LoadedTensors> {
  const { readFileBytes } = await import('./node/files.js');
  return fromSafetensors(await readFileBytes(path), path);
}
