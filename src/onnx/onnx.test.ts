// ONNX models: what is asked of them beyond the operators, which test/onnx-nodes.test.ts compares. Models are written here.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { FormatError, type Tensor, checkGradient, compile, engineStats, setDevice, tensor, zeros } from '../index.js';
import { Linear, Module, Sequential, mseLoss } from '../nn/index.js';
import { SGD } from '../optim/index.js';
import { type WrittenModel, type WrittenNode, type WrittenTensor, writeModel } from '../../test/support/onnx-writer.js';
import { OnnxError, inspectOnnx, loadOnnx } from './index.js';

beforeEach(() => setDevice('cpu'));

const wave = (n: number, from = 0): number[] => Array.from({ length: n }, (_, i) => Math.sin(from + i * 1.7));
const floats = (name: string, dims: number[], from = 0): WrittenTensor => ({
  name,
  dims,
  data: wave(
    dims.reduce((a, b) => a * b, 1),
    from,
  ),
});
const ints = (name: string, ...data: number[]): WrittenTensor => ({ name, type: 7, dims: [data.length], data });

/** x [N, 3] → features [N, 4] → y [N, 2], with batch normalisation between. */
const NETWORK: WrittenModel = {
  nodes: [
    { op: 'Gemm', in: ['x', 'fc.weight', 'fc.bias'], out: ['hidden:0'], attributes: { transB: 1 } },
    { op: 'BatchNormalization', in: ['hidden:0', 'bn.g', 'bn.b', 'bn.mean', 'bn.var'], out: ['normal'], name: 'norm' },
    { op: 'Relu', in: ['normal'], out: ['features'] },
    { op: 'MatMul', in: ['features', 'head'], out: ['y/{"0"}.1'] },
  ],
  inputs: [{ name: 'x', dims: ['batch', 3] }],
  outputs: [{ name: 'y/{"0"}.1', dims: ['batch', 2] }],
  initializers: [
    floats('fc.weight', [4, 3]),
    floats('fc.bias', [4], 1),
    floats('bn.g', [4], 2),
    floats('bn.b', [4], 3),
    floats('bn.mean', [4], 4),
    { name: 'bn.var', dims: [4], data: [1, 2, 0.5, 0.25] },
    floats('head', [4, 2], 5),
  ],
};
const OUTPUT = 'y/{"0"}.1';

test('a model runs by names of any characters, is a module, and says what it takes', async () => {
  const model = await loadOnnx(writeModel(NETWORK));
  expect(model.inputs).toEqual([{ name: 'x', dtype: 'float32', shape: ['batch', 3] }]);
  expect(model.outputs.map(({ name }) => name)).toEqual([OUTPUT]);
  expect(model).toBeInstanceOf(Module);
  expect(model.namedParameters().map(([key]) => key)).toEqual(['fc.weight', 'fc.bias', 'bn.g', 'bn.b', 'head']);
  expect(model.namedBuffers().map(([key]) => key)).toEqual(['bn.mean', 'bn.var']);
  const x = tensor([wave(3), wave(3, 9)]);
  const run = await model.run({ x });
  const forward = model.forward(x);
  expect(forward.requiresGrad).toBe(true);
  expect(run[OUTPUT].requiresGrad).toBe(false);
  expect(run[OUTPUT].shape).toEqual([2, 2]);
  const [a, b] = [await run[OUTPUT].data(), await forward.data()];
  a.forEach((value, i) => expect(value).toBeCloseTo(b[i], 5));
  expect(String(model)).toBe(`OnnxModel(x → ${OUTPUT}, 4 nodes)`);
});

test('later runs replay: no program is made, and others for other shapes', async () => {
  const model = await loadOnnx(writeModel(NETWORK));
  const run = (n: number) => model.run({ x: { data: wave(3 * n), shape: [n, 3] } });
  await run(2);
  const before = engineStats().programs;
  for (let i = 0; i < 5; i++) await run(2);
  expect(engineStats().programs).toBe(before);
  await run(3);
  expect(engineStats().programs).toBe(before + 1);
});

test('gradients reach inputs and parameters', async () => {
  setDevice('reference');
  const model = await loadOnnx(writeModel(NETWORK));
  await checkGradient((x: Tensor) => model.forward(x).square().sum() as Tensor, [tensor([wave(3), wave(3, 9)])], {
    assert: true,
  });
  model
    .forward(tensor([wave(3)]))
    .sum()
    .backward();
  for (const [key, parameter] of model.namedParameters())
    expect([key, parameter.grad?.shape]).toEqual([key, parameter.shape]);
});

test('a body with a new head is fine-tuned, compiled or not; run sees what was learned', async () => {
  const whole = await loadOnnx(writeModel(NETWORK));
  const body = whole.until('features');
  expect(body.namedParameters().map(([key]) => key)).toEqual(['fc.weight', 'fc.bias', 'bn.g', 'bn.b']);
  const network = new Sequential(body, new Linear(4, 1));
  const x = tensor([wave(3), wave(3, 9), wave(3, 4)]);
  const target = tensor([[1], [-1], [0.5]]);
  const optimizer = new SGD(network.parameters(), { lr: 0.05 });
  const before = await (await whole.run({ x }))[OUTPUT].data();
  const step = compile(async (input: Tensor<[number, 3]>, wanted: Tensor<[number, 1]>) => {
    optimizer.zeroGrad();
    const loss = mseLoss(network.forward(input), wanted);
    loss.backward();
    await optimizer.step();
    return loss;
  });
  const first = await (await step(x, target)).item();
  let last = first;
  for (let i = 0; i < 30; i++) last = await (await step(x, target)).item();
  expect(last).toBeLessThan(first / 4);
  const after = await (await whole.run({ x }))[OUTPUT].data();
  expect(Array.from(after)).not.toEqual(Array.from(before));
  const live = await whole.forward(x).data();
  after.forEach((value, i) => expect(value).toBeCloseTo(live[i], 5));
});

test('until takes values and nodes, several too, and names the nearest of a wrong one', async () => {
  const model = await loadOnnx(writeModel(NETWORK));
  const two = model.until('norm', OUTPUT);
  const { normal, [OUTPUT]: y } = await two.run({ x: { data: wave(3), shape: [1, 3] } });
  expect([normal.shape, y.shape]).toEqual([
    [1, 4],
    [1, 2],
  ]);
  expect(() => model.until('feature')).toThrow('The nearest name is "features"');
  expect(model.valueNames()).toEqual(['hidden:0', 'normal', 'features', OUTPUT]);
});

test('another dtype, and another device', async () => {
  const bytes = writeModel(NETWORK);
  const wide = await loadOnnx(bytes, { dtype: 'float64' });
  const x = { data: wave(3), shape: [1, 3] };
  const exact = (await wide.run({ x }))[OUTPUT];
  expect(exact.dtype).toBe('float64');
  const model = await loadOnnx(bytes);
  expect((await model.to('float64').run({ x }))[OUTPUT].dtype).toBe('float64');
  setDevice('reference');
  const there = await loadOnnx(bytes);
  setDevice('cpu');
  const y = (await there.run({ x }))[OUTPUT];
  expect(y.device).toBe('reference');
  const [a, b] = [await exact.data(), await y.data()];
  a.forEach((value, i) => expect(value).toBeCloseTo(b[i], 6));
  const [weight] = there.parameters();
  expect(await there.to('cpu')).toBe(there);
  const moved = (await there.run({ x: await tensor([wave(3)]).to('reference') }))[OUTPUT];
  expect([weight.device, moved.device]).toEqual(['cpu', 'cpu']);
  expect(() => there.to('abacus')).toThrow('abacus');
});

test('weights that are inputs too may be given, and need not be', async () => {
  const model = await loadOnnx(
    writeModel({
      nodes: [{ op: 'Add', in: ['x', 'w'], out: ['y'] }],
      inputs: [
        { name: 'x', dims: [2] },
        { name: 'w', dims: [2] },
      ],
      outputs: [{ name: 'y' }],
      initializers: [{ name: 'w', dims: [2], data: [10, 20] }],
      irVersion: 3,
      opset: 8,
    }),
  );
  expect(model.inputs.map(({ name }) => name)).toEqual(['x']);
  expect([...(await (await model.run({ x: { data: [1, 2] } })).y.data())]).toEqual([11, 22]);
  expect([...(await (await model.run({ x: { data: [1, 2] }, w: { data: [5, 6] } })).y.data())]).toEqual([6, 8]);
});

test('functions that a model defines are written out, with attributes of the caller', async () => {
  const model = await loadOnnx(
    writeModel({
      nodes: [{ op: 'Leaky', domain: 'own', in: ['x'], out: ['y'], attributes: { slope: 0.5 }, floats: ['slope'] }],
      inputs: [{ name: 'x', dims: [2] }],
      outputs: [{ name: 'y' }],
      domains: { own: 1 },
      functions: [
        {
          domain: 'own',
          name: 'Leaky',
          inputs: ['a'],
          outputs: ['b'],
          nodes: [
            { op: 'LeakyRelu', in: ['a'], out: ['t'], references: { alpha: 'slope' } },
            { op: 'Neg', in: ['t'], out: ['b'] },
          ],
        },
      ],
    }),
  );
  expect([...(await (await model.run({ x: { data: [2, -2] } })).y.data())]).toEqual([-2, 1]);
});

describe('weights beside the model', () => {
  const bytes = writeModel({
    nodes: [{ op: 'Add', in: ['x', 'w'], out: ['y'] }],
    inputs: [{ name: 'x', dims: [2] }],
    outputs: [{ name: 'y' }],
    initializers: [{ name: 'w', dims: [2], data: [], external: { location: 'w.data', offset: '4', length: '8' } }],
  });
  const data = new Uint8Array(Float32Array.of(9, 1, 2).buffer);

  test('are found by its path, or given', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'nabla-onnx-'));
    writeFileSync(join(folder, 'm.onnx'), bytes);
    writeFileSync(join(folder, 'w.data'), data);
    for (const model of [
      await loadOnnx(join(folder, 'm.onnx')),
      await loadOnnx(bytes, { externalData: { 'w.data': data } }),
    ])
      expect([...(await (await model.run({ x: { data: [1, 1] } })).y.data())]).toEqual([2, 3]);
    rmSync(folder, { recursive: true });
  });

  test('are asked for where they are not, and must lie beside it', async () => {
    await expect(loadOnnx(bytes)).rejects.toThrow("externalData: { 'w.data': bytes }");
    await expect(loadOnnx(bytes, { externalData: { 'w.data': data.subarray(0, 8) } })).rejects.toThrow(
      "its data are bytes 4 to 12 of 'w.data', which has 8",
    );
    const outside = { name: 'w', dims: [2], data: [], external: { location: '../w' } };
    const away = writeModel({ nodes: [], inputs: [], outputs: [], initializers: [outside] });
    await expect(loadOnnx(away)).rejects.toThrow("asks for the file '../w', which does not lie beside it");
    const folder = mkdtempSync(join(tmpdir(), 'nabla-onnx-'));
    mkdirSync(join(folder, 'inner'));
    writeFileSync(join(folder, 'w'), data);
    writeFileSync(join(folder, 'inner', 'm.onnx'), away);
    const { problems } = await inspectOnnx(join(folder, 'inner', 'm.onnx'));
    expect(problems.map(({ why }) => why)).toEqual([expect.stringContaining("its data are in another file, '../w'")]);
    rmSync(folder, { recursive: true });
  });
});

test('normalisations after convolutions are folded into their weights', async () => {
  const numbers = (name: string) => ({ name, dims: [4], data: [0.5, 1, 2, 3] });
  const norm = (from: string, to: string) => ({ op: 'BatchNormalization', in: [from, 'g', 'b', 'm', 'v'], out: [to] });
  const model = await loadOnnx(
    writeModel({
      nodes: [
        { op: 'Conv', in: ['x', 'w', 'c'], out: ['a'], attributes: { group: 2 } },
        norm('a', 'an'),
        { op: 'ConvTranspose', in: ['an', 'u'], out: ['d'], attributes: { group: 2, strides: [2, 2] } },
        norm('d', 'y'),
      ],
      inputs: [{ name: 'x', dims: ['n', 4, 5, 5] }],
      outputs: [{ name: 'y' }],
      initializers: [
        floats('w', [4, 2, 3, 3]),
        floats('c', [4], 7),
        floats('u', [4, 2, 2, 2], 9),
        numbers('g'),
        floats('b', [4], 3),
        floats('m', [4], 2),
        numbers('v'),
      ],
    }),
  );
  const x = tensor(Float32Array.from(wave(200)), { shape: [2, 4, 5, 5] });
  const { y } = await model.run({ x });
  const kernels = engineStats().kernelsLastRun;
  const plain = await model.forward(x).data();
  expect(engineStats().kernelsLastRun).toBeGreaterThanOrEqual(kernels);
  (await y.data()).forEach((value, i) => expect(value).toBeCloseTo(plain[i], 4));
});

// ---------------------------------------------------------------- control flow

/** y = steps of x · 2, beginning with x, while it is below `limit`. */
const LOOP: WrittenModel = {
  nodes: [
    {
      op: 'Loop',
      in: ['steps', 'go', 'x'],
      out: ['last', 'all'],
      attributes: {
        body: {
          nodes: [
            { op: 'Add', in: ['v', 'v'], out: ['next'] },
            { op: 'Less', in: ['next', 'limit'], out: ['again'] },
            { op: 'Identity', in: ['next'], out: ['row'] },
          ],
          inputs: [{ name: 'i', type: 7 }, { name: 'c', type: 9 }, { name: 'v' }],
          outputs: [{ name: 'again', type: 9 }, { name: 'next' }, { name: 'row' }],
        },
      },
    },
  ],
  inputs: [
    { name: 'x', dims: [] },
    { name: 'steps', type: 7, dims: [] },
  ],
  outputs: [{ name: 'last' }, { name: 'all' }],
  initializers: [
    { name: 'go', type: 9, dims: [], data: [1] },
    { name: 'limit', dims: [], data: [20] },
  ],
};

test('a Loop ends by its number of steps or by what it computes', async () => {
  const model = await loadOnnx(writeModel(LOOP));
  const short = await model.run({ x: 1, steps: 3 });
  expect([...(await short['all'].data())]).toEqual([2, 4, 8]);
  const long = await model.run({ x: tensor(3), steps: 100 });
  expect([...(await long['all'].data())]).toEqual([6, 12, 24]);
  expect(await long['last'].item()).toBe(24);
});

const branch = (op: string) => ({ nodes: [{ op, in: ['x'], out: ['r'] }], inputs: [], outputs: [{ name: 'r' }] });
const IF: WrittenModel = {
  nodes: [
    { op: 'Equal', in: ['rate', 'sixteen'], out: ['is16'] },
    { op: 'If', in: ['is16'], out: ['y'], attributes: { then_branch: branch('Neg'), else_branch: branch('Exp') } },
  ],
  inputs: [
    { name: 'x', dims: ['n'] },
    { name: 'rate', type: 7, dims: [] },
  ],
  outputs: [{ name: 'y' }],
  initializers: [{ name: 'sixteen', type: 7, dims: [], data: [16000] }],
};

test('an If on an input picks a branch, and both programs stay', async () => {
  const model = await loadOnnx(writeModel(IF));
  const run = async (rate: number) => [...(await (await model.run({ x: { data: [0, 1] }, rate })).y.data())];
  expect(await run(16000)).toEqual([-0, -1]);
  expect((await run(8000))[0]).toBe(1);
  const before = engineStats().programs;
  await run(16000);
  await run(8000);
  expect(engineStats().programs).toBe(before);
  expect([...(await model.outputsOf({ x: { data: [2] }, rate: 16000 }).y.data())]).toEqual([-2]);
  // where the rate cannot be read, both branches are computed
  expect([...(await model.forward(tensor([1]), tensor(16000, { dtype: 'int32' })).data())]).toEqual([-1]);
});

test('an If on what is computed: branches of one shape are both computed, others are read', async () => {
  const nodes = (other: string): WrittenNode[] => [
    { op: 'ReduceSum', in: ['x'], out: ['sum'], attributes: { keepdims: 0 } },
    { op: 'Greater', in: ['sum', 'zero'], out: ['isPositive'] },
    {
      op: 'If',
      in: ['isPositive'],
      out: ['y'],
      attributes: { then_branch: branch('Neg'), else_branch: branch(other) },
    },
  ];
  const given = { inputs: [{ name: 'x', dims: ['n'] }], outputs: [{ name: 'y' }] };
  const initializers = [{ name: 'zero', dims: [], data: [0] }];
  const x = (...data: number[]) => ({ x: { data: [...data, ...Array.from({ length: 98 }, () => 0)] } });
  for (const other of ['Abs', 'Shape']) {
    const model = await loadOnnx(writeModel({ ...given, initializers, nodes: nodes(other) }));
    const [a, b] = [await model.run(x(3, -1)), await model.run(x(-3, 1))];
    expect([...(await a.y.data())].slice(0, 2)).toEqual([-3, 1]);
    expect([...(await b.y.data())].slice(0, 2)).toEqual(other === 'Abs' ? [3, 1] : [100]);
    if (other === 'Abs') expect((await model.forward(tensor([2, 0])).data())[0]).toBe(-2);
    else
      expect(() => model.forward(tensor([2, 0]))).toThrow('Give "x" as a number or as { data, shape }, or use run()');
  }
});

test('a Scan adds up rows, which are given one by one', async () => {
  const model = await loadOnnx(
    writeModel({
      nodes: [
        {
          op: 'Scan',
          in: ['s', 'x'],
          out: ['total', 'sums'],
          attributes: {
            num_scan_inputs: 1,
            body: {
              nodes: [
                { op: 'Add', in: ['a', 'row'], out: ['b'] },
                { op: 'Identity', in: ['b'], out: ['c'] },
              ],
              inputs: [{ name: 'a' }, { name: 'row' }],
              outputs: [{ name: 'b' }, { name: 'c' }],
            },
          },
        },
      ],
      inputs: [
        { name: 's', dims: [2] },
        { name: 'x', dims: [3, 2] },
      ],
      outputs: [{ name: 'total' }, { name: 'sums' }],
    }),
  );
  const { total, sums } = await model.run({ s: { data: [0, 0] }, x: { data: [1, 2, 3, 4, 5, 6], shape: [3, 2] } });
  expect([...(await total.data())]).toEqual([9, 12]);
  expect([...(await sums.data())]).toEqual([1, 2, 4, 6, 9, 12]);
});

test('sizes that depend on numbers are read on the way', async () => {
  const model = await loadOnnx(
    writeModel({
      nodes: [
        { op: 'Greater', in: ['x', 'zero'], out: ['positive'] },
        { op: 'NonZero', in: ['positive'], out: ['at'] },
        { op: 'Transpose', in: ['at'], out: ['rows'] },
        { op: 'GatherND', in: ['x', 'rows'], out: ['y'] },
      ],
      inputs: [{ name: 'x', dims: ['n'] }],
      outputs: [{ name: 'y' }],
      initializers: [{ name: 'zero', dims: [], data: [0] }],
    }),
  );
  const x = Array.from({ length: 100 }, (_, i) => (i % 30 === 7 ? i : -i));
  for (let i = 0; i < 2; i++)
    expect([...(await (await model.run({ x: { data: x } })).y.data())]).toEqual([7, 37, 67, 97]);
});

test('shapes are computed on the host: a chain of them leaves no kernel', async () => {
  const nodes = [
    { op: 'Shape', in: ['x'], out: ['s'] },
    { op: 'Gather', in: ['s', 'zero'], out: ['n'], attributes: { axis: 0 } },
    { op: 'Unsqueeze', in: ['n', 'axes'], out: ['n1'] },
    { op: 'Concat', in: ['n1', 'minus'], out: ['to'], attributes: { axis: 0 } },
    { op: 'Reshape', in: ['x', 'to'], out: ['flat'] },
    { op: 'Relu', in: ['flat'], out: ['y'] },
  ];
  const initializers: WrittenTensor[] = [
    { name: 'zero', type: 7, dims: [], data: [0] },
    ints('axes', 0),
    ints('minus', -1),
  ];
  const model = await loadOnnx(
    writeModel({ nodes, inputs: [{ name: 'x', dims: ['n', 2, 3] }], outputs: [{ name: 'y' }], initializers }),
  );
  const { y } = await model.run({ x: zeros([4, 2, 3]) });
  expect(y.shape).toEqual([4, 6]);
  expect(engineStats().kernelsLastRun).toBe(1);
});

// ---------------------------------------------------------------- errors

describe('errors', () => {
  test('a model that cannot be run: all that is in the way, with node, operator and opset', async () => {
    const bytes = writeModel({
      nodes: [
        { op: 'Frobnicate', in: ['x'], out: ['a'], name: 'first' },
        { op: 'Relu', in: ['a', 'x'], out: ['b'] },
        { op: 'Upsample', in: ['b', 'x'], out: ['c'] },
        { op: 'Neg', in: ['nowhere'], out: ['y'] },
        { op: 'Other', domain: 'com.microsoft', in: ['x'], out: ['d'] },
      ],
      inputs: [{ name: 'x', dims: [2] }],
      outputs: [{ name: 'y' }],
      domains: { 'com.microsoft': 1 },
    });
    const error = await loadOnnx(bytes).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(OnnxError);
    expect((error as OnnxError).problems).toEqual([
      { node: 'first', operator: 'Frobnicate', opset: 17, why: 'nabla does not have this operator' },
      { node: 'b', operator: 'Relu', opset: 17, why: 'it has 2 inputs, needs 1' },
      { node: 'c', operator: 'Upsample', opset: 17, why: 'the standard has it until opset 9 only' },
      { node: 'd', operator: 'com.microsoft::Other', opset: 1, why: 'nabla does not have this operator' },
      { node: 'y', operator: 'Neg', opset: 17, why: 'nothing computes its input "nowhere"' },
    ]);
    expect((error as Error).message).toContain('Frobnicate (opset 17) at "first": nabla does not have this operator');
  });

  test('inputs that do not fit are named together', async () => {
    const model = await loadOnnx(writeModel(IF));
    await expect(model.run({ x: zeros([2, 2]), wrong: 1 })).rejects.toThrow(
      /"x" is \[2, 2\], the graph takes \(float32 \[n\]\)[^]*"rate" \(int64 \[\]\) is missing[^]*no input "wrong"/,
    );
    await expect(model.run({ x: { data: [1] }, rate: 0.5 })).rejects.toThrow('"rate" is int64 and has 0.5 at 0');
  });

  test('of an input hide no other, and a weight that is an input need not be given', async () => {
    const model = await loadOnnx(
      writeModel({
        nodes: [{ op: 'Add', in: ['x', 'w'], out: ['y'] }],
        inputs: [{ name: 'x' }, { name: 'w', dims: [2] }],
        outputs: [{ name: 'y' }],
        initializers: [floats('w', [2])],
      }),
    );
    const wrong: readonly (readonly [feed: unknown, message: string])[] = [
      [null, 'is null. Give a tensor, a number or { data, shape }'],
      ['one', "is 'one'. Give a tensor, a number or { data, shape }"],
      [{ data: ['a'] }, "has 'a' at 0, no number"],
      [{ data: [1], shape: 5 }, 'has the shape 5. Give a list of whole numbers, 0 or more'],
      [{ data: [1], shape: [-1, -1] }, 'has the shape [-1, -1]. Give a list of whole numbers, 0 or more'],
    ];
    for (const [feed, why] of wrong) {
      const error: unknown = await model.run({ x: feed as number }).catch((reason: unknown) => reason);
      expect((error as OnnxError).problems.map((problem) => problem.why)).toEqual([`the input "x" ${why}`]);
    }
  });

  test('a node that does not fit what it is given says so', async () => {
    const model = await loadOnnx(
      writeModel({
        nodes: [{ op: 'MatMul', in: ['x', 'x'], out: ['y'], name: 'product' }],
        inputs: [{ name: 'x' }],
        outputs: [{ name: 'y' }],
      }),
    );
    await expect(model.run({ x: zeros([2, 3]) })).rejects.toThrow(
      'onnx: MatMul (opset 17) at "product": matmul: [2, 3] x [2, 3]: inner dimensions 3 and 2 differ',
    );
  });

  test('whole numbers beyond int32', async () => {
    const model = await loadOnnx(
      writeModel({
        nodes: [{ op: 'Identity', in: ['x'], out: ['y'] }],
        inputs: [{ name: 'x', type: 7, dims: ['n'] }],
        outputs: [{ name: 'y' }],
      }),
    );
    await expect(model.run({ x: { data: [2 ** 40, 1] } })).rejects.toThrow(
      '1099511627776 of int64 does not fit into int32',
    );
    expect([...(await (await model.run({ x: { data: BigInt64Array.of(-5n, 7n) } })).y.data())]).toEqual([-5, 7]);
  });

  test('names that are given twice', async () => {
    const model: WrittenModel = {
      nodes: [
        { op: 'Relu', in: ['x'], out: ['y'] },
        { op: 'Add', in: ['x', 'w'], out: ['y'], name: 'again' },
      ],
      inputs: [{ name: 'x' }, { name: 'x' }],
      outputs: [{ name: 'y' }],
      initializers: [floats('w', [2]), floats('w', [2], 1)],
    };
    const { problems } = await inspectOnnx(writeModel(model));
    expect(problems.map(({ node, why }) => [node, why])).toEqual([
      [undefined, 'there are two initializers "w"'],
      [undefined, 'there are two inputs "x"'],
      ['again', '"y" is there already, and it computes it again'],
    ]);
  });

  test('functions that call themselves, in a subgraph too, are one problem', async () => {
    const x = [{ name: 'x', dims: [1] }];
    const again = (out: string): WrittenNode => ({ op: 'F', domain: 'own', in: ['x'], out: [out] });
    const branch = { nodes: [again('b')], inputs: [], outputs: [{ name: 'b' }] };
    const both = { then_branch: branch, else_branch: branch };
    for (const nodes of [[again('z'), again('y')], [{ op: 'If', in: ['x'], out: ['y'], attributes: both }]]) {
      const functions = [{ domain: 'own', name: 'F', inputs: ['x'], outputs: ['y'], nodes }];
      const bytes = writeModel({ nodes: [again('y')], inputs: x, outputs: x, domains: { own: 1 }, functions });
      const { problems } = await inspectOnnx(bytes);
      expect(problems.filter(({ why }) => why.startsWith('functions'))).toEqual([
        { node: undefined, operator: 'own::F', opset: undefined, why: 'functions call one another too often' },
      ]);
    }
  });

  test('20,000 nodes in the wrong order are put into the right one at once', async () => {
    const count = 20_000;
    const chain = Array.from({ length: count }, (_, i): WrittenNode => ({
      op: 'Relu',
      in: [`v${i}`],
      out: [`v${i + 1}`],
    }));
    const inputs = [{ name: 'v0', dims: [1] }];
    const model = await loadOnnx(writeModel({ nodes: chain.toReversed(), inputs, outputs: [{ name: `v${count}` }] }));
    expect(model.until('v3').valueNames()).toEqual(['v1', 'v2', 'v3']);
  });

  test('bytes that are no model', async () => {
    await expect(loadOnnx(new TextEncoder().encode('<html>'))).rejects.toThrow(FormatError);
    await expect(loadOnnx(Uint8Array.of())).rejects.toThrow('the file has no graph');
  });
});
