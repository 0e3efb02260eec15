// Where a model is cut for a new head: before Gemm, MatMul and 1×1 convolutions, through what stands behind them.
import { expect, test } from 'vitest';
import { writeModel } from '../../test/support/onnx-writer.js';
import { noGrad, setDevice, zeros } from '../index.js';
import { Conv2d, Flatten, GlobalAvgPool2d, Linear, ReLU, Sequential, Softmax } from '../nn/index.js';
import { OnnxError, exportOnnx, loadOnnx } from './index.js';

setDevice('reference');

test('body: what the last linear layer takes, whatever is behind it', async () => {
  const image = zeros([2, 3, 6, 6]);
  const linear = new Sequential(new Conv2d(3, 4, 3), new Flatten(), new ReLU(), new Linear(64, 10), new Softmax(1));
  const conv = new Sequential(
    new Conv2d(3, 4, 3),
    new Conv2d(4, 10, 1),
    new ReLU(),
    new GlobalAvgPool2d(),
    new Flatten(),
  );
  for (const [model, shape] of [
    [linear, [2, 64]],
    [conv, [2, 4, 4, 4]],
  ] as const) {
    const whole = await loadOnnx(await exportOnnx(model, image));
    const body = whole.body();
    expect(noGrad(() => body.forward(image)).shape).toEqual(shape);
    expect(body.namedParameters().map(([name]) => name)).toEqual(['0.weight', '0.bias']);
    expect(body.parameters()[0]).toBe(whole.parameters()[0]); // shared
  }
  // MatMul with a weight that is transposed first, and a bias
  const parts = { inputs: [{ name: 'x', dims: [1, 2] }], outputs: [{ name: 'y' }] };
  const initializers = [
    { name: 'w', dims: [3, 2], data: [1, 2, 3, 4, 5, 6] },
    { name: 'b', dims: [3], data: [1, 2, 3] },
  ];
  const nodes = [
    { op: 'Relu', in: ['x'], out: ['features'] },
    { op: 'Transpose', in: ['w'], out: ['wt'] },
    { op: 'MatMul', in: ['features', 'wt'], out: ['m'] },
    { op: 'Add', in: ['b', 'm'], out: ['y'] },
  ];
  const body = (await loadOnnx(writeModel({ ...parts, initializers, nodes }))).body();
  expect(body.outputs.map(({ name }) => name)).toEqual(['features']);
});

test('body: what stands in the way is named', async () => {
  const parts = { inputs: [{ name: 'x', dims: [2, 2] }], outputs: [{ name: 'y' }] };
  const bodyOf = async (nodes: readonly { op: string; in: string[]; out: string[] }[]): Promise<string> => {
    const model = await loadOnnx(writeModel({ ...parts, nodes }));
    try {
      return model.body().outputs[0].name;
    } catch (error) {
      expect(error).toBeInstanceOf(OnnxError);
      return (error as Error).message;
    }
  };
  const end = ' Cut the model yourself: until(name); valueNames() lists the names.';
  expect(await bodyOf([{ op: 'Erf', in: ['x'], out: ['y'] }])).toBe(
    `body: before the output comes Erf at "y", and no linear layer.${end}`,
  );
  expect(await bodyOf([{ op: 'Relu', in: ['x'], out: ['y'] }])).toBe(
    `body: before the output there is no linear layer.${end}`,
  );
  expect(await bodyOf([{ op: 'MatMul', in: ['x', 'x'], out: ['y'] }])).toMatch(/before the output comes MatMul/);
  expect(await bodyOf([{ op: 'Add', in: ['x', 'x'], out: ['y'] }])).toMatch(/comes Add of two values at "y"/);
});
