// Stochastic gradient descent with momentum, numerically as torch.optim.SGD.

import { ArgumentError } from '../tensor/library.js';
import type { Tensor } from '../tensor/tensor.js';
import { type Clock, type Group, Optimizer, type Params, type Slots, checkRange, number } from './optimizer.js';

export interface SGDOptions {
  /** Default 1e-3. */
  lr: number;
  /** Part of the last update that is kept. Default 0. */
  momentum: number;
  /** Part of the gradient that does not enter the momentum. Default 0. */
  dampening: number;
  /** Added to the gradient, times the parameter (L2). Default 0. */
  weightDecay: number;
  /** Look ahead by the momentum. Default false. */
  nesterov: boolean;
}

interface Rates {
  readonly lr: Tensor;
  readonly decay: Tensor | undefined;
  readonly momentum: Tensor | undefined;
  readonly entering: Tensor | undefined;
  readonly nesterov: boolean;
}

/** v ← momentum · v + (1 − dampening) · g;  p ← p − lr · v. PyTorch: torch.optim.SGD. */
export class SGD extends Optimizer<SGDOptions, Rates> {
  constructor(params: Params<SGDOptions>, options: Partial<SGDOptions> = {}) {
    super(params, { lr: 1e-3, momentum: 0, dampening: 0, weightDecay: 0, nesterov: false }, options);
  }

  protected check({ lr, momentum, dampening, weightDecay, nesterov }: SGDOptions): void {
    checkRange(lr, 'SGD: lr', 0);
    checkRange(momentum, 'SGD: momentum', 0);
    checkRange(weightDecay, 'SGD: weightDecay', 0);
    if (nesterov && (momentum === 0 || dampening !== 0)) {
      throw new ArgumentError(
        `SGD: nesterov with momentum ${momentum} and dampening ${dampening}. It needs momentum above 0 and no dampening.`,
      );
    }
  }

  protected rates(group: Group<SGDOptions>, clock: Clock): Rates {
    return {
      lr: number(() => group.lr),
      decay: group.weightDecay === 0 ? undefined : number(() => group.weightDecay),
      momentum: group.momentum === 0 ? undefined : number(() => group.momentum),
      // The first gradient enters whole, as in PyTorch.
      entering: group.dampening === 0 ? undefined : number(() => (clock.step === 1 ? 1 : 1 - group.dampening)),
      nesterov: group.nesterov,
    };
  }

  protected move(p: Tensor, g: Tensor, { lr, decay, momentum, entering, nesterov }: Rates, slots: Slots): Tensor {
    let direction = decay === undefined ? g : g.add(p.mul(decay));
    if (momentum !== undefined) {
      const buffer = slots('momentum_buffer');
      const next = buffer.mul(momentum).add(entering === undefined ? direction : direction.mul(entering));
      buffer.assign_(next);
      direction = nesterov ? direction.add(next.mul(momentum)) : next;
    }
    return p.sub(direction.mul(lr));
  }
}
