// Triangular factors: LU with partial pivoting, Cholesky, and systems with a triangle. Row by row, as in a textbook.

import { LDL_ALPHA } from '../../../ir/dense.js';
import { type Routines, unitRows } from './given.js';

export function toLu({ m, n, operands: [a], result }: Routines): number {
  const lu = result('lu');
  lu.set(a);
  const order = result('order').map((_, i) => i);
  const pivots = result('pivots');
  let info = 0;
  for (let c = 0; c < Math.min(m, n); c++) {
    let best = c;
    for (let i = c + 1; i < m; i++) if (Math.abs(lu[i * n + c]) > Math.abs(lu[best * n + c])) best = i;
    pivots[c] = best;
    if (best !== c) {
      const row = lu.slice(c * n, (c + 1) * n);
      lu.copyWithin(c * n, best * n, (best + 1) * n);
      lu.set(row, best * n);
      [order[c], order[best]] = [order[best], order[c]];
    }
    const pivot = lu[c * n + c];
    if (pivot === 0) {
      if (info === 0) info = c + 1;
      continue;
    }
    for (let i = c + 1; i < m; i++) {
      const factor = (lu[i * n + c] /= pivot);
      for (let j = c + 1; j < n; j++) lu[i * n + j] -= factor * lu[c * n + j];
    }
  }
  result('order').set(order);
  return info;
}

export function toCholesky({ n, operands: [a], result }: Routines): number {
  const l = result('l');
  let info = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i * n + j];
      for (let k = 0; k < j; k++) sum -= l[i * n + k] * l[j * n + k];
      if (i !== j) l[i * n + j] = sum / l[j * n + j];
      else {
        if (!(sum > 0) && info === 0) info = i + 1;
        l[i * n + i] = sum > 0 ? Math.sqrt(sum) : 1;
      }
    }
  }
  return info;
}

/** Bunch and Kaufman's pivoting (Golub and Van Loan, 4.4.4), with the whole of the matrix that is left. */
export function toLdl({ n, operands: [given], result }: Routines): number {
  const a = Array.from({ length: n }, (_, i) =>
    Float64Array.from({ length: n }, (_x, j) => given[Math.max(i, j) * n + Math.min(i, j)]),
  );
  const l = unitRows(n);
  const [d, e] = [result('d'), result('e')];
  const order = Array.from({ length: n }, (_, i) => i);
  const exchange = (i: number, j: number, done: number): void => {
    if (i === j) return;
    [a[i], a[j]] = [a[j], a[i]];
    for (const row of a) [row[i], row[j]] = [row[j], row[i]];
    for (let c = 0; c < done; c++) [l[i][c], l[j][c]] = [l[j][c], l[i][c]];
    [order[i], order[j]] = [order[j], order[i]];
  };
  const largestBelow = (column: number, from: number, skipped: number): [size: number, row: number] => {
    let best: [number, number] = [0, from];
    for (let i = from; i < n; i++)
      if (i !== skipped && Math.abs(a[i][column]) > best[0]) best = [Math.abs(a[i][column]), i];
    return best;
  };
  for (let k = 0; k < n;) {
    const [below, row] = largestBelow(k, k + 1, k);
    const [other] = below === 0 ? [0] : largestBelow(row, k, row);
    const own = Math.abs(a[k][k]);
    const isOwn = below === 0 || own >= LDL_ALPHA * below || own * other >= LDL_ALPHA * below * below;
    const isRow = !isOwn && Math.abs(a[row][row]) >= LDL_ALPHA * other;
    if (isOwn || isRow) {
      if (isRow) exchange(k, row, k);
      d[k] = a[k][k];
      if (d[k] !== 0) for (let i = k + 1; i < n; i++) l[i][k] = a[i][k] / d[k];
      for (let i = k + 1; i < n; i++) for (let j = k + 1; j < n; j++) a[i][j] -= l[i][k] * d[k] * l[j][k];
      k++;
      continue;
    }
    exchange(k + 1, row, k);
    const [p, q, r] = [a[k][k], a[k + 1][k], a[k + 1][k + 1]];
    [d[k], e[k], d[k + 1]] = [p, q, r];
    // Divided by q first, which is the largest: no square overflows.
    const [x, y] = [p / q, r / q];
    const scale = 1 / (x * y - 1) / q;
    for (let i = k + 2; i < n; i++) {
      l[i][k] = scale * (y * a[i][k] - a[i][k + 1]);
      l[i][k + 1] = scale * (x * a[i][k + 1] - a[i][k]);
    }
    for (let i = k + 2; i < n; i++)
      for (let j = k + 2; j < n; j++) a[i][j] -= l[i][k] * a[k][j] + l[i][k + 1] * a[k + 1][j];
    k += 2;
  }
  result('l').set(l.flatMap((row) => [...row]));
  result('order').set(order);
  return 0;
}

export function solveTriangular({ n, isUpper, isUnit, operands: [a, b], result }: Routines): number {
  const x = result('x');
  const columns = b.length / n;
  x.set(b);
  const order = Array.from({ length: n }, (_, i) => (isUpper ? n - 1 - i : i));
  order.forEach((i, position) => {
    for (let c = 0; c < columns; c++) {
      for (const k of order.slice(0, position)) x[i * columns + c] -= a[i * n + k] * x[k * columns + c];
      if (!isUnit) x[i * columns + c] /= a[i * n + i];
    }
  });
  if (!isUnit) for (let i = 0; i < n; i++) if (a[i * n + i] === 0) return i + 1;
  return 0;
}
