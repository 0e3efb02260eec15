// The share of one process in batches that several processes go through together: which of a batch's items are its own, and how many
// there are of each batch that it was given.

/** How many samples of a batch are this process's, and how many the whole batch has. */
export interface Share {
  /** 0 where there are fewer samples than processes and none is left for this one: what it was given stands in, and does not count. */
  readonly samples: number;
  readonly total: number;
}

/** Batches of which each process sees its part. */
export interface SharedBatches<B> {
  readonly length: number | undefined;
  /** Of the whole batches. */
  readonly batchSize: number | undefined;
  readonly dataset: unknown;
  readonly seed: number | undefined;
  batches(epoch: number, from?: number): AsyncIterable<B>;
  /** Of a batch that `batches` has given. */
  shareOf(batch: B): Share;
}

export class BatchShares {
  readonly rank: number;
  readonly count: number;
  private readonly shares = new WeakMap<object, Share>();

  constructor(rank: number, count: number) {
    this.rank = rank;
    this.count = count;
  }

  /** First item and end of this process's part of `total` items; where it has none, one that stands in. */
  range(total: number): readonly [from: number, to: number] {
    const from = Math.floor((this.rank * total) / this.count);
    const to = Math.floor(((this.rank + 1) * total) / this.count);
    return to > from ? [from, to] : [0, Math.min(1, total)];
  }

  /** Remembers what `batch` is a part of. */
  note(batch: unknown, total: number): void {
    if (typeof batch !== 'object' || batch === null) return;
    const { rank, count } = this;
    const samples = Math.floor(((rank + 1) * total) / count) - Math.floor((rank * total) / count);
    this.shares.set(batch, { samples, total });
  }

  of(batch: unknown): Share | undefined {
    return typeof batch === 'object' && batch !== null ? this.shares.get(batch) : undefined;
  }
}
