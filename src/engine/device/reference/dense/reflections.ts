// Householder reflections: A = Q·R column by column, and Q of them. Signs are LAPACK's.

import type { Routines } from './given.js';

export function toQr({ m, n, operands: [a], result }: Routines): number {
  const qr = result('qr');
  qr.set(a);
  for (let c = 0; c < Math.min(m, n); c++) {
    const alpha = qr[c * n + c];
    const rest = Array.from({ length: m - c - 1 }, (_, i) => qr[(c + 1 + i) * n + c]);
    if (rest.every((x) => x === 0)) continue; // tau is 0
    // In units of the largest: v and tau belong to each other also where numbers are so small that they have few digits.
    const unit = rest.reduce((most, x) => Math.max(most, Math.abs(x)), Math.abs(alpha));
    const norm = rest.reduce((sum, x) => Math.hypot(sum, x / unit), alpha / unit);
    const end = alpha < 0 ? norm : -norm;
    const beta = unit * end;
    result('tau')[c] = (end - alpha / unit) / end;
    const v = [1, ...rest.map((x) => x / unit / (alpha / unit - end))];
    for (let j = c + 1; j < n; j++) reflectColumn(qr, n, j, c, v, result('tau')[c]);
    v.forEach((x, i) => (qr[(c + i) * n + c] = i === 0 ? beta : x));
  }
  return 0;
}

export function fromReflections({ m, n, operands: [a, taus], result }: Routines): number {
  const q = result('q');
  const columns = q.length / m;
  for (let i = 0; i < Math.min(m, columns); i++) q[i * columns + i] = 1;
  for (let c = taus.length - 1; c >= 0; c--) {
    const v = Array.from({ length: m - c }, (_, i) => (i === 0 ? 1 : a[(c + i) * n + c]));
    for (let j = 0; j < columns; j++) reflectColumn(q, columns, j, c, v, taus[c]);
  }
  return 0;
}

/** Column j, from row `first` on, less tau·v·(vᵀ·column). */
function reflectColumn(a: Float64Array, ld: number, j: number, first: number, v: readonly number[], tau: number): void {
  const dot = v.reduce((sum, x, i) => sum + x * a[(first + i) * ld + j], 0);
  v.forEach((x, i) => (a[(first + i) * ld + j] -= tau * dot * x));
}
