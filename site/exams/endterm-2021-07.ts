import { type Tensor, grad, jacobian, manualSeed, randn, tensor, zeros } from 'nabla';
import {
  BatchNorm1d,
  BatchNorm2d,
  Conv2d,
  ConvTranspose2d,
  Flatten,
  LeakyReLU,
  Linear,
  MaxPool2d,
  PReLU,
  ReLU,
  Sequential,
  bceWithLogits,
  crossEntropy,
  init,
} from 'nabla/nn';
import { SGD } from 'nabla/optim';
import source from 'source:./endterm-2021-07.ts';
import { type Exam, exercise } from './exercise.js';

const NETWORK = `An image of 3×64×64 goes through conv1 (50 filters of 4×4, stride 2, padding 1) with ReLU, max pooling of 2×2, conv2 (100 filters of
  4×4, stride 2, padding 1) with ReLU, max pooling of 2×2, and is flattened for a linear layer fc1 with 640 outputs.`;

export const endterm202107: Exam = {
  name: 'endterm-2021-07',
  title: 'Endterm',
  date: '13 July 2021',
  source,
  exercises: [
    exercise({
      id: '1.5',
      title: 'A loss times a number',
      given: { factor: 3, w: 5 },
      vary: { factor: [3, 2, 10], w: [5, 3, -1] },
      ask: ({ factor, w }) =>
        `<var>L</var>(<var>w</var>) = (<var>w</var> − 2)². By what factor does the gradient at ${w} grow if the loss is multiplied by ${factor}, and where is the minimum then?`,
      answer: { kind: 'numbers', labels: ['factor', 'minimum'], decimals: 2 },
      async solve({ factor, w }, tell) {
        const loss = (v: Tensor<[]>) => v.sub(2).square();
        const scaled = (v: Tensor<[]>) => loss(v).mul(factor);
        const [before, after] = [await grad(loss)(tensor(w)).item(), await grad(scaled)(tensor(w)).item()];
        await tell('Gradient before', before);
        await tell('Gradient after', after);
        const v = tensor(w, { requiresGrad: true });
        const optimizer = new SGD([v], { lr: 0.25 / factor });
        for (let i = 0; i < 40; i++) {
          optimizer.zeroGrad();
          scaled(v).backward();
          await optimizer.step();
        }
        await tell('Where gradient descent on the new loss ends', v.detach());
        return [after / before, await v.detach().item()];
      },
    }),
    exercise({
      id: '1.6',
      title: 'Expressions of ReLU',
      given: {},
      ask: () => 'Which of these are finite functions of <var>x</var> that are not a straight line?',
      answer: {
        kind: 'ticks',
        options: ['ReLU(x) − ReLU(−x)', 'log(ReLU(x + 1))', 'log(ReLU(x) + 1)'],
      },
      async solve(_, tell) {
        const x = tensor([-3, -2, -1, 0, 1, 2]);
        const functions = [x.relu().sub(x.neg().relu()), x.add(1).relu().log(), x.relu().add(1).log()];
        const answers: number[] = [];
        for (const [i, y] of functions.entries()) {
          await tell(`Function ${i + 1} at −3, −2, −1, 0, 1, 2`, y);
          const values = Array.from(await y.data(), Number);
          const steps = values.slice(1).map((v, k) => v - Number(values[k]));
          const isLine = steps.every((s) => Math.abs(s - Number(steps[0])) < 1e-5);
          answers.push(values.every(Number.isFinite) && !isLine ? 1 : 0);
        }
        return answers;
      },
    }),
    exercise({
      id: '1.7',
      title: 'Leaky ReLU without a leak',
      given: {},
      ask: () => 'For which slope below 0 is leaky ReLU the same as ReLU?',
      answer: { kind: 'numbers', labels: ['slope'], decimals: 3 },
      async solve(_, tell) {
        const x = tensor([-3, -1, 0, 2]);
        let found = NaN;
        for (const slope of [1, 0.1, 0.01, 0]) {
          const gap = await new LeakyReLU(slope).forward(x).sub(x.relu()).abs().max().item();
          await tell(`Slope ${slope}: largest difference from ReLU`, gap);
          if (gap === 0) found = slope;
        }
        return [found];
      },
    }),
    exercise({
      id: '2.2',
      title: 'The loss before training',
      given: { classes: 2 },
      vary: { classes: [2, 4, 10, 100] },
      ask: ({ classes }) => `What is the cross entropy of a network that does not yet tell ${classes} classes apart?`,
      answer: { kind: 'numbers', labels: ['loss'], decimals: 2 },
      async solve({ classes }, tell) {
        await tell(`All classes have probability 1/${classes}: −log of it`, Math.log(classes));
        const target = tensor([0], { dtype: 'int32' });
        const loss = crossEntropy(zeros([1, classes]), target);
        await tell('crossEntropy of equal logits', loss);
        if (classes === 2) await tell('bceWithLogits of the logit 0', bceWithLogits(zeros([1]), zeros([1])));
        return [await loss.item()];
      },
    }),
    exercise({
      id: '2.3',
      title: 'Three kinds of ReLU',
      given: { x: -2, slope: 0.1, channels: 7 },
      vary: { x: [-2, -4, -1], slope: [0.1, 0.01, 0.3], channels: [7, 16, 3] },
      ask: ({ x, slope, channels }) =>
        `What do ReLU and leaky ReLU with slope ${slope} give for ${x}? How many numbers does leaky ReLU learn, and how many PReLU with a slope for each of ${channels} channels?`,
      answer: {
        kind: 'numbers',
        labels: ['ReLU', 'leaky ReLU', 'learnt by leaky ReLU', 'learnt by PReLU'],
        decimals: 3,
      },
      async solve({ x, slope, channels }, tell) {
        const at = tensor([x]);
        const [plain, leaky] = [new ReLU().forward(at), new LeakyReLU(slope).forward(at)];
        await tell('ReLU', plain);
        await tell('Leaky ReLU', leaky);
        const counts = [new LeakyReLU(slope), new PReLU(channels)].map((layer) =>
          layer.parameters().reduce((sum, p) => sum + p.size, 0),
        );
        await tell('Parameters of both layers', counts.join(' and '));
        return [await plain.sum().item(), await leaky.sum().item(), ...counts];
      },
    }),
    exercise({
      id: '2.4',
      title: 'Xavier’s variance',
      given: { n: 256 },
      vary: { n: [256, 64, 100, 400] },
      ask: ({ n }) =>
        `Which variance do Xavier’s weights have between ${n} and ${n} neurons? Which variance have the outputs for inputs of variance 1?`,
      answer: { kind: 'numbers', labels: ['of the weights', 'of the outputs'], decimals: 4 },
      async solve({ n }, tell) {
        manualSeed(2);
        const w = init.xavierNormal([n, n]);
        const variance = 2 / (n + n);
        await tell('2 / (inputs + outputs)', variance);
        await tell('Variance of the weights that nabla draws', w.var());
        const outputs = randn([1000, n]).matmul(w);
        await tell('Mean of 1000 samples behind them', outputs.mean());
        await tell('Their variance', outputs.var());
        return [variance, n * variance];
      },
    }),
    exercise({
      id: '2.5',
      title: 'A step on the penalty alone',
      given: { w: -2, rate: 0.1, decay: 0.3 },
      vary: { w: [-2, 1, 4], rate: [0.1, 0.5], decay: [0.3, 0.1, 0.02] },
      ask: ({ w, rate, decay }) =>
        `The loss is only ½λ<var>w</var>² with λ = ${decay}. What is <var>w</var> = ${w} after a step with rate ${rate}?`,
      answer: { kind: 'numbers', labels: ['w'], decimals: 4 },
      async solve({ w, rate, decay }, tell) {
        const one = tensor([w], { requiresGrad: true });
        one
          .square()
          .sum()
          .mul(0.5 * decay)
          .backward();
        await tell('The derivative is λw', one.grad ?? 0);
        await new SGD([one], { lr: rate }).step();
        await tell(`w·(1 − ${rate}·${decay})`, one.detach());
        return [await one.detach().sum().item()];
      },
    }),
    exercise({
      id: '2.6',
      title: 'The size behind a convolution',
      given: { n: 28, filters: 6, kernel: 5, stride: 3, padding: 2 },
      vary: { n: [28, 32, 24], filters: [6, 10], kernel: [5, 3, 4], stride: [3, 2, 1], padding: [2, 1, 0] },
      ask: ({ n, filters, kernel, stride, padding }) =>
        `${filters} filters of ${kernel}×${kernel}, stride ${stride}, padding ${padding}, go over ${n} channels of ${n}×${n}. What comes out?`,
      answer: { kind: 'numbers', labels: ['channels', 'height', 'width'] },
      async solve({ n, filters, kernel, stride, padding }, tell) {
        await tell(
          `⌊(${n} + 2·${padding} − ${kernel}) / ${stride}⌋ + 1`,
          Math.floor((n + 2 * padding - kernel) / stride) + 1,
        );
        const [, ...shape] = new Conv2d(n, filters, kernel, { stride, padding }).forward(zeros([1, n, n, n])).shape;
        return shape;
      },
    }),
    exercise({
      id: '2.7',
      title: 'Parameters of a convolution',
      given: { channels: 3, filters: 5, kernel: 4 },
      vary: { channels: [3, 1, 8], filters: [5, 16, 32], kernel: [4, 3, 5] },
      ask: ({ channels, filters, kernel }) =>
        `How many weights and how many biases has a convolution with ${filters} filters of ${kernel}×${kernel} on ${channels} channels?`,
      answer: { kind: 'numbers', labels: ['weights', 'biases'] },
      async solve({ channels, filters, kernel }, tell) {
        const conv = new Conv2d(channels, filters, kernel, { stride: 2, padding: 1 });
        await tell(`${filters}·${channels}·${kernel}·${kernel}; stride and padding do not matter`, conv.weight.size);
        return conv.parameters().map((p) => p.size);
      },
    }),
    exercise({
      id: '2.8',
      title: 'Parameters of a network',
      given: { side: 8, first: 10, second: 5, classes: 3 },
      vary: { side: [8, 10, 28], first: [10, 20], second: [5, 8], classes: [3, 10] },
      ask: ({ side, first, second, classes }) =>
        `Images of ${side}×${side} are flattened; layers of ${first} and ${second} neurons with ReLU and dropout follow, then ${classes} classes. How many weights and how many biases are there?`,
      answer: { kind: 'numbers', labels: ['weights', 'biases'] },
      async solve({ side, first, second, classes }, tell) {
        const layers = [new Linear(side * side, first), new Linear(first, second), new Linear(second, classes)];
        let [weights, biases] = [0, 0];
        for (const { weight, bias } of layers) {
          await tell('A layer’s weights: outputs × inputs', weight.shape.join('×'));
          weights += weight.size;
          biases += bias?.size ?? 0;
        }
        await tell('Dropout and ReLU learn nothing; together', weights + biases);
        return [weights, biases];
      },
    }),
    exercise({
      id: '2.9',
      title: 'Neurons that start alike',
      given: {},
      ask: () => 'Both neurons of a hidden layer start with the same weights. What happens in training?',
      answer: { kind: 'choice', options: ['They stay alike', 'They become different', 'Neither ever moves'] },
      async solve(_, tell) {
        manualSeed(3);
        const [hidden, output] = [new Linear(2, 2), new Linear(2, 1)];
        hidden.weight.assign_(
          tensor([
            [0.5, 0.5],
            [0.5, 0.5],
          ]),
        );
        hidden.bias?.assign_(zeros([2]));
        output.weight.assign_(tensor([[0.5, 0.5]]));
        const optimizer = new SGD([...hidden.parameters(), ...output.parameters()], { lr: 0.1 });
        const x = randn([8, 2]);
        for (let step = 1; step <= 3; step++) {
          optimizer.zeroGrad();
          output.forward(hidden.forward(x).tanh()).sub(1).square().mean().backward();
          await tell(`Gradient of step ${step}, a row for a neuron`, hidden.weight.grad ?? 0);
          await optimizer.step();
        }
        const [a, b, c, d] = Array.from(await hidden.weight.detach().data(), Number);
        await tell('Weights after three steps', hidden.weight.detach());
        if (a === 0.5 && b === 0.5) return [2];
        return [a === c && b === d ? 0 : 1];
      },
    }),
    exercise({
      id: '2.13',
      title: 'What batch norm learns',
      given: { neurons: 7, filters: 16 },
      vary: { neurons: [7, 10, 1], filters: [16, 32, 8] },
      ask: ({ neurons, filters }) =>
        `How many numbers does batch norm learn behind a linear layer with ${neurons} neurons, and behind a convolution with ${filters} filters?`,
      answer: { kind: 'numbers', labels: ['behind the linear layer', 'behind the convolution'] },
      async solve({ neurons, filters }, tell) {
        const counts: number[] = [];
        for (const norm of [new BatchNorm1d(neurons), new BatchNorm2d(filters)]) {
          counts.push(norm.parameters().reduce((sum, p) => sum + p.size, 0));
          await tell(
            `γ and β of ${norm.constructor.name}`,
            norm
              .parameters()
              .map((p) => p.size)
              .join(' + '),
          );
        }
        return counts;
      },
    }),
    exercise({
      id: '3.1',
      title: 'Shapes through a network',
      given: { side: 64 },
      vary: { side: [64, 96, 128] },
      ask: ({ side }) =>
        `${NETWORK.replaceAll('64', String(side))} What is the height of what conv1 gives, and how many inputs has fc1?`,
      answer: { kind: 'numbers', labels: ['height behind conv1', 'inputs of fc1'] },
      async solve({ side }, tell) {
        const conv1 = new Conv2d(3, 50, 4, { stride: 2, padding: 1 }).forward(zeros([1, 3, side, side]));
        await tell('conv1', conv1.shape.slice(1).join('×'));
        const pool1 = new MaxPool2d(2).forward(conv1.relu());
        await tell('max pooling', pool1.shape.slice(1).join('×'));
        const conv2 = new Conv2d(50, 100, 4, { stride: 2, padding: 1 }).forward(pool1);
        await tell('conv2', conv2.shape.slice(1).join('×'));
        const pool2 = new MaxPool2d(2).forward(conv2.relu());
        await tell('max pooling', pool2.shape.slice(1).join('×'));
        return [conv1.size / 50 / (conv1.shape[3] ?? 1), pool2.size];
      },
    }),
    exercise({
      id: '3.2',
      title: 'What a neuron sees',
      given: {},
      ask: () => `${NETWORK} How many pixels a side does a value behind the first max pooling see?`,
      answer: { kind: 'numbers', labels: ['pixels a side'] },
      async solve(_, tell) {
        const conv = new Conv2d(3, 50, 4, { stride: 2, padding: 1 });
        await tell('conv1 sees', conv.receptiveField().size[0]);
        const both = new Sequential(conv, new MaxPool2d(2));
        await tell('Two neighbours of conv1 are 2 pixels apart: pooling sees', both.receptiveField().size[0]);
        const all = new Sequential(conv, new Flatten(), new Linear(51_200, 640));
        await tell('And a neuron of a linear layer behind them', all.receptiveField().size[0]);
        return [Number(both.receptiveField().size[0])];
      },
    }),
    exercise({
      id: '3.3, 3.4',
      title: 'Up again, to classes',
      given: { classes: 30 },
      vary: { classes: [30, 21, 5] },
      ask: ({ classes }) =>
        `From 40×4×4, four transposed convolutions (kernel 4, stride 2, padding 1) lead to a map with ${classes} classes a pixel. What is the size of the map? How many weights has a 1×1 convolution (no bias) that makes the classes of 5 channels?`,
      answer: { kind: 'numbers', labels: ['channels', 'height', 'width', 'weights of 1×1'] },
      async solve({ classes }, tell) {
        let map: Tensor = zeros([1, 40, 4, 4]);
        for (const [from, to] of [
          [40, 20],
          [20, 20],
          [20, 10],
          [10, 5],
        ] as const) {
          map = new ConvTranspose2d(from, to, 4, { stride: 2, padding: 1 }).forward(map);
          await tell('Twice the size each time', map.shape.slice(1).join('×'));
        }
        const last = new Conv2d(5, classes, 1, { bias: false });
        const out = last.forward(map).shape.slice(1);
        await tell('Behind the 1×1 convolution', out.join('×'));
        return [...out, last.weight.size];
      },
    }),
    exercise({
      id: '3.6',
      title: 'Images of other sizes',
      given: { height: 96, width: 128 },
      vary: { height: [96, 64, 160], width: [128, 192, 64] },
      ask: ({ height, width }) =>
        `Without its linear layer the network is fully convolutional. What is the size of its map just before the up-convolutions, for images of ${height}×${width} (conv1, pooling, conv2, pooling, a 1×1 convolution with 40 filters)?`,
      answer: { kind: 'numbers', labels: ['channels', 'height', 'width'] },
      async solve({ height, width }, tell) {
        let map: Tensor = zeros([1, 3, height, width]);
        const layers = [
          new Conv2d(3, 50, 4, { stride: 2, padding: 1 }),
          new MaxPool2d(2),
          new Conv2d(50, 100, 4, { stride: 2, padding: 1 }),
          new MaxPool2d(2),
          new Conv2d(100, 40, 1),
        ];
        for (const layer of layers) {
          map = layer.forward(map);
          await tell(layer.constructor.name, map.shape.slice(1).join('×'));
        }
        return map.shape.slice(1);
      },
    }),
    exercise({
      id: '5.1',
      title: 'What softmax makes of logits',
      given: { a: 1, b: 2, c: 0 },
      vary: { a: [1, 0, 3], b: [2, -1, 1], c: [0, 4, -2] },
      ask: ({ a, b, c }) => `What does softmax make of the logits (${a}, ${b}, ${c})?`,
      answer: { kind: 'numbers', labels: ['first', 'second', 'third'], decimals: 2 },
      async solve({ a, b, c }, tell) {
        const z = tensor([a, b, c]);
        await tell('eᶻ', z.exp());
        await tell('Their sum', z.exp().sum());
        const y = z.softmax(-1);
        await tell('Each divided by the sum', y);
        await tell('Together', y.sum());
        return Array.from(await y.data(), Number);
      },
    }),
    exercise({
      id: '5.3, 5.4',
      title: 'The Jacobian of softmax',
      given: { a: 1, b: 2, c: 0 },
      vary: { a: [1, 0, 2], b: [2, -1, 1], c: [0, 1, -2] },
      ask: ({ a, b, c }) =>
        `<var>ŷ</var> = softmax(${a}, ${b}, ${c}). What are ∂<var>ŷ</var><sub>1</sub>/∂<var>z</var><sub>1</sub> and ∂<var>ŷ</var><sub>1</sub>/∂<var>z</var><sub>2</sub>?`,
      answer: { kind: 'numbers', labels: ['∂ŷ₁/∂z₁', '∂ŷ₁/∂z₂'], decimals: 2 },
      async solve({ a, b, c }, tell) {
        const z = tensor([a, b, c]);
        const y = z.softmax(-1);
        await tell('ŷ', y);
        const [y1, y2] = Array.from(await y.data(), Number);
        if (y1 === undefined || y2 === undefined) throw new Error('three classes');
        await tell('ŷ₁(1 − ŷ₁)', y1 * (1 - y1));
        await tell('−ŷ₁ŷ₂', -y1 * y2);
        const all = jacobian((v: Tensor<[3]>) => v.softmax(-1), z);
        await tell('The whole Jacobian', all);
        return Array.from(await all.data(), Number).slice(0, 2);
      },
    }),
    exercise({
      id: '5.5',
      title: 'Cross entropy of one sample',
      given: { a: 1, b: 2, c: 0, label: 2 },
      vary: { a: [1, 0, 3], b: [2, -1, 1], c: [0, 4, -2], label: [1, 2, 3] },
      ask: ({ a, b, c, label }) =>
        `The logits are (${a}, ${b}, ${c}), the true class is the ${['first', 'second', 'third'][label - 1]}. What is the cross entropy?`,
      answer: { kind: 'numbers', labels: ['loss'], decimals: 2 },
      async solve({ a, b, c, label }, tell) {
        const z = tensor([[a, b, c]]);
        const y = z.softmax(-1);
        await tell('ŷ', y);
        await tell('−log ŷ, of each class', y.log().neg());
        const loss = crossEntropy(z, tensor([label - 1], { dtype: 'int32' }));
        await tell('Only the true class counts', loss);
        return [await loss.item()];
      },
    }),
    exercise({
      id: '5.7',
      title: 'A gradient in the second layer',
      given: { h: 2, a: 1, b: 2, c: 0 },
      vary: { h: [2, 1, -1, 0.5], a: [1, 0, 3], b: [2, -1, 1], c: [0, 1, -2] },
      ask: ({ h, a, b, c }) =>
        `<var>z</var> = <var>hW</var> are the logits (${a}, ${b}, ${c}), the true class is the third, <var>h</var><sub>3</sub> = ${h}. What is ∂<var>L</var>/∂<var>w</var><sub>3,1</sub>, of the weight from <var>h</var><sub>3</sub> to the first logit?`,
      answer: { kind: 'numbers', labels: ['derivative'], decimals: 2 },
      async solve({ h, a, b, c }, tell) {
        const z = tensor([[a, b, c]]);
        const slope = grad((v: Tensor<[1, 3]>) => crossEntropy(v, tensor([2], { dtype: 'int32' })))(z);
        await tell('∂L/∂z = ŷ − y', slope);
        const first = Number((await slope.data())[0]);
        await tell(`times h₃ = ${h}`, first * h);
        return [first * h];
      },
    }),
  ],
};
