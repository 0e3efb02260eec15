// What can be done to a module from outside: hooks, apply, frozen parts, its summary and receptive field.
import { beforeEach, describe, expect, test } from 'vitest';
import { ArgumentError, type Tensor, getRandomState, manualSeed, randn, setDevice, tensor, zeros } from '../index.js';
import { expectNear } from '../../test/support/pytorch.js';
import * as nn from './index.js';

beforeEach(() => {
  setDevice('reference');
  manualSeed(7);
});

const numbers = async (t: unknown): Promise<number[]> => [...(await (t as Tensor).data())];

describe('hooks', () => {
  test('see what goes in and out, in order, and can change it', async () => {
    const layer = new nn.Linear(2, 2);
    const seen: string[] = [];
    const first = layer.registerForwardPreHook((module, [x]) => {
      seen.push(`before ${module.constructor.name}`);
      return [(x as Tensor).mul(2)];
    });
    const second = layer.registerForwardHook((_module, [x], y) => {
      seen.push(`after ${(x as Tensor).shape.join()} → ${(y as Tensor).shape.join()}`);
      return (y as Tensor).neg();
    });
    const x = randn([3, 2]);
    const changed = await numbers(new nn.Sequential(layer).forward(x));
    expect(seen).toEqual(['before Linear', 'after 3,2 → 3,2']);
    first.remove();
    second.remove();
    expect(Object.hasOwn(layer, 'forward')).toBe(false);
    const plain = await numbers(layer.forward(x.mul(2)).neg());
    expectNear(changed, plain, 'changed', 1e-12);
    expect(seen).toHaveLength(2);
  });

  test('are neither state nor copied', async () => {
    const layer = new nn.Linear(2, 2);
    let calls = 0;
    layer.registerForwardHook(() => void calls++);
    expect(Object.keys(layer.stateDict())).toEqual(['weight', 'bias']);
    const copy = nn.deepCopy(layer);
    copy.forward(zeros([1, 2]));
    expect(calls).toBe(0);
    layer.forward(zeros([1, 2]));
    expect(calls).toBe(1);
  });

  test('a backward hook sees the gradients on both sides, and can change what goes on', async () => {
    const [layer, twin] = [new nn.Linear(3, 2), new nn.Linear(3, 2)];
    twin.loadStateDict(layer.stateDict());
    const values = randn([4, 3]);
    await values.data();
    const x = tensor((await values.array()) as number[][], { requiresGrad: true }) as unknown as Tensor;
    const z = tensor((await values.array()) as number[][], { requiresGrad: true }) as unknown as Tensor;
    let [into, out]: (Tensor | undefined)[] = [];
    const handle = layer.registerFullBackwardHook((module, gradInputs, gradOutputs) => {
      expect(module).toBe(layer);
      [into, out] = [gradInputs[0], gradOutputs[0]];
      return gradInputs.map((g) => g && (g.mul(10) as Tensor));
    });
    (layer.forward(x as never) as unknown as Tensor).square().sum().backward();
    const y = twin.forward(z as never) as unknown as Tensor;
    y.square().sum().backward();
    expectNear(await numbers(out), await numbers(y.mul(2)), 'gradient of the output', 1e-12);
    expectNear(await numbers(into), await numbers(z.grad), 'gradient of the input', 1e-12);
    expectNear(
      await numbers(x.grad),
      (await numbers(z.grad)).map((g) => 10 * g),
      'changed gradient',
      1e-12,
    );
    expectNear(await numbers(layer.weight.grad), await numbers(twin.weight.grad), 'gradient of the weight', 1e-12);
    handle.remove();
    x.grad = undefined;
    (layer.forward(x as never) as unknown as Tensor).square().sum().backward();
    expectNear(await numbers(x.grad), await numbers(z.grad), 'after remove', 1e-12);
  });

  test('a backward hook of several results gets zeros for those without a gradient; without trained inputs it is called, too', async () => {
    const lstm = new nn.LSTM(2, 3);
    const calls: [unknown, (Tensor | undefined)[]][] = [];
    lstm.registerFullBackwardHook(
      (_module, gradInputs, gradOutputs) => void calls.push([gradInputs[0], [...gradOutputs]]),
    );
    const [output] = lstm.forward(randn([4, 1, 2]));
    (output.sum() as unknown as Tensor).backward();
    expect(calls).toHaveLength(1);
    const [into, [ofOutput, ofH, ofC]] = calls[0];
    expect(into).toBeUndefined();
    expect(await numbers(ofOutput)).toEqual(new Array<number>(12).fill(1));
    expect(await numbers(ofH)).toEqual([0, 0, 0]);
    expect(await numbers(ofC)).toEqual([0, 0, 0]);
    expect((await numbers(lstm.parameters()[0].grad)).some((g) => g !== 0)).toBe(true);
  });

  test('what is not a hook', () => {
    const layer = new nn.Linear(1, 1);
    expect(() => layer.registerForwardHook(3 as never)).toThrow(
      new ArgumentError('Linear: the hook is 3. Pass a function.'),
    );
    expect(() => new nn.ModuleList().registerForwardHook(() => {})).toThrow(
      'ModuleList: hooks need a module with a forward method.',
    );
    layer.registerForwardPreHook(() => 3 as never);
    expect(() => layer.forward(zeros([1, 1]))).toThrow('a forward pre-hook returns a list of arguments, or nothing');
  });
});

test('apply visits every module once, the innermost first', () => {
  const shared = new nn.ReLU();
  const model = new nn.Sequential(new nn.Residual([new nn.Linear(2, 2), shared]), shared);
  const names: string[] = [];
  expect(model.apply((m) => names.push(m.constructor.name))).toBe(model);
  expect(names).toEqual(['Linear', 'ReLU', 'Residual', 'Sequential']);
});

test('a frozen part takes no gradient, the rest does', () => {
  const [body, head] = [new nn.Linear(2, 2), new nn.Linear(2, 1)];
  body.requiresGrad_(false);
  const model = new nn.Sequential(body, new nn.ReLU(), head);
  (model.forward(randn([3, 2])).sum() as unknown as Tensor).backward();
  expect(body.parameters().map((p) => [p.requiresGrad, p.grad])).toEqual([
    [false, undefined],
    [false, undefined],
  ]);
  expect(head.parameters().every((p) => p.grad !== undefined)).toBe(true);
  expect(model.parameters()).toHaveLength(4);
});

describe('summary', () => {
  const lenet = () =>
    new nn.Sequential(
      new nn.Conv2d(1, 6, 5, { padding: 2 }),
      new nn.Tanh(),
      new nn.AvgPool2d(2),
      new nn.Conv2d(6, 16, 5),
      new nn.Flatten(),
      new nn.Linear(1600, 10),
    );

  test('shapes, parameters, multiply-adds and memory of LeNet', () => {
    const model = lenet();
    const state = getRandomState();
    const summary = model.summary([2, 1, 28, 28]);
    expect(getRandomState()).toEqual(state);
    expect(
      summary.rows.map(({ path, outputs, parameters, multiplyAdds, bytes }) => [
        path,
        outputs,
        parameters,
        multiplyAdds,
        bytes,
      ]),
    ).toEqual([
      ['', [[2, 10]], 0, 0, 0],
      ['0', [[2, 6, 28, 28]], 156, 2 * 6 * 28 * 28 * 25, 4 * 2 * 6 * 28 * 28],
      ['1', [[2, 6, 28, 28]], 0, 0, 4 * 2 * 6 * 28 * 28],
      ['2', [[2, 6, 14, 14]], 0, 0, 4 * 2 * 6 * 14 * 14],
      ['3', [[2, 16, 10, 10]], 2416, 2 * 16 * 100 * 150, 4 * 2 * 1600],
      ['4', [[2, 1600]], 0, 0, 4 * 2 * 1600],
      ['5', [[2, 10]], 16010, 2 * 16000, 4 * 20],
    ]);
    expect([summary.parameters, summary.trainable]).toEqual([18582, 18582]);
    expect(summary.multiplyAdds).toBe(235200 + 480000 + 32000);
    expect(String(summary).split('\n').slice(0, 5)).toEqual([
      'module                                output           parameters  multiply-adds    memory',
      '──────────────────────────────────────────────────────────────────────────────────────────',
      'Sequential                            [2, 10]',
      '  0: Conv2d(1, 6, 5, { padding: 2 })  [2, 6, 28, 28]          156        235 200   37.6 kB',
      '  1: Tanh                             [2, 6, 28, 28]                               37.6 kB',
    ]);
    expect(String(summary)).toMatch(/total +18 582 +747 200 +/);
    expect(String(summary)).toContain(
      '18 582 parameters are trained, 0 are not; memory: parameters 74.3 kB, input 6.3 kB',
    );
  });

  test('modes, statistics and hooks stay as they were; a shared part is counted once', async () => {
    const shared = new nn.Linear(3, 3);
    const norm = new nn.BatchNorm1d(3);
    const model = new nn.Sequential(shared, norm, new nn.Dropout(0.5), shared);
    shared.requiresGrad_(false);
    norm.eval();
    const summary = model.summary(zeros([1, 3]));
    expect(summary.rows.map((row) => row.parameters)).toEqual([0, 12, 6, 0, 0]);
    expect([summary.parameters, summary.trainable]).toEqual([18, 6]);
    expect(model.namedModules().map(([, m]) => m.training)).toEqual([true, true, false, true]);
    expect(await norm.numBatchesTracked!.item()).toBe(0);
    expect(Object.hasOwn(shared, 'forward')).toBe(false);
  });

  test('what a module computes itself is its own, whatever it is made of', () => {
    const attention = new nn.MultiheadAttention(8, 2);
    const call = nn.deepCopy(new nn.TransformerEncoderLayer(8, 2, { dimFeedforward: 16 }));
    const rows = call.summary([5, 1, 8]).rows;
    const of = (path: string): number => rows.find((row) => row.path === path)!.multiplyAdds;
    expect(of('self_attn')).toBe(5 * 24 * 8 + 2 * (5 * 5 * 4) * 2); // projections; products with keys and values
    expect(of('self_attn.out_proj')).toBe(5 * 8 * 8);
    expect(of('linear1')).toBe(5 * 8 * 16);
    expect(attention.training).toBe(true);
    expect(() => call.summary()).toThrow('summary: there is no input');
  });

  test('work is counted once, where movements merge and statistics wait to be written', () => {
    const model = new nn.Sequential(
      new nn.Conv2d(1, 4, 3, { padding: 1 }),
      new nn.BatchNorm2d(4),
      new nn.MaxPool2d(2),
      new nn.Flatten(), // its reshape becomes one with the pooling's
      new nn.Linear(64, 10),
    );
    model.forward(zeros([32, 1, 8, 8])); // leaves running statistics that are not computed yet
    expect(model.summary([1, 1, 8, 8]).rows.map((row) => row.multiplyAdds)).toEqual([0, 4 * 64 * 9, 0, 0, 0, 640]);
  });
});

describe('receptive field', () => {
  test.each([
    ['three 3×3 convolutions see 7×7', [3, 3, 3].map((k) => new nn.Conv2d(1, 1, k)), [7, 7], [1, 1], [0, 0]],
    [
      'strides multiply, padding moves the start',
      [
        new nn.Conv2d(1, 1, 5, { stride: 2, padding: 2 }),
        new nn.ReLU(),
        new nn.MaxPool2d(2),
        new nn.Conv2d(1, 1, 3, { padding: 1 }),
      ],
      [15, 15],
      [4, 4],
      [-6, -6],
    ],
    [
      'dilation spreads',
      [new nn.Conv1d(1, 1, 3, { dilation: 4 }), new nn.Conv1d(1, 1, 3, { dilation: 2 })],
      [13],
      [1],
      [0],
    ],
    ['kernels differ by dimension', [new nn.Conv2d(1, 1, [3, 5]), new nn.AvgPool2d([1, 2])], [3, 6], [1, 2], [0, 0]],
  ])('%s', (_name, layers, size, stride, start) => {
    const field = new nn.Sequential(...(layers as nn.Module[])).receptiveField();
    expect(field).toEqual({ size, stride, start });
  });

  test('of branches is their union', () => {
    const block = new nn.Residual([
      new nn.Conv2d(2, 2, 3, { padding: 1 }),
      new nn.ReLU(),
      new nn.Conv2d(2, 2, 3, { padding: 1 }),
    ]);
    expect(block.receptiveField()).toEqual({ size: [5, 5], stride: [1, 1], start: [-2, -2] });
    const branches = new nn.Parallel([new nn.Conv2d(2, 2, 1), new nn.Conv2d(2, 2, 5, { padding: 'same' })]);
    expect(branches.receptiveField()).toEqual({ size: [5, 5], stride: [1, 1], start: [-2, -2] });
  });

  test('agrees with the gradient of one output', async () => {
    const model = new nn.Sequential(
      new nn.Conv1d(1, 1, 3, { stride: 2 }),
      new nn.AvgPool1d(3, { stride: 1 }),
      new nn.Conv1d(1, 1, 2, { dilation: 3, stride: 2 }),
    );
    const x = tensor(new Float32Array(40), { shape: [1, 1, 40], requiresGrad: true });
    (model.forward(x).index(0, 0, 1) as unknown as Tensor).backward();
    const touched = [...(await x.grad!.data())].flatMap((g, i) => (g === 0 ? [] : [i]));
    const { size, stride, start } = model.receptiveField();
    expect([touched[0], touched.at(-1)]).toEqual([start[0] + stride[0], start[0] + stride[0] + size[0] - 1]);
  });

  test('of the whole image, and of what has none', () => {
    const model = new nn.Sequential(
      new nn.Conv2d(1, 4, 3),
      new nn.AdaptiveAvgPool2d(1),
      new nn.Flatten(),
      new nn.Linear(4, 2),
    );
    expect(model.receptiveField().size).toEqual([Infinity, Infinity]);
    expect(() => new nn.LSTM(1, 1).receptiveField()).toThrow(
      'receptiveField: LSTM does not say what its outputs depend on.',
    );
    const uneven = new nn.Residual([new nn.Conv2d(1, 1, 3, { stride: 2 })]);
    expect(() => uneven.receptiveField()).toThrow('branches with strides [2, 2] and [1, 1] do not meet');
  });
});
