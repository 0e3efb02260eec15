// k-means: centres that rows belong to, each to its nearest. Lloyd's steps, or small batches of rows.
// What it does is in the folder clusters: rows seen from their mean, beginnings, Lloyd's steps, mini-batches.

import { HostRandom } from '../tensor/host-random.js';
import {
  ArgumentError,
  type OptionNames,
  ShapeError,
  checkChoice,
  checkNumber,
  checkWhole,
} from '../tensor/library.js';
import { Tensor } from '../tensor/tensor.js';
import { distinct, plusPlus } from './clusters/beginnings.js';
import { Centred, assign, inertiaOf, sameKind, shifted, squareDistance } from './clusters/centred-rows.js';
import { type Found, type KMeansReason, Steps, lloyd } from './clusters/lloyd.js';
import { miniBatch } from './clusters/mini-batch.js';
import { type Fitted, Transformer } from './estimator.js';
import { type Matrix, type Rows, counted, readRows, tensorOf, zeroMatrix } from './rows.js';
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
