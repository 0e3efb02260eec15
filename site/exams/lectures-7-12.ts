import { type Tensor, arange, avgPool2d, conv2d, grad, manualSeed, maxPool2d, ones, randn, tensor, zeros } from 'nabla';
import {
  BatchNorm1d,
  Conv2d,
  ConvTranspose2d,
  Dropout,
  L1Loss,
  LSTM,
  MultiheadAttention,
  RNN,
  Sequential,
  crossEntropy,
  multiMarginLoss,
} from 'nabla/nn';
import source from 'source:./lectures-7-12.ts';
import { type Exam, exercise } from './exercise.js';

const scores = { a: 3.2, b: 5.1, c: -1.7 };
const otherScores = { a: [3.2, 1, 0, 5], b: [5.1, 2, -1, 4.9], c: [-1.7, 0, 2, -3] };

export const lectures7to12: Exam = {
  name: 'lectures-7-12',
  title: 'Lectures 7 to 12',
  date: 'Outputs, regularisation, convolutions, architectures, sequences, attention',
  source,
  exercises: [
    exercise({
      id: 'L7.1',
      title: 'Cat, chair, car: cross entropy',
      given: scores,
      vary: otherScores,
      ask: ({ a, b, c }) =>
        `The scores of cat, chair and car are (${a}, ${b}, ${c}); it is a cat. What are its probability and the cross entropy?`,
      answer: { kind: 'numbers', labels: ['probability', 'loss'], decimals: 2 },
      async solve({ a, b, c }, tell) {
        const s = tensor([[a, b, c]]);
        await tell('e to the scores', s.exp());
        const p = s.softmax(1);
        await tell('Divided by their sum', p);
        const loss = crossEntropy(s, tensor([0], { dtype: 'int32' }));
        await tell('−log of the first', loss);
        return [Number((await p.data())[0]), await loss.item()];
      },
    }),
    exercise({
      id: 'L7.2',
      title: 'Cat, chair, car: hinge loss',
      given: scores,
      vary: otherScores,
      ask: ({ a, b, c }) =>
        `The same scores (${a}, ${b}, ${c}) of a cat. What is the hinge loss Σ max(0, <var>s</var><sub>j</sub> − <var>s</var><sub>cat</sub> + 1)?`,
      answer: { kind: 'numbers', labels: ['loss'], decimals: 2 },
      async solve({ a, b, c }, tell) {
        const parts = tensor([b, c]).sub(a).add(1);
        await tell('sⱼ − s + 1 of both others', parts);
        await tell('Where it is above 0', parts.relu());
        const all = multiMarginLoss(tensor([[a, b, c]]), tensor([0], { dtype: 'int32' })); // divided by the classes
        return [(await all.item()) * 3];
      },
    }),
    exercise({
      id: 'L7.3',
      title: 'Two losses of a regression',
      given: { a: 3, b: 4, c: 2, d: 2 },
      vary: { a: [3, 1, -2], b: [4, 0, 5], c: [2, -1, 3], d: [2, 1, -3] },
      ask: ({ a, b, c, d }) =>
        `Predictions differ from the truth by ${a}, ${b}, ${c} and ${d}. What are the L2 loss (the sum of squares) and the L1 loss (the sum of sizes)?`,
      answer: { kind: 'numbers', labels: ['L2', 'L1'] },
      async solve({ a, b, c, d }, tell) {
        const difference = tensor([a, b, c, d]);
        await tell('Squares', difference.square());
        const l1 = new L1Loss({ reduction: 'sum' }).forward(difference, zeros([4]));
        await tell('Sum of sizes', l1);
        return [await difference.square().sum().item(), await l1.item()];
      },
    }),
    exercise({
      id: 'L7.4',
      title: 'What a constant should be',
      given: { a: 1, b: 2, c: 9 },
      vary: { a: [1, 0, 3], b: [2, 4, 5], c: [9, 12, 20] },
      ask: ({ a, b, c }) =>
        `One number is to predict ${a}, ${b} and ${c}. Which has the smallest L2 loss, and which the smallest L1 loss?`,
      answer: { kind: 'numbers', labels: ['by L2', 'by L1'], decimals: 2 },
      async solve({ a, b, c }, tell) {
        const values = tensor([a, b, c]);
        const candidates = arange(0, 2001).to('float32').div(100).unsqueeze(1);
        const gaps = candidates.sub(values.unsqueeze(0));
        const best = async (losses: Tensor) => (await losses.argmin(0).item()) / 100;
        const [l2, l1] = [await best(gaps.square().sum(1)), await best(gaps.abs().sum(1))];
        await tell('Of 0, 0.01, … 20 the best by squares', l2);
        await tell('The best by sizes', l1);
        await tell('The mean', values.mean());
        return [await values.mean().item(), l1];
      },
    }),
    exercise({
      id: 'L8.1',
      title: 'The mean over dropout’s masks',
      given: { x1: 2, x2: 3, w1: 1, w2: -1 },
      vary: { x1: [2, 1, 4], x2: [3, -1, 2], w1: [1, 2], w2: [-1, 3] },
      ask: ({ x1, x2, w1, w2 }) =>
        `<var>z</var> = ${w1}<var>x</var><sub>1</sub> + ${w2}<var>x</var><sub>2</sub> with <var>x</var> = (${x1}, ${x2}); each input is dropped with probability ½, nothing is scaled. What is <var>z</var> on average, and without dropout?`,
      answer: { kind: 'numbers', labels: ['on average', 'without'], decimals: 2 },
      async solve({ x1, x2, w1, w2 }, tell) {
        const masks = tensor([
          [0, 0],
          [0, 1],
          [1, 0],
          [1, 1],
        ]);
        const z = masks.mul(tensor([x1, x2])).matmul(tensor([[w1], [w2]]));
        await tell('z under the four masks', z);
        await tell('Their mean: weights times ½ give it, too', z.mean());
        const kept = new Dropout(0.5).forward(ones([10_000]));
        await tell(
          'nabla doubles what stays, so that nothing is to be done at test time: the mean of ones is',
          kept.mean(),
        );
        return [await z.mean().item(), w1 * x1 + w2 * x2];
      },
    }),
    exercise({
      id: 'L8.2',
      title: 'Batch norm of a feature',
      given: { a: 1, b: 3, c: 5 },
      vary: { a: [1, 0, 2], b: [3, 4, 8], c: [5, 8, 11] },
      ask: ({ a, b, c }) =>
        `A feature is ${a}, ${b} and ${c} in a batch of three. What does batch norm (γ = 1, β = 0) make of the first and the last?`,
      answer: { kind: 'numbers', labels: ['first', 'last'], decimals: 2 },
      async solve({ a, b, c }, tell) {
        const x = tensor([[a], [b], [c]]);
        await tell('Mean', x.mean());
        await tell('Variance (divided by 3)', x.var(undefined, { correction: 0 }));
        const y = new BatchNorm1d(1).forward(x);
        await tell('(x − mean) / √variance', y);
        const all = Array.from(await y.data(), Number);
        return [Number(all[0]), Number(all[2])];
      },
    }),
    exercise({
      id: 'L8.3',
      title: 'An ensemble',
      given: { models: 5 },
      vary: { models: [5, 10, 2] },
      ask: ({ models }) =>
        `The errors of ${models} models have mean 0 and variance 1 and do not depend on each other. What is the mean squared error of their mean?`,
      answer: { kind: 'numbers', labels: ['error'], within: 0.005 },
      async solve({ models }, tell) {
        manualSeed(1);
        const errors = randn([20_000, models]);
        await tell('Squared error of one model', errors.square().mean());
        await tell('Of their mean, over 20 000 samples', errors.mean(1).square().mean());
        return [1 / models];
      },
    }),
    exercise({
      id: 'L9.1',
      title: 'A box filter',
      given: { a: 4, b: 3, c: 2, d: -5 },
      vary: { a: [4, 1, 9], b: [3, 5, 0], c: [2, 0, 6], d: [-5, 3, 6] },
      ask: ({ a, b, c, d }) =>
        `The filter (1/3, 1/3, 1/3) goes over (${a}, ${b}, ${c}, ${d}) without padding. What are its two values, and the first one with padding 1?`,
      answer: { kind: 'numbers', labels: ['first', 'second', 'first, padded'], decimals: 2 },
      async solve({ a, b, c, d }, tell) {
        const x = tensor([[[[a, b, c, d]]]]);
        const box = ones([1, 1, 1, 3]).div(3);
        const plain = conv2d(x, box);
        await tell('Without padding', plain);
        const padded = conv2d(x, box, { padding: [0, 1] });
        await tell('With zeros at the ends', padded);
        return [...Array.from(await plain.data(), Number), Number((await padded.data())[0])];
      },
    }),
    exercise({
      id: 'L9.2',
      title: 'Two kinds of pooling',
      given: { a: 3, b: 1, c: 6, d: 0 },
      vary: { a: [3, 2, -1], b: [1, 8, 0], c: [6, 4, -3], d: [0, 2, -4] },
      ask: ({ a, b, c, d }) =>
        `Four pixels are ${a}, ${b}; ${c}, ${d}. What do 2×2 max pooling and average pooling make of them?`,
      answer: { kind: 'numbers', labels: ['max', 'average'], decimals: 2 },
      async solve({ a, b, c, d }, tell) {
        const x = tensor([
          [
            [
              [a, b],
              [c, d],
            ],
          ],
        ]);
        const [most, mean] = [maxPool2d(x, 2), avgPool2d(x, 2)];
        await tell('The largest', most);
        await tell('The mean', mean);
        return [await most.sum().item(), await mean.sum().item()];
      },
    }),
    exercise({
      id: 'L9.3',
      title: 'Strides that fit and that do not',
      given: { size: 7, kernel: 3, stride: 2 },
      vary: { size: [7, 9, 10, 32], kernel: [3, 5], stride: [1, 2, 3] },
      ask: ({ size, kernel, stride }) =>
        `A ${kernel}×${kernel} filter goes over ${size}×${size} with stride ${stride}. How many places a side has it, and how many pixels a side are left over?`,
      answer: { kind: 'numbers', labels: ['places', 'left over'] },
      async solve({ size, kernel, stride }, tell) {
        const places = Number(new Conv2d(1, 1, kernel, { stride }).forward(zeros([1, 1, size, size])).shape[2]);
        await tell(`⌊(${size} − ${kernel}) / ${stride}⌋ + 1`, places);
        const used = (places - 1) * stride + kernel;
        await tell('Pixels from the first to the last that it touches', used);
        return [places, size - used];
      },
    }),
    exercise({
      id: 'L9.4',
      title: 'Parameters of a convolution',
      given: { filters: 10, kernel: 5, channels: 3 },
      vary: { filters: [10, 32, 6], kernel: [5, 3, 7], channels: [3, 1, 16] },
      ask: ({ filters, kernel, channels }) =>
        `${filters} filters of ${kernel}×${kernel} go over ${channels} channels. How many parameters has one filter with its bias, and how many have all?`,
      answer: { kind: 'numbers', labels: ['one filter', 'all'] },
      async solve({ filters, kernel, channels }, tell) {
        const conv = new Conv2d(channels, filters, kernel, { padding: Math.floor(kernel / 2) });
        const all = conv.parameters().reduce((sum, p) => sum + p.size, 0);
        await tell(`${kernel}·${kernel}·${channels} + 1`, all / filters);
        return [all / filters, all];
      },
    }),
    exercise({
      id: 'L10.1',
      title: 'Fewer multiplications through few channels',
      given: { from: 200, through: 16, to: 92, side: 32 },
      vary: { from: [200, 256, 64], through: [16, 32], to: [92, 64], side: [32, 28] },
      ask: ({ from, through, to, side }) =>
        `A 5×5 convolution (same padding) leads from ${from} to ${to} channels of ${side}×${side}. How many million multiplications is that, and how many if a 1×1 convolution brings the channels to ${through} before?`,
      answer: { kind: 'numbers', labels: ['at once', 'through few'], decimals: 0 },
      async solve({ from, through, to, side }, tell) {
        const x = zeros([1, from, side, side]);
        const direct = new Conv2d(from, to, 5, { padding: 2, bias: false }).summary(x).multiplyAdds;
        await tell(`${side}·${side}·5·5·${from}·${to}`, direct);
        const first = new Conv2d(from, through, 1, { bias: false }).summary(x).multiplyAdds;
        const second = new Conv2d(through, to, 5, { padding: 2, bias: false }).summary(
          zeros([1, through, side, side]),
        ).multiplyAdds;
        await tell('The 1×1 convolution, and the 5×5 behind it', `${first} and ${second}`);
        return [direct / 1e6, (first + second) / 1e6];
      },
    }),
    exercise({
      id: 'L10.2',
      title: 'Depth-wise and point-wise',
      given: { kernels: 256, side: 8, kernel: 5, channels: 3 },
      vary: { kernels: [256, 64, 128], side: [8, 16], kernel: [5, 3], channels: [3, 8] },
      ask: ({ kernels, side, kernel, channels }) =>
        `${kernels} kernels of ${kernel}×${kernel}×${channels} give a map of ${side}×${side}. How many multiplications is that, how many are depth-wise, and how many then by 1×1 convolutions?`,
      answer: { kind: 'numbers', labels: ['whole', 'depth-wise', 'point-wise'] },
      async solve({ kernels, side, kernel, channels }, tell) {
        const x = zeros([1, channels, side + kernel - 1, side + kernel - 1]);
        const whole = new Conv2d(channels, kernels, kernel, { bias: false }).summary(x).multiplyAdds;
        const deep = new Conv2d(channels, channels, kernel, { groups: channels, bias: false }).summary(x).multiplyAdds;
        const point = new Conv2d(channels, kernels, 1, { bias: false }).summary(
          zeros([1, channels, side, side]),
        ).multiplyAdds;
        await tell('Kernels over all channels', whole);
        await tell('A kernel a channel, then 1×1', `${deep} + ${point} = ${deep + point}`);
        return [whole, deep, point];
      },
    }),
    exercise({
      id: 'L10.3',
      title: 'A step of U-Net, down and up',
      given: { side: 572 },
      vary: { side: [572, 188, 252] },
      ask: ({ side }) =>
        `Two 3×3 convolutions without padding and 2×2 pooling go over ${side}×${side}. What is the side behind the convolutions, behind the pool, and behind an up-convolution (kernel 2, stride 2) right after it?`,
      answer: { kind: 'numbers', labels: ['convolutions', 'pool', 'up'] },
      async solve({ side }, tell) {
        const sides: number[] = [];
        let map: Tensor = zeros([1, 1, side, side]);
        const two = new Sequential(new Conv2d(1, 1, 3), new Conv2d(1, 1, 3));
        for (const [name, step] of [
          ['Two convolutions take 4 pixels', (x: Tensor) => two.forward(x)],
          ['The pool halves', (x: Tensor) => maxPool2d(x, 2)],
          ['The up-convolution doubles', (x: Tensor) => new ConvTranspose2d(1, 1, 2, { stride: 2 }).forward(x)],
        ] as const) {
          map = step(map);
          sides.push(Number(map.shape[2]));
          await tell(name, map.shape.slice(2).join('×'));
        }
        return sides;
      },
    }),
    exercise({
      id: 'L11.1',
      title: 'A recurrence without input',
      given: { theta: 0.9, steps: 10 },
      vary: { theta: [0.9, 1.1, 0.5, 2], steps: [10, 5, 20] },
      ask: ({ theta, steps }) =>
        `<var>A</var><sub>t</sub> = ${theta}·<var>A</var><sub>t−1</sub> from <var>A</var><sub>0</sub> = 1. What are <var>A</var><sub>${steps}</sub> and its derivative by the factor?`,
      answer: { kind: 'numbers', labels: ['A', 'derivative'], decimals: 3 },
      async solve({ theta, steps }, tell) {
        const run = (t: Tensor<[]>) => {
          let a: Tensor<[]> = ones([]);
          for (let i = 0; i < steps; i++) a = a.mul(t);
          return a;
        };
        const at = tensor(theta);
        const [value, slope] = [run(at), grad(run)(at)];
        await tell('θᵗ', value);
        await tell('t·θᵗ⁻¹: every step adds its part', slope);
        return [await value.item(), await slope.item()];
      },
    }),
    exercise({
      id: 'L11.2',
      title: 'Parameters that are shared over time',
      given: { inputs: 4, states: 8, steps: 20 },
      vary: { inputs: [4, 10], states: [8, 16, 128], steps: [20, 50] },
      ask: ({ inputs, states, steps }) =>
        `An RNN and an LSTM have ${inputs} inputs and ${states} states, without biases. How many weights has each for a sequence of ${steps} steps?`,
      answer: { kind: 'numbers', labels: ['RNN', 'LSTM'] },
      async solve({ inputs, states, steps }, tell) {
        const counts = [new RNN(inputs, states, { bias: false }), new LSTM(inputs, states, { bias: false })].map(
          (layer) => layer.parameters().reduce((sum, p) => sum + p.size, 0),
        );
        await tell(`The RNN has ${states}·${inputs} + ${states}·${states}, for one step or ${steps}`, counts[0]);
        await tell('The LSTM has four of each', counts[1]);
        return counts;
      },
    }),
    exercise({
      id: 'L11.3',
      title: 'A gradient that is clipped',
      given: { a: 30, b: 40, most: 1 },
      vary: { a: [30, 3, 5], b: [40, 4, 12], most: [1, 2] },
      ask: ({ a, b, most }) =>
        `The gradient is (${a}, ${b}). What is its norm, and what is it after it was clipped to the norm ${most}?`,
      answer: { kind: 'numbers', labels: ['norm', 'first', 'second'], decimals: 2 },
      async solve({ a, b, most }, tell) {
        const g = tensor([a, b]);
        const norm = g.square().sum().sqrt();
        await tell('Norm', norm);
        const clipped = g.mul(Math.min(1, most / (await norm.item())));
        await tell('Scaled: the direction stays', clipped);
        return [await norm.item(), ...Array.from(await clipped.data(), Number)];
      },
    }),
    exercise({
      id: 'L12.1',
      title: 'Attention of one query',
      given: { q: 2, k1: 1, k2: -1, v1: 10, v2: 0 },
      vary: { q: [2, 0, 1, 4], k1: [1, 2], k2: [-1, 0], v1: [10, 5], v2: [0, 1] },
      ask: ({ q, k1, k2, v1, v2 }) =>
        `The query ${q} meets the keys ${k1} and ${k2} with the values ${v1} and ${v2} (one dimension). What is the weight of the first key, and what comes out?`,
      answer: { kind: 'numbers', labels: ['weight', 'result'], decimals: 3 },
      async solve({ q, k1, k2, v1, v2 }, tell) {
        const products = tensor([[q]]).matmul(tensor([[k1, k2]]));
        await tell('QKᵀ/√1', products);
        const weights = products.softmax(1);
        await tell('softmax of it', weights);
        const out = weights.matmul(tensor([[v1], [v2]]));
        await tell('times V', out);
        return [Number((await weights.data())[0]), await out.sum().item()];
      },
    }),
    exercise({
      id: 'L12.2',
      title: 'Why √d',
      given: { d: 64 },
      vary: { d: [64, 16, 512] },
      ask: ({ d }) =>
        `Queries and keys have ${d} independent entries of variance 1. What is the variance of their product, and after division by √${d}?`,
      answer: { kind: 'numbers', labels: ['product', 'scaled'] },
      async solve({ d }, tell) {
        manualSeed(3);
        const products = randn([5000, d])
          .mul(randn([5000, d]))
          .sum(1);
        await tell('Variance of 5000 products', products.var());
        await tell('Of those divided by √d', products.div(Math.sqrt(d)).var());
        return [d, d / Math.sqrt(d) ** 2];
      },
    }),
    exercise({
      id: 'L12.3',
      title: 'Heads do not cost weights',
      given: { width: 64, heads: 8 },
      vary: { width: [64, 128, 512], heads: [8, 4, 2] },
      ask: ({ width, heads }) =>
        `Multi-head attention has the width ${width} and ${heads} heads, no biases. How wide is a head, and how many weights are there in all four projections?`,
      answer: { kind: 'numbers', labels: ['head', 'weights'] },
      async solve({ width, heads }, tell) {
        const count = (h: number) =>
          new MultiheadAttention(width, h, { bias: false }).parameters().reduce((sum, p) => sum + p.size, 0);
        await tell(`With ${heads} heads`, count(heads));
        await tell('With one', count(1));
        return [width / heads, count(heads)];
      },
    }),
    exercise({
      id: 'L12.4',
      title: 'Label smoothing has a price',
      given: { classes: 10, smoothing: 0.1 },
      vary: { classes: [10, 2, 100], smoothing: [0.1, 0.2] },
      ask: ({ classes, smoothing }) =>
        `Labels of ${classes} classes are smoothed with ε = ${smoothing}. What is the target of the right class, and what of each other?`,
      answer: { kind: 'numbers', labels: ['right', 'other'], decimals: 3 },
      async solve({ classes, smoothing }, tell) {
        const [right, other] = [1 - smoothing + smoothing / classes, smoothing / classes];
        await tell('1 − ε + ε/C and ε/C', `${right} and ${other}`);
        const label = tensor([0], { dtype: 'int32' });
        const loss = async (certainty: number) => {
          const logits = tensor([[certainty, ...Array.from({ length: classes - 1 }, () => 0)]]);
          return crossEntropy(logits, label, { labelSmoothing: smoothing }).item();
        };
        await tell('Loss with the scores 5 and 0', await loss(5));
        await tell('With 50 and 0: certainty costs', await loss(50));
        return [right, other];
      },
    }),
  ],
};
