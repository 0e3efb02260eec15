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
  cdist: 'float32: what a product of the points loses, as use_mm asks, is not the same as in PyTorch',
  cov: "PyTorch's float32 weights of float64 numbers lose digits, and a gradient of 0 is rounding",
  gather: 'PyTorch takes an index of two dimensions for a vector, if it has no elements',
  logcumsumexp: "float32: at 10000 neighbours are 0.001 apart, in PyTorch's gradient, too",
  'nn.functional.ctc_loss': 'float32: log-probabilities of -100 and less are 1e-5 apart',
  'nn.functional.scaled_dot_product_attention': 'float32: a small difference of larger terms',
  'nn.functional.hardsigmoid': "PyTorch's 1/6 of the gradient is float32's",
};
