// Two things at once: what one call records, and whether it wants gradients, is its own matter.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AsyncScope } from '../../src/engine/host/async-scope.js';
import { type Tensor, compile, disposeDevices, manualSeed, noGrad, ones, setDevice, tensor } from 'nabla';
import { BatchNorm1d, Linear, Parameter, Sequential, Tanh, mseLoss } from 'nabla/nn';
import { Adam, SGD } from 'nabla/optim';

const UNCHECKED = { check: false } as const;
const pause = (ms = 0): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A small training: its losses. `between` is awaited inside each step. */
async function train(
  seed: number,
  steps: number,
  isCompiled: boolean,
  between: () => Promise<void>,
): Promise<number[]> {
  manualSeed(seed);
  const net = new Sequential(new Linear(3, 4), new BatchNorm1d(4), new Tanh(), new Linear(4, 1));
  const optimizer =
    seed % 2 === 0 ? new Adam(net.parameters(), { lr: 0.05 }) : new SGD(net.parameters(), { lr: 0.05, momentum: 0.9 });
  await Promise.all([...net.parameters(), ...net.buffers()].map((p) => (p as Tensor).data())); // drawn now
  const body = async (x: Tensor, y: Tensor): Promise<Tensor> => {
    optimizer.zeroGrad();
    const loss = mseLoss(net.forward(x as Tensor<[4, 3]>), y) as Tensor;
    await between();
    loss.backward();
    await optimizer.step();
    return loss.detach().keep();
  };
  const step = isCompiled ? compile(body, UNCHECKED) : body;
  const losses: number[] = [];
  for (let i = 0; i < steps; i++) {
    const rows = Array.from({ length: 4 }, (_, r) => [r, i % 3, seed]);
    losses.push(await (await step(tensor(rows) as Tensor, ones([4, 1]) as Tensor)).item());
    await between();
  }
  for (const p of [...net.parameters(), ...net.buffers()]) losses.push(...(await (p as Tensor).data()));
  return losses;
}

describe.each(['reference', 'cpu'])('on %s', (device) => {
  beforeAll(() => setDevice(device));
  afterAll(() => disposeDevices());

  test.each([
    ['compiled', [true, true, true]],
    ['compiled beside plain', [true, false, true]],
  ] as const)('trainings at once give what they give alone: %s', async (_name, kinds) => {
    const alone: number[][] = [];
    for (const [i, isCompiled] of kinds.entries()) alone.push(await train(i, 6, isCompiled, async () => {}));
    const waits = [() => pause(), () => Promise.resolve(), () => pause(2)];
    const starts: Promise<number[]>[] = [];
    for (const [i, isCompiled] of kinds.entries()) starts.push(train(i, 6, isCompiled, waits[i]));
    const together = await Promise.all(starts);
    expect(together).toEqual(alone);
  });

  test('an update and a read beside a capture are not part of it', async () => {
    const [w, other] = [new Parameter(tensor([1])), new Parameter(tensor([1]))];
    const optimizer = new SGD([w], { lr: 0.1 });
    const beside = new SGD([other], { lr: 1 });
    let arrived = (): void => {};
    let goOn = (): void => {};
    const isThere = new Promise<void>((resolve) => (arrived = resolve));
    const mayGoOn = new Promise<void>((resolve) => (goOn = resolve));
    const step = compile(async (x: Tensor) => {
      optimizer.zeroGrad();
      const loss = w.mul(x).sum() as Tensor;
      loss.backward();
      arrived();
      await mayGoOn;
      await optimizer.step();
      return loss;
    }, UNCHECKED);
    const first = step(tensor([1]));
    await isThere;
    other.mul(2).sum().backward();
    await beside.step();
    expect(await tensor([5]).array()).toEqual([5]);
    expect(await other.array()).toEqual([-1]);
    goOn();
    expect(await (await first).item()).toBe(1);
    for (let i = 0; i < 3; i++) await step(tensor([1]));
    expect(await other.array()).toEqual([-1]);
    expect((await w.data())[0]).toBeCloseTo(0.6, 6);
  });

  test('noGrad is for its own body, however bodies overlap', async () => {
    const w = tensor([1], { requiresGrad: true });
    const flags: Record<string, boolean> = {};
    const note = (name: string): void => void (flags[name] = w.mul(2).requiresGrad);
    const a = noGrad(async () => {
      note('a, before');
      await pause(5);
      note('a, after');
    });
    const b = noGrad(async () => {
      await pause(10);
      note('b');
    });
    note('meanwhile');
    await pause(2);
    note('meanwhile, later');
    const c = noGrad(() => pause(1).then(() => note('c, without async')));
    await Promise.all([a, b, c]);
    note('at the end');
    expect(flags).toEqual({
      'a, before': false,
      'a, after': false,
      b: false,
      meanwhile: true,
      'meanwhile, later': true,
      'c, without async': false,
      'at the end': true,
    });
  });

  test('noGrad ends where its body throws or rejects', async () => {
    const w = tensor([1], { requiresGrad: true });
    expect(() =>
      noGrad(() => {
        throw new Error('x');
      }),
    ).toThrow('x');
    await expect(
      noGrad(async () => {
        await pause();
        throw new Error('y');
      }),
    ).rejects.toThrow('y');
    expect(w.mul(2).requiresGrad).toBe(true);
  });

  test('an error in a captured call leaves nothing behind', async () => {
    const w = new Parameter(tensor([1]));
    const step = compile(async (x: Tensor) => {
      const loss = w.mul(x).sum() as Tensor;
      await pause();
      if ((x.shape as readonly number[])[0] === 2) throw new Error('two');
      return loss;
    }, UNCHECKED);
    await expect(step(tensor([1, 2]))).rejects.toThrow('two');
    expect(await (await step(tensor([3]))).item()).toBe(3);
    expect(await (await step(tensor([4]))).item()).toBe(4);
  });
});

describe('AsyncScope', () => {
  test.each([true, false])('is over when the last body is, isExact: %s', async (isExact) => {
    const scope = new AsyncScope<{ n: number }>({ isExact });
    expect(scope.run({ n: 1 }, () => scope.run({ n: 2 }, () => scope.current()!.n))).toBe(2);
    expect(scope.current()).toBeUndefined();
    const a = scope.run({ n: 1 }, async () => (await pause(4), scope.current()!.n));
    const b = scope.run({ n: 2 }, async () => (await pause(2), scope.current()!.n));
    expect(await Promise.all([a, b])).toEqual([1, 2]);
    expect(scope.current()).toBeUndefined();
    expect(() =>
      scope.run({ n: 1 }, () => {
        throw new Error('x');
      }),
    ).toThrow('x');
    await expect(scope.run({ n: 1 }, () => Promise.reject(new Error('y')))).rejects.toThrow('y');
    expect(scope.current()).toBeUndefined();
  });
});
