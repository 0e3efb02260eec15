// The positions of a data set, so many at once and in order: for what a run asks its network outside the Trainer.

/** [0, …, size − 1], [size, …], … up to `length`; the last list may be shorter. */
export function* positionsInTurn(length: number, size: number): Generator<number[]> {
  for (let from = 0; from < length; from += size)
    yield Array.from({ length: Math.min(size, length - from) }, (_, i) => from + i);
}
