// Attention: parity with PyTorch, rows without a key, dropout, and what does not fit.
import { describe, expect, test } from 'vitest';
import {
  type AnyTensor,
  ArgumentError,
  DTypeError,
  type Tensor,
  manualSeed,
  ones,
  rand,
  scaledDotProductAttention,
  setDevice,
  tensor,
  zeros,
} from '../index.js';
import { type Subject, describeParity } from '../../test/support/layer-parity.js';
import { Identity, MultiheadAttention, type MultiheadAttentionArguments } from './index.js';

function attention(options: object): Subject {
  const call = (q: Tensor, k: Tensor, v: Tensor, mask?: AnyTensor) =>
    scaledDotProductAttention(q, k, v, { mask, ...options });
  return { layer: new Identity(), call };
}

function self(layer: MultiheadAttention<number>, options: MultiheadAttentionArguments = {}): Subject {
  return { layer, call: (x: Tensor) => layer.forward(x, x, x, options) };
}

const masked = (layer: MultiheadAttention<number>): Subject => ({
  layer,
  call: (q: Tensor, k: Tensor, keyPaddingMask: AnyTensor, attnMask: AnyTensor) =>
    layer.forward(q, k, k, { keyPaddingMask, attnMask }),
});

const subjects: Record<string, () => Subject> = {
  attention: () => attention({}),
  'attention with a bool mask': () => attention({}),
  'attention with an added mask': () => attention({}),
  'attention, causal, scale': () => attention({ isCausal: true, scale: 0.7 }),
  MultiheadAttention: () => self(new MultiheadAttention(4, 2)),
  'MultiheadAttention across': () => ({ layer: new MultiheadAttention(4, 2) }),
  'MultiheadAttention causal': () => self(new MultiheadAttention(4, 2), { isCausal: true }),
  'MultiheadAttention masks': () => masked(new MultiheadAttention(4, 2, { batchFirst: true })),
  'MultiheadAttention bool masks': () => masked(new MultiheadAttention(4, 2)),
  'MultiheadAttention mask for each head': () => {
    const layer = new MultiheadAttention(4, 2);
    return { layer, call: (q: Tensor, k: Tensor, attnMask: Tensor) => layer.forward(q as never, k, k, { attnMask }) };
  },
  'MultiheadAttention kdim, vdim, no bias': () => ({
    layer: new MultiheadAttention(4, 2, { kdim: 3, vdim: 5, bias: false }),
  }),
  'MultiheadAttention unbatched, weights of each head': () =>
    self(new MultiheadAttention(4, 2), { averageAttnWeights: false }),
  'MultiheadAttention without weights': () =>
    self(new MultiheadAttention(4, 4, { dropout: 0.5 }), { needWeights: false }),
  'MultiheadAttention dropout in evaluation': () => self(new MultiheadAttention(4, 2, { dropout: 0.5 })),
  'MultiheadAttention causal without weights': () =>
    self(new MultiheadAttention(4, 2), { needWeights: false, isCausal: true }),
};

describeParity('attention', subjects);

describe.each(['reference', 'cpu'])('on %s', (device) => {
  test('a query that may look nowhere gives 0 and takes no gradient', async () => {
    setDevice(device);
    manualSeed(1);
    const q = tensor(
      [
        [1, 2],
        [3, 4],
      ],
      { requiresGrad: true },
    ) as unknown as Tensor;
    const mask = tensor([
      [true, false, true],
      [false, false, false],
    ]);
    const y = scaledDotProductAttention(q, rand([3, 2]), rand([3, 2]), { mask }) as unknown as Tensor;
    y.square().sum().backward();
    expect((await y.data()).slice(2)).toEqual(device === 'cpu' ? new Float32Array(2) : new Float64Array(2));
    expect([...(await q.grad!.data())].map(Number.isFinite)).toEqual([true, true, true, true]);
    expect([...(await q.grad!.data())].slice(2).map(Math.abs)).toEqual([0, 0]);
  });
});

test('dropout acts on the weights, in training only', async () => {
  setDevice('cpu');
  manualSeed(0);
  const layer = new MultiheadAttention(4, 2, { dropout: 0.5 });
  const x = rand([6, 1, 4]) as Tensor;
  const run = async (): Promise<number[]> => [...(await layer.forward(x as never, x, x)[0].data())];
  expect(await run()).not.toEqual(await run());
  layer.eval();
  expect(await run()).toEqual(await run());
});

test('arguments that do not fit', () => {
  setDevice('reference');
  expect(() => new MultiheadAttention(6, 4)).toThrow(
    new ArgumentError('MultiheadAttention: 4 heads do not divide embedDim 6.'),
  );
  expect(() => new MultiheadAttention(4, 2, { dropout: 2 })).toThrow('dropout is 2. Use a number from 0 to 1.');
  const layer = new MultiheadAttention(4, 2);
  const x = zeros([3, 2, 4]) as unknown as Tensor;
  expect(() => layer.forward(zeros([3, 2, 5]) as never, x, x)).toThrow('last dimension 5 is not embedDim 4');
  expect(() => layer.forward(x as never, zeros([5, 3, 4]) as never, x)).toThrow('batches, or lengths of key and value');
  expect(() => layer.forward(x as never, x, x, { attnMask: ones([2, 3, 3]) as AnyTensor })).toThrow(
    'attnMask [2, 3, 3]: needs [L, S] or [N · heads, L, S]',
  );
  expect(() => layer.forward(x as never, x, x, { keyPaddingMask: ones([3]) as AnyTensor })).toThrow('needs [N, S]');
  const int = zeros([3, 3], { dtype: 'int32' }) as AnyTensor;
  expect(() => layer.forward(x as never, x, x, { attnMask: int })).toThrow(DTypeError);
  expect(() => scaledDotProductAttention(x, x, x, { mask: int })).toThrow(DTypeError);
  expect(() => scaledDotProductAttention(x, x, x, { dropout: -1 })).toThrow('dropout: p is -1');
});
