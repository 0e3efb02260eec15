// Adam (Kingma and Ba 2015) and AdamW (Loshchilov and Hutter 2019), numerically as torch.optim's.

import type { Tensor } from '../tensor/tensor.js';
import { type Group, Optimizer, type Params, checkRange } from './optimizer.js';

export interface AdamOptions {
  lr: number;
  /** Decay of the running mean of gradients and of their squares. Default [0.9, 0.999]. */
  betas: readonly [number, number];
  eps: number;
  /** Adam: added to the gradient, times the parameter. AdamW: the parameter shrinks by lr · weightDecay. */
  weightDecay: number;
}

abstract class AdamFamily extends Optimizer<AdamOptions> {
  protected abstract readonly decoupled: boolean;

  constructor(params: Params<AdamOptions>, options: Partial<AdamOptions>, weightDecay: number) {
    super(params, { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay, ...options }, (o) => {
      checkRange(o.lr, 'Adam: lr', 0);
      checkRange(o.betas[0], 'Adam: betas[0]', 0, 1);
      checkRange(o.betas[1], 'Adam: betas[1]', 0, 1);
      checkRange(o.eps, 'Adam: eps', 0);
      checkRange(o.weightDecay, 'Adam: weightDecay', 0);
    });
    this.slot('exp_avg');
    this.slot('exp_avg_sq');
  }

  protected update(group: Group<AdamOptions>, first: number): void {
    const mean = this.slot('exp_avg');
    const square = this.slot('exp_avg_sq');
    const beta2 = this.number(() => group.betas[1]);
    const new1 = this.number(() => 1 - group.betas[0]);
    const new2 = this.number(() => 1 - group.betas[1]);
    const eps = this.number(() => group.eps);
    // Both bias corrections are numbers of the host: lr / (1 − β₁ᵗ) and 1 / √(1 − β₂ᵗ).
    const rate = this.number(() => group.lr / (1 - group.betas[0] ** this.stepCount));
    const correction = this.number(() => 1 / Math.sqrt(1 - group.betas[1] ** this.stepCount));
    const hasDecay = group.weightDecay !== 0;
    const decay = this.number(() => (this.decoupled ? 1 - group.lr * group.weightDecay : group.weightDecay));
    group.params.forEach((p, i) => {
      if (p.grad === undefined) return;
      let g = p.grad as Tensor;
      let start: Tensor = p;
      if (hasDecay && this.decoupled) start = p.mul(decay) as Tensor;
      else if (hasDecay) g = g.add(p.mul(decay) as Tensor) as Tensor;
      const [m, v] = [mean[first + i], square[first + i]];
      const nextM = m.add((g.sub(m) as Tensor).mul(new1) as Tensor) as Tensor;
      const nextV = v.mul(beta2).add(g.square().mul(new2) as Tensor) as Tensor;
      m.assign_(nextM);
      v.assign_(nextV);
      const scale = nextV.sqrt().mul(correction).add(eps) as Tensor;
      p.assign_(start.sub(nextM.div(scale).mul(rate) as Tensor) as Tensor);
    });
  }
}

export class Adam extends AdamFamily {
  protected readonly decoupled = false;
  constructor(params: Params<AdamOptions>, options: Partial<AdamOptions> = {}) {
    super(params, options, 0);
  }
}

/** Weight decay apart from the gradient; 0.01 by default. */
export class AdamW extends AdamFamily {
  protected readonly decoupled = true;
  constructor(params: Params<AdamOptions>, options: Partial<AdamOptions> = {}) {
    super(params, options, 0.01);
  }
}
