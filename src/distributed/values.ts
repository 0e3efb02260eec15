// What collective calls take and give: tensors of any dtype, typed arrays, lists of numbers, single numbers. Each becomes a packet: the
// numbers in one of the types that MPI adds up, and how a value of the same kind is made of such numbers again.
// Narrow dtypes travel wide: float16 and bfloat16 are added up in float32 and rounded once; uint8 and bool in int32.

import { tensor } from '../tensor/creation.js';
import {
  ArgumentError,
  type DType,
  DTypeError,
  type Shape,
  formatShape,
  refuseOtherCopy,
  sizeOf,
  wrongKind,
} from '../tensor/library.js';
import { type AnyTensor, Tensor } from '../tensor/tensor.js';
import type { ELEMENT } from './mpi/shim-source.js';

export type HostArray = Float32Array | Float64Array | Int32Array | Uint8Array;

/** What a collective call takes. */
export type Exchangeable = AnyTensor | HostArray | readonly number[] | number;

export type Combination = 'sum' | 'mean' | 'min' | 'max';

export interface Packet<T> {
  readonly numbers: HostArray;
  readonly shape: readonly number[];
  readonly dtype: DType | 'numbers' | 'number';
  /** The same on all processes where the call is the same: `float32 [3, 4]`. */
  readonly text: string;
  /** A value of the kind that was given, of these numbers. */
  rebuild(numbers: HostArray, shape: readonly number[]): T;
}

const DTYPE_OF = new Map<unknown, DType>([
  [Float32Array, 'float32'],
  [Float64Array, 'float64'],
  [Int32Array, 'int32'],
  [Uint8Array, 'uint8'],
]);

/** Zeros in memory of their own, which sums of gradients are written to; of whichever dtype, they are typed as gradients are. */
export function storedZeros(shape: Shape, dtype: DType, device: string): Tensor {
  const zeros: AnyTensor = tensor(new Float64Array(sizeOf(shape)), { shape, dtype, device });
  return zeros as Tensor;
}

/** What `value` is made of, read once. Throws ArgumentError for anything that is not made of numbers. */
export async function packetOf<T extends Exchangeable>(op: string, value: T): Promise<Packet<T>> {
  // What is rebuilt is of the kind that was given: each branch knows it, the parameter T does not.
  const packet = (await anyPacketOf(op, value)) as unknown as Packet<T>;
  return packet;
}

async function anyPacketOf(op: string, value: unknown): Promise<Packet<Exchangeable>> {
  if (value instanceof Tensor) {
    const given = value as AnyTensor;
    const { dtype, device } = given;
    return {
      numbers: (await given.data()) as HostArray,
      shape: given.shape,
      dtype,
      text: `${dtype} ${formatShape(given.shape)}`,
      rebuild: (numbers, shape): AnyTensor => tensor(numbers, { shape, dtype, device }),
    };
  }
  refuseOtherCopy(op, value);
  if (typeof value === 'number') {
    const rebuild = (numbers: HostArray): number => numbers[0];
    return { numbers: Float64Array.of(value), shape: [1], dtype: 'number', text: 'a number', rebuild };
  }
  const dtype = DTYPE_OF.get((value as object | null | undefined)?.constructor);
  if (dtype !== undefined) {
    const given = value as HostArray;
    const text = `${dtype} ${formatShape([given.length])}`;
    return { numbers: given.slice(), shape: [given.length], dtype, text, rebuild: (numbers) => numbers };
  }
  if (Array.isArray(value)) {
    const at = value.findIndex((v) => typeof v !== 'number');
    if (at >= 0) throw wrongKind(op, `element ${at} of the list`, value[at], 'Give numbers');
    const numbers = Float64Array.from(value as number[]);
    const rebuild = (result: HostArray): number[] => Array.from(result);
    return { numbers, shape: [numbers.length], dtype: 'numbers', text: `${numbers.length} numbers`, rebuild };
  }
  throw wrongKind(op, 'the value', value, 'Give a tensor, a typed array, a list of numbers, or a number');
}

export const elementOf = (numbers: HostArray): keyof typeof ELEMENT =>
  numbers instanceof Float32Array
    ? 'float32'
    : numbers instanceof Float64Array
      ? 'float64'
      : numbers instanceof Int32Array
        ? 'int32'
        : 'byte';

/** Whether numbers of this dtype can be combined so. */
export function checkCombination(op: string, combination: Combination, dtype: Packet<unknown>['dtype']): void {
  const isWhole = dtype === 'int32' || dtype === 'uint8' || dtype === 'bool';
  if (combination === 'mean' && isWhole)
    throw new DTypeError(`${op}: the mean of ${dtype} is not ${dtype}. Convert it first: to('float32').`, [dtype]);
  if (combination === 'sum' && dtype === 'bool')
    throw new DTypeError(`${op}: the sum of bool is not bool. Convert it first: to('int32'), or use 'max' for "any".`, [
      dtype,
    ]);
}

/** The numbers in a type that is added up; bytes become int32. */
export const wide = (numbers: HostArray): HostArray =>
  numbers instanceof Uint8Array ? Int32Array.from(numbers) : numbers;

/** Back again: as `uint8` does, modulo 256. */
export const narrow = (numbers: HostArray, like: HostArray): HostArray =>
  like instanceof Uint8Array ? Uint8Array.from(numbers) : numbers;

export const bytesOf = ({ buffer, byteOffset, byteLength }: HostArray): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** An array of the same kind. */
export function arrayLike(like: HostArray, length: number): HostArray {
  if (like instanceof Float32Array) return new Float32Array(length);
  if (like instanceof Float64Array) return new Float64Array(length);
  return like instanceof Int32Array ? new Int32Array(length) : new Uint8Array(length);
}

/** Throws ArgumentError for a rank that is not there. */
export function checkRank(op: string, rank: unknown, size: number): void {
  if (Number.isInteger(rank) && (rank as number) >= 0 && (rank as number) < size) return;
  throw new ArgumentError(`${op}: there is no rank ${String(rank)}. Use 0 to ${size - 1}.`);
}
