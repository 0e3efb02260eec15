// T5's positions (Raffel et al. 2020): a number that is added to each score, learned for classes ("buckets") of distances, exact ones for
// near tokens, wider and wider ones for far tokens. One table serves all layers of a stack.

import { embedding } from '../../tensor/functions.js';
import { arange, tensor } from '../../tensor/creation.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { Ids, Table } from './blocks.js';

export interface Buckets {
  readonly count: number;
  /** Of distances from this on there is one class. */
  readonly maxDistance: number;
  /** Tokens behind have classes of their own; without, all of them are as near as the token itself. */
  readonly isBidirectional: boolean;
}

/** The class of a distance, position of the key minus that of the query. In float32 where transformers is, so that edges fall alike. */
export function bucketOf(distance: number, { count, maxDistance, isBidirectional }: Buckets): number {
  const own = isBidirectional ? Math.floor(count / 2) : count;
  const offset = isBidirectional && distance > 0 ? own : 0;
  const steps = isBidirectional ? Math.abs(distance) : Math.max(0, -distance);
  const exact = Math.floor(own / 2);
  if (steps < exact) return offset + steps;
  const { fround } = Math;
  const share = fround(fround(Math.log(fround(steps / exact))) / fround(Math.log(maxDistance / exact)));
  return offset + Math.min(own - 1, exact + Math.trunc(fround(share * (own - exact))));
}

/** Of queries at 0 … L − 1 to keys at 0 … S − 1: [1, heads, L, S]. */
export function biasBetween(table: Table, length: number, keys: number, buckets: Buckets): Tensor {
  const most = buckets.maxDistance; // farther ones are of the same classes
  const numbers = Int32Array.from({ length: 2 * most + 1 }, (_, i) => bucketOf(i - most, buckets));
  const byDistance: Tensor = table.forward(tensor(numbers));
  const queries: Ids = arange(length).reshape([length, 1]);
  const distances: Ids = arange(keys).reshape([1, keys]).sub(queries);
  const rowsOf: Tensor = embedding(byDistance, distances.clamp(-most, most).add(most));
  return scores(rowsOf);
}

/** Of queries at `rows`, int32 [n], to keys at 0 … `keys` − 1 of the same sequence: [1, heads, n, keys]. For a decoder: later keys count as near. */
export function biasToPast(table: Table, rows: Ids, keys: number, buckets: Buckets): Tensor {
  const numbers = Int32Array.from({ length: keys }, (_, steps) => bucketOf(-steps, buckets));
  const byDistance: Tensor = table.forward(tensor(numbers, { shape: [keys] }));
  const all: Ids = arange(keys).reshape([1, keys]);
  const steps: Ids = rows.reshape([rows.size, 1]).sub(all).clamp(0);
  const rowsOf: Tensor = embedding(byDistance, steps);
  return scores(rowsOf);
}

/** [L, S, heads] → [1, heads, L, S] */
function scores(x: Tensor): Tensor {
  const [length, keys, heads] = x.shape;
  const turned: Tensor = x.permute([2, 0, 1]).reshape([1, heads, length, keys]);
  return turned;
}
