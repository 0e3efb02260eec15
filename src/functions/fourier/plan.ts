// How a discrete Fourier transform of a length is computed: as stages, each of them many small transforms and a multiplication by
// twiddle factors (Cooley and Tukey 1965), with the matrices and factors of each. A length with a large prime factor is a circular
// convolution of another length instead (Bluestein 1970). All numbers are computed in float64 and rounded once.
// Input: lengths. Output: arrays. Not here: tensors.

/** A stage multiplies by a matrix: as wide as pays for fewer passes through memory. */
const WIDEST = 32;
/** Primes up to here are a stage of their own; beyond, a convolution is less work. */
const LARGEST_PRIME = 128;

/** What the stages of a length are: sizes that multiply to it; undefined where it has too large a prime factor. */
export function stagesOf(n: number): number[] | undefined {
  const primes = primeFactors(n);
  if (primes.some((p) => p > LARGEST_PRIME)) return undefined;
  const fewest = Math.max(1, Math.ceil(Math.log(n) / Math.log(WIDEST) - 1e-9));
  const stages = new Array<number>(fewest).fill(1);
  for (const p of primes.reverse()) {
    const smallest = stages.indexOf(Math.min(...stages));
    if (stages[smallest] * p <= WIDEST || stages[smallest] === 1) stages[smallest] *= p;
    else stages.push(p);
  }
  return stages.filter((size, i) => size > 1 || i === 0);
}

/** In ascending order. */
function primeFactors(n: number): number[] {
  const factors: number[] = [];
  let rest = n;
  for (let p = 2; p * p <= rest; p++) {
    while (rest % p === 0) {
      factors.push(p);
      rest /= p;
    }
  }
  if (rest > 1) factors.push(rest);
  return factors;
}

/** Cosine and sine of 2π·k/n. The angle is brought into an eighth of a turn first, where both are right to the last bit. */
export function rootOfUnity(k: number, n: number): [cos: number, sin: number] {
  const turn = ((k % n) + n) % n;
  const eighth = Math.floor((8 * turn) / n);
  // in units of 1 / (4n) of a turn, whole numbers all along
  const quarter = (eighth + 1) >> 1;
  const angle = ((4 * turn - quarter * n) * Math.PI) / (2 * n);
  const [c, s] = [Math.cos(angle), Math.sin(angle)];
  return [
    [c, s],
    [-s, c],
    [-c, -s],
    [s, -c],
  ][quarter % 4] as [number, number];
}

/** Whether numbers have an imaginary part. */
export type Parts = 1 | 2;

export interface Stage {
  readonly radix: number;
  /** Of the numbers that come in and go out. */
  readonly from: Parts;
  readonly to: Parts;
  /** How many results of each small transform are wanted: the first ones. */
  readonly wanted: number;
  readonly sign: 1 | -1;
  readonly scale: number;
}

/** [from · radix, to · wanted]: columns are the results, real parts before imaginary ones, and so are rows. */
export function stageMatrix({ radix, from, to, wanted, sign, scale }: Stage): Float64Array {
  const width = to * wanted;
  const matrix = new Float64Array(from * radix * width);
  for (let j = 0; j < radix; j++) {
    for (let k = 0; k < wanted; k++) {
      const [cos, sin] = rootOfUnity(j * k, radix);
      const [re, im] = [cos * scale, sign * sin * scale];
      matrix[j * width + k] = re;
      if (to === 2) matrix[j * width + wanted + k] = im;
      if (from === 1) continue;
      matrix[(radix + j) * width + k] = -im;
      if (to === 2) matrix[(radix + j) * width + wanted + k] = re;
    }
  }
  return matrix;
}

/** Cosines and sines of the factors between stages, each [rest, radix]: those of 2π·j·k / (rest · radix). */
export function twiddles(rest: number, radix: number, sign: 1 | -1): { cos: Float64Array; sin: Float64Array } {
  const cos = new Float64Array(rest * radix);
  const sin = new Float64Array(rest * radix);
  const n = rest * radix;
  for (let j = 0; j < rest; j++) {
    for (let k = 0; k < radix; k++) {
      const [c, s] = rootOfUnity(j * k, n);
      cos[j * radix + k] = c;
      sin[j * radix + k] = sign * s;
    }
  }
  return { cos, sin };
}

// ---------------------------------------------------------------- convolution

export interface Chirp {
  /** The length of the convolution. */
  readonly length: number;
  /** [n, 2]: e^(sign · iπ·j²/n). */
  readonly chirp: Float64Array;
  /** [length, 2]: the transform of what is convolved with. */
  readonly filter: Float64Array;
}

/** X[k] = c[k] · Σ x[j]·c[j] · conj(c[k − j]) for c[j] = e^(sign · iπ·j²/n). */
export function chirpOf(n: number, sign: 1 | -1): Chirp {
  let length = 1;
  while (length < 2 * n - 1) length *= 2;
  const chirp = new Float64Array(2 * n);
  const [re, im] = [new Float64Array(length), new Float64Array(length)];
  let square = 0; // j² modulo 2n, exactly
  for (let j = 0; j < n; j++) {
    const [c, s] = rootOfUnity(square, 2 * n);
    chirp[2 * j] = c;
    chirp[2 * j + 1] = sign * s;
    for (const at of [j, (length - j) % length]) {
      re[at] = c;
      im[at] = -sign * s;
    }
    square = (square + 2 * j + 1) % (2 * n);
  }
  transform(re, im);
  const filter = new Float64Array(2 * length);
  for (let k = 0; k < length; k++) {
    filter[2 * k] = re[k];
    filter[2 * k + 1] = im[k];
  }
  return { length, chirp, filter };
}

/** The forward transform of a power of two, in place. */
function transform(re: Float64Array, im: Float64Array): void {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; (j & bit) !== 0; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i >= j) continue;
    [re[i], re[j]] = [re[j], re[i]];
    [im[i], im[j]] = [im[j], im[i]];
  }
  for (let size = 2; size <= n; size *= 2) {
    for (let k = 0; k < size / 2; k++) {
      const [c, s] = rootOfUnity(-k, size);
      for (let at = k; at < n; at += size) {
        const other = at + size / 2;
        const [a, b] = [re[other] * c - im[other] * s, re[other] * s + im[other] * c];
        re[other] = re[at] - a;
        im[other] = im[at] - b;
        re[at] += a;
        im[at] += b;
      }
    }
  }
}
