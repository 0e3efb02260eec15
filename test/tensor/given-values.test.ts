// Values that cross the border to the caller: what he is given he cannot spoil for others, and what he gives is taken for what it
// is, whichever realm it comes from, and is his to change afterwards.
import { runInNewContext } from 'node:vm';
import { afterAll, describe, expect, test } from 'vitest';
import {
  ArgumentError,
  DTypeError,
  type NablaError,
  ShapeError,
  arange,
  full,
  linspace,
  ones,
  rand,
  randint,
  setDevice,
  tensor,
  zeros,
} from 'nabla';
import { Linear } from 'nabla/nn';
import { typedArrayKind } from '../../src/tensor/typed-arrays.js';
import { TIERS } from '../support/tiers.js';

afterAll(() => setDevice('cpu'));

describe('what leaves is frozen or a copy', () => {
  test('shapes', async () => {
    const x = zeros([2, 5]);
    const shape = x.shape as number[];
    expect(() => shape.reverse()).toThrow(TypeError);
    expect(() => (shape[1] = 50)).toThrow(TypeError);
    expect(() => shape.push(1)).toThrow(TypeError);
    const stored = tensor(new Float32Array(6), { shape: [2, 3] });
    expect(() => ((stored.shape as number[])[0] = 9)).toThrow(TypeError);
    expect(() => ((new Linear(2, 3).weight.shape as number[])[0] = 9)).toThrow(TypeError);
    expect(await ones([2, 5]).sum(0).array()).toEqual([2, 2, 2, 2, 2]);
  });

  test('numbers', async () => {
    const x = tensor([1, 2, 3]);
    (await x.data())[0] = 9;
    ((await x.array()) as number[])[1] = 9;
    expect(await x.array()).toEqual([1, 2, 3]);
    const linear = new Linear(2, 2, { bias: false });
    const before = await linear.weight.array();
    delete (linear.stateDict() as Record<string, unknown>).weight;
    expect(Object.keys(linear.stateDict())).toEqual(['weight']);
    linear.parameters().length = 0;
    expect(linear.parameters()).toHaveLength(1);
    expect(await linear.weight.array()).toEqual(before);
  });

  test('arguments are read when they are given, though numbers are computed later', async () => {
    const x = arange(24).to('float32');
    const shape = [2, 3, 4];
    const order = [2, 0, 1];
    const pairs: [number, number][] = [[0, 0], [1, 2]]; // prettier-ignore
    const size = [2, 2, 2];
    const y = x.reshape(shape).permute(order).pad(pairs).sum([0]);
    const z = ones([2, 1, 2]).expand(size);
    shape.fill(1);
    order.fill(0);
    size[1] = 5000;
    for (const pair of pairs) pair.fill(7);
    expect(y.shape).toEqual([2, 6]);
    expect(await y.array()).toEqual([[0, 6, 22, 38, 0, 0], [0, 54, 70, 86, 0, 0]]); // prettier-ignore
    expect(await z.sum().item()).toBe(8);
    const data = new Float32Array([1, 2]);
    const given = tensor(data);
    data.fill(9);
    expect(await given.array()).toEqual([1, 2]);
  });
});

describe('what comes in is taken by its kind', () => {
  const elsewhere = (code: string): Float32Array => runInNewContext(code) as Float32Array;

  test.each([
    ['new Float32Array([1.5, 2.5])', 'float32', [1.5, 2.5]],
    ['new Float64Array([1.5, 2.5])', 'float64', [1.5, 2.5]],
    ['new Int8Array([1, -2])', 'int32', [1, -2]],
    ['new Uint8Array([1, 255])', 'int32', [1, 255]],
    ['new Uint8ClampedArray([1, 300])', 'int32', [1, 255]],
    ['new Uint16Array([1, 65535])', 'int32', [1, 65535]],
    ['new Int32Array([1, -2147483648])', 'int32', [1, -2147483648]],
    ['[1.5, 2.5]', 'float32', [1.5, 2.5]],
    ['[true, false]', 'bool', [true, false]],
    ['new Float32Array(new SharedArrayBuffer(8))', 'float32', [0, 0]],
  ])('%s of another realm', async (code, dtype, values) => {
    const x = tensor(elsewhere(code));
    expect(x.dtype).toBe(dtype);
    expect(await x.array()).toEqual(values);
  });

  test('buffers of Node, clones, and tags that lie', async () => {
    expect(await tensor(Buffer.from([1, 2])).array()).toEqual([1, 2]);
    expect(await tensor(structuredClone(new Float32Array([1.5]))).array()).toEqual([1.5]);
    expect(typedArrayKind({ [Symbol.toStringTag]: 'Float32Array' })).toBeUndefined();
    expect(typedArrayKind(elsewhere('new Float32Array(1)'))).toBe('Float32Array');
  });

  const cyclic: unknown[] = [];
  cyclic.push(cyclic);
  const pair: unknown[] = [1];
  pair.push(pair);
  let deep: unknown = 1;
  for (let i = 0; i < 100_000; i++) deep = [deep];
  const bad = (value: unknown) => () => tensor(value as number[]);

  test.each<[string, unknown, new (...args: never[]) => NablaError, string]>([
    ['a hole', [1, , 3], ArgumentError, 'tensor: element [1] is missing.'], // oxlint-disable-line no-sparse-arrays
    ['a hole further in', [[1, 2], [3, , 5].slice(0, 2)], ArgumentError, 'tensor: element [1][1] is missing.'], // oxlint-disable-line no-sparse-arrays
    ['nothing but holes', new Array(3), ArgumentError, 'tensor: element [0] is missing.'],
    ['an array in itself', cyclic, ArgumentError, 'tensor: the array contains itself.'],
    ['an array beside a number in itself', pair, ShapeError, 'tensor: ragged array'],
    ['an array of 100,000 dimensions', deep, ArgumentError, 'tensor: arrays are nested more than 64 deep.'],
    ['rows of two lengths', [[1, 2], [3]], ShapeError, 'tensor: ragged array: element [1] has length 1'], // prettier-ignore
    ['undefined', undefined, ArgumentError, 'tensor: the argument is undefined.'],
    ['null inside', [1, null], ArgumentError, 'tensor: element [1] is null.'],
    ['undefined inside', [undefined], ArgumentError, 'tensor: element [0] is undefined.'],
    ['a string', '12', ArgumentError, 'tensor: the argument is string.'],
    ['a string inside', [1, '2'], ArgumentError, 'tensor: element [1] is string.'],
    ['a bigint', [1n], ArgumentError, 'tensor: element [0] is bigint.'],
    ['64-bit integers', new BigInt64Array(2), DTypeError, 'tensor: 64-bit integers are not supported.'],
    ['a view without a kind', new DataView(new ArrayBuffer(4)), ArgumentError, 'an object of class DataView'],
    ['bare memory', new ArrayBuffer(4), ArgumentError, 'an object of class ArrayBuffer'],
    ['arguments', (function () { return arguments; })(), ArgumentError, 'an object of class Arguments'], // prettier-ignore
    ['an array-like object', { length: 2, 0: 1, 1: 2 }, ArgumentError, 'an object of class Object'],
    ['a set', new Set([1]), ArgumentError, 'an object of class Set'],
    ['a tensor', ones([2]), ArgumentError, 'tensor: the argument is a tensor already.'],
    ['typed arrays in an array', [new Float32Array(2)], ArgumentError, 'an object of class Float32Array'],
  ])('%s is refused', (_, value, kind, text) => {
    expect(bad(value)).toThrow(kind);
    expect(bad(value)).toThrow(text);
  });
});

describe('int32 holds whole numbers from −2³¹ to 2³¹ − 1', () => {
  test.each<[string, () => unknown]>([
    ['full', () => full([1], 3e9, { dtype: 'int32' })],
    ['full', () => full([1], NaN, { dtype: 'int32' })],
    ['full', () => full([1], -2147483649, { dtype: 'int32' })],
    ['tensor', () => tensor([3e9], { dtype: 'int32' })],
    ['tensor', () => tensor([NaN], { dtype: 'int32' })],
    ['tensor', () => tensor(new Uint32Array([3e9]))],
    ['arange', () => arange(2 ** 31)],
    ['arange', () => arange(2 ** 31, 2 ** 31 + 5)],
    ['arange', () => arange(0, 2 ** 32, 2 ** 31)],
    ['arange', () => arange(-(2 ** 33), 0, 2 ** 32)],
    ['randint', () => randint(2 ** 31, 2 ** 31 + 5, [2])],
    ['pad', () => ones([2], { dtype: 'int32' }).pad([[1, 1]], 3e9)],
  ])('%s refuses others', (op, make) => {
    expect(make).toThrow(ArgumentError);
    expect(make).toThrow(new RegExp(`^${op}: `));
  });

  test('the ends are in, and float32 takes more', async () => {
    expect(await full([1], 2147483647, { dtype: 'int32' }).item()).toBe(2147483647);
    expect(await full([1], -2147483648, { dtype: 'int32' }).item()).toBe(-2147483648);
    expect(await arange(2147483645, 2147483647).array()).toEqual([2147483645, 2147483646]);
    expect(await arange(2 ** 31, 2 ** 31 + 512, 256, { dtype: 'float32' }).array()).toEqual([2 ** 31, 2 ** 31 + 256]);
    expect(await ones([1], { dtype: 'int32' }).add(3e9).array()).toEqual([Math.fround(3000000001)]); // as float32
    expect(await linspace(1e10, 9, 3).array()).toEqual([1e10, 5000000000, 9]);
  });
});

test('more elements than 32 bits count are refused where they arise', () => {
  const tall = rand([65_536, 1]);
  expect(() => tall.add(ones([1, 65_536]))).toThrow('add: [65536, 65536] has 4294967296 elements');
  expect(() => tall.matmul(ones([1, 65_536]))).toThrow('matmul: [65536, 65536] has 4294967296 elements');
});

test.each(TIERS)('axes and shifts of tensors without dimensions, on $device', async ({ device }) => {
  setDevice(device);
  const x = tensor(3);
  for (const y of [x.cumsum(0), x.cumsum(-1), x.roll(1, 0), x.flip(0), x.sort(0).values, x.topk(1, 0).values])
    expect(await y.item()).toBe(3);
  expect(await x.argsort(0).item()).toBe(0);
  expect(() => tensor([1, 2]).roll(1.5, 0)).toThrow('roll: the shift is 1.5. Use a whole number.');
});
