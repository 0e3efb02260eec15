// Tensors that are others for a while: how a function that reads parameters becomes one of other numbers in their place.

import type { AnyTensor } from './tensor.js';

/** Each tensor is another one for as long as `body` runs, for everyone who holds it. */
export function withValues<T>(swapped: ReadonlyMap<AnyTensor, AnyTensor>, body: () => T): T {
  const values = new Map([...new Set([...swapped.keys(), ...swapped.values()])].map((t) => [t, t['value']]));
  for (const [own, given] of swapped) own['value'] = values.get(given) as AnyTensor['value'];
  try {
    return body();
  } finally {
    for (const own of swapped.keys()) own['value'] = values.get(own) as AnyTensor['value'];
  }
}
