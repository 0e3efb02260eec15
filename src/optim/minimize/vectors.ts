// Arithmetic on vectors of numbers in JavaScript's memory: what solvers do between two evaluations of their function. The numbers of a
// problem are few beside the work of evaluating it; sums are taken in one order, so that runs repeat bit for bit.

export type Numbers = Float32Array | Float64Array;

export function dot(a: Numbers, b: Numbers): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** Scaled, so that squares neither overflow nor vanish. */
export function norm(a: Numbers): number {
  const size = largest(a);
  if (size === 0 || !Number.isFinite(size)) return size;
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] / size) ** 2;
  return size * Math.sqrt(sum);
}

/** The largest of the sizes; NaN if a number is NaN. */
export function largest(a: Numbers): number {
  let most = 0;
  for (let i = 0; i < a.length; i++) {
    const size = Math.abs(a[i]);
    if (!(size <= most)) most = size;
    if (Number.isNaN(size)) return NaN;
  }
  return most;
}

/** Adds scale · b to a. */
export function addScaled(a: Numbers, scale: number, b: Numbers): void {
  for (let i = 0; i < a.length; i++) a[i] += scale * b[i];
}

/** a + scale · b */
export function sumScaled(a: Float64Array, scale: number, b: Numbers): Float64Array {
  const sum = new Float64Array(a.length);
  for (let i = 0; i < a.length; i++) sum[i] = a[i] + scale * b[i];
  return sum;
}

export function difference(a: Numbers, b: Numbers): Float64Array {
  const rest = new Float64Array(a.length);
  for (let i = 0; i < a.length; i++) rest[i] = a[i] - b[i];
  return rest;
}

export function scaled(a: Numbers, scale: number): Float64Array {
  const product = new Float64Array(a.length);
  for (let i = 0; i < a.length; i++) product[i] = a[i] * scale;
  return product;
}

/** Rows of `matrix`, [rows, columns], times a vector. */
export function matrixTimes(matrix: Float64Array, vector: Numbers): Float64Array {
  const columns = vector.length;
  const rows = columns === 0 ? 0 : matrix.length / columns;
  const product = new Float64Array(rows);
  for (let i = 0, at = 0; i < rows; i++) {
    let sum = 0;
    for (let j = 0; j < columns; j++) sum += matrix[at++] * vector[j];
    product[i] = sum;
  }
  return product;
}

/** The transpose of `matrix`, [rows, columns], times a vector. */
export function transposedTimes(matrix: Float64Array, vector: Numbers): Float64Array {
  const rows = vector.length;
  const columns = rows === 0 ? 0 : matrix.length / rows;
  const product = new Float64Array(columns);
  for (let i = 0, at = 0; i < rows; i++) for (let j = 0; j < columns; j++) product[j] += matrix[at++] * vector[i];
  return product;
}

export function isFiniteVector(a: Numbers): boolean {
  for (let i = 0; i < a.length; i++) if (!Number.isFinite(a[i])) return false;
  return true;
}
