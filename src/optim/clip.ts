// Gradient clipping.

import { ArgumentError } from '../tensor/library.js';
import type { Tensor } from '../tensor/tensor.js';

/**
 * Scales all gradients so that their joint norm is at most `maxNorm`; returns the norm before. PyTorch:
 * nn.utils.clip_grad_norm_.
 */
export function clipGradNorm(parameters: Iterable<Tensor>, maxNorm: number): Tensor {
  if (!(maxNorm > 0)) throw new ArgumentError(`clipGradNorm: maxNorm is ${maxNorm}. Use a number above 0.`);
  const withGradient = [...parameters].filter((p) => p.grad !== undefined);
  if (withGradient.length === 0)
    throw new ArgumentError('clipGradNorm: no parameter has a gradient. Call backward() first.');
  let total: Tensor | undefined;
  for (const p of withGradient) {
    const square = (p.grad as Tensor).square().sum() as unknown as Tensor;
    total = total === undefined ? square : (total.add(square) as Tensor);
  }
  const norm = (total as Tensor).sqrt();
  const factor = norm.add(1e-6).reciprocal().mul(maxNorm).clamp(undefined, 1);
  for (const p of withGradient) p.grad = (p.grad as Tensor).mul(factor) as Tensor;
  return norm;
}
