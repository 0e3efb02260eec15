// Learning-rate schedules as functions of the step, counted from 0: `group.lr = oneCycle(step, total, 0.01)`.

/** From `peak` to `floor` along half a cosine. PyTorch: CosineAnnealingLR. */
export function cosine(step: number, total: number, peak: number, floor = 0): number {
  const part = Math.min(Math.max(step / Math.max(total, 1), 0), 1);
  return floor + ((peak - floor) * (1 + Math.cos(Math.PI * part))) / 2;
}

/**
 * Up from peak / 25 during the first part `warmup`, then down to peak / 250,000, both along half a cosine (Smith and
 * Topin 2018). PyTorch: OneCycleLR with its defaults, momentum aside.
 */
export function oneCycle(step: number, total: number, peak: number, warmup = 0.3): number {
  const start = peak / 25;
  const top = warmup * total - 1;
  if (step < top) return cosine(top - step, top, peak, start);
  return cosine(step - top, total - 1 - top, peak, start / 1e4);
}

/** Times `factor` after every `every` steps. PyTorch: StepLR. */
export function stepDecay(step: number, initial: number, every: number, factor = 0.1): number {
  return initial * factor ** Math.floor(step / every);
}
