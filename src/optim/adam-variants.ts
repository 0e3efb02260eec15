// Relatives of Adam: Adamax (Kingma and Ba 2015, section 7), NAdam (Dozat 2016), RAdam (Liu et al. 2020). Numerically as
// torch.optim's: everything that depends on the number of updates alone is worked out in double precision on the host.

import type { Tensor } from '../tensor/tensor.js';
import { type Clock, type Group, Optimizer, type Params, type Slots, checkRange, number } from './optimizer.js';

export interface AdamVariantOptions {
  /** Default 2e-3; RAdam 1e-3. */
  lr: number;
  /** Decay of the running mean of gradients and of their squares (Adamax: their largest). Default [0.9, 0.999]. */
  betas: readonly [number, number];
  /** Default 1e-8. */
  eps: number;
  /** Added to the gradient, times the parameter (L2). Default 0. */
  weightDecay: number;
}

export interface DecoupledOptions extends AdamVariantOptions {
  /** The parameter shrinks by lr · weightDecay instead, apart from the gradient. Default false. */
  decoupledWeightDecay: boolean;
}

const DEFAULTS: AdamVariantOptions = { lr: 2e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0 };

function checkVariant(name: string, { lr, betas, eps, weightDecay }: AdamVariantOptions): void {
  checkRange(lr, `${name}: lr`, 0);
  checkRange(betas[0], `${name}: betas[0]`, 0, 1);
  checkRange(betas[1], `${name}: betas[1]`, 0, 1);
  checkRange(eps, `${name}: eps`, 0);
  checkRange(weightDecay, `${name}: weightDecay`, 0);
}

interface Common {
  readonly decay: Tensor | undefined;
  /** 1 − lr · weightDecay, where that is apart from the gradient. */
  readonly shrink: Tensor | undefined;
  readonly new1: Tensor;
  readonly beta2: Tensor;
  readonly new2: Tensor;
  readonly eps: Tensor;
}

function common(group: Group<AdamVariantOptions>, isDecoupled = false): Common {
  const hasDecay = group.weightDecay !== 0;
  return {
    decay: hasDecay && !isDecoupled ? number(() => group.weightDecay) : undefined,
    shrink: hasDecay && isDecoupled ? number(() => 1 - group.lr * group.weightDecay) : undefined,
    new1: number(() => 1 - group.betas[0]),
    beta2: number(() => group.betas[1]),
    new2: number(() => 1 - group.betas[1]),
    eps: number(() => group.eps),
  };
}

/** The gradient with L2 decay, and the running mean with it. */
function meanOf(p: Tensor, gradient: Tensor, { decay, new1 }: Common, slots: Slots): [g: Tensor, mean: Tensor] {
  const g = decay === undefined ? gradient : gradient.add(p.mul(decay));
  const mean = slots('exp_avg');
  const m = mean.add(g.sub(mean).mul(new1));
  mean.assign_(m);
  return [g, m];
}

function squareOf(g: Tensor, { beta2, new2 }: Common, slots: Slots): Tensor {
  const square = slots('exp_avg_sq');
  const v = square.mul(beta2).add(g.square().mul(new2));
  square.assign_(v);
  return v;
}

/** The parameter after decay that is apart from the gradient. */
function shrunk(p: Tensor, { shrink }: Common): Tensor {
  return shrink === undefined ? p : p.mul(shrink);
}

interface AdamaxRates extends Common {
  /** lr / (1 − β₁ᵗ) */
  readonly rate: Tensor;
}

/** Adam with the largest decayed gradient in place of the root mean square. PyTorch: torch.optim.Adamax. */
export class Adamax extends Optimizer<AdamVariantOptions, AdamaxRates> {
  constructor(params: Params<AdamVariantOptions>, options: Partial<AdamVariantOptions> = {}) {
    super(params, { ...DEFAULTS }, options);
  }

  protected check(options: AdamVariantOptions): void {
    checkVariant('Adamax', options);
  }

  protected rates(group: Group<AdamVariantOptions>, clock: Clock): AdamaxRates {
    return { ...common(group), rate: number(() => group.lr / (1 - group.betas[0] ** clock.step)) };
  }

  protected move(p: Tensor, gradient: Tensor, rates: AdamaxRates, slots: Slots): Tensor {
    const [g, m] = meanOf(p, gradient, rates, slots);
    const largest = slots('exp_inf');
    const next = largest.mul(rates.beta2).maximum(g.abs().add(rates.eps));
    largest.assign_(next);
    return p.sub(m.div(next).mul(rates.rate));
  }
}

export interface NAdamOptions extends DecoupledOptions {
  /** How fast the momentum rises to betas[0]. Default 4e-3. */
  momentumDecay: number;
}

interface NAdamRates extends Common {
  /** 1 / √(1 − β₂ᵗ) */
  readonly correction: Tensor;
  /** What the gradient and the mean are multiplied by. */
  readonly ofGradient: Tensor;
  readonly ofMean: Tensor;
}

/** Adam with Nesterov's look ahead. PyTorch: torch.optim.NAdam. */
export class NAdam extends Optimizer<NAdamOptions, NAdamRates> {
  constructor(params: Params<NAdamOptions>, options: Partial<NAdamOptions> = {}) {
    super(params, { ...DEFAULTS, decoupledWeightDecay: false, momentumDecay: 4e-3 }, options);
  }

  protected check(options: NAdamOptions): void {
    checkVariant('NAdam', options);
    checkRange(options.momentumDecay, 'NAdam: momentumDecay', 0);
  }

  protected rates(group: Group<NAdamOptions>, clock: Clock): NAdamRates {
    const momentum = (t: number) => group.betas[0] * (1 - 0.5 * 0.96 ** (t * group.momentumDecay));
    // μ₁ · … · μₜ, one factor more at each update.
    let [known, product] = [0, 1];
    const productTo = (t: number): number => {
      if (t < known) [known, product] = [0, 1];
      while (known < t) product *= momentum(++known);
      return product;
    };
    return {
      ...common(group, group.decoupledWeightDecay),
      correction: number(() => 1 / Math.sqrt(1 - group.betas[1] ** clock.step)),
      ofGradient: number(() => (group.lr * (1 - momentum(clock.step))) / (1 - productTo(clock.step))),
      ofMean: number(() => {
        const next = momentum(clock.step + 1);
        return (group.lr * next) / (1 - productTo(clock.step) * next);
      }),
    };
  }

  protected move(p: Tensor, gradient: Tensor, rates: NAdamRates, slots: Slots): Tensor {
    const [g, m] = meanOf(p, gradient, rates, slots);
    const size = squareOf(g, rates, slots).sqrt().mul(rates.correction).add(rates.eps);
    return shrunk(p, rates).sub(g.mul(rates.ofGradient).add(m.mul(rates.ofMean)).div(size));
  }
}

interface RAdamRates extends Common {
  /** lr / (1 − β₁ᵗ) */
  readonly rate: Tensor;
  /** The step is rate · m · (adaptive / (√v + eps) + plain): one of them is 0. */
  readonly adaptive: Tensor;
  readonly plain: Tensor;
}

/** The variance of the step's size is tractable from this length of its average on. */
const TRACTABLE = 5;

/** Adam that takes plain momentum steps until its running squares mean something. PyTorch: torch.optim.RAdam. */
export class RAdam extends Optimizer<DecoupledOptions, RAdamRates> {
  constructor(params: Params<DecoupledOptions>, options: Partial<DecoupledOptions> = {}) {
    super(params, { ...DEFAULTS, decoupledWeightDecay: false, lr: 1e-3 }, options);
  }

  protected check(options: DecoupledOptions): void {
    checkVariant('RAdam', options);
  }

  protected rates(group: Group<DecoupledOptions>, clock: Clock): RAdamRates {
    const rectified = (): number => {
      const [beta, t] = [group.betas[1], clock.step];
      const most = 2 / (1 - beta) - 1;
      const length = most - (2 * t * beta ** t) / (1 - beta ** t);
      if (length <= TRACTABLE) return 0;
      const ratio = ((length - 4) * (length - 2) * most) / ((most - 4) * (most - 2) * length);
      return Math.sqrt(ratio * (1 - beta ** t));
    };
    return {
      ...common(group, group.decoupledWeightDecay),
      rate: number(() => group.lr / (1 - group.betas[0] ** clock.step)),
      adaptive: number(rectified),
      plain: number(() => (rectified() === 0 ? 1 : 0)),
    };
  }

  protected move(p: Tensor, gradient: Tensor, rates: RAdamRates, slots: Slots): Tensor {
    const [g, m] = meanOf(p, gradient, rates, slots);
    const size = squareOf(g, rates, slots).sqrt().add(rates.eps);
    return shrunk(p, rates).sub(m.mul(rates.rate).mul(rates.adaptive.div(size).add(rates.plain)));
  }
}
