// A tensor as it lies in a file: dtype, shape and strides are known, its numbers are read when they are asked for. So a file
// of any size can be looked at, and of its tensors one after the other is in memory.
// A place in a file in; typed arrays and tensors out. Must not know: file formats.

import {
  type DType,
  DTypeError,
  FormatError,
  type OptionNames,
  checkOptions,
  formatShape,
  isFloat,
  sizeOf,
} from '../tensor/library.js';
import { tensor } from '../tensor/creation.js';
import type { AnyTensor, Tensor } from '../tensor/tensor.js';
import { STORED_DTYPES, type StoredData, type StoredDType, copied, isForeignOrder, swapBytes } from './stored-dtype.js';
import { eachElement } from './strides.js';

/** Bytes that tensors share: a storage of PyTorch's, or the part of a file that belongs to one tensor. */
export interface Storage {
  /** In bytes. */
  readonly size: number;
  /** All of it, whole and checked; not to be written to, others may have the same. */
  bytes(): Promise<Uint8Array>;
  /** Throws what `bytes` would throw for content that is damaged; there where content has a checksum. */
  verify?(): Promise<void>;
  /** For messages: `model.pt`. */
  readonly file: string | undefined;
  readonly isBigEndian?: boolean;
}

/** Where in a storage the numbers are, in elements. */
export interface Layout {
  readonly offset: number;
  readonly strides: readonly number[];
}

export interface StoredTensorOptions<D extends DType = DType> {
  /** Default: its own, where there is such a dtype; float32 for float8, int32 for whole numbers but uint8. */
  readonly dtype?: D;
  readonly device?: string;
}

const STORED_TENSOR_OPTIONS: OptionNames<StoredTensorOptions> = { dtype: true, device: true };

export class StoredTensor {
  readonly dtype: StoredDType;
  readonly shape: readonly number[];
  /** Its key in the file, as far as it has one. */
  readonly name: string | undefined;
  private readonly storage: Storage;
  private readonly layout: Layout | undefined;

  /** @internal Without a layout the storage is the tensor, row by row. */
  constructor(dtype: StoredDType, shape: readonly number[], storage: Storage, layout?: Layout, name?: string) {
    this.dtype = dtype;
    this.shape = shape;
    this.storage = storage;
    this.layout = layout;
    this.name = name;
  }

  /** Elements. */
  get size(): number {
    return sizeOf(this.shape);
  }

  /** Bytes of its numbers, one after the other. */
  get byteLength(): number {
    return this.size * STORED_DTYPES[this.dtype].bytes;
  }

  /** The same with the name that messages call it by. */
  named(name: string): StoredTensor {
    return new StoredTensor(this.dtype, this.shape, this.storage, this.layout, name);
  }

  /**
   * Its numbers, the last index fastest, in the typed array of their kind: float16, bfloat16 and float8 as Float32Array, int64 as
   * BigInt64Array, bool as Uint8Array of 0 and 1, complex numbers as real and imaginary parts in turn. Throws FormatError if the file is
   * damaged.
   */
  async data(): Promise<StoredData> {
    return this.decode(await this.rawBytes());
  }

  private decode(bytes: Uint8Array): StoredData {
    const data = STORED_DTYPES[this.dtype].decode(bytes);
    if (this.dtype === 'bool') {
      const at = (data as Uint8Array).findIndex((v) => v > 1);
      if (at >= 0) throw this.fault(`element ${at} is ${data[at]}, which is no truth value`);
    }
    return data;
  }

  /**
   * A tensor of its numbers. Throws FormatError if int32, uint8 or bool cannot hold one of them, or the file is damaged, and DTypeError for
   * complex numbers.
   */
  async tensor<D extends DType = DType>(options: StoredTensorOptions<D> = {}): Promise<Tensor<number[], D>> {
    checkOptions('tensor', options, STORED_TENSOR_OPTIONS);
    const dtype: DType = options.dtype ?? this.ownDType();
    const data = this.convert(this.decode(await this.alignedBytes()), dtype);
    const made: AnyTensor = tensor(data, {
      shape: [...this.shape],
      dtype,
      ...(options.device !== undefined && { device: options.device }),
    });
    return made as Tensor<number[], D>; // of the dtype that was asked for
  }

  /** Throws what `tensor({ dtype })` would throw, if anything, and keeps nothing. */
  async check(dtype: DType): Promise<void> {
    if (isFloat(dtype) && this.dtype !== 'bool') {
      this.ownDType();
      await this.storage.verify?.();
    } else this.convert(this.decode(await this.alignedBytes()), dtype);
  }

  /** Its bytes in this machine's order, row by row, in memory of their own that begins at a multiple of 8. Throws FormatError. */
  async rawBytes(): Promise<Uint8Array> {
    const { bytes, isShared } = await this.read();
    return isShared ? copied(bytes) : bytes;
  }

  /** The same, perhaps in memory that others have too. */
  private async alignedBytes(): Promise<Uint8Array> {
    const { bytes } = await this.read();
    return bytes.byteOffset % 8 === 0 ? bytes : copied(bytes);
  }

  private async read(): Promise<{ readonly bytes: Uint8Array; readonly isShared: boolean }> {
    const { bytes: size, unit } = STORED_DTYPES[this.dtype];
    if (this.size === 0) return { bytes: new Uint8Array(0), isShared: false };
    const all = await this.storage.bytes();
    const { shape, layout } = this;
    const isWhole = layout === undefined || isContiguous(shape, layout.strides);
    const begin = (layout?.offset ?? 0) * size;
    const bytes = isWhole ? all.subarray(begin, begin + this.byteLength) : this.gather(all, size, layout);
    if (!isForeignOrder(this.storage.isBigEndian ?? false)) return { bytes, isShared: isWhole };
    const own = isWhole ? copied(bytes) : bytes;
    swapBytes(own, unit);
    return { bytes: own, isShared: false };
  }

  /** Elements where strides say, in the order of the indices. Readers have checked that all of them lie in the storage. */
  private gather(all: Uint8Array, bytes: number, { offset, strides }: Layout): Uint8Array {
    const { shape, size } = this;
    const out = new Uint8Array(size * bytes);
    eachElement(shape, strides, offset, (from, i) => {
      for (let b = 0; b < bytes; b++) out[i * bytes + b] = all[from * bytes + b];
    });
    return out;
  }

  private ownDType(): DType {
    const { dtype } = STORED_DTYPES[this.dtype];
    if (dtype !== undefined) return dtype;
    throw new DTypeError(
      `${this.label()}: complex numbers (${this.dtype}) are no dtype here. Read data(), which has real and imaginary parts in turn.`,
      [this.dtype],
    );
  }

  /** The numbers as `tensor` takes them. Throws where int32, uint8 or bool cannot hold one. */
  private convert(data: StoredData, dtype: DType): Exclude<StoredData, BigInt64Array | BigUint64Array> {
    const own = this.ownDType();
    const isWhole = dtype === 'int32' || dtype === 'uint8' || dtype === 'bool';
    const isSame = dtype === own && this.dtype === own;
    if (isWhole && !isSame) {
      const [least, most] = dtype === 'int32' ? [-(2 ** 31), 2 ** 31 - 1] : [0, dtype === 'bool' ? 1 : 255];
      for (let i = 0; i < data.length; i++) {
        const value = data[i];
        if (value >= least && value <= most) continue;
        const advice = dtype === 'bool' ? '' : ` Ask for dtype 'float32' or 'float64'.`;
        throw this.fault(`element ${i} is ${value} (${this.dtype}), which ${dtype} cannot hold`, advice);
      }
    }
    if (data instanceof BigInt64Array || data instanceof BigUint64Array)
      return isWhole ? Int32Array.from(data, Number) : Float64Array.from(data, Number);
    return data;
  }

  private label(): string {
    const what = this.name === undefined ? `a tensor ${formatShape(this.shape)}` : `tensor '${this.name}'`;
    return this.storage.file === undefined ? what : `${this.storage.file}: ${what}`;
  }

  private fault(what: string, advice = ''): FormatError {
    return new FormatError(`${this.label()}: ${what}.${advice}`, this.storage.file);
  }
}

/** Row by row without gaps; strides of dimensions of size 1 do not matter. */
function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false;
    expected *= shape[axis];
  }
  return true;
}

/** What an expanded tensor may take beyond this many times the file's bytes is refused: a stride of 0 costs a file nothing. */
const MOST_EXPANSION = 16;
const ALWAYS = 1 << 20;

/**
 * Why sizes, strides and offset cannot be a tensor of this storage; undefined if they can. `fileSize` bounds what an expanded
 * one may take.
 */
export function layoutFault(
  dtype: StoredDType,
  shape: readonly number[],
  { offset, strides }: Layout,
  storageSize: number,
  fileSize: number,
): string | undefined {
  const { bytes } = STORED_DTYPES[dtype];
  if (shape.length !== strides.length) return `has ${shape.length} sizes and ${strides.length} strides`;
  if (shape.includes(0)) return undefined;
  const elements = sizeOf(shape);
  const last = shape.reduce((at, size, axis) => at + (size - 1) * strides[axis], offset);
  if (!Number.isSafeInteger(elements) || !Number.isSafeInteger(last)) return 'is larger than any storage';
  if ((last + 1) * bytes > storageSize)
    return `reaches to byte ${(last + 1) * bytes} of its storage, which has ${storageSize}`;
  if (elements * bytes > Math.max(ALWAYS, MOST_EXPANSION * fileSize))
    return `would take ${elements * bytes} bytes, of a file of ${fileSize}`;
  return undefined;
}

/** A storage is read again by the next tensor on it only if another one was read in between. */
export class StorageCache {
  private last: { readonly key: unknown; readonly bytes: Promise<Uint8Array> } | undefined;

  get(key: unknown, read: () => Promise<Uint8Array>): Promise<Uint8Array> {
    if (this.last?.key !== key) {
      const bytes = read();
      this.last = { key, bytes };
      const forget = (): void => {
        if (this.last?.bytes === bytes) this.last = undefined;
      };
      bytes.catch(forget);
    }
    return this.last!.bytes;
  }
}
