// Shared by the checks of the course text (test/course): tensors from plain lists, and two ways to compare with a number of the
// text: exactly, to the precision of the device, or as far as it was printed.
import { beforeEach, describe, expect } from 'vitest';
import { type AnyTensor, type Tensor, getDefaultDevice, setDevice, tensor } from 'nabla';
import { type Module, Sequential } from 'nabla/nn';

export type Nested = number | readonly Nested[];

/** The checks of one source, on the device that users have and on the one that computes in float64. */
export function course(source: string, checks: () => void): void {
  describe.each(['reference', 'cpu'])(`${source}, on %s`, (device) => {
    beforeEach(() => setDevice(device));
    checks();
  });
}

export function given(values: Nested, requiresGrad = false): Tensor {
  return tensor(values as never, { requiresGrad }) as unknown as Tensor;
}

/** A tensor that collects gradients. */
export function variable(values: Nested): Tensor {
  return given(values, true);
}

export async function numbers(x: AnyTensor): Promise<number[]> {
  return Array.from(await x.data(), Number);
}

function shapeOf(values: Nested): number[] {
  return typeof values === 'number' ? [] : [values.length, ...(values.length > 0 ? shapeOf(values[0]) : [])];
}

function flat(values: Nested): number[] {
  return typeof values === 'number' ? [values] : values.flatMap(flat);
}

async function expectWithin(
  x: AnyTensor | undefined,
  expected: Nested,
  tolerance: (e: number) => number,
): Promise<void> {
  expect(x, 'there is a tensor').toBeDefined();
  expect(x!.shape, 'shape').toEqual(shapeOf(expected));
  const actual = await numbers(x!);
  const bad = flat(expected).flatMap((e, i) => (Math.abs(actual[i] - e) <= tolerance(e) ? [] : [i]));
  expect(bad, `elements that differ; all are ${actual.join(', ')}`).toEqual([]);
}

/** Equal to 1e-12 in float64 and to 2e-6 in float32, relative to the number or to 1. */
export function expectExact(x: AnyTensor | undefined, expected: Nested): Promise<void> {
  const precision = getDefaultDevice() === 'reference' ? 1e-12 : 2e-6;
  return expectWithin(x, expected, (e) => precision * Math.max(1, Math.abs(e)));
}

/** Equal to what was printed with so many decimals. */
export function expectPrinted(x: AnyTensor | undefined, expected: Nested, decimals: number): Promise<void> {
  return expectWithin(x, expected, () => 0.5 * 10 ** -decimals + 1e-6);
}

/** The same numbers in both, to the precision of the device. */
export async function expectSame(x: AnyTensor | undefined, y: AnyTensor): Promise<void> {
  const values = (await y.array()) as Nested;
  await expectExact(x, values);
}

/** Overwrites parameters by name, the others stay. */
export function set<M extends Module>(module: M, state: Readonly<Record<string, Nested>>): M {
  const tensors = Object.fromEntries(Object.entries(state).map(([key, v]) => [key, given(v) as AnyTensor]));
  module.loadStateDict({ ...module.stateDict(), ...tensors });
  return module;
}

/** Sequential for lists that are put together at run time, whose shapes the compiler cannot follow. */
export function chain(...modules: readonly Module[]): Module & { forward(x: AnyTensor): Tensor } {
  return new Sequential(...(modules as never[])) as unknown as Module & { forward(x: AnyTensor): Tensor };
}
