// Affine and bilinear maps, embeddings, additive attention: parity with PyTorch, and arguments that do not fit.
import { describe, expect, test } from 'vitest';
import {
  type AnyTensor,
  ArgumentError,
  DTypeError,
  ShapeError,
  type Tensor,
  ones,
  setDevice,
  zeros,
} from '../index.js';
import { type Subject, describeParity } from '../../test/support/layer-parity.js';
import * as nn from './index.js';

const subjects: Record<string, () => Subject> = {
  Linear: () => ({ layer: new nn.Linear(3, 4) }),
  'Linear without bias, one vector': () => ({ layer: new nn.Linear(3, 4, { bias: false }) }),
  Bilinear: () => ({ layer: new nn.Bilinear(3, 4, 2) }),
  'Bilinear without bias': () => ({ layer: new nn.Bilinear(2, 2, 3, { bias: false }) }),
  Embedding: () => ({ layer: new nn.Embedding(5, 3) }),
  'Embedding with padding': () => ({ layer: new nn.Embedding(5, 3, { paddingIdx: -1 }) }),
  'Linear without bias': () => ({ layer: new nn.Linear(5, 3, { bias: false }) }),
  'Embedding of one dimension': () => ({ layer: new nn.Embedding(4, 2) }),
  'Bilinear one pair': () => ({ layer: new nn.Bilinear(2, 3, 2) }),
  AdditiveAttention: () => ({ layer: new nn.AdditiveAttention(3, 4, 5) }),
  'AdditiveAttention with values and a mask': () => {
    const layer = new nn.AdditiveAttention(3, 4, 2);
    const call = (query: Tensor, keys: Tensor, values: Tensor, mask: AnyTensor) =>
      layer.forward(query, keys, { values, mask });
    return { layer, call };
  },
};

describeParity('linear', subjects);

describe.each(['reference', 'cpu'])('on %s', (device) => {
  test('an empty batch goes through', async () => {
    setDevice(device);
    const model = new nn.Sequential(new nn.Linear(3, 4), new nn.ReLU(), new nn.Linear(4, 2));
    const y = model.forward(zeros([0, 3]));
    expect(y.shape).toEqual([0, 2]);
    expect(await y.data()).toHaveLength(0);
  });

  test('the padding row of an embedding starts at 0', async () => {
    setDevice(device);
    const rows = (await new nn.Embedding(3, 2, { paddingIdx: 1 }).weight.array()) as number[][];
    expect(rows[1]).toEqual([0, 0]);
    expect(rows[0].every((w) => w !== 0)).toBe(true);
  });
});

test('arguments that do not fit', () => {
  setDevice('reference');
  expect(() => new nn.Linear(0, 1)).toThrow(
    new ArgumentError('Linear: inFeatures is 0. Use a whole number of at least 1.'),
  );
  expect(() => new nn.Linear(1, 2.5)).toThrow('Linear: outFeatures is 2.5');
  expect(() => new nn.Bilinear(1, -1, 1)).toThrow('Bilinear: in2Features is -1');
  expect(() => new nn.Embedding(0, 1)).toThrow('Embedding: count is 0');
  expect(() => new nn.Embedding(5, 1, { paddingIdx: 5 })).toThrow(
    new ArgumentError('Embedding: paddingIdx is 5. Use a whole number from -5 to 4.'),
  );
  const x = (...shape: number[]): never => zeros(shape) as never;
  expect(() => new nn.Linear(3, 1).forward(x())).toThrow('Linear: input []: needs at least one dimension');
  expect(() => new nn.Embedding(5, 1).forward(x(2))).toThrow(DTypeError);
  const bilinear = new nn.Bilinear(2, 3, 1);
  expect(() => bilinear.forward(x(4, 3), x(4, 3))).toThrow(
    new ShapeError('Bilinear: input [4, 3]: last dimension 3 is not in1Features 2', [[4, 3]]),
  );
  expect(() => bilinear.forward(x(4, 2), x(5, 3))).toThrow(
    'Bilinear: inputs [4, 2] and [5, 3]: all sizes but the last have to agree',
  );
  const attention = new nn.AdditiveAttention(2, 3, 4);
  expect(() => attention.forward(x(1, 2, 2), x(1, 2, 4))).toThrow(
    'AdditiveAttention: keys: input [1, 2, 4]: last dimension 4 is not keyDim 3',
  );
  expect(() => attention.forward(x(2, 2), x(1, 2, 3))).toThrow('needs [N, L, Q], [N, S, K], [N, S, V]');
  expect(() => attention.forward(x(1, 1, 2), x(1, 2, 3), { mask: x(1, 2) })).toThrow(DTypeError);
  const mask = ones([1, 5], { dtype: 'bool' }) as AnyTensor;
  expect(() => attention.forward(x(1, 1, 2), x(1, 2, 3), { mask })).toThrow('mask [1, 5]: needs [N, S] or [N, L, S]');
});

test('an index outside the table is said when the result is computed', async () => {
  setDevice('cpu');
  const index = zeros([2], { dtype: 'int32' }).add(7);
  await expect(new nn.Embedding(5, 1).forward(index as never).data()).rejects.toThrow(/7/);
});
