import { type Tensor, conv2d, grad, manualSeed, ones, randn, tensor, zeros } from 'nabla';
import { resnet18, vgg16 } from 'nabla/models';
import { BatchNorm1d, Conv2d, Dropout, LeakyReLU, Linear, MaxPool2d, RNNCell, Residual, init } from 'nabla/nn';
import { SGD } from 'nabla/optim';
import source from 'source:./endterm-2020-08.ts';
import { type Exam, exercise } from './exercise.js';

export const endterm202008: Exam = {
  name: 'endterm-2020-08',
  title: 'Endterm',
  date: '11 August 2020',
  source,
  exercises: [
    exercise({
      id: '1a',
      title: 'Sizes of networks',
      given: {},
      ask: () => 'How many million parameters have ResNet-18 and VGG-16, with 1000 classes?',
      answer: { kind: 'numbers', labels: ['ResNet-18', 'VGG-16'], decimals: 0 },
      async solve(_, tell) {
        const [small, large] = [resnet18().parameterCount, vgg16().parameterCount];
        await tell('ResNet-18', small);
        await tell('VGG-16, most of them in its linear layers', large);
        return [small / 1e6, large / 1e6];
      },
    }),
    exercise({
      id: '1d',
      title: 'What a convolution does with a moved image',
      given: {},
      ask: () => 'Which of these hold for a convolution?',
      answer: {
        kind: 'ticks',
        options: ['A shifted image gives the shifted map', 'A transposed image gives the transposed map'],
      },
      async solve(_, tell) {
        manualSeed(1);
        const conv = new Conv2d(1, 2, 3);
        const x = randn([1, 1, 8, 8]);
        const inner = (map: Tensor) => map.slice(2, 2, 6).slice(3, 1, 6); // the edge sees pixels that came in
        const shifted = inner(conv.forward(x.roll(2, 2).roll(1, 3))).sub(inner(conv.forward(x).roll(2, 2).roll(1, 3)));
        const turned = conv.forward(x.transpose(2, 3)).sub(conv.forward(x).transpose(2, 3));
        const [a, b] = [await shifted.abs().max().item(), await turned.abs().max().item()];
        await tell('Shift, then convolve, against the other way round: largest difference', a);
        await tell('Transpose, then convolve, against the other way round', b);
        return [a < 1e-5 ? 1 : 0, b < 1e-5 ? 1 : 0];
      },
    }),
    exercise({
      id: '1e, 1g',
      title: 'Slopes far from zero',
      given: { x: 20 },
      vary: { x: [20, 30, 50] },
      ask: ({ x }) => `Of which activations is the slope at ${x} still larger than a thousandth?`,
      answer: { kind: 'ticks', options: ['tanh', 'sigmoid', 'ReLU', 'leaky ReLU'] },
      async solve({ x }, tell) {
        const functions = {
          tanh: (v: Tensor) => v.tanh().sum(),
          sigmoid: (v: Tensor) => v.sigmoid().sum(),
          ReLU: (v: Tensor) => v.relu().sum(),
          'leaky ReLU': (v: Tensor) => new LeakyReLU().forward(v).sum(),
        };
        const large: number[] = [];
        for (const [name, f] of Object.entries(functions)) {
          const slope = await grad(f)(tensor(x)).item();
          await tell(`Slope of ${name}`, slope);
          large.push(slope > 1e-3 ? 1 : 0);
        }
        return large;
      },
    }),
    exercise({
      id: '1i',
      title: 'Who learns?',
      given: {},
      ask: () => 'Which of these layers have parameters?',
      answer: { kind: 'ticks', options: ['leaky ReLU', 'batch norm', 'dropout', 'max pooling'] },
      async solve(_, tell) {
        const layers = [new LeakyReLU(), new BatchNorm1d(4), new Dropout(0.5), new MaxPool2d(2)];
        for (const layer of layers)
          await tell(`Tensors that ${layer.constructor.name} learns`, layer.parameters().length);
        return layers.map((layer) => (layer.parameters().length > 0 ? 1 : 0));
      },
    }),
    exercise({
      id: '2a',
      title: 'Small weights and large ones',
      given: { a: 2, b: -4, c: 1 },
      vary: { a: [2, 1, 3], b: [-4, -2, 1], c: [1, 2, -1] },
      ask: ({ a, b, c }) =>
        `The inputs (${a}, ${b}, ${c}) go through one neuron without bias and tanh. What is its weighted sum with the weights (0.05, 0.025, −0.03), and with (1, 0.5, 1.5)? What is the slope of tanh there?`,
      answer: { kind: 'numbers', labels: ['small sum', 'its slope', 'large sum', 'its slope'], decimals: 2 },
      async solve({ a, b, c }, tell) {
        const answers: number[] = [];
        for (const weights of [tensor([0.05, 0.025, -0.03]), tensor([1, 0.5, 1.5])]) {
          const s = tensor([a, b, c]).mul(weights).sum();
          await tell('Weighted sum', s);
          const slope = grad((v: Tensor<[]>) => v.tanh())(s);
          await tell('Slope of tanh', slope);
          answers.push(await s.item(), await slope.item());
        }
        return answers;
      },
    }),
    exercise({
      id: '2c, 2d',
      title: 'Variance from layer to layer',
      given: { n: 200 },
      vary: { n: [100, 200, 400] },
      ask: ({ n }) =>
        `Inputs of variance 1 go through ${n} neurons with ${n} inputs and weights of variance 1/${n}. About what is the mean square of the sums, of the sums behind ReLU, and behind ReLU with weights of variance 2/${n}?`,
      answer: { kind: 'numbers', labels: ['sums', 'behind ReLU', 'with 2/n'], within: 0.2 },
      async solve({ n }, tell) {
        manualSeed(2);
        const x = randn([2000, n]);
        const s = x.matmul(init.xavierNormal([n, n]));
        const two = x.matmul(init.kaimingNormal([n, n])).relu();
        const answers: number[] = [];
        for (const [name, v] of [
          ['Xavier', s],
          ['Xavier, ReLU', s.relu()],
          ['Kaiming, ReLU', two],
        ] as const) {
          const square = await v.square().mean().item();
          await tell(`${name}: mean square over 2000 samples`, square);
          answers.push(square);
        }
        return answers;
      },
    }),
    exercise({
      id: '4a',
      title: 'What a kernel answers to',
      given: { low: 1, high: 5 },
      vary: { low: [1, 0, 2], high: [5, 3, 8] },
      ask: ({ low, high }) =>
        `Each row of an image is (${low}, ${low}, ${high}, ${high}). What does a 3×3 mean filter give at its two places in a row, and what the largest absolute value of the kernel (1, −1; 1, −1)? And that on the transposed image?`,
      answer: { kind: 'numbers', labels: ['mean, left', 'mean, right', 'kernel', 'kernel, transposed'], decimals: 2 },
      async solve({ low, high }, tell) {
        const row = [low, low, high, high];
        const image = tensor([[[row, row, row, row]]]);
        const mean = conv2d(image, ones([1, 1, 3, 3]).div(9));
        await tell('Mean filter', mean);
        const kernel = tensor([
          [
            [
              [1, -1],
              [1, -1],
            ],
          ],
        ]);
        const edges = conv2d(image, kernel);
        await tell('The kernel over the image', edges);
        const turned = conv2d(image.transpose(2, 3), kernel);
        await tell('The kernel over the transposed image', turned);
        const [left, right] = await mean.data();
        return [Number(left), Number(right), await edges.abs().max().item(), await turned.abs().max().item()];
      },
    }),
    exercise({
      id: '4b',
      title: 'The size behind a convolution',
      given: { n: 26, filters: 5, kernel: 7, stride: 3, padding: 1 },
      vary: { n: [26, 32, 40], filters: [5, 8, 12], kernel: [7, 5, 3], stride: [3, 2, 1], padding: [1, 0, 2] },
      ask: ({ n, filters, kernel, stride, padding }) =>
        `${filters} filters of ${kernel}×${kernel}, stride ${stride}, padding ${padding}, go over a volume of ${n}×${n}×${n}. What are height, width and depth behind them?`,
      answer: { kind: 'numbers', labels: ['height', 'width', 'depth'] },
      async solve({ n, filters, kernel, stride, padding }, tell) {
        await tell(
          `⌊(${n} − ${kernel} + 2·${padding}) / ${stride}⌋ + 1`,
          Math.floor((n - kernel + 2 * padding) / stride) + 1,
        );
        const [, c, h, w] = new Conv2d(n, filters, kernel, { stride, padding }).forward(zeros([1, n, n, n])).shape;
        await tell('The layer itself gives channels × height × width', [c, h, w].join('×'));
        return [h, w, c];
      },
    }),
    exercise({
      id: '4c',
      title: 'The shape of the weights',
      given: { channels: 3, filters: 4, kernel: 5 },
      vary: { channels: [3, 1, 16], filters: [4, 10, 32], kernel: [5, 3, 7] },
      ask: ({ channels, filters, kernel }) =>
        `${filters} filters of ${kernel}×${kernel} go over images with ${channels} channels. What is the shape of their weights?`,
      answer: { kind: 'numbers', labels: ['filters', 'channels', 'height', 'width'] },
      async solve({ channels, filters, kernel }, tell) {
        const { weight } = new Conv2d(channels, filters, kernel);
        await tell('A filter has a kernel for each channel: together', weight.size);
        return [...weight.shape];
      },
    }),
    exercise({
      id: '4d',
      title: 'Three small kernels see as much as one large',
      given: { kernel: 3, layers: 3 },
      vary: { kernel: [3, 5], layers: [2, 3, 4, 5] },
      ask: ({ kernel, layers }) =>
        `How many pixels a side does a neuron see behind ${layers} convolutions of ${kernel}×${kernel}, stride 1?`,
      answer: { kind: 'numbers', labels: ['pixels a side'] },
      async solve({ kernel, layers }, tell) {
        let side = 1;
        for (let i = 1; i <= layers; i++) {
          side += kernel - 1;
          await tell(`Behind layer ${i}`, side);
        }
        // One layer with the same field, to be sure.
        const probe = zeros([1, 1, side, side], { requiresGrad: true });
        let map: Tensor = probe;
        for (let i = 0; i < layers; i++) map = conv2d(map, ones([1, 1, kernel, kernel]));
        map.sum().backward();
        if (!probe.grad) throw new Error('there is a gradient');
        const seen = await probe.grad.ne(0).sum().item();
        await tell('Pixels of a field of that size whose derivative is not zero', seen);
        return [Math.sqrt(seen)];
      },
    }),
    exercise({
      id: '4e',
      title: 'From one pixel to all of them',
      given: { n: 224 },
      vary: { n: [224, 128, 32] },
      ask: ({ n }) =>
        `Images are ${n}×${n}. How many pixels a side does a neuron see behind a 1×1 convolution, and behind one with a kernel of ${n}×${n}? How many places has the map of the latter?`,
      answer: { kind: 'numbers', labels: ['behind 1×1', `behind the large one`, 'places'] },
      async solve({ n }, tell) {
        const [one, whole] = [new Conv2d(1, 1, 1), new Conv2d(1, 1, n)];
        const [small, large] = [one.receptiveField().size[0], whole.receptiveField().size[0]];
        await tell('Receptive field of the 1×1 convolution', small);
        await tell('Receptive field of the large one', large);
        const [, , h, w] = whole.forward(zeros([1, 1, n, n])).shape;
        await tell('Its map', `${h}×${w}: it is a linear layer over all pixels`);
        return [Number(small), Number(large), h * w];
      },
    }),
    exercise({
      id: '4g',
      title: 'A way around a block',
      given: { r: 0.25 },
      vary: { r: [0.25, 0.5, -0.5, 0.01] },
      ask: ({ r }) =>
        `A block has the derivative ${r}. What is the derivative with a skip connection around it, <var>x</var> + <var>f</var>(<var>x</var>)?`,
      answer: { kind: 'numbers', labels: ['derivative'], decimals: 3 },
      async solve({ r }, tell) {
        const body = new Linear(1, 1);
        body.weight.assign_(tensor([[r]]));
        const x = tensor([[3]]);
        const plain = grad((v: Tensor<[1, 1]>) => body.forward(v).sum())(x);
        await tell('Through the block', plain);
        const around = grad((v: Tensor<[1, 1]>) => new Residual([body]).forward(v).sum())(x);
        await tell('With the skip connection: the block’s and 1', around);
        return [await around.sum().item()];
      },
    }),
    exercise({
      id: '6a',
      title: 'Parameters of an RNN cell',
      given: { inputs: 3, states: 5 },
      vary: { inputs: [3, 4, 10], states: [5, 8, 20] },
      ask: ({ inputs, states }) =>
        `<var>h</var><sub>t</sub> = tanh(<var>V</var> <var>h</var><sub>t−1</sub> + <var>W</var> <var>x</var><sub>t</sub> + <var>b</var>) has ${inputs} inputs and ${states} states. How many parameters is that?`,
      answer: { kind: 'numbers', labels: ['parameters'] },
      async solve({ inputs, states }, tell) {
        const cell = new RNNCell(inputs, states, { bias: false });
        const weights = cell.parameters().reduce((sum, p) => sum + p.size, 0);
        await tell(`V has ${states}·${states}, W ${states}·${inputs}: nabla counts`, weights);
        await tell('b has as many as there are states', states);
        return [weights + states];
      },
    }),
    exercise({
      id: '6b',
      title: 'A state without input',
      given: { h: 0.5 },
      vary: { h: [0.5, 1, -0.5, 2] },
      ask: ({ h }) =>
        `<var>h</var><sub>t</sub> = tanh(<var>h</var><sub>t−1</sub> + <var>x</var><sub>t</sub>). The state is ${h}, the input 0. What is the next state?`,
      answer: { kind: 'numbers', labels: ['state'], decimals: 3 },
      async solve({ h }, tell) {
        const cell = new RNNCell(1, 1, { bias: false });
        cell.loadStateDict({ weight_ih: ones([1, 1]), weight_hh: ones([1, 1]) });
        const next = cell.forward(tensor([[0]]), tensor([[h]]));
        await tell('One step of the cell: the state shrinks by itself', next);
        return [await next.sum().item()];
      },
    }),
    exercise({
      id: '6c',
      title: 'An RNN with ReLU, forward',
      given: { v: -3, w: 3, x1: 2, x2: 3, x3: 1 },
      vary: { v: [-3, -2, 0.5], w: [3, 1, 2], x1: [2, 1, 4], x2: [3, 2, 1], x3: [1, 4, 2] },
      ask: ({ v, w, x1, x2, x3 }) =>
        `<var>h</var><sub>t</sub> = ReLU(<var>V</var>·<var>h</var><sub>t−1</sub> + <var>W</var>·<var>x</var><sub>t</sub>) with <var>V</var> = ${v}, <var>W</var> = ${w}, <var>h</var><sub>0</sub> = 0 and the inputs ${x1}, ${x2}, ${x3}. What are the states?`,
      answer: { kind: 'numbers', labels: ['h₁', 'h₂', 'h₃'], decimals: 3 },
      async solve({ v, w, x1, x2, x3 }, tell) {
        const states: number[] = [];
        let h: Tensor = tensor(0);
        for (const x of [x1, x2, x3]) {
          const z = h.mul(v).add(w * x);
          await tell(`${v} · h + ${w} · ${x}`, z);
          h = z.relu();
          states.push(await h.item());
          await tell('ReLU of it', h);
        }
        return states;
      },
    }),
    exercise({
      id: '6d',
      title: 'An RNN with ReLU, backward',
      given: { v: -2, w: 1, h0: 2, x1: 2, x2: 1.5, x3: 4 },
      vary: { v: [-2, -1, 0.5], w: [1, 2], h0: [2, 1, 0.5], x1: [2, 3], x2: [1.5, 1, 2], x3: [4, 5] },
      ask: ({ v, w, h0, x1, x2, x3 }) =>
        `The same network with <var>V</var> = ${v}, <var>W</var> = ${w}, <var>h</var><sub>0</sub> = ${h0} and the inputs ${x1}, ${x2}, ${x3}. What are the derivatives of <var>h</var><sub>3</sub> by <var>V</var>, by <var>W</var> and by <var>x</var><sub>1</sub>?`,
      answer: { kind: 'numbers', labels: ['∂h₃/∂V', '∂h₃/∂W', '∂h₃/∂x₁'], decimals: 3 },
      async solve({ v, w, h0, x1, x2, x3 }, tell) {
        const last = async (V: Tensor, W: Tensor, first: Tensor) => {
          let h: Tensor = tensor(h0);
          for (const x of [first, tensor(x2), tensor(x3)]) h = V.mul(h).add(W.mul(x)).relu();
          return h;
        };
        const [V, W, first] = [v, w, x1].map((value) => tensor(value, { requiresGrad: true }));
        if (!V || !W || !first) throw new Error('there are three');
        const h3 = await last(V, W, first);
        await tell('h₃', h3);
        h3.backward();
        const slopes: number[] = [];
        for (const [name, p] of [
          ['V', V],
          ['W', W],
          ['x₁', first],
        ] as const) {
          await tell(`∂h₃/∂${name}; where ReLU is 0 nothing flows back`, p.grad ?? 0);
          slopes.push(p.grad ? await p.grad.item() : 0);
        }
        return slopes;
      },
    }),
    exercise({
      id: '8b',
      title: 'A sigmoid behind ReLU',
      given: {},
      ask: () => 'What is the smallest value that σ(ReLU(<var>z</var>)) can have?',
      answer: { kind: 'numbers', labels: ['smallest'], decimals: 2 },
      async solve(_, tell) {
        const p = tensor([-100, -1, 0, 1, 100]).relu().sigmoid();
        await tell('For z = −100, −1, 0, 1, 100: one class can never be predicted', p);
        return [await p.min().item()];
      },
    }),
    exercise({
      id: '8d',
      title: 'Weight decay in a step',
      given: { rate: 0.1, decay: 0.02, w: 3, slope: 4 },
      vary: { rate: [0.1, 0.5, 0.01], decay: [0.02, 0.1, 0.3], w: [3, -2, 5], slope: [4, 1, -2] },
      ask: ({ rate, decay, w, slope }) =>
        `The loss is <var>J</var> + ½λ<var>w</var>² with λ = ${decay}; at <var>w</var> = ${w} the derivative of <var>J</var> is ${slope}. What is <var>w</var> after a step of gradient descent with rate ${rate}? By what factor does the decay alone multiply it?`,
      answer: { kind: 'numbers', labels: ['w', 'factor'], decimals: 4 },
      async solve({ rate, decay, w, slope }, tell) {
        const one = tensor([w], { requiresGrad: true });
        one
          .mul(slope)
          .sum()
          .add(
            one
              .square()
              .sum()
              .mul(0.5 * decay),
          )
          .backward();
        await tell('The whole derivative', one.grad ?? 0);
        await new SGD([one], { lr: rate }).step();
        await tell('A step of SGD', one.detach());
        await tell(`The same: ${w}·(1 − ${rate}·${decay}) − ${rate}·${slope}`, w * (1 - rate * decay) - rate * slope);
        return [await one.detach().sum().item(), 1 - rate * decay];
      },
    }),
    exercise({
      id: '8f',
      title: 'Uniform weights that keep the variance',
      given: { n: 300 },
      vary: { n: [300, 100, 48, 12] },
      ask: ({ n }) =>
        `Weights are uniform in ±α. For which α does a neuron with ${n} inputs keep the variance of its inputs?`,
      answer: { kind: 'numbers', labels: ['α'], decimals: 3 },
      async solve({ n }, tell) {
        await tell('The variance of a uniform number in ±α is α²/3; it has to be 1/n. √(3/n)', Math.sqrt(3 / n));
        manualSeed(3);
        const w = init.xavierUniform([n, n]);
        await tell('Largest weight of nabla’s xavierUniform', w.abs().max());
        await tell('Variance of 500 samples behind it', randn([500, n]).matmul(w).var());
        return [Math.sqrt(3 / n)];
      },
    }),
  ],
};
