// Where a step lies in epochs and in seconds, as the finished epochs of a run say; between them in equal parts.

import type { EpochEvent } from '../../train/record.js';

interface Mark {
  readonly step: number;
  readonly epoch: number;
  readonly seconds: number;
}

export class Axes {
  private readonly marks: readonly Mark[];

  constructor(epochs: readonly EpochEvent[]) {
    const marks: Mark[] = [{ step: 0, epoch: 0, seconds: 0 }];
    let seconds = 0;
    for (const event of epochs) {
      seconds += event.seconds;
      marks.push({ step: event.step, epoch: event.epoch, seconds });
    }
    this.marks = marks;
  }

  epoch(step: number): number {
    return this.at(step, 'epoch');
  }

  seconds(step: number): number {
    return this.at(step, 'seconds');
  }

  /** NaN before the first epoch is finished; after the last one as fast as in it. */
  private at(step: number, what: 'epoch' | 'seconds'): number {
    const { marks } = this;
    if (marks.length < 2) return NaN;
    let [low, high] = [0, marks.length - 1]; // the last mark that does not lie after the step, but for the end
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (marks[middle].step <= step) low = middle;
      else high = middle - 1;
    }
    const begin = Math.min(low, marks.length - 2);
    const [a, b] = [marks[begin], marks[begin + 1]];
    return b.step === a.step ? b[what] : a[what] + ((b[what] - a[what]) * (step - a.step)) / (b.step - a.step);
  }
}
