// Two copies of the package in one process, as two versions or two bundles are: each works, and what belongs to one is named when it is
// given to the other, at the call or, where only the graph shows it, at the read.
import { beforeAll, expect, test, vi } from 'vitest';
import type * as nabla from 'nabla';
import type * as nn from 'nabla/nn';
import { Tensor, compile, disposeDevices, stack, tensor, where } from 'nabla';
import { Linear, Module, ModuleDict, ModuleList, Sequential, mseLoss } from 'nabla/nn';
import { SGD } from 'nabla/optim';

let other: typeof nabla & typeof nn;

beforeAll(async () => {
  vi.resetModules();
  other = { ...(await import('nabla')), ...(await import('nabla/nn')) };
  expect(foreign()).not.toBeInstanceOf(Tensor);
});

const own = () => tensor([1, 2, 3]);
const foreign = () => other.tensor([1, 2, 3]) as unknown as ReturnType<typeof own>;
const MESSAGE =
  /^[\w.]+: .* belongs to another copy of nabla that is loaded in this process.*\. Load one copy only \('npm ls nabla'/;

class Holder extends Module {
  readonly inner: unknown;
  constructor(inner: unknown) {
    super();
    this.inner = inner;
  }
  forward(x: unknown) {
    return x;
  }
}

const cases: Record<string, () => unknown> = {
  'a.add(b)': () => own().add(foreign()).array(),
  'b.add(a)': () => foreign().add(own()).array(),
  'a.matmul(b)': () => own().matmul(foreign()).array(),
  where: () => where(own().gt(2), own(), foreign()).array(),
  stack: () => stack([own(), foreign()]).array(),
  'a.gather(b)': () =>
    own()
      .gather(0, other.tensor([0, 1], { dtype: 'int32' }) as never)
      .array(),
  'tensor(b)': () => tensor(foreign() as never),
  'tensor([b])': () => tensor([foreign()] as never),
  'assign_(b)': async () => {
    const target = own();
    await target.assign_(foreign());
    return target.array();
  },
  'a computed tensor': () => own().matmul(foreign().mul(2)).array(),
  'compile, an argument': () => compile((x: ReturnType<typeof own>) => x.mul(2))(foreign()),
  'compile, the result': () => compile((_: ReturnType<typeof own>) => foreign())(own()),
  'compile, a part of the result': () => compile((x: ReturnType<typeof own>) => ({ y: x.mul(2), b: foreign() }))(own()),
  'a layer': () => new Linear(3, 2).forward(foreign()).array(),
  'a loss': () => mseLoss(own(), foreign()).item(),
  Sequential: () => new Sequential(new Linear(3, 2), new other.ReLU() as never),
  ModuleList: () => new ModuleList([new other.Linear(3, 2)] as never),
  ModuleDict: () => new ModuleDict({ a: new other.Linear(3, 2) } as never),
  'parameters() of a module in a field': () => new Holder(new other.Linear(3, 2)).parameters(),
  'parameters() of a module in an array': () => new Holder([new other.Linear(3, 2)]).parameters(),
  'parameters() of a tensor in a field': () => new Holder(new other.Linear(3, 2).weight).stateDict(),
  'an optimiser': () => new SGD(new other.Linear(3, 2).parameters() as never, { lr: 0.1 }),
  loadStateDict: async () => {
    const layer = new Linear(3, 2);
    layer.loadStateDict(new other.Linear(3, 2).stateDict() as never);
    return layer.weight.array();
  },
};

test.each(Object.entries(cases))('%s', async (_, work) => {
  await expect(
    (async () => {
      await work();
    })(),
  ).rejects.toThrow(MESSAGE);
});

test('each copy works by itself, before and after', async () => {
  expect(await own().add(own()).array()).toEqual([2, 4, 6]);
  expect(await other.tensor([1, 2]).mul(3).array()).toEqual([3, 6]);
});

test('a tensor whose device is gone is still told apart from one of another copy', async () => {
  const [mine, theirs] = [own(), foreign()];
  await disposeDevices();
  await expect(mine.mul(2).array()).rejects.toThrow(/went with its device when the devices were disposed of/);
  expect(() => own().matmul(theirs)).toThrow(MESSAGE);
  await other.disposeDevices();
});
