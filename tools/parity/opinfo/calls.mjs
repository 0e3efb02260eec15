// Every operator of PyTorch's operator tests that nabla has: its name there → the call of nabla.

import { ARRANGING } from './arranging.mjs';
import { ELEMENTWISE } from './elementwise.mjs';
import { FUNCTIONAL } from './functional.mjs';
import { LINALG } from './linalg.mjs';
import { REDUCTIONS } from './reductions.mjs';
import { SIGNALS } from './signals.mjs';

export const CALLS = { ...ELEMENTWISE, ...REDUCTIONS, ...ARRANGING, ...FUNCTIONAL, ...SIGNALS, ...LINALG };

/** Why numbers differ, where neither a row nor an error says it. */
export const NOTES = {
  cholesky_inverse: "PyTorch's gradient has numbers for elements that are not read",
  cholesky_solve: "PyTorch's gradient has numbers for elements that are not read",
  exponential: 'float32: a shape has no dtype',
  normal: 'float32: numbers and a shape have no dtype',
  bincount: 'sums of int32 weights are float32, in PyTorch float64',
  gather: 'PyTorch does not look at the dtype of an index without elements',
  cov: "PyTorch's float32 weights of float64 numbers lose digits",
  'nn.functional.hardsigmoid': "PyTorch's 1/6 of the gradient is float32's",
};
