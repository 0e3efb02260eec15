// What a mask leaves out leaves no trace: NaN and ∞ in padding get neither into results nor, as 0 · NaN, into gradients.
import { describe, expect, test } from 'vitest';
import {
  type AnyTensor,
  type Tensor,
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  scaledDotProductAttention,
  setDevice,
  tensor,
} from 'nabla';
import * as nn from 'nabla/nn';
import { type Loose, forward, give, loose } from './support/loose.js';

const numbers = async (t: unknown): Promise<number[]> => [...(await loose(t).data())].map(Number);

/** Three steps of two sequences of two numbers; behind the end of each stands `padding`. */
const sequences = (padding: number): Loose =>
  give([0.5, -1, 0.25, 2, padding, padding, -0.5, 1, padding, padding, padding, padding], [3, 2, 2]).requiresGrad_();
const lengths = () => tensor(Int32Array.of(1, 2));

async function gradientsOf(layer: nn.Module, inputs: readonly Loose[]): Promise<number[][]> {
  const all = [...inputs, ...layer.parameters()];
  return Promise.all(all.map((t) => numbers(t.grad)));
}

describe.each(['reference', 'cpu'])('on %s', (device) => {
  test.each([
    ['RNN', () => new nn.RNN(2, 3)],
    ['RNN with relu', () => new nn.RNN(2, 3, { nonlinearity: 'relu' })],
    ['GRU', () => new nn.GRU(2, 3)],
    ['LSTM', () => new nn.LSTM(2, 3)],
    ['LSTM, two layers, both directions', () => new nn.LSTM(2, 3, { numLayers: 2, bidirectional: true })],
  ])('%s: padding is as good as 0', async (_name, make) => {
    setDevice(device);
    const layer: nn.Module = make();
    const results: unknown[] = [];
    for (const padding of [0, NaN, Infinity, -Infinity]) {
      layer.zeroGrad();
      const x = sequences(padding);
      const [output, state] = forward<[Loose, Loose | Loose[]]>(layer, x, undefined, { lengths: lengths() });
      const last = [state].flat();
      [output, ...last]
        .map((t) => t.square().sum())
        .reduce((a, b) => a.add(b))
        .backward();
      results.push([
        await numbers(output),
        ...(await Promise.all(last.map(numbers))),
        ...(await gradientsOf(layer, [x])),
      ]);
    }
    expect(JSON.stringify(results[0])).not.toContain('null');
    for (const result of results.slice(1)) expect(result).toEqual(results[0]);
  });

  test('a row of −∞ in a float mask gives 0, and no gradient', async () => {
    setDevice(device);
    const q = give([1, 2, 3, 4], [2, 2]).requiresGrad_();
    const mask = give([0, 0, -Infinity, -Infinity], [2, 2]);
    const wanted = loose(Reflect.apply(scaledDotProductAttention, undefined, [q, q, q, { mask }]));
    wanted.sum().backward();
    const [first, second, ...rest] = await numbers(wanted);
    expect(rest).toEqual([0, 0]);
    const weight = 1 / (1 + Math.exp((5 - 11) / Math.SQRT2));
    expect(first).toBeCloseTo(1 + 2 * weight, 5);
    expect(second).toBeCloseTo(2 + 2 * weight, 5);
    // the same with the row left out altogether
    const [x, key] = [give([1, 2], [1, 2]).requiresGrad_(), give([1, 2, 3, 4], [2, 2]).requiresGrad_()];
    loose(Reflect.apply(scaledDotProductAttention, undefined, [x, key, key]))
      .sum()
      .backward();
    const [asQuery, asKey] = [await numbers(x.grad), await numbers(key.grad)];
    const all = await numbers(q.grad);
    all.forEach((g, i) => expect(g).toBeCloseTo(asKey[i] + (asQuery[i] ?? 0), 5));
  });

  test.each([
    ['float', () => give([0, 0, 0, -Infinity, -Infinity, -Infinity, 0, 0, -Infinity], [3, 3])],
    ['bool', () => tensor([false, false, false, true, true, true, false, false, true], { shape: [3, 3] })],
  ])('MultiheadAttention: a query that a %s mask forbids every key gives the bias', async (_name, mask) => {
    setDevice(device);
    const layer = new nn.MultiheadAttention(4, 2, { batchFirst: true });
    layer.outProj.bias!.assign_(tensor([1, 2, 3, 4]));
    for (const needWeights of [true, false]) {
      layer.zeroGrad();
      const x = give(
        [...Array(12).keys()].map((i) => Math.sin(i)),
        [1, 3, 4],
      ).requiresGrad_();
      const [output, weights] = forward<Loose[]>(layer, x, x, x, { attnMask: mask(), needWeights });
      output.square().sum().backward();
      const y = await numbers(output);
      expect(y.slice(4, 8)).toEqual([1, 2, 3, 4]);
      if (needWeights) expect((await numbers(weights)).slice(3, 6)).toEqual([0, 0, 0]);
      for (const g of (await gradientsOf(layer, [x])).flat()) expect(Number.isFinite(g)).toBe(true);
    }
  });

  test('MultiheadAttention: key padding and a float mask that leave nothing together', async () => {
    setDevice(device);
    const layer = new nn.MultiheadAttention(2, 1, { batchFirst: true });
    const x = give([1, 2, 3, 4], [1, 2, 2]).requiresGrad_();
    const attnMask = give([0, -Infinity, -Infinity, 0], [2, 2]);
    const keyPaddingMask = tensor([[false, true]]);
    const [output] = forward<Loose[]>(layer, x, x, x, { attnMask, keyPaddingMask });
    output.square().sum().backward();
    expect((await numbers(output)).slice(2)).toEqual([0, 0]);
    for (const g of (await gradientsOf(layer, [x])).flat()) expect(Number.isFinite(g)).toBe(true);
  });

  test('AdditiveAttention: a query that may look nowhere gives 0', async () => {
    setDevice(device);
    const layer = new nn.AdditiveAttention(2, 2, 3);
    const x = give([1, 2, 3, 4], [1, 2, 2]).requiresGrad_();
    const mask = tensor([
      [
        [true, false],
        [false, false],
      ],
    ]);
    const [context, weights] = forward<Loose[]>(layer, x, x, { mask });
    context.square().sum().backward();
    expect(await numbers(context)).toEqual([1, 2, 0, 0]);
    expect(await numbers(weights)).toEqual([1, 0, 0, 0]);
    for (const g of (await gradientsOf(layer, [x])).flat()) expect(Number.isFinite(g)).toBe(true);
  });

  test('Embedding: no gradient reaches the padding row, not even NaN', async () => {
    setDevice(device);
    const layer = new nn.Embedding(3, 2, { paddingIdx: 1 });
    const y = forward(layer, tensor(Int32Array.of(0, 1)));
    y.mul(give([1, 1, NaN, NaN], [2, 2]))
      .sum()
      .backward();
    expect(await numbers(layer.weight.grad)).toEqual([1, 1, 0, 0, 0, 0]);
  });

  test('ignored labels: their logits count nowhere', async () => {
    setDevice(device);
    const labels: AnyTensor = tensor(Int32Array.of(2, -100));
    for (const labelSmoothing of [0, 0.1]) {
      const losses: number[] = [];
      for (const odd of [0, NaN, Infinity]) {
        const x: AnyTensor = tensor([
          [1, 2, 3],
          [odd, 1, 2],
        ]);
        losses.push(await nn.crossEntropy(x, labels, { ignoreIndex: -100, labelSmoothing }).item());
      }
      expect(losses[1]).toBe(losses[0]);
      expect(losses[2]).toBe(losses[0]);
    }
  });

  test('adaptive pooling: a part has its own numbers alone', async () => {
    setDevice(device);
    const line: Tensor = tensor([[[1, 2, 3, 4, Infinity]]]);
    expect(await numbers(adaptiveAvgPool1d(line, 3))).toEqual([1.5, 3, Infinity]);
    const image: Tensor = tensor([
      [
        [1, 2, 3],
        [4, 5, 6],
        [7, 8, NaN],
      ],
    ]);
    expect(await numbers(adaptiveAvgPool2d(image, 2))).toEqual([3, 4, 6, NaN]);
  });
});
