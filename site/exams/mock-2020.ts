import { type Tensor, grad, randn, tensor, zeros } from 'nabla';
import { Precision, Recall } from 'nabla/metrics';
import { BatchNorm2d, Conv2d, Linear, mseLoss } from 'nabla/nn';
import source from 'source:./mock-2020.ts';
import { type Exam, exercise } from './exercise.js';

const bits = (number: number, count = 8): number[] =>
  Array.from({ length: count }, (_, i) => (number >> (count - 1 - i)) & 1);
const NETWORK = `Two inputs, a layer of two neurons with ReLU, a linear layer with two outputs:
  <br><var>W</var><sub>1</sub> = (1, 0.5; −0.5, −1), <var>b</var><sub>1</sub> = (0.5, −0.5), <var>W</var><sub>2</sub> = (0.5, −0.5; −1, 1), <var>b</var><sub>2</sub> = (−1, 0.5); a row of a matrix belongs to a neuron.`;
const inputs = { x1: 2, x2: -1 };
const others = { x1: [2, 1, 3, -1, 4], x2: [-1, 1, -2, 2, 0] };

export const mock2020: Exam = {
  name: 'mock-2020',
  title: 'Mock exam',
  date: 'Summer 2020',
  source,
  exercises: [
    exercise({
      id: 'I.3',
      title: 'What batch norm learns',
      given: { channels: 2 },
      vary: { channels: [2, 3, 8, 16, 64] },
      ask: ({ channels }) =>
        `Batch norm follows a convolution with ${channels} filters. How many numbers does it learn? Can they undo the normalisation (1 for yes, 0 for no)?`,
      answer: { kind: 'numbers', labels: ['numbers', 'can undo'] },
      async solve({ channels }, tell) {
        const x = randn([6, channels, 3, 3]).mul(3).add(5);
        const norm = new BatchNorm2d(channels, { eps: 0 });
        const count = norm.parameters().reduce((sum, p) => sum + p.size, 0);
        await tell('γ and β have one number a channel each: together', count);
        const { variance, mean } = { variance: x.var([0, 2, 3], { correction: 0 }), mean: x.mean([0, 2, 3]) };
        norm.weight?.assign_(variance.sqrt());
        norm.bias?.assign_(mean);
        const gap = await norm.forward(x).sub(x).abs().max().item();
        await tell('With γ = the standard deviation and β = the mean, output and input differ by at most', gap);
        return [count, gap < 1e-4 ? 1 : 0];
      },
    }),
    exercise({
      id: 'II.2',
      title: 'Recall and precision',
      given: { predicted: 0b11100000, truth: 0b11011000 },
      vary: { predicted: [0b11100000, 0b10110010, 0b11110000], truth: [0b11011000, 0b10010111, 0b01100001] },
      ask: ({ predicted, truth }) =>
        `A classifier says ${bits(predicted).join(', ')}; true is ${bits(truth).join(', ')}. What are recall and precision of class 1?`,
      answer: { kind: 'numbers', labels: ['recall', 'precision'], decimals: 3 },
      async solve({ predicted, truth }, tell) {
        const list = (n: number): number[] => Array.from({ length: 8 }, (_, i) => (n >> (7 - i)) & 1);
        const [p, t] = [list(predicted), list(truth)];
        const [said, is] = [tensor(p, { dtype: 'int32' }), tensor(t, { dtype: 'int32' })];
        const hits = said.mul(is).sum();
        await tell('True positives', hits);
        await tell('Samples that are positive', is.sum());
        await tell('Samples that are said to be', said.sum());
        const recall = new Recall({ numClasses: 2, average: 'binary' });
        const precision = new Precision({ numClasses: 2, average: 'binary' });
        for (const metric of [recall, precision]) metric.update(said, is);
        return [await recall.compute(), await precision.compute()];
      },
    }),
    exercise({
      id: 'II.6',
      title: 'The backward pass of a linear layer',
      given: { n: 4, d: 3, m: 2 },
      vary: { n: [4, 8, 32], d: [3, 5, 10], m: [2, 6, 7] },
      ask: ({ n, d, m }) =>
        `<var>Y</var> = <var>XW</var> + <var>b</var> with <var>X</var> of ${n}×${d} and <var>W</var> of ${d}×${m}. From <var>dY</var>, the loss's derivative at <var>Y</var>, the layer computes three derivatives. What are their sizes?`,
      answer: {
        kind: 'numbers',
        labels: ['rows of dX', 'columns of dX', 'rows of dW', 'columns of dW', 'length of db'],
      },
      async solve({ n, d, m }, tell) {
        const x = randn([n, d], { requiresGrad: true });
        const w = randn([d, m], { requiresGrad: true });
        const b = randn([m], { requiresGrad: true });
        const dY = randn([n, m]);
        x.matmul(w).add(b).backward(dY);
        const [dX, dW, db] = [dY.matmul(w.T), x.T.matmul(dY), dY.sum(0)];
        await tell('dX = dY·Wᵀ', dX.shape.join('×'));
        await tell('dW = Xᵀ·dY', dW.shape.join('×'));
        await tell('db = the sum of the rows of dY', db.shape.join('×'));
        if (!x.grad || !w.grad || !b.grad) throw new Error('there are gradients');
        const gaps: Tensor[] = [x.grad.sub(dX), w.grad.sub(dW), b.grad.sub(db)];
        for (const gap of gaps) await tell('Largest difference from what nabla derives', gap.abs().max());
        return [...x.grad.shape, ...w.grad.shape, ...b.grad.shape];
      },
    }),
    exercise({
      id: 'II.7',
      title: 'The size behind a convolution',
      given: { channels: 32, size: 32, filters: 8, kernel: 6, stride: 2, padding: 1 },
      vary: { size: [32, 28, 64], filters: [8, 5, 16], kernel: [6, 4, 2], stride: [2, 1], padding: [1, 0, 2] },
      ask: ({ channels, size, filters, kernel, stride, padding }) =>
        `${channels} channels of ${size}×${size} go through a convolution with ${filters} filters of ${kernel}×${kernel}, stride ${stride}, padding ${padding}. What comes out?`,
      answer: { kind: 'numbers', labels: ['channels', 'height', 'width'] },
      async solve({ channels, size, filters, kernel, stride, padding }, tell) {
        const side = Math.floor((size + 2 * padding - kernel) / stride) + 1;
        await tell(`⌊(${size} + 2·${padding} − ${kernel}) / ${stride}⌋ + 1`, side);
        const conv = new Conv2d(channels, filters, kernel, { stride, padding });
        const [, ...shape] = conv.forward(zeros([1, channels, size, size])).shape;
        await tell('The layer itself gives', shape.join('×'));
        return shape;
      },
    }),
    exercise({
      id: 'III.1a',
      title: 'Forward through a network',
      given: inputs,
      vary: others,
      ask: ({ x1, x2 }) =>
        `${NETWORK} The input is (${x1}, ${x2}). What are both hidden neurons behind ReLU, and both outputs?`,
      answer: {
        kind: 'numbers',
        labels: ['first hidden', 'second hidden', 'first output', 'second output'],
        decimals: 3,
      },
      async solve({ x1, x2 }, tell) {
        const [hidden, output] = [new Linear(2, 2), new Linear(2, 2)];
        hidden.weight.assign_(
          tensor([
            [1, 0.5],
            [-0.5, -1],
          ]),
        );
        hidden.bias?.assign_(tensor([0.5, -0.5]));
        output.weight.assign_(
          tensor([
            [0.5, -0.5],
            [-1, 1],
          ]),
        );
        output.bias?.assign_(tensor([-1, 0.5]));
        const z = hidden.forward(tensor([[x1, x2]]));
        await tell('W₁x + b₁', z);
        const h = z.relu();
        await tell('ReLU of it', h);
        const y = output.forward(h);
        await tell('W₂h + b₂', y);
        return [...(await h.data()), ...(await y.data())];
      },
    }),
    exercise({
      id: 'III.1b',
      title: 'The mean squared error',
      given: { ...inputs, t1: 1, t2: 0.5 },
      vary: others,
      ask: ({ x1, x2, t1, t2 }) =>
        `${NETWORK} The input is (${x1}, ${x2}), the target (${t1}, ${t2}). What is the mean squared error over both outputs?`,
      answer: { kind: 'numbers', labels: ['error'], decimals: 3 },
      async solve({ x1, x2, t1, t2 }, tell) {
        const h = tensor([[x1, x2]])
          .matmul(
            tensor([
              [1, -0.5],
              [0.5, -1],
            ]),
          )
          .add(tensor([0.5, -0.5]))
          .relu();
        const y = h
          .matmul(
            tensor([
              [0.5, -1],
              [-0.5, 1],
            ]),
          )
          .add(tensor([-1, 0.5]));
        await tell('The outputs', y);
        const target = tensor([[t1, t2]]);
        await tell('Squared differences', y.sub(target).square());
        const loss = mseLoss(y, target);
        await tell('Their mean', loss);
        return [await loss.item()];
      },
    }),
    exercise({
      id: 'III.1c',
      title: 'One step of gradient descent',
      given: { ...inputs, t1: 1, t2: 0.5, rate: 0.1 },
      vary: { ...others, rate: [0.1, 0.01, 0.5] },
      ask: ({ x1, x2, t1, t2, rate }) =>
        `${NETWORK} Input (${x1}, ${x2}), target (${t1}, ${t2}), mean squared error. What is its derivative by the weight from the second input to the first hidden neuron (now 0.5), and what is that weight after a step of gradient descent with rate ${rate}?`,
      answer: { kind: 'numbers', labels: ['derivative', 'weight'], decimals: 3 },
      async solve({ x1, x2, t1, t2, rate }, tell) {
        const w1 = tensor([
          [1, -0.5],
          [0.5, -1],
        ]);
        const slope = grad((w: Tensor<[2, 2]>) => {
          const h = tensor([[x1, x2]])
            .matmul(w)
            .add(tensor([0.5, -0.5]))
            .relu();
          const y = h
            .matmul(
              tensor([
                [0.5, -1],
                [-0.5, 1],
              ]),
            )
            .add(tensor([-1, 0.5]));
          return mseLoss(y, tensor([[t1, t2]]));
        });
        const all = slope(w1);
        await tell('Derivatives by W₁, a column for a neuron', all);
        const one = Number((await all.data())[2]);
        await tell('The one asked for', one);
        await tell(`0.5 − ${rate} · (${one})`, 0.5 - rate * one);
        return [one, 0.5 - rate * one];
      },
    }),
  ],
};
