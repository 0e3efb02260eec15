// The form of an operator test row, and the numbers for its inputs.
// A row says how to build a node from input nodes; what runs it (which device, forward or gradient) is the test's choice.
// Inputs are exact in float32, the same on every device, and depend only on the row's name.

import { leaf } from '../../src/engine/ir/build.js';
import { type DType, isFloat } from '../../src/engine/ir/dtype.js';
import type { Node } from '../../src/engine/ir/node.js';
import { type Shape, sizeOf } from '../../src/engine/ir/shape.js';
import { createStorage } from '../../src/engine/ir/storage.js';

/** Where the numbers of an input come from. A list is repeated; `{ below: n }` are indices 0 … n − 1. */
export type Domain =
  | 'normal'
  | 'positive'
  | 'unit'
  | 'spaced'
  | 'int'
  | 'bool'
  | { readonly below: number }
  | readonly number[];

export interface Input {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly domain: Domain;
}

export interface OperatorCase {
  readonly name: string;
  readonly inputs: readonly Input[];
  build(inputs: readonly Node[]): Node;
  /** Largest |actual − expected| / max(1, |expected|) of a float32 device; integers and booleans are exact. */
  readonly tolerance: number;
  /** How many orders of derivative agree with finite differences at these inputs. */
  readonly derivatives: 0 | 1 | 2;
}

export const f = (shape: Shape, domain: Domain = 'normal'): Input => ({ shape, dtype: 'float32', domain });
export const i = (shape: Shape, domain: Domain = 'int'): Input => ({ shape, dtype: 'int32', domain });
export const b = (shape: Shape): Input => ({ shape, dtype: 'bool', domain: 'bool' });

type Options = { readonly tolerance?: number; readonly derivatives?: 0 | 1 | 2 };

/** One row. By default smooth, and within a few float32 roundings. */
export function row(
  name: string,
  inputs: readonly Input[],
  build: (inputs: readonly Node[]) => Node,
  { tolerance = 2e-6, derivatives = 2 }: Options = {},
): OperatorCase {
  return { name, inputs, build, tolerance, derivatives };
}

/** How much closer results of float64 are, with a few digits left for sums in another order. */
const FLOAT64_SHARE = 2 ** -26;

/** The row with inputs of float64 for those of float32; undefined where there are none. */
export function inFloat64(given: OperatorCase): OperatorCase | undefined {
  if (!given.inputs.some(({ dtype }) => dtype === 'float32') || given.name.startsWith('bitcast')) return undefined;
  const inputs = given.inputs.map((x): Input => (x.dtype === 'float32' ? { ...x, dtype: 'float64' } : x));
  return { ...given, inputs, tolerance: given.tolerance * FLOAT64_SHARE };
}

/** A leaf for each input; buffers come later. */
export function makeLeaves(inputs: readonly Input[], device: string): Node[] {
  return inputs.map(({ shape, dtype }) => {
    const storage = createStorage(device, dtype, shape, sizeOf(shape), null, isFloat(dtype));
    return leaf(storage) as Node;
  });
}

/** The numbers of each input. */
export function makeData(row: Pick<OperatorCase, 'name' | 'inputs'>): Float64Array[] {
  const next = generator(row.name);
  return row.inputs.map((input) => numbers(input, next));
}

/** Uniform numbers in [0, 1) from a text (FNV-1a, then splitmix32). */
export function generator(text: string): () => number {
  let state = 0x811c9dc5;
  for (const char of text) state = Math.imul(state ^ char.codePointAt(0)!, 0x01000193);
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let z = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return ((z ^ (z >>> 15)) >>> 0) / 2 ** 32;
  };
}

function numbers({ shape, domain }: Input, next: () => number): Float64Array {
  const size = sizeOf(shape);
  const draw = drawer(domain, size, next);
  return Float64Array.from({ length: size }, (_, k) => Math.fround(draw(k)));
}

function drawer(domain: Domain, size: number, next: () => number): (k: number) => number {
  if (typeof domain === 'object') {
    if ('below' in domain) return () => Math.floor(next() * domain.below);
    return (k) => domain[k % domain.length];
  }
  switch (domain) {
    case 'normal':
      return () => 4 * next() - 2;
    case 'positive':
      return () => 0.4 + 2.5 * next();
    case 'unit':
      return () => 1.8 * next() - 0.9;
    case 'spaced': {
      // Distinct by 0.5 or more, and at least 0.12 away from every multiple of 0.5: no kink of any operator is near.
      const places = shuffle(size, next);
      return (k) => (places[k] - Math.floor(size / 2)) / 2 + 0.13 + 0.1 * next();
    }
    case 'int':
      return () => Math.floor(next() * 11) - 5;
    case 'bool':
      return () => Number(next() < 0.5);
  }
}

function shuffle(size: number, next: () => number): number[] {
  const order = Array.from({ length: size }, (_, k) => k);
  for (let k = size - 1; k > 0; k--) {
    const other = Math.floor(next() * (k + 1));
    [order[k], order[other]] = [order[other], order[k]];
  }
  return order;
}
