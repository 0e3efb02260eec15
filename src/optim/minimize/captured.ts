// Captured functions of searches: called once, and replayed at each evaluation. A search is of one function, whatever a variable of JavaScript
// that it reads does meanwhile, so that replays are not compared with the function (which would also take values that it reads from
// outside, and which are computed in between, for a change).

import { type CompiledFunction, compile } from '../../tensor/compile.js';
import type { AnyTensor, Tensor } from '../../tensor/tensor.js';

export type Program<A extends AnyTensor[] = Tensor[]> = CompiledFunction<A, Tensor>;

export function captured<A extends AnyTensor[]>(fn: (...args: A) => Tensor): Program<A> {
  return compile(fn, { check: false });
}
