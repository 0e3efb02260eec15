import { type Tensor, arange, conv2d, hessian, manualSeed, maxPool2d, randn, tensor, zeros } from 'nabla';
import {
  BatchNorm1d,
  BatchNorm2d,
  Conv2d,
  ConvTranspose2d,
  Flatten,
  LeakyReLU,
  Linear,
  MaxPool2d,
  Sequential,
  mseLoss,
} from 'nabla/nn';
import { Adam, SGD } from 'nabla/optim';
import source from 'source:./endterm-2022-08.ts';
import { type Exam, exercise } from './exercise.js';

const NETWORK = `Two inputs, a layer of three neurons with leaky ReLU (slope 0.5), a linear layer with two outputs:
  <br><var>W</var><sub>1</sub> = (−0.5, −1; 1, 0.5; 2, 1.5), <var>b</var><sub>1</sub> = (0.5, 0, −1), <var>W</var><sub>2</sub> = (1, −0.5, −1; −0.5, 2, 1), <var>b</var><sub>2</sub> = (−1, 2); a row of a matrix belongs to a neuron.`;
const inputs = { x1: 1, x2: -2 };
const others = { x1: [1, 2, -1, 0], x2: [-2, 1, 2, -1] };

export const endterm202208: Exam = {
  name: 'endterm-2022-08',
  title: 'Endterm',
  date: '1 August 2022',
  source,
  exercises: [
    exercise({
      id: '1.2',
      title: 'A fully connected layer as a convolution',
      given: { inputs: 5, outputs: 3 },
      vary: { inputs: [5, 8, 32], outputs: [3, 10, 4] },
      ask: ({ inputs, outputs }) =>
        `A linear layer from ${inputs} to ${outputs} is written as a 1×1 convolution over images of one pixel. What is the shape of its weights? How many numbers does batch norm behind it learn?`,
      answer: { kind: 'numbers', labels: ['filters', 'channels', 'height', 'width', 'batch norm'] },
      async solve({ inputs, outputs }, tell) {
        manualSeed(1);
        const [x, w] = [randn([4, inputs]), randn([inputs, outputs])];
        const kernels = w.T.reshape([outputs, inputs, 1, 1]);
        const map = conv2d(x.reshape([4, inputs, 1, 1]), kernels);
        await tell('Largest difference between both', map.flatten(1).sub(x.matmul(w)).abs().max());
        const norm = new BatchNorm1d(outputs).parameters().reduce((sum, p) => sum + p.size, 0);
        await tell('γ and β', norm);
        return [...kernels.shape, norm];
      },
    }),
    exercise({
      id: '1.3',
      title: 'A 1×1 convolution',
      given: { channels: 32, filters: 1 },
      vary: { channels: [32, 64, 3], filters: [1, 8, 16] },
      ask: ({ channels, filters }) =>
        `${filters === 1 ? 'One 1×1 filter goes' : `${filters} 1×1 filters go`} over 16×${channels}×64×64. How many parameters is that with biases, and how many channels come out?`,
      answer: { kind: 'numbers', labels: ['parameters', 'channels'] },
      async solve({ channels, filters }, tell) {
        const conv = new Conv2d(channels, filters, 1);
        const { parameters } = conv.summary(zeros([16, channels, 64, 64]));
        await tell('A weight a channel, and a bias, for each filter', parameters);
        return [parameters, Number(conv.forward(zeros([1, channels, 4, 4])).shape[1])];
      },
    }),
    exercise({
      id: '1.7',
      title: 'Backward through max pooling',
      given: { side: 4 },
      vary: { side: [4, 6, 8] },
      ask: ({ side }) =>
        `A map of ${side}×${side} different numbers goes through 2×2 max pooling. How many of its derivatives are not zero, and how many parameters does the layer have?`,
      answer: { kind: 'numbers', labels: ['not zero', 'parameters'] },
      async solve({ side }, tell) {
        manualSeed(1);
        const x = randn([1, 1, side, side], { requiresGrad: true });
        maxPool2d(x, 2).sum().backward();
        if (!x.grad) throw new Error('there is a gradient');
        await tell('The map', x.detach().reshape([side, side]));
        await tell('Its derivatives: only the largest of each four', x.grad.reshape([side, side]));
        return [await x.grad.ne(0).sum().item(), new MaxPool2d(2).parameters().length];
      },
    }),
    exercise({
      id: '2.2, 2.3',
      title: 'Shapes of the backward pass',
      given: { n: 4, d: 3, m: 2 },
      vary: { n: [4, 16, 8], d: [3, 10, 7], m: [2, 5, 4] },
      ask: ({ n, d, m }) =>
        `<var>Y</var> = <var>XW</var> + <var>b</var> with <var>X</var> of ${n}×${d} and ${m} outputs. What are the sizes of dout, of <var>b</var> and of ∂<var>L</var>/∂<var>X</var>?`,
      answer: {
        kind: 'numbers',
        labels: ['rows of dout', 'columns of dout', 'length of b', 'rows of ∂L/∂X', 'columns of ∂L/∂X'],
      },
      async solve({ n, d, m }, tell) {
        manualSeed(2);
        const layer = new Linear(d, m);
        const x = randn([n, d], { requiresGrad: true });
        const y = layer.forward(x);
        const dout = randn([n, m]);
        y.backward(dout);
        if (!x.grad || !layer.bias) throw new Error('there is a gradient');
        await tell('Y has the shape of dout', y.shape.join('×'));
        await tell(
          '∂L/∂X = dout·Wᵀ; largest difference from what nabla derives',
          x.grad.sub(dout.matmul(layer.weight)).abs().max(),
        );
        return [...y.shape, ...layer.bias.shape, ...x.grad.shape];
      },
    }),
    exercise({
      id: '2.4',
      title: 'A step with decay',
      given: { theta: 3, slope: -1, rate: 0.1, decay: 0.3 },
      vary: { theta: [3, -2, 4], slope: [-1, 0.5, 2], rate: [0.1, 0.2], decay: [0.3, 0.1] },
      ask: ({ theta, slope, rate, decay }) =>
        `θ = ${theta}, ∇<var>L</var> = ${slope}, rate α = ${rate}, weight decay λ = ${decay}. What is θ after a step?`,
      answer: { kind: 'numbers', labels: ['θ'], decimals: 3 },
      async solve({ theta, slope, rate, decay }, tell) {
        await tell('(1 − αλ)θ', (1 - rate * decay) * theta);
        await tell('− α∇L', -rate * slope);
        const p = tensor([theta], { requiresGrad: true });
        p.mul(slope).sum().backward();
        await new SGD([p], { lr: rate, weightDecay: decay }).step();
        await tell('SGD with weightDecay', p.detach());
        return [await p.detach().sum().item()];
      },
    }),
    exercise({
      id: '4.1',
      title: 'A padding that keeps the size',
      given: { kernel: 3 },
      vary: { kernel: [3, 5, 7, 9] },
      ask: ({ kernel }) =>
        `Which padding keeps the height and width behind a convolution of ${kernel}×${kernel} with stride 1?`,
      answer: { kind: 'numbers', labels: ['padding'] },
      async solve({ kernel }, tell) {
        let found = NaN;
        for (let padding = 0; padding <= kernel; padding++) {
          const side = Number(new Conv2d(2, 8, kernel, { padding }).forward(zeros([1, 2, 28, 28])).shape[2]);
          if (padding < 5) await tell(`Padding ${padding} makes of 28`, side);
          if (side === 28) found = padding;
        }
        await tell('(kernel − 1) / 2', (kernel - 1) / 2);
        return [found];
      },
    }),
    exercise({
      id: '4.2, 4.3',
      title: 'The sum of two digits',
      given: { digits: 2 },
      vary: { digits: [2, 3] },
      ask: ({ digits }) =>
        `A network says the sum of ${digits} digits, as a class. How many classes are there? A body of two blocks (3×3 convolution with padding 1, 2×2 pooling) with 8 and 16 filters sees ${digits}×28×28: how many features does it give?`,
      answer: { kind: 'numbers', labels: ['classes', 'features'] },
      async solve({ digits }, tell) {
        let sums: Tensor<readonly number[], 'int32'> = arange(10);
        for (let i = 1; i < digits; i++) sums = sums.unsqueeze(0).add(arange(10).unsqueeze(1)).flatten();
        const [least, most] = [await sums.min().item(), await sums.max().item()];
        await tell('Sums go from', `${least} to ${most}`);
        const body = new Sequential(
          new Conv2d(digits, 8, 3, { padding: 1 }),
          new MaxPool2d(2),
          new Conv2d(8, 16, 3, { padding: 1 }),
          new MaxPool2d(2),
        );
        const map = body.forward(zeros([1, digits, 28, 28]));
        await tell('The body gives', map.shape.slice(1).join('×'));
        return [most - least + 1, map.size];
      },
    }),
    exercise({
      id: '4.5',
      title: 'A linear layer as a convolution',
      given: { side: 28, channels: 2, neurons: 100 },
      vary: { side: [28, 14, 7], channels: [2, 1, 16], neurons: [100, 10, 32] },
      ask: ({ side, channels, neurons }) =>
        `A linear layer with ${neurons} neurons reads ${channels}×${side}×${side}. How many filters of what size stand for it, and how many weights is that?`,
      answer: { kind: 'numbers', labels: ['filters', 'height', 'width', 'weights'] },
      async solve({ side, channels, neurons }, tell) {
        manualSeed(3);
        const linear = new Linear(channels * side * side, neurons, { bias: false });
        const conv = new Conv2d(channels, neurons, side, { bias: false });
        conv.weight.assign_(linear.weight.reshape([neurons, channels, side, side]));
        const x = randn([1, channels, side, side]);
        const gap = conv
          .forward(x)
          .reshape([neurons])
          .sub(linear.forward(x.reshape([1, channels * side * side])).reshape([neurons]));
        await tell('Largest difference between both', gap.abs().max());
        const [filters, , height, width] = conv.weight.shape;
        return [filters, height, width, conv.weight.size];
      },
    }),
    exercise({
      id: '4.7',
      title: 'What a neuron behind a pool sees',
      given: { kernel: 5, pool: 2 },
      vary: { kernel: [5, 3, 7], pool: [2, 3] },
      ask: ({ kernel, pool }) =>
        `How many pixels a side does a value see behind a ${kernel}×${kernel} convolution and ${pool}×${pool} max pooling with stride ${pool}?`,
      answer: { kind: 'numbers', labels: ['pixels a side'] },
      async solve({ kernel, pool }, tell) {
        const conv = new Conv2d(2, 8, kernel);
        await tell('The convolution sees', conv.receptiveField().size[0]);
        const [side] = new Sequential(conv, new MaxPool2d(pool)).receptiveField().size;
        await tell(`Its neighbours are one pixel apart, ${pool} of them see`, side);
        return [Number(side)];
      },
    }),
    exercise({
      id: '4.8',
      title: 'What a neuron of a linear layer sees',
      given: {},
      ask: () => 'A 5×5 convolution is flattened and goes into a linear layer. What does one of its neurons see?',
      answer: { kind: 'choice', options: ['5×5 pixels', 'the whole image', 'one pixel'] },
      async solve(_, tell) {
        const conv = new Conv2d(2, 8, 5, { padding: 2 });
        const [side] = new Sequential(conv, new Flatten(), new Linear(6272, 19)).receptiveField().size;
        await tell('The receptive field has no bound: every place is weighed', side);
        return [side === Infinity ? 1 : side === 5 ? 0 : 2];
      },
    }),
    exercise({
      id: '4.10',
      title: 'How often sums occur',
      given: { sum: 12, other: 18 },
      vary: { sum: [12, 7, 9, 15], other: [18, 0, 4] },
      ask: ({ sum, other }) => `Of the hundred pairs of digits, how many have the sum ${sum}, and how many ${other}?`,
      answer: { kind: 'numbers', labels: ['the first', 'the second'] },
      async solve({ sum, other }, tell) {
        const sums = arange(10).unsqueeze(0).add(arange(10).unsqueeze(1));
        await tell('All sums', sums);
        const counts: number[] = [];
        for (const value of [sum, other]) counts.push(await sums.eq(value).sum().item());
        return counts;
      },
    }),
    exercise({
      id: '5.9',
      title: 'The output of segmentation',
      given: { height: 20, width: 28, classes: 5 },
      vary: { height: [20, 32, 64], width: [28, 48], classes: [5, 21, 2] },
      ask: ({ height, width, classes }) =>
        `A network labels each pixel of 3×${height}×${width} with one of ${classes} classes. What is the shape of its output?`,
      answer: { kind: 'numbers', labels: ['channels', 'height', 'width'] },
      async solve({ height, width, classes }, tell) {
        const layers = [
          new Conv2d(3, 8, 3, { padding: 1 }),
          new MaxPool2d(2),
          new ConvTranspose2d(8, 8, 2, { stride: 2 }),
          new Conv2d(8, classes, 1),
        ];
        let map: Tensor = zeros([1, 3, height, width]);
        for (const layer of layers) {
          map = layer.forward(map);
          await tell(layer.constructor.name, map.shape.slice(1).join('×'));
        }
        return map.shape.slice(1);
      },
    }),
    exercise({
      id: '6.1',
      title: 'Forward through a network',
      given: inputs,
      vary: others,
      ask: ({ x1, x2 }) =>
        `${NETWORK} The input is (${x1}, ${x2}). What are the hidden neurons behind leaky ReLU, and the outputs?`,
      answer: { kind: 'numbers', labels: ['h₁', 'h₂', 'h₃', 'ŷ₁', 'ŷ₂'], decimals: 3 },
      async solve({ x1, x2 }, tell) {
        const [hidden, output] = [new Linear(2, 3), new Linear(3, 2)];
        hidden.weight.assign_(
          tensor([
            [-0.5, -1],
            [1, 0.5],
            [2, 1.5],
          ]),
        );
        hidden.bias?.assign_(tensor([0.5, 0, -1]));
        output.weight.assign_(
          tensor([
            [1, -0.5, -1],
            [-0.5, 2, 1],
          ]),
        );
        output.bias?.assign_(tensor([-1, 2]));
        const z = hidden.forward(tensor([[x1, x2]]));
        await tell('W₁x + b₁', z);
        const h = new LeakyReLU(0.5).forward(z);
        await tell('Behind leaky ReLU', h);
        const y = output.forward(h);
        await tell('W₂h + b₂', y);
        return [...(await h.data()), ...(await y.data())].map(Number);
      },
    }),
    exercise({
      id: '6.2',
      title: 'The mean squared error',
      given: { y1: 2, y2: 0, t1: 1, t2: 1 },
      vary: { y1: [2, 5, 0], y2: [0, -1, 3], t1: [1, 2], t2: [1, 0] },
      ask: ({ y1, y2, t1, t2 }) =>
        `The outputs are (${y1}, ${y2}), the targets (${t1}, ${t2}). What is the mean squared error over both outputs?`,
      answer: { kind: 'numbers', labels: ['error'], decimals: 3 },
      async solve({ y1, y2, t1, t2 }, tell) {
        const [y, t] = [tensor([[y1, y2]]), tensor([[t1, t2]])];
        await tell('Squared differences', y.sub(t).square());
        return [await mseLoss(y, t).item()];
      },
    }),
    exercise({
      id: '6.3',
      title: 'One weight, one step',
      given: { ...inputs, t1: 1, t2: 1, rate: 0.1 },
      vary: { ...others, rate: [0.1, 0.01, 0.2] },
      ask: ({ x1, x2, t1, t2, rate }) =>
        `${NETWORK} Input (${x1}, ${x2}), target (${t1}, ${t2}), mean squared error. What is its derivative by <var>w</var><sub>11</sub> of the first layer (now −0.5), and what is that weight after a step with rate ${rate}?`,
      answer: { kind: 'numbers', labels: ['derivative', 'weight'], decimals: 3 },
      async solve({ x1, x2, t1, t2, rate }, tell) {
        const [hidden, output] = [new Linear(2, 3), new Linear(3, 2)];
        hidden.weight.assign_(
          tensor([
            [-0.5, -1],
            [1, 0.5],
            [2, 1.5],
          ]),
        );
        hidden.bias?.assign_(tensor([0.5, 0, -1]));
        output.weight.assign_(
          tensor([
            [1, -0.5, -1],
            [-0.5, 2, 1],
          ]),
        );
        output.bias?.assign_(tensor([-1, 2]));
        const model = new Sequential(hidden, new LeakyReLU(0.5), output);
        const y = model.forward(tensor([[x1, x2]]));
        await tell('The outputs', y.detach());
        const loss = mseLoss(y, tensor([[t1, t2]]));
        await tell('The loss', loss.detach());
        loss.backward();
        if (!hidden.weight.grad) throw new Error('there is a gradient');
        await tell('Derivatives by W₁, a row for a neuron', hidden.weight.grad);
        const slope = Number((await hidden.weight.grad.data())[0]);
        await new SGD(model.parameters(), { lr: rate }).step();
        await tell('W₁ after the step', hidden.weight.detach());
        return [slope, Number((await hidden.weight.detach().data())[0])];
      },
    }),
    exercise({
      id: '7.3',
      title: 'What batch norm remembers',
      given: { n: 8, c: 3, h: 32, w: 64 },
      vary: { n: [8, 16], c: [3, 16, 64], h: [32, 28], w: [64, 28] },
      ask: ({ n, c, h, w }) =>
        `Batch norm sees ${n}×${c}×${h}×${w} in training. How many numbers does it keep for testing (running means and variances)?`,
      answer: { kind: 'numbers', labels: ['numbers'] },
      async solve({ n, c, h, w }, tell) {
        const norm = new BatchNorm2d(c);
        norm.forward(randn([n, c, h, w]));
        const { runningMean, runningVar } = norm;
        await tell('A mean for each channel', runningMean?.size);
        await tell('A variance for each channel', runningVar?.size);
        return [(runningMean?.size ?? 0) + (runningVar?.size ?? 0)];
      },
    }),
    exercise({
      id: '8.6',
      title: 'The first step of Adam',
      given: { w: 5, slope: 1000, rate: 0.1 },
      vary: { w: [5, 2, -1], slope: [1000, 0.001, 1, 50], rate: [0.1, 0.01] },
      ask: ({ w, slope, rate }) =>
        `Adam with rate ${rate} starts at ${w}, where the derivative is ${slope}. Where is it after its first step?`,
      answer: { kind: 'numbers', labels: ['w'], decimals: 3 },
      async solve({ w, slope, rate }, tell) {
        const [b1, b2] = [0.9, 0.999];
        await tell('m = (1 − β₁)·g, corrected by 1 − β₁', ((1 - b1) * slope) / (1 - b1));
        await tell('v = (1 − β₂)·g², corrected by 1 − β₂', ((1 - b2) * slope ** 2) / (1 - b2));
        const p = tensor([w], { requiresGrad: true });
        p.mul(slope).sum().backward();
        await new Adam([p], { lr: rate }).step();
        await tell('m/√v is ±1: Adam’s step is as long as the rate', p.detach());
        return [await p.detach().sum().item()];
      },
    }),
    exercise({
      id: '8.7',
      title: 'A function that Newton cannot step on',
      given: { x: 3 },
      vary: { x: [3, -2, 10] },
      ask: ({ x }) =>
        `<var>f</var>(<var>w</var>) = ${x}·<var>w</var>. What is its second derivative? Is there a Newton step (1 for yes, 0 for no)?`,
      answer: { kind: 'numbers', labels: ['second derivative', 'a step'] },
      async solve({ x }, tell) {
        const second = await hessian((w: Tensor<[]>) => w.mul(x), tensor(2))
          .sum()
          .item();
        await tell('f″', second);
        await tell('f′/f″', x / second);
        return [second, Number.isFinite(x / second) ? 1 : 0];
      },
    }),
  ],
};
