// Lecture 9, convolutional networks: convolutions in one and two dimensions, sizes, parameters, pooling, receptive fields.
import { expect, test } from 'vitest';
import { type Tensor, avgPool2d, conv1d, conv2d, manualSeed, maxPool2d, ones, randn, zeros } from 'nabla';
import { AvgPool2d, Conv2d, Flatten, Linear, MaxPool2d, Sequential } from 'nabla/nn';
import { functional as F } from 'nabla/data/transforms';
import { course, expectExact, expectSame, given } from '../support/course.js';

const SIGNAL = [4, 3, 2, -5, 3, 5, 2, 5, 5, 6];
const IMAGE = [
  [-5, 3, 2, -5, 3],
  [4, 3, 2, 1, -3],
  [1, 0, 3, 3, 5],
  [-2, 0, 1, 4, 4],
  [5, 6, 7, 9, -1],
];
const SLICE = [
  [3, 1, 3, 5],
  [6, 0, 7, 9],
  [3, 2, 1, 4],
  [0, 2, 4, 3],
];

const sizes = (model: { parameters(): readonly { size: number }[] }): number =>
  model.parameters().reduce((sum, p) => sum + p.size, 0);

/** Height and width behind a convolution of kernel F, stride S, padding P on N×N. */
const sideOf = (n: number, f: number, stride: number, padding: number): readonly number[] => {
  const y = conv2d(zeros([1, 1, n, n]) as Tensor, zeros([1, 1, f, f]) as never, { stride, padding }) as Tensor;
  return y.shape.slice(2);
};

course('lecture 9', () => {
  test('a neuron on a 5×5 image has 25 weights, on three channels 75; three neurons have 225', () => {
    const layer = (channels: number, neurons: number): number =>
      sizes(new Linear(new Flatten().forward(zeros([1, channels, 5, 5])).shape[1], neurons, { bias: false }));
    expect([layer(1, 1), layer(3, 1), layer(3, 3)]).toEqual([25, 75, 225]);
  });

  test('a neuron on 1000×1000×3 has three million weights: a thousand of them have three billion', () => {
    expect(1000 * sizes(new Linear(1000 * 1000 * 3, 1, { bias: false }))).toBe(3e9);
  });

  test('box filter, shrinking: 3, 0, 0, 1, 10/3, 4, 4, 16/3', async () => {
    const y = conv1d(given([[SIGNAL]]), ones([1, 1, 3]).div(3) as never);
    await expectExact(y, [[[3, 0, 0, 1, 10 / 3, 4, 4, 16 / 3]]]);
  });

  test('box filter, padded with zeros: 7/3 and 11/3 at the ends', async () => {
    const y = conv1d(given([[SIGNAL]]), ones([1, 1, 3]).div(3) as never, { padding: 'same' });
    await expectExact(y, [[[7 / 3, 3, 0, 0, 1, 10 / 3, 4, 4, 16 / 3, 11 / 3]]]);
  });

  // The text prints 6, 1, 8, −7 and 9; the other positions are in figures that it lacks.
  test('sharpening a 5×5 image gives 3×3: 6, 1, 8 / −7, 9, …', async () => {
    const kernel = given([
      [
        [
          [0, -1, 0],
          [-1, 5, -1],
          [0, -1, 0],
        ],
      ],
    ]);
    const y = conv2d(given([[IMAGE]]), kernel as never);
    await expectExact(y, [
      [
        [
          [6, 1, 8],
          [-7, 9, 2],
          [-5, -9, 3],
        ],
      ],
    ]);
  });

  test('image filters: edges of a flat image are 0, the others leave it as it is', () => {
    const flat = { data: new Float32Array(25).fill(7), shape: [1, 5, 5] as const };
    const middle = (kernel: (typeof F.kernels)[keyof typeof F.kernels]): number[] =>
      Array.from(F.filter2d(flat, kernel, { padding: 'valid' }).data, (v) => Number(v.toFixed(4)));
    expect(middle(F.kernels.edge)).toEqual(Array(9).fill(0));
    for (const kernel of [F.kernels.box, F.kernels.sharpen, F.kernels.gaussian])
      expect(middle(kernel)).toEqual(Array(9).fill(7));
  });

  test('RGB: a 5×5×3 filter is a 75-dimensional dot product plus bias, at 28×28 places of 32×32', async () => {
    manualSeed(1);
    const layer = new Conv2d(3, 1, 5);
    expect(layer.weight.size).toBe(75);
    const x = randn([1, 3, 32, 32]).detach();
    const y = layer.forward(x) as Tensor;
    expect(y.shape).toEqual([1, 1, 28, 28]);
    const chunk = (x as Tensor).slice(2, 4, 9).slice(3, 7, 12).reshape([75]) as Tensor;
    const z = (layer.weight as Tensor)
      .reshape([75])
      .matmul(chunk)
      .add(layer.bias as Tensor) as Tensor;
    await expectSame(y.slice(2, 4, 5).slice(3, 7, 8).reshape([1]), z);
    expect(() => layer.forward(zeros([1, 4, 32, 32]) as never)).toThrow(/channel/);
  });

  test('several filters give as many activation maps', () => {
    expect(new Conv2d(3, 6, 5).forward(zeros([1, 3, 32, 32])).shape).toEqual([1, 6, 28, 28]);
  });

  test('7×7 with a 3×3 filter: 5×5 with stride 1, 3×3 with stride 2', () => {
    expect(sideOf(7, 3, 1, 0)).toEqual([5, 5]);
    expect(sideOf(7, 3, 2, 0)).toEqual([3, 3]);
  });

  // 7/3 + 1 is a fraction, which the slide calls illegal and the next one rounds down, as is done in practice.
  test('7×7 with stride 3 leaves a rest: rounded down it is 2×2; a kernel larger than its input is an error', () => {
    expect(sideOf(7, 3, 3, 0)).toEqual([2, 2]);
    expect(() => sideOf(7, 9, 1, 0)).toThrow(/kernel|window|7/);
    expect(() => new Conv2d(1, 1, 3, { stride: 0 })).toThrow(/stride/);
  });

  test('three 5×5 convolutions shrink 32 to 28, 24 and 20', () => {
    const side = [28, 24, 20];
    side.forEach((n, i) => expect(sideOf(i === 0 ? 32 : side[i - 1], 5, 1, 0)).toEqual([n, n]));
  });

  test('7×7 with padding 1 stays 7×7; padding (F − 1)/2 is a same convolution', () => {
    expect(sideOf(7, 3, 1, 1)).toEqual([7, 7]);
    for (const f of [1, 3, 5, 7] as const) {
      expect(sideOf(12, f, 1, (f - 1) / 2)).toEqual([12, 12]);
      expect(new Conv2d(1, 1, f as number, { padding: 'same' }).forward(zeros([1, 1, 12, 12])).shape).toEqual([
        1, 1, 12, 12,
      ]);
    }
  });

  test('10 filters of 5×5 with padding 2 on 32×32×3: 32×32×10, 76 parameters each, 760 in all', () => {
    const layer = new Conv2d(3, 10, 5, { padding: 2 });
    expect(layer.forward(zeros([1, 3, 32, 32])).shape).toEqual([1, 10, 32, 32]);
    expect(sizes(new Conv2d(3, 1, 5))).toBe(76);
    expect(sizes(layer)).toBe(760);
  });

  // The answer (3, 4, 5, 5) puts the input channels first; nabla (as PyTorch) has (4, 3, 5, 5).
  test('Q1: the weight of 4 filters of 5×5 on RGB has four dimensions, of 3, 4, 5 and 5', () => {
    expect(new Conv2d(3, 4, 5).weight.shape).toEqual([4, 3, 5, 5]);
  });

  test('max pooling 2×2 with stride 2: 6, 9 / 3, 4', async () => {
    await expectExact(maxPool2d(given([[SLICE]]), 2), [
      [
        [
          [6, 9],
          [3, 4],
        ],
      ],
    ]);
  });

  test('average pooling 2×2 with stride 2: 2.5, 6 / 1.75, 3', async () => {
    await expectExact(avgPool2d(given([[SLICE]]), 2), [
      [
        [
          [2.5, 6],
          [1.75, 3],
        ],
      ],
    ]);
  });

  test('pooling keeps the depth, has no parameters, and gives (W − F)/S + 1 for the common settings', () => {
    const x = zeros([1, 8, 13, 13]);
    expect(new MaxPool2d(3, { stride: 2 }).forward(x).shape).toEqual([1, 8, 6, 6]);
    expect(new MaxPool2d(2, { stride: 2 }).forward(zeros([1, 8, 12, 12])).shape).toEqual([1, 8, 6, 6]);
    expect(sizes(new MaxPool2d(2)) + sizes(new AvgPool2d(2))).toBe(0);
  });

  test('receptive field: one 3×3 filter sees 9 pixels, two see 5×5 = 25', () => {
    const one = new Conv2d(1, 1, 3);
    expect(one.receptiveField().size).toEqual([3, 3]);
    expect(one.forward(zeros([1, 1, 5, 5])).shape).toEqual([1, 1, 3, 3]);
    const two = new Sequential(new Conv2d(1, 1, 3), new Conv2d(1, 1, 3));
    expect(two.receptiveField().size).toEqual([5, 5]);
    expect(two.forward(zeros([1, 1, 7, 7])).shape).toEqual([1, 1, 3, 3]);
  });

  test('receptive field: one output value of two 3×3 convolutions depends on exactly 25 inputs', async () => {
    const x = zeros([1, 1, 7, 7], { requiresGrad: true }) as Tensor;
    const kernel = ones([1, 1, 3, 3]) as never;
    const y = conv2d(conv2d(x, kernel) as Tensor, kernel) as Tensor;
    y.slice(2, 1, 2).slice(3, 1, 2).sum().backward();
    await expectExact((x.grad as Tensor).gt(0).sum(), 25);
  });

  test('recap: a same 3×3 convolution with stride 2 on 64×64 gives floor(32.5) = 32', () => {
    expect(sideOf(64, 3, 2, 1)).toEqual([32, 32]);
  });
});
