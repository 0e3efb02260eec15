// What depends on sizes that may be any: the same numbers of several traces, with other sizes of the inputs, as a sum of multiples of
// these sizes, or as a multiple of their product.

/** A size of an input that may be any, and what it was in each trace. */
export interface Free {
  readonly name: string;
  readonly input: string;
  readonly axis: number;
  readonly sizes: readonly number[];
}

/** base + Σ factor · size */
export interface Linear {
  readonly base: number;
  readonly terms: readonly { readonly free: Free; readonly factor: number }[];
}

/**
 * The numbers as a function of the sizes; undefined if they are none of this kind. Trace 0 is the model's own, trace i + 1 has another
 * size i, and the last another of all of them, which checks the others.
 */
export function linearIn(values: readonly number[], free: readonly Free[]): Linear | undefined {
  const [first] = values;
  if (values.every((value) => value === first)) return { base: first, terms: [] };
  const terms = free
    .map((one, i) => ({ free: one, factor: (values[i + 1] - first) / (one.sizes[i + 1] - one.sizes[0]) }))
    .filter(({ factor }) => factor !== 0);
  const base = terms.reduce((sum, term) => sum - term.factor * term.free.sizes[0], first);
  if (![base, ...terms.map(({ factor }) => factor)].every(Number.isSafeInteger)) return undefined;
  const last = values.length - 1;
  const foreseen = terms.reduce((sum, term) => sum + term.factor * term.free.sizes[last], base);
  return foreseen === values[last] ? { base, terms } : undefined;
}

/** factor · Π size ^ power */
export interface Product {
  readonly factor: number;
  readonly powers: readonly { readonly free: Free; readonly power: number }[];
}

/** The numbers as a product of sizes, for traces as `linearIn` has them: in trace i + 1 size i is twice its own, in the last one all are three times. */
export function productIn(values: readonly number[], free: readonly Free[]): Product | undefined {
  const [first] = values;
  if (!(first > 0)) return undefined;
  const powers = free
    .map((one, i) => ({ free: one, power: Math.log2(values[i + 1] / first) }))
    .filter(({ power }) => power !== 0);
  if (!powers.every(({ power }) => Number.isInteger(power) && power > 0)) return undefined;
  const total = powers.reduce((sum, { power }) => sum + power, 0);
  const factor = powers.reduce((rest, { free: one, power }) => rest / one.sizes[0] ** power, first);
  return Number.isSafeInteger(factor) && values[values.length - 1] === first * 3 ** total
    ? { factor, powers }
    : undefined;
}
