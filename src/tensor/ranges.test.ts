// Classes and probabilities out of range: the error names the call that they were given to, on every device.
import { beforeEach, describe, expect, test } from 'vitest';
import { IndexError, tensor, setDevice } from '../index.js';
import { checkedLabels, checkedProbabilities } from './library.js';

const ints = (numbers: readonly number[]) => tensor(Int32Array.from(numbers));

describe.each(['reference', 'cpu'])('%s', (device) => {
  beforeEach(() => setDevice(device));

  test('oneHot of a class that is none', async () => {
    expect(await ints([0, 2]).oneHot(3).array()).toEqual([
      [1, 0, 0],
      [0, 0, 1],
    ]);
    for (const wrong of [3, 5, -1]) {
      const read = ints([0, wrong]).oneHot(3).data();
      await expect(read).rejects.toThrow(`oneHot: class ${wrong} of 3. Use 0 to 2.`);
      await expect(read).rejects.toThrow(IndexError);
    }
    expect(await ints([]).oneHot(3).data()).toHaveLength(0);
  });

  test('labels and probabilities come through as they are, or not at all', async () => {
    expect([...(await checkedLabels('call', ints([1, 0]), 2).data())]).toEqual([1, 0]);
    await expect(checkedLabels('call', ints([2]), 2).data()).rejects.toThrow('call: label 2 is no class. Use 0 to 1.');
    const p = tensor([0, 0.25, 1, NaN]);
    expect([...(await checkedProbabilities('call', p, 'Do.').data())]).toEqual([0, 0.25, 1, NaN]);
    for (const wrong of [-1e-6, 1.5, Infinity, -Infinity])
      await expect(checkedProbabilities('call', tensor([0, wrong]), 'Do.').data()).rejects.toThrow(
        'call: 1 of 2 probabilities are outside 0 to 1. Do.',
      );
  });
});
