// k-means: centres that rows belong to, each to its nearest. Lloyd's steps, or small batches of rows.
// A step is one program on the engine: distances as a product, the nearest centre, sums and counts of its rows as a product with a one-hot
// matrix. Means, convergence and empty clusters are decided on the host in float64, as scikit-learn decides them.

import { compile } from '../tensor/compile.js';
import { withoutGrad } from '../tensor/grad-mode.js';
import { HostRandom } from '../tensor/host-random.js';
import {
  ArgumentError,
  type OptionNames,
  ShapeError,
  checkChoice,
  checkNumber,
  checkWhole,
} from '../tensor/library.js';
import type { AnyTensor, Tensor } from '../tensor/tensor.js';
import { type Fitted, Transformer } from './estimator.js';
import { type Matrix, type Rows, counted, readRows, rowsAt, tensorOf, zeroMatrix } from './rows.js';
import { momentsOf } from './scalers.js';
import { checkFields, floats, ints } from './state-check.js';

export interface KMeansOptions {
  /** Number of clusters. Default 8. */
  readonly clusters?: number;
  /** Where centres begin: 'k-means++' (Arthur and Vassilvitskii 2007, default), random rows, or the centres themselves [clusters, d]. */
  readonly init?: 'k-means++' | 'random' | Rows;
  /** Beginnings; the one with the least inertia stays. Default 4; 1 where centres are given. */
  readonly starts?: number;
  /** Steps at most, of each start; with `batchSize` walks through the rows. Default 300. */
  readonly maxIterations?: number;
  /** Ends when centres move by less: their squared way, relative to the mean variance of the columns. Default 1e-4. */
  readonly tolerance?: number;
  /** Rows of a step: mini-batch k-means (Sculley 2010). Default: all rows, Lloyd's algorithm. */
  readonly batchSize?: number | null;
  /** Default 0. */
  readonly seed?: number;
}

const OPTIONS: OptionNames<KMeansOptions> = {
  clusters: true,
  init: true,
  starts: true,
  maxIterations: true,
  tolerance: true,
  batchSize: true,
  seed: true,
};

/** Why the steps ended. */
export type KMeansReason = 'labels unchanged' | 'centres at rest' | 'no progress' | 'iterations';

/** What a start ends with. */
interface Found {
  readonly centers: Matrix;
  readonly labels: Int32Array;
  readonly inertia: number;
  readonly iterations: number;
  readonly reason: KMeansReason;
  readonly history: readonly number[];
}

interface KMeansState extends Fitted, Found {
  readonly features: number;
  readonly centers: Matrix;
  readonly labels: Int32Array;
  readonly reason: KMeansReason;
  readonly inertia: number;
  readonly iterations: number;
  readonly history: readonly number[];
}

/**
 * Clusters around centres: each row belongs to the nearest one, each centre is the mean of its rows. `transform` gives the distances to all
 * centres, `score` the negative inertia. scikit-learn: KMeans, MiniBatchKMeans.
 *
 *     const model = await new KMeans({ clusters: 3, seed: 1 }).fit(x);
 *     model.labels; // the cluster of each row
 */
export class KMeans extends Transformer<KMeansOptions, KMeansState> {
  constructor(options?: KMeansOptions) {
    super(options, OPTIONS, {
      clusters: 8,
      init: 'k-means++',
      starts: isGiven(options) ? 1 : 4,
      maxIterations: 300,
      tolerance: 1e-4,
      batchSize: null,
      seed: 0,
    });
    const { clusters, init, starts, maxIterations, tolerance, batchSize, seed } = this.options;
    checkWhole('KMeans', 'clusters', clusters, 1);
    checkWhole('KMeans', 'starts', starts, 1);
    checkWhole('KMeans', 'maxIterations', maxIterations, 1);
    checkWhole('KMeans', 'seed', seed, -Infinity);
    if (batchSize !== null) checkWhole('KMeans', 'batchSize', batchSize, 1);
    checkNumber('KMeans', 'tolerance', tolerance);
    if (!(tolerance! >= 0)) throw new ArgumentError(`KMeans: tolerance is ${tolerance}. Use a number of at least 0.`);
    if (typeof init === 'string') checkChoice('KMeans', 'init', init, ['k-means++', 'random']);
  }

  /** → [clusters, features], of the dtype of the rows. */
  get centers(): Tensor<[number, number]> {
    return tensorOf(this.fitted('centers').centers);
  }

  /** The cluster of each row that fit() got. */
  get labels(): Int32Array {
    return this.fitted('labels').labels;
  }

  /** Sum of the squared distances of all rows to their centres. */
  get inertia(): number {
    return this.fitted('inertia').inertia;
  }

  /** Steps of the best start. */
  get iterations(): number {
    return this.fitted('iterations').iterations;
  }

  /** Why the best start ended: 'iterations' if it had not converged. */
  get reason(): KMeansReason {
    return this.fitted('reason').reason;
  }

  /** The inertia before each step of the best start (with `batchSize`, that of the batch for each row). */
  get history(): readonly number[] {
    return this.fitted('history').history;
  }

  /** The cluster of each row. */
  async predict(x: Rows): Promise<Int32Array> {
    const { features, centers } = this.fitted('predict');
    const matrix = await readRows(this.call('predict'), x, features);
    return (await assign(matrix, centers)).labels;
  }

  /** `fit` and the labels in one. */
  async fitPredict(x: Rows): Promise<Int32Array> {
    return (await this.fit(x)).labels;
  }

  /** Minus the inertia of other rows: more is better. */
  async score(x: Rows): Promise<number> {
    const { features, centers } = this.fitted('score');
    const matrix = await readRows(this.call('score'), x, features);
    const { labels } = await assign(matrix, centers);
    return -inertiaOf(matrix, centers, labels);
  }

  protected async learn(x: Matrix): Promise<KMeansState> {
    const { clusters, starts, seed, init, tolerance, batchSize } = this.options as Required<KMeansOptions>;
    if (clusters > x.rows)
      throw new ArgumentError(
        `${this.call('fit')}: ${clusters} clusters of ${counted(x.rows, 'row')}. Use at most ${x.rows}.`,
      );
    const given = typeof init === 'string' ? undefined : await this.givenCentres(init, x);
    const { mean, variance } = momentsOf(x);
    const centred = shifted(x, mean, -1);
    const least = tolerance * (variance.reduce((a, b) => a + b, 0) / variance.length);
    const program = new Steps(centred, clusters);
    let best: Found | undefined;
    for (let start = 0; start < starts; start++) {
      const random = new HostRandom(seed, start, 0x6b6d);
      const first =
        given !== undefined
          ? shifted(given, mean, -1)
          : init === 'random'
            ? rowsAt(centred, distinct(x.rows, clusters, random))
            : await plusPlus(centred, clusters, random);
      const found =
        batchSize === null
          ? await lloyd(program, first, this.options.maxIterations!, least)
          : await miniBatch(centred, first, batchSize, this.options.maxIterations!, random);
      if (best === undefined || found.inertia < best.inertia) best = found;
    }
    const { centers, ...rest } = best!;
    return { features: x.columns, centers: shifted(centers, mean, 1), ...rest };
  }

  protected async apply(x: Matrix): Promise<Matrix> {
    const { centers } = this.fitted('transform');
    const out = zeroMatrix(x.rows, centers.rows, x.data);
    for (let i = 0; i < x.rows; i++)
      for (let c = 0; c < centers.rows; c++)
        out.data[i * centers.rows + c] = Math.sqrt(squareDistance(x, i, centers, c));
    return out;
  }

  protected checkState(state: Fitted): void {
    checkFields('KMeans', state, {
      features: 'count',
      centers: floats('clusters', 'features'),
      labels: ints('rows'),
      inertia: 'number',
      iterations: 'count',
      reason: 'text',
      history: 'numbers',
    });
  }

  private async givenCentres(init: Rows, x: Matrix): Promise<Matrix> {
    const op = `${this.call('fit')}, init`;
    const given = await readRows(op, init);
    const { clusters } = this.options;
    if (given.rows !== clusters || given.columns !== x.columns)
      throw new ShapeError(
        `${op}: centres are [${given.rows}, ${given.columns}], and ${clusters} clusters of ${counted(x.columns, 'feature')} are asked for. Give [${clusters}, ${x.columns}].`,
        [[given.rows, given.columns]],
      );
    return { ...given, data: x.data instanceof Float32Array ? Float32Array.from(given.data) : given.data };
  }
}

function isGiven(options: KMeansOptions | undefined): boolean {
  return typeof options === 'object' && options !== null && typeof (options.init ?? '') !== 'string';
}

// ---------------------------------------------------------------- steps

interface Step {
  readonly labels: Int32Array;
  /** Sums of the rows of each cluster, [clusters, d]. */
  readonly sums: ArrayLike<number>;
  readonly counts: ArrayLike<number>;
  readonly inertia: number;
}

/** One step for all rows, as a program. */
class Steps {
  readonly x: Matrix;
  private readonly rows: Tensor;
  private readonly squares: number;
  private readonly program: (
    centres: AnyTensor,
  ) => Promise<{ labels: AnyTensor; sums: Tensor; counts: Tensor; cost: Tensor }>;

  constructor(x: Matrix, clusters: number) {
    this.x = x;
    this.rows = tensorOf(x);
    let squares = 0;
    for (let i = 0; i < x.data.length; i++) squares += x.data[i] ** 2;
    this.squares = squares;
    this.program = compile((centres: AnyTensor) =>
      withoutGrad(() => {
        const own = centres as Tensor;
        const { rows } = this;
        const far: Tensor = relativeDistances(rows, own);
        const labels: Tensor<number[], 'int32'> = far.argmin(1);
        const members: Tensor = labels.oneHot(clusters).to(rows.dtype);
        return {
          labels,
          sums: members.T.matmul(rows) as Tensor,
          counts: members.sum(0) as Tensor,
          cost: far.amin(1).sum() as Tensor,
        };
      }),
    );
  }

  async take(centres: Matrix): Promise<Step> {
    const { labels, sums, counts, cost } = await this.program(tensorOf(centres));
    const [l, s, c, extra] = await Promise.all([labels.data(), sums.data(), counts.data(), cost.item()]);
    return { labels: l as Int32Array, sums: s, counts: c, inertia: Math.max(0, this.squares + extra) };
  }
}

/** ‖c‖² − 2x·c → [n, clusters]: squared distances without what all of a row share. */
function relativeDistances(rows: Tensor, centres: Tensor): Tensor {
  return centres.square().sum(1).sub(rows.matmul(centres.T).mul(2)) as Tensor;
}

async function lloyd(program: Steps, first: Matrix, most: number, least: number): Promise<Found> {
  let centers = first;
  let labels: Int32Array | undefined;
  let reason: KMeansReason = 'iterations';
  const history: number[] = [];
  while (history.length < most) {
    const step = await program.take(centers);
    history.push(step.inertia);
    const next = meansOf(program.x, step, centers);
    const way = wayBetween(centers, next);
    const isSame = labels !== undefined && step.labels.every((label, i) => label === labels![i]);
    ({ labels } = step);
    centers = next;
    if (isSame) reason = 'labels unchanged';
    else if (way <= least) reason = 'centres at rest';
    if (reason !== 'iterations') break;
  }
  // Unless nothing has changed, the centres have moved since the labels were given.
  if (reason !== 'labels unchanged') ({ labels } = await program.take(centers));
  const inertia = inertiaOf(program.x, centers, labels!);
  return { centers, labels: labels!, inertia, iterations: history.length, reason, history };
}

/** The means of the clusters; an empty one gets the row that is farthest from its centre, which leaves its own cluster. */
function meansOf(x: Matrix, { labels, sums, counts }: Step, before: Matrix): Matrix {
  const sum = Float64Array.from(sums);
  const count = Float64Array.from(counts);
  const empty = [...count.keys()].filter((c) => count[c] === 0);
  if (empty.length > 0) {
    const far = Float64Array.from(labels, (label, i) => squareDistance(x, i, before, label));
    const order = Int32Array.from(far.keys()).sort((a, b) => far[b] - far[a]);
    empty.forEach((cluster, k) => {
      const row = order[k];
      for (let j = 0; j < x.columns; j++) {
        sum[labels[row] * x.columns + j] -= x.data[row * x.columns + j];
        sum[cluster * x.columns + j] = x.data[row * x.columns + j];
      }
      count[labels[row]] -= 1;
      count[cluster] = 1;
    });
  }
  const out = zeroMatrix(before.rows, before.columns, before.data);
  for (let c = 0; c < before.rows; c++)
    for (let j = 0; j < before.columns; j++)
      out.data[c * before.columns + j] =
        count[c] > 0 ? sum[c * before.columns + j] / count[c] : before.data[c * before.columns + j];
  return out;
}

function wayBetween(a: Matrix, b: Matrix): number {
  let sum = 0;
  for (let i = 0; i < a.data.length; i++) sum += (a.data[i] - b.data[i]) ** 2;
  return sum;
}

/** The nearest centre of each row, and how far it is without what all of a row share. */
async function assign(x: Matrix, centers: Matrix): Promise<{ labels: Int32Array; far: ArrayLike<number> }> {
  const { mean } = momentsOf(centers);
  const rows: Tensor = tensorOf(shifted(x, mean, -1));
  const centres: Tensor = tensorOf(shifted({ ...centers, data: sameKind(centers.data, x.data) }, mean, -1));
  const far = withoutGrad(() => relativeDistances(rows, centres));
  const [labels, least] = await Promise.all([far.argmin(1).data(), far.amin(1).data()]);
  return { labels: labels as Int32Array, far: least };
}

function sameKind(data: Matrix['data'], like: Matrix['data']): Matrix['data'] {
  return like instanceof Float32Array ? Float32Array.from(data) : Float64Array.from(data);
}

function inertiaOf(x: Matrix, centers: Matrix, labels: Int32Array): number {
  let sum = 0;
  for (let i = 0; i < x.rows; i++) sum += squareDistance(x, i, centers, labels[i]);
  return sum;
}

function squareDistance(x: Matrix, row: number, centers: Matrix, cluster: number): number {
  const [a, b, n] = [row * x.columns, cluster * x.columns, x.columns];
  let sum = 0;
  for (let j = 0; j < n; j++) {
    const difference = x.data[a + j] - centers.data[b + j];
    sum += difference * difference;
  }
  return sum;
}

function shifted(x: Matrix, by: Float64Array, sign: 1 | -1): Matrix {
  const out = zeroMatrix(x.rows, x.columns, x.data);
  for (let i = 0, at = 0; i < x.rows; i++)
    for (let j = 0; j < x.columns; j++, at++) out.data[at] = x.data[at] + sign * by[j];
  return out;
}

// ---------------------------------------------------------------- beginnings

/** Different places, drawn at random. */
function distinct(rows: number, count: number, random: HostRandom): Int32Array {
  return random.shuffle(Int32Array.from({ length: rows }, (_, i) => i)).subarray(0, count);
}

/**
 * Each centre a row, drawn with a probability that grows with the square of its distance to the centres before it. Of some candidates the
 * one that leaves the least stays (greedy k-means++, as scikit-learn does it).
 */
async function plusPlus(x: Matrix, clusters: number, random: HostRandom): Promise<Matrix> {
  const trials = 2 + Math.floor(Math.log(clusters));
  const rows: Tensor = tensorOf(x);
  const distances = compile((candidates: AnyTensor) =>
    withoutGrad(() => relativeDistances(rows, candidates as Tensor)),
  );
  const squares = Float64Array.from({ length: x.rows }, (_, i) => {
    let sum = 0;
    for (let j = 0; j < x.columns; j++) sum += x.data[i * x.columns + j] ** 2;
    return sum;
  });
  const chosen = [random.below(x.rows)];
  const nearest = Float64Array.from({ length: x.rows }, (_, i) => squareDistance(x, i, x, chosen[0]));
  while (chosen.length < clusters) {
    const total = nearest.reduce((a, b) => a + b, 0);
    const candidates = Int32Array.from({ length: trials }, () => drawBy(nearest, total, random));
    const far = await (await distances(tensorOf(rowsAt(x, candidates)))).data();
    const left = Array.from(candidates, (_, t) => {
      let sum = 0;
      for (let i = 0; i < x.rows; i++) sum += Math.min(nearest[i], Math.max(0, squares[i] + far[i * trials + t]));
      return sum;
    });
    const best = left.indexOf(left.reduce((a, b) => Math.min(a, b)));
    for (let i = 0; i < x.rows; i++)
      nearest[i] = Math.min(nearest[i], Math.max(0, squares[i] + far[i * trials + best]));
    nearest[candidates[best]] = 0;
    chosen.push(candidates[best]);
  }
  return rowsAt(x, chosen);
}

/** A place, drawn with probabilities that are in proportion to the numbers. */
function drawBy(numbers: Float64Array, total: number, random: HostRandom): number {
  if (!(total > 0)) return random.below(numbers.length); // all rows are centres already
  let left = random.uniform() * total;
  for (let i = 0; i < numbers.length; i++) {
    left -= numbers[i];
    if (left < 0) return i;
  }
  return numbers.length - 1;
}

// ---------------------------------------------------------------- mini-batches

/** Batches without a better smoothed inertia until the end (as scikit-learn's max_no_improvement). */
const PATIENCE = 10;

/** Each centre moves towards the mean of its rows in a batch, the less the more rows it has had. */
async function miniBatch(
  x: Matrix,
  first: Matrix,
  batchSize: number,
  most: number,
  random: HostRandom,
): Promise<Found> {
  const size = Math.min(batchSize, x.rows);
  const centers = { ...first, data: first.data.slice() };
  const [k, d] = [centers.rows, x.columns];
  const seen = new Float64Array(k);
  const steps = Math.ceil((most * x.rows) / size);
  const history: number[] = [];
  let [smooth, least, waited] = [NaN, Infinity, 0];
  let reason: KMeansReason = 'iterations';
  for (let step = 0; step < steps; step++) {
    const places = Int32Array.from({ length: size }, () => random.below(x.rows));
    const batch = rowsAt(x, places);
    const { labels } = await assign(batch, centers);
    const cost = inertiaOf(batch, centers, labels) / size;
    history.push(cost);
    for (let i = 0; i < size; i++) {
      const c = labels[i];
      seen[c]++;
      for (let j = 0; j < d; j++)
        centers.data[c * d + j] += (batch.data[i * d + j] - centers.data[c * d + j]) / seen[c];
    }
    // A centre that has no row after a walk through the data begins again at a row of this batch.
    if ((step + 1) * size >= x.rows)
      for (let c = 0; c < k; c++) if (seen[c] === 0) centers.data.set(batch.data.subarray(0, d), c * d);
    const rate = Math.min(1, (2 * size) / (x.rows + 1));
    smooth = Number.isNaN(smooth) ? cost : smooth * (1 - rate) + cost * rate;
    waited = smooth < least ? 0 : waited + 1;
    least = Math.min(least, smooth);
    if (waited >= PATIENCE && (step + 1) * size >= x.rows) {
      reason = 'no progress';
      break;
    }
  }
  const { labels } = await assign(x, centers);
  return { centers, labels, inertia: inertiaOf(x, centers, labels), iterations: history.length, reason, history };
}
