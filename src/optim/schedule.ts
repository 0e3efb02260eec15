// Learning-rate schedules as functions of the step, counted from 0.

/** From `peak` to `floor` along half a cosine. */
export function cosine(step: number, total: number, peak: number, floor = 0): number {
  const part = Math.min(Math.max(step / Math.max(total, 1), 0), 1);
  return floor + ((peak - floor) * (1 + Math.cos(Math.PI * part))) / 2;
}

/** Up from peak / 25 during the first part, then down along a cosine to almost 0 (Smith and Topin 2018). */
export function oneCycle(step: number, total: number, peak: number, warmup = 0.3): number {
  const start = peak / 25;
  const rise = warmup * total;
  if (step < rise) return start + ((peak - start) * (1 - Math.cos((Math.PI * step) / rise))) / 2;
  return cosine(step - rise, total - rise, peak, start / 1e4);
}

/** Times `factor` after every `every` steps. */
export function stepDecay(step: number, initial: number, every: number, factor = 0.1): number {
  return initial * factor ** Math.floor(step / every);
}
