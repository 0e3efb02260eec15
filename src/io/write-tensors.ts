// Stored tensors into other files, one at a time: safetensors, npz and PyTorch's. Dtypes stay what they are where the format has them.
// Stored tensors in, pieces of a file out. Must not know: files.

import { ArgumentError, type FloatDType, brainBits, halfBits, isFloat } from '../tensor/library.js';
import { STORED_NAMES } from './encodings.js';
import { npyHeader, npzFault, numpyTypeOf, zipStored } from './npz.js';
import { METADATA, PREFIX } from './safetensors-header.js';
import { STORED_DTYPES, type StoredData, type StoredDType } from './stored-dtype.js';
import type { StoredTensor } from './stored-tensor.js';
import { torchFault, torchParts } from './torch/write-archive.js';

export type TensorFormat = 'safetensors' | 'npz' | 'pt';

/** Which dtypes a format has, and why it cannot hold some tensors. */
const FORMATS: Readonly<Record<TensorFormat, Format>> = {
  safetensors: { has: (dtype) => STORED_NAMES[dtype] !== undefined, fault: () => undefined },
  npz: { has: (dtype) => numpyTypeOf(dtype) !== undefined, fault: npzFault },
  pt: { has: () => true, fault: torchFault },
};

interface Format {
  has(dtype: StoredDType): boolean;
  fault(
    tensors: readonly { readonly name: string; readonly dtype: StoredDType; readonly shape: readonly number[] }[],
  ): string | undefined;
}

/** A tensor, and the dtype that it gets in the file. */
export interface NewTensor {
  readonly name: string;
  readonly tensor: StoredTensor;
  readonly dtype: StoredDType;
}

/**
 * What each tensor is in the file: real numbers of `dtype`, if that is given; what the format lacks (bfloat16 and float8 in npz)
 * float32. Throws ArgumentError for other numbers that it lacks, and for more than a zip archive can hold.
 */
export function planTensors(
  format: TensorFormat,
  tensors: ReadonlyMap<string, StoredTensor>,
  dtype?: FloatDType,
): NewTensor[] {
  const { has, fault: faultOf } = FORMATS[format];
  const plan = [...tensors].map(([name, tensor]): NewTensor => {
    const own = STORED_DTYPES[tensor.dtype].dtype;
    const isReal = own !== undefined && isFloat(own);
    const wanted = isReal && dtype !== undefined ? dtype : tensor.dtype;
    if (has(wanted)) return { name, tensor, dtype: wanted };
    if (isReal) return { name, tensor, dtype: 'float32' };
    throw new ArgumentError(`convert: '${name}' is ${tensor.dtype}, which ${format} cannot hold. Leave it out.`);
  });
  const shapes = plan.map(({ name, tensor: { shape }, dtype: chosen }) => ({ name, shape, dtype: chosen }));
  const fault = faultOf(shapes);
  if (fault !== undefined) throw new ArgumentError(`convert: ${fault}. Write a safetensors file.`);
  return plan;
}

/** The bytes of a safetensors file, the longest elements first, so that all of them are aligned. */
export async function* safetensorsParts(
  tensors: readonly NewTensor[],
  metadata: Readonly<Record<string, string>>,
): AsyncGenerator<Uint8Array, void, void> {
  const ordered = tensors.toSorted((a, b) => STORED_DTYPES[b.dtype].bytes - STORED_DTYPES[a.dtype].bytes);
  const header: [string, unknown][] = Object.keys(metadata).length > 0 ? [[METADATA, metadata]] : [];
  let at = 0;
  for (const { name, tensor, dtype } of ordered) {
    if (name === METADATA) throw new ArgumentError(`convert: a tensor cannot be called ${METADATA}.`);
    const begin = at;
    at += tensor.size * STORED_DTYPES[dtype].bytes;
    header.push([name, { dtype: STORED_NAMES[dtype], shape: tensor.shape, data_offsets: [begin, at] }]);
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const length = Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(PREFIX + length).fill(0x20, PREFIX);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(json, PREFIX);
  yield bytes;
  for (const { tensor, dtype } of ordered) yield encoded(tensor, dtype);
}

/** The bytes of an npz file, not compressed, as numpy.savez writes it. */
export function npzParts(tensors: readonly NewTensor[]): AsyncGenerator<Uint8Array, void, void> {
  async function* members() {
    for (const { name, tensor, dtype } of tensors) {
      const header = npyHeader(numpyTypeOf(dtype)!, tensor.shape);
      const numbers = await encoded(tensor, dtype);
      const bytes = new Uint8Array(header.length + numbers.length);
      bytes.set(header);
      bytes.set(numbers, header.length);
      yield { name: `${name}.npy`, bytes };
    }
  }
  return zipStored(members());
}

/** The bytes of a file of PyTorch's: a dict of tensors, as torch.save writes a state dict. */
export function ptParts(tensors: readonly NewTensor[]): AsyncGenerator<Uint8Array, void, void> {
  return torchParts(
    tensors.map(({ name, tensor, dtype }) => ({
      name,
      dtype,
      shape: tensor.shape,
      bytes: () => encoded(tensor, dtype),
    })),
  );
}

/** Its numbers as bytes of a dtype, the lowest byte first. */
async function encoded(tensor: StoredTensor, dtype: StoredDType): Promise<Uint8Array> {
  if (dtype === tensor.dtype) return tensor.rawBytes();
  const data = await tensor.data();
  const out = encode(data, dtype);
  return new Uint8Array(out.buffer, out.byteOffset, out.byteLength);
}

function encode(data: StoredData, dtype: StoredDType): Float64Array | Float32Array | Uint16Array {
  const numbers = data as ArrayLike<number>; // only real numbers change their dtype
  if (dtype === 'float64') return Float64Array.from(numbers);
  if (dtype === 'float32') return Float32Array.from(numbers);
  return Uint16Array.from(numbers, dtype === 'float16' ? halfBits : brainBits);
}
