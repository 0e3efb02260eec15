// Triangular factors: LU with partial pivoting, Cholesky, and systems with a triangle. Row by row, as in a textbook.

import type { Routines } from './given.js';

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
