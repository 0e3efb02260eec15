// Indices out of range: the error names the call that the index was given to, whatever that is built on, and says what may be used.
// PyTorch takes negative positions in x[...] alone; gather, index_select, scatter_add and embedding refuse them.
import { beforeEach, describe, expect, test } from 'vitest';
import {
  type AnyTensor,
  IndexError,
  type Tensor,
  embedding,
  maxUnpool1d,
  ones,
  setDevice,
  tensor,
  zeros,
} from '../index.js';
import { GATConv, GCNConv, Linear, MessagePassing, aggregate, crossEntropy, edgeSoftmax } from '../nn/index.js';

const ints = (...numbers: number[]): Tensor<[number], 'int32'> => tensor(Int32Array.from(numbers));
const grid = (numbers: readonly number[], rows: number): Tensor<number[], 'int32'> =>
  ints(...numbers).reshape([rows, numbers.length / rows]);
const table = (): Tensor<[number, number]> =>
  tensor([
    [0, 1],
    [2, 3],
    [4, 5],
  ]);

describe.each(['reference', 'cpu'])('%s', (device) => {
  beforeEach(() => setDevice(device));

  const range = (size: number, dim = 0): string =>
    `is out of range for dimension ${dim} with size ${size}. Use 0 to ${size - 1}.`;
  const noClass = 'label # is no class. Use 0 to 1, or ignoreIndex (-100) for what counts nowhere.';
  const CALLS: [name: string, call: (wrong: number) => AnyTensor, text: string][] = [
    ['gather', (i) => table().gather(1, grid([i, 0, 1], 3)), `gather: index # ${range(2, 1)}`],
    ['indexSelect', (i) => table().indexSelect(0, ints(0, i)), `indexSelect: index # ${range(3)}`],
    ['scatterAdd', (i) => zeros([3]).scatterAdd(0, ints(0, i), ones([2])), `scatterAdd: index # ${range(3)}`],
    ['embedding', (i) => embedding(table(), ints(0, i)), `embedding: index # ${range(3)}`],
    ['oneHot', (i) => ints(0, i).oneHot(3), 'oneHot: class # of 3. Use 0 to 2.'],
    ['aggregate', (i) => aggregate(table(), ints(0, 1, i), 3, 'mean'), `aggregate: target # ${range(3)}`],
    ['aggregate, max', (i) => aggregate(table(), ints(0, 1, i), 3, 'max'), `aggregate: target # ${range(3)}`],
    ['edgeSoftmax', (i) => edgeSoftmax(table(), ints(0, 1, i), 3), `edgeSoftmax: target # ${range(3)}`],
    ['GCNConv', (i) => new GCNConv(2, 2).forward(table(), grid([0, 1, 1, i], 2)), `GCNConv: node # ${range(3)}`],
    ['GATConv', (i) => new GATConv(2, 2).forward(table(), grid([0, 1, 1, i], 2)), `GATConv: node # ${range(3)}`],
    [
      'MessagePassing',
      (i) => new MessagePassing(new Linear(4, 2), new Linear(4, 2)).forward(table(), grid([0, 1, 1, i], 2))[0],
      `MessagePassing: node # ${range(3)}`,
    ],
    ['maxUnpool1d', (i) => maxUnpool1d(ones([1, 2]), grid([0, i], 1), [4]), `maxUnpool1d: index # ${range(4, 2)}`],
    ['crossEntropy', (i) => crossEntropy(table(), ints(0, 1, i)), `crossEntropy: ${noClass}`],
    [
      'crossEntropy with weights',
      (i) => crossEntropy(table(), ints(0, 1, i), { weight: ones([2]) }),
      `crossEntropy: ${noClass}`,
    ],
  ];
  test.each(CALLS)('%s', async (_name, call, text) => {
    for (const wrong of [7, -1]) {
      const read = call(wrong).data();
      await expect(read).rejects.toThrow(text.replace('#', String(wrong)));
      await expect(read).rejects.toThrow(IndexError);
      await expect(read).rejects.toMatchObject({ index: wrong });
    }
  });

  test('gradients alone name the call', async () => {
    const x = table().requiresGrad_();
    x.gather(0, grid([0, 1, 7, 1], 2))
      .sum()
      .backward();
    await expect(x.grad?.data()).rejects.toThrow(`gather: index 7 ${range(3)}`);
    const source = tensor([1, 1]).requiresGrad_();
    const sums = zeros([3]).scatterAdd(0, ints(0, -2), source);
    sums
      .mul(tensor([1, 2, 3]))
      .sum()
      .backward();
    await expect(source.grad?.data()).rejects.toThrow(`scatterAdd: index -2 ${range(3)}`);
    const selected = table().requiresGrad_();
    selected.indexSelect(0, ints(9, 0)).sum().backward();
    await expect(selected.grad?.data()).rejects.toThrow(`indexSelect: index 9 ${range(3)}`);
  });

  test('x.index takes positions from the end', async () => {
    const x = table();
    expect(await x.index(ints(-1, 0, -3)).array()).toEqual([
      [4, 5],
      [0, 1],
      [0, 1],
    ]);
    expect(await x.index(ints(0, -1), ints(-1, -2)).array()).toEqual([1, 4]);
    expect(await x.index(null, ints(-1)).array()).toEqual([[1], [3], [5]]);
    expect(await x.index(grid([-1, 1, -2, 0], 2), -1).array()).toEqual([
      [5, 3],
      [3, 1],
    ]);
    expect(await x.index([1, 3], ints(-2, 1)).array()).toEqual([
      [2, 3],
      [4, 5],
    ]);
    expect(await x.indexGrid(ints(-1, 0), ints(-1)).array()).toEqual([[5], [1]]);
  });

  test('x.index: the gradient of a position from the end', async () => {
    const x = table().requiresGrad_();
    x.index(ints(-1, 2, 0), ints(0, -2, -1))
      .mul(tensor([1, 2, 4]))
      .sum()
      .backward();
    expect(await x.grad?.array()).toEqual([
      [0, 4],
      [0, 0],
      [3, 0],
    ]);
  });

  test('x.index says which positions there are, and of which dimension of x', async () => {
    for (const wrong of [3, -4, 2147483647, -2147483648]) {
      const text = `is out of range for dimension 0 with size 3. Use -3 to 2.`;
      await expect(table().index(ints(0, wrong)).data()).rejects.toThrow(`index: ${wrong} ${text}`);
      await expect(table().index(ints(wrong), ints(0)).data()).rejects.toThrow(`index: ${wrong} ${text}`);
      await expect(table().indexGrid(ints(wrong), ints(0)).data()).rejects.toThrow(`indexGrid: ${wrong} ${text}`);
    }
    await expect(table().index(1, ints(2)).data()).rejects.toThrow(
      'index: 2 is out of range for dimension 1 with size 2. Use -2 to 1.',
    );
  });
});
