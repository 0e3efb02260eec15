// Weights and data from a counter-based hash, the same in every framework: losses can be compared number by number.

export function u01(seed, n) {
  const out = new Float64Array(n);
  const start = Math.imul(seed, 0x85ebca77);
  for (let i = 0; i < n; i++) {
    let x = (Math.imul(i, 0x9e3779b1) + start) >>> 0;
    x ^= x >>> 16;
    x = Math.imul(x, 0x7feb352d) >>> 0;
    x ^= x >>> 15;
    x = Math.imul(x, 0x846ca68b) >>> 0;
    x ^= x >>> 16;
    out[i] = (x >>> 0) / 4294967296;
  }
  return out;
}

/** Uniform in ±k. */
export function uniform(seed, n, k = 1) {
  return Float32Array.from(u01(seed, n), (u) => (2 * u - 1) * k);
}

/** Whole numbers below c. */
export function integers(seed, n, c) {
  return Int32Array.from(u01(seed, n), (u) => Math.floor(u * c));
}
