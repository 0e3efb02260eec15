// What the reductions of loops start with and how they combine: one row each.

import type { DType } from '../../../ir/dtype.js';
import type { Node } from '../../../ir/node.js';
import type { AxisReduction } from '../../../ir/op.js';
import * as L from '../../../loop/loop.js';
import type { Expr, Var } from '../../../loop/loop.js';
import { VALUE_TYPE } from './dtype-values.js';
import type { KernelBuilder } from './kernel-builder.js';

export type Combine = (a: Expr, b: Expr) => Expr;

interface Reduction {
  readonly identity: (dtype: DType) => number;
  readonly combine: Combine;
}

const lowest = (dtype: DType): number => (dtype === 'int32' ? -0x80000000 : -Infinity);

const REDUCTIONS = {
  sum: { identity: () => 0, combine: (a, b) => L.add(a, b) },
  prod: { identity: () => 1, combine: (a, b) => L.mul(a, b) },
  reduceMax: { identity: lowest, combine: (a, b) => L.binary('max', a, b) },
  reduceMin: {
    identity: (dtype) => (dtype === 'int32' ? 0x7fffffff : Infinity),
    combine: (a, b) => L.binary('min', a, b),
  },
  // One instruction, where the maximum needs three for NaN.
  reduceFmax: { identity: lowest, combine: (a, b) => L.select(L.compare('lt', a, b), b, a) },
} satisfies Record<AxisReduction, Reduction>;

function reductionOf(node: Node): Reduction {
  return REDUCTIONS[node.op as AxisReduction];
}

/** The result of no elements, in each of `lanes`. */
export function identityOf(node: Node, lanes: number): Expr {
  return L.literal(reductionOf(node).identity(node.dtype), VALUE_TYPE[node.dtype], lanes);
}

export function combineOf(node: Node): Combine {
  return reductionOf(node).combine;
}

/** ((a ∘ b) ∘ (c ∘ d)) ∘ …: neither depends on all before it, nor loses as much. */
export function inPairs(terms: readonly Expr[], combine: Combine): Expr {
  if (terms.length === 1) return terms[0];
  const half = terms.length >> 1;
  return combine(inPairs(terms.slice(0, half), combine), inPairs(terms.slice(half), combine));
}

/** The lanes of a vector combined, the upper half with the lower one, again and again. */
export function acrossLanes(k: KernelBuilder, vector: Var, combine: Combine): Expr {
  const { lanes } = vector;
  let halves = vector;
  for (let half = lanes / 2; half >= 1; half /= 2) {
    const turned = L.shuffle(
      halves,
      halves,
      Array.from({ length: lanes }, (_, i) => (i + half) % lanes),
    );
    halves = k.define('half', combine(halves, k.define('turned', turned)));
  }
  return L.extract(halves, 0);
}
