// Limits: of gradients before a step, of weights after it.

import { parametersOf } from './optimizer.js';
import { ArgumentError, checkOptions, type OptionNames, shown, updateAtOnce } from '../tensor/library.js';
import { withoutGrad } from '../tensor/grad-mode.js';
import { where } from '../tensor/functions.js';
import type { Tensor } from '../tensor/tensor.js';

export interface ClipOptions {
  /** p of the norm (Σ |g|ᵖ)^(1/p); Infinity for the largest element. Default 2. */
  readonly normType?: number;
}

const CLIP_OPTIONS: OptionNames<ClipOptions> = { normType: true };

/**
 * Scales all gradients so that their joint norm is at most `maxNorm`, and returns the norm before, to be read after the
 * step. Parameters without a gradient do not count. PyTorch: nn.utils.clip_grad_norm_.
 */
export function clipGradNorm_(parameters: Iterable<Tensor>, maxNorm: number, options: ClipOptions = {}): Tensor<[]> {
  checkOptions('clipGradNorm_', options, CLIP_OPTIONS);
  const { normType = 2 } = options;
  if (!isNumber(maxNorm, 0))
    throw new ArgumentError(`clipGradNorm_: maxNorm is ${shown(maxNorm)}. Use a number of at least 0.`);
  if (!(normType > 0))
    throw new ArgumentError(`clipGradNorm_: normType is ${normType}. Use a number above 0 or Infinity.`);
  const active = parametersOf('clipGradNorm_', parameters).filter((p) => p.grad !== undefined);
  if (active.length === 0)
    throw new ArgumentError('clipGradNorm_: no parameter has a gradient. Call backward() first.');
  return withoutGrad(() => {
    const gradients = active.map((p) => p.grad as Tensor);
    const norm = jointNorm(gradients, normType);
    const factor = norm.add(1e-6).reciprocal().mul(maxNorm).clamp(undefined, 1);
    active.forEach((p, i) => (p.grad = gradients[i].mul(factor)));
    return norm.keep() as Tensor<[]>;
  });
}

/**
 * The p-norm of tensors together, as if they were one vector, through which gradients flow: of gradients, to be watched. PyTorch:
 * nn.utils.get_total_norm.
 */
export function getTotalNorm(tensors: Iterable<Tensor>, options: ClipOptions = {}): Tensor<[]> {
  checkOptions('getTotalNorm', options, CLIP_OPTIONS);
  const { normType = 2 } = options;
  if (!(normType > 0))
    throw new ArgumentError(`getTotalNorm: normType is ${shown(normType)}. Use a number above 0 or Infinity.`);
  const list = parametersOf('getTotalNorm', tensors);
  if (list.length === 0) throw new ArgumentError('getTotalNorm: there are no tensors. Give at least one.');
  return jointNorm(list, normType) as Tensor<[]>;
}

/**
 * Brings every element of all gradients into [−value, value]. Parameters without a gradient do not count.
 * PyTorch: nn.utils.clip_grad_value_.
 */
export function clipGradValue_(parameters: Iterable<Tensor>, value: number): void {
  if (!isNumber(value, 0))
    throw new ArgumentError(`clipGradValue_: value is ${shown(value)}. Use a number of at least 0.`);
  const list = parametersOf('clipGradValue_', parameters);
  withoutGrad(() => {
    for (const p of list) if (p.grad !== undefined) p.grad = p.grad.clamp(-value, value);
  });
}

/**
 * The max-norm constraint (Srivastava et al. 2014), after a step: the weights into each output unit (all but the first axis
 * of a weight) are scaled so that their norm is at most `maxNorm`. Parameters of fewer than two axes stay as they are.
 * PyTorch: torch.renorm(p, 2, 0, maxNorm).
 */
export async function maxNorm_(parameters: Iterable<Tensor>, maxNorm: number): Promise<void> {
  if (!(isNumber(maxNorm, 0) && maxNorm > 0))
    throw new ArgumentError(`maxNorm_: maxNorm is ${shown(maxNorm)}. Use a number above 0.`);
  const list = parametersOf('maxNorm_', parameters);
  await updateAtOnce(() => {
    for (const p of list) {
      if (p.rank < 2) continue;
      const axes = Array.from({ length: p.rank - 1 }, (_, i) => i + 1);
      const norm = p.square().sum(axes, { keepdim: true }).sqrt();
      const scale = where(norm.gt(maxNorm), norm.add(1e-7).reciprocal().mul(maxNorm), 1);
      p.assign_(p.mul(scale));
    }
  });
}

function isNumber(value: number, least: number): boolean {
  return typeof value === 'number' && value >= least;
}

/** The p-norm of all tensors together, as one number. PyTorch: nn.utils.get_total_norm. */
export function jointNorm(tensors: readonly Tensor[], p = 2): Tensor {
  const over = (each: (g: Tensor) => Tensor, join: (a: Tensor, b: Tensor) => Tensor) => tensors.map(each).reduce(join);
  const add = (a: Tensor, b: Tensor): Tensor => a.add(b);
  if (p === Infinity)
    return over(
      (g) => g.abs().amax(),
      (a, b) => a.maximum(b),
    );
  if (p === 1) return over((g) => g.abs().sum(), add);
  if (p === 2) return over((g) => g.square().sum(), add).sqrt();
  return over((g) => g.abs().pow(p).sum(), add).pow(1 / p);
}
