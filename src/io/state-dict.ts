// Named tensors ↔ bytes and files in the safetensors format.

import { tensor } from '../tensor/creation.js';
import { type AnyTensor, checkTensor } from '../tensor/tensor.js';
import { checkRecord } from '../tensor/library.js';
import { absolutePath } from './path.js';
import { refusal } from './system-reasons.js';
import { type NamedArray, checkMetadata, formatSafetensors, parseSafetensors } from './safetensors.js';

/** Tensors by name, as `module.stateDict()` gives and `module.loadStateDict()` takes them. */
export type NamedTensors = Readonly<Record<string, AnyTensor>>;

export interface LoadedTensors {
  readonly tensors: Record<string, AnyTensor>;
  /** Texts that the file carries beside the tensors. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** What a file may carry beside its tensors. The format holds texts: numbers and truth values are written as texts. */
export type Metadata = Readonly<Record<string, string | number | boolean>>;

/**
 * The tensors as the bytes of a safetensors file, with the numbers that they have at the call: steps taken before the promise
 * settles do not show. float32 → F32, int32 → I32, bool → BOOL. Throws ArgumentError for metadata that are no text, number or
 * truth value.
 */
export async function toSafetensors(tensors: NamedTensors, metadata: Metadata = {}): Promise<Uint8Array> {
  checkTensors('toSafetensors', tensors);
  const texts = checkMetadata(metadata);
  // All reads begin before the first is awaited: they stand before whatever is asked of the device later.
  const reading = Object.entries(tensors).map(async ([name, t]): Promise<[string, NamedArray]> => {
    const { dtype, shape } = t;
    return [name, { dtype, shape, data: await t.data() }];
  });
  return formatSafetensors(Object.fromEntries(await Promise.all(reading)), texts);
}

/** Tensors on the default device from the bytes of a safetensors file; see `parseSafetensors` for dtypes. Throws FormatError. */
export function fromSafetensors(bytes: Uint8Array, path?: string): LoadedTensors {
  const { tensors, metadata } = parseSafetensors(bytes, path);
  const loaded = Object.entries(tensors).map(
    ([name, { data, shape, dtype }]) => [name, tensor(data, { shape, dtype })] as const,
  );
  return { tensors: Object.fromEntries(loaded), metadata };
}

/**
 * Writes tensors to a file, which is replaced as a whole or not at all, with the numbers that they have at the call. Node only.
 * Throws ArgumentError for metadata as `toSafetensors`, and NablaError where a folder, a device or a read-only file is in the way.
 */
export async function saveSafetensors(path: string, tensors: NamedTensors, metadata: Metadata = {}): Promise<void> {
  checkTensors('saveSafetensors', tensors);
  const absolute = absolutePath(path, 'saveSafetensors'); // of the working directory at the call
  const bytes = toSafetensors(tensors, metadata);
  const [{ writeFileAtomic }, content] = await Promise.all([import('./node/files.js'), bytes]);
  await writeFileAtomic(absolute, content).catch((error: unknown) => {
    throw refusal('saveSafetensors', `${path} cannot be written`, error);
  });
}

/** Reads tensors from a file. Node only. Throws FormatError with the path and the offset. */
export async function loadSafetensors(path: string): Promise<LoadedTensors> {
  const absolute = absolutePath(path, 'loadSafetensors');
  const { readFileBytes } = await import('./node/files.js');
  const bytes = await readFileBytes(absolute).catch((error: unknown) => {
    throw refusal('loadSafetensors', `${path} cannot be read`, error);
  });
  return fromSafetensors(bytes, path);
}

function checkTensors(op: string, tensors: NamedTensors): void {
  checkRecord(op, 'the argument', tensors, 'tensors');
  for (const [name, t] of Object.entries(tensors)) checkTensor(t, op, `'${name}'`);
}
