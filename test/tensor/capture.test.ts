// A replay of a compiled function does what the function itself would do: captured and plain calls side by side, where
// something has changed between the calls.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  CaptureError,
  GradError,
  StaleTensorError,
  type Tensor,
  compile,
  disposeDevices,
  manualSeed,
  noGrad,
  ones,
  rand,
  scalarTensor,
  setDevice,
  tensor,
  zeros,
} from 'nabla';
import {
  BatchNorm1d,
  Dropout,
  Linear,
  Module,
  ModuleList,
  Parameter,
  ReLU,
  Sequential,
  Tanh,
  crossEntropy,
  mseLoss,
} from 'nabla/nn';
import { Adam, LRScheduler, SGD } from 'nabla/optim';

type Step = (...args: Tensor[]) => Tensor | Promise<Tensor>;

const UNCHECKED = { check: false } as const;

/** The same program with `compile` and without: what `scenario` writes down has to be equal. */
async function bothWays(
  scenario: (compiled: <F extends Step>(fn: F) => Step, log: (t: Tensor) => Promise<void>) => Promise<void>,
) {
  const run = async (compiled: <F extends Step>(fn: F) => Step): Promise<number[][]> => {
    manualSeed(7);
    const lines: number[][] = [];
    await scenario(compiled, async (t) => void lines.push([...(await t.data())]));
    return lines;
  };
  const plain = await run((fn) => fn);
  const captured = await run((fn) => compile(fn as never, UNCHECKED) as unknown as Step);
  expect(captured).toEqual(plain);
  return plain;
}

let warnings: string[] = [];
beforeEach(() => {
  warnings = [];
  vi.spyOn(console, 'warn').mockImplementation((text: string) => void warnings.push(text));
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

describe.each(['reference', 'cpu'])('on %s', (device) => {
  beforeAll(() => setDevice(device));
  afterAll(() => disposeDevices());

  describe('modes and state', () => {
    test('eval() ends dropout', async () => {
      const d = new Dropout(0.5);
      const f = compile((x: Tensor) => d.forward(x).mean() as Tensor, UNCHECKED);
      expect(await (await f(ones([1000]))).item()).not.toBe(1);
      d.eval();
      expect(await (await f(ones([1000]))).item()).toBe(1);
      d.train();
      expect(await (await f(ones([1000]))).item()).not.toBe(1);
      expect(f.captures).toBe(2);
    });

    test('statistics of batch normalisation rest after eval()', () =>
      bothWays(async (compiled, log) => {
        const norm = new BatchNorm1d(2);
        const f = compiled((x) => norm.forward(x as Tensor<[3, 2]>) as Tensor);
        const x = tensor([
          [1, 2],
          [3, 4],
          [5, 9],
        ]);
        for (const mode of [true, true, false, false, true]) {
          norm.train(mode);
          await log(await f(x));
          await log(norm.runningMean as Tensor);
        }
      }));

    test('a mode that the function itself sets', () =>
      bothWays(async (compiled, log) => {
        const d = new Dropout(0.5);
        const f = compiled((x) => {
          d.eval();
          return d.forward(x).add(0) as Tensor;
        });
        for (let i = 0; i < 4; i++) {
          d.train();
          await log(await f(ones([8])));
          expect(d.training).toBe(false);
        }
      }));

    test('freezing and unfreezing, also in the middle of a network', () =>
      bothWays(async (compiled, log) => {
        const net = new Sequential(new Linear(2, 3), new Tanh(), new Linear(3, 2));
        const optimizer = new SGD(net.parameters(), { lr: 0.1 });
        const step = compiled(async (x) => {
          optimizer.zeroGrad();
          const loss = net
            .forward(x as Tensor<[1, 2]>)
            .square()
            .mean() as Tensor;
          loss.backward();
          await optimizer.step();
          return loss;
        });
        for (const isFrozen of [false, false, true, true, false]) {
          net.layers[0].requiresGrad_(!isFrozen);
          await log(await step(tensor([[1, 2]]) as Tensor));
          for (const p of net.parameters()) await log(p as Tensor);
        }
      }));

    test('options and groups of an optimiser', () =>
      bothWays(async (compiled, log) => {
        const [a, b] = [new Linear(2, 2), new Linear(2, 2)];
        const optimizer = new SGD(a.parameters(), { lr: 0.1 });
        const step = compiled(async (x) => {
          optimizer.zeroGrad();
          const loss = b
            .forward(a.forward(x as Tensor<[1, 2]>))
            .square()
            .sum() as Tensor;
          loss.backward();
          await optimizer.step();
          return loss;
        });
        const changes = [
          () => {},
          () => (optimizer.groups[0].lr = 0.01),
          () => (optimizer.groups[0].weightDecay = 0.5),
          () => (optimizer.groups[0].momentum = 0.9),
          () => optimizer.addParamGroup({ params: b.parameters() as Tensor[], lr: 0.02 }),
          () => (optimizer.groups[1].nesterov = false),
        ];
        for (const change of changes) {
          change();
          for (let i = 0; i < 2; i++) await log(await step(tensor([[1, 2]]) as Tensor));
          for (const p of [...a.parameters(), ...b.parameters()]) await log(p as Tensor);
        }
      }));

    test("fields, of layers and of modules of one's own, in lists and records", () =>
      bothWays(async (compiled, log) => {
        class Own extends Module {
          factor = 2;
          readonly settings = { shift: 1 };
          readonly parts = [new Tanh() as Tanh | ReLU];
          readonly dropout = new Dropout(0);
          forward(x: Tensor): Tensor {
            let y = x.mul(this.factor).add(this.settings.shift) as Tensor;
            for (const part of this.parts) y = part.forward(y) as Tensor;
            return this.dropout.forward(y) as Tensor;
          }
        }
        const own = new Own();
        const f = compiled((x) => own.forward(x));
        const changes = [
          () => {},
          () => (own.factor = 3),
          () => (own.settings.shift = 5),
          () => void own.parts.push(new ReLU()),
          () => (own.parts[0] = new ReLU()),
          () => ((own.dropout as { p: number }).p = 1),
        ];
        for (const change of changes) {
          change();
          for (let i = 0; i < 2; i++) await log(await f(tensor([0.1, -0.2])));
        }
      }));

    test('a module without layers and parameters is known by its mode, one with parameters by them', () =>
      bothWays(async (compiled, log) => {
        class Noise extends Module {
          level = 1;
          forward(x: Tensor): Tensor {
            return (this.training ? x.add(rand([2])).mul(this.level) : x.mul(1)) as Tensor;
          }
        }
        class Scale extends Module {
          readonly weight = new Parameter(ones([2]));
          power = 1;
          forward(x: Tensor): Tensor {
            return x.mul(this.weight).pow(this.power) as Tensor;
          }
        }
        const [noise, scale] = [new Noise(), new Scale()];
        const f = compiled((x) => scale.forward(noise.forward(x)));
        for (const change of [() => {}, () => (noise.level = 3), () => (scale.power = 2), () => noise.eval()]) {
          change();
          for (let i = 0; i < 2; i++) await log(await f(tensor([1, 2])));
        }
      }));

    test('a field that the call itself changes is never replayed', async () => {
      class Counter extends Module {
        readonly inner = new ReLU();
        count = 0;
        forward(x: Tensor): Tensor {
          this.count++;
          return this.inner.forward(x).mul(this.count) as Tensor;
        }
      }
      const counter = new Counter();
      const f = compile((x: Tensor) => counter.forward(x), UNCHECKED);
      for (let i = 1; i <= 4; i++) expect(await (await f(tensor([10]))).item()).toBe(10 * i);
    });

    test('a module list that grows, a parameter that is replaced', () =>
      bothWays(async (compiled, log) => {
        const list = new ModuleList([new Linear(2, 2)]);
        const f = compiled((x) => {
          let y = x;
          for (const part of list) y = part.forward(y as Tensor<[1, 2]>) as Tensor;
          return y;
        });
        await log(await f(tensor([[1, 2]]) as Tensor));
        list.append(new Linear(2, 2));
        await log(await f(tensor([[1, 2]]) as Tensor));
        (list.at(0) as { bias: unknown }).bias = new Parameter(tensor([7, 8]));
        await log(await f(tensor([[1, 2]]) as Tensor));
      }));

    test('hooks are called in each call', async () => {
      const layer = new Linear(2, 2);
      const f = compile((x: Tensor) => layer.forward(x as Tensor<[1, 2]>) as Tensor, UNCHECKED);
      const x = tensor([[1, 2]]) as Tensor;
      await f(x);
      let calls = 0;
      const handle = layer.registerForwardHook(() => void calls++);
      for (let i = 0; i < 3; i++) await f(x);
      expect(calls).toBe(3);
      handle.remove();
      for (let i = 0; i < 3; i++) await f(x);
      expect(calls).toBe(3);
    });

    test('gradient mode', async () => {
      const w = tensor([2], { requiresGrad: true });
      const f = compile((x: Tensor) => {
        const y = x.mul(w).sum() as Tensor;
        if (y.requiresGrad) y.backward();
        return y;
      }, UNCHECKED);
      for (const on of [true, false, true]) {
        w.grad = undefined;
        await (on ? f(tensor([3])) : noGrad(async () => await f(tensor([3]))));
        expect(w.grad === undefined).toBe(!on);
      }
    });

    test('schedulers and seeds inside move on', () =>
      bothWays(async (compiled, log) => {
        const w = new Parameter(tensor([1]));
        const optimizer = new Adam([w], { lr: 1 });
        const scheduler = new LRScheduler(optimizer, (step) => 0.5 ** step);
        const step = compiled(async (x) => {
          optimizer.zeroGrad();
          const loss = w.mul(x).sum() as Tensor;
          loss.backward();
          await optimizer.step();
          scheduler.step();
          manualSeed(3);
          return loss.add(rand([])) as Tensor;
        });
        for (let i = 0; i < 4; i++) await log(await step(tensor([1])));
        await log(rand([2]));
      }));
  });

  describe('numbers and tensors from outside', () => {
    test('a number argument is a number', async () => {
      const f = compile((x: Tensor, k: number) => (k > 0.5 ? x.mul(k * 2) : x.neg()) as Tensor, UNCHECKED);
      for (const k of [1, 0.2, 3, 1, -0, 0]) {
        expect(await (await f(tensor([1]), k)).item()).toBe(k > 0.5 ? k * 2 : -1);
      }
    });

    test('a variable that has changed is named at the first replay, and the result is right', async () => {
      let k = 1;
      const f = compile((x: Tensor) => x.mul(k) as Tensor);
      expect(await (await f(tensor([1]))).item()).toBe(1);
      k = 5;
      expect(await (await f(tensor([1]))).item()).toBe(5);
      expect(warnings).toHaveLength(1);
      expect(warnings[0]).toMatch(/computes something else|a number that it reads from outside was/);
      k = 6;
      expect(await (await f(tensor([1]))).item()).toBe(6);
      expect(warnings).toHaveLength(1);
    });

    test.each([
      ['a number', 'a number that it reads from outside was 2 and is 3 now'],
      ['a tensor', 'that it reads from outside is another one now'],
      ['an array', 'that it makes from numbers of JavaScript has other numbers now'],
      ['a branch', 'it computes something else now'],
    ])('with check: true %s that has changed is an error', async (what, text) => {
      let [k, t, list, isOn] = [2, tensor([1, 2]), [1, 2], true];
      const f = compile(
        (x: Tensor) => {
          if (what === 'a number') return x.mul(k) as Tensor;
          if (what === 'a tensor') return x.mul(t) as Tensor;
          if (what === 'an array') return x.mul(tensor(list)) as Tensor;
          return (isOn ? x.sin() : x.cos()) as Tensor;
        },
        { check: true },
      );
      for (let i = 0; i < 3; i++) await f(tensor([1, 2]));
      [k, t, list, isOn] = [3, tensor([1, 2]), [1, 3], false];
      await expect(f(tensor([1, 2]))).rejects.toThrow(text);
      await expect(f(tensor([1, 2]))).resolves.toBeDefined(); // runs itself from now on
    });

    test('NABLA_CHECK_CAPTURE checks all, and other values are refused', async () => {
      let k = 2;
      vi.stubEnv('NABLA_CHECK_CAPTURE', '1');
      const f = compile((x: Tensor) => x.mul(k) as Tensor);
      await f(tensor([1]));
      for (let i = 0; i < 3; i++) await f(tensor([1]));
      k = 3;
      await expect(f(tensor([1]))).rejects.toThrow(CaptureError);
      vi.stubEnv('NABLA_CHECK_CAPTURE', 'yes');
      expect(() => compile((x: Tensor) => x.mul(k) as Tensor)).toThrow("NABLA_CHECK_CAPTURE is 'yes'");
    });

    test('scalarTensor is the way in', async () => {
      let beta = 1;
      const f = compile((x: Tensor) => x.mul(scalarTensor(() => beta)) as Tensor, { check: true });
      for (const value of [1, 2, 3, 0, -1]) {
        beta = value;
        expect(await (await f(tensor([2]))).item()).toBe(2 * value);
      }
    });

    test('random numbers, optimisers and schedules are no difference', async () => {
      const net = new Sequential(new Linear(2, 4), new Dropout(0.5), new Linear(4, 2));
      const optimizer = new Adam(net.parameters(), { lr: 0.01, weightDecay: 0.1 });
      const step = compile(
        async (x: Tensor) => {
          optimizer.zeroGrad();
          const loss = net
            .forward(x as Tensor<[1, 2]>)
            .square()
            .mean() as Tensor;
          loss.backward();
          await optimizer.step();
          return loss;
        },
        { check: true },
      );
      for (let i = 0; i < 8; i++) {
        optimizer.groups[0].lr *= 0.9;
        await step(tensor([[1, 2]]) as Tensor);
      }
      expect(step.captures).toBe(1);
    });
  });

  describe('aliases', () => {
    test('arguments that are one tensor at the first call', async () => {
      const f = compile((x: Tensor, y: Tensor) => x.mul(10).sub(y) as Tensor, UNCHECKED);
      const a = tensor([2]);
      expect(await (await f(a, a)).item()).toBe(18);
      expect(await (await f(tensor([5]), tensor([1]))).item()).toBe(49);
      expect(f.captures).toBe(1);
    });

    test('equal expressions are two arguments', async () => {
      const f = compile((h: Tensor, c: Tensor) => h.mul(10).sub(c) as Tensor, UNCHECKED);
      await f(zeros([1, 3]) as Tensor, zeros([1, 3]) as Tensor);
      expect(await (await f(ones([1, 3]) as Tensor, zeros([1, 3]) as Tensor)).data()).toEqual(
        await tensor([10, 10, 10]).data(),
      );
    });

    test('an argument that the closure also reads', () =>
      bothWays(async (compiled, log) => {
        const t = tensor([3]);
        const f = compiled((x) => x.mul(10).add(t) as Tensor);
        for (const x of [t, tensor([1]), t]) await log(await f(x));
      }));

    test('an argument that is the state being updated', () =>
      bothWays(async (compiled, log) => {
        const state = tensor([1]);
        const f = compiled((x) => {
          const next = x.mul(2).add(state) as Tensor;
          state.assign_(next);
          return next.add(x) as Tensor;
        });
        for (const x of [state, tensor([5]), state, state, tensor([1])]) {
          await log(await f(x));
          await log(state);
        }
      }));
  });

  describe('one tensor under several names', () => {
    const parameter = (): Tensor => tensor([2], { requiresGrad: true });

    test.each<[string, (p: Tensor, x: Tensor, y: Tensor) => Tensor]>([
      ['twice an argument', (_, x, y) => x.mul(y).sum() as Tensor],
      ['an argument and in the closure', (p, x) => x.mul(p).sum() as Tensor],
      ['of both names in a sum', (p, x) => x.mul(3).add(p.mul(4)).sum() as Tensor],
    ])('gradients are added up: %s', async (_, loss) => {
      await bothWays(async (compiled, log) => {
        const p = parameter();
        const f = compiled((x, y) => {
          const result = loss(p, x, y);
          result.backward();
          return result;
        });
        for (let i = 0; i < 3; i++) {
          await log(await f(p, p));
          await log(p.grad as unknown as Tensor);
        }
      });
    });

    test('a gradient that the closure forgets or returns', () =>
      bothWays(async (compiled, log) => {
        const p = parameter();
        const f = compiled((x) => {
          p.grad = undefined;
          x.square().sum().backward();
          return (p.grad as Tensor | undefined) ?? zeros([1]);
        });
        for (let i = 0; i < 3; i++) await log(await f(p));
      }));

    test('a parameter that is trained is an argument', () =>
      bothWays(async (compiled, log) => {
        const p = parameter();
        const optimizer = new SGD([p], { lr: 0.1 });
        const f = compiled(async (x) => {
          optimizer.zeroGrad();
          const loss = x.square().sum() as Tensor;
          loss.backward();
          await optimizer.step();
          return loss;
        });
        for (let i = 0; i < 4; i++) await log(await f(p));
        await log(p);
      }));

    test('an argument that is overwritten is overwritten under all names', () =>
      bothWays(async (compiled, log) => {
        const [a, c] = [tensor([1]), tensor([5])];
        const f = compiled((x, y) => {
          x.assign_(x.add(1));
          return y.add(a) as Tensor;
        });
        for (const [x, y] of [
          [a, a],
          [a, c],
          [c, a],
          [c, c],
          [a, a],
        ]) {
          await log(await f(x, y));
          await log(a);
          await log(c);
        }
      }));

    test('a gradient that is an argument', () =>
      bothWays(async (compiled, log) => {
        const p = parameter();
        const products = compiled((x) => {
          p.grad = undefined;
          const loss = p.mul(x).sum() as Tensor;
          loss.backward();
          return loss;
        });
        const given = compiled((x) => {
          p.grad = x as never;
          return x.add(0) as Tensor;
        });
        for (const f of [products, given]) {
          for (let i = 1; i <= 5; i++) {
            await log(await f(tensor([i])));
            await log(p.grad as unknown as Tensor);
          }
        }
      }));
  });

  test('a module with neither tensors nor modules', () =>
    bothWays(async (compiled, log) => {
      class Focal extends Module {
        gamma = 1;
        forward(x: Tensor): Tensor {
          return x.pow(this.gamma) as Tensor;
        }
      }
      class Outer extends Module {
        readonly inner = new Focal();
      }
      const [focal, outer, layer] = [new Focal(), new Outer(), new Linear(1, 1)];
      const f = compiled((x) => outer.inner.forward(focal.forward(layer.forward(x as Tensor<[1, 1]>).abs() as Tensor)));
      for (const change of [() => {}, () => (focal.gamma = 2), () => (outer.inner.gamma = 3)]) {
        change();
        for (let i = 0; i < 2; i++) await log(await f(tensor([[3]]) as Tensor));
      }
    }));

  test('an option that the step itself changes', () =>
    bothWays(async (compiled, log) => {
      const w = new Parameter(tensor([1]));
      const optimizer = new SGD([w], { lr: 0.1 });
      const step = compiled(async (x) => {
        optimizer.zeroGrad();
        const loss = w.mul(x).sum() as Tensor;
        loss.backward();
        await optimizer.step();
        optimizer.groups[0].lr *= 0.5;
        return loss;
      });
      for (let i = 0; i < 6; i++) {
        await log(await step(tensor([1])));
        await log(tensor([optimizer.groups[0].lr]));
      }
    }));

  test('softmax of one number', async () => {
    expect(await tensor(5).softmax(0).item()).toBe(1);
    expect(await tensor(5).logSoftmax(-1).item()).toBe(0);
  });

  describe('results and gradients', () => {
    test('a parameter that is returned is the parameter', async () => {
      const w = new Parameter(tensor([1, 2]));
      const f = compile((x: Tensor) => ({ w: w as Tensor, y: x.mul(w) as Tensor, x }), UNCHECKED);
      for (let i = 0; i < 3; i++) {
        const x = tensor([1, 1]);
        const out = await f(x);
        expect(out.w).toBe(w);
        expect(out.x).toBe(x);
        expect(out.w.requiresGrad).toBe(true);
      }
    });

    test('gradients that are left, added to, and read', () =>
      bothWays(async (compiled, log) => {
        const w = new Parameter(tensor([1, 2]));
        const f = compiled((x) => {
          const loss = x.mul(w).square().sum() as Tensor;
          loss.backward();
          return loss;
        });
        for (const reset of [true, true, false, false, true]) {
          if (reset) w.grad = undefined;
          await log(await f(tensor([3, 4])));
          await log(w.grad as unknown as Tensor);
        }
      }));

    test('gradients that are cleared inside and set outside', () =>
      bothWays(async (compiled, log) => {
        const w = new Parameter(tensor([1, 2]));
        const clear = compiled((x) => {
          w.grad = undefined;
          return x.add(1) as Tensor;
        });
        for (let i = 0; i < 3; i++) {
          await log(await clear(tensor([i])));
          await log((w.grad as Tensor | undefined) ?? tensor([-1]));
          w.grad = tensor([i, 5]) as never;
        }
      }));

    test('an optimiser outside of the captured part', () =>
      bothWays(async (compiled, log) => {
        const w = new Parameter(tensor([1, 2]));
        const optimizer = new SGD([w], { lr: 0.1 });
        const gradients = compiled((x) => {
          optimizer.zeroGrad();
          const loss = x.mul(w).square().sum() as Tensor;
          loss.backward();
          return loss;
        });
        const update = compiled(async () => {
          await optimizer.step();
          return w as Tensor;
        });
        for (let i = 0; i < 4; i++) {
          await log(await gradients(tensor([3, i])));
          await log(await update());
        }
      }));

    test('gradients of arguments', () =>
      bothWays(async (compiled, log) => {
        const f = compiled((x) => {
          const loss = x.square().sum() as Tensor;
          loss.backward();
          return loss;
        });
        for (let i = 0; i < 3; i++) {
          const x = tensor([1, i], { requiresGrad: true });
          for (let j = 0; j < 2; j++) await log(await f(x));
          await log(x.grad as unknown as Tensor);
        }
      }));

    test('a gradient that would have to go on beyond an argument is an error', async () => {
      const w = tensor([2], { requiresGrad: true });
      const f = compile((x: Tensor) => {
        const loss = x.square().sum() as Tensor;
        loss.backward();
        return loss;
      });
      await expect(f(w.mul(3) as Tensor)).rejects.toThrow(/a gradient reaches argument 0/);
    });

    test('gradients from before an update are not read afterwards', async () => {
      const w = new Parameter(tensor([1, 2]));
      const optimizer = new SGD([w], { lr: 0.1 });
      const step = compile(async (x: Tensor) => {
        optimizer.zeroGrad();
        const loss = x.mul(w).square().sum() as Tensor;
        loss.backward();
        await optimizer.step();
        return loss;
      }, UNCHECKED);
      for (let i = 0; i < 3; i++) {
        await step(tensor([3, 4]));
        await expect((w.grad as unknown as Tensor).data()).rejects.toThrow(StaleTensorError);
      }
    });

    test('no gradient flows through results, in the first call as in later ones', async () => {
      const w = new Parameter(tensor([1, 2]));
      const f = compile((x: Tensor) => x.mul(w).sum() as Tensor);
      for (let i = 0; i < 3; i++) {
        const loss = await f(tensor([1, 1]));
        expect(() => loss.backward()).toThrow(GradError);
      }
    });

    test('what the function left in a variable is not read after a replay', async () => {
      let kept: Tensor | undefined;
      let computed: Tensor | undefined;
      const f = compile((x: Tensor) => {
        kept ??= x.mul(2).keep() as Tensor;
        computed ??= x.mul(3) as Tensor;
        return x.sum() as Tensor;
      }, UNCHECKED);
      await f(tensor([1]));
      expect(await kept!.item()).toBe(2);
      await f(tensor([5]));
      await expect(kept!.item()).rejects.toThrow(/Return it from the function/);
      await expect(computed!.item()).rejects.toThrow(StaleTensorError);
    });

    test('a tensor made inside is a new one for each call', () =>
      bothWays(async (compiled, log) => {
        const f = compiled(() => tensor([1, 2]));
        for (let i = 0; i < 3; i++) {
          const t = await f();
          await log(t);
          t.assign_(t.mul(5));
          await log(t);
        }
      }));
  });

  test('a Map is no record of tensors', async () => {
    await expect(compile(() => new Map([['a', tensor([1])]]) as never)()).rejects.toThrow(/returned something other/);
  });

  test('captures are bounded', async () => {
    const f = compile((x: Tensor, k: number) => x.mul(k) as Tensor, UNCHECKED);
    for (let k = 0; k < 300; k++) await f(tensor([1]), k + 0.5);
    expect(f.captures).toBe(300);
    expect(await (await f(tensor([2]), 7.5)).item()).toBe(15);
  });

  test('a step with labels', () =>
    bothWays(async (compiled, log) => {
      const net = new Linear(2, 3);
      const f = compiled((x) => {
        const y = tensor(Int32Array.of(0, 2));
        return crossEntropy(net.forward(x as Tensor<[2, 2]>), y) as Tensor;
      });
      for (let i = 0; i < 3; i++) await log(await f(rand([2, 2]) as Tensor));
      await log(mseLoss(tensor([1]), tensor([2])) as Tensor);
    }));
});
