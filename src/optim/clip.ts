// Gradient clipping.

import { ArgumentError } from '../tensor/library.js';
import { noGrad } from '../tensor/grad-mode.js';
import type { Tensor } from '../tensor/tensor.js';

export interface ClipOptions {
  /** p of the norm (Σ |g|ᵖ)^(1/p); Infinity for the largest element. Default 2. */
  readonly normType?: number;
}

/**
 * Scales all gradients so that their joint norm is at most `maxNorm`, and returns the norm before, to be read after the
 * step. Parameters without a gradient do not count. PyTorch: nn.utils.clip_grad_norm_.
 */
export function clipGradNorm_(
  parameters: Iterable<Tensor>,
  maxNorm: number,
  { normType = 2 }: ClipOptions = {},
): Tensor<[]> {
  if (!(maxNorm >= 0)) throw new ArgumentError(`clipGradNorm_: maxNorm is ${maxNorm}. Use a number of at least 0.`);
  if (!(normType > 0))
    throw new ArgumentError(`clipGradNorm_: normType is ${normType}. Use a number above 0 or Infinity.`);
  const active = [...parameters].filter((p) => p.grad !== undefined);
  if (active.length === 0)
    throw new ArgumentError('clipGradNorm_: no parameter has a gradient. Call backward() first.');
  return noGrad(() => {
    const gradients = active.map((p) => p.grad as Tensor);
    const norm = joint(gradients, normType);
    const factor = norm.add(1e-6).reciprocal().mul(maxNorm).clamp(undefined, 1);
    active.forEach((p, i) => (p.grad = gradients[i].mul(factor)));
    return norm.keep() as unknown as Tensor<[]>;
  });
}

function joint(gradients: readonly Tensor[], p: number): Tensor {
  const over = (each: (g: Tensor) => Tensor, join: (a: Tensor, b: Tensor) => Tensor) =>
    gradients.map(each).reduce(join);
  const add = (a: Tensor, b: Tensor): Tensor => a.add(b);
  if (p === Infinity)
    return over(
      (g) => g.abs().amax() as Tensor,
      (a, b) => a.maximum(b),
    );
  if (p === 1) return over((g) => g.abs().sum() as Tensor, add);
  if (p === 2) return over((g) => g.square().sum() as Tensor, add).sqrt();
  return over((g) => g.abs().pow(p).sum() as Tensor, add).pow(1 / p);
}
