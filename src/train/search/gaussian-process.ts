// Gaussian process regression on the unit cube: what is known of a function from some of its values, as a mean and a
// variance at every point. Matérn 5/2 kernel with one length scale for each coordinate; scales and noise maximise the
// marginal likelihood (Rasmussen and Williams 2006, chapters 2, 4, 5). Numbers in float64; a few hundred points at most.
// Must not know: hyper-parameters, search.

import type { HostRandom } from '../../tensor/host-random.js';

export interface Prediction {
  readonly mean: number;
  readonly variance: number;
}

interface Kernel {
  /** Length scale of each coordinate. */
  readonly scales: readonly number[];
  /** Variance of the noise, as a part of the signal's. */
  readonly noise: number;
}

type Matrix = Float64Array[];

const JITTER = 1e-10;
const STARTS = 2;
const SWEEPS = 12;
const SCALES = { low: Math.log(0.03), high: Math.log(10) };
const NOISE = { low: Math.log(1e-8), high: Math.log(0.3) };

export class GaussianProcess {
  readonly #points: readonly (readonly number[])[];
  readonly #kernel: Kernel;
  readonly #factor: Matrix;
  readonly #weights: Float64Array;
  readonly #shift: number;
  readonly #scale: number;
  readonly #signal: number;

  /** Learns from values at points (at least one). Kernel parameters are searched for from `random` starts. */
  constructor(points: readonly (readonly number[])[], values: readonly number[], random: HostRandom) {
    const { length } = values;
    this.#points = points;
    this.#shift = values.reduce((a, b) => a + b, 0) / length;
    this.#scale = Math.sqrt(values.reduce((sum, v) => sum + (v - this.#shift) ** 2, 0) / length) || 1;
    const targets = Float64Array.from(values, (v) => (v - this.#shift) / this.#scale);
    this.#kernel = fitKernel(points, targets, random);
    const { factor, weights, signal } = condition(points, targets, this.#kernel) as Conditioned;
    this.#factor = factor;
    this.#weights = weights;
    this.#signal = signal;
  }

  predict(point: readonly number[]): Prediction {
    const k = Float64Array.from(this.#points, (p) => correlation(p, point, this.#kernel.scales));
    let mean = 0;
    for (let i = 0; i < k.length; i++) mean += k[i] * this.#weights[i];
    const v = solveLower(this.#factor, k);
    let explained = 0;
    for (const x of v) explained += x * x;
    const variance = Math.max(1 - explained, 1e-12) * this.#signal * this.#scale ** 2;
    return { mean: this.#shift + this.#scale * mean, variance };
  }
}

/** Matérn 5/2. */
function correlation(a: readonly number[], b: readonly number[], scales: readonly number[]): number {
  let square = 0;
  for (let i = 0; i < a.length; i++) square += ((a[i] - b[i]) / scales[i]) ** 2;
  const r = Math.sqrt(5 * square);
  return (1 + r + (r * r) / 3) * Math.exp(-r);
}

interface Conditioned {
  readonly factor: Matrix;
  readonly weights: Float64Array;
  /** The signal variance that is most likely for this kernel. */
  readonly signal: number;
  readonly logLikelihood: number;
}

/** The process given the values; undefined where the matrix is not positive definite. */
function condition(
  points: readonly (readonly number[])[],
  targets: Float64Array,
  { scales, noise }: Kernel,
): Conditioned | undefined {
  const n = targets.length;
  const rows = points.map((p, i) =>
    Float64Array.from({ length: n }, (_, j) =>
      j > i ? 0 : correlation(p, points[j], scales) + (i === j ? noise + JITTER : 0),
    ),
  );
  const factor = cholesky(rows);
  if (factor === undefined) return undefined;
  const half = solveLower(factor, targets);
  const weights = solveUpper(factor, half);
  let fit = 0;
  for (const v of half) fit += v * v;
  const signal = Math.max(fit / n, 1e-12);
  let logDeterminant = 0;
  for (let i = 0; i < n; i++) logDeterminant += 2 * Math.log(factor[i][i]);
  return { factor, weights, signal, logLikelihood: -0.5 * (n * Math.log(signal) + logDeterminant) };
}

/** Coordinate search in the logarithms from several starts, with steps that shrink. */
function fitKernel(points: readonly (readonly number[])[], targets: Float64Array, random: HostRandom): Kernel {
  const size = points[0].length;
  const low = [...new Array<number>(size).fill(SCALES.low), NOISE.low];
  const high = [...new Array<number>(size).fill(SCALES.high), NOISE.high];
  const kernelOf = (x: readonly number[]): Kernel => ({
    scales: x.slice(0, size).map(Math.exp),
    noise: Math.exp(x[size]),
  });
  const score = (x: readonly number[]): number => {
    const result = condition(points, targets, kernelOf(x));
    const prior = x.slice(0, size).reduce((sum, s) => sum - 0.5 * ((s - Math.log(0.5)) / 1.5) ** 2, 0); // keeps few points from extremes
    return result === undefined ? -Infinity : result.logLikelihood + prior;
  };
  let best: { x: number[]; value: number } | undefined;
  for (let start = 0; start < STARTS; start++) {
    let x =
      start === 0
        ? [...new Array<number>(size).fill(Math.log(0.5)), Math.log(1e-4)]
        : low.map((l, i) => random.between(l, high[i]));
    let value = score(x);
    let step = 1.5;
    for (let sweep = 0; sweep < SWEEPS; sweep++) {
      let improved = false;
      for (let i = 0; i < x.length; i++) {
        for (const sign of [1, -1]) {
          const y = x.with(i, Math.min(Math.max(x[i] + sign * step, low[i]), high[i]));
          const other = score(y);
          if (other > value) {
            [x, value, improved] = [y, other, true];
            break;
          }
        }
      }
      if (!improved) step /= 2;
    }
    if (best === undefined || value > best.value) best = { x, value };
  }
  return kernelOf((best as { x: number[] }).x);
}

// ---------------------------------------------------------------- triangles

/** L with L·Lᵀ = A, from the lower triangle of A; undefined if A is not positive definite. */
function cholesky(a: readonly Float64Array[]): Matrix | undefined {
  const n = a.length;
  const l: Matrix = a.map(() => new Float64Array(n));
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i][j];
      for (let k = 0; k < j; k++) sum -= l[i][k] * l[j][k];
      if (i !== j) l[i][j] = sum / l[j][j];
      else if (sum > 0) l[i][i] = Math.sqrt(sum);
      else return undefined;
    }
  }
  return l;
}

function solveLower(l: Matrix, b: ArrayLike<number>): Float64Array {
  const x = new Float64Array(l.length);
  for (let i = 0; i < x.length; i++) {
    let sum = b[i];
    for (let k = 0; k < i; k++) sum -= l[i][k] * x[k];
    x[i] = sum / l[i][i];
  }
  return x;
}

function solveUpper(l: Matrix, b: ArrayLike<number>): Float64Array {
  const x = new Float64Array(l.length);
  for (let i = x.length - 1; i >= 0; i--) {
    let sum = b[i];
    for (let k = i + 1; k < x.length; k++) sum -= l[k][i] * x[k];
    x[i] = sum / l[i][i];
  }
  return x;
}
