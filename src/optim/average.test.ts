// Averages of weights, clipping by value and the max-norm constraint, against their definitions.
import { describe, expect, test } from 'vitest';
import { type Tensor, setDevice, tensor } from '../index.js';
import { expectNear } from '../../test/support/pytorch.js';
import { SGD, WeightAverage, clipGradValue_, maxNorm_ } from './index.js';

const parameter = (values: readonly number[], shape: readonly number[] = [values.length]): Tensor =>
  tensor(Float32Array.from(values), { shape, requiresGrad: true }) as unknown as Tensor;

describe.each(['reference', 'cpu'])('on %s', (device) => {
  /** Three steps of SGD on Σ w²/2, the average updated after each: the weights are halved each time. */
  const run = async (decay?: number): Promise<{ w: Tensor; average: WeightAverage; optimizer: SGD }> => {
    setDevice(device);
    const w = parameter([8, -16]);
    const optimizer = new SGD([w], { lr: 0.5 });
    const average = new WeightAverage([w], decay === undefined ? {} : { decay });
    for (let i = 0; i < 3; i++) {
      optimizer.zeroGrad();
      (w.square().sum().mul(0.5) as Tensor).backward();
      await optimizer.step();
      await average.update();
    }
    return { w, average, optimizer };
  };

  test('all updates weigh the same without decay', async () => {
    const { w, average } = await run();
    await average.swap();
    expectNear([...(await w.data())], [7 / 3, -14 / 3], 'average', 1e-6);
    await average.swap();
    expectNear([...(await w.data())], [1, -2], 'weights again', 0);
  });

  test('an exponential average, saved and loaded', async () => {
    const { w, average } = await run(0.75);
    const other = new WeightAverage([w], { decay: 0.75 });
    await other.loadStateDict(average.stateDict());
    expect(other.count).toBe(3);
    await other.swap();
    const wanted = 0.75 * (0.75 * 4 + 0.25 * 2) + 0.25;
    expectNear([...(await w.data())], [wanted, -2 * wanted], 'average', 1e-6);
    await expect(new WeightAverage([parameter([1])]).loadStateDict(average.stateDict())).rejects.toThrow(
      'WeightAverage: the state is of [[2]], the parameters are [[1]].',
    );
  });

  test('clipGradValue_', async () => {
    setDevice(device);
    const [w, without] = [parameter([1, -2, 0.25]), parameter([1])];
    (w.square().sum() as Tensor).backward();
    clipGradValue_([w, without], 1.5);
    expect([...(await (w.grad as unknown as Tensor).data())]).toEqual([1.5, -1.5, 0.5]);
    expect(without.grad).toBeUndefined();
    expect(() => clipGradValue_([w], -1)).toThrow('clipGradValue_: value is -1.');
  });

  test('maxNorm_ scales the rows that are too long', async () => {
    setDevice(device);
    const [w, bias] = [parameter([3, 4, 0.3, 0.4], [2, 2]), parameter([10, 10])];
    await maxNorm_([w, bias], 1);
    expectNear([...(await w.data())], [0.6, 0.8, 0.3, 0.4], 'weights', 1e-6);
    expect([...(await bias.data())]).toEqual([10, 10]);
    await expect(maxNorm_([w], 0)).rejects.toThrow('maxNorm_: maxNorm is 0.');
  });
});

test('bad input', async () => {
  const w = parameter([1]);
  expect(() => new WeightAverage([w], { decay: 1 })).toThrow('WeightAverage: decay is 1.');
  expect(() => new WeightAverage([])).toThrow('WeightAverage: no parameters.');
  await expect(new WeightAverage([w]).swap()).rejects.toThrow('WeightAverage: swap before the first update.');
});
