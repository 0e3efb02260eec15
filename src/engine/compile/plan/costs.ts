// What operators cost, roughly: for what to store, and how much one kernel may do.

import type { Op } from '../../ir/op.js';

/** Rough cost of an operator in vector instructions; unlisted ones are 1. */
const COST: Partial<Record<Op, number>> = {
  exp: 10,
  expm1: 12,
  log: 10,
  log1p: 12,
  log2: 10,
  log10: 10,
  sin: 14,
  cos: 14,
  tan: 18,
  sinh: 14,
  cosh: 12,
  tanh: 14,
  asin: 16,
  acos: 16,
  atan: 12,
  erf: 16,
  sigmoid: 12,
  pow: 24,
  random: 60,
  div: 3,
  recip: 3,
  sqrt: 3,
  mod: 16,
  idiv: 16,
  fold: 4,
};

/** Cost of the operator alone, operands aside. */
export function costOf(op: Op): number {
  return COST[op] ?? 1;
}

/** Recomputing more than this in a second place costs more than a store and a load. */
export const STORE_COST = 9;
