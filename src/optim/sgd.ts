// Stochastic gradient descent with momentum, numerically as torch.optim.SGD.

import type { Tensor } from '../tensor/tensor.js';
import { type Group, Optimizer, type Params, checkRange } from './optimizer.js';

export interface SGDOptions {
  lr: number;
  /** Part of the last update that is kept. Default 0. */
  momentum: number;
  /** Part of the gradient that does not enter the momentum. Default 0. */
  dampening: number;
  /** Added to the gradient, times the parameter (L2). Default 0. */
  weightDecay: number;
  nesterov: boolean;
}

export class SGD extends Optimizer<SGDOptions> {
  constructor(params: Params<SGDOptions>, options: Partial<SGDOptions> = {}) {
    super(params, { lr: 1e-3, momentum: 0, dampening: 0, weightDecay: 0, nesterov: false, ...options }, (o) => {
      checkRange(o.lr, 'SGD: lr', 0);
      checkRange(o.momentum, 'SGD: momentum', 0);
      checkRange(o.weightDecay, 'SGD: weightDecay', 0);
    });
    if (this.groups.some((g) => g.momentum !== 0)) this.slot('momentum');
  }

  protected update(group: Group<SGDOptions>, first: number): void {
    const lr = this.number(() => group.lr);
    const decay = group.weightDecay === 0 ? undefined : this.number(() => group.weightDecay);
    const momentum = group.momentum === 0 ? undefined : this.number(() => group.momentum);
    // The first step takes the gradient whole, as PyTorch does.
    const fresh = this.number(() => (this.stepCount === 1 ? 1 : 1 - group.dampening));
    const buffers = momentum === undefined ? undefined : this.slot('momentum');
    group.params.forEach((p, i) => {
      if (p.grad === undefined) return;
      let g = p.grad as Tensor;
      if (decay !== undefined) g = g.add(p.mul(decay) as Tensor) as Tensor;
      if (momentum !== undefined && buffers !== undefined) {
        const v = buffers[first + i];
        const entering = group.dampening === 0 ? g : (g.mul(fresh) as Tensor);
        const next = v.mul(momentum).add(entering) as Tensor;
        v.assign_(next);
        g = group.nesterov ? (g.add(next.mul(momentum) as Tensor) as Tensor) : next;
      }
      p.assign_(p.sub(g.mul(lr) as Tensor) as Tensor);
    });
  }
}
