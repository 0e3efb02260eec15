// Where centres begin: rows drawn at random, or by k-means++.

import { compile } from '../../tensor/compile.js';
import { withoutGrad } from '../../tensor/grad-mode.js';
import type { HostRandom } from '../../tensor/host-random.js';
import type { AnyTensor, Tensor } from '../../tensor/tensor.js';
import { type Matrix, tensorOf } from '../rows.js';
import { type Centred, relativeDistances } from './centred-rows.js';

/** Different places, drawn at random. */
export function distinct(rows: number, count: number, random: HostRandom): Int32Array {
  return random.shuffle(Int32Array.from({ length: rows }, (_, i) => i)).subarray(0, count);
}

/**
 * Each centre a row, drawn with a probability that grows with the square of its distance to the centres before it. Of some candidates the
 * one that leaves the least stays (greedy k-means++, as scikit-learn does it).
 */
export async function plusPlus(space: Centred, clusters: number, random: HostRandom): Promise<Matrix> {
  const trials = 2 + Math.floor(Math.log(clusters));
  const { rows: count } = space.x;
  const { rows } = space;
  const squares: Tensor = withoutGrad(() => rows.square().sum(1) as Tensor);
  const own = await squares.data();
  const distances = compile((candidates: AnyTensor): Tensor =>
    withoutGrad(() => relativeDistances(rows, candidates as Tensor)),
  );
  const chosen = [random.below(count)];
  const nearest = new Float64Array(count).fill(Infinity);
  const approach = (far: ArrayLike<number>, row: number): void => {
    for (let i = 0; i < count; i++) nearest[i] = Math.min(nearest[i], Math.max(0, own[i] + far[row * count + i]));
  };
  // the first one as all candidates at once: the program is the same
  approach(await (await distances(tensorOf(space.at(new Int32Array(trials).fill(chosen[0]))))).data(), 0);
  nearest[chosen[0]] = 0;
  while (chosen.length < clusters) {
    const total = nearest.reduce((a, b) => a + b, 0);
    const candidates = Int32Array.from({ length: trials }, () => drawBy(nearest, total, random));
    const far = await (await distances(tensorOf(space.at(candidates)))).data();
    const left = Array.from(candidates, (_, t) => {
      let sum = 0;
      for (let i = 0; i < count; i++) sum += Math.min(nearest[i], Math.max(0, own[i] + far[t * count + i]));
      return sum;
    });
    const best = left.indexOf(left.reduce((a, b) => Math.min(a, b)));
    approach(far, best);
    nearest[candidates[best]] = 0;
    chosen.push(candidates[best]);
  }
  return space.at(chosen);
}

/** A place, drawn with probabilities that are in proportion to the numbers. */
export function drawBy(numbers: Float64Array, total: number, random: HostRandom): number {
  if (!(total > 0)) return random.below(numbers.length); // all rows are centres already
  let left = random.uniform() * total;
  for (let i = 0; i < numbers.length; i++) {
    left -= numbers[i];
    if (left < 0) return i;
  }
  return numbers.length - 1;
}
