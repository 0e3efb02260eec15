// Reads the numbers that PyTorch computed (test/fixtures, made by tools/parity/pytorch.py) and compares with them.
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { type AnyTensor, type Tensor, tensor } from 'nabla';

export interface Packed {
  readonly shape: number[];
  readonly dtype: 'float32' | 'int32' | 'bool';
  readonly data: number[];
}

export function readFixture<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../fixtures/${name}`, import.meta.url), 'utf8')) as T;
}

export function unpack({ shape, dtype, data }: Packed, requiresGrad = false): Tensor {
  const numbers = dtype === 'int32' ? Int32Array.from(data) : Float32Array.from(data);
  return tensor(numbers as never, { shape, dtype, requiresGrad }) as Tensor;
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
