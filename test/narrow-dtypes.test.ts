// uint8, float16 and bfloat16: stored in one and two bytes, rounded as IEEE 754 and PyTorch do, computed in int32 and float32.
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import {
  type AnyTensor,
  type DType,
  bitwiseAnd,
  bitwiseLeftShift,
  bitwiseNot,
  gcd,
  scatterReduce,
  cat,
  memoryStats,
  ones,
  setDevice,
  tensor,
  where,
  zeros,
} from 'nabla';
import { fromSafetensors, toSafetensors } from 'nabla/io';
import { Linear, toDType } from 'nabla/nn';
import { TIERS } from './support/tiers.js';

afterAll(() => setDevice('cpu'));

// What PyTorch 2.15 gives: torch.tensor(x).to(torch.float16 | torch.bfloat16).float(), .to(torch.uint8)
const GIVEN = [
  0,
  -0,
  1,
  0.1,
  -0.3,
  65504,
  65519,
  65520,
  1e6,
  5.96e-8,
  2.98e-8,
  3e-8,
  6.1e-5,
  6.097e-5,
  1e-40,
  Infinity,
  -Infinity,
  NaN,
  2049,
  2051,
];
const HALF = [
  0,
  -0,
  1,
  0.0999755859375,
  -0.300048828125,
  65504,
  65504,
  Infinity,
  Infinity,
  5.960464477539063e-8,
  0,
  5.960464477539063e-8,
  6.097555160522461e-5,
  6.097555160522461e-5,
  0,
  Infinity,
  -Infinity,
  NaN,
  2048,
  2052,
];
const BRAIN = [
  0,
  -0,
  1,
  0.10009765625,
  -0.30078125,
  65536,
  65536,
  65536,
  999424,
  5.960464477539063e-8,
  2 ** -25,
  3.003515303134918e-8,
  6.103515625e-5,
  6.103515625e-5,
  9.183549615799121e-41,
  Infinity,
  -Infinity,
  NaN,
  2048,
  2048,
];

describe.each(TIERS)('on $device', ({ device }) => {
  beforeEach(() => setDevice(device));

  test.each([
    ['float16', HALF],
    ['bfloat16', BRAIN],
  ] as const)('%s is the nearest number, of two the even one', async (dtype, expected) => {
    const x = tensor(GIVEN);
    const narrow = x.to(dtype);
    expect(narrow.dtype).toBe(dtype);
    const numbers = [...(await narrow.data())];
    expect(numbers).toEqual(expected);
    expect([...(await tensor(GIVEN, { dtype }).data())]).toEqual(expected); // on the host
    const stored = tensor(GIVEN, { dtype });
    expect([...(await stored.to('float32').data())]).toEqual(expected);
    expect([...(await x.to(dtype).to('float32').data())]).toEqual(expected); // without being stored
  });

  test('arithmetic is rounded once an operation', async () => {
    const [a, b] = [tensor([2048, 0.1, 1000], { dtype: 'float16' }), tensor([1, 0.2, 1000], { dtype: 'float16' })];
    expect(a.add(b).dtype).toBe('float16');
    expect(await a.add(b).array()).toEqual([2048, 0.2998046875, 2000]);
    expect(await a.mul(b).array()).toEqual([2048, 0.019989013671875, Infinity]);
    expect(a.exp().dtype).toBe('float16');
    expect(await a.gt(b).array()).toEqual([true, false, false]);
    expect(await a.sum().item()).toBe(3048);
    const brain = tensor([1, 2], { dtype: 'bfloat16' });
    expect(a.slice(0, 0, 2).add(brain).dtype).toBe('float32');
    expect([a.add(1).dtype, a.add(tensor([1])).dtype, a.add(tensor(Int32Array.of(1))).dtype]).toEqual([
      'float16',
      'float32',
      'float16',
    ]);
  });

  test('uint8 wraps, adds up in int32, divides as real numbers', async () => {
    const x = tensor([250, 10, 255], { dtype: 'uint8' });
    expect(x.add(x).dtype).toBe('uint8');
    expect(await x.add(x).array()).toEqual([244, 20, 254]);
    expect(await x.mul(2).array()).toEqual([244, 20, 254]);
    expect([x.sum().dtype, await x.sum().item()]).toEqual(['int32', 515]);
    expect(await x.cumsum(0).array()).toEqual([250, 260, 515]);
    expect([x.div(255).dtype, await x.div(255).array()]).toEqual([
      'float32',
      [250 / 255, 10 / 255, 1].map(Math.fround).map((v) => (device === 'reference' ? expect.closeTo(v, 6) : v)),
    ]);
    expect(await tensor([-1, 300, 3.9]).to('uint8').array()).toEqual([255, 44, 3]);
    expect(await x.lt(300).array()).toEqual([true, true, true]);
    expect(await x.amax().item()).toBe(255);
    expect(() => tensor([256], { dtype: 'uint8' })).toThrow('element 0 is 256, which uint8 cannot hold');
  });

  test.each(['uint8', 'float16', 'bfloat16'] as const satisfies readonly DType[])(
    '%s moves, joins and is looked up, of every size',
    async (dtype) => {
      for (const n of device === 'native' ? [17, 1000] : [1, 3, 8, 17, 64, 1000]) {
        const numbers = Array.from({ length: n }, (_, i) => (i * 7) % 128);
        const x = tensor(numbers, { dtype });
        expect(await x.flip(0).array()).toEqual(numbers.toReversed());
        expect(await x.slice(0, 0, undefined, 2).array()).toEqual(numbers.filter((_, i) => i % 2 === 0));
        expect(await cat([x, x]).array()).toEqual([...numbers, ...numbers]);
        expect(await where(x.gt(60), x, 0).array()).toEqual(numbers.map((v) => (v > 60 ? v : 0)));
        expect(await x.indexSelect(0, tensor(Int32Array.of(n - 1, 0))).array()).toEqual([numbers[n - 1], numbers[0]]);
        expect(
          await x
            .reshape([n, 1])
            .expand([n, 3])
            .transpose(0, 1)
            .reshape([3 * n])
            .array(),
        ).toEqual([...numbers, ...numbers, ...numbers]);
        expect(await x.sort().values.array()).toEqual(numbers.toSorted((a, b) => a - b));
      }
    },
  );

  test('a product is rounded at its end; a layer in bfloat16', async () => {
    const a = tensor(
      Array.from({ length: 12 }, (_, i) => i / 8),
      { shape: [3, 4], dtype: 'float16' },
    );
    const product = a.matmul(a.T);
    expect(product.dtype).toBe('float16');
    expect(await product.array()).toEqual(await a.to('float32').matmul(a.to('float32').T).to('float16').array());
    const layer = toDType(new Linear(4, 2), 'bfloat16');
    expect(layer.weight.dtype as string).toBe('bfloat16');
    const out = layer.forward(ones([3, 4], { dtype: 'bfloat16' }));
    expect(out.dtype as string).toBe('bfloat16');
    out.sum().backward();
    expect(layer.weight.grad!.dtype as string).toBe('bfloat16');
    expect(await layer.weight.grad!.array()).toEqual([
      [3, 3, 3, 3],
      [3, 3, 3, 3],
    ]);
  });

  test('functions of whole numbers take uint8 as they take int32', async () => {
    const numbers = [3, 200, 7, 255, 0, 90];
    const [x, whole] = [tensor(numbers, { dtype: 'uint8' }), tensor(Int32Array.from(numbers))];
    const at = tensor(Int32Array.of(0, 1, 0, 1, 1, 0));
    expect(await bitwiseAnd(x, 15).array()).toEqual(await bitwiseAnd(whole, 15).array());
    expect(await bitwiseNot(x).array()).toEqual([252, 55, 248, 0, 255, 165]);
    expect(await bitwiseLeftShift(x, 1).array()).toEqual([6, 144, 14, 254, 0, 180]);
    expect(await gcd(x, 6).array()).toEqual(await gcd(whole, 6).array());
    for (const kind of ['amax', 'amin'] as const)
      expect(await scatterReduce(x, 0, at, x, kind).array()).toEqual(
        await scatterReduce(whole, 0, at, whole, kind).array(),
      );
    // sums wrap before they are divided, as in PyTorch
    expect(await scatterReduce(x, 0, at, x, 'mean').array()).toEqual([25, 35, 7, 255, 0, 90]);
    expect(bitwiseAnd(x, x).dtype).toBe('uint8');
  });

  test('files keep them', async () => {
    const given = {
      a: tensor([1.5, 0.1], { dtype: 'float16' }),
      b: tensor([0.1], { dtype: 'bfloat16' }),
      c: tensor([7], { dtype: 'uint8' }),
    };
    const bytes = await toSafetensors(given);
    const { tensors } = fromSafetensors(bytes);
    for (const [name, t] of Object.entries<AnyTensor>(given)) {
      expect(tensors[name].dtype).toBe(t.dtype);
      expect(await tensors[name].array()).toEqual(await t.array());
    }
  });
});

test('they take their bytes', async () => {
  setDevice('cpu');
  const used = () => memoryStats().usedBytes;
  for (const [dtype, bytes] of [
    ['uint8', 1],
    ['float16', 2],
    ['float32', 4],
    ['float64', 8],
  ] as const) {
    const before = used();
    const x = tensor(new Float32Array(1 << 20), { dtype });
    expect(Math.round((used() - before) / (1 << 20))).toBe(bytes);
    x[Symbol.dispose]();
  }
  await zeros([1]).data();
});
