/* oxlint-disable import/namespace -- functions are looked up by their names */
// Operators composed of others (src/functions), values and gradients, against PyTorch (test/fixtures/composed.json, made by
// tools/parity/composed.py): the same shapes, the same numbers, and a clear error where PyTorch refuses.
import { describe, expect, test } from 'vitest';
import * as nabla from 'nabla';
import { setDevice } from 'nabla';
import { type Call, type Row, differences, plain } from './support/checksums.js';
import { readFixture } from './support/pytorch.js';
import { TIERS } from './support/tiers.js';

const { cases } = readFixture<{ cases: Record<string, readonly Row[]> }>('composed.json');

/** Calls with the inputs, and then the arguments. */
const PLAIN = [
  'outer',
  'dot',
  'vdot',
  'inner',
  'mv',
  'mm',
  'bmm',
  'addmm',
  'addmv',
  'addbmm',
  'baddbmm',
  'tensordot',
  'kron',
  'cross',
  'matrixPower',
  'exp2',
  'erfc',
  'asinh',
  'sinc',
  'deg2rad',
  'rad2deg',
  'frac',
  'signbit',
  'atan2',
  'hypot',
  'fmod',
  'logaddexp',
  'logaddexp2',
  'xlogy',
  'xlog1py',
  'copysign',
  'fmax',
  'fmin',
  'heaviside',
  'isclose',
  'bitwiseAnd',
  'bitwiseOr',
  'bitwiseXor',
  'bitwiseNot',
  'bitwiseLeftShift',
  'bitwiseRightShift',
  'gcd',
  'lcm',
  'addcmul',
  'addcdiv',
  'lerp',
  'clamp',
  'pad',
  'unfold',
  'fold',
  'affineGrid',
  'normalize',
  'cosineSimilarity',
  'pairwiseDistance',
] as const;

/** JSON has no infinities. */
const power = (p: number | string): never => (p === 'inf' ? Infinity : p === '-inf' ? -Infinity : p) as never;
const orNone = (dim: number | null): number | undefined => dim ?? undefined;

const calls: Readonly<Record<string, Call>> = {
  ...Object.fromEntries(PLAIN.map((name) => [name, plain(nabla[name])])),
  erfinv: ([x]) => nabla.erfinv(x.div(4)),
  atanh: ([x]) => nabla.atanh(x.div(4)),
  acosh: ([x]) => nabla.acosh(x.add(1)),
  logit: ([x]) => nabla.logit(x.div(4)),
  logitOf: plain(nabla.logit),
  nanToNum: ([x], [options]) => nabla.nanToNum(options === undefined ? x : x.div(x.mul(0)), options),
  fmodInt: ([x, y]) => nabla.fmod(x, y.add(1)),
  copysignMixed: plain(nabla.copysign),
  clampLow: ([x, low]) => nabla.clamp(x, low),
  clampHigh: ([x, high]) => nabla.clamp(x, undefined, high),
  gridSample: ([x, grid], [options]) => nabla.gridSample(x, grid.mul(0.61), options),
  vectorNorm: ([x], [p, dim, keepdim]) => nabla.vectorNorm(x, power(p), orNone(dim), { keepdim }),
  norm: ([x], [p, dim, keepdim]) => nabla.norm(x, p, orNone(dim), { keepdim }),
  matrixNorm: ([x], [ord, options]) => nabla.matrixNorm(x, power(ord), options),
  cdist: ([x, y], [p]) => nabla.cdist(x, y, { p: power(p) }),
  cdistSelf: ([x], [p]) => nabla.cdist(x, x, { p }),
  pdist: ([x], [p]) => nabla.pdist(x, power(p)),
  einsum: (inputs, [equation]) => nabla.einsum(equation, ...inputs),
  multiDot: (inputs) => nabla.multiDot(inputs),
  chainMatmul: (inputs) => nabla.chainMatmul(inputs),
};

test('every operator of the fixture is called', () => {
  expect(Object.keys(calls).sort()).toEqual(Object.keys(cases).sort());
});

const isComplete = process.env['NABLA_PARITY'] === 'all';
/** One row in so many: compiling takes its time. All with NABLA_PARITY=all. */
const SHARE = { reference: 1, wasm: isComplete ? 1 : 4, native: isComplete ? 1 : 16 };

describe.each(TIERS)('on $device', ({ device, tolerance }) => {
  test.each(Object.keys(calls))(
    '%s',
    async (name) => {
      setDevice(device);
      const rows = cases[name].filter((_, i) => i % SHARE[device] === name.length % SHARE[device]);
      expect(await differences(name, calls[name], rows, Math.max(tolerance, 1e-5))).toEqual([]);
    },
    300_000,
  );
});
