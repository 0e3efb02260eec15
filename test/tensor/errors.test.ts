// What bad input says: class and whole text of every error a user can cause with tensors. Shape errors that the compiler
// can see have the same words in the editor: `says<Guard>` takes the text from the type.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  ArgumentError,
  CaptureError,
  DTypeError,
  DeviceError,
  GradError,
  IndexError,
  NablaError,
  OutOfMemoryError,
  ShapeError,
  StaleTensorError,
  type AnyTensor,
  type Tensor,
  arange,
  cat,
  checkGradient,
  compile,
  conv2d,
  customOp,
  disposeDevices,
  embedding,
  eye,
  full,
  grad,
  graphOf,
  jacobian,
  linspace,
  manualSeed,
  maxPool2d,
  noGrad,
  ones,
  rand,
  randint,
  setDevice,
  stack,
  tensor,
  zeros,
} from 'nabla';
import { CpuDevice } from '../../src/engine/device/cpu/device.js';
import { registerDevice } from '../../src/engine/engine.js';
import type { DimArg, NewDimArg } from '../../src/tensor/shape-types/axis.js';
import type { BroadcastArg, ExpandArg } from '../../src/tensor/shape-types/broadcast.js';
import type { ConcatArg, StackArg } from '../../src/tensor/shape-types/join.js';
import type { MatMulArg } from '../../src/tensor/shape-types/matmul.js';
import type { PermuteArg } from '../../src/tensor/shape-types/movement.js';
import type { FlattenArg, ReshapeArg } from '../../src/tensor/shape-types/reshape.js';
import type { MessageOf } from '../../src/tensor/shape-types/shape.js';
import type { ConvOfArg, PoolArg } from '../../src/tensor/shape-types/window.js';

type ErrorClass = abstract new (...args: never[]) => NablaError;

/** Zeros of a shape that the compiler does not know. */
const of = (...shape: number[]): Tensor => zeros(shape) as Tensor;
const ints = (...values: number[]): Tensor<number[], 'int32'> =>
  tensor(Int32Array.from(values)) as unknown as Tensor<number[], 'int32'>;
const says = <Guard>(text: MessageOf<Guard>): string => text;

function expectError(act: () => unknown, type: ErrorClass, text: string): void {
  let caught: unknown;
  try {
    act();
  } catch (error) {
    caught = error;
  }
  expect(caught).toBeInstanceOf(NablaError);
  expect([(caught as Error).name, (caught as Error).message]).toEqual([type.name, text]);
}

beforeAll(() => setDevice('reference'));
afterAll(() => disposeDevices());

describe('shapes: the compiler and the running program use the same words', () => {
  test.each<[string, () => unknown, ErrorClass?]>([
    [
      says<MatMulArg<[2, 3], [4, 5]>>('matmul: [2, 3] x [4, 5]: inner dimensions 3 and 4 differ'),
      () => of(2, 3).matmul(of(4, 5)),
    ],
    [says<MatMulArg<[3], [4]>>('matmul: [3] x [4]: inner dimensions 3 and 4 differ'), () => of(3).matmul(of(4))],
    [
      says<MatMulArg<[2, 3, 4], [5, 4, 6]>>('matmul: [2, 3, 4] x [5, 4, 6]: sizes 2 and 5 do not broadcast'),
      () => of(2, 3, 4).matmul(of(5, 4, 6)),
    ],
    [
      says<MatMulArg<[], [3]>>('matmul: [] x [3]: both arguments need at least one dimension'),
      () => of().matmul(of(3)),
    ],
    [
      says<BroadcastArg<'add', [2, 3], [4, 5]>>('add: [2, 3] x [4, 5]: sizes 2 and 4 do not broadcast'),
      () => of(2, 3).add(of(4, 5)),
    ],
    [says<BroadcastArg<'pow', [0], [2]>>('pow: [0] x [2]: sizes 0 and 2 do not broadcast'), () => of(0).pow(of(2))],
    [says<BroadcastArg<'max', [3], [2]>>('max: [3] x [2]: sizes 3 and 2 do not broadcast'), () => of(3).maximum(of(2))],
    [
      says<ExpandArg<[2, 3], [4, 3]>>('expand: [2, 3] to [4, 3]: only axes of size 1 can grow'),
      () => of(2, 3).expand([4, 3]),
    ],
    [
      says<ExpandArg<[2, 3], [4, -1]>>('expand: [2, 3] to [4, 3]: only axes of size 1 can grow'),
      () => of(2, 3).expand([4, -1]),
    ],
    [says<ExpandArg<[2, 3], [3]>>('expand: [2, 3] to [3]: only axes of size 1 can grow'), () => of(2, 3).expand([3])],
    [
      says<DimArg<'sum', [2, 3], 2>>('sum: dimension 2 is out of range for a tensor of rank 2. Use -2 to 1.'),
      () => of(2, 3).sum(2),
      ArgumentError,
    ],
    [
      says<DimArg<'mean', [2, 3], [0, 4]>>('mean: dimension 4 is out of range for a tensor of rank 2. Use -2 to 1.'),
      () => of(2, 3).mean([0, 4]),
      ArgumentError,
    ],
    [
      says<DimArg<'mean', [2, 3], [1, -1]>>('mean: dimension 1 is listed twice.'),
      () => of(2, 3).mean([1, -1]),
      ArgumentError,
    ],
    [
      says<DimArg<'softmax', [2], 1>>('softmax: dimension 1 is out of range for a tensor of rank 1. Use -1 to 0.'),
      () => of(2).softmax(1),
      ArgumentError,
    ],
    [
      says<NewDimArg<'unsqueeze', [2, 3], 3>>(
        'unsqueeze: dimension 3 is out of range for a new dimension of [2, 3]. Use -3 to 2.',
      ),
      () => of(2, 3).unsqueeze(3),
      ArgumentError,
    ],
    [
      says<PermuteArg<[2, 3], [0, 1, 2]>>('permute: [2, 3] has 2 dimensions, [0, 1, 2] lists 3'),
      () => of(2, 3).permute([0, 1, 2]),
    ],
    [
      says<PermuteArg<[2, 3], [0, 0]>>('permute: dimension 0 is listed twice.'),
      () => of(2, 3).permute([0, 0]),
      ArgumentError,
    ],
    [
      says<PermuteArg<[2, 3], [0, 2]>>('permute: dimension 2 is out of range for a tensor of rank 2. Use -2 to 1.'),
      () => of(2, 3).permute([0, 2]),
      ArgumentError,
    ],
    [says<ReshapeArg<[2, 3], [4, 2]>>('reshape: [2, 3] has 6 elements, [4, 2] has 8'), () => of(2, 3).reshape([4, 2])],
    [
      says<ReshapeArg<[2, 3], [4, -1]>>('reshape: [2, 3] has 6 elements, [4, -1] takes a multiple of 4'),
      () => of(2, 3).reshape([4, -1]),
    ],
    [
      says<ReshapeArg<[2, 3], [-1, -1]>>('reshape: [-1, -1] has more than one -1'),
      () => of(2, 3).reshape([-1, -1] as number[]),
    ],
    [
      says<FlattenArg<[2, 3, 4], 2, 1>>('flatten: start dimension 2 comes after end dimension 1'),
      () => of(2, 3, 4).flatten(2, 1),
    ],
    [
      says<ConcatArg<[[2, 3], [2, 4], [3, 4]], 1>>('cat: [2, 3] and [3, 4] differ outside dimension 1'),
      () => cat([of(2, 3), of(2, 4), of(3, 4)], 1),
    ],
    [
      says<ConcatArg<[[2, 3], [2]], -1>>('cat: [2, 3] and [2] differ outside dimension 1'),
      () => cat([of(2, 3), of(2)], -1),
    ],
    [says<StackArg<[[2, 3], [2, 4]]>>('stack: [2, 3] and [2, 4] differ'), () => stack([of(2, 3), of(2, 4)])],
    [
      says<ConvOfArg<'conv2d', 2, [8, 4, 9, 9], [16, 1, 3, 3], 2>>(
        'conv2d: input [8, 4, 9, 9] has 4 channels, weight [16, 1, 3, 3] with 2 groups takes 2',
      ),
      () => conv2d(of(8, 4, 9, 9), of(16, 1, 3, 3), { groups: 2 }),
    ],
    [
      says<ConvOfArg<'conv2d', 2, [8, 4, 2, 9], [16, 4, 3, 3]>>(
        'conv2d: kernel of size 3 does not fit an input of size 2 with padding 0 and 0',
      ),
      () => conv2d(of(8, 4, 2, 9), of(16, 4, 3, 3)),
    ],
    [
      says<PoolArg<'maxPool2d', 2, [1, 3, 1, 4], 2>>(
        'maxPool2d: kernel of size 2 does not fit an input of size 1 with padding 0 and 0',
      ),
      () => maxPool2d(of(1, 3, 1, 4), 2),
    ],
  ])('%s', (text, act, type) => expectError(act, type ?? ShapeError, text));
});

describe('given values', () => {
  test.each<[ErrorClass, string, () => unknown]>([
    [
      ShapeError,
      'tensor: ragged array: element [1] has length 1, length 2 was expected.',
      () => tensor([[1, 2], [3]] as never),
    ],
    [
      ShapeError,
      'tensor: ragged array: element [1] is a single value, length 2 was expected.',
      () => tensor([[1, 2], 3] as never),
    ],
    [ArgumentError, 'tensor: element [0][1] is string. Use numbers or booleans.', () => tensor([[1, 'x']] as never)],
    [ArgumentError, 'tensor: element [1] is null. Use numbers or booleans.', () => tensor([1, null] as never)],
    [
      ShapeError,
      'tensor: 3 numbers do not fill shape [2, 2], which has 4.',
      () => tensor(new Float32Array(3), { shape: [2, 2] }),
    ],
    [
      DTypeError,
      'tensor: 64-bit integers are not supported. Convert them to Int32Array or Float32Array.',
      () => tensor(new BigInt64Array(2) as never),
    ],
    [
      DTypeError,
      "tensor: dtype 'float8' is not known. Use 'float32', 'float64', 'float16', 'bfloat16', 'int32', 'uint8', 'bool'.",
      () => tensor([1], { dtype: 'float8' as never }),
    ],
    [
      GradError,
      'tensor: only tensors of real numbers have gradients, not int32.',
      () => tensor(new Int32Array(2), { requiresGrad: true }),
    ],
    [ArgumentError, 'zeros: [2, -1] is not a shape. Sizes are whole numbers, 0 or more.', () => zeros([2, -1])],
    [ArgumentError, 'full: [1.5] is not a shape. Sizes are whole numbers, 0 or more.', () => full([1.5], 1)],
    [ArgumentError, 'arange: step is 0. Use a number other than 0.', () => arange(0, 3, 0)],
    [ArgumentError, 'linspace: count is 2.5. Use a whole number, 0 or more.', () => linspace(0, 1, 2.5)],
    [ArgumentError, 'eye: [-1, -1] is not a shape. Sizes are whole numbers, 0 or more.', () => eye(-1)],
    [ArgumentError, 'manualSeed: 0.5 is not a whole number below 2^31.', () => manualSeed(0.5)],
    [ArgumentError, 'randint: [3, 3) is not a range of whole numbers.', () => randint(3, 3, [2])],
  ])('%s %s', (type, text, act) => expectError(act, type, text));
});

describe('dtypes', () => {
  test.each<[string, () => unknown]>([
    ["gather: index is float32, indices are int32. Convert with to('int32').", () => of(3).gather(0, of(2) as never)],
    ['scatterAdd: base is float32, source is int32.', () => of(3).scatterAdd(0, ints(1), ints(1) as never)],
    [
      "assign_: int32 into float32. Convert with to('float32').",
      () => (tensor([0]) as AnyTensor).assign_(ints(1) as AnyTensor),
    ],
  ])('%s', (text, act) => expectError(act, DTypeError, text));
});

describe('arguments', () => {
  test.each<[ErrorClass, string, () => unknown]>([
    [ArgumentError, "add: the other operand is 'x', not a tensor. Pass a tensor.", () => of(2).add('x' as never)],
    [ArgumentError, 'mul: the other operand is missing. Pass a tensor.', () => of(2).mul(undefined as never)],
    [ArgumentError, 'slice: step is 0. Use a whole number other than 0.', () => of(3).slice(0, 0, 3, 0)],
    [ArgumentError, 'split: size is 0. Use a whole number above 0.', () => of(3).split(0)],
    [ShapeError, 'split: sizes [1, 1] add up to 2, dimension 0 has size 3', () => of(3).split([1, 1])],
    [ArgumentError, 'chunk: count is 0. Use a whole number above 0.', () => of(3).chunk(0)],
    [ArgumentError, 'cat: no tensors. Give at least one.', () => cat([])],
    [
      ArgumentError,
      'pad: 2 pairs for a tensor of rank 1. Give at most 1.',
      () =>
        of(2).pad([
          [0, 0],
          [0, 0],
        ]),
    ],
    [ArgumentError, 'topk: k is 4, dimension 0 has size 3. Use 0 to 3.', () => of(3).topk(4)],
    [ArgumentError, 'norm: p is 0. Use a number above 0 or Infinity.', () => of(3).norm(0)],
    [ShapeError, 'max: [0] has no elements to reduce', () => of(0).max()],
    [ShapeError, 'argmax: [0] has no elements to reduce', () => of(0).argmax()],
    [ShapeError, 'T: [2] is not a matrix. Use transpose or permute.', () => of(2).T],
    [
      ArgumentError,
      "conv2d: padding 'same' needs stride 1, not 2, 2. Give the padding as a number.",
      () => conv2d(of(1, 1, 4, 4), of(1, 1, 3, 3), { padding: 'same', stride: 2 }),
    ],
    [
      ArgumentError,
      'conv2d: stride 0 is not valid. Use a whole number of at least 1, or 2 of them.',
      () => conv2d(of(1, 1, 4, 4), of(1, 1, 3, 3), { stride: 0 }),
    ],
    [
      ShapeError,
      'conv2d: bias [3] does not fit 1 output channels',
      () => conv2d(of(1, 1, 4, 4), of(1, 1, 3, 3), { bias: of(3) as AnyTensor }),
    ],
    [
      ArgumentError,
      'assign_: this tensor was computed, not given. Assign to an input or a parameter.',
      () => of(2).exp().assign_(of(2)),
    ],
    [
      ShapeError,
      'assign_: [3] into [2]: shapes differ',
      () => (tensor([1, 2]) as AnyTensor).assign_(of(3) as AnyTensor),
    ],
    [IndexError, 'index: 3 is out of range for dimension 0 with size 3. Use -3 to 2.', () => of(3).index(3)],
    [ShapeError, 'gather: index [3] does not fit [2, 2] along dimension 0', () => of(2, 2).gather(0, ints(0, 0, 0))],
  ])('%s %s', (type, text, act) => expectError(act, type, text));
});

describe('gradients', () => {
  const x = () => tensor([1, 2], { requiresGrad: true });
  test.each<[ErrorClass, string, () => unknown]>([
    [
      GradError,
      'backward: the tensor has shape [2], not one element. Reduce it to a scalar or pass a seed of its shape.',
      () => x().mul(2).backward(),
    ],
    [
      GradError,
      'backward: seed [3] does not have the shape [2] of the tensor.',
      () =>
        x()
          .mul(2)
          .backward(of(3) as AnyTensor),
    ],
    [
      GradError,
      'backward: nothing here requires a gradient. Set requiresGrad on an input or parameter, and do not call it under noGrad.',
      () => tensor([1]).sum().backward(),
    ],
    [
      GradError,
      'backward: nothing here requires a gradient. Set requiresGrad on an input or parameter, and do not call it under noGrad.',
      () => noGrad(() => x().sum()).backward(),
    ],
    [
      GradError,
      'requiresGrad_: this tensor was computed, not given. Call it on an input or a parameter.',
      () => x().mul(2).requiresGrad_(),
    ],
    [
      GradError,
      "requiresGrad_: only tensors of real numbers have gradients, this one is int32. Convert with to('float32').",
      () => ints(1).requiresGrad_(),
    ],
    [
      GradError,
      'grad: the function returned shape [2], not one number. Reduce it with sum() or mean().',
      () => grad((t: Tensor) => t as AnyTensor)(of(2)),
    ],
    [
      GradError,
      'twice: backward returned 0 gradients for 1 inputs. Return one for each, or null.',
      () => {
        const twice = customOp({ name: 'twice', forward: (_, t) => t.mul(2), backward: () => [] });
        const t = x() as unknown as Tensor;
        (twice(t).sum() as Tensor).backward();
      },
    ],
  ])('%s %s', (type, text, act) => expectError(act, type, text));

  test('a function that is not differentiable where it is checked is told by its numbers', async () => {
    const wrong = customOp({
      name: 'wrong',
      forward: (_, t) => t.square() as Tensor,
      backward: (_, g) => [g as AnyTensor],
    });
    const result = await checkGradient((t: Tensor) => wrong(t) as AnyTensor, [tensor([3]) as unknown as Tensor]);
    expect(result.ok).toBe(false);
  });

  test('graphOf with gradients needs a scalar, jacobian a float32 input', async () => {
    await expect(graphOf(x().mul(2) as AnyTensor, { gradients: true })).rejects.toThrow(
      new GradError('graphOf: gradients need a scalar, this tensor has 2 elements.'),
    );
    expect(() => jacobian((t) => t as AnyTensor, ints(1) as never)).toThrow(NablaError);
  });
});

describe.each(['reference', 'cpu'])('when it runs, on %s', (device) => {
  test('an index out of range names operator, index and size', async () => {
    setDevice(device);
    const rows = tensor([[1], [2]]);
    for (const bad of [2, -1, 0x7fffffff]) {
      const act = (rows as Tensor).gather(0, tensor(Int32Array.of(bad), { shape: [1, 1] }) as never).data();
      await expect(act).rejects.toThrow(
        new IndexError(`gather: index ${bad} is out of range for dimension 0 with size 2. Use 0 to 1.`, bad, 2),
      );
      await expect(embedding(rows, ints(0, bad)).data()).rejects.toThrow(IndexError);
    }
    expect(await rows.add(1).array()).toEqual([[2], [3]]); // the device goes on
  });

  test('tensors of two devices do not mix', async () => {
    setDevice(device);
    const other = await (tensor([1]) as AnyTensor).to(device === 'cpu' ? 'reference' : 'cpu');
    expectError(
      () => (tensor([1]) as Tensor).add(other as unknown as Tensor),
      DeviceError,
      `add: tensors on two devices (${device} and ${other.device}). Move one with to('${device}').`,
    );
  });

  test('a disposed tensor is stale', async () => {
    setDevice(device);
    const t = tensor([1, 2]);
    const sum = t.sum();
    t[Symbol.dispose]();
    await expect(t.data()).rejects.toThrow(StaleTensorError);
    await expect(sum.item()).rejects.toThrow(StaleTensorError);
  });

  test('tensors are stale after their device was disposed of, and dropping them is no error', async () => {
    for (const name of ['cpu', 'reference']) {
      setDevice(name);
      const t = tensor([1, 2]);
      const sum = t.sum();
      await disposeDevices();
      const text = 'read: a float32 tensor [2] went with its device when the devices were disposed of. Create it anew.';
      for (const read of [t.data(), sum.item()]) {
        const error = await read.catch((e: unknown) => e);
        expect(error).toBeInstanceOf(StaleTensorError);
        expect((error as Error).message).toBe(text);
      }
      t[Symbol.dispose]();
      expect(await tensor([1, 2]).sum().item()).toBe(3);
    }
    setDevice(device);
  });

  test('an intermediate value that a step has overwritten is stale, a kept one is not', async () => {
    setDevice(device);
    const p = tensor([1, 2], { requiresGrad: true }) as unknown as Tensor;
    const before = p.mul(10);
    const kept = p.mul(10).add(1).keep();
    p.assign_(p.add(1) as AnyTensor);
    expect(await p.array()).toEqual([2, 3]);
    expect(await kept.array()).toEqual([11, 21]);
    await expect(before.array()).rejects.toThrow(StaleTensorError);
  });

  test('item of many elements', async () => {
    setDevice(device);
    await expect(of(2).item()).rejects.toThrow(
      new ArgumentError('item: [2] has 2 elements, not one. Use data() or array().'),
    );
  });

  test('compile says what it cannot capture', async () => {
    setDevice(device);
    const reads = compile(async (t: AnyTensor) => {
      await t.data();
      return t.add(1) as AnyTensor;
    });
    await expect(reads(tensor([1]) as AnyTensor)).rejects.toThrow(CaptureError);
    const inner = compile((t: AnyTensor) => t.add(1) as AnyTensor);
    const outer = compile(async (t: AnyTensor) => inner(t));
    expect(await (await outer(tensor([1]) as AnyTensor)).array()).toEqual([2]); // one inside another is part of it
    await expect(inner('x' as never)).rejects.toThrow(
      new CaptureError('compile: arguments are tensors and numbers. Pass everything else through a closure.'),
    );
    expect(await (await inner(tensor([1]) as AnyTensor)).array()).toEqual([2]); // and goes on working
  });
});

test('an unknown device', () => {
  expectError(() => setDevice('tpu'), DeviceError, "device: 'tpu' is not known. Use one of 'cpu', 'reference'.");
});

test('a request beyond the heap names the tensor and the sizes, and the engine goes on', async () => {
  registerDevice('small', () => new CpuDevice({ threads: 1, heapBytes: 8 << 20, name: 'small' }));
  setDevice('small');
  const failed = rand([4096, 4096]).data();
  await expect(failed).rejects.toThrow(OutOfMemoryError);
  await expect(failed).rejects.toThrow(
    /^allocate: tensor mul \[4096, 4096\] of 67108864 bytes does not fit: \d+ of 8388608/,
  );
  expect(() => tensor(new Float32Array(4 << 20))).toThrow(/^allocate: tensor given \[4194304\] of 16777216 bytes/);
  expect(await ones([3]).add(1).array()).toEqual([2, 2, 2]);
});
