// A variable: a tensor with the value of another that gradients are taken with respect to. It keeps the graph below it,
// so that outer derivatives flow through.

import * as build from '../engine/ir/build.js';
import type { Node } from '../engine/ir/node.js';
import { type AnyTensor, Tensor } from './tensor.js';
import { GraphValue } from './values.js';

/** An identity node that always requires a gradient and passes it on. */
export function leafLike(t: AnyTensor): Tensor {
  return new Tensor(new GraphValue(build.variable(t.node) as Node));
}
