// Values and slopes where there are none, or more than one: zeros of both signs, infinities, NaN, bounds, ties. What PyTorch gives
// (tools/parity/special_points.py), on every tier.
import { describe, expect, test } from 'vitest';
import { type AnyTensor, type Tensor, arange, realize, setDevice } from 'nabla';
import { functional as nn } from 'nabla/nn';
import { type Packed, readFixture, unpack } from './support/pytorch.js';
import { TIERS } from './support/tiers.js';

interface SpecialCase {
  readonly inputs: readonly Packed[];
  readonly y: Packed;
  readonly slopes: readonly Packed[];
}

const { cases } = readFixture<{ cases: Record<string, SpecialCase> }>('special-points.safetensors');

type Function = (x: Tensor, y: Tensor) => AnyTensor;

const counted = (x: Tensor): AnyTensor => x.mul(arange(x.shape[0]).to('float32'));

const functions: Readonly<Record<string, Function>> = {
  abs: (x) => x.abs(),
  acos: (x) => x.acos(),
  asin: (x) => x.asin(),
  atan: (x) => x.atan(),
  ceil: (x) => x.ceil(),
  cos: (x) => x.cos(),
  cosh: (x) => x.cosh(),
  erf: (x) => x.erf(),
  exp: (x) => x.exp(),
  expm1: (x) => x.expm1(),
  floor: (x) => x.floor(),
  gelu: (x) => x.gelu(),
  log: (x) => x.log(),
  log10: (x) => x.log10(),
  log1p: (x) => x.log1p(),
  log2: (x) => x.log2(),
  neg: (x) => x.neg(),
  reciprocal: (x) => x.reciprocal(),
  relu: (x) => x.relu(),
  round: (x) => x.round(),
  rsqrt: (x) => x.rsqrt(),
  sigmoid: (x) => x.sigmoid(),
  sign: (x) => x.sign(),
  sin: (x) => x.sin(),
  sinh: (x) => x.sinh(),
  softplus: (x) => x.softplus(),
  sqrt: (x) => x.sqrt(),
  square: (x) => x.square(),
  tan: (x) => x.tan(),
  tanh: (x) => x.tanh(),
  trunc: (x) => x.trunc(),
  celu: (x) => nn.celu(x),
  elu: (x) => nn.elu(x),
  geluTanh: (x) => nn.gelu(x, 'tanh'),
  hardshrink: (x) => nn.hardshrink(x),
  hardsigmoid: (x) => nn.hardsigmoid(x),
  hardswish: (x) => nn.hardswish(x),
  hardtanh: (x) => nn.hardtanh(x),
  leakyRelu: (x) => nn.leakyRelu(x),
  logSigmoid: (x) => nn.logSigmoid(x),
  mish: (x) => nn.mish(x),
  relu6: (x) => nn.relu6(x),
  selu: (x) => nn.selu(x),
  silu: (x) => nn.silu(x),
  softplusLayer: (x) => nn.softplus(x),
  softshrink: (x) => nn.softshrink(x),
  softsign: (x) => nn.softsign(x),
  tanhshrink: (x) => nn.tanhshrink(x),
  threshold: (x) => nn.threshold(x, 0.5, 7),
  clamp: (x) => x.clamp(-1, 1),
  clampMin: (x) => x.clamp(-1),
  clampMax: (x) => x.clamp(undefined, -1),
  clampZero: (x) => x.clamp(0),
  pow0: (x) => x.pow(0),
  'pow0.5': (x) => x.pow(0.5),
  pow2: (x) => x.pow(2),
  pow3: (x) => x.pow(3),
  'pow-1': (x) => x.pow(-1),
  maximum: (x, y) => x.maximum(y),
  minimum: (x, y) => x.minimum(y),
  add: (x, y) => x.add(y),
  sub: (x, y) => x.sub(y),
  mul: (x, y) => x.mul(y),
  div: (x, y) => x.div(y),
  remainder: (x, y) => x.remainder(y),
  pow: (x, y) => x.pow(y),
  sum: (x) => x.sum(),
  mean: (x) => x.mean(),
  prod: (x) => x.prod(),
  std: (x) => x.std(),
  var: (x) => x.var(),
  std0: (x) => x.std(0, { correction: 0 }),
  amax: (x) => x.amax(),
  amin: (x) => x.amin(),
  max: (x) => x.max(0).values,
  min: (x) => x.min(0).values,
  cumsum: (x) => x.cumsum(0),
  logsumexp: (x) => x.logsumexp(0),
  softmax: (x) => counted(x.softmax(0)),
  logSoftmax: (x) => x.logSoftmax(0).slice(0, 0, 1),
  'norm0.5': (x) => x.norm(0.5),
  norm1: (x) => x.norm(1),
  'norm1.5': (x) => x.norm(1.5),
  norm2: (x) => x.norm(),
  norm3: (x) => x.norm(3),
  norminf: (x) => x.norm(Infinity),
  normalised: (x) => counted(x.div(x.norm().clamp(1e-12))),
};

/** Slopes at NaN of these are NaN or not in PyTorch, depending on the dtype and on whether it computes with vectors. */
const VARIES_AT_NAN = /^(celu|elu|selu|hardshrink|hardsigmoid|hardtanh|relu6|softshrink), slope 1 at NaN$/;
/** Where nabla gives another number than PyTorch, and why. */
const EXCEPTIONS: readonly (readonly [what: RegExp, why: string])[] = [
  [VARIES_AT_NAN, 'see above'],
  [/^hardswish at -Infinity$/, '0, the limit; PyTorch computes ∞ · 0'],
  [/^geluTanh at -9$/, 'what is left of (1 + tanh u) / 2 when it is not rounded; PyTorch gives 0'],
  [/^amax of with NaN, slope|^amin of with NaN, slope/, '0: no element is the result; PyTorch has 0 · ∞'],
  [/^prod of (infinite|with NaN), slope/, 'the product of the others; PyTorch divides the result by the element'],
  [/^var of infinite, slope/, 'NaN everywhere; PyTorch has −∞ for the finite elements'],
];
/** Functions of which a zero result has PyTorch's sign. */
const SIGNED =
  /^(abs|asin|atan|ceil|erf|expm1|floor|log1p|neg|relu|round|sin|sinh|sqrt|square|tan|tanh|trunc|mul|div|remainder) at/;

const TOLERANCE = 4e-6;

/** The same NaN or infinity, the same zero where its sign counts, or a close number, in float32. Slopes are close beside 1. */
function agrees(actual: number, exact: number, isSlope: boolean, isSigned: boolean): boolean {
  const expected = Math.fround(exact);
  if (Number.isNaN(expected)) return Number.isNaN(actual);
  if (expected === 0 && actual === 0) return !isSigned || Object.is(expected, actual);
  if (!Number.isFinite(expected)) return Math.fround(actual) === expected;
  const size = isSlope ? Math.max(1, Math.abs(expected)) : Math.abs(expected);
  return Math.abs(actual - expected) <= TOLERANCE * size + 100 * 2 ** -149;
}

test('every case has its function', () => {
  const named = new Set(Object.keys(cases).map((name) => name.split(' of ')[0]));
  expect([...named].sort()).toEqual(Object.keys(functions).sort());
});

describe.each(TIERS)('on $device', ({ device }) => {
  const computed = async (): Promise<Map<string, readonly AnyTensor[]>> => {
    setDevice(device);
    const all = new Map(
      Object.entries(cases).map(([name, { inputs }]) => {
        const given = inputs.map((x) => unpack(x, true));
        const y = functions[name.split(' of ')[0]](given[0], given[1]);
        y.sum().backward();
        return [name, [y, ...given.map((x) => x.grad ?? x.mul(0))]] as const;
      }),
    );
    await realize(...[...all.values()].flat());
    return all;
  };
  let results: Promise<Map<string, readonly AnyTensor[]>> | undefined;

  test.each(Object.keys(cases))('%s', { timeout: 120_000 }, async (name) => {
    results ??= computed();
    const outputs = (await results).get(name);
    const { inputs, y, slopes } = cases[name];
    const wrong: string[] = [];
    for (const [k, expected] of [y, ...slopes].entries()) {
      const actual = await outputs![k].data();
      expected.data.forEach((e, i) => {
        const at = y.data.length === inputs[0].data.length ? inputs.map((x) => x.data[i]).join(', ') : `element ${i}`;
        const what = `${name}${k === 0 ? '' : `, slope ${k}`} at ${at}`;
        if (agrees(actual[i], e, k > 0, SIGNED.test(what))) return;
        if (!EXCEPTIONS.some(([exception]) => exception.test(what)))
          wrong.push(`${what}: ${actual[i]} instead of ${e}`);
      });
    }
    expect(wrong.join('\n')).toBe('');
  });
});
