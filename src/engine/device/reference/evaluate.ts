// The executable specification: every operator's meaning, one table. A node and the values of its operands → its value.
// Written to be read, not to be fast. It knows nothing of buffers (device.ts) or of how other devices do it.

import type { Node } from '../../ir/node.js';
import type { CompilerOp, Op } from '../../ir/op.js';
import { CONTRACTIONS } from './contractions.js';
import { DENSE } from './dense/dense.js';
import { MAPS } from './maps.js';
import { MOVEMENTS } from './movement.js';
import { REDUCTIONS } from './reductions.js';
import type { Given, Meaning, Value } from './value.js';

export const MEANINGS = {
  ...MAPS,
  ...MOVEMENTS,
  ...REDUCTIONS,
  ...CONTRACTIONS,
  ...DENSE,
} satisfies { readonly [O in Exclude<Op, CompilerOp>]: Meaning<O> };

export function evaluate(node: Node, operands: readonly Value[], given: Given): Value {
  const meaning = MEANINGS[node.op as Exclude<Op, CompilerOp>] as Meaning;
  return { data: meaning(operands, node, given), shape: node.shape, dtype: node.dtype };
}
