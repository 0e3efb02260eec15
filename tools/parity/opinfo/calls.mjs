// Every operator of PyTorch's operator tests that nabla has: its name there → the call of nabla.

import { ARRANGING } from './arranging.mjs';
import { ELEMENTWISE } from './elementwise.mjs';
import { FUNCTIONAL } from './functional.mjs';
import { REDUCTIONS } from './reductions.mjs';
import { SIGNALS } from './signals.mjs';

export const CALLS = { ...ELEMENTWISE, ...REDUCTIONS, ...ARRANGING, ...FUNCTIONAL, ...SIGNALS };

/** Why numbers differ, where neither a row nor an error says it. */
export const NOTES = {
  'nn.functional.hardsigmoid': "PyTorch's 1/6 of the gradient is float32's",
};
