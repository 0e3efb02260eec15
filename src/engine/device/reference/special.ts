// Functions of one or two numbers that JavaScript lacks or defines otherwise than C and PyTorch.
// Accurate to float64; no arrays, no nodes.

/** Error function: Taylor series near 0, continued fraction of erfc beyond (Abramowitz and Stegun 7.1.6, 7.1.14). */
export function erf(x: number): number {
  const a = Math.abs(x);
  if (a > 6) return Math.sign(x);
  if (a >= 2) {
    let f = a;
    for (let k = 120; k >= 1; k--) f = a + k / 2 / f;
    return Math.sign(x) * (1 - Math.exp(-x * x) / (Math.sqrt(Math.PI) * f));
  }
  let term = x;
  let sum = x;
  for (let n = 1; n < 60; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** Nearest whole number, halves to the even one. */
export function roundHalfEven(x: number): number {
  return Math.abs(x - Math.trunc(x)) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x);
}

/** Remainder with the sign of the divisor, as torch.remainder. */
export function remainder(a: number, b: number): number {
  const m = a % b;
  return m !== 0 && m < 0 !== b < 0 ? m + b : m;
}

/** ⌊a / b⌋ of the exact quotient, as torch.floor_divide: from the remainder, as a / b may be rounded up to a whole number. */
export function floorQuotient(a: number, b: number): number {
  if (b === 0) return a / b;
  const m = a % b;
  const quotient = (a - m) / b - (m !== 0 && m < 0 !== b < 0 ? 1 : 0);
  if (quotient === 0) return Object.is(a / b, -0) ? -0 : 0;
  return Math.round(quotient); // whole but for the rounding of the division
}

/** C's pow: 1 to any power and (-1) to ±Infinity are 1, where JavaScript has NaN. */
export function pow(a: number, b: number): number {
  if (a === 1 || (a === -1 && Math.abs(b) === Infinity)) return 1;
  return a ** b;
}

/** float → int32: towards zero, saturating, NaN → 0. */
export function saturateToInt32(x: number): number {
  if (Number.isNaN(x)) return 0;
  return Math.min(Math.max(Math.trunc(x), -0x80000000), 0x7fffffff);
}

/** First result word of threefry2x32 with 20 rounds (Salmon et al. 2011), as int32. */
export function threefry2x32(k0: number, k1: number, c0: number, c1: number): number {
  const keys = [k0, k1, k0 ^ k1 ^ 0x1bd11bda];
  const rotations = [13, 15, 26, 6, 17, 29, 16, 24];
  let x0 = (c0 + k0) | 0;
  let x1 = (c1 + k1) | 0;
  for (let round = 0; round < 20; round++) {
    const r = rotations[round % 8];
    x0 = (x0 + x1) | 0;
    x1 = ((x1 << r) | (x1 >>> (32 - r))) ^ x0;
    if (round % 4 === 3) {
      const injection = (round + 1) / 4;
      x0 = (x0 + keys[injection % 3]) | 0;
      x1 = (x1 + keys[(injection + 1) % 3] + injection) | 0;
    }
  }
  return x0;
}
