// Layers out (models: zoo.test.ts): what is written is read again by loadOnnx and gives the same numbers. onnxruntime's are compared by tools/parity/onnx_export.py.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  type AnyTensor,
  type Tensor,
  bitwiseLeftShift,
  cat,
  manualSeed,
  randn,
  setDevice,
  tensor,
} from '../../index.js';
import { cnn } from '../../models/index.js';
import * as nn from '../../nn/index.js';
import { readModel } from '../wire/read-model.js';
import { type ExportOnnxOptions, type Exportable, OnnxError, exportOnnx, loadOnnx, saveOnnx } from '../index.js';

beforeEach(() => {
  setDevice('cpu');
  manualSeed(7);
});

const randomOf = (...shape: number[]): Tensor => randn(shape);
const operatorsIn = (bytes: Uint8Array): string[] =>
  readModel(bytes, undefined).graph?.nodes.map(({ operator }) => operator) ?? [];
const leaves = (value: unknown): Tensor[] =>
  Array.isArray(value)
    ? value.flatMap(leaves)
    : 'shape' in (value as object)
      ? [value as Tensor]
      : Object.values(value as object).flatMap(leaves);

/** Exports, reads it again, and compares all outputs for these inputs; the operators of the file. */
async function roundTrip(
  model: Exportable,
  example: AnyTensor | readonly AnyTensor[],
  options: ExportOnnxOptions = {},
  inputs = example,
  digits = 5,
): Promise<string[]> {
  const bytes = await exportOnnx(model, example, options);
  const read = await loadOnnx(bytes);
  const list = Array.isArray(inputs) ? (inputs as readonly AnyTensor[]) : [inputs as AnyTensor];
  const found = await read.run(Object.fromEntries(read.inputs.map(({ name }, i) => [name, list[i]])));
  model.eval();
  const wanted = leaves(model.forward(...(list as never[])));
  const got = Object.values(found);
  expect(got.map(({ shape }) => shape)).toEqual(wanted.map(({ shape }) => shape));
  for (const [i, one] of wanted.entries()) {
    const [a, b] = [await one.data(), await got[i].data()];
    const most = Math.max(1, ...a.map(Math.abs));
    a.forEach((value, k) => {
      if (!(Math.abs(value - b[k]) <= most * 10 ** -digits))
        expect([String(model), k, b[k]]).toEqual([String(model), k, value]);
    });
  }
  return operatorsIn(bytes);
}

const image = (): Tensor => randomOf(2, 4, 8, 8);

describe('layers', () => {
  const LAYERS: readonly (readonly [make: () => Exportable, x: () => AnyTensor, operators: string, opset?: number])[] =
    [
      [() => new nn.Linear(3, 4), () => randomOf(2, 3), 'Gemm'],
      [() => new nn.Linear(3, 4, { bias: false }), () => randomOf(2, 3), 'Gemm'],
      [() => new nn.Linear(3, 4), () => randomOf(2, 5, 3), 'Transpose MatMul Add'],
      [() => new nn.Embedding(6, 3), () => tensor(Int32Array.of(1, 5, 0, 2)).reshape([2, 2]), 'Gather'],
      [() => new nn.Conv1d(4, 2, 3, { padding: 'same', dilation: 2 }), () => randomOf(2, 4, 9), 'Conv'],
      [() => new nn.Conv2d(4, 6, 3, { stride: 2, padding: 1, groups: 2 }), image, 'Conv'],
      [() => new nn.Conv3d(2, 2, 2), () => randomOf(1, 2, 3, 4, 4), 'Conv'],
      [() => new nn.ConvTranspose1d(4, 2, 3), () => randomOf(2, 4, 5), 'ConvTranspose'],
      [() => new nn.ConvTranspose2d(4, 2, 3, { stride: 2, padding: 1, outputPadding: 1 }), image, 'ConvTranspose'],
      [() => new nn.BatchNorm1d(3), () => randomOf(4, 3), 'BatchNormalization'],
      [() => new nn.BatchNorm2d(4), image, 'BatchNormalization'],
      [() => new nn.LayerNorm(8), image, 'LayerNormalization'],
      [() => new nn.LayerNorm([8, 8], { bias: false }), image, 'LayerNormalization'],
      [() => new nn.GroupNorm(2, 4), image, 'GroupNormalization', 21],
      [() => new nn.InstanceNorm2d(4, { affine: true }), image, 'InstanceNormalization'],
      [() => new nn.LocalResponseNorm(3), image, 'LRN'],
      [() => new nn.MaxPool1d(2), () => randomOf(2, 4, 7), 'MaxPool'],
      [() => new nn.MaxPool2d(3, { stride: 2, padding: 1, ceilMode: true }), image, 'MaxPool'],
      [() => new nn.AvgPool2d(3, { stride: 2, padding: 1 }), image, 'AveragePool'],
      [() => new nn.AvgPool2d(3, { padding: 1, countIncludePad: false }), image, 'AveragePool'],
      [() => new nn.AdaptiveAvgPool2d(1), image, 'GlobalAveragePool'],
      [() => new nn.AdaptiveAvgPool2d([2, 4]), image, 'AveragePool'],
      [() => new nn.AdaptiveMaxPool2d(4), image, 'MaxPool'],
      [() => new nn.GlobalMaxPool2d(), image, 'GlobalMaxPool'],
      [() => new nn.ReLU(), image, 'Relu'],
      [() => new nn.Tanh(), image, 'Tanh'],
      [() => new nn.Sigmoid(), image, 'Sigmoid'],
      [() => new nn.Softsign(), image, 'Softsign'],
      [() => new nn.SELU(), image, 'Selu'],
      [() => new nn.Hardsigmoid(), image, 'HardSigmoid'],
      [() => new nn.Hardswish(), image, 'HardSwish'],
      [() => new nn.Mish(), image, 'Mish', 18],
      [() => new nn.GELU(), image, 'Gelu', 20],
      [() => new nn.LeakyReLU(0.2), image, 'LeakyRelu'],
      [() => new nn.ELU(0.5), image, 'Elu'],
      [() => new nn.CELU(2), image, 'Celu'],
      [() => new nn.Softplus(), image, 'Softplus'],
      [() => new nn.ReLU6(), image, 'Clip'],
      [() => new nn.Hardtanh(-0.5, 0.25), image, 'Clip'],
      [() => new nn.PReLU(4), image, 'Reshape PRelu'],
      [() => new nn.Softmax(1), image, 'Softmax'],
      [() => new nn.LogSoftmax(), image, 'LogSoftmax'],
      [() => new nn.Flatten(), image, 'Flatten'],
      [() => new nn.Sequential(new nn.Dropout(0.5), new nn.ReLU()), image, 'Relu'],
    ];

  test('are one operator where ONNX has it, and give the same numbers', async () => {
    for (const [make, x, operators, opset] of LAYERS) {
      const model = make();
      const found = await roundTrip(model, x(), opset === undefined ? {} : { opset });
      expect([String(model), found.join(' ')]).toEqual([String(model), operators]);
    }
  }, 60_000);

  const PARTS: readonly (readonly [make: () => Exportable, x: () => AnyTensor])[] = [
    [() => new nn.GroupNorm(2, 4), image],
    [() => new nn.RMSNorm(8), image],
    [() => new nn.LayerNorm(8, { elementwiseAffine: false }), image],
    [() => new nn.InstanceNorm2d(4), image],
    [() => new nn.BatchNorm2d(4, { affine: false }), image],
    [() => new nn.GELU(), image],
    [() => new nn.GELU('tanh'), image],
    [() => new nn.SiLU(), image],
    [() => new nn.Mish(), image],
    [() => new nn.GLU(1), image],
    [() => new nn.LogSigmoid(), image],
    [() => new nn.Softmin(), image],
    [() => new nn.Hardshrink(), image],
    [() => new nn.Softshrink(), image],
    [() => new nn.Threshold(0.1, 2), image],
    [() => new nn.Tanhshrink(), image],
    [() => new nn.RReLU(), image],
    [() => new nn.Maxout(8, 3), image],
    [() => new nn.PixelShuffle(2), image],
    [() => new nn.PixelUnshuffle(2), image],
    [() => new nn.Upsample({ scaleFactor: 2 }), image],
    [() => new nn.Upsample({ scaleFactor: 2, mode: 'bilinear' }), image],
    [() => new nn.AdaptiveAvgPool2d(3), image],
    [() => new nn.ReflectionPad2d(2), image],
    [() => new nn.ZeroPad2d(1), image],
    [() => new nn.CircularPad2d(1), image],
    [() => new nn.ConstantPad2d(1, 3), image],
    [() => new nn.Conv2d(4, 2, 3, { padding: 1, paddingMode: 'reflect' }), image],
    [() => new nn.Conv2d(4, 2, 3), () => randomOf(4, 5, 5)],
    [() => new nn.DepthwiseSeparableConv2d(4, 6, 3), image],
    [() => new nn.AvgPool2d(2, { divisorOverride: 3 }), image],
    [() => new nn.LSTM(3, 2), () => randomOf(4, 2, 3)],
    [() => new nn.LSTM(3, 2, { numLayers: 2, bidirectional: true, batchFirst: true }), () => randomOf(2, 4, 3)],
    [() => new nn.GRU(3, 2, { numLayers: 2 }), () => randomOf(4, 2, 3)],
    [() => new nn.RNN(3, 2, { bias: false, bidirectional: true, nonlinearity: 'relu' }), () => randomOf(4, 2, 3)],
    [() => new nn.LSTMCell(3, 2), () => randomOf(2, 3)],
    [() => new nn.GRUCell(3, 2), () => randomOf(2, 3)],
    [() => new nn.TransformerEncoderLayer(8, 2, { dimFeedforward: 6 }), () => randomOf(2, 3, 8)],
    [() => new nn.Residual([new nn.Linear(4, 4)]), () => randomOf(2, 4)],
  ];

  test('others are written by what they do', async () => {
    const failed: string[] = [];
    for (const [make, x] of PARTS) {
      const model = make();
      try {
        await roundTrip(model, x());
      } catch (error) {
        failed.push(`${String(model)}: ${(error as Error).message.slice(0, 300)}`);
      }
    }
    expect(failed).toEqual([]);
  }, 60_000);
});

class Net extends nn.Module {
  readonly body = new nn.Sequential(new nn.Conv2d(3, 4, 3), new nn.BatchNorm2d(4), new nn.ReLU());
  readonly head = new nn.Linear(4, 5);
  forward(x: Tensor): { logits: Tensor; features: Tensor } {
    const y: Tensor = this.body.forward(x as Tensor<[number, number, number, number]>);
    const features: Tensor = y.mean([2, 3]).mul(2);
    return { logits: this.head.forward(features), features };
  }
}

test('keys, names of nodes by module, outputs by name', async () => {
  const model = new Net();
  const bytes = await exportOnnx(model, randomOf(1, 3, 6, 6), { dynamic: { 0: 'batch' } });
  expect(model.training).toBe(true);
  const graph = readModel(bytes, undefined).graph;
  expect(graph?.nodes.map(({ name }) => name)).toEqual([
    '/body/0/Conv',
    '/body/1/BatchNormalization',
    '/body/2/Relu',
    '/ReduceMean',
    '/Reshape',
    '/Mul',
    '/head/Gemm',
  ]);
  const read = await loadOnnx(bytes);
  expect(read.namedParameters().map(([key]) => key)).toEqual(
    expect.arrayContaining(model.namedParameters().map(([key]) => key)),
  );
  expect(read.inputs).toEqual([{ name: 'input', dtype: 'float32', shape: ['batch', 3, 6, 6] }]);
  expect(read.outputs.map(({ name, shape }) => [name, shape])).toEqual([
    ['logits', ['batch', 5]],
    ['features', ['batch', 4]],
  ]);
});

test('batch norms are folded on request', async () => {
  const model = new Net();
  model.forward(randomOf(4, 3, 6, 6)); // statistics of its own
  const operators = await roundTrip(model, randomOf(2, 3, 6, 6), { foldBatchNorm: true });
  expect(operators).not.toContain('BatchNormalization');
});

class Sizes extends nn.Module {
  readonly embedding = new nn.Embedding(10, 4);
  readonly lstm = new nn.LSTM(4, 3, { batchFirst: true });
  forward(ids: Tensor<[number, number], 'int32'>): Tensor {
    const x: Tensor = this.embedding.forward(ids);
    const [batch, length] = x.shape;
    const [y] = this.lstm.forward(x as Tensor<[number, number, 4]>);
    const halves = x
      .reshape([batch, length, 2, 2])
      .transpose(1, 2)
      .reshape([batch * 2, length, 2]);
    const scores: Tensor = halves.matmul(halves.transpose(1, 2)).softmax(-1);
    const weighted: Tensor = scores
      .matmul(halves)
      .reshape([batch, 2, length, 2])
      .transpose(1, 2)
      .reshape([batch, length, 4]);
    return cat([weighted.add(x.mean(1, { keepdim: true })).expand([batch, length, 4]), y], 2);
  }
}

test('sizes that may be any', async () => {
  const ids = (n: number, t: number) =>
    tensor(Int32Array.from({ length: n * t }, (_, i) => (i * 7) % 10)).reshape([n, t]);
  await roundTrip(new Sizes(), ids(1, 5), { dynamic: { input: { 0: 'batch', 1: 'length' } } }, ids(3, 4));
  await roundTrip(
    cnn({ channels: 1, classes: 3, stages: [[4], [6]] }),
    randomOf(1, 1, 28, 28),
    { dynamic: { 0: 'batch' } },
    randomOf(3, 1, 28, 28),
  );
});

class Shifts extends nn.Module {
  forward(x: Tensor): Tensor {
    return x.add(bitwiseLeftShift(x.to('int32'), 1));
  }
}

test('what ONNX lacks is listed, all of it', async () => {
  const model = new nn.Sequential(new nn.Linear(3, 3), new Shifts() as nn.Module & { forward(x: Tensor): Tensor });
  const error: unknown = await exportOnnx(model as Exportable, randomOf(2, 3)).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(OnnxError);
  expect((error as OnnxError).problems.map(({ node, operator }) => [node, operator])).toContainEqual(['1', 'shl']);
  await expect(exportOnnx(model as Exportable, randomOf(2, 3), { opset: 9 })).rejects.toThrow('opset');
  await expect(exportOnnx(model as Exportable, randomOf(2, 3), { dynamic: { 7: 'n' } })).rejects.toThrow(
    'dynamic has 7',
  );
});

class Product extends nn.Module {
  readonly input = new nn.Parameter(randn([2]));
  readonly constant_0 = new nn.Parameter(randn([2]));
  forward(x: Tensor): Tensor {
    return x.mul(this.input).mul(this.constant_0).mul(3);
  }
}

test('one name is one value: keys keep theirs, and what the caller gives twice is an error', async () => {
  const x = randomOf(2);
  await expect(exportOnnx(new Product(), x)).rejects.toThrow(
    "exportOnnx: two values of the graph would be called 'input'. Give other inputNames or outputNames",
  );
  await roundTrip(new Product(), x, { inputNames: ['x'] });
  await expect(exportOnnx(new Product(), x, { inputNames: ['x'], outputNames: ['x'] })).rejects.toThrow("called 'x'");
});

test('wrong calls', async () => {
  const layer = new nn.Linear(3, 2);
  const x = randomOf(1, 3);
  const wrong: readonly (readonly [given: unknown, options: unknown, message: string])[] = [
    [{ forward: () => x }, {}, 'exportOnnx: the model is Object. Give a Module'],
    [layer, { inputNames: 'x' }, "exportOnnx: inputNames is 'x'. Give a list of names, none of them empty."],
    [layer, { outputNames: [''] }, 'exportOnnx: outputNames is'],
    [layer, { dynamic: null }, 'exportOnnx: dynamic is null.'],
    [layer, { dynamic: { 0.5: 'batch' } }, "exportOnnx: dynamic has 0.5: 'batch' for input 'input' of 2 dimensions."],
    [layer, { dynamic: { input: null } }, "exportOnnx: dynamic names 'input'"],
  ];
  for (const [given, options, message] of wrong)
    await expect(exportOnnx(given as Exportable, x, options as ExportOnnxOptions)).rejects.toThrow(message);
});

test('float64: recurrent layers and folded norms too', async () => {
  const x = randn([2, 5, 3], { dtype: 'float64' });
  await roundTrip(new nn.LSTM(3, 4).to('float64'), x, {}, x, 10);
  const net = new nn.Sequential(new nn.Conv1d(5, 2, 2), new nn.BatchNorm1d(2)).to('float64');
  expect(await roundTrip(net, x, { foldBatchNorm: true }, x, 10)).toEqual(['Conv']);
});

test('a file is written whole', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nabla-onnx-'));
  try {
    const path = join(folder, 'model.onnx');
    const model = new nn.Linear(3, 2);
    await saveOnnx(path, model, randomOf(1, 3), { inputNames: ['x'], outputNames: ['y'] });
    const x = randomOf(1, 3);
    const { y } = await (await loadOnnx(path)).run({ x });
    const [a, b] = [await y.data(), await model.forward(x).data()];
    a.forEach((value, i) => expect(value).toBeCloseTo(b[i], 5));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
