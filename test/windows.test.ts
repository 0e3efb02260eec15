// Convolutions, their transposes and pooling in all small settings, values and gradients, against PyTorch
// (test/fixtures/windows.json, made by tools/parity/windows.py); settings that PyTorch refuses are errors here, too.
import { describe, expect, test } from 'vitest';
import * as nabla from 'nabla';
import { type Call, type Row, differences, plain } from './support/checksums.js';
import { readFixture } from './support/pytorch.js';
import { TIERS } from './support/tiers.js';

const { cases } = readFixture<{ cases: Record<string, readonly Row[]> }>('windows.json');

const calls: Readonly<Record<string, Call>> = {
  conv1d: plain(nabla.conv1d),
  conv2d: plain(nabla.conv2d),
  convTranspose1d: plain(nabla.convTranspose1d),
  convTranspose2d: plain(nabla.convTranspose2d),
  avgPool1d: plain(nabla.avgPool1d),
  avgPool2d: plain(nabla.avgPool2d),
  maxPool1d: plain(nabla.maxPool1d),
  maxPool2d: plain(nabla.maxPool2d),
  maxPool1dWithIndices: plain(nabla.maxPool1dWithIndices),
  adaptiveAvgPool1d: plain(nabla.adaptiveAvgPool1d),
  adaptiveAvgPool2d: plain(nabla.adaptiveAvgPool2d),
  adaptiveMaxPool1d: plain(nabla.adaptiveMaxPool1d),
  adaptiveMaxPool2d: plain(nabla.adaptiveMaxPool2d),
};

test('every operator of the fixture is called', () => {
  expect(Object.keys(calls).sort()).toEqual(Object.keys(cases).sort());
});

const isComplete = process.env['NABLA_PARITY'] === 'all';
/** One row in so many: compiling takes its time. All with NABLA_PARITY=all. */
const SHARE = { reference: 1, wasm: isComplete ? 1 : 6, native: isComplete ? 1 : 24 };

describe.each(TIERS)('on $device', ({ device, tolerance }) => {
  test.each(device === 'native' && !isComplete ? ['convTranspose1d', 'convTranspose2d'] : Object.keys(calls))(
    '%s',
    async (name) => {
      nabla.setDevice(device);
      const rows = cases[name].filter((_, i) => i % SHARE[device] === name.length % SHARE[device]);
      expect(await differences(name, calls[name], rows, Math.max(tolerance, 1e-5))).toEqual([]);
    },
    300_000,
  );
});

test('a transposed convolution takes real numbers alone, as a convolution does', () => {
  const ints = nabla.tensor(Int32Array.of(1, 2, 3), { shape: [1, 1, 3] });
  const w = nabla.ones([1, 1, 2]);
  expect(() => Reflect.apply(nabla.convTranspose1d, undefined, [ints, w])).toThrow(
    "convTranspose1d: takes float32 or float64, not int32. Convert with to('float32').",
  );
  expect(() => Reflect.apply(nabla.convTranspose1d, undefined, [nabla.ones([1, 1, 3]), ints])).toThrow(
    "convTranspose1d: takes float32 or float64, not int32. Convert with to('float32').",
  );
  const bias = nabla.tensor(Int32Array.of(1));
  expect(() => nabla.conv1d(nabla.ones([1, 1, 3]), w, { bias })).toThrow(
    "conv1d: bias is int32. Convert with to('float32').",
  );
});
