// Sums of any length are as right as pairwise summation makes them, on both tiers. The terms are equal, so that rounding errs to
// one side in every addition, or their sum is more than 2^24 times a term, at which plain addition stands still.
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { type AnyTensor, type Tensor, cat, full, ones, rand, realize, setDevice, stack, tensor, zeros } from 'nabla';
import { TIERS } from './support/tiers.js';

vi.setConfig({ testTimeout: 120_000 }); // the C compiler, on a machine that others use, too

const TENTH = Math.fround(0.1);
/** log2(n) units in the last place: what NumPy promises of its sums. */
const pairwise = (n: number): number => Math.max(4, Math.log2(n)) * 2 ** -23;

async function expectAll(t: AnyTensor, value: number, relative: number): Promise<void> {
  const data = Array.from(await t.data(), Number);
  const far = data.reduce((worst, x) => Math.max(worst, Math.abs(x - value)), 0);
  expect(far / Math.abs(value), `${data[0]} instead of ${value}`).toBeLessThanOrEqual(relative);
}

/** Tensors, all of whose elements should be a number, to a relative error: computed by one program. */
async function checkAll(rows: readonly (readonly [t: AnyTensor, value: number, relative: number])[]): Promise<void> {
  await realize(...rows.map(([t]) => t));
  for (const [t, value, relative] of rows) await expectAll(t, value, relative);
}

const tenths = (...shape: number[]): Tensor => full(shape, 0.1) as Tensor;
const toOne = (rows: number, index: number) => full([rows], index, { dtype: 'int32' });

describe.each(TIERS.filter((t) => t.device !== 'reference'))('on the $device tier', ({ device }) => {
  beforeAll(() => setDevice(device));

  test('sums of all shapes', () =>
    checkAll([
      [ones([300_000_007]).sum(), 300_000_000, 0], // the float32 next to it
      [tenths(1_000_003).sum(), TENTH * 1_000_003, pairwise(1e6)],
      [tenths(3, 100_003).sum(1), TENTH * 100_003, pairwise(1e5)],
      [tenths(100_003, 3).sum(0), TENTH * 100_003, pairwise(1e5)],
      [tenths(100_003, 70).sum(0), TENTH * 100_003, pairwise(1e5)], // tall columns
      [tenths(5003, 1000).sum(0), TENTH * 5003, pairwise(5003)],
      [tenths(3, 40_007, 5).sum(1), TENTH * 40_007, pairwise(40_007)],
      [tenths(20_011, 5, 7).sum([0, 2]), TENTH * 140_077, pairwise(140_077)],
      [tenths(20_011, 4, 3, 3).sum([0, 2, 3]), TENTH * 180_099, pairwise(180_099)], // the bias of a convolution
    ]));

  test('means, variances, norms and exponentials', () =>
    checkAll([
      [tenths(20_000_000).mean(), TENTH, pairwise(2e7)],
      [ones([20_000_003], { dtype: 'int32' }).mean(), 1, pairwise(2e7)],
      [ones([20_000_003], { dtype: 'bool' }).mean(), 1, pairwise(2e7)],
      [rand([20_000_000]).var(), 1 / 12, 1e-3], // 20 standard errors are 4e-4
      [tenths(1_000_003).norm(), TENTH * Math.sqrt(1_000_003), pairwise(1e6)],
      [zeros([20_000_003]).logsumexp(0), Math.log(20_000_003), pairwise(2e7)],
      [zeros([2, 17_000_003]).softmax(1).slice(1, 0, 3), 1 / 17_000_003, pairwise(2e7)],
    ]));

  test('products over a very long inner axis, and gradients that are such products', async () => {
    const k = 1_000_003;
    // 512 terms are added one after the other, as in shorter products; what comes after them loses nothing.
    const most = 256 * 2 ** -24;
    const w = tensor([[1, 2]], { requiresGrad: true }) as Tensor;
    tenths(k, 1).matmul(w).sum().backward();
    await checkAll([
      [tenths(1, k).matmul(ones([k, 1]) as Tensor), TENTH * k, most],
      [
        tenths(k, 5)
          .transpose(0, 1)
          .matmul(ones([k, 37]) as Tensor),
        TENTH * k,
        most,
      ],
      [(tenths(3, k).matmul(ones([k, 40]) as Tensor) as Tensor).add(1), TENTH * k + 1, most],
      [ones([1, 17_000_003]).matmul(ones([17_000_003, 1])), 17_000_003, 2 ** -23],
      [w.grad as Tensor, TENTH * k, most],
    ]);
    expect(
      await full([1, k], Infinity)
        .matmul(ones([k, 1]))
        .item(),
    ).toBe(Infinity);
  });

  test('running sums', async () => {
    const n = 1 << 25;
    const counted = (await ones([n])
      .cumsum(0)
      .slice(0, n - 2)
      .data()) as Float32Array;
    expect([...counted]).toEqual([n - 1, n].map(Math.fround));
    const sums = await tenths(1_000_003).cumsum(0).data();
    for (const i of [0, 99, 65_536, 1_000_002])
      expect(Math.abs(sums[i] / (TENTH * (i + 1)) - 1)).toBeLessThan(pairwise(1e6));
    const down = (await tenths(3, 1003, 2).cumsum(1).slice(1, 1002).data()) as Float32Array;
    for (const x of down) expect(Math.abs(x / (TENTH * 1003) - 1)).toBeLessThan(pairwise(1003));
    expect([...(await tensor([1, Infinity, 2, -1]).cumsum(0).data())]).toEqual([1, Infinity, Infinity, Infinity]);
    expect([
      ...(await cat([ones([70]), full([70], Infinity)])
        .cumsum(0)
        .slice(0, 69, 72)
        .data()),
    ]).toEqual([70, Infinity, Infinity]);
  });

  test('many additions to one place', async () => {
    const n = 300_007;
    const add = (shape: number[], dim: number, index: unknown, source: unknown) =>
      zeros(shape).scatterAdd(dim, index as never, source as never);
    const wide = toOne(20_011, 1).reshape([20_011, 1]).expand([20_011, 37]);
    const along = toOne(20_011, 1).reshape([1, 20_011]).expand([5, 20_011]);
    const table = zeros([4, 3], { requiresGrad: true }) as Tensor;
    table.indexSelect(0, toOne(n, 1)).mul(0.1).sum().backward();
    await checkAll([
      [add([3], 0, toOne(n, 2), tenths(n)).slice(0, 2), TENTH * n, pairwise(n)],
      [add([2, 37], 0, wide, tenths(20_011, 37)).slice(0, 1), TENTH * 20_011, pairwise(n)],
      [add([5, 2], 1, along, tenths(5, 20_011)).slice(1, 1), TENTH * 20_011, pairwise(n)],
      [(table.grad as Tensor).index(1), TENTH * n, pairwise(n)],
    ]);
    expect(
      await add([2], 0, toOne(5000, 1), full([5000], Infinity))
        .slice(0, 1)
        .sum()
        .item(),
    ).toBe(Infinity);
  });

  test('what is not finite stays what it is', async () => {
    const long = (value: number) => cat([ones([50_000]), full([3], value), ones([50_000])]);
    const sums = stack([
      long(Infinity).sum(),
      long(-Infinity).sum(),
      long(NaN).sum(),
      cat([long(Infinity), long(-Infinity)]).sum(),
      full([100_003], 1e38).sum(),
    ]);
    expect([...(await sums.data())]).toEqual([Infinity, -Infinity, NaN, NaN, Infinity]);
  });

  test('int32 wraps around', async () => {
    const large = full([5], 2_000_000_000, { dtype: 'int32' });
    expect(await large.sum().item()).toBe(10_000_000_000 | 0);
    expect([...(await large.cumsum(0).data())]).toEqual([1, 2, 3, 4, 5].map((n) => (n * 2e9) | 0));
    expect(await full([40], 3, { dtype: 'int32' }).prod().item()).toBe(Number(BigInt.asIntN(32, 3n ** 40n)));
  });
});

test.each(TIERS)('numbers beyond int32 saturate when they are cast, and NaN is 0, on $device', async ({ device }) => {
  setDevice(device);
  const x = tensor([3e9, -3e9, Infinity, -Infinity, NaN, 2147483520, -2147483648, 1.9, -1.9, 0.5]);
  const expected = [2147483647, -2147483648, 2147483647, -2147483648, 0, 2147483520, -2147483648, 1, -1, 0];
  expect([...(await x.to('int32').data())]).toEqual(expected);
  expect([...(await (x.mul(1).to('int32') as AnyTensor).data())]).toEqual(expected);
});
