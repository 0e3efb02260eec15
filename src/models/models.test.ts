// The models: parameter counts of the papers and of torchvision, its parameter names, shapes, and that they learn.
import { beforeEach, expect, test } from 'vitest';
import { manualSeed, noGrad, rand, randint, setDevice } from '../index.js';
import { crossEntropy } from '../nn/index.js';
import { AdamW } from '../optim/index.js';
import { CharLSTM, GPT, cnn, lenet5, mlp, resnet18 } from './index.js';

beforeEach(() => {
  setDevice('cpu');
  manualSeed(0);
});

test('parameter counts', () => {
  expect(lenet5().parameterCount).toBe(61_706);
  const resnet = resnet18();
  expect(resnet.parameterCount).toBe(11_689_512); // torchvision
  expect(resnet.forward(rand([1, 3, 64, 64])).shape).toEqual([1, 1000]);
  expect(mlp([784, 512, 256, 10]).parameterCount).toBe(784 * 512 + 512 + 512 * 256 + 256 + 2570);
  expect(new GPT({ vocabulary: 65 }).parameterCount).toBe(65 * 128 + 64 * 128 + 4 * (12 * 128 ** 2 + 2 * 128) + 128);
  expect(new CharLSTM({ vocabulary: 65 }).parameterCount).toBe(65 * 64 + 4 * 256 * (64 + 256 + 2) + 257 * 65);
});

test('torchvision names of ResNet-18', () => {
  const model = resnet18({ classes: 10, smallImages: true });
  expect(model.parameterCount).toBe(11_173_962);
  const keys = Object.keys(model.stateDict());
  expect(model.forward(rand([2, 3, 32, 32])).shape).toEqual([2, 10]);
  expect(keys).toHaveLength(122);
  expect(keys.slice(0, 7)).toEqual([
    'conv1.weight',
    'bn1.weight',
    'bn1.bias',
    'bn1.running_mean',
    'bn1.running_var',
    'bn1.num_batches_tracked',
    'layer1.0.conv1.weight',
  ]);
  expect(keys).toEqual(expect.arrayContaining(['layer2.0.downsample.0.weight', 'layer4.1.bn2.running_var', 'fc.bias']));
  expect(keys.some((key) => key.startsWith('layer1.0.downsample'))).toBe(false);
});

test('shapes', () => {
  expect(lenet5({ padding: 2 }).forward(rand([2, 1, 28, 28])).shape).toEqual([2, 10]);
  expect(cnn({ channels: 1, classes: 4, dropout: 0.1 }).forward(rand([2, 1, 28, 28])).shape).toEqual([2, 4]);
  expect(mlp([12, 5, 3]).forward(rand([4, 3, 4])).shape).toEqual([4, 3]);
  expect(() => mlp([3])).toThrow(/at least two/);
  expect(() => new GPT({ vocabulary: 5, width: 10, heads: 4 })).toThrow(/not a multiple/);
});

test.each([
  ['GPT', () => new GPT({ vocabulary: 11, context: 8, width: 16, heads: 2, layers: 2, dropout: 0.1 })],
  ['CharLSTM', () => new CharLSTM({ vocabulary: 11, width: 8, hidden: 16, layers: 2, dropout: 0.1 })],
] as const)('%s learns a sequence and does not look ahead', async (_, make) => {
  const model = make();
  const optimizer = new AdamW(model.parameters(), { lr: 0.01 });
  const x = randint(0, 11, [4, 8]);
  const start = crossEntropy(model.forward(x).reshape([-1, 11]), x.reshape([-1]));
  expect(Math.abs((await start.item()) - Math.log(11))).toBeLessThan(0.5);
  for (let i = 0; i < 60; i++) {
    optimizer.zeroGrad();
    const loss = crossEntropy(model.forward(x).reshape([-1, 11]), x.reshape([-1]));
    loss.backward();
    await optimizer.step();
  }
  model.eval();
  const [whole, part] = noGrad(() => [model.forward(x), model.forward(x.slice(1, 0, 5))]);
  const same = await whole.slice(1, 0, 5).sub(part).abs().amax().item();
  expect(same).toBeLessThan(1e-5);
  expect(await crossEntropy(whole.reshape([-1, 11]), x.reshape([-1])).item()).toBeLessThan(0.5);
});
