// Robust losses: how much a residual counts. ρ of z = (residual / scale)², with its first two derivatives; large residuals count less
// than their square (Triggs et al. 2000; SciPy's least_squares has the same).

/** `linear` is least squares itself. */
export type RobustLoss = 'linear' | 'huber' | 'softL1' | 'cauchy' | 'arctan';

type Rho = (z: number) => readonly [value: number, first: number, second: number];

export const LOSSES: Readonly<Record<RobustLoss, Rho>> = {
  linear: (z) => [z, 1, 0],
  huber: (z) => (z <= 1 ? [z, 1, 0] : [2 * Math.sqrt(z) - 1, z ** -0.5, -0.5 * z ** -1.5]),
  softL1: (z) => [2 * (Math.sqrt(1 + z) - 1), (1 + z) ** -0.5, -0.5 * (1 + z) ** -1.5],
  cauchy: (z) => [Math.log1p(z), 1 / (1 + z), -1 / (1 + z) ** 2],
  arctan: (z) => [Math.atan(z), 1 / (1 + z * z), (-2 * z) / (1 + z * z) ** 2],
};

/** Half the sum of ρ over the residuals, in their units. */
export function costOf(residuals: Float64Array, loss: RobustLoss, scale: number): number {
  const rho = LOSSES[loss];
  let sum = 0;
  for (const r of residuals) sum += rho((r / scale) ** 2)[0];
  return 0.5 * scale ** 2 * sum;
}

/**
 * What residuals and rows of the Jacobian are multiplied with, so that least squares of the products has the gradient of the robust cost
 * and, as far as it stays positive, its curvature.
 */
export function weightsOf(
  residuals: Float64Array,
  loss: RobustLoss,
  scale: number,
): { residual: Float64Array; row: Float64Array } {
  const [residual, row] = [new Float64Array(residuals.length), new Float64Array(residuals.length)];
  for (let i = 0; i < residuals.length; i++) {
    const z = (residuals[i] / scale) ** 2;
    const [, first, second] = LOSSES[loss](z);
    row[i] = Math.sqrt(Math.max(first + 2 * second * z, Number.EPSILON));
    residual[i] = first / row[i];
  }
  return { residual, row };
}
