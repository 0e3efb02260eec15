// Optimisers and gradient clipping against PyTorch: fifty steps each, as they are and captured by compile(fn).
import { describe, expect, test } from 'vitest';
import { type AnyTensor, type Tensor, compile, setDevice, tensor } from '../index.js';
import { type Packed, expectClose, expectNear, readFixture, unpack } from '../../test/support/pytorch.js';
import { Adadelta, Adagrad, Adam, AdamW, Adamax, NAdam, RAdam, RMSprop, SGD, clipGradNorm_ } from './index.js';

interface OptimiserCase {
  readonly name: keyof typeof create;
  readonly options: { readonly lr: number };
  readonly start: readonly [Packed, Packed];
  readonly a: Packed;
  readonly b: Packed;
  /** [w, v] after a step, where they were kept. */
  readonly path: readonly (readonly [readonly number[], readonly number[]] | null)[];
}

interface ClipCase {
  readonly maxNorm: number;
  readonly normType: number | 'Infinity';
  readonly gradients: readonly Packed[];
  readonly norm: number;
  readonly clipped: readonly Packed[];
}

const { optimisers, clips } = readFixture<{
  optimisers: OptimiserCase[];
  clips: ClipCase[];
}>('pytorch-optim.json');

const create = { SGD, Adam, AdamW, Adagrad, Adadelta, RMSprop, Adamax, NAdam, RAdam };

describe.each(['reference', 'cpu'])('on %s', (device) => {
  test.each(optimisers)('$name $options', async ({ name, options, start, a, b, path }) => {
    setDevice(device);
    const [w, v] = start.map((t) => unpack(t, true));
    const [inputs, targets] = [unpack(a), unpack(b)];
    const optimiser = new create[name]([w, v], options);
    for (const [step, wanted] of path.entries()) {
      if (step === 4) optimiser.groups[0].lr /= 2;
      optimiser.zeroGrad();
      const loss = inputs
        .matmul(w as Tensor)
        .sub(targets)
        .square()
        .sum() as Tensor;
      const skips = step === 3 || step === 7;
      (skips ? loss : (loss.add(v.pow(4).sum().mul(0.1)) as Tensor)).backward();
      await optimiser.step();
      if (wanted === null) continue;
      expectNear([...(await w.data())], wanted[0], `w after step ${step}`, 5e-6);
      expectNear([...(await v.data())], wanted[1], `v after step ${step}`, 5e-6);
    }
  });

  test.each(clips)('clipGradNorm_ at $maxNorm of norm $normType', async ({ maxNorm, normType, ...wanted }) => {
    setDevice(device);
    const parameters = wanted.gradients.map((g) => {
      const p = tensor(new Float32Array(g.data.length), { shape: g.shape, requiresGrad: true }) as unknown as Tensor;
      p.grad = unpack(g);
      return p;
    });
    const norm = clipGradNorm_(parameters, maxNorm, { normType: Number(normType) });
    expectNear([await norm.item()], [wanted.norm], 'norm');
    for (const [i, p] of parameters.entries())
      await expectClose(p.grad as unknown as AnyTensor, wanted.clipped[i], 'clipped');
  });

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
