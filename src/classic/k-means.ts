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
  giveWay,
} from '../tensor/library.js';
import { type AnyTensor, Tensor, realize } from '../tensor/tensor.js';
import { type Fitted, Transformer } from './estimator.js';
import { type Matrix, type Rows, counted, readRows, rowsAt, tensorOf, vectorOf, zeroMatrix } from './rows.js';
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
    if (!Array.isArray(init) && !(init instanceof Tensor)) checkChoice('KMeans', 'init', init, ['k-means++', 'random']);
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
    return assign(matrix, centers);
  }

  /** `fit` and the labels in one. */
  async fitPredict(x: Rows): Promise<Int32Array> {
    return (await this.fit(x)).labels;
  }

  /** Minus the inertia of other rows: more is better. */
  async score(x: Rows): Promise<number> {
    const { features, centers } = this.fitted('score');
    const matrix = await readRows(this.call('score'), x, features);
    return -inertiaOf(matrix, centers, await assign(matrix, centers));
  }

  protected async learn(x: Matrix): Promise<KMeansState> {
    const { clusters, starts, seed, init, tolerance, batchSize } = this.options as Required<KMeansOptions>;
    if (clusters > x.rows)
      throw new ArgumentError(
        `${this.call('fit')}: ${clusters} clusters of ${counted(x.rows, 'row')}. Use at most ${x.rows}.`,
      );
    const given = typeof init === 'string' ? undefined : await this.givenCentres(init, x);
    const space = await Centred.of(x);
    const least = tolerance * space.spread;
    const program = new Steps(space, clusters);
    let best: Found | undefined;
    for (let start = 0; start < starts; start++) {
      const random = new HostRandom(seed, start, 0x6b6d);
      const first =
        given !== undefined
          ? shifted(given, space.mean, -1)
          : init === 'random'
            ? space.at(distinct(x.rows, clusters, random))
            : await plusPlus(space, clusters, random);
      const found =
        batchSize === null
          ? await lloyd(program, first, this.options.maxIterations!, least)
          : await miniBatch(program, first, batchSize, this.options.maxIterations!, random);
      if (best === undefined || found.inertia < best.inertia) best = found;
    }
    const { centers, ...rest } = best!;
    return { features: x.columns, centers: shifted(centers, space.mean, 1), ...rest };
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
    return { data: sameKind(given.data, x.data), rows: given.rows, columns: given.columns };
  }
}

function isGiven(options: KMeansOptions | undefined): boolean {
  const { init } = options ?? {};
  return Array.isArray(init) || init instanceof Tensor;
}

// ---------------------------------------------------------------- steps

/** Rows seen from their mean: there products lose least. The tensor is on the engine, single rows are taken from the host. */
class Centred {
  readonly x: Matrix;
  readonly mean: Float64Array;
  readonly rows: Tensor;
  /** Σ ‖row − mean‖². */
  readonly squares: number;

  private constructor(x: Matrix, mean: Float64Array, rows: Tensor, squares: number) {
    this.x = x;
    this.mean = mean;
    this.rows = rows;
    this.squares = squares;
  }

  static async of(x: Matrix): Promise<Centred> {
    const given: Tensor = tensorOf(x);
    const mean: Tensor = withoutGrad(() => given.mean(0));
    const numbers = Float64Array.from(await mean.data());
    const rows: Tensor = withoutGrad(() => given.sub(mean) as Tensor);
    const squares: Tensor = withoutGrad(() => rows.square().sum());
    await realize(rows, squares);
    return new Centred(x, numbers, rows, await squares.item());
  }

  /** Mean variance of the columns. */
  get spread(): number {
    return this.squares / (this.x.rows * this.x.columns);
  }

  at(places: ArrayLike<number>): Matrix {
    return shifted(rowsAt(this.x, places), this.mean, -1);
  }

  /** ‖row − centre‖², of centres that are seen from the mean, too. */
  squareDistance(row: number, centers: Matrix, cluster: number): number {
    const { data, columns } = this.x;
    const [a, b] = [row * columns, cluster * columns];
    let sum = 0;
    for (let j = 0; j < columns; j++) sum += (data[a + j] - this.mean[j] - centers.data[b + j]) ** 2;
    return sum;
  }
}

interface Step {
  readonly labels: Int32Array;
  /** Sums of the rows of each cluster, [clusters, d]. */
  readonly sums: ArrayLike<number>;
  readonly counts: ArrayLike<number>;
  /** Sum of the squared distances to the nearest centres. */
  readonly inertia: number;
}

/** One step for all rows, as a program. */
class Steps {
  readonly space: Centred;
  private readonly step: (
    centres: AnyTensor,
  ) => Promise<{ labels: AnyTensor; sums: Tensor; counts: Tensor; cost: Tensor }>;
  private readonly far: (centres: AnyTensor, labels: AnyTensor) => Promise<Tensor>;

  constructor(space: Centred, clusters: number) {
    this.space = space;
    const { rows } = space;
    this.step = compile((centres: AnyTensor) =>
      withoutGrad(() => {
        const far: Tensor = relativeDistances(rows, centres as Tensor);
        const labels: Tensor<number[], 'int32'> = far.argmin(1);
        const members: Tensor = labels.oneHot(clusters).to(rows.dtype);
        const sums: Tensor = members.T.matmul(rows) as Tensor;
        return { labels, sums, counts: members.sum(0) as Tensor, cost: far.amin(1).sum() as Tensor };
      }),
    );
    this.far = compile((centres: AnyTensor, labels: AnyTensor): Tensor =>
      withoutGrad(() => {
        const own = (centres as Tensor).indexSelect(0, labels as Tensor<[number], 'int32'>) as Tensor;
        return rows.sub(own).square().sum() as Tensor;
      }),
    );
  }

  async take(centres: Matrix): Promise<Step> {
    const { labels, sums, counts, cost } = await this.step(tensorOf(centres));
    const [l, s, c, extra] = await Promise.all([labels.data(), sums.data(), counts.data(), cost.item()]);
    return { labels: l as Int32Array, sums: s, counts: c, inertia: Math.max(0, this.space.squares + extra) };
  }

  /** Of these labels, from the differences themselves: exact also where rows lie on their centres. */
  async inertia(centres: Matrix, labels: Int32Array): Promise<number> {
    return (await this.far(tensorOf(centres), vectorOf(labels))).item();
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
    const next = meansOf(program.space, step, centers);
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
  const inertia = await program.inertia(centers, labels!);
  return { centers, labels: labels!, inertia, iterations: history.length, reason, history };
}

/** The means of the clusters; an empty one gets the row that is farthest from its centre, which leaves its own cluster. */
function meansOf(space: Centred, { labels, sums, counts }: Step, before: Matrix): Matrix {
  const sum = Float64Array.from(sums);
  const count = Float64Array.from(counts);
  const [k, d] = [before.rows, before.columns];
  const empty = [...count.keys()].filter((c) => count[c] === 0);
  if (empty.length > 0) {
    const far = Float64Array.from(labels, (label, i) => space.squareDistance(i, before, label));
    const order = Int32Array.from(far.keys()).sort((a, b) => far[b] - far[a]);
    empty.forEach((cluster, at) => {
      const row = order[at];
      const { data } = space.at([row]);
      for (let j = 0; j < d; j++) {
        sum[labels[row] * d + j] -= data[j];
        sum[cluster * d + j] = data[j];
      }
      count[labels[row]] -= 1;
      count[cluster] = 1;
    });
  }
  const out = zeroMatrix(k, d, before.data);
  for (let c = 0; c < k; c++)
    for (let j = 0; j < d; j++) out.data[c * d + j] = count[c] > 0 ? sum[c * d + j] / count[c] : before.data[c * d + j];
  return out;
}

function wayBetween(a: Matrix, b: Matrix): number {
  let sum = 0;
  for (let i = 0; i < a.data.length; i++) sum += (a.data[i] - b.data[i]) ** 2;
  return sum;
}

/** The nearest centre of each of other rows. */
async function assign(x: Matrix, centers: Matrix): Promise<Int32Array> {
  const { mean } = momentsOf(centers);
  const shift: Tensor = vectorOf(sameKind(mean, x.data));
  const rows: Tensor = tensorOf(x);
  const centres: Tensor = tensorOf({ ...centers, data: sameKind(shifted(centers, mean, -1).data, x.data) });
  const labels = withoutGrad(() => relativeDistances(rows.sub(shift) as Tensor, centres).argmin(1));
  return labels.data();
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
  for (let j = 0; j < n; j++) sum += (x.data[a + j] - centers.data[b + j]) ** 2;
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
async function plusPlus(space: Centred, clusters: number, random: HostRandom): Promise<Matrix> {
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
  const approach = (far: ArrayLike<number>, width: number, column: number): void => {
    for (let i = 0; i < count; i++) nearest[i] = Math.min(nearest[i], Math.max(0, own[i] + far[i * width + column]));
  };
  // the first one as all candidates at once: the program is the same
  approach(await (await distances(tensorOf(space.at(new Int32Array(trials).fill(chosen[0]))))).data(), trials, 0);
  nearest[chosen[0]] = 0;
  while (chosen.length < clusters) {
    const total = nearest.reduce((a, b) => a + b, 0);
    const candidates = Int32Array.from({ length: trials }, () => drawBy(nearest, total, random));
    const far = await (await distances(tensorOf(space.at(candidates)))).data();
    const left = Array.from(candidates, (_, t) => {
      let sum = 0;
      for (let i = 0; i < count; i++) sum += Math.min(nearest[i], Math.max(0, own[i] + far[i * trials + t]));
      return sum;
    });
    const best = left.indexOf(left.reduce((a, b) => Math.min(a, b)));
    approach(far, trials, best);
    nearest[candidates[best]] = 0;
    chosen.push(candidates[best]);
  }
  return space.at(chosen);
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
  const { labels } = await program.take(centers);
  const inertia = await program.inertia(centers, labels);
  return { centers, labels, inertia, iterations: history.length, reason, history };
}

/** A batch is too small for a program of its own to pay. */
function nearestOnHost(x: Matrix, centers: Matrix): Int32Array {
  return Int32Array.from({ length: x.rows }, (_, i) => {
    let [best, least] = [0, Infinity];
    for (let c = 0; c < centers.rows; c++) {
      const far = squareDistance(x, i, centers, c);
      if (far < least) [best, least] = [c, far];
    }
    return best;
  });
}
