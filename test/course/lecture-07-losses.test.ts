// Lecture 7: the tables of the hinge loss and of the cross entropy.
import { describe, expect, test } from 'vitest';
import { type AnyTensor, setDevice, tensor } from '../../src/index.js';
import { crossEntropy, hingeLoss } from '../../src/nn/index.js';

const none = { reduction: 'none' } as const;
const values = async (t: AnyTensor, digits: number): Promise<number[]> =>
  Array.from(await t.data(), (v) => Number(Number(v).toFixed(digits)));

describe.each(['reference', 'cpu'])('on %s', (device) => {
  test('cat, chair and car: 2.9, 0, 12.9 and 2.04, 0.079, 6.156', async () => {
    setDevice(device);
    const scores = tensor([
      [3.2, 5.1, -1.7],
      [1.3, 4.9, 2.0],
      [2.2, 2.5, -3.1],
    ]);
    const labels = tensor(Int32Array.of(0, 1, 2));
    expect(await values(hingeLoss(scores, labels, none) as AnyTensor, 1)).toEqual([2.9, 0, 12.9]);
    expect(await values(crossEntropy(scores, labels, none) as AnyTensor, 3)).toEqual([2.04, 0.079, 6.156]);
  });

  test('the hinge loss saturates at 0, 12, 0 where the cross entropy goes on: 0.05, 5.70, 2e-11', async () => {
    setDevice(device);
    const scores = tensor([
      [5, -3, 2],
      [5, 10, 10],
      [5, -20, -20],
    ]);
    const labels = tensor(Int32Array.of(0, 0, 0));
    expect(await values(hingeLoss(scores, labels, none) as AnyTensor, 6)).toEqual([0, 12, 0]);
    const losses = [...(await (crossEntropy(scores, labels, none) as AnyTensor).data())].map(Number);
    expect(losses[0]).toBeCloseTo(0.05, 2);
    expect(losses[1]).toBeCloseTo(5.7, 2);
    // 2·e⁻²⁵: float32 cannot tell 1 + 2e-11 from 1
    expect(losses[2]).toBeCloseTo(device === 'reference' ? 2 * Math.exp(-25) : 0, 13);
  });
});
