// Results in order, prepared ahead: at most `ahead` of them are under way or waiting while one is being used.
// Must not know: what is prepared, threads.

import { giveWay } from '../tensor/library.js';

/**
 * Yields make(from), make(from + 1), … until one is undefined or `to` is reached. After an error, or when the caller
 * leaves, nothing more is started.
 */
export async function* inOrder<T>(
  make: (i: number) => Promise<T | undefined>,
  from: number,
  to: number,
  ahead: number,
): AsyncGenerator<T, void, void> {
  const waiting: Promise<T | undefined>[] = [];
  let next = from;
  const fill = (most: number): void => {
    while (next < to && waiting.length < most) {
      const result = make(next++);
      result.catch(() => {}); // it is reported when its turn comes
      waiting.push(result);
    }
  };
  for (;;) {
    fill(Math.max(1, ahead));
    const result = await waiting.shift();
    if (result === undefined) return;
    fill(ahead);
    await giveWay(); // a pass over data that computes nothing must not stop the event loop either
    yield result;
  }
}
