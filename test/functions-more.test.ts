// What the samples of OpInfo (opinfo-more.test.ts, opinfo-fourier.test.ts) do not see: other devices than the reference, exact bits, random
// numbers, dtype options, and what is said about arguments that do not fit.
import { describe, expect, expectTypeOf, test } from 'vitest';
import * as nabla from 'nabla';
import { functional, tripletMarginWithDistanceLoss } from 'nabla/nn';
import type { Tensor } from 'nabla';

type Call = (x: Tensor, y: Tensor) => Tensor;

const whole = (numbers: number[]): Tensor<[number], 'int32'> => nabla.tensor(Int32Array.from(numbers));
const mask = (x: Tensor): Tensor<readonly number[], 'bool'> => x.detach().gt(0);

/** x [4, 6] and y [4, 6] of numbers between −2 and 2, to anything. */
const CALLS: Readonly<Record<string, Call>> = {
  lgamma: (x) => nabla.lgamma(x),
  digamma: (x) => nabla.digamma(x.abs().add(0.1)),
  polygamma: (x) => nabla.polygamma(2, x.abs().add(0.1)),
  zeta: (x, y) => nabla.zeta(x.abs().add(1.1), y.abs().add(0.1)),
  bessel: (x) => nabla.i0(x).add(nabla.i1e(x.mul(9))) as Tensor,
  erfcx: (x) => nabla.erfcx(x),
  ndtri: (x) => nabla.ndtri(x.sigmoid()),
  logNdtr: (x) => nabla.logNdtr(x.mul(4)),
  frexp: (x) => nabla.frexp(x).mantissa,
  ldexp: (x, y) => nabla.ldexp(x, y),
  trapezoid: (x, y) => nabla.cumulativeTrapezoid(x, { x: y }),
  gradient: (x) => nabla.gradient(x, { dim: 1, edgeOrder: 2 })[0],
  cov: (x) => nabla.cov(x),
  corrcoef: (x) => nabla.corrcoef(x),
  dist: (x, y) => nabla.dist(x, y, 3),
  vecdot: (x, y) => nabla.vecdot(x, y),
  renorm: (x) => nabla.renorm(x, 2, 0, 1),
  selectScatter: (x, y) => nabla.selectScatter(x, y.index(0) as Tensor, 0, 2),
  sliceScatter: (x, y) => nabla.sliceScatter(x, y.index(null, [0, 2]) as Tensor, { dim: 1, start: 1, step: 3 }),
  diagonalScatter: (x, y) => nabla.diagonalScatter(x, y.index(0, [0, 4]) as Tensor, 1),
  put: (x, y) => nabla.put(x, whole([3, -1, 7]), y.index(0, [0, 3]) as Tensor, { accumulate: true }),
  maskedScatter: (x, y) => nabla.maskedScatter(x, mask(y), y),
  indexReduce: (x, y) => nabla.indexReduce(x, 0, whole([1, 1, 3, 0]), y, 'mean'),
  msort: (x) => nabla.msort(x),
  tensorSplit: (x) => nabla.tensorSplit(x, [1, 4], 1)[1],
  blockDiag: (x, y) => nabla.blockDiag(x, y.index([0, 2]) as Tensor),
  combinations: (x) => nabla.combinations(x.index(0) as Tensor, { r: 3 }),
  vander: (x) => nabla.vander(x.index(1) as Tensor, { n: 4 }),
  roll: (x) => nabla.roll(x, [1, -2], [0, 1]),
  fft: (x) => nabla.fft(x.reshape([4, 3, 2]) as Tensor, { dim: 0, norm: 'ortho' }),
  rfft: (x) => nabla.rfft(x, { n: 9 }),
  irfft2: (x) => nabla.irfft2(x.reshape([4, 3, 2]) as Tensor, { s: [3, 5] }),
  stft: (x) => nabla.stft(x.reshape([24]) as Tensor, 8, { window: nabla.hannWindow(8) }),
  batchNorm: (x, y) => functional.batchNorm(x, undefined, undefined, { training: true, weight: y.index(0) as Tensor }),
  layerNorm: (x, y) => functional.layerNorm(x, [6], { bias: y.index(0) as Tensor }),
  bilinear: (x, y) => functional.bilinear(x, y, nabla.ones([2, 6, 6]) as Tensor),
};

/** Values and gradients of all calls, computed as one program. */
async function computed(device: string): Promise<Map<string, Float64Array[]>> {
  nabla.setDevice(device);
  const numbers = (seed: number): Tensor =>
    nabla.tensor(
      Float32Array.from({ length: 24 }, (_, i) => 2 * Math.sin(seed + i * (1.3 + 0.2 * seed))),
      { shape: [4, 6], requiresGrad: true },
    );
  const all = Object.entries(CALLS).map(([name, call]) => {
    const [x, y] = [numbers(1), numbers(2)];
    const result = call(x, y);
    const weights = nabla.arange(result.size).to('float32').cos().reshape(result.shape) as Tensor;
    (result.mul(weights).sum() as Tensor).backward();
    return [name, [result, x.grad, y.grad].filter((t) => t !== undefined) as Tensor[]] as const;
  });
  await nabla.realize(...all.flatMap(([, tensors]) => tensors));
  const read = async (t: Tensor): Promise<Float64Array> => Float64Array.from(await t.data());
  return new Map(await Promise.all(all.map(async ([name, ts]) => [name, await Promise.all(ts.map(read))] as const)));
}

test('the CPU computes what the reference device does', async () => {
  const [expected, found] = [await computed('reference'), await computed('cpu')];
  const wrong: string[] = [];
  for (const [name, tensors] of expected) {
    tensors.forEach((numbers, i) => {
      const scale = numbers.reduce((most, v) => Math.max(most, Math.abs(v)), 1e-2);
      const other = found.get(name)![i];
      const at = numbers.findIndex((v, k) => !(Math.abs(v - other[k]) <= 2e-5 * scale));
      if (at >= 0) wrong.push(`${name} ${i}: element ${at} is ${other[at]} instead of ${numbers[at]}`);
    });
  }
  expect(wrong).toEqual([]);
}, 120_000);

describe.each(['reference', 'cpu'])('on %s', (device) => {
  test('numbers beside each other, mantissas and exponents are exact', async () => {
    nabla.setDevice(device);
    const single = [1, -1, 0.1, -0, 3.4028234663852886e38, 1e-40, 2 ** -149].map(Math.fround);
    const x = nabla.tensor(Float32Array.from(single));
    const [up, down] = [await nabla.nextafter(x, Infinity).data(), await nabla.nextafter(x, -Infinity).data()];
    const bits = new DataView(new ArrayBuffer(8));
    const neighbour = (v: number, isUp: boolean): number => {
      if (v === 0) return isUp ? 2 ** -149 : -(2 ** -149);
      bits.setFloat32(0, v);
      bits.setInt32(0, bits.getInt32(0) + (v > 0 === isUp ? 1 : -1));
      return bits.getFloat32(0);
    };
    expect([...up]).toEqual(single.map((v) => neighbour(v, true)));
    expect([...down]).toEqual(single.map((v) => neighbour(v, false)));
    const wide = nabla.tensor(Float64Array.of(1, -1, 1e300, 0, 0.1));
    expect([...(await nabla.nextafter(wide, Infinity).data())]).toEqual([
      1 + 2 ** -52,
      -1 + 2 ** -53,
      1.0000000000000001e300 + 2 ** 944,
      Number.MIN_VALUE,
      0.1 + 2 ** -56,
    ]);
    const { mantissa, exponent } = nabla.frexp(
      nabla.tensor(Float64Array.of(8, -0.3, 0, 2 ** -1074, 1.7e308, Infinity)),
    );
    expect([...(await mantissa.data())]).toEqual([0.5, -0.6, 0, 0.5, 1.7e308 / 2 ** 1023 / 2, Infinity]);
    expect([...(await exponent.data())]).toEqual([4, -1, 0, -1073, 1024, 0]);
  });

  test('random numbers are of their distributions', async () => {
    nabla.setDevice(device);
    nabla.manualSeed(3);
    const n = 20_000;
    const drawn = [
      nabla.uniform([n], -1, 3),
      nabla.cauchy([n], 2, 0.5),
      nabla.logNormal([n], 0.5, 0.25),
      nabla.geometric([n], 0.3),
    ] as Tensor[];
    await nabla.realize(...drawn);
    const [u, c, l, g] = await Promise.all(drawn.map(async (t) => Float64Array.from(await t.data()).sort()));
    const mean = (v: Float64Array): number => v.reduce((a, b) => a + b, 0) / n;
    expect(mean(u)).toBeCloseTo(1, 1);
    expect(u[0]).toBeGreaterThanOrEqual(-1);
    expect(u[n - 1]).toBeLessThan(3);
    expect(c[n / 2]).toBeCloseTo(2, 1);
    expect(c[(3 * n) / 4] - c[n / 4]).toBeCloseTo(1, 1); // the quartiles are σ from the median
    expect(Math.log(l[n / 2])).toBeCloseTo(0.5, 1);
    expect(mean(g)).toBeCloseTo(1 / 0.3, 1);
    expect(g[0]).toBe(1);
    expect(g.filter((v) => v === 1).length / n).toBeCloseTo(0.3, 1);
  });
});

test('infinities and angles are told by sign', async () => {
  nabla.setDevice('cpu');
  const x = nabla.tensor([Infinity, -Infinity, NaN, 1, -1, 0, -0]);
  const isTrue = async (t: Tensor<readonly number[], 'bool'>): Promise<number[]> =>
    [...(await t.data())].flatMap((v, i) => (v === 1 ? [i] : []));
  expect(await isTrue(nabla.isposinf(x))).toEqual([0]);
  expect(await isTrue(nabla.isneginf(x))).toEqual([1]);
  expect(await nabla.angle(x).array()).toEqual([0, Math.fround(Math.PI), NaN, 0, Math.fround(Math.PI), 0, 0]);
});

test('a part of a tensor is written', async () => {
  nabla.setDevice('cpu');
  const x = nabla.tensor([1, 2, 3, 4, 5]);
  expect(await nabla.sliceScatter(x, nabla.tensor([8, 9]), { start: 1, end: 5, step: 2 }).array()).toEqual([
    1, 8, 3, 9, 5,
  ]);
  expect(await nabla.sliceScatter(x, nabla.tensor([7]), { start: -1 }).array()).toEqual([1, 2, 3, 4, 7]);
});

test('reductions compute in the dtype that is asked for', async () => {
  nabla.setDevice('cpu');
  const x = nabla.tensor([16777216, 1, 1, 1]);
  const total = x.sum(0, { dtype: 'float64' });
  expectTypeOf(total).toEqualTypeOf<Tensor<[], 'float64'>>();
  expect(await total.item()).toBe(16777219);
  const y = nabla.tensor([1.7, 2.9]);
  const product = y.prod(0, { dtype: 'int32', keepdim: true });
  expectTypeOf(product).toEqualTypeOf<Tensor<[1], 'int32'>>();
  expect(await product.array()).toEqual([2]);
  const counts = whole([1, 2, 4]);
  expectTypeOf(counts.mean(0, { dtype: 'float64' })).toEqualTypeOf<Tensor<[], 'float64'>>();
  expect(await counts.mean(0, { dtype: 'float64' }).item()).toBe(7 / 3);
  expect(counts.cumsum(0, { dtype: 'float64' }).dtype).toBe('float64');
  expect(counts.cumprod(0, { dtype: 'float32' }).dtype).toBe('float32');
  expect(await counts.softmax(0, { dtype: 'float64' }).sum().item()).toBe(1);
  expect(counts.logSoftmax(0, { dtype: 'float64' }).dtype).toBe('float64');
  expectTypeOf(counts.sum()).toEqualTypeOf<Tensor<[], 'int32'>>();
  expect(() => counts.mean(0, { dtype: 'int32' })).toThrow("mean: dtype is int32. Use 'float32' or 'float64'.");
  expect(() => counts.softmax(0, { dtype: 'bool' })).toThrow("softmax: dtype is bool. Use 'float32' or 'float64'.");
  expect(() => counts.sum(0, { dtype: 'int64' as 'int32' })).toThrow("sum: dtype 'int64' is not known.");
});

test('channels go together', async () => {
  nabla.setDevice('cpu');
  nabla.manualSeed(0);
  const x = nabla.ones([8, 50, 2, 2]);
  for (const drop of [functional.dropout2d, functional.featureAlphaDropout]) {
    const channels = (await drop(x, 0.3).reshape([400, 4]).array()) as number[][];
    expect(channels.every((row) => row.every((v) => v === row[0]))).toBe(true);
    const different = new Set(channels.map(([v]) => v));
    expect(different.size).toBe(2);
  }
  expect(() => functional.dropout3d(x, 2)).toThrow('dropout3d: p is 2. Use a number from 0 to 1.');
  expect(() => functional.channelShuffle(x, 3)).toThrow('channelShuffle: 3 groups do not divide 50 channels.');
});

test('what does not fit is said', () => {
  nabla.setDevice('reference');
  const x = nabla.zeros([2, 3]);
  const cases: readonly (readonly [() => unknown, string])[] = [
    [() => nabla.tensorSplit(x, 0, 1), 'tensorSplit: the number of parts is 0. Use a whole number of at least 1.'],
    [() => nabla.hsplit(x, 2), 'hsplit: 2 parts do not divide dimension 1 of [2, 3].'],
    [() => nabla.broadcastTo(x, [2, 4]), 'broadcastTo: [2, 3] x [2, 4]: sizes 3 and 4 do not broadcast'],
    [() => nabla.cartesianProd(x), 'cartesianProd: [2, 3] is not a vector'],
    [() => nabla.fliplr(nabla.zeros([3])), 'fliplr: needs at least 2 dimensions'],
    [() => nabla.roll(x, [1, 2]), 'roll: 2 shifts without dims.'],
    [() => nabla.selectScatter(x, nabla.zeros([2]), 0, 1), 'selectScatter: source [2] does not have the shape [3]'],
    [() => nabla.maskedScatter(x, x as never, x), "maskedScatter: the mask is float32. Convert it with to('bool')."],
    [() => nabla.trapezoid(x, { dx: 1, x: x }), 'trapezoid: both x and dx are given. Give one.'],
    [() => nabla.gradient(nabla.zeros([1])), 'gradient: dimension 0 of [1] needs at least 2 points'],
    [() => nabla.cov(nabla.zeros([2, 2, 2])), 'cov: [2, 2, 2] is not a matrix'],
    [() => nabla.renorm(x, 0, 0, 1), 'renorm: p is 0. Use a number above 0.'],
    [() => nabla.histogram(x, nabla.zeros([1])), 'histogram: bins [1]: needs a vector of at least two ends'],
    [() => nabla.polygamma(-1, x), 'polygamma: n is -1. Use a whole number of at least 0.'],
    [() => nabla.geometric([2], 1), 'geometric: the probability is 1. Use a number between 0 and 1.'],
    [() => nabla.combinations(x), 'combinations: [2, 3] is not a vector'],
    [() => functional.layerNorm(x, [2]), 'layerNorm: input [2, 3]: does not end in normalizedShape [2]'],
    [() => functional.linear(x, nabla.zeros([4, 2])), 'linear: input [2, 3] and weight [4, 2] do not fit'],
    [() => functional.batchNorm(x, undefined, undefined), 'batchNorm: running statistics are missing.'],
    [() => functional.linear(x, x, 'b' as never), "linear: the bias is 'b', not a tensor. Pass a tensor."],
    [() => functional.linear(x, x, nabla.zeros([3])), 'linear: [2, 2] x [3]: sizes 2 and 3 do not broadcast'],
    [() => functional.rmsNorm(x, 3 as never), 'rmsNorm: normalizedShape is 3. Give a list of sizes.'],
    [() => functional.layerNorm(x, [3], { bias: nabla.zeros([2]) }), 'layerNorm: bias [2]: needs [3]'],
    [() => functional.groupNorm(x, 1, { weight: 2 as never }), 'groupNorm: weight is 2, not a tensor.'],
    [() => functional.batchNorm(x, x, x), 'batchNorm: runningMean [2, 3]: needs [3]'],
    [
      () => functional.batchNorm(nabla.zeros([1, 3]), undefined, undefined, { training: true }),
      'batchNorm: input [1, 3]: one number a channel has no variance. Use a larger batch, or running statistics.',
    ],
    [() => functional.localResponseNorm(x, 2, { k: 'k' as never }), "localResponseNorm: k is 'k'. Use a number."],
    [() => functional.channelShuffle(nabla.zeros([1, 4, 2]), 0), 'channelShuffle: the number of groups is 0.'],
    [() => nabla.gradient(x, { dim: x as never }), 'gradient: dim is a tensor. Give a list of dimensions.'],
    [
      () => nabla.selectScatter(x, nabla.zeros([3]), 0, 2),
      'selectScatter: 2 is out of range for dimension 0 with size 2.',
    ],
    [
      () => nabla.addr(x, nabla.zeros([2]), nabla.zeros([3]), { beta: 'b' as never }),
      "addr: beta is 'b'. Use a number.",
    ],
    [
      () => nabla.fractionalMaxPool2d(nabla.zeros([1, 4, 4]), 2, { outputRatio: x as never }),
      'fractionalMaxPool2d: outputRatio is a tensor. Give a list of numbers.',
    ],
    [
      () => tripletMarginWithDistanceLoss(x, x, x, { distanceFunction: 2 as never }),
      'tripletMarginWithDistanceLoss: distanceFunction is 2. Pass a function.',
    ],
    [
      () => tripletMarginWithDistanceLoss(x, x, x, { distanceFunction: () => 2 as never }),
      'tripletMarginWithDistanceLoss: what distanceFunction returned is 2, not a tensor.',
    ],
  ];
  for (const [call, says] of cases) expect(call).toThrow(says);
});

test('windows of fractional pooling begin where the random samples say', async () => {
  nabla.setDevice('cpu');
  const cosines = (shape: number[]): Tensor =>
    nabla.tensor(
      Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.cos(1.7 * i)),
      { shape, dtype: 'float32' },
    );
  const flat = nabla.fractionalMaxPool2d(cosines([1, 2, 7, 6]), 2, {
    outputSize: [3, 4],
    randomSamples: nabla.tensor([
      [
        [0.3, 0.85],
        [0.6, 0.1],
      ],
    ]),
  });
  const deep = nabla.fractionalMaxPool3d(cosines([1, 1, 5, 6, 7]), 2, {
    outputSize: [2, 3, 3],
    randomSamples: nabla.tensor([[[0.9, 0.2, 0.55]]]),
  });
  // PyTorch's F.fractional_max_pool2d and 3d with _random_samples
  const close = (numbers: number[]): unknown[] => numbers.map((v) => expect.closeTo(v, 5) as unknown);
  expect([...(await flat.data())]).toEqual(
    close([
      1.0, 0.78607, 0.869397, 0.988837, 0.685194, 0.634006, 0.955599, 0.955599, 0.997679, 0.997679, 0.901026, 0.833733,
      0.996688, 0.826337, 0.906699, 0.906699, 0.733201, 0.959422, 0.959422, 0.973446, 0.794199, 0.990726, 0.862768,
      0.500265,
    ]),
  );
  expect([...(await deep.data())]).toEqual(
    close([
      1.0, 0.906699, 0.996688, 0.959422, 0.973446, 0.976396, 0.928471, 0.997679, 0.901026, 0.995522, 0.999648, 0.984538,
      0.963077, 0.947447, 0.70427, 0.981781, 0.802187, 0.992441,
    ]),
  );
  expect(nabla.fractionalMaxPool2d(cosines([2, 7, 6]), 2, { outputRatio: 0.5 }).shape).toEqual([2, 3, 3]);
  expect(() => nabla.fractionalMaxPool2d(cosines([2, 7, 6]), 2, { outputSize: 6 })).toThrow(
    'fractionalMaxPool2d: 6 windows of 2 do not fit dimension 3 of [1, 2, 7, 6]',
  );
});
