/* oxlint-disable import/namespace -- functions are looked up by their names in the fixture */
// Every function against torchaudio, librosa and transformers (test/fixtures/audio.safetensors, from tools/parity/audio.py), in float64; batches,
// gradients, and wrong calls.
import { beforeAll, describe, expect, test } from 'vitest';
import { type AnyTensor, type Tensor, checkGradient, hannWindow, rand, setDevice, tensor, zeros } from 'nabla';
import * as audio from 'nabla/audio';
import { type Packed, expectNear, readFixture, unpack } from '../../test/support/pytorch.js';

interface Case {
  readonly op: keyof typeof audio;
  readonly on: string;
  readonly args: readonly number[];
  readonly options: object | null;
  readonly out: Packed;
}

interface Fixture {
  readonly inputs: Readonly<Record<string, Packed>>;
  readonly cases: readonly Case[];
  readonly filters: readonly {
    readonly args: [number, number, number];
    readonly options: object;
    readonly out: Packed;
  }[];
}

const fixture = readFixture<Fixture>('audio.safetensors');
/** Computed in float32 by the library, at least in part. */
const SINGLE = new Set(['whisperLogMel', 'zeroCrossingRate']);

beforeAll(() => setDevice('cpu'));

type Call = (x: AnyTensor, ...rest: readonly unknown[]) => Tensor | Promise<Tensor>;

const rows = fixture.cases.map(
  (row) => [`${row.op} ${row.args.join()} ${JSON.stringify(row.options)} of ${row.on}`, row] as const,
);
test.each(rows)('%s', async (name, { op, on, args, options, out }) => {
  const x = unpack(fixture.inputs[on], false, 'float64');
  const call = audio[op] as Call;
  const y = await call(x, ...args, ...(options === null ? [] : [options]));
  const given: Tensor = op === 'whisperLogMel' ? y.index([0, null], [0, null, 3]) : y;
  expect(given.shape).toEqual(out.shape);
  if (op === 'zeroCrossingRate') expect(y.dtype).toBe('float32');
  else expect(y.dtype).toBe('float64');
  expectNear([...(await given.data())], out.data, name, SINGLE.has(op) ? 2e-5 : 1e-9);
});

test('filters of the mel scale', async () => {
  for (const { args, options, out } of fixture.filters) {
    const filters = audio.melFilterbank(...args, { ...options, dtype: 'float64' });
    expect(filters.shape).toEqual(out.shape);
    expectNear([...(await filters.data())], out.data, JSON.stringify(args), 1e-9);
    const powers = rand([2, args[0], 3], { dtype: 'float64' });
    expect(audio.toMelScale(powers, filters).shape).toEqual([2, args[1], 3]);
  }
  expect(audio.hzToMel(1000)).toBeCloseTo(999.9855, 3);
  expect(audio.hzToMel(6400, 'slaney')).toBeCloseTo(42, 9);
  for (const scale of ['htk', 'slaney'] as const)
    for (const hertz of [0, 440, 1000, 5000])
      expect(audio.melToHz(audio.hzToMel(hertz, scale), scale)).toBeCloseTo(hertz, 9);
});

test('float32 and whole numbers, windows as tensors', async () => {
  const x = unpack(fixture.inputs.x);
  const named = await audio.spectrogram(x, { nFft: 64 }).data();
  const given = await audio.spectrogram(x, { nFft: 64, window: hannWindow(64) }).data();
  expect([...given]).toEqual([...named]);
  const counts = tensor(Int32Array.from({ length: 64 }, (_, i) => (i % 5) - 2));
  expect(audio.spectrogram(counts, { nFft: 16 }).dtype).toBe('float32');
  expect((await audio.resample(counts, 2, 3).data()).length).toBe(96);
  expect(audio.resample(x, 3, 3)).toBe(x);
});

test('gradients', async () => {
  const x = rand([40], { dtype: 'float64' });
  const sums: ((t: AnyTensor) => Tensor)[] = [
    (t) => audio.resample(t, 3, 2),
    (t) => audio.powerToDb(audio.melSpectrogram(t, 8000, { nFft: 16, nMels: 4 })),
    (t) => audio.mfcc(t, 8000, { nFft: 16, nMels: 6, nMfcc: 3, logMels: true }),
    (t) => audio.deltas(audio.spectrogram(t, { nFft: 16, power: 1 })),
    (t) => audio.rms(audio.preemphasis(t), { frameLength: 16, hopLength: 8 }),
  ];
  for (const f of sums) await checkGradient((t) => f(t).square().sum(), [x]);
});

test('random phases end near the spectrogram', async () => {
  const wanted = unpack(fixture.inputs.plain, false, 'float32');
  const found = audio.spectrogram(await audio.griffinLim(wanted, { hopLength: 16, iterations: 40 }), {
    nFft: 64,
    hopLength: 16,
  });
  const pieces = Math.min(found.shape[1], wanted.shape[1]);
  const part = (t: Tensor): Tensor => t.slice(1, 3, pieces - 3).sqrt();
  const error = await part(found).sub(part(wanted)).square().sum().div(part(wanted).square().sum()).item();
  expect(error).toBeLessThan(0.02);
});

describe('what does not fit is said', () => {
  const x = zeros([1, 100]);
  const refused: [string, () => unknown][] = [
    ['resample: the rate of the signal is 0. Use a whole number of at least 1.', () => audio.resample(x, 0, 3)],
    ['resample: the new rate is 2.5. Use a whole number', () => audio.resample(x, 2, 2.5)],
    [
      'resample: from 44101 to 44100 (without common divisors) takes 44100 filters',
      () => audio.resample(x, 44101, 44100),
    ],
    ['resample: rolloff is 0. Use a number above 0, at most 1.', () => audio.resample(x, 2, 1, { rolloff: 0 })],
    [
      "resample: there is no option 'lowpass_filter_width'. Did you mean lowpassFilterWidth?",
      () => audio.resample(x, 2, 1, { lowpass_filter_width: 3 } as object),
    ],
    ['spectrogram: the signal [0]: needs [time] or [..., time]', () => audio.spectrogram(zeros([0]))],
    [
      "spectrogram: window is 'hanning'. Use 'hann', 'hamming'",
      () => audio.spectrogram(x, { window: 'hanning' as 'hann' }),
    ],
    [
      'spectrogram: winLength 90 is more than nFft 64. Make nFft larger.',
      () => audio.spectrogram(x, { nFft: 64, winLength: 90 }),
    ],
    [
      'spectrogram: power is 0. Use a number above 0, or null for pairs.',
      () => audio.spectrogram(x, { nFft: 16, power: 0 }),
    ],
    [
      "melSpectrogram: like is 'kaldi'. Use 'torchaudio' or 'librosa'.",
      () => audio.melSpectrogram(x, 8000, { like: 'kaldi' as 'librosa' }),
    ],
    [
      "spectrogram: the signal [1, 100] is too short for nFft 400: needs 201 samples, or padMode 'constant'",
      () => audio.spectrogram(x),
    ],
    [
      'mfcc: the signal [1, 100] is too short for nFft 128: needs 128 samples',
      () => audio.mfcc(x, 8000, { nFft: 128, center: false }),
    ],
    ['melSpectrogram: sampleRate is missing', () => audio.melSpectrogram(x, undefined as unknown as number)],
    [
      'melFilterbank: frequencies from 5000 to 4000. fMin has to be at least 0, and below fMax.',
      () => audio.melFilterbank(33, 8, 8000, { fMin: 5000 }),
    ],
    ['mfcc: 40 coefficients of 20 mels. Use at most as many.', () => audio.mfcc(x, 8000, { nFft: 64, nMels: 20 })],
    ['deltas: winLength is 4. Use an odd number.', () => audio.deltas(zeros([2, 9]), { winLength: 4 })],
    ['deltas: the features [9]: needs [..., frequencies, time]', () => audio.deltas(zeros([9]))],
    ['rms: the signal [1, 100] is shorter than a piece of 2048', () => audio.rms(x, { center: false })],
    ['powerToDb: amin is 0. Use a number above 0.', () => audio.powerToDb(x, { amin: 0 })],
    ['toMono: the signal [100]: needs [..., channels, time]', () => audio.toMono(zeros([100]))],
    [
      'toMelScale: filters [7, 3] for a spectrogram [5, 9]: need [5, nMels]',
      () => audio.toMelScale(zeros([5, 9]), zeros([7, 3])),
    ],
  ];
  test.each(refused)('%s', (message, call) => {
    expect(call).toThrow(message);
  });
  test('by promises', async () => {
    await expect(audio.griffinLim(zeros([1, 9]))).rejects.toThrow('has fewer than 2 frequencies');
    await expect(audio.griffinLim(zeros([9, 9]), { momentum: 2 })).rejects.toThrow('griffinLim: momentum is 2.');
  });
});
