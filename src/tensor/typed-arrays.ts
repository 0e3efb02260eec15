// Which kind of typed array a value is, by its tag and not by its constructor: an array that was made in another realm (an
// iframe, node:vm, the environments of test runners) has other constructors, and is the same array all the same.

export interface TypedArrays {
  Int8Array: Int8Array;
  Uint8Array: Uint8Array;
  Uint8ClampedArray: Uint8ClampedArray;
  Int16Array: Int16Array;
  Uint16Array: Uint16Array;
  Int32Array: Int32Array;
  Uint32Array: Uint32Array;
  Float16Array: ArrayBufferView & ArrayLike<number>; // not in every host
  Float32Array: Float32Array;
  Float64Array: Float64Array;
  BigInt64Array: BigInt64Array;
  BigUint64Array: BigUint64Array;
}

/** The getter that all typed arrays of all realms answer to, and nothing else. */
const tag = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Int8Array.prototype), Symbol.toStringTag);

/** The name of a typed array's kind, which is Uint8Array for Node's Buffer; undefined for anything else. */
export function typedArrayKind(value: unknown): keyof TypedArrays | undefined {
  return tag?.get?.call(value) as keyof TypedArrays | undefined;
}

export function isUint8Array(value: unknown): value is Uint8Array {
  return typedArrayKind(value) === 'Uint8Array';
}

export function isInt32Array(value: unknown): value is Int32Array {
  return typedArrayKind(value) === 'Int32Array';
}

export function isFloat32Array(value: unknown): value is Float32Array {
  return typedArrayKind(value) === 'Float32Array';
}

export function isFloat64Array(value: unknown): value is Float64Array {
  return typedArrayKind(value) === 'Float64Array';
}
