// Eigenvalues of symmetric matrices and singular values, by Jacobi's rotations: slow, and right to the last digits.

import { type Routines, unitOf, unitRows } from './given.js';

const SWEEPS = 60;

/** A list of rows is turned in the plane of rows p and q. */
function turn(rows: Float64Array[], p: number, q: number, c: number, s: number): void {
  const [x, y] = [rows[p], rows[q]];
  for (let i = 0; i < x.length; i++) [x[i], y[i]] = [c * x[i] - s * y[i], s * x[i] + c * y[i]];
}

/** Cosine and sine of the smaller angle that makes [[app, apq], [apq, aqq]] diagonal. */
function angle(app: number, apq: number, aqq: number): [c: number, s: number] {
  const tau = (aqq - app) / (2 * apq);
  const t = (tau < 0 ? -1 : 1) / (Math.abs(tau) + Math.hypot(1, tau));
  const c = 1 / Math.hypot(1, t);
  return [c, t * c];
}

/** −1 where the largest element of a row is negative. */
function signOf(row: Float64Array): number {
  let largest = 0;
  for (let i = 1; i < row.length; i++) if (Math.abs(row[i]) > Math.abs(row[largest])) largest = i;
  return row[largest] < 0 ? -1 : 1;
}

/** The largest number is taken out, so that no square overflows. */
function lengthOf(x: Float64Array): number {
  const largest = x.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return largest === 0 ? 0 : largest * Math.sqrt(x.reduce((sum, value) => sum + (value / largest) ** 2, 0));
}

export function toEigenvalues({ n, operands: [given], result }: Routines): number {
  const unit = unitOf(given);
  const a = Array.from({ length: n }, (_, i) =>
    Float64Array.from({ length: n }, (_x, j) => given[Math.max(i, j) * n + Math.min(i, j)] / unit),
  );
  const vectors = unitRows(n);
  if (!a.every((row) => row.every(Number.isFinite))) {
    result('values').fill(NaN);
    return 0;
  }
  let isDone = false;
  for (let sweep = 0; sweep < SWEEPS && !isDone; sweep++) {
    isDone = true;
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        if (Math.abs(a[p][q]) <= 1e-17 * Math.sqrt(Math.abs(a[p][p] * a[q][q])) + 1e-300) continue;
        isDone = false;
        const [c, s] = angle(a[p][p], a[p][q], a[q][q]);
        turn(a, p, q, c, s);
        for (const row of a) [row[p], row[q]] = [c * row[p] - s * row[q], s * row[p] + c * row[q]];
        [a[p][q], a[q][p]] = [0, 0];
        turn(vectors, p, q, c, s);
      }
    }
  }
  const order = [...a.keys()].sort((i, j) => a[i][i] - a[j][j]);
  order.forEach((from, to) => {
    result('values')[to] = a[from][from] * unit;
    const sign = signOf(vectors[from]);
    result('vectors').set(
      vectors[from].map((x) => sign * x),
      to * n,
    );
  });
  return 0;
}

/** One-sided: rotations of the columns of A until they are orthogonal; their lengths are the singular values. */
export function toSingularValues({ n, operands: [given], result }: Routines): number {
  const unit = unitOf(given);
  const columns = Array.from({ length: n }, (_, j) =>
    Float64Array.from({ length: n }, (_x, i) => given[i * n + j] / unit),
  );
  if (!given.every(Number.isFinite)) {
    result('values').fill(NaN);
    return 0;
  }
  const right = unitRows(n);
  const dot = (x: Float64Array, y: Float64Array): number => x.reduce((sum, value, i) => sum + value * y[i], 0);
  let isDone = false;
  for (let sweep = 0; sweep < SWEEPS && !isDone; sweep++) {
    isDone = true;
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        const [pp, pq, qq] = [dot(columns[p], columns[p]), dot(columns[p], columns[q]), dot(columns[q], columns[q])];
        if (Math.abs(pq) <= 1e-16 * Math.sqrt(pp * qq) + 1e-300) continue;
        isDone = false;
        const [c, s] = angle(pp, pq, qq);
        turn(columns, p, q, c, s);
        turn(right, p, q, c, s);
      }
    }
  }
  const lengths = columns.map(lengthOf);
  const order = [...lengths.keys()].sort((i, j) => lengths[j] - lengths[i]);
  const left: Float64Array[] = [];
  order.forEach((from, to) => {
    result('values')[to] = lengths[from] * unit;
    const isNothing = lengths[from] <= 1e-15 * lengths[order[0]];
    const u = isNothing ? another(left, n) : columns[from].map((x) => x / lengths[from]);
    left.push(u);
    const sign = signOf(right[from]);
    result('u').set(
      u.map((x) => sign * x),
      to * n,
    );
    result('v').set(
      right[from].map((x) => sign * x),
      to * n,
    );
  });
  return 0;
}

/** A vector of length 1 that is orthogonal to those given. */
function another(given: readonly Float64Array[], n: number): Float64Array {
  let best: Float64Array = new Float64Array(n);
  for (const start of unitRows(n)) {
    let x = start;
    for (let twice = 0; twice < 2; twice++) {
      for (const y of given) {
        const part = x.reduce((sum, value, i) => sum + value * y[i], 0);
        x = x.map((value, i) => value - part * y[i]);
      }
    }
    if (lengthOf(x) > lengthOf(best)) best = x;
  }
  const length = lengthOf(best);
  return best.map((x) => x / length);
}
