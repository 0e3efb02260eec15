// Tensors as a file of PyTorch's, in the layout of torch.save since 1.6: a zip archive with a pickle, and a member for each storage.
// The pickle is an OrderedDict of tensors, each on a storage of its own; torch.load reads it with weights_only=True.

import { sizeOf } from '../../tensor/library.js';
import { zipStored } from '../npz.js';
import { STORED_DTYPES, type StoredDType } from '../stored-dtype.js';
import { contiguousStrides } from '../strides.js';

/** The classes of torch that storages of a dtype are saved under; those of newer dtypes are bytes, and the tensor says the dtype. */
const STORAGES: Readonly<Partial<Record<StoredDType, string>>> = {
  float64: 'DoubleStorage',
  float32: 'FloatStorage',
  float16: 'HalfStorage',
  bfloat16: 'BFloat16Storage',
  int64: 'LongStorage',
  int32: 'IntStorage',
  int16: 'ShortStorage',
  int8: 'CharStorage',
  uint8: 'ByteStorage',
  bool: 'BoolStorage',
  complex64: 'ComplexFloatStorage',
  complex128: 'ComplexDoubleStorage',
};

/** A tensor that is going to be written. */
export interface TorchTensor {
  readonly name: string;
  readonly dtype: StoredDType;
  readonly shape: readonly number[];
  /** Its numbers, row by row, the lowest byte first. */
  bytes(): Promise<Uint8Array>;
}

const FOLDER = 'archive';
/** Of an archive without zip64, beside the members that are no storages. */
const MOST_TENSORS = 0xffff - 3;
const MOST_BYTES = 0xffffffff;

/** Why such a file cannot hold these tensors; undefined if it can. */
export function torchFault(tensors: readonly Omit<TorchTensor, 'bytes'>[]): string | undefined {
  if (tensors.length > MOST_TENSORS) return `${tensors.length} tensors are more than the ${MOST_TENSORS} of a .pt file`;
  // What the pickle and the zip directory have for a tensor beside its numbers, name and sizes stays below these bytes.
  const size = tensors.reduce(
    (sum, { name, dtype, shape }) =>
      sum + 400 + 3 * name.length + 20 * shape.length + sizeOf(shape) * STORED_DTYPES[dtype].bytes,
    0,
  );
  return size > MOST_BYTES ? `${size} bytes are more than the 4 GiB of a .pt file` : undefined;
}

/** The bytes of the file, one tensor after the other. */
export function torchParts(tensors: readonly TorchTensor[]): AsyncGenerator<Uint8Array, void, void> {
  const text = (content: string): Uint8Array => new TextEncoder().encode(content);
  async function* members() {
    yield { name: `${FOLDER}/data.pkl`, bytes: pickleOf(tensors) };
    yield { name: `${FOLDER}/byteorder`, bytes: text('little') };
    for (const [i, tensor] of tensors.entries()) yield { name: `${FOLDER}/data/${i}`, bytes: await tensor.bytes() };
    yield { name: `${FOLDER}/version`, bytes: text('3\n') };
  }
  return zipStored(members());
}

// ---------------------------------------------------------------- the pickle (protocol 2)

const MARK = 0x28;
const TUPLE = 0x74;
const EMPTY_TUPLE = 0x29;
const REDUCE = 0x52;
const SET_ITEMS = 0x75;
const PERSISTENT = 0x51;
const FALSE = 0x89;
const STOP = 0x2e;

function pickleOf(tensors: readonly TorchTensor[]): Uint8Array {
  const out = new Bytes();
  out.put(0x80, 2);
  orderedDict(out);
  out.put(MARK);
  for (const [i, tensor] of tensors.entries()) {
    string(out, tensor.name);
    rebuilt(out, tensor, String(i));
  }
  out.put(SET_ITEMS, STOP);
  return out.bytes();
}

/** A tensor, as a call of the function that torch.load makes it with. */
function rebuilt(out: Bytes, { dtype, shape }: TorchTensor, key: string): void {
  const storage = STORAGES[dtype];
  globalName(out, 'torch._utils', storage === undefined ? '_rebuild_tensor_v3' : '_rebuild_tensor_v2');
  out.put(MARK, MARK);
  string(out, 'storage');
  if (storage === undefined) globalName(out, 'torch.storage', 'UntypedStorage');
  else globalName(out, 'torch', storage);
  string(out, key);
  string(out, 'cpu');
  whole(out, sizeOf(shape) * (storage === undefined ? STORED_DTYPES[dtype].bytes : 1));
  out.put(TUPLE, PERSISTENT);
  whole(out, 0); // where in the storage it begins
  tuple(out, shape);
  tuple(out, contiguousStrides(shape));
  out.put(FALSE); // requires_grad
  orderedDict(out); // hooks
  if (storage === undefined) globalName(out, 'torch', dtype);
  out.put(TUPLE, REDUCE);
}

function orderedDict(out: Bytes): void {
  globalName(out, 'collections', 'OrderedDict');
  out.put(EMPTY_TUPLE, REDUCE);
}

function globalName(out: Bytes, module: string, name: string): void {
  out.put(0x63, ...new TextEncoder().encode(`${module}\n${name}\n`));
}

function string(out: Bytes, text: string): void {
  const bytes = new TextEncoder().encode(text);
  out.put(0x58);
  out.number(bytes.length, 4);
  out.all(bytes);
}

function tuple(out: Bytes, numbers: readonly number[]): void {
  out.put(MARK);
  for (const n of numbers) whole(out, n);
  out.put(TUPLE);
}

/** From 0 on. */
function whole(out: Bytes, n: number): void {
  if (n < 0x80000000) {
    out.put(0x4a);
    out.number(n, 4);
  } else {
    out.put(0x8a, 8);
    out.number(n, 8);
  }
}

class Bytes {
  private readonly parts: Uint8Array[] = [];

  put(...bytes: readonly number[]): void {
    this.parts.push(Uint8Array.from(bytes));
  }

  all(bytes: Uint8Array): void {
    this.parts.push(bytes);
  }

  /** The lowest byte first. */
  number(n: number, length: 4 | 8): void {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(n), true);
    this.parts.push(bytes.subarray(0, length));
  }

  bytes(): Uint8Array {
    const out = new Uint8Array(this.parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of this.parts) {
      out.set(part, at);
      at += part.length;
    }
    return out;
  }
}
