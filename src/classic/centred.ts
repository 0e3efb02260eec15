// What least squares needs of rows and targets: both seen from their means, and their products.

import { withoutGrad } from '../tensor/grad-mode.js';
import type { Tensor } from '../tensor/tensor.js';
import { type Matrix, tensorOf, vectorOf, zeroMatrix } from './rows.js';

export interface Centred {
  /** Rows minus `mean`, float64. */
  readonly x: Matrix & { readonly data: Float64Array };
  /** Targets minus `targetMean`. */
  readonly y: Float64Array;
  /** Of the columns; zeros where no intercept is asked for. */
  readonly mean: Float64Array;
  readonly targetMean: number;
}

export function centre(x: Matrix, y: Float64Array, intercept: boolean): Centred {
  const mean = new Float64Array(x.columns);
  let targetMean = 0;
  if (intercept) {
    for (let i = 0, at = 0; i < x.rows; i++) for (let j = 0; j < x.columns; j++) mean[j] += x.data[at++] / x.rows;
    targetMean = y.reduce((a, b) => a + b, 0) / y.length;
  }
  const out = zeroMatrix(x.rows, x.columns);
  for (let i = 0, at = 0; i < x.rows; i++)
    for (let j = 0; j < x.columns; j++, at++) out.data[at] = x.data[at] - mean[j];
  return { x: { ...out, data: out.data as Float64Array }, y: y.map((v) => v - targetMean), mean, targetMean };
}

/** XᵀX [d, d] and Xᵀy [d]. */
export async function normalEquations(
  x: Matrix,
  y: Float64Array,
): Promise<{ gram: Float64Array; right: Float64Array }> {
  const rows: Tensor = tensorOf(x);
  const targets: Tensor = vectorOf(y);
  const [gram, right]: [Tensor, Tensor] = withoutGrad(() => [
    rows.T.matmul(rows) as Tensor,
    rows.T.matmul(targets.unsqueeze(1)) as Tensor,
  ]);
  const [a, b] = await Promise.all([gram.data(), right.data()]);
  return { gram: Float64Array.from(a), right: Float64Array.from(b) };
}

/** b = ȳ − x̄·w. */
export function interceptOf({ mean, targetMean }: Centred, w: Float64Array): number {
  return w.reduce((sum, weight, j) => sum - weight * mean[j], targetMean);
}

/** w·x + b of each row. */
export function linearValues(x: Matrix, w: Float64Array, intercept: number): Float64Array {
  const d = x.columns;
  return Float64Array.from({ length: x.rows }, (_, i) => {
    let sum = intercept;
    for (let j = 0; j < d; j++) sum += x.data[i * d + j] * w[j];
    return sum;
  });
}
