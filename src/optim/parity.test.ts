// Optimisers, limits and averages against PyTorch on every tier: fifty steps of each optimiser, and what compile(fn) captures of it.
import { describe, expect, test } from 'vitest';
import { type AnyTensor, type Tensor, compile, setDevice, tensor } from '../index.js';
import { type Packed, expectClose, expectNear, readFixture, unpack } from '../../test/support/pytorch.js';
import { FLOAT64, TIERS, type Tier, countNativeRuns } from '../../test/support/tiers.js';
import {
  Adadelta,
  Adagrad,
  Adam,
  AdamW,
  Adamax,
  NAdam,
  RAdam,
  RMSprop,
  SGD,
  WeightAverage,
  clipGradNorm_,
  clipGradValue_,
  maxNorm_,
} from './index.js';

interface OptimiserCase {
  readonly name: keyof typeof create;
  readonly options: { readonly lr: number };
  /** After the steps that were kept: [kept, 3, 2] and [kept, 4]. */
  readonly w: Packed;
  readonly v: Packed;
}

interface Clipped {
  readonly gradients: readonly Packed[];
  readonly clipped: readonly Packed[];
}

interface Fixture {
  readonly start: { readonly w: Packed; readonly v: Packed; readonly a: Packed; readonly b: Packed };
  readonly kept: readonly number[];
  readonly steps: number;
  readonly optimisers: Record<string, OptimiserCase>;
  readonly clipNorm: readonly (Clipped & { maxNorm: number; normType: number | 'Infinity'; norm: number })[];
  readonly clipValue: readonly (Clipped & { value: number })[];
  readonly maxNorm: readonly { maxNorm: number; weight: Packed; limited: Packed }[];
  readonly averages: readonly { decay: number | null; weights: Packed; averages: Packed }[];
}

const fixture = readFixture<Fixture>('optim.safetensors');
const { start, kept, optimisers } = fixture;

const create = { SGD, Adam, AdamW, Adagrad, Adadelta, RMSprop, Adamax, NAdam, RAdam };

/** Where it differs from 0, a part of the numbers' size. */
const near = (actual: ArrayLike<number>, wanted: readonly number[], what: string, tolerance: number): void =>
  expectNear(Array.from(actual), wanted, what, tolerance, 0.01);

const withGradients = (gradients: readonly Packed[]): Tensor[] =>
  gradients.map((g) => {
    const p = tensor(new Float32Array(g.data.length), { shape: g.shape, requiresGrad: true }) as unknown as Tensor;
    p.grad = unpack(g);
    return p;
  });

/** Fifty steps as the fixture's; where a row of it was kept, the parameters are compared. */
async function walk({ name, options, ...wanted }: OptimiserCase, { device, tolerance, dtype }: Tier): Promise<void> {
  setDevice(device);
  const [w, v] = [unpack(start.w, true, dtype), unpack(start.v, true, dtype)];
  const [a, b] = [unpack(start.a, false, dtype), unpack(start.b, false, dtype)];
  const optimiser = new create[name]([w, v], options);
  for (let step = 0; step < fixture.steps; step++) {
    if (step === 4) optimiser.groups[0].lr /= 2;
    optimiser.zeroGrad();
    const loss = a.matmul(w).sub(b).square().sum() as Tensor;
    const skips = step === 3 || step === 7;
    (skips ? loss : (loss.add(v.pow(4).sum().mul(0.1)) as Tensor)).backward();
    await optimiser.step();
    const row = kept.indexOf(step);
    if (row < 0) continue;
    const rowOf = ({ data }: Packed): number[] =>
      data.slice((row * data.length) / kept.length, ((row + 1) * data.length) / kept.length);
    near(await w.data(), rowOf(wanted.w), `w after step ${step}`, tolerance);
    near(await v.data(), rowOf(wanted.v), `v after step ${step}`, tolerance);
  }
}

/** The last case of each optimiser. */
const ofEach = Object.values(Object.fromEntries(Object.values(optimisers).map((row) => [row.name, row])));
test.each(ofEach)('$name in float64: its rates are not rounded', (row) => walk(row, FLOAT64), 60_000);

describe.each(TIERS)('on $device', (tier) => {
  const { device, tolerance } = tier;
  test.each(Object.entries(optimisers))('%s', (_, row) => walk(row, tier), 60_000);

  test.each(fixture.clipNorm)('clipGradNorm_ at $maxNorm of norm $normType', async (wanted) => {
    setDevice(device);
    const parameters = withGradients(wanted.gradients);
    const norm = clipGradNorm_(parameters, wanted.maxNorm, { normType: Number(wanted.normType) });
    near([await norm.item()], [wanted.norm], 'norm', tolerance);
    for (const [i, p] of parameters.entries()) await expectClose(p.grad!, wanted.clipped[i], 'clipped', tolerance);
  });

  test.each(fixture.clipValue)('clipGradValue_ at $value', async ({ value, gradients, clipped }) => {
    setDevice(device);
    const parameters = withGradients(gradients);
    clipGradValue_(parameters, value);
    for (const [i, p] of parameters.entries()) await expectClose(p.grad!, clipped[i], 'clipped', tolerance);
  });

  test.each(fixture.maxNorm)('maxNorm_ at $maxNorm', async ({ maxNorm, weight, limited }) => {
    setDevice(device);
    const p = unpack(weight, true);
    await maxNorm_([p], maxNorm);
    await expectClose(p, limited, 'limited', tolerance);
  });

  test.each(fixture.averages)('WeightAverage with decay $decay', async ({ decay, weights, averages }) => {
    setDevice(device);
    const w = tensor(new Float32Array(6), { shape: [2, 3], requiresGrad: true }) as unknown as Tensor;
    const average = new WeightAverage([w], decay === null ? {} : { decay });
    for (let i = 0; i < weights.shape[0]; i++) {
      w.assign_(unpack({ ...weights, shape: [2, 3], data: weights.data.slice(6 * i, 6 * i + 6) }));
      await average.update();
      await average.swap();
      near(await w.data(), averages.data.slice(6 * i, 6 * i + 6), `average ${i}`, tolerance);
      await average.swap();
    }
  });
});

const runs = countNativeRuns();
test('natively nothing ran as WebAssembly instead', () => expect(runs.instead).toBe(0));

test('every optimiser has a case with weight decay and one without', () => {
  const rows = Object.values(optimisers) as { name: string; options: { weightDecay?: number } }[];
  for (const name of Object.keys(create)) {
    const decays = rows
      .filter((row) => row.name === name)
      .map(({ options }) => options.weightDecay ?? (name === 'AdamW' ? 0.01 : 0));
    expect({ name, with: decays.some((d) => d > 0), without: decays.includes(0) }).toEqual({
      name,
      with: true,
      without: true,
    });
  }
});

describe.each(['reference', 'cpu'])('on %s', (device) => {
  test.each(Object.keys(create) as (keyof typeof create)[])(
    '%s captured by compile(fn) takes the same path',
    async (name) => {
      setDevice(device);
      const run = async (captured: boolean): Promise<number[][]> => {
        const w = tensor([1, -2, 3], { requiresGrad: true }) as unknown as Tensor;
        const optimiser = new create[name](
          [w],
          name === 'SGD' ? { lr: 0.1, momentum: 0.9, dampening: 0.5 } : { lr: 0.1 },
        );
        const plain = async (x: Tensor): Promise<Tensor> => {
          optimiser.zeroGrad();
          const loss = w.mul(x).square().sum() as Tensor;
          loss.backward();
          await optimiser.step();
          return loss.detach() as Tensor;
        };
        const step = captured ? compile(plain as never) : plain;
        const path: number[][] = [];
        for (let i = 0; i < 6; i++) {
          if (i === 3) optimiser.groups[0].lr = 0.01;
          await (step as (x: AnyTensor) => Promise<unknown>)(tensor([i + 1, 0.5, 0.25]) as unknown as AnyTensor);
          path.push([...(await w.data())]);
        }
        expect(optimiser.stateDict()).toMatchObject({ step: 6, steps: [6] });
        return path;
      };
      expect(await run(true)).toEqual(await run(false));
    },
  );
});

test.each([
  [() => new Adagrad(parameters(), { lr: -1 }), 'Adagrad: lr is -1. Use a number of at least 0.'],
  [() => new Adadelta(parameters(), { rho: 1 }), 'Adadelta: rho is 1. Use a number of at least 0 and below 1.'],
  [() => new RMSprop(parameters(), { alpha: 2 }), 'RMSprop: alpha is 2. Use a number of at least 0 and below 1.'],
  [() => new Adamax(parameters(), { betas: [1, 0] }), 'Adamax: betas[0] is 1. Use a number of at least 0 and below 1.'],
  [() => new NAdam(parameters(), { momentumDecay: -1 }), 'NAdam: momentumDecay is -1. Use a number of at least 0.'],
  [() => new RAdam(parameters(), { eps: Number.NaN }), 'RAdam: eps is NaN. Use a number of at least 0.'],
])('%s', (make, message) => {
  expect(make).toThrow(message);
});

function parameters(): Tensor[] {
  return [tensor([1, 2], { requiresGrad: true }) as unknown as Tensor];
}
