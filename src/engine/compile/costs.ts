// What operators cost, roughly: for what to store, and how much one kernel may do.

import type { Op } from '../ir/op.js';

/** Rough cost of an operator in vector instructions; unlisted ones are 1. */
const COST: Partial<Record<Op, number>> = {
  exp: 10,
  expm1: 12,
  log: 10,
  log1p: 12,
  sin: 14,
  cos: 14,
  tanh: 14,
  atan: 12,
  erf: 16,
  sigmoid: 12,
  pow: 24,
  random: 60,
  div: 3,
  recip: 3,
  sqrt: 3,
  mod: 8,
  idiv: 8,
  fold: 4,
};

/** Cost of the operator alone, operands aside. */
export function costOf(op: Op): number {
  return COST[op] ?? 1;
}
