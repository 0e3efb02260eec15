// States of optimisers, schedulers and averages: what is loaded counts alone, whatever was there before.
import { describe, expect, test } from 'vitest';
import { ArgumentError, type Tensor, compile, setDevice, tensor } from '../index.js';
import {
  Adadelta,
  Adagrad,
  Adam,
  AdamW,
  Adamax,
  NAdam,
  RAdam,
  RMSprop,
  ReduceLROnPlateau,
  SGD,
  WeightAverage,
} from './index.js';

const OPTIMISERS = {
  'SGD with momentum': (p: Tensor[]) => new SGD(p, { lr: 0.1, momentum: 0.9 }),
  'SGD with dampening': (p: Tensor[]) => new SGD(p, { lr: 0.1, momentum: 0.9, dampening: 0.5 }),
  Adam: (p: Tensor[]) => new Adam(p, { lr: 0.1 }),
  'Adam, amsgrad': (p: Tensor[]) => new Adam(p, { lr: 0.1, amsgrad: true }),
  AdamW: (p: Tensor[]) => new AdamW(p, { lr: 0.1 }),
  Adagrad: (p: Tensor[]) => new Adagrad(p, { lr: 0.1, initialAccumulatorValue: 0.5 }),
  Adadelta: (p: Tensor[]) => new Adadelta(p, { lr: 0.1 }),
  RMSprop: (p: Tensor[]) => new RMSprop(p, { lr: 0.1, momentum: 0.9, centered: true }),
  Adamax: (p: Tensor[]) => new Adamax(p, { lr: 0.1 }),
  NAdam: (p: Tensor[]) => new NAdam(p, { lr: 0.1 }),
  RAdam: (p: Tensor[]) => new RAdam(p, { lr: 0.1 }),
};
const START = [1, -2, 0.5];

describe.each(['reference', 'cpu'])('%s', (device) => {
  test.each(Object.entries(OPTIMISERS))('%s: a state from before the first step starts over', async (_, create) => {
    setDevice(device);
    for (const isCompiled of [false, true]) {
      const p = tensor(START, { requiresGrad: true }) as Tensor;
      const optimizer = create([p]);
      const plain = async (): Promise<void> => {
        optimizer.zeroGrad();
        p.square().sum().backward();
        await optimizer.step();
      };
      const step = isCompiled ? compile(plain) : plain;
      const steps = async (): Promise<number[][]> => {
        const seen: number[][] = [];
        for (let i = 0; i < 4; i++) {
          await step();
          seen.push([...(await p.data())]);
        }
        return seen;
      };
      const fresh = optimizer.stateDict();
      const first = await steps();
      p.assign_(tensor(START));
      optimizer.loadStateDict(fresh);
      expect(optimizer.stepCount).toBe(0);
      expect(await steps()).toEqual(first);
    }
  });
});

test('state that was loaded and never used goes, too; keys are whole numbers', () => {
  setDevice('reference');
  const p = tensor([1], { requiresGrad: true }) as Tensor;
  const optimizer = new Adagrad([p], { initialAccumulatorValue: 0.25 });
  const fresh = optimizer.stateDict();
  optimizer.loadStateDict({ ...fresh, tensors: { 'sum.0': tensor([3]) } });
  expect(Object.keys(optimizer.stateDict().tensors)).toEqual(['sum.0']);
  optimizer.loadStateDict(fresh);
  expect(optimizer.stateDict().tensors).toEqual({});
  for (const key of ['sum.', 'sum.-0', 'sum.1', 'sum. 0', 'sum.0x'])
    expect(() => optimizer.loadStateDict({ ...fresh, tensors: { [key]: tensor([3]) } })).toThrow(ArgumentError);
});

test('a state that is refused has changed nothing, and one that is loaded stays its own', async () => {
  setDevice('reference');
  const p = tensor([1], { requiresGrad: true }) as Tensor;
  const optimizer = new Adam([p], { lr: 0.1 });
  p.sum().backward();
  await optimizer.step();
  const before = optimizer.stateDict();
  const values = await Promise.all(Object.values(before.tensors).map((t) => t.array()));
  const [group] = before.groups;
  const zeros = { 'exp_avg.0': tensor([0]), 'exp_avg_sq.0': tensor([0]) };
  for (const wrong of [
    { groups: [{ ...group, lr: -1 }] },
    { groups: [{ ...group, betas: [2, 2] }] },
    { groups: [{ ...group, betas: null }] },
    { groups: [{ ...group, betas: [0.9] }] },
    { groups: [{ ...group, amsgrad: 'no' }] },
    { groups: [{ ...group, lr: '0.1' }] },
    { step: -1 },
    { steps: [0.5] },
    { tensors: { 'exp_avg.0': tensor([1, 2]) } },
    { tensors: { ...zeros, 'exp_avg_sq.0': tensor(new Int32Array([0])) } },
  ]) {
    expect(() => optimizer.loadStateDict({ ...before, tensors: zeros, ...wrong })).toThrow(ArgumentError);
    const now = optimizer.stateDict();
    expect(now.groups).toEqual(before.groups);
    expect(await Promise.all(Object.values(now.tensors).map((t) => t.array()))).toEqual(values);
  }
  const saved = structuredClone({ ...before, tensors: {} });
  optimizer.loadStateDict(saved);
  expect(optimizer.groups[0].betas).toEqual([0.9, 0.999]);
  expect(optimizer.groups[0].betas).not.toBe(saved.groups[0].betas);
});

test('damaged states of schedulers and averages are refused', async () => {
  setDevice('reference');
  const p = tensor([1], { requiresGrad: true }) as Tensor;
  const plateau = new ReduceLROnPlateau(new SGD([p]), {});
  plateau.step(1);
  const state = plateau.stateDict();
  const damaged: object[] = [{ bad: undefined }, { bad: -1 }, { cooling: 0.5 }, { best: 'x' }];
  for (const wrong of damaged)
    expect(() => plateau.loadStateDict({ ...state, ...wrong })).toThrow('ReduceLROnPlateau: the state');
  expect(plateau.stateDict()).toEqual(state);
  const average = new WeightAverage([p]);
  await average.update();
  for (const count of [-1, 0.5, NaN])
    await expect(average.loadStateDict({ ...average.stateDict(), count })).rejects.toThrow(ArgumentError);
  const whole = [tensor(new Int32Array([1]))] as unknown as Tensor[];
  await expect(average.loadStateDict({ count: 1, tensors: whole })).rejects.toThrow('the state is of [int32 [1]]');
});
