// Nearest neighbours: which of n stored rows are nearest to each of many others. Distances of a block of queries to all rows
// are one product on the engine (L2, cosine) or one reduction (L1); the few smallest of each row are picked on the host, and their distances
// taken again in float64, because those of a product are inexact where points are near each other. Ties: the row that comes first.
// Memory: a block of queries × n, whatever the number of queries.

import { cdist } from '../functions/distances.js';
import { compile } from '../tensor/compile.js';
import { withoutGrad } from '../tensor/grad-mode.js';
import type { Tensor } from '../tensor/tensor.js';
import { type Floats, type Matrix, rowsAt, tensorOf, vectorOf, zeroMatrix, zerosLike } from './rows.js';

export type Distance = 'euclidean' | 'manhattan' | 'cosine';

export interface Neighbours {
  /** For each query, the places of its k nearest rows, the nearest first: [queries · k]. */
  readonly indices: Int32Array;
  /** Their distances. */
  readonly distances: Float64Array;
}

/** Distances that are held at a time. */
const BLOCK_ELEMENTS = 1 << 24;
/** Candidates beyond k: their order by inexact distances is not the exact one. */
const SPARE = 6;

/** Stored rows, ready to be searched again and again. */
export class NeighbourIndex {
  private readonly rows: Matrix;
  private readonly distance: Distance;
  private readonly block: number;
  private readonly measure: (queries: Tensor) => Promise<Tensor>;
  /** Of which rows are compared: unit vectors for cosine. */
  private readonly shift: Float64Array;

  constructor(rows: Matrix, distance: Distance) {
    this.rows = distance === 'cosine' ? unitRows(rows) : rows;
    this.distance = distance;
    this.block = Math.max(1, Math.min(4096, Math.floor(BLOCK_ELEMENTS / rows.rows)));
    this.shift = distance === 'euclidean' ? centreOf(rows) : new Float64Array(rows.columns);
    this.measure = this.measureFor();
  }

  /** The k nearest rows of each query; k is at most the number of rows. */
  async nearest(queries: Matrix, k: number): Promise<Neighbours> {
    const asked = this.distance === 'cosine' ? unitRows(queries) : queries;
    const indices = new Int32Array(queries.rows * k);
    const distances = new Float64Array(queries.rows * k);
    const most = Math.min(this.rows.rows, k + SPARE);
    const picked = new Picked(most);
    const size = Math.min(this.block, queries.rows);
    for (let start = 0; start < queries.rows; start += size) {
      const count = Math.min(size, queries.rows - start);
      // the last block is as large as the others, so that one program serves all
      const places = Int32Array.from({ length: size }, (_, i) => Math.min(start + i, queries.rows - 1));
      const approximate = await (await this.measure(tensorOf(this.centred(rowsAt(asked, places))))).data();
      for (let i = 0; i < count; i++) {
        picked.pick(approximate, i * this.rows.rows, this.rows.rows);
        const query = start + i;
        const exact = Array.from(picked.places.subarray(0, most), (place) => ({
          place,
          distance: this.exact(asked, query, place),
        })).sort((a, b) => a.distance - b.distance || a.place - b.place);
        for (let j = 0; j < k; j++) {
          indices[query * k + j] = exact[j].place;
          distances[query * k + j] = exact[j].distance;
        }
      }
    }
    return { indices, distances };
  }

  /** In the dtype of the stored rows; for L2 seen from their centre, where products lose least. */
  private centred(x: Matrix): Matrix {
    const out = zeroMatrix(x.rows, x.columns, this.rows.data);
    for (let i = 0, at = 0; i < x.rows; i++)
      for (let j = 0; j < x.columns; j++, at++) out.data[at] = x.data[at] - this.shift[j];
    return out;
  }

  /** Something that orders rows by distance: for L2 half its square without what all rows share. */
  private measureFor(): (queries: Tensor) => Promise<Tensor> {
    const stored: Tensor = tensorOf(this.centred(this.rows));
    if (this.distance === 'manhattan')
      return compile((queries: Tensor): Tensor => withoutGrad(() => cdist(queries, stored, { p: 1 })));
    if (this.distance === 'cosine')
      return compile((queries: Tensor): Tensor => withoutGrad(() => queries.matmul(stored.T).neg()));
    const squares: Tensor = vectorOf(halfSquares(this.centred(this.rows)));
    return compile((queries: Tensor): Tensor => withoutGrad(() => squares.sub(queries.matmul(stored.T))));
  }

  private exact({ data, columns }: Matrix, query: number, place: number): number {
    const other = this.rows.data;
    const [a, b] = [query * columns, place * columns];
    let sum = 0;
    if (this.distance === 'cosine') {
      for (let j = 0; j < columns; j++) sum += data[a + j] * other[b + j];
      return Math.max(0, 1 - sum);
    }
    if (this.distance === 'manhattan') {
      for (let j = 0; j < columns; j++) sum += Math.abs(data[a + j] - other[b + j]);
      return sum;
    }
    for (let j = 0; j < columns; j++) sum += (data[a + j] - other[b + j]) ** 2;
    return Math.sqrt(sum);
  }
}

/** The places of the `most` smallest numbers of a stretch, kept sorted; it is used again for each stretch. */
class Picked {
  readonly places: Int32Array;
  private readonly values: Float64Array;

  constructor(most: number) {
    this.places = new Int32Array(most);
    this.values = new Float64Array(most);
  }

  pick(numbers: ArrayLike<number>, from: number, count: number): void {
    const { places, values } = this;
    const most = values.length;
    values.fill(Infinity);
    let worst = Infinity;
    for (let place = 0; place < count; place++) {
      const value = numbers[from + place];
      if (value >= worst && place >= most) continue;
      let at = place < most ? place : most - 1;
      while (at > 0 && values[at - 1] > value) {
        values[at] = values[at - 1];
        places[at] = places[at - 1];
        at--;
      }
      values[at] = value;
      places[at] = place;
      if (place >= most - 1) worst = values[most - 1];
    }
  }
}

/** ½‖x‖² of each row. */
function halfSquares({ data, rows, columns }: Matrix): Floats {
  const out = zerosLike(data, rows);
  for (let i = 0; i < rows; i++) {
    let sum = 0;
    for (let j = 0; j < columns; j++) sum += data[i * columns + j] ** 2;
    out[i] = sum / 2;
  }
  return out;
}

function centreOf({ data, rows, columns }: Matrix): Float64Array {
  const mean = new Float64Array(columns);
  for (let i = 0, at = 0; i < rows; i++) for (let j = 0; j < columns; j++) mean[j] += data[at++];
  return mean.map((sum) => sum / rows);
}

/** Rows of length 1; a row of zeros stays, and is at distance 1 from all. */
function unitRows(x: Matrix): Matrix {
  const out = zeroMatrix(x.rows, x.columns, x.data);
  for (let i = 0; i < x.rows; i++) {
    const row = x.data.subarray(i * x.columns, (i + 1) * x.columns);
    let square = 0;
    for (let j = 0; j < row.length; j++) square += row[j] * row[j];
    const length: number = Math.sqrt(square) || 1;
    for (let j = 0; j < row.length; j++) out.data[i * x.columns + j] = row[j] / length;
  }
  return out;
}
