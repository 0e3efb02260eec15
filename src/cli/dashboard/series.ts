// A curve while it grows, and as few of its points as can be seen.

/** Numbers in order, in memory that grows by half. */
class Numbers {
  private data = new Float64Array(64);
  length = 0;

  push(value: number): void {
    if (this.length === this.data.length) {
      const grown = new Float64Array(this.length + (this.length >> 1));
      grown.set(this.data);
      this.data = grown;
    }
    this.data[this.length++] = value;
  }

  /** Forgets all from here on. */
  cut(length: number): void {
    this.length = Math.min(this.length, length);
  }

  get values(): Float64Array {
    return this.data.subarray(0, this.length);
  }
}

export class Series {
  private readonly steps = new Numbers();
  private readonly numbers = new Numbers();
  private readonly times = new Numbers();

  /** `seconds` since the run began, NaN where that is not known. */
  push(step: number, value: number, seconds = NaN): void {
    this.steps.push(step);
    this.numbers.push(value);
    this.times.push(seconds);
  }

  /** A run that starts again has nothing from this step on. */
  cutFrom(step: number): void {
    let length = this.steps.length;
    const steps = this.steps.values;
    while (length > 0 && steps[length - 1] >= step) length--;
    for (const list of [this.steps, this.numbers, this.times]) list.cut(length);
  }

  get count(): number {
    return this.steps.length;
  }

  get step(): Float64Array {
    return this.steps.values;
  }

  get value(): Float64Array {
    return this.numbers.values;
  }

  get seconds(): Float64Array {
    return this.times.values;
  }
}

/**
 * Places of at most about `most` points that look like all of them between the steps `from` and `to`: of each of equal parts the
 * first, the least, the greatest and the last. A point that is not finite stands for itself: it is what one looks for.
 */
export function visible(
  step: Float64Array,
  value: Float64Array,
  most: number,
  from = -Infinity,
  to = Infinity,
): number[] {
  let [begin, end] = [0, step.length];
  while (begin < end && step[begin] < from) begin++;
  while (end > begin && step[end - 1] > to) end--;
  if (begin > 0) begin--; // the line comes from outside
  if (end < step.length) end++;
  const count = end - begin;
  if (count <= most) return Array.from({ length: count }, (_, i) => begin + i);
  const parts = Math.max(1, Math.floor(most / 4));
  const places: number[] = [];
  for (let part = 0; part < parts; part++) {
    const first = begin + Math.floor((part * count) / parts);
    const last = begin + Math.floor(((part + 1) * count) / parts) - 1;
    let [least, greatest, odd] = [first, first, -1];
    for (let i = first; i <= last; i++) {
      if (!Number.isFinite(value[i])) odd = i;
      else if (!(value[i] >= value[least])) least = i;
      else if (!(value[i] <= value[greatest])) greatest = i;
    }
    const found = new Set([first, least, greatest, last, ...(odd < 0 ? [] : [odd])]);
    for (const place of [...found].toSorted((a, b) => a - b)) places.push(place);
  }
  return places;
}
