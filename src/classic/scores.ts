// How good predictions are, in float64, as scikit-learn's accuracy_score and r2_score count it.

import type { Label } from './labels.js';

/** Share of equal labels. */
export function accuracyOf(truth: readonly Label[], predicted: readonly Label[]): number {
  let right = 0;
  for (let i = 0; i < truth.length; i++) if (truth[i] === predicted[i]) right++;
  return right / truth.length;
}

/** 1 − Σ (y − ŷ)² / Σ (y − mean)². NaN for fewer than two numbers; for equal ones 1 if they are met, else 0. */
export function r2Of(truth: Float64Array, predicted: Float64Array): number {
  if (truth.length < 2) return NaN;
  const mean = truth.reduce((a, b) => a + b, 0) / truth.length;
  const residual = truth.reduce((sum, y, i) => sum + (y - predicted[i]) ** 2, 0);
  const total = truth.reduce((sum, y) => sum + (y - mean) ** 2, 0);
  if (total === 0) return residual === 0 ? 1 : 0;
  return 1 - residual / total;
}
