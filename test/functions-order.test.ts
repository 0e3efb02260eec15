// The functions that order, count and accumulate over ranks 0 to 4, values and gradients, against PyTorch
// (test/fixtures/functions-order.json, made by tools/parity/functions_order.py).
import { describe, expect, test } from 'vitest';
import * as nabla from 'nabla';
import { CaptureError, type Tensor, compile, setDevice, tensor } from 'nabla';
import { type Call, plain } from './support/checksums.js';
import { functionParity } from './support/function-parity.js';
import { TIERS } from './support/tiers.js';

type Whole = Tensor<number[], 'int32'>;
const asWhole = (t: Tensor): Whole => t as unknown as Whole;
const detached =
  (call: Call): Call =>
  (inputs, args) =>
    call(
      inputs.map((x) => x.detach()),
      args,
    );
/** Of a call that gives values and indices. */
const onlyValues =
  (call: Call): Call =>
  (inputs, args) =>
    (call(inputs, args) as { values: Tensor }).values;
/** A dimension, and an object of options in which these are the other arguments. */
const alongDim =
  (fn: unknown, ...names: string[]): Call =>
  (inputs, [dim, ...rest]) =>
    plain(fn)(inputs, [dim ?? undefined, Object.fromEntries(rest.map((value, i) => [names[i], value]))] as never[]);

const running = { cumprod: plain(nabla.cumprod), cummax: plain(nabla.cummax), cummin: plain(nabla.cummin) };
const logcumsumexp = plain(nabla.logcumsumexp);
const byRank = (fn: unknown): Call => alongDim(fn, 'keepdim');
const median = byRank(nabla.median);
const nanmedian = byRank(nabla.nanmedian);
const kthvalue: Call = ([x], [k, dim, keepdim]) => nabla.kthvalue(x, k, dim, { keepdim });
const quantile =
  (fn: typeof nabla.quantile): Call =>
  ([x], [q, dim, keepdim, interpolation]) =>
    fn(x, q, dim ?? undefined, { keepdim, interpolation });
const everything = { returnInverse: true, returnCounts: true } as const;

functionParity('functions-order', {
  ...running,
  logcumsumexp,
  ...Object.fromEntries(Object.entries(running).map(([name, call]) => [`${name}Detached`, detached(call)])),
  logcumsumexpDetached: detached(logcumsumexp),
  diff: ([x], [n, dim]) => nabla.diff(x, { n, dim }),
  diffBetween: ([x, prepend, append], [n, dim]) => nabla.diff(x, { n, dim, prepend, append }),
  median,
  nanmedian,
  medianValues: onlyValues(detached(median)),
  nanmedianValues: onlyValues(detached(nanmedian)),
  kthvalue,
  kthvalueValues: onlyValues(detached(kthvalue)),
  mode: byRank(nabla.mode),
  modeValues: onlyValues(detached(byRank(nabla.mode))),
  quantile: quantile(nabla.quantile),
  quantileDetached: detached(quantile(nabla.quantile)),
  nanquantile: quantile(nabla.nanquantile),
  nanquantileDetached: detached(quantile(nabla.nanquantile)),
  stdMean: alongDim(nabla.stdMean, 'correction', 'keepdim'),
  varMean: alongDim(nabla.varMean, 'correction', 'keepdim'),
  nansum: alongDim(nabla.nansum, 'keepdim'),
  nanmean: alongDim(nabla.nanmean, 'keepdim'),
  countNonzero: ([x], [dim]) => nabla.countNonzero(x, dim ?? undefined),
  aminmax: ([x], [dim, keepdim]) => nabla.aminmax(x, { keepdim, ...(dim !== null && { dim }) }),
  searchsorted: ([x, values], [right]) => nabla.searchsorted(x.sort().values, values, { right }),
  bucketize: ([values, x], [right]) => nabla.bucketize(values, x.sort().values, { right }),
  unique: ([x]) => nabla.unique(x, everything),
  uniqueCounts: ([x]) => nabla.unique(x, { returnCounts: true }),
  uniqueAlong: ([x], [dim]) => nabla.unique(x, { ...everything, dim }),
  bincount: ([x], [minLength]) => nabla.bincount(asWhole(x), { minLength }),
  bincountOf: ([x], [length]) => nabla.bincount(asWhole(x), { length }),
  bincountWeights: ([x, weights], [minLength]) => nabla.bincount(asWhole(x), { weights: weights.detach(), minLength }),
  histc: ([x], [bins, min, max]) => nabla.histc(x, bins, { min, max }),
} satisfies Record<string, Call>);

test('weights that are not float32 are added up in float64', async () => {
  setDevice('cpu');
  const labels = tensor(Int32Array.of(0, 2, 2));
  const sums = nabla.bincount(labels, { length: 3, weights: tensor(Int32Array.of(2 ** 30, 2 ** 30, 2 ** 30 + 1)) });
  expect(sums.dtype).toBe('float64');
  expect(await sums.array()).toEqual([2 ** 30, 0, 2 ** 31 + 1]);
  expect(nabla.bincount(labels, { length: 3, weights: nabla.ones([3]) }).dtype).toBe('float32');
});

/** Zeros are one number. */
const withoutSign = (numbers: Iterable<number>): number[] => Array.from(numbers, (v) => v + 0);

describe.each(TIERS)('long lines, in which ranks are counted, on $device', ({ device }) => {
  const n = 700;
  const odd = [NaN, -NaN, 0, -0, Infinity, -Infinity, 1e-45, -1e-45, 3.4e38, -3.4e38];
  const floats = Float32Array.from({ length: 2 * n }, (_, i) =>
    i % 9 === 4 ? odd[i % 10] : Math.sin(i * i) * 10 ** (i % 7),
  );
  const wholes = Int32Array.from(
    { length: 2 * n },
    (_, i) => [-0x80000000, 0x7fffffff, -1, 0][i % 60] ?? i * 7919 - 5e6,
  );

  test('every rank is where sorting has it', async () => {
    setDevice(device);
    for (const numbers of [floats, wholes]) {
      const x = tensor(numbers as Float32Array, { shape: [2, n] });
      const data = await x.data();
      const sorted = await x.sort(1).values.data();
      for (const k of device === 'native' ? [351] : [1, 2, 60, 350, 351, 640, 699, 700]) {
        const { values, indices } = nabla.kthvalue(x, k, 1);
        const places = await indices.data();
        const wanted = withoutSign([sorted[k - 1], sorted[n + k - 1]]);
        expect(withoutSign(await values.data())).toEqual(wanted);
        expect(withoutSign([data[places[0]], data[n + places[1]]])).toEqual(wanted);
      }
    }
  });

  test('median, nanmedian and quantile agree with sorting', async () => {
    setDevice(device);
    const numbers = floats.map((v) => (Number.isFinite(v) ? v : Number.isNaN(v) ? NaN : 7));
    const x = tensor(numbers, { shape: [2, n] });
    const rows = [0, 1].map((row) =>
      numbers
        .slice(row * n, (row + 1) * n)
        .filter((v) => !Number.isNaN(v))
        .sort(),
    );
    expect(await nabla.median(x, 1).values.array()).toEqual([NaN, NaN]);
    expect(await nabla.median(x).item()).toBeNaN();
    const medians = await nabla.nanmedian(x, 1).values.data();
    expect(withoutSign(medians)).toEqual(withoutSign(rows.map((row) => row[(row.length - 1) >> 1])));
    const quarters = await nabla.nanquantile(x, 0.25, 1, { interpolation: 'lower' }).data();
    expect(withoutSign(quarters)).toEqual(withoutSign(rows.map((row) => row[Math.floor(0.25 * (row.length - 1))])));
    const finite = tensor(Float32Array.from(rows[0]), { requiresGrad: true });
    const middle = nabla.quantile(finite, 0.5, 0);
    const rank = 0.5 * (rows[0].length - 1);
    expect(await middle.item()).toBeCloseTo((rows[0][Math.floor(rank)] + rows[0][Math.ceil(rank)]) / 2, 4);
    middle.backward();
    expect(await finite.grad?.sum().item()).toBeCloseTo(1, 6);
  });
});

describe.each(TIERS)('running results of what was looked up, on $device', ({ device, tolerance }) => {
  test.each([17, 33, 40, 90])('%i elements, values and gradients', async (n) => {
    setDevice(device);
    const numbers = Array.from({ length: n }, (_, i) => 1 + ((i * 37) % 11) / 64);
    const at = Int32Array.from({ length: n }, (_, i) => (i * i + 3) % n);
    const x = tensor(Float32Array.from(numbers), { requiresGrad: true });
    const product = x.gather(0, tensor(at)).cumprod(0);
    const products = [...at].reduce<number[]>((list, i) => [...list, (list.at(-1) ?? 1) * numbers[i]], []);
    const weights = Float32Array.from({ length: n }, (_, i) => (i % 5) / 4);
    product.gather(0, tensor(at)).mul(tensor(weights)).sum().backward();
    const gradient = numbers.map(() => 0);
    weights.forEach((weight, k) => {
      for (let i = 0; i <= at[k]; i++) gradient[at[i]] += (weight * products[at[k]]) / numbers[at[i]];
    });
    const most = Math.max(1e-5, tolerance);
    const [values, slopes] = [await product.data(), (await x.grad?.data()) ?? []];
    products.forEach((value, i) => expect(Math.abs(values[i] / value - 1)).toBeLessThan(most));
    const largest = Math.max(...gradient);
    gradient.forEach((slope, i) => expect(Math.abs(slopes[i] - slope)).toBeLessThan(most * largest));
  });
});

test('one value is looked up without a tensor', async () => {
  setDevice('cpu');
  const line = tensor([1, 3, 3, 5]);
  expect(await nabla.searchsorted(line, 3).item()).toBe(1);
  expect(await nabla.searchsorted(line, 3, { right: true }).item()).toBe(3);
  // NaN counts as largest in the sequence, too, as it is sorted.
  const withNaN = tensor([1, 2, NaN, NaN, NaN, NaN, NaN]);
  expect(await nabla.searchsorted(withNaN, tensor([0, 2, 5, NaN])).array()).toEqual([0, 1, 2, 7]);
});

test('fractions may be a tensor, whose range is looked at when it is computed', async () => {
  setDevice('cpu');
  const x = tensor([1, 2, 3, 4, 5]);
  expect(await nabla.quantile(x, tensor([0.25, 0.5])).array()).toEqual([2, 3]);
  await expect(nabla.quantile(x, tensor(1.5)).data()).rejects.toThrow(/^quantile: 1 of 1 fractions is outside 0 to 1/);
});

test('in a compiled function elements are counted up to a length that is known', async () => {
  setDevice('cpu');
  const labels = tensor(Int32Array.of(0, 2, 2));
  for (const count of [(t: typeof labels) => nabla.bincount(t), (t: typeof labels) => nabla.unique(t)]) {
    const fault = compile(async (t: typeof labels) => (await count(t)).sum())(labels);
    await expect(fault).rejects.toThrow(CaptureError);
    await expect(fault).rejects.toThrow(/bincount\(x, \{ length \}\)/);
  }
  const counts = compile((t: typeof labels) => nabla.bincount(t, { length: 4 }));
  for (let call = 0; call < 3; call++) expect(await (await counts(labels)).array()).toEqual([1, 0, 2, 0]);
  await expect(nabla.bincount(labels, { length: 2 }).data()).rejects.toThrow('bincount: element 2 is outside 0 to 1.');
  await expect(nabla.bincount(tensor(Int32Array.of(1, -1)))).rejects.toThrow('bincount: an element is -1.');
});
