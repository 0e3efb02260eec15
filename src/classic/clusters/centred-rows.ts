// Rows seen from their mean, and distances to centres.

import { withoutGrad } from '../../tensor/grad-mode.js';
import { type Tensor, realize } from '../../tensor/tensor.js';
import { type Matrix, rowsAt, tensorOf, vectorOf, zeroMatrix } from '../rows.js';
import { momentsOf } from '../scalers.js';

/** Rows seen from their mean: there products lose least. The tensor is on the engine, single rows are taken from the host. */
export class Centred {
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

/**
 * ‖c‖² − 2c·x → [clusters, n]: squared distances without what all of a row share. Few centres are the rows of the product, whose columns are then
 * many: vectors are full, which they would not be the other way round.
 */
export function relativeDistances(rows: Tensor, centres: Tensor): Tensor {
  return centres.square().sum(1).unsqueeze(1).sub(centres.matmul(rows.T).mul(2)) as Tensor;
}

/** The nearest centre of each of other rows. */
export async function assign(x: Matrix, centers: Matrix): Promise<Int32Array> {
  const { mean } = momentsOf(centers);
  const shift: Tensor = vectorOf(sameKind(mean, x.data));
  const rows: Tensor = tensorOf(x);
  const centres: Tensor = tensorOf({ ...centers, data: sameKind(shifted(centers, mean, -1).data, x.data) });
  const labels = withoutGrad(() => relativeDistances(rows.sub(shift) as Tensor, centres).argmin(0));
  return labels.data();
}

export function sameKind(data: Matrix['data'], like: Matrix['data']): Matrix['data'] {
  return like instanceof Float32Array ? Float32Array.from(data) : Float64Array.from(data);
}

export function inertiaOf(x: Matrix, centers: Matrix, labels: Int32Array): number {
  let sum = 0;
  for (let i = 0; i < x.rows; i++) sum += squareDistance(x, i, centers, labels[i]);
  return sum;
}

export function squareDistance(x: Matrix, row: number, centers: Matrix, cluster: number): number {
  const [a, b, n] = [row * x.columns, cluster * x.columns, x.columns];
  let sum = 0;
  for (let j = 0; j < n; j++) sum += (x.data[a + j] - centers.data[b + j]) ** 2;
  return sum;
}

export function shifted(x: Matrix, by: Float64Array, sign: 1 | -1): Matrix {
  const out = zeroMatrix(x.rows, x.columns, x.data);
  for (let i = 0, at = 0; i < x.rows; i++)
    for (let j = 0; j < x.columns; j++, at++) out.data[at] = x.data[at] + sign * by[j];
  return out;
}
