// The probe: what it writes down, that it goes without a trace, captured steps, figures against plain JavaScript.
import { beforeEach, expect, test } from 'vitest';
import { ArgumentError, type Tensor, manualSeed, randn, setDevice, tensor } from '../../index.js';
import { Linear, ReLU, Sequential, Tanh, crossEntropy, mseLoss } from '../../nn/index.js';
import { SGD } from '../../optim/index.js';
import type { LayersEvent, RunEvent, StepEvent } from '../record.js';
import { observe } from './observe.js';
import { isLookDue } from './trainer-probe.js';

beforeEach(() => {
  setDevice('cpu');
  manualSeed(0);
});

const looksOf = (events: readonly RunEvent[]): LayersEvent[] => events.filter((event) => event.event === 'layers');
const stepsOf = (events: readonly RunEvent[]): StepEvent[] => events.filter((event) => event.event === 'step');

test('statistics are those of the numbers, before the update', async () => {
  const model = new Sequential(new Linear(2, 3), new ReLU(), new Linear(3, 1), new Tanh());
  const [first] = model.layers;
  await first.weight.assign_(tensor([[1, 0], [0, 1], [-1, -1]])).data(); // prettier-ignore
  await first.bias?.assign_(tensor([0, 0, -9])).data();
  const optimizer = new SGD(model.parameters(), { lr: 0.1 });
  const probe = observe(model, optimizer);
  const x = tensor([[1, -1], [2, -3]]); // prettier-ignore
  mseLoss(model.forward(x), tensor([[1], [1]])).backward();
  const gradient = (await first.weight.grad?.keep().data()) ?? [];
  await optimizer.step();
  const [look] = looksOf(probe.events);
  expect(look.input).toEqual({ batch: 2, mean: -0.25, std: expect.closeTo(1.92, 2), min: -3, max: 2, notFinite: 0 });
  expect(look.targets).toMatchObject({ loss: 'mseLoss', mean: 1, std: 0, count: 2 });
  const relu = look.layers.find(({ kind }) => kind === 'ReLU');
  expect(relu).toMatchObject({ name: '1', zero: expect.closeTo(4 / 6), dead: expect.closeTo(2 / 3), notFinite: 0 });
  expect(relu?.mean).toBeCloseTo(0.5);
  const weight = look.parameters.find(({ name }) => name === '0.weight');
  expect(weight).toMatchObject({
    shape: [3, 2],
    norm: expect.closeTo(2),
    gradNorm: expect.closeTo(Math.hypot(...gradient)),
  });
  expect(weight?.updateRatio).toBeCloseTo((0.1 * Math.hypot(...gradient)) / 2);
  expect(look.layers.at(-1)?.saturated).toBe(0);
  expect(stepsOf(probe.events)[0]).toMatchObject({ step: 1, epoch: 1, lr: 0.1 });
});

test('goes without a trace, and only one may look at an optimiser', async () => {
  const model = new Sequential(new Linear(2, 2));
  const optimizer = new SGD(model.parameters(), { lr: 0.1 });
  const probe = observe(model, optimizer);
  expect(() => observe(model, optimizer)).toThrow(ArgumentError);
  expect(() => observe(model, new SGD(model.parameters()), { every: 0 })).toThrow('every is 0');
  expect(Object.keys(optimizer)).not.toContain('step');
  probe.close();
  expect(Object.hasOwn(optimizer, 'step')).toBe(false);
  expect(Object.hasOwn(model.layers[0], 'forward')).toBe(false);
  observe(model, optimizer).close();
});

test('watched or not, a training gives the same numbers', async () => {
  const train = async (isWatched: boolean): Promise<ArrayLike<number>> => {
    manualSeed(4);
    const model = new Sequential(new Linear(4, 8), new Tanh(), new Linear(8, 3));
    const optimizer = new SGD(model.parameters(), { lr: 0.1 });
    if (isWatched) observe(model, optimizer, { every: 2 });
    const x = randn([6, 4]);
    const y = tensor([0, 1, 2, 0, 1, 2], { dtype: 'int32' });
    for (let i = 0; i < 6; i++) {
      optimizer.zeroGrad();
      crossEntropy(model.forward(x), y).backward();
      await optimizer.step();
    }
    return model.layers[0].weight.data();
  };
  const [plain, watched] = [await train(false), await train(true)];
  for (let i = 0; i < plain.length; i++) expect(watched[i]).toBeCloseTo(plain[i], 6);
});

test('probe.compile captures steps, and looks into some of them', async () => {
  const model = new Sequential(new Linear(4, 8), new ReLU(), new Linear(8, 3));
  const optimizer = new SGD(model.parameters(), { lr: 0.1 });
  const probe = observe(model, optimizer, { every: 4 });
  const step = probe.compile(async (x: Tensor, y: Tensor<number[], 'int32'>) => {
    optimizer.zeroGrad();
    const loss = crossEntropy(model.forward(x as never), y);
    loss.backward();
    await optimizer.step();
    return loss;
  });
  const y = tensor([0, 1, 2, 0, 1, 2], { dtype: 'int32' }) as unknown as Tensor<number[], 'int32'>;
  for (let i = 0; i < 12; i++) await step(randn([6, 4]) as unknown as Tensor, y);
  await probe.epoch({ validation: { loss: 1 } });
  expect(stepsOf(probe.events).map((event) => event.step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  expect(stepsOf(probe.events).every(({ loss }) => loss > 0)).toBe(true);
  expect(looksOf(probe.events).map((event) => event.step)).toEqual([1, 2, 6, 11]);
  expect(probe.events.at(-1)).toMatchObject({ event: 'epoch', epoch: 1, step: 12, validation: { loss: 1 } });
});

test('looks do not keep step with epochs', () => {
  const due = Array.from({ length: 64 }, (_, i) => i + 1).filter((step) => isLookDue(step, 10));
  expect(due).toEqual([1, 2, 12, 23, 33, 44, 54]);
});
