// Modules as functions of their parameters: what is in their place, what stays, gradients of each sample, several models as one.
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  ArgumentError,
  type Tensor,
  disposeDevices,
  grad,
  manualSeed,
  randn,
  realize,
  setDevice,
  tensor,
  vmap,
} from '../index.js';
import { BatchNorm1d, Embedding, LSTM, Linear, Module, functionalCall, stackModuleState } from './index.js';

beforeAll(() => setDevice('reference'));
afterAll(() => disposeDevices());

type Named = Record<string, Tensor>;

async function worst(a: Tensor, b: Tensor): Promise<number> {
  await realize(a, b);
  const [x, y] = [await a.data(), await b.data()];
  expect(a.shape).toEqual(b.shape);
  return Math.max(...x.map((v, i) => Math.abs(v - y[i])));
}

test('other tensors are in the place of parameters for one call', async () => {
  const layer = new Linear(2, 1);
  const own = await layer.weight.array();
  const x: Tensor = tensor([[1, 2]]);
  const out = functionalCall(layer, { weight: tensor([[10, 100]]), bias: tensor([1]) }, x);
  expect(await out.array()).toEqual([[211]]);
  expect(await layer.weight.array()).toEqual(own);
  const gradient = grad((p: Named) => functionalCall(layer, p, x).sum())({ weight: tensor([[1, 1]]) as Tensor });
  expect(await gradient.weight.array()).toEqual([[1, 2]]);
  expect(layer.weight.grad).toBeUndefined();
});

test('a parameter under two names, and statistics that are written into what was given', async () => {
  class Tied extends Module {
    readonly table = new Embedding(3, 2);
    readonly head = new Linear(2, 3, { bias: false });
    constructor() {
      super();
      (this.head as { weight: unknown }).weight = this.table.weight;
    }
    forward(i: Tensor<[number], 'int32'>): Tensor {
      return this.head.forward(this.table.forward(i)) as Tensor;
    }
  }
  const given: Tensor = tensor([
    [1, 0],
    [0, 2],
    [1, 1],
  ]);
  const out = functionalCall(new Tied(), { 'table.weight': given }, tensor([1], { dtype: 'int32' }));
  expect(await out.array()).toEqual([[0, 4, 2]]);
  const norm = new BatchNorm1d(2, { momentum: 1 });
  const mean = tensor([0, 0]);
  functionalCall(
    norm,
    { running_mean: mean },
    tensor([
      [1, 2],
      [3, 6],
    ]),
  );
  expect([await mean.array(), await norm.runningMean?.array()]).toEqual([
    [2, 4],
    [0, 0],
  ]);
});

test('what does not fit', () => {
  const layer = new Linear(2, 1);
  const x = tensor([[1, 2]]);
  expect(() => functionalCall(layer, { scale: x }, x)).toThrow(
    new ArgumentError("functionalCall: Linear has no parameter or buffer 'scale'. There are weight, bias."),
  );
  expect(() => functionalCall(layer, { weight: tensor([1]) }, x)).toThrow(/'weight' is \[1\], the module's \[1, 2\]/);
  expect(() => functionalCall(layer, { bias: tensor([1], { dtype: 'int32' }) }, x)).toThrow(/'bias' is int32/);
  expect(() => functionalCall({} as never, {}, x)).toThrow(/is no module/);
  expect(() => stackModuleState([layer, new Linear(3, 1)])).toThrow(/model 1 has not the parameters/);
  expect(() => stackModuleState([])).toThrow(/there are no models/);
});

test('gradients of each sample through a recurrent layer', async () => {
  manualSeed(2);
  const layer = new LSTM(3, 4);
  const parameters: Named = Object.fromEntries(layer.namedParameters());
  const loss = (p: Named, x: Tensor) => functionalCall(layer, p, x)[0].square().sum() as Tensor;
  const x: Tensor = randn([2, 4, 1, 3]);
  const all = vmap(grad(loss), { inDims: [null, 0] })(parameters, x);
  const one = grad(loss)(parameters, x.select(0, 1) as Tensor);
  for (const name of Object.keys(parameters))
    expect(await worst(all[name].select(0, 1) as Tensor, one[name])).toBeLessThan(1e-9);
});

test('several models of one kind are one', async () => {
  manualSeed(3);
  const models = [new Linear(2, 3), new Linear(2, 3)];
  const { parameters, buffers } = stackModuleState(models);
  expect([Object.keys(parameters), Object.keys(buffers)]).toEqual([['weight', 'bias'], []]);
  const x: Tensor = randn([4, 2]);
  const run = (p: Named, v: Tensor) => functionalCall(models[0], p, v) as Tensor;
  const all = vmap(run, { inDims: [0, null] })(parameters, x);
  expect(await worst(all.select(0, 1) as Tensor, models[1].forward(x) as Tensor)).toBeLessThan(1e-9);
  all.sum().backward();
  expect(parameters.weight.grad?.shape).toEqual([2, 3, 2]);
  expect(models[0].weight.grad).toBeUndefined();
});
