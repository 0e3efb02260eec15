/* oxlint-disable import/namespace -- functions are looked up by their names */
// The functions of src/functions/special.ts and pairs.ts at numbers of every size, in units in the last place against their exact
// values (test/fixtures/special-functions.safetensors, made by tools/parity/special_functions.py).
import { describe, expect, test } from 'vitest';
import * as nabla from 'nabla';
import { type AnyTensor, type Tensor, realize, setDevice } from 'nabla';
import { type Packed, readFixture, unpack } from './support/pytorch.js';
import { TIERS } from './support/tiers.js';

const fixture = readFixture<{
  x: Packed;
  unary: Record<string, Packed>;
  a: Packed;
  b: Packed;
  pairs: Record<string, Packed>;
}>('special-functions.safetensors');

interface Row {
  /** Units in the last place. */
  readonly most: number;
  /** A unit is never smaller than that of this number: where the function is a sum that cancels. */
  readonly least?: (a: number, b: number) => number;
}

const larger = (a: number, b: number): number => Math.max(Math.abs(a), Math.abs(b), 1);

const one = (): number => 1;
/** Below 0 it is a sum of logarithms of either sign. */
const ofLogarithms = (a: number): number => (a < 0.5 ? 1 : 0);

const ROWS: Readonly<Record<string, Row>> = {
  acosh: { most: 2 },
  asinh: { most: 2 },
  atan2: { most: 2 },
  atanh: { most: 2 },
  deg2rad: { most: 1 },
  digamma: { most: 4, least: one },
  entr: { most: 2 },
  erfc: { most: 5 },
  erfcx: { most: 5 },
  erfinv: { most: 5 },
  exp2: { most: 1.5 },
  fmod: { most: 0 },
  frac: { most: 0 },
  hypot: { most: 2 },
  i0: { most: 4 },
  i0e: { most: 4 },
  i1: { most: 4 },
  i1e: { most: 4 },
  lgamma: { most: 4, least: ofLogarithms },
  logNdtr: { most: 4 },
  logaddexp: { most: 2, least: larger },
  logaddexp2: { most: 2, least: larger },
  logit: { most: 2 },
  ndtr: { most: 5 },
  ndtri: { most: 5 },
  rad2deg: { most: 1 },
  sinc: { most: 3 },
  xlog1py: { most: 3 },
  xlogy: { most: 2 },
};

const expected = { ...fixture.unary, ...fixture.pairs };

test('every function has its limit', () => {
  expect(Object.keys(ROWS).sort()).toEqual(Object.keys(expected).sort());
});

/** The distance between neighbouring float32 numbers at v, and at the least 2⁻¹⁴⁹. */
const unit = (v: number): number => 2 ** (Math.max(Math.floor(Math.log2(Math.abs(v))), -126) - 23);

async function computed(device: string): Promise<Map<string, ArrayLike<number>>> {
  setDevice(device);
  const [x, a, b] = [fixture.x, fixture.a, fixture.b].map((packed) => unpack(packed));
  const call = (name: string): AnyTensor => {
    const given = name in fixture.unary ? [x] : [a, b];
    return Reflect.apply(nabla[name as keyof typeof nabla] as (...xs: Tensor[]) => AnyTensor, undefined, given);
  };
  const results = Object.keys(ROWS).map((name) => [name, call(name)] as const);
  await realize(...results.map(([, y]) => y));
  return new Map(await Promise.all(results.map(async ([name, y]) => [name, await y.data()] as const)));
}

describe.each(TIERS)('on $device', ({ device }) => {
  let found: Promise<Map<string, ArrayLike<number>>> | undefined;

  test.each(Object.entries(ROWS))('%s', { timeout: 300_000 }, async (name, { most, least }) => {
    found ??= computed(device);
    const actual = (await found).get(name)!;
    let [error, where] = [0, 'nowhere'];
    expected[name].data.forEach((value, i) => {
      const [a, b] = name in fixture.unary ? [fixture.x.data[i], 0] : [fixture.a.data[i], fixture.b.data[i]];
      // what float32 holds of both: the reference device rounds when it is read
      const [right, given] = [Math.fround(value), Math.fround(actual[i])];
      if (Object.is(right, given) || (right === 0 && given === 0 && (device === 'reference' || name === 'sinc')))
        return;
      if (Number.isNaN(right) && Number.isNaN(given)) return;
      const scale = Math.max(unit(value), unit(least?.(a, b) ?? 0));
      const here = Number.isFinite(right) ? Math.abs(given - value) / scale : Infinity;
      if (!(here <= error)) [error, where] = [here, `${a}, ${b}: ${given} instead of ${right}`];
    });
    if (process.env['SHOW_ULP'] !== undefined) console.log(`${device} ${name} ${error.toFixed(2)} at ${where}`);
    const limit = device === 'reference' ? 0.5001 : most;
    if (!(error <= limit)) expect.fail(`${name}(${where}) is off by ${error.toFixed(2)} units in the last place`);
  });
});
