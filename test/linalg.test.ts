// nabla/linalg against PyTorch (test/fixtures/linalg.json, made by tools/parity/linalg.py), values and gradients in both dtypes; what it
// refuses, what it does in captured steps and under vmap, second derivatives.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  type AnyTensor,
  type Tensor,
  checkGradient,
  compile,
  grad,
  isclose,
  manualSeed,
  noGrad,
  randn,
  realize,
  setDevice,
  takeAlongDim,
  tensor,
  vmap,
  zeros,
} from 'nabla';
import { Linear, mseLoss } from 'nabla/nn';
import { SGD } from 'nabla/optim';
import * as linalg from 'nabla/linalg';

type Real = 'float32' | 'float64';
type Matrix = Tensor<number[], Real>;
type Given = { readonly shape: number[]; readonly data: readonly (number | string)[] };
interface Row {
  readonly op: string;
  readonly args: readonly (number | string | boolean)[];
  readonly inputs: readonly (string | Given)[];
  readonly out: readonly Given[];
  readonly grads: readonly (Given | null)[] | null;
}
interface Fixture {
  readonly matrices: Readonly<Record<string, Given>>;
  readonly rows: readonly Row[];
}

const fixture = JSON.parse(readFileSync(new URL('fixtures/linalg.json', import.meta.url), 'utf8')) as Fixture;
const INFINITE: Readonly<Record<string, number>> = { inf: Infinity, '-inf': -Infinity, nan: NaN };
const numberOf = (x: number | string | boolean): number => INFINITE[String(x)] ?? Number(x);
const ordOf = (x: number | string | boolean): linalg.MatrixNorm =>
  x === 'fro' || x === 'nuc' ? x : (numberOf(x) as linalg.MatrixNorm);

const made = ({ shape, data }: Given, dtype: Real, requiresGrad: boolean): Matrix =>
  tensor(Float64Array.from(data, numberOf), { dtype, shape, requiresGrad });
const symmetrised = (a: Matrix): Matrix => a.add(a.transpose(-2, -1)).div(2) as Matrix;

/** Where complex numbers lie in the order of their real parts, and of those by their imaginary ones. */
const placesOf = (pairs: Matrix): Tensor<number[], 'int32'> => {
  const [re, im] = pairs.unbind(-1) as [Matrix, Matrix];
  return re.add(im.mul(1e-3)).argsort(-1) as Tensor<number[], 'int32'>;
};
const sortedPairs = (pairs: Matrix): Matrix => takeAlongDim(pairs, placesOf(pairs).unsqueeze(-1), -2) as Matrix;

const CALLS: Readonly<
  Record<string, (inputs: readonly Matrix[], args: Row['args']) => readonly Tensor<number[], never>[]>
> = Object.fromEntries(
  Object.entries({
    det: ([a]) => [linalg.det(a)],
    slogdet: ([a]) => Object.values(linalg.slogdet(a)),
    inv: ([a]) => [linalg.inv(a)],
    solve: ([a, b]) => [linalg.solve(a, b)],
    solveRight: ([a, b]) => [linalg.solve(a, b, { left: false })],
    lu: ([a]) => Object.values(linalg.lu(a)),
    luAny: ([a]) => Object.values(linalg.lu(a)),
    matrixExp: ([a]) => [linalg.matrixExp(a)],
    matrixPower: ([a], [p]) => [linalg.matrixPower(a as Tensor<number[]>, Number(p))],
    cond: ([a], [p]) => [linalg.cond(a, ordOf(p))],
    svdvals: ([a]) => [linalg.svdvals(a)],
    matrixRank: ([a]) => [linalg.matrixRank(a, { rtol: 1e-10 })],
    pinv: ([a]) => [linalg.pinv(a)],
    qr: ([a]) => Object.values(linalg.qr(a)),
    qrR: ([a]) => [linalg.qr(a, 'r').r],
    eigvals: ([a]) => [sortedPairs(linalg.eigvals(a))],
    eig: ([a]) => {
      const { eigenvalues, eigenvectors } = linalg.eig(a);
      const sizes = eigenvectors.square().sum(-1).transpose(-2, -1) as Matrix;
      return [takeAlongDim(sizes, placesOf(eigenvalues).unsqueeze(-1), -2)];
    },
    ldl: ([a]) => {
      const { p, l, d } = linalg.ldl(a);
      return [p.matmul(l) as Matrix, d];
    },
    qrComplete: ([a]) => Object.values(linalg.qr(a, 'complete')),
    svd: ([a]) => {
      const { u, s, vh } = linalg.svd(a, { fullMatrices: false });
      return [s, u, vh];
    },
    matrixNorm: ([a], [ord]) => [linalg.matrixNorm(a, ordOf(ord))],
    lstsq: ([a, b]) => [linalg.lstsq(a, b).solution],
    eigh: ([a]) => Object.values(linalg.eigh(symmetrised(a))),
    eigvalsh: ([a]) => [linalg.eigvalsh(symmetrised(a))],
    cholesky: ([a]) => [linalg.cholesky(symmetrised(a))],
    choleskyUpper: ([a]) => [linalg.cholesky(symmetrised(a), { upper: true })],
    choleskySolve: ([b, a]) => [linalg.choleskySolve(b, linalg.cholesky(symmetrised(a)))],
    solveTriangular: ([a, b], [upper, left, unitriangular]) => [
      linalg.solveTriangular(a, left === true ? b : (b.transpose(-2, -1) as Matrix), {
        upper: upper === true,
        left: left === true,
        unitriangular: unitriangular === true,
      }),
    ],
    householderProduct: ([a, tau]) => [linalg.householderProduct(a, tau)],
    tensorinv: ([a]) => [linalg.tensorinv(a)],
    tensorsolve: ([a, b]) => [linalg.tensorsolve(a, b)],
  } satisfies Record<string, (inputs: readonly Matrix[], args: Row['args']) => readonly object[]>),
) as never;

/** The largest difference, as a share of the largest number. */
function errorOf(found: ArrayLike<number>, wanted: readonly (number | string)[]): number {
  const numbers = wanted.map(numberOf);
  const largest = numbers.reduce((most, x) => Math.max(most, Number.isFinite(x) ? Math.abs(x) : 0), 1e-30);
  let error = found.length === numbers.length ? 0 : Infinity;
  numbers.forEach((x, i) => {
    if (Object.is(found[i], x) || found[i] === x) return;
    error = Math.max(error, Number.isFinite(found[i]) ? Math.abs(found[i] - x) / largest : Infinity);
  });
  return error;
}

describe.each([
  ['float64', 1e-10, 1e-9],
  ['float32', 1e-4, 1e-4],
] as const)('in %s', (dtype, mostOfValues, mostOfGradients) => {
  const byOp = group(fixture.rows);
  test.each([...byOp])('%s', async (op, rows) => {
    const wrong: string[] = [];
    for (const { args, inputs, out, grads } of rows) {
      const where = `${op}(${inputs.map((x) => (typeof x === 'string' ? x : `[${x.shape.join()}]`)).join()} ${args.join()})`;
      const xs = inputs.map((x) => made(typeof x === 'string' ? fixture.matrices[x] : x, dtype, grads !== null));
      const found = CALLS[op](xs, args) as readonly Matrix[];
      const floats = found.filter((y) => (y.dtype as string) !== 'int32');
      if (grads !== null) {
        const losses = floats.map((y) => {
          const weights = Float64Array.from({ length: y.size }, (_, i) => Math.cos(i + 1));
          return y.mul(tensor(weights, { dtype }).reshape([...y.shape])).sum();
        });
        losses.reduce((a, b) => a.add(b) as never).backward();
      }
      await realize(...found, ...xs.flatMap((x) => x.grad ?? []));
      for (const [i, y] of found.entries()) {
        expect([where, ...y.shape]).toEqual([where, ...out[i].shape]);
        const error = errorOf(await y.data(), out[i].data);
        if (error > mostOfValues) wrong.push(`${where}: result ${i}: ${error}`);
      }
      for (const [i, x] of xs.entries()) {
        const wanted = grads?.[i];
        if (wanted === undefined || wanted === null) continue;
        const error = errorOf(x.grad === undefined ? [] : await x.grad.data(), wanted.data);
        if (error > mostOfGradients) wrong.push(`${where}: gradient ${i}: ${error}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});

function group(rows: readonly Row[]): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) groups.set(row.op, [...(groups.get(row.op) ?? []), row]);
  return groups;
}

// ---------------------------------------------------------------- derivatives

const START = [
  [2, 0.5, -0.3],
  [0.1, 1.5, 0.7],
  [-0.4, 0.2, 1],
];
/** On the device that a check runs on. */
const side = (): Tensor =>
  tensor([
    [1, 2],
    [-1, 0.5],
    [0.3, 1],
  ]) as Tensor;
const both = (x: Tensor): Tensor => x.add(x.transpose(-2, -1)) as Tensor;
const spd = (x: Tensor): Tensor => x.matmul(x.transpose(-2, -1)) as Tensor;
/** With a pair of complex eigenvalues. */
const turning = (x: Tensor): Tensor =>
  x.add(
    tensor([
      [0, -3, 0],
      [3, 0, 0],
      [0, 0, 0],
    ]),
  ) as Tensor;
const SMOOTH: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  solve: (x) => linalg.solve(x, side()) as Tensor,
  inv: (x) => linalg.inv(x),
  det: (x) => linalg.det(x) as Tensor,
  slogdet: (x) => linalg.slogdet(x).logabsdet as Tensor,
  cholesky: (x) => linalg.cholesky(spd(x)),
  lu: (x) => linalg.lu(x).l.add(linalg.lu(x).u) as Tensor,
  qr: (x) => linalg.qr(x).q.add(linalg.qr(x).r) as Tensor,
  eigh: (x) => linalg.eigh(both(x)).eigenvectors.square().cumsum(0) as Tensor,
  eigvalsh: (x) => linalg.eigvalsh(both(x)) as Tensor,
  svd: (x) => {
    const { u, s, vh } = linalg.svd(x);
    return u.square().mul(s).add(vh.square()) as Tensor;
  },
  eigvals: (x) => linalg.eigvals(turning(x)) as Tensor,
  eig: (x) => linalg.eig(turning(x)).eigenvectors.square().sum(-1) as Tensor,
  'R alone': (x) => linalg.qr(x, 'r').r as Tensor,
  pinv: (x) => linalg.pinv(x.slice(0, 0, 2)) as Tensor,
  lstsq: (x) => linalg.lstsq(x.slice(1, 0, 2), side()).solution as Tensor,
  'lstsq by QR': (x) => linalg.lstsq(x.slice(1, 0, 2), side(), { driver: 'gels' }).solution as Tensor,
  matrixExp: (x) => linalg.matrixExp(x.mul(3) as Tensor),
  matrixPower: (x) => linalg.matrixPower(x, -2),
  cond: (x) => linalg.cond(x, 1) as Tensor,
  nuclear: (x) => linalg.matrixNorm(x, 'nuc') as Tensor,
  choleskySolve: (x) => linalg.choleskySolve(side(), linalg.cholesky(spd(x))) as Tensor,
  luSolve: (x) => linalg.luSolve(linalg.luFactor(x), side()) as Tensor,
  householderProduct: (x) => linalg.householderProduct(x, x.slice(0, 0, 1).flatten() as Tensor),
};

test.each(Object.entries(SMOOTH))('%s: gradient and second derivative against differences', async (_, fn) => {
  const weighted = (x: Tensor): Tensor => {
    const y = fn(x).flatten() as Tensor;
    return y.mul(tensor(Array.from({ length: y.size }, (_x, i) => Math.cos(i + 1)))).sum() as Tensor;
  };
  await checkGradient(weighted, [tensor(START)], { assert: true, tolerance: 1e-5 });
  setDevice('reference');
  try {
    const along = Float64Array.from(START.flat(), (_x, i) => Math.sin(i + 1));
    const at = (step: number): Tensor =>
      tensor(
        Float64Array.from(START.flat(), (x, i) => x + step * along[i]),
        { shape: [3, 3], dtype: 'float32' },
      ) as unknown as Tensor;
    const direction: Tensor = tensor(along, { shape: [3, 3], dtype: 'float32' }) as unknown as Tensor;
    const [up, down] = [await grad(weighted)(at(1e-5)).data(), await grad(weighted)(at(-1e-5)).data()];
    const curved = await grad((x: Tensor) => grad(weighted)(x).mul(direction).sum() as Tensor)(at(0)).data();
    const wanted = Array.from(up, (x, i) => (x - down[i]) / 2e-5);
    const largest = wanted.reduce((most, x) => Math.max(most, Math.abs(x)), 1);
    wanted.forEach((x, i) => expect(Math.abs(curved[i] - x)).toBeLessThan(1e-5 * largest));
  } finally {
    setDevice('cpu');
  }
});

// ---------------------------------------------------------------- where it runs

test('in captured steps, under vmap and without gradients', async () => {
  manualSeed(3);
  const a = randn([4, 3, 3]) as Tensor;
  const b = randn([4, 3]) as Tensor;
  const whole = linalg.solve(a, b.unsqueeze(2) as Tensor).squeeze(2) as Tensor;
  const each = vmap((m: Tensor, v: Tensor) => linalg.solve(m, v) as Tensor)(a, b);
  expect(await isclose(each, whole).all().item()).toBe(1);
  const slopes = vmap(grad((m: Tensor) => linalg.det(m).sum() as Tensor))(a);
  const cofactors = linalg.det(a).reshape([4, 1, 1]).mul(linalg.inv(a).transpose(1, 2)) as Tensor;
  expect(await isclose(slopes, cofactors, { rtol: 1e-4, atol: 1e-5 }).all().item()).toBe(1);
  const captured = compile((m: Tensor, v: Tensor) => linalg.svd(linalg.solve(m, v) as Tensor).s);
  for (let i = 0; i < 4; i++) {
    const [m, v] = [randn([3, 3]) as Tensor, randn([3, 2]) as Tensor];
    const wanted = linalg.svd(linalg.solve(m, v) as Tensor).s;
    expect(
      await isclose(await captured(m, v), wanted, { rtol: 1e-4 })
        .all()
        .item(),
    ).toBe(1);
  }
  expect(noGrad(() => linalg.inv(a)).requiresGrad).toBe(false);
});

test('a step that meets a singular matrix leaves everything as it was', async () => {
  manualSeed(0);
  const model = new Linear(2, 2);
  const optimizer = new SGD(model.parameters(), { lr: 0.1 });
  const before = await model.weight.array();
  const singular = zeros([2, 2]);
  mseLoss(linalg.solve(singular, model.forward(side().slice(0, 0, 2) as Tensor<[2, 2]>)), zeros([2, 2])).backward();
  await expect(optimizer.step()).rejects.toThrow(linalg.LinAlgError);
  expect(await model.weight.array()).toEqual(before);
});

// ---------------------------------------------------------------- what is refused

test('a matrix that has no answer is an error when the result is read', async () => {
  const singular: Tensor = tensor([
    [1, 2],
    [2, 4],
  ]) as Tensor;
  const nan: Tensor = tensor([
    [1, NaN],
    [NaN, 4],
  ]) as Tensor;
  const cases: [() => AnyTensor, string][] = [
    [() => linalg.solve(singular, tensor([1, 2])), 'solve: the matrix is singular: pivot 2 is 0.'],
    [() => linalg.inv(singular), 'inv: the matrix is singular: pivot 2 is 0.'],
    [() => linalg.luFactor(singular).lu, 'luFactor: the matrix is singular: pivot 2 is 0.'],
    [() => linalg.matrixPower(singular, -1), 'matrixPower: the matrix is singular'],
    [
      () =>
        linalg.cholesky(
          tensor([
            [1, 2],
            [2, 1],
          ]),
        ),
      'cholesky: the matrix is not positive definite: its leading block of order 2 is not.',
    ],
    [
      () =>
        linalg.inv(
          tensor([
            [
              [1, 0],
              [0, 1],
            ],
            [
              [0, 0],
              [0, 1],
            ],
          ]),
        ),
      'inv: matrix 1 of the batch is singular: pivot 1 is 0.',
    ],
    [
      () =>
        linalg.solveTriangular(
          tensor([
            [1, 0],
            [3, 0],
          ]),
          tensor([[1], [1]]),
          { upper: false },
        ),
      'solveTriangular: the matrix is singular: element 2 of its diagonal is 0.',
    ],
    [() => linalg.lstsq(singular, tensor([1, 2]), { driver: 'gels' }).solution, 'lstsq: the matrix is singular'],
    ...(['eig', 'ldl', 'eigh', 'svd', 'inv', 'pinv', 'cholesky', 'qr', 'solve'] as const).map(
      (name): (typeof cases)[number] => [
        () => {
          if (name === 'eig') return linalg.eig(nan).eigenvalues;
          if (name === 'ldl') return linalg.ldl(nan).d;
          if (name === 'eigh') return linalg.eigh(nan).eigenvalues;
          if (name === 'svd') return linalg.svd(nan).s;
          if (name === 'qr') return linalg.qr(nan).r;
          if (name === 'solve') return linalg.solve(nan, tensor([1, 2]));
          if (name === 'pinv') return linalg.pinv(nan);
          return name === 'inv' ? linalg.inv(nan) : linalg.cholesky(nan);
        },
        `${name}: the matrix holds NaN or infinity.`,
      ],
    ),
  ];
  for (const [run, message] of cases) await expect(async () => run().data()).rejects.toThrow(message);
  const { info } = linalg.choleskyEx(
    tensor([
      [1, 2],
      [2, 1],
    ]),
  );
  expect(await info.item()).toBe(2);
  expect(await linalg.invEx(singular).info.item()).toBe(2);
  expect(await linalg.solveEx(nan, tensor([1, 2])).info.item()).toBe(-1);
  expect(Math.abs(await linalg.det(singular).item())).toBe(0);
  expect(await linalg.cond(singular, 1).item()).toBe(Infinity);
});

test('calls that mean nothing are refused at once', () => {
  const a = zeros([2, 3]);
  const s = zeros([2, 2]);
  const cases: [() => unknown, string][] = [
    [() => linalg.inv(a), 'inv: the matrix [2, 3] is not square'],
    [() => linalg.det(zeros([2])), 'det: the matrix [2] has no rows and columns'],
    [() => linalg.solve(s, zeros([3])), 'solve: [2, 2] and [3]: the matrix has 2 rows, the right side 3 rows'],
    [() => linalg.solve(s, zeros([2]), { left: false }), 'solve: the right side [2] is a vector, and left is false.'],
    [() => linalg.solve(s, s, { upper: true } as never), "solve: there is no option 'upper'."],
    [() => linalg.solve([[1]] as never, s), 'solve: the matrix is a plain list, not a tensor.'],
    [() => linalg.solveTriangular(s, s, undefined as never), 'solveTriangular: which triangle is meant is missing.'],
    [() => linalg.qr(s, 'raw' as never), "qr: mode is 'raw'. Use 'reduced', 'complete' or 'r'."],
    [() => linalg.eig(a), 'eig: the matrix [2, 3] is not square'],
    [() => linalg.ldl(a), 'ldl: the matrix [2, 3] is not square'],
    [() => linalg.eigh(s, 'X' as never), "eigh: uplo is 'X'. Use 'L' or 'U'."],
    [() => linalg.lstsq(a, zeros([3])), 'lstsq: [2, 3] and [3]: needs as many rows'],
    [() => linalg.lstsq(a, zeros([2]), { driver: 'fast' as never }), "lstsq: driver is 'fast'."],
    [() => linalg.cond(s, 3 as never), 'cond: p is 3.'],
    [() => linalg.luSolve(s as never, s), 'luSolve: the first argument is not what luFactor gives'],
    [() => linalg.tensorinv(zeros([2, 3, 5])), 'tensorinv: [2, 3, 5] is no square map'],
    [() => linalg.tensorsolve(zeros([2, 3]), zeros([2])), 'tensorsolve: [2, 3] and [2]'],
    [() => linalg.householderProduct(a, zeros([2])), 'householderProduct: [2, 3] and [2]'],
    [() => linalg.norm(zeros([2, 2, 2]), 2), 'norm: ord is given, and [2, 2, 2] is neither a vector nor a matrix.'],
    [() => linalg.pinv(a, { rtol: 'small' as never }), "pinv: rtol is 'small'. Use a number."],
  ];
  for (const [run, message] of cases) expect(run).toThrow(message);
});

test('an indefinite matrix has as many negative eigenvalues as D of L·D·Lᵀ, and no gradient flows through it', async () => {
  const a: Matrix = tensor(
    [
      [0, 2, 1],
      [2, 0, -1],
      [1, -1, 3],
    ],
    { dtype: 'float64', requiresGrad: true },
  );
  const { d } = linalg.ldl(a);
  const negative = async (x: Matrix): Promise<number> =>
    Array.from(await linalg.eigvalsh(x).data()).filter((value) => value < 0).length;
  expect(await negative(d)).toBe(await negative(a));
  expect(() => d.sum().backward()).toThrow('ldl: it has no derivative. Use cholesky, lu or eigh.');
});
