// Fourier transforms and windows against the samples of PyTorch's own operator tests (OpInfo): test/fixtures/opinfo-fourier.json, made by
// tools/parity/opinfo.py. Complex numbers are pairs there as here. NABLA_OPINFO names a file of all samples instead.
import { describe, expect, test } from 'vitest';
import * as nabla from 'nabla';
import type { Tensor } from 'nabla';
import { type OpInfoCall, type OpInfoCalls, opinfoParity } from './support/opinfo.js';

/** The inputs of PyTorch's samples are real numbers, also where complex ones are meant. */
const complexOf = (x: Tensor): Tensor => nabla.complex(x);
const same = (x: Tensor): Tensor => x;
const isGiven = (entry: readonly [string, unknown]): boolean => entry[1] !== undefined && entry[1] !== null;
const given = (options: Record<string, unknown>): never =>
  Object.fromEntries(Object.entries(options).filter(isGiven)) as never;
const one =
  (fn: (x: never, options: never) => unknown, from: (x: Tensor) => Tensor): OpInfoCall =>
  ([x, n, dim, norm], options) =>
    fn(from(x) as never, given({ n, dim, norm, ...options }));
const several =
  (fn: (x: never, options: never) => unknown, from: (x: Tensor) => Tensor): OpInfoCall =>
  ([x, s, dim, norm], options) => {
    const all: Record<string, unknown> = { s, dim, norm, ...options };
    // Here dimensions are a list, and -1 does not stand for a size.
    if (Array.isArray(all['s']) && all['s'].includes(-1)) return '-1 in s: leave it out';
    if (typeof all['dim'] === 'number') all['dim'] = [all['dim']];
    return fn(from(x) as never, given(all));
  };
const windowed =
  (fn: (n: number, options: never) => unknown, ...names: string[]): OpInfoCall =>
  ([n], { sym, ...options }) => {
    const known = Object.fromEntries(Object.entries(options).filter(([name]) => names.includes(name)));
    return fn(n, given({ periodic: sym === false, ...known }));
  };

const calls: OpInfoCalls = {
  'fft.fft': one(nabla.fft, complexOf),
  'fft.ifft': one(nabla.ifft, complexOf),
  'fft.rfft': one(nabla.rfft, same),
  'fft.irfft': one(nabla.irfft, complexOf),
  'fft.hfft': one(nabla.hfft, complexOf),
  'fft.ihfft': one(nabla.ihfft, same),
  'fft.fft2': several(nabla.fft2, complexOf),
  'fft.ifft2': several(nabla.ifft2, complexOf),
  'fft.fftn': several(nabla.fftn, complexOf),
  'fft.ifftn': several(nabla.ifftn, complexOf),
  'fft.rfft2': several(nabla.rfft2, same),
  'fft.irfft2': several(nabla.irfft2, complexOf),
  'fft.rfftn': several(nabla.rfftn, same),
  'fft.irfftn': several(nabla.irfftn, complexOf),
  'fft.hfft2': several(nabla.hfft2, complexOf),
  'fft.ihfft2': several(nabla.ihfft2, same),
  'fft.hfftn': several(nabla.hfftn, complexOf),
  'fft.ihfftn': several(nabla.ihfftn, same),
  'fft.fftshift': ([x], { dim }) => nabla.fftshift(x, dim ?? undefined),
  'fft.ifftshift': ([x], { dim }) => nabla.ifftshift(x, dim ?? undefined),
  stft: (
    [x, first],
    { n_fft, hop_length, win_length, window, center, pad_mode, normalized, onesided, return_complex },
  ) =>
    nabla.stft(
      x,
      first ?? n_fft,
      given({
        hopLength: hop_length,
        winLength: win_length,
        window,
        center,
        padMode: pad_mode,
        normalized,
        onesided: return_complex === undefined ? undefined : onesided,
      }),
    ),
  istft: ([x, first], { n_fft, hop_length, win_length, window, center, normalized, onesided, length }) =>
    nabla.istft(
      x,
      first ?? n_fft,
      given({ hopLength: hop_length, winLength: win_length, window, center, normalized, onesided, length }),
    ),
  complex: ([re, im]) => nabla.complex(re, im),
  polar: ([abs, angle]) => nabla.polar(abs, angle),
  angle: ([x]) => nabla.angle(x),
  'signal.windows.bartlett': windowed(nabla.bartlettWindow),
  'signal.windows.blackman': windowed(nabla.blackmanWindow),
  'signal.windows.cosine': windowed(nabla.cosineWindow),
  'signal.windows.exponential': windowed(nabla.exponentialWindow, 'center', 'tau'),
  'signal.windows.gaussian': windowed(nabla.gaussianWindow, 'std'),
  'signal.windows.general_cosine': ([n], { a, sym }) => nabla.generalCosineWindow(n, a, { periodic: sym === false }),
  'signal.windows.general_hamming': windowed(nabla.generalHammingWindow, 'alpha'),
  'signal.windows.hamming': windowed(nabla.hammingWindow, 'alpha'),
  'signal.windows.hann': windowed(nabla.hannWindow),
  'signal.windows.kaiser': windowed(nabla.kaiserWindow, 'beta'),
  'signal.windows.nuttall': windowed(nabla.nuttallWindow),
};

opinfoParity('opinfo-fourier', calls);

/** Σ x[j] e^(∓2πi·jk/n), as it is defined. */
function definition(x: readonly (readonly [number, number])[]): number[] {
  const n = x.length;
  return x.flatMap((_, k) => {
    let [re, im] = [0, 0];
    x.forEach(([a, b], j) => {
      const angle = (-2 * Math.PI * ((j * k) % n)) / n;
      re += a * Math.cos(angle) - b * Math.sin(angle);
      im += a * Math.sin(angle) + b * Math.cos(angle);
    });
    return [re, im];
  });
}

/** One stage, several, with factors 2, 3, 5, 7, with primes, and those that are convolutions (131 and 262). */
const LENGTHS = [1, 2, 3, 8, 30, 35, 64, 97, 131, 262, 360, 1024];

describe.each([
  ['reference', 1e-13, 1e-13],
  ['cpu', 1e-13, 3e-7],
] as const)('on %s', (device, double, single) => {
  test('transforms of all kinds of lengths are those of the definition, and their inverses', async () => {
    nabla.setDevice(device);
    const found = LENGTHS.map((n) => {
      const x = Array.from({ length: n }, (_, i) => [Math.sin(1.7 * i) + (i % 3), Math.cos(0.9 * i)] as const);
      const given64 = nabla.tensor(Float64Array.from(x.flat()), { shape: [n, 2] });
      const parts = nabla.real(given64);
      return {
        n,
        x,
        double: nabla.fft(given64),
        single: nabla.fft(given64.to('float32')),
        back: nabla.ifft(nabla.fft(given64)),
        half: nabla.rfft(parts),
        whole: nabla.irfft(nabla.rfft(parts), { n }),
      };
    });
    await nabla.realize(...found.flatMap(({ double: d, single: s, back, half, whole }) => [d, s, back, half, whole]));
    for (const all of found) {
      const expected = definition(all.x);
      const real = definition(all.x.map(([re]) => [re, 0] as const)).slice(0, 2 * (Math.floor(all.n / 2) + 1));
      const scale = Math.max(...expected.map(Math.abs));
      const error = async (t: nabla.AnyTensor, numbers: readonly number[]): Promise<number> => {
        const data = await t.data();
        expect(data.length).toBe(numbers.length);
        return numbers.reduce((most, v, i) => Math.max(most, Math.abs(v - data[i])), 0);
      };
      expect((await error(all.double, expected)) / scale, `${all.n}`).toBeLessThan(double);
      expect((await error(all.single, expected)) / scale, `${all.n} in float32`).toBeLessThan(single);
      expect((await error(all.half, real)) / scale, `${all.n}, real`).toBeLessThan(double);
      expect(await error(all.back, all.x.flat()), `${all.n}, back`).toBeLessThan(1e-13);
      expect(
        await error(
          all.whole,
          all.x.map(([re]) => re),
        ),
        `${all.n}, real and back`,
      ).toBeLessThan(1e-13);
    }
  });
});

test('a signal is what its spectra say, with any window and hop that covers it', async () => {
  nabla.setDevice('cpu');
  const x = nabla.tensor(Float32Array.from({ length: 200 }, (_, i) => Math.sin(0.3 * i) + 0.1 * (i % 7)));
  const window = nabla.hannWindow(24);
  const spectra = nabla.stft(x, 32, { hopLength: 6, winLength: 24, window, normalized: true });
  expect(spectra.shape).toEqual([17, 34, 2]);
  const y = await nabla
    .istft(spectra, 32, { hopLength: 6, winLength: 24, window, normalized: true, length: 200 })
    .data();
  const given = await x.data();
  for (let i = 0; i < 190; i++) expect(y[i]).toBeCloseTo(given[i], 5);
});

test('frequencies, complex numbers, and what does not fit', async () => {
  nabla.setDevice('reference');
  expect(await nabla.fftfreq(5, { d: 0.1 }).array()).toEqual([0, 2, 4, -4, -2]);
  expect(await nabla.fftfreq(4).array()).toEqual([0, 0.25, -0.5, -0.25]);
  expect(await nabla.rfftfreq(5).array()).toEqual([0, 0.2, 0.4].map((v) => expect.closeTo(v, 12)));
  const z = nabla.tensor([
    [3, 4],
    [0, -2],
  ]);
  expect(await nabla.complexAbs(z).array()).toEqual([5, 2]);
  expect(await nabla.complexAngle(z).array()).toEqual([Math.atan2(4, 3), -Math.PI / 2]);
  expect(await nabla.complexMul(z, nabla.conj(z)).array()).toEqual([
    [25, 0],
    [4, 0],
  ]);
  expect(await nabla.imag(z).array()).toEqual([4, -2]);
  expect(() => nabla.fft(nabla.zeros([4, 3]))).toThrow(
    'fft: the input [4, 3] is not complex: needs [..., 2], real and imaginary parts in the last dimension. Make it with complex(x).',
  );
  expect(() => nabla.fft(nabla.zeros([4, 2]), { dim: 1 })).toThrow('fft: dimension 1 is out of range');
  expect(() => nabla.rfft(nabla.zeros([4]), { n: 0 })).toThrow('rfft: n is 0. Use a whole number of at least 1.');
  expect(() => nabla.fft2(nabla.zeros([4, 4, 2]), { s: [4], dim: [0, 1] })).toThrow(
    'fft2: 1 lengths for 2 dimensions. Give one for each.',
  );
  expect(() => nabla.stft(nabla.zeros([8]), 16)).toThrow("stft: mode 'reflect' takes at most 7 elements");
  expect(() => nabla.istft(nabla.zeros([4, 3, 2]), 8)).toThrow('istft: input [4, 3, 2]: needs [5, pieces, 2]');
});
