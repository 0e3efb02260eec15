// Eigenvalues and eigenvectors of general matrices, as in a textbook (Golub and Van Loan, chapter 7): A = Q·H·Qᵀ with a Hessenberg matrix H, QR steps
// with Francis' double shift until H is quasi-triangular, and vectors by substitution, in complex numbers.

import { type Routines, unitOf, unitRows } from './given.js';

type Rows = Float64Array[];
type Complex = readonly [re: number, im: number];

const STEPS = 60;
const EPS = 2 ** -52;
/** What counts as 0 beside the largest number anyway: squares of it are far from the least numbers that there are. */
const SMALL = 2 ** -200;

const times = (a: Complex, b: Complex): Complex => [a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]];
const minus = (a: Complex, b: Complex): Complex => [a[0] - b[0], a[1] - b[1]];
const sizeOf = (a: Complex): number => Math.hypot(a[0], a[1]);
const over = (a: Complex, b: Complex): Complex => {
  const size = sizeOf(b);
  const [re, im] = times(a, [b[0] / size, -b[1] / size]);
  return [re / size, im / size];
};

/** v of I − 2·v·vᵀ, which turns x into a multiple of the first unit vector; undefined where there is nothing to turn. */
function mirrorOf(x: readonly number[]): number[] | undefined {
  const largest = Math.max(...x.map(Math.abs));
  if (largest === 0 || x.slice(1).every((value) => value === 0)) return undefined;
  const v = x.map((value) => value / largest);
  const norm = Math.hypot(...v);
  v[0] += v[0] < 0 ? -norm : norm;
  const length = Math.hypot(...v);
  return v.map((value) => value / length);
}

/** H = P·H·P and Q = Q·P for the mirror P of v, whose first element belongs to row `first`. */
function turnBoth(h: Rows, q: Rows, v: readonly number[], first: number): void {
  const n = h.length;
  for (let j = 0; j < n; j++) {
    const dot = v.reduce((sum, x, i) => sum + x * h[first + i][j], 0);
    v.forEach((x, i) => (h[first + i][j] -= 2 * dot * x));
  }
  for (const rows of [h, q])
    for (const row of rows) {
      const dot = v.reduce((sum, x, i) => sum + x * row[first + i], 0);
      v.forEach((x, i) => (row[first + i] -= 2 * dot * x));
    }
}

function toHessenberg(h: Rows, q: Rows): void {
  const n = h.length;
  for (let k = 0; k + 2 < n; k++) {
    const v = mirrorOf(h.slice(k + 1).map((row) => row[k]));
    if (v !== undefined) turnBoth(h, q, v, k + 1);
    for (let i = k + 2; i < n; i++) h[i][k] = 0;
  }
}

/** One step with both shifts on the rows lo … hi. */
function francis(h: Rows, q: Rows, lo: number, hi: number, isUnusual: boolean): void {
  const m = hi - 1;
  const size = Math.abs(h[hi][m]) + Math.abs(h[m][m - 1]);
  const trace = isUnusual ? 1.5 * size : h[m][m] + h[hi][hi];
  const det = isUnusual ? size * size : h[m][m] * h[hi][hi] - h[m][hi] * h[hi][m];
  const [a, b, c, d] = [h[lo][lo], h[lo][lo + 1], h[lo + 1][lo], h[lo + 1][lo + 1]];
  let x = [a * a + b * c - trace * a + det, c * (a + d - trace), c * h[lo + 2][lo + 1]];
  for (let k = lo; k < hi; k++) {
    const v = mirrorOf(x);
    if (v !== undefined) turnBoth(h, q, v, k);
    if (k > lo) for (let i = k + 1; i <= Math.min(k + 2, hi); i++) h[i][k - 1] = 0;
    x = h.slice(k + 1, Math.min(k + 4, hi + 1)).map((row) => row[k]);
  }
}

/** Rows hi − 1 and hi are turned so that they are triangular, if their eigenvalues are real. */
function split(h: Rows, q: Rows, hi: number): void {
  const m = hi - 1;
  const half = (h[m][m] - h[hi][hi]) / 2;
  const square = half * half + h[m][hi] * h[hi][m];
  if (square < 0) return;
  const z = half + (half < 0 ? -Math.sqrt(square) : Math.sqrt(square));
  const length = Math.hypot(z, h[hi][m]);
  const [c, s] = [z / length, h[hi][m] / length];
  for (let j = 0; j < h.length; j++) [h[m][j], h[hi][j]] = [c * h[m][j] + s * h[hi][j], c * h[hi][j] - s * h[m][j]];
  for (const rows of [h, q])
    for (const row of rows) [row[m], row[hi]] = [c * row[m] + s * row[hi], c * row[hi] - s * row[m]];
  h[hi][m] = 0;
}

/** A = Q·H·Qᵀ with a quasi-triangular H; the row where it was given up, or 0. */
function toSchur(h: Rows, q: Rows): number {
  toHessenberg(h, q);
  let hi = h.length - 1;
  let steps = 0;
  const norm = Math.max(...h.map((row) => Math.max(...row.map(Math.abs))));
  while (hi > 0) {
    let lo = hi;
    while (lo > 0) {
      const size = Math.abs(h[lo][lo]) + Math.abs(h[lo - 1][lo - 1]);
      if (Math.abs(h[lo][lo - 1]) <= Math.max(EPS * size, SMALL * norm)) break;
      lo--;
    }
    if (lo > 0) h[lo][lo - 1] = 0;
    if (lo >= hi - 1) {
      if (lo === hi - 1) split(h, q, hi);
      hi = lo - 1;
      steps = 0;
    } else {
      if (++steps > STEPS) return hi;
      francis(h, q, lo, hi, steps % 10 === 0);
    }
  }
  return 0;
}

export function toSchurVectors({ n, operands: [given], result }: Routines): number {
  const [re, im] = [result('re'), result('im')];
  if (!given.every(Number.isFinite)) {
    re.fill(NaN);
    im.fill(NaN);
    return 0;
  }
  const unit = unitOf(given);
  const h = Array.from({ length: n }, (_, i) => given.slice(i * n, (i + 1) * n).map((x) => x / unit));
  const q = unitRows(n);
  const info = toSchur(h, q);
  for (let i = 0; i < n; i++) {
    const isPair = i + 1 < n && h[i + 1][i] !== 0;
    if (!isPair) {
      re[i] = h[i][i];
      continue;
    }
    const half = (h[i][i] - h[i + 1][i + 1]) / 2;
    re[i] = re[i + 1] = (h[i][i] + h[i + 1][i + 1]) / 2;
    im[i] = Math.sqrt(-(half * half + h[i][i + 1] * h[i + 1][i]));
    im[i + 1] = -im[i];
    i++;
  }
  toVectors(h, q, re, im, result('vectorsRe'), result('vectorsIm'));
  for (const values of [re, im]) values.forEach((x, i) => (values[i] = x * unit));
  return info;
}

/** Of each value the solution of (H − λ)·y = 0, by substitution from its own row on upwards, a block of two rows at once; Q·y, of length 1. */
function toVectors(
  h: Rows,
  q: Rows,
  re: Float64Array,
  im: Float64Array,
  outRe: Float64Array,
  outIm: Float64Array,
): void {
  const n = h.length;
  const norm = Math.max(2 ** -1000, ...h.map((row) => Math.max(...row.map(Math.abs))));
  for (let k = 0; k < n; k++) {
    if (im[k] < 0) {
      // The other one of a pair.
      for (let i = 0; i < n; i++) {
        outRe[k * n + i] = outRe[(k - 1) * n + i];
        outIm[k * n + i] = -outIm[(k - 1) * n + i];
      }
      continue;
    }
    const value: Complex = [re[k], im[k]];
    let y: Complex[] = Array.from({ length: n }, () => [0, 0]);
    let last = k;
    if (im[k] > 0) {
      // In the block of the pair: (h₂₂ − λ)·y₂ = −h₂₁·y₁.
      y[k] = minus(value, [h[k + 1][k + 1], 0]);
      y[k + 1] = [h[k + 1][k], 0];
      last = k + 1;
    } else y[k] = [1, 0];
    const rowSum = (i: number, from: number): Complex => {
      let [a, b] = [0, 0];
      for (let j = from; j <= last; j++) [a, b] = [a - h[i][j] * y[j][0], b - h[i][j] * y[j][1]];
      return [a, b];
    };
    const pivot = (x: Complex): Complex => (sizeOf(x) < EPS * norm ? [EPS * norm, 0] : x);
    for (let i = k - 1; i >= 0; i--) {
      const isPair = i > 0 && h[i][i - 1] !== 0;
      if (!isPair) y[i] = over(rowSum(i, i + 1), pivot(minus([h[i][i], 0], value)));
      else {
        // Cramer's rule of rows i − 1 and i.
        const [a, d] = [minus([h[i - 1][i - 1], 0], value), minus([h[i][i], 0], value)];
        const [b, c] = [h[i - 1][i], h[i][i - 1]];
        const [f, g] = [rowSum(i - 1, i + 1), rowSum(i, i + 1)];
        const det = pivot(minus(times(a, d), [b * c, 0]));
        y[i - 1] = over(minus(times(f, d), times([b, 0], g)), det);
        y[i] = over(minus(times(a, g), times([c, 0], f)), det);
        i--;
      }
      const largest = Math.max(sizeOf(y[i]), sizeOf(y[i + 1]));
      if (largest > 1e100) y = y.map(([a, b]) => [a / largest, b / largest]);
    }
    const v = q.map((row) => {
      let [a, b] = [0, 0];
      for (let j = 0; j <= last; j++) [a, b] = [a + row[j] * y[j][0], b + row[j] * y[j][1]];
      return [a, b] as Complex;
    });
    const most = v.reduce((best, x) => (sizeOf(x) > sizeOf(best) ? x : best), v[0]);
    const length = sizeOf(most) * Math.sqrt(v.reduce((sum, x) => sum + (sizeOf(x) / sizeOf(most)) ** 2, 0));
    v.forEach((x, i) => {
      // The largest element becomes real.
      const [a, b] = times(x, [most[0] / sizeOf(most), -most[1] / sizeOf(most)]);
      outRe[k * n + i] = a / length;
      outIm[k * n + i] = im[k] === 0 ? 0 : b / length;
    });
  }
}
