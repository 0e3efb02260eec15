// Lloyd's steps. Distances and the nearest centre are one program on the engine; sums of the rows of each cluster are another, a product with
// a one-hot matrix, until so few rows change their cluster that it is less to follow them. Means, convergence and empty clusters are decided
// on the host in float64, as scikit-learn decides them.

import { compile } from '../../tensor/compile.js';
import { withoutGrad } from '../../tensor/grad-mode.js';
import type { AnyTensor, Tensor } from '../../tensor/tensor.js';
import { type Matrix, tensorOf, vectorOf, zeroMatrix } from '../rows.js';
import { type Centred, relativeDistances } from './centred-rows.js';

/** Why the steps ended. */
export type KMeansReason = 'labels unchanged' | 'centres at rest' | 'no progress' | 'iterations';

/** What a start ends with. */
export interface Found {
  readonly centers: Matrix;
  readonly labels: Int32Array;
  readonly inertia: number;
  readonly iterations: number;
  readonly reason: KMeansReason;
  readonly history: readonly number[];
}

/** Rows and the centres that are nearest to them. */
export interface Assignment {
  readonly labels: Int32Array;
  /** Sum of the squared distances to these centres. */
  readonly inertia: number;
}

/** Sums of the rows of each cluster, [clusters, d], and how many they are. */
export interface Sums {
  readonly labels: Int32Array;
  readonly sums: Float64Array;
  readonly counts: Float64Array;
}

/** If fewer rows than this share have changed their cluster, sums follow them one by one. */
const FEW_CHANGES = 1 / 8;

/** What a step needs of all rows, as programs. */
export class Steps {
  readonly space: Centred;
  private readonly clusters: number;
  private readonly nearest: (centres: AnyTensor) => Promise<{ labels: AnyTensor; cost: Tensor }>;
  private readonly together: (labels: AnyTensor) => Promise<{ sums: Tensor; counts: Tensor }>;
  private readonly far: (centres: AnyTensor, labels: AnyTensor) => Promise<Tensor>;
  private last: Sums | undefined;

  constructor(space: Centred, clusters: number) {
    this.space = space;
    this.clusters = clusters;
    const { rows } = space;
    this.nearest = compile((centres: AnyTensor) =>
      withoutGrad(() => {
        const far: Tensor = relativeDistances(rows, centres as Tensor);
        return { labels: far.argmin(0), cost: far.amin(0).sum() as Tensor };
      }),
    );
    this.together = compile((labels: AnyTensor) =>
      withoutGrad(() => {
        const members: Tensor = labels.oneHot(clusters).to(rows.dtype) as Tensor;
        return { sums: members.T.matmul(rows) as Tensor, counts: members.sum(0) as Tensor };
      }),
    );
    this.far = compile((centres: AnyTensor, labels: AnyTensor): Tensor =>
      withoutGrad(() => {
        const own = (centres as Tensor).indexSelect(0, labels as Tensor<[number], 'int32'>) as Tensor;
        return rows.sub(own).square().sum() as Tensor;
      }),
    );
  }

  async assign(centres: Matrix): Promise<Assignment> {
    const { labels, cost } = await this.nearest(tensorOf(centres));
    const [own, extra] = await Promise.all([labels.data(), cost.item()]);
    return { labels: own as Int32Array, inertia: Math.max(0, this.space.squares + extra) };
  }

  /** After the first steps few rows change their cluster: then only those are added and taken away. */
  async sums(labels: Int32Array): Promise<Sums> {
    const { last } = this;
    const changed =
      last === undefined ? labels.length : labels.reduce((n, c, i) => n + (c === last.labels[i] ? 0 : 1), 0);
    this.last =
      last === undefined || changed > FEW_CHANGES * labels.length
        ? await this.sumsOfAll(labels)
        : this.follow(last, labels);
    return this.last;
  }

  private async sumsOfAll(labels: Int32Array): Promise<Sums> {
    const { sums, counts } = await this.together(vectorOf(labels));
    const [s, c] = await Promise.all([sums.data(), counts.data()]);
    return { labels, sums: Float64Array.from(s), counts: Float64Array.from(c) };
  }

  private follow(last: Sums, labels: Int32Array): Sums {
    const { x, mean } = this.space;
    const d = x.columns;
    const [sums, counts] = [last.sums.slice(), last.counts.slice()];
    for (let i = 0; i < labels.length; i++) {
      const [from, to] = [last.labels[i], labels[i]];
      if (from === to) continue;
      counts[from]--;
      counts[to]++;
      for (let j = 0; j < d; j++) {
        const value = x.data[i * d + j] - mean[j];
        sums[from * d + j] -= value;
        sums[to * d + j] += value;
      }
    }
    // what is left of an emptied cluster is rounding
    for (let c = 0; c < this.clusters; c++) if (counts[c] === 0) sums.fill(0, c * d, (c + 1) * d);
    return { labels, sums, counts };
  }

  /** Of these labels, from the differences themselves: exact also where rows lie on their centres. */
  async inertia(centres: Matrix, labels: Int32Array): Promise<number> {
    return (await this.far(tensorOf(centres), vectorOf(labels))).item();
  }
}

export async function lloyd(program: Steps, first: Matrix, most: number, least: number): Promise<Found> {
  let centers = first;
  let labels: Int32Array | undefined;
  let reason: KMeansReason = 'iterations';
  const history: number[] = [];
  while (history.length < most) {
    const step = await program.assign(centers);
    history.push(step.inertia);
    const next = meansOf(program.space, await program.sums(step.labels), centers);
    const way = wayBetween(centers, next);
    const isSame = labels !== undefined && step.labels.every((label, i) => label === labels![i]);
    ({ labels } = step);
    centers = next;
    if (isSame) reason = 'labels unchanged';
    else if (way <= least) reason = 'centres at rest';
    if (reason !== 'iterations') break;
  }
  // Unless nothing has changed, the centres have moved since the labels were given.
  if (reason !== 'labels unchanged') ({ labels } = await program.assign(centers));
  const inertia = await program.inertia(centers, labels!);
  return { centers, labels: labels!, inertia, iterations: history.length, reason, history };
}

/** The means of the clusters; an empty one gets the row that is farthest from its centre, which leaves its own cluster. */
export function meansOf(space: Centred, { labels, sums, counts }: Sums, before: Matrix): Matrix {
  const [sum, count] = [sums.slice(), counts.slice()];
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

export function wayBetween(a: Matrix, b: Matrix): number {
  let sum = 0;
  for (let i = 0; i < a.data.length; i++) sum += (a.data[i] - b.data[i]) ** 2;
  return sum;
}
