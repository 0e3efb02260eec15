// The routines of dense linear algebra on every tier: what the factors have to satisfy, for sizes below, at and above those of blocks and
// vectors, in batches that threads share.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CpuDevice } from '../src/engine/device/cpu/device.js';
import { getDefaultDevice, registerDevice, setDefaultDevice } from '../src/engine/engine.js';
import { type Tensor, stack, tensor } from '../src/index.js';
import * as linalg from '../src/linalg/index.js';

type Matrix = Tensor<number[], 'float64'>;

/** Numbers between −1 and 1 that are the same in each run. */
function numbers(shape: readonly number[], seed: number): Matrix {
  let state = seed * 7919 + 12345;
  const size = shape.reduce((n, s) => n * s, 1);
  const data = Float64Array.from({ length: size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 31;
  });
  const made: Matrix = tensor(data, { dtype: 'float64' }).reshape([...shape]);
  return made;
}

const transposed = (a: Matrix): Matrix => a.transpose(-2, -1) as Matrix;
/** Real and imaginary parts. */
const pairs = (z: Matrix): readonly [Matrix, Matrix] => z.unbind(-1) as unknown as [Matrix, Matrix];
const times = (a: Matrix, b: Matrix): Matrix => a.matmul(b) as Matrix;
const unit = (n: number): Matrix =>
  tensor(
    Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_x, j) => (i === j ? 1 : 0))),
    { dtype: 'float64' },
  ) as unknown as Matrix;

/** Differences that have to be small, all read at once: they are one program. */
class Gaps {
  readonly #named: { readonly what: string; readonly gap: Matrix }[] = [];

  add(what: string, a: Matrix, b: Matrix, scale = 1): void {
    expect([what, ...a.shape]).toEqual([what, ...b.shape]);
    this.#named.push({ what, gap: a.sub(b).abs().amax().div(scale) as Matrix });
  }

  async check(most: number): Promise<void> {
    const all: Tensor<number[], 'float64'> = stack(this.#named.map(({ gap }) => gap));
    const read = await all.data();
    const large = this.#named.flatMap(({ what }, i) => (read[i] <= most ? [] : [`${what}: ${read[i]}`]));
    expect(large).toEqual([]);
  }
}

for (const name of ['wasm', 'native'] as const)
  registerDevice(
    `linalg-${name}`,
    () => new CpuDevice({ name: `linalg-${name}`, tier: name, threads: 2, verify: true }),
  );

const SIZES: readonly number[] = [1, 2, 3, 5, 9, 33, 70];
const SHAPES: readonly (readonly [m: number, n: number])[] = [
  [1, 1],
  [1, 4],
  [4, 1],
  [7, 3],
  [3, 7],
  [40, 40],
  [70, 33],
  [33, 70],
  [90, 5],
];

// The compiler of C takes a second for each program.
describe.each([
  ['reference', SIZES, SHAPES],
  ['linalg-wasm', SIZES, SHAPES],
  ['linalg-native', [41], [[45, 37]]],
] as const)('on %s', (device, sizes, shapes) => {
  const before = getDefaultDevice();
  beforeAll(() => setDefaultDevice(device));
  afterAll(() => setDefaultDevice(before));

  test.each([...sizes])('systems of %i equations', async (n) => {
    const gaps = new Gaps();
    const a = numbers([2, n, n], n).add(unit(n).mul(2)) as Matrix;
    const unitLower = a.tril(-1).div(n).add(unit(n)) as Matrix;
    const upper = a.triu().div(n).add(unit(n)) as Matrix;
    for (const columns of device === 'linalg-native' ? [20] : [1, 3, 20]) {
      const b = numbers([2, n, columns], n + columns);
      gaps.add('solve', times(a, linalg.solve(a, b)), b, 10 * n);
      const lowerOptions = { upper: false, unitriangular: true };
      gaps.add('lower', times(unitLower, linalg.solveTriangular(a.div(n) as Matrix, b, lowerOptions)), b, 10 * n);
      gaps.add('upper', times(upper, linalg.solveTriangular(upper, b, { upper: true })), b, 10 * n);
    }
    await gaps.check(1e-13);
  });

  test.each([...sizes])('factors of %i rows', async (n) => {
    const gaps = new Gaps();
    const a = numbers([3, n, n], n);
    const { p, l, u } = linalg.lu(a);
    gaps.add('P·L·U', times(p, times(l, u)), a, n);
    const positive = times(a, transposed(a)).add(unit(n)) as Matrix;
    const c = linalg.cholesky(positive);
    gaps.add('L·Lᵀ', times(c, transposed(c)), positive, n);
    gaps.add('L above its diagonal', c, c.tril() as Matrix);
    await gaps.check(1e-14);
  });

  test.each([...shapes])('Q, R and singular vectors of %i × %i', async (m, n) => {
    const gaps = new Gaps();
    const a = numbers([2, m, n], m + n);
    const k = Math.min(m, n);
    const units = (size: number): Matrix => unit(size).expand([2, size, size]);
    for (const mode of ['reduced', 'complete'] as const) {
      const { q, r } = linalg.qr(a, mode);
      gaps.add('Q·R', times(q, r), a, m);
      gaps.add('QᵀQ', times(transposed(q), q), units(mode === 'reduced' ? k : m), m);
    }
    for (const fullMatrices of [false, true]) {
      const { u, s, vh } = linalg.svd(a, { fullMatrices });
      const [left, right] = [u.slice(2, 0, k), vh.slice(1, 0, k)] as [Matrix, Matrix];
      gaps.add('U·S·Vᵀ', times(left.mul(s.unsqueeze(1)) as Matrix, right), a, m + n);
      gaps.add('UᵀU', times(transposed(u), u), units(fullMatrices ? m : k), m);
      gaps.add('VᵀV', times(vh, transposed(vh)), units(fullMatrices ? n : k), n);
      gaps.add('S alone', linalg.svdvals(a), s, m + n);
    }
    await gaps.check(1e-14);
  });

  test.each([...sizes])('eigenvectors of %i rows', async (n) => {
    const gaps = new Gaps();
    const a = numbers([2, n, n], n);
    const symmetric = a.add(transposed(a)) as Matrix;
    const { eigenvalues, eigenvectors } = linalg.eigh(symmetric);
    gaps.add('A·V', times(symmetric, eigenvectors), eigenvectors.mul(eigenvalues.unsqueeze(1)) as Matrix, n);
    gaps.add('VᵀV', times(transposed(eigenvectors), eigenvectors), unit(n).expand([2, n, n]) as Matrix, n);
    gaps.add('values alone', linalg.eigvalsh(symmetric), eigenvalues, n);
    const general = linalg.eig(a);
    const [re, im] = pairs(general.eigenvalues);
    const [vr, vi] = pairs(general.eigenvectors);
    const [l, m] = [re.unsqueeze(1), im.unsqueeze(1)] as [Matrix, Matrix];
    gaps.add('Re A·V', times(a, vr), vr.mul(l).sub(vi.mul(m)) as Matrix, 10 * n);
    gaps.add('Im A·V', times(a, vi), vr.mul(m).add(vi.mul(l)) as Matrix, 10 * n);
    gaps.add('lengths', vr.square().add(vi.square()).sum(1) as Matrix, re.mul(0).add(1) as Matrix, n);
    gaps.add('their sum', linalg.eigvals(a).sum(1) as Matrix, general.eigenvalues.sum(1) as Matrix, 10 * n);
    const { p, l: left, d } = linalg.ldl(symmetric);
    const factor = times(p, left);
    gaps.add('P·L·D·Lᵀ·Pᵀ', times(times(factor, d), transposed(factor)), symmetric, 10 * n);
    gaps.add('order', eigenvalues.sort().values, eigenvalues);
    await gaps.check(1e-14);
  });

  // Natively it is the same loops, and five more programs for the compiler of C.
  test.skipIf(device === 'linalg-native')(
    'matrices of rank one, whose rests are so small that they have few digits',
    async () => {
      const gaps = new Gaps();
      const n = 40;
      const ones = numbers([n, n], 1).mul(0).add(1) as Matrix;
      const { u, s, vh } = linalg.svd(ones);
      gaps.add('U·S·Vᵀ', times(u.mul(s) as Matrix, vh), ones, n);
      gaps.add('UᵀU', times(transposed(u), u), unit(n), n);
      gaps.add('VᵀV', times(vh, transposed(vh)), unit(n), n);
      const { q } = linalg.qr(ones);
      gaps.add('QᵀQ', times(transposed(q), q), unit(n), n);
      const { eigenvectors } = linalg.eigh(ones);
      gaps.add('eigenvectors', times(transposed(eigenvectors), eigenvectors), unit(n), n);
      gaps.add('values', linalg.eigvals(ones).sum(0) as Matrix, tensor([n, 0], { dtype: 'float64' }) as Matrix, n);
      await gaps.check(1e-14);
    },
  );
});
