// What a capture costs in modules that are looked at, and that it still sees what has changed in those that it uses.
import { describe, expect, test } from 'vitest';
import { type Tensor, compile, ones, tensor } from '../index.js';
import { minimize } from '../optim/index.js';
import { Linear, Module, Parameter, ReLU, Sequential } from './index.js';
import { moduleLooks } from './module-guards.js';

const UNCHECKED = { check: false } as const;

async function looksOf(body: () => unknown): Promise<number> {
  const before = moduleLooks();
  await body();
  return moduleLooks() - before;
}

describe('what a capture looks at', () => {
  const crowd: Module[] = [];
  /** All that is there has been looked at. */
  const settle = (): Promise<Tensor> => compile((x: Tensor) => x.add(1) as Tensor, UNCHECKED)(tensor([1]));
  const makeCrowd = (): void => {
    for (let i = 0; i < 500; i++) crowd.push(new Sequential(new Linear(2, 2), new ReLU()));
    for (let i = 0; i < 500; i++) void new Linear(2, 2); // garbage
  };

  test('each new module once', async () => {
    await settle();
    makeCrowd();
    expect(await looksOf(settle)).toBe(2000);
    expect(await looksOf(settle)).toBe(0);
  });

  test('none, where none is used', async () => {
    makeCrowd();
    await settle();
    const factor = tensor([2]);
    expect(await looksOf(() => compile((x: Tensor) => x.mul(factor) as Tensor, UNCHECKED)(tensor([1])))).toBe(0);
    expect(await looksOf(() => minimize((x) => x.sub(3).square().sum(), [0]))).toBe(0);
  });

  test('those that are used, however many there are', async () => {
    const model = new Sequential(new Linear(2, 2), new ReLU(), new Linear(2, 1));
    const capture = () => compile((x: Tensor<[1, 2]>) => model.forward(x), UNCHECKED)(tensor([[1, 2]]));
    await capture();
    const few = await looksOf(capture);
    makeCrowd();
    await settle();
    expect(await looksOf(capture)).toBe(few);
    expect(few).toBe(4);
  });
});

describe('what a capture sees', () => {
  class Scaled extends Module {
    factor = 1;
    readonly relu = new ReLU();
    forward(x: Tensor): Tensor {
      return this.relu.forward(x).mul(this.factor) as Tensor;
    }
  }
  const see = async (f: (x: Tensor) => Promise<Tensor>): Promise<number> => (await f(tensor([1]))).item();

  test('a change between two functions', async () => {
    const model = new Scaled();
    const [f, g] = [1, 2].map(() => compile((x: Tensor) => model.forward(x), UNCHECKED));
    expect(await see(f)).toBe(1);
    model.factor = 5;
    for (let i = 0; i < 4; i++) expect(await see(g)).toBe(5);
    expect(g.captures).toBe(2); // the first call may have been what changed it
    model.factor = 7;
    for (let i = 0; i < 4; i++) expect(await see(f)).toBe(7);
    expect(f.captures).toBe(2); // its guards have seen the change before the call
  });

  test('a change by the call, before it uses the module', async () => {
    const model = new Scaled();
    const f = compile((x: Tensor) => {
      model.factor++;
      return model.forward(x);
    }, UNCHECKED);
    for (let i = 2; i < 6; i++) expect(await see(f)).toBe(i);
    const g = compile((x: Tensor) => model.forward(x), UNCHECKED);
    for (let i = 0; i < 3; i++) expect(await see(g)).toBe(5);
    for (let i = 6; i < 9; i++) expect(await see(f)).toBe(i);
  });

  test('a parameter that has come into a module later, of a module that is not called', async () => {
    const model = new Linear(1, 1);
    await compile((x: Tensor) => x.add(1) as Tensor, UNCHECKED)(tensor([1]));
    const replace = (value: number): void => {
      (model as { weight: unknown }).weight = new Parameter(tensor([[value]]));
    };
    replace(3);
    const f = compile((x: Tensor) => x.mul(model.weight).sum() as Tensor, UNCHECKED);
    for (let i = 0; i < 3; i++) expect(await see(f)).toBe(3);
    replace(4);
    for (let i = 0; i < 3; i++) expect(await see(f)).toBe(4);
  });

  test('a parameter of a module that has come into another later', async () => {
    class Holder extends Module {
      inner = new Linear(1, 1);
    }
    const holder = new Holder();
    await compile((x: Tensor) => x.add(1) as Tensor, UNCHECKED)(tensor([1]));
    const f = compile((x: Tensor) => x.mul(holder.inner.weight).sum() as Tensor, UNCHECKED);
    for (const value of [3, 4, 5]) {
      const inner = new Linear(1, 1);
      inner.weight.assign_(tensor([[value]]));
      holder.inner = inner;
      for (let i = 0; i < 3; i++) expect(await see(f)).toBe(value);
    }
  });

  test('settings that nobody calls', async () => {
    class Settings extends Module {
      factor = 2;
    }
    class Power extends Module {
      exponent = 2;
      forward(x: Tensor): Tensor {
        return x.add(1).pow(this.exponent) as Tensor;
      }
      inverse(x: Tensor): Tensor {
        return x.pow(1 / this.exponent).sub(1) as Tensor;
      }
    }
    const [settings, power] = [new Settings(), new Power()];
    const f = compile((x: Tensor) => power.inverse(x.mul(settings.factor).mul(2) as Tensor), UNCHECKED);
    for (let i = 0; i < 3; i++) expect(await see(f)).toBe(1);
    settings.factor = 8;
    for (let i = 0; i < 3; i++) expect(await see(f)).toBe(3);
    power.exponent = 4;
    for (let i = 0; i < 3; i++) expect(await see(f)).toBe(1);
  });

  test('a conversion', async () => {
    const model = new Linear(1, 1, { bias: false });
    model.weight.assign_(ones([1, 1]));
    const f = compile((x: Tensor<[1, 1]>) => model.forward(x), UNCHECKED);
    await f(ones([1, 1]));
    model.to('float64');
    const g = compile(() => model.weight.mul(2) as Tensor, UNCHECKED);
    for (let i = 0; i < 3; i++) expect((await g()).dtype).toBe('float64');
    expect(g.captures).toBe(1);
  });
});
