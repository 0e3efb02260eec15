// A square of vectors transposed in registers: log2(W) rounds of interleaving the first half with the second.

import * as L from '../../../loop/loop.js';
import type { Expr } from '../../../loop/loop.js';
import type { KernelBuilder } from './kernel-builder.js';

export function transposeVectors(k: KernelBuilder, vectors: readonly Expr[]): Expr[] {
  const n = vectors.length;
  const low: number[] = [];
  const high: number[] = [];
  for (let i = 0; i < n / 2; i++) {
    low.push(i, n + i);
    high.push(n / 2 + i, n + n / 2 + i);
  }
  let current = vectors.map((v) => k.define('t', v));
  for (let round = 1; round < n; round *= 2) {
    const next: L.Var[] = [];
    for (let i = 0; i < n / 2; i++) {
      next.push(k.define('t', L.shuffle(current[i], current[i + n / 2], low)));
      next.push(k.define('t', L.shuffle(current[i], current[i + n / 2], high)));
    }
    current = next;
  }
  return current;
}
