// Kernels that differ only in where their operands begin made equal. The steps of a recurrent network do the same with
// another slice of the same array: the constant that every access to an operand has in common moves out of the kernel,
// into the operand of its call. Emitters print equal kernels once, so code stays small and is compiled once.
// Input: a kernel. Output: the kernel, and for each buffer how many elements further on it begins.

import * as L from './loop.js';
import { type Buffer, type Expr, type KernelFunction, termsOf } from './loop.js';
import { withIndices } from './rewrite.js';

export interface Moved {
  readonly kernel: KernelFunction;
  /** Elements, one for each buffer. */
  readonly origins: readonly number[];
}

export function moveOrigins(kernel: KernelFunction): Moved {
  const least = new Map<Buffer, number>();
  withIndices(kernel.body, (buffer, index) => {
    const constant = constantOf(index);
    least.set(buffer, Math.min(constant, least.get(buffer) ?? constant));
    return index;
  });
  const origins = kernel.buffers.map((b) => Math.max(0, least.get(b) ?? 0));
  if (origins.every((n) => n === 0)) return { kernel, origins };
  const originOf = new Map(kernel.buffers.map((b, i) => [b, origins[i]]));
  const body = withIndices(kernel.body, (buffer, index) => {
    const origin = originOf.get(buffer) ?? 0;
    return origin === 0 ? index : withConstant(index, constantOf(index) - origin);
  });
  return { kernel: { ...kernel, body }, origins };
}

function constantOf(index: Expr): number {
  return termsOf(index).reduce((sum, t) => (t.kind === 'const' ? sum + t.value : sum), 0);
}

function withConstant(index: Expr, constant: number): Expr {
  const terms: Expr[] = termsOf(index).filter((t) => t.kind !== 'const');
  return terms.length === 0
    ? L.int(constant)
    : L.add(
        terms.reduce((a, b) => L.add(a, b)),
        L.int(constant),
      );
}
