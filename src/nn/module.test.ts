// Modules as containers of state: keys, sharing, modes, loading, and how they print.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AnyTensor, type Tensor, disposeDevices, manualSeed, setDevice, tensor, zeros } from '../index.js';
import { fromSafetensors, toSafetensors } from '../io/index.js';
import {
  BatchNorm2d,
  Buffer,
  Conv2d,
  Dropout,
  Flatten,
  Linear,
  Module,
  Parameter,
  ReLU,
  Residual,
  Sequential,
  StateDictError,
} from './index.js';

beforeAll(() => setDevice('reference'));
afterAll(() => disposeDevices());

class Block extends Module {
  readonly conv1 = new Conv2d(2, 4, 3, { padding: 1, bias: false });
  readonly bn1 = new BatchNorm2d(4);
  readonly downSample = new Sequential(new Conv2d(2, 4, 1), new ReLU());
  readonly heads = [new Linear(4, 2), new Linear(4, 3)];
  readonly scale = new Parameter(zeros([1]));
  readonly notTrained = new Buffer(zeros([3]));
  readonly name = 'block';
  readonly #hidden = new Linear(1, 1);

  forward(x: Tensor): Tensor {
    void this.#hidden;
    return this.bn1.forward(this.conv1.forward(x as never) as never) as unknown as Tensor;
  }
}

test('keys are paths to the fields, as PyTorch writes them; private fields do not count', () => {
  expect(Object.keys(new Block().stateDict())).toEqual([
    'scale',
    'not_trained',
    'conv1.weight',
    'bn1.weight',
    'bn1.bias',
    'bn1.running_mean',
    'bn1.running_var',
    'bn1.num_batches_tracked',
    'down_sample.0.weight',
    'down_sample.0.bias',
    'heads.0.weight',
    'heads.0.bias',
    'heads.1.weight',
    'heads.1.bias',
  ]);
});

test('parameters, buffers and modules, each once, however often they are mentioned', () => {
  const block = new Block();
  expect(block.namedParameters()).toHaveLength(10);
  expect(block.namedBuffers().map(([key]) => key)).toContain('not_trained');
  expect(block.parameterCount).toBe(1 + 72 + 8 + 12 + 10 + 15);
  const layer = new Linear(2, 2);
  const tied = new Sequential(layer, new ReLU(), layer);
  expect(tied.parameters()).toHaveLength(2);
  expect(Object.keys(tied.stateDict())).toEqual(['0.weight', '0.bias', '2.weight', '2.bias']);
  class Cyclic extends Module {
    readonly part = new Linear(1, 1);
    readonly owner = this as Module;
  }
  expect(new Cyclic().parameters()).toHaveLength(2);
});

test('train and eval reach every part; dropout and batch normalisation heed them', async () => {
  const model = new Sequential(new Dropout(0.5), new Sequential(new BatchNorm2d(1)));
  model.eval();
  expect(model.namedModules().map(([, m]) => m.training)).toEqual([false, false, false, false]);
  const x = tensor([
    [
      [
        [1, 2],
        [3, 4],
      ],
    ],
  ]);
  expect(await (model.forward(x) as AnyTensor).array()).toEqual(
    [
      [
        [
          [1, 2],
          [3, 4],
        ],
      ],
    ].map((a) => a.map((b) => b.map((c) => c.map((v) => v / Math.sqrt(1 + 1e-5))))),
  );
  model.train();
  manualSeed(1);
  const once = await (model.forward(x) as AnyTensor).array();
  const again = await (model.forward(x) as AnyTensor).array();
  expect(again).not.toEqual(once);
});

test('requiresGrad_ freezes, zeroGrad forgets', () => {
  const model = new Sequential(new Linear(2, 2));
  model.requiresGrad_(false);
  expect((model.forward(tensor([[1, 2]])) as AnyTensor).requiresGrad).toBe(false);
  model.requiresGrad_();
  (model.forward(tensor([[1, 2]])).sum() as unknown as Tensor).backward();
  expect(model.parameters().every((p) => p.grad !== undefined)).toBe(true);
  model.zeroGrad();
  expect(model.parameters().every((p) => p.grad === undefined)).toBe(true);
});

test('a state dict goes through a file into another model, which then computes the same', async () => {
  manualSeed(0);
  const [a, b] = [new Block(), new Block()];
  const { tensors } = fromSafetensors(await toSafetensors(a.stateDict()));
  expect(b.loadStateDict(tensors)).toEqual({ missing: [], unexpected: [] });
  const x = zeros([1, 2, 3, 3]).add(1) as unknown as Tensor;
  expect(await b.eval().forward(x).array()).toEqual(await a.eval().forward(x).array());
});

test('what does not fit is said in one error, and nothing has changed then', async () => {
  const model = new Sequential(new Linear(2, 1));
  const before = await model.parameters()[0].array();
  const attempt = (dict: Record<string, AnyTensor>, strict = true) => model.loadStateDict(dict, { strict });
  const weight = zeros([1, 2]) as AnyTensor;
  expect(() => attempt({ '0.weight': weight, extra: weight })).toThrow(StateDictError);
  expect(() => attempt({ '0.weight': weight, extra: weight })).toThrow(/0\.bias[\s\S]*extra/);
  expect(() => attempt({ '0.weight': zeros([2, 2]) as AnyTensor, '0.bias': zeros([1]) as AnyTensor })).toThrow(
    /0\.weight[\s\S]*\[2, 2\][\s\S]*\[1, 2\]/,
  );
  expect(await model.parameters()[0].array()).toEqual(before);
  expect(attempt({ '0.weight': weight, extra: weight }, false)).toEqual({ missing: ['0.bias'], unexpected: ['extra'] });
  expect(await model.parameters()[0].array()).toEqual([[0, 0]]);
});

test('printing shows the structure with its arguments', () => {
  const model = new Sequential(
    new Conv2d(1, 8, 3, { padding: 1 }),
    new ReLU(),
    new Flatten(),
    new Linear(72, 10, { bias: false }),
  );
  expect(String(model)).toBe(
    'Sequential(\n  (0): Conv2d(1, 8, 3, { padding: 1 })\n  (1): ReLU()\n  (2): Flatten()\n  (3): Linear(72, 10, { bias: false })\n)',
  );
});

test('layers say what does not fit when they are given it, in the words of the compiler', () => {
  const model = new Sequential(new Flatten(), new Linear(12, 2));
  expect(() => model.forward(zeros([4, 3, 3]) as never)).toThrow(
    expect.objectContaining({
      name: 'ShapeError',
      message: 'in 1 (Linear): input [4, 9]: last dimension 9 is not inFeatures 12',
      shapes: [[4, 9]],
      module: '1',
    }),
  );
  expect(() => new Sequential(new Linear(1, 1), {} as never)).toThrow('Sequential: argument 1 is not a module');
  expect(() => new Residual(new Linear(1, 1) as never)).toThrow(
    'Residual: the modules are not a list. Use new Residual([…]).',
  );
});
