import { type Tensor, cat, conv2d, grad, hessian, jacobian, maxPool2d, tensor, zeros } from 'nabla';
import { BatchNorm1d, Conv2d, Linear, Sequential, crossEntropy } from 'nabla/nn';
import source from 'source:./lectures-further.ts';
import { type Exam, exercise } from './exercise.js';

export const lecturesFurther: Exam = {
  name: 'lectures-further',
  title: 'Further questions of the lectures',
  date: 'Sizes, Newton, first losses, slopes, masks, positions',
  source,
  exercises: [
    exercise({
      id: 'L4.5',
      title: 'Unknowns of a network',
      given: { inputs: 3, hidden: 4, outputs: 2 },
      vary: { inputs: [3, 5, 10], hidden: [4, 8, 20], outputs: [2, 1, 3] },
      ask: ({ inputs, hidden, outputs }) =>
        `A network has ${inputs} inputs, ${hidden} hidden neurons and ${outputs} outputs, all with a bias. How many numbers are to be learnt in each layer?`,
      answer: { kind: 'numbers', labels: ['first layer', 'second layer'] },
      async solve({ inputs, hidden, outputs }, tell) {
        const layers = [new Linear(inputs, hidden), new Linear(hidden, outputs)];
        for (const { weight, parameterCount } of layers)
          await tell(`Weights ${weight.shape.join(' × ')} and a bias for each row`, parameterCount);
        return layers.map((layer) => layer.parameterCount);
      },
    }),
    exercise({
      id: 'L5.6',
      title: 'A step of Newton',
      given: { a: 4, b: -8, at: 5 },
      vary: { a: [4, 2, 10], b: [-8, 4, 5], at: [5, -1, 0] },
      ask: ({ a, b, at }) =>
        `<var>L</var>(<var>θ</var>) = ½·${a}·<var>θ</var>² + (${b})·<var>θ</var>, and <var>θ</var> = ${at}. What are slope and curvature there, and where does a step of Newton lead?`,
      answer: { kind: 'numbers', labels: ['slope', 'curvature', 'new θ'], decimals: 3 },
      async solve({ a, b, at }, tell) {
        const loss = (t: Tensor<[1]>) =>
          t
            .square()
            .mul(a / 2)
            .add(t.mul(b))
            .sum();
        const theta = tensor([at]);
        const [slope, curvature] = [grad(loss)(theta), hessian(loss, theta)];
        await tell('∇L', slope);
        await tell('H', curvature);
        const next = theta.sub(slope.div(curvature.flatten()));
        await tell('θ − H⁻¹∇L', next);
        await tell('The slope there: a quadratic is solved in one step', grad(loss)(tensor([await next.sum().item()])));
        return [await slope.sum().item(), await curvature.sum().item(), await next.sum().item()];
      },
    }),
    exercise({
      id: 'L5.7',
      title: 'Sizes of derivatives',
      given: { m: 3, n: 2 },
      vary: { m: [3, 4, 6], n: [2, 5, 3] },
      ask: ({ m, n }) =>
        `A function leads from ${m} numbers to ${n}, another from ${m} numbers to one. How many numbers has the Jacobian of the first, and how many have gradient and Hessian of the second?`,
      answer: { kind: 'numbers', labels: ['Jacobian', 'gradient', 'Hessian'] },
      async solve({ m, n }, tell) {
        const x = zeros([m]).add(1);
        const first = (t: Tensor) => t.sum().mul(zeros([n]).add(2));
        const second = (t: Tensor) => t.square().sum();
        const found = [jacobian(first, x), grad(second)(x), hessian(second, x)];
        const names = ['Jacobian', 'gradient', 'Hessian'];
        for (const [i, { shape }] of found.entries()) await tell(`The shape of the ${names[i]}`, shape);
        return found.map(({ size }) => size);
      },
    }),
    exercise({
      id: 'L6.5',
      title: 'The loss of who knows nothing',
      given: { classes: 10 },
      vary: { classes: [10, 2, 100, 1000] },
      ask: ({ classes }) =>
        `A network of ${classes} classes has not learnt anything: all scores are alike. What is its cross entropy, and what is it if it gives the right class a score that is 5 higher?`,
      answer: { kind: 'numbers', labels: ['all alike', '5 higher'], decimals: 3 },
      async solve({ classes }, tell) {
        const scores = zeros([1, classes]);
        const label = tensor([0], { dtype: 'int32' });
        await tell('Each class has the probability', scores.softmax(1).max());
        const loss = crossEntropy(scores, label);
        await tell('−log of it, which is log C', loss);
        const right = cat([tensor([[5]]), zeros([1, classes - 1])], 1);
        await tell('With a score of 5 the right one has', right.softmax(1).max());
        const better = crossEntropy(right, label);
        await tell('−log of it', better);
        return [await loss.item(), await better.item()];
      },
    }),
    exercise({
      id: 'L7.5',
      title: 'Slopes that vanish',
      given: { z: 10 },
      vary: { z: [10, 4, -3, 1] },
      ask: ({ z }) => `How steep are sigmoid and tanh at 0, and at ${z}?`,
      answer: {
        kind: 'numbers',
        labels: ['sigmoid at 0', `sigmoid there`, 'tanh at 0', 'tanh there'],
        decimals: 4,
      },
      async solve({ z }, tell) {
        const places = tensor([0, z]);
        const sigmoid = grad((t: Tensor<[2]>) => t.sigmoid().sum())(places);
        await tell('σ(z)(1 − σ(z))', sigmoid);
        const tanh = grad((t: Tensor<[2]>) => t.tanh().sum())(places);
        await tell('1 − tanh²(z)', tanh);
        return [...(await sigmoid.data()), ...(await tanh.data())].map(Number);
      },
    }),
    exercise({
      id: 'L8.4',
      title: 'Batch norm for later',
      given: { a: 1, b: 2, c: 3, d: 6, momentum: 0.1 },
      vary: { a: [1, 0, -1], b: [2, 4, 1], c: [3, 4, 5], d: [6, 8, 7], momentum: [0.1, 0.5, 0.2] },
      ask: ({ a, b, c, d, momentum }) =>
        `The running mean of a new batch norm layer is 0, its running variance 1. It sees the batch (${a}, ${b}, ${c}, ${d}) in training, of which ${momentum} is taken over. What are they then? (The variance counts with <var>n</var> − 1.)`,
      answer: { kind: 'numbers', labels: ['running mean', 'running variance'], decimals: 3 },
      async solve({ a, b, c, d, momentum }, tell) {
        const x = tensor([[a], [b], [c], [d]]);
        await tell('Mean of the batch', x.mean(0));
        await tell('Its variance, with n − 1', x.sub(x.mean(0)).square().sum(0).div(3));
        const norm = new BatchNorm1d(1, { momentum });
        norm.forward(x);
        const running: number[] = [];
        for (const buffer of norm.buffers().slice(0, 2)) running.push(Number((await buffer.data())[0]));
        await tell('(1 − m)·0 + m·mean', running[0]);
        await tell('(1 − m)·1 + m·variance', running[1]);
        return running;
      },
    }),
    exercise({
      id: 'L9.5',
      title: 'A neuron that sees all of an image',
      given: { side: 5, channels: 3, neurons: 3 },
      vary: { side: [5, 8, 28], channels: [3, 1, 4], neurons: [3, 10, 2] },
      ask: ({ side, channels, neurons }) =>
        `How many weights has a fully connected neuron on a grey image of ${side}×${side}, one on ${channels} such channels, and how many have ${neurons} of the latter? (Without biases.)`,
      answer: { kind: 'numbers', labels: ['one channel', 'all channels', 'all neurons'] },
      async solve({ side, channels, neurons }, tell) {
        const sizes: number[] = [];
        for (const [inputs, outputs] of [
          [side * side, 1],
          [channels * side * side, 1],
          [channels * side * side, neurons],
        ] as const) {
          const { weight } = new Linear(inputs, outputs, { bias: false });
          await tell(`Weights ${weight.shape.join(' × ')}`, weight.size);
          sizes.push(weight.size);
        }
        return sizes;
      },
    }),
    exercise({
      id: 'L9.6',
      title: 'Convolutions that shrink',
      given: { side: 32, kernel: 5 },
      vary: { side: [32, 64, 28], kernel: [5, 3, 7] },
      ask: ({ side, kernel }) =>
        `Three convolutions of ${kernel}×${kernel} without padding follow each other on an image of ${side}×${side}. What are the sides of the three maps?`,
      answer: { kind: 'numbers', labels: ['first', 'second', 'third'] },
      async solve({ side, kernel }, tell) {
        const filter = zeros([1, 1, kernel, kernel]);
        const sides: number[] = [];
        for (let map: Tensor = zeros([1, 1, side, side]); sides.length < 3;) {
          map = conv2d(map, filter);
          await tell(`${sides.length + 1} convolutions: N − F + 1`, map.shape);
          sides.push(map.shape[2]!);
        }
        return sides;
      },
    }),
    exercise({
      id: 'L10.4',
      title: 'Branches side by side',
      given: { a: 64, b: 128, c: 32, d: 32 },
      vary: { a: [64, 128, 192], b: [128, 192, 208], c: [32, 96, 48], d: [32, 64] },
      ask: ({ a, b, c, d }) =>
        `An inception block has branches with ${a}, ${b}, ${c} and ${d} filters, of 1×1, 3×3 (padding 1), 5×5 (padding 2) and 1×1, all with stride 1. It is given 192×28×28. How many channels does it hand on, and how high are they?`,
      answer: { kind: 'numbers', labels: ['channels', 'height'] },
      async solve({ a, b, c, d }, tell) {
        const x = zeros([1, 192, 28, 28]);
        const branches = [
          new Conv2d(192, a, 1),
          new Conv2d(192, b, 3, { padding: 1 }),
          new Conv2d(192, c, 5, { padding: 2 }),
          new Conv2d(192, d, 1),
        ].map((layer) => layer.forward(x));
        for (const { shape } of branches) await tell('A branch gives', shape);
        const joined = cat(branches, 1);
        await tell('One behind the other', joined.shape);
        return [joined.shape[1]!, joined.shape[2]!];
      },
    }),
    exercise({
      id: 'L10.5',
      title: 'What VGG leaves of an image',
      given: { side: 224, pools: 5 },
      vary: { side: [224, 256, 64], pools: [5, 4, 3] },
      ask: ({ side, pools }) =>
        `In VGG same convolutions keep the size, and ${pools} poolings of 2×2 with stride 2 halve it. What is left of a side of ${side}?`,
      answer: { kind: 'numbers', labels: ['side'] },
      async solve({ side, pools }, tell) {
        const same = new Sequential(new Conv2d(1, 1, 3, { padding: 1 }));
        let map: Tensor = zeros([1, 1, side, side]);
        for (let i = 1; i <= pools; i++) {
          map = maxPool2d(same.forward(map), 2);
          await tell(`Behind pooling ${i}`, map.shape);
        }
        return [map.shape[2]!];
      },
    }),
    exercise({
      id: 'L11.4',
      title: 'Eigenvalues over time',
      given: { one: 0.5, two: 1, steps: 5 },
      vary: { one: [0.5, 0.9, 0.8], two: [1, 1.1, 1.5], steps: [5, 10, 3] },
      ask: ({ one, two, steps }) =>
        `A recurrence without input multiplies its state by a matrix with the eigenvalues ${one} and ${two}. By how much are the two parts of the state multiplied after ${steps} steps?`,
      answer: { kind: 'numbers', labels: ['first part', 'second part'], decimals: 3 },
      async solve({ one, two, steps }, tell) {
        // In the directions of its eigenvectors the matrix is diagonal.
        const matrix = tensor([
          [one, 0],
          [0, two],
        ]);
        let state: Tensor = tensor([[1], [1]]);
        for (let t = 1; t <= steps; t++) {
          state = matrix.matmul(state);
          await tell(`A after ${t} steps`, state);
        }
        return Array.from(await state.data(), Number);
      },
    }),
    exercise({
      id: 'L12.5',
      title: 'A position as a vector',
      given: { position: 1, width: 4 },
      vary: { position: [1, 2, 5, 10] },
      ask: ({ position, width }) =>
        `What is the encoding of position ${position} in a width of ${width}: sin and cos of position / 10000<sup>2<var>i</var>/<var>d</var></sup> in turns?`,
      answer: { kind: 'numbers', labels: ['sin, i = 0', 'cos, i = 0', 'sin, i = 1', 'cos, i = 1'], decimals: 3 },
      async solve({ position, width }, tell) {
        const exponents = tensor([0, 1]).mul(2 / width);
        const angles = exponents.mul(-Math.log(10_000)).exp().mul(position);
        await tell('Angles', angles);
        const pairs = cat([angles.sin().reshape([2, 1]), angles.cos().reshape([2, 1])], 1);
        await tell('Their sin and cos', pairs);
        return Array.from(await pairs.data(), Number);
      },
    }),
    exercise({
      id: 'L12.6',
      title: 'Warming up',
      given: { width: 512, warmup: 4000, step: 16_000 },
      vary: { width: [512, 256, 1024], warmup: [4000, 1000], step: [16_000, 64_000] },
      ask: ({ width, warmup, step }) =>
        `The Transformer trains with the rate <var>d</var><sup>−½</sup>·min(step<sup>−½</sup>, step·warmup<sup>−1.5</sup>), <var>d</var> = ${width}, warmup = ${warmup}. What is it, in 10⁻⁴, at step ${warmup} and at step ${step}?`,
      answer: { kind: 'numbers', labels: ['at the top', 'later'], decimals: 2 },
      async solve({ width, warmup, step }, tell) {
        const steps = tensor([warmup, step]);
        const [rising, falling] = [steps.mul(warmup ** -1.5), steps.pow(-0.5)];
        await tell('step·warmup^−1.5', rising);
        await tell('step^−½', falling);
        const rate = rising.minimum(falling).mul(width ** -0.5);
        await tell('The smaller one, times d^−½', rate);
        return Array.from(await rate.mul(1e4).data(), Number);
      },
    }),
    exercise({
      id: 'L12.7',
      title: 'Attention that does not look ahead',
      given: { own: 2, before: 1, after: 5 },
      vary: { own: [2, 0, 3], before: [1, 2, -1], after: [5, 1, 4] },
      ask: ({ own, before, after }) =>
        `The scaled products of the second of three words with all three are (${before}, ${own}, ${after}). What are its weights of attention if it may not see what follows?`,
      answer: { kind: 'numbers', labels: ['first', 'second', 'third'], decimals: 3 },
      async solve({ own, before, after }, tell) {
        const scores = tensor([before, own, after]);
        const masked = scores.add(tensor([0, 0, -Infinity]));
        await tell('Minus infinity where it may not look', masked);
        const weights = masked.softmax(0);
        await tell('Softmax', weights);
        await tell('Without the mask', scores.softmax(0));
        return Array.from(await weights.data(), Number);
      },
    }),
  ],
};
