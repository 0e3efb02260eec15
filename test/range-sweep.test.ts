// Elementwise functions over the whole range of float32, in units in the last place against float64 (the reference device, which
// computes with JavaScript's own functions): every exponent, both signs, some mantissas and the ends, and neighbours of whole
// multiples of π/2. docs/tensors.md has the table.
import { describe, expect, test } from 'vitest';
import { type AnyTensor, type Tensor, realize, setDevice, tensor } from 'nabla';
import { functional } from 'nabla/nn';
import { generator } from './operators/case.js';
import { TIERS } from './support/tiers.js';

interface Row {
  readonly f: (x: Tensor) => AnyTensor;
  /** Units in the last place. */
  readonly most: number;
  /** A unit is never smaller than that of this share of |x|: where the function is a difference that cancels, as in PyTorch. */
  readonly share?: number;
  /** The smallest unit: of a product with a factor that has few bits left, near the end of the range. */
  readonly least?: number;
}

const ROWS: Readonly<Record<string, Row>> = {
  abs: { f: (x) => x.abs(), most: 0 },
  acos: { f: (x) => x.acos(), most: 1.5 },
  asin: { f: (x) => x.asin(), most: 2 },
  atan: { f: (x) => x.atan(), most: 2.2 },
  ceil: { f: (x) => x.ceil(), most: 0 },
  celu: { f: (x) => functional.celu(x), most: 1.5 },
  cos: { f: (x) => x.cos(), most: 2 },
  cosh: { f: (x) => x.cosh(), most: 1.5 },
  elu: { f: (x) => functional.elu(x), most: 1.5 },
  erf: { f: (x) => x.erf(), most: 1.5 },
  exp: { f: (x) => x.exp(), most: 1 },
  expm1: { f: (x) => x.expm1(), most: 1.5 },
  floor: { f: (x) => x.floor(), most: 0 },
  gelu: { f: (x) => x.gelu(), most: 2, share: 1 },
  log: { f: (x) => x.log(), most: 1 },
  log10: { f: (x) => x.log10(), most: 1 },
  log1p: { f: (x) => x.log1p(), most: 2 },
  log2: { f: (x) => x.log2(), most: 1.2 },
  logSigmoid: { f: (x) => functional.logSigmoid(x), most: 2.5 },
  mish: { f: (x) => functional.mish(x), most: 4, least: 2 ** -142 },
  neg: { f: (x) => x.neg(), most: 0 },
  reciprocal: { f: (x) => x.reciprocal(), most: 0.5 },
  relu: { f: (x) => x.relu(), most: 0 },
  round: { f: (x) => x.round(), most: 0 },
  rsqrt: { f: (x) => x.rsqrt(), most: 1.5 },
  sigmoid: { f: (x) => x.sigmoid(), most: 2.5 },
  sign: { f: (x) => x.sign(), most: 0 },
  silu: { f: (x) => functional.silu(x), most: 3, least: 2 ** -142 },
  sin: { f: (x) => x.sin(), most: 2 },
  sinh: { f: (x) => x.sinh(), most: 1.5 },
  softplus: { f: (x) => x.softplus(), most: 2.5 },
  softsign: { f: (x) => functional.softsign(x), most: 1.5 },
  sqrt: { f: (x) => x.sqrt(), most: 0.5 },
  square: { f: (x) => x.square(), most: 0.5 },
  tan: { f: (x) => x.tan(), most: 3.5 },
  tanh: { f: (x) => x.tanh(), most: 1.5 },
  tanhshrink: { f: (x) => functional.tanhshrink(x), most: 2, share: 1 },
  trunc: { f: (x) => x.trunc(), most: 0 },
};

const SPECIAL = [
  0,
  -0,
  Infinity,
  -Infinity,
  NaN,
  1,
  -1,
  0.5,
  -0.5,
  9,
  -9,
  89,
  -89,
  0.99999994,
  -0.99999994,
  1e6,
  1e10,
  130000,
];

/** Every exponent with `count` mantissas, and what is close to multiples of π/2. */
function samples(count: number): Float32Array {
  const next = generator('range sweep');
  const words: number[] = [];
  for (let exponent = 0; exponent < 255; exponent++) {
    for (let k = 0; k < count; k++) {
      const mantissa = k === 0 ? 0 : k === 1 ? 0x7fffff : Math.floor(next() * 2 ** 23);
      words.push((exponent << 23) | mantissa, (exponent << 23) | mantissa | -0x80000000);
    }
  }
  const multiples = Array.from({ length: 1000 }, (_, k) => ((k * k + 1) * Math.PI) / 2);
  return Float32Array.from([...new Float32Array(Int32Array.from(words).buffer), ...SPECIAL, ...multiples]);
}

const x = samples(64);

/** The distance between neighbouring float32 numbers at v, and at the least 2⁻¹⁴⁹. */
const unit = (v: number): number => 2 ** (Math.max(Math.floor(Math.log2(Math.abs(v))), -126) - 23);

/** The largest error in units, or what is no number where it should be one. */
function worst(
  actual: ArrayLike<number>,
  exact: ArrayLike<number>,
  { share = 0, least = 0 }: Row,
): { error: number; where: number } {
  let [error, where] = [0, NaN];
  x.forEach((v, i) => {
    const rounded = Math.fround(exact[i]);
    if (Object.is(actual[i], rounded) || (Number.isNaN(actual[i]) && Number.isNaN(rounded))) return;
    const scale = Math.max(unit(exact[i]), unit(share * v), least);
    const here = Number.isFinite(rounded) && rounded !== 0 ? Math.abs(actual[i] - exact[i]) / scale : Infinity;
    const isTiny = rounded === 0 && actual[i] !== 0 && Math.abs(actual[i] - exact[i]) <= 2 * 2 ** -149;
    if (!isTiny && !(here <= error)) [error, where] = [here, v];
  });
  return { error, where };
}

async function computed(device: string): Promise<Map<string, ArrayLike<number>>> {
  setDevice(device);
  const given = tensor(x);
  const results = Object.entries(ROWS).map(([name, { f }]) => [name, f(given)] as const);
  await realize(...results.map(([, y]) => y));
  return new Map(await Promise.all(results.map(async ([name, y]) => [name, await y.data()] as const)));
}

const exact = computed('reference');

describe.each(TIERS.filter(({ device }) => device !== 'reference'))('on $device', ({ device }) => {
  let found: Promise<Map<string, ArrayLike<number>>> | undefined;

  test.each(Object.entries(ROWS))('%s', { timeout: 120_000 }, async (name, row) => {
    const expected = (await exact).get(name);
    found ??= computed(device);
    const actual = (await found).get(name);
    if (expected === undefined || actual === undefined) return expect.fail('no result');
    const { error, where } = worst(actual, expected, row);
    if (process.env['SHOW_ULP'] !== undefined) console.log(`${device} ${name} ${error.toFixed(2)}`);
    if (!(error <= row.most)) expect.fail(`${name}(${where}) is off by ${error.toFixed(2)} units in the last place`);
  });
});
