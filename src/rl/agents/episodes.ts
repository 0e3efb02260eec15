// What happened in the episodes of a training so far: the return of each that is under way, and those of the last ones that ended.

/** Episodes that the mean of a training is taken over. */
const RECENT = 100;

export class Episodes {
  /** Returns of the last episodes that ended, the oldest first. */
  recent: number[] = [];
  private running: number[];

  constructor(count: number) {
    this.running = new Array<number>(count).fill(0);
  }

  /** Takes in a step of copy `i`. */
  add(i: number, reward: number, isOver: boolean): void {
    this.running[i] += reward;
    if (!isOver) return;
    this.recent.push(this.running[i]);
    if (this.recent.length > RECENT) this.recent.shift();
    this.running[i] = 0;
  }

  /** Mean of the last episodes; NaN before the first has ended. */
  get mean(): number {
    return this.recent.reduce((sum, value) => sum + value, 0) / this.recent.length;
  }

  state(): { readonly recent: readonly number[]; readonly running: readonly number[] } {
    return { recent: [...this.recent], running: [...this.running] };
  }

  restore(recent: readonly number[], running: readonly number[]): void {
    this.recent = [...recent];
    this.running = [...running];
  }
}
