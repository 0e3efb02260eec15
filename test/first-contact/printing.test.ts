// What a person sees who prints a tensor: its numbers once they are known, and before that what it is and how to get them.

import { inspect } from 'node:util';
import { arange, compile, setDevice, show, tensor, zeros } from 'nabla';
import { Linear, mseLoss } from 'nabla/nn';
import { SGD } from 'nabla/optim';
import { afterEach, describe, expect, it, vi } from 'vitest';

afterEach(() => vi.restoreAllMocks());

describe.each(['cpu', 'reference'])('console.log(t) on %s', (device) => {
  it('shows the numbers of what was given', () => {
    setDevice(device);
    expect(
      inspect(
        tensor([
          [1, 2.5],
          [-3, 4],
        ]),
      ),
    ).toBe(`Tensor([2, 2], float32, ${device})\n[[ 1.   2.5]\n [-3.   4. ]]`);
    expect(inspect(tensor(3))).toBe(`Tensor([], float32, ${device}) 3.0`);
    expect(inspect(tensor([true, false]))).toBe(`Tensor([2], bool, ${device})\n[ True False]`);
    expect(inspect(tensor(new Int32Array([1, 20])))).toBe(`Tensor([2], int32, ${device})\n[ 1 20]`);
    expect(inspect(tensor([1], { requiresGrad: true }))).toBe(`Tensor([1], float32, ${device}, requiresGrad)\n[1.]`);
  });

  it('says what is not computed yet, computes nothing, and shows it afterwards', async () => {
    setDevice(device);
    const y = tensor([1, 2, 3]).mul(2);
    const before = `Tensor([3], float32, ${device}), not computed yet: await t.data() or show(t)`;
    expect(inspect(y)).toBe(before);
    expect(inspect(y)).toBe(before);
    await y.data();
    expect(inspect(y)).toBe(`Tensor([3], float32, ${device})\n[2. 4. 6.]`);
    expect(inspect(zeros([2]))).toContain('not computed yet');
  });

  it('does not show what is to be overwritten', async () => {
    setDevice(device);
    const x = tensor([1, 2]);
    x.assign_(x.add(1));
    expect(inspect(x)).toContain('not computed yet');
    await x.data();
    expect(inspect(x)).toContain('[2. 3.]');
    const layer = new Linear(1, 1);
    mseLoss(layer.forward(tensor([[1]])), tensor([[0]])).backward();
    await new SGD(layer.parameters(), { lr: 0.1 }).step();
    expect(inspect(layer.weight)).toMatch(/\n\[\[-?\d/);
  });

  it('never fails', async () => {
    setDevice(device);
    const freed = tensor([1, 2]);
    freed[Symbol.dispose]();
    expect(inspect(freed)).toContain('[2], float32');
    const call = compile((x: ReturnType<typeof tensor>) => {
      expect(inspect(x)).toContain('not computed yet');
      return x.add(1);
    });
    await call(tensor([1]));
  });
});

describe('show', () => {
  it('computes, prints and gives the text', async () => {
    setDevice('cpu');
    const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    const text = await show(arange(6).reshape([2, 3]).mul(0.5));
    expect(text).toBe('Tensor([2, 3], float32, cpu)\n[[0.  0.5 1. ]\n [1.5 2.  2.5]]');
    expect(log.mock.calls).toEqual([[text]]);
    expect(await show(arange(2000))).toBe('Tensor([2000], int32, cpu)\n[   0    1    2 ... 1997 1998 1999]');
  });

  it('leaves String(t) short', async () => {
    expect(`${tensor([1, 2])}`).toBe('Tensor([2], float32, cpu)');
  });
});
