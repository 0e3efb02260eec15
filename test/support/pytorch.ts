// Reads the numbers that PyTorch computed (test/fixtures, made by tools/parity/*.py) and compares with them.
//   A fixture is a safetensors file: its metadata hold a JSON document, and a tensor called `a/b/0` stands in the document at that
//   path. Read here and not by nabla/io, which turns float64 into float32: comparisons go to 1e-9.
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { type AnyTensor, type FloatDType, type Tensor, tensor } from 'nabla';

export interface Packed {
  readonly shape: number[];
  readonly dtype: 'float32' | 'int32' | 'bool';
  readonly data: number[];
}

interface Entry {
  readonly dtype: string;
  readonly shape: number[];
  readonly data_offsets: readonly [number, number];
}

type Branch = Record<string, unknown>;

const ENCODINGS: Readonly<
  Record<string, readonly [dtype: Packed['dtype'], bytes: number, read: (view: DataView, at: number) => number]>
> = {
  F64: ['float32', 8, (view, at) => view.getFloat64(at, true)],
  F32: ['float32', 4, (view, at) => view.getFloat32(at, true)],
  I32: ['int32', 4, (view, at) => view.getInt32(at, true)],
  BOOL: ['bool', 1, (view, at) => view.getUint8(at)],
};

/** The document of test/fixtures/<name>: JSON, or a safetensors file and its tensors. */
export function readFixture<T>(name: string): T {
  const bytes = readFileSync(new URL(`../fixtures/${name}`, import.meta.url));
  return (name.endsWith('.json') ? JSON.parse(bytes.toString()) : parse(bytes)) as T;
}

function parse({ buffer, byteOffset, byteLength }: Uint8Array): Branch {
  const view = new DataView(buffer, byteOffset, byteLength);
  const start = 8 + Number(view.getBigUint64(0, true));
  const text = new TextDecoder().decode(new Uint8Array(buffer, byteOffset + 8, start - 8));
  const { __metadata__: metadata, ...entries } = JSON.parse(text) as Record<string, Entry> & {
    __metadata__: { document: string };
  };
  const document = JSON.parse(metadata.document) as Branch;
  for (const [path, { dtype, shape, data_offsets: offsets }] of Object.entries(entries as Record<string, Entry>)) {
    const [kind, bytes, read] = ENCODINGS[dtype];
    const length = (offsets[1] - offsets[0]) / bytes;
    const data = Array.from({ length }, (_, i) => read(view, start + offsets[0] + i * bytes));
    const keys = path.split('/');
    const branch = keys.slice(0, -1).reduce((at, key) => at[key] as Branch, document);
    branch[keys[keys.length - 1]] = { shape, dtype: kind, data } satisfies Packed;
  }
  return document;
}

export function isPacked(value: unknown): value is Packed {
  return typeof value === 'object' && value !== null && 'data' in value && 'dtype' in value;
}

export function unpack({ shape, dtype, data }: Packed, requiresGrad = false, float: FloatDType = 'float32'): Tensor {
  const numbers = dtype === 'int32' ? Int32Array.from(data) : Float64Array.from(data);
  return tensor(numbers as never, { shape, dtype: dtype === 'float32' ? float : dtype, requiresGrad }) as Tensor;
}

/** Largest difference relative to the largest number (at least `least`), which must stay below `tolerance`; shapes must be equal. */
export async function expectClose(
  actual: AnyTensor,
  expected: Packed,
  what: string,
  tolerance = 2e-6,
  least = 1,
): Promise<void> {
  expect(actual.shape, `${what}: shape`).toEqual(expected.shape);
  expectNear([...(await actual.data())], expected.data, what, tolerance, least);
}

export function expectNear(
  actual: readonly number[],
  expected: readonly number[],
  what: string,
  tolerance = 2e-6,
  least = 1,
): void {
  const scale = Math.max(least, ...expected.map(Math.abs));
  const worst = Math.max(0, ...expected.map((e, i) => Math.abs(actual[i] - e) / scale));
  const message = `${what}: ${actual.slice(0, 8).join(', ')} instead of ${expected.slice(0, 8).join(', ')}`;
  if (!(worst <= tolerance)) throw new Error(message); // NaN fails too
}
