// Weights and data from a counter-based hash, the same in every framework: losses can be compared number by number.

/** Puts f(u) for n numbers u in [0, 1) into `out`, one by one: garbage of the benchmark would count as memory of the step. */
function fill(out, seed, f) {
  const start = Math.imul(seed, 0x85ebca77);
  for (let i = 0; i < out.length; i++) {
    let x = (Math.imul(i, 0x9e3779b1) + start) >>> 0;
    x ^= x >>> 16;
    x = Math.imul(x, 0x7feb352d) >>> 0;
    x ^= x >>> 15;
    x = Math.imul(x, 0x846ca68b) >>> 0;
    x ^= x >>> 16;
    out[i] = f((x >>> 0) / 4294967296);
  }
  return out;
}

/** Uniform in ±k. */
export function uniform(seed, n, k = 1) {
  return fill(new Float32Array(n), seed, (u) => (2 * u - 1) * k);
}

/** Whole numbers below c. */
export function integers(seed, n, c) {
  return fill(new Int32Array(n), seed, (u) => Math.floor(u * c));
}
