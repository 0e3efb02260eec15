// Datasets without numbers: items that come one after the other, from a file or a network, and perhaps never end.
// Items in, lists of items out, shuffled within a window if asked. Must not know: tensors.

import type { HostRandom } from '../tensor/host-random.js';
import { ArgumentError } from '../tensor/library.js';

/** Items one after the other; each epoch asks for a new pass. PyTorch: IterableDataset. */
export interface IterableDataset<Item> {
  iterate(epoch: number): AsyncIterable<Item> | Iterable<Item>;
  /** Items a pass, where that is known. */
  readonly length?: number;
}

/** A pass through `source`; refuses a generator that has been used up. */
export function passThrough<Item>(
  source: IterableDataset<Item> | AsyncIterable<Item>,
  epoch: number,
): AsyncIterator<Item> {
  const items = 'iterate' in source ? source.iterate(epoch) : source;
  if (Symbol.asyncIterator in items) {
    const iterator = items[Symbol.asyncIterator]();
    if (epoch > 0 && Object.is(iterator, source)) {
      throw new ArgumentError(
        'DataLoader: a generator can be gone through only once. Give an object whose iterate(epoch) starts a new pass.',
      );
    }
    return iterator;
  }
  const iterator = items[Symbol.iterator]();
  return {
    next: async () => iterator.next(),
    return: async () => iterator.return?.() ?? { done: true, value: undefined },
  };
}

/**
 * Shuffles a stream within a window of `size` items: each next item is a random one of the window, whose place the
 * stream's next item takes. Holds `size` items. As TensorFlow's Dataset.shuffle.
 */
export async function* shuffleWindow<Item>(
  items: AsyncIterator<Item>,
  size: number,
  random: HostRandom,
): AsyncGenerator<Item, void, void> {
  const window: Item[] = [];
  try {
    for (let next = await items.next(); next.done !== true; next = await items.next()) {
      if (window.length < size) {
        window.push(next.value);
        continue;
      }
      const at = random.below(size);
      const item = window[at];
      window[at] = next.value;
      yield item;
    }
    while (window.length > 0) {
      const at = random.below(window.length);
      const item = window[at];
      window[at] = window[window.length - 1];
      window.pop();
      yield item;
    }
  } finally {
    await items.return?.();
  }
}
