// Shared by the comparisons of nabla/classic with scikit-learn: its fixture, the tables of both, and what counts as equal.
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { AnyTensor } from 'nabla';
import { breastCancer, diabetes, digits, iris, wine } from 'nabla/data';
import { StandardScaler, tableOf } from 'nabla/classic';

export type Numbers = number | readonly Numbers[];
/** What the fixture says of one case: its fields are of the kinds that the test expects. */
export type Row = Readonly<Record<string, never>>;

const path = new URL('../fixtures/classic.json', import.meta.url);
export const fixture = JSON.parse(readFileSync(path, 'utf8')) as Readonly<Record<string, never>>;

export interface Lists {
  readonly x: number[][];
  readonly y: number[];
}

/** Numbers of float32 in float64, as the fixture was made from. */
async function listsOf(set: Parameters<typeof tableOf>[0]): Promise<Lists> {
  const { x, y } = tableOf(set);
  return { x: await x.array(), y };
}

export const SETS: Readonly<Record<string, Lists>> = {
  digits: await listsOf(digits()),
  iris: await listsOf(iris()),
  wine: await listsOf(wine()),
  breastCancer: await listsOf(breastCancer()),
};
export const DIABETES = await listsOf(diabetes({ scaled: false }));

/** Equal to `tolerance` of the number, or of 1 where it is smaller. */
export async function near(
  actual: AnyTensor | Numbers | Float64Array,
  expected: Numbers,
  tolerance = 1e-6,
): Promise<void> {
  const flat = (values: unknown): number[] =>
    typeof values === 'number' ? [values] : Array.from(values as ArrayLike<unknown>).flatMap(flat);
  const isTensor = typeof actual === 'object' && 'dtype' in actual;
  const own = isTensor ? Array.from(await actual.data(), Number) : flat(actual);
  const wanted = flat(expected);
  expect(own.length).toBe(wanted.length);
  const bad = wanted.flatMap((e, i) =>
    Math.abs(own[i] - e) <= tolerance * Math.max(1, Math.abs(e)) ? [] : [[i, own[i], e]],
  );
  expect(bad.slice(0, 5), `${bad.length} of ${wanted.length} differ`).toEqual([]);
}

/** Every third row to test, the others to train. */
export const parts = <Y>({ x, y }: { readonly x: readonly number[][]; readonly y: readonly Y[] }) => {
  const isTest = (_: unknown, i: number): boolean => i % 3 === 0;
  const isTrain = (_: unknown, i: number): boolean => i % 3 !== 0;
  return { a: x.filter(isTrain), ya: y.filter(isTrain), b: x.filter(isTest), yb: y.filter(isTest) };
};

export const standard = async (x: number[][]): Promise<number[][]> =>
  (await new StandardScaler().fitTransform(x)).array();
export const rowsOf = async (name: string, isScaled: boolean): Promise<number[][]> =>
  isScaled ? await standard(SETS[name].x) : SETS[name].x;
