// Mini-batch k-means (Sculley 2010): centres follow a few rows at a time.

import type { HostRandom } from '../../tensor/host-random.js';
import { giveWay } from '../../tensor/library.js';
import type { Matrix } from '../rows.js';
import { inertiaOf, squareDistance } from './centred-rows.js';
import type { Found, KMeansReason, Steps } from './lloyd.js';

/** Batches without a better smoothed inertia until the end (as scikit-learn's max_no_improvement). */
const PATIENCE = 10;

/** Each centre moves towards the mean of its rows in a batch, the less the more rows it has had. */
export async function miniBatch(
  program: Steps,
  first: Matrix,
  batchSize: number,
  most: number,
  random: HostRandom,
): Promise<Found> {
  const { space } = program;
  const { rows } = space.x;
  const size = Math.min(batchSize, rows);
  const centers = { ...first, data: first.data.slice() };
  const [k, d] = [centers.rows, centers.columns];
  const seen = new Float64Array(k);
  const steps = Math.ceil((most * rows) / size);
  const history: number[] = [];
  let [smooth, least, waited] = [NaN, Infinity, 0];
  let reason: KMeansReason = 'iterations';
  for (let step = 0; step < steps; step++) {
    const batch = space.at(Int32Array.from({ length: size }, () => random.below(rows)));
    const labels = nearestOnHost(batch, centers);
    const cost = inertiaOf(batch, centers, labels) / size;
    history.push(cost);
    for (let i = 0; i < size; i++) {
      const c = labels[i];
      seen[c]++;
      for (let j = 0; j < d; j++)
        centers.data[c * d + j] += (batch.data[i * d + j] - centers.data[c * d + j]) / seen[c];
    }
    const isWalked = (step + 1) * size >= rows;
    // A centre that has had no row after a walk through the data begins again at a row of this batch.
    if (isWalked)
      for (let c = 0; c < k; c++) {
        const row = random.below(size);
        if (seen[c] === 0) centers.data.set(batch.data.subarray(row * d, (row + 1) * d), c * d);
      }
    const rate = Math.min(1, (2 * size) / (rows + 1));
    smooth = Number.isNaN(smooth) ? cost : smooth * (1 - rate) + cost * rate;
    waited = smooth < least ? 0 : waited + 1;
    least = Math.min(least, smooth);
    if (waited >= PATIENCE && isWalked) {
      reason = 'no progress';
      break;
    }
    if (step % 50 === 49) await giveWay();
  }
  const { labels } = await program.assign(centers);
  const inertia = await program.inertia(centers, labels);
  return { centers, labels, inertia, iterations: history.length, reason, history };
}

/** A batch is too small for a program of its own to pay. */
export function nearestOnHost(x: Matrix, centers: Matrix): Int32Array {
  return Int32Array.from({ length: x.rows }, (_, i) => {
    let [best, least] = [0, Infinity];
    for (let c = 0; c < centers.rows; c++) {
      const far = squareDistance(x, i, centers, c);
      if (far < least) [best, least] = [c, far];
    }
    return best;
  });
}
