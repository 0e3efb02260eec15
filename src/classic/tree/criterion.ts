// What a node of a tree costs, and what a split saves: sums over the rows on either side that follow a row from right to left.

/** How uneven a node is. */
export type Criterion = 'gini' | 'entropy' | 'squared-error';

/** Rows of a node, or of one side of a split: how many, what they are, and what they cost. */
export interface Side {
  readonly count: number;
  add(row: number): void;
  remove(row: number): void;
  clear(): void;
  /** Impurity: 0 where all rows are alike. */
  cost(): number;
  /** Count × cost, up to what is the same for all splits of a node: quick to compare. */
  weight(): number;
  /** What the rows are: the share of each class, or the mean. */
  value(out: Float64Array, at: number): void;
}

/** The two sides that a search for a split needs. */
export function sidesOf(criterion: Criterion, y: Int32Array | Float64Array, classes: number): [Side, Side] {
  const make = (): Side =>
    criterion === 'squared-error' ? new Numbers(y as Float64Array) : new Classes(y as Int32Array, classes, criterion);
  return [make(), make()];
}

class Classes implements Side {
  count = 0;
  private readonly counts: Float64Array;
  private readonly y: Int32Array;
  private readonly criterion: Criterion;

  constructor(y: Int32Array, classes: number, criterion: Criterion) {
    this.y = y;
    this.counts = new Float64Array(classes);
    this.criterion = criterion;
  }

  add(row: number): void {
    this.counts[this.y[row]]++;
    this.count++;
  }

  remove(row: number): void {
    this.counts[this.y[row]]--;
    this.count--;
  }

  clear(): void {
    this.counts.fill(0);
    this.count = 0;
  }

  cost(): number {
    if (this.criterion === 'gini') {
      let squares = 0;
      for (const c of this.counts) squares += c * c;
      return 1 - squares / (this.count * this.count);
    }
    let entropy = 0;
    for (const c of this.counts) if (c > 0) entropy -= (c / this.count) * Math.log2(c / this.count);
    return entropy;
  }

  weight(): number {
    return this.count * this.cost();
  }

  value(out: Float64Array, at: number): void {
    for (let c = 0; c < this.counts.length; c++) out[at + c] = this.counts[c] / this.count;
  }
}

class Numbers implements Side {
  count = 0;
  private sum = 0;
  private squares = 0;
  private readonly y: Float64Array;

  constructor(y: Float64Array) {
    this.y = y;
  }

  add(row: number): void {
    this.sum += this.y[row];
    this.squares += this.y[row] ** 2;
    this.count++;
  }

  remove(row: number): void {
    this.sum -= this.y[row];
    this.squares -= this.y[row] ** 2;
    this.count--;
  }

  clear(): void {
    this.sum = this.squares = this.count = 0;
  }

  cost(): number {
    return Math.max(0, this.squares / this.count - (this.sum / this.count) ** 2);
  }

  weight(): number {
    return -(this.sum * this.sum) / this.count;
  }

  value(out: Float64Array, at: number): void {
    out[at] = this.sum / this.count;
  }
}
